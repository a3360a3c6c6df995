"""Order parameters between two minima: how alike they are."""

import numpy as np

from bridge.landscape.graph import Graph
from bridge.landscape.identity import Identity
from bridge.protocols import Mask, Vector


def overlap(identity: Identity, x: Vector, other: Vector) -> float:
    """Return ``x'·y/(|x'||y|)`` of the nearest image ``x'`` of ``x``: 1 for equivalent states.

    For spins on the sphere this is the ``q`` of replicas.
    """
    image = identity.aligned(x, other)
    return float(image @ other / (np.linalg.norm(image) * np.linalg.norm(other)))


def overlaps(graph: Graph) -> Vector:
    """Return the overlap of every pair of minima, ``(n, n)``, ones on the diagonal."""
    states = [point.x for point in graph.minima]
    found = np.eye(len(states))
    for a, x in enumerate(states):
        for b in range(a):
            found[a, b] = found[b, a] = overlap(graph.identity, states[b], x)
    return found


def hamming(first: Mask, second: Mask) -> float:
    """Return the fraction of entries in which two sets differ.

    Of violated constraints, of misclassified patterns, or of anything else that is listed in one
    order for both states. For misclassified patterns this is the misclassification distance.

    >>> hamming(np.array([True, True, False, False]), np.array([True, False, False, False]))
    0.25
    """
    _check(first, second)
    return float(np.mean(first != second))


def jaccard(first: Mask, second: Mask) -> float:
    """Return ``1 - |A∩B|/|A∪B|``: 0 for equal sets, 1 for disjoint ones; 0 if both are empty.

    >>> jaccard(np.array([True, True, False]), np.array([True, False, False]))
    0.5
    """
    _check(first, second)
    union = int((first | second).sum())
    return 1.0 - int((first & second).sum()) / union if union else 0.0


def _check(first: Mask, second: Mask) -> None:
    if first.shape != second.shape or not first.size:
        raise ValueError(
            f"expected two sets of one length, got {first.shape} and {second.shape}: "
            "list the entries of both in one order"
        )

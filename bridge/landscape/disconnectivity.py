"""The exact merge tree of a landscape: which minima communicate below which energy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bridge.landscape.graph import Graph
from bridge.landscape.thermodynamics import free_energies
from bridge.protocols import Vector


@dataclass(frozen=True)
class Branch:
    """A node of the merge tree.

    Attributes
    ----------
    energy
        Of the minimum, or of the saddle at which the children merge.
    minima
        Every minimum below, the lowest first.
    children
        Branches that merge here; none for a minimum.
    """

    energy: float
    minima: tuple[int, ...]
    children: tuple["Branch", ...] = ()


def merge_tree(
    energies: Sequence[float] | Vector,
    barriers: Sequence[float] | Vector,
    ends: Sequence[tuple[int, int]],
) -> list[Branch]:
    """Return the merge tree of each connected part, the one with the lowest minimum first.

    Saddles are taken from the lowest up; one that joins two parts makes a node of the tree (union
    and find), and one within a part changes nothing. Saddles of one energy make one node.
    """
    parent = list(range(len(energies)))
    part = [Branch(float(energy), (i,)) for i, energy in enumerate(energies)]
    for k in np.argsort(np.asarray(barriers, dtype=np.float64), kind="stable"):
        a, b = (_root(parent, end) for end in ends[k])
        if a == b:
            continue
        low, high = (a, b) if _depth(energies, part[a]) <= _depth(energies, part[b]) else (b, a)
        parent[high] = low
        part[low] = _join(float(barriers[k]), part[low], part[high])
    roots = {_root(parent, i) for i in range(len(energies))}
    return sorted((part[r] for r in roots), key=lambda branch: _depth(energies, branch))


def of_graph(graph: Graph, temperature: float | None = None) -> list[Branch]:
    """Return the merge tree of a graph: of its energies, or of its free energies at ``T``.

    At a temperature several saddles between two minima add up: ``F = -T ln Σ exp(-F_t/T)``, and the
    barrier is that of the rate ``k = ν exp(-ΔF/T)`` with ``ν`` the geometric mean frequency of the
    lowest minimum. (With ``kT/h`` in its place, the barrier of a classical system would depend on
    the unit of time, and vanish wherever rates exceed it.) A pass that entropy puts below one of
    its wells all the same stands level with that well.
    """
    if temperature is None:
        energies = [point.energy for point in graph.minima]
        return merge_tree(energies, [point.energy for point in graph.saddles], graph.ends)
    wells = free_energies(graph.minima.points, temperature)
    passes = free_energies(graph.saddles.points, temperature)
    lowest = min(graph.minima, key=lambda point: point.energy)
    frequency = np.exp(0.5 * lowest.log_det / max(lowest.n_modes, 1))
    passes += temperature * np.log(frequency / temperature)
    summed: dict[tuple[int, int], float] = {}
    for pair, energy in zip(graph.ends, passes, strict=True):
        before = -summed.get(pair, np.inf) / temperature
        summed[pair] = -temperature * float(np.logaddexp(before, -energy / temperature))
    pairs = list(summed)
    levels = [max(summed[a, b], wells[a], wells[b]) for a, b in pairs]
    return merge_tree(wells, levels, pairs)


def barrier(tree: Branch, a: int, b: int) -> float | None:
    """Return the lowest energy over which ``a`` and ``b`` communicate, or None if they do not."""
    pair = {a, b}
    if not pair <= set(tree.minima):
        return None
    inside: Branch | None = tree
    while inside is not None:
        tree = inside
        inside = next((child for child in tree.children if pair <= set(child.minima)), None)
    return tree.energy


def _join(energy: float, low: Branch, high: Branch) -> Branch:
    """Merge two parts; one that merged at this very energy gives its children instead of itself."""
    children: list[Branch] = []
    for part in (low, high):
        same = part.children and part.energy == energy
        children.extend(part.children if same else (part,))
    return Branch(energy, low.minima + high.minima, tuple(children))


def _depth(energies: Sequence[float] | Vector, branch: Branch) -> tuple[float, int]:
    """Return the energy of the lowest minimum below, which is listed first."""
    return float(energies[branch.minima[0]]), branch.minima[0]


def _root(parent: list[int], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i

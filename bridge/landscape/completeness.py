"""Completeness of a graph: discovery curves, capture and recapture, and the Morse sum."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.landscape.graph import Graph
from bridge.landscape.identity import Identity
from bridge.landscape.stationary_points import StationaryPoint

_CURVE = 200  # points of a discovery curve that are kept


@dataclass(frozen=True)
class Completeness:
    """What can be said about how much of a landscape is known.

    Attributes
    ----------
    discovery_curve
        ``(searches, minima, saddles)``, thinned to a few hundred points.
    estimated_minima, estimated_saddles
        Numbers to expect in all, by capture and recapture; None before anything was met twice.
    morse_sum
        ``Σ (-1)^index`` over all labelled stationary points that are known; None unless all indices
        were searched, and the images of a point can be counted.
    expected_morse_sum
        What it is when none is missing: the Euler characteristic; None if it is not known.
    """

    discovery_curve: list[tuple[int, int, int]]
    estimated_minima: float | None
    estimated_saddles: float | None
    morse_sum: int | None
    expected_morse_sum: int | None


def completeness(graph: Graph, euler_characteristic: int | None = None) -> Completeness:
    """Say how much of a landscape a graph is likely to hold."""
    every_index = any(search.stage == "critical" for search in graph.searches)
    counted = every_index and math.isfinite(graph.identity.log_group_order)
    return Completeness(
        discovery_curve=_curve(graph.discovery),
        estimated_minima=chao(graph.minima.hits),
        estimated_saddles=chao(graph.saddles.hits),
        morse_sum=morse_sum(graph) if counted else None,
        expected_morse_sum=euler_characteristic,
    )


def chao(hits: Sequence[int]) -> float | None:
    """Return the lower bound of Chao on the number of kinds: ``S + f₁(f₁ - 1)/(2(f₂ + 1))``.

    ``f₁`` and ``f₂`` of the ``S`` kinds were met once and twice. Those that are rarely met weigh
    most in what is missing; kinds that searches cannot reach do not show.

    References
    ----------
    A. Chao, Scand. J. Statist. 11, 265 (1984), bias-corrected.

    Examples
    --------
    >>> chao([5, 3, 8]), chao([1, 1, 1, 2])
    (3.0, 5.5)
    """
    if sum(hits) <= len(hits):
        return None
    once, twice = (sum(1 for count in hits if count == k) for k in (1, 2))
    return len(hits) + once * (once - 1) / (2 * (twice + 1))


def morse_sum(graph: Graph) -> int:
    """Return ``Σ (-1)^index`` over labelled stationary points of every index.

    Each distinct point stands for ``G/o`` labelled ones. Complete sets on a compact manifold, or
    where the energy grows without bound, give the Euler characteristic.
    """
    known: list[StationaryPoint] = [*graph.minima, *graph.saddles, *graph.higher]
    return sum((-1) ** point.index * copies(graph.identity, point) for point in known)


def copies(identity: Identity, point: StationaryPoint) -> int:
    """Return the number of labelled points that a distinct one stands for, ``G/o``."""
    return round(math.exp(identity.log_group_order) / point.order)


def _curve(discovery: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    step = max(1, len(discovery) // _CURVE)
    chosen = range(step - 1, len(discovery), step)
    return [(i + 1, *discovery[i]) for i in chosen]

"""Connect minima: choose pairs that are worth it, and find the saddles between them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse.csgraph import dijkstra

from bridge.landscape.eigenvector_following import follow
from bridge.landscape.elastic_band import relax_band
from bridge.landscape.explore import Explorer
from bridge.landscape.graph import Finding, Graph
from bridge.landscape.identity import Identity
from bridge.landscape.search import certified_saddle
from bridge.protocols import Vector

_KNOWN = 1e-6  # weight of a step that has a saddle: nearly free
_PEAKS = 4  # climbs from one band


def connect(explorer: Explorer, graph: Graph, number: int, a: int, b: int) -> Iterator[Finding]:
    """Yield the saddles, and why others failed, from the peaks of a band between two minima.

    Each peak is followed uphill along the band. What the saddles lead to need not be ``a`` and
    ``b``: the graph keeps whatever it is, and the next attempt starts from there.
    """
    problem, steps, search = explorer.problem, explorer.steps, ("connect", number, a)
    end = graph.minima[b].x
    start = explorer.identity.aligned(graph.minima[a].x, end)
    try:
        band = relax_band(problem, start, end, max_step=steps.climb / np.sqrt(problem.n_dof))
        peaks = band.peaks()[:_PEAKS]
        for peak in peaks:
            walk = follow(
                problem,
                band.images[peak],
                along=band.tangents[peak],
                max_step=steps.climb,
                max_steps=steps.max_steps,
            )
            saddle = certified_saddle(walk, explorer.identity)
            yield explorer.over_saddle(search, walk, saddle, graph.saddles)
        if not peaks:
            yield Finding(*search, "the band has no peak")
    except ValueError as error:
        yield Finding(*search, str(error))


def connect_all(explorer: Explorer, graph: Graph, numbers: Iterable[int]) -> Iterator[Finding]:
    """Yield findings until every minimum is connected to the lowest, or the numbers are used up.

    Each round takes the lowest minimum of another part, and tries the unknown steps of its shortest
    path to the lowest minimum of all. Findings have to be absorbed as they come.
    """
    tried: dict[tuple[int, int], int] = {}
    distances = Distances(explorer.identity)
    for number in numbers:
        parts = graph.components()
        if len(parts) < 2:
            return
        lowest = min(range(len(graph.minima)), key=lambda i: graph.minima[i].energy)
        others = [part for part in parts if lowest not in part]
        ends = [min(part, key=lambda i: graph.minima[i].energy) for part in others]
        end = min(ends, key=lambda i: sum(n for pair, n in tried.items() if i in pair))
        pairs = missing_pairs(graph, lowest, end, distances.between(graph), tried)
        a, b = min(pairs, key=lambda pair: tried.get(pair, 0))
        tried[a, b] = tried.get((a, b), 0) + 1
        yield from connect(explorer, graph, number, a, b)


@dataclass(eq=False)
class Distances:
    """Squared distances between the nearest images of minima; each pair is aligned once."""

    identity: Identity
    known: dict[tuple[int, int], float] = field(default_factory=dict)

    def between(self, graph: Graph) -> Vector:
        """Return the squared distance of every pair, ``(n, n)``."""
        states = [point.x for point in graph.minima]
        squares = np.zeros((len(states), len(states)))
        for a in range(len(states)):
            for b in range(a):
                if (a, b) not in self.known:
                    gap = self.identity.aligned(states[b], states[a]) - states[a]
                    self.known[a, b] = float(gap @ gap) + _KNOWN
                squares[a, b] = squares[b, a] = self.known[a, b]
        return squares


def missing_pairs(
    graph: Graph, start: int, end: int, squares: Vector, tried: dict[tuple[int, int], int]
) -> list[tuple[int, int]]:
    """Return the steps without a saddle on the shortest path between two minima.

    A step that has one costs nothing; another costs its squared distance, and more after each
    failed attempt (the missing-connection algorithm).

    References
    ----------
    J. M. Carr, S. A. Trygubenko, D. J. Wales, J. Chem. Phys. 122, 234903 (2005).
    """
    weights = squares.copy()
    for (a, b), count in tried.items():
        weights[a, b] *= 10.0**count
        weights[b, a] = weights[a, b]
    for a, b in graph.ends:
        weights[a, b] = weights[b, a] = _KNOWN
    _, before = dijkstra(weights, indices=start, return_predecessors=True)
    known = {frozenset(ends) for ends in graph.ends}
    pairs, here = [], end
    while here != start:
        last = int(before[here])
        if frozenset((last, here)) not in known:
            pairs.append((min(last, here), max(last, here)))
        here = last
    return pairs

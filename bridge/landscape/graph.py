"""The landscape as a multigraph: minima, and every saddle between two of them."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bridge.landscape.identity import Identity
from bridge.landscape.points import Point
from bridge.protocols import Vector

if TYPE_CHECKING:
    import networkx as nx

_ENERGY = 1e-8  # relative: two certified images of one state agree far better
_STATE = 1e-3  # in the units of x: two certified states that are one agree far better


class Catalogue:
    """Distinct stationary points of one kind, and how often each was met."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.points: list[Point] = []
        self.hits: list[int] = []
        self._sorted: list[tuple[float, int]] = []
        self._prints: list[Vector] = []

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[Point]:
        return iter(self.points)

    def __getitem__(self, number: int) -> Point:
        return self.points[number]

    def find(self, point: Point) -> int | None:
        """Return the number of the point that is this one, up to the symmetries, or None."""
        window = _ENERGY * (1.0 + abs(point.energy))
        start = bisect_left(self._sorted, (point.energy - window, -1))
        mark: Vector | None = None
        for energy, number in self._sorted[start:]:
            if energy > point.energy + window:
                return None
            mark = self.identity.fingerprint(point.x) if mark is None else mark
            if np.abs(mark - self._prints[number]).max(initial=0.0) < _STATE and (
                self.identity.same(point.x, self.points[number].x, _STATE)
            ):
                return number
        return None

    def add(self, point: Point) -> int:
        """Return the number of the point, new or not, and count that it was met."""
        number = self.find(point)
        if number is None:
            number = len(self.points)
            self.restore(point, 0)
        self.hits[number] += 1
        return number

    def restore(self, point: Point, hits: int) -> None:
        """Append a point that is known to be new."""
        insort(self._sorted, (point.energy, len(self.points)))
        self._prints.append(self.identity.fingerprint(point.x))
        self.points.append(point)
        self.hits.append(hits)


@dataclass(frozen=True)
class Search:
    """What one search met: its number, the minimum it started from, how it ended."""

    number: int
    start: int
    status: str
    saddle: int | None = None
    evaluations: int = 0


class Graph:
    """Minima, transition states with their two ends, and stationary points of higher index.

    Attributes
    ----------
    minima, saddles, higher
        Catalogues of distinct points; the numbers of the minima are the nodes.
    ends
        The two minima of each saddle, the lower number first. They are one for a rearrangement
        that leads from a minimum to an image of itself.
    discovery
        Numbers of minima and saddles known after each search.
    """

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.minima = Catalogue(identity)
        self.saddles = Catalogue(identity)
        self.higher = Catalogue(identity)
        self.ends: list[tuple[int, int]] = []
        self.discovery: list[tuple[int, int]] = []

    def add_saddle(self, saddle: Point, first: Point, second: Point) -> int:
        """Keep a saddle with its two minima, new or not; return its number."""
        known = self.saddles.find(saddle)
        if known is None:
            a, b = self.minima.add(first), self.minima.add(second)
            self.ends.append((min(a, b), max(a, b)))
        return self.saddles.add(saddle)

    def meet(self, number: int) -> None:
        """Count that a known saddle was met again, and its two minima with it."""
        self.saddles.hits[number] += 1
        for end in set(self.ends[number]):
            self.minima.hits[end] += 1

    def components(self) -> list[set[int]]:
        """Return the sets of minima that saddles connect, the largest first."""
        import networkx as nx

        return sorted(map(set, nx.connected_components(self.network())), key=len, reverse=True)

    @property
    def connected(self) -> bool:
        """Tell whether every minimum can be reached from every other."""
        return len(self.minima) > 0 and len(self.components()) == 1

    def network(self) -> "nx.MultiGraph":
        """Return the multigraph of networkx: ``energy`` on nodes and edges, saddles as keys."""
        import networkx as nx

        found = nx.MultiGraph()
        for number, point in enumerate(self.minima):
            found.add_node(number, energy=point.energy)
        for number, (saddle, (a, b)) in enumerate(zip(self.saddles, self.ends, strict=True)):
            found.add_edge(a, b, key=number, energy=saddle.energy)
        return found

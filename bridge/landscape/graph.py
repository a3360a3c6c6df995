"""The landscape as a multigraph: minima, and every saddle between two of them."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bridge.landscape.disconnectivity import tree_of_points
from bridge.landscape.identity import Identity
from bridge.landscape.stationary_points import StationaryPoint
from bridge.landscape.thermodynamics import superposition
from bridge.landscape.trees import MergeTree
from bridge.protocols import Vector

if TYPE_CHECKING:
    import networkx as nx

_ENERGY = 1e-8  # relative: two certified images of one state agree far better
_STATE = 1e-3  # in the units of x: two certified states that are one agree far better


class Catalogue:
    """Distinct stationary points of one kind, and how often each was met."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.points: list[StationaryPoint] = []
        self.hits: list[int] = []
        self._sorted: list[tuple[float, int]] = []
        self._prints: list[Vector] = []

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[StationaryPoint]:
        return iter(self.points)

    def __getitem__(self, number: int) -> StationaryPoint:
        return self.points[number]

    def find(self, point: StationaryPoint) -> int | None:
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

    def number(self, point: StationaryPoint) -> int:
        """Return the number of the point; a new one is appended."""
        known = self.find(point)
        return self.append(point) if known is None else known

    def append(self, point: StationaryPoint) -> int:
        """Append a point that is known to be new, not yet met by any search."""
        number = len(self.points)
        insort(self._sorted, (point.energy, number))
        self._prints.append(self.identity.fingerprint(point.x))
        self.points.append(point)
        self.hits.append(0)
        return number


@dataclass(frozen=True, eq=False)
class Finding:
    """The points that one search ended in, before they are compared with those in the graph.

    Attributes
    ----------
    stage, number
        Which search it was: ``"quench"``, ``"hop"``, ``"climb"``, ``"connect"``, ``"critical"`` or
        ``"symmetric"``.
    start
        Number of the minimum it started from, or -1.
    status
        ``"found"``, or one line that says why nothing was.
    saddle
        A certified transition state.
    minima
        Certified minima: the two ends of the saddle, or what was met on the way. Empty for a saddle
        that was known.
    higher
        A certified point of any index.
    steps
        Steps of the walk.
    """

    stage: str
    number: int
    start: int
    status: str
    saddle: StationaryPoint | None = None
    minima: tuple[StationaryPoint, ...] = ()
    higher: StationaryPoint | None = None
    steps: int = 0


@dataclass(frozen=True)
class Search:
    """A finding as the graph keeps it: points by their numbers."""

    stage: str
    number: int
    start: int
    status: str
    saddle: int | None = None
    minima: tuple[int, ...] = ()
    steps: int = 0


class Graph:
    """Minima, transition states with their two ends, and stationary points of higher index.

    Attributes
    ----------
    minima, saddles, higher
        Catalogues of distinct points; the numbers of the minima are the nodes.
    ends
        The two minima of each saddle, the lower number first. They are one for a rearrangement
        that leads from a minimum to an image of itself.
    searches
        Every search, in order.
    discovery
        Numbers of minima and saddles known after each of them.
    """

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.minima = Catalogue(identity)
        self.saddles = Catalogue(identity)
        self.higher = Catalogue(identity)
        self.ends: list[tuple[int, int]] = []
        self.searches: list[Search] = []
        self.discovery: list[tuple[int, int]] = []
        self._climbs: Counter[int] = Counter()

    def absorb(self, finding: Finding) -> Search:
        """Keep what a search found, new or met again."""
        status, saddle = finding.status, None
        minima = tuple(self.minima.number(point) for point in finding.minima)
        if finding.saddle is not None:
            saddle = self.saddles.find(finding.saddle)
            status = "new" if saddle is None else "known"
            if saddle is None:
                saddle = self.saddles.number(finding.saddle)
                self.ends.append((min(minima), max(minima)))
            minima = self.ends[saddle]
        if finding.higher is not None:
            self.higher.hits[self.higher.number(finding.higher)] += 1
        search = Search(
            finding.stage, finding.number, finding.start, status, saddle, minima, finding.steps
        )
        self.replay(search, len(self.minima), len(self.saddles))
        return search

    def replay(self, search: Search, n_minima: int, n_saddles: int) -> None:
        """Count what a search met, whose points are known already."""
        for number in set(search.minima):
            self.minima.hits[number] += 1
        if search.saddle is not None:
            self.saddles.hits[search.saddle] += 1
        if search.stage == "climb":
            self._climbs[search.start] += 1
        self.searches.append(search)
        self.discovery.append((n_minima, n_saddles))

    def attempts(self) -> list[int]:
        """Return how many climbs started from each minimum."""
        return [self._climbs[number] for number in range(len(self.minima))]

    def components(self) -> list[set[int]]:
        """Return the sets of minima that saddles connect, the largest first."""
        import networkx as nx

        return sorted(map(set, nx.connected_components(self.to_networkx())), key=len, reverse=True)

    @property
    def connected(self) -> bool:
        """Tell whether every minimum can be reached from every other."""
        return len(self.minima) > 0 and len(self.components()) == 1

    def __repr__(self) -> str:
        whole = "connected" if self.connected else "not connected"
        return f"<Graph: {len(self.minima)} minima, {len(self.saddles)} saddles, {whole}>"

    def tree(self, temperature: float | None = None) -> MergeTree:
        """Return which minima communicate below which energy, or free energy at ``temperature``.

        `MergeTree.plot` draws it: the disconnectivity graph. At a temperature see
        `bridge.landscape.disconnectivity.tree_of_points`.
        """
        return tree_of_points(self.minima.points, self.saddles.points, self.ends, temperature)

    def heat_capacity(self, temperature: Vector) -> Vector:
        """Return ``C/k_B = ⟨κ⟩ + var(βV + κ)`` at each ``T``, ``(t,)``, by harmonic superposition.

        See `bridge.landscape.thermodynamics` for energies, occupations and the partition function.
        """
        return superposition(self.minima.points, temperature).heat_capacity

    def to_networkx(self) -> "nx.MultiGraph":
        """Return the multigraph of networkx: ``energy`` on nodes and edges, saddles as keys."""
        import networkx as nx

        network = nx.MultiGraph()
        for number, point in enumerate(self.minima):
            network.add_node(number, energy=point.energy)
        for number, (saddle, (a, b)) in enumerate(zip(self.saddles, self.ends, strict=True)):
            network.add_edge(a, b, key=number, energy=saddle.energy)
        return network

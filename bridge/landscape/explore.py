"""Find minima and saddles, one numbered search after another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from bridge.landscape.graph import Graph, Search
from bridge.landscape.identity import Identity
from bridge.landscape.points import certify
from bridge.landscape.quench import quench
from bridge.landscape.saddles import follow
from bridge.landscape.search import Steps, certified_saddle, climb_from, descend_both
from bridge.protocols import Landscape, Vector

Start = Callable[[np.random.Generator], Vector]


@dataclass(eq=False)
class Explorer:
    """Searches of one landscape that grow one graph.

    Search ``k`` draws from ``SeedSequence(seed, spawn_key=(k,))`` and from what is known before it,
    so that an interrupted exploration continues as if it had not been.

    Parameters
    ----------
    problem
        The landscape.
    start
        Draws a random state.
    steps
        Lengths, in the units of ``x``.
    seed
        Of all random numbers.
    graph
        What is known already.
    """

    problem: Landscape
    identity: Identity
    start: Start
    steps: Steps = field(default_factory=Steps)
    seed: int = 0
    graph: Graph = field(init=False)
    attempts: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.graph = Graph(self.identity)

    def rng(self, number: int) -> np.random.Generator:
        """Return the random numbers of one search."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(number,)))

    def quenches(self, numbers: range) -> Iterator[Search]:
        """Minimise from random states; each yields what it met."""
        for number in numbers:
            found = self.minimum_from(self.start(self.rng(number)))
            if isinstance(found, str):
                yield self._done(Search(number, -1, found))
            else:
                yield self._done(Search(number, found, "minimum"))

    def minimum_from(self, x: Vector) -> int | str:
        """Quench a state and keep the minimum; return its number, or why there is none."""
        found = quench(self.problem, x, self.identity, rough=True, max_step=0.1)
        return found if isinstance(found, str) else self.graph.minima.add(found)

    def searches(self, numbers: range) -> Iterator[Search]:
        """Search for saddles from the minima that were tried least; each yields what it met."""
        for number in numbers:
            minimum = self.least_tried()
            attempt = self.attempts.get(minimum, 0)
            self.attempts[minimum] = attempt + 1
            yield self._done(self.search(number, minimum, attempt))

    def least_tried(self) -> int:
        """Return the minimum with the fewest searches, the lowest of them in energy."""
        minima = self.graph.minima
        return min(range(len(minima)), key=lambda i: (self.attempts.get(i, 0), minima[i].energy))

    def search(self, number: int, minimum: int, attempt: int) -> Search:
        """Climb once from a minimum, and keep the saddle if it is certified."""
        graph = self.graph
        try:
            climb = climb_from(
                self.problem, graph.minima[minimum], attempt, self.steps, self.rng(number)
            )
            saddle = certified_saddle(climb, self.identity)
            if isinstance(saddle, str):
                return Search(number, minimum, saddle, evaluations=climb.steps)
            known = graph.saddles.find(saddle)
            if known is not None:
                graph.meet(known)
                return Search(number, minimum, "known", known, climb.steps)
            ends = descend_both(self.problem, climb.end, self.identity, self.steps)
        except ValueError as error:  # two atoms at one place, an overflow: this search is lost
            return Search(number, minimum, str(error))
        if isinstance(ends, str):
            return Search(number, minimum, ends, evaluations=climb.steps)
        return Search(number, minimum, "new", graph.add_saddle(saddle, *ends), climb.steps)

    def critical_point(self, number: int, index: int) -> Search:
        """Walk from a random state to a stationary point of any index, for the Morse sum."""
        start = self.start(self.rng(number))
        walk = follow(self.problem, start, index=index, max_step=self.steps.climb)
        found = certify(walk.end, index)
        if isinstance(found, str):
            return self._done(Search(number, -1, found))
        kept = self.graph.higher.add(found)
        return self._done(Search(number, -1, f"index {index}", kept, walk.steps))

    def _done(self, search: Search) -> Search:
        self.graph.discovery.append((len(self.graph.minima), len(self.graph.saddles)))
        return search

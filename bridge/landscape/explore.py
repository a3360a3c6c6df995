"""Find minima and saddles, one numbered search after another.

The Müller-Brown surface has three minima and two saddles (K. Müller, L. D. Brown, Theor. Chim.
Acta 53, 75, 1979). An explorer knows how a landscape is searched, and a graph keeps what its
searches find; each finding is absorbed before the next is asked for:

>>> from bridge.landscape.graph import Graph
>>> from bridge.landscape.identity import identity_of
>>> from particles.landscapes.muller_brown import MullerBrown
>>> surface = MullerBrown()
>>> explorer = Explorer(surface, identity_of(surface), surface.random_state)
>>> graph = Graph(explorer.identity)
>>> for finding in explorer.quenches(range(5)):
...     search = graph.absorb(finding)
>>> sorted(round(point.energy, 3) for point in graph.minima)
[-146.7, -80.768]

Climbs lead from the minima over saddles to their neighbours, of which one was not met before:

>>> for finding in explorer.climbs(graph, range(6)):
...     search = graph.absorb(finding)
>>> sorted(round(point.energy, 3) for point in graph.saddles)
[-72.249, -40.665]
>>> sorted(round(point.energy, 3) for point in graph.minima), graph.connected
([-146.7, -108.167, -80.768], True)

Searches are numbered, so that one can be done again, or elsewhere, with the same end:

>>> (finding,) = explorer.quenches([3])
>>> graph.minima.find(finding.minima[0]) == graph.searches[3].minima[0]
True
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np

from bridge.landscape.basin_hopping import Hops, basin_hopping
from bridge.landscape.eigenvector_following import Climb, follow
from bridge.landscape.graph import Catalogue, Finding, Graph
from bridge.landscape.identity import Identity
from bridge.landscape.quench import quench, with_order
from bridge.landscape.search import Steps, certified_saddle, climb_from, descend_both
from bridge.landscape.stationary_points import StationaryPoint, certify_point
from bridge.protocols import Landscape, Vector
from bridge.records.seeds import generator

Lost = TypeVar("Lost")
Start = Callable[[np.random.Generator], Vector]

_STAGES = ("quench", "hop", "climb", "connect", "critical", "symmetric")


@dataclass(frozen=True, eq=False)
class ClimbTask:
    """Climbs for another process: ``(number, start, attempt)`` each, and what is known already."""

    explorer: "Explorer"
    starts: tuple[tuple[int, int, int], ...]
    minima: dict[int, StationaryPoint]
    known: tuple[StationaryPoint, ...]

    def __str__(self) -> str:
        return "climbs " + ", ".join(str(number) for number, *_ in self.starts)


class ClimbMapper(Protocol):
    """Compute tasks in several processes, such as `bridge.runs.workers.stream_unordered`."""

    def __call__(
        self,
        function: Callable[[ClimbTask], Iterable[Finding]],
        tasks: Sequence[ClimbTask],
        workers: int,
        *,
        lost: Callable[[ClimbTask, str], Any],
    ) -> Iterator[Any]:
        """Yield what ``function(task)`` yields, in any order, and what became of a lost task.

        That is ``lost(task, reason)``, for each task whose process ended before its last result.
        """


@dataclass(frozen=True, eq=False)
class Explorer:
    """How one landscape is searched.

    Search ``k`` of a stage draws from ``SeedSequence(seed, spawn_key=(stage, k))`` and from what is
    known before it, so that an interrupted exploration continues as if it had not been.

    Parameters
    ----------
    problem, identity
        The landscape and its symmetry group.
    start
        Draws a random state.
    steps
        Lengths of a search for saddles.
    hops
        How basin hopping moves.
    seed
        Of all random numbers.
    symmetric
        Draws a random state that a symmetry leaves as it is, for a system that knows how.
    """

    problem: Landscape
    identity: Identity
    start: Start
    steps: Steps = field(default_factory=Steps)
    hops: Hops = field(default_factory=Hops)
    seed: int = 0
    symmetric: Start | None = None

    def rng(self, stage: str, number: int) -> np.random.Generator:
        """Return the random numbers of one search."""
        return generator((self.seed, _STAGES.index(stage), number))

    def quenches(self, numbers: Iterable[int]) -> Iterator[Finding]:
        """Minimise from random states."""
        for number in numbers:
            yield self.quench_from("quench", number, self.start(self.rng("quench", number)))

    def quench_from(self, stage: str, number: int, x: Vector) -> Finding:
        """Minimise from a given state."""
        try:
            end = quench(self.problem, x, self.identity, rough=True, max_step=self.hops.descend)
        except ValueError as error:
            end = str(error)
        if isinstance(end, str):
            return Finding(stage, number, -1, end)
        return Finding(stage, number, -1, "found", minima=(end,))

    def hopping(self, numbers: Iterable[int]) -> Iterator[Finding]:
        """Run basin hopping from a random state each; every minimum on the way counts."""
        for number in numbers:
            rng = self.rng("hop", number)
            met = Catalogue(self.identity)
            for point in basin_hopping(
                self.problem, self.identity, self.start(rng), self.hops, rng
            ):
                met.number(point)
            status = "found" if len(met) else "no minimum"
            yield Finding("hop", number, -1, status, minima=tuple(met))

    def climbs(self, graph: Graph, numbers: Iterable[int]) -> Iterator[Finding]:
        """Search for saddles from the minima that were tried least.

        Each finding has to be absorbed before the next is asked for.
        """
        for number in numbers:
            start, attempt = least_tried(graph.minima, graph.attempts())
            yield self.climb(number, start, attempt, graph.minima[start], graph.saddles)

    def climb(
        self, number: int, start: int, attempt: int, minimum: StationaryPoint, known: Catalogue
    ) -> Finding:
        """Climb once from a minimum; go down from a saddle that is not known yet."""
        try:
            walk = climb_from(self.problem, minimum, attempt, self.steps, self.rng("climb", number))
            saddle = certified_saddle(walk, self.identity)
            return self.over_saddle(("climb", number, start), walk, saddle, known)
        except ValueError as error:  # two atoms at one place, an overflow: this search is lost
            return Finding("climb", number, start, str(error))

    def over_saddle(
        self,
        search: tuple[str, int, int],
        walk: Climb,
        saddle: StationaryPoint | str,
        known: Catalogue,
    ) -> Finding:
        """Return what a walk to a saddle found: the minima on both sides too, if it is not known.

        ``search`` is its stage, its number, and the minimum it started from; ``saddle`` the
        certified one, or why there is none.
        """
        if isinstance(saddle, str):
            return Finding(*search, saddle, steps=walk.steps)
        if known.find(saddle) is not None:
            return Finding(*search, "known", saddle, steps=walk.steps)
        ends = descend_both(self.problem, walk.end, self.identity, self.steps)
        if isinstance(ends, str):
            return Finding(*search, ends, steps=walk.steps)
        return Finding(*search, "found", saddle, ends, steps=walk.steps)

    def climbs_in_parallel(
        self,
        graph: Graph,
        numbers: Sequence[int],
        workers: int,
        mapper: ClimbMapper,
        lost: Callable[[int, str], Lost],
    ) -> Iterator[Finding | Lost]:
        """Search for saddles in several processes, a batch of starts each; yield them one by one.

        The starts are chosen before the batch, so that the graph may grow in another order than
        in one process. Of a process that ends, the rest of the batch is left out, and
        ``lost(number, reason)`` is yielded for the search that it was computing.
        """
        computed = set()

        def interrupted(task: ClimbTask, reason: str) -> Lost:
            left = (number for number, *_ in task.starts if number not in computed)
            return lost(next(left), reason)

        tasks = self._batches(graph, numbers, workers)
        for result in mapper(run_task, tasks, workers, lost=interrupted):
            if isinstance(result, Finding):
                computed.add(result.number)
            yield result

    def _batches(self, graph: Graph, numbers: Sequence[int], count: int) -> list[ClimbTask]:
        """Deal the climbs from the minima that were tried least out to ``count`` tasks."""
        attempts = graph.attempts()
        starts = []
        for number in numbers:
            start, attempt = least_tried(graph.minima, attempts)
            attempts[start] += 1
            starts.append((number, start, attempt))
        known = tuple(graph.saddles)
        tasks = []
        for k in range(min(count, len(starts))):
            batch = tuple(starts[k::count])
            minima = {start: graph.minima[start] for _, start, _ in batch}
            tasks.append(ClimbTask(self, batch, minima, known))
        return tasks

    def critical_points(
        self, graph: Graph, numbers: Iterable[int], index: int
    ) -> Iterator[Finding]:
        """Walk from random states to stationary points of one index, for the Morse sum.

        Minima and transition states join the others; each finding has to be absorbed before the
        next is asked for.
        """
        for number in numbers:
            start = self.start(self.rng("critical", number))
            yield self._walk_to("critical", graph, number, start, index)

    def symmetric_saddles(self, graph: Graph, numbers: Iterable[int]) -> Iterator[Finding]:
        """Walk to transition states from random states with a symmetry, which the walk keeps.

        The basins of saddles of high symmetry are narrow, so that other starts rarely meet them.
        Each finding has to be absorbed before the next is asked for. A system that cannot draw
        such states has none.
        """
        if self.symmetric is None:
            return
        for number in numbers:
            start = self.symmetric(self.rng("symmetric", number))
            yield self._walk_to("symmetric", graph, number, start, 1)

    def _walk_to(self, stage: str, graph: Graph, number: int, start: Vector, index: int) -> Finding:
        search, steps = (stage, number, -1), self.steps
        try:
            walk = follow(
                self.problem, start, index=index, max_step=steps.climb, max_steps=steps.max_steps
            )
            point = certify_point(walk.end, index)
            if not isinstance(point, str):
                point = with_order(point, self.identity)
                if index == 0:
                    return Finding(*search, "found", minima=(point,), steps=walk.steps)
                if index > 1:
                    return Finding(*search, "found", higher=point, steps=walk.steps)
            return self.over_saddle(search, walk, point, graph.saddles)
        except ValueError as error:
            return Finding(*search, str(error))


def least_tried(minima: Catalogue, attempts: Sequence[int]) -> tuple[int, int]:
    """Return the minimum with the fewest attempts, the lowest of them in energy, and their number.

    Raises
    ------
    ValueError
        If there is no minimum to start from.
    """
    if not len(minima):
        raise ValueError("expected a minimum to climb from, got none: quench more random starts")
    start = min(range(len(minima)), key=lambda i: (attempts[i], minima[i].energy))
    return start, int(attempts[start])


def run_task(task: ClimbTask) -> Iterator[Finding]:
    """Do the climbs of one task."""
    known = Catalogue(task.explorer.identity)
    for point in task.known:
        known.append(point)
    for number, start, attempt in task.starts:
        finding = task.explorer.climb(number, start, attempt, task.minima[start], known)
        if finding.saddle is not None:
            known.number(finding.saddle)
        yield finding

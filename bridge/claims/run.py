"""Run the experiments behind claims, and conclude.

Every sample of an experiment is one record of the store, under a key of its own: samples may be
computed in any order by any number of processes, and one that is there is not computed again.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.claims.claim import Claim, Estimate, Experiment, Records, Verdict, judge
from bridge.claims.table import experiments
from bridge.store import Record, Store, record_key
from bridge.workers import map_unordered

Progress = Callable[[int, int], None]
Mapper = Callable[[Callable[["Task"], Record], Sequence["Task"]], Iterator[Record]]


@dataclass(frozen=True)
class Task:
    """One sample of one experiment: it names the experiment, so that other processes find it."""

    experiment: str
    parameters: Mapping[str, Any]
    seed: tuple[int, ...]

    @property
    def key(self) -> str:
        """The key of the record it will give."""
        return record_key(self.experiment, self.parameters, self.seed)


@dataclass(frozen=True)
class Conclusion:
    """A claim, what was measured for it, the verdict, and its cost in processor seconds.

    The cost is that of all runs it rests on, also where other claims rest on them too.
    """

    claim: Claim
    found: Estimate
    verdict: Verdict
    seconds: float


def tasks(claims: Iterable[Claim], seed: int, *, full: bool) -> list[Task]:
    """Return every sample that the claims rest on, each once."""
    chosen = {claim.experiment.name: claim.experiment for claim in claims}
    return [task for experiment in chosen.values() for task in _tasks(experiment, seed, full)]


def compute(task: Task) -> Record:
    """Run one sample; its cost is the processor time of this process."""
    import numpy as np

    from bridge.provenance import provenance

    entropy, *spawned = task.seed
    rng = np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=tuple(spawned)))
    experiment = experiments()[task.experiment]
    started = time.process_time()
    found = experiment.sample(rng, **task.parameters)
    return Record(
        kind=task.experiment,
        parameters=task.parameters,
        seed=task.seed,
        status=found.status,
        seconds=time.process_time() - started,
        data=found.values,
        provenance=provenance(),
        arrays=found.arrays,
    )


def run_claims(
    claims: Sequence[Claim],
    store: Store,
    *,
    progress: Progress,
    seed: int = 0,
    full: bool = False,
    mapper: Mapper = map_unordered,
) -> None:
    """Compute the samples that the store does not hold, and keep each as it ends."""
    todo = tasks(claims, seed, full=full)
    missing = [task for task in todo if task.key not in store]
    done = len(todo) - len(missing)
    progress(done, len(todo))
    for record in mapper(compute, missing):
        store.put(record)
        done += 1
        progress(done, len(todo))


def stored(
    claims: Iterable[Claim], store: Store, seed: int, *, full: bool
) -> dict[str, list[Record]]:
    """Return the records of each experiment that the store holds, in the order of its samples."""
    found: dict[str, list[Record]] = {}
    for task in tasks(claims, seed, full=full):
        record = store.get(task.key)
        found.setdefault(task.experiment, []).extend([record] if record else [])
    return found


def conclude(claims: Iterable[Claim], records: Mapping[str, Records]) -> list[Conclusion]:
    """Judge each claim by the records of its experiment."""
    return [conclusion(claim, records[claim.experiment.name]) for claim in claims]


def conclusion(claim: Claim, records: Records) -> Conclusion:
    """Judge one claim by its records."""
    found = claim.estimate(records)
    return Conclusion(
        claim, found, judge(claim.expected, found), sum(record.seconds for record in records)
    )


def _tasks(experiment: Experiment, seed: int, full: bool) -> list[Task]:
    return [
        Task(experiment.name, point.parameters, (seed, sample))
        for point in experiment.points(full=full)
        for sample in range(point.samples)
    ]

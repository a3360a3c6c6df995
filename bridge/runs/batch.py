"""Samples of a learner that are trained together, and the records they leave.

Everything that a sample needs follows from its own seed, so that a batch may be split at will.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from bridge.records.content import data_name, parameters
from bridge.records.store import Record, Store, record_key
from bridge.runs.pool import Failed
from bridge.runs.states import data_of_state, measure
from bridge.systems.learner import Learner, Seeds, trained_state
from bridge.systems.network_batches import load_one, train_together

KIND = "transition"


@dataclass(frozen=True)
class Batch:
    """Samples of one point of a search, one for each of ``seeds``: entropy and spawn key.

    ``protocol`` is that of the search, for the records.
    """

    system: Learner
    protocol: str
    seeds: Seeds

    def __str__(self) -> str:
        samples = ", ".join(str(sample) for _, sample in self.seeds)
        return f"{self.system}, samples {samples}"

    @property
    def parameters(self) -> dict[str, Any]:
        """What is trained, for the records."""
        return parameters(self.system, protocol=self.protocol)

    @property
    def keys(self) -> list[str]:
        """The keys of the records, in the order of the seeds."""
        return [record_key(KIND, self.parameters, seed) for seed in self.seeds]

    def train(self) -> list[Record]:
        """Train them together; data and start of each follow from its own seed."""
        before, records = time.process_time(), []
        for i, problem, end in train_together(self.system, self.seeds):
            now = time.process_time()
            records.append(self._record(i, problem, end, now - before))
            before = now
        return records

    def split(self, workers: int) -> list["Batch"]:
        """Return smaller batches, for a number of processes that share the work."""
        parts = self.system.split(self.seeds, workers)
        return [replace(self, seeds=part) for part in parts]

    def _record(self, i: int, problem: Any, end: Any, seconds: float) -> Record:
        state = trained_state(end)
        seen = measure(state, with_spectrum=False, seconds=seconds)
        weights, patterns = self.system.sizes(problem)
        return Record(
            kind=KIND,
            parameters=self.parameters,
            seed=self.seeds[i],
            status=end.status,
            seconds=seconds,
            data={
                "system": self.system.kind,
                "sample": self.seeds[i][-1],
                "status": end.status,
                **data_of_state(seen),
                **data_name(self.system),
                "n_weights": weights,
                "patterns": patterns,
                "steps": end.steps,
                "newton_steps": end.newton_steps,
            },
        )


@dataclass(frozen=True)
class LoadedBatch(Batch):
    """Samples that are loaded one by one, from the load ``low`` up to that of the system.

    A record is the state in which a loading ended, with one pattern more than the network fitted;
    ``fitted_patterns`` is how many it fitted, 0 if not even the first.
    """

    low: float
    add: float
    retrain: int

    @property
    def parameters(self) -> dict[str, Any]:
        """What is loaded, for the records."""
        own = {"low": self.low, "add": self.add, "retrain": self.retrain}
        return super().parameters | own

    def train(self) -> list[Record]:
        """Load them one after another; patterns and start of each follow from its own seed."""
        return [self._loaded(i) for i in range(len(self.seeds))]

    def split(self, workers: int) -> list[Batch]:
        """Return batches of one network, each of which is kept as it ends."""
        return [replace(self, seeds=(seed,)) for seed in self.seeds]

    def _loaded(self, i: int) -> Record:
        before, fitted, trainings = time.process_time(), 0, 0
        tried = load_one(self.system, self.seeds[i], self.low, self.add, self.retrain)
        for problem, end in tried:
            trainings += 1
            if end.status == "unjammed":
                _, fitted = self.system.sizes(problem)
        record = self._record(i, problem, end, time.process_time() - before)
        numbers = {"fitted_patterns": fitted, "trainings": trainings}
        return replace(record, data={**record.data, **numbers})


def train_batch(batch: Batch) -> list[Record]:
    """Train a batch: a function of this module, so that other processes can import it."""
    return batch.train()


# Applies a function to batches, in any order and place, and yields what comes of them; of a batch
# whose process ended, how it did.
BatchMapper: TypeAlias = Callable[
    [Callable[[Batch], list[Record]], Sequence[Batch]], Iterable[list[Record] | Failed]
]


def kept(
    whole: Batch,
    store: Store,
    workers: int,
    mapper: BatchMapper,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Record]:
    """Return the records of a batch; train those that are not in the store, and keep them.

    Raises
    ------
    RuntimeError
        In one line, if the process of a batch has ended; the others are in the store.
    """
    keys = whole.keys
    pairs = zip(whole.seeds, keys, strict=True)
    missing = replace(whole, seeds=tuple(seed for seed, key in pairs if key not in store))
    failures, done = [], len(keys) - len(missing.seeds)
    for records in mapper(train_batch, missing.split(workers)):
        if isinstance(records, Failed):
            failures.append(records)
            continue
        for record in records:
            store.put(record)
        done += len(records)
        progress(done, len(keys))
    if failures:
        text = f"{failures[0].task}: {failures[0].reason}"
        raise RuntimeError(f"{text}: the others are kept, and the same command goes on")
    found = [there for key in keys if (there := store.get(key)) is not None]
    if len(found) < len(keys):
        raise RuntimeError("expected data that stay as they are, got others during the training")
    return found

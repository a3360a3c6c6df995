"""Networks that are trained together, and the records they leave.

Everything that a network needs follows from its own seed, so that a batch may be split at will.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

from bridge.records.content import data_name, parameters
from bridge.records.store import Record, record_key
from bridge.runs.pool import Failed
from bridge.runs.states import data_of_state, measure
from bridge.systems import NetworkSystem
from bridge.systems.network import trained_state
from bridge.systems.network_batches import schedule, split, train_together

KIND = "transition"


@dataclass(frozen=True)
class Batch:
    """Networks of one point of a search, one for each of ``seeds``: entropy and spawn key.

    ``protocol`` is that of the search; "descend" trains with rates that fall by factors of ten.
    """

    system: NetworkSystem
    protocol: str
    seeds: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        samples = ", ".join(str(sample) for _, sample in self.seeds)
        size = f"depth {self.system.depth} and width {self.system.width}"
        return f"networks of {size}, samples {samples}"

    @property
    def parameters(self) -> dict[str, Any]:
        """What is trained, for the records."""
        settings = {"optimiser": asdict(schedule(self.protocol))}
        return parameters(self.system, settings=settings, protocol=self.protocol)

    @property
    def keys(self) -> list[str]:
        """The keys of the records, in the order of the seeds."""
        return [record_key(KIND, self.parameters, seed) for seed in self.seeds]

    def train(self) -> list[Record]:
        """Train them together; data and start of each follow from its own seed."""
        before, records = time.process_time(), []
        for i, problem, end in train_together(self.system, self.seeds, self.protocol):
            now = time.process_time()
            records.append(self._record(i, problem, end, now - before))
            before = now
        return records

    def split(self, workers: int) -> list["Batch"]:
        """Return smaller batches, for a number of processes that share the work."""
        parts = split(self.system, self.seeds, workers)
        return [replace(self, seeds=part) for part in parts]

    def _record(self, i: int, problem: Any, end: Any, seconds: float) -> Record:
        state = trained_state(end)
        seen = measure(state, with_spectrum=False, seconds=seconds)
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
                "n_weights": problem.mlp.n_weights,
                "patterns": len(problem.patterns),
                "steps": end.steps,
                "newton_steps": end.newton_steps,
            },
        )


def train_batch(batch: Batch) -> list[Record]:
    """Train a batch: a function of this module, so that other processes can import it."""
    return batch.train()


# Applies a function to batches, in any order and place, and yields what comes of them; of a batch
# whose process ended, how it did.
BatchMapper: TypeAlias = Callable[
    [Callable[[Batch], list[Record]], Sequence[Batch]], Iterable[list[Record] | Failed]
]

"""Networks that are trained together, and the records they leave.

Everything that a network needs follows from its own seed, so that a batch may be split at will.
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bridge.records.content import data_name, parameters
from bridge.records.provenance import provenance
from bridge.records.store import Record, record_key
from bridge.runs.pool import Failed
from bridge.runs.task import data_of_state
from bridge.systems import NetworkSystem
from bridge.systems.network import trained_state

if TYPE_CHECKING:
    from bridge.protocols import Vector
    from networks import HingeNetwork, Trained
    from networks.training.anneal import Schedule

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
        settings = {**self.system.settings(), "optimiser": asdict(self._schedule())}
        return parameters(self.system, settings=settings, protocol=self.protocol)

    @property
    def keys(self) -> list[str]:
        """The keys of the records, in the order of the seeds."""
        return [record_key(KIND, self.parameters, seed) for seed in self.seeds]

    def train(self) -> list[Record]:
        """Train them together; data and start of each follow from its own seed."""
        from networks import train_all

        problems, starts = self.untrained()
        system, before, records = self.system, time.process_time(), []
        ends = train_all(
            problems,
            starts,
            steps=system.steps,
            newton_steps=system.polish,
            schedule=self._schedule(),
            hold_norm=system.norm == "held",
        )
        for i, end in ends:
            now = time.process_time()
            records.append(self._record(i, problems[i], end, now - before))
            before = now
        return records

    def untrained(self) -> tuple[list["HingeNetwork"], list["Vector"]]:
        """Return the problems and their initial parameters."""
        problems, starts = [], []
        for entropy, sample in self.seeds:
            data, init = np.random.SeedSequence(entropy, spawn_key=(sample,)).spawn(2)
            problem = self.system.problem(self.system.load, np.random.default_rng(data))
            problems.append(problem)
            starts.append(problem.mlp.init(np.random.default_rng(init)))
        return problems, starts

    def split(self, workers: int) -> list["Batch"]:
        """Return smaller batches, for a number of processes that share the work."""
        from networks.training.batched import groups

        share = math.ceil(len(self.seeds) / workers)
        parts = groups(self.untrained()[0], most=share) if self.seeds else []
        return [replace(self, seeds=tuple(self.seeds[i] for i in part)) for part in parts]

    def _schedule(self) -> "Schedule":
        from networks.training.anneal import STEPWISE, Schedule

        return STEPWISE if self.protocol == "descend" else Schedule()

    def _record(self, i: int, problem: "HingeNetwork", end: "Trained", seconds: float) -> Record:
        from bridge.runs.jam import measure

        state = trained_state(end)
        seen = measure(state, with_spectrum=False, seconds=seconds)
        return Record(
            kind=KIND,
            parameters=self.parameters,
            seed=self.seeds[i],
            status=end.status,
            seconds=seconds,
            data={
                **data_of_state(self.system.kind, self.seeds[i], seen),
                **data_name(self.system),
                "n_weights": problem.mlp.n_weights,
                "patterns": len(problem.patterns),
                "steps": end.steps,
                "newton_steps": end.newton_steps,
            },
            provenance=provenance(),
        )


def train_batch(batch: Batch) -> list[Record]:
    """Train a batch: a function of this module, so that other processes can import it."""
    return batch.train()


class Mapper(Protocol):
    """Anything that applies a function to batches, in any order and place."""

    def __call__(
        self, function: Callable[[Batch], list[Record]], tasks: Sequence[Batch], /
    ) -> Iterable[list[Record] | Failed]:
        """Yield the results as they come, and of a batch whose process ended how it did."""

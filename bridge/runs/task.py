"""One run: a system, what to do with it, its seed; and the record it leaves."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from bridge.records.content import data_name, parameters
from bridge.records.store import Record, Store, record_key
from bridge.runs.pool import Failed, title
from bridge.runs.workers import map_unordered
from bridge.systems import System

if TYPE_CHECKING:
    from bridge.runs.jam import Measured

Progress = Callable[[int, int], None]

LOW_PRESSURE = 1e-6  # down to which a state is unloaded that is brought to its transition


class Task(Protocol):
    """Anything that leaves a record under a key that is known before it runs."""

    @property
    def label(self) -> str:
        """The kind of the record."""

    @property
    def seed(self) -> tuple[int, ...]:
        """Entropy, and then the spawn key, of its random numbers."""

    @property
    def parameters(self) -> dict[str, Any]:
        """What is run, for the record."""

    @property
    def key(self) -> str:
        """The key of the record it will leave."""

    def compute(self) -> Record:
        """Run it."""


Mapper: TypeAlias = Callable[
    [Callable[[Task], Record | Failed], Sequence[Task]], Iterator[Record | Failed]
]


@dataclass(frozen=True)
class Run:
    """One state to compute.

    Attributes
    ----------
    label
        The kind of the record, by which runs are grouped.
    load
        Minimise from a random start at this load; None to ``jam``, as the system's options say.
    at_transition
        Unload the state until its pressure is low.
    seed
        Entropy, and then the spawn key, of the run's random numbers.
    exact
        Go on to the jamming point.
    spectrum
        Diagonalise the Hessian if the state is jammed; that of other states says nothing.
    """

    label: str
    system: System
    seed: tuple[int, ...]
    load: float | None = None
    at_transition: bool = False
    exact: bool = False
    spectrum: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        """What is run, for the record."""
        return parameters(
            self.system,
            at_load=self.load,
            at_transition=self.at_transition,
            low_pressure=LOW_PRESSURE if self.at_transition else None,
            exact=self.exact,
            spectrum=self.spectrum,
        )

    @property
    def key(self) -> str:
        """The key of the record this run will give."""
        return record_key(self.label, self.parameters, self.seed)

    def compute(self) -> Record:
        """Bring the system to its state and measure it."""
        import numpy as np

        from bridge.records.provenance import provenance
        from bridge.runs.jam import measure, measure_exact, near_transition

        entropy, *spawned = self.seed
        rng = np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=tuple(spawned)))
        started = time.perf_counter()
        state = self.system.jam(rng) if self.load is None else self.system.at(self.load, rng)
        if self.exact:
            found = measure_exact(self.system, state, with_spectrum=self.spectrum, started=started)
        else:
            if self.at_transition:
                state = near_transition(self.system, state, LOW_PRESSURE, rng=rng)
            seconds = time.perf_counter() - started
            spectrum = self.spectrum and state.status == "jammed"
            found = measure(state, with_spectrum=spectrum, seconds=seconds)
        return Record(
            kind=self.label,
            parameters=self.parameters,
            seed=self.seed,
            status=found.state.status,
            seconds=found.seconds,
            data=data_of_state(self.label, self.seed, found, at_transition=self.at_transition)
            | data_name(self.system),
            provenance=provenance(),
            arrays=_arrays(found),
        )


def compute(task: Task) -> Record | Failed:
    """Run a task; an exception is its result, so that the others of an ensemble go on.

    Its data may have been replaced meanwhile: then nobody knows what they were.
    """
    try:
        key = task.key
        found = task.compute()
        if not key == found.key == task.key:
            raise ValueError("expected data that stay as they are, got others during the run")
        return found
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the other runs
        text = " ".join(str(error).split())
        return Failed(task, f"{type(error).__name__}: {text}" if text else type(error).__name__)


def local(workers: int | None = None) -> Mapper:
    """Return the mapper that computes on this machine, on all its cores if no number is given."""
    return partial(map_unordered, workers=workers, lost=Failed)


def run_all(
    tasks: Sequence[Task], store: Store, *, progress: Progress, mapper: Mapper | None = None
) -> list[Failed]:
    """Compute the tasks that the store does not hold, keep each as it ends; return the failures.

    ``mapper(function, tasks)`` says where: `local` on this machine, as if it is not given,
    `cluster.connect` on a cluster.

    Raises
    ------
    OSError
        In one line that names the run, if a record cannot be kept.
    """
    missing = [task for task in tasks if task.key not in store]
    done = len(tasks) - len(missing)
    progress(done, len(tasks))
    failures = []
    for found in (mapper or local())(compute, missing):
        if isinstance(found, Failed):
            failures.append(found)
        else:
            store.put(found)
        done += 1
        progress(done, len(tasks))
    return failures


def raise_failures(failures: Sequence[Failed], among: int, out: Path | None = None) -> None:
    """Say in one line that runs have failed, how the first of them did, and where others are kept.

    Raises
    ------
    RuntimeError
        If any has.
    """
    if failures:
        task, reason = failures[0].task, failures[0].reason
        text = f"{len(failures)} of {among} runs, {title(task)} by {reason}"
        kept = f"the others are kept in {out}, and the same command tries these again"
        raise RuntimeError(text if out is None else f"{text}: {kept}")


def data_of_state(
    label: str, seed: tuple[int, ...], found: "Measured", *, at_transition: bool = False
) -> dict[str, Any]:
    """Return the numbers of a state, under the same names in the records of every command."""
    name, load = found.state.load
    seen, values = found.observables, found.spectrum
    return {
        "system": label,
        "load_name": name,
        "load": load,
        "sample": seed[-1],
        "status": found.state.status,
        "reason": found.state.reason,
        "at_transition": at_transition,
        **asdict(seen),
        "constraints_per_dof": seen.constraint_ratio,
        "n_kinks": found.state.n_kinks,
        "negative_modes_hp": None if values is None else values.negative_modes_hp,
        "bound_holds": None if values is None else values.bound_holds,
    }


def _arrays(found: "Measured") -> dict[str, Any]:
    from bridge.measure.observables import backbone_gaps
    from bridge.protocols import HasBodies

    problem, x, values = found.state.problem, found.state.x, found.spectrum
    arrays: dict[str, Any] = {"x": x, "gaps": backbone_gaps(problem, x)}
    if isinstance(problem, HasBodies):
        arrays |= problem.scene(x)
    if values is not None:
        arrays |= {
            "eigenvalues": values.eigenvalues,
            "eigenvalues_h0": values.eigenvalues_h0,
            "eigenvalues_hp": values.eigenvalues_hp,
        }
    return arrays

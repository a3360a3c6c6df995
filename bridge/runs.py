"""One run: a system, what to do with it, its seed; and the record it leaves."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bridge.store import Record, Store, record_key
from bridge.systems import System
from bridge.workers import map_unordered

if TYPE_CHECKING:
    from bridge.jam import Measured

Progress = Callable[[int, int], None]


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
        Keep the state and its gaps, and its spectra if it is jammed: those of others say nothing.
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
        options = asdict(self.system)  # type: ignore[call-overload]
        return {
            "system": self.system.kind,
            **options,
            "at_load": self.load,
            "at_transition": self.at_transition,
            "exact": self.exact,
            "spectrum": self.spectrum,
        }

    @property
    def key(self) -> str:
        """The key of the record this run will give."""
        return record_key(self.label, self.parameters, self.seed)


def compute(run: Run) -> Record:
    """Bring one system to one state and measure it."""
    import numpy as np

    from bridge.jam import measure, measure_exact, near_transition
    from bridge.provenance import provenance

    entropy, *spawned = run.seed
    rng = np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=tuple(spawned)))
    started = time.perf_counter()
    state = run.system.jam(rng) if run.load is None else run.system.at(run.load, rng)
    if run.exact:
        found = measure_exact(run.system, state, with_spectrum=run.spectrum, started=started)
    else:
        if run.at_transition:
            state = near_transition(run.system, state)
        seconds = time.perf_counter() - started
        spectrum = run.spectrum and state.status == "jammed"
        found = measure(state, with_spectrum=spectrum, seconds=seconds)
    return Record(
        kind=run.label,
        parameters=run.parameters,
        seed=run.seed,
        status=found.state.status,
        seconds=found.seconds,
        data=_data(run, found),
        provenance=provenance(),
        arrays=_arrays(found) if run.spectrum else {},
    )


def run_all(
    runs: Sequence[Run],
    store: Store,
    *,
    progress: Progress,
    mapper: Callable[[Callable[[Run], Record], Sequence[Run]], Iterator[Record]] = map_unordered,
) -> None:
    """Compute the runs that the store does not hold, and keep each as it ends.

    ``mapper(function, tasks)`` says where: `workers.map_unordered` on this machine's cores.
    """
    missing = [run for run in runs if run.key not in store]
    done = len(runs) - len(missing)
    progress(done, len(runs))
    for record in mapper(compute, missing):
        store.put(record)
        done += 1
        progress(done, len(runs))


def _data(run: Run, found: "Measured") -> dict[str, Any]:
    name, load = found.state.load
    seen, values = found.observables, found.spectrum
    return {
        "system": run.label,
        "load_name": name,
        "load": load,
        "sample": run.seed[-1],
        "status": found.state.status,
        "reason": found.state.reason,
        "at_transition": run.at_transition,
        **asdict(seen),
        "constraints_per_dof": seen.constraint_ratio,
        "n_kinks": found.state.n_kinks,
        "negative_modes_hp": None if values is None else values.negative_modes_hp,
        "bound_holds": None if values is None else values.bound_holds,
    }


def _arrays(found: "Measured") -> dict[str, Any]:
    from bridge.observables import backbone_gaps
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

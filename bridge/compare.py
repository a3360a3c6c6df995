"""The comparison: every system through its transition, measured with the same code."""

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bridge.store import Record, Store, record_key
from bridge.systems import DiscSystem, EllipseSystem, NetworkSystem, PerceptronSystem, System
from bridge.workers import map_unordered

if TYPE_CHECKING:
    from bridge.jam import Measured

SIZES = ("small", "medium", "large")


@dataclass(frozen=True)
class Sweep:
    """One system and the loads at which it is brought to a minimum from random starts.

    ``at_transition`` adds states right at the transition, where the gaps have power laws; a
    network reaches them by its load alone.
    """

    name: str
    system: System
    loads: tuple[float, ...]
    at_transition: bool


@dataclass(frozen=True)
class Task:
    """One state to compute: at a load, or at the transition if ``load`` is None."""

    sweep: str
    system: System
    load: float | None
    seed: int
    sample: int

    @property
    def key(self) -> str:
        """The key of the record this task will give."""
        return record_key(self.sweep, self.parameters, (self.seed, self.sample))

    @property
    def parameters(self) -> dict[str, Any]:
        """What is run, for the record."""
        return {**asdict(self.system), "at_load": self.load}  # type: ignore[call-overload]


def sweeps(size: str) -> list[Sweep]:
    """Return the five systems at one of the sizes ``SIZES``.

    Raises
    ------
    ValueError
        If there is no such size.
    """
    if size not in SIZES:
        raise ValueError(f"expected a size of {', '.join(SIZES)}, got {size}: name one of them")
    bodies, components, width, steps = {
        "small": (256, 200, 12, 12_000),
        "medium": (512, 400, 20, 30_000),
        "large": (1024, 800, 30, 60_000),
    }[size]
    network = NetworkSystem(width=width, steps=steps)
    digits = NetworkSystem(width=width, steps=steps, data="digits")
    return [
        Sweep("discs", DiscSystem(n=bodies), _grid(0.80, 0.90, 11), at_transition=True),
        Sweep("ellipses", EllipseSystem(n=bodies), _grid(0.84, 0.94, 11), at_transition=True),
        Sweep(
            "perceptron", PerceptronSystem(n=components), _grid(3.5, 6.0, 11), at_transition=False
        ),
        Sweep("network", network, _grid(1.5, 4.0, 11), at_transition=False),
        Sweep("digits", digits, _grid(2.5, 5.5, 11), at_transition=False),
    ]


def tasks(plan: Iterable[Sweep], samples: int, seed: int) -> list[Task]:
    """Return every state to compute, the most expensive first so that no core waits at the end."""
    found = [
        Task(sweep.name, sweep.system, load, seed, sample)
        for sweep in plan
        for load in (*sweep.loads, *((None,) if sweep.at_transition else ()))
        for sample in range(samples)
    ]
    return sorted(found, key=_cost, reverse=True)


def run(
    todo: list[Task], store: Store, *, workers: int | None, progress: Callable[[int, int], None]
) -> None:
    """Compute the tasks that the store does not hold, and keep each as it ends."""
    missing = [task for task in todo if task.key not in store]
    done = len(todo) - len(missing)
    progress(done, len(todo))
    for record in map_unordered(compute, missing, workers):
        store.put(record)
        done += 1
        progress(done, len(todo))


def compute(task: Task) -> Record:
    """Bring one system to one state and measure it."""
    import numpy as np

    from bridge.jam import measure
    from bridge.provenance import provenance

    rng = np.random.default_rng(np.random.SeedSequence(task.seed, spawn_key=(task.sample,)))
    started = time.perf_counter()
    state = task.system.jam(rng) if task.load is None else task.system.at(task.load, rng)
    seconds = time.perf_counter() - started
    found = measure(state, with_spectrum=state.status == "jammed", seconds=seconds)
    return Record(
        kind=task.sweep,
        parameters=task.parameters,
        seed=(task.seed, task.sample),
        status=found.state.status,
        seconds=seconds,
        data=_data(task, found),
        provenance=provenance(),
        arrays=_arrays(found),
    )


def _data(task: Task, found: "Measured") -> dict[str, Any]:
    name, load = found.state.load
    seen, values = found.observables, found.spectrum
    return {
        "system": task.sweep,
        "load_name": name,
        "load": load,
        "sample": task.sample,
        "status": found.state.status,
        "reason": found.state.reason,
        "at_transition": task.load is None,
        **asdict(seen),
        "constraints_per_dof": seen.constraint_ratio,
        "n_kinks": found.state.n_kinks,
        "negative_modes_hp": None if values is None else values.negative_modes_hp,
        "bound_holds": None if values is None else values.bound_holds,
    }


def _arrays(found: "Measured") -> dict[str, Any]:
    """Keep gaps and spectra of jammed states: those of a satisfied or failed run say nothing."""
    from bridge.observables import backbone_gaps

    if found.spectrum is None or found.state.status != "jammed":
        return {}
    return {
        "gaps": backbone_gaps(found.state.problem, found.state.x),
        "eigenvalues": found.spectrum.eigenvalues,
        "eigenvalues_h0": found.spectrum.eigenvalues_h0,
        "eigenvalues_hp": found.spectrum.eigenvalues_hp,
    }


def _grid(low: float, high: float, count: int) -> tuple[float, ...]:
    """Return evenly spaced loads, rounded so that a key does not depend on the last bit."""
    return tuple(round(low + (high - low) * i / (count - 1), 6) for i in range(count))


def _cost(task: Task) -> float:
    """Return a number that grows with the time a task takes."""
    order = {"network": 4.0, "digits": 4.0, "ellipses": 2.0}.get(task.sweep, 1.0)
    return order + 0.1 * (task.load or 0.0)

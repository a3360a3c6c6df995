"""``jamscape avalanche``: samples of one system, loaded slowly from their transition."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bridge.avalanches import Loading, drive
from bridge.jamming.approach import Stage, approach
from bridge.measure.observables import observe
from bridge.protocols import Vector
from bridge.records.content import data_name, parameters
from bridge.records.provenance import provenance
from bridge.records.store import Record, record_key
from bridge.runs.jam import with_tightening
from bridge.systems import System

# Changes of the load over which a system has tens of avalanches at the sizes of this program.
RANGES = {"discs": 0.02, "ellipses": 0.02, "perceptron": 0.2, "network": 0.3}

_FAR = 50  # of these ranges: a packing is beyond any meaning there

# Pressure at which loading starts; lower ones cost time and lie before the first avalanche.
START_PRESSURE = 1e-4

_PATH = ("loads", "energy", "pressure", "n_constraints", "lost", "work", "changes")
_MARKS = (
    "load", "width", "energy", "drop", "error", "closed", "opened", "displacement",
    "participation", "softest", "sliding",
)  # fmt: skip


@dataclass(frozen=True)
class LoadingRun:
    """One sample to load.

    Attributes
    ----------
    system, seed
        What is loaded, and the entropy and spawn key of its random numbers.
    by, steps
        The change of the load, in that many equal steps.
    """

    system: System
    seed: tuple[int, ...]
    by: float
    steps: int

    @property
    def label(self) -> str:
        """The kind of the record."""
        return "avalanche"

    @property
    def parameters(self) -> dict[str, Any]:
        """What is run, for the record."""
        settings = {**self.system.settings(), "start_pressure": START_PRESSURE}
        return parameters(self.system, settings=settings, by=self.by, load_steps=self.steps)

    @property
    def key(self) -> str:
        """The key of the record this run will give."""
        return record_key(self.label, self.parameters, self.seed)

    def compute(self) -> Record:
        """Bring the sample close to its transition, load it slowly, and keep what happened."""
        entropy, *spawned = self.seed
        rng = np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=tuple(spawned)))
        started = time.perf_counter()
        stage = near_transition(self.system, rng)
        loads = np.linspace(0.0, self.by, self.steps + 1)
        found = drive(stage.problem, stage.x, loads, minimise=self.system.follow)
        return Record(
            kind=self.label,
            parameters=self.parameters,
            seed=self.seed,
            status="jammed" if found.status == "loaded" else "stalled",
            seconds=time.perf_counter() - started,
            data=_data(self, stage, found),
            provenance=provenance(),
            arrays=_arrays(found),
        )


def check(system: System, by: float, steps: int) -> None:
    """Raise ``ValueError`` in one line if an option is wrong; nothing has been run yet."""
    system.check()
    most = _FAR * RANGES[system.kind]
    if not (0.0 < by <= most and steps >= 1):
        raise ValueError(
            f"expected a load to add > 0 and up to {most:g}, in one step or more, got {by:g} in "
            f"{steps}: pass a value such as {RANGES[system.kind]:g} in 100"
        )
    if getattr(system, "activation", "") == "relu":  # kinks hide instabilities from the Hessian
        raise ValueError("expected a smooth activation, got relu: pass --activation tanh")


def near_transition(system: System, rng: np.random.Generator) -> Stage[Any]:
    """Return the minimum at which loading starts."""
    state = system.under_load(rng)
    for stage in approach(with_tightening(state.problem), state.x, system.follow):
        if stage.pressure <= START_PRESSURE or stage.status != "jammed":
            break
    return stage


def _data(run: LoadingRun, stage: Stage[Any], found: Loading) -> dict[str, Any]:
    drops = found.drops
    return {
        "system": run.system.kind,
        "sample": run.seed[-1],
        "status": found.status,
        "reason": found.reason,
        "n_dof": stage.problem.n_dof,
        "n": observe(stage.problem, stage.x).n,
        **data_name(run.system),
        "start": run.system.exact_load(stage.problem),
        "avalanches": len(drops),
        "unstable": sum(a.unstable for a in found.avalanches),
        "lost": float(found.lost.sum()),
        "work": float(found.work.sum()),
        "unaccounted": found.unaccounted,
        "energy": float(found.energy[-1]),
        "elastic_changes": int(found.changes.sum()),
        "avalanche_changes": sum(a.closed + a.opened for a in found.avalanches),
        "largest_drop": float(drops.max(initial=0.0)),
        "resolution": found.resolution,
        "descents": found.descents,
    }


def _arrays(found: Loading) -> dict[str, Vector]:
    arrays = {f"step_{name}": getattr(found, name) for name in _PATH}
    marks = {
        f"avalanche_{name}": np.array([getattr(a, name) for a in found.avalanches], dtype=float)
        for name in _MARKS
    }
    return arrays | marks


def as_text(records: Sequence[Record]) -> str:
    """Return a line a sample, and the sums."""
    lines = [
        f"{'sample':>6}{'start':>16}{'avalanches':>12}{'unstable':>10}{'lost':>11}{'of work':>11}"
        f"{'unaccounted':>13}{'resolution':>12}  status"
    ]
    for record in records:
        d = record.data
        name, load = d["start"]
        lines.append(
            f"{d['sample']:6}{f'{name} = {load:.5f}':>16}{d['avalanches']:12}{d['unstable']:10}"
            f"{d['lost']:11.3g}{d['work']:11.3g}{d['unaccounted']:13.2g}{d['resolution']:12.2g}"
            f"  {d['status']} {d['reason']}".rstrip()
        )
    return "\n".join(lines)


def as_json(records: Sequence[Record]) -> dict[str, Any]:
    """Return one document: every sample with its path and its avalanches."""
    samples = []
    for record in records:
        path = {name: record.arrays[f"step_{name}"] for name in _PATH}
        marks = zip(*(record.arrays[f"avalanche_{name}"] for name in _MARKS), strict=True)
        events = [dict(zip(_MARKS, values, strict=True)) for values in marks]
        samples.append({**record.data, "path": path, "avalanches": events})
    return {
        "system": records[0].data["system"],
        "parameters": dict(records[0].parameters),
        "seed": records[0].seed[0],
        "samples": samples,
        "provenance": provenance(),
    }

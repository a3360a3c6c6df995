"""``jamscape avalanche``: samples of one system, loaded slowly from their transition."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.runs.run import Found, Run
from bridge.systems.ranges import option

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from bridge.avalanches import Loading
    from bridge.jamming.approach import ApproachStage
    from bridge.protocols import Vector
    from bridge.records.store import Record

_FAR = 50  # ranges of slow loading: a system is beyond any meaning there

# Overlap per variable at which loading starts; smaller ones cost time and lie before the first
# avalanche.
START_OVERLAP = 1e-4

_PATH = (
    "loads", "energy", "overlap_per_variable", "n_constraints", "lost", "work", "changes"
)  # fmt: skip
_MARKS = (
    "load", "width", "energy", "drop", "error", "closed", "opened", "displacement",
    "participation", "softest", "sliding",
)  # fmt: skip


@dataclass(frozen=True)
class AvalancheRun(Run):
    """Load one system slowly, and measure its avalanches."""

    command: ClassVar[str] = "avalanche"
    dimensions: ClassVar[Mapping[str, tuple[str, ...] | None]] = {
        "step": ("step",),
        "avalanche": ("avalanche",),
    }
    repeats: ClassVar[bool] = True

    by: float | None = option(None, "Load to add; set by the system.")
    load_steps: int = option(100, "Steps in which it is added.")

    @property
    def added(self) -> float:
        """The load that is added."""
        return float(self.system.slow_range) if self.by is None else self.by

    def check(self, given: Collection[str] = ()) -> None:
        """Raise ``ValueError`` in one line if an option is wrong; nothing has been run yet."""
        super().check(given)
        usual = self.system.slow_range
        if not (0.0 < self.added <= _FAR * usual and self.load_steps >= 1):
            raise ValueError(
                f"expected a load to add > 0 and up to {_FAR * usual:g}, in one step or more, got "
                f"{self.added:g} in {self.load_steps}: pass a value such as {usual:g} in 100"
            )
        self.system.check_slow_loading()

    def count(self) -> int:
        """Return the number of steps."""
        return self.load_steps

    def chosen(self) -> dict[str, Any]:
        """Return the load that is added, and its steps."""
        return {"by": self.added, "load_steps": self.load_steps}

    def settings(self) -> dict[str, Any]:
        """Return the overlap at which loading starts."""
        return {"start_overlap": START_OVERLAP}

    def find(self, rng: "np.random.Generator") -> Found:
        """Bring the sample close to its transition, load it slowly, and keep what happened."""
        import numpy as np

        from bridge.avalanches import drive

        stage = loading_start(self.system, rng)
        loads = np.linspace(0.0, self.added, self.load_steps + 1)
        loading = drive(stage.problem, stage.x, loads, minimise=self.system.follow)
        status = "jammed" if loading.status == "loaded" else "stalled"
        return Found(status, self._data(stage, loading), _arrays(loading))

    def _data(self, stage: "ApproachStage[Any]", loading: "Loading") -> dict[str, Any]:
        from bridge.measure.observables import observe

        drops = loading.drops
        return {
            "system": self.system.kind,
            "status": loading.status,
            "reason": loading.reason,
            "n_dof": stage.problem.n_dof,
            "n": observe(stage.problem, stage.x).n,
            "start": self.system.exact_load(stage.problem),
            "avalanches": len(drops),
            "unstable": sum(a.unstable for a in loading.avalanches),
            "lost": float(loading.lost.sum()),
            "work": float(loading.work.sum()),
            "unaccounted": loading.unaccounted,
            "energy": float(loading.energy[-1]),
            "elastic_changes": int(loading.changes.sum()),
            "avalanche_changes": sum(a.closed + a.opened for a in loading.avalanches),
            "largest_drop": float(drops.max(initial=0.0)),
            "resolution": loading.resolution,
            "descents": loading.descents,
        }

    @classmethod
    def document(cls, records: "Sequence[Record]") -> dict[str, Any]:
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
            "provenance": records[0].provenance,
        }

    @classmethod
    def text(cls, records: "Sequence[Record]") -> str:
        """Return a line a sample."""
        lines = [
            f"{'sample':>6}{'start':>16}{'avalanches':>12}{'unstable':>10}{'lost':>11}"
            f"{'of work':>11}{'unaccounted':>13}{'resolution':>12}  status"
        ]
        for d in cls.document(records)["samples"]:
            name, load = d["start"]
            lines.append(
                f"{d['sample']:6}{f'{name} = {load:.5f}':>16}{len(d['avalanches']):12}"
                f"{d['unstable']:10}{d['lost']:11.3g}{d['work']:11.3g}{d['unaccounted']:13.2g}"
                f"{d['resolution']:12.2g}  {d['status']} {d['reason']}".rstrip()
            )
        return "\n".join(lines)

    @classmethod
    def figure(cls, records: "Sequence[Record]", data: Path | None = None) -> "Figure":
        """Return the paths of the samples: energy, constraints and what each avalanche lost."""
        from bridge.figures.loading import loading_figure

        return loading_figure(records)

    @classmethod
    def owns(cls, record: "Record") -> bool:
        """Tell whether it is a record of slow loading."""
        return "step_loads" in record.arrays


def loading_start(system: Any, rng: "np.random.Generator") -> "ApproachStage[Any]":
    """Return the minimum close to the transition at which slow loading starts."""
    from bridge.jamming.approach import approach
    from bridge.runs.states import with_tightening

    state = system.under_load(rng)
    for stage in approach(with_tightening(state.problem), state.x, system.follow):
        if stage.overlap_per_variable <= START_OVERLAP or stage.status != "jammed":
            break
    return stage


def _arrays(loading: "Loading") -> "dict[str, Vector]":
    import numpy as np

    arrays = {f"step_{name}": getattr(loading, name) for name in _PATH}
    marks = {
        f"avalanche_{name}": np.array([getattr(a, name) for a in loading.avalanches], dtype=float)
        for name in _MARKS
    }
    return arrays | marks

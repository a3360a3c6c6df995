"""A landscape as a record: what was found in it, in numbers, for an ensemble of them."""

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.landscape.case import LandscapeSystem
from bridge.records.content import parameters
from bridge.records.database import whole
from bridge.records.store import Record, record_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.landscape.completeness import Completeness
    from bridge.landscape.graph import Graph


@dataclass(frozen=True)
class LandscapeRun:
    """One landscape to explore: a `runs.Task`.

    Attributes
    ----------
    searches
        Climbs for saddles; if not given, until nothing new comes.
    """

    system: LandscapeSystem
    seed: tuple[int, ...]
    searches: int | None = None

    @property
    def label(self) -> str:
        """The kind of the record."""
        return label(self.system.kind)

    @property
    def parameters(self) -> dict[str, Any]:
        """What is run, for the record."""
        return parameters(self.system, settings=moves(self.system), searches=self.searches)

    @property
    def key(self) -> str:
        """The key of the record this run will give."""
        return record_key(self.label, self.parameters, self.seed)

    def compute(self) -> Record:
        """Explore the landscape on one core and sum up what was found."""
        from bridge.landscape.completeness import completeness
        from bridge.records.provenance import provenance
        from bridge.runs.landscape import run_landscape

        found = run_landscape(self.system, self.seed[0], searches=self.searches)
        euler = getattr(found.case.problem, "euler_characteristic", None)
        return _record(
            self,
            found.graph,
            found.observables,
            completeness(found.graph, euler),
            found.seconds,
            provenance(),
        )


@dataclass(frozen=True)
class _Stored:
    """The run that a landscape file says it holds."""

    label: str
    parameters: dict[str, Any]
    seed: tuple[int, ...]


def record_of_file(path: Path) -> Record:
    """Return the same record of a landscape that ``jamscape landscape --out`` stored.

    Raises
    ------
    ValueError
        If the file holds something else, is damaged or in use.
    """
    from bridge.landscape.completeness import completeness
    from bridge.report.landscape_folder import read_landscape

    stored = read_landscape(path)
    about = stored.about
    with whole(path):
        system = str(about["system"])
        given = {"system": system, **about["parameters"], "settings": about.get("settings", {})}
        run = _Stored(label(system), given, (int(about["seed"]),))
        seconds, origin = float(about.get("seconds", 0.0)), dict(about.get("provenance", {}))
        known = completeness(stored.graph)
        return _record(run, stored.graph, stored.observables, known, seconds, origin)


def moves(system: LandscapeSystem) -> dict[str, Any]:
    """Return how far the searches of a landscape step: it is set by the system, not by options."""
    hashable: Any = system  # every class of options is frozen
    return _moves(hashable)


@cache
def _moves(system: Any) -> dict[str, Any]:
    import numpy as np

    case = getattr(system, "sketch", system.case)(np.random.default_rng(0))
    return {"steps": _numbers(case.steps), "hops": _numbers(case.hops)}


def _numbers(lengths: Any) -> dict[str, Any]:
    return {name: value for name, value in asdict(lengths).items() if not callable(value)}


def label(system: str) -> str:
    """Return the kind of the records of a landscape: ``network`` alone is that of its states."""
    return f"{system} landscape"


def _record(
    run: "LandscapeRun | _Stored",
    graph: "Graph",
    observables: "Sequence[dict[str, float]]",
    known: "Completeness",
    seconds: float,
    origin: dict[str, Any],
) -> Record:
    energies = [point.energy for point in graph.minima]
    return Record(
        kind=run.label,
        parameters=run.parameters,
        seed=run.seed,
        status="connected" if graph.connected else "disconnected",
        seconds=seconds,
        data={
            "system": run.label,
            "n_minima": len(graph.minima),
            "n_saddles": len(graph.saddles),
            "lowest_energy": min(energies, default=None),
            "n_searches": len(graph.searches),
            "estimated_minima": known.estimated_minima,
            "estimated_saddles": known.estimated_saddles,
            "morse_sum": known.morse_sum,
            "expected_morse_sum": known.expected_morse_sum,
        },
        provenance=origin,
        arrays=_arrays(graph, observables),
    )


def _arrays(graph: "Graph", observables: "Sequence[dict[str, float]]") -> dict[str, Any]:
    """Return a number for each point, its state, and the two ends of each saddle."""
    import numpy as np

    found: dict[str, Any] = {"saddle_ends": np.array(graph.ends, dtype=np.intp).reshape(-1, 2)}
    for name, points in (("minimum", graph.minima), ("saddle", graph.saddles)):
        found |= {
            f"{name}_energy": np.array([p.energy for p in points]),
            f"{name}_order": np.array([p.order for p in points], dtype=np.intp),
            f"{name}_log_det": np.array([p.log_det for p in points]),
            f"{name}_state": np.array([p.x for p in points]),
        }
    names = sorted({name for seen in observables for name in seen})
    return found | {
        f"minimum_{name}": np.array([seen.get(name, np.nan) for seen in observables])
        for name in names
    }

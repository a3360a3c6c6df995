"""``jamscape landscape``: one explored landscape, as a record of its numbers."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.runs.run import Found, Run
from bridge.systems import landscapes
from bridge.systems.ranges import option
from bridge.systems.system import expect

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from matplotlib.figure import Figure

    from bridge.landscape.completeness import Completeness
    from bridge.landscape.graph import Graph
    from bridge.records.store import Record


@dataclass(frozen=True)
class LandscapeRun(Run):
    """Find the minima and saddles of a system."""

    command: ClassVar[str] = "landscape"
    dimensions: ClassVar[Mapping[str, tuple[str, ...] | None]] = {
        "saddle_ends": ("saddle", "end"),
        "minimum": ("minimum",),
        "saddle": ("saddle",),
        "minimum_state": None,
        "saddle_state": None,
    }

    searches: int | None = option(None, "Climbs for saddles; until flat if unset.", 0)

    @classmethod
    def takes(cls) -> dict[str, Any]:
        """Return the systems whose landscapes can be searched."""
        return landscapes()

    def check(self, given: Collection[str] = ()) -> None:
        """Raise ``ValueError`` in one line if an option is wrong; nothing has been explored yet.

        The system is built; one whose data take seconds to make, from a ``sketch`` of them.
        """
        _built(self.system)

    def count(self) -> int:
        """Return the number of searches, if that is known."""
        return 1 if self.searches is None else max(1, self.searches)

    @property
    def label(self) -> str:
        """The kind of the record."""
        return label(self.system.kind)

    def settings(self) -> dict[str, Any]:
        """Return how far the searches step."""
        return moves(self.system)

    def find(self, rng: "np.random.Generator") -> Found:
        """Explore the landscape on one core and sum up what was found."""
        from bridge.landscape.completeness import completeness
        from bridge.runs.exploration import run_landscape

        explored = run_landscape(self.system, self.seed[0], searches=self.searches)
        euler = getattr(explored.case.problem, "euler_characteristic", None)
        known = completeness(explored.graph, euler)
        return summary(explored.graph, explored.observables, known, explored.seconds)

    @classmethod
    def figure(cls, records: "Sequence[Record]", data: Path | None = None) -> "Figure":
        """Return the disconnectivity graph of one landscape."""
        from bridge.figures.landscape import disconnectivity
        from bridge.landscape.disconnectivity import merge_tree

        expect(len(records) == 1, "one landscape", len(records), "show a single run")
        found = records[0].arrays
        ends = [(int(a), int(b)) for a, b in found["saddle_ends"]]
        tree = merge_tree(found["minimum_energy"], found["saddle_energy"], ends)
        return disconnectivity(tree)

    @classmethod
    def owns(cls, record: "Record") -> bool:
        """Tell whether it is a record of a landscape."""
        return "saddle_ends" in record.arrays


def _built(system: Any) -> Any:
    """Return the landscape, or a sketch of it."""
    import numpy as np

    return getattr(system, "sketch", system.case)(np.random.default_rng(0))


def _moves(system: Any) -> dict[str, Any]:
    """Return how far the searches of a landscape step: it is set by the system, not by options.

    One that is slow to build says so by its ``lengths``.
    """
    case = system.lengths() if hasattr(system, "lengths") else _built(system)
    return {"steps": _numbers(case.steps), "hops": _numbers(case.hops)}


moves = cache(_moves)


def _numbers(lengths: Any) -> dict[str, Any]:
    return {name: value for name, value in asdict(lengths).items() if not callable(value)}


def label(system: str) -> str:
    """Return the kind of the records of a landscape: ``network`` alone is that of its states."""
    return f"{system} landscape"


def summary(
    graph: "Graph",
    observables: "Sequence[dict[str, float]]",
    known: "Completeness",
    seconds: float,
) -> Found:
    """Return what the record of an explored landscape holds."""
    energies = [point.energy for point in graph.minima]
    data = {
        "n_minima": len(graph.minima),
        "n_saddles": len(graph.saddles),
        "lowest_energy": min(energies, default=None),
        "n_searches": len(graph.searches),
        "estimated_minima": known.estimated_minima,
        "estimated_saddles": known.estimated_saddles,
        "morse_sum": known.morse_sum,
        "expected_morse_sum": known.expected_morse_sum,
    }
    status = "connected" if graph.connected else "disconnected"
    return Found(status, data, _arrays(graph, observables), seconds)


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

"""``jamscape transition``: the load at which half of the networks of a kind fit."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.runs.run import Found, Run
from bridge.systems import systems
from bridge.systems.ranges import option

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from bridge.records.store import Record
    from bridge.runs.transition_search import LoadSearch


@dataclass(frozen=True)
class TransitionRun(Run):
    """Find the load at which half of the networks of a kind fit, or fit no more if it is raised."""

    command: ClassVar[str] = "transition"
    dimensions: ClassVar[Mapping[str, tuple[str, ...] | None]] = {"point": ("point",)}

    low: float = option(1.5, "Smallest load P/N; with --patterns, width.")
    high: float = option(4.5, "Largest load, or width.")
    step: float = option(0.1, "Distance of loads, or of widths; loading finds its own.")
    samples: int = option(8, "Networks at each load.", 1)
    protocol: str = option(
        "quench",
        "quench: fresh networks at each load; loading: patterns are added to the same networks, "
        "as packings are compressed.",
    )
    add: float = option(
        0.02,
        "Patterns per weight that loading adds at once; half as many where they do not fit, down "
        "to one pattern.",
        1e-6,
        1e6,
    )
    retrain: int = option(
        300,
        "Steps of Adam after an addition, those of the system for the first patterns; 0: linear "
        "solves alone, at the norm of the first fit.",
        0,
        1_000_000_000,
    )
    convergence: int = option(0, "Also with 1/2, 1/4, ... of the steps.", 0)

    @classmethod
    def takes(cls) -> dict[str, Any]:
        """Return the systems that many samples of are trained together."""
        return {name: kind for name, kind in systems().items() if hasattr(kind, "trains_together")}

    @property
    def label(self) -> str:
        """The kind of the record: ``transition`` alone is that of its networks."""
        return "transition search"

    def check(self, given: Collection[str] = ()) -> None:
        """Raise ``ValueError`` in one line if an option is wrong; nothing has been trained yet."""
        from bridge.runs.transition_search import check_convergence

        del given
        check_convergence(self.system.steps, self.convergence)
        for search in self.searches():
            search.check()

    def count(self) -> int:
        """Return the number of networks, at most."""
        return sum(search.count() for search in self.searches())

    def searches(self) -> "list[LoadSearch]":
        """Return the searches, those with fewer steps first."""
        from bridge.runs.transition_search import LoadSearch

        anneals = [
            replace(self.system, steps=self.system.steps >> k)
            for k in range(self.convergence, -1, -1)
        ]
        given = (self.low, self.high, self.step, self.samples, self.seed[0], self.protocol)
        return [LoadSearch(system, *given, self.add, self.retrain) for system in anneals]

    @classmethod
    def figure(cls, records: "Sequence[Record]", data: Path | None = None) -> "Figure":
        """Return which networks fit, of those that are like the last one but for their load."""
        from bridge.figures.transition import alike, transition_figure

        return transition_figure(alike(records, records[-1].parameters))

    @classmethod
    def owns(cls, record: "Record") -> bool:
        """Tell whether it is the record of one network of a search."""
        return record.kind == "transition"

    def find(self, rng: "np.random.Generator") -> Found:
        """Search on this core; the networks are not kept."""
        import numpy as np

        from bridge.records.store import Store
        from bridge.runs.transition_search import as_json, find

        del rng  # each network has random numbers of its own
        with Store(":memory:") as store:
            found = [find(s, store, progress=lambda *_: None) for s in self.searches()][-1]
        document = as_json(found)
        middle = document["load"] or {"value": None, "error": None, "width": None}
        names = ("load", "n_weights", "patterns", "fitted", "tried", "dead", "stalled")
        return Found(
            status="stalled" if document["load"] is None else "done",
            data={
                "load_name": "P/N",
                "load": middle["value"],
                "load_error": middle["error"],
                "load_width": middle["width"],
                "n_star": document["n_star"],
                "constraints_per_dof": document["constraints_per_dof_at_transition"],
            },
            arrays={
                f"point_{name}": np.array([p[name] for p in document["points"]], dtype=float)
                for name in names
            },
        )

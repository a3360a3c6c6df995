"""``jamscape compare``: every system through its transition, measured with the same code."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.runs.kinds.jam import JamRun
from bridge.runs.motion import MotionRun, motions
from bridge.runs.run import Command
from bridge.systems import systems
from bridge.systems.ranges import option
from bridge.systems.system import Sweep, expect

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bridge.records.columns import Column
    from bridge.records.store import Record

SIZES = ("small", "medium", "large")


@dataclass(frozen=True)
class ComparisonPlan(Command):
    """Drive discs, ellipses, a perceptron and networks through their transitions.

    It is a plan: each state is a `Jam`, under the key that it has for itself.
    """

    command: ClassVar[str] = "compare"
    has_table: ClassVar[bool] = True
    folder: ClassVar[Path | None] = Path("compare")

    size: str = option("small", "small, medium or large.")
    samples: int = option(2, "Runs at each load.", 1)
    systems: str | None = option(
        None, "Which systems, separated by commas; those of the figure if unset."
    )

    @classmethod
    def takes(cls) -> dict[str, Any]:
        """Return none: it chooses among all."""
        return {}

    def check(self, given: Collection[str] = ()) -> None:
        """Raise ``ValueError`` if there is no such comparison."""
        for sweep in self.sweeps():
            sweep.system.check()

    def count(self) -> int:
        """Return the number of states."""
        states = sum(len(sweep.loads) + sweep.at_transition for sweep in self.sweeps())
        return self.samples * states

    def sweeps(self) -> list[Sweep]:
        """Return the systems with their loads, in the order of the figure.

        Raises
        ------
        ValueError
            If there is no such size, or no such system.
        """
        known = self.size in SIZES
        expect(known, f"a size of {', '.join(SIZES)}", self.size, "name one of them")
        return [sweep for kind in self._chosen() for sweep in kind.sweeps(self.size)]

    def _chosen(self) -> list[Any]:
        """Return the systems that are named, or those that are shown if none is."""
        known = {name: kind for name, kind in systems().items() if kind.sweeps(SIZES[0])}
        if self.systems is None:
            return [kind for kind in known.values() if kind.in_comparison]
        named = [name.strip() for name in self.systems.split(",")]
        for name in named:
            expect(name in known, f"systems among {', '.join(known)}", name, "name some of them")
        return [kind for name, kind in known.items() if name in named]

    def tasks(self) -> Iterator[JamRun]:
        """Yield every state, the most expensive first so that no core waits at the end."""
        yield from states(self.sweeps(), self.samples, self.seed[0])

    def motions(self) -> Iterator[MotionRun]:
        """Yield a small system of each kind on its way through the transition."""
        yield from motions(self.sweeps(), self.seed[0])

    @classmethod
    def document(cls, records: "Sequence[Record]") -> dict[str, Any]:
        """Return every number of the table."""
        from bridge.records.columns import comparison_document

        return comparison_document(_columns(records))

    @classmethod
    def text(cls, records: "Sequence[Record]") -> str:
        """Return a line a system and load, then one a transition."""
        from bridge.records.columns import comparison_text

        return comparison_text(_columns(records))

    @classmethod
    def figure(cls, records: "Sequence[Record]", data: Path | None = None) -> "Figure":
        """Return a column for each system, a row for each observable."""
        from bridge.figures.comparison import comparison

        return comparison(_columns(records))

    @classmethod
    def write(cls, records: "Sequence[Record]", folder: Path) -> None:
        """Write ``table.csv``: one line a state, in order of system, load and sample."""
        from bridge.records.columns import write_table

        write_table(_columns(records), folder / "table.csv")


def states(plan: Iterable[Sweep], samples: int, seed: int) -> list[JamRun]:
    """Return the states of systems at their loads and at their transitions, by falling cost."""
    found = [
        JamRun(
            sweep.system,
            (seed, sample),
            spectrum=True,
            at_load=load,
            at_transition=load is None,
            name=sweep.name,
        )
        for sweep in plan
        for load in [*sweep.loads, *([None] if sweep.at_transition else [])]
        for sample in range(samples)
    ]
    return sorted(found, key=_cost, reverse=True)


def _columns(records: "Sequence[Record]") -> "list[Column]":
    """Return the columns in the order of the figure, which is not that of the costs."""
    from bridge.records.columns import columns

    swept = [record for record in records if not record.data["at_transition"]]
    expect(bool(swept), "states at loads of their own", "none", "show a single run")
    ranks = [sweep.name for kind in systems().values() for sweep in kind.sweeps(SIZES[0])]
    present = dict.fromkeys(record.data["system"] for record in swept)
    return columns(records, sorted(present, key=lambda name: (*ranks, name).index(name)))


def _cost(run: JamRun) -> float:
    """Return a number that grows with the time a run takes."""
    return run.cost + 0.1 * (0.0 if run.at_load is None else run.at_load)

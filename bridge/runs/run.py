"""A kind of run: one frozen dataclass in `bridge.runs.kinds`, and nothing elsewhere.

Its fields made by `option` are options of the command line, keys of a grid in TOML and parameters
of the record, under the same names::

    @dataclass(frozen=True)
    class Pressure(Run):
        \"\"\"Measure the pressure of a random state.\"\"\"

        command = "pressure"

        growth: float = option(0.0, "Relative growth of every body.", 0, 1)

        def find(self, rng):
            state = self.system.under_load(rng)
            value = observe(state.problem, state.x).pressure
            return Found(status="done", data={"pressure": value})

The base gives the key, the random numbers, the time, the provenance and the record. Files with such
a class are found: ``jamscape pressure discs --growth 0.1`` is there, ``command = "pressure"`` in a
grid, ``sweep("discs", command="pressure", growth=[0, 0.1])``, and `report` and `collect` take what
was kept. A file here imports what is slow inside its functions: it is read by ``jamscape --help``.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.records.content import data_name, parameters
from bridge.records.seeds import generator
from bridge.systems import systems
from bridge.systems.ranges import check_ranges, options_of
from bridge.systems.stopwatch import Stopwatch

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from bridge.records.store import Record
    from bridge.runs.task import Task


@dataclass(frozen=True)
class Found:
    """What a run found.

    Attributes
    ----------
    status
        How it ended; ``"stalled"`` if that is without an answer.
    data
        Numbers and texts, by their names.
    arrays
        Arrays, by their names; how many dimensions each has is said by the kind of run.
    seconds
        The time it took, where that is not the time of `Run.find`.
    """

    status: str
    data: Mapping[str, Any]
    arrays: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = None


@dataclass(frozen=True)
class Command(ABC):
    """What a command computes: a run, or a plan of runs of another kind.

    Attributes
    ----------
    system
        The options of the system; None for a command that has its own.
    seed
        Entropy, and then the spawn key, of the random numbers.
    """

    command: ClassVar[str]
    # The dimensions of its arrays besides the run, by the whole name or by the first word of it;
    # None for arrays as long as the system is large, which stay in their file.
    dimensions: ClassVar[Mapping[str, tuple[str, ...] | None]] = {}
    repeats: ClassVar[bool] = False  # whether the command has ``--samples``
    has_table: ClassVar[bool] = False  # whether `write` makes the table
    folder: ClassVar[Path | None] = None  # where its results go if no folder is named

    system: Any
    seed: tuple[int, ...]

    @classmethod
    def takes(cls) -> dict[str, Any]:
        """Return the systems that it takes, by their kinds; none if it has its own."""
        return systems()

    def check_all(self, given: Collection[str] = ()) -> None:
        """Raise ``ValueError`` in one line if an option is out of its range, or wrong otherwise."""
        for part in (self.system, self):
            check_ranges(part)
        self.check(given)

    def check(self, given: Collection[str] = ()) -> None:
        """Raise ``ValueError`` in one line if an option is wrong; nothing has been run yet.

        ``given`` are the names of all that was set, of options of the system too.
        """
        self.system.check()

    @abstractmethod
    def tasks(self) -> "Iterator[Task]":
        """Yield the runs that leave a record."""

    def motions(self) -> "Iterator[Task]":
        """Yield what its page plays besides its records; without any, it has no page."""
        yield from ()

    def count(self) -> int:
        """Return how many records or searches it stands for, to refuse what cannot end."""
        return 1

    @classmethod
    def document(cls, records: "Sequence[Record]") -> dict[str, Any]:
        """Return what ``--json`` prints of the records of one command."""
        runs = [
            {"seed": list(r.seed), "parameters": r.parameters, "seconds": r.seconds, **r.data}
            for r in records
        ]
        return {"runs": runs, "provenance": records[0].provenance}

    @classmethod
    def text(cls, records: "Sequence[Record]") -> str:
        """Return the same for reading."""
        lines = []
        for run in cls.document(records)["runs"]:
            lines.append(f"{run['system']}: {run['status']}  {run.get('reason', '')}".rstrip())
            numbers = {k: v for k, v in run.items() if isinstance(v, int | float)}
            lines += [f"  {name:20} {value:.8g}" for name, value in numbers.items()]
        return "\n".join(lines)

    @classmethod
    def figure(cls, records: "Sequence[Record]", data: Path | None = None) -> "Figure | None":
        """Return a figure of its records; None if there is nothing to draw.

        ``data`` is the file or folder that a network was trained on, where it was one.
        """
        return None

    @classmethod
    def owns(cls, record: "Record") -> bool:
        """Tell whether a record is one of those that `figure` draws."""
        return False

    @classmethod
    def write(cls, records: "Sequence[Record]", folder: Path) -> None:
        """Write more files into the folder of a command, besides store, document, table, figure."""
        return


@dataclass(frozen=True)
class Run(Command):
    """One run: what is run, of which system, from which random numbers."""

    def tasks(self) -> "Iterator[Run]":
        """Yield itself."""
        yield self

    @property
    def label(self) -> str:
        """The kind of the record."""
        return self.command

    def chosen(self) -> dict[str, Any]:
        """Return the values of its options, for the record."""
        return {item.name: getattr(self, item.name) for item in options_of(self)}

    def settings(self) -> dict[str, Any]:
        """Return numbers that its result depends on and that are no options."""
        return {}

    @property
    def parameters(self) -> dict[str, Any]:
        """What is run, for the record."""
        return parameters(self.system, settings=self.settings(), **self.chosen())

    @property
    def key(self) -> str:
        """The key of the record it will leave."""
        from bridge.records.store import record_key

        return record_key(self.label, self.parameters, self.seed)

    @property
    def cost(self) -> float:
        """About the seconds it takes on one core: those of a state of the system."""
        return float(self.system.seconds()) if hasattr(self.system, "seconds") else 1.0

    def compute(self) -> "Record":
        """Run it, and return the record."""
        from bridge.records.store import Record

        watch = Stopwatch()
        found = self.find(generator(self.seed))
        seconds = watch.seconds if found.seconds is None else found.seconds
        named = {"system": self.label, "sample": self.seed[-1], "status": found.status}
        return Record(
            kind=self.label,
            parameters=self.parameters,
            seed=self.seed,
            status=found.status,
            seconds=seconds,
            data={**named, **found.data, **data_name(self.system)},
            arrays=found.arrays,
        )

    @abstractmethod
    def find(self, rng: "np.random.Generator") -> Found:
        """Run it from the random numbers ``rng``."""

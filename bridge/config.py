"""An ensemble's configuration: which runs, over which grid of parameters, for which seeds.

A file in TOML::

    seeds = 10                  # 0 to 9; or a list of seeds

    [[runs]]                    # as `jamscape jam discs`
    system = "discs"
    n = [64, 256]               # a list is an axis of the grid
    pressure = [1e-4, 1e-6]
    exact = true                # go to the jamming point
    spectrum = false            # diagonalise the Hessian of every jammed state

    [[runs]]
    system = "ellipses"
    at_load = [0.84, 0.86]      # minimise random starts at these loads instead
    at_transition = true        # and unload what is jammed until its pressure is low

    [[runs]]                    # as `jamscape landscape lj`
    command = "landscape"
    system = "lj"
    n = [6, 7]
    searches = 200

    [[runs]]                    # all states of `jamscape compare`, each a run
    command = "compare"
    size = "small"
    samples = 2

A field of ``[[runs]]`` may also stand at the top: it then holds for every table that knows it.
"""

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

from bridge.landscape_record import LandscapeRun
from bridge.landscape_systems import LANDSCAPES, LandscapeClass
from bridge.ranges import check_ranges
from bridge.runs import Run, Task
from bridge.systems import SYSTEMS, SystemClass

MOST_RUNS = 1_000_000


@dataclass(frozen=True)
class _Jam:
    """What a table of ``jam`` says besides the options of its system."""

    systems: ClassVar[Mapping[str, SystemClass]] = {kind.kind: kind for kind in SYSTEMS}

    exact: bool = False
    spectrum: bool = False
    at_load: float | None = None
    at_transition: bool = False

    def tasks(self, system: Any, seed: int) -> Iterator[Task]:
        """Yield the one run."""
        yield Run(
            system.kind,
            system,
            (seed,),
            self.at_load,
            self.at_transition,
            exact=self.exact,
            spectrum=self.spectrum,
        )

    def check(self, system: Any) -> None:
        """Raise ``ValueError`` if it does not fit the system."""
        if self.exact and not system.has_exact_point:
            raise ValueError(f"expected a packing or perceptron with exact, got {system.kind}")
        if self.exact and self.at_transition:
            raise ValueError("expected exact or at_transition, got both: drop one of them")
        if self.at_load is not None and not 0 < self.at_load <= 1000:
            raise ValueError(f"expected 0 < at_load <= 1000, got {self.at_load}")
        system.check()


@dataclass(frozen=True)
class _Landscape:
    """What a table of ``landscape`` says besides the options of its system."""

    systems: ClassVar[Mapping[str, LandscapeClass]] = {kind.kind: kind for kind in LANDSCAPES}

    searches: int | None = None

    def tasks(self, system: Any, seed: int) -> Iterator[Task]:
        """Yield the one run."""
        yield LandscapeRun(system, (seed,), self.searches)

    def check(self, system: Any) -> None:
        """Raise ``ValueError`` if it does not fit the system."""
        from bridge.landscape_run import check

        if self.searches is not None and self.searches < 0:
            raise ValueError(f"expected searches >= 0, got {self.searches}")
        check(system)


@dataclass(frozen=True)
class _Compare:
    """What a table of ``compare`` says."""

    systems: ClassVar[Mapping[str, Any]] = {}

    size: str = "small"
    samples: int = 2

    def tasks(self, system: None, seed: int) -> Iterator[Task]:
        """Yield every state of the comparison, under the keys that ``jamscape compare`` uses."""
        from bridge import compare

        yield from compare.runs(compare.sweeps(self.size), self.samples, seed)

    def check(self, system: None) -> None:
        """Raise ``ValueError`` if there is no such comparison."""
        from bridge import compare

        if not 1 <= self.samples <= MOST_RUNS:
            raise ValueError(f"expected samples >= 1, got {self.samples}")
        compare.sweeps(self.size)


_COMMANDS = {"jam": _Jam, "landscape": _Landscape, "compare": _Compare}
_ANYWHERE = {"command", "system"} | {f.name for kind in _COMMANDS.values() for f in fields(kind)}


def read_runs(path: Path) -> list[Task]:
    """Return every run that the file describes, the same one once.

    Raises
    ------
    ValueError
        In one line that names the field, if the file cannot be read or a value is wrong.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"expected a TOML file at {path}, got: {reason}") from None
    try:
        found = {task.key: task for task in _expand(document)}
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    return list(found.values())


def _expand(document: Mapping[str, Any]) -> Iterator[Task]:
    _known(document, {"seeds", "runs", *_ANYWHERE}, "")
    seeds = _seeds(document.get("seeds", 1))
    tables = document.get("runs")
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables) or not tables:
        raise ValueError("expected at least one [[runs]] table, got none: add one")
    shared = {name: value for name, value in document.items() if name in _ANYWHERE}
    for number, table in enumerate(tables):
        yield from _grid(shared, table, seeds, f"runs[{number}]")


def _grid(
    shared: dict[str, Any], table: dict[str, Any], seeds: list[int], where: str
) -> Iterator[Task]:
    both = shared | table
    command = _named(both.get("command", "jam"), _COMMANDS, f"{where}.command")
    system = None
    if command.systems:
        system = _named(both.get("system", "nothing"), command.systems, f"{where}.system")
    own, options = _types(command), _types(system)
    known = own | options
    _known(table, {"command", *(["system"] if system else []), *known}, f"{where}.")
    axes = {
        name: [_typed(one, known[name], f"{where}.{name}") for one in _values(value, where, name)]
        for name, value in both.items()
        if name in known
    }
    _check_count(math.prod(map(len, axes.values())) * len(seeds), where)
    for values in product(*axes.values()):
        given = dict(zip(axes, values, strict=True))
        try:
            what = command(**{name: value for name, value in given.items() if name in own})
            instance = system and system(**{n: v for n, v in given.items() if n in options})
            if instance is not None:
                check_ranges(instance)
            what.check(instance)
        except (ValueError, OverflowError, MemoryError) as error:
            raise ValueError(f"{where}: {error or 'too large for the memory'}") from None
        for seed in seeds:
            yield from what.tasks(instance, seed)


def _types(kind: Any) -> dict[str, Any]:
    """Return the types of the options of a class."""
    return {} if kind is None else {item.name: item.type for item in fields(kind)}


def _named(value: Any, table: Mapping[str, Any], where: str) -> Any:
    if not isinstance(value, str) or value not in table:
        names = ", ".join(table)
        raise ValueError(f"expected {where} to be one of {names}, got {value!r}: name one")
    return table[value]


def _check_count(count: int, where: str) -> None:
    if count > MOST_RUNS:
        raise ValueError(
            f"expected at most {MOST_RUNS:,} runs, got {count:,} of {where}: make it smaller"
        )


def _seeds(value: Any) -> list[int]:
    count = isinstance(value, int) and not isinstance(value, bool)
    if count:
        _check_count(value, "seeds")
    seeds = list(range(value)) if count else value
    good = isinstance(seeds, list) and all(type(s) is int and s >= 0 for s in seeds)
    if not good or not seeds:
        raise ValueError(f"expected seeds to be a count or a list of seeds >= 0, got {value!r}")
    return seeds


def _values(value: Any, where: str, name: str) -> list[Any]:
    if value == []:
        raise ValueError(f"expected values for {where}.{name}, got an empty list: name one")
    return value if isinstance(value, list) else [value]


def _typed(value: Any, annotation: Any, where: str) -> Any:
    """Return the value if it has the type of the option; a whole number may stand for a float."""
    allowed = getattr(annotation, "__args__", (annotation,))
    if float in allowed and type(value) is int and abs(value) <= 2**53:
        return float(value)
    if type(value) not in allowed:
        names = " or ".join(kind.__name__ for kind in allowed if kind is not type(None))
        raise ValueError(f"expected {where} to be of type {names}, got {value!r}")
    return value


def _known(table: Mapping[str, Any], names: set[str], where: str) -> None:
    for name in table:
        if name not in names:
            expected = ", ".join(sorted(names))
            raise ValueError(f"expected a field of {expected}, got {where}{name}: rename it")

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
    at_transition = true        # and unload what is jammed until its overlaps are small

    [[runs]]                    # as `jamscape landscape lj`
    command = "landscape"
    system = "lj"
    n = [6, 7]
    searches = 200

    [[runs]]                    # all states of `jamscape compare`, each a run
    command = "compare"
    size = "small"
    samples = 2

Every kind of run in `bridge.runs` is a command here, and its options and those of its system are
fields of a table. A field of ``[[runs]]`` may also stand at the top, of systems too: it then holds
for every table that knows it, and does not have one of its own.
"""

import math
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Self, get_args, get_origin

from bridge.runs.registry import kinds
from bridge.runs.run import Command
from bridge.runs.task import Task
from bridge.systems.ranges import MOST_RUNS, check_count, options_of
from bridge.systems.system import expect

_MOST_BYTES = 2**24  # of a configuration


Commands = Mapping[str, type[Command]]


def read_runs(path: Path, most: int = MOST_RUNS, commands: Commands | None = None) -> list[Task]:
    """Return every run that the file describes, the same one once.

    ``commands`` are the kinds of run by their names; those of `bridge.runs.kinds` if not given.

    Raises
    ------
    ValueError
        In one line that names the field, if the file cannot be read, a value is wrong, or there
        are more than ``most`` runs.
    """
    try:
        document = tomllib.loads(_text(path))
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"expected a TOML file at {path}, got: {reason}: correct it") from None
    try:
        found = {task.key: task for task in expand(document, most, commands)}
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    return list(found.values())


def _text(path: Path) -> str:
    """Return what the file holds; a pipe or a device may have no end."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
        raise ValueError(f"no regular file of at most {_MOST_BYTES:,} bytes")
    return path.read_text(encoding="utf-8-sig")


def expand(
    document: Mapping[str, Any], most: int = MOST_RUNS, commands: Commands | None = None
) -> Iterator[Task]:
    """Yield the runs that a document describes, which has the fields of a file.

    Raises
    ------
    ValueError
        In one line that names the field; before the first run is yielded.
    """
    commands = kinds() if commands is None else commands
    anywhere = {"command", "system"}
    for command in commands.values():
        anywhere |= _types(command).keys()
        anywhere |= {name for kind in command.takes().values() for name in _types(kind)}
    _known(document, {"seeds", "runs", *anywhere}, "")
    seeds = _seeds(document.get("seeds", 1), most)
    tables: Any = document.get("runs")
    listed = isinstance(tables, list) and tables and all(isinstance(t, dict) for t in tables)
    expect(bool(listed), "at least one [[runs]] table", "none", "add one")
    shared = {name: value for name, value in document.items() if name in anywhere}
    grids = [_Grid.read(shared, table, f"runs[{k}]", commands) for k, table in enumerate(tables)]
    unused = [name for name in shared if not any(name in grid.known for grid in grids)]
    if unused:
        raise ValueError(f"expected a field of one of the runs, got {unused[0]}: remove it")
    count, runs = 0, []
    for grid in grids:
        check_count(count + grid.size * len(seeds), "runs", most)
        runs += (cells := list(grid.cells(seeds[0])))
        count += sum(run.count() for run in cells) * len(seeds)
        check_count(count, "runs", most)
    for run in runs:
        for seed in seeds:
            yield from replace(run, seed=(seed,)).tasks()


@dataclass(frozen=True)
class _Grid:
    """One table: what is run, and the values of each field that is given."""

    where: str
    command: Any
    system: Any
    known: set[str]
    axes: dict[str, list[Any]]

    @classmethod
    def read(
        cls, shared: dict[str, Any], table: dict[str, Any], where: str, commands: Commands
    ) -> Self:
        """Return the grid of a table and of the fields at the top that it knows."""
        both = shared | table
        command = _named(both.get("command", "jam"), commands, f"{where}.command")
        system = None
        if taken := command.takes():
            system = _named(both.get("system", "nothing"), taken, f"{where}.system")
        types = _types(command) | _types(system)
        known = {"command", *(["system"] if system else []), *types}
        _known(table, known, f"{where}.")
        axes = {
            name: [
                _typed(v, types[name], f"{where}.{name}")
                for v in _values(value, types[name], f"{where}.{name}")
            ]
            for name, value in both.items()
            if name in types
        }
        return cls(where, command, system, known, axes)

    @property
    def size(self) -> int:
        """Number of points of the grid."""
        return math.prod(map(len, self.axes.values()))

    def cells(self, seed: int) -> Iterator[Command]:
        """Yield what is run at each point of the grid, from one seed."""
        own, options = _types(self.command), _types(self.system)
        for values in product(*self.axes.values()):
            given = dict(zip(self.axes, values, strict=True))
            try:
                system = self.system and self.system(
                    **{n: v for n, v in given.items() if n in options}
                )
                run: Command = self.command(
                    system, (seed,), **{n: v for n, v in given.items() if n in own}
                )
                run.check_all(given)
            except (ValueError, OverflowError, MemoryError) as error:
                raise ValueError(f"{self.where}: {error or 'too large for the memory'}") from None
            yield run


def _types(kind: Any) -> dict[str, Any]:
    """Return the types of the options of a class."""
    return {item.name: item.type for item in options_of(kind)}


def _named(value: Any, table: Mapping[str, Any], where: str) -> Any:
    known = isinstance(value, str) and value in table
    expect(known, f"{where} to be one of {', '.join(table)}", repr(value), "name one")
    return table[value]


def _seeds(value: Any, most: int) -> list[int]:
    seeds: list[int] = value
    if type(value) is int:
        check_count(value, "seeds", most)
        seeds = list(range(value))
    good = isinstance(seeds, list) and seeds and all(type(s) is int and s >= 0 for s in seeds)
    wanted = "seeds to be a count or a list of seeds >= 0"
    expect(bool(good), wanted, repr(value), "correct it")
    return seeds


def _values(value: Any, annotation: Any, where: str) -> list[Any]:
    """Return the values of an axis: of an option that is several numbers, a list of lists."""
    expect(value != [], f"values for {where}", "an empty list", "name one")
    if not isinstance(value, list):
        return [value]
    several = _several(annotation) and not isinstance(value[0], list)
    return [value] if several else value


def _several(annotation: Any) -> tuple[Any, ...]:
    """Return the types of the numbers of an option that is several of them, else none."""
    allowed = get_args(annotation)
    found = [get_args(kind) for kind in (annotation, *allowed) if get_origin(kind) is tuple]
    return found[0] if found else ()


def _typed(value: Any, annotation: Any, where: str) -> Any:
    """Return the value if it has the type of the option; a whole number may stand for a float."""
    if parts := _several(annotation):
        wanted = f"{where} to be {len(parts)} numbers"
        good = isinstance(value, list) and len(value) == len(parts)
        expect(good, wanted, repr(value), "correct it")
        return tuple(_typed(v, part, where) for v, part in zip(value, parts, strict=True))
    allowed = getattr(annotation, "__args__", (annotation,))
    if float in allowed and type(value) is int and abs(value) <= 2**53:
        return float(value)
    names = " or ".join(kind.__name__ for kind in allowed if kind is not type(None))
    expect(type(value) in allowed, f"{where} to be of type {names}", repr(value), "correct it")
    return value


def _known(table: Mapping[str, Any], names: set[str], where: str) -> None:
    for name in table:
        wanted = f"a field of {', '.join(sorted(names))}"
        expect(name in names, wanted, f"{where}{name}", "rename it")

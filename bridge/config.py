"""An ensemble's configuration: which systems, over which grid of parameters, for which seeds.

A file in TOML::

    seeds = 10                  # 0 to 9; or a list of seeds
    spectrum = false            # diagonalise the Hessian of every state

    [[runs]]
    system = "discs"
    n = [64, 256]               # a list is an axis of the grid
    pressure = [1e-4, 1e-6]
    exact = true                # go to the jamming point

    [[runs]]
    system = "network"
    width = 12
    load = [2.0, 2.5, 3.0]
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import Any

from bridge.runs import Run
from bridge.systems import SYSTEMS, SystemClass

_SWITCHES = ("exact", "spectrum")
_CLASSES = {kind.kind: kind for kind in SYSTEMS}


def read_runs(path: Path) -> list[Run]:
    """Return every run that the file describes, the same one once.

    Raises
    ------
    ValueError
        In one line that names the field, if the file cannot be read or a value is wrong.
    """
    try:
        document = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"expected a TOML file at {path}, got: {reason}") from None
    try:
        found = {run.key: run for run in _expand(document)}
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    return list(found.values())


def _expand(document: Mapping[str, Any]) -> Iterator[Run]:
    _known(document, {"seeds", "runs", *_SWITCHES}, "")
    seeds = _seeds(document.get("seeds", 1))
    shared = {name: document[name] for name in _SWITCHES if name in document}
    tables = document.get("runs")
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables) or not tables:
        raise ValueError("expected at least one [[runs]] table, got none: add one")
    for number, table in enumerate(tables):
        where = f"runs[{number}]"
        yield from _grid(shared | table, seeds, where)


def _grid(table: dict[str, Any], seeds: list[int], where: str) -> Iterator[Run]:
    name = table.get("system", "nothing")
    if not isinstance(name, str) or name not in _CLASSES:
        names = ", ".join(_CLASSES)
        raise ValueError(f"expected {where}.system to be one of {names}, got {name!r}: name one")
    kind = _CLASSES[name]
    types = {item.name: item.type for item in fields(kind)} | dict.fromkeys(_SWITCHES, bool)
    _known(table, {"system", *types}, f"{where}.")
    axes = {
        name: [_typed(one, types[name], f"{where}.{name}") for one in _values(value, where, name)]
        for name, value in table.items()
        if name != "system"
    }
    for values in product(*axes.values()):
        yield from _runs(kind, dict(zip(axes, values, strict=True)), seeds, where)


def _runs(
    kind: SystemClass, options: dict[str, Any], seeds: list[int], where: str
) -> Iterator[Run]:
    exact, spectrum = (options.pop(name, False) for name in _SWITCHES)
    system = kind(**options)
    try:
        system.check()
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    for seed in seeds:
        yield Run(kind.kind, system, (seed,), exact=exact, spectrum=spectrum)


def _seeds(value: Any) -> list[int]:
    count = isinstance(value, int) and not isinstance(value, bool)
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
    if float in allowed and type(value) is int:
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

"""What the files of a report hold: records of runs, or a landscape."""

import sqlite3
import tokenize
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bridge.landscape_show import Stored, read_landscape
from bridge.store import Record, Store

Found = TypeVar("Found")

_WANTED = "expected {path} to hold runs or a landscape, got {got}: name another file"

# What sqlite3, json and numpy raise where bytes of a file are wrong, besides ValueError.
_DAMAGE = (
    sqlite3.Error, LookupError, TypeError, AttributeError, ArithmeticError, EOFError, MemoryError,
    SyntaxError, tokenize.TokenError,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Sources:
    """Everything that was found, in the order of the files."""

    records: Sequence[Record]
    landscapes: Sequence[Stored]


def read_sources(paths: Sequence[Path]) -> Sources:
    """Read stores of runs and stored landscapes; a run that is in two files is taken once.

    Raises
    ------
    ValueError
        If a file is missing, is neither, or holds nothing.
    """
    records: dict[str, Record] = {}
    landscapes = []
    for path in dict.fromkeys(paths):
        tables = _tables(path)
        if "points" in tables:
            landscapes.append(_whole(read_landscape, path))
        elif not {"records", "arrays"} <= tables:
            raise ValueError(_WANTED.format(path=path, got="another kind of file"))
        else:
            found = _whole(_records, path)
            if not found:
                raise ValueError(f"expected finished runs in {path}, got none: let it run longer")
            records |= {record.key: record for record in found}
    return Sources(list(records.values()), landscapes)


def _records(path: Path) -> list[Record]:
    with Store(path) as store:
        try:
            return list(store.records())
        except ValueError as error:
            raise ValueError(f"expected whole records in {path}, got: {error}") from error


def _whole(read: Callable[[Path], Found], path: Path) -> Found:
    try:
        return read(path)
    except _DAMAGE as error:
        raise ValueError(
            f"expected a whole file, got {path} with '{error}': run it again"
        ) from error


def _tables(path: Path) -> set[str]:
    if not path.is_file():
        raise ValueError(f"expected a store or a landscape, got no file at {path}: check the name")
    connection = sqlite3.connect(path, timeout=0.5)
    try:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    except sqlite3.Error as error:
        raise ValueError(_WANTED.format(path=path, got=error)) from error
    finally:
        connection.close()
    return {name for (name,) in rows}

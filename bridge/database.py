"""SQLite files that are ours and nobody else's, and arrays in them."""

import io
import math
import sqlite3
import tokenize
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What sqlite3, json and numpy raise where the bytes of a file are wrong.
_DAMAGE = (
    sqlite3.Error, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, EOFError,
    MemoryError, SyntaxError, tokenize.TokenError,
)  # fmt: skip


def to_npy(value: NDArray[Any]) -> bytes:
    """Return an array as the bytes of a ``.npy`` file."""
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(value), allow_pickle=False)
    return buffer.getvalue()


def from_npy(npy: bytes) -> NDArray[Any]:
    """Return the array of a ``.npy`` file; ``ValueError`` if it is none."""
    begin = 10 + int.from_bytes(npy[8:10], "little")
    if npy[:8] != b"\x93NUMPY\x01\x00" or len(npy) < begin:
        found: NDArray[Any] = np.lib.format.read_array(io.BytesIO(npy), allow_pickle=False)
        return found
    shape, by_columns, dtype = _layout(npy[8:begin])
    if dtype.hasobject or len(npy) - begin != dtype.itemsize * math.prod(shape):
        raise ValueError(f"expected an array of {shape} {dtype}, got {len(npy) - begin} bytes")
    flat = np.frombuffer(npy, dtype, offset=begin)
    return flat.reshape(shape, order="F" if by_columns else "C").copy("K")


@lru_cache(maxsize=1000)
def _layout(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read a header once: the thousands of states of a landscape have one."""
    return np.lib.format.read_array_header_1_0(io.BytesIO(header))


def connect(
    path: Path, tables: Collection[str], what: str, *, read_only: bool
) -> sqlite3.Connection:
    """Open a file that has these tables, or is new; one of another program is left as it is.

    The path ``:memory:`` is no file: what is written there is gone when the connection closes.

    Raises
    ------
    ValueError
        In one line, if that is not so.
    """
    if str(path) == ":memory:":
        return sqlite3.connect(":memory:", check_same_thread=False)
    if read_only and not path.is_file():
        raise ValueError(f"expected a {what}, got no file at {path}: check the name")
    mode = "rw" if read_only else "rwc"  # rw, because what a killed writer left is rolled back
    connection = None
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=0.5,
            check_same_thread=False,
        )
        found = _tables(connection)
        if found != set(tables) and (found or read_only):
            raise sqlite3.DatabaseError("file is not a database of ours")
    except (sqlite3.Error, ValueError) as error:
        if connection is not None:
            connection.close()
        raise ValueError(explain(path, what, error)) from error
    return connection


def holds(path: Path, tables: Collection[str]) -> bool:
    """Tell whether a file is a database of exactly these tables."""
    if not path.is_file():
        return False
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=0.5)
    try:
        return _tables(connection) == set(tables)
    except sqlite3.Error:
        return False
    finally:
        connection.close()


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows}


@contextmanager
def whole(path: Path) -> Iterator[None]:
    """Say in one line that a file is damaged, whatever in it could not be read.

    Raises
    ------
    ValueError
        If something could not be.
    """
    try:
        yield
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"expected a whole file at {path}, got: {reason}: run it again") from error


def explain(path: Path, what: str, error: Exception) -> str:
    """Return the line to say when SQLite cannot use a file."""
    if "locked" in str(error):
        return f"expected to be the only user of {path}, got a file in use: let that run end"
    if any(text in str(error) for text in ("not a database", "no such", "encrypted")):
        return f"expected a jamscape {what}, got another kind of file: {path}: name another file"
    return f"expected a {what} at {path}, got '{error}': check the file and its folder"

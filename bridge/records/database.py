"""SQLite files with the schema of this program, and arrays in them."""

import io
import math
import os
import sqlite3
import tokenize
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

# What sqlite3, json and numpy raise where the bytes of a file are wrong.
DAMAGE = (
    sqlite3.Error, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, EOFError,
    MemoryError, SyntaxError, tokenize.TokenError,
)  # fmt: skip
_MEMORY = ":memory:"


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


class OtherVersionError(ValueError):
    """A file that another version has written: it is whole, and not to be continued."""


class Database:
    """A file that has these tables, or is new; one of another program is left as it is.

    Its tables are made in one transaction, and what is written later in one each: a process that
    is killed leaves all of a transaction or nothing of it. A transaction outlives the process at
    once, and a power cut a little later (a write-ahead log, synchronised from time to time).

    Parameters
    ----------
    path
        ``:memory:`` is no file: what is written there is gone when it is closed.
    tables
        The statement that makes each table, by its name.
    probe
        A query that a file of ours can answer.
    what
        The kind of file, for messages.
    read_only
        Expect a file that is there and that nobody is writing.

    Raises
    ------
    ValueError
        In one line, if the file cannot be used, is of another kind, or is in use.
    """

    def __init__(
        self,
        path: str | Path,
        tables: Mapping[str, str],
        probe: str,
        what: str,
        *,
        read_only: bool = False,
    ) -> None:
        self.path, self.what, self.read_only = Path(path), what, read_only
        is_file = str(path) != _MEMORY
        if read_only and not self.path.is_file():
            raise ValueError(f"expected a {what}, got no file at {path}: check the name")
        is_new = is_file and not self.path.exists()
        connection = None
        try:
            connection = _connect(self.path, "rw" if read_only else "rwc")
            _check_tables(connection, tables, read_only)
            if not read_only:
                _prepare(connection, tables)
            connection.execute(probe).fetchone()
        except (sqlite3.Error, ValueError) as error:
            if connection is not None:
                connection.close()
            empty = self.path.is_file() and self.path.stat().st_size == 0
            if is_new and not _is_locked(error) and empty:
                self.path.unlink()  # it is ours: nothing was there, and nothing could be written
            raise ValueError(explain(self.path, what, error)) from error
        self._connection = connection
        self._place = _place(self.path) if is_file and not read_only else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Close the file; an error that is under way says more than one that follows from it."""
        follows = (OSError,) if isinstance(error, Exception) else ()
        with suppress(*follows):
            self.close()

    def check_schema(self, expected: int, found: Callable[[], Any]) -> None:
        """Close a file of another version, or whose schema ``found()`` cannot read, and say so.

        Raises
        ------
        OtherVersionError
            In one line, if the schemas differ.
        ValueError
            In one line, if the file is damaged.
        """
        try:
            with whole(self.path):
                got = found()
                age = "an older" if got < expected else "a newer"
                if got != expected:
                    raise OtherVersionError(
                        f"expected schema {expected}, got {got} in {self.path}: it was written by "
                        f"{age} version; open it with that version, or run its command again with "
                        "another file"
                    )
        except ValueError:
            self.close()
            raise

    def query(self, query: str, values: Collection[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows that answer a query; ``ValueError`` in one line from a damaged file."""
        with whole(self.path):
            return self._connection.execute(query, tuple(values)).fetchall()

    @contextmanager
    def transaction(self, text: str) -> Iterator[sqlite3.Connection]:
        """Keep all that the block writes or nothing of it, whatever ends the block.

        Parameters
        ----------
        text
            What is written, for the message.

        Raises
        ------
        OSError
            In one line, if the disk is full, or the file has been removed.
        """
        try:
            self._check_place(text)
            self._roll_back()  # a signal may have come where no block could see it
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise OSError(
                f"expected to keep {text} in {self.path}, got '{error}': make room for it, and the "
                "same command goes on"
            ) from error
        finally:
            self._roll_back()

    def close(self) -> None:
        """Give the file back, as one file; a transaction that has not ended is left out.

        Raises
        ------
        OSError
            In one line, if the file has been removed, or cannot be made one file.
        """
        try:
            self._roll_back()
            if not self.read_only:
                self._check_place("what was written")
                self._connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            raise OSError(
                f"expected to close {self.path}, got '{error}': keep {self.path}-wal beside it, "
                "and the same command goes on"
            ) from error
        finally:
            self._connection.close()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):  # of a full disk, which has rolled back already
                self._connection.execute("ROLLBACK")

    def _check_place(self, text: str) -> None:
        """Find a file that was removed: SQLite would go on writing where nobody can read it."""
        if self._place is not None and _place(self.path) != self._place:
            raise OSError(
                f"expected to keep {text} in {self.path}, got a file that was removed or replaced "
                "meanwhile: leave it there, and the same command starts it anew"
            )


def holds(path: Path, tables: Collection[str]) -> bool:
    """Tell whether a file is a database of exactly these tables.

    Raises
    ------
    ValueError
        In one line, if it is in use.
    """
    if not path.is_file():
        return False
    connection = _connect(path, "rw")
    try:
        return _tables(connection) == set(tables)
    except sqlite3.Error as error:
        if _is_locked(error):
            raise ValueError(explain(path, "store", error)) from error
        return False
    finally:
        connection.close()


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
    except OtherVersionError:
        raise
    except DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(
            f"expected a whole file at {path}, got: {reason}: run its command again "
            "with another file"
        ) from error


def explain(path: Path, what: str, error: Exception) -> str:
    """Return the line to say when SQLite cannot use a file."""
    if _is_locked(error):
        return f"expected to be the only user of {path}, got a file in use: let that run end"
    if any(text in str(error) for text in ("not a database", "no such", "encrypted")):
        return f"expected a jamscape {what}, got another kind of file: {path}: name another file"
    return f"expected a {what} at {path}, got '{error}': check the file and its folder"


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open a file, for writing too: what a killed writer left has to be rolled back."""
    where = path.absolute().as_uri() + f"?mode={mode}" if str(path) != _MEMORY else "file::memory:"
    return sqlite3.connect(where, uri=True, timeout=0.5, isolation_level=None)


def _check_tables(connection: sqlite3.Connection, tables: Collection[str], read_only: bool) -> None:
    found = _tables(connection)
    if not found and read_only:
        raise ValueError("an empty file")
    if found and found != set(tables):
        raise sqlite3.DatabaseError("file is not a database of ours")


def _prepare(connection: sqlite3.Connection, tables: Mapping[str, str]) -> None:
    """Take the file for this process alone, and make the tables of a new one all at once."""
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("BEGIN IMMEDIATE")
    if not _tables(connection):
        for statement in tables.values():
            connection.execute(statement)
    connection.execute("COMMIT")


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows}


def _place(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from one that takes its name later."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_locked(error: Exception) -> bool:
    return "locked" in str(error)

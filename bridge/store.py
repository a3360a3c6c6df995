"""Records of runs in one SQLite file, keyed by what was run.

The key of a record is a hash of (kind, parameters, seed, schema version). A key that is there is
not computed again: that is how an interrupted run continues. Commits are batched about once a
second, so a killed process loses at most the last second.
"""

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from bridge.database import connect, explain, from_npy, to_npy, whole

# 2: the state itself is kept with its gaps and spectra; 3: data are known by their content, and
# settings that are no options are parameters.
SCHEMA = 3
TABLES = ("records", "arrays")
_COMMIT_EVERY = 1.0  # seconds
_COLUMNS = "key, kind, parameters, seed, status, seconds, data, provenance"
_TABLES = """
CREATE TABLE IF NOT EXISTS records (
    key TEXT PRIMARY KEY, kind TEXT NOT NULL, parameters TEXT NOT NULL, seed TEXT NOT NULL,
    status TEXT NOT NULL, seconds REAL NOT NULL, data TEXT NOT NULL, provenance TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS arrays (
    key TEXT NOT NULL REFERENCES records(key), name TEXT NOT NULL, npy BLOB NOT NULL,
    PRIMARY KEY (key, name));
"""

Json = Any  # what the json module reads and writes


@dataclass(frozen=True, eq=False)
class Record:
    """One finished run: what was run, how it ended, and what was measured."""

    kind: str
    parameters: Mapping[str, Json]
    seed: tuple[int, ...]
    status: str
    seconds: float
    data: Mapping[str, Json]
    provenance: Mapping[str, Json]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The identity of the run."""
        return record_key(self.kind, self.parameters, self.seed)


def record_key(kind: str, parameters: Mapping[str, Json], seed: tuple[int, ...]) -> str:
    """Return the hash that identifies a run.

    >>> record_key("discs", {"phi": 0.84, "n": 64}, (0,)) == record_key(
    ...     "discs", {"n": 64, "phi": 0.84}, (0,))
    True
    """
    identity = json.dumps([SCHEMA, kind, dict(parameters), list(seed)], sort_keys=True)
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


class Store:
    """A file of records with one writer; with ``read_only``, one that is not being written.

    Raises
    ------
    ValueError
        If the file cannot be used, is not a store, or another run is writing it.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._committed = 0.0
        self._connection = connect(self.path, TABLES, "store", read_only=read_only)
        try:
            if not read_only:
                self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                self._connection.executescript(_TABLES)
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.commit()
            self._connection.execute(f"SELECT {_COLUMNS} FROM records LIMIT 1").fetchone()
        except sqlite3.Error as error:
            self._connection.close()
            raise ValueError(explain(self.path, "store", error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __contains__(self, key: str) -> bool:
        with self._lock:
            return self._has(key)

    def put(self, record: Record) -> None:
        """Keep a record; one that is there already is left as it is."""
        with self._lock:
            if not self._has(record.key):
                self._insert(record)
            self._commit_soon()

    def records(self, kind: str | None = None) -> Iterator[Record]:
        """Yield the records, of one kind or all, in the order in which they were kept.

        Raises
        ------
        ValueError
            If the file is damaged.
        """
        query = f"SELECT {_COLUMNS} FROM records WHERE kind = ? OR ? IS NULL ORDER BY rowid"
        with self._lock, whole(self.path):
            rows = self._connection.execute(query, (kind, kind)).fetchall()
        for row in rows:
            with self._lock, whole(self.path):
                found = _record(row, self._arrays(row[0]))
            yield found

    def get(self, key: str) -> Record | None:
        """Return one record, or None."""
        query = f"SELECT {_COLUMNS} FROM records WHERE key = ?"
        with self._lock, whole(self.path):
            row = self._connection.execute(query, (key,)).fetchone()
            return _record(row, self._arrays(key)) if row else None

    def statuses(self) -> dict[str, str]:
        """Return the status of every record by its key."""
        with self._lock, whole(self.path):
            return dict(self._connection.execute("SELECT key, status FROM records"))

    def flush(self) -> None:
        """Write everything to the file now."""
        with self._lock:
            self._commit()

    def close(self) -> None:
        """Write everything and give the file back."""
        with self._lock:
            self._commit()
            self._connection.close()

    def _has(self, key: str) -> bool:
        query = "SELECT 1 FROM records WHERE key = ?"
        return self._connection.execute(query, (key,)).fetchone() is not None

    def _insert(self, record: Record) -> None:
        texts = (record.parameters, record.seed, record.data, record.provenance)
        parameters, seed, data, origin = (json.dumps(_plain(text)) for text in texts)
        self._connection.execute(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.key,
                record.kind,
                parameters,
                seed,
                record.status,
                record.seconds,
                data,
                origin,
            ),
        )
        blobs = ((record.key, name, to_npy(value)) for name, value in record.arrays.items())
        self._connection.executemany("INSERT INTO arrays VALUES (?, ?, ?)", blobs)

    def _arrays(self, key: str) -> dict[str, NDArray[Any]]:
        rows = self._connection.execute("SELECT name, npy FROM arrays WHERE key = ?", (key,))
        return {name: from_npy(npy) for name, npy in rows}

    def _commit_soon(self) -> None:
        """Commit now if the last commit is a second old, else let a timer do it."""
        waited = time.monotonic() - self._committed
        if waited >= _COMMIT_EVERY:
            self._commit()
        elif self._timer is None:
            self._timer = threading.Timer(_COMMIT_EVERY - waited, self.flush)
            self._timer.daemon = True
            self._timer.start()

    def _commit(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._connection.commit()
        self._committed = time.monotonic()


def _record(row: tuple[Any, ...], arrays: Mapping[str, NDArray[Any]]) -> Record:
    _, kind, parameters, seed, status, seconds, data, origin = row
    path = tuple(map(int, json.loads(seed)))
    if not (path and isinstance(kind, str) and isinstance(status, str)):
        raise ValueError(f"a record of kind {kind!r}, seed {seed!r} and status {status!r}")
    return Record(
        kind=kind,
        parameters=dict(json.loads(parameters)),
        seed=path,
        status=status,
        seconds=float(seconds),
        data=dict(json.loads(data)),
        provenance=dict(json.loads(origin)),
        arrays=arrays,
    )


def _plain(value: Json) -> Json:
    """Turn mappings into dicts for the json module."""
    return dict(value) if isinstance(value, Mapping) else value

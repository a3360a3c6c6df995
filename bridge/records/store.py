"""Records of runs in one SQLite file, keyed by what was run.

The key of a record is a hash of (kind, parameters, seed, schema version). A key that is there is
not computed again: that is how an interrupted run continues. A record and its arrays are one
transaction, so that a killed process loses no more than the runs that had not ended.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from bridge.records.database import Database, from_npy, to_npy, whole

# 2: the state itself is kept with its gaps and spectra; 3: data are known by their content, and
# settings that are no options are parameters; 4: a record of a state has all that `jam` prints;
# 5: `pressure` is that of `observe` alone, and loadings keep the overlap per variable.
SCHEMA = 5
_COLUMNS = "key, kind, parameters, seed, status, seconds, data, provenance"
TABLES = {
    "records": """CREATE TABLE records (
        key TEXT PRIMARY KEY, kind TEXT NOT NULL, parameters TEXT NOT NULL, seed TEXT NOT NULL,
        status TEXT NOT NULL, seconds REAL NOT NULL, data TEXT NOT NULL, provenance TEXT NOT NULL)
    """,
    "arrays": """CREATE TABLE arrays (
        key TEXT NOT NULL REFERENCES records(key), name TEXT NOT NULL, npy BLOB NOT NULL,
        PRIMARY KEY (key, name))
    """,
}

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
        probe = f"SELECT {_COLUMNS} FROM records LIMIT 1"
        self._file = Database(path, TABLES, probe, "store", read_only=read_only)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.__exit__(kind, error, trace)

    def __contains__(self, key: str) -> bool:
        return bool(self._file.query("SELECT 1 FROM records WHERE key = ?", (key,)))

    def put(self, record: Record) -> None:
        """Keep a record and its arrays; one that is there already is left as it is.

        Raises
        ------
        OSError
            In one line that names the run, if it cannot be kept: the disk is full, or the file has
            been removed.
        """
        texts = (record.parameters, record.seed, record.data, record.provenance)
        parameters, seed, data, origin = (json.dumps(_plain(text)) for text in texts)
        named = (record.key, record.kind, parameters, seed, record.status, record.seconds)
        blobs = [(record.key, name, to_npy(value)) for name, value in record.arrays.items()]
        with self._file.transaction(f"{record.kind} with seed {record.seed[-1]}") as connection:
            if record.key not in self:
                marks = ", ".join("?" * 8)
                row = (*named, data, origin)
                connection.execute(f"INSERT INTO records VALUES ({marks})", row)
                connection.executemany("INSERT INTO arrays VALUES (?, ?, ?)", blobs)

    def records(self, kind: str | None = None) -> Iterator[Record]:
        """Yield the records, of one kind or all, in the order in which they were kept.

        Raises
        ------
        ValueError
            If the file is damaged, or another version of the program wrote it.
        """
        query = f"SELECT {_COLUMNS} FROM records WHERE kind = ? OR ? IS NULL ORDER BY rowid"
        for row in self._file.query(query, (kind, kind)):
            with whole(self.path):
                found = _record(row, self._arrays(row[0]))
            if found.key != row[0]:
                raise ValueError(
                    f"expected records of schema {SCHEMA} in {self.path}, got those of another "
                    "version of jamscape: run again into a new file, or read it by that version"
                )
            yield found

    def get(self, key: str) -> Record | None:
        """Return one record, or None."""
        rows = self._file.query(f"SELECT {_COLUMNS} FROM records WHERE key = ?", (key,))
        with whole(self.path):
            return _record(rows[0], self._arrays(key)) if rows else None

    def keys(self) -> list[str]:
        """Return the key of every record, in the order in which they were kept."""
        return [key for (key,) in self._file.query("SELECT key FROM records ORDER BY rowid", ())]

    def statuses(self) -> dict[str, str]:
        """Return the status of every record by its key."""
        return dict(self._file.query("SELECT key, status FROM records"))

    def close(self) -> None:
        """Give the file back, as one file.

        Raises
        ------
        OSError
            In one line, if it has been removed, or the disk is full.
        """
        self._file.close()

    def _arrays(self, key: str) -> dict[str, NDArray[Any]]:
        rows = self._file.query("SELECT name, npy FROM arrays WHERE key = ?", (key,))
        return {name: from_npy(npy) for name, npy in rows}


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

"""Records of runs in one SQLite file, keyed by what was run.

The key of a record is a hash of (kind, parameters, seed, schema version). A key that is there is
not computed again: that is how an interrupted run continues. A record and its arrays are one
transaction, so that a killed process loses no more than the runs that had not ended.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bridge.records.database import DAMAGE, Database, from_npy, to_npy, whole
from bridge.records.provenance import provenance

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
    provenance: Mapping[str, Json] = field(default_factory=provenance)
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The identity of the run."""
        return record_key(self.kind, self.parameters, self.seed)


def record_key(
    kind: str,
    parameters: Mapping[str, Json],
    seed: Sequence[int],
    schema: int | None = None,
) -> str:
    """Return the hash that identifies a run, by this schema or an earlier one.

    >>> record_key("discs", {"phi": 0.84, "n": 64}, (0,)) == record_key(
    ...     "discs", {"n": 64, "phi": 0.84}, (0,))
    True
    """
    version = SCHEMA if schema is None else schema
    identity = json.dumps([version, kind, dict(parameters), list(seed)], sort_keys=True)
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


class Store(Database):
    """A file of records with one writer; with ``read_only``, one that is not being written.

    Raises
    ------
    ValueError
        If the file cannot be used, is not a store or one of another version, or is being written.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        probe = f"SELECT {_COLUMNS} FROM records LIMIT 1"
        super().__init__(path, TABLES, probe, "store", read_only=read_only)
        self.check_schema(SCHEMA, self._schema)

    def __contains__(self, key: str) -> bool:
        return bool(self.query("SELECT 1 FROM records WHERE key = ?", (key,)))

    def put(self, record: Record) -> None:
        """Keep a record and its arrays; one that is there already is left as it is.

        Raises
        ------
        OSError
            In one line that names the run, if it cannot be kept: the disk is full, or the file has
            been removed.
        """
        texts = (record.parameters, record.seed, record.data, record.provenance)
        parameters, seed, data, origin = (json.dumps(text, default=dict) for text in texts)
        named = (record.key, record.kind, parameters, seed, record.status, record.seconds)
        blobs = [(record.key, name, to_npy(value)) for name, value in record.arrays.items()]
        with self.transaction(f"{record.kind} with seed {record.seed[-1]}") as connection:
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
        for row in self.query(query, (kind, kind)):
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
        rows = self.query(f"SELECT {_COLUMNS} FROM records WHERE key = ?", (key,))
        with whole(self.path):
            return _record(rows[0], self._arrays(key)) if rows else None

    def keys(self) -> list[str]:
        """Return the key of every record, in the order in which they were kept."""
        return [key for (key,) in self.query("SELECT key FROM records ORDER BY rowid", ())]

    def statuses(self) -> dict[str, str]:
        """Return the status of every record by its key."""
        return dict(self.query("SELECT key, status FROM records"))

    def _schema(self) -> int:
        """Return the schema of the first record, which only its key tells."""
        query = "SELECT key, kind, parameters, seed FROM records ORDER BY rowid LIMIT 1"
        for key, kind, parameters, seed in self.query(query):
            with suppress(*DAMAGE):  # of which reading will say more
                run = (kind, json.loads(parameters), json.loads(seed))
                return next((k for k in range(1, SCHEMA) if record_key(*run, k) == key), SCHEMA)
        return SCHEMA

    def _arrays(self, key: str) -> dict[str, NDArray[Any]]:
        rows = self.query("SELECT name, npy FROM arrays WHERE key = ?", (key,))
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

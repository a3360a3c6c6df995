"""The files of a report: records of runs, or a landscape."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.landscape.store import TABLES as LANDSCAPE
from bridge.records.database import holds, whole
from bridge.records.store import TABLES as RECORDS
from bridge.records.store import Record, Store
from bridge.report.landscape_folder import Stored, read_landscape


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
        If a file is missing, is neither, is damaged, or holds nothing.
    """
    records: dict[str, Record] = {}
    landscapes = []
    for path in dict.fromkeys(paths):
        if holds(path, LANDSCAPE):
            with whole(path):
                landscapes.append(read_landscape(path))
        elif holds(path, RECORDS):
            records |= {record.key: record for record in _records(path)}
        else:
            got = "another kind of file" if path.is_file() else "no file there"
            raise ValueError(
                f"expected {path} to hold runs or a landscape, got {got}: name another"
            )
    return Sources(list(records.values()), landscapes)


def _records(path: Path) -> list[Record]:
    with Store(path, read_only=True) as store:
        found = list(store.records())
    if not found:
        raise ValueError(f"expected finished runs in {path}, got none: let it run longer")
    return found

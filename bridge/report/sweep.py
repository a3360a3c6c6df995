"""Runs over a grid of parameters, from Python: the same keys and records as the command line."""

from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.records.store import Record, Store
from bridge.report.dataset import dataset, table
from bridge.runs import cluster
from bridge.runs.grid import expand
from bridge.runs.pool import Failed
from bridge.runs.progress import Progress
from bridge.runs.task import local, run_all
from bridge.systems.ranges import MOST_RUNS

if TYPE_CHECKING:
    from pandas import DataFrame
    from xarray import Dataset


@dataclass(frozen=True, eq=False, repr=False)
class Runs:
    """The records of a sweep, in the order of its grid.

    Attributes
    ----------
    records
        One for each run that came to an end, stalled ones too.
    failures
        Runs that raised, or whose process ended: the same sweep tries them again.
    """

    records: Sequence[Record]
    failures: Sequence[Failed]

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        counts = Counter(record.status for record in self.records)
        counts["failed"] = len(self.failures)
        found = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
        return f"Runs({found or 'none'})"

    def to_xarray(self) -> "Dataset":
        """Return numbers and arrays with the dimension ``run``; parameters are coordinates."""
        return dataset(self.records)

    def to_pandas(self) -> "DataFrame":
        """Return parameters and numbers as a table, a row each."""
        return table(self.records)


def sweep(
    system: str | None = None,
    *,
    command: str = "jam",
    seeds: int | Sequence[int] = 10,
    out: str | Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: bool = True,
    most_runs: int = MOST_RUNS,
    **parameters: Any,
) -> Runs:
    """Run a command over a grid of parameters and seeds.

    Parameters
    ----------
    system, command
        As on the command line: ``sweep("discs")`` is ``jamscape jam discs``.
    seeds
        A count, for 0, 1, ..., or the seeds.
    out
        A file ``.sqlite`` to keep the records in: what is there is not computed again.
    workers
        Processes; all cores if not given.
    scheduler
        Address of a Dask scheduler, instead of processes here.
    progress
        Whether to show how many runs have ended.
    parameters
        Options of the system and of the command, by their names; a list is an axis of the grid.

    Raises
    ------
    ValueError
        In one line, if a parameter is wrong; nothing has been run then.

    Examples
    --------
    >>> runs = sweep("discs", n=8, pressure=[1e-3, 1e-4], seeds=2, workers=1, progress=False)
    >>> len(runs), sorted(set(runs.to_pandas().pressure))
    (4, [0.0001, 0.001])
    """
    where = {"command": command, **({} if system is None else {"system": system})}
    chosen = list(seeds) if not isinstance(seeds, int) else seeds
    grid = {name: _plain(value) for name, value in parameters.items()}
    tasks = list(expand({"seeds": chosen, "runs": [{**where, **grid}]}, most_runs))
    mapper = local(workers) if scheduler is None else cluster.connect(scheduler)
    shown = Progress(f"sweep, {command}") if progress else nullcontext(lambda done, total: None)
    with Store(":memory:" if out is None else out) as store, shown as report:
        failures = run_all(tasks, store, progress=report, mapper=mapper)
        records = [record for task in tasks if (record := store.get(task.key))]
    return Runs(records, failures)


def _plain(value: Any) -> Any:
    """Return numbers of numpy, ranges and arrays as what a file in TOML would hold."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return [_plain(item) for item in value] if isinstance(value, list | tuple | range) else value

"""Tasks that leave records, and how they are computed: here, on a cluster, the same once."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from bridge.records.store import Record, Store
from bridge.runs.pool import Failed, title
from bridge.runs.progress import Progress, Report
from bridge.runs.workers import map_unordered


class Task(Protocol):
    """Anything that leaves a record under a key that is known before it runs."""

    @property
    def label(self) -> str:
        """The kind of the record."""

    @property
    def seed(self) -> tuple[int, ...]:
        """Entropy, and then the spawn key, of its random numbers."""

    @property
    def parameters(self) -> dict[str, Any]:
        """What is run, for the record."""

    @property
    def key(self) -> str:
        """The key of the record it will leave."""

    def compute(self) -> Record:
        """Run it."""


Mapper: TypeAlias = Callable[
    [Callable[[Task], Record | Failed], Sequence[Task]], Iterator[Record | Failed]
]


def compute(task: Task) -> Record | Failed:
    """Run a task; an exception is its result, so that the others of an ensemble go on.

    Its data may have been replaced meanwhile: then nobody knows what they were.
    """
    try:
        key = task.key
        found = task.compute()
        if not key == found.key == task.key:
            raise ValueError(
                "expected data that stay as they are, got others during the run: run it again"
            )
        return found
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the other runs
        text = " ".join(str(error).split())
        return Failed(task, f"{type(error).__name__}: {text}" if text else type(error).__name__)


def local(workers: int | None = None) -> Mapper:
    """Return the mapper that computes on this machine, on all its cores if no number is given."""
    return partial(map_unordered, workers=workers, lost=Failed)


def run_all(
    tasks: Sequence[Task], store: Store, *, progress: Report, mapper: Mapper | None = None
) -> list[Failed]:
    """Compute the tasks that the store does not hold, keep each as it ends; return the failures.

    ``mapper(function, tasks)`` says where: `local` on this machine, as if it is not given,
    `cluster.connect` on a cluster.

    Raises
    ------
    OSError
        In one line that names the run, if a record cannot be kept.
    """
    missing = [task for task in tasks if task.key not in store]
    done = len(tasks) - len(missing)
    costs = {task.key: cost_of(task) for task in missing}
    whole = sum(costs.values())

    def say() -> None:
        if isinstance(progress, Progress):
            running = sum(list(costs.values())[: progress.workers])  # they start in this order
            progress.spend(whole - sum(costs.values()), running, whole)
        progress(done, len(tasks))

    say()
    failures = []
    for found in (mapper or local())(compute, missing):
        if isinstance(found, Failed):
            failures.append(found)
            costs.pop(found.task.key, None)
        else:
            store.put(found)
            costs.pop(found.key, None)
        done += 1
        say()
    return failures


def cost_of(task: Task) -> float:
    """Return about how many seconds of one core a task takes; 1 where it does not say."""
    return float(getattr(task, "cost", 1.0))


def raise_failures(failures: Sequence[Failed], among: int, out: Path | None = None) -> None:
    """Say in one line that runs have failed, how the first of them did, and where others are kept.

    Raises
    ------
    RuntimeError
        If any has.
    """
    if failures:
        task, reason = failures[0].task, failures[0].reason
        text = f"{len(failures)} of {among} runs, {title(task)} by {reason}"
        kept = f"the others are kept in {out}, and the same command tries these again"
        raise RuntimeError(text if out is None else f"{text}: {kept}")

"""Ensembles: which part of them a shard runs, and what they will cost."""

import re
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bridge.records.store import Record
from bridge.runs.pool import Failed
from bridge.runs.progress import duration
from bridge.runs.task import Task, compute, raise_failures

Item = TypeVar("Item")

_LOADING = 5.0  # seconds that compiled kernels and torch may take to load


@dataclass(frozen=True)
class Pilot:
    """The cost of runs that differ by their seeds only, from one of them.

    ``seconds`` is None if there was no time left for it.
    """

    label: str
    varied: str
    n_runs: int
    seconds: float | None


@dataclass(frozen=True)
class CostEstimate:
    """What an ensemble will cost."""

    n_runs: int
    n_done: int
    pilots: tuple[Pilot, ...]

    @property
    def seconds(self) -> float:
        """Processor time of all runs whose like has been tried."""
        return sum(p.n_runs * p.seconds for p in self.pilots if p.seconds is not None)

    def as_text(self, workers: int) -> str:
        """Return a line for each kind of run, and the total."""
        lines = [_line(pilot) for pilot in self.pilots]
        least = "at least " if any(pilot.seconds is None for pilot in self.pilots) else ""
        done = f", {self.n_done} of them are there already" if self.n_done else ""
        cost = f"{least}{duration(self.seconds)} of work"
        share = f", {duration(self.seconds / workers)} on {workers} processes"
        return "\n".join([*lines, f"{self.n_runs} runs{done}: {cost}{share}"])


def shard(runs: Sequence[Item], text: str) -> list[Item]:
    """Return shard ``I/K`` of the runs, ``1 <= I <= K``: every K-th, so that shards cost alike.

    Raises
    ------
    ValueError
        If the text is not of that form.

    >>> [len(shard(range(10), f"{i}/3")) for i in (1, 2, 3)]
    [4, 3, 3]
    """
    parts = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if parts is None or not 1 <= int(parts[1]) <= int(parts[2]):
        raise ValueError(f"expected a shard I/K with 1 <= I <= K, got {text}: pass 1/8, 2/8, ...")
    return list(runs[int(parts[1]) - 1 :: int(parts[2])])


def estimate(
    runs: Sequence[Task],
    done: Container[str] = (),
    *,
    pilot: Callable[[Task], Record | Failed] = compute,
    patience: float = 60.0,
) -> CostEstimate:
    """Try one run of each kind, until ``patience`` seconds have passed, and estimate from it.

    Parameters
    ----------
    done
        Keys of runs that need not be run again.
    """
    left = [run for run in runs if run.key not in done]
    groups: dict[tuple[str, str], list[Task]] = {}
    for run in left:
        groups.setdefault((run.label, repr(run.parameters)), []).append(run)
    varied = _varied([group[0] for group in groups.values()])
    started, pilots, warm = time.monotonic(), [], set()
    for (label, _), group in groups.items():
        seconds = None
        if time.monotonic() - started < patience:
            seconds = _cost(group[0], pilot)
            if label not in warm and seconds < _LOADING:  # the first of a kind loads its code
                seconds = _cost(group[0], pilot)
            warm.add(label)
        pilots.append(Pilot(label, varied(group[0]), len(group), seconds))
    return CostEstimate(len(runs), len(runs) - len(left), tuple(pilots))


def _cost(run: Task, pilot: Callable[[Task], Record | Failed]) -> float:
    found = pilot(run)
    if isinstance(found, Failed):
        raise_failures([found], 1)
        return 0.0
    return found.seconds


def _varied(runs: Sequence[Task]) -> Callable[[Task], str]:
    """Return how to tell a run from the others of its label: the parameters that vary."""
    values: dict[tuple[str, str], set[str]] = {}
    for run in runs:
        for name, value in run.parameters.items():
            values.setdefault((run.label, name), set()).add(repr(value))

    def text(run: Task) -> str:
        given = run.parameters.items()
        told = [(name, v) for name, v in given if len(values[run.label, name]) > 1]
        return "  ".join(f"{name} {value}" for name, value in told if value is not None)

    return text


def _line(pilot: Pilot) -> str:
    cost = "not tried" if pilot.seconds is None else f"{duration(pilot.seconds)} each"
    return f"{pilot.label:22}{pilot.n_runs:7} runs, {cost:>12}  {pilot.varied}".rstrip()

"""Ensembles: any number of runs, on this machine, on a shard of it, or on a cluster."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bridge.runs import Run, compute
from bridge.store import Record


@dataclass(frozen=True)
class Estimate:
    """What an ensemble will cost, from one pilot run of each kind.

    ``seconds`` is processor time over all runs; divide it by the number of workers.
    """

    n_runs: int
    seconds: float
    pilots: tuple[tuple[str, int, float], ...]  # (label, number of runs, seconds of the pilot)

    def as_text(self) -> str:
        """Return a line a kind of run, and the total."""
        lines = [f"{label:12}{count:6} runs of {cost:9.2f} s" for label, count, cost in self.pilots]
        return "\n".join(
            [*lines, f"{'total':12}{self.n_runs:6} runs, {self.seconds:.1f} s of work"]
        )


def shard(runs: Sequence[Run], text: str) -> list[Run]:
    """Return shard ``I/K`` of the runs, ``1 <= I <= K``: every K-th, so that shards cost alike.

    Raises
    ------
    ValueError
        If the text is not of that form.

    >>> [len(shard(range(10), f"{i}/3")) for i in (1, 2, 3)]
    [4, 3, 3]
    """
    first, slash, second = text.partition("/")
    if not (slash and first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second)):
        raise ValueError(f"expected a shard I/K with 1 <= I <= K, got {text}: pass 1/8, 2/8, ...")
    return list(runs[int(first) - 1 :: int(second)])


def estimate(runs: Sequence[Run], pilot: Callable[[Run], Record] = compute) -> Estimate:
    """Run the first of each kind of run, and estimate the cost of all from it."""
    groups = [list(group) for _, group in groupby(sorted(runs, key=_kind), key=_kind)]
    pilots = [(group[0].label, len(group), pilot(group[0]).seconds) for group in groups]
    return Estimate(len(runs), sum(count * cost for _, count, cost in pilots), tuple(pilots))


def _kind(run: Run) -> str:
    """Return what runs that cost alike have in common: everything but the seed."""
    return repr((run.label, run.parameters))


def dask_mapper(address: str) -> Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[Any]]:
    """Return a mapper that runs tasks on the Dask scheduler at ``address``.

    Raises
    ------
    ValueError
        If dask is not installed, or no scheduler answers.
    """
    try:
        from dask.distributed import Client, as_completed
    except ImportError:
        raise ValueError(
            "expected dask for --scheduler, got none: pip install 'jamscape[cluster]'"
        ) from None
    try:
        client = Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"expected a Dask scheduler at {address}, got: {error}: start one there"
        ) from None

    def mapper(function: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
        with client:
            futures = client.map(function, tasks, pure=False, retries=3)
            for future in as_completed(futures):
                yield future.result()

    return mapper

"""Independent tasks over processes of one thread each.

Processes are spawned, never forked: a fork after an OpenMP region hangs. One thread each, because
small matrix products are thirty times slower when threads compete for cores.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any, TypeVar

from bridge.runs.pool import ENDING, Lost, Pool, raise_lost

Given = TypeVar("Given")
Result = TypeVar("Result")

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def most_workers() -> int:
    """Return the largest number of processes that makes sense here: more only wait and fill memory.

    Sixteen may be asked for on any machine.
    """
    return max(16, 4 * (os.cpu_count() or 1))


def use_one_thread() -> None:
    """Ask the numerical libraries for one thread, unless the user has asked for another number.

    It has to be said before they are imported.
    """
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, "1")


def map_unordered(
    function: Callable[[Given], Result],
    tasks: Sequence[Given],
    workers: int | None = None,
    *,
    lost: Lost = raise_lost,
) -> Iterator[Result]:
    """Yield ``function(task)`` as the tasks end; they start in the order given.

    Closing the iterator, an exception and Ctrl-C end what is being computed.

    Parameters
    ----------
    function
        A function of a module, so that other processes can import it.
    workers
        Number of processes; as many as there are cores if not given.
    lost
        Called with a task whose process was killed, and how; what it returns stands for the
        result. If not given, a ``RuntimeError`` names the task and ends the others.
    """
    yield from stream_unordered(partial(_once, function), tasks, workers, lost=lost)


def stream_unordered(
    function: Callable[[Given], Iterable[Result]],
    tasks: Sequence[Given],
    workers: int | None = None,
    *,
    lost: Lost = raise_lost,
) -> Iterator[Result]:
    """Yield what ``function(task)`` yields, as it is found; otherwise as `map_unordered`."""
    count = min(cores() if workers is None else workers, len(tasks))
    if count < 1:
        return
    with _single_threaded(), Pool(count) as pool:
        yield from pool.stream(function, tasks, lost)


@contextmanager
def mapping(workers: int, *, lost: Lost = raise_lost) -> Iterator[Callable[..., Iterator[Any]]]:
    """Give a `map_unordered` whose processes serve one call after another; `map` for one worker.

    Processes start when they are first asked for, and end with the block.
    """
    if workers == 1:
        yield map
        return
    with _single_threaded(), Pool(workers) as pool:
        yield lambda function, tasks: pool.stream(partial(_once, function), tasks, lost)


def _once(function: Callable[[Given], Result], task: Given) -> Iterator[Result]:
    yield function(task)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Let the processes that start meanwhile inherit one thread each."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """Let the signals by which schedulers and terminals end a job act like Ctrl-C.

    What is finished is then kept by the same path. A signal that is ignored already, as by nohup,
    stays so; and only the main thread of a program can be told of signals.
    """

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = []
    if threading.current_thread() is threading.main_thread():
        heard = (number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN)
        before = [(number, signal.signal(number, end)) for number in heard]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)

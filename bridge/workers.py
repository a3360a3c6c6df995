"""Independent tasks over processes of one thread each.

Processes are spawned, never forked: a fork after an OpenMP region hangs. One thread each, because
small matrix products are thirty times slower when threads compete for cores.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def use_one_thread() -> None:
    """Ask the numerical libraries for one thread, unless the user has asked for another number.

    It has to be said before they are imported.
    """
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, "1")


def map_unordered(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int | None = None
) -> Iterator[Result]:
    """Yield ``function(task)`` as the tasks end; they start in the order given.

    Closing the iterator, an exception and Ctrl-C cancel what has not started.

    Parameters
    ----------
    function
        A function of a module, so that other processes can import it.
    workers
        Number of processes; as many as there are cores if not given.
    """
    count = min(workers or os.cpu_count() or 1, len(tasks))
    if count < 1:
        return
    with _single_threaded():
        pool = ProcessPoolExecutor(
            count, mp_context=multiprocessing.get_context("spawn"), initializer=_ignore_interrupt
        )
        try:
            pending: list[Future[Result]] = [pool.submit(function, task) for task in tasks]
            for done in as_completed(pending):
                yield done.result()
        except BaseException:
            _stop(pool)
            raise
        pool.shutdown()


def _stop(pool: ProcessPoolExecutor) -> None:
    """End the workers now: what they were computing has not been promised to anyone."""
    processes = list(pool._processes.values())  # no public way to end a running task
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()


def _ignore_interrupt() -> None:
    """Leave Ctrl-C to the parent, which keeps what is finished."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


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
    """Let SIGTERM and SIGUSR1, by which schedulers end a job, act like Ctrl-C.

    What is finished is then flushed to the store by the same path.
    """

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    names = [getattr(signal, name) for name in ("SIGTERM", "SIGUSR1") if hasattr(signal, name)]
    before = [(name, signal.signal(name, end)) for name in names]
    try:
        yield
    finally:
        for name, handler in before:
            signal.signal(name, handler)

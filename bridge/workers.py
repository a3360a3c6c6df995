"""Independent tasks over processes of one thread each.

Processes are spawned, never forked: a fork after an OpenMP region hangs. One thread each, because
small matrix products are thirty times slower when threads compete for cores.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from itertools import islice
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGUSR1") if hasattr(signal, name)]
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def use_one_thread() -> None:
    """Ask the numerical libraries for one thread, unless the user has asked for another number.

    It has to be said before they are imported.
    """
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, "1")


def cores() -> int:
    """Return the number of cores of this machine, or 1 where nobody knows."""
    return os.cpu_count() or 1  # None, and never 0


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
    count = min(cores() if workers is None else workers, len(tasks))
    if count < 1:
        return
    with _processes(count) as pool:
        yield from _in_flight(pool, function, tasks, 3 * count)


@contextmanager
def mapping(workers: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """Give a `map_unordered` whose processes serve one call after another; `map` for one worker.

    Processes start when they are first asked for, and end with the block.
    """
    if workers == 1:
        yield map
        return
    with _processes(workers) as pool:
        yield partial(_in_flight, pool, limit=3 * workers)


@contextmanager
def _processes(count: int) -> Iterator[ProcessPoolExecutor]:
    with _single_threaded():
        pool = ProcessPoolExecutor(
            count, mp_context=multiprocessing.get_context("spawn"), initializer=_serve
        )
        try:
            yield pool
        except BaseException:
            _stop(pool)
            raise
        pool.shutdown()


def _in_flight(
    pool: ProcessPoolExecutor,
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    limit: int,
) -> Iterator[Result]:
    """Submit no more than ``limit`` tasks ahead, so that results do not pile up in memory."""
    todo = iter(tasks)
    flying = {pool.submit(function, task) for task in islice(todo, limit)}
    while flying:
        landed, flying = wait(flying, return_when=FIRST_COMPLETED)
        flying |= {pool.submit(function, task) for task in islice(todo, len(landed))}
        while landed:
            yield landed.pop().result()


def _stop(pool: ProcessPoolExecutor) -> None:
    """End the workers now: what they were computing has not been promised to anyone."""
    processes = list(pool._processes.values())  # no public way to end a running task
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()


def _serve() -> None:
    """Leave signals to the parent, which keeps what is finished; and end when it is killed."""
    for number in (signal.SIGINT, *ENDING):
        signal.signal(number, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)  # no process would ever fetch the result


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

    before = [(number, signal.signal(number, end)) for number in ENDING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)

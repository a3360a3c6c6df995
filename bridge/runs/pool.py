"""Processes that compute one task after another, each over a pipe of its own.

A process that ends leaves its end of the pipe closed, which tells the task that ended it:
`concurrent.futures` breaks then, with all that was submitted, and names none. The results of one
task come as they are found, and a beat every few seconds tells a long task from a process that no
longer answers.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Self

BEAT = 5.0  # seconds between two signs of life
PATIENCE = 60.0  # seconds without one after which a process is named
ENDING = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGUSR1", "SIGHUP") if hasattr(signal, name)
)  # by which schedulers and terminals end a job
_SIGNALS = (signal.SIGINT, *ENDING)
_BEAT, _RESULT, _END, _ERROR = range(4)
_IDLE: Any = object()

Lost = Callable[[Any, str], Any]


@dataclass(frozen=True)
class Failed:
    """A task that raised, or whose process ended: the same command tries it again."""

    task: Any
    reason: str


def title(task: object) -> str:
    """Return how messages name a task: by its label and seed, or else as it prints itself."""
    label, seed = getattr(task, "label", None), getattr(task, "seed", None)
    return f"{label} with seed {seed[-1]}" if label and seed else str(task)


def raise_lost(task: object, reason: str) -> Any:
    """Say in one line that the process of a task has ended.

    Raises
    ------
    RuntimeError
        Always.
    """
    raise RuntimeError(f"{title(task)}: {reason}: the same command tries it again")


def say(message: str) -> None:
    """Write a line for the user; where nobody reads, none."""
    with suppress(OSError):
        sys.stderr.write(f"jamscape: {message}\n")


class Pool:
    """A number of processes, which end with the block.

    Parameters
    ----------
    patience
        Seconds after which a process that gives no sign of life is named, once.
    notify
        Called with the line that names it.
    """

    def __init__(
        self, count: int, *, patience: float = PATIENCE, notify: Callable[[str], None] = say
    ) -> None:
        self._count, self._patience, self._notify = count, patience, notify
        self._processes: list[_Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes now: what they compute has not been promised to anyone."""
        for process in self._processes:
            process.end()

    def stream(
        self, function: Callable[[Any], Iterable[Any]], tasks: Iterable[Any], lost: Lost
    ) -> Iterator[Any]:
        """Yield the results of ``function(task)`` as they come, in any order of the tasks.

        ``lost(task, reason)`` is the result of a task whose process has ended; another process
        takes its place. An exception of the function is raised here.
        """
        while len(self._processes) < self._count:
            self._processes.append(self._process())
        todo = iter(tasks)
        try:
            for process in self._processes:
                process.give(function, todo)
            while busy := self._busy():
                for process in self._ready(busy):
                    try:
                        kind, value = process.receive()
                    except (EOFError, OSError):
                        task, reason = process.task, process.end()
                        self._replace(process).give(function, todo)
                        kind, value = _RESULT, lost(task, reason)
                    if kind == _RESULT:
                        yield value
                    elif kind == _END:
                        process.give(function, todo)
                    elif kind == _ERROR:
                        raise value
        finally:  # what is still computed is for nobody, and not for the next call either
            for process in self._busy():
                process.end()
                self._processes.remove(process)

    def _process(self) -> "_Process":
        return _Process(min(BEAT, self._patience / 5))

    def _busy(self) -> "list[_Process]":
        return [process for process in self._processes if process.task is not _IDLE]

    def _replace(self, process: "_Process") -> "_Process":
        """Start another process; not for one that could not start either.

        Raises
        ------
        RuntimeError
            If it ended by itself before it began.
        """
        if process.failed_to_start:
            raise RuntimeError(
                "expected processes to start, got one that ended at once: a script that computes "
                "in parallel begins with if __name__ == '__main__'"
            )
        self._processes[self._processes.index(process)] = found = self._process()
        return found

    def _ready(self, busy: "list[_Process]") -> "list[_Process]":
        """Wait for messages; name the processes that have sent none for too long."""
        now = time.monotonic()
        left = [process.heard + self._patience - now for process in busy if not process.named]
        ready = wait([process.connection for process in busy], max(0.0, min(left, default=3600.0)))
        for process in busy:
            silent = process.connection not in ready and not process.named
            if silent and time.monotonic() - process.heard >= self._patience:
                process.named = True
                self._notify(
                    f"{title(process.task)}: process {process.number} has not answered for "
                    f"{self._patience:g} s: wait, or end it by kill -9 {process.number}, and the "
                    "others go on"
                )
        return [process for process in busy if process.connection in ready]


class _Process:
    """One process, and what it is computing."""

    def __init__(self, beat: float) -> None:
        self.connection, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_serve, args=(theirs, beat))
        with _held_back():
            self._process.start()
        theirs.close()
        self.task = _IDLE
        self.heard, self.named = time.monotonic(), False
        self._begun = self.failed_to_start = False

    @property
    def number(self) -> int | None:
        """The number by which the system knows it."""
        return self._process.pid

    def give(self, function: Callable[[Any], Iterable[Any]], todo: Iterator[Any]) -> None:
        """Send the next task, if there is one."""
        self.task = next(todo, _IDLE)
        if self.task is not _IDLE:
            self.heard = time.monotonic()
            with suppress(BrokenPipeError, ConnectionResetError):  # it has ended: `receive` says so
                self.connection.send((function, self.task))

    def receive(self) -> tuple[int, Any]:
        """Return the next message; ``EOFError`` or ``OSError`` if the process has ended."""
        message: tuple[int, Any] = self.connection.recv()
        self.heard, self.named, self._begun = time.monotonic(), False, True
        return message

    def end(self) -> str:
        """End the process, and return how it ended."""
        self.connection.close()
        self._process.kill()
        self._process.join()
        code = self._process.exitcode or 0
        self.failed_to_start = code == 1 and not self._begun
        if code < 0:
            return f"its process was ended by {signal.Signals(-code).name}"
        return f"its process ended with exit code {code}"


@contextmanager
def _held_back() -> Iterator[None]:
    """Hold signals back while a process starts, which it does as deaf as its parent is here.

    The parent gets them afterwards; the process would print where it was interrupted. The mask is
    for the process, which inherits it; a thread of the parent without it may still take a signal,
    so that here it is only noted.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    noted: list[int] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {
            number: signal.signal(number, lambda number, _: noted.append(number))
            for number in _SIGNALS
        }
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number, handler in handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for number in noted:
            signal.raise_signal(number)


def _serve(connection: "Connection[Any, Any]", beat: float) -> None:
    """Compute tasks until the parent closes the pipe, which keeps what is finished."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    lock = threading.Lock()

    def send(kind: int, value: Any) -> None:
        with lock:
            connection.send((kind, value))

    threading.Thread(target=_beat, args=(send, beat), daemon=True).start()
    with suppress(EOFError, ConnectionError):
        while True:
            function, task = connection.recv()
            try:
                for result in function(task):
                    send(_RESULT, result)
                send(_END, None)
            except ConnectionError:
                raise
            except BaseException as error:  # noqa: BLE001 - it is for the parent to judge
                _send_error(send, error)


def _send_error(send: Callable[[int, Any], None], error: BaseException) -> None:
    try:
        if not isinstance(error, Exception):
            raise TypeError("an exit, which is not for the parent")
        send(_ERROR, error)
    except ConnectionError:
        raise
    except Exception:  # noqa: BLE001 - whatever cannot be pickled
        send(_ERROR, RuntimeError(f"{type(error).__name__}: {error}"))


def _beat(send: Callable[[int, Any], None], seconds: float) -> None:
    """Send a sign of life every few seconds, and end with the parent."""
    parent = multiprocessing.parent_process()
    watched = [] if parent is None else [parent.sentinel]
    try:
        send(_BEAT, None)
        while not wait(watched, seconds):
            send(_BEAT, None)
    except OSError:
        pass  # the pipe is closed
    os._exit(1)  # no process would ever fetch the result

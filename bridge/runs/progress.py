"""What a run says while it works: a bar with the time left on a terminal, else a few lines."""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar


Report = Callable[[int, int], None]  # called with two numbers, such as those done and in all


class Progress:
    """Call it with ``(done, total)``; it writes to stderr only.

    A terminal gets a bar, which honours NO_COLOR; anything else gets at most one line in ten
    seconds.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._bar: Bar | None = None
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar = _bar()
            self._bar.start()
            self._task = self._bar.add_task(self.title)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` runs have ended."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)
        elif done == total or time.monotonic() - self._said > 10:
            self._said = time.monotonic()
            _write(f"{self.title}: {done} of {total}\n")


class Elapsed:
    """What a single run says, which has no parts to count: the time that it has taken.

    On a terminal, from one second on and until it ends; anything else gets nothing.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._bar: Bar | None = None
        self._timer = threading.Timer(1.0, self._start)

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._timer.ident is not None:  # it was started
            self._timer.join()
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """Take note of nothing: there is one run."""

    def _start(self) -> None:
        from rich import progress as rich

        columns = (rich.TextColumn("{task.description}"), rich.SpinnerColumn())
        self._bar = rich.Progress(
            *columns, rich.TimeElapsedColumn(), console=_console(), transient=True
        )
        self._bar.add_task(self.title, total=None)
        self._bar.start()


class Counts:
    """Call it with numbers that grow without a known end; at most one line in ten seconds."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self._said = time.monotonic()

    def __call__(self, *counts: int) -> None:
        """Show how many of each have been found."""
        if time.monotonic() - self._said > 10:
            self._said = time.monotonic()
            found = (f"{count} {name}" for count, name in zip(counts, self.names, strict=True))
            _write(", ".join(found) + "\n")


def _write(text: str) -> None:
    with suppress(OSError):  # nobody reads it any more, which is no reason to end a run
        sys.stderr.write(text)


def _bar() -> "Bar":
    from rich import progress as rich

    return rich.Progress(
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TimeElapsedColumn(),
        rich.TextColumn("left"),
        rich.TimeRemainingColumn(),
        console=_console(),
    )


def _console() -> "Console":
    from rich.console import Console

    return Console(stderr=True)

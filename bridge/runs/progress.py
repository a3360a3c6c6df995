"""What a run says while it works: a bar with the time left on a terminal, else a few lines."""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from bridge.runs.workers import cores
from bridge.systems.stopwatch import doing

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar


Report = Callable[[int, int], None]  # called with two numbers, such as those done and in all


_TRUSTED = 10.0  # seconds of measured pace that outweigh the costs as they were guessed


def time_left(
    elapsed: float, since: float, costs: tuple[float, float, float], workers: int
) -> float:
    """Return about how many seconds are left of work of a known cost, in seconds of one core.

    Of ``costs`` the first has ended, ``since`` seconds ago the last of it, at most the second is
    under way, and the third is that of all. At the start the pace is that of ``workers`` cores,
    and later what was seen.

    >>> time_left(0.0, 0.0, (0.0, 20.0, 100.0), workers=2)  # as it was guessed
    50.0
    >>> time_left(10.0, 10.0, (0.0, 100.0, 100.0), workers=2)  # nothing has ended yet
    40.0
    >>> round(time_left(200.0, 0.0, (50.0, 0.0, 100.0), workers=2))  # eight times slower
    150
    """
    spent, running, whole = costs
    under_way = min(workers * since, running)
    pace = (spent + under_way + workers * _TRUSTED) / (elapsed + _TRUSTED)
    return max(0.0, whole - spent - under_way) / pace


class Progress:
    """Call it with ``(done, total)``; it writes to stderr only.

    A terminal gets a bar, which honours NO_COLOR; anything else gets at most one line in ten
    seconds. Where the costs of the parts are told by `spend`, it says how much time is left.
    """

    def __init__(self, title: str, workers: int | None = None) -> None:
        self.title = title
        self.workers = cores() if workers is None else workers
        self._bar: Bar | None = None
        self._said = self._started = self._ended = time.monotonic()
        self._costs = (0.0, 0.0, 0.0)
        self._share = 0.0

    def spend(self, spent: float, running: float, whole: float) -> None:
        """Take note of costs in seconds of one core: of what has ended, runs, and is in all."""
        self._costs = (spent, running, whole)
        self._ended = time.monotonic()

    def left(self) -> str:
        """Return about how much time is left, for reading; nothing while that cannot be told."""
        now = time.monotonic()
        elapsed = now - self._started
        if not self._costs[2]:
            rest = elapsed * (1.0 / self._share - 1.0) if self._share else 0.0
            return f"about {duration(rest)} left" if rest else ""
        rest = time_left(elapsed, now - self._ended, self._costs, self.workers)
        return f"about {duration(rest)} left"

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar = _bar(self)
            self._bar.start()
            self._task = self._bar.add_task(self.title, total=1.0, count="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` runs have ended."""
        spent, _, whole = self._costs
        self._share = spent / whole if whole else done / max(total, 1)
        if self._bar is not None:
            self._bar.update(self._task, completed=self._share, total=1.0, count=f"{done}/{total}")
        elif done == total or time.monotonic() - self._said > 10:
            self._said = time.monotonic()
            left = f", {self.left()}" if done < total and self.left() else ""
            _write(f"{self.title}: {done} of {total}{left}\n")


class Elapsed:
    """What a single run says, which has no parts to count: the time that it has taken.

    A network also says its step and its energy.

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
        from rich.text import Text

        class Doing(rich.ProgressColumn):
            """Where a training is."""

            def render(self, task: rich.Task) -> Text:
                return Text(doing())

        columns = (rich.TextColumn("{task.description}"), rich.SpinnerColumn())
        self._bar = rich.Progress(
            *columns, rich.TimeElapsedColumn(), Doing(), console=_console(), transient=True
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


def _bar(progress: Progress) -> "Bar":
    from rich import progress as rich
    from rich.text import Text

    class Left(rich.ProgressColumn):
        """How much time is left, by the costs that are known."""

        max_refresh = 0.5

        def render(self, task: rich.Task) -> Text:
            return Text("" if task.finished else progress.left())

    return rich.Progress(
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.TextColumn("{task.fields[count]}"),
        rich.TimeElapsedColumn(),
        Left(),
        console=_console(),
    )


def duration(seconds: float) -> str:
    """Return a time for reading.

    >>> duration(0.034), duration(7), duration(119), duration(570), duration(36000), duration(1e6)
    ('0.034 s', '7 s', '119 s', '9.5 min', '10 h', '12 d')
    """
    size, name = seconds, "s"
    for unit, longer in ((60.0, "min"), (3600.0, "h"), (86400.0, "d")):
        if seconds >= 2 * unit:
            size, name = seconds / unit, longer
    return f"{size:.0f} {name}" if size >= 10 else f"{size:.2g} {name}"


def _console() -> "Console":
    from rich.console import Console

    return Console(stderr=True)

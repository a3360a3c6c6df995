"""Processes that are killed, stopped and interrupted, each at a moment that the test chooses."""

import os
import signal
import subprocess
import sys
import threading
from functools import partial

import pytest

from bridge.runs.pool import Failed, Pool, _held_back
from bridge.runs.workers import (
    ending_on_signals,
    map_unordered,
    mapping,
    most_workers,
    stream_unordered,
)


def killed_at(wrong, task):
    if task == wrong:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


def exits_at(wrong, task):
    if task == wrong:
        os._exit(3)
    return task


def counts_and_dies(task):
    yield 10 * task
    yield 10 * task + 1
    killed_at(1, task)
    yield 10 * task + 2


def raises(task):
    raise {"known": KeyError("no such"), "unknown": Odd(lambda: None), "exit": SystemExit(2)}[task]


class Odd(Exception):  # noqa: N818
    """It cannot be pickled, for what it holds."""


@pytest.mark.parametrize(
    ("function", "how"),
    [(killed_at, "its process was ended by SIGKILL"), (exits_at, "its process ended with exit")],
)
def test_a_task_that_ends_its_process_is_told_and_the_others_go_on(function, how):
    for workers in (1, 2):
        found = list(map_unordered(partial(function, 2), range(7), workers, lost=Failed))
        (failed,) = (each for each in found if isinstance(each, Failed))
        assert failed.task == 2
        assert failed.reason.startswith(how)
        assert {each for each in found if each != failed} == {0, 1, 3, 4, 5, 6}


def test_a_lost_task_is_an_error_of_one_line_if_nobody_asks():
    with pytest.raises(RuntimeError, match=r"^0: its process .* SIGKILL: the same command tries"):
        list(map_unordered(partial(killed_at, 0), [0], 1))


def test_what_a_task_yields_before_its_process_ends_is_there():
    found = list(stream_unordered(counts_and_dies, [0, 1, 2], 2, lost=lambda task, _: [task]))
    assert sorted(each for each in found if each != [1]) == [0, 1, 2, 10, 11, 20, 21, 22]
    assert [1] in found
    assert found.index([1]) > found.index(11)


@pytest.mark.parametrize(
    ("task", "kind", "text"),
    [("known", KeyError, "no such"), ("unknown", RuntimeError, "Odd"), ("exit", RuntimeError, "2")],
)
def test_an_exception_comes_back(task, kind, text):
    with pytest.raises(kind, match=text):
        list(map_unordered(raises, [task], 1))


def test_a_call_that_is_left_does_not_answer_the_next():
    with mapping(2) as mapper:
        first = mapper(abs, [-1, -2, -3, -4])
        next(first)
        first.close()
        assert sorted(mapper(abs, [-5, -6, -7])) == [5, 6, 7]


def stopped_at(wrong, task):
    if task == wrong:
        os.kill(os.getpid(), signal.SIGSTOP)
    return task


def test_a_process_that_does_not_answer_is_named_and_may_go_on():
    said = []

    def notify(message):
        said.append(message)
        for process in pool._processes:
            os.kill(process.number, signal.SIGCONT)

    with Pool(2, patience=0.3, notify=notify) as pool:
        found = list(pool.stream(partial(map, partial(stopped_at, 1)), [[0], [1], [2]], Failed))
        numbers = {str(process.number) for process in pool._processes}
    assert sorted(found) == [0, 1, 2]
    named = [message for message in said if message.startswith("[1]: process ")]
    assert any(set(message.split()) & numbers for message in named)
    assert all("has not answered for 0.3 s" in message for message in said)


def deaf(_):
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
    ignored = [signal.getsignal(getattr(signal, name)) is signal.SIG_IGN for name in names]
    return ignored, len(signal.pthread_sigmask(signal.SIG_BLOCK, []))


def test_signals_are_for_the_parent_alone():
    assert list(map_unordered(deaf, [0], 1)) == [([True] * 4, 0)]


def test_a_signal_while_a_process_starts_is_not_lost():
    passed = []

    def start():
        with _held_back():
            os.kill(os.getpid(), signal.SIGINT)
            passed.append("the process has started")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert passed


def test_a_signal_that_another_thread_takes_is_not_lost_either():
    """The mask is that of one thread: the system may give the signal to any other."""
    passed, now, taken = [], threading.Event(), threading.Event()

    def take():
        now.wait()
        signal.raise_signal(signal.SIGINT)  # to this thread
        taken.set()

    def start():
        with _held_back():
            now.set()
            taken.wait()
            passed.append("the process has started")

    thread = threading.Thread(target=take)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        start()
    thread.join()
    assert passed


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1", "SIGHUP"])
def test_signals_that_end_a_job_act_like_an_interrupt(name):
    number = getattr(signal, name)
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), ending_on_signals():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) == before


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending_on_signals():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_script_without_a_guard_is_told_how_to_begin(tmp_path):
    script = tmp_path / "script.py"
    words = "from bridge.runs.workers import map_unordered", "list(map_unordered(abs, [1], 1))"
    script.write_text("\n".join(words))
    shown = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert shown.returncode == 1
    assert "begins with if __name__ == '__main__'" in shown.stderr.splitlines()[-1]


def test_no_machine_is_asked_for_more_processes_than_it_can_run(capsys, tmp_path):
    from bridge.cli.main import run

    out = ["--out", str(tmp_path / "a")]
    for command in (["avalanche", "perceptron"], ["landscape", "lj"], ["transition", "network"]):
        assert run([*command, "--workers", str(most_workers() + 1), *out]) == 2
        error = capsys.readouterr().err
        assert f"expected --workers of at most {most_workers()}" in error
        assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []

"""What a run says of its time: compilation is said once, and is no part of it."""

import io
import sys
import time

import numpy as np
import pytest

from bridge.runs.progress import Elapsed
from bridge.systems import stopwatch
from particles.kernels._jit import COMPILATION, Compilation


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return now


def test_what_was_compiled_is_no_part_of_the_time(clock, monkeypatch):
    watch = stopwatch.Stopwatch()
    clock[0] += 30.0
    monkeypatch.setattr(COMPILATION, "seconds", COMPILATION.seconds + 28.0)
    assert watch.seconds == pytest.approx(2.0)


def test_a_compilation_within_another_counts_once_and_is_said_once(clock, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    found = Compilation()
    for _ in range(2):
        found.on_start(None)
        clock[0] += 1.0
        found.on_start(None)
        clock[0] += 2.0
        found.on_end(None)
        found.on_end(None)
        clock[0] += 5.0
    assert found.seconds == pytest.approx(6.0)
    assert sys.stderr.getvalue().count("compiling kernels") == 1


def test_numba_tells_of_a_compilation():
    from numba import njit

    before = COMPILATION.seconds
    njit(lambda x: x + 1.0)(1.0)
    assert COMPILATION.seconds > before


def test_a_single_run_shows_its_time_on_a_terminal_only(monkeypatch, capsys):
    with Elapsed("jam") as say:
        say(0, 1)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Elapsed("jam") as say:
        say._timer.cancel()  # as if a second had passed
        say._start()
        say(1, 1)
    assert "jam" in sys.stderr.getvalue()


def test_a_network_says_its_step_and_its_energy(monkeypatch):
    """Of Adam and then of the polish, whose last energy is nearly that of the end."""
    from networks import HingeNetwork, Mlp, random_patterns, train
    from networks.training.latest import LATEST

    rng = np.random.default_rng(0)
    mlp = Mlp(3, 3, 1, "tanh")
    problem = HingeNetwork(mlp, random_patterns(60, 3, rng))
    said = []
    monkeypatch.setattr(LATEST, "note", lambda *what: said.append(what))
    end = train(problem, mlp.init(rng), steps=120, newton_steps=80)
    assert [step for loop, step, *_ in said if loop == "Adam"] == [0, 50, 100]
    assert said[2][3] < said[0][3]
    assert said[-1][0] == "polish"
    assert said[-1][3] == pytest.approx(end.problem.energy_gradient(end.x)[0], rel=0.1)
    monkeypatch.undo()
    LATEST.note("polish", 7, 80, 1.25)
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Elapsed("jam") as say:
        say._timer.cancel()
        say._start()
    assert "polish, step 7 of 80, U = 1.25" in sys.stderr.getvalue()

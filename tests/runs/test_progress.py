"""How much time is left: by what the parts cost, from the beginning on."""

import time

import pytest

from bridge.records.store import Record, Store
from bridge.runs.kinds.compare import ComparisonPlan
from bridge.runs.pool import Failed
from bridge.runs.progress import Progress, time_left
from bridge.runs.task import cost_of, run_all


class Timed:
    """A task that moves the clock by its time."""

    parameters = {"n": 1}  # noqa: RUF012 - it is not changed
    label = "timed"

    def __init__(self, number, cost, clock):
        self.seed, self.cost, self.clock = (number,), cost, clock
        self.key = self.compute().key

    def compute(self):
        self.clock[0] += self.cost
        return Record("timed", self.parameters, self.seed, "done", self.cost, {"x": 1}, {}, {})


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_what_is_left_is_told_by_cost_and_not_by_number(clock, capsys):
    """One task of 40 s, then 20 of 1 s: after the first 20 s are left, not twenty times 40 s."""
    tasks = [Timed(k, cost, clock) for k, cost in enumerate([40.0] + [1.0] * 20)]
    with Store(":memory:") as store, Progress("some", workers=1) as progress:
        said = []

        def one_by_one(function, missing):
            said.append(progress.left())
            for task in missing:
                yield function(task)
                said.append(progress.left())

        assert run_all(tasks, store, progress=progress, mapper=one_by_one) == []
    assert said[:2] == ["about 60 s left", "about 20 s left"]
    assert "some: 1 of 21, about 20 s left" in capsys.readouterr().err


def test_tasks_that_fail_or_are_there_already_are_not_waited_for(clock):
    tasks = [Timed(k, 10.0, clock) for k in range(4)]
    seen = []
    with Store(":memory:") as store, Progress("some", workers=2) as progress:
        store.put(tasks[0].compute())
        keep = progress.spend
        progress.spend = lambda *costs: (seen.append(costs), keep(*costs))
        mapper = lambda function, missing: (Failed(task, "lost") for task in missing)  # noqa: E731
        assert len(run_all(tasks, store, progress=progress, mapper=mapper)) == 3
    assert seen == [(0.0, 20.0, 30.0), (10.0, 20.0, 30.0), (20.0, 10.0, 30.0), (30.0, 0.0, 30.0)]


def test_without_costs_the_share_that_is_done_tells(clock):
    progress = Progress("some", workers=1)
    progress(0, 10)
    assert progress.left() == ""
    clock[0] += 30.0
    progress(1, 10)
    assert progress.left() == "about 4.5 min left"


def test_a_machine_that_is_slower_is_believed_after_a_while():
    guessed = [time_left(8.0 * t, 0.0, (t, 0.0, 100.0), workers=1) for t in (0.0, 5.0, 50.0, 100.0)]
    assert guessed[0] == 100.0
    assert 8.0 * 95.0 * 0.25 < guessed[1] < 8.0 * 95.0
    assert guessed[2] == pytest.approx(8.0 * 50.0, rel=0.2)
    assert guessed[3] == 0.0


def test_nearly_all_of_a_comparison_is_its_networks():
    """97 % of 643 s on the two cores of a cloud machine, where it was measured."""
    costs = {}
    for task in ComparisonPlan(None, (0,)).tasks():
        costs[task.label] = costs.get(task.label, 0.0) + cost_of(task)
    whole = sum(costs.values())
    assert 0.9 < (costs["network"] + costs["digits"]) / whole < 1.0
    assert 643.0 / 2 < whole < 643.0 * 2

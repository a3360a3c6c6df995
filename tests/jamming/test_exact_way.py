"""The way to an exact jamming point: what is tried when, how often, and what the end is called."""

from dataclasses import replace

import numpy as np
import pytest

from bridge.jamming import exact
from bridge.jamming.approach import ApproachStage
from bridge.jamming.certificate import Candidate, Certificate
from bridge.jamming.exact import _attempt, _by_programs, _finish, _flaw, _result, _verdict
from bridge.jamming.factor import SingularError
from bridge.jamming.linearised import LeftListError, Linearised
from bridge.jamming.sequential import Programme

from problems import Chain, Halfspaces

VALID = Certificate(0.0, 0.0, 0.0, 1.0, None, 0, 2, 1, 1, 0, 1.0)


def walls(*offsets):
    """One variable between walls on alternate sides."""
    signs = np.resize([1.0, -1.0], len(offsets))[:, None]
    return Linearised.at(Halfspaces(signs, np.array(offsets)), np.zeros(1))


def ended(reason, level=0.0, rows=2, **known):
    here = walls(*np.full(rows, level))
    return Candidate(here, np.arange(rows), np.ones(rows), reason, **known)


# How often it is tried. Stages and attempts are played: pairs of an overlap and what is found.


def played(monkeypatch, *scripts, programmes=None, **options):
    """Jam with one script of stages for each start; return the point and the calls."""
    calls = {"approach": [], "attempt": []}
    remaining = list(scripts)

    def approach(problem, x, minimise, *, first_change, max_stages):
        calls["approach"].append((problem.offsets[0], first_change, max_stages))
        for overlap, found in remaining.pop(0):
            yield replace(ApproachStage(problem, x, overlap, 0.0, "jammed"), distance=found)

    def attempt(stage, minimise, max_step, max_excess):
        assert callable(minimise)
        calls["attempt"].append((max_step, max_excess))
        return stage.distance

    def programs(problem, x):
        calls["programs"] = problem.offsets[0]
        return Programme(Linearised.at(problem, x), np.arange(0), "stalled", 1)

    monkeypatch.setattr(exact, "approach", approach)
    monkeypatch.setattr(exact, "_attempt", attempt)
    monkeypatch.setattr(exact, "sequential_programs", programs)
    here = walls(0.5, 0.5)
    return exact.exact_jamming(here.problem, here.x, **options), calls


def test_after_two_failures_it_starts_again_from_where_the_last_slid_to(monkeypatch):
    scripts = [
        [(1e-3, ended("a", k)), (1e-4, None), (1e-5, ended("b", k + 0.5)), (1e-6, ended("c"))]
        for k in range(1, 6)
    ]
    point, calls = played(monkeypatch, *scripts)
    starts = [(0.5, 0.01, 30), (1.5, 1e-4, 30), (2.5, 1e-4, 30), (3.5, 1e-4, 30), (4.5, 1e-4, 30)]
    assert calls["approach"] == starts
    assert calls["attempt"] == [(0.1, 0.05)] * 15
    assert calls["programs"] == 5.5
    assert (point.status, point.reason, point.stages) == ("stalled", "b", 15)


def test_what_is_asked_for_is_passed_on(monkeypatch):
    script = [(1e-3, ended("", certificate=VALID))]
    _, calls = played(monkeypatch, script, max_step=0.3, max_excess=0.2, max_stages=7)
    assert calls == {"approach": [(0.5, 0.01, 7)], "attempt": [(0.3, 0.2)]}


def test_the_first_point_that_is_certified_is_the_end(monkeypatch):
    good = ended("", 2.0, certificate=VALID, steps=3, exchanges=4)
    scripts = [(1e-3, None), (1e-4, ended("a"))], [(1e-3, good), (1e-4, ended("b"))]
    point, calls = played(monkeypatch, *scripts)
    assert (point.status, point.reason, point.stages) == ("jammed", "", 3)
    assert (point.steps, point.exchanges, point.certificate) == (3, 4, VALID)
    assert point.problem is good.here.problem
    assert len(calls["approach"]) == 2
    assert "programs" not in calls


def test_below_a_billionth_overlaps_drown(monkeypatch):
    """Without a candidate there is nowhere else to start from."""
    point, calls = played(monkeypatch, [(1e-9, None), (0.9e-9, None), (1e-10, ended("a"))])
    assert len(calls["attempt"]) == 2
    assert (point.status, point.reason) == ("hypostatic", "no minimum was close to jamming")
    assert (point.stages, calls["programs"]) == (2, 0.5)


def test_one_failure_is_followed_by_another_try(monkeypatch):
    good = ended("", certificate=VALID)
    script = [(1.0, ended("a")), (1e-3, None), (1e-4, None), (1e-9, good), (1e-9, None)]
    point, calls = played(monkeypatch, script)
    assert (point.status, point.stages, len(calls["attempt"])) == ("jammed", 4, 4)


# From which minima it is tried.


@pytest.fixture
def tried(monkeypatch):
    """Return the rows that each attempt begins with."""
    calls = []
    monkeypatch.setattr(
        exact, "_finish", lambda here, rows, step: calls.append((rows.tolist(), step)) or "end"
    )
    return calls


@pytest.mark.parametrize(
    ("count", "overlap", "close"),
    [(5, 1.0, True), (6, 1.0, False), (6, 1.1e-6, False), (6, 1e-6, True), (0, 1e-9, False)],
)
def test_few_contacts_in_excess_are_close_to_jamming(tried, count, overlap, close):
    """One variable has two contacts at isostaticity; three more are few."""
    here = walls(*np.full(count, 0.5), -0.5, 0.0, -1.5)
    found = _attempt(ApproachStage(here.problem, here.x, overlap, 0.0, "jammed"), None, 0.1, 0.05)
    assert found == ("end" if close else None)
    assert tried == ([(list(range(count)), 0.1)] if close else [])


@pytest.mark.parametrize(("count", "close"), [(16, True), (17, False)])
def test_more_variables_may_have_more_in_excess(tried, count, close):
    problem = Halfspaces(np.ones((count, 10)), np.ones(count))
    found = _attempt(ApproachStage(problem, np.zeros(10), 1.0, 0.0, "jammed"), None, 0.1, 0.5)
    assert (found is not None) == close == bool(tried)


def test_minima_only_are_tried(tried):
    here = walls(0.5, 0.5)
    for status in ("unjammed", "stalled", "unbounded"):
        assert (
            _attempt(ApproachStage(here.problem, here.x, 1.0, 0.0, status), None, 0.1, 0.05) is None
        )
    assert tried == []


def test_contacts_of_frozen_bodies_are_left_out(tried):
    class Loaded(Chain):
        tightening = Halfspaces.tightening
        offsets = np.zeros(3)

        def frozen(self, x):
            return [np.array([3])]

    _attempt(
        ApproachStage(Loaded(4), np.array([0.0, 0.9, 1.8, 2.7]), 1.0, 0.0, "jammed"),
        None,
        0.1,
        0.05,
    )
    assert tried == [([0, 1], 0.1)]


# How it is tried.


@pytest.mark.parametrize(
    ("count", "full", "way"),
    [(3, [0], "isostatic"), (3, None, "curved"), (2, [0], "curved"), (9, [0], "isostatic")],
)
def test_up_to_three_missing_contacts_are_looked_for(monkeypatch, count, full, way):
    """Five variables need six contacts."""
    rows = np.arange(count)
    here = Linearised.at(Halfspaces(np.ones((9, 5)), np.zeros(9)), np.zeros(5))
    monkeypatch.setattr(exact, "completed", lambda *_: full)
    monkeypatch.setattr(exact, "isostatic_optimum", lambda _, rows, step: ("isostatic", rows, step))
    monkeypatch.setattr(exact, "curved_optimum", lambda _, rows, step: ("curved", rows, step))
    assert _finish(here, rows, 0.2) == (way, full if way == "isostatic" else rows, 0.2)


@pytest.mark.parametrize(
    ("count", "error", "redundant"),
    [(7, SingularError, True), (6, SingularError, True), (5, SingularError, False),
     (7, LeftListError, False)],
)  # fmt: skip
def test_only_enough_contacts_can_be_redundant(monkeypatch, count, error, redundant):
    def failing(*_):
        raise error("no inverse")

    monkeypatch.setattr(exact, "completed", failing)
    here = Linearised.at(Halfspaces(np.ones((9, 5)), np.arange(9.0)), np.zeros(5))
    found = _finish(here, np.arange(count), 0.2)
    assert (found.reason, found.degenerate) == ("no inverse", redundant)
    assert found.forces.tolist() == list(range(count))


# What the end is called.


def test_why_a_candidate_is_no_jamming_point():
    assert _flaw(ended("")) == "it was not certified"
    assert _flaw(ended("a")) == _flaw(ended("a", certificate=VALID)) == "a"
    assert _flaw(ended("", certificate=VALID)) == ""
    flawed = replace(VALID, n_self_stresses=2)
    assert _flaw(ended("", certificate=flawed)) == "there are 2 self-stresses, not 1"


@pytest.mark.parametrize(
    ("rows", "known", "status"),
    [
        (0, {}, "hypostatic"),
        (1, {"degenerate": True}, "hypostatic"),
        (2, {}, "stalled"),
        (2, {"degenerate": True}, "degenerate"),
        (2, {"certificate": replace(VALID, condition=1e14)}, "degenerate"),
        (2, {"certificate": replace(VALID, condition=9e13)}, "stalled"),
    ],
)
def test_verdicts(rows, known, status):
    assert _verdict(ended("a", rows=rows, **known)) == status


@pytest.mark.parametrize(
    ("end", "reason"),
    [("unbounded", "nothing stops the load from growing"),
     ("infeasible", "no load satisfies the constraints near the state reached")],
)  # fmt: skip
def test_programs_without_an_optimum_have_no_contacts(monkeypatch, end, reason):
    here = walls(0.5, 0.5)
    programme = Programme(here, np.arange(2), end, 1)
    monkeypatch.setattr(exact, "sequential_programs", lambda *_: programme)
    point = _by_programs(here.problem, here.x, ended("a"), 3)
    assert (point.status, point.reason, point.stages) == (end, reason, 3)
    assert (len(point.rows), len(point.forces), point.held.tolist()) == (0, 0, [False])


@pytest.mark.parametrize(
    ("status", "rows", "found", "last", "end"),
    [
        ("converged", 2, ended("", certificate=VALID), ended("a"), ("jammed", "")),
        ("converged", 2, ended("b"), ended("a"), ("stalled", "a")),
        ("converged", 2, ended("b"), None, ("stalled", "b")),
        ("converged", 0, ended("", certificate=VALID), None,
         ("hypostatic", "no minimum was close to jamming")),
        ("stalled", 2, ended("", certificate=VALID), None,
         ("stalled", "no minimum was close to jamming")),
        ("stalled", 2, ended("", certificate=VALID), ended("a"), ("stalled", "a")),
    ],
)  # fmt: skip
def test_where_programs_converge_is_tried_at_last(monkeypatch, status, rows, found, last, end):
    here = walls(0.5, 0.5)
    steps = []
    monkeypatch.setattr(
        exact, "_finish", lambda here, rows, max_step: steps.append(max_step) or found
    )
    programme = Programme(here, np.arange(rows), status, 1)
    monkeypatch.setattr(exact, "sequential_programs", lambda *_: programme)
    point = _by_programs(here.problem, here.x, last, 3)
    assert (point.status, point.reason, point.stages) == (*end, 3)
    assert steps == ([0.1] if status == "converged" and rows else [])
    if "close" in point.reason:
        assert len(point.forces) == rows
        assert np.isnan(point.forces).all()


def test_forces_in_units_of_their_mean_and_margins_of_what_is_held():
    """Of two variables the second is loose; an open gap of 1e-12 counts as closed."""
    normals = np.array([[1.0, 0], [-1, 0], [1, 0], [-1, 0], [1, 0], [0, 1]])
    offsets = np.array([0.0, 0.0, -2.0, -3.0, -0.9e-12, -7.0])
    here = Linearised.at(Halfspaces(normals, offsets), np.zeros(2))
    point = _result(Candidate(here, np.arange(2), np.array([1.0, 5.0])), "jammed", "", 1)
    assert point.relative_forces == pytest.approx([1 / 3, 5 / 3])
    assert point.margins().tolist() == [2.0, 3.0]

"""Linear programs in turn: what they count, which bodies they take in and which they let go."""

from dataclasses import replace

import numpy as np
import pytest

from bridge.jamming import isostatic
from bridge.jamming.isostatic import _supports, isostatic_optimum
from bridge.jamming.linearised import Linearised

from problems import Enclosing, Halfspaces

# One variable between two walls, a ball y beside it that a third wall holds, and a closer wall.
# Rows: x <= -t; -x <= -t; y - x + 1 <= -t; -y + 1 <= -t; and a wall -x - 0.3 <= -t within reach.
NORMALS = np.array([[1.0, 0.0], [-1, 0], [-1, 1], [0, -1], [-1, 0]])
CAGED = np.array([0.0, 0.0, 1.0, 1.0, -0.3])


def at_origin(normals, offsets):
    normals = np.array(normals, dtype=float)
    return Linearised.at(Halfspaces(normals, np.array(offsets)), np.zeros(normals.shape[1]))


def test_a_body_without_room_joins_and_everything_made_is_counted():
    """Without ``y`` the load is 0; with it ``x + (y - x) - y`` sums to ``-2 = 3t``."""
    found = isostatic_optimum(at_origin(NORMALS, CAGED), np.array([0, 4]), max_step=9.0)
    assert (found.reason, found.certificate.flaw()) == ("", "")
    assert sorted(found.rows) == [0, 2, 3]
    assert found.here.problem.offsets[0] == pytest.approx(-2 / 3)
    assert found.here.x == pytest.approx([2 / 3, 1 / 3])
    assert found.forces == pytest.approx(np.full(3, 1 / 3))
    # One wall is exchanged, one more with the body, and a third step sees that none is left to.
    assert (found.steps, found.exchanges) == (3, 2)
    assert (found.certificate.n_free_motions, found.certificate.n_constraints) == (0, 3)


def test_a_body_goes_on_from_where_the_others_are_and_shares_their_steps():
    here = at_origin(NORMALS, CAGED)
    assert isostatic_optimum(here, np.array([0, 4]), 9.0, max_steps=3).reason == ""
    short = isostatic_optimum(here, np.array([0, 4]), 9.0, max_steps=1)
    # The wall at -0.3 has been exchanged for that at 0, and y, left in violation, has joined.
    assert short.here.x == pytest.approx([0.0, 0.0])
    assert (sorted(short.rows), short.exchanges, short.certificate) == ([0, 1, 2], 1, None)
    assert short.reason.startswith("active gaps are ")
    assert short.reason.endswith(" after 1 steps")


def test_what_nothing_touches_is_not_asked_to_be_supported():
    normals = np.column_stack([NORMALS, np.zeros(5)])
    found = isostatic_optimum(at_origin(normals, CAGED), np.array([0, 4]), max_step=9.0)
    assert found.certificate.flaw() == ""
    assert sorted(found.rows) == [0, 2, 3]
    assert found.here.x[2] == 0.0


@pytest.mark.parametrize("load", [1.0, 1e6])
def test_a_support_without_force_is_let_go_with_its_body(load):
    """The wall of ``y`` was active, but ``x`` leaves it room."""

    class Scaled(Halfspaces):
        def tightening(self, x):
            return np.full(len(self.offsets), load)

        def tightened(self, t):
            return replace(self, offsets=self.offsets + load * t)

    problem = Scaled(NORMALS[:4], np.array([0.0, 0.0, -3.0, 1.0]))
    found = isostatic_optimum(Linearised.at(problem, np.zeros(2)), np.array([0, 1, 3]), 9.0)
    assert (found.reason, found.certificate.flaw()) == ("", "")
    assert (found.rows.tolist(), found.certificate.n) == ([0, 1], 1)
    assert found.forces * load == pytest.approx([0.5, 0.5])
    assert 1.0 < found.here.x[1] < 3.0


@pytest.mark.parametrize("weak", [0.5e-9, 2e-9])
def test_a_force_of_a_billionth_of_the_mean_is_none(weak):
    """Rows ``x``, ``-x + εy`` and ``-y``: the last bears ``ε`` of the force of the others."""
    here = at_origin([[1.0, 0.0], [-1.0, weak * 2 / 3], [0.0, -1.0]], np.zeros(3))
    found = isostatic_optimum(here, np.arange(3), max_step=1.0)
    if weak < 1e-9:
        said = "1 active constraints carry no force, and yet hold the state"
        assert (found.reason, found.degenerate, found.certificate) == (said, True, None)
    else:
        assert (found.reason, found.degenerate) == ("", False)
        assert found.certificate.min_force == pytest.approx(weak)


def test_a_force_below_the_mean_is_one():
    angles = np.array([0.0, 1.7, 4.1])
    here = at_origin(np.column_stack([np.cos(angles), np.sin(angles)]), np.zeros(3))
    found = isostatic_optimum(here, np.arange(3), max_step=1.0)
    assert (found.reason, len(found.rows)) == ("", 3)
    assert found.certificate.min_force < 0.9


def test_a_step_counts_though_it_ends_the_iteration():
    """``x`` stays where it is at first, and has 2/3 to go once ``y`` has joined."""
    found = isostatic_optimum(at_origin(NORMALS, CAGED), np.array([0, 4]), max_step=0.5)
    assert (found.reason, found.steps, found.exchanges) == ("a step of 6.7e-01 is too long", 2, 2)
    loose = at_origin([[1.0], [2.0]], [0.0, 0.0])
    found = isostatic_optimum(loose, np.arange(2), max_step=9.0)
    assert found.reason == "unbounded: nothing stops the load from growing"
    assert found.steps == 1


def test_steps_go_on_until_the_gaps_are_closed():
    """The circle through three points, from beside its centre: Newton's method, not one step."""
    corners = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 1.5]])
    here = Linearised.at(Enclosing(corners, 1.0), np.array([1.1, 0.3]))
    found = isostatic_optimum(here, np.arange(3), max_step=1.0)
    assert (found.certificate.flaw(), found.exchanges) == ("", 0)
    assert found.here.x == pytest.approx([1.0, 5 / 12], abs=1e-13)
    assert found.steps > 1


def test_half_of_the_constraints_may_be_exchanged_but_never_fewer_than_fifty(monkeypatch):
    allowed = []
    plain = isostatic.optimal_vertex

    def watched(vertex, within, max_exchanges):
        allowed.append(max_exchanges)
        return plain(vertex, within, max_exchanges)

    monkeypatch.setattr(isostatic, "optimal_vertex", watched)
    walls = at_origin([[1.0], [-1.0], [-1.0]], [0.0, -0.3, 0.0])
    isostatic_optimum(walls, np.arange(2), max_step=9.0)
    assert allowed == [50, 49]
    n = 103
    many = at_origin(np.vstack([np.eye(n), -np.ones(n)]), np.zeros(n + 1))
    isostatic_optimum(many, np.arange(n + 1), max_step=9.0)
    assert allowed[2:] == [52]


# Supports of a body that is taken in: rows 0 and 1 hold the first variable, the others act on it.
SUPPORTS = [
    [1.0, 0.0, 0.0, 0.0],
    [-1.0, 0.0, 0.0, 0.0],
    [-1.0, 5.0, 0.0, 0.0],
    [0.0, 100.0, 0.05, 0.0],  # almost parallel to the one before
    [0.0, 0.0, 0.01, 0.0],
    [0.0, 2.0, 2.0, 0.0],
    [0.0, 0.0, 1.0, 1.0],
    [3.0, 0.0, 0.0, 0.0],
]
CLOSED = [0.0, 0.0, 0.1, 0.05, -0.1, -0.2, 9.0, 8.0]


@pytest.mark.parametrize(
    ("body", "supports"),
    [([1, 2], [2, 4]), ([0, 1, 2], [2, 4]), ([1, 2, 3], [6, 2, 4]), ([1], [2])],
)
def test_the_most_closed_independent_constraints_support_a_body(body, supports):
    variables = np.isin(np.arange(4), body)
    assert _supports(at_origin(SUPPORTS, CLOSED), np.arange(2), variables).tolist() == supports


def test_a_body_with_too_few_constraints_is_not_supported():
    here = at_origin(SUPPORTS[:4], CLOSED[:4])
    assert _supports(here, np.arange(2), np.array([False, True, True, False])).tolist() == []

"""Newton's descent and L-BFGS on landscapes whose every step is known."""

from itertools import pairwise

import numpy as np
import pytest

from bridge import lbfgs
from bridge.descent.newton import Newton

from problems import Balls, Chain, Halfspaces
from surfaces import Surface, parabola


def double_well():
    """``U = 1 + ¼ (x² - 1)² + ½ y²``: a saddle of ``U = 1.25`` between two minima of ``U = 1``."""
    return Surface(
        lambda x: 1 + 0.25 * (x[0] ** 2 - 1) ** 2 + 0.5 * x[1] ** 2,
        lambda x: [x[0] ** 3 - x[0], x[1]],
        lambda x: np.diag([3 * x[0] ** 2 - 1, 1.0]),
        2,
    )


MATRIX = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 9.0]])


def test_a_parabola_takes_one_step():
    surface = parabola(MATRIX)
    states = list(Newton().descent(surface, np.array([0.1, -0.05, 0.02])))
    assert [state.status for state in states] == ["stalled", "jammed"]
    assert states[-1].x == pytest.approx(np.zeros(3), abs=1e-13)
    assert states[-1].energy == 1.0
    assert [state.evaluations for state in states] == [1, 2]


def test_the_end_is_the_last_state_of_the_descent():
    start = np.array([0.1, -0.05, 0.02])
    end = Newton()(parabola(MATRIX), start)
    assert (end.status, end.reason) == ("jammed", "")
    assert start.tolist() == [0.1, -0.05, 0.02]


@pytest.mark.parametrize("longest", [0.1, 0.02])
def test_no_step_is_longer_than_allowed(longest):
    start = np.array([2.0, -1.0, 1.5])
    states = list(Newton(max_step=longest).descent(parabola(MATRIX), start))
    moved = [np.linalg.norm(b.x - a.x) for a, b in pairwise(states)]
    assert states[-1].status == "jammed"
    assert max(moved) <= longest * np.sqrt(3) * (1 + 1e-12)
    assert max(moved) > 0.2 * longest * np.sqrt(3)
    assert (np.diff([state.energy for state in states]) <= 0).all()


def test_the_energy_never_rises_on_the_way():
    ends = {}
    for x0 in (-1.7, -0.3, 0.05, 0.57, 0.58, 2.3):
        states = list(Newton().descent(double_well(), np.array([x0, 0.8])))
        assert (np.diff([state.energy for state in states]) <= 0).all()
        ends[x0] = states[-1]
        assert states[-1].status == "jammed"
        assert abs(states[-1].x[0]) == pytest.approx(1.0, abs=1e-9)
        assert states[-1].x[1] == pytest.approx(0.0, abs=1e-9)
        assert len(states) < 60


def test_a_saddle_is_left_though_no_force_acts_there():
    end = Newton()(double_well(), np.zeros(2))
    assert end.status == "jammed"
    assert abs(end.x[0]) == pytest.approx(1.0, abs=1e-9)
    assert end.energy == pytest.approx(1.0)


def test_a_saddle_is_left_downhill_where_it_leans():
    """The force on the soft mode is below balance, and yet it says to which side."""
    for lean in (1e-13, -1e-13):
        surface = double_well()
        balanced = surface.gradient
        surface.gradient = lambda x, b=balanced, lean=lean: b(x) + np.array([lean, 0.0])
        end = Newton()(surface, np.zeros(2))
        assert np.sign(end.x[0]) == -np.sign(lean)


def leaning_saddle(curvature, cubic):
    """``U = 1 + c x² + b x³ + x⁴ + ½ y²``."""
    return Surface(
        lambda x: 1 + curvature * x[0] ** 2 + cubic * x[0] ** 3 + x[0] ** 4 + 0.5 * x[1] ** 2,
        lambda x: [2 * curvature * x[0] + 3 * cubic * x[0] ** 2 + 4 * x[0] ** 3, x[1]],
        lambda x: np.diag([2 * curvature + 6 * cubic * x[0] + 12 * x[0] ** 2, 1.0]),
        2,
    )


def test_a_saddle_too_shallow_to_be_seen_is_a_minimum():
    end = Newton()(leaning_saddle(-1e-10, 0.0), np.zeros(2))
    assert (end.status, end.x.tolist()) == ("jammed", [0.0, 0.0])


@pytest.mark.parametrize("cubic", [1.0, -1.0])
def test_both_sides_of_a_saddle_are_tried(cubic):
    """Curvature alone shows no way down; a little farther one side falls and the other rises."""
    end = Newton()(leaning_saddle(-1e-10, cubic), np.zeros(2))
    assert end.status == "jammed"
    assert end.x == pytest.approx([-0.75 * cubic, 0.0], abs=1e-6)


def test_a_smaller_force_at_a_higher_energy_is_no_progress():
    """``U = 1 + x²/(1 + x²)``: from 0.5 the undamped step overshoots to where it flattens."""
    surface = Surface(
        lambda x: 1 + x[0] ** 2 / (1 + x[0] ** 2),
        lambda x: [2 * x[0] / (1 + x[0] ** 2) ** 2],
        lambda x: np.array([[(2 - 6 * x[0] ** 2) / (1 + x[0] ** 2) ** 3]]),
        1,
    )
    end = Newton(max_step=10.0)(surface, np.array([0.5]))
    assert end.x == pytest.approx([0.0], abs=1e-9)


def test_a_symmetry_of_some_variables_is_pinned():
    class Free(Surface):
        def zero_modes(self, x):
            return np.array([[0.0, 1.0, 0.0]])

    flat = parabola(np.diag([4.0, 0.0, 9.0]))
    surface = Free(flat.energy, flat.gradient, flat.curvature, 3)
    end = Newton()(surface, np.array([0.1, 5.0, -0.1]))
    assert (end.status, end.evaluations) == ("jammed", 2)
    assert end.x == pytest.approx([0.0, 5.0, 0.0], abs=1e-12)


def test_a_flat_bottom_is_a_minimum():
    surface = Surface(
        lambda x: 1 + x[0] ** 4 + x[1] ** 2,
        lambda x: [4 * x[0] ** 3, 2 * x[1]],
        lambda x: np.diag([12 * x[0] ** 2, 2.0]),
        2,
    )
    end = Newton()(surface, np.array([0.05, 0.3]))
    assert end.status == "jammed"
    assert end.energy == pytest.approx(1.0, abs=1e-9)


def test_energies_up_to_the_zero_asked_for_are_unjammed():
    start = np.zeros(3)
    for above, status in ((1e-22, "unjammed"), (1.01e-22, "jammed"), (0.0, "unjammed")):
        assert Newton()(parabola(MATRIX, above), start).status == status
    assert Newton(zero_energy=0.5)(parabola(MATRIX, 0.5), start).status == "unjammed"
    assert Newton(zero_energy=0.5)(parabola(MATRIX, 0.5), start).evaluations == 1


def test_balance_is_asked_beside_the_forces():
    """The tolerance is in units of ``√(2 U/n)``: here ``√(2 · 50/4) = 5``."""
    surface = parabola(np.eye(4), 50.0)
    start = np.array([0.0, 5.1e-4, 0.0, 0.0])
    assert Newton(tolerance=1e-4)(surface, start).x == pytest.approx(np.zeros(4), abs=1e-15)
    start[1] = 4.9e-4
    assert Newton(tolerance=1e-4)(surface, start).x.tolist() == start.tolist()


def test_a_wrong_gradient_stalls_with_its_reason():
    surface = parabola(np.eye(2))
    surface.gradient = lambda x: -x - 1.0
    end = Newton()(surface, np.array([0.3, 0.1]))
    assert (end.status, end.reason) == ("stalled", "no Newton step lowers the energy")
    assert end.x.tolist() == [0.3, 0.1]


def test_too_few_steps_say_how_many_they_were():
    end = Newton(max_steps=3)(parabola(MATRIX), np.array([9.0, 9.0, 9.0]))
    assert (end.status, end.reason) == ("stalled", "3 Newton steps were not enough")
    assert Newton(max_steps=2)(parabola(MATRIX), np.array([0.01, 0.0, 0.0])).status == "jammed"


def test_a_translation_is_not_made():
    """Two overlapping pairs that a wall of nothing holds: the centre of mass stays."""
    problem, start = Chain(4), np.array([0.2, 0.9, 1.3, 2.1])
    for end in (Newton()(problem, start), lbfgs(problem, start)):
        assert end.status == "unjammed"
        assert end.x.mean() == pytest.approx(start.mean(), abs=1e-12)


def test_a_body_without_contact_stays_where_it_is():
    cross = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    end = Newton()(Halfspaces(cross, np.full(4, 0.1)), np.array([0.03, -0.05, 7.0]))
    assert (end.status, end.evaluations) == ("jammed", 2)
    assert end.x == pytest.approx([0.0, 0.0, 7.0], abs=1e-12)
    assert end.energy == pytest.approx(0.02)


# L-BFGS.


def test_memory_makes_an_ill_conditioned_parabola_short():
    stiffness = np.geomspace(1.0, 1e4, 12)
    surface = parabola(np.diag(stiffness), above=0.0)
    found = lbfgs(surface, np.ones(12), tolerance=1e-8, zero_energy=-np.inf, max_evaluations=1000)
    assert found.status == "jammed"
    assert found.evaluations == len(surface.asked) < 600
    assert np.abs(found.x).max() < 1e-7
    plain = lbfgs(
        parabola(np.diag(stiffness), above=0.0), np.ones(12), tolerance=1e-8, memory=0,
        zero_energy=-np.inf, max_evaluations=1000,
    )  # fmt: skip
    assert plain.status == "stalled"


def test_steps_of_lbfgs_are_bounded():
    surface = parabola(MATRIX)
    found = lbfgs(surface, np.array([3.0, -2.0, 4.0]), max_step=0.05)
    moved = np.linalg.norm(np.diff(surface.asked, axis=0), axis=1)
    assert found.status == "jammed"
    assert moved.max() == pytest.approx(0.05 * np.sqrt(3))


def test_balance_below_the_tolerance_ends_a_descent():
    for size, evaluations in ((0.99e-3, 1), (1e-3, 2)):
        surface = parabola(np.eye(2))
        found = lbfgs(surface, np.array([0.0, -size]), tolerance=1e-3)
        assert (found.status, found.evaluations) == ("jammed", evaluations)


def test_energies_at_the_zero_asked_for_end_a_descent():
    surface = parabola(np.eye(2), above=0.3)
    assert lbfgs(surface, np.zeros(2), zero_energy=0.3).status == "unjammed"
    assert lbfgs(surface, np.zeros(2), zero_energy=0.29).status == "jammed"
    below = parabola(np.eye(2), above=-5.0)
    assert lbfgs(below, np.array([0.4, 0.2]), zero_energy=-np.inf).status == "jammed"


def test_a_step_that_raises_the_energy_is_halved():
    """The curvature grows twentyfold where the slope changes sign: the first step goes too far."""
    surface = Surface(
        lambda x: 1 + (0.5 if x[0] > 0 else 50.0) * x[0] ** 2,
        lambda x: [(1.0 if x[0] > 0 else 100.0) * x[0]],
        lambda x: np.array([[1.0 if x[0] > 0 else 100.0]]),
        1,
    )
    found = lbfgs(surface, np.array([0.05]), tolerance=1e-9)
    assert found.status == "jammed"
    assert found.evaluations < 40


def test_a_gradient_that_points_uphill_ends_with_its_reason():
    surface = parabola(np.eye(2))
    surface.gradient = lambda x: -x - 1.0
    found = lbfgs(surface, np.array([0.3, 0.1]))
    assert (found.status, found.reason) == (
        "stalled", "no step lowers the energy: rounding is reached",
    )  # fmt: skip
    assert len(surface.asked) == 31  # the start, and thirty times half the step


def test_both_find_the_minimum_of_curved_gaps():
    problem = Balls(np.random.default_rng(3).standard_normal((6, 3)) * 2, 0.5)
    newton, quasi = (f(problem, np.zeros(3)) for f in (Newton(), lbfgs))
    assert newton.x == pytest.approx(quasi.x, abs=1e-8)
    assert newton.max_residual < 1e-9

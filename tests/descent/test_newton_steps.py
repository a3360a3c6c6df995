"""Each step of Newton's descent, against what it is on paper."""

from itertools import islice

import numpy as np
import pytest

from bridge.descent.lbfgs import Minimum
from bridge.descent.newton import Newton

from surfaces import Surface, parabola


def steps(surface, start, count, **options):
    return [state.x for state in islice(Newton(**options).descent(surface, start), count)]


@pytest.mark.parametrize("stiffness", [1.0, 3.0])
def test_damping_is_quadrupled_until_a_step_is_short_enough(stiffness):
    """A parabola: ``x -> x λ/(1 + λ)``, the length allowed being 0.1 in each of two variables.

    The damping goes ``0, 1e-7, 4e-7, ...`` up to ``4¹⁵ 1e-7 = 107.4``, the first above 10 √2
    over 0.1 √2, less one. The next begins at a tenth of that, and is raised twice.
    """
    along = np.array([10.0, 10.0])
    x = steps(parabola(stiffness * np.eye(2)), along, 3)
    first = 4.0**15 * 1e-7
    second = 16 * first / 10.0
    assert x[1] == pytest.approx(along * first / (1 + first), rel=1e-12)
    assert x[2] == pytest.approx(x[1] * second / (1 + second), rel=1e-12)


def test_damping_acts_on_each_variable_alike():
    x = steps(parabola(4.0 * np.eye(3)), np.array([0.0, 1.0, 0.0]), 2, max_step=0.4)
    damping = 4.0**12 * 1e-7
    assert 1 / (1 + damping) < 0.4 * np.sqrt(3) < 1 / (1 + damping / 4)
    assert x[1] == pytest.approx([0.0, damping / (1 + damping), 0.0], abs=1e-12)


@pytest.mark.parametrize(("trials", "left"), [(1, 0.0), (2, 0.0), (3, 1.6e-7)])
def test_damping_below_the_least_is_none(trials, left):
    """The step allowed lies between those of the last two of ``0, 1e-7, 4e-7, 1.6e-6``."""
    dampings = [0.0, *(1e-7 * 4.0 ** np.arange(trials))]
    longest = 1.0 / (1.0 + 0.5 * (dampings[-2] + dampings[-1]))
    surface = parabola(np.eye(1), above=1e-14)
    x = steps(surface, np.ones(1), 3, max_step=longest)
    assert x[1] == pytest.approx([dampings[-1]], rel=1e-3)
    assert x[2] == pytest.approx(x[1] * left, rel=1e-3, abs=1e-18)


def test_an_unstable_state_begins_with_a_thousandth_of_the_stiffness():
    """``U = 10 - x²/2``: ``x -> x + x/(λ - 1)`` with 1.024, and then four times 0.4096."""
    hill = Surface(lambda x: 10 - 0.5 * x[0] ** 2, lambda x: -x, lambda x: -np.eye(1), 1)
    x = steps(hill, np.array([0.01]), 3, max_step=1.0)
    assert x[1] == pytest.approx([0.01 + 0.01 / 0.024], rel=1e-9)
    assert x[2] == pytest.approx(x[1] + x[1] / (4**2 * 0.1024 - 1), rel=1e-9)


def test_a_slope_without_stiffness_has_a_stiffness_of_one():
    slope = Surface(lambda x: 2000 - x[0], lambda x: [-1.0], lambda x: np.zeros((1, 1)), 1)
    assert steps(slope, np.zeros(1), 2, max_step=2000.0)[1] == pytest.approx([1000.0])


@pytest.mark.parametrize(("size", "reached"), [(0.1999, True), (0.2001, False)])
def test_a_step_may_be_a_tenth_in_each_variable(size, reached):
    """Four variables, of which one moves: ``0.1 √4``."""
    x = steps(parabola(np.eye(4)), np.array([size, 0, 0, 0]), 2)
    assert (x[1][0] < 1e-12) == reached


def test_a_soft_parabola_takes_one_step():
    soft = parabola(1e-10 * np.eye(2), above=1e-20)
    end = Newton(zero_energy=0.0)(soft, np.array([1e-3, 0.0]))
    assert (end.status, end.evaluations) == ("jammed", 2)


@pytest.mark.parametrize(
    ("force", "energy", "left", "accepted"),
    [
        # The energy falls by a ten-thousandth of what the slope promises, 2.5e-7.
        (0.05, 100 - 2.6e-7, 1.0, True),
        (0.05, 100 - 2.4e-7, 1.0, False),
        # Within rounding, 1e-12 of 100, the force has to be less than half.
        (0.05, 100 - 2.4e-7, 0.02, True),
        (0.05, 100 + 5e-13, 0.02, True),
        (0.05, 100 + 5e-13, 0.025, False),
        (0.05, 100 + 5e-13, 0.03, False),
        (0.05, 100 + 2e-12, 0.02, False),
        # A fall within rounding is none.
        (1e-5, 100 - 5e-13, 1.0, False),
        (1e-5, 100 - 2e-12, 1.0, True),
    ],
)
def test_what_counts_as_lower(force, energy, left, accepted):
    surface = Surface(
        lambda x: 100.0 if x[0] == force else energy,
        lambda x: [force if x[0] == force else left],
        lambda x: np.eye(1),
        1,
    )
    next(Newton().descent(surface, np.array([force])))
    assert (len(surface.asked) == 2) == accepted  # the start, and one step


@pytest.mark.parametrize(("rise", "accepted"), [(0.9, True), (1.1, False)])
def test_close_to_jamming_the_rounding_of_gaps_is_more_than_that_of_the_energy(rise, accepted):
    """Of ``U = 1e-9`` a part of 1e-14 is 1e-23; gaps of order one less another lose √(2U) 1e-16."""
    energy, force = 1e-9, 1e-9
    noise = 1e-23 + 1e-16 * np.sqrt(2e-9)
    surface = Surface(
        lambda x: energy if x[0] == force else energy + rise * noise,
        lambda x: [force if x[0] == force else 0.4 * force],
        lambda x: np.eye(1),
        1,
    )
    next(Newton().descent(surface, np.array([force])))
    assert (len(surface.asked) == 2) == accepted


def flat(force, curvature):
    """``U = 1`` whatever the force, which no step makes smaller."""
    return Surface(lambda x: 1.0, lambda x: [force, 0.0], lambda x: curvature * np.eye(2), 2)


@pytest.mark.parametrize(
    ("over", "asked", "status"),
    [
        (1.0, 1, "jammed"),  # the tolerance itself
        (1.0001, 31, "jammed"),
        (1e5, 31, "jammed"),  # too large to be small, but no step makes it smaller
        (1e5 * (1 + 5e-6), 31, "stalled"),
    ],
)
def test_a_force_is_balanced_up_to_the_tolerance(over, asked, status):
    surface, tolerance = flat(over * 2.0**-20, 0.5), 2.0**-20  # at √(2 U/n) = 1
    end = Newton(tolerance=tolerance, max_step=1.0)(surface, np.zeros(2))
    assert (len(surface.asked), end.status, end.x.tolist()) == (asked, status, [0.0, 0.0])
    assert end.reason == ("no Newton step lowers the energy" if status == "stalled" else "")


def test_a_saddle_is_left_by_lengths_of_six_decades_to_both_sides():
    surface = flat(0.0, -1.0)
    surface.curvature = lambda x: np.diag([1.0, -1.0])
    assert Newton()(surface, np.zeros(2)).status == "jammed"
    lengths = np.repeat([1e-6, 1e-5, 1e-4, 1e-3, 1e-2], 2)
    asked = np.array(surface.asked[1:])
    assert np.abs(asked[:, 1]) == pytest.approx(lengths, rel=1e-9)
    assert asked[::2] == pytest.approx(-asked[1::2])
    assert not asked[:, 0].any()


def test_no_damping_is_left_from_before_a_saddle():
    """``U = 1 + (|y| - 0.05)²/2``, whose Hessian says at ``y = 0`` that it is a saddle."""
    surface = Surface(
        lambda x: 1 + 0.5 * (abs(x[1]) - 0.05) ** 2,
        lambda x: [0.0, x[1] - 0.05 * np.sign(x[1])],
        lambda x: np.diag([1.0, 1.0 if x[1] else -1.0]),
        2,
    )
    end = Newton()(surface, np.zeros(2))
    assert (end.status, end.evaluations) == ("jammed", 3)
    assert np.abs(surface.asked) == pytest.approx(np.array([[0, 0], [0, 1e-6], [0, 0.05]]))


def test_two_thousand_steps_are_the_most():
    drawn = []

    class Endless(Newton):
        def descent(self, problem, x):
            while True:
                drawn.append(x)
                yield Minimum(problem, x, 1.0, x, 1, "stalled")

    end = Endless()(None, np.zeros(1))
    assert (end.reason, len(drawn)) == ("2000 Newton steps were not enough", 2000)

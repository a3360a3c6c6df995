"""Slow loading of the linear hinge: a fall on paper, none in convex problems, ends certified."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from bridge import check_problem
from bridge.avalanches.drift import AtPressure, Drifting
from bridge.avalanches.surf import surf, work_rate
from bridge.descent.corners import Corner, settle
from bridge.descent.linear_certificate import certify
from bridge.jamming import exact_jamming
from particles import Discs, Perceptron, descend, minimise


@dataclass(frozen=True)
class Slope:
    """A point on a slope, ``Δ_0 = 9 - x²/2``, behind a wall ``x <= t``; another at 3/2 stays.

    The wall gives way where the slope pulls with 1, at ``t = 1``; the other one then holds with
    half its force. The fall takes ``1/8``: ``-1/2`` before, and ``-9/8 + 1/2`` after.
    """

    t: float = 0.0
    n_dof = 1

    def gaps(self, x):
        return np.array([9.0 - 0.5 * x[0] ** 2, x[0] - self.t, x[0] - 1.5])

    def gap_jacobian(self, x, rows=None):
        full = np.array([[-x[0]], [1.0], [1.0]])
        return full if rows is None else full[rows]

    def curvature(self, x, forces):
        return np.array([[-forces[0]]])

    def zero_modes(self, x):
        return np.zeros((0, 1))

    def tightening(self, x):
        return np.array([0.0, -1.0, 0.0])

    def tightened(self, t):
        return replace(self, t=self.t + t)


@pytest.mark.parametrize("largest", [None, 0.3])
def test_a_fall_on_paper(largest):
    found = surf(Corner.at(Slope(0.4), np.array([0.3])), 0.8, largest)
    (fall,) = found.avalanches
    assert (0.4 + fall.load, fall.drop) == pytest.approx((1.0, 0.125), abs=1e-6)
    assert (fall.displacement, fall.relief) == pytest.approx((0.5, 0.0), abs=1e-6)
    assert fall.exchanged == 1
    assert found.end.x == pytest.approx([1.5], abs=1e-12)
    assert found.end.forces == pytest.approx([0.5])
    assert work_rate(found.end) == pytest.approx(-1.0)


def drifting(n, alpha, rng):
    plain = Perceptron.random(n, alpha, 0.0, rng)
    problem = AtPressure(Drifting(plain, rng.standard_normal(len(plain.patterns))))
    x = np.append(plain.random_state(rng), 0.0)
    x[-1] = -problem.gaps(x)[:-1].max() - 0.1
    return problem, x


def test_drift_and_pressure_keep_the_promises():
    problem, x = drifting(6, 5.0, np.random.default_rng(0))
    check_problem(problem.problem, x[:-1])
    x[-1] = 0.3
    check_problem(problem, x)
    with pytest.raises(ValueError, match="expected a rate for each of 30 gaps, got 2"):
        Drifting(problem.problem.problem, np.ones(2)).gaps(x[:-1])


def test_a_corner_under_little_pressure_is_an_exact_jamming_point():
    """That of the largest margin, which is unique where it is positive."""
    rng = np.random.default_rng(1)
    problem, x = drifting(12, 1.2, rng)
    corner = settle(Corner.at(problem, x))
    plain = problem.problem.problem
    point = exact_jamming(plain, corner.x[:-1], minimise=descend)
    assert point.status == "jammed"
    assert point.problem.sigma == pytest.approx(corner.x[-1], abs=1e-9)
    assert corner.forces.sum() == pytest.approx(problem.pressure)


def test_where_the_largest_margin_is_unique_it_is_followed_without_a_fall():
    """It is convex where patterns fit with a positive margin; the way does not matter then."""
    rng = np.random.default_rng(3)
    problem, x = drifting(8, 1.2, rng)
    found = surf(Corner.at(problem, x), 0.5, 0.1)
    assert found.status == "loaded"
    assert not found.avalanches
    assert found.exchanges > 0
    there = problem.tightened(0.5)
    again = settle(Corner.at(there, np.append(x[:-1], -there.gaps(x).max())))
    assert again.x[-1] > 0.0
    assert found.end.x[-1] == pytest.approx(again.x[-1], abs=1e-9)


def test_a_rough_system_falls_and_ends_certified():
    rng = np.random.default_rng(0)
    problem = Perceptron.random(15, 8.0, -0.5, rng)
    found = surf(Corner.at(problem, descend(problem, problem.random_state(rng)).x), 0.1, 0.01)
    end = found.end
    assert found.status == "loaded"
    assert len(found.avalanches) > 3
    assert found.resolution < 1e-6
    assert end.problem.sigma == pytest.approx(-0.4)
    assert certify(end.problem, end.x, end.marginal, end.forces).flaw() == ""


def test_packings_are_followed_though_their_lists_of_gaps_change():
    packing, rng = Discs.bidisperse(12, phi=0.95), np.random.default_rng(2)
    end = minimise(packing, packing.random_state(rng))
    found = surf(Corner.at(end.problem, end.x), 0.01, 0.002)
    last = found.end
    assert found.status == "loaded"
    assert certify(last.problem, last.x, last.marginal, last.forces).flaw() == ""

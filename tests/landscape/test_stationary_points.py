"""Stationary points: states on either side of each threshold of their certificate."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from bridge.landscape.stationary_points import (
    Model,
    StationaryPoint,
    certify_point,
    model,
    touches_released,
)

from problems import Chain, Halfspaces

SADDLE = Model(
    x=np.array([3.0, -1.0, 0.5]),
    energy=-2.5,
    gradient=np.zeros(3),
    values=np.array([-2.0, 0.5, 8.0]),
    modes=np.eye(3),
    climbable=np.arange(3),
    floor=1e-14,
)


def test_a_saddle_is_certified_with_its_numbers():
    found = certify_point(SADDLE, 1)
    assert isinstance(found, StationaryPoint)
    assert (found.energy, found.index, found.n_modes, found.order) == (-2.5, 1, 3, 1)
    assert found.lowest == -2.0
    assert found.log_det == pytest.approx(np.log(8.0))
    assert found.residual == 0.0
    assert found.x.tolist() == [3.0, -1.0, 0.5]
    assert StationaryPoint(found.x, -2.5, 1, 0.0, 3, -2.0, 0.0).order == 1


@pytest.mark.parametrize(("index", "wrong"), [(0, 1), (2, 1)])
def test_another_index_is_refused(index, wrong):
    assert certify_point(SADDLE, index) == f"{wrong} negative eigenvalues"


def test_every_negative_eigenvalue_counts():
    double = replace(SADDLE, values=np.array([-2.0, -1e-13, 8.0]))
    assert certify_point(double, 1) == "2 negative eigenvalues"
    assert certify_point(double, 2).index == 2


def test_a_gradient_is_judged_by_its_largest_component():
    for sign in (1.0, -1.0):
        good = replace(SADDLE, gradient=sign * np.array([0.99e-9, 0.99e-9, 0.99e-9]))
        bad = replace(SADDLE, gradient=sign * np.array([0.0, 1e-9, 0.0]))
        assert isinstance(certify_point(good, 1), StationaryPoint)
        assert certify_point(good, 1).residual == 0.99e-9
        assert certify_point(bad, 1) == "the gradient stayed at 1.0e-09"


def test_a_force_must_be_seen_above_the_gradient():
    assert isinstance(certify_point(replace(SADDLE, weakest=1e-9), 1), StationaryPoint)
    weak = certify_point(replace(SADDLE, weakest=0.99e-9), 1)
    assert weak == "a contact with the force 9.9e-10 may be open or closed"


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_an_eigenvalue_within_rounding_is_singular(sign):
    index = 1 if sign > 0 else 2
    values = np.array([-2.0, sign * 1.01e-14, 8.0])
    assert isinstance(certify_point(replace(SADDLE, values=values), index), StationaryPoint)
    values = np.array([-2.0, sign * 1e-14, 8.0])
    assert certify_point(replace(SADDLE, values=values), index) == "the Hessian is singular"


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_stationary_point_far_away_makes_a_plateau(sign):
    """A gradient of 8e-10 along a mode of 2e-6 leaves 4e-4: as far as 1e-4 (1 + 3)."""
    values = np.array([-2.0, 2.01e-6, 8.0])
    gradient = sign * np.array([0.0, 8e-10, 0.0])
    assert isinstance(
        certify_point(replace(SADDLE, values=values, gradient=gradient), 1), StationaryPoint
    )
    values = np.array([-2.0, 1.99e-6, 8.0])
    assert "a plateau" in certify_point(replace(SADDLE, values=values, gradient=gradient), 1)
    # The step is that of the modes, which need not be the axes.
    turned = np.eye(3)[[1, 2, 0]]
    here = replace(SADDLE, values=values, gradient=gradient, modes=turned)
    assert isinstance(certify_point(here, 1), StationaryPoint)


def test_the_size_of_a_state_is_that_of_its_largest_component():
    values, gradient = np.array([-2.0, 2.01e-6, 8.0]), np.array([0.0, 8e-10, 0.0])
    near = replace(SADDLE, values=values, gradient=gradient)
    assert isinstance(
        certify_point(replace(near, x=np.array([1.0, -3.0, 0.0])), 1), StationaryPoint
    )
    assert "a plateau" in certify_point(replace(near, x=np.array([2.9, -2.9, 2.9])), 1)


def test_a_point_without_modes_is_a_minimum():
    nothing = replace(SADDLE, values=np.empty(0), modes=np.empty((3, 0)))
    found = certify_point(nothing, 0)
    assert (found.n_modes, found.log_det, found.lowest) == (0, 0.0, 0.0)


# The quadratic model.


@dataclass(frozen=True, eq=False)
class Quadratic:
    """``U = ½ xᵀ M x + b·x``, flat along ``modes`` if ``M`` is."""

    matrix: np.ndarray
    slope: np.ndarray
    modes: np.ndarray

    @property
    def n_dof(self):
        return len(self.matrix)

    def energy_gradient(self, x):
        return 0.5 * float(x @ self.matrix @ x) + float(
            self.slope @ x
        ), self.matrix @ x + self.slope

    def hvp(self, x, v):
        return v @ self.matrix

    def zero_modes(self, x):
        return self.modes


def turned_quadratic(values, n_flat, gradient=0.0):
    """Eigenvalues in random directions; the last ``n_flat`` directions are called symmetries."""
    n = len(values)
    turn = np.linalg.qr(np.random.default_rng(n).standard_normal((n, n)))[0]
    matrix = turn @ np.diag(values) @ turn.T
    return Quadratic(matrix, gradient * turn[:, 0], turn[:, n - n_flat :].T), turn


@pytest.mark.parametrize("size", [1.0, 1e3, 1e-3])
def test_a_model_leaves_symmetries_out(size):
    """Exactly, even where the Hessian is not flat along them, as away from stationary points."""
    values = size * np.array([-3.0, 0.25, 5.0, 7.0, -40.0])
    problem, turn = turned_quadratic(values, 2, gradient=0.5)
    found = model(problem, np.zeros(5))
    assert found.values == pytest.approx(values[:3], rel=1e-12)
    assert np.abs(np.abs(turn[:, :3].T @ found.modes) - np.eye(3)).max() < 1e-12
    assert found.climbable.tolist() == [0, 1, 2]
    assert found.energy == 0.0
    assert found.residual == pytest.approx(0.5 * np.abs(turn[:, 0]).max())
    assert found.weakest == np.inf


def test_symmetries_are_told_from_other_flat_directions():
    """Where the Hessian vanishes altogether they are left out all the same."""
    flat = np.array([[0.6, 0.8, 0.0]])
    found = model(Quadratic(np.zeros((3, 3)), np.zeros(3), flat), np.zeros(3))
    assert found.values == pytest.approx([0.0, 0.0], abs=1e-15)
    assert flat @ found.modes == pytest.approx(np.zeros((1, 2)), abs=1e-15)


def test_what_mixes_with_a_symmetry_is_projected_out():
    """``P M P`` and not the block that is left when rows are struck out of ``M``."""
    rng = np.random.default_rng(4)
    half = rng.standard_normal((5, 5))
    modes = np.linalg.qr(rng.standard_normal((5, 2)))[0].T
    found = model(Quadratic(half + half.T, np.zeros(5), modes), np.zeros(5))
    across = np.linalg.svd(modes)[2][2:]
    expected = np.linalg.eigvalsh(across @ (half + half.T) @ across.T)
    assert found.values == pytest.approx(expected, abs=1e-12)


def test_the_floor_is_rounding_times_the_size_of_the_matrix():
    """Four units of rounding for each variable; a mode on it is no number and is not climbed."""
    size, eps = 8.0, 2.0**-52
    floor = 4 * eps * 3 * size
    for value, climbed in ((1.01 * floor, [0, 1, 2]), (0.99 * floor, [0, 2]), (floor, [0, 2])):
        matrix = np.diag([-size, value, size])
        found = model(Quadratic(matrix, np.zeros(3), np.zeros((0, 3))), np.zeros(3))
        assert found.floor == pytest.approx(floor, rel=1e-12)
        assert found.climbable.tolist() == climbed
    row = np.array([[0.0, -6.0], [-6.0, 1.0]])
    found = model(Quadratic(row, np.zeros(2), np.zeros((0, 2))), np.zeros(2))
    assert found.floor == pytest.approx(4 * eps * 2 * 7.0, rel=1e-12)


def test_harmonic_modes_are_not_climbed():
    @dataclass(frozen=True, eq=False)
    class Decaying(Quadratic):
        mixing: float = 0.0

        def harmonic_modes(self, x):
            return np.array([[np.sqrt(self.mixing), np.sqrt(1 - self.mixing), 0.0]])

    for mixing, climbed in ((0.0, [0, 2]), (0.49, [0, 2]), (0.51, [1, 2]), (1.0, [1, 2])):
        problem = Decaying(np.diag([1.0, 2.0, 3.0]), np.zeros(3), np.zeros((0, 3)), mixing)
        assert model(problem, np.zeros(3)).climbable.tolist() == climbed


# Frozen bodies, and contacts on the verge.


@dataclass(frozen=True, eq=False)
class Pressed(Chain):
    """A chain whose ends a wall pushes inwards, so that it has a minimum; the last body is free."""

    def gaps(self, x):
        return np.append(super().gaps(x), [-x[0], x[-2] - 0.8 * (self.n_dof - 2)])

    def gap_jacobian(self, x, rows=None):
        unit = np.eye(self.n_dof)
        jacobian = np.vstack([super().gap_jacobian(x), -unit[0], unit[-2]])
        return jacobian if rows is None else jacobian[rows]

    def zero_modes(self, x):
        return np.zeros((0, self.n_dof))

    def frozen(self, x):
        return [np.array([self.n_dof - 1])]


def a_pressed_chain(off=0.0, touch=-1.0):
    """Return three bodies in balance, the first ``off`` it, and a fourth that touches them."""
    # Walls at 0 and 1.6 and two contacts of length 1: four equal forces of 0.1.
    problem = Pressed(4)
    x = np.array([-0.1, 0.8, 1.7, 0.0])
    x[0] += off
    x[3] = x[2] + 1.0 - touch
    return problem, x


def test_frozen_bodies_are_left_out_where_forces_balance_only():
    problem, x = a_pressed_chain(off=0.49e-5)
    assert len(model(problem, x).values) == 3
    problem, x = a_pressed_chain(off=0.51e-5)
    assert len(model(problem, x).values) == 4


def test_the_weakest_force_is_the_smallest_violated_gap():
    assert model(*a_pressed_chain()).weakest == pytest.approx(0.1)
    assert model(*a_pressed_chain(touch=1e-11)).weakest == pytest.approx(1e-11, rel=1e-4)
    assert model(*a_pressed_chain(off=0.1)).weakest == np.inf  # on the way it means nothing
    satisfied = Halfspaces(np.eye(2), np.array([-1.0, 0.0]))
    assert model(satisfied, np.zeros(2)).weakest == np.inf  # none is violated


def test_a_body_on_the_verge_of_touching_is_moved_away():
    problem, x = a_pressed_chain(touch=5e-10)
    here = model(problem, x)
    assert "open or closed" in certify_point(here, 0)
    free = touches_released(problem, here)
    assert free.weakest == pytest.approx(0.1)
    assert problem.gaps(free.x)[2] == pytest.approx(-1e-6, rel=1e-6)
    assert free.x[:3] == pytest.approx(x[:3], abs=0)
    assert isinstance(certify_point(free, 0), StationaryPoint)
    assert here.x is x


def test_what_is_clear_stays_where_it_is():
    for touch in (-1.0, -1e-9, 1.01e-9):
        problem, x = a_pressed_chain(touch=touch)
        here = model(problem, x)
        assert touches_released(problem, here) is here
    walls = Halfspaces(np.array([[1.0], [-1.0]]), np.array([5e-10, 5e-10]))
    here = model(walls, np.zeros(1))
    assert here.weakest == pytest.approx(5e-10)
    assert touches_released(walls, here) is here
    problem, x = a_pressed_chain(touch=5e-10)
    for weakest, moved in ((0.99e-9, True), (1e-9, False)):
        here = replace(model(problem, x), weakest=weakest)
        assert (touches_released(problem, here) is not here) == moved


def test_a_body_is_moved_off_all_that_it_touches_and_nothing_else():
    """It leans into a corner; a third wall is half a diameter away and stays there."""

    class Cornered(Halfspaces):
        def frozen(self, x):
            return [np.array([0, 1])]

    walls = [[-1.0, 0, 0], [-0.6, -0.8, 0], [0, 1.0, 0], [0, 0, 1.0], [0, 0, -1.0]]
    offsets = np.array([5e-10, 3e-10, -0.5, 0.1, 0.1])
    problem = Cornered(np.array(walls), offsets)
    free = touches_released(problem, model(problem, np.zeros(3)))
    assert problem.gaps(free.x)[:2] == pytest.approx([-1e-6, -1e-6], rel=1e-9)
    assert free.x[2] == 0.0
    assert free.weakest == pytest.approx(0.1)

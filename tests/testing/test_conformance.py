"""Every system of the project, and one of a user's own, through the one conformance suite."""

import numpy as np
import pytest
from hypothesis import given, settings

from bridge import check_problem

from network_strategies import hinge_networks, spherical_networks
from packing_strategies import discs, ellipses, ellipsoids
from perceptron_strategies import perceptrons
from problems import Balls, Chain, Halfspaces


@settings(deadline=None, max_examples=40)
@given(discs())
def test_discs_and_spheres(system):
    check_problem(*system)


@settings(deadline=None, max_examples=40)
@given(ellipses())
def test_ellipses(system):
    check_problem(*system)


@settings(deadline=None, max_examples=20)
@given(ellipsoids(max_n=16))
def test_ellipsoids(system):
    check_problem(*system)


@settings(deadline=None, max_examples=40)
@given(perceptrons())
def test_perceptrons(system):
    check_problem(*system)


@settings(deadline=None, max_examples=25)
@given(hinge_networks())
def test_networks(system):
    check_problem(*system)


@settings(deadline=None, max_examples=15)
@given(spherical_networks())
def test_networks_whose_weights_keep_their_norm(system):
    check_problem(*system)


def test_systems_that_are_solved_on_paper():
    x = np.array([0.1, 0.5, 0.9])
    check_problem(Chain(3), x)
    check_problem(Balls(np.eye(3) * 2, 1.5), x)
    check_problem(Halfspaces(np.eye(3), np.full(3, -0.3)), x)


class WrongGradient(Chain):
    def energy_gradient(self, x):
        energy, gradient = super().energy_gradient(x)
        return energy, 1.01 * gradient


class WrongEnergy(Chain):
    def energy_gradient(self, x):
        energy, gradient = super().energy_gradient(x)
        return energy / len(x), gradient / len(x)

    def hvp(self, x, v):
        return super().hvp(x, v) / len(x)


class WrongProduct(Chain):
    def hvp(self, x, v):
        return super().hvp(x, v) * np.arange(1, 1 + self.n_dof)


class WrongSymmetry(Chain):
    def zero_modes(self, x):
        return np.eye(self.n_dof)[:1]


class LongSymmetry(Chain):
    def zero_modes(self, x):
        return np.ones((1, self.n_dof))


class WrongRows(Chain):
    def gap_jacobian(self, x, rows=None):
        return super().gap_jacobian(x, None if rows is None else rows[::-1])


class Forgetful(Chain):
    def energy_gradient(self, x):
        x -= x.mean()
        return super().energy_gradient(x)


class Tolerant(Chain):
    def gaps(self, x):
        return 1.0 - np.diff(np.nan_to_num(x))


class WrongLoad(Halfspaces):
    def tightening(self, x):
        return np.zeros(len(self.offsets))


class WrongFrozen(Chain):
    def frozen(self, x):
        return [np.array([0, 1]), np.array([1, 2])]


class WrongEquivalent(Chain):
    def equivalents(self, x, rng):
        yield "stretching", 1.1 * x


@pytest.mark.parametrize(
    ("system", "promise"),
    [
        (WrongGradient, "gradient against differences"),
        (WrongEnergy, "U = ½ Σ max"),
        (WrongProduct, "symmetric"),
        (WrongSymmetry, "flat"),
        (LongSymmetry, "orthonormal"),
        (WrongRows, "rows of the Jacobian"),
        (Tolerant, "NaN must raise"),
        (WrongFrozen, "share a variable"),
        (WrongEquivalent, "stretching keeps the energy"),
    ],
)
def test_a_broken_promise_is_named(system, promise):
    with pytest.raises(AssertionError, match=promise):
        check_problem(system(4), np.array([0.0, 0.4, 1.1, 1.7]))


def test_a_wrong_load_is_named():
    problem = WrongLoad(np.eye(2), np.full(2, 0.3))
    with pytest.raises(AssertionError, match="tightening"):
        check_problem(problem, np.array([0.1, 0.2]))


def test_a_system_that_writes_to_its_input_is_caught():
    with pytest.raises(AssertionError, match=r"energy_gradient returns.*read-only"):
        check_problem(Forgetful(4), np.array([0.0, 0.4, 1.1, 1.7]))

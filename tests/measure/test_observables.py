import numpy as np
import pytest

from bridge import observe

from problems import Balls, Chain, Halfspaces

CROSS = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])


def test_a_state_squeezed_from_four_sides():
    seen = observe(Halfspaces(CROSS, np.full(4, 0.1)), np.zeros(2))
    assert (seen.n_dof, seen.n, seen.n_symmetries, seen.n_frozen) == (2, 2, 0, 0)
    assert (seen.n_constraints, seen.n_isostatic) == (4, 3)
    assert seen.energy == pytest.approx(0.02)
    assert seen.pressure == pytest.approx(0.2)
    assert seen.max_residual == 0.0
    assert seen.min_force == pytest.approx(0.1)
    assert seen.smallest_gap is None
    assert seen.constraint_ratio == 2.0


def test_a_satisfied_state_has_margins_and_no_forces():
    seen = observe(Halfspaces(CROSS, np.array([-0.1, -0.2, -0.3, -0.4])), np.zeros(2))
    assert (seen.n_constraints, seen.energy, seen.pressure, seen.min_force) == (0, 0.0, 0.0, None)
    assert seen.smallest_gap == pytest.approx(0.1)


def test_a_rattler_takes_its_variable_away():
    seen = observe(Chain(3), np.array([0.0, 0.5, 9.0]))
    assert (seen.n_dof, seen.n_frozen, seen.n_symmetries) == (3, 1, 1)
    assert (seen.n, seen.n_constraints, seen.n_isostatic) == (1, 1, 2)


def test_contacts_of_a_frozen_body_are_not_counted():
    class Held(Chain):
        def frozen(self, x):
            return [np.array([0])]

    seen = observe(Held(3), np.array([0.0, 0.5, 1.0]))
    assert seen.n_constraints == 1


def test_nothing_touches_so_nothing_is_left():
    seen = observe(Chain(3), np.array([0.0, 5.0, 10.0]))
    assert (seen.n, seen.n_frozen, seen.n_constraints, seen.constraint_ratio) == (0, 3, 0, 0.0)
    assert seen.pressure == 0.0


def test_energy_is_extensive():
    """Twice the same constraints, twice the energy: nothing is divided by m."""
    once = Balls(np.array([[3.0, 0.0]]), 1.0)
    twice = Balls(np.array([[3.0, 0.0], [3.0, 0.0]]), 1.0)
    x = np.zeros(2)
    assert observe(twice, x).energy == 2 * observe(once, x).energy

"""Gradient flow: the minimum at the end of the steepest way down, against many small steps."""

import numpy as np
import pytest

from particles import Discs, Ellipses, gradient_flow, minimise

PACKING = Discs.bidisperse(6, phi=0.95)


def downhill(problem, x, step, steps):
    """Follow the gradient by plain small steps."""
    for _ in range(steps):
        x = x - step * problem.energy_gradient(x)[1]
    return x


@pytest.mark.parametrize("seed", range(2))
def test_it_ends_where_many_small_steps_do(seed):
    x = PACKING.random_state(np.random.default_rng(seed))
    end = gradient_flow(PACKING, x)
    small = minimise(PACKING, downhill(PACKING, x, 0.05, 1500), relative=1e-9)
    held = ~PACKING.rattlers(end.x)
    assert end.status == "jammed"
    assert end.energy == pytest.approx(small.energy, rel=1e-9)
    np.testing.assert_allclose(
        PACKING.bodies(end.x)[held], PACKING.bodies(small.x)[held], atol=1e-4
    )


def test_no_force_moves_the_centre_of_mass():
    x = PACKING.random_state(np.random.default_rng(5))
    moved = PACKING.bodies(gradient_flow(PACKING, x).x) - PACKING.bodies(x)
    assert np.abs(moved).max() > 0.1
    np.testing.assert_allclose(moved.mean(axis=0), 0.0, atol=1e-9)


def test_two_discs_part_along_their_line():
    pair = Discs(np.ones(2), np.array([5.0, 5.0]))
    end = gradient_flow(pair, np.array([1.0, 1.0, 1.4, 1.3]))
    assert end.status == "unjammed"
    np.testing.assert_allclose(end.x, [0.8, 0.85, 1.6, 1.45], atol=1e-4)


def test_it_turns_ellipses_too():
    problem = Ellipses.bidisperse(4, 0.95, aspect=1.5)
    end = gradient_flow(problem, problem.random_state(np.random.default_rng(0)), accuracy=1e-4)
    assert end.status == "jammed"
    assert end.max_force < 1e-8


def test_what_it_cannot_do_is_said():
    x = PACKING.random_state(np.random.default_rng(0))
    end = gradient_flow(PACKING, x, max_steps=3)
    assert (end.status, end.reason) == ("stalled", "3 steps were not enough")
    with pytest.raises(ValueError, match="accuracy"):
        gradient_flow(PACKING, x, accuracy=0.0)

"""What a point on kinks holds and with which masks, and what the certificate of a polish asks."""

import numpy as np
import pytest
import torch
from small_networks import idle_concave, network, point

from networks import HingeNetwork, Mlp, Patterns
from networks.training.polish import polish

# What is held, and with which mask.


def test_what_is_held_acts_with_its_mask():
    problem, x = network([0, -1], [-1, 1], [[1, 0], [1, 0]])
    for mask in (0.0, 0.25, 1.0):
        here = point(problem, x, {(0, 0, 0): mask})
        assert here.held[0, :, 0].tolist() == [True, False]
        # ∂U/∂b₁ = mask · e, with e = -y Δ w₂ = 1.
        assert here.gradient.tolist() == pytest.approx([0.0, mask, 0.0, 0.0])
        assert here.residual == pytest.approx(0.5 * mask)  # b₂ balances two forces of 1
        assert here.fractional[0, 0, 0] == (0 < mask < 1)


def test_an_offset_from_a_held_kink_is_an_error():
    problem, x = network([0, -1], [-1, 1], [[1, 3e-7], [1, 0]])
    here = point(problem, x, {(0, 0, 0): 0.5})
    assert here.offset == pytest.approx(3e-7)
    assert here.error == pytest.approx(here.residual)
    x[1] = -30.0
    here = point(problem, x, {(0, 0, 0): 0.5})
    assert here.error == here.offset == pytest.approx(30.0)
    assert point(problem, x).offset == 0.0


@pytest.mark.parametrize("mask", [0.0, 1.0])
def test_a_whole_mask_is_held_where_it_touches_only(mask):
    problem, x = network([0, -1], [-1, 1], [[1, 0], [1, 0]])
    for offset, held in ((0.9e-10, True), (-0.9e-10, True), (1.1e-10, False), (-1.1e-10, False)):
        x[1] = offset
        here = point(problem, x, {(0, 0, 0): mask})
        assert bool(here.held[0, 0, 0]) == held
        assert float(here.masks[0, 0, 0]) == (mask if held else float(offset > 0))


@pytest.mark.parametrize("weight", [1.0, 0.25, 0.0])
def test_a_concave_kink_holds_nothing(weight):
    problem, x = idle_concave()
    x[2] = weight
    here = point(problem, x, {(0, 0, 0): 0.5})
    assert not here.held.any()
    assert float(here.masks[0, 0, 0]) == 0.0
    assert here.residual == 0.0


def test_a_satisfied_pattern_holds_nothing():
    problem, x = network([0, -1], [-1, 1], [[1, 0], [1, -2]])
    here = point(problem, x, {(0, 0, 0): 0.5, (0, 1, 0): 0.5})
    assert here.violated.tolist() == [1]
    assert here.held.shape == (1, 1, 1)
    assert here.energy == pytest.approx(0.5 * 3.0**2)


def test_a_pattern_at_its_margin_is_satisfied():
    problem, x = network([0, -1], [1, -1], [[1, -5], [1, 1.0]])  # f = 1 for both
    here = point(problem, x)
    assert here.gaps.tolist() == [0.0, 2.0]
    assert here.violated.tolist() == [1]
    fitted = point(HingeNetwork(problem.mlp, problem.patterns, margin=-3.0), x)
    assert (fitted.energy, fitted.residual, len(fitted.violated)) == (0.0, 0.0, 0)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_without_kinks_a_point_has_the_derivatives_of_its_problem(activation):
    rng = np.random.default_rng(1)
    patterns = Patterns(rng.standard_normal((9, 2)), np.resize([1.0, -1.0], 9))
    problem = HingeNetwork(Mlp(2, 3, 2, activation), patterns)
    x = rng.standard_normal(problem.n_dof)
    energy, gradient = problem.energy_gradient(x)
    free, held = point(problem, x), point(problem, x, radius=float(np.linalg.norm(x)))
    assert free.energy == pytest.approx(energy)
    assert free.gradient.numpy() == pytest.approx(gradient)
    assert free.hessian().numpy() == pytest.approx(problem.hessian(x))
    # On the sphere the force along w is taken up by the multiplier of the norm.
    pull = -gradient @ x / (x @ x)
    assert (free.pull, held.pull) == (0.0, pytest.approx(pull))
    assert held.gradient.numpy() == pytest.approx(gradient + pull * x)
    assert held.hessian().numpy() == pytest.approx(problem.hessian(x) + pull * np.eye(len(x)))


# Patterns that are alike above a silent layer share their kinks there: f = b₃ for all of them,
# with weights -y Δ of -1.5 (twice) and 0.5.


def test_patterns_that_a_layer_is_silent_for_share_the_kink_above():
    problem, x = network([0, 1, 2], [1, 1, -1], [[1, -5], [1, 0], [1, -0.5]])
    here = point(problem, x)
    assert here.e[1, :, 0].tolist() == pytest.approx([(-1.5 - 1.5 + 0.5) / 3] * 3)
    x[0] = 3.0  # now the last pattern is on in the first layer
    here = point(problem, x)
    assert here.e[1, :, 0].tolist() == pytest.approx([-1.5, -1.5, 1.5])


@pytest.mark.parametrize(
    ("first", "alike"), [(-5.0, [0, 1, 2]), (-0.5, [0]), (-1.5, [0, 1])], ids=["all", "one", "two"]
)
def test_what_is_silent_below_is_alike_in_every_layer_above(first, alike):
    """Of three hidden layers the second is off for all; the first is on for some."""
    layers = [[1, first], [1, -9], [1, 0], [1, -0.5]]
    problem, x = network([0, 1, 2], [1, -1, 1], layers)
    here = point(problem, x)
    alone = torch.tensor([-1.5, 0.5, -1.5], dtype=torch.float64)
    mean = alone.mean()
    assert here.e[2, :, 0].tolist() == pytest.approx([float(mean)] * 3)  # above the second
    # The second layer on for all: nothing is alike but what the first is off for.
    x[3], x[6] = 0.5, 0.1
    here = point(problem, x)
    expected = -0.1 * problem.labels * here.gaps
    expected[alike] = expected[alike].mean()
    assert here.e[1:, :, 0].numpy() == pytest.approx(expected.expand(2, 3).numpy())


# The balance that a polish asks for.


def test_a_polish_certifies_what_balances_to_one_part_in_a_hundred_million():
    problem, x = network([0, -1, 1, 2], [1, -1, 1, -1], [[1, 4], [0, 0]])
    for off, certified in ((0.9e-8, True), (1.1e-8, False)):
        # Off balance by b₂ alone: 4 b₂ beside forces that sum to 4.
        x[3] = off
        assert point(problem, x).residual == pytest.approx(off, rel=1e-6)
        found = polish(problem, x, steps=0)
        assert (found.is_minimum, found.steps) == (certified, 0)
        assert found.residual == pytest.approx(off, rel=1e-6)

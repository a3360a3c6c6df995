"""The branch of a network: straight pieces, masks at kinks that are held, and derivatives."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from networks import HingeNetwork, Mlp, Patterns
from networks.models.fixed_norm import SphericalNetwork

KINKED = ["relu", "leaky", "abs", "hardtanh"]
modest = settings(deadline=None, max_examples=25)
shapes = st.tuples(
    st.sampled_from(KINKED), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.booleans()
)


def made(shape, seed):
    activation, dim, width, depth, on_sphere = shape
    rng = np.random.default_rng(seed)
    patterns = Patterns(rng.standard_normal((6, dim)), np.where(np.arange(6) % 2, 1.0, -1.0))
    free = HingeNetwork(Mlp(dim, width, depth, activation), patterns, margin=0.3)
    x = rng.standard_normal(free.n_dof)
    problem = SphericalNetwork(free, float(np.linalg.norm(x))) if on_sphere else free
    return problem, x, rng


def difference(function, x, v, step=1e-5):
    return (function(x + step * v) - function(x - step * v)) / (2 * step)


NOTHING = np.empty(0, dtype=np.intp), np.empty(0)


@modest
@given(shapes, st.integers(0, 2**32 - 1))
def test_a_branch_is_the_network_in_its_region(shape, seed):
    problem, x, rng = made(shape, seed)
    branch = problem.branch(x, *NOTHING)
    z = problem.kinks(x)
    assert branch.gaps(x) == pytest.approx(problem.gaps(x), abs=1e-12)
    assert branch.kinks(x) == pytest.approx(z, abs=1e-12)
    assert branch.gap_jacobian(x) == pytest.approx(problem.gap_jacobian(x), abs=1e-12)
    forces = rng.uniform(0.1, 1.0, 6)
    there = x + 1e-9 * rng.standard_normal(len(x))
    if np.abs(z).min() > 1e-6:
        assert branch.gaps(there) == pytest.approx(problem.gaps(there), abs=1e-13)
        assert branch.curvature(x, forces) == pytest.approx(problem.curvature(x, forces))


@modest
@given(shapes, st.integers(0, 2**32 - 1))
def test_a_branch_has_the_derivatives_of_its_gaps(shape, seed):
    problem, x, rng = made(shape, seed)
    z = problem.kinks(x)
    held = np.sort(rng.permutation(len(z))[: min(4, len(z))])
    held = held[np.unique(held // len(problem_kinks(problem)), return_index=True)[1]]
    branch = problem.branch(x, held, rng.uniform(0.0, 1.0, len(held)))
    forces, v = rng.uniform(0.1, 1.0, 6), rng.standard_normal(len(x))
    assert branch.gap_jacobian(x) @ v == pytest.approx(
        difference(branch.gaps, x, v), rel=1e-5, abs=1e-6
    )
    pull = difference(lambda y: forces @ branch.gap_jacobian(y), x, v)
    assert branch.curvature(x, forces) @ v == pytest.approx(pull, rel=1e-5, abs=1e-6)
    assert branch.kink_jacobian(x, held) @ v == pytest.approx(
        difference(branch.kinks, x, v)[held], rel=1e-5, abs=1e-6
    )
    some = np.array([4, 1])
    assert branch.gap_jacobian(x, some) == pytest.approx(branch.gap_jacobian(x)[some], abs=1e-12)
    energy, gradient = branch.energy_gradient(x)
    overlaps = np.maximum(branch.gaps(x), 0.0)
    assert energy == pytest.approx(0.5 * overlaps @ overlaps)
    assert gradient == pytest.approx(overlaps @ branch.gap_jacobian(x), abs=1e-10)


def problem_kinks(problem):
    free = problem.free if isinstance(problem, SphericalNetwork) else problem
    return free.mlp.sigma.kinks


@modest
@given(shapes, st.integers(0, 2**32 - 1))
def test_the_strength_of_a_kink_is_what_its_mask_does(shape, seed):
    """A mask from 0 to 1 adds ``c z`` to the gap that owns the kink, and to no other."""
    problem, x, rng = made(shape, seed)
    k = int(rng.integers(len(problem.kinks(x))))
    held = np.array([k])
    closed, opened = (problem.branch(x, held, np.array([mask])) for mask in (0.0, 1.0))
    owner = problem.kink_owners()[k]
    strength = closed.kink_strengths(x)[k]
    change = opened.gap_jacobian(x) - closed.gap_jacobian(x)
    assert np.delete(change, owner, axis=0) == pytest.approx(0.0, abs=1e-12)
    half = problem.branch(x, held, np.array([0.5]))
    first = 0.5 * (opened.gaps(x) + closed.gaps(x))
    assert half.gaps(x) == pytest.approx(first, abs=1e-10)
    jump = opened.gaps(x)[owner] - closed.gaps(x)[owner]
    assert jump == pytest.approx(strength * problem.kinks(x)[k], abs=1e-9)


@pytest.mark.parametrize("activation", KINKED)
def test_a_mask_adds_its_part_of_the_strength_at_a_kink(activation):
    """The bias of the only unit is such that the first pattern lies at its kink."""
    patterns = Patterns(np.array([[0.7], [-0.4]]), np.array([1.0, -1.0]))
    free = HingeNetwork(Mlp(1, 1, 1, activation), patterns)
    kink = free.mlp.sigma.kinks[0]
    x = np.array([0.8, kink.position - 0.7 * 0.8, -1.3, 0.2])
    name = np.array([0])
    assert free.kinks(x)[0] == pytest.approx(0.0, abs=1e-15)
    closed = free.branch(x, name, np.zeros(1))
    strength = closed.kink_strengths(x)[0]
    assert strength == pytest.approx(1.3 * kink.jump)  # -y w₂ times the jump of the slope
    line = closed.kink_jacobian(x, name)[0]
    assert line == pytest.approx([0.7, 1.0, 0.0, 0.0])
    for mask in (0.25, 1.0):
        found = free.branch(x, name, np.array([mask])).gap_jacobian(x)
        expected = closed.gap_jacobian(x)
        expected[0] += mask * strength * line
        assert found == pytest.approx(expected, abs=1e-14)
    # On either side of the kink the gap is that of the branch with the mask of that side.
    for side, mask in ((-1e-3, 0.0), (1e-3, 1.0)):
        there = x + np.array([0.0, side, 0.0, 0.0])
        branch = free.branch(x, name, np.array([mask]))
        assert branch.gaps(there)[0] == pytest.approx(free.gaps(there)[0], abs=1e-14)


def test_a_branch_of_a_branch_is_one_of_the_network():
    problem, x, rng = made(("relu", 2, 2, 2, False), 3)
    other = x + 0.5 * rng.standard_normal(len(x))
    held, masks = np.array([1]), np.array([0.3])
    direct = problem.branch(other, held, masks)
    again = problem.branch(x, *NOTHING).branch(other, held, masks)
    assert torch.equal(direct.slopes, again.slopes)
    assert again.gaps(x) == pytest.approx(direct.gaps(x), abs=1e-14)
    tighter = again.tightened(0.25)
    assert tighter.margin == pytest.approx(problem.margin + 0.25)
    assert tighter.gaps(x) == pytest.approx(direct.gaps(x) + 0.25)


def test_a_smooth_network_is_its_own_branch():
    problem, x, _ = made(("relu", 2, 2, 1, False), 0)
    smooth = HingeNetwork(Mlp(2, 2, 1, "tanh"), problem.patterns)
    assert smooth.branch(x, *NOTHING) is smooth
    assert len(smooth.kinks(x)) == 0

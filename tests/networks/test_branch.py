"""The branch of a network: straight pieces, masks at kinks that are held, and derivatives."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.jamming.kinks import HeldKinks
from bridge.jamming.linearised import Linearised
from networks import HingeNetwork, Mlp, Patterns, from_module
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


def on_kinks(shape, seed):
    """Return a problem, a state with all units of the first pattern at a kink, and these kinks."""
    activation, dim, width, depth, on_sphere = shape
    problem, x, rng = made((activation, dim, width, depth, False), seed)
    chosen = int(rng.integers(len(problem.mlp.sigma.kinks)))
    for layer in range(depth):
        z = problem.kinks(x).reshape(depth, 6, width, -1)[layer, 0, :, chosen]
        x[problem.mlp.slices[layer]].reshape(problem.mlp.shapes[layer])[:, -1] -= z
    names = np.arange(len(problem.kinks(x))).reshape(depth, 6, width, -1)[:, 0, :, chosen].ravel()
    sphere = SphericalNetwork(problem, float(np.linalg.norm(x)))
    return (sphere if on_sphere else problem), x, rng.permutation(names), rng


@modest
@given(shapes, st.integers(0, 2**32 - 1))
def test_a_kink_bends_those_of_the_layers_above(shape, seed):
    """A mask from 0 to 1 adds ``w ∇z_k`` to the row of each kink of its pattern above it."""
    problem, x, names, _ = on_kinks(shape, seed)
    branch = problem.branch(x, names, np.zeros(len(names)))
    couplings, rows = branch.kink_couplings(x, names), branch.kink_jacobian(x, names)
    for k in range(len(names)):
        opened = problem.branch(x, names, np.eye(len(names))[k]).kink_jacobian(x, names)
        assert opened - rows == pytest.approx(np.outer(couplings[:, k], rows[k]), abs=1e-9)


@modest
@given(shapes, st.integers(0, 2**32 - 1))
def test_rows_on_the_other_side_of_kinks_are_those_of_its_branch(shape, seed):
    """Whichever kinks are turned, and in which order."""
    problem, x, names, rng = on_kinks(shape, seed)
    above = rng.random(len(names)) < 0.5
    here = linearised_on(problem, x, names, above)
    chosen = rng.permutation(len(names))[: rng.integers(1, len(names) + 1)]
    above[chosen] = ~above[chosen]
    turned, there = here.turned(here.n_gaps + chosen), linearised_on(problem, x, names, above)
    k, m = len(names), here.n_gaps + len(names)
    for found, expected in (
        (turned.gaps[:m], there.gaps[:m]),
        (turned.jacobian[:m], there.jacobian[:m]),
        (turned.kinks.strengths[:k], there.kinks.strengths[:k]),
        (turned.kinks.couplings[:k, :k], there.kinks.couplings[:k, :k]),
    ):
        assert found == pytest.approx(expected, abs=1e-9)


def linearised_on(problem, x, names, above):
    return Linearised.at(problem, x, HeldKinks(names, np.full(len(names), 0.5), above))


@pytest.mark.parametrize("activation", ["relu", "abs", "hardtanh"])
def test_straight_units_rotate_at_the_same_norm(activation):
    """Units 0 and 2 of the second layer are straight by their biases, the others bend."""
    rng = np.random.default_rng(3)
    patterns = Patterns(rng.standard_normal((9, 2)), np.where(np.arange(9) % 2, 1.0, -1.0))
    free = HingeNetwork(Mlp(2, 3, 2, activation), patterns)
    x = 0.5 * rng.standard_normal(free.n_dof)
    x[:9].reshape(3, 3)[:] = [[2.0, 0.3, 0.1], [0.2, -2.0, 0.0], [-1.0, 1.0, 0.2]]
    second = x[9:21].reshape(3, 4)
    second[[0, 2], :-1] *= 0.1
    second[:, -1] = (0.1, 1.0, -0.2) if activation == "hardtanh" else (4.0, 0.0, 5.0)
    second[1] = (9.0, -9.0, 1.0, -0.5)
    if activation == "abs":
        second[2] *= -1.0
    (rotation,) = free.rotations(x)
    assert np.abs(free.gap_jacobian(x) @ rotation).max() < 1e-12
    assert free.gaps(x + 1e-6 * rotation) == pytest.approx(free.gaps(x), abs=1e-10)
    assert abs(rotation @ x) < 1e-12
    sphere = SphericalNetwork(free, float(np.linalg.norm(x)))
    assert rotation == pytest.approx(sphere.zero_modes(x).T @ (sphere.zero_modes(x) @ rotation))
    second[0, -1] = 1.0 if activation == "hardtanh" else 0.0  # some patterns on each side
    second[0, :-1] *= 9.0
    assert len(free.rotations(x)) == 0


def test_kinks_of_a_module_bend_those_above_them():
    """A mask from 0 to 1 adds ``w z_k`` to the kinks of its pattern above it."""
    rng = np.random.default_rng(0)
    layers = [torch.nn.Linear(3, 3), torch.nn.ReLU(), torch.nn.Linear(3, 3), torch.nn.ReLU()]
    module = torch.nn.Sequential(*layers, torch.nn.Linear(3, 1)).double()
    problem = from_module(module, rng.standard_normal((4, 3)), np.array([1.0, -1.0, 1.0, -1.0]))
    x = rng.standard_normal(problem.n_dof)
    names, z = np.arange(len(problem.kinks(x))), problem.kinks(x)
    couplings = problem.branch(x, *NOTHING).kink_couplings(x, names)
    for k in names:
        shut, opened = (problem.branch(x, names[[k]], np.array([t])).kinks(x) for t in (0.0, 1.0))
        assert opened - shut == pytest.approx(couplings[:, k] * z[k], abs=1e-12)
    assert np.abs(couplings).max() > 0.1

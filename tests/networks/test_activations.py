"""The table of activations: derivatives, kinks and symmetries are those of the function."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from networks import ACTIVATIONS, HingeNetwork, Mlp, random_patterns
from networks.models import symmetry
from networks.models.activations import activation
from networks.models.backprop import forward
from networks.training.rounding import rounded

from network_strategies import hinge_networks

KINKED = [name for name, sigma in ACTIVATIONS.items() if sigma.kinks]
GRID = torch.linspace(-3.0, 3.0, 601, dtype=torch.float64) + 1e-3 / 3  # no point is a kink
STEP = 1e-5


def differences(function, z):
    return (function(z + STEP) - function(z - STEP)) / (2 * STEP)


@pytest.mark.parametrize("name", [*ACTIVATIONS, "softplus:4"])
def test_slope_and_curvature_are_the_derivatives(name):
    sigma = activation(name)
    slope = sigma.slope(GRID, sigma.value(GRID))
    curvature = sigma.curvature(GRID, sigma.value(GRID))
    assert slope.tolist() == pytest.approx(differences(sigma.value, GRID).tolist(), abs=1e-9)
    found = differences(lambda z: sigma.slope(z, sigma.value(z)), GRID)
    assert curvature.tolist() == pytest.approx(found.tolist(), abs=1e-9)


@pytest.mark.parametrize("sharpness", [1.0, 10.0, 1000.0])
def test_a_sharp_softplus_is_a_rectifier_beyond_its_bend(sharpness):
    """They differ by ln(1 + exp(-β|z|))/β, most at z = 0."""
    sharp = activation(f"softplus:{sharpness}")
    off = sharp.value(GRID) - torch.relu(GRID)
    expected = np.log1p(np.exp(-sharpness * GRID.abs().numpy())) / sharpness
    assert off.tolist() == pytest.approx(expected.tolist(), abs=1e-15)


@pytest.mark.parametrize("name", ["softplus:", "softplus:0", "softplus:-1", "softplus:nan",
                                  "softplus:inf", "softplus:x", "relu:2", ":3"])  # fmt: skip
def test_only_a_softplus_has_a_positive_sharpness(name):
    with pytest.raises(ValueError, match="softplus:β with β > 0"):
        activation(name)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_kinks_are_where_the_slope_jumps_and_nowhere_else(name):
    sigma = ACTIVATIONS[name]
    slope = sigma.slope(GRID, sigma.value(GRID))
    jumps = torch.nonzero((slope[1:] - slope[:-1]).abs() > 0.05)[:, 0].tolist()
    assert len(jumps) == len(sigma.kinks)
    for i, kink in zip(jumps, sigma.kinks, strict=True):
        assert GRID[i] < kink.position < GRID[i + 1]
        assert (float(slope[i]), float(slope[i + 1])) == (kink.below, kink.above)
        at = torch.tensor(kink.position, dtype=torch.float64)
        assert float(sigma.slope(at, sigma.value(at))) == kink.below


@pytest.mark.parametrize("name", KINKED)
def test_kinks_and_one_value_make_a_piecewise_linear_activation(name):
    sigma = ACTIVATIONS[name]
    built = sigma.kinks[0].below * GRID
    for kink in sigma.kinks:
        built = built + kink.jump * (GRID - kink.position).clamp(min=0)
    shift = sigma.value(GRID) - built
    assert shift.tolist() == pytest.approx([float(shift[0])] * len(GRID), abs=1e-14)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_table_tells_the_symmetries_that_a_function_has(name):
    sigma = ACTIVATIONS[name]
    value, mirrored = sigma.value(GRID), sigma.value(-GRID)
    assert torch.allclose(sigma.value(3 * GRID), 3 * value) == sigma.homogeneous
    parities = [p for p in (-1, 1) if torch.allclose(mirrored, p * value)]
    assert parities == [sigma.parity] * bool(sigma.parity)
    if sigma.in_place is not None:
        value_of, slope_of = sigma.in_place
        found = value_of(GRID.clone())
        assert found.tolist() == value.tolist()
        assert slope_of(found).tolist() == sigma.slope(GRID, value).tolist()


@pytest.mark.parametrize("name", KINKED)
def test_a_rounded_activation_differs_within_its_radius_only(name):
    sigma, radius = ACTIVATIONS[name], 0.2
    soft = rounded(sigma, radius)
    near = torch.stack([(GRID - k.position).abs() < radius for k in sigma.kinks]).any(dim=0)
    off = (soft.value(GRID) - sigma.value(GRID)).abs()
    largest = radius / 4 * max(abs(k.jump) for k in sigma.kinks)
    assert float(off[~near].max()) < 1e-14
    assert 0.9 * largest < float(off[near].max()) <= largest
    slope = soft.slope(GRID, GRID)
    assert slope.tolist() == pytest.approx(differences(soft.value, GRID).tolist(), abs=1e-3)
    bent = differences(lambda z: soft.slope(z, z), GRID)
    assert soft.curvature(GRID, GRID).tolist() == pytest.approx(bent.tolist(), abs=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
@settings(deadline=None, max_examples=20)
@given(st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_gradient_and_hessian_are_differences_off_the_kinks(name, depth, seed):
    rng = np.random.default_rng(seed)
    mlp = Mlp(3, 4, depth, name)
    problem = HingeNetwork(mlp, random_patterns(12, 3, rng))
    x = mlp.init(rng) + 0.3 * rng.standard_normal(mlp.n_dof)
    v = rng.standard_normal(mlp.n_dof)
    v /= np.linalg.norm(v)
    state = forward(mlp, torch.tensor(x), problem.inputs)
    z = torch.stack(state.preactivations)
    far = min((float((z - k.position).abs().min()) for k in mlp.sigma.kinks), default=1.0)
    assume(far > 1e-3)
    assume(np.abs(problem.gaps(x)).min() > 1e-3)
    (up, g_up), (down, g_down) = (problem.energy_gradient(x + s * STEP * v) for s in (1, -1))
    _, gradient = problem.energy_gradient(x)
    scale = 1 + np.abs(gradient).max()
    assert gradient @ v == pytest.approx((up - down) / (2 * STEP), abs=1e-6 * scale)
    curved = (g_up - g_down) / (2 * STEP)
    assert problem.hvp(x, v) == pytest.approx(curved, abs=1e-5 * scale)
    assert problem.hessian(x) @ v == pytest.approx(problem.hvp(x, v), abs=1e-10 * scale)


@settings(deadline=None, max_examples=100)
@given(hinge_networks(), st.integers(0, 2**32 - 1))
def test_symmetries_that_the_table_tells_keep_every_gap(system, seed):
    problem, x = system
    sigma, rng = problem.mlp.sigma, np.random.default_rng(seed)
    found = dict(problem.equivalents(x, rng))
    assert len(found) == 1 + sigma.homogeneous + bool(sigma.parity)
    for name, other in found.items():
        assert problem.gaps(other) == pytest.approx(problem.gaps(x), rel=1e-9, abs=1e-9), name


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_others_change_the_network(name):
    rng = np.random.default_rng(5)
    mlp = Mlp(4, 5, 2, name)
    problem = HingeNetwork(mlp, random_patterns(30, 4, rng))
    x = mlp.init(rng) + 0.5 * rng.standard_normal(mlp.n_dof)
    pairs = ((symmetry.rescaled, mlp.sigma.homogeneous), (symmetry.flipped, mlp.sigma.parity != 0))
    for change, kept in pairs:
        moved = np.abs(problem.gaps(change(mlp, x, rng)) - problem.gaps(x)).max()
        assert (moved < 1e-9) == kept


@pytest.mark.parametrize("name", KINKED)
def test_a_unit_without_slope_is_dead(name):
    """At z = -5 on all patterns a ReLU is silent and a hard tanh acts as a bias."""
    mlp = Mlp(2, 3, 1, name)
    rng = np.random.default_rng(0)
    problem = HingeNetwork(mlp, random_patterns(10, 2, rng))
    x = mlp.init(rng)
    x[3:6] = [0.1, -0.1, -5.0]  # the second unit
    x[9:13] = [1.0, -2.0, 0.5, 0.1]
    frozen = {"relu": [[3, 4, 5, 10]], "hardtanh": [[3, 4, 5]]}.get(name, [])
    assert [indices.tolist() for indices in problem.frozen(x)] == frozen
    changed = [
        not np.array_equal(problem.gaps(x), problem.gaps(x + 1e-3 * (np.arange(13) == i)))
        for i in (5, 10)
    ]
    assert changed == [not frozen, name != "relu"]
    rescalings = len(problem.zero_modes(x))
    assert rescalings == (3 - len(frozen) if mlp.sigma.homogeneous else 0)

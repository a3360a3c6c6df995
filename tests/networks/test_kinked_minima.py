"""Minima on the kinks of every piecewise linear activation, and what else says that they are."""

import numpy as np
import pytest
import torch
from scipy.optimize import lsq_linear
from small_networks import network, point

from bridge import spectrum
from networks import ACTIVATIONS, HingeNetwork, Mlp, random_patterns, train
from networks.models.backprop import layers

KINKS = [(name, kink) for name, sigma in ACTIVATIONS.items() for kink in sigma.kinks]
KINKED = {"relu": 5.0, "leaky": 5.0, "hardtanh": 5.0, "abs": 7.0}  # beyond their capacities
TOUCHED = 1e-9


def test_every_kinked_activation_is_asked_here():
    assert set(KINKED) == {name for name, _ in KINKS}


@pytest.mark.parametrize(("name", "kink"), KINKS)
@pytest.mark.parametrize("mask", [0.25, 0.5])
def test_a_held_kink_acts_with_a_slope_between_its_two(name, kink, mask):
    """``f = w₂ σ(x + b₁) + b₂``: of two patterns the first is at the kink, where it is convex."""
    side = np.sign(kink.jump)
    problem, x = network([kink.position, 5.0], [-side, side], [[1, 0], [1, 0]], 9.0, name)
    here = point(problem, x, {(0, 0, 0): mask})
    f = float(ACTIVATIONS[name].value(torch.tensor(kink.position)))
    signal = side * (9 + side * f)  # -y Δ w₂
    assert here.held[0, :, 0].tolist() == [True, False]
    assert float(here.e[0, 0, 0]) == pytest.approx(signal * kink.jump)
    below = point(problem, x)
    more = float((here.gradient - below.gradient)[1])
    assert more == pytest.approx(mask * signal * kink.jump)


@pytest.mark.parametrize(("name", "kink"), KINKS)
def test_a_point_near_a_kink_has_the_slope_of_its_side(name, kink):
    for offset, slope in ((-1e-3, kink.below), (1e-3, kink.above)):
        problem, x = network([kink.position, 5.0], [-1, 1], [[1, offset], [1, 0]], 9.0, name)
        here = point(problem, x)
        assert float(here.z[0, 0, 0]) == pytest.approx(offset)
        assert float(here.state.slopes[0][0, 0]) == slope
        assert float(here.masks[0, 0, 0]) == (offset > 0)


def test_saturated_patterns_share_a_kink_above_if_their_outputs_are_equal():
    """The first layer of hard tanh puts out -1, -1 and 1; the second is at its kink for the -1."""
    problem, x = network(
        [-7, -5, 6], [1, -1, 1], [[1, 0], [1, 0], [1, 0]], 9.0, activation="hardtanh"
    )
    here = point(problem, x)
    assert here.z[1, :, 0].tolist() == [0.0, 0.0, 0.0]
    into = (-problem.labels * here.gaps)[:, None]
    assert here.e[1, :2, 0].tolist() == pytest.approx([float(into[:2].mean())] * 2)
    assert float(here.e[1, 2, 0]) == pytest.approx(-float(into[2, 0]))  # the jump at 1 is -1


@pytest.fixture(scope="module", params=[(name, depth) for name in KINKED for depth in (1, 2)])
def minimum(request):
    """Return networks of two seeds, trained beyond capacity."""
    name, depth = request.param
    ends = []
    for seed in (0, 2):
        rng = np.random.default_rng(seed)
        mlp = Mlp(4, 6 - depth, depth, name)
        patterns = random_patterns(round(KINKED[name] * mlp.n_weights), 4, rng)
        free = HingeNetwork(mlp, patterns)
        ends.append(train(free, mlp.init(rng), steps=1500))
    return ends


def test_networks_beyond_capacity_end_on_kinks(minimum):
    for end in minimum:
        assert end.status == "jammed", end.reason
        assert end.max_residual < 1e-8
        assert spectrum(end).bound_holds
    assert all(end.n_kinks > 0 for end in minimum)


def test_no_small_step_lowers_the_energy(minimum):
    rng = np.random.default_rng(1)
    for end in minimum:
        for length in (1e-3, 1e-4, 1e-5):
            for _ in range(20):
                step = rng.standard_normal(len(end.x))
                there = end.x + length * step / np.linalg.norm(step)
                assert end.problem.energy_gradient(there)[0] > end.energy


def pieces(end):
    """Return ``∇U`` with the slopes below all touched kinks, and what each kink may add to it.

    By hand, for one hidden layer: ``f = w₂·σ(W₁x + b₁) + b₂``.
    """
    mlp, sigma = end.problem.free.mlp, end.problem.free.mlp.sigma
    first, last = (a.numpy() for a in layers(mlp, torch.tensor(end.x)))
    gaps = end.problem.gaps(end.x)
    patterns = end.problem.free.patterns
    inputs = np.c_[patterns.x, np.ones(len(gaps))][gaps > 0]
    force = (-patterns.y * gaps)[gaps > 0]
    z = inputs @ first.T
    a = sigma.value(torch.tensor(z)).numpy()
    slope = sigma.slope(torch.tensor(z), torch.tensor(a)).numpy()
    columns = []
    for kink in sigma.kinks:
        for mu, unit in np.argwhere(np.abs(z - kink.position) < TOUCHED):
            slope[mu, unit] = kink.below
            column = np.zeros((mlp.width, inputs.shape[1]))
            column[unit] = force[mu] * last[0, unit] * kink.jump * inputs[mu]
            columns.append(np.r_[column.ravel(), np.zeros(last.size)])
    into = force[:, None] * last[0, :-1] * slope
    smooth = np.r_[(into.T @ inputs).ravel(), force @ np.c_[a, np.ones(len(a))]]
    return smooth, np.array(columns).T


def test_least_squares_finds_masks_that_balance_all_forces(minimum):
    """Clarke's condition, by a solver that knows nothing of the polish: masks in [0, 1] and ν."""
    for end in minimum:
        if end.problem.free.mlp.depth > 1:
            continue
        smooth, columns = pieces(end)
        k = columns.shape[1]
        matrix = np.c_[columns, end.x]
        scale = np.abs(smooth).max()
        bounds = np.r_[np.zeros(k), -np.inf], np.r_[np.ones(k), np.inf]
        found = lsq_linear(matrix / scale, -smooth / scale, bounds, method="bvls", tol=1e-15)
        assert np.abs(matrix @ found.x + smooth).max() < 1e-7 * scale
        held = (found.x[:-1] > 1e-9) & (found.x[:-1] < 1 - 1e-9)
        assert held.sum() == end.n_kinks
        for whole in (np.zeros(k), np.ones(k)):  # no choice of sides does
            rest = smooth + columns @ whole
            rest -= end.x * (rest @ end.x) / (end.x @ end.x)
            assert np.abs(rest).max() > 1e-4 * scale

"""Polishing small networks: how it ends, in how many steps, and what it says of the end."""

import numpy as np
import pytest
import torch

from networks import HingeNetwork, Mlp, Patterns, random_patterns
from networks.models.symmetry import balanced
from networks.training.kinks import Kinks, KinkState
from networks.training.polish import polish


def a_network(seed, width=3, depth=1, count=24, activation="relu"):
    rng = np.random.default_rng(seed)
    mlp = Mlp(width, width, depth, activation)
    problem = HingeNetwork(mlp, random_patterns(count, width, rng))
    x = mlp.init(rng) + 0.3 * rng.standard_normal(mlp.n_dof)
    return problem, balanced(mlp, x) if problem.mlp.sigma.homogeneous else x


def energy(problem, x):
    return problem.energy_gradient(x)[0]


KINDS = {
    "relu": (1, 3, 1, 24, "relu"),
    "deep": (1, 2, 2, 20, "relu"),
    "tanh": (2, 3, 1, 24, "tanh"),
}


@pytest.fixture(scope="module", params=list(KINDS))
def polished(request):
    """Return a problem, where its polish began, and its end on the sphere."""
    problem, start = a_network(*KINDS[request.param])
    return problem, start, polish(problem, start, steps=400, hold_norm=True)


def test_a_polish_ends_in_balance_on_its_sphere(polished):
    problem, start, found = polished
    assert found.is_minimum
    assert found.residual < 1e-9
    assert energy(problem, found.x) < energy(problem, start)
    assert np.linalg.norm(found.x) == pytest.approx(np.linalg.norm(start), rel=1e-14)
    assert 0 < found.steps < 400
    assert (found.n_kinks > 0) == (problem.mlp.activation == "relu")


def test_a_minimum_is_where_a_polish_stays(polished):
    """Beside it, few steps come back to all its kinks, with offsets and forces off by 1e-9."""
    problem, _, found = polished
    rng = np.random.default_rng(0)
    aside = found.x + 1e-5 * rng.standard_normal(problem.n_dof)
    aside *= np.linalg.norm(found.x) / np.linalg.norm(aside)
    again = polish(problem, aside, steps=100, hold_norm=True)
    assert again.is_minimum
    assert again.steps <= 25
    assert again.n_kinks == found.n_kinks
    assert energy(problem, again.x) == pytest.approx(energy(problem, found.x), rel=1e-9)


def test_fewer_steps_are_a_part_of_the_way(polished):
    problem, start, found = polished
    energies = [energy(problem, start)]
    for steps in (1, 2, 4, 8):
        part = polish(problem, start, steps=steps, hold_norm=True)
        assert part.steps == min(steps, found.steps)
        energies.append(energy(problem, part.x))
    assert (np.diff(energies) <= 0).all()
    assert energies[-1] < energies[0]
    assert not polish(problem, start, steps=1, hold_norm=True).is_minimum


def test_patterns_that_can_be_fitted_are():
    problem, start = a_network(0, width=4, count=6)
    found = polish(problem, start, steps=300)
    assert found.is_minimum
    assert energy(problem, found.x) < 1e-14
    assert found.steps < 60
    assert polish(problem, found.x, steps=300).steps == 0


def test_an_energy_that_is_zero_to_rounding_is_fitted():
    """One pattern short of its margin by δ, the other satisfied: U = δ²/2 on either side."""
    patterns = Patterns(np.array([[1.0], [-1.0]]), np.array([1.0, -1.0]))
    problem = HingeNetwork(Mlp(1, 1, 1), patterns)
    for short, fitted in ((1.4e-7, True), (1.5e-7, False)):
        x = np.array([1.0, 1.0, 2.0, -3.0 - short])  # f(1) = 1 - δ, f(-1) = -3 - δ
        assert energy(problem, x) == pytest.approx(0.5 * short**2, rel=1e-6)
        assert polish(problem, x, steps=0).is_minimum == fitted


def test_a_saddle_of_equal_units_is_left():
    """Equal units have equal forces and stay equal: only a mode parts them."""
    patterns = Patterns(np.array([[-1.0], [0.0], [1.0], [0.4]]), np.array([1.0, -1.0, 1.0, -1.0]))
    problem = HingeNetwork(Mlp(1, 2, 1, "tanh"), patterns)
    single = HingeNetwork(Mlp(1, 1, 1, "tanh"), patterns)
    one = polish(single, np.array([1.5, 0.2, 1.0, 0.1]), steps=200, hold_norm=True)
    assert one.is_minimum
    # Two copies with half of the output each: the same function.
    w, b, v, c = one.x
    twins = np.array([w, b, w, b, 0.5 * v, 0.5 * v, c])
    assert problem.gaps(twins) == pytest.approx(single.gaps(one.x))
    found = polish(problem, twins, steps=300, hold_norm=True)
    assert energy(problem, found.x) < 0.9 * energy(problem, twins)


def test_the_numbers_of_a_polish_are_those_of_its_point():
    problem, start = a_network(5)
    found = polish(problem, start, steps=0)
    here = KinkState(problem, torch.tensor(start), Kinks.none(problem))
    assert (found.residual, found.n_kinks, found.steps) == (here.error, 0, 0)
    assert found.x.tolist() == start.tolist()
    assert not found.is_minimum

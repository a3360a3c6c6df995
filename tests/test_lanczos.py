"""Stochastic Lanczos quadrature against spectra that are known."""

import numpy as np
import pytest

from bridge import hessian, jacobian_rank, spectral_density
from bridge.lanczos import lanczos_density
from networks import HingeNetwork, Mlp, random_patterns

from problems import Balls, Halfspaces


def a_network(activation, seed=0):
    rng = np.random.default_rng(seed)
    problem = HingeNetwork(Mlp(8, 8, 2, activation), random_patterns(300, 8, rng))
    return problem, problem.mlp.init(rng) + 0.1 * rng.standard_normal(problem.n_dof)


def test_a_multiple_of_the_identity_is_one_peak():
    """The Krylov space closes after one product; what follows must weigh nothing."""
    found = spectral_density(Balls(np.array([[3.0, 0.0], [0.0, 4.0]]), 1.0), np.zeros(2), steps=2)
    assert found.weights.sum(axis=1) == pytest.approx(1)
    same = lanczos_density(lambda v: 7.0 * v, 50, probes=3, steps=20)
    assert (same.nodes * same.weights).sum(axis=1) == pytest.approx(7)
    assert same.count_below(6.9) == (pytest.approx(0, abs=1e-12), pytest.approx(0, abs=1e-12))


def test_as_many_steps_as_variables_find_every_eigenvalue():
    rng = np.random.default_rng(1)
    matrix = rng.standard_normal((30, 30))
    matrix += matrix.T
    found = lanczos_density(lambda v: v @ matrix, 30, probes=2, steps=30)
    exact = np.linalg.eigvalsh(matrix)
    assert found.nodes == pytest.approx(np.stack([exact, exact]), abs=1e-9)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_network_has_the_density_of_its_dense_hessian(activation):
    problem, x = a_network(activation)
    values = np.linalg.eigvalsh(hessian(problem, x))
    found = spectral_density(problem, x, probes=60, steps=60, rng=np.random.default_rng(2))
    for power in (1, 2, 3):
        moment, error = found.moment(power)
        assert abs(moment - (values**power).sum()) < 5 * error
    count, error = found.count_below(0.0)
    assert 0 < error < 0.1 * problem.n_dof
    assert abs(count - (values < 0).sum()) < 5 * error + 2
    grid, width = np.linspace(values[0], values[-1], 40), 0.05 * (values[-1] - values[0])
    exact = np.exp(-0.5 * ((grid[:, None] - values) / width) ** 2).mean(axis=1)
    exact /= width * np.sqrt(2 * np.pi)
    density, error = found.at(grid, width)
    assert (np.abs(density - exact) < 5 * error + 1e-3 * exact.max()).all()


def test_the_rank_of_the_jacobian_counts_effective_parameters():
    """A rectifier network has one rescaling a unit, and no more than that at a generic point."""
    assert jacobian_rank(Halfspaces(np.ones((4, 3)), np.ones(4)), np.zeros(3)) == 1
    problem, x = a_network("relu")
    assert jacobian_rank(problem, x) == problem.n_dof - len(problem.zero_modes(x))
    smooth, x = a_network("tanh")
    assert jacobian_rank(smooth, x) == smooth.n_dof


def test_too_few_probes_are_refused():
    with pytest.raises(ValueError, match="expected probes >= 2"):
        lanczos_density(lambda v: v, 5, probes=1)

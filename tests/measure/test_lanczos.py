"""Stochastic Lanczos quadrature against spectra that are known."""

import numpy as np
import pytest

from bridge import hessian, jacobian_rank, spectral_density
from bridge.measure.lanczos import lanczos_density
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
        scatter = scatter_of(values**power, 60)
        assert abs(moment - (values**power).sum()) < 4 * scatter
        assert error == pytest.approx(scatter, rel=0.4)
    count, error = found.count_below(0.0)
    scatter = scatter_of(values < 0.0, 60)
    assert error == pytest.approx(scatter, rel=0.4)
    assert abs(count - (values < 0).sum()) < 4 * scatter
    grid, width = np.linspace(values[0], values[-1], 40), 0.05 * (values[-1] - values[0])
    peaks = np.exp(-0.5 * ((grid[:, None] - values) / width) ** 2)
    peaks /= len(values) * width * np.sqrt(2 * np.pi)
    density, error = found.at(grid, width)
    exact, scatter = peaks.sum(axis=1), np.array([scatter_of(row, 60) for row in peaks])
    assert (np.abs(density - exact) < 4 * scatter + 1e-3 * exact.max()).all()
    seen = exact > 1e-2 * exact.max()
    assert error[seen] == pytest.approx(scatter[seen], rel=0.6)


def scatter_of(f, probes):
    """Standard deviation of ``n vᵀ f(M) v`` over random directions: ``2 (Σ f² - (Σ f)²/n)`` to 1/n.

    For ``v`` uniform on the sphere, ``⟨v_i⁴⟩ = 3/(n (n + 2))`` and ``⟨v_i² v_j²⟩ = 1/(n (n + 2))``.
    """
    n, f = len(f), np.asarray(f, dtype=float)
    return np.sqrt(2 * n / (n + 2) * ((f**2).sum() - f.sum() ** 2 / n) / probes)


def test_estimates_scatter_over_seeds_as_their_error_says():
    values = np.linspace(-1.0, 3.0, 24)
    found = [
        lanczos_density(lambda v: v * values, 24, probes=5, steps=24, rng=np.random.default_rng(k))
        for k in range(300)
    ]
    for estimates, exact, scatter in (
        ([one.moment(1) for one in found], values.sum(), scatter_of(values, 5)),
        ([one.count_below(0.5) for one in found], 9, scatter_of(values < 0.5, 5)),
    ):
        mean, error = np.array(estimates).T
        assert mean.mean() == pytest.approx(exact, abs=4 * scatter / np.sqrt(300))
        assert mean.std() == pytest.approx(scatter, rel=0.15)
        assert np.sqrt((error**2).mean()) == pytest.approx(scatter, rel=0.15)


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

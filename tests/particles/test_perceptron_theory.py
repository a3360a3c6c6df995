"""The closed forms of the perceptron against integrals, against each other and against descents."""

import numpy as np
import pytest
from scipy import integrate, stats

from particles import Perceptron, descend
from particles.perceptron import theory


def test_capacity_has_gardners_values():
    assert theory.capacity(0.0) == pytest.approx(2.0, abs=1e-15)
    assert theory.capacity(0.5) == pytest.approx(0.9612, abs=5e-5)


@pytest.mark.parametrize("sigma", [0.0, 0.3, 1.0, 2.5])
def test_closed_forms_are_their_integrals(sigma):
    def over_violated(power):
        def integrand(z):
            return stats.norm.pdf(z) * (sigma - z) ** power

        return integrate.quad(integrand, -np.inf, sigma)[0]

    assert 1.0 / theory.capacity(sigma) == pytest.approx(over_violated(2), rel=1e-8)
    alpha = 1.7 * theory.capacity(sigma)
    k = 1.0 - np.sqrt(1.0 / 1.7)
    assert theory.violated_per_component(alpha, sigma) == pytest.approx(alpha * over_violated(0))
    assert theory.pressure(alpha, sigma) == pytest.approx(alpha * k * over_violated(1))
    energy = 0.5 * alpha * k**2 * over_violated(2)
    assert theory.energy_per_component(alpha, sigma) == pytest.approx(energy)
    zeta = alpha * (k**2 * over_violated(2) - k * sigma * over_violated(1))
    assert theory.prestress(alpha, sigma) == pytest.approx(zeta)


@pytest.mark.parametrize("sigma", [0.0, 0.5, 2.0])
def test_densities_are_normalised(sigma):
    margins = integrate.quad(theory.margin_density, 0, np.inf, args=(sigma,))[0]
    assert margins == pytest.approx(1.0 - stats.norm.cdf(sigma), rel=1e-8)
    total = integrate.quad(theory.force_density, 0, np.inf, args=(sigma,))[0]
    mean = integrate.quad(lambda f: f * theory.force_density(f, sigma), 0, np.inf)[0]
    assert total == pytest.approx(1.0, rel=1e-8)
    assert mean == pytest.approx(1.0, rel=1e-8)


@pytest.mark.parametrize(("c", "zeta"), [(0.4, 0.1), (0.9, -0.2), (1.7, 0.0), (3.0, 0.5)])
def test_the_hessian_has_unit_weight_and_the_traces_of_its_definition(c, zeta):
    low, high = theory.hessian_edges(c, zeta)
    peak = theory.hessian_peak(c)

    def moment(power):
        def integrand(x):
            return x**power * theory.hessian_density(x, c, zeta)

        return integrate.quad(integrand, low, high, limit=200)[0] + peak * (-zeta) ** power

    # tr H/N = c - ζ; tr (H + ζ)²/N = c + c².
    assert moment(0) == pytest.approx(1.0, abs=1e-6)
    assert moment(1) == pytest.approx(c - zeta, abs=1e-6)
    assert moment(2) == pytest.approx(c + c**2 - 2 * zeta * c + zeta**2, abs=1e-5)


def test_the_band_touches_zero_on_the_marginal_line():
    for c in (1.1, 2.0, 4.0):
        low, _ = theory.hessian_edges(c, theory.marginal_prestress(c))
        assert low == pytest.approx(0.0, abs=1e-15)


def test_the_margin_inverts_the_capacity():
    for sigma in (0.0, 0.2, 1.0, 3.0):
        alpha = float(theory.capacity(sigma))
        assert theory.margin_at_capacity(alpha) == pytest.approx(sigma, abs=1e-12)


def test_margins_outside_are_refused_in_one_line():
    with pytest.raises(ValueError, match="expected sigma >= 0"):
        theory.capacity(-0.1)
    with pytest.raises(ValueError, match="expected 0 < alpha <= 2"):
        theory.margin_at_capacity(2.1)


@pytest.fixture(scope="module")
def convex_minima():
    """Minima at ``σ = 0.5``, well above the transition: 8 of them at ``N = 300``."""
    alpha, sigma = 3.0, 0.5
    minima = []
    for seed in range(8):
        rng = np.random.default_rng((seed, 300))
        problem = Perceptron.random(300, alpha, sigma, rng)
        end = descend(problem, problem.random_state(rng))
        assert end.status == "jammed"
        minima.append((problem, end))
    return alpha, sigma, minima


def test_the_unsatisfiable_phase_follows_the_replica_symmetric_forms(convex_minima):
    # The margin at jamming of one sample scatters, by 0.04 at N = 300, and dU/dσ = p: the mean of
    # eight scatters by 3 %.
    alpha, sigma, minima = convex_minima
    energy = np.mean([end.energy / 300 for _, end in minima])
    overlaps = [np.maximum(problem.gaps(end.x), 0.0).sum() for problem, end in minima]
    pressure = np.mean(overlaps) / 299
    violated = np.mean([(problem.gaps(end.x) > 0).mean() * alpha for problem, end in minima])
    assert energy == pytest.approx(float(theory.energy_per_component(alpha, sigma)), rel=0.1)
    assert pressure == pytest.approx(float(theory.pressure(alpha, sigma)), rel=0.06)
    assert violated == pytest.approx(float(theory.violated_per_component(alpha, sigma)), rel=0.03)


def test_the_spectrum_follows_the_closed_form(convex_minima):
    _, sigma, minima = convex_minima
    distances = []
    for problem, end in minima:
        gaps = problem.gaps(end.x)
        c, zeta = (gaps > 0).sum() / 300, theory.prestress_of(gaps, sigma, 300)
        values = tangent_eigenvalues(problem, end.x)
        grid = np.linspace(*theory.hessian_edges(c, zeta), 400)
        below = integrate.cumulative_trapezoid(theory.hessian_density(grid, c, zeta), grid)
        distances.append(np.abs(np.searchsorted(values, grid[1:]) / len(values) - below).max())
    assert np.mean(distances) < 0.02


def test_the_lowest_eigenvalue_of_a_convex_minimum_is_minus_the_prestress():
    # α = 1 is just above α_J(0.5) = 0.96, so that c < 1: the peak at -ζ is the bottom.
    found = 0
    for seed in range(4):
        rng = np.random.default_rng((seed, 400))
        problem = Perceptron.random(400, 1.0, 0.5, rng)
        end = descend(problem, problem.random_state(rng))
        if end.status == "unjammed":
            continue
        found += 1
        zeta = theory.prestress_of(problem.gaps(end.x), 0.5, 400)
        assert tangent_eigenvalues(problem, end.x)[0] == pytest.approx(-zeta, rel=0.01)
    assert found >= 2


def test_negative_margins_are_marginal():
    # N = 400; the stored run at N = 800 is closer.
    ratios = []
    for seed in range(3):
        rng = np.random.default_rng((seed, 401))
        problem = Perceptron.random(400, 8.0, -0.5, rng)
        end = descend(problem, problem.random_state(rng))
        gaps = problem.gaps(end.x)
        c, zeta = (gaps > 0).sum() / 400, theory.prestress_of(gaps, -0.5, 400)
        ratios.append(zeta / theory.marginal_prestress(c))
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.07)


def tangent_eigenvalues(problem, x):
    """Eigenvalues of the Hessian across the radial direction, ascending."""
    n = problem.n_dof
    direction = problem.zero_modes(x)
    hessian = problem.hvp(x, np.eye(n)) + 1e6 * direction.T @ direction
    return np.linalg.eigvalsh(hessian)[:-1]

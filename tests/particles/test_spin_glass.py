"""The spherical p-spin glass: conformance, its normalisation, and counts that are exact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import Polynomial

from bridge import check_landscape
from bridge.landscape.completeness import copies
from bridge.landscape.explore import Explorer
from bridge.landscape.graph import Graph
from particles.landscapes.spin_glass import SphericalSpinGlass

seeds = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=25)
@given(seeds, st.integers(2, 7), st.integers(2, 4))
def test_it_keeps_every_promise(seed, n, p):
    rng = np.random.default_rng(seed)
    glass = SphericalSpinGlass.random(n, p, rng)
    check_landscape(glass, glass.random_state(rng), rng)


def test_the_energy_is_the_sum_that_it_is_said_to_be():
    rng = np.random.default_rng(0)
    couplings = rng.standard_normal((4, 4, 4))
    glass = SphericalSpinGlass(couplings)
    w = glass.random_state(rng)
    expected = sum(
        couplings[i, j, k] * w[i] * w[j] * w[k]
        for i in range(4)
        for j in range(4)
        for k in range(4)
    )
    assert glass.energy_gradient(w)[0] == pytest.approx(expected / 4, rel=1e-12)


def test_the_tangent_hessian_is_the_riemannian_one():
    """On the sphere: the Euclidean Hessian less the radial derivative over ``|w|²``."""
    rng = np.random.default_rng(1)
    glass = SphericalSpinGlass.random(5, 3, rng)
    w = glass.random_state(rng)
    tangent = np.linalg.svd(w[None])[2][1:]
    contracted = glass.couplings @ w
    euclidean = 6 * contracted / 5
    radial = 3 * float(w @ contracted @ w) / 5
    expected = tangent @ (euclidean - radial / 5 * np.eye(5)) @ tangent.T
    found = tangent @ glass.hvp(w, tangent).T
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_variance_per_spin_is_one():
    rng = np.random.default_rng(2)
    w = np.full(6, 1.0)
    energies = [SphericalSpinGlass.random(6, 3, rng).energy_gradient(w)[0] for _ in range(3000)]
    assert np.var(energies) / 6 == pytest.approx(1.0, abs=0.08)  # three standard errors


def critical_angles(glass):
    """Zeros of dH/dθ on the circle, as roots t = tanθ of a cubic; each is two opposite points."""
    J = glass.couplings
    a, b, c, d = J[0, 0, 0], 3 * J[0, 0, 1], 3 * J[0, 1, 1], J[1, 1, 1]
    roots = Polynomial([b, 2 * c - 3 * a, 3 * d - 2 * b, -c]).roots()
    return roots[np.abs(roots.imag) < 1e-9].real


def test_mean_number_of_critical_points_of_two_spins():
    """2√7, exactly, for p = 3; with two or six a sample, the scatter of one is 1.53."""
    rng = np.random.default_rng(3)
    counts = [2 * len(critical_angles(SphericalSpinGlass.random(2, 3, rng))) for _ in range(4000)]
    assert set(counts) == {2, 6}
    assert np.mean(counts) == pytest.approx(2 * 7**0.5, abs=0.1)  # four standard errors


def test_the_threshold_of_three_spins():
    glass = SphericalSpinGlass.random(4, 3, np.random.default_rng(0))
    assert glass.threshold == pytest.approx(-1.632993, abs=1e-6)
    assert glass.most_critical_points == 30
    assert SphericalSpinGlass.random(4, 2, np.random.default_rng(0)).most_critical_points == 8


def test_the_states_of_two_spins_are_the_eigenvectors():
    """p = 2 is a quadratic form: H/N ranges between eigenvalues over √N."""
    rng = np.random.default_rng(4)
    glass = SphericalSpinGlass.random(6, 2, rng)
    values, vectors = np.linalg.eigh(glass.couplings)
    for value, vector in zip(values, vectors.T, strict=True):
        energy, gradient = glass.energy_gradient(vector)
        assert energy == pytest.approx(value * 6**0.5)
        assert np.abs(gradient).max() < 1e-12


def test_reversal_is_a_symmetry_for_even_p_only():
    rng = np.random.default_rng(5)
    x = rng.standard_normal(4)
    x *= 2.0 / np.linalg.norm(x)
    even, odd = SphericalSpinGlass.random(4, 4, rng), SphericalSpinGlass.random(4, 3, rng)
    assert even.same(x, -2 * x)
    assert not odd.same(x, -x)
    # Both are counted: two labelled points for each, and the nearer image is the one compared.
    assert np.exp(even.log_group_order) == pytest.approx(2.0)
    assert np.exp(odd.log_group_order) == pytest.approx(1.0)
    assert even.aligned(-x, x) == pytest.approx(x)
    assert odd.aligned(-x, x) == pytest.approx(-x)
    assert even.fingerprint(-x) == pytest.approx(even.fingerprint(x))
    assert even.stabiliser_order(x) == odd.stabiliser_order(x) == 1
    assert [name for name, _ in even.equivalents(x, rng)] != [
        name for name, _ in odd.equivalents(x, rng)
    ]


def test_both_signs_of_an_even_glass_make_one_point():
    """p = 2: n/2 pairs ±w. The catalogue holds one minimum, and its two copies are counted."""
    rng = np.random.default_rng(6)
    glass = SphericalSpinGlass.random(4, 2, rng)
    explorer, graph = Explorer(glass, glass, glass.random_state), Graph(glass)
    for finding in explorer.quenches(range(8)):
        graph.absorb(finding)
    assert len(graph.minima) == 1
    assert copies(glass, graph.minima[0]) == 2


@pytest.mark.parametrize(
    "couplings", [np.ones(3), np.ones((3, 2)), np.full((2, 2), np.nan), np.ones((1, 1))]
)
def test_wrong_couplings_are_refused(couplings):
    with pytest.raises(ValueError, match="expected"):
        SphericalSpinGlass(couplings)


@pytest.mark.parametrize(
    ("n", "p", "message"), [(1, 3, "n >= 2"), (4, 1, "p >= 2"), (10_000, 3, "at most .* couplings")]
)
def test_wrong_sizes_are_refused(n, p, message):
    with pytest.raises(ValueError, match=message):
        SphericalSpinGlass.random(n, p, np.random.default_rng(0))

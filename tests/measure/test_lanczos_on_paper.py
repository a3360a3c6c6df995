"""Quadrature whose nodes, weights and products are known on paper."""

import numpy as np
import pytest

from bridge.measure.lanczos import SpectralDensity, lanczos_density, spectral_density

from problems import Halfspaces

FOUND = SpectralDensity(np.array([[1.0, 2.0], [2.0, 4.0]]), np.array([[0.25, 0.75], [0.5, 0.5]]), 8)


class Diagonal:
    """A diagonal matrix that counts how many rows it was multiplied with in each call."""

    def __init__(self, values):
        self.values, self.sizes = np.asarray(values, dtype=float), []

    def __call__(self, v):
        self.sizes.append(len(v))
        return v * self.values


def mean(*values):
    return pytest.approx((np.mean(values), np.std(values, ddof=1) / np.sqrt(len(values))))


def test_counts_and_moments_of_two_probes():
    assert FOUND.count_below(2.0) == mean(2.0, 0.0)
    assert FOUND.count_below(2.1) == mean(8.0, 4.0)
    assert FOUND.moment(1) == mean(8 * 1.75, 8 * 3.0)
    assert FOUND.moment(3) == mean(8 * (0.25 + 0.75 * 8), 8 * (4 + 32))


def test_the_density_is_a_sum_of_gaussians():
    def peak(distance):
        return np.exp(-0.5 * (distance / 0.5) ** 2) / (0.5 * np.sqrt(2 * np.pi))

    density, error = FOUND.at([1.0, 2.5], 0.5)
    for k, at in enumerate((1.0, 2.5)):
        first = 0.25 * peak(at - 1) + 0.75 * peak(at - 2)
        second = 0.5 * peak(at - 2) + 0.5 * peak(at - 4)
        assert (density[k], error[k]) == mean(first, second)


@pytest.mark.parametrize("scale", [1.0, 1e-8, 1e8])
def test_moments_are_those_of_the_probes_below_twice_the_steps(scale):
    values = scale * np.linspace(-1.0, 3.0, 12)
    matrix = Diagonal(values)
    found = lanczos_density(matrix, 12, probes=3, steps=3, rng=np.random.default_rng(5))
    assert matrix.sizes == [3, 3, 3]
    start = np.random.default_rng(5).standard_normal((3, 12))
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    for power in range(6):
        expected = (start**2 * values**power).sum(axis=1)
        moments = (found.weights * found.nodes**power).sum(axis=1)
        assert moments == pytest.approx(expected, abs=1e-12 * 3**power * scale**power)
    beyond = (start**2 * values**6).sum(axis=1)
    assert np.abs((found.weights * found.nodes**6).sum(axis=1) / beyond - 1).min() > 1e-6


def test_probes_and_steps_unless_told():
    problem = Halfspaces(np.diag(np.linspace(1.0, 2.0, 120)), np.ones(120))
    for found in (
        lanczos_density(lambda v: problem.hvp(np.zeros(120), v), 120),
        spectral_density(problem, np.zeros(120)),
    ):
        assert found.nodes.shape == found.weights.shape == (10, 100)
        assert found.n == 120
    again = lanczos_density(
        lambda v: problem.hvp(np.zeros(120), v), 120, rng=np.random.default_rng(0)
    )
    assert np.array_equal(found.nodes, again.nodes)
    assert spectral_density(problem, np.zeros(120), probes=3, steps=7).nodes.shape == (3, 7)


def test_the_fewest_probes_and_steps():
    found = lanczos_density(Diagonal([1.0, 3.0]), 2, probes=2, steps=1)
    assert found.weights.tolist() == [[1.0], [1.0]]
    for probes, steps in ((1, 1), (2, 0)):
        with pytest.raises(ValueError, match=f"steps >= 1, got {probes} and {steps}"):
            lanczos_density(Diagonal([1.0, 3.0]), 2, probes=probes, steps=steps)
    assert lanczos_density(Diagonal([1.0, 3.0]), 2, probes=2, steps=9).nodes == pytest.approx(
        np.array([[1.0, 3.0]] * 2)
    )


@pytest.mark.parametrize("scale", [1.0, 1e-8])
def test_a_closed_space_is_left_as_it_is(scale):
    """Two eigenvalues close it after two products: what follows is zero, and weighs nothing."""
    matrix = Diagonal(scale * np.repeat([1.0, 3.0], 20))
    found = lanczos_density(matrix, 40, probes=4, steps=6)
    for nodes, weights in zip(found.nodes, found.weights, strict=True):
        seen = np.argsort(weights)[-2:]
        assert np.sort(nodes[seen]) == pytest.approx([scale, 3 * scale])
        assert np.delete(nodes, seen) == pytest.approx(np.zeros(4), abs=1e-12 * scale)
        assert np.delete(weights, seen) == pytest.approx(np.zeros(4), abs=1e-24)


def test_twice_orthogonalised_vectors_find_each_eigenvalue_once():
    values = np.concatenate([np.logspace(-6, 0, 40), [1e3, 1e6]])
    found = lanczos_density(Diagonal(values), 42, probes=2, steps=42)
    assert found.nodes == pytest.approx(np.stack([values, values]), abs=1e-6)

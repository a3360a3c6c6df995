"""The least curvature of a state, against dense spectra and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import spectrum
from bridge.measure.stability import least_curvature
from particles import Discs, Ellipses, Perceptron, decompress, descend, minimise, relax

from problems import Halfspaces

CROSS = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])


def test_the_cross_has_curvature_two():
    problem = Halfspaces(CROSS, np.full(4, 0.1))
    assert least_curvature(problem, np.zeros(2)) == pytest.approx(2.0)


def test_an_anisotropic_state_has_that_of_its_softest_direction():
    problem = Halfspaces(CROSS * np.array([3.0, 0.5]), np.full(4, 0.1))
    assert least_curvature(problem, np.zeros(2)) == pytest.approx(2.0 * 0.25)


def test_it_is_negative_opposite_to_a_pattern():
    """One pattern at ``s = -1``, ``Δ = 0.5``: ``Δ s`` across, and nothing along."""
    problem = Perceptron(np.array([[1.0, 0.0]]), sigma=-0.5)
    assert least_curvature(problem, np.array([-1.0, 0.0])) == pytest.approx(-0.5)


def square_lattice(side, squeeze=1e-3):
    """Return discs with four contacts each, all of them held, that would shear."""
    x = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    diameters = np.full(side * side, 1.0 / (1.0 - squeeze))
    return Discs(diameters, np.full(2, float(side))), x.astype(float).ravel()


def test_a_square_lattice_is_a_saddle():
    """``-4 Δ/(σ r)`` for a row that slides by a half wave against its neighbours."""
    problem, x = square_lattice(12)
    assert not problem.rattlers(x).any()
    expected = np.linalg.eigvalsh(problem.hessian(x).toarray())[0]
    assert expected == pytest.approx(-4e-3 * (1.0 - 1e-3), rel=1e-9)
    assert least_curvature(problem, x) == pytest.approx(expected, rel=1e-6)
    assert relax(problem, x).status == "jammed"
    end = minimise(problem, x)
    assert end.energy < problem.energy_gradient(x)[0]
    assert end.status == "unjammed"


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3, "ellipses"]))
def test_of_packings_it_is_the_lowest_of_the_dense_spectrum(seed, kind):
    rng = np.random.default_rng(seed)
    if kind == "ellipses":
        packing = Ellipses.bidisperse(80, 0.94, aspect=1.5)
    else:
        packing = Discs.bidisperse(110, {2: 0.86, 3: 0.68}[kind], dim=kind)
    end = decompress(packing, packing.random_state(rng), pressure=1e-4)
    problem, x = end.problem, end.x
    eigenvalues = spectrum(problem, x).eigenvalues
    zeros = problem.dim + sum(len(body) for body in problem.frozen(x))
    expected = np.sort(eigenvalues[np.argsort(np.abs(eigenvalues))[zeros:]])[0]
    assert problem.n_dof > 200  # by factorisation
    assert least_curvature(problem, x) == pytest.approx(expected, rel=1e-5)
    assert expected > 0.0


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_of_a_perceptron_it_is_that_of_the_tangent_space(seed):
    rng = np.random.default_rng(seed)
    problem = Perceptron.random(10, 6.0, -0.3, rng)
    end = descend(problem, problem.random_state(rng))
    values = np.sort(np.linalg.eigvalsh(problem.hvp(end.x, np.eye(10))))
    if end.status == "jammed":
        expected = np.delete(values, np.argmin(np.abs(values)))[0]
        assert least_curvature(problem, end.x) == pytest.approx(expected, rel=1e-6)

"""Exact jamming points of discs, spheres and ellipses: counting, virtual work, extrapolation."""

import numpy as np
import pytest
from exact_points import check_point, no_program_improves
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.jamming import exact_jamming
from particles import Discs, Ellipses, Ellipsoids, decompress, minimise

modest = settings(deadline=None, max_examples=25)


def jam_packing(problem, seed, pressure=1e-6):
    start = problem.random_state(np.random.default_rng(seed))
    low = decompress(problem, start, pressure)
    assert low.status == "jammed"
    return exact_jamming(low.problem, low.x, minimise=minimise)


def held_bodies(point):
    return int(point.held.reshape(point.problem.n_bodies, -1).any(axis=1).sum())


@pytest.mark.parametrize("seed", range(6))
def test_discs_are_isostatic(seed):
    point = check_point(jam_packing(Discs.bidisperse(64, 0.86), seed))
    assert len(point.rows) == 2 * held_bodies(point) - 1
    assert point.certificate.isostatic
    assert no_program_improves(point) < 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_spheres_are_isostatic(seed):
    point = check_point(jam_packing(Discs.bidisperse(64, 0.68, dim=3), seed))
    assert len(point.rows) == 3 * held_bodies(point) - 2
    assert 0.60 < point.problem.phi < 0.67


def test_a_large_packing_of_discs():
    point = check_point(jam_packing(Discs.bidisperse(256, 0.86), 0, pressure=1e-5))
    assert len(point.rows) == 2 * held_bodies(point) - 1
    assert 0.83 < point.problem.phi < 0.85


@modest
@given(n=st.integers(3, 12), dim=st.sampled_from([2, 3]), seed=st.integers(0, 10_000))
def test_boxes_so_small_that_images_interact(n, dim, seed):
    problem = Discs.bidisperse(n, 0.9 if dim == 2 else 0.75, dim=dim)
    low = decompress(problem, problem.random_state(np.random.default_rng(seed)), 1e-6)
    if low.status != "jammed":
        return
    point = exact_jamming(low.problem, low.x, minimise=minimise)
    # A crystal of a few bodies and their images may well be degenerate; a wrong count may not be.
    if point.status == "jammed":
        check_point(point)
        assert len(point.rows) == dim * held_bodies(point) - dim + 1
    else:
        assert point.reason


@pytest.mark.parametrize("seed", range(10))
def test_few_discs_are_isostatic(seed):
    point = check_point(jam_packing(Discs.bidisperse(16, 0.86), seed))
    assert len(point.rows) == 2 * held_bodies(point) - 1


def test_stresses_of_the_forces_are_those_of_a_pressure():
    # Virtual work: growth of all lengths does the work of the forces, ℓ·λ = 1.
    point = jam_packing(Discs.bidisperse(64, 0.86), 1)
    pairs = point.problem.pairs(point.x)
    lengths = np.linalg.norm(pairs.vector[point.rows], axis=1)
    contact = 0.5 * (point.problem.diameters[pairs.i] + point.problem.diameters[pairs.j])
    np.testing.assert_allclose(lengths, contact[point.rows], rtol=1e-12)
    assert point.forces.sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("aspect", [1.1, 2.0])
def test_ellipses_jam_hypostatically_and_curvature_holds_them(aspect):
    problem = Ellipses.bidisperse(32, 0.92, aspect=aspect)
    point = check_point(jam_packing(problem, seed=0))
    certificate = point.certificate
    n_held = held_bodies(point)
    assert certificate.n_isostatic == 3 * n_held - 1
    assert certificate.n_free_motions == 3 * n_held - 1 - len(point.rows) > 0
    assert certificate.curvature > 0.0


@pytest.mark.parametrize("axes", [1.4, 0.7])
def test_spheroids_jam_hypostatically_and_their_spins_hold_nothing(axes):
    """Five variables for each that is held, less the translations."""
    problem = Ellipsoids.bidisperse(16, 0.78, axes=axes)
    point = check_point(jam_packing(problem, seed=1))
    certificate, n_held = point.certificate, held_bodies(point)
    assert certificate.n == 5 * n_held - 3
    assert certificate.n_free_motions == 5 * n_held - 2 - len(point.rows) > 0
    assert certificate.curvature > 0.0


def test_the_exact_point_is_where_pressure_extrapolates_to():
    problem = Ellipses.bidisperse(24, 0.92, aspect=1.5)
    start = problem.random_state(np.random.default_rng(3))
    phis, pressures = [], []
    low = decompress(problem, start, 1e-5)
    for pressure in (1e-5, 1e-6):
        low = decompress(low.problem, low.x, pressure)
        phis.append(low.phi)
        pressures.append(low.pressure)
    slope = (phis[0] - phis[1]) / (pressures[0] - pressures[1])
    point = check_point(exact_jamming(low.problem, low.x, minimise=minimise))
    assert point.problem.phi == pytest.approx(phis[1] - slope * pressures[1], abs=2e-8)


def test_ellipses_of_aspect_one_are_discs():
    round_ones = check_point(jam_packing(Ellipses.bidisperse(32, 0.86, aspect=1.0), seed=1))
    assert round_ones.certificate.isostatic
    assert len(round_ones.rows) == 2 * held_bodies(round_ones) - 1

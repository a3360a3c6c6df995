"""A packing called jammed is a minimum that holds something, against dense eigenvalues."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from particles import Discs, Ellipses, decompress, minimise, relax
from particles.packings.minimum import certified
from particles.packings.stability import contacts, downhill_mode


def started(n, seed, dim=2, ratio=1.4):
    """Return what ``jamscape jam discs`` starts from."""
    packing = Discs.bidisperse(n, phi={2: 0.86, 3: 0.68}[dim], ratio=ratio, dim=dim)
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    return packing, packing.random_state(rng)


def least_curvature(problem, x):
    """Return the lowest eigenvalue of ``H`` of the bodies that are held, others taken away."""
    held = ~problem.rattlers(x)
    aspect = {"aspect": problem.aspect[held]} if isinstance(problem, Ellipses) else {}
    alone = replace(problem, diameters=problem.diameters[held], **aspect)
    hessian = alone.hessian(x.reshape(problem.n_bodies, -1)[held].ravel()).toarray()
    used = (np.arange(alone.n_per_body) < alone.variables[:, None]).ravel()
    return np.linalg.eigvalsh(hessian[np.ix_(used, used)])[0]


def assert_certified(problem, x, relative=1e-5):
    assert not problem.rattlers(x).all()
    assert problem.energy_gradient(x)[0] > 0.0
    assert least_curvature(problem, x) > -1e-13
    push = contacts(problem, x).forces
    gradient = problem.energy_gradient(x)[1].reshape(problem.n_bodies, -1) / problem.levers
    assert np.abs(gradient).max() <= 1.01 * relative * push.max()


# Their forces balance in saddles at a lower packing fraction, where no body is held.
@pytest.mark.parametrize(
    ("n", "dim", "seed", "phi"),
    [
        *[(5, 2, seed, 0.81784) for seed in range(6)],
        (3, 2, 41, 0.69089),
        (3, 3, 0, 0.51817),
        (3, 3, 7, 0.51817),
        (32, 2, 59, 0.83425),
        (2, 3, 0, 0.71442),
    ],
)
def test_small_packings_end_in_minima(n, dim, seed, phi):
    packing, x = started(n, seed, dim)
    end = decompress(packing, x, pressure=1e-6)
    assert end.status == "jammed"
    assert end.pressure == pytest.approx(1e-6, rel=0.011)
    assert end.phi == pytest.approx(phi, abs=2e-5)
    assert_certified(end.problem, end.x)


@pytest.mark.parametrize(("n", "ratio", "seed"), [(100, 10, 10), (300, 10, 0), (100, 20, 1)])
def test_packings_of_very_unequal_sizes_end_in_minima(n, ratio, seed):
    packing, x = started(n, seed, ratio=ratio)
    end = decompress(packing, x, pressure=1e-6)
    assert end.status == "jammed"
    assert_certified(end.problem, end.x)


def test_a_polydisperse_packing_ends_in_a_minimum():
    rng = np.random.default_rng(3)
    diameters = rng.uniform(1.0, 20.0, 60)
    packing = Discs(diameters, np.full(2, np.sqrt(np.pi / 4 * (diameters**2).sum() / 0.88)))
    end = decompress(packing, packing.random_state(rng), pressure=1e-5)
    assert end.status == "jammed"
    assert_certified(end.problem, end.x)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 12),
    st.sampled_from([2, 3, "ellipses"]),
    st.floats(0.4, 1.1),
)
def test_whatever_is_called_jammed_is_a_minimum(seed, n, kind, phi):
    rng = np.random.default_rng(seed)
    if kind == "ellipses":
        packing = Ellipses.bidisperse(n, phi, aspect=rng.uniform(1.0, 3.0))
    else:
        packing = Discs.bidisperse(n, phi, dim=kind, ratio=rng.uniform(1.0, 4.0))
    end = minimise(packing, packing.random_state(rng), relative=1e-9)
    if end.status == "jammed":
        assert_certified(packing, end.x, relative=1e-9)
    else:
        assert (end.status == "stalled") == bool(end.reason)


def row(n, dim=2):
    """Return ``n`` discs in one straight row around the box, each pair overlapping by 1e-3."""
    box = np.array([0.999 * n] + [6.0] * (dim - 1))
    x = np.full((n, dim), 3.0)
    x[:, 0] = 0.999 * np.arange(n)
    return Discs(np.ones(n), box), x.ravel()


@pytest.mark.parametrize(("n", "dim"), [(3, 2), (10, 2), (60, 2), (4, 3), (40, 3)])
def test_a_row_of_discs_buckles(n, dim):
    problem, x = row(n, dim)
    balanced = relax(problem, x)
    assert balanced.status == "jammed"
    assert balanced.energy == pytest.approx(0.5 * n * 1e-6)
    end = minimise(problem, x)
    assert end.status == "unjammed"
    assert end.energy < 1e-20


@pytest.mark.parametrize("n", [10, 60])  # all modes, and by factorisation
def test_the_mode_below_a_row_is_that_of_the_dense_hessian(n):
    """Every second disc goes up, the others down: ``-4 Δ/(σ r)`` for ``Δ = 1e-3``."""
    problem, x = row(n)
    mode = downhill_mode(problem, x, contacts(problem, x))
    bodies = mode.reshape(n, 2)
    np.testing.assert_allclose(bodies[:, 0], 0.0, atol=1e-6)
    np.testing.assert_allclose(bodies[:, 1], bodies[0, 1] * (-1.0) ** np.arange(n), atol=1e-6)
    assert np.abs(mode).max() == pytest.approx(1.0)
    curvature = mode @ problem.hvp(x, mode) / (mode @ mode)
    assert curvature == pytest.approx(-4e-3 / 0.999, rel=1e-6)


def test_the_mode_is_by_the_size_of_each_body():
    """Twice as large in everything, the same saddle has the same mode in units of a diameter."""
    problem, x = row(6)
    large = Discs(2.0 * problem.diameters, 2.0 * problem.box)
    mode = downhill_mode(large, 2.0 * x, contacts(large, 2.0 * x))
    assert np.abs(mode).max() == pytest.approx(2.0)


def test_an_ellipse_between_two_others_turns_away():
    """Three ellipses side by side, held along their short axes, are a saddle."""
    box = np.array([20.0, 3 * 0.999])
    problem = Ellipses(np.ones(3), 2.0, box)
    x = np.array([[5.0, 0.999 * k, 0.0] for k in range(3)]).ravel()
    assert relax(problem, x).status == "jammed"
    end = minimise(problem, x)
    assert end.status == "unjammed"


def test_a_minimum_is_left_alone():
    packing, x = started(60, 0)
    balanced = relax(packing, x)
    assert certified(packing, balanced) is balanced


@pytest.mark.parametrize("x", [[1, 1, 1, 1], [0, 0, 10, 0], [0, 0, 10, 10], [3, 3, 3, 3 + 1e-12]])
def test_two_discs_at_one_place_come_apart(x):
    pair = Discs(np.ones(2), np.array([10.0, 10.0]))
    end = minimise(pair, np.array(x, float), rng=np.random.default_rng(1))
    assert end.status == "unjammed"
    assert end.energy < 1e-20


@pytest.mark.parametrize("turn", [0.0, 1.0])
def test_two_ellipses_at_one_place_come_apart(turn):
    pair = Ellipses(np.ones(2), 2.0, np.array([10.0, 10.0]))
    assert minimise(pair, np.array([1.0, 1.0, 0.0, 1.0, 1.0, turn])).status == "unjammed"


def test_what_touches_itself_alone_is_not_jammed():
    """One disc meets its image along x: nothing can move that, and nothing is held."""
    single = Discs(np.ones(1), np.array([0.9, 3.0]))
    end = minimise(single, np.zeros(2))
    assert (end.status, end.reason) == ("stalled", "no body is held")


def crystal(basis, nearest, cells=2, squeeze=1e-3):
    """Return spheres on a cubic lattice, overlapping by ``squeeze``."""
    corners = itertools.product(range(cells), repeat=3)
    x = np.concatenate([np.array(basis) + corner for corner in corners])
    diameter = nearest / (1.0 - squeeze)
    return Discs(np.full(len(x), diameter), np.full(3, float(cells))), x.ravel()


@pytest.mark.parametrize(
    ("basis", "nearest", "neighbours"),
    [
        ([[0, 0, 0]], 1.0, 6),
        ([[0, 0, 0], [0.5, 0.5, 0.5]], 0.75**0.5, 8),
        ([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]], 0.5**0.5, 12),
    ],
    ids=["sc", "bcc", "fcc"],
)
def test_crystals_have_no_rattlers(basis, nearest, neighbours):
    problem, x = crystal(basis, nearest)
    assert (problem.gaps(x) > 0).sum() == problem.n_bodies * neighbours // 2
    assert not problem.rattlers(x).any()
    assert problem.frozen(x) == []


def test_a_squeezed_fcc_crystal_is_jammed_with_all_its_contacts():
    problem, x = crystal([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]], 0.5**0.5)
    end = minimise(problem, x)
    assert end.status == "jammed"
    assert (problem.gaps(end.x) > 0).sum() == 192

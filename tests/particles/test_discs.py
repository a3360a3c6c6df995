"""Discs and spheres against closed forms, lattice sums and themselves on another route."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from particles import Discs, minimise

from packing_strategies import discs


def lattice_sum(problem, x, shells=4):
    """U of discs by a plain sum over all images, without any list of pairs."""
    centres = x.reshape(problem.n_bodies, problem.dim)
    total = 0.0
    for image in product(range(-shells, shells + 1), repeat=problem.dim):
        shift = np.array(image) * problem.box
        r = np.linalg.norm(centres[None] + shift - centres[:, None], axis=2)
        sigma = 0.5 * (problem.diameters[None] + problem.diameters[:, None])
        overlap = np.maximum(1.0 - r / sigma, 0.0)
        if not any(image):
            np.fill_diagonal(overlap, 0.0)
        total += 0.25 * (overlap**2).sum()
    return total


@settings(deadline=None, max_examples=60)
@given(discs(max_n=8))
def test_every_image_is_a_contact_of_its_own(system):
    problem, x = system
    assert problem.energy_gradient(x)[0] == pytest.approx(lattice_sum(problem, x), rel=1e-12)


@settings(deadline=None, max_examples=30)
@given(discs(max_n=6), st.integers(3, 4))
def test_a_repeated_cell_has_the_energy_of_its_copies(system, copies):
    """The small cell uses explicit images, the repeated one cell lists."""
    problem, x = system
    centres = x.reshape(problem.n_bodies, problem.dim)
    shifts = [np.array(s) * problem.box for s in product(range(copies), repeat=problem.dim)]
    big = Discs(np.tile(problem.diameters, len(shifts)), copies * problem.box)
    many = np.concatenate([centres + shift for shift in shifts])
    energy, gradient = big.energy_gradient(many.ravel())
    once, pull = problem.energy_gradient(x)
    assert energy == pytest.approx(len(shifts) * once, rel=1e-11)
    np.testing.assert_allclose(
        gradient.reshape(-1, x.size), np.tile(pull, (len(shifts), 1)), atol=1e-12
    )


def test_one_body_meets_itself():
    single = Discs(np.array([1.0]), np.array([0.9, 2.0]))
    x = np.array([0.3, -7.0])
    assert single.gaps(x).max() == pytest.approx(0.1)
    assert single.energy_gradient(x)[0] == pytest.approx(0.005)
    assert np.abs(single.energy_gradient(x)[1]).max() < 1e-16


@settings(deadline=None, max_examples=30)
@given(discs(max_n=8))
def test_pairs_and_gaps_are_aligned(system):
    problem, x = system
    pairs, centres = problem.pairs(x), x.reshape(problem.n_bodies, problem.dim)
    np.testing.assert_allclose(
        pairs.vector, centres[pairs.j] - centres[pairs.i] + pairs.image, atol=1e-12
    )
    sigma = 0.5 * (problem.diameters[pairs.i] + problem.diameters[pairs.j])
    gaps = 1.0 - np.linalg.norm(pairs.vector, axis=1) / sigma
    np.testing.assert_allclose(problem.gaps(x), gaps, atol=1e-13)
    assert (pairs.i <= pairs.j).all()
    assert (problem.gaps(x) > -problem.reach).all()
    np.testing.assert_allclose(problem.normal_gaps(x), gaps * sigma, atol=1e-13)


@settings(deadline=None, max_examples=20)
@given(discs(max_n=8))
def test_the_sparse_hessian_is_the_products(system):
    problem, x = system
    products = problem.hvp(x, np.eye(problem.n_dof))
    np.testing.assert_allclose(problem.hessian(x).toarray(), products, atol=1e-12)


def test_two_centres_at_one_place_push_nowhere():
    pair = Discs(np.ones(2), np.full(2, 5.0))
    energy, gradient = pair.energy_gradient(np.ones(4))
    assert energy == 0.5
    assert not gradient.any()


def test_below_jamming_nothing_is_left_to_overlap():
    packing = Discs.bidisperse(100, phi=0.7)
    found = minimise(packing, packing.random_state(np.random.default_rng(0)))
    assert found.status == "unjammed"
    assert packing.energy_gradient(found.x)[0] < 1e-20


@pytest.mark.parametrize("dim", [2, 3])
def test_above_jamming_forces_balance_to_rounding(dim):
    packing = Discs.bidisperse(64, phi=0.95 if dim == 2 else 0.8, dim=dim)
    start = packing.random_state(np.random.default_rng(1))
    found = minimise(packing, start, relative=0.0, absolute=1e-15)
    assert found.status == "jammed"
    assert found.max_force <= 1e-15
    energy, gradient = packing.energy_gradient(found.x)
    assert energy == pytest.approx(found.energy, rel=1e-12)
    # Positions in a box of side 8 are good to 1e-15, and so are forces that are made of them.
    assert np.abs(gradient).max() < 2e-14
    modes = np.linalg.eigvalsh(packing.hessian(found.x).toarray())
    assert modes[0] > -1e-12


def test_the_same_start_ends_at_the_same_bits():
    packing = Discs.bidisperse(50, phi=0.9)
    start = packing.random_state(np.random.default_rng(2))
    assert np.array_equal(minimise(packing, start).x, minimise(packing, start).x)


def test_too_few_steps_are_stalled():
    packing = Discs.bidisperse(50, phi=0.9)
    start = packing.random_state(np.random.default_rng(2))
    found = minimise(packing, start, max_steps=10)
    assert (found.status, found.steps) == ("stalled", 10)


def test_loads_scale_every_length():
    packing = Discs.bidisperse(20, phi=0.8, dim=3)
    grown = packing.tightened(0.1)
    np.testing.assert_allclose(grown.diameters, 1.1 * packing.diameters)
    assert grown.phi == pytest.approx(0.8 * 1.1**3)
    assert packing.with_phi(0.6).phi == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Discs.bidisperse(0, 0.8), "n >= 1, got 0"),
        (lambda: Discs.bidisperse(10, -0.1), "packing fraction"),
        (lambda: Discs.bidisperse(10, 2.5), "packing fraction"),
        (lambda: Discs.bidisperse(10, float("nan")), "packing fraction"),
        (lambda: Discs.bidisperse(10, 0.8, ratio=0.5), "ratio"),
        (lambda: Discs.bidisperse(10, 0.8, dim=4), "dim = 2"),
        (lambda: Discs(np.array([1.0, np.nan]), np.ones(2)), "diameters to be positive"),
        (lambda: Discs(np.ones((2, 2)), np.ones(2)), "shape"),
        (lambda: Discs(np.ones(2), np.array([1.0, -1.0])), "box to be positive"),
        (lambda: Discs(np.ones(2), np.ones(4)), "2 or 3 sides, got 4"),
        (lambda: Discs(np.ones(2), np.ones(2)).gaps(np.ones(3)), r"shape \(4,\), got \(3,\)"),
        (lambda: Discs(np.ones(2), np.ones(2)).gaps(np.full(4, np.inf)), "finite variables"),
        (lambda: minimise(Discs(np.ones(2), np.ones(2)), np.full(4, np.nan)), "finite variables"),
        (lambda: Discs(np.ones(2), np.ones(2)).tightened(-1.0), "growth"),
        (lambda: Discs(np.ones(2), np.ones(2)).hvp(np.ones(4), np.ones(3)), "directions"),
        (lambda: Discs(np.ones(2), np.ones(2)).hvp(np.ones(4), np.full(4, np.nan)), "finite dir"),
        (
            lambda: minimise(Discs(np.ones(2), np.ones(2)), np.ones(4), max_steps=0),
            "max_steps >= 1",
        ),
        (lambda: Discs.bidisperse(float("inf"), 0.8), "n >= 1, got inf"),
    ],
)
def test_wrong_input_gets_one_line(make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
@pytest.mark.parametrize("name", ["relative", "absolute", "floor", "dt_max", "skin"])
def test_options_that_are_no_numbers_never_give_a_result(name, value):
    packing = Discs.bidisperse(8, 0.9)
    with pytest.raises(ValueError, match=rf"expected a finite, .* {name}, got {value}"):
        minimise(packing, packing.random_state(np.random.default_rng(0)), **{name: value})


def test_pairs_kept_from_the_last_state_are_those_of_the_state_asked_for():
    packing = Discs.bidisperse(12, 0.86)
    x = packing.random_state(np.random.default_rng(3))
    first = packing.near(x)
    assert packing.near(x.copy()) is first
    gaps = packing.gaps(x)
    gaps[:] = 0.0  # a result is the caller's to change
    assert packing.gaps(x).max() > 0.0
    x[0] += 0.1  # in place: the state is the same array, and another state
    fresh = Discs.bidisperse(12, 0.86)
    assert packing.gaps(x) == pytest.approx(fresh.gaps(x), abs=0.0)
    assert (packing.gap_jacobian(x) != fresh.gap_jacobian(x)).nnz == 0
    assert packing.with_phi(0.9).gaps(x).max() > fresh.gaps(x).max()

"""The contact of two ellipses against independent minimisations, and packings of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from particles import Discs, Ellipses, decompress, minimise
from particles.kernels import contact

from packing_strategies import ellipses
from plain_packings import tangent_contacts


def shape_matrix(a, b, angle):
    c, s = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([c, -s], -1), np.stack([s, c], -1)], -2)
    half = np.zeros((*a.shape, 2, 2))
    half[..., 0, 0], half[..., 1, 1] = a * a, b * b
    return turn @ half @ turn.swapaxes(-1, -2)


def moments(A):
    return 0.5 * (A[0, 0] + A[1, 1]), 0.5 * (A[0, 0] - A[1, 1]), A[0, 1]


def random_pairs(rng, n, largest_aspect=10.0):
    """Two shapes and the vector between them, from deep overlap to far apart."""
    b = rng.uniform(0.3, 1.0, (2, n))
    a = b * rng.uniform(1.0, largest_aspect, (2, n))
    A, B = (shape_matrix(a[k], b[k], rng.uniform(0, np.pi, n)) for k in range(2))
    length = a.sum(axis=0) * 10.0 ** rng.uniform(-3, 0.5, n)
    angle = rng.uniform(0, 2 * np.pi, n)
    return A, B, length[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def densely_maximised(A, B, r):
    """max_λ λ(1-λ) rᵀ G⁻¹ r on finer and finer grids of λ: no derivative, no quartic."""
    low, high = np.zeros(len(r)), np.ones(len(r))
    for _ in range(12):
        lam = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, 41)
        G = (1 - lam)[..., None, None] * A[:, None] + lam[..., None, None] * B[:, None]
        F = lam * (1 - lam) * np.einsum("ka,knab,kb->kn", r, np.linalg.inv(G), r)
        best = F.argmax(axis=1)
        rows = np.arange(len(r))
        low, high = lam[rows, np.maximum(best - 1, 0)], lam[rows, np.minimum(best + 1, 40)]
    return F.max(axis=1)


def test_thousands_of_contacts_against_a_dense_maximisation():
    A, B, r = random_pairs(np.random.default_rng(0), 4000)
    F = densely_maximised(A, B, r)
    for k in range(len(r)):
        delta, *_ = contact.contact(*r[k], *moments(A[k]), *moments(B[k]))
        assert delta == pytest.approx(1.0 - np.sqrt(F[k]), rel=1e-10, abs=1e-12)


def test_thousands_of_contacts_against_parallel_tangents():
    """μ and its slopes, up to aspect 10: the largest n·r/(h_i + h_j) over directions n."""
    rng = np.random.default_rng(1)
    b = rng.uniform(0.3, 1.0, (2, 4000))
    a, theta = b * rng.uniform(1.0, 10.0, b.shape), rng.uniform(0, np.pi, b.shape)
    length, angle = a.sum(axis=0) * 10.0 ** rng.uniform(-3, 0.5, 4000), rng.uniform(0, 7, 4000)
    r = length[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    mu, *slopes = tangent_contacts(r, *zip(a, b, theta, strict=True))
    pairs = np.column_stack([mu, *slopes])
    for k in range(4000):
        shapes = [moments(shape_matrix(a[s, k], b[s, k], theta[s, k])) for s in (0, 1)]
        delta, *found, _ = contact.contact(*r[k], *shapes[0], *shapes[1])
        assert 1.0 - delta == pytest.approx(mu[k], rel=1e-12, abs=1e-14)
        largest = abs(pairs[k, 1:]).max()
        np.testing.assert_allclose(found, pairs[k, 1:], rtol=0, atol=1e-10 * largest)


def test_the_normal_gap_is_the_distance_of_the_surfaces():
    A, B, r = random_pairs(np.random.default_rng(2), 60)
    angle = np.linspace(0, 2 * np.pi, 40001)
    n = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    compared = 0
    for k in range(len(r)):
        h = sum(np.sqrt(np.einsum("na,ab,nb->n", n, M, n)) for M in (A[k], B[k]))
        distance = (n @ r[k] - h).max()
        if distance > -0.02:
            gap = contact.normal_gap(*r[k], *moments(A[k]), *moments(B[k]))
            assert gap == pytest.approx(distance, abs=1e-6)
            compared += 1
    assert compared > 15


def test_derivatives_of_a_contact_up_to_aspect_ten():
    rng = np.random.default_rng(3)
    for _ in range(40):
        pair = Ellipses(np.ones(2), rng.uniform(1.0, 10.0, 2), np.full(2, 60.0))
        x = rng.uniform(0, 6, 6)
        if pair.energy_gradient(x)[0] < 1e-3:
            continue
        H = pair.hessian(x).toarray()
        differences = np.array(
            [
                (pair.energy_gradient(x + 1e-5 * e)[1] - pair.energy_gradient(x - 1e-5 * e)[1])
                / 2e-5
                for e in np.eye(6)
            ]
        )
        np.testing.assert_allclose(H, differences, atol=2e-6 * np.abs(H).max())


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_round_ellipses_are_discs(seed, n):
    rng = np.random.default_rng(seed)
    diameters, box = rng.uniform(1.0, 2.0, n), np.full(2, 1.1 * np.sqrt(n))
    round_ones, flat = Ellipses(diameters, 1.0, box), Discs(diameters, box)
    x = round_ones.random_state(rng)
    centres = x.reshape(-1, 3)[:, :2].ravel()
    energy, gradient = round_ones.energy_gradient(x)
    same, pull = flat.energy_gradient(centres)
    assert energy == pytest.approx(same, rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(gradient.reshape(-1, 3)[:, :2].ravel(), pull, atol=1e-12)
    np.testing.assert_allclose(gradient.reshape(-1, 3)[:, 2], 0.0, atol=1e-12)
    np.testing.assert_allclose(round_ones.gaps(x), flat.gaps(centres), atol=1e-12)
    assert len(round_ones.zero_modes(x)) == 2 + n


def test_round_ellipses_jam_as_discs_do():
    """Their angles are symmetries, and count neither as variables nor as those of rattlers."""
    packing = Ellipses.bidisperse(64, phi=0.88, aspect=1.0)
    end = decompress(packing, packing.random_state(np.random.default_rng(0)), 1e-7)
    loose = end.problem.frozen(end.x)
    held = 64 - len(loose)
    assert all(len(variables) == 2 for variables in loose)
    gaps = end.problem.gaps(end.x)
    assert end.pressure == pytest.approx(np.maximum(gaps, 0.0).sum() / (2 * held - 2), rel=1e-12)
    assert abs(int((gaps > 0).sum()) - (2 * held - 1)) <= 1


@settings(deadline=None, max_examples=30)
@given(ellipses(max_n=8))
def test_every_image_is_a_contact_of_its_own(system):
    """Against a repeated cell, in which no body meets the image of itself in a contact."""
    problem, x = system
    bodies = x.reshape(-1, 3)
    shifts = [np.array([a, b]) * problem.box for a in range(3) for b in range(3)]
    big = Ellipses(np.tile(problem.diameters, 9), np.tile(problem.aspect, 9), 3 * problem.box)
    many = np.concatenate([bodies + np.append(shift, 0.0) for shift in shifts])
    energy, gradient = big.energy_gradient(many.ravel())
    once, pull = problem.energy_gradient(x)
    assert energy == pytest.approx(9 * once, rel=1e-11, abs=1e-14)
    np.testing.assert_allclose(gradient.reshape(9, -1), np.tile(pull, (9, 1)), atol=1e-11)


@pytest.mark.parametrize("aspect", [1.0, 1.05, 3.0, 10.0])
def test_the_minimiser_ends_where_the_law_says(aspect):
    packing = Ellipses.bidisperse(40, phi=1.0, aspect=aspect)
    start = packing.random_state(np.random.default_rng(0))
    found = minimise(packing, start, relative=0.0, absolute=1e-13)
    energy, gradient = packing.energy_gradient(found.x)
    assert found.status == "jammed"
    assert energy == pytest.approx(found.energy, rel=1e-12)
    assert np.abs(gradient).max() < 1e-12 * packing.bounding_radii.max()
    assert np.linalg.eigvalsh(packing.hessian(found.x).toarray())[0] > -1e-11


@pytest.mark.parametrize(("aspect", "seed"), [(1.05, 0), (1.5, 0), (2.5, 1)])
def test_modes_that_vanish_with_the_pressure_are_counted_exactly(aspect, seed):
    """3N' - 1 - N_c of them: Mailman et al., Phys. Rev. Lett. 102, 255501 (2009)."""
    packing = Ellipses.bidisperse(64, phi=0.93, aspect=aspect)
    first = decompress(packing, packing.random_state(np.random.default_rng(seed)), 1e-6)
    second = decompress(first.problem, first.x, 1e-8)
    spectra = []
    for end in (first, second):
        loose = int(end.problem.rattlers(end.x).sum())
        contacts = int((end.problem.gaps(end.x) > 0).sum())
        soft = 3 * (64 - loose) - 1 - contacts
        modes = np.linalg.eigvalsh(end.problem.hessian(end.x).toarray())
        zeros = 2 + 3 * loose
        assert end.status == "jammed"
        assert np.abs(modes[:zeros]).max() < 1e-13
        spectra.append((modes[zeros : zeros + soft], modes[zeros + soft]))
    (soft_1, stiff_1), (soft_2, stiff_2) = spectra
    assert len(soft_1) == len(soft_2) > 5
    np.testing.assert_allclose(soft_1 / soft_2, 100.0, rtol=0.1)
    assert stiff_1 / stiff_2 == pytest.approx(1.0, rel=0.1)


@pytest.mark.parametrize(("aspect", "phi_j", "z"), [(1.02, 0.8506, 4.46), (2.0, 0.8846, 5.750)])
def test_jamming_of_ellipses(aspect, phi_j, z):
    """Against independent runs, and Schreck et al. 2010 and Rocks and Hoy 2023 for z."""
    phis, coordinations = [], []
    for seed in range(4):
        packing = Ellipses.bidisperse(256, phi=0.93, aspect=aspect)
        end = decompress(packing, packing.random_state(np.random.default_rng(seed)), 1e-6)
        assert end.status == "jammed"
        held = 256 - int(end.problem.rattlers(end.x).sum())
        phis.append(end.phi)
        coordinations.append(2 * int((end.problem.gaps(end.x) > 0).sum()) / held)
    assert np.mean(phis) == pytest.approx(phi_j, abs=0.004)
    assert np.mean(coordinations) == pytest.approx(z, abs=0.1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ellipses.bidisperse(10, 0.9, aspect=0.9), "aspect >= 1"),
        (lambda: Ellipses.bidisperse(10, 0.9, aspect=float("nan")), "aspect >= 1"),
        (
            lambda: Ellipses(np.ones(2), np.array([2.0, np.inf]), np.ones(2)),
            "aspect >= 1, got inf",
        ),
        (lambda: Ellipses.bidisperse(10, 3.0), "packing fraction"),
        (lambda: Ellipses(np.ones(3), np.ones(2), np.ones(2)), "one aspect or one for each of 3"),
        (lambda: Ellipses(np.ones(3), 2.0, np.ones(3)), "2 sides, got 3"),
        (lambda: Ellipses(np.ones(2), 2.0, np.ones(2)).gaps(np.full(6, np.nan)), "finite"),
    ],
)
def test_wrong_input_gets_one_line(make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)

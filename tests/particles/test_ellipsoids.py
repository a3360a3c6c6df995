"""The contact of two ellipsoids against independent maximisations, and packings of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from particles import Discs, Ellipses, Ellipsoids, decompress, minimise
from particles.kernels import contact_3d

from packing_strategies import ellipsoids
from plain_packings import tangent_contacts_3d, turned

SEEDS = st.integers(0, 2**32 - 1)
SPHEROIDS = [0.5, 0.8, 1.25, 2.0]
ROWS, COLUMNS = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 1, 2, 1, 2, 2])


def random_pairs(rng, n, largest_axis=10.0):
    """Half axes and turns of two bodies, and the vector between them: deep overlap to far apart."""
    half = rng.uniform(0.3, 1.0, (2, n, 1)) * rng.uniform(1.0, largest_axis, (2, n, 3))
    turns = rng.uniform(-2.0, 2.0, (2, n, 3))
    r = rng.standard_normal((n, 3))
    length = half.mean(axis=2).sum(axis=0) * 10.0 ** rng.uniform(-3, 0.5, n)
    return half, turns, r * (length / np.linalg.norm(r, axis=1))[:, None]


def shape_matrices(half, turns):
    axes = turned(turns)
    return np.einsum("nac,nc,nbc->nab", axes, half**2, axes)


def densely_maximised(A, B, r):
    """max_λ λ(1-λ) rᵀ G⁻¹ r on finer and finer grids of λ: no derivative."""
    low, high = np.zeros(len(r)), np.ones(len(r))
    for _ in range(12):
        lam = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, 41)
        G = (1 - lam)[..., None, None] * A[:, None] + lam[..., None, None] * B[:, None]
        s = np.linalg.solve(G, np.broadcast_to(r[:, None, :, None], (*lam.shape, 3, 1)))[..., 0]
        F = lam * (1 - lam) * np.einsum("ka,kna->kn", r, s)
        best = F.argmax(axis=1)
        rows = np.arange(len(r))
        low, high = lam[rows, np.maximum(best - 1, 0)], lam[rows, np.minimum(best + 1, 40)]
    return F.max(axis=1)


def found_contact(A, B, r):
    a, b = tuple(A[ROWS, COLUMNS]), tuple(B[ROWS, COLUMNS])
    return contact_3d.slopes_at(*r, a, b, contact_3d.multiplier(*r, a, b))


def test_thousands_of_contacts_against_a_dense_maximisation():
    half, turns, r = random_pairs(np.random.default_rng(0), 4000)
    A, B = (shape_matrices(h, t) for h, t in zip(half, turns, strict=True))
    F = densely_maximised(A, B, r)
    found = [found_contact(A[k], B[k], r[k])[0] for k in range(len(r))]
    np.testing.assert_allclose(found, 1.0 - np.sqrt(F), rtol=1e-9, atol=1e-12)


def test_thousands_of_contacts_against_parallel_tangent_planes():
    """μ and its slopes, up to aspect 10: the largest n·r/(h_i + h_j) over directions n."""
    half, turns, r = random_pairs(np.random.default_rng(1), 2000)
    mu, *slopes = tangent_contacts_3d(r, *zip(half, turns, strict=True))
    slopes = np.column_stack(slopes)
    short = half.min(axis=2)
    x = np.zeros((2000, 2, 6))
    x[:, 0, 3:], x[:, 1, :3], x[:, 1, 3:] = turns[0], r, turns[1]
    for k in range(2000):
        axes = half[:, k] / short[:, k, None]
        pair = Ellipsoids(2.0 * short[:, k], axes, np.full(3, 1e5), reach=100.0)
        found = pair.gap_jacobian(x[k].ravel()).toarray().ravel()
        assert 1.0 - pair.gaps(x[k].ravel())[0] == pytest.approx(mu[k], rel=1e-12, abs=1e-14)
        expected = -np.concatenate([-slopes[k, :3], slopes[k, 3:6], slopes[k, :3], slopes[k, 6:]])
        np.testing.assert_allclose(found, expected, atol=1e-9 * np.abs(expected).max())


def test_the_normal_gap_is_the_distance_of_the_surfaces():
    half, turns, r = random_pairs(np.random.default_rng(2), 80, largest_axis=4.0)
    A, B = (shape_matrices(h, t) for h, t in zip(half, turns, strict=True))

    def apart(angles, k):
        c, s = np.cos(angles), np.sin(angles)
        n = np.array([s[0] * c[1], s[0] * s[1], c[0]])
        return n @ r[k] - np.sqrt(n @ A[k] @ n) - np.sqrt(n @ B[k] @ n)

    compared = 0
    for k in range(len(r)):
        normal = np.array(found_contact(A[k], B[k], r[k])[1])
        normal /= np.linalg.norm(normal)
        start = np.array([np.arccos(normal[2]), np.arctan2(normal[1], normal[0])])
        best = minimize(lambda angles, k=k: -apart(angles, k), start, tol=1e-12)
        if -best.fun > -0.02:
            a, b = tuple(A[k][ROWS, COLUMNS]), tuple(B[k][ROWS, COLUMNS])
            assert contact_3d.normal_gap(r[k], a, b) == pytest.approx(-best.fun, abs=1e-9)
            compared += 1
    assert compared > 15


def test_derivatives_up_to_aspect_ten():
    rng = np.random.default_rng(3)
    compared = 0
    for _ in range(60):
        axes = rng.uniform(1.0, 10.0, (2, 3))
        axes[0, 1] = axes[0, 0] if rng.random() < 0.3 else axes[0, 1]
        pair = Ellipsoids(np.ones(2), axes, np.full(3, 60.0))
        x = np.hstack([rng.uniform(0, 4, (2, 3)), rng.uniform(-3, 3, (2, 3))]).ravel()
        if pair.energy_gradient(x)[0] < 1e-3:
            continue
        compared += 1
        H = pair.hessian(x).toarray()
        differences = np.array(
            [
                (pair.energy_gradient(x + 1e-5 * e)[1] - pair.energy_gradient(x - 1e-5 * e)[1])
                / 2e-5
                for e in np.eye(12)
            ]
        )
        np.testing.assert_allclose(H, differences, atol=1e-8 * np.abs(H).max())
    assert compared > 20


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.integers(1, 30))
def test_equal_axes_are_spheres(seed, n):
    rng = np.random.default_rng(seed)
    diameters, box = rng.uniform(1.0, 2.0, n), np.full(3, 1.1 * n ** (1 / 3))
    round_ones, spheres = Ellipsoids(diameters, np.ones(3), box), Discs(diameters, box)
    x = round_ones.random_state(rng)
    centres = round_ones.centres(x).ravel()
    energy, gradient = round_ones.energy_gradient(x)
    same, pull = spheres.energy_gradient(centres)
    assert energy == pytest.approx(same, rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(gradient.reshape(-1, 6)[:, :3].ravel(), pull, atol=1e-12)
    assert (gradient.reshape(-1, 6)[:, 3:] == 0.0).all()
    np.testing.assert_allclose(round_ones.gaps(x), spheres.gaps(centres), atol=1e-12)
    np.testing.assert_allclose(round_ones.normal_gaps(x), spheres.normal_gaps(centres), atol=1e-12)
    assert len(round_ones.zero_modes(x)) == 3 + 3 * n
    stiff = round_ones.hessian(x).toarray().reshape(n, 6, n, 6)
    expected = spheres.hessian(centres).toarray().reshape(n, 3, n, 3)
    np.testing.assert_allclose(stiff[:, :3, :, :3], expected, atol=1e-11)
    assert np.abs(stiff[:, 3:]).max() == 0.0


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.booleans())
def test_bodies_in_one_plane_are_ellipses(seed, lying):
    """Spheroids whose axes lie in the plane, and three-axis bodies whose third axis is upright."""
    rng = np.random.default_rng(seed)
    n, aspect = 6, rng.uniform(1.0, 5.0)
    angle, where = rng.uniform(-3.0, 3.0, n), rng.uniform(0.0, 4.0, (n, 2))
    box = np.array([5.0, 5.0, 50.0])
    if lying:
        solid = Ellipsoids(np.ones(n), [1.0, 1.0, aspect], box)
        turns = np.column_stack([2.0 * np.cos(angle), 2.0 * np.sin(angle), rng.random(n)])
    else:
        solid = Ellipsoids(np.ones(n), [aspect, 1.0, rng.uniform(1.1, 3.0)], box)
        turns = np.column_stack([0.0 * where, angle])
    flat = Ellipses(np.ones(n), aspect, box[:2])
    x = np.column_stack([where, np.full(n, 1.0), turns]).ravel()
    y = np.column_stack([where, angle]).ravel()
    gaps = solid.gaps(x)
    largest = np.sort(flat.gaps(y))[::-1][: (gaps > 0).sum()]
    np.testing.assert_allclose(np.sort(gaps[gaps > 0])[::-1], largest)
    energy, gradient = solid.energy_gradient(x)
    same, pull = flat.energy_gradient(y)
    assert energy == pytest.approx(same, rel=1e-12)
    pull, gradient = pull.reshape(n, 3), gradient.reshape(n, 6)
    np.testing.assert_allclose(gradient[:, :2], pull[:, :2], atol=1e-12)
    np.testing.assert_allclose(gradient[:, 2], 0.0, atol=1e-12)
    if lying:  # around the edge of the hemisphere: 2 dθ long, and a torque about z
        along = np.column_stack([-np.sin(angle), np.cos(angle)])
        turn = 2.0 * (gradient[:, 3:5] * along).sum(axis=1)
        np.testing.assert_allclose(turn, pull[:, 2], atol=1e-12)
    else:
        np.testing.assert_allclose(gradient[:, 5], pull[:, 2], atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(SEEDS)
def test_bodies_that_are_all_parallel_are_spheres_in_a_stretched_box(seed):
    rng = np.random.default_rng(seed)
    n, axes = 12, rng.uniform(1.0, 4.0, 3)
    sizes, cube = rng.uniform(1.0, 2.0, n), rng.uniform(1.8, 3.5, 3)
    parallel, spheres = Ellipsoids(sizes, axes, cube * axes), Discs(sizes, cube)
    centres = rng.random((n, 3)) * cube
    x = np.hstack([centres * axes, np.zeros((n, 3))]).ravel()
    energy, gradient = parallel.energy_gradient(x)
    same, pull = spheres.energy_gradient(centres.ravel())
    assert energy == pytest.approx(same, rel=1e-12)
    stretched = gradient.reshape(n, 6)[:, :3] * axes
    np.testing.assert_allclose(stretched.ravel(), pull, atol=1e-12)
    # Which gaps are listed depends on the spheres around the bodies, but none that is near.
    found, expected = np.sort(parallel.gaps(x)), np.sort(spheres.gaps(centres.ravel()))
    np.testing.assert_allclose(found, expected, atol=1e-12)


def pair_of(axes, vector, turns):
    """Two bodies of shortest axis 1 and a vector between them: their gap."""
    x = np.zeros((2, 6))
    x[0, 3:], x[1, :3], x[1, 3:] = turns[0], vector, turns[1]
    return float(Ellipsoids(np.ones(2), axes, np.full(3, 50.0)).gaps(x.ravel())[0])


def test_two_bodies_on_paper():
    """Of axes 2 : 1 : 3 the half axes are 1, ½ and 3/2; each pair at 9/10 of its contact."""
    axes, none = [2.0, 1.0, 3.0], [0.0, 0.0, 0.0]
    quarter, level = [0.0, 0.0, np.pi / 2], [2.0, 0.0, 0.0]
    side, tip = [1.8, 0.0, 0.0], [0.0, 0.0, 2.7]
    flat, cross = [0.0, 0.9, 0.0], [1.35, 0.0, 0.0]
    assert pair_of(axes, side, (none, none)) == pytest.approx(0.1, rel=1e-12)
    assert pair_of(axes, flat, (none, none)) == pytest.approx(0.1, rel=1e-12)
    assert pair_of(axes, tip, (none, none)) == pytest.approx(0.1, rel=1e-12)
    # One turned about the third axis: 1 beside ½. One lying: its tip, 3/2, against 1.
    assert pair_of(axes, cross, (none, quarter)) == pytest.approx(0.1, rel=1e-12)
    assert pair_of(axes, [2.25, 0.0, 0.0], (none, level)) == pytest.approx(0.1, rel=1e-12)
    # Two lying crosswise on each other, thickness ½ and ½ apart.
    lying = ([2.0, 0.0, 0.0], [2.0, 0.0, 0.0])
    assert pair_of(axes, [0.0, 0.9, 0.0], lying) == pytest.approx(0.1, rel=1e-12)


def test_one_body_and_its_images_on_paper():
    """Aligned with a box of q times its axes: Δ = 1 - q along each, and a saddle by every turn.

    About the third axis ``(r/2)ᵀA⁻¹(r/2)`` along the first is ``q²(1 + ψ²(a²/b² - 1))`` and along
    the second ``q²(1 - ψ²(1 - b²/a²))``, so that ``∂²U/∂ψ² = -qΔ (a/b - b/a)²``.
    """
    axes, q = np.array([2.0, 1.0, 3.0]), 0.9
    alone = Ellipsoids(np.ones(1), axes, q * axes)
    x = np.zeros(6)
    energy, gradient = alone.energy_gradient(x)
    assert energy == pytest.approx(3 * 0.5 * 0.1**2, rel=1e-12)
    np.testing.assert_allclose(gradient, 0.0, atol=1e-15)
    a, b, c = axes
    bends = [-q * 0.1 * (s / t - t / s) ** 2 for s, t in ((a, c), (b, c), (a, b))]
    expected = np.diag([0.0, 0.0, 0.0, *bends])
    np.testing.assert_allclose(alone.hessian(x).toarray(), expected, atol=1e-13)


def test_a_stack_of_flat_bodies_on_paper():
    """Two oblate spheroids flat on each other and on their images: Δ = 0.1 twice, and a saddle.

    They have more room where one stands between the others, as discs in a column do.
    """
    column = Ellipsoids(np.ones(2), [3.0, 3.0, 1.0], np.array([3.1, 3.1, 1.8]))
    x = np.array([0.0, 0, 0, 0, 0, 0.3, 0.0, 0, 0.9, 0, 0, -1.0])
    gaps = column.gaps(x)
    np.testing.assert_allclose(gaps[gaps > 0], [0.1, 0.1], rtol=1e-12)
    end = minimise(column, x + 1e-3 * np.random.default_rng(0).standard_normal(12))
    assert end.status == "unjammed"  # the plates slide apart: nothing holds them sideways


@settings(deadline=None, max_examples=20)
@given(ellipsoids(max_n=4))
def test_every_image_is_a_contact_of_its_own(system):
    """Against a repeated cell, in which no body meets the image of itself in a contact."""
    problem, x = system
    bodies = x.reshape(-1, 6)
    cells = np.stack(np.meshgrid(*[range(3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    axes = np.tile(problem.axes, (27, 1))
    big = Ellipsoids(np.tile(problem.diameters, 27), axes, 3 * problem.box)
    many = np.concatenate([bodies + np.append(cell * problem.box, np.zeros(3)) for cell in cells])
    energy, gradient = big.energy_gradient(many.ravel())
    once, pull = problem.energy_gradient(x)
    assert energy == pytest.approx(27 * once, rel=1e-11, abs=1e-14)
    np.testing.assert_allclose(gradient.reshape(27, -1), np.tile(pull, (27, 1)), atol=1e-11)


@pytest.mark.parametrize("axes", [1.0, 1.05, 0.3, 4.0, (1.25, 1.0, 0.8), (1.5, 1.5, 1.4)])
def test_the_minimiser_ends_where_the_law_says(axes):
    packing = Ellipsoids.bidisperse(24, phi=0.85, axes=axes)
    start = packing.random_state(np.random.default_rng(0))
    found = minimise(packing, start, relative=0.0, absolute=1e-12)
    energy, gradient = packing.energy_gradient(found.x)
    assert found.status == "jammed"
    assert energy == pytest.approx(found.energy, rel=1e-11)
    assert np.abs(gradient).max() < 1e-11 * packing.bounding_radii.max()
    assert np.linalg.eigvalsh(packing.hessian(found.x).toarray())[0] > -1e-10


@pytest.mark.parametrize("axes", [1.3, 0.7, (1.25, 1.0, 0.8)])
def test_modes_that_vanish_with_the_pressure_are_counted_exactly(axes):
    """6N' - 3 + 1 - N_c of them, less the free spins: 5N' - 2 - N_c of spheroids.

    The contacts have one state of self stress, and resist N_c - 1 motions to first order. Of the
    6N' variables 3 are translations and, of spheroids, N' spins; the prestress alone resists the
    rest, in proportion to the pressure.
    """
    packing = Ellipsoids.bidisperse(32, phi=0.78, axes=axes)
    first = decompress(packing, packing.random_state(np.random.default_rng(3)), 1e-6)
    second = decompress(first.problem, first.x, 1e-8)
    spectra = []
    for end in (first, second):
        loose = int(end.problem.rattlers(end.x).sum())
        contacts = int((end.problem.gaps(end.x) > 0).sum())
        spins = 32 - loose if np.ndim(axes) == 0 else 0
        soft = 6 * (32 - loose) - 3 + 1 - contacts - spins
        modes = np.linalg.eigvalsh(end.problem.hessian(end.x).toarray())
        zeros = 3 + 6 * loose + spins
        assert end.status == "jammed"
        assert len(end.problem.zero_modes(end.x)) == 3 + (32 if spins else 0)
        assert np.abs(modes[:zeros]).max() < 1e-13
        spectra.append((modes[zeros : zeros + soft], modes[zeros + soft]))
    (soft_1, stiff_1), (soft_2, stiff_2) = spectra
    assert len(soft_1) == len(soft_2) > 5
    np.testing.assert_allclose(soft_1 / soft_2, 100.0, rtol=0.1)
    assert stiff_1 / stiff_2 == pytest.approx(1.0, rel=0.1)


def test_spheres_jam_alike_under_both_laws():
    """Free angles count neither as variables nor as those of rattlers."""
    packing = Ellipsoids.bidisperse(40, phi=0.7, axes=1.0)
    end = decompress(packing, packing.random_state(np.random.default_rng(0)), 1e-7)
    loose = end.problem.frozen(end.x)
    held = 40 - len(loose)
    assert all(len(variables) == 3 for variables in loose)
    gaps = end.problem.gaps(end.x)
    assert end.pressure == pytest.approx(np.maximum(gaps, 0.0).sum() / (3 * held - 3), rel=1e-12)
    assert abs(int((gaps > 0).sum()) - (3 * held - 2)) <= 1


@pytest.mark.parametrize(("axes", "phi_j", "z"), [(1.5, 0.71, 9.6), ((1.25, 1.0, 0.8), 0.73, 10.9)])
def test_jamming_of_ellipsoids(axes, phi_j, z):
    """Near the values of Donev et al., Science 303, 990 (2004): z rises to 10 and to 11.4."""
    packing = Ellipsoids.bidisperse(96, phi=0.78, axes=axes, ratio=1.0)
    end = decompress(packing, packing.random_state(np.random.default_rng(0)), 1e-6)
    held = 96 - int(end.problem.rattlers(end.x).sum())
    assert end.status == "jammed"
    assert end.phi == pytest.approx(phi_j, abs=0.01)
    assert 2 * int((end.problem.gaps(end.x) > 0).sum()) / held == pytest.approx(z, abs=0.4)


def test_axes_of_a_spheroid_may_stand_in_any_order():
    for axes in ((1.0, 1.0, 2.0), (2.0, 1.0, 1.0), (0.5, 1.0, 0.5), 2.0):
        found = Ellipsoids.bidisperse(2, 0.5, axes=axes).axes
        assert found.tolist() == [[1.0, 1.0, 2.0]] * 2
    assert Ellipsoids.bidisperse(1, 0.5, axes=(1.25, 1.0, 0.5)).axes.tolist() == [[2.5, 2.0, 1.0]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ellipsoids.bidisperse(10, 0.9, axes=0.0), "positive axes"),
        (lambda: Ellipsoids.bidisperse(10, 0.9, axes=(1.0, 2.0)), "three positive axes"),
        (lambda: Ellipsoids.bidisperse(10, 0.9, axes=(1.0, 2.0, np.inf)), "three positive axes"),
        (lambda: Ellipsoids(np.ones(2), [1.0, 2.0, 0.5], np.ones(3)), "axes >= 1, got 0.5"),
        (lambda: Ellipsoids(np.ones(2), [2.0, 1.0, 1.0], np.ones(3)), "last, got axes 2 1 1"),
        (lambda: Ellipsoids(np.ones(2), 2.0, np.ones(3)), "three for each of 2 bodies"),
        (lambda: Ellipsoids(np.ones(2), np.ones(3), np.ones(2)), "3 sides, got 2"),
        (lambda: Ellipsoids.bidisperse(10, 3.0), "packing fraction"),
        (
            lambda: Ellipsoids(np.ones(2), np.ones(3), np.ones(3)).gaps(np.full(12, np.nan)),
            "finite",
        ),
    ],
)
def test_wrong_input_gets_one_line(make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)

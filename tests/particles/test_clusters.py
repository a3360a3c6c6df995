"""Atoms: conformance, the congruence of structures, and energies that the literature lists."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import check_landscape, lbfgs
from particles.landscapes.alignment import aligned, congruent, point_group_order
from particles.landscapes.clusters import AxilrodTeller, LennardJones
from particles.landscapes.muller_brown import MullerBrown
from particles.landscapes.point_groups import point_group, symmetric_atoms

seeds = st.integers(0, 2**32 - 1)


def spread(problem, rng):
    """A state without near atoms: differences of r^-12 would only measure rounding."""
    x = problem.random_state(rng) * 1.3
    return lbfgs(problem, x, zero_energy=-np.inf, max_evaluations=15).x


@settings(deadline=None, max_examples=25)
@given(seeds, st.integers(2, 9))
def test_lennard_jones_keeps_every_promise(seed, n):
    problem, rng = LennardJones(n), np.random.default_rng(seed)
    check_landscape(problem, spread(problem, rng), rng)


@settings(deadline=None, max_examples=25)
@given(seeds, st.integers(3, 6), st.floats(-1.0, 3.0))
def test_axilrod_teller_keeps_every_promise(seed, n, z):
    problem, rng = AxilrodTeller(n, z), np.random.default_rng(seed)
    check_landscape(problem, spread(problem, rng), rng)


@settings(deadline=None, max_examples=25)
@given(st.floats(-1.5, 1.2), st.floats(-0.5, 2.0))
def test_muller_brown_keeps_every_promise(x, y):
    check_landscape(MullerBrown(), np.array([x, y]))


@pytest.mark.parametrize(
    ("x", "y", "energy"),
    [
        (-0.558224, 1.441726, -146.699517),
        (0.623499, 0.028038, -108.166724),
        (-0.050011, 0.466694, -80.767818),
        (-0.822002, 0.624313, -40.664844),
        (0.212487, 0.292988, -72.248940),
    ],
)
def test_muller_brown_is_stationary_where_it_should_be(x, y, energy):
    found, gradient = MullerBrown().energy_gradient(np.array([x, y]))
    assert found == pytest.approx(energy, abs=2e-6)
    assert np.abs(gradient).max() < 2e-3  # of coordinates that are given to six digits


def test_the_triple_energy_of_an_equilateral_triangle_is_known():
    """cosθ = ½ three times: 1 + 3/8, over r⁹."""
    r = 1.3
    x = r * np.array([0, 0, 0, 1, 0, 0, 0.5, math.sqrt(3) / 2, 0])
    with_triples, _ = AxilrodTeller(3, 2.0).energy_gradient(x)
    pairs, _ = LennardJones(3).energy_gradient(x)
    assert with_triples - pairs == pytest.approx(2.0 * 1.375 / r**9, rel=1e-13)


@pytest.mark.parametrize(
    ("r", "line", "energy"), [(1.16875232, False, -2.18509884), (1.10876289, True, -2.21909817)]
)
def test_both_shapes_of_ljat3(r, line, energy):
    third = [2.0, 0, 0] if line else [0.5, math.sqrt(3) / 2, 0]
    x = r * np.array([0, 0, 0, 1, 0, 0, *third])
    found, gradient = AxilrodTeller().energy_gradient(x)
    assert found == pytest.approx(energy, abs=1e-8)
    assert np.abs(gradient).max() < 1e-6


@settings(deadline=None, max_examples=40)
@given(seeds, st.integers(2, 9))
def test_every_image_is_congruent_and_alignment_undoes_it(seed, n):
    problem, rng = LennardJones(n), np.random.default_rng(seed)
    x = problem.random_state(rng)
    for _, image in problem.equivalents(x, rng):
        assert congruent(x, image, 1e-9)
        assert aligned(image, x, 1e-9) == pytest.approx(x, abs=1e-8)


@settings(deadline=None, max_examples=40)
@given(seeds, st.integers(3, 9))
def test_a_moved_atom_is_seen(seed, n):
    problem, rng = LennardJones(n), np.random.default_rng(seed)
    x = problem.random_state(rng)
    other = x + 0.05 * rng.standard_normal(x.size)
    assert not congruent(x, other, 1e-4)


def test_alignment_of_different_structures_never_loses():
    rng = np.random.default_rng(0)
    problem = LennardJones(7)
    for _ in range(5):
        x, other = problem.random_state(rng), problem.random_state(rng)
        moved = aligned(x, other)
        assert congruent(x, moved, 1e-8)
        shift = np.tile((other.reshape(-1, 3) - x.reshape(-1, 3)).mean(axis=0), 7)
        assert np.linalg.norm(moved - other) <= np.linalg.norm(x + shift - other) + 1e-12


def polygon(n):
    angle = 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)


def icosahedron():
    golden = (1 + 5**0.5) / 2
    signs = [(a, b * golden) for a in (-1, 1) for b in (-1, 1)]
    corners = [np.roll([0, a, b], k) for k in range(3) for a, b in signs]
    return np.array([*corners, [0, 0, 0]], dtype=float)


SHAPES = {
    "pair": (np.array([[0.0, 0, 0], [1, 0, 0]]), 4),
    "line of three": (np.array([[-1.0, 0, 0], [0, 0, 0], [1, 0, 0]]), 4),
    "uneven line": (np.array([[-1.0, 0, 0], [0, 0, 0], [2, 0, 0]]), 2),
    "triangle": (polygon(3), 12),
    "square": (polygon(4), 16),
    "hexagon with centre": (np.vstack([polygon(6), np.zeros(3)]), 24),
    "tetrahedron": (np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]), 24),
    "octahedron": (np.vstack([np.eye(3), -np.eye(3)]), 48),
    "pentagonal bipyramid": (np.vstack([polygon(5), [[0, 0, 0.6], [0, 0, -0.6]]]), 20),
    "icosahedron": (icosahedron(), 120),
}


@pytest.mark.parametrize(("atoms", "order"), SHAPES.values(), ids=SHAPES)
def test_point_groups(atoms, order):
    turn, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))
    assert point_group_order((atoms @ turn + 0.7).ravel()) == order


def test_a_line_has_five_zero_modes_and_a_bent_one_six():
    line = np.array([0, 0, 0, 1.1, 0, 0, 2.2, 0, 0])
    bent = line + np.array([0, 0, 0, 0, 1e-3, 0, 0, 0, 0])
    problem = AxilrodTeller()
    assert problem.zero_modes(line).shape == (5, 9)
    assert problem.zero_modes(bent).shape == (6, 9)
    check_landscape(problem, bent)


@pytest.mark.parametrize("n", [0, 1, 2.5, -3])
def test_too_few_atoms_are_refused(n):
    with pytest.raises(ValueError, match="n >= 2"):
        LennardJones(n)


def test_a_truth_is_no_number_of_atoms():
    with pytest.raises(TypeError, match="expected a number as n, got True"):
        LennardJones(True)


def test_two_atoms_at_one_place_are_refused():
    with pytest.raises(ValueError, match="no two atoms at one place"):
        LennardJones(3).energy_gradient(np.zeros(9))


@settings(deadline=None, max_examples=25)
@given(seeds, st.integers(2, 12))
def test_symmetric_states_have_that_many_atoms_apart(seed, n):
    atoms = symmetric_atoms(n, 1.5, np.random.default_rng(seed))
    assert atoms.shape == (n, 3)
    assert np.isfinite(atoms).all()


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_a_random_point_group_is_one(seed):
    """Closed under products and orthogonal; its orbits are carried onto themselves."""
    group = point_group(np.random.default_rng(seed))
    products = np.einsum("aij,bjk->abik", group, group).reshape(-1, 3, 3)
    gaps = np.abs(products[:, None] - group[None]).max(axis=(2, 3))
    assert gaps.min(axis=1).max() < 1e-8
    assert ((gaps < 1e-8).sum(axis=1) == 1).all()
    assert group @ group.transpose(0, 2, 1) == pytest.approx(np.tile(np.eye(3), (len(group), 1, 1)))


@settings(deadline=None, max_examples=10)
@given(seeds, st.integers(2, 9), st.sampled_from([0.0, 1.0]))
def test_the_compiled_descent_is_that_of_the_bridge(seed, n, z):
    """From near a minimum, where rounding cannot send the two to different ones."""
    problem, rng = AxilrodTeller(n, z), np.random.default_rng(seed)
    minimum = lbfgs(problem, spread(problem, rng), zero_energy=-np.inf, tolerance=1e-6)
    x = minimum.x + 1e-3 * rng.standard_normal(3 * n)
    end = problem.relaxed(x)
    assert end is not None
    energy, gradient = problem.energy_gradient(end)
    assert np.abs(gradient).max() < 1e-5
    assert energy == pytest.approx(minimum.energy, abs=1e-6)
    assert problem.relaxed(x, most=1) is None

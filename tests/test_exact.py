"""Exact jamming points: against linear programs, geometry on paper, counting and each other."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog

from bridge.active_set import contacts, optimal_vertex
from bridge.exact import exact_jamming
from bridge.factor import Factor, SingularError
from bridge.linearised import Linearised
from bridge.sequential import sequential_programs
from bridge.vertex import Vertex
from particles import Discs, Ellipses, decompress, minimise
from particles import perceptron_theory as theory
from particles.perceptron import Perceptron, descend

from problems import Balls, Halfspaces

modest = settings(deadline=None, max_examples=25)


def jam_perceptron(n, alpha, sigma, seed):
    rng = np.random.default_rng((seed, n))
    problem = Perceptron.random(n, alpha, sigma, rng)
    return exact_jamming(problem, problem.random_state(rng), minimise=descend)


def jam_packing(problem, seed, pressure=1e-6):
    start = problem.random_state(np.random.default_rng(seed))
    low = decompress(problem, start, pressure)
    assert low.status == "jammed"
    return exact_jamming(low.problem, low.x, minimise=minimise)


def check_point(point):
    """Check a jamming point from its definition, without its certificate."""
    assert point.status == "jammed", point.reason
    problem, x, rows = point.problem, point.x, point.rows
    gaps, load = problem.gaps(x), problem.load_direction(x)
    assert np.abs(gaps[rows]).max() < 1e-12
    assert gaps.max() < 1e-12
    assert point.forces.min() > 0.0
    residual = problem.gap_jacobian(x, rows).T @ point.forces
    assert np.abs(residual).max() < 1e-10 * point.forces.mean()
    assert point.forces @ load[rows] == pytest.approx(1.0, abs=1e-10)
    return point


def no_program_improves(point, step=1e-3):
    """Ask an independent solver for a motion that lets the load grow to first order."""
    problem, x = point.problem, point.x
    jacobian, n = problem.gap_jacobian(x), problem.n_dof
    jacobian = jacobian.toarray() if sparse.issparse(jacobian) else jacobian
    program = linprog(
        np.append(np.zeros(n), -1.0),
        A_ub=np.column_stack([jacobian, problem.load_direction(x)]),
        b_ub=-problem.gaps(x),
        bounds=[(-step, step)] * n + [(None, None)],
    )
    assert program.status == 0
    return -program.fun


# Geometry and linear programs with known answers.


@dataclass(frozen=True, eq=False)
class Enclosing(Balls):
    """Balls whose radius is the load: its optimum is the smallest ball that holds the centres."""

    level: float = 0.0

    def gaps(self, x):
        return super().gaps(x) + self.level

    def load_direction(self, x):
        return np.ones(len(self.centres))

    def loaded(self, t):
        return replace(self, level=self.level + t)


def smallest_ball(points):
    points = np.array(points, dtype=float)
    found = exact_jamming(Enclosing(points, 3.0), points.mean(axis=0) + 0.01)
    return found, np.sqrt(9.0 - 2.0 * found.problem.level)


@modest
@given(st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_linear_problems_reach_the_optimum_of_their_program(n, seed):
    rng = np.random.default_rng(seed)
    normals, offsets = rng.standard_normal((4 * n + 8, n)), rng.standard_normal(4 * n + 8)
    program = linprog(
        np.append(np.zeros(n), -1.0),
        A_ub=np.column_stack([normals, np.ones(len(normals))]),
        b_ub=-offsets,
        bounds=[(None, None)] * (n + 1),
    )
    point = exact_jamming(Halfspaces(normals, offsets), rng.standard_normal(n))
    if program.status != 0:
        assert point.status == "unbounded"
        return
    check_point(point)
    assert len(point.rows) == n + 1
    load = point.problem.offsets[0] - offsets[0]
    assert load == pytest.approx(-program.fun, abs=1e-9)
    forces = np.zeros(len(normals))
    forces[point.rows] = point.forces
    np.testing.assert_allclose(forces, -program.ineqlin.marginals, atol=1e-8)


def test_two_points_are_held_by_curvature_alone():
    point, radius = smallest_ball([[0, 0], [2, 0], [1, 0.5]])
    check_point(point)
    assert radius == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(point.x, [1.0, 0.0], atol=1e-9)
    certificate = point.certificate
    assert (certificate.n_constraints, certificate.n_isostatic) == (2, 3)
    assert certificate.n_free_motions == 1
    assert certificate.curvature == pytest.approx(1.0, abs=1e-6)  # Σ λ ∇²Δ = Σ λ = 1


def test_a_triangle_is_held_by_its_corners():
    point, radius = smallest_ball([[0, 0], [2, 0], [1, 1.5]])
    check_point(point)
    assert radius == pytest.approx(13 / 12, abs=1e-12)
    assert point.certificate.isostatic


def test_a_square_is_degenerate():
    # Two corners hold it by curvature; the other two touch and carry no force.
    point, radius = smallest_ball([[0, 0], [1, 0], [1, 1], [0, 1]])
    assert point.status == "degenerate"
    assert "carry no force" in point.reason
    assert radius == pytest.approx(np.sqrt(0.5), abs=1e-9)


def test_a_load_that_nothing_stops_is_unbounded():
    point = exact_jamming(Halfspaces(np.eye(2), np.zeros(2)), np.zeros(2))
    assert point.status == "unbounded"
    assert "nothing stops the load" in point.reason


class Unloadable(Halfspaces):
    def load_direction(self, x):
        return np.zeros(len(self.offsets))

    def loaded(self, t):
        return self


def test_constraints_that_no_load_satisfies_are_infeasible():
    # x > 1 and x < -1.
    problem = Unloadable(np.array([[1.0], [-1.0]]), np.array([1.0, 1.0]))
    point = exact_jamming(problem, np.zeros(1))
    assert point.status == "infeasible"
    assert "no load satisfies" in point.reason


def test_a_flat_motion_is_hypostatic():
    # Between two parallel walls one can slide for ever.
    walls = Halfspaces(np.array([[1.0, 1.0], [-1.0, -1.0]]), np.array([-1.0, -1.0]))
    point = exact_jamming(walls, np.zeros(2))
    assert point.status == "hypostatic"
    assert point.reason
    assert "\n" not in point.reason


def test_a_state_with_nan_is_refused():
    with pytest.raises(ValueError, match="finite"):
        exact_jamming(Halfspaces(np.eye(2), np.zeros(2)), np.array([np.nan, 0.0]))


# The perceptron.


@pytest.mark.parametrize("seed", range(10))
def test_negative_margins_jam_with_as_many_contacts_as_components(seed):
    point = check_point(jam_perceptron(50, 4.0, -0.5, seed))
    certificate = point.certificate
    assert len(point.rows) == 50
    assert certificate.n_redundant == 0
    assert certificate.isostatic
    assert np.linalg.matrix_rank(point.problem.gap_jacobian(point.x, point.rows)) == 49
    assert no_program_improves(point) < 1e-10


def test_a_larger_perceptron_and_any_start():
    point = check_point(jam_perceptron(200, 4.0, -0.3, seed=1))
    assert len(point.rows) == 200
    assert -0.50 < point.problem.sigma < -0.33
    again = exact_jamming(point.problem.loaded(0.3), point.x, minimise=descend)
    check_point(again)
    assert len(again.rows) == 200


def test_no_state_nearby_has_a_larger_margin():
    point = jam_perceptron(40, 4.0, -0.4, seed=0)
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((2000, 40))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    for length in (1e-2, 1e-4, 1e-6):
        worst = [point.problem.gaps(point.x + length * u).max() for u in directions]
        assert min(worst) > 0.0


def test_the_convex_perceptron_has_one_jamming_point():
    ends = [jam_perceptron(100, 1.2, sigma, seed=3) for sigma in (-0.5, 0.2, 1.0)]
    for point in ends:
        check_point(point)
        assert point.problem.sigma == pytest.approx(ends[0].problem.sigma, abs=1e-12)
        assert set(point.rows) == set(ends[0].rows)
        # The curvature of the sphere is all there is: Σ λ ∇²Δ = σ/N across it.
        sigma = point.problem.sigma
        assert point.certificate.curvature == pytest.approx(sigma / 100, rel=1e-3)
        assert point.certificate.n_free_motions == 100 - len(point.rows)


@pytest.mark.parametrize("alpha", [0.9612, 1.5, 2.0])
def test_the_capacity_and_contacts_of_convex_margins(alpha):
    # N = 200, mean of 8: one sample scatters by 0.04.
    sigma = theory.margin_at_capacity(alpha)
    points = [check_point(jam_perceptron(200, alpha, sigma, seed)) for seed in range(8)]
    margins = np.mean([point.problem.sigma for point in points])
    contacts_per_n = np.mean([len(point.rows) for point in points]) / 200
    assert margins == pytest.approx(sigma, abs=0.03)
    assert contacts_per_n == pytest.approx(float(theory.contacts_at_jamming(sigma)), abs=0.03)


def test_sequential_programs_agree_on_what_jamming_is():
    # Another route, hence another jamming point, of the same kind.
    rng = np.random.default_rng(7)
    problem = Perceptron.random(30, 4.0, -0.5, rng)
    programme = sequential_programs(problem, problem.random_state(rng))
    assert programme.status == "converged"
    assert len(programme.rows) == 30
    assert np.abs(programme.here.gaps[programme.rows]).max() < 1e-8
    again = check_point(exact_jamming(programme.here.problem, programme.here.x, minimise=descend))
    assert again.problem.sigma >= programme.here.problem.sigma - 1e-8


def test_the_generic_minimiser_will_do():
    rng = np.random.default_rng(2)
    problem = Perceptron.random(20, 4.0, -0.5, rng)
    point = check_point(exact_jamming(problem, problem.random_state(rng)))
    assert len(point.rows) == 20


# Packings.


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


# The parts.


@modest
@given(n=st.integers(1, 8), changes=st.integers(0, 6), seed=st.integers(0, 2**32 - 1))
def test_changed_factors_solve_the_changed_matrix(n, changes, seed):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((n, n)) + 3.0 * np.eye(n)
    b = rng.standard_normal(n)
    for form in (matrix, sparse.csr_array(matrix)):
        factor, full = Factor(form), matrix.copy()
        for _ in range(changes):
            u, v = 0.3 * rng.standard_normal((2, n))
            factor, full = factor.changed(u, v), full + np.outer(u, v)
        scale = np.linalg.cond(full)
        np.testing.assert_allclose(full @ factor.solve(b), b, atol=1e-11 * scale)
        np.testing.assert_allclose(full.T @ factor.solve(b, transposed=True), b, atol=1e-11 * scale)


def test_a_matrix_without_inverse_says_so():
    singular = np.array([[1.0, 2.0], [2.0, 4.0]])
    for form in (singular, sparse.csr_array(singular)):
        with pytest.raises(SingularError):
            Factor(form)
    with pytest.raises(SingularError):
        Factor(np.eye(2)).changed(np.array([-1.0, 0.0]), np.array([1.0, 0.0]))


@modest
@given(n=st.integers(2, 6), seed=st.integers(0, 2**32 - 1))
def test_exchanges_end_at_the_vertex_that_a_program_finds(n, seed):
    # Start from n + 1 constraints that balance: their normals surround the origin.
    rng = np.random.default_rng(seed)
    corners = np.vstack([np.eye(n), -np.ones(n)]) + 0.1 * rng.standard_normal((n + 1, n))
    others = rng.standard_normal((20, n))
    problem = Halfspaces(np.vstack([corners, others]), rng.standard_normal(n + 21))
    here = Linearised.at(problem, np.zeros(n))
    vertex = Vertex.of(here, np.arange(n + 1), np.arange(n))
    best = optimal_vertex(vertex, np.ones(n + 21, dtype=bool), max_exchanges=200)
    program = linprog(
        np.append(np.zeros(n), -1.0),
        A_ub=np.column_stack([problem.normals, np.ones(n + 21)]),
        b_ub=-problem.offsets,
        bounds=[(None, None)] * (n + 1),
    )
    assert best.reason == ""
    assert best.vertex.motion()[1] == pytest.approx(-program.fun, abs=1e-9)


def test_excess_contacts_are_reduced_to_balanced_ones():
    # Six directions around a circle: any three that surround the centre will do.
    angles = np.arange(6) * np.pi / 3 + 0.1
    problem = Halfspaces(np.column_stack([np.cos(angles), np.sin(angles)]), np.full(6, 0.2))
    here = Linearised.at(problem, np.zeros(2))
    rows = contacts(here, np.arange(6), np.arange(2))
    assert len(rows) == 3
    assert Vertex.of(here, rows, np.arange(2)).forces().min() >= -1e-12


def test_a_contact_is_recognised_when_the_list_of_gaps_changes():
    # Three discs in a box of two diameters: pairs meet in several images.
    problem = Discs(np.ones(3), np.array([2.2, 2.2]), reach=1.2)
    x = np.array([0.1, 0.1, 1.2, 0.2, 0.7, 1.3])
    here = Linearised.at(problem, x)
    there = Linearised.at(problem, x + 0.02 * np.array([1, 0, -1, 1, 0, -1]))
    rows = np.arange(len(here.gaps))
    kept = rows[here.gaps > -0.8]
    places = here.follow(kept, there)
    assert len(set(places)) == len(places)
    np.testing.assert_allclose(there.gaps[places], here.gaps[kept], atol=0.06)
    before, after = problem.pairs(here.x), problem.pairs(there.x)
    assert np.array_equal(before.i[kept], after.i[places])
    np.testing.assert_allclose(before.vector[kept], after.vector[places], atol=0.1)

"""Exact jamming points: against linear programs, geometry on paper, counting and each other."""

import sys
from dataclasses import dataclass

import numpy as np
import pytest
from exact_points import check_point, no_program_improves
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from bridge.jamming import exact_jamming
from bridge.jamming.sequential import sequential_programs
from particles import Perceptron, descend
from particles.perceptron import theory

from problems import Enclosing, Halfspaces

modest = settings(deadline=None, max_examples=25)


def jam_perceptron(n, alpha, sigma, seed):
    rng = np.random.default_rng((seed, n))
    problem = Perceptron.random(n, alpha, sigma, rng)
    return exact_jamming(problem, problem.random_state(rng), minimise=descend)


# Geometry and linear programs with known answers.


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


def test_a_load_that_nothing_stops_is_unbounded(monkeypatch):
    monkeypatch.setattr(sys.modules["bridge.jamming.approach"], "_MOST_RAISES", 8)
    point = exact_jamming(Halfspaces(np.eye(2), np.zeros(2)), np.zeros(2))
    assert point.status == "unbounded"
    assert "nothing stops the load" in point.reason


class Unloadable(Halfspaces):
    def tightening(self, x):
        return np.zeros(len(self.offsets))

    def tightened(self, t):
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
    again = exact_jamming(point.problem.tightened(0.3), point.x, minimise=descend)
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
        # The curvature of the sphere is all there is: Σ λ ∇²Δ = σ/|x|² across it.
        sigma = point.problem.sigma
        assert point.certificate.curvature == pytest.approx(sigma / (point.x @ point.x), rel=1e-3)
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


@dataclass(frozen=True, eq=False)
class Faulty(Enclosing):
    """The same, with a fault in its derivative below a load, which is met once."""

    faults: tuple[list[str], ...] = (["a fault of the system"],)

    def gap_jacobian(self, x, rows=None):
        if self.level < 5e-5 and self.faults[0]:
            raise ValueError(self.faults[0].pop())
        return super().gap_jacobian(x, rows)


def test_a_fault_is_not_taken_for_an_end_without_a_point():
    """The start between two points is a minimum, and a step from it meets the fault."""
    problem = Faulty(np.array([[-1.0, 0.0], [1.0, 0.0]]), 1.0, level=1e-4)
    with pytest.raises(ValueError, match="a fault of the system"):
        exact_jamming(problem, np.zeros(2))

"""The parts of the exact jamming point: factors, vertices, exchanges and lists of gaps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog

from bridge.jamming.active_set import bearing_contacts, optimal_vertex
from bridge.jamming.factor import Factor, SingularError
from bridge.jamming.linearised import Linearised
from bridge.jamming.vertex import Vertex
from particles import Discs

from problems import Halfspaces

modest = settings(deadline=None, max_examples=25)


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
    rows = bearing_contacts(here, np.arange(6), np.arange(2))
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

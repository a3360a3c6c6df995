"""Factors, vertices and exchanges of active constraints, each on a problem solved on paper."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import splu

from bridge.jamming import factor as factor_module
from bridge.jamming.active_set import bearing_contacts, optimal_vertex
from bridge.jamming.factor import Factor, SingularError
from bridge.jamming.linearised import Linearised
from bridge.jamming.vertex import Vertex

from problems import Halfspaces, LoadedChain

ANGLES = 2 * np.pi * np.arange(3) / 3
TRIANGLE = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])


# Factors and vertices.


@pytest.mark.parametrize("n", [1, 3, 4, 5, 30])
def test_the_condition_number_is_that_of_the_one_norm(n):
    matrix = np.random.default_rng(n).standard_normal((n, n)) + 2 * np.eye(n)
    exact = np.linalg.cond(matrix, 1)
    for form in (matrix, sparse.csr_array(matrix)):
        assert Factor(form).condition() == pytest.approx(exact, rel=1e-9 if n <= 4 else 0.3)


def test_a_change_that_leaves_no_inverse_is_told_from_one_that_almost_does():
    column = np.array([1.0, 0.0])
    assert Factor(np.eye(2)).changed((1e-12 - 1) * column, column).n_changes == 1
    with pytest.raises(SingularError, match="without inverse"):
        Factor(np.eye(2)).changed((1e-17 - 1) * column, column)


def test_the_condition_number_of_up_to_four_unknowns_is_no_estimate():
    """An estimate asks the transposed matrix too."""

    class Watched(Factor):
        def solve(self, b, *, transposed=False):
            self.estimated |= transposed
            return super().solve(b, transposed=transposed)

    for n, estimated in ((4, False), (5, True)):
        factor = Watched(np.random.default_rng(n).standard_normal((n, n)))
        factor.estimated = False
        factor.condition()
        assert factor.estimated == estimated


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_changed_factors_solve_with_the_changed_matrix_and_its_transposed(form):
    rng = np.random.default_rng(1)
    matrix, b = rng.standard_normal((4, 4)), rng.standard_normal(4)
    factor = Factor(form(matrix))
    for count in range(3):
        assert factor.n_changes == count
        assert matrix @ factor.solve(b) == pytest.approx(b)
        assert matrix.T @ factor.solve(b, transposed=True) == pytest.approx(b)
        u, v = rng.standard_normal((2, 4))
        factor, matrix = factor.changed(u, v), matrix + np.outer(u, v)


def test_what_has_no_inverse_is_refused():
    for form in (np.asarray, sparse.csr_array):
        with pytest.raises(SingularError):
            Factor(form(np.zeros((2, 2))))


def test_what_is_not_finite_is_passed_on():
    assert np.isnan(Factor(np.array([[np.nan]])).solve(np.ones(1)))
    assert np.isnan(Factor(np.eye(1)).solve(np.array([np.nan])))


def test_what_a_matrix_is_and_what_is_solved_have_to_be_named():
    for call in (
        lambda: Factor(np.eye(1), True),
        lambda: Factor(np.eye(1)).solve(np.ones(1), True),
    ):
        with pytest.raises(TypeError, match="positional"):
            call()


def test_a_definite_matrix_keeps_its_diagonal_as_pivots(monkeypatch):
    """Its largest entries stand beside the diagonal, and would be pivots otherwise."""
    made = []
    monkeypatch.setattr(
        factor_module, "splu", lambda matrix, **how: made.append(splu(matrix, **how)) or made[-1]
    )
    matrix = sparse.csr_array(np.array([[1.0, 2.0, 0.0], [2.0, 9.0, 3.0], [0.0, 3.0, 5.0]]))
    b = np.array([1.0, -1.0, 2.0])
    for definite in (True, False):
        assert matrix @ Factor(matrix, definite=definite).solve(b) == pytest.approx(b)
    assert matrix @ Factor(matrix).solve(b) == pytest.approx(b)
    kept = [(lu.perm_r == lu.perm_c).all() for lu in made]
    assert kept == [True, False, False]


def a_vertex(n=4, m=12, seed=0):
    rng = np.random.default_rng(seed)
    here = Linearised.at(
        Halfspaces(rng.standard_normal((m, n)), rng.standard_normal(m)), np.zeros(n)
    )
    return here, Vertex.of(here, np.arange(n + 1), np.arange(n))


def test_a_vertex_closes_its_gaps_and_balances_its_forces():
    here, vertex = a_vertex()
    assert here.predicted(*vertex.motion())[:5] == pytest.approx(np.zeros(5), abs=1e-12)
    forces = vertex.forces()
    assert here.jacobian[:5].T @ forces == pytest.approx(np.zeros(4), abs=1e-12)
    assert forces.sum() == pytest.approx(1.0)


def test_an_edge_opens_one_gap_at_rate_one():
    here, vertex = a_vertex()
    u, t = vertex.edge(2)
    assert here.jacobian[:5] @ u + t == pytest.approx([0, 0, -1, 0, 0], abs=1e-12)


def test_weights_make_a_row_of_the_active_ones():
    here, vertex = a_vertex()
    weights = vertex.weights(7)
    assert here.jacobian[:5].T @ weights == pytest.approx(here.jacobian[7])
    assert weights.sum() == pytest.approx(1.0)


def test_exchanges_are_what_a_new_vertex_is_and_are_not_piled_up():
    here, vertex = a_vertex()
    most = 0
    for k in range(60):
        rows = vertex.rows.copy()
        vertex = vertex.exchanged(k % 5, next(r for r in range(12) if r not in rows))
        assert (vertex.rows == rows).sum() == 4
        most = max(most, len(vertex.exchanges))
        assert vertex.factor.n_changes == 0
        fresh = Vertex.of(here, vertex.rows, vertex.columns)
        assert vertex.forces() == pytest.approx(fresh.forces(), rel=1e-6, abs=1e-9)
    assert most == 40


def test_a_vertex_needs_one_constraint_more_than_variables():
    here, _ = a_vertex()
    with pytest.raises(SingularError, match="4 constraints for 5 unknowns"):
        Vertex.of(here, np.arange(4), np.arange(4))


def test_a_row_of_a_sparse_matrix_is_that_of_the_dense():
    here, vertex = a_vertex()
    thin = replace(here, jacobian=sparse.csr_array(here.jacobian))
    other = Vertex.of(thin, vertex.rows, vertex.columns)
    assert other.weights(9) == pytest.approx(vertex.weights(9))
    assert other.exchanged(1, 9).forces() == pytest.approx(vertex.exchanged(1, 9).forces())


# The linearised problem.


def test_motions_go_across_symmetries():
    here = Linearised.at(LoadedChain(3), np.array([0.0, 0.9, 1.7]))
    there = here.moved(np.array([1.0, 2.0, 4.0]), 0.25)
    assert there.x - here.x == pytest.approx(np.array([1.0, 2.0, 4.0]) - 7 / 3)
    assert there.gaps == pytest.approx(here.gaps + np.array([-0.75, -1.75]))
    assert here.predicted(np.array([1.0, 2.0, 4.0]), 0.25) == pytest.approx(there.gaps)


def test_a_prediction_follows_the_load_of_each_constraint():
    here = Linearised.at(LoadedChain(3), np.array([0.0, 0.9, 1.7]))
    here = replace(here, tightening=np.array([2.0, 0.0]))
    expected = here.gaps + np.array([-1.0, -2.0]) + np.array([0.5, 0.0])
    assert here.predicted(np.array([1.0, 2.0, 4.0]), 0.25) == pytest.approx(expected)


def test_what_acts_on_what_is_told_without_the_surface():
    """Projected on to a surface, each constraint has an entry in every variable."""

    class Projected(LoadedChain):
        def gap_jacobian(self, x, rows=None):
            return np.ones((2, 3))

        def unrestricted(self, x):
            return LoadedChain(3), x

    here = Linearised.at(Projected(3), np.array([0.0, 0.9, 1.7]))
    assert here.columns_of(np.array([1])).tolist() == [False, True, True]
    assert here.rows_within(np.array([False, True, True])).tolist() == [False, True]


def test_rows_and_the_variables_that_they_act_on():
    here = Linearised.at(LoadedChain(4), np.array([0.0, 0.9, 1.7, 2.5]))
    assert here.columns_of(np.array([1])).tolist() == [False, True, True, False]
    assert here.rows_within(np.array([False, True, True, True])).tolist() == [False, True, True]
    assert here.rows_within(np.ones(4, dtype=bool)).all()
    assert len(here.free_of_symmetries(np.ones(4, dtype=bool))) == 3
    assert len(here.free_of_symmetries(np.array([True, True, False, False]))) == 1


def test_symmetries_that_are_one_on_what_is_held_pin_one_variable():
    class Twofold(LoadedChain):
        def zero_modes(self, x):
            return np.array([[0.5, 0.5, 0.5, 0.5], [0.5, 0.5, -0.5, -0.5]])

    here = Linearised.at(Twofold(4), np.array([0.0, 0.9, 1.7, 2.5]))
    assert len(here.free_of_symmetries(np.array([True, True, False, False]))) == 1
    assert len(here.free_of_symmetries(np.array([True, True, True, False]))) == 1
    assert len(here.free_of_symmetries(np.ones(4, dtype=bool))) == 2


@dataclass(frozen=True, eq=False)
class Symmetric(LoadedChain):
    """A chain that says it has other symmetries than it has."""

    modes: tuple = ()

    def zero_modes(self, x):
        return np.array(self.modes)


@pytest.mark.parametrize(
    ("modes", "kept"),
    [
        ([[1e-7, 1e-7, 0, 1]], 2),  # small as it is, it moves what is held
        ([[0, 0, 0, 1]], 3),
        ([[0.5, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5 + 1e-8, -0.5]], 1),
        ([[0.5, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5 + 1e-12, -0.5]], 2),
    ],
)
def test_symmetries_are_told_apart_by_what_they_do_to_what_is_held(modes, kept):
    here = Linearised.at(Symmetric(4, modes=modes), np.array([0.0, 0.9, 1.7, 2.5]))
    assert len(here.free_of_symmetries(np.array([True, True, True, False]))) == kept


def test_what_acts_on_what_is_told_however_weakly_it_acts():
    normals = np.array([[1e-9, 0.0, 0.0], [0.0, 0.5, -0.5], [2.0, 0.0, -2.0]])
    here = Linearised.at(Halfspaces(normals, np.zeros(3)), np.zeros(3))
    for form in (here, replace(here, jacobian=sparse.csr_array(normals))):
        assert form.columns_of(np.array([0])).tolist() == [True, False, False]
        assert form.columns_of(np.array([1, 2])).tolist() == [True, True, True]
        assert form.rows_within(np.array([False, True, True])).tolist() == [False, True, False]
        assert form.rows_within(np.array([True, False, False])).tolist() == [True, False, False]


def test_a_constraint_that_left_the_list_is_named():
    class Listed(LoadedChain):
        def gap_names(self, x):
            return np.array([[3], [5]]) if x[0] < 0.5 else np.array([[5], [7]])

    x = np.array([0.0, 0.9, 1.7])
    here, there = (Linearised.at(Listed(3), x + shift) for shift in (0.0, 1.0))
    assert here.follow(np.array([1]), there).tolist() == [0]
    with pytest.raises(ValueError, match="expected constraint 0 to stay on the list of gaps"):
        here.follow(np.array([1, 0]), there)


# Exchanges.


def test_contacts_that_are_not_too_many_stay():
    here = Linearised.at(Halfspaces(TRIANGLE, np.full(3, 0.1)), np.zeros(2))
    assert bearing_contacts(here, np.arange(3), np.arange(2)).tolist() == [0, 1, 2]
    assert bearing_contacts(here, np.arange(2), np.arange(2)).tolist() == [0, 1]


def test_an_exchange_says_why_it_ends():
    # x <= -t and -x <= -t: the two balance at t = 0. A third, x <= -3, leaves no state below 1.5.
    rows = np.arange(2)

    def vertex(normals, offsets):
        problem = Halfspaces(np.array(normals), np.array(offsets))
        return Vertex.of(Linearised.at(problem, np.zeros(1)), rows, np.arange(1))

    everything = np.ones(3, dtype=bool)
    best = optimal_vertex(vertex([[1.0], [-1.0]], [0.0, 0.0]), everything[:2], 10)
    assert (best.reason, best.exchanges, best.vertex.motion()[1]) == ("", 0, 0.0)
    closer = vertex([[1.0], [-1.0], [1.0]], [0.0, 0.0, 3.0])
    best = optimal_vertex(closer, everything, 10)
    assert (best.reason, best.exchanges) == ("", 1)
    assert best.vertex.motion()[1] == pytest.approx(-1.5)
    assert "no vertex within 1 exchanges" in optimal_vertex(closer, everything, 1).reason
    ignored = optimal_vertex(closer, np.array([True, True, False]), 10)
    assert (ignored.reason, ignored.exchanges) == ("", 0)
    # Both push the same way: one of the forces is negative, and nothing stops its motion.
    best = optimal_vertex(vertex([[1.0], [2.0]], [0.0, 0.0]), everything[:2], 10)
    assert best.reason == "unbounded: nothing stops the load from growing"

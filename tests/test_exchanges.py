"""From contacts to a vertex: self-stresses, sliding and exchanges, each by numbers on paper."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from bridge.exact.active_set import (
    _met_first,
    _self_stress,
    _unload_one,
    _used_up_first,
    completed,
    contacts,
    optimal_vertex,
)
from bridge.exact.factor import Factor, SingularError
from bridge.exact.linearised import Linearised
from bridge.exact.vertex import Vertex

from problems import Halfspaces


@dataclass(frozen=True, eq=False)
class Walls(Halfspaces):
    """Halfspaces of which each has its own load."""

    loads: np.ndarray = None

    def load_direction(self, x):
        return np.broadcast_to(1.0 if self.loads is None else self.loads, self.offsets.shape)


def walls(normals, offsets, loads=None):
    normals = np.array(normals, dtype=float)
    normals = normals if normals.ndim == 2 else normals[:, None]
    problem = Walls(normals, np.array(offsets, dtype=float), loads)
    return Linearised.at(problem, np.zeros(normals.shape[1]))


# Contacts in excess.


def test_as_many_rows_as_unknowns_are_returned_whatever_they_hold():
    here = walls([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]], [0.1, 0.1, 0.1])
    assert contacts(here, np.arange(3), np.arange(2)).tolist() == [0, 1, 2]
    with pytest.raises(SingularError):
        contacts(walls([[1.0, 0.0]] * 4, [0.1] * 4), np.arange(4), np.arange(2))


@pytest.mark.parametrize("seed", range(12))
def test_on_a_line_the_tightest_wall_of_each_side_is_left(seed):
    rng = np.random.default_rng(seed)
    signs = np.resize([1.0, -1.0, 1.0], 7)
    gaps = rng.random(7) ** 2 + 0.01
    kept = contacts(walls(signs, gaps), np.arange(7), np.arange(1))
    assert kept.tolist() == sorted(
        np.flatnonzero(signs == side)[np.argmax(gaps[signs == side])] for side in (1.0, -1.0)
    )


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("seed", range(8))
def test_balanced_overlaps_end_at_positive_forces_and_a_lower_load(seed, form):
    """The load is bounded by ``-Σ λ Δ``; forces are as the overlaps at first."""
    rng = np.random.default_rng(seed)
    normals, gaps = rng.standard_normal((9, 3)), rng.random(9) + 0.1
    normals[-1] = -gaps[:-1] @ normals[:-1] / gaps[-1]
    here = walls(normals, gaps)
    here = replace(here, jacobian=form(here.jacobian))
    kept = contacts(here, np.arange(9), np.arange(3))
    assert len(kept) == 4
    forces = Vertex.of(here, kept, np.arange(3)).forces()
    assert forces.min() > 0
    assert forces @ gaps[kept] >= gaps @ gaps / gaps.sum() - 1e-12


def test_the_only_wall_across_is_left_though_it_bears_nothing():
    here = walls([[1, 0], [1, 0], [-1, 0], [1, 1]], [0.3, 0.15, 0.2, 0.1])
    assert contacts(here, np.arange(4), np.arange(2)).tolist() == [0, 2, 3]


def stress(gaps, weakest=0, matrix=((1, 1), (1, 1), (-1, 1)), kept=(True, True, True)):
    """The self-stress of walls ``x``, ``x`` and ``-x``."""
    matrix, kept = np.array(matrix, dtype=float), np.array(kept)
    normal = Factor(matrix[kept].T @ matrix[kept], definite=True)
    return _self_stress(matrix, normal, kept, np.array(gaps), weakest)


def test_a_self_stress_is_the_balanced_part_of_the_overlaps():
    assert stress([0.3, 0.1, 0.2]) == pytest.approx([0.1, -0.1, 0.0], abs=1e-15)
    assert stress([0.1, 0.3, 5.0]) == pytest.approx([-0.1, 0.1, 0.0], abs=1e-14)
    four = ((1, 1), (1, 1), (-1, 1), (1, 1))
    found = stress([0.3, 0.1, 0.2, 9.0], 0, four, (True, True, True, False))
    assert found == pytest.approx([0.1, -0.1, 0.0, 0.0], abs=1e-15)


def test_where_no_overlap_is_balanced_the_weakest_is_unloaded():
    for weakest in (0, 1):
        found = stress([0.2, 0.2, 0.7], weakest)
        assert found / found[weakest] == pytest.approx([1, -1, 0] if weakest == 0 else [-1, 1, 0])
        assert found[weakest] < 0
    # A part of 7e-9 is none, one of 7e-7 is some: it unloads the second, not the weakest.
    assert stress([0.2 + 2e-9, 0.2, 0.2], 0)[0] < 0
    assert stress([0.2 + 4e-7, 0.2, 0.2], 0)[1] < 0


def test_a_self_stress_that_unloads_nothing_is_turned_round():
    """Two walls that the load leaves alone push each other; only both can be unloaded."""
    found = stress([0.1, 0.3, 0.2], 0, ((1, 0), (-1, 0), (0, 1)))
    assert found == pytest.approx([-0.2, -0.2, 0.0], abs=1e-15)


def test_the_first_force_to_vanish_is_unloaded():
    first, forces = _unload_one(np.array([0.4, 0.2, 0.3]), np.array([0.1, -0.1, -0.3]))
    assert first == 2
    assert forces == pytest.approx([0.5, 0.1, 0.0], abs=1e-15)
    for size in (1e-3, 1.0, 1e3):  # a billionth of the largest is rounding
        for small, first in ((-1e-10, 2), (-1e-8, 1)):
            pull = size * np.array([1.0, small, -0.5])
            assert _unload_one(np.array([1.0, 0.0, 1.0]), pull)[0] == first
    with pytest.raises(SingularError, match="no self-stress unloads"):
        _unload_one(np.ones(2), np.array([1.0, 0.0]))


# Contacts that are missing.


@dataclass(frozen=True, eq=False)
class Ridge:
    """Two walls ``±x`` that bend away, ``Δ = ±x - ½ Σ c y² + level``, and further linear ones."""

    falls: np.ndarray
    normals: np.ndarray
    offsets: np.ndarray
    form: type = np.asarray

    @property
    def n_dof(self):
        return 1 + len(self.falls)

    def gaps(self, x):
        across = np.array([x[0], -x[0]]) + 0.01 - 0.5 * self.falls @ x[1:] ** 2
        return np.append(across, self.normals @ x + self.offsets)

    def gap_jacobian(self, x, rows=None):
        bent = np.append(0.0, -self.falls * x[1:])
        return self.form(np.vstack([np.eye(1, self.n_dof) + bent, -np.eye(1, self.n_dof) + bent,
                                    self.normals]))  # fmt: skip

    def hvp(self, x, v):
        forces = np.maximum(self.gaps(x), 0)
        rows = replace(self, form=np.asarray).gap_jacobian(x)[forces > 0]
        return v @ rows.T @ rows - v * np.append(0.0, forces[:2].sum() * self.falls)

    def zero_modes(self, x):
        return np.zeros((0, self.n_dof))

    def load_direction(self, x):
        return np.ones(2 + len(self.offsets))


def slid(falls, normals, offsets, form=np.asarray, columns=None):
    falls, normals = np.array(falls), np.array(normals, dtype=float)
    problem = Ridge(falls, normals, np.array(offsets), form)
    here = Linearised.at(problem, np.append(0.0, np.where(falls == 0, 0.0, 1e-7)))
    found = completed(here, np.arange(2), np.arange(problem.n_dof if columns is None else columns))
    return None if found is None else found.tolist()


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_sliding_ends_at_the_wall_that_is_met_first(form):
    """To either side; one that runs along is never met, however near it is."""
    assert slid([1.0], [[0, 1], [0, -0.1]], [-0.3, -0.1], form) == [0, 1, 2]
    assert slid([1.0], [[0, 1], [0, -0.5]], [-0.3, -0.1], form) == [0, 1, 3]
    assert slid([1.0], [[0, -1], [0, 1]], [-0.3, -0.4], form) == [0, 1, 2]
    along = [[0.0, 1.0], [5.0, 0.0]]
    assert slid([1.0], along, [-0.3, 0.02], form) == [0, 1, 2]


def test_a_wall_of_another_body_is_not_met():
    assert slid([1.0, 0.0], [[0, 1, 1], [0, 1, 0]], [-0.1, -0.3], columns=2) == [0, 1, 3]


def test_where_the_energy_falls_most_it_slides_first():
    """Along the third variable to its wall, though that of the second is nearer; then there."""
    normals = [[0, 1, 0], [0, 0, 1], [0, 0, 1]]
    assert slid([1.0, 2.0], normals, [-0.1, -0.5, -0.4]) == [0, 1, 4, 2]
    assert slid([2.0, 1.0], normals, [-0.1, -0.5, -0.4]) == [0, 1, 2, 4]
    assert slid([-1.0, 2.0], normals, [-0.1, -0.5, -0.4]) is None  # then curvature holds it
    assert slid([-1.0, -2.0], normals, [-0.1, -0.5, -0.4]) is None


def test_a_wall_in_violation_stiffens_a_motion_no_more_than_the_others():
    """A third overlap, along the slide: its stiffness is not curvature, and it is what is met."""
    assert slid([1.0], [[0, 0.1], [0, -1]], [1e-4, -0.3]) == [0, 1, 2]


# Exchanges.


@pytest.mark.parametrize("scale", [1.0, 1e6])
@pytest.mark.parametrize("seed", range(10))
def test_from_any_feasible_vertex_the_optimum_is_reached(seed, scale):
    """A first program in another direction ends at a vertex with forces of either sign."""
    rng = np.random.default_rng(seed)
    n = 1 + seed % 4
    normals = rng.standard_normal((8 * n + 6, n))
    here = walls(normals, rng.standard_normal(len(normals)), scale)
    rows = np.column_stack([normals, here.load])
    program = {"A_ub": rows, "b_ub": -here.gaps, "bounds": [(None, None)] * (n + 1)}
    known = linprog(np.append(np.zeros(n), -scale), **program)
    begin = linprog(np.append(rng.standard_normal(n), -0.1 * scale), **program)
    if begin.status != 0:
        begin = known
    start = np.sort(np.argsort(begin.slack)[: n + 1])
    vertex = Vertex.of(here, start, np.arange(n))
    best = optimal_vertex(vertex, np.ones(len(rows), dtype=bool), max_exchanges=99)
    assert best.reason == ""
    assert best.vertex.motion()[1] * scale == pytest.approx(-known.fun, abs=1e-9)
    assert best.vertex.forces().min() >= 0


def vertex_of(normals, offsets, loads=None):
    here = walls(normals, offsets, loads)
    n = here.problem.n_dof
    return Vertex.of(here, np.arange(n + 1), np.arange(n))


def test_a_motion_meets_first_what_closes_first():
    """Rows ``x`` and ``2x``: as the second opens, ``x = -s`` and ``t = s``."""
    normals = [1.0, 2.0, -1.0, -3.0, -1.0, -1.0, 1.0, 1.0 - 1e-10]
    vertex = vertex_of(normals, np.zeros(8))
    gaps = np.array([0.0, 0.0, -2.0, -3.0, -0.5, 0.5, 0.0, 0.0])
    idle = np.ones(8, dtype=bool)
    idle[[0, 1, 4]] = False
    assert _met_first(vertex, 1, gaps, idle) == 3  # after 3/4; the one before it after 1
    gaps[3] = -5.0
    assert _met_first(vertex, 1, gaps, idle) == 2
    idle[[2, 3]] = False
    assert _met_first(vertex, 1, gaps, idle) is None
    gaps[5] = 0.5e-13
    assert _met_first(vertex, 1, gaps, idle) == 5


def test_the_force_that_is_used_up_first():
    vertex = vertex_of([1.0, -1.0, 3.0, 0.5, -0.5, 0.0], np.zeros(6), np.array([1.0] * 5 + [-1.0]))
    forces = vertex.forces()
    assert forces == pytest.approx([0.5, 0.5])
    # Weights (2, -1), (3/4, 1/4), (1/4, 3/4) and (-1/2, -1/2).
    assert [_used_up_first(vertex, forces, row) for row in (2, 3, 4, 5)] == [0, 0, 1, None]


@pytest.mark.parametrize(("tilt", "leaving"), [(1e-10, 0), (1e-8, 2)])
def test_a_force_of_zero_is_used_up_by_more_than_rounding(tilt, leaving):
    vertex = vertex_of([[1, 0], [-1, 0], [0, 1], [2, tilt]], np.zeros(4))
    assert _used_up_first(vertex, np.array([0.5, 0.5, 0.0]), 3) == leaving


@pytest.mark.parametrize("load", [1.0, 1e8])
def test_what_pulls_is_seen_at_any_scale_of_the_load(load):
    best = optimal_vertex(vertex_of([1.0, 2.0], [0.0, 0.0], load), np.ones(2, dtype=bool), 9)
    assert best.reason == "unbounded: nothing stops the load from growing"


def test_a_constraint_that_no_load_satisfies_beside_the_others():
    vertex = vertex_of([1.0, -1.0, 0.0], [0.0, 0.0, 0.5], np.array([1.0, 1.0, -1.0]))
    best = optimal_vertex(vertex, np.ones(3, dtype=bool), 9)
    assert best.reason == "infeasible: constraint 2 contradicts the others at any load"
    assert best.exchanges == 0

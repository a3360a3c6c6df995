"""From contacts to the best vertex: self-stresses and exchanges, each by numbers on paper."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from bridge.jamming import active_set
from bridge.jamming.active_set import (
    _met_first,
    _self_stress,
    _unload_one,
    _used_up_first,
    bearing_contacts,
    optimal_vertex,
)
from bridge.jamming.factor import Factor, SingularError
from bridge.jamming.linearised import Linearised
from bridge.jamming.vertex import Vertex

from problems import Halfspaces


@dataclass(frozen=True, eq=False)
class Walls(Halfspaces):
    """Halfspaces of which each has its own load."""

    loads: np.ndarray = None

    def tightening(self, x):
        return np.broadcast_to(1.0 if self.loads is None else self.loads, self.offsets.shape)


def walls(normals, offsets, loads=None):
    normals = np.array(normals, dtype=float)
    normals = normals if normals.ndim == 2 else normals[:, None]
    problem = Walls(normals, np.array(offsets, dtype=float), loads)
    return Linearised.at(problem, np.zeros(normals.shape[1]))


# Contacts in excess.


def test_as_many_rows_as_unknowns_are_returned_whatever_they_hold():
    here = walls([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]], [0.1, 0.1, 0.1])
    assert bearing_contacts(here, np.arange(3), np.arange(2)).tolist() == [0, 1, 2]
    with pytest.raises(SingularError):
        bearing_contacts(walls([[1.0, 0.0]] * 4, [0.1] * 4), np.arange(4), np.arange(2))


@pytest.mark.parametrize("seed", range(12))
def test_on_a_line_the_tightest_wall_of_each_side_is_left(seed):
    rng = np.random.default_rng(seed)
    signs = np.resize([1.0, -1.0, 1.0], 7)
    gaps = rng.random(7) ** 2 + 0.01
    kept = bearing_contacts(walls(signs, gaps), np.arange(7), np.arange(1))
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
    kept = bearing_contacts(here, np.arange(9), np.arange(3))
    assert len(kept) == 4
    forces = Vertex.of(here, kept, np.arange(3)).forces()
    assert forces.min() > 0
    assert forces @ gaps[kept] >= gaps @ gaps / gaps.sum() - 1e-12


def test_the_only_wall_across_is_left_though_it_bears_nothing():
    here = walls([[1, 0], [1, 0], [-1, 0], [1, 1]], [0.3, 0.15, 0.2, 0.1])
    assert bearing_contacts(here, np.arange(4), np.arange(2)).tolist() == [0, 2, 3]


@pytest.mark.parametrize("load", [1.0, 1e6])
@pytest.mark.parametrize("seed", range(12))
def test_of_one_wall_too_many_that_leaves_whose_force_vanishes_first(seed, load):
    """Of the balanced forces nearest to the overlaps a negative one; else along the self-stress."""
    rng = np.random.default_rng(seed)
    normals, gaps = rng.standard_normal((5, 3)) + 0.5, rng.random(5)
    normals[-1] = -rng.random(4) @ normals[:-1]  # so that positive forces can balance
    balance = np.column_stack([normals, np.full(5, load)])
    self_stress = np.linalg.svd(balance.T)[2][-1]
    self_stress *= np.sign(self_stress @ gaps)
    least = np.linalg.lstsq(balance.T, np.array([0.0, 0.0, 0.0, 1.0]), rcond=None)[0]
    forces = least + self_stress * (self_stress @ gaps) / (gaps.sum() * load)
    ratios = np.where(self_stress < 0, forces / -np.minimum(self_stress, -1e-300), np.inf)
    leaving = np.argmin(forces) if forces.min() < 0 else np.argmin(ratios)
    kept = bearing_contacts(walls(normals, gaps, load), np.arange(5), np.arange(3))
    assert kept.tolist() == np.delete(np.arange(5), leaving).tolist()


def test_a_wall_that_cannot_leave_is_asked_once(monkeypatch):
    """Were rounding to choose the only wall across, it stays, and the next choice is made."""
    stresses, plain = [], active_set._unload_one

    def rounded(forces, stress):
        stresses.append(stress)
        return (3, forces) if len(stresses) == 1 else plain(forces, stress)

    monkeypatch.setattr(active_set, "_unload_one", rounded)
    here = walls([[1, 0], [1, 0], [-1, 0], [1, 1]], [0.3, 0.15, 0.2, 0.1])
    assert bearing_contacts(here, np.arange(4), np.arange(2)).tolist() == [0, 2, 3]
    assert stresses[1][3] == 0.0
    stresses.clear()
    monkeypatch.setattr(active_set, "_unload_one", lambda forces, _: (3, forces))
    with pytest.raises(SingularError):
        bearing_contacts(here, np.arange(4), np.arange(2))


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
    # A part of 4e-9 is none, one of 8e-7 is some: it unloads the second, not the weakest.
    for size in (1e-4, 1.0, 1e4):
        assert stress(size * np.array([0.2 + 2e-9, 0.2, 0.2]), 0)[0] < 0
        assert stress(size * np.array([0.2 + 4e-7, 0.2, 0.2]), 0)[1] < 0


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


# Exchanges.


@pytest.mark.parametrize("scale", [1.0, 1e6])
@pytest.mark.parametrize("seed", range(10))
def test_from_any_feasible_vertex_the_optimum_is_reached(seed, scale):
    """A first program in another direction ends at a vertex with forces of either sign."""
    rng = np.random.default_rng(seed)
    n = 1 + seed % 4
    normals = rng.standard_normal((8 * n + 6, n))
    here = walls(normals, rng.standard_normal(len(normals)), scale)
    rows = np.column_stack([normals, here.tightening])
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


@pytest.mark.parametrize("load", [1.0, 2.0])
def test_a_motion_meets_first_what_closes_first(load):
    """Rows ``x`` and ``2x``: as the second opens, ``x = -s`` and the load adds ``s`` to all."""
    normals = [1.0, 2.0, -1.0, -3.0, -1.0, -1.0, 1.0, 1.0 - 1e-10, -1e3]
    vertex = vertex_of(normals, np.zeros(9), load)
    gaps = np.array([0.0, 0.0, -2.0, -3.0, -0.5, 0.5, 0.0, 0.0, -1e6])
    idle = np.ones(9, dtype=bool)
    idle[[0, 1, 4]] = False
    assert _met_first(vertex, 1, gaps, idle) == 3  # after 3/4; the one before it after 1
    gaps[3] = -5.0
    assert _met_first(vertex, 1, gaps, idle) == 2
    idle[[2, 3, 8]] = False
    assert _met_first(vertex, 1, gaps, idle) is None
    gaps[5] = 0.5e-13
    assert _met_first(vertex, 1, gaps, idle) == 5


def test_the_force_that_is_used_up_first():
    vertex = vertex_of([1.0, -1.0, 3.0, 0.5, -0.5, 0.0], np.zeros(6), np.array([1.0] * 5 + [-1.0]))
    forces = vertex.forces()
    assert forces == pytest.approx([0.5, 0.5])
    # Weights (2, -1), (3/4, 1/4), (1/4, 3/4) and (-1/2, -1/2).
    assert [_used_up_first(vertex, forces, row) for row in (2, 3, 4, 5)] == [0, 0, 1, None]


@pytest.mark.parametrize("size", [1.0, 1e3])
@pytest.mark.parametrize(("tilt", "leaving"), [(1e-10, 0), (1e-8, 2)])
def test_a_force_of_zero_is_used_up_by_more_than_rounding(tilt, leaving, size):
    vertex = vertex_of([[1, 0], [-1, 0], [0, 1], [2 * size, tilt * size]], np.zeros(4))
    assert _used_up_first(vertex, np.array([0.5, 0.5, 0.0]), 3) == leaving


def test_a_force_of_zero_does_not_pull():
    best = optimal_vertex(vertex_of([[1, 0], [-1, 0], [0, 1]], np.zeros(3)), np.ones(3) > 0, 9)
    assert (best.reason, best.exchanges) == ("", 0)


@pytest.mark.parametrize("load", [1.0, 1e8])
def test_what_pulls_is_seen_at_any_scale_of_the_load(load):
    best = optimal_vertex(vertex_of([1.0, 2.0], [0.0, 0.0], load), np.ones(2, dtype=bool), 9)
    assert best.reason == "unbounded: nothing stops the load from growing"


def test_a_constraint_that_no_load_satisfies_beside_the_others():
    vertex = vertex_of([1.0, -1.0, 0.0], [0.0, 0.0, 0.5], np.array([1.0, 1.0, -1.0]))
    best = optimal_vertex(vertex, np.ones(3, dtype=bool), 9)
    assert best.reason == "infeasible: constraint 2 contradicts the others at any load"
    assert best.exchanges == 0

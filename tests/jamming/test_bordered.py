"""Equations whose rows were exchanged one after the other, against those set up afresh."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from bridge.jamming.bordered import Bordered, Change
from bridge.jamming.factor import SingularError

modest = settings(deadline=None, max_examples=60)


class Exchanged:
    """Bordered equations after a random sequence of changes, and the rows that they stand for.

    A kink that is let go beyond its bound, ``kink -> owner``, pulls with ``strength`` times the
    force of its owner: the owner's row has its own added with that weight.
    """

    def __init__(self, n, rng, *, as_csr=False):
        self.n, self.rng = n, rng
        factor = rng.standard_normal((n, n))
        self.curvature = factor @ factor.T + np.eye(n)
        self.lines = rng.standard_normal((2 * n + 4, n))
        self.loads = rng.uniform(0.5, 1.5, 2 * n + 4)
        self.active = list(range(max(1, n // 2)))
        self.beyond = {}  # kink: (owner, strength)
        rows, curvature = np.array(self.active), self.curvature
        jacobian = self.lines[rows]
        if as_csr:
            curvature, jacobian = sparse.csr_array(curvature), sparse.csr_array(jacobian)
        self.equations = Bordered(curvature, jacobian, self.loads[rows], rows)

    def change(self, kind):
        """Make one change of a ``kind`` if there is room for it."""
        held = set(self.beyond) | {owner for owner, _ in self.beyond.values()}
        idle = [k for k in range(len(self.lines)) if k not in self.active and k not in held]
        free = [k for k in self.active if k not in held]
        if kind == "added" and idle and len(self.active) < self.n:
            row = int(self.rng.choice(idle))
            gone = Change(row, added=False)
            if gone in self.equations.changes:
                self.equations.forget(gone)
            else:
                self._keep(Change(row, added=True))
            self.active.append(row)
        elif kind == "let go" and len(free) > 1:
            row = int(self.rng.choice(free))
            came = Change(row, added=True)
            if came in self.equations.changes:
                self.equations.forget(came)
            else:
                self._keep(Change(row, added=False))
            self.active.remove(row)
        elif kind == "beyond" and len(free) > 1:
            row, owner = (int(k) for k in self.rng.choice(free, 2, replace=False))
            strength = float(self.rng.uniform(0.2, 2.0))
            self._keep(Change(row, False, ((owner, strength),)))
            self.active.remove(row)
            self.beyond[row] = (owner, strength)
        elif kind == "taken back" and self.beyond and len(self.active) < self.n:
            row = int(self.rng.choice(list(self.beyond)))
            self.equations.forget(Change(row, False, (self.beyond.pop(row),)))
            self.active.append(row)

    def _keep(self, change):
        load = self.loads[change.row] if change.added else 0.0
        inner, _ = self.equations.column(change, self.lines[change.row], load)
        self.equations.keep(change, inner)

    def bordered(self, pull, goal):
        """Return ``u``, ``t`` and the forces of all rows, by the border."""
        inner = np.zeros(self.equations.size)
        inner[: self.n] = pull
        inner[self.n : -1] = goal[self.equations.rows]
        inner[-1] = 1.0
        outer = np.array([goal[c.row] if c.added else 0.0 for c in self.equations.changes])
        answer = self.equations.solve(inner, outer)
        forces = self.equations.forces(answer, len(self.lines))
        return answer.inner[: self.n], answer.inner[-1], forces

    def dense(self, pull, goal):
        """Return the same of the final rows, by one dense solution."""
        lines, loads, goal = self.lines.copy(), self.loads.copy(), goal.copy()
        for row, (owner, strength) in self.beyond.items():
            lines[owner] += strength * self.lines[row]
            loads[owner] += strength * self.loads[row]
            goal[owner] += strength * goal[row]
        n, m = self.n, len(self.active)
        matrix = np.zeros((n + m + 1, n + m + 1))
        matrix[:n, :n] = self.curvature
        matrix[n : n + m, :n] = lines[self.active]
        matrix[:n, n : n + m] = lines[self.active].T
        matrix[n : n + m, -1] = matrix[-1, n : n + m] = loads[self.active]
        right = np.concatenate([pull, goal[self.active], [1.0]])
        solution = np.linalg.solve(matrix, right)
        forces = np.zeros(len(self.lines))
        forces[self.active] = solution[n : n + m]
        return solution[:n], solution[-1], forces


@modest
@given(
    st.integers(2, 7),
    st.lists(st.sampled_from(["added", "let go", "beyond", "taken back"]), max_size=25),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_exchanges_solve_the_equations_that_are_left(n, kinds, as_csr, seed):
    rng = np.random.default_rng(seed)
    system = Exchanged(n, rng, as_csr=as_csr)
    for kind in kinds:
        system.change(kind)
    pull, goal = rng.standard_normal(n), rng.standard_normal(len(system.lines))
    for found, expected in zip(system.bordered(pull, goal), system.dense(pull, goal), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)


def test_a_row_that_comes_and_goes_leaves_the_equations_alone():
    system = Exchanged(4, np.random.default_rng(0))
    pull, goal = np.arange(4.0), np.arange(12.0)
    before = system.bordered(pull, goal)
    change = Change(7, added=True)
    system._keep(change)
    assert system.bordered(pull, goal)[2][7] != 0.0
    system.equations.forget(change)
    assert system.equations.changes == []
    for found, expected in zip(system.bordered(pull, goal), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_rows_that_are_let_go_after_they_came_have_no_force():
    """Both changes are kept: the added row's force is a column, and its gap another."""
    system = Exchanged(4, np.random.default_rng(1))
    pull, goal = np.arange(4.0), np.arange(12.0)
    before = system.bordered(pull, goal)
    system._keep(Change(7, added=True))
    system._keep(Change(7, added=False))
    u, t, _ = system.bordered(pull, goal)
    np.testing.assert_allclose(u, before[0], atol=1e-12)
    assert t == pytest.approx(before[1])


def test_a_row_twice_leaves_no_solution():
    line, load = np.array([1.0, 0.0]), np.ones(1)
    equations = Bordered(np.eye(2), line[None], load, np.array([0]))
    for row in (1, 2):
        inner, _ = equations.column(Change(row, added=True), 2 * line, 0.0)
        equations.keep(Change(row, added=True), inner)
    with pytest.raises(SingularError, match="without solution"):
        equations.solve(np.zeros(4), np.ones(2))

"""Symmetric equations whose constraints are exchanged one at a time, without factorising anew."""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from bridge.jamming.factor import Factor, SingularError
from bridge.protocols import Indices, Matrix, Vector


class Change(NamedTuple):
    """A row that was ``added`` to the equations, or one of theirs that was let go.

    A row that is let go has no force; a kink that was ``turned`` has those of other rows of the
    equations, the ``ties``, each by a factor.
    """

    row: int
    added: bool
    ties: tuple[tuple[int, float], ...] | None = None

    @property
    def turned(self) -> bool:
        """Whether a row was let go to its other side."""
        return self.ties is not None


class Answer(NamedTuple):
    """A solution: unknowns of the equations as factorised, and one for each change."""

    inner: Vector
    outer: Vector


class Bordered:
    """The equations of an optimum, ``K z = r``, after changes of the active ``rows``.

        K = [ L  Jᵀ 0 ]      z = (u, λ, t)
            [ J  0  ℓ ]
            [ 0  ℓᵀ 0 ]

    Each change is one more column ``v`` of a border with one more unknown: the force of an added
    row, or the gap of one let go. With ``Y = K⁻¹ V`` what remains is as small as their number,
    ``(W - Vᵀ Y) q = ..`` (Schur).

    Parameters
    ----------
    curvature, jacobian, load
        ``L (n, n)``, ``J (m, n)`` of the active rows, and their ``ℓ (m,)``.
    rows
        Their names, ``(m,)``.

    Raises
    ------
    SingularError
        If ``K`` has no inverse.
    """

    def __init__(self, curvature: Matrix, jacobian: Matrix, load: Vector, rows: Indices) -> None:
        self.rows, self.n = rows, jacobian.shape[1]
        self.place = {int(row): self.n + k for k, row in enumerate(rows)}
        self.factor = Factor(_assembled(curvature, jacobian, load))
        self.changes: list[Change] = []
        size = self.n + len(rows) + 1
        self._border, self._solved = np.zeros((size, 0)), np.zeros((size, 0))
        self._core = np.zeros((0, 0))

    @property
    def size(self) -> int:
        """Number of equations without the border."""
        return len(self._border)

    def solve(self, inner: Vector, outer: Vector, *, solved: Vector | None = None) -> Answer:
        """Return the solution; ``solved`` is ``K⁻¹`` of the inner right side, if it is known."""
        z = self.factor.solve(inner) if solved is None else solved
        if not self.changes:
            return Answer(z, outer)
        try:
            q = np.asarray(np.linalg.solve(self._core, outer - self._border.T @ z), np.float64)
        except np.linalg.LinAlgError:
            raise SingularError("an exchange leaves the equations without solution") from None
        return Answer(z - self._solved @ q, q)

    def column(self, change: Change, line: Vector, load: float) -> tuple[Vector, Vector]:
        """Return the column of a ``change``, and its entries beside those of earlier changes.

        ``line`` is the row of the Jacobian, ``(n,)``.
        """
        inner = np.zeros(len(self._border))
        if change.added:
            inner[: self.n], inner[-1] = line, load
        for row, value in _let_go(change):
            if row in self.place:
                inner[self.place[row]] = value
        return inner, self._beside(change)

    def keep(self, change: Change, inner: Vector, solved: Vector | None = None) -> None:
        """Make a change, whose column is ``inner``, and ``K⁻¹`` of it ``solved`` if it is known."""
        solved = self.factor.solve(inner) if solved is None else solved
        beside = self._beside(change) - self._border.T @ solved
        self._core = np.block(
            [[self._core, beside[:, None]], [beside[None], -np.full((1, 1), inner @ solved)]]
        )
        self.changes.append(change)
        self._border = np.column_stack([self._border, inner])
        self._solved = np.column_stack([self._solved, solved])

    def forget(self, change: Change) -> None:
        """Take a change back: a row that was added only where no other change pulls with it."""
        k = self.changes.index(change)
        self.changes.pop(k)
        self._border = np.delete(self._border, k, axis=1)
        self._solved = np.delete(self._solved, k, axis=1)
        self._core = np.delete(np.delete(self._core, k, axis=0), k, axis=1)

    def has(self, row: int) -> bool:
        """Tell whether a row is part of the equations, with a force or let go."""
        return row in self.place or Change(row, added=True) in self.changes

    def forces(self, answer: Answer, count: int) -> Vector:
        """Return the forces of all ``count`` rows; zero where a row is idle."""
        found = np.zeros(count)
        found[self.rows] = answer.inner[self.n : -1]
        for change, value in zip(self.changes, answer.outer, strict=True):
            found[change.row] = value if change.added else 0.0
        return found

    def _beside(self, change: Change) -> Vector:
        """Return the entries of ``W`` beside a change: those of rows that were added before it."""
        found = np.zeros(len(self.changes))
        for row, value in _let_go(change):
            if row not in self.place:
                found[self.changes.index(Change(row, added=True))] = value
        return found


def _let_go(change: Change) -> list[tuple[int, float]]:
    """Return the rows whose force a change takes away, and with which weight."""
    if change.added:
        return []
    return [(change.row, -1.0), *(change.ties or ())]


def _assembled(curvature: Matrix, jacobian: Matrix, load: Vector) -> Matrix:
    column = load[:, None]
    if sparse.issparse(jacobian):
        column = sparse.csr_array(column)
        parts = [[curvature, jacobian.T, None], [jacobian, None, column], [None, column.T, None]]
        return sparse.block_array(parts, format="csr")
    m, n = jacobian.shape
    matrix = np.zeros((n + m + 1, n + m + 1))
    matrix[:n, :n] = curvature
    matrix[n : n + m, :n], matrix[:n, n : n + m] = jacobian, jacobian.T
    matrix[n : n + m, -1:], matrix[-1:, n : n + m] = column, column.T
    return matrix

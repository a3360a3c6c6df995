"""A vertex of the linearised problem: as many active constraints as unknowns.

With ``n`` variables and the load there are ``n + 1`` unknowns; ``n + 1`` constraints that are
active, ``B (u, t) = -Δ`` with ``B = [J ℓ]``, fix them. Their forces solve ``Bᵀ λ = (0, .., 0, 1)``:
balanced, ``Jᵀ λ = 0``, and normalised by ``ℓ·λ = 1``.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from scipy import sparse

from bridge.jamming.factor import Factor, SingularError
from bridge.jamming.linearised import Linearised
from bridge.protocols import Indices, Matrix, Vector

# Rank-one changes after which the factors are computed afresh.
_MOST_CHANGES = 40


@dataclass(frozen=True, eq=False)
class Vertex:
    """The state that the constraints ``rows`` fix, acting on the variables ``columns``."""

    here: Linearised[Any]
    rows: Indices
    columns: Indices
    matrix: Matrix
    factor: Factor

    @classmethod
    def of(cls, here: Linearised[Any], rows: Indices, columns: Indices) -> Self:
        """Factorise ``B`` of ``n + 1`` rows and ``n`` columns; ``matrix`` is that of all rows.

        Raises
        ------
        SingularError
            If the constraints do not fix the state.
        """
        if len(rows) != len(columns) + 1:
            raise SingularError(f"{len(rows)} constraints for {len(columns) + 1} unknowns")
        matrix = coefficients(here, columns)
        return cls(here, rows, columns, matrix, Factor(matrix[rows]))

    def exchanged(self, leaving: int, entering: int) -> Self:
        """Return the vertex with the ``leaving``-th row replaced by constraint ``entering``.

        Raises
        ------
        SingularError
            If the constraints do not fix the state.
        """
        rows = self.rows.copy()
        rows[leaving] = entering
        if self.factor.n_changes >= _MOST_CHANGES:
            return replace(self, rows=rows, factor=Factor(self.matrix[rows]))
        place = np.zeros(len(rows))
        place[leaving] = 1.0
        change = self._row(entering) - self._row(self.rows[leaving])
        return replace(self, rows=rows, factor=self.factor.changed(place, change))

    def motion(self) -> tuple[Vector, float]:
        """Return ``u (n_dof,)`` and ``t`` at which the active gaps vanish to first order."""
        return self._spread(self.factor.solve(-self.here.gaps[self.rows]))

    def forces(self) -> Vector:
        """Return ``λ``, one force per active constraint, with ``ℓ·λ = 1``."""
        unit = np.zeros(len(self.rows))
        unit[-1] = 1.0
        return self.factor.solve(unit, transposed=True)

    def edge(self, k: int) -> tuple[Vector, float]:
        """Return the motion that opens the ``k``-th active constraint at rate one."""
        unit = np.zeros(len(self.rows))
        unit[k] = -1.0
        return self._spread(self.factor.solve(unit))

    def weights(self, row: int) -> Vector:
        """Return ``w`` with ``Bᵀ w = (J, ℓ)`` of ``row``: that row as a sum of the active ones."""
        return self.factor.solve(self._row(row), transposed=True)

    def _row(self, row: int) -> Vector:
        return dense_row(self.matrix, row)

    def _spread(self, solution: Vector) -> tuple[Vector, float]:
        u = np.zeros(self.here.problem.n_dof)
        u[self.columns] = solution[:-1]
        return u, float(solution[-1])


def coefficients(here: Linearised[Any], columns: Indices) -> Matrix:
    """Return ``[J ℓ]`` of the variables ``columns``, as dense or sparse as ``J`` is."""
    block, load = here.jacobian[:, columns], here.tightening[:, None]
    if sparse.issparse(block):
        return sparse.hstack([block, sparse.csr_array(load)], format="csr")
    return np.hstack([block, load])


def dense_row(matrix: Matrix, row: int) -> Vector:
    """Return one row of the matrix as a vector."""
    if isinstance(matrix, np.ndarray):
        return np.asarray(matrix[row])
    entries = slice(matrix.indptr[row], matrix.indptr[row + 1])
    line = np.zeros(matrix.shape[1])
    line[matrix.indices[entries]] = matrix.data[entries]
    return line

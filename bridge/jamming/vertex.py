"""A vertex of the linearised problem: as many active constraints as unknowns.

With ``n`` variables and the load there are ``n + 1`` unknowns; ``n + 1`` constraints that are
active, ``B (u, t) = -Δ`` with ``B = [J ℓ]``, fix them. Their forces solve ``Bᵀ λ = (0, .., 0, 1)``:
balanced, ``Jᵀ λ = 0``, and normalised by ``ℓ·λ = 1``.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from scipy import sparse

from bridge.jamming.factor import Factor, SingularError
from bridge.jamming.linearised import Linearised
from bridge.protocols import Indices, Matrix, Vector

# Exchanges after which the matrix is factorised afresh.
_MOST_EXCHANGES = 40
# Pivot of an exchange, beside the largest weight, below which nothing fixes the state.
_SINGULAR = 1e-13


@dataclass(frozen=True, eq=False)
class Exchange:
    """Row ``k`` of ``B`` replaced by ``r``: ``edge = B⁻¹ e_k`` and ``weights = B⁻ᵀ r``.

    The inverse becomes ``B⁻¹ - edge (weights - e_k)ᵀ / weights_k``.
    """

    k: int
    edge: Vector
    weights: Vector

    @property
    def pivot(self) -> float:
        """``weights_k``: 0 if the rows have become dependent."""
        return float(self.weights[self.k])

    def behind(self, x: Vector, b: Vector) -> None:
        """Turn ``B⁻¹ b`` into the solution with the new row."""
        x -= self.edge * ((float(self.weights @ b) - b[self.k]) / self.pivot)

    def behind_transposed(self, x: Vector, b: Vector) -> None:
        """Turn ``B⁻ᵀ b`` into the solution with the new row."""
        part = float(self.edge @ b) / self.pivot
        x -= self.weights * part
        x[self.k] += part


@dataclass(frozen=True, eq=False)
class Vertex:
    """The state that the constraints ``rows`` fix, acting on the variables ``columns``.

    Attributes
    ----------
    matrix
        ``[J ℓ]`` of all constraints, ``(m, n + 1)``.
    factor
        That of ``B`` before the ``exchanges``.
    solution, multipliers : (n + 1,)
        ``(u, t)`` by the ``columns``, and ``λ``.
    """

    here: Linearised[Any]
    rows: Indices
    columns: Indices
    matrix: Matrix
    factor: Factor
    solution: Vector
    multipliers: Vector
    exchanges: tuple[Exchange, ...] = ()
    solved: dict[tuple[int, bool], Vector] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, here: Linearised[Any], rows: Indices, columns: Indices) -> Self:
        """Factorise ``B`` of ``n + 1`` rows and ``n`` columns.

        Raises
        ------
        SingularError
            If the constraints do not fix the state.
        """
        if len(rows) != len(columns) + 1:
            raise SingularError(f"{len(rows)} constraints for {len(columns) + 1} unknowns")
        return cls._factorised(here, rows, columns, coefficients(here, columns))

    @classmethod
    def _factorised(
        cls, here: Linearised[Any], rows: Indices, columns: Indices, matrix: Matrix
    ) -> Self:
        none = np.zeros(len(rows))
        return cls(here, rows, columns, matrix, Factor(matrix[rows]), none, none).refreshed()

    def refreshed(self) -> Self:
        """Return the vertex with its state and forces solved for, not brought up to date."""
        unit = np.zeros(len(self.rows))
        unit[-1] = 1.0
        solution = self._solve(-self.here.gaps[self.rows])
        return replace(self, solution=solution, multipliers=self._solve(unit, transposed=True))

    def exchanged(self, leaving: int, entering: int) -> Self:
        """Return the vertex with the ``leaving``-th row replaced by constraint ``entering``.

        It costs two solves, and none that `edge` and `weights` have made before.

        Raises
        ------
        SingularError
            If the constraints do not fix the state.
        """
        rows = self.rows.copy()
        rows[leaving] = entering
        if len(self.exchanges) >= _MOST_EXCHANGES:
            return self._factorised(self.here, rows, self.columns, self.matrix)
        made = Exchange(leaving, self._edge(leaving), self.weights(entering))
        if not abs(made.pivot) > _SINGULAR * np.abs(made.weights).max():
            raise SingularError("the constraint that enters depends on those that stay")
        missed = -self.here.gaps[entering] - float(self._row(entering) @ self.solution)
        multipliers = self.multipliers - made.weights * (self.multipliers[leaving] / made.pivot)
        multipliers[leaving] = self.multipliers[leaving] / made.pivot
        return replace(
            self,
            rows=rows,
            solution=self.solution + made.edge * (missed / made.pivot),
            multipliers=multipliers,
            exchanges=(*self.exchanges, made),
            solved={},
        )

    def motion(self) -> tuple[Vector, float]:
        """Return ``u (n_dof,)`` and ``t`` at which the active gaps vanish to first order."""
        return self._spread(self.solution)

    def forces(self) -> Vector:
        """Return ``λ``, one force per active constraint, with ``ℓ·λ = 1``."""
        return self.multipliers

    def edge(self, k: int) -> tuple[Vector, float]:
        """Return the motion that opens the ``k``-th active constraint at rate one."""
        return self._spread(-self._edge(k))

    def weights(self, row: int) -> Vector:
        """Return ``w`` with ``Bᵀ w = (J, ℓ)`` of ``row``: that row as a sum of the active ones."""
        if (row, True) not in self.solved:
            self.solved[row, True] = self._solve(self._row(row), transposed=True)
        return self.solved[row, True]

    def condition(self) -> float:
        """Return an estimate of the condition number of ``B`` in the 1-norm."""
        factor = Factor(self.matrix[self.rows]) if self.exchanges else self.factor
        return factor.condition()

    def _edge(self, k: int) -> Vector:
        if (k, False) not in self.solved:
            unit = np.zeros(len(self.rows))
            unit[k] = 1.0
            self.solved[k, False] = self._solve(unit)
        return self.solved[k, False]

    def _solve(self, b: Vector, *, transposed: bool = False) -> Vector:
        x = self.factor.solve(b, transposed=transposed)
        for exchange in self.exchanges:
            (exchange.behind_transposed if transposed else exchange.behind)(x, b)
        return x

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

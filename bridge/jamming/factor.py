"""LU factors of a square matrix that changes a little at a time."""

import warnings
from typing import Self

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import LinearOperator, onenormest, splu

from bridge.protocols import Matrix, Vector

# A pivot beside the largest that is rounding.
_VANISHING = 1e-14


class SingularError(ArithmeticError):
    """The matrix has no inverse: constraints are redundant, or variables are not held."""


class Factor:
    """Solves with ``M + Σ_k u_k v_kᵀ``, where ``M`` was factorised and the sum came later.

    With ``Y = M⁻¹ U`` and ``C = 1 + Vᵀ Y`` (Sherman, Morrison, Woodbury),

        (M + U Vᵀ)⁻¹ b = M⁻¹ b - Y C⁻¹ Vᵀ M⁻¹ b

    Parameters
    ----------
    matrix
        ``M``, square, dense or sparse.
    definite
        Whether ``M`` is symmetric and positive definite, which saves fill-in.

    Raises
    ------
    SingularError
        If ``M`` has no inverse.

    Examples
    --------
    >>> factor = Factor(np.diag([1.0, 2.0])).changed(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    >>> factor.solve(np.array([1.0, 5.0]))
    array([1., 2.])
    """

    def __init__(self, matrix: Matrix, *, definite: bool = False) -> None:
        self.n, _ = matrix.shape
        self.norm = float(abs(matrix).sum(axis=0).max())
        self._base: _SparseLU | _DenseLU = (
            _SparseLU(matrix, definite) if sparse.issparse(matrix) else _DenseLU(matrix)
        )
        self._u = self._v = self._y = self._z = np.zeros((self.n, 0))
        self._core = np.eye(self.n_changes)

    @property
    def n_changes(self) -> int:
        """Number of rank-one changes since the factorisation."""
        return self._u.shape[1]

    def changed(self, u: Vector, v: Vector) -> Self:
        """Return the factors of the matrix plus ``u vᵀ``.

        Raises
        ------
        SingularError
            If that matrix has no inverse.
        """
        new = object.__new__(type(self))
        new.n, new.norm, new._base = self.n, self.norm, self._base
        new._u, new._v = np.column_stack([self._u, u]), np.column_stack([self._v, v])
        new._y = np.column_stack([self._y, self._base(u, False)])
        new._z = np.column_stack([self._z, self._base(v, True)])
        new._core = np.eye(new.n_changes) + new._v.T @ new._y
        if np.linalg.cond(new._core) > 1e14:
            raise SingularError("a rank-one change leaves the matrix without inverse")
        return new

    def solve(self, b: Vector, *, transposed: bool = False) -> Vector:
        """Return ``M⁻¹ b``, or ``M⁻ᵀ b``."""
        x = self._base(b, transposed)
        if self.n_changes:
            y, v, core = (
                (self._z, self._u, self._core.T) if transposed else (self._y, self._v, self._core)
            )
            x = x - y @ np.linalg.solve(core, v.T @ x)
        return x

    def vanishing(self) -> bool:
        """Tell whether a pivot of a dense matrix is zero but for rounding."""
        return isinstance(self._base, _DenseLU) and self._base.vanishing()

    def fill(self) -> float:
        """Return the entries of the factors for each variable: ``n`` of a dense matrix."""
        return self._base.nnz / self.n if isinstance(self._base, _SparseLU) else float(self.n)

    def positive(self) -> bool:
        """Tell whether all pivots of a sparse matrix that was said to be definite are positive."""
        return isinstance(self._base, _SparseLU) and self._base.positive()

    def condition(self) -> float:
        """Return an estimate of the condition number in the 1-norm."""
        if self.n <= 4:
            inverse = np.column_stack([self.solve(column) for column in np.eye(self.n)])
            return self.norm * float(np.abs(inverse).sum(axis=0).max())
        operator = LinearOperator(
            (self.n, self.n),
            matvec=lambda b: self.solve(np.ravel(b)),
            rmatvec=lambda b: self.solve(np.ravel(b), transposed=True),
            dtype=np.float64,
        )
        return self.norm * float(onenormest(operator))


class _DenseLU:
    """Solves with a dense matrix."""

    def __init__(self, matrix: Vector) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", linalg.LinAlgWarning)
            self._factors = linalg.lu_factor(matrix, check_finite=False)
        if not np.diag(self._factors[0]).all():
            raise SingularError("a pivot vanishes")

    def vanishing(self) -> bool:
        pivots = np.abs(np.diag(self._factors[0]))
        return bool(pivots.min() <= _VANISHING * pivots.max())

    def __call__(self, b: Vector, transposed: bool) -> Vector:
        return np.asarray(linalg.lu_solve(self._factors, b, int(transposed), check_finite=False))


class _SparseLU:
    """Solves with a sparse matrix."""

    def __init__(self, matrix: sparse.csr_array, definite: bool) -> None:
        symmetric = {
            "permc_spec": "MMD_AT_PLUS_A",
            "diag_pivot_thresh": 0.0,
            "options": {"SymmetricMode": True},
        }
        try:
            self._factors = splu(matrix.tocsc(), **(symmetric if definite else {}))
        except RuntimeError as error:
            raise SingularError(str(error)) from None

    @property
    def nnz(self) -> int:
        return int(self._factors.nnz)

    def __call__(self, b: Vector, transposed: bool) -> Vector:
        return np.asarray(self._factors.solve(b, "T" if transposed else "N"))

    def positive(self) -> bool:
        return bool((self._factors.U.diagonal() > 0.0).all())

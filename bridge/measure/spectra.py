"""The Hessian of a state, its stiffness and prestress parts, and their spectra.

``H = H0 + Hp`` with ``H0 = Σ_{Δ>0} ∇Δ ∇Δᵀ = JᵀJ`` (positive semidefinite, rank at most ``N_Δ``) and
``Hp = Σ_{Δ>0} Δ ∇²Δ``. At a minimum ``H`` is positive on the symmetries' complement, so ``H0`` must
outweigh ``Hp`` on each of its negative modes: ``N_-(Hp) <= N_Δ`` (Geiger et al. 2019). At the kinks
of rectifiers ``H`` is positive along them only, and each may hold a mode more.
"""

from dataclasses import dataclass
from typing import overload

import numpy as np
from scipy import linalg

from bridge.measure.observables import (
    counted_constraints,
    dense,
    free_variables,
    frozen_bodies,
    satisfied,
)
from bridge.protocols import (
    ConstraintProblem,
    End,
    HasKinkCount,
    Indices,
    Landscape,
    Vector,
    state_of,
)

_BLOCK = 256  # directions in one Hessian product: bounds the memory of batched products
DENSE_LIMIT = 12_000  # variables; eigenvalues of three such matrices take 10 GB and an hour


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues of ``H``, ``H0`` and ``Hp``, each ``(n_dof,)`` and ascending.

    Each continuous symmetry, and each variable of a frozen body, is one exact zero.

    Attributes
    ----------
    zero_modes
        Eigenvalues of ``H`` that vanish to rounding, symmetries and frozen variables included.
    negative_modes
        Negative eigenvalues of ``H``: zero at a minimum.
    negative_modes_hp
        ``N_-(Hp)``.
    n_violated
        ``N_Δ``, rows of the Jacobian behind ``H0``: those that act on no frozen body.
    n_kinks
        Kinks that hold the state of a rectifier network beside them.
    bound_holds
        Whether ``N_-(Hp) <= N_Δ``, kinks included.
    """

    eigenvalues: Vector
    eigenvalues_h0: Vector
    eigenvalues_hp: Vector
    zero_modes: int
    negative_modes: int
    negative_modes_hp: int
    n_violated: int
    n_kinks: int = 0

    @property
    def bound_holds(self) -> bool:
        """Tell whether the necessary condition of a minimum holds."""
        return self.negative_modes_hp <= self.n_violated + self.n_kinks


def check_dense(n: int) -> None:
    """Raise ``ValueError`` if ``n`` variables are too many for a dense matrix."""
    if n > DENSE_LIMIT:
        raise ValueError(
            f"expected at most {DENSE_LIMIT} variables for a dense Hessian, got {n}: "
            "use a smaller system, or bridge.spectral_density"
        )


def hessian(problem: Landscape, x: Vector) -> Vector:
    """Return the dense Hessian ``(n_dof, n_dof)``: the system's own, or from products.

    Raises
    ------
    ValueError
        If ``n_dof`` is too large for a dense matrix.

    Examples
    --------
    Two discs at nine tenths of their contact: 1 along the line of centres, ``-Δ/r = -1/9`` across.

    >>> from particles import Discs
    >>> pair = Discs(np.ones(2), np.array([5.0, 5.0]))
    >>> hessian(pair, np.array([1.0, 1.0, 1.9, 1.0]))[:2, :2].round(6) + 0.0
    array([[ 1.      ,  0.      ],
           [ 0.      , -0.111111]])
    """
    n = problem.n_dof
    check_dense(n)
    # The attribute and not the protocol: an instance check costs as much as a small Hessian.
    own = getattr(problem, "hessian", None)
    if own is not None:
        return dense(own(x))
    rows = np.empty((n, n))
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        directions = np.zeros((stop - start, n))
        directions[np.arange(stop - start), np.arange(start, stop)] = 1.0
        rows[start:stop] = problem.hvp(x, directions)
    return 0.5 * (rows + rows.T)


def stiffness(problem: ConstraintProblem, x: Vector, rows: Indices | None = None) -> Vector:
    """Return ``H0 = JᵀJ`` over ``rows``, all violated constraints by default, as dense matrix."""
    if rows is None:
        rows = np.flatnonzero(problem.gaps(x) > 0)
    jacobian = problem.gap_jacobian(x, rows)
    return dense(jacobian.T @ jacobian)


@overload
def spectrum(problem: ConstraintProblem, x: Vector, *, n_kinks: int = 0) -> Spectrum: ...


@overload
def spectrum(problem: End[ConstraintProblem]) -> Spectrum: ...


def spectrum(
    problem: ConstraintProblem | End[ConstraintProblem],
    x: Vector | None = None,
    *,
    n_kinks: int = 0,
) -> Spectrum:
    """Diagonalise ``H``, ``H0`` and ``Hp = H - H0`` at ``x``, which ``n_kinks`` kinks hold too.

    The end of a minimisation may be given whole, and brings its kinks.

    Symmetries are projected out, and the variables of frozen bodies left out: what still touches
    a rattler at the end of a minimisation carries no force, but it would have a stiffness. In a
    satisfied state nothing acts, and every eigenvalue is zero.

    Raises
    ------
    ValueError
        If ``n_dof`` is too large for a dense matrix.

    References
    ----------
    M. Geiger et al., Phys. Rev. E 100, 012115 (2019), for ``N_-(Hp) <= N_Δ``.

    Examples
    --------
    A perceptron of two components between the patterns ``±e_1``, both violated by 1/2 at ``e_2``.
    ``U = ¼ + sin²φ`` at the angle ``φ`` to it, and ``|x|² = 2``, so that ``H`` is 1 along the
    circle and 0 along the radius:

    >>> from particles import Perceptron
    >>> problem = Perceptron(np.array([[1.0, 0.0], [-1.0, 0.0]]), sigma=0.5)
    >>> values = spectrum(problem, np.array([0.0, 2**0.5]))
    >>> values.eigenvalues.round(12) + 0.0, values.zero_modes, values.bound_holds
    (array([0., 1.]), 1, True)
    """
    if isinstance(problem, HasKinkCount):
        n_kinks = problem.n_kinks or 0
    problem, x = state_of(problem, x)
    gaps = problem.gaps(x)
    free = free_variables(problem.n_dof, frozen_bodies(problem, x))
    counted = counted_constraints(problem, x, gaps, free)
    idle = np.setdiff1d(np.flatnonzero(gaps > 0), counted)
    if satisfied(problem, gaps):
        flat = np.zeros(problem.n_dof)
        return Spectrum(flat, flat, flat, problem.n_dof, 0, 0, 0)
    h0 = stiffness(problem, x, counted)
    full = hessian(problem, x) - (stiffness(problem, x, idle) if idle.size else 0.0)
    block, modes = np.ix_(free, free), _orthonormal(problem.zero_modes(x)[:, free])
    n_frozen = problem.n_dof - int(free.sum())
    values, values_h0, values_hp = (
        np.sort(np.append(linalg.eigvalsh(_project(matrix[block], modes)), np.zeros(n_frozen)))
        for matrix in (full, h0, full - h0)
    )
    tolerance = rounding(full)
    return Spectrum(
        eigenvalues=values,
        eigenvalues_h0=values_h0,
        eigenvalues_hp=values_hp,
        zero_modes=int((np.abs(values) <= tolerance).sum()),
        negative_modes=int((values < -tolerance).sum()),
        negative_modes_hp=int((values_hp < -tolerance).sum()),
        n_violated=len(counted),
        n_kinks=n_kinks,
    )


def eigenmodes(problem: Landscape, x: Vector) -> tuple[Vector, Vector]:
    """Return the eigenvalues ``(n_dof,)`` of ``H`` and its modes as rows ``(n_dof, n_dof)``.

    Eigenvalues ascend, and the symmetries are exact zeros among them.

    Raises
    ------
    ValueError
        If ``n_dof`` is too large for a dense matrix.

    Examples
    --------
    Two discs at nine tenths of their contact move against each other, across and along:

    >>> from particles import Discs
    >>> pair = Discs(np.ones(2), np.array([5.0, 5.0]))
    >>> values, modes = eigenmodes(pair, np.array([1.0, 1.0, 1.9, 1.0]))
    >>> values.round(6) + 0.0
    array([-0.222222,  0.      ,  0.      ,  2.      ])
    >>> abs(modes[3]).round(6)
    array([0.707107, 0.      , 0.707107, 0.      ])
    """
    values, columns = linalg.eigh(_project(hessian(problem, x), problem.zero_modes(x)))
    return values, columns.T


def jacobian_rank(problem: ConstraintProblem, x: Vector) -> int:
    """Return the rank of ``∂Δ_μ/∂x`` over all constraints, violated or not.

    For a network it is the effective number of parameters: the directions in which its output can
    change to first order on the patterns that it is given.

    Examples
    --------
    Three patterns in the plane cannot constrain the angle of a perceptron more than once:

    >>> from particles import Perceptron
    >>> problem = Perceptron(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), sigma=0.0)
    >>> jacobian_rank(problem, np.array([0.5, 1.0]))
    1
    """
    jacobian = dense(problem.gap_jacobian(x))
    gram = jacobian.T @ jacobian if len(jacobian) > problem.n_dof else jacobian @ jacobian.T
    values = linalg.eigvalsh(gram)
    return int((values > len(gram) * np.finfo(np.float64).eps * values[-1]).sum())


def participation_ratio(modes: Vector, body_size: int = 1) -> Vector:
    """Return ``(Σ_i e_i²)² / (n Σ_i e_i⁴)`` of each mode, over bodies of ``body_size`` variables.

    ``modes`` is ``(k, n_dof)``; the result ``(k,)`` is 1 for a mode that moves all ``n`` bodies
    alike and ``1/n`` for one that moves a single body.

    Examples
    --------
    >>> participation_ratio(np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 2.0]]), body_size=2)
    array([1. , 0.5])
    """
    weights = (modes.reshape(len(modes), -1, body_size) ** 2).sum(axis=2)
    fourth = weights.shape[1] * (weights**2).sum(axis=1)
    return np.asarray(weights.sum(axis=1) ** 2 / fourth)


def rounding(matrix: Vector) -> float:
    """Return the size below which an eigenvalue of ``matrix`` cannot be told from zero."""
    return 4 * len(matrix) * float(np.finfo(np.float64).eps * np.abs(matrix).sum(axis=1).max())


def _orthonormal(modes: Vector) -> Vector:
    """Return orthonormal rows that span the given ones, restricted modes that vanish left out."""
    if not modes.size:
        return np.zeros((0, modes.shape[1]))
    _, sizes, rows = np.linalg.svd(modes, full_matrices=False)
    return np.asarray(rows[sizes > 1e-10 * sizes.max()])


def _project(matrix: Vector, modes: Vector) -> Vector:
    """Return ``P M P`` with ``P = 1 - ZᵀZ``: the symmetries become exact zeros."""
    if not len(modes):
        return matrix.copy()
    along = modes @ matrix
    inner = along @ modes.T
    mixed = modes.T @ (along - 0.5 * inner @ modes)
    return np.asarray(matrix - mixed - mixed.T)

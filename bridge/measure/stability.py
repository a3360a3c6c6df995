"""Stability of a balanced state: the least curvature of its energy.

Symmetries and frozen bodies are left out: nothing holds those, and nothing has to.
"""

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import eigsh

from bridge.measure.observables import counted_constraints, free_variables, frozen_bodies
from bridge.measure.spectra import DENSE_LIMIT, hessian, rounding
from bridge.protocols import ConstraintProblem, HasHessian, Landscape, Matrix, Vector

# Variables up to which a sparse Hessian is diagonalised as a dense one.
_SMALL = 200


def least_curvature(problem: ConstraintProblem, x: Vector) -> float:
    """Return the lowest eigenvalue of ``H`` at ``x``, ``(n_dof,)``; zero where it is rounding.

    In the units of ``U`` over ``x²``. What leans on a frozen body has no stiffness; ``inf`` if all
    bodies are frozen.

    Raises
    ------
    ValueError
        If the Hessian is dense, and ``n_dof`` too large for it.

    Examples
    --------
    On the sphere, two patterns that cannot both be fitted hold a minimum between them:

    >>> from particles import Perceptron
    >>> problem = Perceptron(np.array([[1.0, 1.0], [1.0, -1.0]]), sigma=2.0)
    >>> round(least_curvature(problem, np.array([1.0, 0.0])), 12)
    4.0
    """
    free = free_variables(problem.n_dof, frozen_bodies(problem, x))
    if not free.any():
        return np.inf
    gaps = problem.gaps(x)
    counted = counted_constraints(problem, x, gaps, free)
    idle = np.setdiff1d(np.flatnonzero(gaps > 0), counted)
    leaning = problem.gap_jacobian(x, idle)
    columns = np.flatnonzero(free)
    matrix = (_hessian(problem, x) - leaning.T @ leaning)[columns][:, columns]
    modes = problem.zero_modes(x)[:, free]
    # A leaning contact also has a prestress: its overlap, of the size of the forces' tolerance.
    left = 10.0 * float(gaps[idle] @ np.asarray((leaning * leaning).sum(axis=1)))
    if not sparse.issparse(matrix):
        value, flat = lowest_eigenvalue(stiffened(matrix, modes)), rounding(matrix)
    else:
        stiff = problem.gap_jacobian(x, counted)[:, columns]
        value, flat = _lowest_sparse(matrix, stiff, modes)
    return 0.0 if abs(value) <= flat + left else value


def is_within_reach(problem: Landscape) -> bool:
    """Tell whether `least_curvature` can be computed: the Hessian is the system's, or not large."""
    return isinstance(problem, HasHessian) or problem.n_dof <= DENSE_LIMIT


def objection(n_constraints: int, lowest: float | None) -> str:
    """Return why a balanced state is not jammed; empty if nothing speaks against it.

    Parameters
    ----------
    n_constraints
        Violated constraints that act on no frozen body.
    lowest
        The least curvature, None where something else has told that the state is a minimum.
    """
    if not n_constraints:
        return "no violated constraint holds anything: this is not a jammed state"
    if lowest is not None and lowest < 0.0:
        return f"a curvature of {lowest:.1e} is negative: this is not a minimum"
    return ""


def _hessian(problem: ConstraintProblem, x: Vector) -> Matrix:
    """Return ``H`` as the system gives it: sparse where it is large and the system's own is."""
    if isinstance(problem, HasHessian) and problem.n_dof > _SMALL:
        return problem.hessian(x)
    return hessian(problem, x)


def stiffened(matrix: Vector, modes: Vector) -> Vector:
    """Return a Hessian ``(n, n)`` with the symmetries ``modes``, ``(k, n)``, made stiff."""
    return np.asarray(matrix + float(np.abs(np.diag(matrix)).max()) * modes.T @ modes)


def lowest_eigenvalue(matrix: Vector) -> float:
    """Return the lowest eigenvalue of a symmetric matrix ``(n, n)``."""
    return float(linalg.eigvalsh(matrix, subset_by_index=[0, 0], check_finite=False)[0])


def _lowest_sparse(
    matrix: sparse.csr_array, jacobian: sparse.csr_array, modes: Vector
) -> tuple[float, float]:
    """Return the lowest eigenvalue but those of the symmetries, and the size of its rounding.

    None lies below minus the norm of the prestress ``H - JᵀJ``: from there they are found in order.
    """
    flat = 4 * matrix.shape[0] * float(np.finfo(float).eps * abs(matrix).sum(axis=1).max())
    below = -float(abs(matrix - jacobian.T @ jacobian).sum(axis=1).max()) - flat
    count = min(len(modes) + 1, matrix.shape[0] - 1)
    start = np.random.default_rng(0).standard_normal(matrix.shape[0])
    values = eigsh(
        matrix.tocsc(), k=count, sigma=below, which="LM", v0=start, return_eigenvectors=False
    )
    values = np.sort(values)
    zeros = np.argsort(np.abs(values))[: len(modes)]
    return float(np.delete(values, zeros)[0]), flat

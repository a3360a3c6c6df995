"""Jamming points at which curvature fixes what the constraints leave free.

Fewer than ``n + 1`` constraints can hold a state if their boundaries curve towards it: ellipses,
or a perceptron of positive margin. To first order such a state can still move, so that linear
programs slide away from it. Stationarity of the Lagrangian ``t - Σ λ Δ`` needs the curvature

    L = Σ_μ λ_μ ∇²Δ_μ

which the Hessian of the energy shows: where ``Δ = δ λ`` with ``δ -> 0``, ``L = (H - JᵀJ)/δ``.
"""

from typing import Any

import numpy as np
from scipy import linalg, sparse

from bridge.jamming.certificate import Candidate, certify, settled
from bridge.jamming.factor import Factor, SingularError
from bridge.jamming.linearised import Linearised, P
from bridge.jamming.loose_bodies import make_room
from bridge.measure.observables import dense
from bridge.protocols import Indices, Mask, Matrix, Vector

# Overlaps, in units of the forces, at which the curvature is read off the Hessian: the error of
# the difference is their size, its rounding 1e-16 over it.
_OVERLAP = 1e-7
_BLOCK = 256
# Ratio of the residuals of two steps above which the curvature is computed afresh.
_SLOW = 0.05
# Variables up to which the curvature of the free motions is diagonalised.
_DENSE_LIMIT = 4000


def curved_optimum(
    here: Linearised[P], rows: Indices, max_step: float, max_steps: int = 50
) -> Candidate[P]:
    """Solve ``Σ λ ∇Δ = 0`` and ``Δ = 0`` by Newton's method from a minimum of small overlaps.

    Constraints that become violated join the active ones, and those whose force turns negative
    leave.

    Parameters
    ----------
    here
        The minimum, whose overlaps are proportional to the forces.
    rows
        Its contacts.
    max_step
        Largest change of a variable in one step.
    max_steps
        Steps after which to give up.

    Raises
    ------
    SingularError
        If curvature does not fix what the constraints leave free, or there is no overlap.
    """
    held = here.columns_of(rows)
    overlaps = here.gaps[rows]
    if not (overlaps > 0.0).all():
        raise SingularError("expected a minimum whose contacts overlap, to read curvature from")
    forces = overlaps / float(overlaps @ here.tightening[rows])
    curvature = _curvature(here, float(overlaps @ here.tightening[rows]))
    residual, exchanges = np.inf, 0
    for step in range(1, max_steps + 1):
        equations = _Equations(here, rows, held, curvature)
        u, t, forces = equations.solve(np.zeros(len(rows)))
        revised = _revised(here, rows, held, forces, here.predicted(u, t))
        if not np.array_equal(revised, rows):
            rows, exchanges = revised, exchanges + 1
            continue
        if (longest := float(np.abs(u).max())) > max_step:
            reason = f"a step of {longest:.1e} is too long"
            return Candidate(here, rows, forces, reason, None, step, exchanges)
        there = make_room(here.moved(u, t), held)
        rows, here = here.follow(rows, there), there
        before, residual = residual, _residual(here, rows, forces)
        ended = settled(residual, before)
        if ended or residual > _SLOW * before:
            curvature = _refreshed(_Equations(here, rows, held, curvature), forces)
        if ended:
            return _end(here, rows, held, curvature, step, exchanges)
    reason = f"gaps or forces are off by {residual:.1e} after {max_steps} steps"
    return Candidate(here, rows, forces, reason, None, max_steps, exchanges)


class _Equations:
    """Newton's equations for ``Σ λ ∇Δ = 0``, ``Δ = goal`` and ``ℓ·λ = 1``.

    L u + Jᵀ λ = 0,    J u + ℓ t = goal - Δ,    ℓᵀ λ = 1
    """

    def __init__(self, here: Linearised[Any], rows: Indices, held: Mask, curvature: Matrix) -> None:
        self.here, self.rows = here, rows
        self.columns = here.free_of_symmetries(held)
        jacobian = here.jacobian[rows][:, self.columns]
        load = here.tightening[rows][:, None]
        block = curvature[self.columns][:, self.columns]
        if sparse.issparse(jacobian):
            load = sparse.csr_array(load)
            parts = [[block, jacobian.T, None], [jacobian, None, load], [None, load.T, None]]
            self.factor = Factor(sparse.block_array(parts, format="csr"))
        else:
            m, n = jacobian.shape
            matrix = np.zeros((n + m + 1, n + m + 1))
            matrix[:n, :n] = block
            matrix[n : n + m, :n], matrix[:n, n : n + m] = jacobian, jacobian.T
            matrix[n : n + m, -1:], matrix[-1:, n : n + m] = load, load.T
            self.factor = Factor(matrix)

    def solve(self, goal: Vector) -> tuple[Vector, float, Vector]:
        """Return ``u (n_dof,)``, ``t`` and ``λ``."""
        n, m = len(self.columns), len(self.rows)
        right = np.zeros(n + m + 1)
        right[n : n + m] = goal - self.here.gaps[self.rows]
        right[-1] = 1.0
        solution = self.factor.solve(right)
        u = np.zeros(self.here.problem.n_dof)
        u[self.columns] = solution[:n]
        return u, float(solution[-1]), solution[n : n + m]


def _curvature(here: Linearised[Any], scale: float) -> Matrix:
    """Return ``(H - JᵀJ)/scale`` over all variables, as dense or sparse as ``J`` is."""
    violated = np.flatnonzero(here.gaps > 0.0)
    jacobian = here.jacobian[violated]
    n = here.problem.n_dof
    blocks = []
    for start in range(0, n, _BLOCK):
        directions = np.eye(min(_BLOCK, n - start), n, start)
        rows = here.problem.hvp(here.x, directions)
        blocks.append(sparse.csr_array(rows) if sparse.issparse(jacobian) else rows)
    stack = sparse.vstack(blocks, "csr") if sparse.issparse(jacobian) else np.vstack(blocks)
    return (stack - jacobian.T @ jacobian) / scale


def _refreshed(equations: _Equations, forces: Vector) -> Matrix:
    """Return the curvature at a state nearby where the overlaps are ``δ λ``."""
    here, rows = equations.here, equations.rows
    others = np.delete(here.gaps, rows)
    overlap = min(_OVERLAP / forces.max(), max(-0.1 * float(others.max(initial=-1.0)), 1e-12))
    u, t, _ = equations.solve(overlap * forces)
    there = here.moved(u, t)
    rows = here.follow(rows, there)
    return _curvature(there, float(there.gaps[rows] @ there.tightening[rows]))


def _revised(
    here: Linearised[Any], rows: Indices, held: Mask, forces: Vector, gaps: Vector
) -> Indices:
    """Leave out the most negative force, or else add the constraint violated most."""
    if forces.min() < 0.0:
        return np.delete(rows, np.argmin(forces))
    idle = here.rows_within(held)
    idle[rows] = False
    worst = int(np.argmax(np.where(idle, gaps, -np.inf)))
    if idle.any() and gaps[worst] > 1e-13:
        return np.append(rows, worst)
    return rows


def _residual(here: Linearised[Any], rows: Indices, forces: Vector) -> float:
    """Return how far gaps are from zero, or forces from balance in hundredths of their mean."""
    balance = np.abs(here.jacobian[rows].T @ forces).max() / forces.mean()
    return float(max(np.abs(here.gaps[rows]).max(), 1e-2 * balance))


def _end(
    here: Linearised[P], rows: Indices, held: Mask, curvature: Matrix, steps: int, exchanges: int
) -> Candidate[P]:
    equations = _Equations(here, rows, held, curvature)
    _, _, forces = equations.solve(np.zeros(len(rows)))
    certificate = certify(
        here,
        rows,
        forces,
        held,
        n_free_motions=len(equations.columns) - len(rows) + 1,
        condition=equations.factor.condition(),
        curvature=_least_curvature(here, rows, forces, held, curvature),
    )
    return Candidate(here, rows, forces, "", certificate, steps, exchanges)


def _least_curvature(
    here: Linearised[Any], rows: Indices, forces: Vector, held: Mask, curvature: Matrix
) -> float | None:
    """Return the smallest eigenvalue of ``L`` on the motions that the constraints leave free.

    One constraint is redundant, ``Σ λ J = 0``, and is left out.
    """
    variables = np.flatnonzero(held)
    if len(variables) > _DENSE_LIMIT:
        return None
    independent = dense(here.jacobian[np.delete(rows, np.argmax(forces))][:, variables])
    fixed = np.vstack([independent, here.modes[:, variables]])
    directions, _ = linalg.qr(fixed.T)
    free = directions[:, len(fixed) :]
    if not free.shape[1]:
        return None
    values = linalg.eigvalsh(free.T @ dense(curvature[variables][:, variables]) @ free)
    return float(values[0])

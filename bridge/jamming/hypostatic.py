"""Jamming points at which curvature fixes what the constraints leave free.

Fewer than ``n + 1`` constraints can hold a state if their boundaries curve towards it: ellipses,
or a perceptron of positive margin. To first order such a state can still move, so that linear
programs slide away from it. Stationarity of the Lagrangian ``t - Σ λ Δ`` needs the curvature

    L = Σ_μ λ_μ ∇²Δ_μ

which the Hessian of the energy shows where a problem does not form it: at ``Δ = δ λ`` with
``δ -> 0``, ``L = (H - JᵀJ)/δ``.
"""

from dataclasses import dataclass, replace
from typing import Any, Generic

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from bridge.jamming.bordered import Bordered
from bridge.jamming.certificate import Candidate, certify, settled
from bridge.jamming.factor import Factor, SingularError
from bridge.jamming.linearised import Linearised, P
from bridge.jamming.optimum import Optimum
from bridge.jamming.path import optimal_motion
from bridge.jamming.self_stress import balanced_forces, independent_contacts
from bridge.jamming.trust import Trust, corrected, fulfilled
from bridge.measure.observables import dense
from bridge.protocols import Indices, Mask, Matrix, Vector

# Overlaps, in units of the forces, at which the curvature is read off the Hessian: the error of
# the difference is their size, its rounding 1e-16 over it.
_OVERLAP = 1e-7
_BLOCK = 256
# Ratio of the residuals of two steps above which the curvature is computed afresh.
_SLOW = 0.05
# Free motions of a sparse problem up to which their curvature is diagonalised.
_FEW_FREE = 20
# Of such eigenvalues, beside the largest of their inverse.
_PRECISION = 1e-6
# Exchanges of active constraints that are allowed however few these are.
_LEAST_EXCHANGES = 100
# A force this small beside the mean is none.
_NO_FORCE = 1e-9
# Steps after which to give up if gaps and forces come no closer.
_PATIENCE = 60
# Part of the way below which a step that ends at an instability is not made.
_LEAST_PART = 0.02


def curved_optimum(
    here: Linearised[P],
    rows: Indices,
    max_step: float,
    forces: Vector | None = None,
    max_steps: int = 500,
) -> Candidate[P]:
    """Solve ``Σ λ ∇Δ = 0`` and ``Δ = 0`` by Newton's method from a minimum.

    Each step follows the optimum of the linearised problem with its curvature from the overlaps of
    the minimum to none (`bridge.jamming.path`), exchanging active constraints on the way, and is
    corrected for the second order of the gaps. Where the state is not stable it slides: the
    curvature is damped (Levenberg and Marquardt), and steps have to raise the load.

    Parameters
    ----------
    here
        The minimum, or a state close to the jamming point.
    rows
        Its contacts, and the kinks that hold it.
    max_step
        Largest change of a variable in one step.
    forces
        Forces of the contacts that all but balance; by default their overlaps in the minimum.
    max_steps
        Steps after which to give up.

    Raises
    ------
    SingularError
        If curvature does not fix what the constraints leave free, or there is no overlap.
    """
    held = here.columns_of(rows)
    place = _start(here, rows, held, forces)
    trust = Trust(max_step)
    residual, least, last, exchanges = np.inf, np.inf, 0, 0
    for step in range(1, max_steps + 1):
        if step - last > _PATIENCE:
            return place.candidate(f"gaps or forces stay off by {least:.1e}", step, exchanges)
        place, best = _followed(place, held, trust)
        exchanges += best.exchanges if best else 0
        if best is None or best.reason:
            if not trust.damps():
                reason = best.reason if best else "neither constraints nor curvature fix the state"
                return place.candidate(reason, step, exchanges)
            if best is None or best.part < _LEAST_PART:
                continue
        there, rise = corrected(best, held, max_step)
        if not trust.accepts(fulfilled(best, there, rise), best):
            continue
        place, before = _arrived(best, there, place.curvature), residual
        residual = _residual(place)
        if residual < 0.9 * least:
            least, last = residual, step
        if best.part == 1.0 and settled(residual, before):
            return replace(_end(_loaded(place), held), steps=step, exchanges=exchanges)
        if place.here.smooth is None and residual > _SLOW * before:
            place = _refreshed(place, held)
    reason = f"gaps or forces are off by {residual:.1e} after {max_steps} steps"
    return place.candidate(reason, max_steps, exchanges)


@dataclass(frozen=True, eq=False)
class _Place(Generic[P]):
    """Where the iteration is: its active ``rows`` and their forces, and ``Σ λ ∇²Δ``."""

    here: Linearised[P]
    rows: Indices
    forces: Vector
    curvature: Matrix

    def candidate(self, reason: str, steps: int, exchanges: int) -> Candidate[P]:
        """Return it as where the iteration ended for some ``reason``."""
        return Candidate(self.here, self.rows, self.forces, reason, None, steps, exchanges)


def _start(here: Linearised[P], rows: Indices, held: Mask, forces: Vector | None) -> _Place[P]:
    """Return where to start: forces are the overlaps, and contacts in excess are left out."""
    overlaps = here.initial_forces(rows) if forces is None else forces
    if forces is None and not (here.gaps[rows[rows < here.n_gaps]] > 0.0).all():
        if here.smooth is None:
            raise SingularError("expected a minimum whose contacts overlap, to read curvature from")
        overlaps = balanced_forces(here, rows, held)
    curvature = _curvature(here, rows, overlaps)
    forces = overlaps / float(overlaps @ here.tightening[rows])
    return _Place(*independent_contacts(here, rows, forces, held), curvature)


def _followed(place: _Place[P], held: Mask, trust: Trust) -> tuple[_Place[P], Optimum[P] | None]:
    """Return the optimum of the linearised problem; None if the equations have no solution.

    Constraints that were independent may not be so where the motion led: patterns on which a whole
    layer is silent have one output. Those in excess are left out of the place that is returned.
    """
    best = _optimum(place, held, trust)
    if best is None:
        kept = _Place(
            *independent_contacts(place.here, place.rows, place.forces, held), place.curvature
        )
        if len(kept.rows) < len(place.rows):
            return kept, _optimum(kept, held, trust)
    return place, best


def _optimum(place: _Place[P], held: Mask, trust: Trust) -> Optimum[P] | None:
    try:
        best = optimal_motion(
            place.here,
            place.rows,
            place.forces,
            held,
            trust.damped(place.curvature),
            max_step=trust.radius,
            max_exchanges=max(_LEAST_EXCHANGES, len(place.rows)),
        )
    except SingularError:
        return None
    finite = np.isfinite(best.t) and np.isfinite(best.u).all() and np.isfinite(best.forces).all()
    return best if finite else None


def _arrived(best: Optimum[P], there: Linearised[P], curvature: Matrix) -> _Place[P]:
    """Return the place where a motion ended; its curvature is new if the problem forms it."""
    rows = best.here.follow(best.rows, there)
    if there.smooth is not None:
        curvature = there.smooth.curvature(there.x, there.loads(rows, best.forces))
    return _Place(there, rows, best.forces, curvature)


def _loaded(place: _Place[P]) -> _Place[P]:
    """Leave out the constraints that close without a force."""
    loose = np.minimum(place.forces, place.here.room(place.rows, place.forces))
    loaded = loose > _NO_FORCE * place.forces.mean()
    return replace(place, rows=place.rows[loaded], forces=place.forces[loaded])


class _Equations:
    """Newton's equations for ``Σ λ ∇Δ = 0``, ``Δ = goal`` and ``ℓ·λ = 1``.

    L u + Jᵀ λ = 0,    J u + ℓ t = goal - Δ,    ℓᵀ λ = 1
    """

    def __init__(self, here: Linearised[Any], rows: Indices, held: Mask, curvature: Matrix) -> None:
        self.here, self.rows = here, rows
        self.columns = here.free_of_symmetries(held)
        jacobian, load = here.jacobian[rows][:, self.columns], here.tightening[rows]
        block = curvature[self.columns][:, self.columns]
        self.system = Bordered(block, jacobian, load, rows)

    def solve(self, goal: Vector) -> tuple[Vector, float, Vector]:
        """Return ``u (n_dof,)``, ``t`` and ``λ``."""
        n, m = len(self.columns), len(self.rows)
        right = np.concatenate([np.zeros(n), goal - self.here.gaps[self.rows], [1.0]])
        solution = self.system.factor.solve(right)
        u = np.zeros(self.here.problem.n_dof)
        u[self.columns] = solution[:n]
        return u, float(solution[-1]), solution[n : n + m]


def _curvature(here: Linearised[Any], rows: Indices, overlaps: Vector) -> Matrix:
    """Return ``Σ λ ∇²Δ`` over all variables, ``λ`` the ``overlaps`` of ``rows`` with ``ℓ·λ = 1``.

    Where the problem does not form it, it is ``(H - JᵀJ)/(ℓ·overlaps)``, as dense or sparse as
    ``J`` is.
    """
    scale = float(overlaps @ here.tightening[rows])
    if here.smooth is not None:
        return here.smooth.curvature(here.x, here.loads(rows, overlaps / scale))
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


def _refreshed(place: _Place[P], held: Mask) -> _Place[P]:
    """Return the place with its curvature read at a state nearby where the overlaps are ``δ λ``."""
    here, rows, forces = place.here, place.rows, place.forces
    if here.smooth is not None:
        return place
    equations = _Equations(here, rows, held, place.curvature)
    others = np.delete(here.gaps, rows)
    overlap = min(_OVERLAP / forces.max(), max(-0.1 * float(others.max(initial=-1.0)), 1e-12))
    goal = overlap * forces
    u, t, _ = equations.solve(goal)
    there = here.moved(u, t)
    # Soft motions are long: what their second order adds to the overlaps is taken off again.
    u, t, _ = equations.solve(2.0 * goal - there.gaps[here.follow(rows, there)])
    there = here.moved(u, t)
    rows = here.follow(rows, there)
    return replace(place, curvature=_curvature(there, rows, there.gaps[rows]))


def _residual(place: _Place[Any]) -> float:
    """Return how far gaps are from zero, or forces from balance in hundredths of their mean."""
    here, rows, forces = place.here, place.rows, place.forces
    balance = np.abs(here.jacobian[rows].T @ forces).max() / forces.mean()
    return float(max(np.abs(here.gaps[rows]).max(), 1e-2 * balance))


def _end(place: _Place[P], held: Mask) -> Candidate[P]:
    place = _refreshed(place, held)
    here, rows = place.here, place.rows
    equations = _Equations(here, rows, held, place.curvature)
    _, _, forces = equations.solve(np.zeros(len(rows)))
    certificate = certify(
        here,
        rows,
        forces,
        held,
        n_free_motions=len(equations.columns) - len(rows) + 1,
        condition=equations.system.factor.condition(),
        curvature=_least_curvature(here, rows, forces, held, place.curvature),
    )
    return Candidate(here, rows, forces, "", certificate)


def _least_curvature(
    here: Linearised[Any], rows: Indices, forces: Vector, held: Mask, curvature: Matrix
) -> float | None:
    """Return the smallest eigenvalue of ``L`` on the motions that the constraints leave free.

    One constraint is redundant, ``Σ λ J = 0``, and is left out.
    """
    variables = np.flatnonzero(held)
    independent = here.jacobian[np.delete(rows, np.argmax(forces))][:, variables]
    modes = here.modes[:, variables]
    modes = modes[modes.any(axis=1)]
    inner = curvature[variables][:, variables]
    n_free = len(variables) - independent.shape[0] - len(modes)
    if n_free <= 0:
        return None
    if sparse.issparse(independent) and n_free > _FEW_FREE:
        return _least_of_many(inner, sparse.vstack([independent, sparse.csr_array(modes)]))
    directions, _ = linalg.qr(np.vstack([dense(independent), modes]).T)
    free = directions[:, -n_free:]
    return float(linalg.eigvalsh(free.T @ dense(inner) @ free)[0])


def _least_of_many(curvature: Matrix, fixed: Matrix) -> float | None:
    """Return the smallest eigenvalue on the null space of sparse ``fixed``, by Lanczos' method.

    ``[L Fᵀ; F 0]⁻¹`` has on the null space of ``F`` the inverse eigenvalues, and zeros elsewhere.
    None where it does not exist, since an eigenvalue vanishes, or is not found.
    """
    n, m = fixed.shape[1], fixed.shape[0]
    try:
        factor = Factor(sparse.block_array([[curvature, fixed.T], [fixed, None]], format="csr"))
    except SingularError:
        return None
    start = np.random.default_rng(0).standard_normal(n)

    def largest(shift: float) -> float:
        """Return the eigenvalue of the inverse, less the shift, that is largest in size."""
        shifted = LinearOperator(
            (n, n),
            lambda v: factor.solve(np.append(v.ravel(), np.zeros(m)))[:n] - shift * v.ravel(),
            dtype=np.float64,
        )
        return float(eigsh(shifted, k=1, v0=start, tol=_PRECISION, return_eigenvectors=False)[0])

    try:
        highest = largest(0.0)
        lowest = highest if highest < 0.0 else largest(highest) + highest
    except ArpackNoConvergence:
        return None
    return 1.0 / (lowest if lowest < -_PRECISION * highest else highest)

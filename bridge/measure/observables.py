"""Observables: counts and scalars of a state, the same for every system."""

from dataclasses import dataclass, replace
from typing import overload

import numpy as np
from scipy import sparse

from bridge.protocols import (
    ConstraintProblem,
    End,
    HasBodies,
    HasFrozenBodies,
    HasGapNames,
    HasMarginal,
    HasSprings,
    HasTightening,
    HasZero,
    Indices,
    Mask,
    Matrix,
    Restricted,
    Vector,
    state_of,
)

_ROUNDING = 1e-10  # of the largest slope of a gap: a smaller one is none
# Growth of the load by which constraints with Δ = 0 are violated, to be counted.
_TOUCH = 1e-10


@dataclass(frozen=True)
class Observables:
    """Counts and scalars of one state ``x``.

    Attributes
    ----------
    n_dof
        Raw number of variables.
    n_symmetries
        Continuous symmetries of the constraints that move bodies which are not frozen.
    n_frozen
        Frozen bodies: rattlers, or dead hidden units.
    n
        Effective degrees of freedom: variables of the bodies that are not frozen, less the
        symmetries.
    n_constraints
        ``N_Δ``, violated constraints that act on no frozen body; 0 in a satisfied state.
    n_isostatic
        ``n + 1``: as many constraints as degrees of freedom, and one self-stress.
    energy
        ``U = ½ Σ max(Δ, 0)²``, extensive.
    pressure
        ``Σ max(Δ, 0) / n``.
    max_residual
        Largest ``|∂U/∂x_i|``.
    min_force
        Weakest violation ``min Δ > 0`` among the counted constraints; None if there is none.
    smallest_gap
        Smallest satisfied margin ``min -Δ`` over ``Δ < 0``; None if there is none.
    coordination
        ``Z = 2 N_c / N'`` of a packing: two ends of each contact over the bodies that are not
        rattlers. None for other systems.
    n_marginal
        Constraints with ``Δ = 0`` of a minimum of the linear hinge; None for other states. They
        are among the ``n_constraints``, and alone fix motions, so that ``n_isostatic`` is ``n``;
        ``energy`` is ``Σ max(Δ, 0)``, ``min_force`` the weakest force of one, and
        ``max_residual`` that of the balance with forces of 1 where violated.
    """

    n_dof: int
    n_symmetries: int
    n_frozen: int
    n: int
    n_constraints: int
    n_isostatic: int
    energy: float
    pressure: float
    max_residual: float
    min_force: float | None
    smallest_gap: float | None
    coordination: float | None = None
    n_marginal: int | None = None

    @property
    def constraint_ratio(self) -> float:
        """``N_Δ / N``, zero where no degree of freedom is left."""
        return self.n_constraints / self.n if self.n else 0.0


@overload
def observe(problem: ConstraintProblem, x: Vector) -> Observables: ...


@overload
def observe(problem: End[ConstraintProblem]) -> Observables: ...


def observe(
    problem: ConstraintProblem | End[ConstraintProblem], x: Vector | None = None
) -> Observables:
    """Measure the end of a minimisation, or the state ``x``, ``(n_dof,)``, of a problem.

    A satisfied state counts no constraint: a descent approaches ``Δ = 0`` from above, and what it
    leaves is less than its system takes for a violation; see `bridge.protocols.HasZero`.

    Examples
    --------
    A perceptron of two components has one degree of freedom, its angle. Between the patterns
    ``±e_1`` both are violated by the margin, and the forces balance:

    >>> from particles import Perceptron
    >>> problem = Perceptron(np.array([[1.0, 0.0], [-1.0, 0.0]]), sigma=0.5)
    >>> seen = observe(problem, np.array([0.0, 2**0.5]))
    >>> seen.n, seen.n_constraints, seen.n_isostatic
    (1, 2, 2)
    >>> seen.energy, seen.pressure, seen.max_residual
    (0.25, 1.0, 0.0)
    """
    if isinstance(problem, HasMarginal):
        return _observe_marginal(*state_of(problem, x), problem.marginal, problem.forces)
    problem, x = state_of(problem, x)
    gaps = problem.gaps(x)
    energy, gradient = problem.energy_gradient(x)
    bodies = frozen_bodies(problem, x)
    free = free_variables(problem.n_dof, bodies)
    n_symmetries = _rank(symmetries(problem, x)[:, free])
    n = int(free.sum()) - n_symmetries
    counted = counted_constraints(problem, x, gaps, free)
    forces, margins = gaps[counted], -gaps[gaps < 0]
    return Observables(
        n_dof=problem.n_dof,
        n_symmetries=n_symmetries,
        n_frozen=len(bodies),
        n=n,
        n_constraints=len(counted),
        n_isostatic=n + 1,
        energy=energy,
        pressure=float(np.maximum(gaps, 0).sum() / n) if n else 0.0,
        max_residual=float(np.abs(gradient).max()),
        min_force=float(forces.min()) if forces.size else None,
        smallest_gap=float(margins.min()) if margins.size else None,
        coordination=coordination(problem, len(bodies), len(counted)),
    )


def _observe_marginal(
    problem: ConstraintProblem, x: Vector, marginal: Indices, forces: Vector
) -> Observables:
    """Count what a minimum of the linear hinge rests on: marginal constraints touch, and hold."""
    touching = touched(problem) if len(marginal) else problem
    seen, gaps = observe(touching, x), problem.gaps(x)
    pulls = (gaps > 0.0).astype(np.float64)
    pulls[marginal] = forces
    rows = np.flatnonzero(pulls)
    count = seen.n_constraints
    if len(marginal):  # and not what is open by less than it was tightened
        free = free_variables(problem.n_dof, frozen_bodies(touching, x))
        count = len(backbone_rows(problem, x, rows, free))
    violations = np.maximum(np.delete(gaps, marginal), 0.0)
    margins = -np.delete(gaps, marginal)
    return replace(
        seen,
        n_constraints=count,
        n_isostatic=seen.n,
        coordination=coordination(problem, seen.n_frozen, count),
        energy=float(violations.sum()),
        pressure=float(violations.sum() / seen.n) if seen.n else 0.0,
        max_residual=float(np.abs(pulls[rows] @ problem.gap_jacobian(x, rows)).max(initial=0.0)),
        min_force=float(forces.min()) if forces.size else None,
        smallest_gap=float(margins[margins > 0.0].min()) if (margins > 0.0).any() else None,
        n_marginal=len(marginal),
    )


def touched(problem: ConstraintProblem) -> ConstraintProblem:
    """Return the problem tightened until constraints with ``Δ = 0`` are violated, if it can be."""
    return problem.tightened(_TOUCH) if isinstance(problem, HasTightening) else problem


def coordination(problem: ConstraintProblem, n_frozen: int, n_constraints: int) -> float | None:
    """Return ``Z = 2 N_c / N'`` of a packing, 0 where no body is held; None of other systems."""
    if not isinstance(problem, HasBodies):
        return None
    touching = problem.n_bodies - n_frozen
    own = problem.springs_per_body * touching if isinstance(problem, HasSprings) else 0
    return 2 * max(n_constraints - own, 0) / touching if touching else 0.0


def frozen_bodies(problem: ConstraintProblem, x: Vector) -> list[Indices]:
    """Return the variables of each frozen body; no body can freeze unless the system says so."""
    return problem.frozen(x) if isinstance(problem, HasFrozenBodies) else []


def free_variables(n_dof: int, bodies: list[Indices]) -> Mask:
    """Return the mask ``(n_dof,)`` of the variables that belong to no frozen body."""
    free = np.ones(n_dof, dtype=bool)
    for body in bodies:
        free[body] = False
    return free


def symmetries(problem: ConstraintProblem, x: Vector) -> Vector:
    """Return tangents along which no gap changes but by the surface that ``x`` is held on.

    They are the zero modes, and those of the system without that surface, ``(k, n_dof)``: no
    constraint has to resist them. Not orthonormal, nor independent.
    """
    modes = problem.zero_modes(x)
    if isinstance(problem, Restricted):
        free, state = problem.unrestricted(x)
        modes = np.concatenate([modes, symmetries(free, state)])
    return modes


def satisfied(problem: ConstraintProblem, gaps: Vector) -> bool:
    """Tell whether ``gaps``, ``(m,)``, are those of a state that satisfies all constraints."""
    if isinstance(problem, HasZero):
        return problem.satisfied(gaps)
    return not bool((gaps > 0).any())


def counted_constraints(problem: ConstraintProblem, x: Vector, gaps: Vector, free: Mask) -> Indices:
    """Return the rows of ``N_Δ``: violated, acting on no frozen body; none if satisfied."""
    violated = np.flatnonzero((gaps > 0) & (not satisfied(problem, gaps)))
    return backbone_rows(problem, x, violated, free)


def backbone_gaps(
    problem: ConstraintProblem, x: Vector, touching: ConstraintProblem | None = None
) -> Vector:
    """Return the gaps that act on no frozen body: a rattler's are wherever it happens to lie.

    Those that a satisfied state leaves above zero are closed, 0, and not violated. Where bodies
    are held by gaps that vanish to rounding, the frozen ones are those of the problem ``touching``.
    """
    gaps = problem.gaps(x)
    free = free_variables(problem.n_dof, frozen_bodies(touching or problem, x))
    if satisfied(problem, gaps):
        gaps = np.minimum(gaps, 0.0)
    return gaps[backbone_rows(problem, x, np.arange(gaps.size), free)]


def backbone_rows(problem: ConstraintProblem, x: Vector, rows: Indices, free: Mask) -> Indices:
    """Return those of the constraints ``rows`` that act on no frozen body.

    Whatever their sign: on the way to a jamming point overlaps may be as small as they like.
    """
    if free.all() or not rows.size:
        return rows
    return rows[~_touches(plain_jacobian(problem, x, rows), ~free)]


def plain_jacobian(problem: ConstraintProblem, x: Vector, rows: Indices | None = None) -> Matrix:
    """Return ``∂Δ_μ/∂x`` before any projection: zero where a constraint does not act."""
    if isinstance(problem, Restricted):
        return plain_jacobian(*problem.unrestricted(x), rows)
    return problem.gap_jacobian(x, rows)


def gap_names(problem: ConstraintProblem, x: Vector) -> Indices:
    """Return the permanent name of each gap, ``(m, k)``: its place, unless the system says other.

    A packing lists near pairs only; a perceptron or a network lists all patterns always.
    """
    if isinstance(problem, HasGapNames):
        return problem.gap_names(x)
    return np.arange(len(problem.gaps(x)), dtype=np.intp)[:, None]


def places_of(names: Indices, known: Indices) -> Indices:
    """Return the place of each of ``names`` ``(m, k)`` in the list ``known``; -1 if it has none."""
    if not len(names) or not len(known):
        return np.full(len(names), -1, dtype=np.intp)
    low = np.minimum(names.min(axis=0), known.min(axis=0))
    spans = np.maximum(names.max(axis=0), known.max(axis=0)) - low + 1
    weights = np.concatenate([np.cumprod(spans[:0:-1])[::-1], [1]])
    wanted, listed = (names - low) @ weights, (known - low) @ weights
    order = np.argsort(listed)
    place = order[np.minimum(np.searchsorted(listed, wanted, sorter=order), len(listed) - 1)]
    return np.where(listed[place] == wanted, place, -1)


def _touches(jacobian: Matrix, columns: Mask) -> Mask:
    """Tell for each row whether it acts on one of the ``columns``, by more than rounding.

    A pattern acts on a unit whose weights have vanished by what rounding left of them.
    """
    sizes = abs(jacobian)
    least = _ROUNDING * dense(sizes.max(axis=1)).ravel()
    return dense(sizes[:, np.flatnonzero(columns)].max(axis=1)).ravel() > least


def _rank(rows: Vector) -> int:
    return int(np.linalg.matrix_rank(rows)) if rows.size else 0


def dense(matrix: Matrix) -> Vector:
    """Return the matrix as a dense array."""
    return matrix.toarray() if isinstance(matrix, sparse.sparray) else np.asarray(matrix)

"""The certificate of a jamming point: residuals, counts and signs, from the problem alone."""

from dataclasses import dataclass
from typing import Generic

import numpy as np

from bridge.jamming.linearised import Linearised, P
from bridge.protocols import HasKinks, Indices, Mask, Vector

# A gap this small is closed.
CLOSED = 1e-12


@dataclass(frozen=True)
class Certificate:
    """Residuals and counts of a jamming point.

    ``t`` cannot grow, to first order, if constraints that hold exactly balance each other with
    positive forces. The point is a strict local maximum if these constraints, ``n + 1`` of them
    and independent but for their one self-stress, fix all ``n`` variables; or else if the
    curvature of ``Σ λ Δ`` resists every motion that they leave free. Kinks that are held count as
    constraints (`bridge.protocols.HasKinks`).

    Attributes
    ----------
    primal_residual
        Largest ``|Δ|`` of an active constraint, or ``|z|`` of a kink that is held.
    violation
        Largest ``Δ`` of the others, zero if none is violated.
    dual_residual
        Largest ``|Σ_μ λ_μ ∂Δ_μ/∂x_i|``, in units of the mean force.
    min_force
        Weakest force, or what that of a kink is short of its bound, in units of the mean force.
    margin
        Smallest ``-Δ`` of the constraints that are not closed; None if there are none.
    n_redundant
        Constraints that are closed, but whose force is not needed: they close by geometry alone,
        as the last of the twelve contacts of seven equal discs in a hexagon. Each is one more
        state of self-stress, and leaves the forces around it undetermined.
    n_constraints, n_kinks, n
        Active constraints, kinks that are held beside them, and degrees of freedom: variables that
        they hold, less symmetries.
    n_isostatic
        ``n + 1``, to be compared with ``n_constraints + n_kinks``.
    n_self_stresses
        Independent balanced sets of forces on constraints and kinks: their number less ``rank J``.
    n_free_motions
        Motions that they leave free to first order, ``n - rank J``.
    condition
        Condition number of the equations solved, 1-norm.
    curvature
        Smallest curvature of ``Σ λ Δ``, with ``ℓ·λ = 1``, along the free motions and along those
        that only a surface resists; None if there are none.
    n_surface
        Symmetries of the constraints that the surface resists on which the state is held, such as
        the rescalings of rectifiers at a norm that is held; they are not among the ``n``.
    concave
        Smallest ``|z|`` of a concave kink of an active constraint, which holds nothing: the load
        could grow across it. None if there is none.
    """

    primal_residual: float
    violation: float
    dual_residual: float
    min_force: float
    margin: float | None
    n_redundant: int
    n_constraints: int
    n: int
    n_self_stresses: int
    n_free_motions: int
    condition: float
    curvature: float | None = None
    n_kinks: int = 0
    n_surface: int = 0
    concave: float | None = None

    @property
    def n_isostatic(self) -> int:
        """The count at which constraints equal degrees of freedom, self-stress included."""
        return self.n + 1

    @property
    def isostatic(self) -> bool:
        """Tell whether there is one self-stress and no free motion."""
        return self.n_self_stresses == 1 and self.n_free_motions == 0

    def flaw(self, tolerance: float = CLOSED) -> str:
        """Return what is missing for a strict local maximum of the load; empty if nothing is.

        Gaps must hold to ``tolerance``, and forces balance beside their mean to a hundred times
        that: they carry the rounding of the derivatives.
        """
        primal, violation, dual = self.primal_residual, self.violation, self.dual_residual
        resisted = self.curvature is not None and self.curvature > 0.0
        checks = (
            (primal <= tolerance, f"active gaps are off by {primal:.1e}"),
            (violation <= tolerance, f"a constraint is violated by {violation:.1e}"),
            (dual <= 1e2 * tolerance, f"forces are off balance by {dual:.1e}"),
            (self.min_force > 1e-9, f"a force is {self.min_force:.1e} of the mean"),
            (self.condition < 1e14, f"the condition number is {self.condition:.1e}"),
            (self.n_self_stresses == 1, f"there are {self.n_self_stresses} self-stresses, not 1"),
            (
                self.n_free_motions + self.n_surface == 0 or resisted,
                f"{self.n_free_motions} motions are free, the least curvature is {self.curvature}",
            ),
            (
                self.concave is None or self.concave > tolerance,
                f"a concave kink is {self.concave} away: the load can grow across it",
            ),
        )
        return next((flaw for holds, flaw in checks if not holds), "")


@dataclass(frozen=True, eq=False)
class Candidate(Generic[P]):
    """A state where an iteration for the jamming point ended.

    Attributes
    ----------
    here
        The system there.
    rows, forces
        Constraints taken to be active, and their forces ``λ``.
    reason
        Why it ended before converging; empty if it converged.
    degenerate
        Whether constraints are redundant, or carry no force and are needed all the same.
    certificate
        What the converged state is worth; None before that.
    steps, exchanges
        Newton steps, and active constraints exchanged.
    """

    here: Linearised[P]
    rows: Indices
    forces: Vector
    reason: str = ""
    certificate: Certificate | None = None
    steps: int = 0
    exchanges: int = 0
    degenerate: bool = False


def settled(residual: float, before: float) -> bool:
    """Tell whether active gaps, now and a Newton step ago, have reached rounding."""
    return residual < 1e-14 or (residual < 1e-12 and residual > 0.5 * before)


def certify(
    here: Linearised[P],
    rows: Indices,
    forces: Vector,
    held: Mask,
    *,
    n_free_motions: int,
    condition: float,
    curvature: float | None = None,
) -> Certificate:
    """Measure a jamming point at ``here``: ``rows`` carry ``forces`` and act on ``held``.

    ``condition`` is that of equations which have a solution only if ``J`` of the active
    constraints has rank ``n - n_free_motions``; the self-stresses follow.
    """
    n = len(here.free_of_symmetries(held))
    acting = rows < here.n_gaps
    mean = forces[acting].mean()
    n_surface = here.surface_symmetries(held)
    residual = here.jacobian[rows].T @ forces
    others = np.delete(here.gaps[: here.n_gaps], rows[acting])
    closed = np.abs(others) <= CLOSED
    open_gaps = others[~closed]
    return Certificate(
        primal_residual=float(np.abs(here.gaps[rows]).max()),
        violation=float(others.max(initial=0.0)),
        dual_residual=float(np.abs(residual).max() / mean),
        min_force=float(np.minimum(forces, here.room(rows, forces)).min() / mean),
        margin=float(-open_gaps.max()) if len(open_gaps) else None,
        n_redundant=int(closed.sum()),
        n_constraints=int(acting.sum()),
        n=n - n_surface,
        n_self_stresses=len(rows) - (n - n_free_motions),
        n_free_motions=n_free_motions - n_surface,
        condition=condition,
        curvature=curvature,
        n_kinks=int((~acting).sum()),
        n_surface=n_surface,
        concave=_nearest_concave(here, rows[acting]),
    )


def _nearest_concave(here: Linearised[P], rows: Indices) -> float | None:
    """Return the smallest ``|z|`` of a concave kink of the gaps ``rows``; None if there is none."""
    problem = here.problem
    if here.branch is None or not isinstance(problem, HasKinks):
        return None
    concave = (here.branch.kink_strengths(here.x) < 0.0) & np.isin(problem.kink_owners(), rows)
    return float(np.abs(problem.kinks(here.x)[concave]).min()) if concave.any() else None

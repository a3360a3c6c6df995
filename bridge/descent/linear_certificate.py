"""The certificate of a minimum of the linear hinge: residuals, counts and signs."""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from bridge.measure.observables import dense, plain_jacobian
from bridge.protocols import HasCurvature, HasFrozenBodies, Indices, Mask, Vector

# A gap this small is closed.
CLOSED = 1e-12
# A force this near an end of [0, 1] is at it.
_AT_END = 1e-9
# Pivot beside the largest below which a row is redundant, and curvature that is flat.
_DEPENDENT, _FLAT = 1e-10, 1e-12


@dataclass(frozen=True)
class LinearCertificate:
    """What makes a state a strict local minimum of ``U = Σ max(Δ, 0)``.

    Every violated constraint pulls with force 1, an open one not at all, and a marginal one,
    ``Δ = 0``, with some ``0 <= λ <= 1``. If these balance with all ``0 < λ < 1``, the energy rises
    to first order along all motions but those that close or open no marginal constraint, and along
    these the curvature of ``Σ λ Δ`` has to be positive. That suffices, for ``U >= Σ λ Δ`` wherever
    the violated constraints still are, with equality at the state (Rockafellar, Wets, *Variational
    Analysis*, 1998, example 13.25).

    Attributes
    ----------
    primal_residual
        Largest ``|Δ|`` of a marginal constraint.
    dual_residual
        Largest ``|Σ_μ λ_μ ∂Δ_μ/∂x_i|``, where the force of a violated constraint is 1.
    room
        Smallest of ``λ`` and ``1 - λ`` of the marginal constraints; None without any.
    margin
        Smallest ``|Δ|`` of all others; None if there are none.
    n_marginal, n_violated, n
        Marginal and violated constraints, and degrees of freedom: the variables that these act
        on, less symmetries.
    n_self_stresses
        Marginal constraints less their rank: independent changes of the forces that balance.
    n_free_motions
        Motions that leave the marginal constraints as they are, ``n`` less their rank.
    curvature
        Smallest curvature of ``Σ λ Δ`` along the free motions; 0 within rounding, None if there
        are none.
    """

    primal_residual: float
    dual_residual: float
    room: float | None
    margin: float | None
    n_marginal: int
    n_violated: int
    n: int
    n_self_stresses: int
    n_free_motions: int
    curvature: float | None = None

    @property
    def isostatic(self) -> bool:
        """Tell whether the marginal constraints fix all motions, and are as many as these."""
        return self.n_self_stresses == 0 and self.n_free_motions == 0

    def flaw(self, tolerance: float = CLOSED) -> str:
        """Return what is missing for a strict local minimum; empty if nothing is.

        Gaps must vanish to ``tolerance``, and forces balance to a hundred times that.
        """
        resisted = self.curvature is not None and self.curvature > 0.0
        checks = (
            (self.n_marginal + self.n_violated > 0, "no constraint holds anything"),
            (
                self.primal_residual <= tolerance,
                f"marginal gaps are off by {self.primal_residual:.1e}",
            ),
            (
                self.dual_residual <= 1e2 * tolerance,
                f"forces are off balance by {self.dual_residual:.1e}",
            ),
            (
                self.room is None or self.room > _AT_END,
                f"a force is {self.room} inside of [0, 1]",
            ),
            (
                self.margin is None or self.margin > tolerance,
                f"a constraint that is not marginal is {self.margin} from it",
            ),
            (
                self.n_free_motions == 0 or resisted,
                f"{self.n_free_motions} motions are free, the least curvature is {self.curvature}",
            ),
        )
        return next((flaw for holds, flaw in checks if not holds), "")


class Around:
    """A state of marginal constraints, to second order, in the variables that are held.

    Which others pull is told by the signs of their gaps, or by the mask ``pulling``, ``(m,)``: a
    constraint that has just ceased to be marginal has no sign yet.

    Attributes
    ----------
    gaps
        All gaps, ``(m,)``.
    violated
        Rows of the violated constraints that are not marginal.
    held
        Mask of the variables that marginal and violated constraints act on, ``(n_dof,)``.
    pull
        ``Σ ∇Δ`` over the violated constraints, ``(n_held,)``.
    along, across
        Orthonormal motions that marginal gaps resist ``(n_held, rank)``, and the free ones.
    n_modes
        Symmetries that move what is held; they are neither along nor across.
    """

    def __init__(
        self, problem: HasCurvature, x: Vector, marginal: Indices, pulling: Mask | None = None
    ) -> None:
        self.problem, self.x, self.marginal = problem, x, marginal
        self.gaps = problem.gaps(x)
        others = self.gaps > 0.0 if pulling is None else pulling.copy()
        others[marginal] = False
        self.violated = np.flatnonzero(others)
        rows = np.concatenate([marginal, self.violated])
        self.held = _acted_on(problem, x, rows)
        jacobian = dense(problem.gap_jacobian(x, rows))[:, self.held]
        self.jacobian = jacobian[: len(marginal)]
        self.pull = jacobian[len(marginal) :].sum(axis=0)
        frame, self._upper, self._order, self.rank = _pivoted(self.jacobian.T)
        self.along, flat = frame[:, : self.rank], frame[:, self.rank :]
        # Symmetries are among the motions that no gap resists.
        frame, _, _, self.n_modes = _pivoted(flat.T @ problem.zero_modes(x)[:, self.held].T)
        self.across = flat @ frame[:, self.n_modes :]

    @property
    def n(self) -> int:
        """Degrees of freedom."""
        return int(self.held.sum()) - self.n_modes

    def closing(self, opened: Vector) -> Vector:
        """Return the shortest motion, ``(n_dof,)``, that takes ``opened`` off the marginal gaps."""
        chosen, upper = self._order[: self.rank], self._upper[: self.rank, : self.rank]
        whole = np.zeros(len(self.x))
        whole[self.held] = self.along @ linalg.solve_triangular(upper, -opened[chosen], trans="T")
        return whole

    def carried_by(self, pull: Vector) -> Vector:
        """Return the forces of the marginal constraints that balance a ``pull``, ``(n_dof,)``."""
        chosen, upper = self._order[: self.rank], self._upper[: self.rank, : self.rank]
        forces = np.zeros(len(self.marginal))
        forces[chosen] = -linalg.solve_triangular(upper, self.along.T @ pull[self.held])
        return forces

    def balanced(self, guess: Vector) -> Vector:
        """Return forces of the marginal constraints nearest to a ``guess`` that balance.

        Only those of independent rows change; where all balance, so do these.
        """
        left = -self.pull - guess @ self.jacobian
        forces = guess.copy()
        chosen, upper = self._order[: self.rank], self._upper[: self.rank, : self.rank]
        forces[chosen] += linalg.solve_triangular(upper, self.along.T @ left)
        return forces

    def step(self, forces: Vector) -> tuple[Vector, float]:
        """Return Newton's step to ``Δ = 0`` and balance, ``(n_dof,)``, and the least curvature.

        Along the free motions it is one to a minimum only where the curvature there is positive.
        """
        chosen, upper = self._order[: self.rank], self._upper[: self.rank, : self.rank]
        gaps = self.gaps[self.marginal[chosen]]
        step = self.along @ linalg.solve_triangular(upper, -gaps, trans="T")
        least = np.inf
        if self.across.shape[1]:
            curvature = self.curvature(forces)
            values, motions = linalg.eigh(self.across.T @ curvature @ self.across)
            slope = motions.T @ (self.across.T @ (self.pull + curvature @ step))
            least = _unless_flat(values[0], curvature)
            if least > 0.0:
                step = step - self.across @ (motions @ (slope / values))
        whole = np.zeros(len(self.x))
        whole[self.held] = step
        return whole, least

    def curvature(self, forces: Vector) -> Vector:
        """Return ``Σ λ ∇²Δ`` of violated and marginal constraints, ``(n_held, n_held)``."""
        weights = np.zeros(len(self.gaps))
        weights[self.violated], weights[self.marginal] = 1.0, forces
        columns = np.flatnonzero(self.held)
        return dense(self.problem.curvature(self.x, weights)[columns][:, columns])


def _acted_on(problem: HasCurvature, x: Vector, rows: Indices) -> Mask:
    """Return the variables that ``rows`` act on, ``(n_dof,)``; all where no body can freeze."""
    if not isinstance(problem, HasFrozenBodies):
        return np.ones(problem.n_dof, dtype=bool)
    size = abs(plain_jacobian(problem, x, rows)).sum(axis=0)
    return np.asarray(np.asarray(size).ravel() > 0.0)


def _pivoted(matrix: Vector) -> tuple[Vector, Vector, Indices, int]:
    """Return an orthonormal frame, the upper triangle and the order of columns, and the rank."""
    frame, upper, order = linalg.qr(matrix, pivoting=True)
    sizes = np.abs(np.diag(upper))
    return frame, upper, order, int((sizes > _DEPENDENT * sizes.max(initial=0.0)).sum())


def _unless_flat(least: float, curvature: Vector) -> float:
    """Return an eigenvalue of a part of ``curvature``; 0 where it is the rounding of that."""
    return 0.0 if abs(least) <= _FLAT * float(np.abs(curvature).max()) else float(least)


def certify(
    problem: HasCurvature, x: Vector, marginal: Indices, forces: Vector
) -> LinearCertificate:
    """Measure a state ``x`` whose constraints ``marginal`` carry ``forces``, from these alone.

    Raises
    ------
    ValueError
        Unless ``marginal`` names distinct places in ``problem.gaps(x)``, with a force each: a
        constraint that is named twice could pull with more than 1.
    """
    _check_places(marginal, forces, len(problem.gaps(x)))
    here = Around(problem, x, marginal)
    others = np.abs(np.delete(here.gaps, marginal))
    curvature = None
    if here.across.shape[1]:
        whole = here.curvature(forces)
        bent = here.across.T @ whole @ here.across
        curvature = _unless_flat(linalg.eigvalsh(bent, subset_by_index=[0, 0])[0], whole)
    residual = here.pull + forces @ here.jacobian
    return LinearCertificate(
        primal_residual=float(np.abs(here.gaps[marginal]).max(initial=0.0)),
        dual_residual=float(np.abs(residual).max(initial=0.0)),
        room=float(np.minimum(forces, 1.0 - forces).min()) if len(forces) else None,
        margin=float(others.min()) if len(others) else None,
        n_marginal=len(marginal),
        n_violated=len(here.violated),
        n=here.n,
        n_self_stresses=len(marginal) - here.rank,
        n_free_motions=here.n - here.rank,
        curvature=curvature,
    )


def _check_places(marginal: Indices, forces: Vector, m: int) -> None:
    """Refuse places that are no distinct ones among ``m`` gaps, or have no force each."""
    if marginal.shape != forces.shape:
        raise ValueError(
            f"expected a force for each marginal constraint, got {len(forces)} for "
            f"{len(marginal)}: pass as many"
        )
    if len(np.unique(marginal)) < len(marginal) or ((marginal < 0) | (marginal >= m)).any():
        raise ValueError(
            f"expected distinct places below {m}, got {marginal.tolist()}: name each gap once"
        )

"""Train a network natively, and say what was reached."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from networks.anneal import Annealed, Schedule, anneal
from networks.margin import HingeNetwork

Vector: TypeAlias = NDArray[np.float64]
Status: TypeAlias = Literal["unjammed", "jammed", "stalled", "dead"]

FITTED = 1e-14  # U below this is zero: second-order steps approach Δ -> 0+ without reaching it
BALANCED = 2e-3  # mean residual force of an anneal's last tenth, relative to what balances
SETTLED = 1e-2  # relative fall of the energy over that tenth


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network and what is known about it.

    Parameters
    ----------
    x
        The parameters, ``(n_dof,)``.
    energy
        ``U(x)``.
    max_residual
        Largest component of ``∇U`` averaged over the last tenth of the anneal, relative to the
        largest sum ``Σ_μ |f_μ ∂Δ_μ|`` of the forces that balance in a component.
    steps
        Steps of Adam made.
    n_constraints
        ``N_Δ``, the number of violated patterns.
    status
        "unjammed" (``U < 1e-14``), "jammed" (``max_residual <= 2e-3`` and an energy that no longer
        falls), "dead" (stationary only because no unit is active on the violated patterns) or
        "stalled".
    n_kinks
        Number of (pattern, unit) pairs held at a ReLU kink; 0 for smooth activations.
    reason
        Why a run stalled or died; empty otherwise.
    """

    x: Vector
    energy: float
    max_residual: float
    steps: int
    n_constraints: int
    status: Status
    n_kinks: int = 0
    reason: str = ""


def train(
    problem: HingeNetwork, x: Vector, *, steps: int = 30000, schedule: Schedule | None = None
) -> Trained:
    """Minimise ``U`` from ``x`` by an anneal of ``steps`` of Adam.

    Nothing is raised when training fails: the status says so.

    Examples
    --------
    >>> from networks import Mlp, random_patterns
    >>> rng = np.random.default_rng(0)
    >>> problem = HingeNetwork(Mlp(6, 12, 1), random_patterns(20, 6, rng))
    >>> train(problem, problem.mlp.init(rng), steps=3000).status
    'unjammed'
    """
    return certify(problem, anneal(problem, x, steps=steps, schedule=schedule))


def certify(problem: HingeNetwork, found: Annealed) -> Trained:
    """Return what is known about the state where an anneal ended, without moving it."""
    x, steps = found.w, found.steps
    if not np.isfinite(x).all():
        reason = "training diverged: lower the learning rate"
        return Trained(x, np.nan, np.inf, steps, 0, "stalled", reason=reason)
    gaps = problem.gaps(x)
    energy = 0.5 * float(np.sum(np.maximum(gaps, 0) ** 2))
    rows = np.flatnonzero(gaps > 0)
    if energy < FITTED:
        return Trained(x, energy, 0.0, steps, len(rows), "unjammed")
    pulls = np.abs(problem.gap_jacobian(x, rows)) * gaps[rows, None]
    residual = float(np.abs(found.mean_gradient).max() / pulls.sum(axis=0).max())
    status: Status = "jammed"
    reason = ""
    if not pulls[:, :-1].any():
        status, reason = "dead", "no hidden unit is active on the violated patterns"
    elif residual > BALANCED:
        status, reason = "stalled", f"forces balance to {residual:.1e} only: allow more steps"
    elif found.fall > SETTLED:
        status = "stalled"
        reason = f"the energy still falls, by {found.fall:.1%} in the last tenth: allow more steps"
    return Trained(x, energy, residual, steps, len(rows), status, reason=reason)

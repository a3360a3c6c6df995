"""Train a network natively: anneal, polish, and say with a certificate what was reached."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from networks.anneal import Schedule, anneal
from networks.margin import HingeNetwork

Vector: TypeAlias = NDArray[np.float64]
Status: TypeAlias = Literal["unjammed", "jammed", "stalled", "dead"]

FITTED = 1e-14  # U below this is zero: second-order steps approach Δ -> 0+ without reaching it
BALANCED = 1e-8  # residual force relative to the forces that balance


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
        Largest component of ``∇U`` (for ReLU: of its smallest Clarke element), relative to the
        largest sum ``Σ_μ |f_μ ∂Δ_μ|`` of the forces that balance in a component.
    steps
        Steps of Adam made.
    n_constraints
        ``N_Δ``, the number of violated patterns.
    status
        "unjammed" (``U < 1e-14``), "jammed" (``U > 0`` and ``max_residual < 1e-8``), "dead"
        (stationary only because no unit is active on the violated patterns) or "stalled".
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
    found, made = anneal(problem, x, steps=steps, schedule=schedule)
    return certify(problem, found, made)


def certify(problem: HingeNetwork, x: Vector, steps: int) -> Trained:
    """Return what is known about the state ``x``, without moving it."""
    if not np.isfinite(x).all():
        reason = "training diverged: lower the learning rate"
        return Trained(x, np.nan, np.inf, steps, 0, "stalled", reason=reason)
    gaps = problem.gaps(x)
    energy = 0.5 * float(np.sum(np.maximum(gaps, 0) ** 2))
    rows = np.flatnonzero(gaps > 0)
    if energy < FITTED:
        return Trained(x, energy, 0.0, steps, len(rows), "unjammed")
    jacobian = problem.gap_jacobian(x, rows) * gaps[rows, None]
    residual = float(np.abs(jacobian.sum(axis=0)).max() / np.abs(jacobian).sum(axis=0).max())
    if not jacobian[:, :-1].any():
        reason = "no hidden unit is active on the violated patterns"
        return Trained(x, energy, residual, steps, len(rows), "dead", reason=reason)
    if residual < BALANCED:
        return Trained(x, energy, residual, steps, len(rows), "jammed")
    reason = f"forces balance to {residual:.1e} only"
    return Trained(x, energy, residual, steps, len(rows), "stalled", reason=reason)

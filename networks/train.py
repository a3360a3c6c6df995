"""Train a network natively, and say what was reached."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from networks.anneal import Schedule, anneal
from networks.margin import HingeNetwork
from networks.polish import BALANCED, FITTED, Polished, polish

Vector: TypeAlias = NDArray[np.float64]
Status: TypeAlias = Literal["unjammed", "jammed", "stalled", "dead"]


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
        Largest component of ``∇U``, with fractional masks at the kinks, relative to the largest
        sum ``Σ_μ |f_μ ∂Δ_μ|`` of the forces that balance in a component.
    steps
        Steps of Adam made.
    n_constraints
        ``N_Δ``, the number of violated patterns.
    status
        "unjammed" (``U < 1e-14``), "jammed" (a minimum with ``U > 0`` and ``max_residual < 1e-8``),
        "dead" (stationary only because no unit is active on the violated patterns) or "stalled".
    n_kinks
        Number of (pattern, unit) pairs held at a ReLU kink; 0 for smooth activations.
    reason
        Why a run stalled or died; empty otherwise.
    newton_steps
        Linear solves of the polish.
    """

    x: Vector
    energy: float
    max_residual: float
    steps: int
    n_constraints: int
    status: Status
    n_kinks: int = 0
    reason: str = ""
    newton_steps: int = 0


def train(
    problem: HingeNetwork,
    x: Vector,
    *,
    steps: int = 30000,
    newton_steps: int = 500,
    schedule: Schedule | None = None,
) -> Trained:
    """Minimise ``U`` from ``x``: an anneal of ``steps`` of Adam, then a polish to a minimum.

    The polish makes at most ``newton_steps`` linear solves; see `networks.polish`. Nothing is
    raised when training fails: the status says so.

    Examples
    --------
    >>> from networks import Mlp, random_patterns
    >>> rng = np.random.default_rng(0)
    >>> problem = HingeNetwork(Mlp(6, 12, 1), random_patterns(20, 6, rng))
    >>> train(problem, problem.mlp.init(rng), steps=3000).status
    'unjammed'
    """
    annealed = anneal(problem, x, steps=steps, schedule=schedule)
    if not np.isfinite(annealed.x).all():
        reason = "training diverged: lower the learning rate"
        return Trained(annealed.x, np.nan, np.inf, annealed.steps, 0, "stalled", reason=reason)
    if _energy(problem, annealed.x) < FITTED or _is_dead(problem, annealed.x):
        found = Polished(annealed.x, 0.0, 0, True, 0)
    else:
        found = polish(problem, annealed.x, steps=newton_steps)
    return _judged(problem, found, annealed.steps)


def _judged(problem: HingeNetwork, found: Polished, steps: int) -> Trained:
    """Return the state with the status that its certificate allows."""
    energy = _energy(problem, found.x)
    status, reason = _status(problem, found, energy)
    return Trained(
        x=found.x,
        energy=energy,
        max_residual=found.residual,
        steps=steps,
        n_constraints=int((problem.gaps(found.x) > 0).sum()),
        status=status,
        n_kinks=found.n_kinks,
        reason=reason,
        newton_steps=found.steps,
    )


def _status(problem: HingeNetwork, found: Polished, energy: float) -> tuple[Status, str]:
    if energy < FITTED:
        return "unjammed", ""
    if _is_dead(problem, found.x):
        return "dead", "no hidden unit is active on the violated patterns"
    if found.residual > BALANCED:
        return "stalled", f"forces balance to {found.residual:.1e} only: allow more steps"
    if not found.is_minimum:
        return "stalled", "forces balance at a saddle"
    return "jammed", ""


def _energy(problem: HingeNetwork, x: Vector) -> float:
    return 0.5 * float(np.sum(np.maximum(problem.gaps(x), 0) ** 2))


def _is_dead(problem: HingeNetwork, x: Vector) -> bool:
    """Tell whether the violated patterns act on nothing but the output's bias."""
    violated = np.flatnonzero(problem.gaps(x) > 0)
    return len(violated) > 0 and not problem.gap_jacobian(x, violated)[:, :-1].any()

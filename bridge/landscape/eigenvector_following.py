"""Eigenvector following with the full Hessian: to a minimum, a saddle, or any index."""

from dataclasses import dataclass

import numpy as np

from bridge.landscape.stationary_points import Model, model, touches_released
from bridge.protocols import Indices, Landscape, Vector

# Errors of the expected change of energy at which the longest step shrinks or grows again.
_POOR, _GOOD = 1.0, 0.3
_SHORTEST = 0.05
CONVERGED = 1e-10  # a walk ends where every ``|∂U/∂x_i|`` is below it


@dataclass(frozen=True, eq=False)
class Climb:
    """Where a walk ended: ``status`` is ``"converged"`` or ``"stalled"`` with a ``reason``."""

    end: Model
    steps: int
    status: str
    reason: str = ""


def follow(
    problem: Landscape,
    x: Vector,
    *,
    index: int = 1,
    along: Vector | None = None,
    max_step: float = 0.3,
    max_steps: int = 300,
) -> Climb:
    """Walk up along the ``index`` lowest modes and down along all others, until ``∇U`` vanishes.

    In each mode, with ``F`` the gradient along it and ``λ`` its eigenvalue, the step is

        p = ± 2F / (|λ| + √(λ² + 4F²)),

    ``+`` uphill and ``-`` downhill: a Newton step near the stationary point, and a unit step with
    the right sign far from it. The whole step is cut to the length ``max_step``.

    Parameters
    ----------
    problem, x
        The landscape and the start, ``(n_dof,)``.
    index
        Number of modes to climb: 0 minimises, 1 finds transition states.
    along
        Climb, at index 1, the mode that overlaps most with this direction, and then the one that
        overlaps most with the last, until it is the lowest. The lowest from the start if not given.
    max_step
        Longest step, in the units of ``x``; it shrinks where the quadratic model is poor.

    References
    ----------
    D. J. Wales, J. Chem. Phys. 101, 3750 (1994).
    """
    here, trust = model(problem, x), max_step
    for step in range(max_steps + 1):
        if here.residual < CONVERGED:
            return Climb(touches_released(problem, here), step, "converged")
        if step == max_steps:
            break
        if len(here.climbable) < index:
            return Climb(here, step, "stalled", "no mode is left to climb: all bodies are free")
        climbed = here.climbable[:index].copy()
        if along is not None:
            lowest, climbed[0] = climbed[0], np.abs(along @ here.modes).argmax()
            along = here.modes[:, climbed[0]] if climbed[0] != lowest else None
        slopes = here.gradient @ here.modes
        move = follow_step(slopes, here.values, climbed)
        length = float(np.linalg.norm(move))
        if length > trust:
            move *= trust / length
        there = model(problem, here.x + here.modes @ move)
        expected = float(slopes @ move + 0.5 * here.values @ move**2)
        error = abs(there.energy - here.energy - expected)
        if error > _POOR * abs(expected):
            trust = max(0.5 * min(trust, length), _SHORTEST * max_step)
        elif error < _GOOD * abs(expected):
            trust = min(1.5 * trust, max_step)
        here = there
    return Climb(here, max_steps, "stalled", f"{max_steps} steps left {here.residual:.1e}")


def follow_step(slopes: Vector, values: Vector, climbed: Indices) -> Vector:
    """Return the step in each mode, ``(m,)``, uphill in the ``climbed`` ones, before it is cut."""
    scale = np.abs(values) + np.sqrt(values**2 + 4.0 * slopes**2)
    move = -2.0 * slopes / np.maximum(scale, 1e-300)
    move[climbed] *= -1.0
    return np.asarray(move)

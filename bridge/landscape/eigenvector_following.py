"""Eigenvector following with the full Hessian: to a minimum, a saddle, or any index."""

from dataclasses import dataclass

import numpy as np

from bridge.landscape.stationary_points import Model, model, touches_released
from bridge.protocols import Indices, Landscape, Vector

# Errors of the expected change of energy at which the longest step shrinks or grows again.
_POOR, _GOOD = 1.0, 0.3
_SHORTEST = 0.05
_IDLE = 0.01  # share of a step along a mode below which it was not climbed
# A saddle lies where the curvature along the climb has fallen through zero. Where it has not fallen
# by a hundredth over ten longest steps, nothing bends. Climbs that found a saddle of LJ7, LJ8 or of
# a network went as far as 7 of them.
_BENT, _STRAIGHT = 0.01, 10.0
PARABOLA = "the energy along the climb is a parabola, with no saddle ahead"
CONVERGED = 1e-10  # a walk ends where every ``|∂U/∂x_i|`` is below it


@dataclass(frozen=True, eq=False)
class Stretch:
    """Where a walk has been since the curvature ``λ > 0`` along its climb last fell."""

    start: Vector
    curvature: float

    def to(self, x: Vector, curvature: float) -> "Stretch":
        """Return this stretch, or if the curvature fell a new one that starts at ``x``."""
        held = 0 < (1 - _BENT) * self.curvature < curvature
        return self if held else Stretch(x, curvature)

    def is_parabola(self, x: Vector, max_step: float) -> bool:
        """Tell whether the walk goes up a parabola, such as a weight decay, for ever."""
        return float(np.linalg.norm(x - self.start)) > _STRAIGHT * max_step


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

    A walk to index 1 that has climbed the lowest mode stays with it while its curvature is
    negative: two such modes that take turns, up the one and down the other, lead round in a circle.

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
    climbing, stretch = Climbing(index, along, given=along is not None), Stretch(x, 0.0)
    for step in range(max_steps + 1):
        if here.residual < CONVERGED:
            return Climb(touches_released(problem, here), step, "converged")
        if step == max_steps:
            break
        if len(here.climbable) < index:
            return Climb(here, step, "stalled", "no mode is left to climb: all bodies are free")
        climbed = climbing.modes(here)
        if index:
            stretch = stretch.to(here.x, float(here.values[climbed].max()))
            if stretch.is_parabola(here.x, max_step):
                return Climb(here, step, "stalled", PARABOLA)
        slopes = here.gradient @ here.modes
        move = follow_step(slopes, here.values, climbed)
        length = float(np.linalg.norm(move))
        if length > trust:
            move *= trust / length
        climbing = climbing.after(here, climbed, move)
        there = model(problem, here.x + here.modes @ move)
        expected = float(slopes @ move + 0.5 * here.values @ move**2)
        error = abs(there.energy - here.energy - expected)
        if error > _POOR * abs(expected):
            trust = max(0.5 * min(trust, length), _SHORTEST * max_step)
        elif error < _GOOD * abs(expected):
            trust = min(1.5 * trust, max_step)
        here = there
    return Climb(here, max_steps, "stalled", f"{max_steps} steps left {here.residual:.1e}")


@dataclass(frozen=True, eq=False)
class Climbing:
    """Which modes a walk climbs: the ``index`` lowest, but at index 1 that of the last step.

    It is kept until it is the lowest if it was ``given``, and later while it has a negative
    curvature.
    """

    index: int
    last: Vector | None
    given: bool

    def modes(self, here: Model) -> Indices:
        """Return their numbers, ``(index,)``."""
        climbed = here.climbable[: self.index].copy()
        if self.last is not None and self.index == 1:
            nearest = np.abs(self.last @ here.modes).argmax()
            if self.given or here.values[nearest] < 0:
                climbed[0] = nearest
        return climbed

    def after(self, here: Model, climbed: Indices, move: Vector) -> "Climbing":
        """Return the same after the step ``move``, in the modes of the last model."""
        if self.index != 1:
            return self
        given = self.given and climbed[0] != here.climbable[0]
        kept = given or abs(float(move[climbed[0]])) > _IDLE * float(np.linalg.norm(move))
        return Climbing(1, here.modes[:, climbed[0]] if kept else None, given)


def follow_step(slopes: Vector, values: Vector, climbed: Indices) -> Vector:
    """Return the step in each mode, ``(m,)``, uphill in the ``climbed`` ones, before it is cut."""
    scale = np.abs(values) + np.sqrt(values**2 + 4.0 * slopes**2)
    move = -2.0 * slopes / np.maximum(scale, 1e-300)
    move[climbed] *= -1.0
    return np.asarray(move)

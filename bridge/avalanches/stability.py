"""Stability of a state that a change of load has left behind."""

import numpy as np

from bridge.descent.newton import Newton
from bridge.measure.spectra import hessian, rounding
from bridge.measure.stability import lowest_eigenvalue, stiffened
from bridge.protocols import HasTightening, Vector

_MOST_STEPS = 100


def softest_on_the_way(problem: HasTightening, x: Vector, distance: float) -> float:
    """Return the lowest eigenvalue met where a state ``x`` that is no minimum begins to slide.

    Short steps of Newton's method are followed over a tenth of the ``distance`` at most. If ``x``
    was a minimum until the load was changed a little, a negative value says that it lost its
    stability: smoothly, its lowest eigenvalue vanishing like the root of the distance in load, or
    at once, as a constraint opened that had been holding it.
    """
    lowest = np.inf
    descent = Newton(max_step=0.02 * distance / np.sqrt(len(x))).descent(problem, x)
    for _, point in zip(range(_MOST_STEPS), descent, strict=False):
        stiff = stiffened(hessian(problem, point.x), problem.zero_modes(point.x))
        value = lowest_eigenvalue(stiff)
        lowest = min(lowest, 0.0 if abs(value) <= rounding(stiff) else value)
        if lowest < 0.0 or np.linalg.norm(point.x - x) > 0.1 * distance:
            break
    return lowest

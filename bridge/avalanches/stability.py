"""Stability of a state that a change of load has left behind."""

import numpy as np
from scipy import linalg

from bridge.descent.newton import Newton
from bridge.measure.spectra import hessian, rounding
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
        lowest = min(lowest, _lowest(_stiff(problem, point.x)))
        if lowest < 0.0 or np.linalg.norm(point.x - x) > 0.1 * distance:
            break
    return lowest


def _stiff(problem: HasTightening, x: Vector) -> Vector:
    """Return ``H`` with the symmetries made stiff."""
    matrix = hessian(problem, x)
    modes = problem.zero_modes(x)
    return np.asarray(matrix + float(np.abs(np.diag(matrix)).max()) * modes.T @ modes)


def _lowest(matrix: Vector) -> float:
    """Return the lowest eigenvalue, zero where it is rounding."""
    value = float(linalg.eigvalsh(matrix, subset_by_index=[0, 0], check_finite=False)[0])
    return 0.0 if abs(value) <= rounding(matrix) else value

"""How close a minimum is to losing its stability."""

import numpy as np
from scipy import linalg

from bridge.newton import Newton
from bridge.observables import free_variables, frozen_bodies
from bridge.protocols import Loaded, Mask, Vector
from bridge.spectra import hessian, rounding

_MOST_STEPS = 100


def softest(problem: Loaded, x: Vector) -> float:
    """Return the lowest eigenvalue of ``H`` at ``x``, symmetries and frozen bodies left out."""
    return _lowest(_stiff(problem, x), _free(problem, x))


def softest_on_the_way(problem: Loaded, x: Vector, distance: float) -> float:
    """Return the lowest eigenvalue met where a state ``x`` that is no minimum begins to slide.

    Short steps of Newton's method are followed over a tenth of the ``distance`` at most. If ``x``
    was a minimum until the load was changed a little, a negative value says that it lost its
    stability: smoothly, its lowest eigenvalue vanishing like the root of the distance in load, or
    at once, as a constraint opened that had been holding it.
    """
    free = np.ones(len(x), dtype=bool)
    lowest = np.inf
    descent = Newton(max_step=0.02 * distance / np.sqrt(len(x))).descent(problem, x)
    for _, point in zip(range(_MOST_STEPS), descent, strict=False):
        lowest = min(lowest, _lowest(_stiff(problem, point.x), free))
        if lowest < 0.0 or np.linalg.norm(point.x - x) > 0.1 * distance:
            break
    return lowest


def _free(problem: Loaded, x: Vector) -> Mask:
    return free_variables(problem.n_dof, frozen_bodies(problem, x))


def _stiff(problem: Loaded, x: Vector) -> Vector:
    """Return ``H`` with the symmetries made stiff."""
    matrix = hessian(problem, x)
    modes = problem.zero_modes(x)
    return np.asarray(matrix + float(np.abs(np.diag(matrix)).max()) * modes.T @ modes)


def _lowest(matrix: Vector, free: Mask) -> float:
    """Return the lowest eigenvalue of the block ``free``, zero where it is rounding."""
    block = matrix[np.ix_(free, free)]
    value = float(linalg.eigvalsh(block, subset_by_index=[0, 0], check_finite=False)[0])
    return 0.0 if abs(value) <= rounding(block) else value

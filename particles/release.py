"""Move rattlers off what they lean on."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.packing import Packing

Vector = NDArray[np.float64]

# Clearances that are tried, relative to the size of the rattler: its cage may be narrow.
CLEARANCES = (1e-4, 1e-6, 1e-8)


def released(problem: Packing, x: ArrayLike, max_steps: int = 1000) -> Vector:
    """Return ``x`` with its rattlers moved until they touch nothing.

    A minimisation leaves a rattler where its last contact let go, with overlaps of the size of
    its tolerance: they carry no force, and yet they count as contacts and stiffen the Hessian.
    The rattlers are grown a little and pushed down their own energy, all others held in place.

    Parameters
    ----------
    problem : Packing
        The packing.
    x : (n_dof,)
        A minimum.
    max_steps : int
        Steps for each clearance that is tried; a rattler without room stays where it is.
    """
    state = problem.bodies(x).copy()
    loose = problem.rattlers(state.ravel())
    for clearance in CLEARANCES:
        if not _leaning(problem, state, loose):
            break
        grown = replace(  # type: ignore[type-var]
            problem, diameters=problem.diameters * np.where(loose, 1.0 + clearance, 1.0)
        )
        tried = state.copy()
        mobility = 0.4 * problem.diameters[loose, None] ** 2 / problem.levers[loose] ** 2
        for _ in range(max_steps):
            push = grown.energy_gradient(tried.ravel())[1].reshape(state.shape)[loose]
            if not push.any():
                break
            tried[loose] -= mobility * push
        if not _leaning(problem, tried, loose):
            return np.asarray(tried.ravel())
    return np.asarray(state.ravel())


def _leaning(problem: Packing, bodies: Vector, loose: NDArray[np.bool_]) -> bool:
    """Return whether any rattler touches anything."""
    near, slopes = problem.near(bodies.ravel())
    touch = slopes.gap > 0.0
    return bool((touch & (loose[near.i] | loose[near.j])).any())

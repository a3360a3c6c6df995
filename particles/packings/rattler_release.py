"""Move rattlers until they touch nothing."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.packings.packing import Packing
from particles.packings.pairs import Pairs, near_pairs

Vector = NDArray[np.float64]

# Clearances that are tried, relative to the size of the rattler: its cage may be narrow.
CLEARANCES = (1e-4, 1e-6, 1e-8)

# Pairs this many contact distances apart may meet while their rattlers move.
NEARBY = 1.1


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
    state[(problem.springs > 0.0) & loose[:, None]] = 0.0  # no spring of a rattler is strained
    pairs = near_pairs(problem.centres(x), problem.bounding_radii, problem.box, NEARBY)
    pairs = pairs[loose[pairs.i] | loose[pairs.j]]
    for clearance in CLEARANCES:
        if not _leaning(problem, state, loose):
            break
        grown = replace(  # type: ignore[type-var]
            problem, diameters=problem.diameters * np.where(loose, 1.0 + clearance, 1.0)
        )
        # A contact with the smallest rattler opens when its overlap, grown, is less than this.
        enough = clearance * problem.diameters[loose].min() / (2.0 * problem.diameters.max())
        tried = _pushed(grown, state, pairs, loose, enough, max_steps)
        if not _leaning(problem, tried, loose):
            return np.asarray(tried.ravel())
    return np.asarray(state.ravel())


def _pushed(
    grown: Packing,
    bodies: Vector,
    pairs: Pairs,
    loose: NDArray[np.bool_],
    enough: float,
    max_steps: int,
) -> Vector:
    """Move the ``loose`` bodies down the energy of ``pairs`` until no overlap is ``enough``."""
    moved, d, a = bodies.copy(), grown.dim, grown.n_angles
    mobility = np.where(loose, 0.4 * grown.diameters**2, 0.0)[:, None] / grown.levers**2
    mobility[grown.springs > 0.0] = 0.0
    for _ in range(max_steps):
        shift = (moved - bodies)[:, :d]
        now = replace(pairs, vector=pairs.vector + shift[pairs.j] - shift[pairs.i])
        slopes = grown.slopes(moved.ravel(), now)
        overlap = np.maximum(slopes.gap, 0.0)[:, None]
        if not (overlap >= enough).any():
            break
        uphill = np.zeros_like(moved)
        for body, side, sign in ((pairs.i, slice(a), -1.0), (pairs.j, slice(a, None), 1.0)):
            slope = np.concatenate([sign * slopes.vector, slopes.angles[:, side]], axis=1)
            np.add.at(uphill, body, overlap * slope)
        moved -= mobility * uphill
    return moved


def _leaning(problem: Packing, bodies: Vector, loose: NDArray[np.bool_]) -> bool:
    """Return whether any rattler touches anything."""
    near, slopes = problem.near(bodies.ravel())
    touch = slopes.gap > 0.0
    return bool((touch & (loose[near.i] | loose[near.j])).any())

"""To a given pressure by growing or shrinking the bodies: the approach to jamming."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.minimise import Minimum, Status, minimise
from particles.packing import Packing

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stage:
    """One minimum on the way: packing fraction, pressure, energy and how it ended."""

    phi: float
    pressure: float
    energy: float
    status: Status
    steps: int


@dataclass(frozen=True, eq=False)
class Decompressed:
    """A packing brought to a pressure.

    Attributes
    ----------
    problem : Packing
        The packing at its last load.
    x : (n_dof,)
        Its state.
    phi : float
        Its packing fraction.
    pressure : float
        ``Σ max(Δ, 0)/n``, rattlers not counted in ``n``.
    status : {"jammed", "unjammed", "stalled"}
        Jammed: forces balance at the pressure asked for. Stalled: they do not, or the pressure is
        another one. Unjammed: no pressure could be built up.
    stages : tuple of Stage
        Every minimum on the way.
    """

    problem: Packing
    x: Vector
    phi: float
    pressure: float
    status: Status
    stages: tuple[Stage, ...]


def distance_to_jamming(problem: Packing, x: ArrayLike) -> float:
    """Return ``φ - φ_J ≈ 2U/(dU/dφ)``, which is exact where ``U ∝ (φ - φ_J)²``.

    ``dU/dφ`` at fixed ``x`` is that at the minimum, since ``U`` is stationary there: growth of
    all lengths by ``1 + t`` gives ``dU/dt = Σ Δ(1 - Δ)``, and ``dφ/dt = dφ``.
    """
    overlap = np.maximum(problem.gaps(x), 0.0)
    slope = float((overlap * (1.0 - overlap)).sum()) / (problem.dim * problem.phi)
    return float(overlap @ overlap) / slope if slope > 0.0 else 0.0


def decompress(
    problem: Packing,
    x: ArrayLike,
    pressure: float = 1e-6,
    *,
    tolerance: float = 0.01,
    shrink: float | None = None,
    max_stages: int = 200,
    **options: Any,
) -> Decompressed:
    """Return the packing, grown or shrunk, at pressure ``Σ max(Δ, 0)/n``.

    The distance to jamming is extrapolated by the virial, ``φ - φ_J = 2U/(dU/dφ)``, and each
    stage leaves the part ``shrink`` of it. A stage that lands below jamming is taken back, and
    repeated with half the step.

    Parameters
    ----------
    problem : Discs or Ellipses
        The packing at the load to start from.
    x : (n_dof,)
        Where to start; it is minimised first.
    pressure : float
        Pressure asked for.
    tolerance : float
        Relative error of the pressure that is accepted.
    shrink : float
        Smallest ratio of the distances to jamming of one stage and the next; by default 0.1 for
        discs and spheres, 0.3 for ellipses.
    max_stages : int
        Minima after which the run is called stalled.
    **options
        Passed to `minimise`.

    Raises
    ------
    ValueError
        If the pressure is not positive, or ``x`` is not a state.
    """
    if not 0.0 < pressure < 1.0:
        raise ValueError(f"expected a pressure between 0 and 1, got {pressure}")
    options = {"floor": 1e-3 * pressure, **options}
    least = shrink if shrink is not None else (0.3 if problem.n_angles else 0.1)
    stages: list[Stage] = []

    def settle(at: Packing, start: ArrayLike) -> tuple[Minimum, float]:
        found = minimise(at, start, **options)
        p = at.pressure(found.x)
        stages.append(Stage(at.phi, p, found.energy, found.status, found.steps))
        return found, p

    def ended(at: Packing, state: Vector, p: float, status: Status) -> Decompressed:
        return Decompressed(at, state, at.phi, p, status, tuple(stages))

    here, p = settle(problem, x)
    while here.status == "unjammed" and len(stages) < max_stages:
        if problem.phi > 1.5:
            return ended(problem, here.x, p, "unjammed")
        problem = problem.loaded(0.01 / problem.dim)
        here, p = settle(problem, here.x)
    damping = 1.0
    while here.status == "jammed" and len(stages) < max_stages:
        if abs(p / pressure - 1.0) <= tolerance:
            return ended(problem, here.x, p, "jammed")
        ratio = min(max(pressure / p, least), 10.0)
        change = (ratio - 1.0) * distance_to_jamming(problem, here.x) * damping
        there = problem.with_phi(problem.phi + change)
        found, p_found = settle(there, here.x)
        if found.status == "unjammed" or (found.status == "jammed" and p_found < 0.1 * pressure):
            damping *= 0.5
            continue
        problem, here, p = there, found, p_found
        damping = min(1.0, 2.0 * damping)
    return ended(problem, here.x, p, "stalled")

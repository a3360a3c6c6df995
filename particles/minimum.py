"""From any state to the minimum below it: compiled FIRE with neighbour lists."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.kernels.fire import CONVERGED, FRICTION, STALE_LIST, UNJAMMED
from particles.packing import FLOOR, Packing
from particles.pairs import PairFinder

Vector = NDArray[np.float64]
Status = Literal["unjammed", "jammed", "stalled"]


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a minimisation ended, and why.

    Attributes
    ----------
    x : (n_dof,)
        The state, moved continuously from the start: never wrapped into the box.
    status : {"unjammed", "jammed", "stalled"}
        No overlap is left; forces balance at a finite pressure; or neither within the steps given.
    energy : float
        ``U``.
    pressure : float
        ``Σ max(Δ, 0)/n``, with the ``n`` of all bodies, rattlers included.
    max_force : float
        Largest component of ``∇U`` (by ``ℓθ`` for an angle, see `Packing.levers`).
    steps : int
        Evaluations of the forces.
    """

    x: Vector
    status: Status
    energy: float
    pressure: float
    max_force: float
    steps: int


def minimise(
    problem: Packing,
    x: ArrayLike,
    *,
    relative: float = 1e-5,
    absolute: float = 0.0,
    floor: float = FLOOR,
    max_steps: int = 1_000_000,
    dt_max: float = 0.6,
    skin: float = 0.4,
) -> Minimum:
    """Return the minimum of ``U`` below ``x``, by FIRE.

    It has converged when no component of the force exceeds ``max(relative · p/d, absolute)``,
    ``d`` the smallest diameter, and is unjammed when ``p <= floor``, with ``p = Σ max(Δ, 0)/n``.

    Parameters
    ----------
    problem : Discs or Ellipses
        The packing.
    x : (n_dof,)
        Where to start.
    relative, absolute : float
        Largest force at convergence, in units of the pressure and absolutely.
    floor : float
        Pressure below which no contact is left.
    max_steps : int
        Evaluations of the forces after which the run is called stalled.
    dt_max : float
        Longest time step, in units of the period ``1/ω`` of a unit mass at a contact of the
        smallest bodies.
    skin : float
        Width of the neighbour list, in units of the smallest diameter.

    Raises
    ------
    ValueError
        If ``x`` has the wrong shape, or holds NaN or inf, there is no step to take, a tolerance is
        negative or not a number, or ``dt_max`` or ``skin`` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from particles.discs import Discs
    >>> packing = Discs.bidisperse(64, phi=0.7)
    >>> minimise(packing, packing.random_state(np.random.default_rng(1))).status
    'unjammed'
    """
    if not max_steps >= 1:
        raise ValueError(f"expected at least one step, got max_steps = {max_steps}")
    check_options(relative=relative, absolute=absolute, floor=floor)
    check_options(positive=True, dt_max=dt_max, skin=skin)
    start = problem.bodies(x)
    n = max(problem.n_dof - problem.dim, 1)
    unit = float(problem.diameters.min())
    dt_max, skin = dt_max * unit, skin * unit
    rules = (relative / unit, float(absolute), float(floor), float(n))
    order = PairFinder(problem.bounding_radii, problem.box, 1.0, skin).order(problem.centres(x))
    bodies, levers = start[order], problem.levers[order]
    relaxation = problem.relaxation(order, skin)
    motion = (np.zeros(start.size), np.zeros(start.size), np.empty(start.size))
    clock = np.array([0.1 * dt_max, FRICTION])
    steps, reason = 0, STALE_LIST
    while reason == STALE_LIST and steps < max_steps:
        relaxation.relist(bodies)
        reason, taken, energy, total = relaxation.run(
            motion, clock, dt_max, rules, max_steps - steps
        )
        steps += taken
        bodies += motion[0].reshape(bodies.shape) / levers
        motion[0][:] = 0.0
    end = np.empty_like(start)
    end[order] = bodies
    pressure, largest = total / n, float(np.abs(motion[2]).max())
    status = _status(reason, largest * unit, pressure)
    return Minimum(end.ravel(), status, energy, pressure, largest, steps)


def check_options(*, positive: bool = False, **options: float) -> None:
    """Raise ValueError unless all ``options`` are finite and at least 0, or ``positive``."""
    for name, value in options.items():
        if not (math.isfinite(value) and (value > 0.0 or (value == 0.0 and not positive))):
            kind = "positive" if positive else "non-negative"
            raise ValueError(f"expected a finite, {kind} {name}, got {value}")


def _status(reason: int, largest: float, pressure: float) -> Status:
    """Return what the compiled loop's reason to stop means."""
    if reason == UNJAMMED:
        return "unjammed"
    if reason == CONVERGED:
        # Forces that vanish absolutely, but not beside the pressure, are those of a last touch.
        return "jammed" if largest <= 1e-2 * pressure else "unjammed"
    return "stalled"

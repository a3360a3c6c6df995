"""FIRE on one packing: bodies in the order of their cells, and a list of pairs kept fresh."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.kernels.fire import FRICTION, STALE_LIST
from particles.packings.packing import Packing
from particles.packings.pairs import PairFinder

Vector = NDArray[np.float64]

# Ratio of diameters up to which all bodies move in the same units.
ALIKE = 2.0


class Fire:
    """FIRE on one packing, with its list of pairs made anew where bodies have moved too far."""

    def __init__(self, problem: Packing, x: ArrayLike, dt_max: float, skin: float) -> None:
        start = problem.bodies(x)
        find = PairFinder(problem.bounding_radii, problem.box, 1.0, skin)
        self.order = find.order(problem.centres(x))
        self.bodies = start[self.order]
        self.relaxation = problem.relaxation(self.order, skin)
        self.motion = (np.zeros(start.size), np.zeros(start.size), np.empty(start.size))
        self.units = _units(problem.diameters[self.order], problem.n_per_body)
        self.dt_max, self.clock = dt_max, np.array([0.1 * dt_max, FRICTION])
        self.steps, self.reason = 0, STALE_LIST

    @property
    def max_force(self) -> float:
        """The largest component of the force."""
        return float(np.abs(self.motion[2] / self.units).max())

    def state(self) -> Vector:
        """Return ``x``, ``(n_dof,)``."""
        end = np.empty_like(self.bodies)
        end[self.order] = self.bodies
        return end.ravel()

    def run(self, rules: tuple[float, float, float, float], most: int) -> tuple[float, float]:
        """Advance by the ``rules`` of `advance`, up to ``most`` steps in all.

        Sets ``reason`` and ``steps``; returns ``U`` and ``Σ max(Δ, 0)``.
        """
        energy = total = math.nan
        self.reason = STALE_LIST
        same = (self.units == 1.0).all()
        units = (np.empty(0) if same else self.units, np.empty_like(self.units))
        reach = self.relaxation.reach / float(self.units.max())
        while self.reason == STALE_LIST and self.steps < most:
            self.relaxation.relist(self.bodies)
            listed, clock = self.relaxation.listed, (self.clock, self.dt_max)
            self.reason, taken, energy, total = self.relaxation.kernel(
                self.motion, units, *listed, *clock, reach, rules, most - self.steps
            )
            self.steps += taken
            moved = (self.units * self.motion[0]).reshape(self.bodies.shape)
            self.bodies = self.relaxation.moved(self.bodies, moved)
            self.motion[0][:] = 0.0
        return energy, total


def _units(diameters: Vector, n_per_body: int) -> Vector:
    """Return the unit of each coordinate of the motion, ``(n_dof,)``.

    A contact of large bodies is soft, ``1/σ²``, and in equal units they would be the last to come
    to rest. With ``√(d/d_min)`` their frequencies differ by the root of what they did; a large body
    among small ones stays as stiff as its many contacts allow. Where sizes are alike all are one.
    """
    ratio = diameters / diameters.min()
    units = np.sqrt(ratio) if ratio.max() > ALIKE else np.ones_like(ratio)
    return np.repeat(units, n_per_body)

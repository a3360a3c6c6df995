"""FIRE over lists of near pairs: what a law of repulsion gives the compiled loop."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from particles.packings.pairs import PairFinder

Vector = NDArray[np.float64]


class Relaxation(ABC):
    """FIRE over lists of pairs, for bodies in some order.

    Attributes
    ----------
    kernel : callable
        The compiled loop of the law, see `particles.kernels.fire`.
    find : PairFinder
        Lists the pairs whose circles or spheres are near.
    levers : (N, c)
        The lengths that angles are multiplied by, see `Law.levers`.
    listed : tuple
        What the loop needs to know of the last list.
    reach : float
        Largest displacement of a variable for which that list holds.
    """

    kernel: Callable[..., tuple[int, int, float, float]]
    find: PairFinder
    levers: Vector
    listed: tuple[Any, ...]
    reach: float

    def moved(self, bodies: Vector, motion: Vector) -> Vector:
        """Return ``bodies`` after a ``motion`` by variables in units of length, both ``(N, c)``."""
        return np.asarray(bodies + motion / self.levers)

    @abstractmethod
    def relist(self, bodies: Vector) -> None:
        """List the near pairs of ``bodies``, ``(N, c)``; displacements count from there."""


class ShapedRelaxation(Relaxation):
    """FIRE over pairs that are near by their shapes, not by the circles or spheres around them.

    Attributes
    ----------
    select_near : callable
        The kernel that keeps the pairs whose surfaces are nearer than the ``skin``.
    shapes : callable
        Returns the shape matrices of bodies, as that kernel takes them.
    diameters : (N,)
        Shortest axes.
    skin : float
        Width of the list, in units of length.
    work, turned : (k,)
        Room for what the loop knows of a few pairs at a time, and of all bodies.
    """

    select_near: Callable[..., int]
    shapes: Callable[[Vector], Any]
    diameters: Vector
    skin: float
    work: Vector
    turned: Vector

    @abstractmethod
    def body(self, bodies: Vector, shapes: Any) -> tuple[Vector, ...]:
        """Return what the loop needs of each of ``bodies``, ``(N, c)``, of these shapes."""

    def relist(self, bodies: Vector) -> None:
        """List the pairs whose surfaces are nearer than the skin."""
        i, j, vector = self.find(np.ascontiguousarray(bodies[:, : self.find.box.size]))
        start, shapes = np.empty(i.size), self.shapes(bodies)
        near = self.select_near(i, j, vector, shapes, 0.5 * self.diameters, self.skin, start)
        own, other = i[:near].view(np.uint32), j[:near].view(np.uint32)
        pairs = own, other, vector[:near].ravel(), start[:near]
        self.listed = pairs, self.body(bodies, shapes), self.work, self.turned

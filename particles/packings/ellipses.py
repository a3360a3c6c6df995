"""Ellipses in the plane, with the true contact."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.checks import floats, real
from particles.kernels import ellipses as kernels
from particles.kernels.fire import relax_ellipses
from particles.packings.law import RawPairs, Slopes
from particles.packings.mixture import bidisperse_diameters, check_phi, cubic_box, species
from particles.packings.packing import Packing
from particles.packings.pairs import PairFinder, Pairs
from particles.packings.relaxations import Relaxation, ShapedRelaxation

Vector = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Ellipses(Packing):
    """Ellipses with harmonic repulsion: ``Δ_ij = 1 - μ_ij``, ``U = ½ Σ max(Δ, 0)²``.

    Scaled by ``μ`` about their centres the two ellipses just touch (Perram and Wertheim, J.
    Comput. Phys. 58, 409, 1985). ``x`` is ``(N, 3)``, row by row: the centre, and the angle ``θ``
    of the long axis to the first side of the box, in radians.

    Parameters
    ----------
    diameters : (N,)
        Short axes, ``2b``.
    aspect : float or (N,)
        Long over short axis, at least 1. Where it is exactly 1 the body is a disc; its angle
        changes nothing and counts among the `zero_modes`.
    box : (2,)
        Sides of the periodic box.
    reach : float
        `gaps` lists the pairs with ``Δ > -reach``.

    Raises
    ------
    ValueError
        If an aspect is below 1, or an array holds anything but positive finite numbers.

    Examples
    --------
    Two ellipses tip to tip, their long half axes 1.5 each, at nine tenths of their contact:

    >>> import numpy as np
    >>> pair = Ellipses(diameters=np.ones(2), aspect=3.0, box=np.array([9.0, 9.0]))
    >>> pair.gaps(np.array([1.0, 1.0, 0.0, 3.7, 1.0, 0.0])).round(12)
    array([0.1])
    """

    diameters: Vector
    aspect: Vector
    box: Vector
    reach: float = 0.5

    dimensions: ClassVar[tuple[int, ...]] = (2,)
    n_angles: ClassVar[int] = 1

    def __post_init__(self) -> None:
        self._check()
        aspect = np.array(floats("aspect", self.aspect))
        if aspect.shape not in ((), self.diameters.shape):
            raise ValueError(
                f"expected one aspect or one for each of {self.n_bodies} bodies, "
                f"got shape {aspect.shape}: pass a number"
            )
        if not (np.isfinite(aspect).all() and (aspect >= 1.0).all()):
            bad = aspect[~(np.isfinite(aspect) & (aspect >= 1.0))][0]
            raise ValueError(f"expected a finite aspect >= 1, got {bad:g}: pass long over short")
        aspect = np.broadcast_to(aspect, self.diameters.shape).copy()
        aspect.flags.writeable = False
        object.__setattr__(self, "aspect", aspect)

    @classmethod
    def bidisperse(cls, n: int, phi: float, aspect: float = 1.5, ratio: float = 1.4) -> Self:
        """Return ``n`` ellipses, half with short axis 1 and half with ``ratio``, at ``phi``.

        Examples
        --------
        >>> round(Ellipses.bidisperse(64, 0.9, aspect=2.0).phi, 12)
        0.9
        """
        diameters = bidisperse_diameters(n, ratio)
        check_phi(phi)
        if not 1.0 <= real("aspect", aspect) < math.inf:
            raise ValueError(f"expected a finite aspect >= 1, got {aspect}: pass long over short")
        area = math.pi / 4.0 * aspect * (diameters**2).sum() / phi
        return cls(diameters, np.full(diameters.size, float(aspect)), cubic_box(float(area), 2))

    @property
    def bounding_radii(self) -> Vector:
        """The long half axes, ``(N,)``."""
        return 0.5 * self.diameters * self.aspect

    @property
    def volumes(self) -> Vector:
        """``π a b``, ``(N,)``."""
        return math.pi / 4.0 * self.aspect * self.diameters**2

    @property
    def variables(self) -> Indices:
        """Three, or two where the body is round and its angle changes nothing, ``(N,)``."""
        return np.where(self.aspect > 1.0, 3, 2)

    @property
    def species(self) -> list[Indices]:
        """The bodies of each size and aspect."""
        return species(self.diameters, self.aspect)

    def slopes(self, x: ArrayLike, pairs: Pairs) -> Slopes:
        """Return the gaps of ``pairs`` and their derivatives by ``r``, ``θ_i`` and ``θ_j``."""
        gap, slope = np.empty(len(pairs)), np.empty((len(pairs), 4))
        kernels.gaps(pairs.i, pairs.j, pairs.vector, self._shape(self.bodies(x)), gap, slope)
        return Slopes(gap, slope[:, :2], slope[:, 2:])

    def _normal_gaps(self, bodies: Vector, pairs: Pairs) -> Vector:
        gap = np.empty(len(pairs))
        kernels.normal_gaps(pairs.i, pairs.j, pairs.vector, self._shape(bodies), gap)
        return -gap

    def zero_modes(self, x: ArrayLike) -> Vector:
        """Return the translations and the angles of bodies of aspect 1, orthonormal."""
        round_bodies = np.flatnonzero(self.aspect == 1.0)
        turns = np.zeros((round_bodies.size, self.n_dof))
        turns[np.arange(round_bodies.size), 3 * round_bodies + 2] = 1.0
        return np.concatenate([super().zero_modes(x), turns])

    def outlines(self, x: ArrayLike) -> Vector:
        """Return themselves: axes and angle of the long one, ``(N, 3)``."""
        angle = self.bodies(x)[:, 2]
        return np.stack([2.0 * self.bounding_radii, self.diameters, angle], axis=1)

    def equivalents(self, x: ArrayLike, rng: np.random.Generator) -> Iterator[tuple[str, Vector]]:
        """Yield those of all packings, and half turns of single ellipses."""
        yield from super().equivalents(x, rng)
        turned = self.bodies(x).copy()
        turned[:, 2] += np.pi * rng.integers(-2, 3, self.n_bodies)
        yield "half turn", turned.ravel()

    def _shape(self, bodies: Vector) -> tuple[Vector, Vector, Vector]:
        """Return the shape matrices ``[[m + p, q], [q, m - p]]`` as ``(m, p, q)``."""
        a, b, turned = self.bounding_radii, 0.5 * self.diameters, 2.0 * bodies[:, 2]
        split = 0.5 * (a - b) * (a + b)
        return 0.5 * (a * a + b * b), split * np.cos(turned), split * np.sin(turned)

    def _add_gradient(self, bodies: Vector, pairs: RawPairs, gradient: Vector) -> float:
        return float(kernels.energy_gradient(*pairs, self._shape(bodies), gradient))

    def _stiffness(self, bodies: Vector, pairs: RawPairs) -> Vector:
        block = np.zeros((len(pairs[0]), 4, 4))
        kernels.stiffness(*pairs, self._shape(bodies), block)
        return block

    @property
    def levers(self) -> Vector:
        """``ℓ = √((a - b)² + 0.2 b (a - b))`` for the angle, 1 for the centre, ``(N, 3)``.

        A turn by ``δθ`` moves the surface by ``(a - b) δθ`` at most, so that ``a - b`` would make
        contacts as stiff for ``ℓθ`` as for the centre. The rest is for nearly round bodies, whose
        prestress falls off as ``a - b`` only.
        """
        levers = np.ones((self.n_bodies, 3))
        excess = self.bounding_radii - 0.5 * self.diameters
        length = np.sqrt(excess * (excess + 0.1 * self.diameters))
        levers[:, 2] = np.where(excess > 0.0, length, 1.0)
        return levers

    def relaxation(self, order: Indices, skin: float) -> Relaxation:
        """Return FIRE over the pairs nearer than ``skin``, bodies in ``order``."""
        sizes, aspect = self.diameters[order], self.aspect[order]
        return _EllipseRelaxation(Ellipses(sizes, aspect, self.box), skin)


class _EllipseRelaxation(ShapedRelaxation):
    """FIRE over lists of pairs of ellipses, by ``(x, y, ℓθ)``."""

    kernel = staticmethod(relax_ellipses)
    select_near = staticmethod(kernels.select_near)

    def __init__(self, problem: Ellipses, skin: float) -> None:
        self.shapes, self.diameters, self.skin = problem._shape, problem.diameters, skin
        self.find = PairFinder(problem.bounding_radii, problem.box, 1.0, skin)
        self.work, self.turned = np.empty(10 * kernels.CAP), np.empty(2 * problem.n_bodies)
        self.levers = problem.levers
        self.per_lever = 1.0 / self.levers[:, 2]
        # The surface moves by no more than |δx| + (a - b)|δθ|, and the lever is a - b or longer.
        self.reach = 0.5 * skin / (math.sqrt(2.0) + 1.0)

    def body(self, bodies: Vector, shapes: tuple[Vector, ...]) -> tuple[Vector, ...]:
        del bodies
        return shapes[0], self.per_lever, np.stack(shapes[1:], axis=1).ravel()

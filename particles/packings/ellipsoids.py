"""Ellipsoids in space, with the true contact."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.checks import check_generator, floats
from particles.kernels import ellipsoids as kernels
from particles.kernels.fire import relax_ellipsoids
from particles.packings.law import RawPairs, Slopes
from particles.packings.mixture import bidisperse_diameters, check_phi, cubic_box, species
from particles.packings.orientations import (
    COLUMNS,
    HALF_TURNS,
    ROWS,
    axes_of,
    ordered_axes,
    random_turns,
    rates_of,
    skew,
    turned_by,
    turns_of,
)
from particles.packings.packing import Packing
from particles.packings.pairs import PairFinder, Pairs
from particles.packings.relaxations import Relaxation, ShapedRelaxation

Vector = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Ellipsoids(Packing):
    """Ellipsoids with harmonic repulsion: ``Δ_ij = 1 - μ_ij``, ``U = ½ Σ max(Δ, 0)²``.

    Scaled by ``μ`` about their centres the two ellipsoids just touch (Perram and Wertheim, J.
    Comput. Phys. 58, 409, 1985). ``x`` is ``(N, 6)``, row by row: the centre, and the orientation
    as in `particles.packings.orientations`: the tilt of the third axis, and the angle ``ψ`` about
    that. The spin ``ψ`` of a spheroid changes nothing, nor do all three angles of a sphere: they
    count among the `zero_modes`.

    Parameters
    ----------
    diameters : (N,)
        Shortest axes.
    axes : (3,) or (N, 3)
        The three axes in units of the shortest, each at least 1. Where two of them are equal, they
        are the first two, so that the third is the axis of revolution.
    box : (3,)
        Sides of the periodic box.
    reach : float
        `gaps` lists the pairs with ``Δ > -reach``.

    Raises
    ------
    ValueError
        If an axis is below 1, a pair of equal ones is not in front, or an array holds anything but
        positive finite numbers.

    Examples
    --------
    Two spheroids tip to tip, their long half axes 1.5 each, at nine tenths of their contact:

    >>> import numpy as np
    >>> pair = Ellipsoids(np.ones(2), axes=[1.0, 1.0, 3.0], box=np.full(3, 9.0))
    >>> pair.gaps(np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 3.7, 0.0, 0.0, 0.0])).round(12)
    array([0.1])
    """

    diameters: Vector
    axes: Vector
    box: Vector
    reach: float = 0.5

    dimensions: ClassVar[tuple[int, ...]] = (3,)
    n_angles: ClassVar[int] = 3

    def __post_init__(self) -> None:
        self._check()
        axes = np.array(floats("axes", self.axes))
        if axes.shape not in ((3,), (self.n_bodies, 3)):
            raise ValueError(
                f"expected three axes or three for each of {self.n_bodies} bodies, "
                f"got shape {axes.shape}: pass such as [1.25, 1.0, 1.5]"
            )
        if not (np.isfinite(axes).all() and (axes >= 1.0).all()):
            bad = axes[~(np.isfinite(axes) & (axes >= 1.0))][0]
            raise ValueError(
                f"expected finite axes >= 1, got {bad:g}: pass them in units of the shortest"
            )
        axes = np.broadcast_to(axes, (self.n_bodies, 3)).copy()
        flat = (axes[:, 2] == axes[:, 0]) | (axes[:, 2] == axes[:, 1])
        if (wrong := flat & (axes[:, 0] != axes[:, 1])).any():
            got = " ".join(f"{axis:g}" for axis in axes[wrong][0])
            raise ValueError(f"expected the axis of a spheroid last, got axes {got}: reorder them")
        axes.flags.writeable = False
        object.__setattr__(self, "axes", axes)

    @classmethod
    def bidisperse(
        cls, n: int, phi: float, axes: ArrayLike = (1.25, 1.0, 0.8), ratio: float = 1.4
    ) -> Self:
        """Return ``n`` ellipsoids, half of shortest axis 1 and half of ``ratio``, at ``phi``.

        Parameters
        ----------
        n
            Number of bodies.
        phi
            Packing fraction.
        axes
            The three axes in any unit, those of a spheroid in any order; a number ``α`` is the
            spheroid of axes ``1 : 1 : α``, oblate below 1.
        ratio
            Large over small; 1 for bodies of one size.

        Examples
        --------
        >>> round(Ellipsoids.bidisperse(64, 0.7, axes=1.5).phi, 12)
        0.7
        >>> Ellipsoids.bidisperse(1, 0.7, axes=[0.8, 1.6, 1.6]).axes
        array([[2., 2., 1.]])
        """
        three = ordered_axes(axes)
        diameters = bidisperse_diameters(n, ratio)
        volume = np.pi / 6.0 * three.prod() * (diameters**3).sum() / check_phi(phi)
        return cls(diameters, three, cubic_box(float(volume), 3))

    @cached_property
    def half_axes(self) -> Vector:
        """Half of the three axes, in units of length, ``(N, 3)``."""
        return np.asarray(0.5 * self.diameters[:, None] * self.axes)

    @property
    def bounding_radii(self) -> Vector:
        """The longest half axes, ``(N,)``."""
        return np.asarray(self.half_axes.max(axis=1))

    @property
    def volumes(self) -> Vector:
        """``4π abc/3``, ``(N,)``."""
        return np.asarray(np.pi / 6.0 * self.axes.prod(axis=1) * self.diameters**3)

    @property
    def variables(self) -> Indices:
        """Six, five of a spheroid whose spin changes nothing, three of a sphere, ``(N,)``."""
        a, b, c = self.axes.T
        return np.where(a != b, 6, np.where(b != c, 5, 3))

    @property
    def species(self) -> list[Indices]:
        """The bodies of each size and shape."""
        return species(self.diameters, *self.axes.T)

    def random_state(self, rng: np.random.Generator) -> Vector:
        """Return centres and orientations drawn uniformly: ``(n_dof,)``."""
        check_generator(rng)
        uniform = rng.random((self.n_bodies, 6))
        return np.hstack([uniform[:, :3] * self.box, random_turns(uniform[:, 3:])]).ravel()

    def slopes(self, x: ArrayLike, pairs: Pairs) -> Slopes:
        """Return the gaps of ``pairs`` and their derivatives by ``r`` and six angles."""
        bodies = self.bodies(x)
        gap, slope = np.empty(len(pairs)), np.empty((len(pairs), 9))
        kernels.gaps(pairs.i, pairs.j, pairs.vector, self.shapes(bodies), gap, slope)
        rates = self._rates(bodies)
        angles = [
            np.einsum("kc,kca->ka", turn, rates[who])
            for turn, who in ((slope[:, 3:6], pairs.i), (slope[:, 6:], pairs.j))
        ]
        return Slopes(gap, slope[:, :3], np.hstack(angles))

    def _normal_gaps(self, bodies: Vector, pairs: Pairs) -> Vector:
        gap = np.empty(len(pairs))
        kernels.normal_gaps(pairs.i, pairs.j, pairs.vector, self.shapes(bodies), gap)
        return -gap

    def zero_modes(self, x: ArrayLike) -> Vector:
        """Return translations, spins of spheroids and angles of spheres, orthonormal."""
        still = np.flatnonzero((np.arange(6) >= self.variables[:, None]).ravel())
        turns = np.zeros((still.size, self.n_dof))
        turns[np.arange(still.size), still] = 1.0
        return np.concatenate([super().zero_modes(x), turns])

    def outlines(self, x: ArrayLike) -> Vector:
        """Return their shadows along ``z``: axes and angle of the long one, ``(N, 3)``.

        The shape matrix of a shadow is the part of that of the body by ``x`` and ``y``.
        """
        squares, axes = np.linalg.eigh(self._matrices(self.bodies(x))[:, :2, :2])
        angle = np.arctan2(axes[:, 1, 1], axes[:, 0, 1])
        return np.column_stack([2.0 * np.sqrt(squares[:, ::-1]), angle])

    def scene(self, x: ArrayLike) -> dict[str, NDArray[Any]]:
        """Return what `Packing.scene` does, and the shape matrices ``solids`` of a picture."""
        solids = self.shapes(self.bodies(x)).astype(np.float32)
        return {**super().scene(x), "solids": solids}

    def equivalents(self, x: ArrayLike, rng: np.random.Generator) -> Iterator[tuple[str, Vector]]:
        """Yield those of all packings, half turns of single bodies, and spins of spheroids."""
        yield from super().equivalents(x, rng)
        turned = self.bodies(x).copy()
        half = HALF_TURNS[rng.integers(0, 4, self.n_bodies)]
        turned[:, 3:] = turns_of(axes_of(turned[:, 3:]) * half[:, None, :])
        turned[:, 5] += np.pi * rng.integers(-2, 3, self.n_bodies)
        yield "half turn", turned.ravel()
        spun = self.bodies(x).copy()
        spun[:, 5] += np.where(self.variables < 6, rng.random(self.n_bodies), 0.0)
        yield "spin", spun.ravel()

    def shapes(self, bodies: Vector) -> Vector:
        """Return the shape matrices ``R diag(a², b², c²) Rᵀ`` of bodies ``(N, 6)``: ``(N, 6)``.

        By ``xx, xy, xz, yy, yz, zz``.
        """
        return np.ascontiguousarray(self._matrices(bodies)[:, ROWS, COLUMNS])

    def _matrices(self, bodies: Vector) -> Vector:
        """Return the shape matrices, ``(N, 3, 3)``: of spheroids without their spin in them."""
        axes, squares = axes_of(bodies[:, 3:]), self._squares
        scaled = axes[:, :, 1:] * squares[:, None, 1:]
        return np.asarray(
            squares[:, :1, None] * np.eye(3) + scaled @ axes[:, :, 1:].transpose(0, 2, 1)
        )

    @cached_property
    def _squares(self) -> Vector:
        """``(a², b² - a², c² - a²)``, ``(N, 3)``: exactly 0 where two axes are the same."""
        a, b, c = self.half_axes.T
        return np.column_stack([a * a, (b - a) * (b + a), (c - a) * (c + a)])

    def _rates(self, bodies: Vector) -> Vector:
        """Return `rates_of` the bodies, 0 by the angles that change nothing."""
        rates, _ = rates_of(bodies[:, 3:])
        return rates * self._counts[:, None, :]

    @cached_property
    def _counts(self) -> Vector:
        """1 for the angles that a body depends on, else 0: ``(N, 3)``."""
        return (np.arange(3, 6) < self.variables[:, None]).astype(np.float64)

    def _add_gradient(self, bodies: Vector, pairs: RawPairs, gradient: Vector) -> float:
        pull = np.zeros_like(gradient)
        energy = float(kernels.energy_gradient(*pairs, self.shapes(bodies), pull))
        gradient[:, :3] += pull[:, :3]
        gradient[:, 3:] += np.einsum("nc,nca->na", pull[:, 3:], self._rates(bodies))
        return energy

    def _stiffness(self, bodies: Vector, pairs: RawPairs) -> Vector:
        block = np.zeros((len(pairs[0]), 9, 9))
        kernels.stiffness(*pairs, *self._shape_derivatives(bodies), block)
        return block

    def _shape_derivatives(self, bodies: Vector) -> tuple[Vector, Vector, Vector]:
        """Return the shape matrices and their two derivatives by the three angles.

        A turn at the rate ``J_k = rates[:, :, k]`` changes ``A`` by ``K A + A Kᵀ``, ``K = J_k ×``:

            A_kl = ∂_l K A + K A_l + transposed
        """
        matrices = self._matrices(bodies)
        rates, bends = rates_of(bodies[:, 3:])
        turns = skew(rates * self._counts[:, None, :]).transpose(0, 3, 1, 2)
        both = self._counts[:, :, None] * self._counts[:, None, :]
        again = skew(bends * both[:, None]).transpose(0, 3, 4, 1, 2)
        first = turns @ matrices[:, None]
        first += first.swapaxes(-1, -2)
        second = again @ matrices[:, None, None] + turns[:, :, None] @ first[:, None]
        second += second.swapaxes(-1, -2)
        packed = (part[..., ROWS, COLUMNS] for part in (matrices, first, second))
        shapes, rates_a, bends_a = map(np.ascontiguousarray, packed)
        return shapes, rates_a, bends_a

    @property
    def levers(self) -> Vector:
        """The lengths of `_body_levers` by the variables of ``x``, 1 for the centre, ``(N, 6)``.

        The two of the tilt have that of the stiffer turn.
        """
        first, second, spin = self._body_levers.T
        tilt, one = np.maximum(first, second), np.ones(self.n_bodies)
        tilt = np.where(self.variables > 3, tilt, 1.0)
        return np.column_stack([one, one, one, tilt, tilt, spin])

    @property
    def _body_levers(self) -> Vector:
        """``ℓ = √(e² + 0.2 s e)`` for turns about each axis of a body, ``(N, 3)``.

        ``e`` is by how much the two axes across differ, and ``s`` the shorter half axis of them,
        see `particles.Ellipses.levers`; 1 where they are equal.
        """
        half = self.half_axes
        across = half[:, [1, 2, 0]], half[:, [2, 0, 1]]
        excess, short = np.abs(across[0] - across[1]), np.minimum(*across)
        length = np.sqrt(excess * (excess + 0.2 * short))
        return np.where(excess > 0.0, length, 1.0)

    def relaxation(self, order: Indices, skin: float) -> Relaxation:
        """Return FIRE over the pairs nearer than ``skin``, bodies in ``order``."""
        problem = Ellipsoids(self.diameters[order], self.axes[order], self.box)
        return _EllipsoidRelaxation(problem, skin)


class _EllipsoidRelaxation(ShapedRelaxation):
    """FIRE over lists of pairs of ellipsoids, by ``(x, y, z, ℓω)``: turns about axes of the body.

    They count from the last list, so that no orientation is singular.
    """

    kernel = staticmethod(relax_ellipsoids)
    select_near = staticmethod(kernels.select_near)

    def __init__(self, problem: Ellipsoids, skin: float) -> None:
        self.shapes, self.diameters, self.skin = problem.shapes, problem.diameters, skin
        self.find = PairFinder(problem.bounding_radii, problem.box, 1.0, skin)
        self.work, self.turned = np.empty(kernels.SIZE * kernels.CAP), np.empty(problem.n_dof)
        self.squares = problem._squares
        self.per_lever = 1.0 / problem._body_levers
        # The surface moves by no more than |δx| + Σ e|δω|, and no lever is shorter than its e.
        self.reach = 0.5 * skin / (math.sqrt(3.0) + 3.0)

    def body(self, bodies: Vector, shapes: Vector) -> tuple[Vector, ...]:
        del shapes
        return self.per_lever, axes_of(bodies[:, 3:]), self.squares

    def moved(self, bodies: Vector, motion: Vector) -> Vector:
        turn = motion[:, 3:] * self.per_lever
        axes = turned_by(axes_of(bodies[:, 3:]), turn)
        return np.hstack([bodies[:, :3] + motion[:, :3], turns_of(axes)])

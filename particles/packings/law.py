"""The interface of a law of repulsion, and what is common to all bodies in a periodic box."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.checks import check_generator, check_options, real, vector
from particles.packings.mixture import check_phi, positive_array
from particles.packings.pairs import Pairs
from particles.packings.relaxations import Relaxation

Vector = NDArray[np.float64]
Indices = NDArray[np.intp]
RawPairs: TypeAlias = tuple[NDArray[np.integer], NDArray[np.integer], Vector]

# Rounding of a position may change a gap by this, in smallest diameters. Overlaps at a pressure of
# 1e-6 are of the size of 1e-6, and a state 1e10 boxes away has lost them.
_ROUNDING = 1e-12
# So many sides away a centre is near its box, however large that is.
_NEAR = 16.0


@dataclass(frozen=True, eq=False)
class Slopes:
    """Gaps and their derivatives, pair by pair.

    Attributes
    ----------
    gap : (m,)
        ``Δ``.
    vector : (m, d)
        ``∂Δ/∂r``, with ``r`` from the first body to the second.
    angles : (m, 2a)
        ``∂Δ/∂θ`` of the first and then of the second body, of ``a`` angles each.
    """

    gap: Vector
    vector: Vector
    angles: Vector


class Law(ABC):
    """Bodies of some shape in a periodic box, and how two of them repel.

    The first half is what a new law has to say; the second half is bookkeeping.
    """

    diameters: Vector
    box: Vector
    reach: float

    dimensions: ClassVar[tuple[int, ...]]
    n_angles: ClassVar[int]

    # What a law says of itself.

    def radii(self, x: ArrayLike) -> Vector:
        """Return the `bounding_radii` in a state, ``(N,)``, if that says something of them."""
        del x
        return self.bounding_radii

    @property
    @abstractmethod
    def bounding_radii(self) -> Vector:
        """Radius of the circle or sphere around each body, ``(N,)``."""

    @property
    @abstractmethod
    def volumes(self) -> Vector:
        """Area or volume of each body, ``(N,)``."""

    @property
    @abstractmethod
    def species(self) -> list[Indices]:
        """The bodies of each species: those of one size and shape."""

    @abstractmethod
    def slopes(self, x: ArrayLike, pairs: Pairs) -> Slopes:
        """Return the gaps of ``pairs`` and their derivatives."""

    @abstractmethod
    def _add_gradient(self, bodies: Vector, pairs: RawPairs, gradient: Vector) -> float:
        """Add ``∇U`` to ``gradient``; return ``U``."""

    @abstractmethod
    def _stiffness(self, bodies: Vector, pairs: RawPairs) -> Vector:
        """Return ``∂²U`` of each pair, by ``r`` and the angles of both bodies."""

    @abstractmethod
    def relaxation(self, order: Indices, skin: float) -> Relaxation:
        """Return FIRE over the pairs whose surfaces are nearer than ``skin``, in ``order``."""

    @property
    def levers(self) -> Vector:
        """Lengths that make one step of every variable of a body alike, ``(N, n_per_body)``.

        The minimiser moves ``ℓ θ`` where ``x`` holds ``θ``.
        """
        return np.ones((self.n_bodies, self.n_per_body))

    @property
    def springs(self) -> Vector:
        """Stiffness that holds each variable at 0 by itself, ``(N, n_per_body)``; none has one."""
        return np.zeros((self.n_bodies, self.n_per_body))

    # What follows from it.

    def _check(self) -> None:
        """Turn the fields into read-only arrays, or say what is wrong with them."""
        object.__setattr__(self, "diameters", positive_array("diameters", self.diameters, "(N,)"))
        object.__setattr__(self, "box", positive_array("box", self.box, "(d,)"))
        if self.box.size not in self.dimensions:
            expected = " or ".join(str(d) for d in self.dimensions)
            raise ValueError(
                f"expected a box with {expected} sides, got {self.box.size}: pass one for each "
                "dimension"
            )
        check_options(positive=True, reach=self.reach)

    @property
    def n_bodies(self) -> int:
        """Number of bodies, rattlers included."""
        return int(self.diameters.size)

    @property
    def dim(self) -> int:
        """Dimension of space."""
        return int(self.box.size)

    @property
    def n_per_body(self) -> int:
        """Variables of one body: its centre, and its angles if it has any."""
        return self.dim + self.n_angles

    @property
    def variables(self) -> Indices:
        """Variables of each body that its energy depends on, ``(N,)``: they come first."""
        return np.full(self.n_bodies, self.n_per_body)

    @property
    def n_dof(self) -> int:
        """Number of variables."""
        return self.n_bodies * self.n_per_body

    @property
    def phi(self) -> float:
        """Packing fraction: the volume of all bodies over that of the box."""
        return float(self.volumes.sum() / self.box.prod())

    def bodies(self, x: ArrayLike) -> Vector:
        """Return ``x`` as ``(N, n_per_body)``, one row a body.

        Raises
        ------
        TypeError
            If ``x`` is anything but real numbers.
        ValueError
            If ``x`` has another size, holds NaN or inf, or lies so far away that the rounding of
            positions moves contacts.
        """
        state = vector("x", x, self.n_dof)
        # One kind of array for the kernels, or they would be compiled for each.
        state = np.require(state, requirements=["C", "W"])
        bodies = state.reshape(self.n_bodies, self.n_per_body)
        if not np.abs(state).max() <= self._farthest.min():
            self._check_positions(bodies)
        return bodies

    def _check_positions(self, bodies: Vector) -> None:
        """Raise ValueError in one line that names the first variable that is too far away."""
        good = np.abs(bodies) <= self._farthest
        if good.all():
            return
        body, k = np.argwhere(~good)[0]
        value, index = bodies[body, k], body * self.n_per_body + k
        if not np.isfinite(value):
            raise ValueError(
                f"expected finite variables in x, got {value:g} at index {index}: correct it"
            )
        raise ValueError(
            f"expected variables within {self._farthest[k]:.4g} of 0, where rounding moves no "
            f"contact, got {value:.4g} at index {index}: move it by whole boxes or turns"
        )

    @cached_property
    def _farthest(self) -> Vector:
        """How far from 0 each variable of a body may be, ``(n_per_body,)``."""
        turns = _ROUNDING / float(np.finfo(np.float64).eps)
        sides = np.maximum(turns * self.diameters.min(), _NEAR * self.box)
        return np.append(sides, np.full(self.n_angles, turns))

    def centres(self, x: ArrayLike) -> Vector:
        """Return the centres of the bodies, ``(N, d)``."""
        return np.ascontiguousarray(self.bodies(x)[:, : self.dim])

    def random_state(self, rng: np.random.Generator) -> Vector:
        """Return centres, and angles if there are any, drawn uniformly: ``(n_dof,)``."""
        check_generator(rng)
        state = rng.random((self.n_bodies, self.n_per_body))
        state[:, : self.dim] *= self.box
        state[:, self.dim :] *= np.pi
        return state.ravel()

    @property
    def deformation(self) -> Vector:
        """``F``, ``(d, d)``: centres that are ``r`` apart in ``x`` are ``F r`` apart in space."""
        return np.eye(self.dim)

    def tightened(self, t: float) -> Self:
        """Return the packing loaded by ``t``: `grown`, unless its load is another one."""
        return self.grown(t)

    def grown(self, t: float) -> Self:
        """Return the packing with every length of the bodies ``1 + t`` times as large.

        The box and ``x`` stay as they are, and ``Δ = 1 - μ`` becomes ``1 - μ/(1 + t)``.
        """
        if not -1.0 < real("t", t) < math.inf:
            raise ValueError(f"expected a relative growth t > -1, got {t}: pass such as 0.01")
        return replace(self, diameters=self.diameters * (1.0 + t))  # type: ignore[type-var]

    def with_phi(self, phi: float) -> Self:
        """Return the packing with its bodies grown, or shrunk, to packing fraction ``phi``."""
        return self.grown((check_phi(phi) / self.phi) ** (1.0 / self.dim) - 1.0)

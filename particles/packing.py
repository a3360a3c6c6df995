"""What discs, spheres and ellipses in a periodic box have in common."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from particles.kernels.blocks import products
from particles.mixture import check_phi, positive_array
from particles.pairs import Pairs, near_pairs, raw_pairs
from particles.rattlers import rattlers

Vector = NDArray[np.float64]
Indices = NDArray[np.intp]
RawPairs: TypeAlias = tuple[NDArray[np.integer], NDArray[np.integer], Vector]


@dataclass(frozen=True, eq=False)
class Slopes:
    """Gaps and their derivatives, pair by pair.

    Attributes
    ----------
    gap : (m,)
        ``Δ``.
    vector : (m, d)
        ``∂Δ/∂r``, with ``r`` from the first body to the second.
    angles : (m, 2) or (m, 0)
        ``∂Δ/∂θ`` of the first and of the second body.
    """

    gap: Vector
    vector: Vector
    angles: Vector


class Relaxation(Protocol):
    """FIRE over one list of pairs, until it converges or the list is stale."""

    def __call__(
        self,
        motion: tuple[Vector, Vector, Vector],
        clock: Vector,
        dt_max: float,
        rules: tuple[float, float, float, float],
        steps: int,
    ) -> tuple[int, int, float, float]:
        """Advance ``motion = (u, v, force)`` in place.

        Returns the reason to stop, the steps taken, ``U`` and ``Σ max(Δ, 0)``.
        """


class Packing(ABC):
    """Bodies in a periodic box that repel where they overlap: ``U = ½ Σ max(Δ, 0)²``.

    A law inherits from it, and adds its gap and its loops over pairs. ``x`` holds the bodies one
    after the other, ``(x, y)``, ``(x, y, z)`` or ``(x, y, θ)`` each. Positions need not lie in the
    box: a state and its periodic images are the same.
    """

    diameters: Vector
    box: Vector
    reach: float

    dimensions: ClassVar[tuple[int, ...]]
    n_angles: ClassVar[int]

    # What a law says of itself.

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
    def _add_gradient(
        self, bodies: Vector, pairs: RawPairs, gradient: Vector
    ) -> tuple[float, float]:
        """Add ``∇U`` to ``gradient``; return ``U`` and ``Σ max(Δ, 0)``."""

    @abstractmethod
    def _stiffness(self, bodies: Vector, pairs: RawPairs) -> Vector:
        """Return ``∂²U`` of each pair, by ``r`` and the two angles: `kernels.blocks`."""

    @abstractmethod
    def _relaxation(self, bodies: Vector, order: Indices, skin: float) -> "Relaxation":
        """Return a run of FIRE over the pairs nearer than ``skin``, bodies in ``order``."""

    @property
    def levers(self) -> Vector:
        """Lengths that make one step of every variable of a body alike, ``(N, n_per_body)``.

        The minimiser moves ``ℓ θ`` where ``x`` holds ``θ``.
        """
        return np.ones((self.n_bodies, self.n_per_body))

    # What follows from it.

    def _check(self) -> None:
        """Turn the fields into read-only arrays, or say what is wrong with them."""
        object.__setattr__(self, "diameters", positive_array("diameters", self.diameters, "(N,)"))
        object.__setattr__(self, "box", positive_array("box", self.box, "(d,)"))
        if self.box.size not in self.dimensions:
            expected = " or ".join(str(d) for d in self.dimensions)
            raise ValueError(f"expected a box with {expected} sides, got {self.box.size}")
        if not 0.0 < self.reach < math.inf:
            raise ValueError(f"expected a positive, finite reach, got {self.reach}")

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
        """Variables of one body: its centre, and its angle if it has one."""
        return self.dim + self.n_angles

    @property
    def n_dof(self) -> int:
        """Number of variables."""
        return self.n_bodies * self.n_per_body

    @property
    def phi(self) -> float:
        """Packing fraction: the volume of all bodies over that of the box."""
        return float(self.volumes.sum() / self.box.prod())

    def bodies(self, x: ArrayLike) -> Vector:
        """Return ``x`` as ``(N, d)`` or ``(N, 3)``, one row a body.

        Raises
        ------
        ValueError
            If ``x`` has another size, or holds NaN or inf.
        """
        state = np.asarray(x, dtype=np.float64)
        if state.shape != (self.n_dof,):
            raise ValueError(f"expected a state of shape ({self.n_dof},), got {state.shape}")
        if not np.isfinite(state).all():
            raise ValueError(
                f"expected finite variables, got {state[~np.isfinite(state)][0]} "
                f"at index {np.flatnonzero(~np.isfinite(state))[0]}"
            )
        return state.reshape(self.n_bodies, self.n_per_body)

    def centres(self, x: ArrayLike) -> Vector:
        """Return the centres of the bodies, ``(N, d)``."""
        return np.ascontiguousarray(self.bodies(x)[:, : self.dim])

    def random_state(self, rng: np.random.Generator) -> Vector:
        """Return centres, and angles if there are any, drawn uniformly: ``(n_dof,)``."""
        state = rng.random((self.n_bodies, self.n_per_body))
        state[:, : self.dim] *= self.box
        state[:, self.dim :] *= np.pi
        return state.ravel()

    def loaded(self, t: float) -> Self:
        """Return the packing with every length of the bodies ``1 + t`` times as large.

        The box and ``x`` stay as they are, and ``Δ = 1 - μ`` becomes ``1 - μ/(1 + t)``.
        """
        if not -1.0 < t < math.inf:
            raise ValueError(f"expected a relative growth t > -1, got {t}")
        return replace(self, diameters=self.diameters * (1.0 + t))  # type: ignore[type-var]

    def with_phi(self, phi: float) -> Self:
        """Return the packing with its bodies grown, or shrunk, to packing fraction ``phi``."""
        return self.loaded((check_phi(phi) / self.phi) ** (1.0 / self.dim) - 1.0)

    def pairs(self, x: ArrayLike) -> Pairs:
        """Return the near pairs, ``Δ > -reach``, in the order of `gaps`."""
        return self._near(x)[0]

    def _near(self, x: ArrayLike) -> tuple[Pairs, Slopes]:
        """Return the near pairs and their slopes."""
        near = near_pairs(self.centres(x), self.bounding_radii, self.box, 1.0 + self.reach)
        slopes = self.slopes(x, near)
        rows = slopes.gap > -self.reach
        return near[rows], Slopes(slopes.gap[rows], slopes.vector[rows], slopes.angles[rows])

    def gaps(self, x: ArrayLike) -> Vector:
        """Return ``Δ`` of the near pairs, ``(m,)``: overlaps positive, in units of the contact."""
        return self._near(x)[1].gap

    def load_direction(self, x: ArrayLike) -> Vector:
        """Return ``∂Δ/∂t = 1 - Δ`` for growth by ``1 + t``, in the order of `gaps`, ``(m,)``."""
        return 1.0 - self.gaps(x)

    def gap_jacobian(self, x: ArrayLike, rows: Indices | None = None) -> sparse.csr_array:
        """Return ``∂Δ/∂x`` of the near pairs, or of some ``rows`` of them: CSR, ``(m, n_dof)``."""
        pairs, slopes = self._near(x)
        vector, angles = slopes.vector, slopes.angles
        if rows is not None:
            pairs, vector, angles = pairs[rows], vector[rows], angles[rows]
        m, c = len(pairs), self.n_per_body
        values = np.concatenate([-vector, angles[:, :1], vector, angles[:, 1:]], axis=1)
        columns = np.stack([pairs.i, pairs.j], axis=1)[:, :, None] * c + np.arange(c)
        place = np.arange(0, 2 * c * m + 1, 2 * c)
        jacobian = sparse.csr_array((values.ravel(), columns.ravel(), place), (m, self.n_dof))
        jacobian.sum_duplicates()
        return jacobian

    def energy_gradient(self, x: ArrayLike) -> tuple[float, Vector]:
        """Return ``U = ½ Σ max(Δ, 0)²`` and ``∇U``, shape ``(n_dof,)``."""
        bodies = self.bodies(x)
        gradient = np.zeros_like(bodies)
        energy, _ = self._add_gradient(bodies, self._touching(bodies), gradient)
        return energy, gradient.ravel()

    def hvp(self, x: ArrayLike, v: ArrayLike) -> Vector:
        """Return ``H v`` for ``v`` of shape ``(n_dof,)`` or, row by row, ``(k, n_dof)``."""
        bodies = self.bodies(x)
        directions = np.ascontiguousarray(v, dtype=np.float64)
        if directions.ndim not in (1, 2) or directions.shape[-1] != self.n_dof:
            raise ValueError(
                f"expected directions of shape ({self.n_dof},) or (k, {self.n_dof}), "
                f"got {directions.shape}"
            )
        out = np.zeros_like(directions)
        shape = (-1, self.n_bodies, self.n_per_body)
        i, j, vector = self._touching(bodies)
        block = self._stiffness(bodies, (i, j, vector))
        products(i, j, block, directions.reshape(shape), out.reshape(shape))
        return out

    def hessian(self, x: ArrayLike) -> sparse.csr_array:
        """Return ``H = ∂²U/∂x²`` as a sparse matrix, ``(n_dof, n_dof)``."""
        bodies = self.bodies(x)
        return self._assembled(bodies, self._touching(bodies))

    def _assembled(self, bodies: Vector, pairs: RawPairs) -> sparse.csr_array:
        """Return the Hessian of some pairs as a sparse matrix."""
        c, n = self.n_per_body, self.n_dof
        block = self._stiffness(bodies, pairs)
        touch = block.any(axis=(1, 2))
        bodies_of = np.stack(pairs[:2], axis=1)[touch].astype(np.int64)
        # The variables of a pair against those of its two bodies.
        local = np.zeros((block.shape[1], 2 * c))
        for a in range(self.dim):
            local[a, a], local[a, c + a] = -1.0, 1.0
        if self.n_angles:
            local[self.dim, c - 1] = local[self.dim + 1, 2 * c - 1] = 1.0
        values = local.T @ block[touch] @ local
        place = (bodies_of[:, :, None] * c + np.arange(c)).reshape(-1, 2 * c)
        rows = np.broadcast_to(place[:, :, None], values.shape)
        columns = np.broadcast_to(place[:, None, :], values.shape)
        entries = (values.ravel(), (rows.ravel(), columns.ravel()))
        return sparse.csr_array(sparse.coo_array(entries, shape=(n, n)))

    def _touching(self, bodies: Vector) -> RawPairs:
        """Return ``(i, j, vector)`` of the pairs whose bounding circles overlap, unordered."""
        centres = np.ascontiguousarray(bodies[:, : self.dim])
        return raw_pairs(centres, self.bounding_radii, self.box, 1.0, 0.0)

    def n_free(self, x: ArrayLike) -> int:
        """Return ``n``: the variables of all bodies but rattlers, less the translations."""
        held = self.n_bodies - int(self.rattlers(x).sum())
        return max(held * self.n_per_body - self.dim, 1)

    def pressure(self, x: ArrayLike) -> float:
        """Return ``p = Σ max(Δ, 0)/n``, with ``n`` of `n_free`: dimensionless."""
        return float(np.maximum(self.gaps(x), 0.0).sum()) / self.n_free(x)

    def zero_modes(self, x: ArrayLike) -> Vector:
        """Return the translations, orthonormal: ``(d, n_dof)``."""
        self.bodies(x)
        modes = np.zeros((self.dim, self.n_bodies, self.n_per_body))
        for k in range(self.dim):
            modes[k, :, k] = self.n_bodies**-0.5
        return modes.reshape(self.dim, self.n_dof)

    def rattlers(self, x: ArrayLike) -> NDArray[np.bool_]:
        """Return a mask ``(N,)`` of the bodies that no contact holds: `particles.rattlers`."""
        pairs, slopes = self._near(x)
        touch = slopes.gap > 0.0
        return rattlers(pairs.i[touch], pairs.j[touch], -slopes.vector[touch], self.n_bodies)

    def frozen(self, x: ArrayLike) -> list[Indices]:
        """Return the indices in ``x`` of the variables of each rattler."""
        c = self.n_per_body
        return [np.arange(i * c, (i + 1) * c) for i in np.flatnonzero(self.rattlers(x))]

    def equivalents(self, x: ArrayLike, rng: np.random.Generator) -> Iterator[tuple[str, Vector]]:
        """Yield ``(name, x')`` for a random element of each discrete or continuous symmetry."""
        bodies = self.bodies(x)
        d = self.dim
        moved = bodies.copy()
        moved[:, :d] += rng.random(d) * self.box
        yield "translation", moved.ravel()
        imaged = bodies.copy()
        imaged[:, :d] += rng.integers(-2, 3, (self.n_bodies, d)) * self.box
        yield "periodic image", imaged.ravel()
        relabelled = bodies.copy()
        for members in self.species:
            relabelled[members] = bodies[rng.permutation(members)]
        yield "relabelling", relabelled.ravel()

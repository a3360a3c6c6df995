"""Discs in the plane and spheres in space, under one law."""

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.checks import shown
from particles.kernels import discs as kernels
from particles.kernels.fire import relax_discs
from particles.packings.law import RawPairs, Slopes
from particles.packings.mixture import bidisperse_diameters, check_phi, cubic_box, species
from particles.packings.packing import Packing
from particles.packings.pairs import PairFinder, Pairs
from particles.packings.relaxations import Relaxation

Vector = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Discs(Packing):
    """Discs, or spheres, with harmonic repulsion: ``Δ_ij = 1 - r_ij/σ_ij``.

    ``σ_ij = (D_i + D_j)/2``, and ``U = ½ Σ max(Δ, 0)²``; ``x`` is ``(N, d)``, row by row.

    Parameters
    ----------
    diameters : (N,)
        Diameters ``D``.
    box : (d,)
        Sides of the periodic box: two for discs, three for spheres.
    reach : float
        `gaps` lists the pairs with ``Δ > -reach``.

    Raises
    ------
    ValueError
        If an array is empty, or holds anything but positive finite numbers.

    Examples
    --------
    Two discs of diameter 1 at distance 0.9 overlap by a tenth:

    >>> import numpy as np
    >>> pair = Discs(diameters=np.ones(2), box=np.array([5.0, 5.0]))
    >>> energy, gradient = pair.energy_gradient(np.array([1.0, 1.0, 1.9, 1.0]))
    >>> round(energy, 12), gradient.round(12)
    (0.005, array([ 0.1,  0. , -0.1,  0. ]))
    """

    diameters: Vector
    box: Vector
    reach: float = 0.5

    dimensions: ClassVar[tuple[int, ...]] = (2, 3)
    n_angles: ClassVar[int] = 0

    def __post_init__(self) -> None:
        self._check()

    @classmethod
    def bidisperse(cls, n: int, phi: float, ratio: float = 1.4, dim: int = 2) -> Self:
        """Return ``n`` bodies, half of diameter 1 and half of ``ratio``, at ``phi``.

        Examples
        --------
        >>> round(Discs.bidisperse(64, 0.85).phi, 12)
        0.85
        """
        if dim not in cls.dimensions:
            raise ValueError(
                f"expected dim = 2 (discs) or 3 (spheres), got {shown(dim)}: pass one of them"
            )
        diameters = bidisperse_diameters(n, ratio)
        volume = (_UNIT_VOLUME[dim] * diameters**dim).sum() / check_phi(phi)
        return cls(diameters, cubic_box(float(volume), dim))

    @property
    def bounding_radii(self) -> Vector:
        """The radii, ``(N,)``."""
        return 0.5 * self.diameters

    @property
    def volumes(self) -> Vector:
        """``π D²/4`` or ``π D³/6``, ``(N,)``."""
        return _UNIT_VOLUME[self.dim] * self.diameters**self.dim

    @property
    def species(self) -> list[Indices]:
        """The bodies of each diameter."""
        return species(self.diameters)

    def slopes(self, x: ArrayLike, pairs: Pairs) -> Slopes:
        """Return the gaps of ``pairs`` and their derivatives: ``∂Δ/∂r = -r/(σ |r|)``."""
        sigma = 0.5 * (self.diameters[pairs.i] + self.diameters[pairs.j])
        r = np.sqrt(np.einsum("ka,ka->k", pairs.vector, pairs.vector))
        gap = (sigma - r) / sigma
        # Two centres at one place push in no direction.
        scale = np.divide(-1.0, sigma * r, out=np.zeros_like(r), where=r > 0.0)
        return Slopes(gap, scale[:, None] * pairs.vector, np.empty((len(pairs), 0)))

    def _normal_gaps(self, bodies: Vector, pairs: Pairs) -> Vector:
        """Return ``σ - r``, ``(m,)``."""
        sigma = 0.5 * (self.diameters[pairs.i] + self.diameters[pairs.j])
        return np.asarray(sigma - np.sqrt(np.einsum("ka,ka->k", pairs.vector, pairs.vector)))

    def _add_gradient(self, bodies: Vector, pairs: RawPairs, gradient: Vector) -> float:
        return float(kernels.energy_gradient(*pairs, self.diameters, gradient))

    def _stiffness(self, bodies: Vector, pairs: RawPairs) -> Vector:
        block = np.zeros((len(pairs[0]), self.dim, self.dim))
        kernels.stiffness(*pairs, self.diameters, block)
        return block

    def relaxation(self, order: Indices, skin: float) -> Relaxation:
        """Return FIRE over the pairs nearer than ``skin``, bodies in ``order``."""
        return _DiscRelaxation(self.diameters[order], self.box, skin)


class _DiscRelaxation(Relaxation):
    """FIRE over lists of pairs of discs or spheres."""

    kernel = staticmethod(relax_discs)

    def __init__(self, sizes: Vector, box: Vector, skin: float) -> None:
        self.sizes, self.dim = sizes, box.size
        self.levers = np.ones((sizes.size, box.size))
        self.find = PairFinder(0.5 * sizes, box, 1.0, skin)
        self.pulls = np.empty(box.size * kernels.CAP)
        self.reach = 0.5 * skin / math.sqrt(box.size)

    def relist(self, bodies: Vector) -> None:
        i, j, vector = self.find(bodies)
        inverse = kernels.places(i, j, self.sizes, self.dim)
        pairs = i.view(np.uint32), j.view(np.uint32), vector.ravel(), inverse
        self.listed = pairs, self.pulls


_UNIT_VOLUME = {2: math.pi / 4.0, 3: math.pi / 6.0}

"""Discs and spheres with soft radii: the dial from spheres to bodies that are not round.

C. Brito, H. Ikeda, P. Urbani, M. Wyart and F. Zamponi, Proc. Natl. Acad. Sci. 115, 11736 (2018):
ellipses close to discs, and discs whose radii are variables, jam alike. A stiffness ``K`` at the
pressure ``p`` corresponds to the asphericity ``p/K``.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from particles.checks import check_kind, check_options, floats, vector
from particles.kernels import breathing as kernels
from particles.kernels.fire import relax_breathing
from particles.packings.discs import Discs
from particles.packings.law import RawPairs, Slopes
from particles.packings.mixture import species
from particles.packings.packing import Packing
from particles.packings.pairs import PairFinder, Pairs
from particles.packings.relaxations import Relaxation

Vector = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Breathing(Packing):
    """Discs, or spheres, that shrink where they are pushed.

    With radii ``R = R₀ (1 + e)``, the gaps of contacts are those of discs, and those of the
    springs of radii are ``-√K e`` and ``√K e``, of which one is violated:

        U = ½ Σ max(Δ_ij, 0)² + (K/2) Σ e_i².

    ``x`` is ``(N, d + 1)``, row by row: the centre and ``w = √(1 + K) e``, by which a radius is
    about as stiff as a place, whatever ``K`` is. For large ``K`` bodies are rigid.

    Parameters
    ----------
    diameters : (N,)
        Diameters at rest, ``2 R₀``.
    box : (d,)
        Sides of the periodic box: two for discs, three for spheres.
    radius_stiffness : float
        ``K``.
    reach : float
        `gaps` lists the pairs with ``Δ > -reach``, and then all springs.

    Raises
    ------
    ValueError
        If the stiffness, or anything in an array, is not positive and finite.

    Examples
    --------
    Two discs of diameter 1 at distance 0.9, shrunk by ``e = -0.05``: an overlap of 1 - 0.9/0.95.

    >>> import numpy as np
    >>> pair = Breathing(np.ones(2), np.array([5.0, 5.0]), radius_stiffness=3.0)
    >>> pair.gaps(np.array([1.0, 1.0, -0.1, 1.9, 1.0, -0.1])).round(4)
    array([ 0.0526,  0.0866,  0.0866, -0.0866, -0.0866])
    """

    diameters: Vector
    box: Vector
    radius_stiffness: float
    reach: float = 0.5

    dimensions: ClassVar[tuple[int, ...]] = (2, 3)
    n_angles: ClassVar[int] = 1
    springs_per_body: ClassVar[int] = 1

    def __post_init__(self) -> None:
        self._check()
        check_options(positive=True, radius_stiffness=self.radius_stiffness)

    @classmethod
    def of(cls, discs: Discs, radius_stiffness: float) -> Self:
        """Return discs, or spheres, whose radii have this stiffness."""
        check_kind("discs", discs, Discs, "pass such as Discs.bidisperse(64, 0.86)")
        return cls(discs.diameters, discs.box, radius_stiffness, discs.reach)

    def state(self, centres: ArrayLike) -> Vector:
        """Return the state with these ``centres`` ``(N d,)``, all radii at rest."""
        places = vector("centres", centres, self.n_bodies * self.dim)
        bodies = np.zeros((self.n_bodies, self.n_per_body))
        bodies[:, : self.dim] = places.reshape(self.n_bodies, self.dim)
        return bodies.ravel()

    @property
    def at_rest(self) -> Discs:
        """Rigid discs, or spheres, that are as these are at rest."""
        return Discs(self.diameters, self.box, self.reach)

    def rigid(self, x: ArrayLike) -> tuple[Discs, Vector]:
        """Return rigid discs, or spheres, as large as they are in ``x``, and their own state."""
        return Discs(2.0 * self.radii(x), self.box, self.reach), self.centres(x).ravel()

    def strains(self, x: ArrayLike) -> Vector:
        """Return ``e = R/R₀ - 1``, ``(N,)``."""
        return self.bodies(x)[:, self.dim] / self._scale

    def radii(self, x: ArrayLike) -> Vector:
        """Return ``R``, ``(N,)``.

        Raises
        ------
        ValueError
            If one is not positive.
        """
        strains = self.strains(np.ravel(x))
        if not (strains > -1.0).all():
            raise ValueError(
                f"expected radii above 0, got a strain of {strains.min():.3g}: raise the stiffness"
            )
        return np.asarray(0.5 * self.diameters * (1.0 + strains))

    @cached_property
    def _scale(self) -> float:
        """``√(1 + K)``, by which strains are multiplied."""
        return math.sqrt(1.0 + self.radius_stiffness)

    @cached_property
    def _slopes(self) -> Vector:
        """``∂R/∂w``, ``(N,)``."""
        return np.asarray(0.5 * self.diameters / self._scale)

    @cached_property
    def _pull(self) -> float:
        """The slope of the gap of a spring by ``w``."""
        return math.sqrt(self.radius_stiffness) / self._scale

    # What a law says of itself.

    @property
    def bounding_radii(self) -> Vector:
        """The radii at rest, ``(N,)``."""
        return 0.5 * self.diameters

    @property
    def volumes(self) -> Vector:
        """Area or volume of each body at rest, ``(N,)``."""
        return self.at_rest.volumes

    @property
    def species(self) -> list[Indices]:
        """The bodies of each diameter at rest."""
        return species(self.diameters)

    @property
    def springs(self) -> Vector:
        """``K/(1 + K)`` for the variable of a radius, ``(N, d + 1)``."""
        return np.tile(np.append(np.zeros(self.dim), self._pull**2), (self.n_bodies, 1))

    @property
    def levers(self) -> Vector:
        """The diameter for a radius' variable, 1 for the centre, ``(N, d + 1)``."""
        levers = np.ones((self.n_bodies, self.n_per_body))
        levers[:, self.dim] = self.diameters
        return levers

    def random_state(self, rng: np.random.Generator) -> Vector:
        """Return centres drawn uniformly, all radii at rest: ``(n_dof,)``."""
        bodies = super().random_state(rng).reshape(self.n_bodies, self.n_per_body)
        bodies[:, self.dim] = 0.0
        return np.asarray(bodies.ravel())

    def slopes(self, x: ArrayLike, pairs: Pairs) -> Slopes:
        """Return the gaps of ``pairs``; by the radii their derivatives are ``(1 - Δ) R'/σ``."""
        discs, centres = self.rigid(x)
        found = discs.slopes(centres, pairs)
        sigma = 0.5 * (discs.diameters[pairs.i] + discs.diameters[pairs.j])
        both = np.stack([self._slopes[pairs.i], self._slopes[pairs.j]], axis=1)
        return Slopes(found.gap, found.vector, ((1.0 - found.gap) / sigma)[:, None] * both)

    def outlines(self, x: ArrayLike) -> Vector:
        """Return what is seen of bodies as large as they are, ``(N, 3)``."""
        sizes = 2.0 * self.radii(x)
        return np.stack([sizes, sizes, np.zeros(self.n_bodies)], axis=1)

    def relaxation(self, order: Indices, skin: float) -> Relaxation:
        """Return FIRE over the pairs nearer than ``skin``, bodies in ``order``."""
        return _BreathingRelaxation(replace(self, diameters=self.diameters[order]), skin)

    def _normal_gaps(self, bodies: Vector, pairs: Pairs) -> Vector:
        discs, centres = self.rigid(bodies.ravel())
        return discs._normal_gaps(discs.bodies(centres), pairs)

    def _add_gradient(self, bodies: Vector, pairs: RawPairs, gradient: Vector) -> float:
        radii, w = self.radii(bodies), bodies[:, self.dim]
        energy = kernels.energy_gradient(*pairs, radii, self._slopes, gradient)
        gradient[:, self.dim] += self._pull**2 * w
        return float(energy) + 0.5 * self._pull**2 * float(w @ w)

    def _stiffness(self, bodies: Vector, pairs: RawPairs) -> Vector:
        block = np.zeros((len(pairs[0]), self.dim + 2, self.dim + 2))
        kernels.stiffness(*pairs, self.radii(bodies), self._slopes, block)
        return block

    # Contacts first, then the springs that resist shrinking, then those that resist growing.

    def gaps(self, x: ArrayLike) -> Vector:
        """Return ``Δ`` of the near pairs and of the springs, ``(m + 2N,)``."""
        return np.append(super().gaps(x), self._stretched(x))

    def normal_gaps(self, x: ArrayLike) -> Vector:
        """Return by how far surfaces overlap, and the gaps of springs, ``(m + 2N,)``."""
        return np.append(super().normal_gaps(x), self._stretched(x))

    def _stretched(self, x: ArrayLike) -> Vector:
        gap = self._pull * self.bodies(x)[:, self.dim]
        return np.append(-gap, gap)

    def gap_names(self, x: ArrayLike) -> Indices:
        """Return those of all packings, and of springs ``(i, -1, 0, ..)``, ``(i, -2, 0, ..)``."""
        names = super().gap_names(x)
        springs = np.zeros((2 * self.n_bodies, names.shape[1]), dtype=np.intp)
        springs[:, 0] = np.tile(np.arange(self.n_bodies), 2)
        springs[:, 1] = np.repeat([-1, -2], self.n_bodies)
        return np.concatenate([names, springs])

    def gap_jacobian(self, x: ArrayLike, rows: Indices | None = None) -> sparse.csr_array:
        """Return ``∂Δ/∂x`` of all gaps, or of some ``rows``: CSR, ``(m + 2N, n_dof)``."""
        n, c = self.n_bodies, self.n_per_body
        own = (np.full(n, self._pull), (np.arange(n), c * np.arange(n) + self.dim))
        spring = sparse.csr_array(sparse.coo_array(own, (n, self.n_dof)))
        parts = [super().gap_jacobian(x), -spring, spring]
        whole = sparse.csr_array(sparse.vstack(parts, format="csr"))
        return whole if rows is None else sparse.csr_array(whole[rows])

    def hvp(self, x: ArrayLike, v: ArrayLike) -> Vector:
        """Return ``H v`` for ``v`` of shape ``(n_dof,)`` or, row by row, ``(k, n_dof)``."""
        return super().hvp(x, v) + self.springs.ravel() * floats("v", v)

    def hessian(self, x: ArrayLike) -> sparse.csr_array:
        """Return ``H``, sparse, ``(n_dof, n_dof)``."""
        springs = sparse.diags_array(self.springs.ravel())
        return sparse.csr_array(super().hessian(x) + springs)

    def curvature(self, x: ArrayLike, forces: ArrayLike) -> sparse.csr_array:
        """Return ``Σ λ ∇²Δ`` for ``forces`` ``(m + 2N,)``, sparse; springs have no curvature."""
        return super().curvature(x, np.asarray(forces)[: -2 * self.n_bodies])

    def tightening(self, x: ArrayLike) -> Vector:
        """Return ``∂Δ/∂t`` for growth at rest by ``1 + t``: ``1 - Δ`` of contacts, 0 of springs."""
        return np.append(1.0 - super().gaps(x), np.zeros(2 * self.n_bodies))

    def pressure(self, x: ArrayLike) -> float:
        """Return ``Σ max(Δ, 0)/n`` of contacts, ``n`` without radii: that of rigid discs."""
        discs, centres = self.rigid(x)
        return discs.pressure(centres)


class _BreathingRelaxation(Relaxation):
    """FIRE over lists of pairs of discs or spheres and their radii, by ``(x, y, ℓw)``."""

    kernel = staticmethod(relax_breathing)

    def __init__(self, problem: Breathing, skin: float) -> None:
        self.problem, self.skin = problem, skin
        self.levers = problem.levers
        self.find = PairFinder(problem.bounding_radii, problem.box, 1.0, skin)
        self.per_lever = 1.0 / problem.diameters
        self.per = problem._slopes * self.per_lever
        self.reach = 0.5 * skin / (math.sqrt(problem.dim) + float(self.per.max()))

    def relist(self, bodies: Vector) -> None:
        """List the pairs whose surfaces are nearer than the skin, as large as bodies are now."""
        problem, dim = self.problem, self.problem.dim
        radii = problem.radii(bodies.ravel())
        find = PairFinder(radii, problem.box, 1.0, self.skin)
        pairs = find(np.ascontiguousarray(bodies[:, :dim]))
        now = radii, self.per, bodies[:, dim].copy(), self.per_lever, problem._pull
        self.listed = pairs, now

"""Packings in a box that is deformed: simple shear under periodic images that move along.

A body stands at ``F x`` in space, and its images at ``F (x + n L)``: Lees and Edwards, J. Phys. C
5, 1921 (1972), for ``F = 1 + γ e_x e_yᵀ``. Shapes do not deform, nor are angles turned.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.checks import real, vector
from particles.packings.law import Indices, RawPairs, Slopes
from particles.packings.packing import Packing, check_packing, check_rigid
from particles.packings.pairs import PairFinder, Pairs, near_pairs
from particles.packings.relaxations import Relaxation

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sheared(Packing):
    """A packing whose load is the strain of its box, ``F -> (1 + t e_x e_yᵀ) F``.

    ``x`` are the centres in the box before it was deformed, and the angles in space: bodies that
    follow the strain do not move in ``x``, and ``r``, by which `Packing.near` gives vectors and
    slopes, is that of ``x`` too. ``dU/dt`` is ``V σ_xy``, see `particles.stress_tensor`.

    Parameters
    ----------
    packing : Discs, Ellipses or Ellipsoids
        What is sheared, in its box before.
    matrix : (d, d)
        ``F``; it keeps the volume, ``det F = 1``.

    Raises
    ------
    ValueError
        If ``F`` has another shape or determinant.

    Examples
    --------
    Two discs one above the other, at nine tenths of their contact. Sheared by ½ they are
    ``√1.25`` times as far apart:

    >>> import numpy as np
    >>> from particles import Discs
    >>> pair, x = Discs(np.ones(2), np.array([5.0, 5.0])), np.array([1.0, 1.0, 1.0, 1.9])
    >>> Sheared.by(pair, 0.0).gaps(x).round(6), Sheared.by(pair, 0.5).gaps(x).round(6)
    (array([0.1]), array([-0.006231]))
    """

    packing: Packing
    matrix: Vector

    def __post_init__(self) -> None:
        check_packing(self.packing)
        check_rigid(self.packing, "shear discs of the radii that they have")
        dim = self.packing.dim
        matrix = vector("matrix", np.ravel(self.matrix), dim * dim).reshape(dim, dim).copy()
        volume = float(np.linalg.det(matrix))
        if not abs(volume - 1.0) < 1e-9:
            raise ValueError(
                f"expected a deformation that keeps the volume, det F = 1, got {volume:.6g}: "
                "change the volume by phi"
            )
        matrix.flags.writeable = False
        object.__setattr__(self, "matrix", matrix)
        for name in ("diameters", "box", "reach", "n_angles"):
            object.__setattr__(self, name, getattr(self.packing, name))

    @classmethod
    def by(cls, packing: Packing, strain: float) -> Self:
        """Return a packing in simple shear, ``F = 1 + γ e_x e_yᵀ``."""
        check_packing(packing)
        return cls(packing, _simple_shear(packing.dim, real("strain", strain)))

    # The load.

    @property
    def strain(self) -> float:
        """``γ`` of ``F = 1 + γ e_x e_yᵀ``, or what stands in its place."""
        return float(self.matrix[0, 1] / self.matrix[1, 1])

    def tightened(self, t: float) -> Self:
        """Return the packing sheared by ``t`` more."""
        return replace(self, matrix=_simple_shear(self.dim, real("t", t)) @ self.matrix)

    def tightening(self, x: ArrayLike) -> Vector:
        """Return ``∂Δ/∂t = (∂Δ/∂r F⁻¹)_x (F r)_y``, in the order of `gaps`, ``(m,)``."""
        pairs, slopes = self.near(x)
        pull = slopes.vector @ _inverse(self.matrix)[:, 0]
        return np.asarray(pull * (pairs.vector @ self.matrix[1]))

    def grown(self, t: float) -> Self:
        """Return the same with every length of the bodies ``1 + t`` times as large."""
        return replace(self, packing=self.packing.grown(t))

    @property
    def deformation(self) -> Vector:
        """``F``, ``(d, d)``."""
        return self.matrix

    # The law: that of the packing, for vectors F r.

    @property
    def bounding_radii(self) -> Vector:
        """Those of the packing, ``(N,)``."""
        return self.packing.bounding_radii

    @property
    def volumes(self) -> Vector:
        """Those of the packing, ``(N,)``."""
        return self.packing.volumes

    @property
    def species(self) -> list[Indices]:
        """Those of the packing."""
        return self.packing.species

    @property
    def variables(self) -> Indices:
        """Those of the packing, ``(N,)``."""
        return self.packing.variables

    @property
    def levers(self) -> Vector:
        """Those of the packing, ``(N, n_per_body)``."""
        return self.packing.levers

    def near(self, x: ArrayLike) -> tuple[Pairs, Slopes]:
        """Return the near pairs, and their gaps with derivatives by ``r`` as in ``x``."""
        factor = (1.0 + self.reach) / _least_stretch(self.matrix)
        pairs = near_pairs(self.centres(x), self.bounding_radii, self.box, factor)
        slopes = self.slopes(x, pairs)
        rows = slopes.gap > -self.reach
        return pairs[rows], Slopes(slopes.gap[rows], slopes.vector[rows], slopes.angles[rows])

    def slopes(self, x: ArrayLike, pairs: Pairs) -> Slopes:
        """Return the gaps of ``pairs``, ``Δ(F r)``, and ``∂Δ/∂r = Fᵀ ∂Δ/∂(F r)``."""
        there = self.packing.slopes(x, self._in_space(pairs))
        return Slopes(there.gap, there.vector @ self.matrix, there.angles)

    def outlines(self, x: ArrayLike) -> Vector:
        """Return what is seen of bodies sheared back, ``F⁻¹ A F⁻ᵀ``: axes and angle, ``(N, 3)``.

        So they touch in a picture of ``x`` where they touch in space.
        """
        long, short, angle = self.packing.outlines(x).T
        axis = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        across = axis[:, ::-1] * [-1.0, 1.0]
        back = _inverse(self.matrix)[:2, :2]
        half = np.stack([long[:, None] * axis, short[:, None] * across], axis=2)
        seen = back @ half
        squares, axes = np.linalg.eigh(seen @ seen.transpose(0, 2, 1))
        turned = np.arctan2(axes[:, 1, 1], axes[:, 0, 1])
        return np.column_stack([np.sqrt(squares[:, ::-1]), turned])

    def zero_modes(self, x: ArrayLike) -> Vector:
        """Return those of the packing."""
        return self.packing.zero_modes(x)

    def relaxation(self, order: Indices, skin: float) -> Relaxation:
        """Return that of the packing: bodies move in space."""
        find = _Finder(self.bounding_radii[order], self.box, self.matrix, skin)
        return _ShearedRelaxation(self.packing.relaxation(order, skin), find, self.matrix)

    def _normal_gaps(self, bodies: Vector, pairs: Pairs) -> Vector:
        return self.packing._normal_gaps(bodies, self._in_space(pairs))

    def _in_space(self, pairs: Pairs) -> Pairs:
        return Pairs(pairs.i, pairs.j, pairs.vector @ self.matrix.T, pairs.image)

    def _touching(self, bodies: Vector) -> RawPairs:
        centres = np.ascontiguousarray(bodies[:, : self.dim])
        factor = 1.0 / _least_stretch(self.matrix)
        return PairFinder(self.bounding_radii, self.box, factor)(centres)

    def _add_gradient(self, bodies: Vector, pairs: RawPairs, gradient: Vector) -> float:
        i, j, r = pairs
        pull = np.zeros_like(gradient)
        energy = self.packing._add_gradient(bodies, (i, j, r @ self.matrix.T), pull)
        pull[:, : self.dim] = pull[:, : self.dim] @ self.matrix
        gradient += pull
        return energy

    def _stiffness(self, bodies: Vector, pairs: RawPairs) -> Vector:
        i, j, r = pairs
        block = self.packing._stiffness(bodies, (i, j, r @ self.matrix.T))
        by_state = np.eye(block.shape[1])
        by_state[: self.dim, : self.dim] = self.matrix
        return np.asarray(by_state.T @ block @ by_state)


class _ShearedRelaxation(Relaxation):
    """FIRE of a packing, by motions in space."""

    def __init__(self, inner: Relaxation, find: PairFinder, matrix: Vector) -> None:
        self.inner, self.kernel, self.reach = inner, inner.kernel, inner.reach
        self.matrix, self.inverse = matrix, _inverse(matrix)
        inner.find = find

    def moved(self, bodies: Vector, motion: Vector) -> Vector:
        """Return ``bodies`` of ``x`` after a ``motion`` in space, both ``(N, c)``."""
        return _mapped(self.inner.moved(_mapped(bodies, self.matrix), motion), self.inverse)

    def relist(self, bodies: Vector) -> None:
        """List the near pairs of ``bodies`` of ``x``, ``(N, c)``."""
        self.inner.relist(_mapped(bodies, self.matrix))
        self.listed = self.inner.listed


class _Finder(PairFinder):
    """Finds pairs of bodies in space, by their centres in the box before it was deformed."""

    def __init__(self, radii: Vector, box: Vector, matrix: Vector, skin: float) -> None:
        least = _least_stretch(matrix)
        super().__init__(radii, box, 1.0 / least, skin / least)
        self.matrix, self.inverse, self.wanted = matrix, _inverse(matrix), skin

    def __call__(self, centres: Vector) -> tuple[NDArray[np.int32], NDArray[np.int32], Vector]:
        """Return ``(i, j, vector)`` in space of centres there, ``(N, d)``."""
        i, j, vector = super().__call__(np.ascontiguousarray(centres @ self.inverse.T))
        vector = vector @ self.matrix.T
        most = self.radii[i] + self.radii[j] + self.wanted
        near = np.einsum("ka,ka->k", vector, vector) < most * most
        return i[near], j[near], vector[near]


def _inverse(matrix: Vector) -> Vector:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def _mapped(bodies: Vector, matrix: Vector) -> Vector:
    """Return bodies ``(N, c)`` whose centres are mapped, and whose angles are not."""
    out, dim = bodies.copy(), len(matrix)
    out[:, :dim] = bodies[:, :dim] @ matrix.T
    return out


def _least_stretch(matrix: Vector) -> float:
    """Return the least ``|F r|/|r|``."""
    return float(np.linalg.svd(matrix, compute_uv=False)[-1])


def _simple_shear(dim: int, strain: float) -> Vector:
    matrix = np.eye(dim)
    matrix[0, 1] = strain
    return matrix

"""Packings: bodies in a periodic box as a constraint satisfaction problem."""

from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from particles.checks import check_kind, floats
from particles.kernels.hessian_products import products
from particles.packings.law import Indices, Law, RawPairs, Slopes, Vector
from particles.packings.pairs import PairFinder, Pairs, near_pairs
from particles.packings.rattlers import rattlers
from particles.packings.sparse_hessian import assembled

FLOOR = 1e-13  # overlap per variable at or below which a descent has left all contacts


def check_packing(problem: object) -> None:
    """Raise ``TypeError`` unless the problem is a packing."""
    check_kind(
        "problem",
        problem,
        Packing,
        "pass Discs, Ellipses or Ellipsoids; other systems have their own descents",
    )


def check_rigid(problem: "Packing", remedy: str) -> None:
    """Raise ``TypeError`` if bodies have springs of their own, which would be left out."""
    if problem.springs.any():
        raise TypeError(f"expected rigid bodies, got {type(problem).__name__}: {remedy}")


class Packing(Law):
    """Bodies in a periodic box that repel where they overlap: ``U = ½ Σ max(Δ, 0)²``.

    A law inherits from it, and adds its gap and its loops over pairs. ``x`` holds the bodies one
    after the other, ``(x, y)``, ``(x, y, z)``, ``(x, y, θ)`` or a centre and three angles each.
    Positions need not lie in the box: a state and its periodic images are the same.
    """

    @abstractmethod
    def _normal_gaps(self, bodies: Vector, pairs: Pairs) -> Vector:
        """Return by how far the surfaces of ``pairs`` overlap along their normal, ``(m,)``."""

    def normal_gaps(self, x: ArrayLike) -> Vector:
        """Return by how far surfaces overlap along their normal, ``(m,)``, in units of length.

        In the order of `gaps`, and of the same sign: positive on overlap. The gap ``Δ`` of the
        energy is a scaling distance; exponents are about this one. To first order they differ by
        the factor ``h_i + h_j``, the supports along the normal.
        """
        return self._normal_gaps(self.bodies(x), self.pairs(x))

    def pairs(self, x: ArrayLike) -> Pairs:
        """Return the near pairs, ``Δ > -reach``, in the order of `gaps`."""
        return self.near(x)[0]

    def near(self, x: ArrayLike) -> tuple[Pairs, Slopes]:
        """Return the near pairs, and their gaps with all derivatives.

        Gaps, Jacobian, names and rattlers of a state are asked for in turn: the pairs of the last
        state are kept, and are not to be written to.
        """
        last = self._last_near.get("pairs")
        if last is not None and np.array_equal(last[0], x):
            return last[1]
        near = near_pairs(self.centres(x), self.radii(x), self.box, 1.0 + self.reach)
        slopes = self.slopes(x, near)
        rows = slopes.gap > -self.reach
        found = near[rows], Slopes(slopes.gap[rows], slopes.vector[rows], slopes.angles[rows])
        self._last_near["pairs"] = np.array(x, dtype=np.float64), found
        return found

    @cached_property
    def _last_near(self) -> dict[str, tuple[Vector, tuple[Pairs, Slopes]]]:
        """The state that `near` was asked for last, and its answer."""
        return {}

    def gaps(self, x: ArrayLike) -> Vector:
        """Return ``Δ`` of the near pairs, ``(m,)``: overlaps positive, in units of the contact."""
        return self.near(x)[1].gap.copy()

    def gap_names(self, x: ArrayLike) -> Indices:
        """Return ``(i, j, image)`` of the near pairs, in the order of `gaps`: ``(m, 2 + d)``.

        ``image`` counts boxes between the bodies as they lie in ``x``: two bodies that move
        continuously keep it, across the edges of the box too.
        """
        pairs = self.pairs(x)
        boxes = np.rint(pairs.image / self.box).astype(np.intp)
        return np.column_stack([pairs.i, pairs.j, boxes])

    def tightening(self, x: ArrayLike) -> Vector:
        """Return ``∂Δ/∂t = 1 - Δ`` for growth by ``1 + t``, in the order of `gaps`, ``(m,)``."""
        return 1.0 - self.gaps(x)

    def gap_jacobian(self, x: ArrayLike, rows: Indices | None = None) -> sparse.csr_array:
        """Return ``∂Δ/∂x`` of the near pairs, or of some ``rows`` of them: CSR, ``(m, n_dof)``."""
        pairs, slopes = self.near(x)
        vector, angles = slopes.vector, slopes.angles
        if rows is not None:
            pairs, vector, angles = pairs[rows], vector[rows], angles[rows]
        m, c, a = len(pairs), self.n_per_body, self.n_angles
        values = np.concatenate([-vector, angles[:, :a], vector, angles[:, a:]], axis=1)
        columns = np.stack([pairs.i, pairs.j], axis=1)[:, :, None] * c + np.arange(c)
        place = np.arange(0, 2 * c * m + 1, 2 * c)
        jacobian = sparse.csr_array((values.ravel(), columns.ravel(), place), (m, self.n_dof))
        jacobian.sum_duplicates()
        return jacobian

    def energy_gradient(self, x: ArrayLike) -> tuple[float, Vector]:
        """Return ``U = ½ Σ max(Δ, 0)²`` and ``∇U``, shape ``(n_dof,)``."""
        bodies = self.bodies(x)
        gradient = np.zeros_like(bodies)
        energy = self._add_gradient(bodies, self._touching(bodies), gradient)
        return energy, gradient.ravel()

    def hvp(self, x: ArrayLike, v: ArrayLike) -> Vector:
        """Return ``H v`` for ``v`` of shape ``(n_dof,)`` or, row by row, ``(k, n_dof)``."""
        bodies = self.bodies(x)
        directions = np.ascontiguousarray(floats("v", v))
        if directions.ndim not in (1, 2) or directions.shape[-1] != self.n_dof:
            raise ValueError(
                f"expected directions of shape ({self.n_dof},) or (k, {self.n_dof}), "
                f"got {directions.shape}: pass directions of this system"
            )
        if not np.isfinite(directions).all():
            raise ValueError("expected finite directions, got NaN or inf: correct them")
        out = np.zeros_like(directions)
        shape = (-1, self.n_bodies, self.n_per_body)
        i, j, vector = self._touching(bodies)
        block = self._stiffness(bodies, (i, j, vector))
        products(i, j, block, directions.reshape(shape), out.reshape(shape))
        return out

    def hessian(self, x: ArrayLike) -> sparse.csr_array:
        """Return ``H = ∂²U/∂x²`` as a sparse matrix, ``(n_dof, n_dof)``."""
        bodies = self.bodies(x)
        i, j, vector = self._touching(bodies)
        return assembled(self._stiffness(bodies, (i, j, vector)), i, j, bodies.shape)

    def stiffness(self, x: ArrayLike, pairs: Pairs) -> Vector:
        """Return ``∂²U`` of each pair by ``r`` and, for ellipses, the angles: ``(m, s, s)``."""
        return self._stiffness(self.bodies(x), (pairs.i, pairs.j, pairs.vector))

    def curvature(self, x: ArrayLike, forces: ArrayLike) -> sparse.csr_array:
        """Return ``Σ λ ∇²Δ`` for ``forces`` ``(m,)`` in the order of `gaps`: ``(n_dof, n_dof)``."""
        pairs, _, block = self.bent(x, forces)
        return assembled(block, pairs.i, pairs.j, (self.n_bodies, self.n_per_body))

    def bent(self, x: ArrayLike, forces: ArrayLike) -> tuple[Pairs, Vector, Vector]:
        """Return the pairs with ``forces``, and ``λ ∇Δ`` ``(k, s)`` and ``λ ∇²Δ`` of each.

        By ``r`` and the angles of both bodies. Read off the `stiffness` ``∇Δ ∇Δᵀ + Δ ∇²Δ`` of the
        bodies grown until all of these pairs overlap: there ``Δ' = 1 - (1 - Δ)/g``, and
        derivatives are ``1/g`` times as large.
        """
        near, slopes = self.near(x)
        acting = np.flatnonzero(np.asarray(forces))
        growth = 1.25 * (1.0 + self.reach)
        grown = self.grown(growth - 1.0)
        overlap = 1.0 - (1.0 - slopes.gap[acting]) / growth
        push = np.hstack([slopes.vector, slopes.angles])[acting] / growth
        pairs = near[acting]
        block = grown.stiffness(x, pairs) - push[:, :, None] * push[:, None, :]
        acted = np.asarray(forces, dtype=np.float64)[acting] * growth
        block *= (acted / overlap)[:, None, None]
        return pairs, acted[:, None] * push, block

    def _touching(self, bodies: Vector) -> RawPairs:
        """Return ``(i, j, vector)`` of the pairs whose bounding circles overlap, unordered."""
        centres = np.ascontiguousarray(bodies[:, : self.dim])
        return PairFinder(self.radii(bodies), self.box)(centres)

    def pressure(self, x: ArrayLike) -> float:
        """Return ``p = Σ max(Δ, 0)/n``, dimensionless.

        ``n`` are the variables of all bodies but rattlers, less the translations. Where no body is
        held all of them count.
        """
        pairs, slopes = self.near(x)
        loose = self._loose(pairs, slopes)
        variables = self.variables if loose.all() else self.variables[~loose]
        return float(np.maximum(slopes.gap, 0.0).sum()) / max(int(variables.sum()) - self.dim, 1)

    def virial_pressure(self, x: ArrayLike) -> float:
        """Return ``P = -dU/dV = Σ Δ(1 - Δ)/(dV)``, summed over contacts.

        It is an energy density and balances the walls, while `pressure` is a mean overlap.
        """
        overlap = np.maximum(self.near(x)[1].gap, 0.0)
        return float((overlap * (1.0 - overlap)).sum() / (self.dim * self.box.prod()))

    def satisfied(self, gaps: Vector) -> bool:
        """Tell whether gaps ``(m,)`` leave no contact: ``Σ max(Δ, 0)/(n_dof - d)`` at `FLOOR`."""
        n = max(self.n_dof - self.dim, 1)
        # Gaps of 1e-13 are known to a few per cent: a descent may have seen a little less.
        return float(np.maximum(gaps, 0.0).sum()) / n <= 2.0 * FLOOR

    def zero_modes(self, x: ArrayLike) -> Vector:
        """Return the translations, orthonormal: ``(d, n_dof)``."""
        self.bodies(x)
        modes = np.tile(np.eye(self.dim, self.n_per_body), self.n_bodies)
        return np.asarray(modes * self.n_bodies**-0.5)

    def rattlers(self, x: ArrayLike) -> NDArray[np.bool_]:
        """Return a mask ``(N,)`` of the bodies that no contact holds: see `rattlers`."""
        return self._loose(*self.near(x))

    def _loose(self, pairs: Pairs, slopes: Slopes) -> NDArray[np.bool_]:
        touch = slopes.gap > 0.0
        return rattlers(pairs.i[touch], pairs.j[touch], -slopes.vector[touch], self.n_bodies)

    def frozen(self, x: ArrayLike) -> list[Indices]:
        """Return the indices in ``x`` of the variables of each rattler, symmetries left out."""
        c = self.n_per_body
        counted = np.flatnonzero(self.rattlers(x))
        return [i * c + np.arange(self.variables[i]) for i in counted]

    def scene(self, x: ArrayLike) -> dict[str, NDArray[Any]]:
        """Return what a picture of the state needs besides ``x``, and what makes the packing anew.

        Exact are ``box`` ``(d,)`` and ``shapes`` ``(N, 2)``, long and short axes. In the precision
        of a picture are ``held`` ``(N,)``, all bodies but rattlers; and of the near pairs ``pairs``
        ``(m, 2)``, ``pair_gaps`` ``(m,)`` and ``images`` ``(m, d)``: the second body stands at
        ``x_j + image·box``, centres in the box.
        """
        near, slopes = self.near(x)
        inside = self.centres(x) % self.box
        images = np.rint((near.vector - (inside[near.j] - inside[near.i])) / self.box)
        return {
            "box": self.box,
            "shapes": np.stack([2.0 * self.bounding_radii, self.diameters], 1),
            "held": ~self.rattlers(x),
            "pairs": np.stack([near.i, near.j], axis=1).astype(np.uint32),
            "pair_gaps": slopes.gap.astype(np.float32),
            "images": images.astype(np.int8),
        }

    def draw(
        self,
        x: ArrayLike,
        ax: Any,
        forces: ArrayLike | None = None,
        mode: ArrayLike | None = None,
    ) -> None:
        """Draw bodies, contacts and rattlers into axes of matplotlib: `particles.plot`."""
        from particles.packings.pictures import draw

        draw(self, x, ax, forces, mode)

    def outlines(self, x: ArrayLike) -> Vector:
        """Return what is seen of bodies from above: axes, angle of the long one, ``(N, 3)``."""
        self.bodies(x)
        return np.stack([self.diameters, self.diameters, np.zeros(self.n_bodies)], axis=1)

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

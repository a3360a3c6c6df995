"""Packings in a box that takes the shape in which nothing shears it.

The deformation ``F`` of `particles.packings.sheared` becomes a variable: the box keeps its volume
and changes its shape, until no shear stress is left. Discs at jamming have a contact more than in a
box that is fixed for each of its ``d (d + 1)/2 - 1`` shapes: Dagois-Bohy et al., Phys. Rev. Lett.
109, 095703 (2012).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from particles.checks import vector
from particles.packings.packing import Packing, check_packing
from particles.packings.pairs import Pairs
from particles.packings.sheared import Sheared

Vector = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class FreeBox:
    """A packing and the shape of its box: ``U(x, w) = ½ Σ max(Δ, 0)²``.

    ``F`` is upper triangular. ``tanh(w/ℓ)`` are the logarithms of its diagonal but for the last,
    which keeps the volume, and then what stands above it, row by row: no box is much longer than it
    is wide, and any lattice has one that is not. With ``ℓ`` as it is a shape is about as stiff as
    a body. A state is that of the packing, as in `Sheared`, and then ``w``: ``(n_dof,)``.

    Parameters
    ----------
    packing : Discs, Ellipses or Ellipsoids
        What is in the box, as it is where ``w = 0``.

    Examples
    --------
    Four discs in a square, each touched by its neighbours and by their images: eight contacts of
    ``Δ = 0.1``, and nothing that shears the box.

    >>> import numpy as np
    >>> from particles import Discs
    >>> box = FreeBox(Discs(np.ones(4), np.array([1.8, 1.8])))
    >>> x = box.state(np.array([0.0, 0.0, 0.9, 0.0, 0.0, 0.9, 0.9, 0.9]))
    >>> energy, gradient = box.energy_gradient(x)
    >>> round(energy, 12), bool(np.abs(gradient).max() < 1e-12), box.shapes
    (0.04, True, 2)
    """

    packing: Packing

    def __post_init__(self) -> None:
        check_packing(self.packing)

    @property
    def shapes(self) -> int:
        """Number of shape variables ``w``: 2 in the plane, 5 in space."""
        dim = self.packing.dim
        return dim * (dim + 1) // 2 - 1

    @property
    def n_dof(self) -> int:
        """Number of variables, the shape included."""
        return self.packing.n_dof + self.shapes

    @cached_property
    def length(self) -> float:
        """``ℓ = √N (V/N)^(1/d)``, the unit of shapes."""
        n, box = self.packing.n_bodies, self.packing.box
        return float(n**0.5 * (box.prod() / n) ** (1.0 / box.size))

    def state(self, x: ArrayLike) -> Vector:
        """Return a state of the packing in the box as it is, ``(n_dof,)``."""
        return np.append(self.packing.bodies(x).ravel(), np.zeros(self.shapes))

    def inside(self, x: ArrayLike) -> tuple[Sheared, Vector]:
        """Return the packing in the box of a state, and its own state there.

        Raises
        ------
        ValueError
            If ``x`` has another size, or is not finite.
        """
        whole = vector("x", x, self.n_dof)
        if not np.isfinite(whole).all():
            raise ValueError("expected finite variables in x, got NaN or inf: correct them")
        n = self.packing.n_dof
        return Sheared(self.packing, self._matrix(whole[n:])), whole[:n]

    def _matrix(self, w: Vector) -> Vector:
        shape, dim = np.tanh(w / self.length), self.packing.dim
        matrix = np.diag(np.exp(_logarithms(dim) @ shape[: dim - 1]))
        matrix[np.triu_indices(dim, 1)] = shape[dim - 1 :]
        return matrix

    def _rates(self, x: ArrayLike) -> tuple[Vector, Vector]:
        """Return ``F⁻¹ ∂F/∂w``, ``(k, d, d)``, and ``F⁻¹ ∂²F/∂w²``, ``(k, k, d, d)``."""
        w, dim, k = np.asarray(x)[self.packing.n_dof :], self.packing.dim, self.shapes
        matrix, logs = self._matrix(w), _logarithms(dim)
        first, second = np.zeros((k, dim, dim)), np.zeros((k, k, dim, dim))
        rows = np.arange(dim)
        for a in range(dim - 1):
            first[a, rows, rows] = logs[:, a] * matrix.diagonal()
            for b in range(dim - 1):
                second[a, b, rows, rows] = logs[:, a] * logs[:, b] * matrix.diagonal()
        first[np.arange(dim - 1, k), *np.triu_indices(dim, 1)] = 1.0
        # By the chain rule through s = tanh(w/ℓ): s' = (1 - s²)/ℓ, s'' = -2 s s'/ℓ.
        shape = np.tanh(w / self.length)
        slope = (1.0 - shape**2) / self.length
        second *= (slope[:, None] * slope)[:, :, None, None]
        second[np.arange(k), np.arange(k)] += (
            first * (-2.0 * shape * slope / self.length)[:, None, None]
        )
        inverse = np.linalg.inv(matrix)
        return inverse @ (first * slope[:, None, None]), inverse @ second

    # What the packing in its box says, and a column for each shape.

    def gaps(self, x: ArrayLike) -> Vector:
        """Return ``Δ`` of the near pairs, ``(m,)``."""
        problem, bodies = self.inside(x)
        return problem.gaps(bodies)

    def gap_names(self, x: ArrayLike) -> Indices:
        """Return those of the packing, see `Packing.gap_names`."""
        problem, bodies = self.inside(x)
        return problem.gap_names(bodies)

    def gap_jacobian(self, x: ArrayLike, rows: Indices | None = None) -> sparse.csr_array:
        """Return ``∂Δ/∂(x, w)`` of the near pairs, or of some ``rows``: CSR, ``(m, n_dof)``."""
        problem, bodies = self.inside(x)
        pairs, slopes = problem.near(bodies)
        pull, r = slopes.vector, pairs.vector
        if rows is not None:
            pull, r = pull[rows], r[rows]
        shape = np.einsum("ma,kab,mb->mk", pull, self._rates(x)[0], r)
        both = [problem.gap_jacobian(bodies, rows), sparse.csr_array(shape)]
        return sparse.csr_array(sparse.hstack(both, format="csr"))

    def energy_gradient(self, x: ArrayLike) -> tuple[float, Vector]:
        """Return ``U`` and ``∇U``, ``(n_dof,)``: by ``w`` it is the shear stress, times ``V/ℓ``."""
        problem, bodies = self.inside(x)
        pairs, slopes = problem.near(bodies)
        push = np.maximum(slopes.gap, 0.0)[:, None] * slopes.vector
        shape = np.einsum("kab,ab->k", self._rates(x)[0], push.T @ pairs.vector)
        energy, gradient = problem.energy_gradient(bodies)
        return energy, np.append(gradient, shape)

    def hvp(self, x: ArrayLike, v: ArrayLike) -> Vector:
        """Return ``H v`` for ``v`` of shape ``(n_dof,)`` or ``(k, n_dof)``."""
        return np.asarray(np.asarray(v, dtype=np.float64) @ self.hessian(x))

    def hessian(self, x: ArrayLike) -> sparse.csr_array:
        """Return ``H``, sparse, ``(n_dof, n_dof)``."""
        problem, bodies = self.inside(x)
        pairs, slopes = problem.near(bodies)
        touch = slopes.gap > 0.0
        push = slopes.gap[touch, None] * slopes.vector[touch]
        block = problem.stiffness(bodies, pairs[touch])
        return self._bordered(x, problem.hessian(bodies), (pairs[touch], push, block))

    def curvature(self, x: ArrayLike, forces: ArrayLike) -> sparse.csr_array:
        """Return ``Σ λ ∇²Δ`` for ``forces`` ``(m,)``, sparse, ``(n_dof, n_dof)``."""
        problem, bodies = self.inside(x)
        pairs, push, block = problem.bent(bodies, forces)
        acting = pairs, push[:, : problem.dim], block
        return self._bordered(x, problem.curvature(bodies, forces), acting)

    def _bordered(
        self, x: ArrayLike, inner: sparse.csr_array, acting: tuple[Pairs, Vector, Vector]
    ) -> sparse.csr_array:
        """Add rows and columns of the shapes to the second derivatives by ``x``.

        With ``M_a = F⁻¹ ∂_a F``, ``K`` and ``g`` the derivatives of a pair by ``r``:

            ∂²/∂r∂w_a = K M_a r + M_aᵀ g,    ∂²/∂w_a∂w_b = (M_a r)ᵀ K M_b r + g · F⁻¹ ∂_ab F r
        """
        (pairs, push, block), dim = acting, self.packing.dim
        first, second = self._rates(x)
        c = self.packing.n_per_body
        moved = np.einsum("kab,mb->kma", first, pairs.vector)
        pulled = np.einsum("mab,kmb->kma", block[:, :, :dim], moved)
        corner = np.einsum("kma,lma->kl", moved, pulled[:, :, :dim])
        corner += np.einsum("klab,ab->kl", second, push.T @ pairs.vector)
        pulled[:, :, :dim] += np.einsum("kba,mb->kma", first, push)
        border = np.zeros((self.shapes, self.packing.n_bodies, c))
        for k in range(self.shapes):
            np.add.at(border[k, :, :dim], pairs.j, pulled[k, :, :dim])
            np.add.at(border[k, :, :dim], pairs.i, -pulled[k, :, :dim])
            np.add.at(border[k, :, dim:], pairs.i, pulled[k, :, dim:c])
            np.add.at(border[k, :, dim:], pairs.j, pulled[k, :, c:])
        rows = sparse.csr_array(border.reshape(self.shapes, -1))
        whole = sparse.block_array([[inner, rows.T], [rows, sparse.csr_array(corner)]])
        return sparse.csr_array(whole)

    def zero_modes(self, x: ArrayLike) -> Vector:
        """Return those of the packing, ``(k, n_dof)``: no shape changes along them."""
        problem, bodies = self.inside(x)
        modes = problem.zero_modes(bodies)
        return np.hstack([modes, np.zeros((len(modes), self.shapes))])

    def frozen(self, x: ArrayLike) -> list[Indices]:
        """Return the variables of each rattler."""
        problem, bodies = self.inside(x)
        return problem.frozen(bodies)

    def satisfied(self, gaps: Vector) -> bool:
        """Tell whether gaps ``(m,)`` leave no contact, see `Packing.satisfied`."""
        return self.packing.satisfied(gaps)

    def tightening(self, x: ArrayLike) -> Vector:
        """Return ``∂Δ/∂t = 1 - Δ`` for growth by ``1 + t``, ``(m,)``."""
        return 1.0 - self.gaps(x)

    def tightened(self, t: float) -> Self:
        """Return the same with every length of the bodies ``1 + t`` times as large."""
        return replace(self, packing=self.packing.grown(t))


def _logarithms(dim: int) -> Vector:
    """Return the logarithms of the diagonal by those that are variables, ``(d, d - 1)``."""
    return np.vstack([np.eye(dim - 1), -np.ones(dim - 1)])

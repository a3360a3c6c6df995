"""Stability of a balanced packing: its direction of least curvature.

Contacts push bodies sideways: a balance of forces may be a saddle, such as a row of discs that
could buckle. All lengths are in units of the body's own, so that bodies of any size count alike.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, sparse
from scipy.sparse.linalg import eigsh, splu

from particles.packings.packing import Packing
from particles.packings.pairs import Pairs
from particles.packings.rattlers import rattlers
from particles.packings.sparse_hessian import assembled

Vector = NDArray[np.float64]
Indices = NDArray[np.intp]

# Curvature below which a motion counts as flat, relative to the stiffest one: what is left of a
# zero after a factorisation.
FLAT = 1e-14
# Forces beside their mean below which a contact of a body that is not held carries nothing: the
# weakest of a thousand bodies at jamming is above it.
WEAK = 1e-3
# Distance of two centres that counts as none, in units of that at which the bodies may touch.
COINCIDENT = 1e-9
# Variables up to which all modes are computed, because that is faster than a few of them.
SMALL = 64


@dataclass(frozen=True, eq=False)
class Contacts:
    """The contacts of a state.

    Attributes
    ----------
    pairs
        Who touches whom.
    slopes : (m, s)
        ``∂Δ/∂r`` and, for ellipses, ``∂Δ/∂θ`` of both bodies.
    forces : (m,)
        ``Δ |∂Δ/∂r|``.
    """

    pairs: Pairs
    slopes: Vector
    forces: Vector

    def __getitem__(self, rows: NDArray[np.bool_]) -> "Contacts":
        """Return some of the contacts."""
        return Contacts(self.pairs[rows], self.slopes[rows], self.forces[rows])

    def holding(self, n_bodies: int, residual: float) -> "Contacts":
        """Return the contacts between the bodies that are held, or pushed hard though they are not.

        What only leans, with a force that a minimisation leaves unbalanced, is a rattler and holds
        nothing. A body that others push and that is not held may be about to escape: it counts.
        """
        loose = rattlers(self.pairs.i, self.pairs.j, -self.normals, n_bodies)
        mean = float(self.forces.mean()) if self.forces.size else 0.0
        strong = self.forces > max(10.0 * residual, WEAK * mean)
        loose[self.pairs.i[strong]] = loose[self.pairs.j[strong]] = False
        return self[~(loose[self.pairs.i] | loose[self.pairs.j])]

    @property
    def normals(self) -> Vector:
        """``∂Δ/∂r``, ``(m, d)``: from the second body to the first, not of length one."""
        return self.slopes[:, : self.pairs.vector.shape[1]]


def contacts(problem: Packing, x: ArrayLike) -> Contacts:
    """Return the contacts of a state, ``Δ > 0``, in no particular order."""
    i, j, vector = problem._touching(problem.bodies(x))
    pairs = Pairs(i.astype(np.intp), j.astype(np.intp), vector, np.zeros_like(vector))
    slopes = problem.slopes(x, pairs)
    rows = slopes.gap > 0.0
    push = slopes.gap * np.linalg.norm(slopes.vector, axis=1)
    every = np.concatenate([slopes.vector, slopes.angles], axis=1)
    return Contacts(pairs, every, push)[rows]


def separated(problem: Packing, x: ArrayLike, rng: np.random.Generator) -> Vector:
    """Return ``x`` with centres that coincide moved apart by a hundredth of a diameter, at random.

    Two bodies with one centre push each other in no direction, however deep they overlap.
    """
    bodies = problem.bodies(x)
    i, j, vector = problem._touching(bodies)
    radii = problem.bounding_radii
    close = np.linalg.norm(vector, axis=1) <= COINCIDENT * (radii[i] + radii[j])
    moved = np.unique(j[close & (i != j)])
    if not moved.size:
        return bodies.ravel()
    shift = rng.standard_normal((moved.size, problem.dim))
    apart = bodies.copy()
    apart[moved, : problem.dim] += 0.01 * problem.diameters[moved, None] * shift
    return apart.ravel()


def downhill_mode(problem: Packing, x: ArrayLike, holding: Contacts) -> Vector | None:
    """Return the mode of least curvature where that is negative, ``(n_dof,)``, else None.

    ``H = Σ ∇Δ ∇Δᵀ + Δ ∇²Δ`` over the contacts ``holding``, by variables in units of each body's
    diameter, and of ``d/ℓ`` for its angle. Bodies that no contact holds do not move. No body moves
    by more than its diameter along the mode, and one does.
    """
    scale, used = _units(problem, holding)
    if not used.size:
        return None
    hessian, prestress = _curvature(problem, x, holding, scale, used)
    mode = _least_mode(hessian, prestress)
    if mode is None:
        return None
    full = np.zeros(problem.n_dof)
    full[used] = mode / np.abs(mode).max()
    return full * scale


def _units(problem: Packing, holding: Contacts) -> tuple[Vector, Indices]:
    """Return the unit of each variable, ``(n_dof,)``, and the variables of bodies in contact."""
    scale = problem.diameters[:, None] / problem.levers
    touching = np.zeros(problem.n_bodies, dtype=bool)
    touching[holding.pairs.i] = touching[holding.pairs.j] = True
    counts = np.arange(problem.n_per_body) < problem.variables[:, None]
    return scale.ravel(), np.flatnonzero((counts & touching[:, None]).ravel())


def _curvature(
    problem: Packing, x: ArrayLike, holding: Contacts, scale: Vector, used: Indices
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Return ``H`` and its prestress part ``H - Σ ∇Δ ∇Δᵀ``, by the variables that are used."""
    pairs = holding.pairs
    block = problem.stiffness(x, pairs)
    stiff = holding.slopes[:, :, None] * holding.slopes[:, None, :]
    shape = (problem.n_bodies, problem.n_per_body)
    units = sparse.diags_array(scale[used])
    hessian, prestress = (
        units @ assembled(part, pairs.i, pairs.j, shape)[used][:, used] @ units
        for part in (block, block - stiff)
    )
    springs = problem.springs.ravel()[used] * scale[used] ** 2
    return hessian + sparse.diags_array(springs) if springs.any() else hessian, prestress


def _least_mode(hessian: sparse.csr_array, prestress: sparse.csr_array) -> Vector | None:
    """Return the eigenvector of the lowest eigenvalue if that is negative.

    No eigenvalue lies below minus the norm of the prestress, since the rest is positive.
    """
    flat = FLAT * float(abs(hessian).sum(axis=0).max())
    n = hessian.shape[0]
    if n <= SMALL:
        values, modes = linalg.eigh(hessian.toarray(), subset_by_index=[0, 0])
        return modes[:, 0] if values[0] < -10.0 * flat else None
    if _positive(hessian + flat * sparse.eye_array(n)):
        return None
    below = -float(abs(prestress).sum(axis=0).max()) - flat
    values, modes = eigsh(hessian.tocsc(), k=1, sigma=below, which="LM", v0=np.ones(n))
    return modes[:, 0] if values[0] < -flat else None


def _positive(matrix: sparse.csr_array) -> bool:
    """Tell whether a symmetric matrix is positive definite: all pivots of ``L D Lᵀ`` are."""
    try:
        factors = splu(
            matrix.tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
    except RuntimeError:  # a pivot is exactly zero
        return False
    symmetric = np.array_equal(factors.perm_r, factors.perm_c)
    return symmetric and bool((factors.U.diagonal() > 0.0).all())

"""Linear gaps with kinks: gables of any number of walls, folds and dimensions."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Folded:
    """Gaps ``Δ = A x + b + Σ_k c_k max(z_k, 0)`` with ``z = G x + h``, each kink in one gap.

    With ``couplings`` ``w``, ``(K, K)`` and zero but below the diagonal, ``z_j`` is bent by kinks
    before it, ``Σ_k w_jk max(z_k, 0)``.
    """

    normals: Vector  # (m, n_dof)
    offsets: Vector  # (m,)
    folds: Vector  # (K, n_dof)
    places: Vector  # (K,)
    owners: Indices  # (K,)
    strengths: Vector  # (K,)
    slopes: Vector | None = field(default=None)  # of max(z, 0), in a branch
    couplings: Vector | None = None

    @property
    def n_dof(self) -> int:
        return self.normals.shape[1]

    def kinks(self, x: Vector) -> Vector:
        z = self.folds @ x + self.places
        if self.couplings is not None:
            for j, line in enumerate(self.couplings):
                z[j] += line[:j] @ (z[:j] * self._opened(z)[:j])
        return z

    def _opened(self, z: Vector) -> Vector:
        return (z > 0.0) * 1.0 if self.slopes is None else self.slopes

    def kink_couplings(self, x: Vector, kinks: Indices) -> Vector:
        couplings = np.zeros((len(self.owners),) * 2) if self.couplings is None else self.couplings
        inner = np.linalg.inv(np.eye(len(couplings)) - couplings * self._opened(self.kinks(x)))
        return (inner @ couplings)[np.ix_(kinks, kinks)]

    def kink_owners(self) -> Indices:
        return self.owners

    def _rows(self, x: Vector) -> Vector:
        if self.couplings is None:
            return self.folds
        return np.linalg.solve(
            np.eye(len(self.folds)) - self.couplings * self._opened(self.kinks(x)), self.folds
        )

    def kink_jacobian(self, x: Vector, kinks: Indices) -> Vector:
        return self._rows(x)[kinks]

    def kink_strengths(self, x: Vector) -> Vector:
        if self.couplings is None:
            return self.strengths
        upper = self.couplings * self._opened(self.kinks(x))[:, None]
        return np.linalg.solve(np.eye(len(upper)) - upper.T, self.strengths)

    def branch(self, x: Vector, held: Indices, masks: Vector) -> Self:
        slopes = (self.kinks(x) > 0.0).astype(float)
        slopes[held] = masks
        return replace(self, slopes=slopes)

    def _open(self, x: Vector) -> Vector:
        return (self.kinks(x) > 0.0) * 1.0 if self.slopes is None else self.slopes

    def gaps(self, x: Vector) -> Vector:
        found = self.normals @ x + self.offsets
        np.add.at(found, self.owners, self.strengths * self._open(x) * self.kinks(x))
        return found

    def gap_jacobian(self, x: Vector, rows: Indices | None = None) -> Vector:
        full = self.normals.copy()
        np.add.at(full, self.owners, (self.strengths * self._open(x))[:, None] * self._rows(x))
        return full if rows is None else full[rows]

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        forces = np.maximum(self.gaps(x), 0.0)
        return 0.5 * float(forces @ forces), forces @ self.gap_jacobian(x)

    def hvp(self, x: Vector, v: Vector) -> Vector:
        rows = self.gap_jacobian(x)[self.gaps(x) > 0]
        return v @ rows.T @ rows

    def zero_modes(self, x: Vector) -> Vector:
        return np.zeros((0, self.n_dof))

    def tightening(self, x: Vector) -> Vector:
        return np.ones(len(self.offsets))

    def tightened(self, t: float) -> Self:
        return replace(self, offsets=self.offsets + t)

    def curvature(self, x: Vector, forces: Vector) -> Vector:
        return np.zeros((self.n_dof, self.n_dof))


def balanced(
    n: int, n_rows: int, n_idle: int, n_kinks: int, rng: np.random.Generator
) -> tuple[Folded, Vector, Vector]:
    """Return gaps around ``x = 0``, and forces and masks that balance there.

    The first ``n_rows`` gaps are violated and own the kinks, all of which are at ``z = 0``; the
    others are open. ``Σ λ (A + Σ t c ∇z) = 0`` fixes the normal of the last violated gap.
    """
    forces = rng.uniform(0.3, 1.0, n_rows)
    forces /= forces.sum()
    normals = rng.standard_normal((n_rows + n_idle, n))
    folds, masks = rng.standard_normal((n_kinks, n)), rng.uniform(0.1, 0.9, n_kinks)
    strengths = rng.uniform(0.3, 2.0, n_kinks)
    owners = rng.integers(0, n_rows, n_kinks)
    normals[n_rows - 1] = 0.0
    pull = forces @ normals[:n_rows] + (masks * strengths * forces[owners]) @ folds
    normals[n_rows - 1] = -pull / forces[-1]
    offsets = np.concatenate([rng.uniform(0.01, 0.3, n_rows), -rng.uniform(0.01, 1.0, n_idle)])
    problem = Folded(normals, offsets, folds, np.zeros(n_kinks), owners, strengths)
    return problem, forces, masks

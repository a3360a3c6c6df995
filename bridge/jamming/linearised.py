"""A problem around one state, to first order in the motion and in its tightening."""

from dataclasses import dataclass
from typing import Generic, Self, TypeVar

import numpy as np
from scipy import linalg

from bridge.measure.observables import gap_names, plain_jacobian
from bridge.protocols import (
    ConstraintProblem,
    HasTightening,
    Indices,
    Mask,
    Matrix,
    Restricted,
    Vector,
)

P = TypeVar("P", bound=HasTightening)


@dataclass(frozen=True, eq=False)
class Linearised(Generic[P]):
    """Gaps and their first derivatives: ``Δ(x + u; t) ≈ Δ + J u + t ℓ``.

    Attributes
    ----------
    problem, x
        The system at its present load, and its state ``(n_dof,)``.
    gaps, jacobian, tightening
        ``Δ (m,)``, ``J (m, n_dof)`` dense or CSR, and ``ℓ = ∂Δ/∂t (m,)``.
    modes
        Tangents of the symmetries, ``(k, n_dof)``.
    """

    problem: P
    x: Vector
    gaps: Vector
    jacobian: Matrix
    tightening: Vector
    modes: Vector

    @classmethod
    def at(cls, problem: P, x: Vector) -> Self:
        """Linearise ``problem`` at ``x``."""
        return cls(
            problem=problem,
            x=x,
            gaps=problem.gaps(x),
            jacobian=problem.gap_jacobian(x),
            tightening=problem.tightening(x),
            modes=problem.zero_modes(x),
        )

    def predicted(self, u: Vector, t: float) -> Vector:
        """Return ``Δ + J u + t ℓ``, shape ``(m,)``."""
        return self.gaps + self.jacobian @ u + t * self.tightening

    def moved(self, u: Vector, t: float) -> Self:
        """Move by ``u`` across the symmetries, change the load by ``t``, and linearise there."""
        across = u - self.modes.T @ (self.modes @ u)
        return self.at(self.problem.tightened(t), self.x + across)

    def columns_of(self, rows: Indices) -> Mask:
        """Tell which variables the constraints ``rows`` act on, ``(n_dof,)``."""
        size = abs(self._plain()[rows]).sum(axis=0)
        return np.asarray(np.asarray(size).ravel() > 0)

    def rows_within(self, columns: Mask) -> Mask:
        """Tell which constraints act on no variable outside ``columns``, ``(m,)``."""
        if columns.all():
            return np.ones(len(self.gaps), dtype=bool)
        size = abs(self._plain()[:, np.flatnonzero(~columns)]).sum(axis=1)
        return np.asarray(np.asarray(size).ravel() == 0)

    def _plain(self) -> Matrix:
        """Return the Jacobian that tells what acts on what: before it is projected."""
        problem: ConstraintProblem = self.problem
        restricted = isinstance(problem, Restricted)
        return plain_jacobian(problem, self.x) if restricted else self.jacobian

    def free_of_symmetries(self, columns: Mask) -> Indices:
        """Return the variables ``columns`` less one per symmetry that moves them.

        A held variable is pinned for each symmetry: the motion found is one of many that differ
        by a symmetry, and `moved` makes them the same.
        """
        held = np.flatnonzero(columns)
        modes = self.modes[:, held]
        if not modes.size:
            return held
        upper, order = linalg.qr(modes, mode="r", pivoting=True)
        sizes = np.abs(np.diag(upper))
        rank = int((sizes > 1e-10 * sizes.max()).sum())
        return np.sort(np.delete(held, order[:rank]))

    def follow(self, rows: Indices, there: "Linearised[P]") -> Indices:
        """Return the places of the constraints ``rows`` in the list of gaps ``there``.

        Raises
        ------
        ValueError
            If one is not on that list.
        """
        names = gap_names(self.problem, self.x)[rows]
        others = gap_names(there.problem, there.x)
        places = {name: place for place, name in enumerate(map(tuple, others.tolist()))}
        chosen = np.array([places.get(tuple(name), -1) for name in names.tolist()], dtype=np.intp)
        if (chosen < 0).any():
            raise ValueError(
                f"expected constraint {rows[np.argmin(chosen)]} to stay on the list of gaps, but "
                "it left: list constraints further from contact"
            )
        return chosen

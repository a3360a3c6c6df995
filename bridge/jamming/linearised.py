"""A problem around one state, to first order in the motion and in its tightening."""

from dataclasses import dataclass, replace
from typing import Any, Generic, Self, TypeVar

import numpy as np
from scipy import linalg

from bridge.jamming.kinks import HeldKinks, NearKinks, touching_kinks
from bridge.measure.observables import (
    backbone_rows,
    gap_names,
    places_of,
    plain_jacobian,
    symmetries,
)
from bridge.protocols import (
    Branch,
    HasCurvature,
    HasKinks,
    HasTightening,
    Indices,
    Mask,
    Matrix,
    Restricted,
    Vector,
)

P = TypeVar("P", bound=HasTightening)

# |z| beside the largest of near kinks below which one is at zero.
_CLOSED = 1e-10


class LeftListError(ValueError):
    """A constraint is no longer on the list of gaps of its system: its bodies are too far apart."""


@dataclass(frozen=True, eq=False)
class Linearised(Generic[P]):
    """Gaps and their first derivatives: ``Δ(x + u; t) ≈ Δ + J u + t ℓ``.

    Kinks near the state follow the gaps as further rows, see `bridge.jamming.kinks`.

    Attributes
    ----------
    problem, x
        The system at its present load, and its state ``(n_dof,)``.
    gaps, jacobian, tightening
        ``Δ (m,)``, ``J (m, n_dof)`` dense or CSR, and ``ℓ = ∂Δ/∂t (m,)``.
    modes
        Tangents of the symmetries, ``(k, n_dof)``.
    kinks, branch
        The kinks, and the smooth problem with the masks of those that are held; None without.
    """

    problem: P
    x: Vector
    gaps: Vector
    jacobian: Matrix
    tightening: Vector
    modes: Vector
    kinks: NearKinks | None = None
    branch: Branch | None = None

    @classmethod
    def at(cls, problem: P, x: Vector, held: HeldKinks | None = None) -> Self:
        """Linearise ``problem`` at ``x``; the kinks that are held there are found if not told."""
        if isinstance(problem, HasKinks):
            return cls._with_kinks(problem, x, held)
        return cls(
            problem=problem,
            x=x,
            gaps=problem.gaps(x),
            jacobian=problem.gap_jacobian(x),
            tightening=problem.tightening(x),
            modes=problem.zero_modes(x),
        )

    @classmethod
    def _with_kinks(cls, problem: Any, x: Vector, held: HeldKinks | None) -> Self:
        held = touching_kinks(problem, x) if held is None else held
        branch = problem.branch(x, held.names, held.masks)
        sides = problem.branch(x, held.names, held.above.astype(np.float64))
        near = NearKinks.at(problem, branch, sides, x, held)
        z, rows = sides.kinks(x)[near.names], sides.kink_jacobian(x, near.names)
        return cls(
            problem=problem,
            x=x,
            gaps=np.concatenate([sides.gaps(x), near.signs * z]),
            jacobian=np.vstack([sides.gap_jacobian(x), near.signs[:, None] * rows]),
            tightening=np.concatenate([problem.tightening(x), np.zeros(len(z))]),
            modes=problem.zero_modes(x),
            kinks=near,
            branch=branch,
        )

    @property
    def smooth(self) -> HasCurvature | None:
        """The problem without kinks, if it forms its curvature."""
        if self.branch is not None:
            return self.branch
        return self.problem if isinstance(self.problem, HasCurvature) else None

    @property
    def n_gaps(self) -> int:
        """Number of gaps; the rows after them are kinks."""
        return len(self.gaps) - (0 if self.kinks is None else len(self.kinks.names))

    def contacts(self, free: Mask) -> Indices:
        """Return the violated gaps that act on ``free`` variables only, and the kinks held."""
        violated = np.flatnonzero(self.gaps[: self.n_gaps] > 0)
        rows = backbone_rows(self.problem, self.x, violated, free)
        if self.kinks is None:
            return rows
        held = np.flatnonzero(np.isin(self.kinks.owners[: self.kinks.n_held], rows))
        return np.concatenate([rows, self.n_gaps + held])

    def turned(self, chosen: Indices) -> Self:
        """Return the same with the rows that the ``chosen`` kinks bend on their other sides.

        ``chosen`` are rows. Only those rows and the ones that they bend change.
        """
        if self.kinks is None or not len(chosen):
            return self
        gaps, jacobian, kinks = self.gaps.copy(), self.jacobian.copy(), self.kinks
        n = self.n_gaps
        for row in chosen:
            bent, parts = _bent_by(kinks, n, row)
            gaps[bent] += parts * gaps[row]
            jacobian[bent] += np.outer(parts, jacobian[row])
            gaps[row], jacobian[row] = -gaps[row], -jacobian[row]
            kinks = kinks.turned(row - n)
        return replace(self, gaps=gaps, jacobian=jacobian, kinks=kinks)

    def bend(self, other: int, row: int) -> float:
        """Return what a row changes by as a kink is crossed, in units of its own ``row``."""
        if self.kinks is None:
            return 0.0
        k, j = row - self.n_gaps, other - self.n_gaps
        return float(self.kinks.strengths[k] if j < 0 else self.kinks.couplings[j, k])

    def bent_by(self, row: int) -> tuple[Indices, Vector]:
        """Return the rows that a kink bends, its owner's first, and by how much of its own row."""
        if self.kinks is None:
            raise ValueError(f"expected a kink, got constraint {row} of a problem without kinks")
        return _bent_by(self.kinks, self.n_gaps, row)

    def respected(self, rows: Indices, within: Mask) -> Mask:
        """Tell which constraints are idle and have to be respected while ``rows`` are active.

        Those ``within`` some mask that are not active; a kink only while its owner is.
        """
        idle = within.copy()
        if self.kinks is not None:
            active = np.zeros(len(idle), dtype=bool)
            active[rows] = True
            idle[self.n_gaps :] &= active[self.kinks.owners]
        idle[rows] = False
        return idle

    def room(self, rows: Indices, forces: Vector) -> Vector:
        """Return what the forces of active ``rows`` are short of their bounds; inf without one."""
        room = np.full(len(rows), np.inf)
        if self.kinks is not None:
            held = np.flatnonzero(rows >= self.n_gaps)
            places = rows[held] - self.n_gaps
            pulls = np.zeros(len(self.kinks.names))
            pulls[places] = forces[held]
            room[held] = self.kinks.bounds(self.loads(rows, forces), pulls, places) - forces[held]
        return room

    def bound(self, row: int, forces: Vector) -> float:
        """Return the upper bound of the force of a kink, if ``forces`` are those of all rows."""
        if self.kinks is None or row < self.n_gaps:
            return np.inf
        loads, pulls = forces[: self.n_gaps], forces[self.n_gaps :]
        return float(self.kinks.bounds(loads, pulls, np.array([row - self.n_gaps]))[0])

    def own_kinks(self, rows: Indices, k: int) -> Indices:
        """Return the places among active ``rows`` of the kinks that belong to the ``k``-th."""
        if self.kinks is None or rows[k] >= self.n_gaps:
            return np.empty(0, dtype=np.intp)
        held = np.flatnonzero(rows >= self.n_gaps)
        return np.asarray(held[self.kinks.owners[rows[held] - self.n_gaps] == rows[k]])

    def initial_forces(self, rows: Indices) -> Vector:
        """Return the overlaps of ``rows`` as forces, and those of kinks that their masks tell."""
        forces = self.gaps[rows].copy()
        if self.kinks is not None and self.branch is not None:
            held = rows >= self.n_gaps
            places = rows[held] - self.n_gaps
            strengths = self.branch.kink_strengths(self.x)[self.kinks.names[places]]
            bounds = strengths * self.gaps[self.kinks.owners[places]]
            above, masks = self.kinks.above[places], self.kinks.masks[places]
            forces[held] = bounds * np.where(above, 1.0 - masks, masks)
        return forces

    def loads(self, rows: Indices, forces: Vector) -> Vector:
        """Return the forces of all gaps, ``(m,)``, from those of the active ``rows``."""
        found, acting = np.zeros(self.n_gaps), rows < self.n_gaps
        found[rows[acting]] = forces[acting]
        return found

    def predicted(self, u: Vector, t: float) -> Vector:
        """Return ``Δ + J u + t ℓ``, shape ``(m,)``."""
        return self.gaps + self.jacobian @ u + t * self.tightening

    def moved(
        self, u: Vector, t: float, rows: Indices | None = None, forces: Vector | None = None
    ) -> Self:
        """Move by ``u`` across the symmetries, change the load by ``t``, and linearise there.

        The kinks among the active ``rows`` stay held, with the masks that their ``forces`` tell;
        those that the motion leaves at zero idle stay on the side that they are on here.
        """
        problem: Any = self.problem.tightened(t)
        x = self.x + u - self.modes.T @ (self.modes @ u)
        if isinstance(problem, Restricted):  # back on to the surface
            _, x = problem.unrestricted(x)
        if self.kinks is None or rows is None or forces is None:
            return self.at(problem, x)
        held = self.held_kinks(rows, forces)
        return self.at(problem, x, held.beside(self._idle_kinks(rows, self.predicted(u, t))))

    def held_kinks(self, rows: Indices, forces: Vector) -> HeldKinks:
        """Return the kinks among the active ``rows``, with the masks that their ``forces`` tell."""
        if self.kinks is None:
            return HeldKinks.none()
        held = rows >= self.n_gaps
        places = rows[held] - self.n_gaps
        bounds = forces[held] + self.room(rows, forces)[held]
        return self.kinks.chosen(places, forces[held], bounds)

    def _idle_kinks(self, rows: Indices, gaps: Vector) -> HeldKinks:
        """Return the kinks at zero, if such are the ``gaps``, that are not among the active rows.

        Two patterns on which all units of a layer are silent have the same kinks above it, of which
        one holds; rounding has no say in on which side the other one is.
        """
        if self.kinks is None:
            return HeldKinks.none()
        z = gaps[self.n_gaps :]
        closed = np.abs(z) <= _CLOSED * np.abs(z).max(initial=0.0)
        closed[rows[rows >= self.n_gaps] - self.n_gaps] = False
        return self.kinks.idle(np.flatnonzero(closed))

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
        problem: Any = self.problem if self.branch is None else self.branch
        if not isinstance(problem, Restricted):
            return self.jacobian
        free: Any
        free, x = problem.unrestricted(self.x)
        plain = plain_jacobian(free, x)
        if self.kinks is None:
            return plain
        return np.vstack([plain, free.kink_jacobian(x, self.kinks.names)])

    def surface_symmetries(self, columns: Mask) -> int:
        """Return how many symmetries of the constraints only the surface resists."""
        ranks = [
            int(np.linalg.matrix_rank(modes[:, columns])) if modes.size else 0
            for modes in (symmetries(self.problem, self.x), self.modes)
        ]
        return ranks[0] - ranks[1]

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
        LeftListError
            If one is not on that list.
        """
        if self.kinks is not None and there.kinks is not None:
            kinks = there.kinks.places(self.kinks.names[rows[rows >= self.n_gaps] - self.n_gaps])
            return np.concatenate([rows[rows < self.n_gaps], there.n_gaps + kinks])
        names = gap_names(self.problem, self.x)[rows]
        chosen = places_of(names, gap_names(there.problem, there.x))
        if (chosen < 0).any():
            raise LeftListError(
                f"expected constraint {rows[np.argmin(chosen)]} to stay on the list of gaps, but "
                "it left: list constraints further from contact"
            )
        return chosen


def _bent_by(kinks: NearKinks, n_gaps: int, row: int) -> tuple[Indices, Vector]:
    """Return the rows that a kink bends, its owner's first, and by how much of its own row."""
    k = row - n_gaps
    bent, parts = kinks.bent_by(k)
    owner, strength = kinks.owners[k : k + 1], kinks.strengths[k : k + 1]
    return np.concatenate([owner, n_gaps + bent]), np.concatenate([strength, parts])

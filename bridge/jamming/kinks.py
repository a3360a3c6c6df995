"""Kinks as constraints: the ones near a state, their sides, and the masks that balance forces.

A kink that is held, ``z_k = 0``, is one more active constraint. The rows of the Jacobian that it
bends, its owner's and those of kinks above it, are taken on one side of it, and the kink is the row
``±∇z_k`` that points to the other side: so its force is positive like that of a gap, and the only
news is an upper bound, ``c_k λ`` of its owner and ``w_jk ν_j`` of each kink ``j`` above. At the
bound the kink opens to the other side: it is turned, and its force is then zero.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy import linalg

from bridge.protocols import Branch, HasKinks, Indices, Mask, NestedBranch, Vector

# |z| beside the root mean square of all below which a kink holds a violated gap, if that balances.
_TOUCHING = 1e-8
# Times that masks are solved for: those of one gap may depend on each other.
_SOLVES = 4
# Kinks that are not held but near, over the number of variables, and at least.
_NEAR, _LEAST = 0.75, 64


@dataclass(frozen=True, eq=False)
class HeldKinks:
    """Kinks that hold a state: their ``names``, ``masks``, and the side of their owners' rows.

    ``above`` is true where the row is that of ``z_k > 0``; all are ``(n_held,)``.
    """

    names: Indices
    masks: Vector
    above: Mask

    @classmethod
    def none(cls) -> Self:
        """Return no kinks."""
        return cls(np.empty(0, dtype=np.intp), np.empty(0), np.empty(0, dtype=bool))

    def beside(self, others: Self) -> Self:
        """Return these and then the ``others``."""
        pairs = zip(
            (self.names, self.masks, self.above),
            (others.names, others.masks, others.above),
            strict=True,
        )
        return type(self)(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True, eq=False)
class NearKinks:
    """Convex kinks near a state, those that are held first.

    Attributes
    ----------
    names
        Their places among the kinks of the problem, ``(q,)``.
    owners
        The place of the gap that each belongs to, ``(q,)``.
    strengths, couplings
        What the row of the owner, and the rows of all of these, change by as each kink is crossed
        in the direction of its row, in units of that row: ``(q,)``, ``(q, q)``.
    above
        Whether the rows are those of ``z_k > 0``, ``(q,)``.
    masks
        The masks of those that are held, ``(n_held,)``.
    """

    names: Indices
    owners: Indices
    strengths: Vector
    couplings: Vector
    above: Mask
    masks: Vector

    @classmethod
    def at(
        cls, problem: HasKinks, branch: Branch, sides: Branch, x: Vector, held: HeldKinks
    ) -> Self:
        """Return the kinks ``held`` and the nearest others of the gaps that are nearest to zero.

        ``branch`` has the masks of those that are held, and ``sides`` the slopes of their rows.
        """
        z, strengths = branch.kinks(x), branch.kink_strengths(x)
        owners = problem.kink_owners()
        gaps = branch.gaps(x)
        n = problem.n_dof
        close = gaps >= np.partition(gaps, max(len(gaps) - n, 0))[max(len(gaps) - n, 0)]
        eligible = (strengths > 0.0) & close[owners]
        eligible[held.names] = False
        # An idle owner has to close before its kink matters, or the kink to be crossed that far.
        shut = np.maximum(-gaps[owners], 0.0) / np.where(eligible, strengths, 1.0)
        distance = np.where(eligible, np.abs(z) + shut, np.inf)
        count = min(int(eligible.sum()), max(_LEAST, int(_NEAR * n)))
        nearest = np.argpartition(distance, count - 1)[:count] if count else held.names[:0]
        names = np.concatenate([held.names, nearest])
        above = np.concatenate([held.above, z[nearest] > 0.0])
        couplings = np.zeros((len(names), len(names)))
        if isinstance(sides, NestedBranch):
            couplings = np.where(above, -1.0, 1.0)[:, None] * sides.kink_couplings(x, names)
        strengths = sides.kink_strengths(x)[names]
        return cls(names, owners[names], strengths, couplings, above, held.masks)

    @property
    def n_held(self) -> int:
        """How many are held."""
        return len(self.masks)

    @property
    def held(self) -> HeldKinks:
        """Those that are held."""
        k = self.n_held
        return HeldKinks(self.names[:k], self.masks, self.above[:k])

    @property
    def signs(self) -> Vector:
        """The sign of the row of each, ``(q,)``: it points to where the owner's row is not."""
        return np.where(self.above, -1.0, 1.0)

    def places(self, names: Indices) -> Indices:
        """Return the places of kinks that are among the ones held, by their ``names``."""
        order = np.argsort(self.names[: self.n_held])
        return np.asarray(order[np.searchsorted(self.names[order], names)])

    def bent_by(self, k: int) -> tuple[Indices, Vector]:
        """Return the places of the kinks whose rows one bends, and by how much."""
        bent = np.flatnonzero(self.couplings[:, k])
        return bent, self.couplings[bent, k]

    def turned(self, k: int) -> Self:
        """Return them with the rows that one bends on its other side, and its own opposite."""
        above, strengths, couplings = self.above.copy(), self.strengths, self.couplings
        above[k] = ~above[k]
        below = np.flatnonzero(couplings[k])
        if len(below):  # what it bends is bent by those below it as well
            strengths, couplings = strengths.copy(), couplings.copy()
            strengths[below] += strengths[k] * couplings[k, below]
            bent, parts = self.bent_by(k)
            couplings[np.ix_(bent, below)] += np.outer(parts, couplings[k, below])
            couplings[k] = -couplings[k]
        return replace(self, strengths=strengths, couplings=couplings, above=above)

    def bounds(self, loads: Vector, forces: Vector, places: Indices) -> Vector:
        """Return the upper bounds of the forces at ``places``.

        ``loads`` are the forces of all gaps, and ``forces`` those of all kinks, ``(q,)``.
        """
        found = self.strengths[places] * loads[self.owners[places]]
        pulling = np.flatnonzero(forces)
        return np.asarray(found + forces[pulling] @ self.couplings[np.ix_(pulling, places)])

    def chosen(self, places: Indices, forces: Vector, bounds: Vector) -> HeldKinks:
        """Return the kinks at ``places`` as held with ``forces`` below their ``bounds``."""
        fractions = np.divide(forces, bounds, out=np.zeros_like(forces), where=bounds > 0.0)
        fractions, above = fractions.clip(0.0, 1.0), self.above[places]
        return HeldKinks(self.names[places], np.where(above, 1.0 - fractions, fractions), above)

    def idle(self, places: Indices) -> HeldKinks:
        """Return the kinks at ``places`` as open to the side that the rows are on."""
        above = self.above[places]
        return HeldKinks(self.names[places], above.astype(np.float64), above)


def touching_kinks(problem: HasKinks, x: Vector) -> HeldKinks:
    """Return the kinks that hold a minimum, with the masks at which its overlaps balance.

    Least squares over the convex kinks of violated gaps that are closed; those whose mask would
    have to leave ``[0, 1]`` are open.
    """
    z, overlaps = problem.kinks(x), np.maximum(problem.gaps(x), 0.0)
    if not len(z):
        return HeldKinks.none()
    loads = overlaps[problem.kink_owners()]
    held = np.flatnonzero((np.abs(z) <= _TOUCHING * np.sqrt(np.mean(z * z))) & (loads > 0.0))
    masks = np.full(len(held), 0.5)
    rows = np.flatnonzero(overlaps)
    for _ in range(_SOLVES):
        if not len(held):
            break
        branch = problem.branch(x, held, masks)
        bounds = branch.kink_strengths(x)[held] * loads[held]
        jacobian = branch.kink_jacobian(x, held) * bounds[:, None]
        pull = overlaps[rows] @ branch.gap_jacobian(x, rows)
        change = linalg.lstsq(jacobian.T, -pull, lapack_driver="gelsy")[0]
        masks = masks + change
        inside = (bounds > 0.0) & (masks > -0.01) & (masks < 1.01)
        held, masks = held[inside], masks[inside].clip(0.0, 1.0)
    return HeldKinks(held, masks, masks > 0.5)

"""Kinks as constraints: the ones near a state, their sides, and the masks that balance forces.

A kink that is held, ``z_k = 0``, is one more active constraint. Its owner's row of the Jacobian is
taken on one side of it, and the kink is the row ``±∇z_k`` that points to the other side: so its
force is positive like that of a gap, and the only news is an upper bound, ``c_k λ`` of its owner.
At the bound the kink opens to the other side: it is turned, and its force is then zero.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy import linalg

from bridge.protocols import Branch, HasKinks, Indices, Mask, Vector

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


@dataclass(frozen=True, eq=False)
class NearKinks:
    """Convex kinks near a state, those that are held first.

    Attributes
    ----------
    names
        Their places among the kinks of the problem, ``(q,)``.
    owners
        The place of the gap that each belongs to, ``(q,)``.
    strengths
        ``c_k > 0``, ``(q,)``.
    above
        Whether the owner's row is that of ``z_k > 0``, ``(q,)``.
    masks
        The masks of those that are held, ``(n_held,)``.
    """

    names: Indices
    owners: Indices
    strengths: Vector
    above: Mask
    masks: Vector

    @classmethod
    def at(cls, problem: HasKinks, branch: Branch, x: Vector, held: HeldKinks) -> Self:
        """Return the kinks ``held`` and the nearest others of the gaps that are nearest to zero."""
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
        return cls(names, owners[names], strengths[names], above, held.masks)

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

    def turned(self, chosen: Indices) -> Self:
        """Return them with the owners' rows of the ``chosen`` on the other side."""
        above = self.above.copy()
        above[chosen] = ~above[chosen]
        return replace(self, above=above)

    def chosen(self, places: Indices, forces: Vector, bounds: Vector) -> HeldKinks:
        """Return the kinks at ``places`` as held with ``forces`` below their ``bounds``."""
        fractions = np.divide(forces, bounds, out=np.zeros_like(forces), where=bounds > 0.0)
        fractions, above = fractions.clip(0.0, 1.0), self.above[places]
        return HeldKinks(self.names[places], np.where(above, 1.0 - fractions, fractions), above)


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

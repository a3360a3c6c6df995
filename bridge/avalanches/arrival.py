"""Loading by arrival: constraints are added one at a time, such as patterns to be learned."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, Self

import numpy as np
from scipy import sparse

from bridge.avalanches.loading import drive
from bridge.avalanches.record import Loading
from bridge.jamming.approach import Minimiser
from bridge.jamming.linearised import P
from bridge.protocols import Indices, Matrix, Vector


@dataclass(frozen=True, eq=False)
class Together(Generic[P]):
    """Two sets of constraints on the same variables, of which only the ``new`` ones are loaded.

    ``U = U_old + U_new``; gaps are those of ``old`` and then those of ``new``. Both list all their
    constraints always, so that the place of a gap is its name.
    """

    old: P
    new: P

    @property
    def n_dof(self) -> int:
        """Number of variables."""
        return self.old.n_dof

    def gaps(self, x: Vector) -> Vector:
        """Return the gaps of both, ``(m,)``."""
        return np.concatenate([self.old.gaps(x), self.new.gaps(x)])

    def gap_jacobian(self, x: Vector, rows: Indices | None = None) -> Matrix:
        """Return ``∂Δ_μ/∂x``, ``(m, n_dof)``, or its ``rows``."""
        parts = [self.old.gap_jacobian(x), self.new.gap_jacobian(x)]
        if any(sparse.issparse(part) for part in parts):
            both: Matrix = sparse.csr_array(sparse.vstack(parts))
        else:
            both = np.concatenate(parts)
        return both if rows is None else both[rows]

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return ``U`` and ``∇U``, ``(n_dof,)``."""
        old, new = self.old.energy_gradient(x), self.new.energy_gradient(x)
        return old[0] + new[0], old[1] + new[1]

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return ``H v`` for ``v`` of ``(n_dof,)`` or ``(k, n_dof)``."""
        return self.old.hvp(x, v) + self.new.hvp(x, v)

    def zero_modes(self, x: Vector) -> Vector:
        """Return the symmetries of ``old``, which ``new`` has to share, ``(k, n_dof)``."""
        return self.old.zero_modes(x)

    def tightening(self, x: Vector) -> Vector:
        """Return ``∂Δ_μ/∂t``, zero for the old constraints, ``(m,)``."""
        return np.concatenate([np.zeros(len(self.old.gaps(x))), self.new.tightening(x)])

    def tightened(self, t: float) -> Self:
        """Return the same with the load of the new constraints changed by ``t``."""
        return replace(self, new=self.new.tightened(t))


def arrive(
    problems: Iterable[Together[P]],
    x: Vector,
    *,
    steps: int = 10,
    minimise: Minimiser[Together[P]] | None = None,
    halvings: int = 12,
) -> Iterator[Loading]:
    """Bring in the new constraint of each problem slowly, from the state ``x``.

    The constraint comes in at a load at which it is just satisfied, and is loaded to the full by
    `drive`; one that is satisfied already arrives in two loads at which nothing happens. Each
    problem goes on from the state that the last one left. In a learning problem a pattern is
    learned this way; the constraints that close meanwhile are patterns forgotten.

    Parameters
    ----------
    problems
        In order; the old constraints of each are both sets of the one before. The load of the new
        constraints is added to their gaps, as in `bridge.protocols.HasTightening`.
    x
        Where to start, ``(n_dof,)``.
    steps, minimise, halvings
        Steps of the load of one constraint, and as in `drive`.

    Yields
    ------
    Loading
        One for each problem; the loads end at 0. The last one may have stalled.
    """
    for problem in problems:
        missing = max(float(problem.new.gaps(x).max()), 0.0)
        loads = np.linspace(-missing, 0.0, steps + 1) if missing else np.zeros(2)
        found = drive(problem, x, loads, minimise=minimise, halvings=halvings)
        yield found
        if found.status == "stalled":
            return
        x = found.x

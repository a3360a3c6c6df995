"""The optimum of a linearised problem with its curvature: a motion, forces, and what is active."""

from dataclasses import dataclass
from typing import Generic

import numpy as np

from bridge.jamming.bordered import Bordered
from bridge.jamming.linearised import Linearised, P
from bridge.protocols import Indices, Vector


@dataclass(frozen=True, eq=False)
class Optimum(Generic[P]):
    """The end of a path: the active ``rows`` of ``here``, the motion, and the forces.

    ``part`` of the way was gone: less than one where the motion reached its limit. ``reason`` says
    why there is no further way; empty if there is. ``columns`` are the unknowns of the
    ``equations``, which go on to serve for corrections.
    """

    here: Linearised[P]
    rows: Indices
    u: Vector
    t: float
    forces: Vector
    part: float
    exchanges: int
    reason: str
    equations: Bordered
    columns: Indices

    def correction(self, errors: Vector) -> tuple[Vector, float]:
        """Return the motion and load that change active gaps by ``-errors``, ``(len(rows),)``."""
        wanted = np.zeros(len(self.here.gaps))
        wanted[self.rows] = -errors
        inner = np.zeros(self.equations.size)
        inner[self.equations.n : -1] = wanted[self.equations.rows]
        outer = [wanted[c.row] if c.added else 0.0 for c in self.equations.changes]
        answer = self.equations.solve(inner, np.array(outer))
        u = np.zeros(len(self.u))
        u[self.columns] = answer.inner[: len(self.columns)]
        return u, float(answer.inner[-1])

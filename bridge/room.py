"""Room for the bodies that carry no force, where the others have moved."""

import numpy as np

from bridge.linearised import Linearised, P
from bridge.observables import dense
from bridge.protocols import Mask

# Distance that is left to the constraints, well above the rounding of a gap.
_CLEARANCE = 1e-9


def make_room(here: Linearised[P], held: Mask, max_moves: int = 100) -> Linearised[P]:
    """Move the variables that are not ``held`` until none of their constraints is violated.

    Each move is the shortest that opens the violated constraints to first order. Where that does
    not end, the last state is returned, and its violations say so.
    """
    loose = np.flatnonzero(~held)
    for _ in range(max_moves if len(loose) else 0):
        theirs = ~here.rows_within(held)
        closed = np.flatnonzero(theirs & (here.gaps > -0.5 * _CLEARANCE))
        if not len(closed):
            break
        rows = dense(here.jacobian[closed][:, loose])
        u = np.zeros_like(here.x)
        u[loose] = -np.linalg.lstsq(rows, here.gaps[closed] + _CLEARANCE)[0]
        here = Linearised.at(here.problem, here.x + u)
    return here

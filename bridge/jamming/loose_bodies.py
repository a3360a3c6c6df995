"""Move the bodies that carry no force out of constraints that they violate."""

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from bridge.jamming.linearised import Linearised, P
from bridge.protocols import Indices, Mask, Matrix, Vector

# Distance that is left to the constraints, well above the rounding of a gap.
_CLEARANCE = 1e-9
# Longest motion of a variable in one program, in units of the worst violation.
_REACH = 100.0
# Cost of a motion beside that of a violation: the shortest motion that makes room is taken.
_COST = 1e-4


def make_room(here: Linearised[P], held: Mask, max_programs: int = 20) -> Linearised[P]:
    """Move the variables that are not ``held`` until none of their constraints is violated.

    Each move minimises the sum of the violations, to first order, by a linear program over those
    variables alone. Where that does not end, the last state is returned, and its violations say
    so.
    """
    loose = np.flatnonzero(~held)
    x, gaps, jacobian = here.x, here.gaps[: here.n_gaps], here.jacobian[: here.n_gaps]
    best, best_x = np.inf, x
    for _ in range(max_programs):
        theirs = np.flatnonzero(_acting(jacobian, loose))
        worst = float(gaps[theirs].max(initial=-np.inf))
        if worst < best:
            best, best_x = worst, x
        elif worst > 10.0 * best:
            break
        if worst <= -0.5 * _CLEARANCE:
            break
        x = x.copy()
        x[loose] += _shortest_move(gaps[theirs], jacobian[theirs][:, loose])
        gaps, jacobian = here.problem.gaps(x), here.problem.gap_jacobian(x)
    if best_x is here.x:
        return here
    kinks = None if here.kinks is None else here.kinks.held
    return Linearised.at(here.problem, best_x, kinks)


def _acting(jacobian: Matrix, columns: Indices) -> Mask:
    """Tell which rows have an entry in ``columns``."""
    size = abs(jacobian[:, columns]).sum(axis=1)
    return np.asarray(np.asarray(size).ravel() > 0)


def _shortest_move(gaps: Vector, jacobian: Matrix) -> Vector:
    """Return ``u`` that minimises ``Σ max(Δ + J u + clearance, 0)``, and costs little besides.

    Lengths are in units of the worst violation: the solver's tolerance is absolute.
    """
    unit = max(float(gaps.max()), _CLEARANCE)
    clearance = max(_CLEARANCE, 1e-4 * unit)
    norms = np.asarray(abs(jacobian).sum(axis=1)).ravel()
    near = np.flatnonzero(gaps > -_REACH * unit * norms)  # the others are out of reach
    rows = sparse.csr_array(jacobian)[near]
    m, n = rows.shape
    longest = np.repeat([_REACH, np.inf], [2 * n, m])
    solution = linprog(
        np.repeat([_COST, 1.0], [2 * n, m]),
        A_ub=sparse.hstack([rows, -rows, -sparse.eye_array(m)], format="csr"),
        b_ub=-(gaps[near] + clearance) / unit,
        bounds=np.column_stack([np.zeros_like(longest), longest]),
        method="highs-ds",
    )
    if not solution.success:
        return np.zeros(n)
    ahead, back = solution.x[: 2 * n].reshape(2, n)
    return np.asarray(unit * (ahead - back))

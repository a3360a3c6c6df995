"""Sequential linear programming in a trust region, from any state.

    maximise t   subject to   Δ + J u + t ℓ <= 0,   |u_i| <= d

A kink ``c max(z, 0)`` is a variable ``s >= 0`` with ``z + ∇z·u <= s``, which adds ``c s`` to its
gap, and as much to the kinks above it as it bends them; where the gap's row is that of ``z > 0``,
the same holds of ``-z``. This needs no minimum to start from, and is independent of the active sets
used elsewhere.
Without the trust region one program tells whether anything stops the load from growing.
"""

from dataclasses import dataclass
from typing import Any, Generic, Literal

import numpy as np
from scipy import sparse
from scipy.optimize import OptimizeResult, linprog

from bridge.jamming.linearised import Linearised, P
from bridge.jamming.vertex import coefficients
from bridge.measure.observables import dense
from bridge.protocols import Indices, Vector

# Forces, in units of their mean, below which a constraint of the last program is not active.
_NO_FORCE = 1e-7
# linprog's status codes; 4 is "unbounded or infeasible" where the trust region was feasible.
_INFEASIBLE, _UNBOUNDED = 2, (3, 4)


@dataclass(frozen=True, eq=False)
class Programme(Generic[P]):
    """Where a sequence of linear programs ended.

    Attributes
    ----------
    here
        The system there.
    rows
        The constraints that carried a force in the last program.
    status
        ``"converged"``, ``"unbounded"``, ``"infeasible"``, ``"stalled"``.
    programs
        Linear programs solved.
    """

    here: Linearised[P]
    rows: Indices
    status: Literal["converged", "unbounded", "infeasible", "stalled"]
    programs: int


def sequential_programs(
    problem: P,
    x: Vector,
    *,
    max_step: float = 0.3,
    growth: float = 1e-9,
    max_programs: int = 200,
) -> Programme[P]:
    """Solve linear programs from ``x`` until the load can grow by less than ``growth``.

    A step that fulfils less than a tenth of what its program promised is taken back and the trust
    region halved; one that fulfils three quarters doubles it again.

    Parameters
    ----------
    problem, x
        The system at any load, and where to start, ``(n_dof,)``.
    max_step
        Largest ``d``: change of a variable in one program, in the units of ``x``.
    growth
        Change of the load at which to stop.
    max_programs
        Programs after which the search is called stalled.

    References
    ----------
    S. Torquato, Y. Jiao, Phys. Rev. E 82, 061302 (2010).
    """
    here = Linearised.at(problem, x)
    rows = np.empty(0, dtype=np.intp)
    step = max_step
    for count in range(1, max_programs + 1):
        solution = _solve(here, step)
        if solution.status == _INFEASIBLE:
            return Programme(here, rows, "infeasible", count)
        if not solution.success:
            return Programme(here, rows, "stalled", count)
        u, t = solution.x[: problem.n_dof], float(solution.x[problem.n_dof])
        rows, forces = _loaded(here, -solution.ineqlin.marginals)
        there = here.moved(u, t, rows, forces)
        promised = t - _slack(here)
        fulfilled = t + _slack(there) - _slack(here)
        if fulfilled < 0.1 * promised and promised > growth:
            step *= 0.5
            continue
        rows, here = here.follow(rows, there), there
        if promised <= growth:
            return Programme(here, rows, "converged", count)
        step = min(2.0 * step, max_step) if fulfilled > 0.75 * promised else step
    if _solve(here, np.inf).status in _UNBOUNDED:
        return Programme(here, rows, "unbounded", max_programs)
    return Programme(here, rows, "stalled", max_programs)


def _loaded(here: Linearised[P], forces: Vector) -> tuple[Indices, Vector]:
    """Return the rows that carry a force in a program, and the forces; of kinks, those held."""
    loads = forces[: here.n_gaps]
    room = here.room(np.arange(len(forces)), forces)
    rows = np.flatnonzero(np.minimum(forces, room) > _NO_FORCE * loads.max(initial=0.0))
    return rows, forces[rows]


def _slack(here: Linearised[Any]) -> float:
    """Return by how much the load can grow with the state as it is; negative if violated."""
    raised = here.tightening > 0.0
    return float((-here.gaps[raised] / here.tightening[raised]).min(initial=np.inf))


def _solve(here: Linearised[Any], max_step: float) -> OptimizeResult:
    n = here.problem.n_dof
    matrix, bounds = coefficients(here, np.arange(n)), np.full((n + 1, 2), [-max_step, max_step])
    bounds[-1] = -np.inf, np.inf
    if here.kinks is not None and len(here.kinks.names):
        matrix = np.hstack([dense(matrix), _openings(here)])
        bounds = np.vstack([bounds, np.full((len(here.kinks.names), 2), [0.0, np.inf])])
    return linprog(
        np.where(np.arange(len(bounds)) == n, -1.0, 0.0),
        A_ub=matrix,
        b_ub=-here.gaps,
        bounds=bounds,
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        method="highs-ipm" if sparse.issparse(here.jacobian) else "highs-ds",
    )


def _openings(here: Linearised[Any]) -> Vector:
    """Return the columns of the variables ``s``: ``c`` in the row of the owner, -1 in its own."""
    kinks: Any = here.kinks
    count = len(kinks.names)
    found = np.zeros((len(here.gaps), count))
    # A kink that lowers a row in opening is no program's: it is left as it is.
    found[kinks.owners, np.arange(count)] = np.maximum(kinks.strengths, 0.0)
    found[here.n_gaps :] = np.maximum(kinks.couplings, 0.0) - np.eye(count)
    return found

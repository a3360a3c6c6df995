"""From the contacts of a minimum to the vertex of the linearised problem, by a few exchanges.

    maximise t   subject to   Δ + J u + t ℓ <= 0

A minimum close to jamming already knows the answer: its contacts are the active constraints, but
for some too many, and its overlaps are the forces, since ``Jᵀ max(Δ, 0) = ∇U = 0``. That is a
starting point of the dual simplex method a few exchanges from the end, where a solver that starts
cold needs thousands.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from bridge.jamming.factor import Factor, SingularError
from bridge.jamming.linearised import Linearised
from bridge.jamming.vertex import Vertex, coefficients, dense_row
from bridge.protocols import Indices, Mask, Vector

# Violations and negative forces smaller than this, the forces' mean being one, are rounding.
_ROUNDING = 1e-13
_DOUBTFUL = 1e-8
# A weight in a sum of rows or forces that is smaller than this part of the largest is rounding.
_NEGLIGIBLE = 1e-9


def bearing_contacts(
    here: Linearised[Any], rows: Indices, columns: Indices, forces: Vector | None = None
) -> Indices:
    """Reduce the violated ``rows`` to ``n + 1`` whose forces balance and are positive.

    The balanced forces nearest to the overlaps, or to ``forces``, are moved along states of
    self-stress, in the direction that lowers the bound on the load, until one of them vanishes; its
    constraint is left out; and so on (Carathéodory's theorem). Not more rows than ``n + 1`` are
    returned as they are.

    Raises
    ------
    SingularError
        If the constraints do not fix the variables.
    """
    excess = len(rows) - len(columns) - 1
    if excess <= 0:
        return rows
    matrix = coefficients(here, columns)[rows]
    kept = np.ones(len(rows), dtype=bool)
    needed = np.zeros(len(rows), dtype=bool)  # without force, and yet the only hold of a motion
    normal = Factor(matrix.T @ matrix, definite=True)
    gaps = here.gaps[rows]
    # Where gaps are all but closed the bound prefers neither way along a self-stress.
    ways = (1.0,) if forces is None else (1.0, -1.0)
    forces = gaps if forces is None else forces
    forces = forces / float(forces @ here.tightening[rows])
    goal = np.zeros(len(columns) + 1)
    goal[-1] = 1.0
    while excess > 0:
        forces = forces + kept * (matrix @ normal.solve(goal - matrix.T @ forces))
        leaving = int(np.argmin(np.where(kept & ~needed, forces, np.inf)))
        choices = [(leaving, forces)]
        if forces[leaving] > -_NEGLIGIBLE * forces.mean():
            stress = _self_stress(matrix, normal, kept, gaps, leaving)
            stress[needed] = 0.0
            choices = [_unload_one(np.maximum(forces, 0.0), way * stress) for way in ways]
            choices.sort(key=lambda choice: _weakest(choice[1], kept, choice[0]), reverse=True)
        rests = [_without(normal, dense_row(matrix, leaving)) for leaving, _ in choices]
        chosen = next((k for k, rest in enumerate(rests) if rest is not None), None)
        leaving, forces = choices[chosen or 0]
        without = None if chosen is None else rests[chosen]
        if without is None:
            if needed[leaving]:
                raise SingularError(f"constraint {rows[leaving]} is the only hold of a motion")
            needed[leaving] = True
            continue
        normal, kept[leaving], forces[leaving] = without, False, 0.0
        excess -= 1
    return rows[kept]


def _weakest(forces: Vector, kept: Mask, leaving: int) -> float:
    """Return the weakest force of those that stay: two that vanish together hold a body."""
    return float(np.delete(forces, leaving)[np.delete(kept, leaving)].min())


def _without(normal: Factor, line: Vector) -> Factor | None:
    """Return the normal equations without a row of the matrix; None where it is the only hold."""
    try:
        return normal.changed(-line, line)
    except SingularError:
        return None


def _self_stress(matrix: Any, normal: Factor, kept: Mask, gaps: Vector, weakest: int) -> Vector:
    """Return the balanced part of ``gaps``: the forces along which the bound falls fastest.

    Where nothing of it is balanced, the self-stress that unloads the ``weakest`` constraint.
    """
    unload = np.zeros(len(gaps))
    unload[weakest] = -1.0
    for direction in (gaps, unload):
        stress = kept * direction
        for _ in range(2):
            stress = stress - kept * (matrix @ normal.solve(matrix.T @ stress))
        if np.linalg.norm(stress) > 1e-8 * np.linalg.norm(direction):
            break
    return stress if stress.min() < -_NEGLIGIBLE * stress.max() else -stress


def _unload_one(forces: Vector, stress: Vector) -> tuple[int, Vector]:
    """Add as much of a self-stress as the first force to vanish allows; say which it is."""
    # The two last contacts of a body vanish with its third: the stress has rounding there.
    falls = stress < -_NEGLIGIBLE * np.abs(stress).max()
    if not falls.any():
        raise SingularError("contacts are redundant, but no self-stress unloads one of them")
    steps = np.where(falls, forces / np.where(falls, -stress, 1.0), np.inf)
    first = int(np.argmin(steps))
    return first, forces + steps[first] * stress


def completed(here: Linearised[Any], rows: Indices, columns: Indices) -> Indices | None:
    """Add constraints to ``rows`` until there are ``n + 1``, where the energy lets it slide.

    A motion that ``rows`` leave free and along which the energy falls to second order goes on
    until it meets another constraint. Where the energy rises along all of them, curvature holds
    the state and None is returned; also where nothing is met.

    Raises
    ------
    SingularError
        If ``rows`` are redundant even beside the load.
    """
    held = here.columns_of(rows)
    while (missing := len(columns) + 1 - len(rows)) > 0:
        matrix = coefficients(here, columns)
        free = _free_motions(matrix[rows], missing)
        u = np.zeros((missing, here.problem.n_dof))
        u[:, columns] = free[:, :-1]
        # Not the stiffness of contacts that carry no force: those of loose bodies.
        stretches = here.jacobian[here.gaps > 0.0] @ u.T
        curvature = u @ here.problem.hvp(here.x, u).T - stretches.T @ stretches
        curvatures, mixtures = np.linalg.eigh(curvature)
        if curvatures[0] >= 0.0:
            return None
        rates = matrix @ (mixtures[:, 0] @ free)
        idle = here.rows_within(held)
        idle[rows] = False
        met = idle & (np.abs(rates) > _NEGLIGIBLE * np.abs(rates).max())
        if not met.any():
            return None
        nearness = np.where(met, np.abs(here.gaps) / np.where(met, np.abs(rates), 1.0), np.inf)
        rows = np.append(rows, np.argmin(nearness))
    return rows


def _free_motions(matrix: Any, count: int) -> Vector:
    """Return orthonormal ``(u, t)``, ``(count, n + 1)``, with ``J u + t ℓ = 0``."""
    n = matrix.shape[1]
    others = np.random.default_rng(0).standard_normal((count, n))
    stack = sparse.vstack([matrix, others], "csr") if sparse.issparse(matrix) else None
    factor = Factor(np.vstack([matrix, others]) if stack is None else stack)
    units = np.eye(n)[n - count :]
    return np.asarray(np.linalg.qr(np.column_stack([factor.solve(unit) for unit in units]))[0].T)


@dataclass(frozen=True, eq=False)
class Optimum:
    """A vertex without violated constraint and negative force, or the ``reason`` for none."""

    vertex: Vertex
    exchanges: int
    reason: str = ""


def optimal_vertex(vertex: Vertex, within: Mask, max_exchanges: int) -> Optimum:
    """Exchange active constraints until none is violated and no force is negative.

    A violated constraint enters at the cost of the one whose force it uses up first (dual
    simplex); a negative force leaves for the constraint that its motion meets first (primal).

    Parameters
    ----------
    vertex
        Where to start.
    within
        Mask ``(m,)`` of the constraints to be respected: those that act on no other variable.
    max_exchanges
        Exchanges after which to give up.

    Raises
    ------
    SingularError
        If the constraints do not fix the variables.
    """
    edges = np.ones(len(vertex.rows))
    for exchange in range(max_exchanges):
        idle = within.copy()
        idle[vertex.rows] = False
        forces, gaps = vertex.forces(), vertex.here.predicted(*vertex.motion())
        if vertex.exchanges and _in_doubt(forces, gaps[idle]):
            vertex = vertex.refreshed()
            forces, gaps = vertex.forces(), vertex.here.predicted(*vertex.motion())
        worst = int(np.argmax(np.where(idle, gaps, -np.inf)))
        leaving: int | None
        entering: int | None = worst
        if forces.min() < -_ROUNDING * np.abs(forces).max():
            leaving = int(np.argmax(np.minimum(forces, 0.0) ** 2 / edges))
            entering = _met_first(vertex, leaving, gaps, idle)
            reason = "unbounded: nothing stops the load from growing"
        elif not idle.any() or gaps[worst] <= _ROUNDING:
            return Optimum(vertex, exchange)
        else:
            leaving = _used_up_first(vertex, forces, worst)
            reason = f"infeasible: constraint {worst} contradicts the others at any load"
        if leaving is None or entering is None:
            return Optimum(vertex, exchange, reason)
        edges = _exchanged_edges(edges, vertex.weights(entering), leaving)
        vertex = vertex.exchanged(leaving, entering)
    return Optimum(vertex, max_exchanges, f"stalled: no vertex within {max_exchanges} exchanges")


def _exchanged_edges(edges: Vector, weights: Vector, leaving: int) -> Vector:
    """Return bounds from below on the squared lengths of the edges after an exchange.

    The force that gains most along an edge of unit length leaves, by the reference weights of
    Forrest and Goldfarb, Math. Program. 57, 341 (1992): a third fewer exchanges than by the force.
    """
    parts = (weights / weights[leaving]) ** 2 * edges[leaving]
    found: Vector = np.maximum(edges, parts)
    found[leaving] = max(edges[leaving] / weights[leaving] ** 2, 1.0)
    return found


def _in_doubt(forces: Vector, gaps: Vector) -> bool:
    """Tell whether the least force, or else the largest gap, may be what exchanges rounded."""
    least, most = float(forces.min()), float(gaps.max(initial=0.0))
    return most < _DOUBTFUL if least >= 0.0 else least > -_DOUBTFUL * float(np.abs(forces).max())


def _met_first(vertex: Vertex, k: int, gaps: Vector, idle: Mask) -> int | None:
    """Return the constraint that closes first as the ``k``-th active one opens."""
    u, t = vertex.edge(k)
    rates = vertex.here.jacobian @ u + t * vertex.here.tightening
    closing = idle & (rates > _NEGLIGIBLE * np.abs(rates).max()) & (gaps <= _ROUNDING)
    if not closing.any():
        return None
    return int(np.argmin(np.where(closing, -gaps / np.where(closing, rates, 1.0), np.inf)))


def _used_up_first(vertex: Vertex, forces: Vector, entering: int) -> int | None:
    """Return the active constraint whose force vanishes first as that of ``entering`` grows."""
    weights = vertex.weights(entering)
    used = weights > _NEGLIGIBLE * np.abs(weights).max()
    if not used.any():
        return None
    return int(np.argmin(np.where(used, forces / np.where(used, weights, 1.0), np.inf)))

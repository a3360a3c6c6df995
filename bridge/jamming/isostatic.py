"""Jamming points at which the constraints alone fix the state: linear programs in turn."""

from dataclasses import replace

import numpy as np

from bridge.jamming.active_set import bearing_contacts, optimal_vertex
from bridge.jamming.certificate import CLOSED, Candidate, certify, settled
from bridge.jamming.linearised import Linearised, P
from bridge.jamming.loose_bodies import make_room
from bridge.jamming.vertex import Vertex
from bridge.measure.observables import dense
from bridge.protocols import Indices, Mask, Vector

# A force this small beside the mean is none: its constraint only pins a body that is loose.
_NO_FORCE = 1e-9


def isostatic_optimum(
    here: Linearised[P],
    rows: Indices,
    max_step: float,
    forces: Vector | None = None,
    max_steps: int = 50,
) -> Candidate[P]:
    """Solve linear programs, each from the active constraints of the one before, until none moves.

    Once the active constraints stay the same, this is Newton's method for ``Δ = 0``. Loose bodies
    are moved out of the way after each step; one that no longer fits between the others joins the
    programs, with supports that carry no force at first.

    Parameters
    ----------
    here
        Where to start.
    rows
        The constraints to start from, ``n + 1`` or a few more: contacts of a minimum.
    max_step
        Largest change of a variable in one step.
    forces
        Their forces; by default their overlaps.
    max_steps
        Steps after which to give up; also after exchanging half of the constraints, since a load
        that goes on growing that long has left the neighbourhood: the state was not stable.

    Raises
    ------
    SingularError
        If active constraints do not fix the variables that they act on.
    """
    columns = here.free_of_symmetries(here.columns_of(rows))
    rows = bearing_contacts(here, rows, columns, forces)
    residual, exchanges = np.inf, 0
    for step in range(1, max_steps + 1):
        held = here.columns_of(rows)
        vertex = Vertex.of(here, rows, here.free_of_symmetries(held))
        most = max(50, len(rows) // 2) - exchanges
        best = optimal_vertex(vertex, here.rows_within(held), max_exchanges=most)
        exchanges += best.exchanges
        u, t = best.vertex.motion()
        longest = float(np.abs(u).max())
        too_long = f"a step of {longest:.1e} is too long" if longest > max_step else ""
        if reason := best.reason or too_long:
            return Candidate(here, rows, best.vertex.forces(), reason, None, step, exchanges)
        there = make_room(here.moved(u, t), held)
        rows, here = here.follow(best.vertex.rows, there), there
        rows = np.append(rows, _supports(here, rows, _caged(here, held)))
        before, residual = residual, float(np.abs(here.gaps[rows]).max())
        if best.exchanges == 0 and settled(residual, before):
            return replace(_end(here, rows), steps=step, exchanges=exchanges)
    reason = f"active gaps are {residual:.1e} after {max_steps} steps"
    return Candidate(here, rows, here.gaps[rows], reason, None, max_steps, exchanges)


def _caged(here: Linearised[P], held: Mask) -> Mask:
    """Return the variables that are not ``held`` and whose constraints are left in violation."""
    return here.columns_of(np.flatnonzero(here.gaps > CLOSED)) & ~held


def _supports(here: Linearised[P], rows: Indices, variables: Mask) -> Indices:
    """Return constraints that fix further ``variables``; none where there are not enough.

    They start without force: of the constraints on those variables, the most closed ones that
    are independent.
    """
    held = here.columns_of(rows)
    variables = variables & ~held
    choices = np.flatnonzero(here.rows_within(held | variables) & ~here.rows_within(held))
    choices = choices[np.argsort(-here.gaps[choices], kind="stable")]
    directions = dense(here.jacobian[choices][:, np.flatnonzero(variables)])
    basis = np.zeros((0, directions.shape[1]))
    chosen = []
    for row, direction in zip(choices, directions, strict=True):
        rest = direction - basis.T @ (basis @ direction)
        if len(basis) < len(direction) and np.linalg.norm(rest) > 1e-3 * np.linalg.norm(direction):
            basis = np.vstack([basis, rest / np.linalg.norm(rest)])
            chosen.append(row)
    return np.array(chosen if len(basis) == variables.sum() else [], dtype=np.intp)


def _end(here: Linearised[P], rows: Indices) -> Candidate[P]:
    """Leave out constraints without force and the bodies that only they held; certify the rest."""
    held = here.columns_of(rows)
    forces = Vertex.of(here, rows, here.free_of_symmetries(held)).forces()
    loaded = forces > _NO_FORCE * forces.mean()
    held = here.columns_of(rows[loaded])
    if loaded.sum() != len(here.free_of_symmetries(held)) + 1:
        reason = f"{(~loaded).sum()} active constraints carry no force, and yet hold the state"
        return Candidate(here, rows, forces, reason, degenerate=True)
    rows = rows[loaded]
    there = make_room(here, held)
    rows, here = here.follow(rows, there), there
    return _certified(here, rows, held)


def _certified(here: Linearised[P], rows: Indices, held: Mask) -> Candidate[P]:
    vertex = Vertex.of(here, rows, here.free_of_symmetries(held))
    forces = vertex.forces()
    certificate = certify(here, rows, forces, held, n_free_motions=0, condition=vertex.condition())
    return Candidate(here, rows, forces, "", certificate)

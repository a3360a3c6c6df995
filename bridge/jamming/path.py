"""From forces that balance at one set of gaps to those at another, one exchange after the other.

With the curvature ``L`` of ``Σ λ Δ`` an optimum of the linearised problem solves

    L u + Jᵀ λ = 0,    J u + ℓ t = goal - Δ,    ℓᵀ λ = 1

for its active constraints. The overlaps of a minimum, ``goal = Δ``, are such a solution with
``u = 0``. As the goal goes to zero the solution moves along a straight line, until a force vanishes
or an idle constraint closes; the set of active ones changes by that one, and the line bends. At
``goal = 0`` it is the optimum: a parametric active set method (Best 1982; Ferreau, Bock, Diehl,
Int. J. Robust Nonlinear Control 18, 816, 2008). Where the constraint of a force that vanishes
closes further, there is a motion along which the curvature is negative: the state is not stable.

A kink is held by a force between 0 and a bound that the forces of the rows set which it bends, and
opens at either; see `bridge.jamming.kinks`. While its owner is idle it holds nothing and is
crossed; so it is where its bound is negative.
"""

from typing import Generic

import numpy as np

from bridge.jamming.bordered import Change
from bridge.jamming.linearised import Linearised, P
from bridge.jamming.optimum import Optimum
from bridge.jamming.responses import Exchange, Rates, Responses
from bridge.protocols import Indices, Mask, Matrix, Vector

# A rate beside the largest that is smaller is rounding.
_STILL = 1e-11
# Response beside that of the whole matrix below which a row is redundant, or a motion free.
_DEPENDENT = 1e-11
# What keeps constraints apart at the start, over the mean force or the size of gaps; a part of it,
# and of each violation, is another for each constraint.
_TIE = 1e-6
_APART, _GOLDEN = 0.1, 0.6180339887498949
# Changes after which the equations are factorised afresh.
_MOST_CHANGES = 80


def optimal_motion(
    here: Linearised[P],
    rows: Indices,
    forces: Vector,
    held: Mask,
    curvature: Matrix,
    *,
    max_step: float,
    max_exchanges: int,
) -> Optimum[P]:
    """Follow the optimum from the state ``here`` to that where all active gaps vanish.

    Parameters
    ----------
    here
        Where to start.
    rows, forces
        The active constraints, and positive forces that all but balance.
    held
        Mask of the variables that may move, ``(n_dof,)``.
    curvature
        ``L``, ``(n_dof, n_dof)``.
    max_step
        Largest change of a variable.
    max_exchanges
        Exchanges after which to give up.

    Raises
    ------
    SingularError
        If the equations have no solution.
    """
    path = _Path(here, rows, forces, held, curvature)
    for exchange in range(max_exchanges):
        rates = path.rates()
        limit = path.limit(rates, max_step)
        step, row, event = path.next_event(rates)
        path.advance(rates, min(step, limit))
        if step >= limit:
            return path.end(exchange)
        if reason := path.exchange(row, event):
            return path.end(exchange, reason)
    return path.end(max_exchanges, f"no optimum within {max_exchanges} exchanges")


class _Path(Generic[P]):
    """Where a path has come to; its methods lead it on."""

    def __init__(
        self, here: Linearised[P], rows: Indices, forces: Vector, held: Mask, curvature: Matrix
    ) -> None:
        self.within = here.rows_within(held)
        self.columns = here.free_of_symmetries(held)
        self.curvature = curvature[self.columns][:, self.columns]
        self.stiffness = float(abs(self.curvature).max())
        self.active = np.zeros(len(here.gaps), dtype=bool)
        self.active[rows] = True
        apart = 1.0 + _APART * np.modf(_GOLDEN * np.arange(1.0, len(here.gaps) + 1.0))[0]
        self.forces = np.zeros(len(here.gaps))
        self.forces[rows] = _inside(here, rows, forces, _TIE * apart[rows])
        self.forces /= float(self.forces @ here.tightening)
        # The goal at the start: gaps of the active constraints, and of the others a little more
        # than their violations, each by another part, or all would close at once.
        size = float(np.sqrt(np.mean(here.gaps * here.gaps)))
        idle = np.maximum(here.gaps * apart + _TIE * size * apart, 0.0)
        self.goal = np.where(self.active, here.gaps, idle)
        self.u, self.t, self.part = np.zeros(here.problem.n_dof), 0.0, 0.0
        self.gaps = here.gaps.copy()  # to first order, where the path has come to
        self.last = -1
        # Rows that were crossed by kinks since they came into the equations; and whether these
        # are no longer those of the active rows.
        self.outdated: set[int] = set()
        self.stale = False
        self._factorise(here)

    @property
    def here(self) -> Linearised[P]:
        """All constraints, the rows of the owners of kinks on the side that the path is on."""
        return self.responses.here

    def rates(self) -> Rates:
        """Return how the solution changes as the goal goes to zero."""
        return self.responses.rates()

    def limit(self, rates: Rates, max_step: float) -> float:
        """Return the part of the way left, or that after which a variable has moved too far."""
        left = max_step - np.sign(rates.u) * self.u
        moving = rates.u != 0.0
        steps = np.maximum(left[moving], 0.0) / np.abs(rates.u[moving])
        return float(min(steps.min(initial=np.inf), 1.0 - self.part))

    def next_event(self, rates: Rates) -> tuple[float, int, str]:
        """Return the part of the way to the next exchange, its row, and what happens to it."""
        falls = rates.gaps + self.goal
        idle = self.here.respected(np.flatnonzero(self.active), self.within)
        closes = (*self._first_to_vanish(falls, idle), "closes")
        event = min(closes, self._first_to_open(-rates.forces))
        if self.here.kinks is None:
            return event
        crosses = (*self._first_to_vanish(falls, self.within & ~self.active & ~idle), "crosses")
        return min(event, crosses)

    def advance(self, rates: Rates, step: float) -> None:
        """Go a part of the way."""
        self.part += step
        self._move(step, rates)
        self.forces = self.forces + step * rates.forces
        if step > 0.0:
            self.last = -1

    def exchange(self, row: int, event: str) -> str:
        """Change the set of active constraints by one; return why that is impossible, if it is."""
        if event == "crosses":
            self._cross(row)
            return ""
        if event != "closes":
            row, event = self._kinks_first(row, event)
        if row == self.last:
            return f"unstable: the curvature is negative where constraint {row} opens"
        self.last = row
        if len(self.responses.equations.changes) >= _MOST_CHANGES:
            self._factorise(self.here)
        reason = self._close(row) if event == "closes" else self._open(row, event)
        if self.stale:
            self._factorise(self.here)
        return reason

    def end(self, exchanges: int, reason: str = "") -> Optimum[P]:
        """Return where the path has come to."""
        rows = np.flatnonzero(self.active)
        forces = np.maximum(self.forces[rows], 0.0)
        return Optimum(
            self.here,
            rows,
            self.u,
            self.t,
            forces,
            self.part,
            exchanges,
            reason,
            self.responses.equations,
            self.columns,
        )

    def _factorise(self, here: Linearised[P]) -> None:
        """Set up the equations of the constraints that are active now.

        What is left of the forces goes to zero along the rest of the path: that of the start, and
        what is added where a kink is crossed that bends the row of a force.
        """
        rows = np.flatnonzero(self.active)
        left = (here.jacobian[rows].T @ self.forces[rows])[self.columns]
        left = (left + self.curvature @ self.u[self.columns]) / (1.0 - self.part)
        right = np.concatenate([-left, -self.goal[rows], [0.0]])
        self.responses = Responses(here, rows, self.columns, self.curvature, right)
        self.outdated, self.stale = set(), False

    def _move(self, length: float, rates: Rates) -> None:
        """Go some way at constant rates."""
        self.u, self.t = self.u + length * rates.u, self.t + length * rates.t
        self.gaps = self.gaps + length * rates.gaps

    def _bounds(self, forces: Vector) -> Vector:
        """Return what the forces of active kinks are short of their bounds; inf elsewhere."""
        rows = np.flatnonzero(self.active)
        found = np.full(len(forces), np.inf)
        found[rows] = self.here.room(rows, forces[rows])
        return found

    def _first_to_vanish(self, rates: Vector, chosen: Mask) -> tuple[float, int]:
        """Return when the first of the ``chosen`` gaps closes at such rates, and which."""
        gaps = self.gaps - (1.0 - self.part) * self.goal
        return _first(np.maximum(-gaps, 0.0), rates, chosen)

    def _first_to_open(self, falls: Vector) -> tuple[float, int, str]:
        """Return the first active constraint to open where forces fall at such rates."""
        first = (*_first(np.maximum(self.forces, 0.0), falls, self.active), "opens")
        if self.here.kinks is None:
            return first
        room, fills = self._bounds(self.forces), self._bounds(falls)
        bounded = self.active & np.isfinite(room)
        turns = (*_first(np.maximum(room, 0.0), fills, bounded), "turns")
        return min(first, turns)

    def _kinks_first(self, row: int, event: str) -> tuple[int, str]:
        """Return the event, or that of a kink which has to open before its owner does."""
        rows = np.flatnonzero(self.active)
        own = rows[self.here.own_kinks(rows, int(np.searchsorted(rows, row)))]
        if event != "opens" or not len(own):
            return row, event
        room = self._bounds(self.forces)[own]
        ends = np.minimum(self.forces[own], room)
        k = int(np.argmin(ends))
        return int(own[k]), "turns" if room[k] < self.forces[own[k]] else "opens"

    def _cross(self, row: int) -> None:
        """Take a kink that holds nothing on its other side."""
        self._turn(row)
        bent = {row, *map(int, self.here.bent_by(row)[0])}
        inside = {other for other in bent if self.responses.equations.has(other)}
        self.stale = self.stale or any(self.active[other] for other in inside)
        self.outdated |= inside

    def _close(self, row: int) -> str:
        """Make an idle constraint active, in place of another if it is redundant beside them."""
        if self.here.bound(row, self.forces) < 0.0:
            self._cross(row)
            return ""
        wanted = self.responses.exchange(Change(row, added=True))
        rates, pivot = self.responses.response(wanted)
        flat = pivot * self.stiffness <= _DEPENDENT * self._size(wanted)
        if flat or self.active.sum() > len(self.columns):
            return self._replace(wanted, rates.forces)
        self._add(row, 0.0, wanted)
        return ""

    def _replace(self, wanted: Exchange, falls: Vector) -> str:
        """Give force to a redundant constraint until another opens; forces fall at such rates."""
        row, falls = wanted.change.row, falls.copy()
        # While it gains force it counts as active: that force is part of the bounds of others.
        falls[row], self.active[row] = -1.0, True
        share, leaving, event = self._first_to_open(falls)
        self.active[row] = False
        if share == np.inf:
            return f"infeasible: constraint {row} contradicts the others at any load"
        self.forces = self.forces - share * falls
        if leaving == row:  # a kink, which goes on to its other side
            self._add(row, share, wanted)
            at_bound = self._bounds(self.forces)[row] < self.forces[row]
            self._let_go(row, "turns" if at_bound else "opens")
        else:
            leaving, event = self._kinks_first(leaving, event)
            self._let_go(leaving, event)
            self._add(row, share, None if event == "turns" else wanted)
        return ""

    def _open(self, row: int, event: str) -> str:
        """Make an active constraint idle; where nothing else holds, go on to the next."""
        wanted = self.responses.exchange(self._opening(row, event))
        edge, pivot = self.responses.response(wanted)  # the row opens at rate one
        if pivot * self._size(wanted) > _DEPENDENT * self.stiffness:
            self._let_go(row, event, wanted)
            return ""
        sign = -1.0 if event == "turns" else 1.0
        idle = self.here.respected(np.flatnonzero(self.active), self.within)
        share, entering = self._first_to_vanish(sign * edge.gaps, idle)
        if share == np.inf:
            return "unbounded: nothing stops the load from growing"
        self._move(sign * share, edge)
        self._let_go(row, event, wanted)
        self._add(entering, 0.0)
        return ""

    def _opening(self, row: int, event: str) -> Change:
        """Return the change by which an active constraint opens, a kink to either side."""
        if event == "turns":
            return Change(row, False, self.responses.ties(row))
        return Change(row, added=False)

    def _let_go(self, row: int, event: str, wanted: Exchange | None = None) -> None:
        """Take an active constraint out of the equations."""
        self.forces[row] = 0.0
        self.active[row] = False
        if self.stale:
            if event == "turns":
                self._turn(row)
            return
        equations, added = self.responses.equations, Change(row, added=True)
        tied = any(row in dict(change.ties or ()) for change in equations.changes)
        if event == "opens" and added in equations.changes and not tied:
            self.responses.forget(added)
            return
        if wanted is None:
            wanted = self.responses.exchange(self._opening(row, event))
        self.responses.keep(wanted, 0.0)
        if event == "turns":
            self._turn(row)

    def _add(self, row: int, force: float, wanted: Exchange | None = None) -> None:
        """Put an idle constraint into the equations, or back into them if it was let go."""
        self.active[row] = True
        self.forces[row] = force
        changes = self.responses.equations.changes
        for k, change in enumerate(changes):
            if change.row == row and not change.added:
                later = {other.row for other in changes[k:] if other.added}
                bent = later & set(map(int, self.here.bent_by(row)[0])) if change.turned else ()
                self.stale = self.stale or bool(bent) or row in self.outdated
                if self.stale:
                    return
                self.responses.forget(change)
                if change.turned:  # it comes back from its other side, where it had its bound
                    self._turn(row)
                    self.forces[row] = 0.0
                    self.forces[row] = self._bounds(self.forces)[row] - force
                return
        if wanted is None:
            wanted = self.responses.exchange(Change(row, added=True))
        self.responses.keep(wanted, -self.goal[row])

    def _turn(self, row: int) -> None:
        """Take the rows that a kink bends on its other side."""
        bent, parts = self.here.bent_by(row)
        self.responses.turn(row)
        for each in (self.goal, self.gaps):
            each[bent] += parts * each[row]
            each[row] = -each[row]

    def _size(self, wanted: Exchange) -> float:
        """Return the square of a row of the Jacobian and of its load."""
        line = wanted.line
        return float(line @ line + self.here.tightening[wanted.change.row] ** 2)


def _inside(here: Linearised[P], rows: Indices, forces: Vector, parts: Vector) -> Vector:
    """Return forces off zero and off the bounds of kinks by small parts, of the mean or of each."""
    found = forces.copy()
    gaps = rows < here.n_gaps
    found[gaps] = np.maximum(forces[gaps], parts[gaps] * float(forces[gaps].mean()))
    held = ~gaps
    for _ in range(int(held.sum())):  # the bound of a kink may be the force of another
        bounds = (found + here.room(rows, found))[held].clip(0.0)
        least = parts[held] * bounds
        before, found[held] = found[held], found[held].clip(least, bounds - least)
        if np.array_equal(before, found[held]):
            break
    return found


def _first(values: Vector, falls: Vector, chosen: Mask) -> tuple[float, int]:
    """Return the first of the ``chosen`` values ``>= 0`` to vanish, and when; inf if none does."""
    largest = float(np.abs(falls[chosen]).max(initial=0.0))
    falling = chosen & (falls > _STILL * largest)
    times = np.where(falling, values / np.where(falling, falls, 1.0), np.inf)
    row = int(np.argmin(times))
    return float(times[row]), row

"""Slow loading of the linear hinge, ``U = Σ max(Δ, 0)``: from corner to corner, event by event.

A corner, `bridge.descent.corners`, moves with the load by ``J ∂x/∂t = -∂Δ/∂t``, and its energy by
``dU/dt = Σ λ ∂Δ/∂t`` over marginal and violated constraints. It ends in one of two ways:

- Another constraint becomes marginal. As its force grows, those of the others change, until one of
  them reaches 0 or 1: it lets go, and takes its side. Nothing is lost.
- A force reaches 0 or 1. Its constraint lets go; where the edge that is left curves down, no
  corner is near, and the state falls: an avalanche. The energy lost is that of the corner that
  would be without the event, less that of the corner where the fall ends, at one load.

An event is closed in by secants to a part `RESOLUTION` of the largest step, so that a corner is
followed exactly and what is lost has no error of the step. With the pressure of
`bridge.avalanches.drift.AtPressure` below 1 this is the slow loading of jamming points (Franz,
Spigler, Phys. Rev. E 95, 022139, 2017); without it, "surfing on minima" (Franz, Sclocchi, Urbani,
SciPost Phys. 9, 012, 2020).

A perceptron between the patterns ``±e_1`` violates both: no avalanche.

>>> from particles import Perceptron
>>> pair = Perceptron(np.array([[1.0, 0.0], [-1.0, 0.0]]), sigma=0.1)
>>> path = surf(Corner.at(pair, np.array([0.05, 1.0])), 0.2)
>>> path.status, len(path.avalanches), round(path.end.energy, 12)
('loaded', 0, 0.6)
"""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from bridge.descent.corners import BALANCED, Corner, settle
from bridge.measure.observables import dense
from bridge.protocols import HasGapNames, Indices, Status, Vector

RESOLUTION = 1e-6  # part of the largest step to which the load of an event is found
_MOST_STEPS, _MOST_EVENTS = 6, 1_000_000
# How much farther a state moves in an avalanche than its corner does within the resolution.
_FAR = 1e3
# Events at one load after which it is given up.
_CROWD = 100
# Part of a gap's slope across what is marginal below which it holds nothing that was free.
_FREE = 1e-7
# First margin, relative to the load of an event, by which it is bracketed.
_MARGIN = 0.05


@dataclass(frozen=True)
class Fall:
    """One avalanche between two corners at one load.

    Attributes
    ----------
    load
        Where it happened.
    drop
        Energy lost.
    relief
        Fall of ``dU/dt = Σ λ ∂Δ/∂t``, the force that the load works against.
    displacement
        ``|x' - x|`` across the symmetries.
    exchanged
        Marginal constraints that no longer are.
    pivots
        Edges of the way down.
    """

    load: float
    drop: float
    relief: float
    displacement: float
    exchanged: int
    pivots: int


@dataclass(eq=False)
class Surfed:
    """What happened on the way to a load.

    Attributes
    ----------
    end
        The last corner.
    avalanches
        In order of the load.
    exchanges
        Events at which nothing was lost.
    status, reason
        ``"loaded"``: to the end. ``"stalled"``: a descent did not end; what was found is kept.
    resolution
        Largest energy that an event may lose unseen.
    """

    end: Corner
    avalanches: list[Fall] = field(default_factory=list)
    exchanges: int = 0
    status: Literal["loaded", "stalled"] = "loaded"
    reason: str = ""
    resolution: float = 0.0

    def sizes(self, name: Literal["drop", "relief"] = "drop") -> Vector:
        """Return a size of each avalanche."""
        return np.array([getattr(fall, name) for fall in self.avalanches])


def surf(start: Corner, by: float, largest: float | None = None) -> Surfed:
    """Load slowly by ``by`` from a corner, which is settled first.

    Parameters
    ----------
    start
        Its problem has ``tightened`` and ``tightening``.
    by
        The load to add, of either sign.
    largest
        Largest step of the load; a hundredth of ``by`` if not given.

    Examples
    --------
    >>> from particles import Perceptron, descend
    >>> rng = np.random.default_rng(0)
    >>> problem = Perceptron.random(20, alpha=8.0, sigma=-0.5, rng=rng)
    >>> path = surf(Corner.at(problem, descend(problem, problem.random_state(rng)).x), 0.05)
    >>> path.status, len(path.end.marginal), bool(min(path.sizes()) > 0)
    ('loaded', 19, True)
    """
    largest = abs(by) / 100 if largest is None else largest
    least = RESOLUTION * largest
    here = settle(start)
    found, done, step, crowd, last = Surfed(here), 0.0, largest, 0, 0.0
    for _ in range(_MOST_EVENTS):
        if found.end.status == Status.STALLED:
            found.status, found.reason = "stalled", found.end.reason
            break
        if done >= abs(by) * (1 - 1e-12):
            break
        ahead, done, step = _ahead(found.end, done, min(step, abs(by) - done), by, least)
        found.end = ahead
        if step <= least:
            crowd = crowd + 1 if done - last <= 2 * least else 0
            done += step
            last = done
            if crowd > _CROWD:
                found.status, found.reason = "stalled", "events do not end at one load"
                break
            _event(found, np.copysign(done, by), np.copysign(step, by))
            spacing = done / (found.exchanges + len(found.avalanches))
            step = min(max(100 * least, spacing), largest)
        else:
            step = min(2 * step, largest)
    return found


def _ahead(
    here: Corner, done: float, step: float, by: float, least: float
) -> tuple[Corner, float, float]:
    """Follow a corner by a step, or to its end, which secants bracket to ``least``."""
    there, part = _followed(here, np.copysign(step, by))
    if there is not None:
        return there, done + step, step
    whole, margin = step, _MARGIN
    while whole > least:
        event = part * whole
        before, beyond = event * (1.0 - margin), min(event * (1.0 + margin), whole)
        lone = before <= least or beyond - before <= least
        trials = [min(max(event, least), 0.5 * whole)] if lone else [before, beyond - before]
        part = 0.5
        for trial in trials:
            there, found = _followed(here, np.copysign(trial, by))
            if there is None:
                whole, part = trial, found
                margin = margin if lone or trial == before else max(margin**2, 1e-3)
                break
            here, done, whole = there, done + trial, whole - trial
    return here, done, max(whole, least)


def _followed(here: Corner, step: float) -> tuple[Corner | None, float]:
    """Return the corner at another load, or None and the part of the step that it lives."""
    there = _carried(here, step)
    if there is None:
        return None, 0.25
    part = 1.0
    crossed = there.crossed()
    if len(crossed):
        if (at_first := _same(there, crossed, here)) is None:
            return None, 0.5
        before, after = here.problem.gaps(here.x)[at_first], there.problem.gaps(there.x)[crossed]
        part = min(part, float((before / (before - after)).min()))
    edges = np.where(there.forces < 0.5, 0.0, 1.0)
    out = np.flatnonzero((there.forces < -BALANCED) | (there.forces > 1.0 + BALANCED))
    if len(out):
        left, over = here.forces[out] - edges[out], there.forces[out] - edges[out]
        part = min(part, float((left / (left - over)).min()))
    if len(crossed) or len(out):
        return None, float(np.clip(part, 0.0, 0.999))
    return there, 1.0


def _carried(here: Corner, step: float) -> Corner | None:
    """Return the same corner at another load, in or out of balance; None if it is not found."""
    problem: Any = here.problem
    there = here.loaded(problem.tightened(step))
    opened = problem.tightening(here.x)[here.marginal] * step
    closed = there.shifted(here.around.closing(opened), here.around)
    for _ in range(_MOST_STEPS):
        if closed is None:
            return None
        around = closed.around
        closed = closed.carrying(around.balanced(closed.forces))
        if not around.across.shape[1]:
            return closed
        correction, least = around.step(closed.forces)
        if least < 0.0:
            return None
        if least == 0.0 or np.abs(correction).max() < 1e-11:  # flat: balanced where it is
            return closed
        closed = closed.shifted(correction)
    return None


def _event(found: Surfed, load: float, step: float) -> None:
    """Let the corner lose its balance within a step, and keep what follows."""
    here = found.end
    exchanged = _exchanged(here, step)
    if exchanged is not None:
        there, _ = _followed(exchanged, step)
        if there is not None:
            found.end, found.exchanges = there, found.exchanges + 1
            return
    problem: Any = here.problem
    lost = _carried(here, step) or here.loaded(problem.tightened(step))
    start = _carried(exchanged, step) if exchanged is not None else None
    if start is None:
        crossed = len(lost.crossed()) > 0
        start = Corner.at(lost.problem, lost.x, lost.marginal) if crossed else lost
    end = settle(replace(start, pivots=0))
    fall = _fall(here, end, load, lost.energy - end.energy)
    if fall.drop > 0.0 and fall.displacement > _FAR * np.linalg.norm(lost.x - here.x):
        found.avalanches.append(fall)
    else:
        found.exchanges += 1
        found.resolution = max(found.resolution, abs(fall.drop))
    found.end = end


def _fall(here: Corner, end: Corner, load: float, drop: float) -> Fall:
    relief = work_rate(here) - work_rate(end)
    modes = here.problem.zero_modes(here.x)
    u = end.x - here.x
    u = u - modes.T @ (modes @ u)
    gone = len(np.setdiff1d(here.marginal, end.marginal))
    return Fall(load, drop, relief, float(np.linalg.norm(u)), gone, end.pivots)


def work_rate(corner: Corner) -> float:
    """Return ``dU/dt = Σ λ ∂Δ/∂t``: violated constraints pull with 1."""
    problem: Any = corner.problem
    rates = problem.tightening(corner.x)
    return float(rates[corner.pulling].sum() + corner.forces @ rates[corner.marginal])


def _exchanged(here: Corner, step: float) -> Corner | None:
    """Return the corner in which what crosses zero took another's place; None if nothing does."""
    there = _carried(here, step)
    if there is None or not len(crossed := there.crossed()):
        return None
    if (at_first := _same(there, crossed[:1], here)) is None:
        return None
    entering = int(at_first[0])
    sign = -1.0 if here.pulling[entering] else 1.0
    row = dense(here.problem.gap_jacobian(here.x, np.array([entering])))[0]
    pulling = here.pulling.copy()
    pulling[entering] = False
    marginal = np.append(here.marginal, entering)
    if np.linalg.norm(row[here.around.held] @ here.around.across) > _FREE * np.linalg.norm(row):
        own = 0.5 - 0.5 * sign  # it holds a motion that was free: no other lets go
        return replace(here, marginal=marginal, pulling=pulling, forces=np.append(here.forces, own))
    response = sign * here.around.carried_by(row)
    with np.errstate(divide="ignore", invalid="ignore"):
        rooms = np.where(response > 0, (1.0 - here.forces) / response, -here.forces / response)
    rooms[response == 0.0] = np.inf
    leaving = int(np.argmin(rooms)) if len(rooms) else -1
    part = float(rooms[leaving]) if leaving >= 0 else np.inf
    forces = here.forces + min(part, 1.0) * response
    if part >= 1.0:
        pulling[entering] = sign > 0.0
        return replace(here, pulling=pulling, forces=forces)
    own = part if sign > 0 else 1.0 - part
    grown = replace(here, marginal=marginal, pulling=pulling, forces=np.append(forces, own))
    return grown.without(leaving, violated=bool(response[leaving] > 0))


def _same(there: Corner, places: Indices, here: Corner) -> Indices | None:
    """Return the places in ``here`` of constraints of ``there``; None if one is not listed."""
    if not isinstance(here.problem, HasGapNames):
        return places
    names, known = list(there.places()), here.places()
    found = [known.get(names[place], -1) for place in places.tolist()]
    return None if -1 in found else np.array(found, dtype=np.intp)

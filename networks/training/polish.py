"""Polish: Newton steps from the end of an anneal to a minimum exact to rounding, on kinks too."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.models.hinge import FITTED, HingeNetwork
from networks.training.kinks import Kinks, KinkState
from networks.training.latest import LATEST
from networks.training.piecewise import Damped, Expansion

Vector: TypeAlias = NDArray[np.float64]

BALANCED = 1e-8  # residual force relative to the forces that balance
_EXACT = 1e-9  # where the descent ends: quadratic convergence leaves no more to gain
_CORRECTIONS = 6  # of a step, back on to the kinks that it bends away from
_WORTH = 0.02  # a correction that gains less of what was promised is the last
_ACCEPTED = 1e-2  # a step must gain this part of what it promised
_NUDGES = 1e-6, 1e-4, 1e-2  # off a saddle, relative to |x|
_HOPELESS = 1e12  # damping at which a step is below rounding


@dataclass(frozen=True, eq=False)
class Polished:
    """A polished state and what is certified about it.

    Attributes
    ----------
    x
        The parameters, ``(n_dof,)``.
    residual
        Largest component of the gradient with the masks of the kinks, relative to the forces
        that balance; or the largest ``|z|`` at a held kink, if that is larger.
    n_kinks
        (pattern, unit) pairs held at their kink.
    is_minimum
        Whether forces balance to 1e-8 and no direction lowers the energy to second order.
    steps
        Linear solves made.
    """

    x: Vector
    residual: float
    n_kinks: int
    is_minimum: bool
    steps: int


def polish(problem: HingeNetwork, x: Vector, *, steps: int, hold_norm: bool = False) -> Polished:
    """Follow the energy down from ``x`` to a minimum by at most ``steps`` damped Newton steps.

    Each step minimises the energy's piecewise quadratic model (`piecewise`), so that kinks are met
    and left as constraints are in a packing; what the step bends away from its kinks is corrected.
    Damping follows Nielsen, IMM-REP-1999-05. Ends early at ``U < 1e-14``.

    Many of these networks have no minimum: the weights of a few units grow without end, for ever
    smaller falls of the energy. ``hold_norm`` keeps to the sphere of the norm ``|x|``, on which
    `networks.models.symmetry.balanced` units have the most freedom.

    Where forces balance at a saddle, or at a concave kink, it goes on from a little beside it. What
    it does not see: a unit whose weights have vanished could grow again in another direction. It
    may come to no end where convex and concave kinks of different layers lie at one point, as is
    met in layers narrower than about ten units.
    """
    w = torch.tensor(x, dtype=torch.float64, device=problem.inputs.device)
    radius = float(w.norm()) if hold_norm else None
    return polished(KinkState(problem, w, Kinks.none(problem), radius), steps, Expansion)[0]


def polished(here: KinkState, steps: int, model: type[Expansion]) -> tuple[Polished, KinkState]:
    """Polish from a state, by models of its kind of a step; return also the state it ends in.

    What the problem is, is known to the state, which has the products with its Jacobian.
    """
    here, made = _descended(here, steps, model)
    minimum = here.energy < FITTED
    while not minimum and here.error < BALANCED:
        here = here.fresh()
        down = here.way_down()
        minimum = down is None
        if down is None or made >= steps:
            break
        beside = _beside(here, down)
        if beside is None:
            break
        here, more = _descended(beside, steps - made, model)
        made += more
        minimum = here.energy < FITTED
    found = Polished(here.w.cpu().numpy(), here.error, int(here.held.sum()), minimum, made)
    return found, here


def _beside(here: KinkState, down: Tensor) -> KinkState | None:
    """Return a point a little off a saddle, whence a descent leads away; None if it is too flat."""
    for size in _NUDGES:
        there = here.beside(down * (size * float(here.w.norm() / down.norm())))
        if there.error > _EXACT:
            return there
    return None


def _descended(here: KinkState, steps: int, model: type[Expansion]) -> tuple[KinkState, int]:
    """Return where at most ``steps`` linear solves lead from a point, and how many were made."""
    damping, growth, made = 1e-3, 2.0, 0
    expansion: Expansion | None = None
    while made < steps and here.error > _EXACT and here.energy > FITTED / 10:
        expansion = model(here) if expansion is None else expansion
        made += 1
        LATEST.note("polish", made, steps, here.energy)
        damped = Damped.of(expansion, damping)
        there, gain = _step(damped) if damped is not None else (None, -1.0)
        if there is not None:
            here, expansion = there, None
            damping = max(damping * max(0.2, 1 - (2 * gain - 1) ** 3), 1e-12)
            growth = 2.0
        elif not here.is_fresh:
            here, expansion = here.fresh(), None
        elif damping > _HOPELESS:
            break
        else:
            damping, growth = damping * growth, growth * 2
    return here, made


def _step(damped: Damped) -> tuple[KinkState | None, float]:
    """Return where a step ends, or None if it is refused; and the part gained of the promise."""
    expansion, here = damped.expansion, damped.expansion.point
    d, multipliers = damped.minimum(expansion.offsets, expansion.start)
    promised = expansion.fall(d)
    unseen = promised <= here.rounding()
    fall = promised
    if not unseen:
        d, multipliers, fall = _corrected(damped, d, multipliers, promised)
        if fall < _ACCEPTED * promised:
            return None, -1.0
    there = expansion.after(d, multipliers)
    if unseen:  # the energy is flat to rounding: judge by the forces
        return (there if there.error < here.error else None), 1.0
    return there, fall / promised


def _corrected(
    damped: Damped, d: Tensor, multipliers: Tensor, promised: float
) -> tuple[Tensor, Tensor, float]:
    """Correct a step to second order: kinks are curved, and a sharp kink forgives no offset."""
    expansion, here = damped.expansion, damped.expansion.point
    there = here.trial(d)
    fall = here.energy - there.energy
    for _ in range(_CORRECTIONS):
        trial, masks = damped.minimum(expansion.offsets_at(there, d), multipliers)
        there = here.trial(trial)
        gained = here.energy - there.energy - fall
        if not gained > 0:
            break
        d, multipliers, fall = trial, masks, fall + gained
        if gained < _WORTH * promised:
            break
    return d, multipliers, fall

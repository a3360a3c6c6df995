"""Polish of any module: Levenberg-Marquardt to a minimum exact to rounding, on kinks too."""

from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.models.hinge import FITTED
from networks.models.module import ModuleProblem
from networks.models.pieces import Tape
from networks.training.module_state import HeldUnits, ModuleExpansion, ModuleState
from networks.training.piecewise import Damped
from networks.training.polish import (
    _ACCEPTED,
    _BLUR,
    _CORRECTIONS,
    _EXACT,
    _HOPELESS,
    _NUDGES,
    _ROUNDING,
    _WORTH,
    BALANCED,
    Polished,
)

Vector: TypeAlias = NDArray[np.float64]

_SLOW = 0.1  # a step that leaves more of the force with an old curvature has the next one renewed


def polish_module(
    problem: ModuleProblem, x: Vector, *, steps: int, hold_norm: bool = False
) -> tuple[Polished, ModuleState]:
    """Follow the energy down from ``x`` to a minimum by at most ``steps`` damped Newton steps.

    The steps of `networks.training.polish.polish`, with derivatives by torch. The stiffness
    ``JᵀJ`` is that of each point; the curvature ``Σ Δ ∇²Δ``, which costs as much as ``n_dof``
    gradients, is kept from an earlier one while forces fall fast enough.

    Returns
    -------
    The polished state, and its forces. Where kinks are not resolved it may hold at one of them
    without a balance of forces: that is no minimum to this program.
    """
    w = torch.tensor(x, dtype=torch.float64, device=problem.inputs.device)
    radius = float(w.norm()) if hold_norm else None
    here, made = _descended(ModuleState(problem, w, HeldUnits.none(problem), radius), steps)
    minimum = here.energy < FITTED
    while not minimum and here.error < BALANCED:
        here = _fresh(here)
        down = here.way_down()
        minimum = down is None
        if down is None or made >= steps:
            break
        beside = _beside(here, down)
        if beside is None:
            break
        here, more = _descended(beside, steps - made)
        made += more
        minimum = here.energy < FITTED
    found = Polished(here.w.cpu().numpy(), here.error, int(here.held.sum()), minimum, made)
    return found, here


def _fresh(here: ModuleState) -> ModuleState:
    """Return a state with its own curvature."""
    here.bent = here.own_bent
    here.given = None
    return here


def _beside(here: ModuleState, down: Tensor) -> ModuleState | None:
    """Return a point a little off a saddle, whence a descent leads away; None if it is too flat."""
    for size in _NUDGES:
        d = down * (size * float(here.w.norm() / down.norm()))
        there = ModuleState(here.module_problem, _moved(here, d), here.units, here.radius)
        if there.error > _EXACT:
            return there
    return None


def _descended(here: ModuleState, steps: int) -> tuple[ModuleState, int]:
    """Return where at most ``steps`` linear solves lead from a point, and how many were made."""
    damping, growth, made = 1e-3, 2.0, 0
    expansion: ModuleExpansion | None = None
    while made < steps and here.error > _EXACT and here.energy > FITTED / 10:
        expansion = ModuleExpansion(here) if expansion is None else expansion
        made += 1
        damped = Damped.of(expansion, damping)
        there, gain = _step(damped, expansion) if damped is not None else (None, -1.0)
        if there is not None:
            fast = there.error < _SLOW * here.error
            if not (fast or here.is_fresh):
                there.given = None
            here, expansion = there, None
            damping = max(damping * max(0.2, 1 - (2 * gain - 1) ** 3), 1e-12)
            growth = 2.0
        elif not here.is_fresh:
            here, expansion = _fresh(here), None
        elif damping > _HOPELESS:
            break
        else:
            damping, growth = damping * growth, growth * 2
    return here, made


def _step(damped: Damped, expansion: ModuleExpansion) -> tuple[ModuleState | None, float]:
    """Return where a step ends, or None if it is refused; and the part gained of the promise."""
    here = expansion.point
    d, multipliers = damped.minimum(expansion.offsets, expansion.start)
    promised = expansion.fall(d)
    unseen = promised <= _rounding(here)
    fall = promised
    if not unseen:
        d, multipliers, fall = _corrected(damped, expansion, d, multipliers, promised)
        if fall < _ACCEPTED * promised:
            return None, -1.0
    kinks = expansion.held_units(multipliers)
    there = ModuleState(here.module_problem, _moved(here, d), kinks, here.radius, here.bent)
    if unseen:  # the energy is flat to rounding: judge by the forces
        return (there if there.error < here.error else None), 1.0
    return there, fall / promised


def _rounding(here: ModuleState) -> float:
    """Return the falls of the energy that rounding hides: of its sum, and of small gaps in it."""
    blurred = here.force + abs(here.module_problem.margin)
    return _ROUNDING * here.energy + _BLUR * float(here.force @ blurred)


def _corrected(
    damped: Damped, expansion: ModuleExpansion, d: Tensor, multipliers: Tensor, promised: float
) -> tuple[Tensor, Tensor, float]:
    """Correct a step to second order: kinks are curved, and a sharp kink forgives no offset."""
    here = expansion.point
    z, gaps = _forward(here, d)
    fall = here.energy - _energy(gaps)
    for _ in range(_CORRECTIONS):
        trial, masks = damped.minimum(expansion.offsets_there(z, gaps, d), multipliers)
        z, gaps = _forward(here, trial)
        gained = here.energy - _energy(gaps) - fall
        if not gained > 0:
            break
        d, multipliers, fall = trial, masks, fall + gained
        if gained < _WORTH * promised:
            break
    return d, multipliers, fall


def _moved(here: ModuleState, d: Tensor) -> Tensor:
    w = here.w + d
    return w if here.radius is None else w * (here.radius / float(w.norm()))


def _forward(here: ModuleState, d: Tensor) -> tuple[Tensor, Tensor]:
    """Return what goes into each unit, ``(P, U)``, and all gaps, ``(P k,)``, after a step."""
    problem, tape = here.module_problem, Tape()
    with torch.no_grad():
        output = problem.passes.outputs(_moved(here, d), problem.inputs, tape)
        gaps = problem.demands.gaps(output).reshape(-1)
    parts = [each.reshape(len(output), -1) for each in tape.z] if len(problem.units) else []
    return torch.cat(parts, dim=1) if parts else output[:, :0], gaps


def _energy(gaps: Tensor) -> float:
    return 0.5 * float(gaps.clamp(min=0).square().sum())

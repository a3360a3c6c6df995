"""Training of any module: full-batch Adam, the polish, and the status of the end."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.models.fixed_norm import SphericalNetwork
from networks.models.hinge import FITTED
from networks.models.module import ModuleProblem
from networks.models.module_symmetry import balanced
from networks.training.anneal import Annealed, Schedule
from networks.training.module_state import ModuleExpansion, ModuleState
from networks.training.polish import Polished, polished

if TYPE_CHECKING:
    from networks.training.train import Trained

Vector: TypeAlias = NDArray[np.float64]
Callback: TypeAlias = Callable[[int, float, Vector], None]

_MOST = 0.5  # part of patterns that are violated beyond which it does not pay to gather them
_SMALL = 100_000  # numbers of a forward pass up to which it costs no more than to choose
_BESIDE = 1e-7  # from a minimum, relative to |x|, where its forces are compared
_BENT = 0.05  # of the change of forces: what is more comes from a kink


def anneal_module(
    problem: ModuleProblem,
    x: Vector,
    *,
    steps: int,
    schedule: Schedule | None = None,
    callback: Callback | None = None,
) -> Annealed:
    """Return where at most ``steps`` of full-batch Adam on ``U/P`` lead; less if ``U = 0``.

    ``callback(step, U, x)`` is called before each step.
    """
    schedule = Schedule() if schedule is None else schedule
    w = torch.tensor(x, dtype=torch.float64, device=problem.inputs.device)
    mean, square = torch.zeros_like(w), torch.zeros_like(w)
    b1, b2, energy = schedule.momentum, schedule.memory, problem.energy_gradient(x)[0]
    for step in range(steps):
        energy, gradient = _energy_gradient(problem, w)
        if callback is not None:
            callback(step, energy, w.cpu().numpy().copy())
        if not 0 < energy < np.inf:
            return Annealed(w.cpu().numpy(), step + 1, energy)
        gradient /= len(problem.demands)
        mean.lerp_(gradient, 1 - b1)
        square.mul_(b2).addcmul_(gradient, gradient, value=1 - b2)
        scale = square.sqrt().div_((1 - b2 ** (step + 1)) ** 0.5).add_(1e-8)
        rate = schedule.rate(step, steps)
        w.addcdiv_(mean, scale, value=-rate / (1 - b1 ** (step + 1)))
    return Annealed(w.cpu().numpy(), steps, energy)


def _energy_gradient(problem: ModuleProblem, w: Tensor) -> tuple[float, Tensor]:
    """Return ``U`` and ``∇U``; backward over violated patterns only, where that pays."""
    w = w.detach().requires_grad_()
    if problem.passes.numbers * len(problem.demands) > _SMALL:
        with torch.no_grad():
            violated = (problem.plain_gaps(w) > 0).any(dim=1)
        index = torch.nonzero(violated)[:, 0]
        if not len(index):
            return 0.0, torch.zeros_like(w)
        if len(index) < _MOST * len(violated):
            problem = problem.taken(index.cpu().numpy())
    energy = 0.5 * problem.plain_gaps(w).clamp(min=0).square().sum()
    (gradient,) = torch.autograd.grad(energy, w)
    return float(energy.detach()), gradient


def judged_module(
    problem: ModuleProblem, annealed: Annealed, newton_steps: int, *, hold_norm: bool
) -> "Trained":
    """Polish an annealed state if there is anything to polish, and say what it is."""
    from networks.training.train import SILENT, Trained

    if not (np.isfinite(annealed.energy) and np.isfinite(annealed.x).all()):
        reason = "training diverged: lower the learning rate"
        return Trained(
            problem, annealed.x, np.nan, np.inf, annealed.steps, 0, "stalled", reason=reason
        )
    w = torch.tensor(annealed.x, dtype=torch.float64, device=problem.inputs.device)
    here = ModuleState(problem, w)
    found = _ended(here, annealed.steps)
    if here.energy < FITTED:
        return replace(found, status="unjammed", n_constraints=0)
    if _is_dead(here):
        return replace(found, status="dead", reason=SILENT)
    if newton_steps < 1:
        return replace(found, reason="not polished, nothing is certified: allow Newton steps")
    x = balanced(problem.generators, annealed.x) if hold_norm else annealed.x
    return certified_module(problem, x, annealed.steps, newton_steps, held=hold_norm)


def polish_module(
    problem: ModuleProblem, x: Vector, *, steps: int, hold_norm: bool = False
) -> tuple[Polished, ModuleState]:
    """Follow the energy down from ``x`` by `networks.training.polish`, with derivatives by torch.

    The stiffness ``JᵀJ`` is that of each point; the curvature ``Σ Δ ∇²Δ``, which costs as much as
    ``n_dof`` gradients, is kept from an earlier one while forces fall fast enough.

    Returns
    -------
    The polished state, and its forces. Where kinks are not resolved it may hold at one of them
    without a balance of forces: that is no minimum to this program.
    """
    w = torch.tensor(x, dtype=torch.float64, device=problem.inputs.device)
    radius = float(w.norm()) if hold_norm else None
    found, end = polished(ModuleState(problem, w, radius=radius), steps, ModuleExpansion)
    return found, ModuleState(problem, end.w, end.kinks, radius)


def certified_module(
    problem: ModuleProblem, x: Vector, steps: int, allowed: int, *, held: bool
) -> "Trained":
    """Polish from ``x``, and say what is certified there."""
    from networks.training.train import SILENT, why_not

    found, here = polish_module(problem, x, steps=allowed, hold_norm=held)
    ended = replace(_ended(here, steps), newton_steps=found.steps)
    if here.energy < FITTED:
        return replace(ended, status="unjammed", n_constraints=0)
    reason = _objection(problem, found, here) or (
        "" if found.is_minimum else why_not(x, found, allowed)
    )
    held_there = SphericalNetwork(problem, float(np.linalg.norm(found.x))) if held else problem
    ended = replace(ended, problem=held_there, n_kinks=found.n_kinks)
    if _is_dead(here):
        return replace(ended, status="dead", reason=SILENT)
    return replace(ended, status="stalled" if reason else "jammed", reason=reason)


def _objection(problem: ModuleProblem, found: Polished, here: ModuleState) -> str:
    """Return that kinks which are not resolved are met, if they are."""
    names = ", ".join(problem.units.not_resolved) or "this module"
    if not found.is_minimum and not problem.resolves_kinks:
        return f"kinks of {names} are not resolved: forces balance to {found.residual:.1e} only"
    if found.is_minimum and _bends(here):
        return f"kinks of {names} are not resolved: forces jump at the state"
    return ""


def _bends(here: ModuleState) -> bool:
    """Tell whether forces change by a jump around a state, with its masks: at an unknown kink."""
    problem = replace(here.module_problem, pieces=here.pieces)
    rng, x = np.random.default_rng(0), here.w.cpu().numpy()
    middle = problem.energy_gradient(x)[1]
    for _ in range(3):
        d = rng.standard_normal(len(x))
        d *= _BESIDE * np.linalg.norm(x) / np.linalg.norm(d)
        ahead, behind = (problem.energy_gradient(x + s * d)[1] for s in (1, -1))
        if np.linalg.norm(ahead + behind - 2 * middle) > _BENT * np.linalg.norm(ahead - behind):
            return True
    return False


def _ended(here: ModuleState, steps: int) -> "Trained":
    from networks.training.train import Trained

    return Trained(
        problem=here.module_problem,
        x=here.w.cpu().numpy(),
        energy=here.energy,
        max_residual=here.error,
        steps=steps,
        n_constraints=len(here.violated),
        status="stalled",
    )


def _is_dead(here: ModuleState) -> bool:
    """Tell whether most of the energy is in patterns that do not act on the first parameters."""
    return bool(len(here.module_problem.units)) and here.silent_energy() > 0.5 * here.energy

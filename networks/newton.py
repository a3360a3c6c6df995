"""Damped Newton descent on the hinge energy of a smooth network, with dense linear algebra."""

from dataclasses import dataclass

import torch
from torch import Tensor

from networks.activations import Activation
from networks.dense import Expansion, expand, gaps
from networks.margin import HingeNetwork

_HOPELESS = 1e12  # damping at which a step is below rounding


@dataclass(frozen=True, eq=False)
class Descent:
    """Where a damped Newton descent ended."""

    w: Tensor
    expansion: Expansion
    damping: float
    steps: int


def descend(
    problem: HingeNetwork,
    w: Tensor,
    sigma: Activation,
    *,
    steps: int,
    tolerance: float,
    damping: float = 1e-3,
    fitted: float = 0.0,
) -> Descent:
    """Minimise the energy of the network with activation ``sigma`` from ``w``.

    ``(H + λ h) δw = -∇U`` with ``h`` the mean of the diagonal of ``H`` and ``λ`` the damping,
    raised until the matrix is positive definite and the energy falls by a part of what the
    expansion promises (Levenberg-Marquardt with the full Hessian; the damping rule of Nielsen,
    IMM-REP-1999-05). Ends when the residual falls below ``tolerance``, the energy below
    ``fitted``, after ``steps`` of linear solves, or when no damping lowers the energy.
    """
    here = expand(problem, w, sigma)
    made, growth = 0, 2.0
    while made < steps and here.residual > tolerance and here.energy > fitted:
        made += 1
        step = _damped_step(here, damping)
        gained = _gain(problem, w, sigma, here, step) if step is not None else -1.0
        if step is not None and gained > 1e-3:
            w = w + step
            here = expand(problem, w, sigma)
            damping = max(damping * max(1 / 5, 1 - (2 * gained - 1) ** 3), 1e-12)
            growth = 2.0
        elif damping > _HOPELESS:
            break
        else:
            damping, growth = damping * growth, growth * 2
    return Descent(w, here, damping, made)


def _damped_step(here: Expansion, damping: float) -> Tensor | None:
    """Return the step, or None if the damped Hessian is not positive definite."""
    matrix = here.hessian.clone()
    matrix.diagonal().add_(damping * float(here.hessian.diagonal().mean()))
    factor, failed = torch.linalg.cholesky_ex(matrix)
    if failed:
        return None
    return -torch.cholesky_solve(here.gradient[:, None], factor)[:, 0]


def _gain(
    problem: HingeNetwork, w: Tensor, sigma: Activation, here: Expansion, step: Tensor
) -> float:
    """Return the fall of the energy relative to what the expansion promises."""
    promised = -float(here.gradient @ step + 0.5 * step @ (here.hessian @ step))
    if promised <= 1e-13 * here.energy:
        return 1.0  # below rounding: trust the expansion
    fallen = here.energy - 0.5 * float(gaps(problem, w + step, sigma).clamp_(min=0).square().sum())
    return fallen / promised

"""From the end of an anneal to a stationary point that is exact to rounding."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.dense import Expansion
from networks.kinks import hold, rounded_kinks
from networks.margin import HingeNetwork
from networks.newton import descend
from networks.rounding import rounded_relu

Vector: TypeAlias = NDArray[np.float64]

FITTED = 1e-14  # U below this is zero: second-order steps approach Δ -> 0+ without reaching it
BALANCED = 1e-8  # residual force relative to the forces that balance
RADII = (0.1, 0.03, 0.01, 1e-3, 1e-4)  # of the rounded kinks, on the scale z ~ 1
_NEAR = 1e-5  # residual from which the exact kinks are tried


@dataclass(frozen=True, eq=False)
class Polished:
    """A polished state ``x``; its residual force, its kinks, and whether it is a minimum.

    ``is_minimum`` tells that no direction lowers the energy to second order; ``steps`` counts
    linear solves.
    """

    x: Vector
    residual: float
    n_kinks: int
    is_minimum: bool
    steps: int


def polish(problem: HingeNetwork, x: Vector, *, steps: int) -> Polished:
    """Follow the energy down from ``x`` to a minimum by at most ``steps`` damped Newton steps.

    Smooth activations: until forces balance to 1e-11. ReLU: on kinks of shrinking roundness,
    then on exact kinks with fractional masks; see `networks.kinks`. Ends early at ``U < 1e-14``.
    """
    w = torch.tensor(x, dtype=torch.float64, device=problem.inputs.device)
    if problem.mlp.sigma.symmetry == "homogeneous":
        return _polish_kinked(problem, w, steps)
    found = descend(problem, w, problem.mlp.sigma, steps=steps, tolerance=1e-11, fitted=FITTED / 10)
    residual, minimum = found.expansion.residual, _positive(found.expansion)
    return Polished(found.w.cpu().numpy(), residual, 0, minimum, found.steps)


def _polish_kinked(problem: HingeNetwork, w: Tensor, steps: int) -> Polished:
    made, damping = 0, 1e-3
    residual, count = np.inf, 0
    for radius in RADII:
        found = descend(
            problem,
            w,
            rounded_relu(radius),
            steps=steps - made,
            tolerance=0.1 * _NEAR,
            damping=damping,
            fitted=FITTED / 10,
        )
        w, made = found.w, made + found.steps
        damping = min(max(found.damping, 1e-6), 0.1)
        residual, count = found.expansion.residual, found.expansion.n_rounded
        if residual < _NEAR and radius <= 0.01 and found.expansion.energy > FITTED:
            balance = hold(problem, w, rounded_kinks(problem, w, radius))
            if max(balance.residual, balance.offset) < BALANCED:
                return Polished(
                    balance.w.cpu().numpy(),
                    balance.residual,
                    balance.kinks.count,
                    balance.is_minimum,
                    made,
                )
    return Polished(w.cpu().numpy(), residual, count, False, made)


def _positive(here: Expansion) -> bool:
    """Tell whether the Hessian is positive, up to the rounding of its flat directions."""
    matrix = here.hessian.clone()
    matrix.diagonal().add_(1e-9 * float(matrix.diagonal().mean()))
    return not int(torch.linalg.cholesky_ex(matrix).info)

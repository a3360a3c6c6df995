"""From the end of an anneal to a stationary point that is exact to rounding."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.dense import gaps
from networks.kinks import Balance, hold, rounded_kinks
from networks.margin import HingeNetwork
from networks.newton import descend
from networks.rounding import rounded_relu

Vector: TypeAlias = NDArray[np.float64]

FITTED = 1e-14  # U below this is zero: second-order steps approach Δ -> 0+ without reaching it
BALANCED = 1e-8  # residual force relative to the forces that balance
_WIDEST, _SHARP, _SHARPEST = 0.1, 2e-3, 1e-5  # radii of rounded kinks, on the scale z ~ 1
_LOOSE, _TIGHT = 1e-4, 1e-7  # residuals at which a radius is left, and exact kinks are tried


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
    minimum = _is_positive(found.expansion.hessian)
    return Polished(found.w.cpu().numpy(), found.expansion.residual, 0, minimum, found.steps)


def _is_positive(hessian: Tensor) -> bool:
    """Tell whether a Hessian is positive, up to the rounding of its flat directions."""
    matrix = hessian.clone()
    matrix.diagonal().add_(1e-9 * float(matrix.diagonal().mean()))
    return not int(torch.linalg.cholesky_ex(matrix).info)


def _polish_kinked(problem: HingeNetwork, w: Tensor, steps: int) -> Polished:
    """Halve the radius of the kinks from balance to balance, then hold them exactly.

    A balance at one radius is some ten steps from that at half the radius; from a radius three
    times larger it takes hundreds, because the masks of most kinks saturate.
    """
    made, damping, radius, tolerance = 0, 1e-3, _WIDEST, _LOOSE
    while True:
        found = descend(
            problem,
            w,
            rounded_relu(radius),
            steps=steps - made,
            tolerance=tolerance,
            damping=damping,
            fitted=FITTED / 10,
        )
        w, made, here = found.w, made + found.steps, found.expansion
        damping = min(max(found.damping, 1e-7), 0.1)
        balanced = here.residual <= tolerance
        if balanced and radius < _SHARP:
            balance = hold(problem, w, rounded_kinks(problem, w, radius))
            if max(balance.residual, balance.offset) < BALANCED:
                return _held(balance, made)
        if here.energy < FITTED and _energy(problem, w) < FITTED:
            return Polished(w.cpu().numpy(), here.residual, 0, True, made)
        if made >= steps or radius < _SHARPEST or not (balanced or here.energy < FITTED):
            return Polished(w.cpu().numpy(), here.residual, here.n_rounded, False, made)
        if radius < _SHARP and tolerance > _TIGHT:
            tolerance /= 10
        else:
            radius, tolerance = radius / 2, _LOOSE


def _held(balance: Balance, steps: int) -> Polished:
    x = balance.w.cpu().numpy()
    return Polished(x, balance.residual, balance.kinks.count, balance.is_minimum, steps)


def _energy(problem: HingeNetwork, w: Tensor) -> float:
    return 0.5 * float(gaps(problem, w, problem.mlp.sigma).clamp_(min=0).square().sum())

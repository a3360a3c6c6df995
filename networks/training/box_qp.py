"""A quadratic program in a box, small and dense: the dual of a step across kinks."""

from typing import TypeAlias

import torch
from torch import Tensor

_State: TypeAlias = tuple[Tensor, Tensor, float]  # t, the slope and the value there

_ITERATIONS = 100
_ARMIJO = 1e-4


def minimise_in_box(quadratic: Tensor, linear: Tensor, start: Tensor, upper: Tensor) -> Tensor:
    """Return the minimiser of ``½ tᵀQt + cᵀt`` over ``0 <= t <= upper``, shape ``(k,)``.

    ``Q`` is positive semidefinite; ``upper`` may hold infinities. Projected Newton: Bertsekas,
    SIAM J. Control Optim. 20, 221 (1982). From a good start the set of free variables is right at
    once and one solve ends it. Variables are scaled to a unit diagonal: forces close to jamming
    are tiny beside what they are solved with.

    >>> q = torch.eye(3, dtype=torch.float64)
    >>> c = torch.tensor([1.0, -0.5, -3.0], dtype=torch.float64)
    >>> minimise_in_box(q, c, torch.zeros_like(c), torch.ones_like(c))
    tensor([0.0000, 0.5000, 1.0000], dtype=torch.float64)
    """
    scale = quadratic.diagonal().sqrt()
    scale = torch.where(scale > 0, scale, 1.0)
    found = _minimise(
        quadratic / torch.outer(scale, scale), linear / scale, start * scale, upper * scale
    )
    return (found / scale).minimum(upper)


def _minimise(quadratic: Tensor, linear: Tensor, start: Tensor, upper: Tensor) -> Tensor:
    t = start
    slope = quadratic @ t + linear
    value = 0.5 * float(t @ (slope + linear))
    smallest = 1e-13 * float(linear.abs().max()) if len(linear) else 0.0
    for _ in range(_ITERATIONS):
        held = ((t <= 0) & (slope >= 0)) | ((t >= upper) & (slope <= 0))
        free = torch.nonzero(~held)[:, 0]
        if not len(free) or float(slope[free].abs().max()) <= smallest:
            break
        newton = -_solved(quadratic[free][:, free], slope[free])
        there = None
        for move in (newton, -slope[free]):  # the walls may turn Newton's step uphill
            if there is None:
                there = _searched(quadratic, linear, (t, slope, value), free, move, upper)
        if there is None:
            break
        t, slope, value = there
    return t


def _searched(
    quadratic: Tensor,
    linear: Tensor,
    here: _State,
    free: Tensor,
    move: Tensor,
    upper: Tensor,
) -> _State | None:
    """Return the first point along a projected step that is low enough, or None."""
    t, slope, value = here
    length = 1.0
    while length > 1e-4:
        there = t.clone()
        there[free] = (t[free] + length * move).clamp_(min=0).minimum(upper[free])
        slope_there = quadratic @ there + linear
        value_there = 0.5 * float(there @ (slope_there + linear))
        promised = float(slope[free] @ (there[free] - t[free]))
        if promised < 0 and value_there <= value + _ARMIJO * promised:
            return there, slope_there, value_there
        length /= 2
    return None


def _solved(matrix: Tensor, vector: Tensor) -> Tensor:
    """Solve with a semidefinite matrix: equal rows share what they carry."""
    ridge = 1e-13
    while True:
        shifted = matrix.clone()
        shifted.diagonal().add_(ridge)
        factor, failed = torch.linalg.cholesky_ex(shifted)
        if not failed:
            return torch.cholesky_solve(vector[:, None], factor)[:, 0]
        ridge = max(100 * ridge, 1e-300)

"""Stationary points of ReLU networks that sit on kinks, held there by fractional masks.

At a kink ``z_k = 0`` of a pattern and a unit, the mask of the unit may be any ``t_k`` in
``[0, 1]``. A point is stationary (in the sense of Clarke) if some choice of masks makes the
gradient vanish: a kink is a constraint, and ``t_k`` times the signal into the unit its force.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from networks import passes
from networks.dense import force_scale, hessian, kink_forces, preactivation_jacobian
from networks.margin import HingeNetwork
from networks.passes import Forward
from networks.rounding import rounded_relu


@dataclass(frozen=True, eq=False)
class Kinks:
    """A set of (pattern, unit) pairs of each hidden layer, and their masks.

    ``held`` is boolean and ``masks`` holds the fraction of each held pair, both ``(depth, P,
    width)``. Pairs that are not held have the mask of their sign.
    """

    held: Tensor
    masks: Tensor

    @property
    def count(self) -> int:
        """Number of held pairs."""
        return int(self.held.sum())


@dataclass(frozen=True, eq=False)
class Balance:
    """A state, its kinks, and how well forces balance on them.

    ``residual`` is the largest component of the gradient with fractional masks, relative to the
    forces that balance; ``offset`` the largest ``|z_k|`` of a held pair. ``is_minimum`` tells that
    the Hessian is positive along the kinks, up to rounding.
    """

    w: Tensor
    kinks: Kinks
    residual: float
    offset: float
    is_minimum: bool


def rounded_kinks(problem: HingeNetwork, w: Tensor, radius: float) -> Kinks:
    """Return the pairs of violated patterns inside the rounding, with the masks they have there."""
    state = passes.forward(problem.mlp, w, problem.inputs, rounded_relu(radius))
    violated = problem.margin - problem.labels * state.output > 0
    masks = torch.stack(state.slopes)
    return Kinks((masks > 0) & (masks < 1) & violated[None, :, None], masks)


def hold(
    problem: HingeNetwork, w: Tensor, kinks: Kinks, *, steps: int = 40, tolerance: float = 1e-13
) -> Balance:
    """Solve for the state and the masks at which every held kink is exact and forces balance.

    Newton on ``G(w, t) = 0``, ``z_k(w) = 0``, whose matrix is ``[[H + λ, Zᵀ], [Z, 0]]`` in
    ``(δw, e δt)``, with ``Z = ∂z/∂w`` and ``e`` the signal into the unit. A pair whose mask
    leaves ``[0, 1]``, or that no kink can hold (``e <= 0``), is released; one that changes sign
    in a step is caught. The small damping ``λ`` holds the flat directions; it is raised when a
    step makes the balance worse. Start near a balance: this does not search for one.
    """
    damping, here = 1e-6, _System(problem, w, kinks)
    for _ in range(steps):
        if here.error < tolerance or damping > 1.0:
            break
        there = _System(problem, *here.step(damping))
        if there.error < here.error:
            here = there
        else:
            damping *= 10
    return Balance(here.w, here.kinks, here.residual, here.offset, here.is_minimum())


class _System:
    """The equations of balance on a set of kinks, linearised at one state."""

    def __init__(self, problem: HingeNetwork, w: Tensor, kinks: Kinks) -> None:
        mlp = problem.mlp
        self.problem, self.w, self.kinks = problem, w, kinks
        self.everywhere = passes.forward(mlp, w, problem.inputs)
        gaps = problem.margin - problem.labels * self.everywhere.output
        self.violated = torch.nonzero(gaps > 0)[:, 0]
        self.weights = -problem.labels[self.violated] * gaps[self.violated]
        state = self.everywhere.rows(self.violated)
        self.held = kinks.held[:, self.violated]
        self.state = _masked(state, self.held, kinks.masks[:, self.violated])
        self.pairs = [(p[:, 0], p[:, 1]) for p in map(torch.nonzero, self.held)]
        self.gradient = passes.gradient(mlp, w, self.state, self.weights)
        scale = force_scale(mlp, w, self.state, self.weights)
        self.residual = float(self.gradient.abs().max()) / scale
        z = torch.stack(self.state.preactivations)[self.held]
        self.offset = float(z.abs().max()) if len(z) else 0.0
        self.z = torch.cat([z_[p] for z_, p in zip(state.preactivations, self.pairs, strict=True)])

    @property
    def error(self) -> float:
        """The residual or the offset, whichever is larger."""
        return max(self.residual, self.offset)

    def step(self, damping: float) -> tuple[Tensor, Kinks]:
        """Return the next state and its kinks."""
        mlp, n, rows = self.problem.mlp, len(self.w), self._rows()
        matrix = self.w.new_zeros(n + len(rows), n + len(rows))
        matrix[:n, :n] = self._hessian()
        matrix.diagonal()[:n].add_(damping * float(matrix.diagonal()[:n].mean()))
        matrix[n:, :n], matrix[:n, n:] = rows, rows.T
        # Two patterns that a layer cannot tell apart have the same kink: share its force.
        matrix.diagonal()[n:].sub_(1e-12)
        solved = torch.linalg.solve(matrix, -torch.cat([self.gradient, self.z]))
        forces = kink_forces(mlp, self.w, self.state, self.weights, self.pairs)
        moved = self.w + solved[:n]
        return moved, self._updated(moved, solved[n:] / forces, forces)

    def is_minimum(self) -> bool:
        """Tell whether the Hessian is positive along the directions that keep every kink."""
        matrix, rows = self._hessian(), self._rows()
        if len(rows):
            along = torch.linalg.svd(rows, full_matrices=True)[2][len(rows) :]
            matrix = along @ matrix @ along.T
        values = torch.linalg.eigvalsh(matrix)
        return bool(values[0] > -1e-9 * values[-1])

    def _hessian(self) -> Tensor:
        return hessian(self.problem.mlp, self.w, self.state, self.weights, None)

    def _rows(self) -> Tensor:
        return preactivation_jacobian(self.problem.mlp, self.w, self.state, self.pairs)

    def _updated(self, moved: Tensor, change: Tensor, forces: Tensor) -> Kinks:
        """Return the kinks after a step: masks changed, pairs released and caught."""
        held, masks = self.kinks.held.clone(), self.kinks.masks.clone()
        start = 0
        for layer, (patterns, units) in enumerate(self.pairs):
            where = (self.violated[patterns], units)
            stop = start + len(units)
            t = masks[layer][where] + change[start:stop]
            held[layer][where] = (t > 0) & (t < 1) & (forces[start:stop] > 0)
            masks[layer][where] = t.clamp(0, 1)
            start = stop
        after = passes.forward(self.problem.mlp, moved, self.problem.inputs)
        violated = self.problem.margin - self.problem.labels * after.output > 0
        before = torch.stack(self.everywhere.preactivations) > 0
        crossed = (before != (torch.stack(after.preactivations) > 0)) & violated[None, :, None]
        caught = crossed & ~self.kinks.held
        return Kinks(held | caught, torch.where(caught, before.to(masks.dtype), masks))


def _masked(state: Forward, held: Tensor, masks: Tensor) -> Forward:
    slopes = [
        torch.where(h, t, slope) for h, t, slope in zip(held, masks, state.slopes, strict=True)
    ]
    return replace(state, slopes=slopes)

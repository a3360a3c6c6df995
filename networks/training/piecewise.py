"""The energy around a point to second order, with the kinks and gaps that a step may cross.

Around a point the energy is a smooth function and a sum over kinks and gaps,

    m(d) = g·d + ½ dᵀHd + Σ_k e_k max(z_k + Z_k d, 0) + ½ Σ_μ max(Δ_μ + J_μ d, 0)²,

over the (pattern, unit) pairs near zero with a convex kink (``e > 0``) and the satisfied patterns
near violation. What is left out can only lower the energy (concave kinks), or is far away. With
``H + λD`` positive the minimum follows from its dual, a quadratic program for the masks ``t_k`` in
``[0, 1]`` and the forces ``f_μ >= 0``: one factorisation moves any number of units on to their
kinks and off them. Once the right ones are held, it is Newton's step along the kinks.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from networks.models import backprop
from networks.models.backprop import Forward
from networks.training.box_qp import minimise_in_box
from networks.training.kinks import Kinks, KinkState

_STIFF = 10.0  # curvature given to held kinks, relative to that of the energy
_SPHERE = 1e3  # curvature given to the normal of the sphere, relative to the largest
_FLOOR = 1e-6  # smallest damping of a variable, relative to the largest


class Expansion:
    """The piecewise quadratic model ``m(d)`` of the energy at a point.

    ``near`` marks the pairs whose kinks are in it, as many as variables; ``satisfied`` lists the
    patterns whose gaps are, half as many. Adding curvature across the kinks that are held does not
    move the minimum while they stay held, and makes the Hessian positive where only kinks hold.
    """

    def __init__(self, point: KinkState) -> None:
        self.point = point
        self.hessian, self.linear = point.hessian(), point.gradient.clone()
        self.scale = _stiffness_diagonal(point)
        self.scale.clamp_(min=_FLOOR * float(self.scale.max()))
        self.near = _nearest_kinks(point)
        self.e, self.z = point.e[self.near], point.z[self.near]
        self.crossing = point.rows(self.near)
        kink_rows = self.e[:, None] * self.crossing
        self.linear -= kink_rows.T @ point.masks[self.near]
        self._stiffen(point)
        self.satisfied, jacobian = _nearest_gaps(point)
        self.rows = torch.cat([kink_rows, jacobian])
        self.offsets = torch.cat([self.e * self.z, point.gaps[self.satisfied]])
        self.softness = torch.cat([torch.zeros_like(self.e), self.e.new_ones(len(jacobian))])
        self.upper = torch.where(self.softness > 0, torch.inf, 1.0)
        self.start = torch.cat([point.masks[self.near], self.e.new_zeros(len(jacobian))])

    def fall(self, d: Tensor) -> float:
        """Return ``m(0) - m(d)``."""
        k = len(self.e)
        before, after = self.offsets, self.offsets + self.rows @ d
        smooth = float(self.linear @ d + 0.5 * d @ (self.hessian @ d))
        kinks = float((after[:k].clamp(min=0) - before[:k].clamp(min=0)).sum())
        return -smooth - kinks - 0.5 * float(after[k:].clamp(min=0).square().sum())

    def offsets_at(self, there: Forward, d: Tensor) -> Tensor:
        """Return the offsets for which the linearised kinks and gaps at ``d`` are those there."""
        z = torch.stack([z[self.point.violated] for z in there.preactivations])
        z = (z - self.point.position)[self.near]
        problem = self.point.problem
        gaps = problem.margin - problem.labels[self.satisfied] * there.output[self.satisfied]
        return torch.cat([self.e * z, gaps]) - self.rows @ d

    def kinks(self, multipliers: Tensor) -> Kinks:
        """Return the pairs in the model with their masks."""
        point, found = self.point, Kinks.none(self.point.problem)
        masks = torch.zeros_like(point.masks)
        masks[self.near] = multipliers[: len(self.e)]
        found.masks[:, point.violated] = masks
        found.held[:, point.violated] = self.near
        return found

    def _stiffen(self, point: KinkState) -> None:
        held = point.held[self.near]
        rows = self.crossing[held]
        stiffness = _STIFF / (rows.square() / self.scale).sum(dim=1)
        self.hessian += (rows.T * stiffness) @ rows
        self.linear += rows.T @ (stiffness * self.z[held])
        if point.radius is not None:
            normal = point.w / point.radius
            self.hessian += _SPHERE * float(self.scale.max()) * torch.outer(normal, normal)


@dataclass(frozen=True, eq=False)
class Damped:
    """An expansion with damping, factorised: ``H + λD = LLᵀ`` with ``D`` the diagonal of ``H0``.

    The damping is that of Marquardt (SIAM J. Appl. Math. 11, 431 (1963)): no rescaling of a unit
    changes what it does.
    """

    expansion: Expansion
    factor: Tensor
    rows: Tensor
    linear: Tensor
    dual: Tensor

    @classmethod
    def of(cls, expansion: Expansion, damping: float) -> "Damped | None":
        """Factorise, or return None if ``H + λD`` is not positive definite."""
        matrix = expansion.hessian.clone()
        matrix.diagonal().add_(expansion.scale, alpha=damping)
        factor, failed = torch.linalg.cholesky_ex(matrix)
        if failed:
            return None
        both = torch.cat([expansion.rows, expansion.linear[None]]).T
        solved = torch.linalg.solve_triangular(factor, both, upper=False)
        rows, linear = solved[:, :-1], solved[:, -1]
        dual = rows.T @ rows
        dual.diagonal().add_(expansion.softness)
        return cls(expansion, factor, rows, linear, dual)

    def minimum(self, offsets: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """Return the step ``(n_dof,)`` to the minimum, and the masks and forces there."""
        linear = self.rows.T @ self.linear - offsets
        found = minimise_in_box(self.dual, linear, start, self.expansion.upper)
        pull = (self.linear + self.rows @ found)[:, None]
        return -torch.linalg.solve_triangular(self.factor.T, pull, upper=True)[:, 0], found


def _stiffness_diagonal(point: KinkState) -> Tensor:
    """Return ``Σ_μ (∂Δ_μ/∂w_i)²`` over violated patterns, the diagonal of ``H0``."""
    deltas = backprop.signals(point.problem.mlp, point.w, point.state)
    squares = [
        (delta.square().T @ a.square()).reshape(-1)
        for delta, a in zip(deltas, point.state.inputs, strict=True)
    ]
    return torch.cat(squares)


def _nearest_kinks(point: KinkState) -> Tensor:
    """Mark the convex kinks nearest to zero, those held first, as many as variables at most.

    Near is relative to their force: all kinks of a unit whose weights vanish are at zero, and
    would leave no room for the others.
    """
    convex = point.e > 0
    distance = torch.where(convex, point.z.abs() / point.e, torch.inf)
    distance = torch.where(point.held, -1.0, distance).flatten()
    count = min(int(convex.sum()), len(point.w))
    chosen = torch.zeros_like(point.held).flatten()
    chosen[torch.topk(distance, count, largest=False).indices] = True
    return chosen.view_as(point.held)


def _nearest_gaps(point: KinkState) -> tuple[Tensor, Tensor]:
    """Return the satisfied patterns that the shortest steps violate, and their Jacobian."""
    problem, mlp = point.problem, point.problem.mlp
    satisfied = torch.nonzero(point.gaps <= 0)[:, 0]
    state = point.everywhere.rows(satisfied)
    steepness = satisfied.new_zeros(len(satisfied), dtype=point.w.dtype)
    for delta, a in zip(backprop.signals(mlp, point.w, state), state.inputs, strict=True):
        steepness += delta.square().sum(dim=1) * a.square().sum(dim=1)
    distance = -point.gaps[satisfied] / steepness.sqrt().clamp_(min=1e-300)
    count = min(len(satisfied), len(point.w) // 2)
    nearest = satisfied[torch.topk(distance, count, largest=False).indices]
    part = point.everywhere.rows(nearest)
    return nearest, backprop.jacobian(mlp, point.w, part, -problem.labels[nearest])

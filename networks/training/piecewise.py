"""The energy around a point to second order, with the kinks and gaps that a step may cross.

Around a point the energy is a smooth function and a sum over kinks and gaps,

    m(d) = g·d + ½ dᵀHd + Σ_k e_k max(z_k + Z_k d, 0) + ½ Σ_μ max(Δ_μ + J_μ d, 0)²,

over the (pattern, unit) pairs near zero with a convex kink (``e > 0``), without what their masks at
the point, and the satisfied patterns near violation. What is left out can only lower the energy
(concave kinks), or is far away. With ``H + λD`` positive the minimum follows from its dual, a
quadratic program for the masks ``t_k`` in ``[0, 1]`` and the forces ``f_μ >= 0``: one factorisation
moves any number of units on to their kinks and off them. Once the right ones are held, it is
Newton's step along the kinks. Most masks and forces stay what they are: the program is solved for
the others alone, a working set that grows by what a step crosses against its mask.
"""

import torch
from torch import Tensor

from networks.models import backprop
from networks.models.dense_hessian import add_gram, tangent
from networks.training.box_qp import minimise_in_box
from networks.training.kinks import Kinks, KinkState, Trial

_STIFF = 10.0  # curvature given to held kinks, relative to that of the energy
_SPHERE = 1e3  # curvature given to the normal of the sphere, relative to the largest
FLOOR = 1e-6  # smallest damping of a variable, relative to the largest
_LIKELY = 8  # variables for each kink that the working set begins with, beside those held


class Expansion:
    """The piecewise quadratic model ``m(d)`` of the energy at a point.

    ``near`` marks the pairs whose kinks are in it, as many as variables; ``satisfied`` lists the
    patterns whose gaps are, half as many. Adding curvature across the kinks that are held does not
    move the minimum while they stay held, and makes the Hessian positive where only kinks hold.
    Vectors over both list the kinks, layer after layer, and then the gaps: ``offsets``, ``e z`` and
    ``Δ``; ``start``, the masks and forces at the point; their largest values ``upper``; and
    ``softness``, 0 and 1.
    """

    def __init__(self, point: KinkState) -> None:
        self.point = point
        self.hessian, self.linear = point.hessian(), point.gradient.clone()
        self.scale = _stiffness_diagonal(point)
        self.scale.clamp_(min=FLOOR * float(self.scale.max()))
        self.near = nearest_kinks(point)
        self.e, self.z = point.e[self.near], point.z[self.near]
        self._stiffen(point)
        self.satisfied = _nearest_gaps(point)
        self._beyond = point.everywhere.rows(self.satisfied)
        self.offsets = torch.cat([self.e * self.z, point.gaps[self.satisfied]])
        forces = self.e.new_zeros(len(self.satisfied))
        self.softness = torch.cat([torch.zeros_like(self.e), forces + 1])
        self.upper = torch.where(self.softness > 0, torch.inf, 1.0)
        self.start = torch.cat([point.masks[self.near], forces])

    def fall(self, d: Tensor) -> float:
        """Return ``m(0) - m(d)``."""
        k = len(self.e)
        before, along = self.offsets, self.along(d)
        after = before + along
        smooth = float(self.linear @ d + 0.5 * d @ (self.hessian @ d) - self.start @ along)
        kinks = float((after[:k].clamp(min=0) - before[:k].clamp(min=0)).sum())
        return -smooth - kinks - 0.5 * float(after[k:].clamp(min=0).square().sum())

    def along(self, d: Tensor) -> Tensor:
        """Return what ``d`` adds to the offsets."""
        problem, w = self.point.problem, self.point.w
        z, _ = tangent(problem.mlp, w, self.point.state, d)
        _, output = tangent(problem.mlp, w, self._beyond, d)
        return torch.cat([self.e * z[self.near], -problem.labels[self.satisfied] * output])

    def rows(self, chosen: Tensor) -> Tensor:
        """Return the derivatives of some offsets, ``(k, n_dof)``, in their order."""
        k, problem = len(self.e), self.point.problem
        pairs = torch.zeros_like(self.near)
        pairs[self.near] = chosen[:k]
        crossing = self.point.rows(pairs).mul_(self.e[chosen[:k], None])
        state, labels = self._beyond.rows(chosen[k:]), problem.labels[self.satisfied[chosen[k:]]]
        return torch.cat([crossing, backprop.jacobian(problem.mlp, self.point.w, state, -labels)])

    def likely(self) -> Tensor:
        """Mark the kinks that are held and those next to zero."""
        found = torch.zeros_like(self.start, dtype=torch.bool)
        held, k = self.point.held[self.near], len(self.e)
        distance = torch.where(held, -1.0, self.z.abs() / self.e)
        count = min(k, int(held.sum()) + len(self.point.w) // _LIKELY + 1)
        found[torch.topk(distance, count, largest=False).indices] = True
        return found

    def offsets_at(self, there: Trial, d: Tensor) -> Tensor:
        """Return the offsets for which the linearised kinks and gaps at ``d`` are those there."""
        z = there.z[self.near]
        return torch.cat([self.e * z, there.gaps[self.satisfied]]) - self.along(d)

    def after(self, d: Tensor, multipliers: Tensor) -> KinkState:
        """Return the state after a step with these masks and forces."""
        point = self.point
        return KinkState(point.problem, point.moved(d), self._kinks(multipliers), point.radius)

    def _kinks(self, multipliers: Tensor) -> Kinks:
        """Return the pairs in the model with their masks."""
        masks = torch.zeros_like(self.point.masks)
        masks[self.near] = multipliers[: len(self.e)]
        return self.point.kept(self.near, masks)

    def _stiffen(self, point: KinkState) -> None:
        held = point.held & self.near
        rows = point.rows(held)
        stiffness = _STIFF / (rows.square() / self.scale).sum(dim=1)
        self.linear += rows.T @ (stiffness * point.z[held])
        add_gram(self.hessian, rows.mul_(stiffness.sqrt()[:, None]))
        if point.radius is not None:
            normal = point.w / point.radius
            self.hessian.addr_(normal, normal, alpha=_SPHERE * float(self.scale.max()))


class Damped:
    """An expansion with damping, factorised: ``H + λD = LLᵀ`` with ``D`` the diagonal of ``H0``.

    The damping is that of Marquardt (SIAM J. Appl. Math. 11, 431 (1963)): no rescaling of a unit
    changes what it does. The dual is kept for the working set from one minimum to the next.
    """

    def __init__(self, expansion: Expansion, factor: Tensor) -> None:
        self.expansion, self.factor = expansion, factor
        self._linear = _lower(factor, expansion.linear[:, None])[:, 0]
        self._working = torch.zeros_like(expansion.start, dtype=torch.bool)
        self._order = torch.zeros(0, dtype=torch.long, device=factor.device)
        self._rows = factor.new_zeros(0, len(factor))  # of the working set, times L⁻ᵀ
        self._dual = factor.new_zeros(0, 0)
        self._take(expansion.likely())

    @classmethod
    def of(cls, expansion: Expansion, damping: float) -> "Damped | None":
        """Factorise, or return None if ``H + λD`` is not positive definite."""
        matrix = expansion.hessian.clone()
        matrix.diagonal().add_(expansion.scale, alpha=damping)
        factor, failed = torch.linalg.cholesky_ex(matrix.mT)  # symmetric: the order of LAPACK
        return None if failed else cls(expansion, factor)

    def minimum(self, offsets: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """Return the step ``(n_dof,)`` to the minimum, and the masks and forces there.

        ``start`` is the minimum for other offsets, or that of the expansion.
        """
        model, found = self.expansion, start.clone()
        while True:
            before, chosen = model.start[self._order], self._order
            linear = self._rows @ self._linear - offsets[chosen] - self._dual @ before
            found[chosen] = minimise_in_box(self._dual, linear, found[chosen], model.upper[chosen])
            pull = self._linear + (found[chosen] - before) @ self._rows
            d = -torch.linalg.solve_triangular(self.factor.mT, pull[:, None], upper=True)[:, 0]
            slope = model.softness * found - offsets - model.along(d)
            gains = ((found < model.upper) & (slope < 0)) | ((found > 0) & (slope > 0))
            crossed = gains & ~self._working
            if not crossed.any():
                return d, found
            self._take(crossed)

    def _take(self, chosen: Tensor) -> None:
        """Add some of the masks and forces to the working set."""
        self._working |= chosen
        self._order = torch.cat([self._order, torch.nonzero(chosen)[:, 0]])
        rows = _lower(self.factor, self.expansion.rows(chosen).T).T
        before, k = self._dual, len(self._rows)
        self._dual = before.new_zeros(k + len(rows), k + len(rows))
        self._dual[:k, :k] = before
        torch.mm(self._rows, rows.T, out=self._dual[:k, k:])
        self._dual[k:, :k] = self._dual[:k, k:].T
        add_gram(self._dual[k:, k:], rows.T)
        self._dual.diagonal()[k:] += self.expansion.softness[chosen]
        self._rows = torch.cat([self._rows, rows])


def _lower(factor: Tensor, right: Tensor) -> Tensor:
    solved: Tensor = torch.linalg.solve_triangular(factor, right, upper=False)
    return solved


def _stiffness_diagonal(point: KinkState) -> Tensor:
    """Return ``Σ_μ (∂Δ_μ/∂w_i)²`` over violated patterns, the diagonal of ``H0``."""
    deltas = backprop.signals(point.problem.mlp, point.w, point.state)
    squares = [
        (delta.square().T @ a.square()).reshape(-1)
        for delta, a in zip(deltas, point.state.inputs, strict=True)
    ]
    return torch.cat(squares)


def nearest_kinks(point: KinkState) -> Tensor:
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


def _nearest_gaps(point: KinkState) -> Tensor:
    """Return the satisfied patterns that the shortest steps violate."""
    mlp = point.problem.mlp
    satisfied = torch.nonzero(point.gaps <= 0)[:, 0]
    state = point.everywhere.rows(satisfied)
    steepness = satisfied.new_zeros(len(satisfied), dtype=point.w.dtype)
    for delta, a in zip(backprop.signals(mlp, point.w, state), state.inputs, strict=True):
        steepness += delta.square().sum(dim=1) * a.square().sum(dim=1)
    distance = -point.gaps[satisfied] / steepness.sqrt().clamp_(min=1e-300)
    count = min(len(satisfied), len(point.w) // 2)
    return satisfied[torch.topk(distance, count, largest=False).indices]

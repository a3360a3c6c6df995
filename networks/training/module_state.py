"""States of a module with masks held at the kinks of its units, and the model of a step there.

What `networks.training.kinks` and `networks.training.piecewise` are for fully connected networks,
with derivatives by torch: a pair is a pattern and one of the ``U`` units that it passes, whatever
layers these are in, and a pattern may have several gaps.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from networks.models.module import ModuleProblem, gradients
from networks.models.pieces import Tape
from networks.training.kinks import _TOUCHING, KinkState
from networks.training.piecewise import _FLOOR, Expansion, _nearest_kinks


@dataclass(frozen=True, eq=False)
class HeldUnits:
    """Pairs that are held at their kink, and the fractions at which they are: both ``(P, U)``."""

    held: Tensor
    masks: Tensor

    @classmethod
    def none(cls, problem: ModuleProblem) -> "HeldUnits":
        """Return the empty set."""
        shape = (len(problem.demands), len(problem.units))
        masks = problem.demands.shifts.new_zeros(shape)
        return cls(masks > 0, masks)


class ModuleState(KinkState):
    """The energy of a module and its generalised gradient at ``w``, with masks held at kinks.

    Attributes are those of `networks.training.kinks.KinkState`; ``gaps`` is ``(P k,)``, and
    ``violated`` the places of those above zero. Arrays of kinks are ``(p, U)``, over the ``p``
    patterns ``active`` with a violated gap. ``bent`` is a curvature ``Σ Δ ∇²Δ`` to use in place of
    that of this point, which costs most of a step.
    """

    def __init__(
        self,
        problem: ModuleProblem,
        w: Tensor,
        kinks: HeldUnits,
        radius: float | None = None,
        bent: Tensor | None = None,
    ) -> None:
        self.module_problem, self.w, self.units, self.radius = problem, w, kinks, radius
        tape = Tape()
        with torch.no_grad():
            output = problem.passes.outputs(w, problem.inputs, tape)
            self.gaps = problem.demands.gaps(output).reshape(-1)
        self.violated = torch.nonzero(self.gaps > 0)[:, 0]
        self.force = self.gaps[self.violated]
        self.energy = 0.5 * float(self.force @ self.force)
        self.active = torch.unique(self.violated // problem.demands.per_pattern)
        self.pieces: tuple[Tensor, Tensor] | None = None
        self.z = self.e = self.masks = self.force.new_zeros(len(self.active), len(problem.units))
        self.held = self.fractional = self.z > 0
        if len(problem.units):
            z = torch.cat([each.reshape(len(output), -1) for each in tape.z], dim=1)
            self._hold_units(z, kinks)
        else:
            self.flat = self._gradients(None)[0]
        self.pull = 0.0 if radius is None else -float(self.flat @ w) / float(w @ w)
        self.gradient = self.flat + self.pull * w
        self.given = bent

    @cached_property
    def jacobian(self) -> Tensor:
        """The rows of the violated gaps, ``(N_Δ, n_dof)``."""
        return self.module_problem.jacobian(self.w, self.violated, self.pieces)

    @cached_property
    def residual(self) -> float:  # type: ignore[override]
        """Largest component of the gradient, relative to the forces that balance."""
        scale = float((self.force @ self.jacobian.abs()).max()) if len(self.force) else 0.0
        return float(self.gradient.abs().max()) / scale if scale else 0.0

    @property
    def offset(self) -> float:  # type: ignore[override]
        """Largest ``|z - c|`` of a held pair."""
        z = self.distance[self.held] if len(self.z) and self.z.numel() else self.z
        return float(z.abs().max()) if z.numel() else 0.0

    @property
    def distance(self) -> Tensor:
        """``z - c`` of each pair from the kink next to it, ``(p, U)``."""
        return self.z

    @cached_property
    def bent(self) -> Tensor:
        """``Σ Δ ∇²Δ`` with the masks: of this point, or of one before it."""
        return self.own_bent if self.given is None else self.given

    @cached_property
    def own_bent(self) -> Tensor:
        """``Σ Δ ∇²Δ`` of this point, ``(n_dof, n_dof)``."""
        return self.module_problem.bent(self.w, self.violated, self.force, self.pieces)

    @property
    def is_fresh(self) -> bool:
        """Whether the curvature is that of this point."""
        return self.given is None

    def hessian(self) -> Tensor:
        """Return ``∂²U`` with the masks; on the sphere, that of ``U + ½ν|w|²``."""
        found = self.jacobian.T @ self.jacobian
        found += self.bent
        found.diagonal().add_(self.pull)
        return found

    def rows(self, pairs: Tensor) -> Tensor:
        """Return ``∂z/∂w`` of the chosen pairs, ``(k, n_dof)``."""
        if self.pieces is None or not pairs.any():
            return self.w.new_zeros(0, len(self.w))
        place, units = torch.nonzero(pairs).unbind(1)
        patterns = self.active[place]
        pieces = (self.pieces[0][patterns], self.pieces[1][patterns])
        inputs = self.module_problem.inputs[patterns]
        return self.module_problem.passes.unit_rows(self.w, inputs, units, pieces)

    def silent_energy(self) -> float:
        """Return the energy of gaps without slope along the first parameters."""
        first = next(iter(self.module_problem.passes.trained().values())).numel()
        silent = ~(self.jacobian[:, :first] != 0).any(dim=1)
        return 0.5 * float(self.force[silent].square().sum())

    def _hold_units(self, everywhere: Tensor, kinks: HeldUnits) -> None:
        """Set the masks and pieces, and the signals ``e`` into the units that follow from them."""
        units = self.module_problem.units
        slopes, offsets = units.pieces(everywhere)
        z = everywhere[self.active]
        position, value, below, jump = units.nearest(z)
        self.z, masks = z - position, kinks.masks[self.active]
        self.position = position
        self.fractional = (masks > 0) & (masks < 1)
        touching = self.fractional | (self.z.abs() < _TOUCHING)
        self.held = kinks.held[self.active] & touching & torch.isfinite(position)
        while True:
            self.masks = torch.where(self.held, masks, (self.z > 0).to(z.dtype))
            steep = below + jump * self.masks
            slopes[self.active], offsets[self.active] = steep, value - steep * position
            self.pieces = (slopes, offsets)
            self.flat, into = self._gradients(self.pieces)
            self.e = jump * into * units.moving
            concave = self.held & (self.e <= 0)
            if not concave.any():
                return
            self.held = self.held & ~concave

    def _gradients(self, pieces: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor]:
        """Return ``∂U/∂w``, ``(n_dof,)``, and ``∂U/∂a`` of every pair, ``(p, U)``."""
        problem, index = self.module_problem, self.active
        if not len(index):
            return torch.zeros_like(self.w), self.z
        w = self.w.clone().requires_grad_()
        tape = Tape() if pieces is None else Tape((pieces[0][index], pieces[1][index]))
        output = problem.passes.outputs(w, problem.inputs[index], tape)
        forces = torch.zeros_like(self.gaps)
        forces[self.violated] = self.force
        weights = forces.view(-1, problem.demands.per_pattern)[index]
        total = (problem.demands.gaps(output, index) * weights).sum()
        acts = tape.a if pieces is not None else []
        found = gradients(total, [w, *acts])
        into = [g.reshape(len(index), -1) for g in found[1:]]
        return found[0], torch.cat(into, dim=1) if into else self.z


class ModuleExpansion(Expansion):
    """The piecewise quadratic model of the energy of a module: see `Expansion`."""

    point: ModuleState

    def __init__(self, point: ModuleState) -> None:
        self.point = point
        self.hessian, self.linear = point.hessian(), point.gradient.clone()
        self.scale = point.jacobian.square().sum(dim=0)
        self.scale.clamp_(min=_FLOOR * float(self.scale.max()))
        self.near = _nearest_kinks(point) if point.z.numel() else point.held
        self.e, self.z = point.e[self.near], point.z[self.near]
        kink_rows = self.e[:, None] * point.rows(self.near)
        self._stiffen(point)
        count = min(len(point.gaps) - len(point.violated), len(point.w) // 2)
        closest = torch.where(point.gaps <= 0, -point.gaps, torch.inf)
        self.satisfied = torch.topk(closest, count, largest=False).indices
        jacobian = point.module_problem.jacobian(point.w, self.satisfied, point.pieces)
        self._rows = torch.cat([kink_rows, jacobian])
        self.offsets = torch.cat([self.e * self.z, point.gaps[self.satisfied]])
        self.softness = torch.cat([torch.zeros_like(self.e), self.e.new_ones(count)])
        self.upper = torch.where(self.softness > 0, torch.inf, 1.0)
        self.start = torch.cat([point.masks[self.near], self.e.new_zeros(count)])

    def along(self, d: Tensor) -> Tensor:
        """Return what ``d`` adds to the offsets."""
        return self._rows @ d

    def rows(self, chosen: Tensor) -> Tensor:
        """Return the derivatives of some offsets, ``(k, n_dof)``."""
        return self._rows[chosen]

    def offsets_there(self, z: Tensor, gaps: Tensor, d: Tensor) -> Tensor:
        """Return the offsets for which the linearised kinks and gaps at ``d`` are those there."""
        near = (z[self.point.active] - self.point.position)[self.near] if len(self.e) else self.z
        return torch.cat([self.e * near, gaps[self.satisfied]]) - self.along(d)

    def held_units(self, multipliers: Tensor) -> HeldUnits:
        """Return the pairs in the model with their masks."""
        point, found = self.point, HeldUnits.none(self.point.module_problem)
        masks = torch.zeros_like(point.masks)
        masks[self.near] = multipliers[: len(self.e)]
        found.masks[point.active] = masks
        found.held[point.active] = self.near
        return found

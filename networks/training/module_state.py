"""States of a module with masks held at the kinks of its units, and the model of a step there.

What `networks.training.kinks` and `networks.training.piecewise` are for fully connected networks,
with derivatives by torch: a pair is a pattern and one of the ``U`` units that it passes, whatever
layers these are in, and a pattern may have several gaps.
"""

from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from networks.models.module import ModuleProblem, gradients
from networks.models.pieces import Tape
from networks.training.kinks import BLUR, ROUNDING, TOUCHING, Kinks, KinkState, Trial
from networks.training.piecewise import FLOOR, Expansion, nearest_kinks

_SLOW = 0.1  # a step that leaves more of the force with an old curvature has the next one renewed


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
        kinks: Kinks | None = None,
        radius: float | None = None,
        bent: Tensor | None = None,
    ) -> None:
        self.module_problem, self.w, self.radius = problem, w, radius
        self.kinks = none(problem) if kinks is None else kinks
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
            self._hold_units(z, self.kinks)
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

    def fresh(self) -> Self:
        """Return the state with its own curvature."""
        self.bent, self.given = self.own_bent, None
        return self

    def beside(self, d: Tensor) -> "ModuleState":
        """Return the state after a step, with the masks of this one."""
        return ModuleState(self.module_problem, self.moved(d), self.kinks, self.radius)

    def trial(self, d: Tensor) -> Trial:
        """Return what a step would lead to, without the forces there."""
        problem, tape = self.module_problem, Tape()
        with torch.no_grad():
            output = problem.passes.outputs(self.moved(d), problem.inputs, tape)
            gaps = problem.demands.gaps(output).reshape(-1)
        if not len(problem.units):
            return Trial(self.z, gaps)
        z = torch.cat([each.reshape(len(output), -1) for each in tape.z], dim=1)
        return Trial(z[self.active] - self.position, gaps)

    def kept(self, held: Tensor, masks: Tensor) -> Kinks:
        """Return some pairs of the active patterns, and their masks, among those of all."""
        found = none(self.module_problem)
        found.held[self.active], found.masks[self.active] = held, masks
        return found

    def rounding(self) -> float:
        """Return the falls of the energy that rounding hides: of its sum, and of small gaps."""
        blurred = self.force + abs(self.module_problem.margin)
        return ROUNDING * self.energy + BLUR * float(self.force @ blurred)

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

    def _hold_units(self, everywhere: Tensor, kinks: Kinks) -> None:
        """Set the masks and pieces, and the signals ``e`` into the units that follow from them."""
        units = self.module_problem.units
        slopes, offsets = units.pieces(everywhere)
        z = everywhere[self.active]
        position, value, below, jump = units.nearest(z)
        self.z, masks = z - position, kinks.masks[self.active]
        self.position = position
        self.fractional = (masks > 0) & (masks < 1)
        touching = self.fractional | (self.z.abs() < TOUCHING)
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
        self.scale.clamp_(min=FLOOR * float(self.scale.max()))
        self.near = nearest_kinks(point) if point.z.numel() else point.held
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

    def after(self, d: Tensor, multipliers: Tensor) -> ModuleState:
        """Return the state after a step with these masks and forces.

        It has the curvature of this point while forces fall fast enough.
        """
        here, kinks = self.point, self._kinks(multipliers)
        problem, w = here.module_problem, here.moved(d)
        there = ModuleState(problem, w, kinks, here.radius, here.bent)
        if not here.is_fresh and there.error >= _SLOW * here.error:
            there.given = None
        return there


def none(problem: ModuleProblem) -> Kinks:
    """Return the empty set of held pairs."""
    masks = problem.demands.shifts.new_zeros((len(problem.demands), len(problem.units)))
    return Kinks(masks > 0, masks)

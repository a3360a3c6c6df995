"""States of a network that sit on kinks, with fractional masks, and when they are minima.

At a kink ``z_k = 0`` of a pattern and a unit, the mask of the unit may be any ``t_k`` in
``[0, 1]``. A point is stationary (in the sense of Clarke) if some choice of masks makes the
gradient vanish: a kink is a constraint, and ``t_k`` times the signal ``e_k`` into the unit its
force. With ``0 < t_k < 1`` and ``e_k > 0`` the energy rises to first order in every direction
that leaves a kink; if its Hessian is positive along those that keep all of them, it is a minimum.
Kinks of one pattern in several layers are no exception: ``max(z, 0) >= t z`` for each in turn.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from networks import passes
from networks.dense import Pairs, force_scale, hessian, preactivation_jacobian
from networks.margin import HingeNetwork

_TOUCHING = 1e-10  # |z| below this is zero to rounding: its sign says nothing
_FLAT = 1e-9  # eigenvalues below this part of the largest are flat directions


@dataclass(frozen=True, eq=False)
class Kinks:
    """A set of (pattern, unit) pairs of each hidden layer, and their masks.

    ``held`` is boolean and ``masks`` holds the fraction of each held pair, both ``(depth, P,
    width)``. Pairs that are not held have the mask of their sign, and so do held ones whose mask
    is 0 or 1, unless they touch their kink.
    """

    held: Tensor
    masks: Tensor

    @classmethod
    def none(cls, problem: HingeNetwork) -> "Kinks":
        """Return the empty set."""
        shape = (problem.mlp.depth, len(problem.patterns), problem.mlp.width)
        masks = problem.inputs.new_zeros(shape)
        return cls(masks.to(torch.bool), masks)


class Point:
    """The energy and its generalised gradient at ``w``, with masks held at kinks.

    Arrays of kinks cover the violated patterns only, ``(depth, N_Δ, width)``: the others exert no
    force. A pair whose kink is concave (``e <= 0``) can hold nothing and is released.

    Parameters
    ----------
    problem, w
        The network's problem and its parameters, ``(n_dof,)``.
    kinks
        The pairs held at their kink, and their masks.
    radius
        The norm ``|w|`` if it is held: the gradient is then that on the sphere.

    Attributes
    ----------
    gradient
        ``∇U`` with the masks, ``(n_dof,)``.
    pull
        Multiplier ``ν`` of the norm, ``-w·∇U/|w|²``: positive where larger weights fit better.
    residual
        Largest component of the gradient, relative to the forces that balance.
    offset
        Largest ``|z_k|`` of a held pair.
    fractional
        Held pairs with a mask between 0 and 1: they resist to both sides.
    """

    def __init__(
        self, problem: HingeNetwork, w: Tensor, kinks: Kinks, radius: float | None = None
    ) -> None:
        mlp = problem.mlp
        self.problem, self.w, self.kinks, self.radius = problem, w, kinks, radius
        self.everywhere = passes.forward(mlp, w, problem.inputs)
        self.gaps = problem.margin - problem.labels * self.everywhere.output
        self.violated = torch.nonzero(self.gaps > 0)[:, 0]
        force = self.gaps[self.violated]
        self.energy = 0.5 * float(force @ force)
        self.weights = -problem.labels[self.violated] * force
        self._hold(kinks)
        gradient = passes.gradient(mlp, w, self.state, self.weights)
        self.pull = 0.0 if radius is None else -float(gradient @ w) / float(w @ w)
        self.gradient = gradient + self.pull * w
        scale = force_scale(mlp, w, self.state, self.weights)
        self.residual = float(self.gradient.abs().max()) / scale if scale else 0.0
        z = self.z[self.held]
        self.offset = float(z.abs().max()) if len(z) else 0.0

    @property
    def error(self) -> float:
        """The residual or the offset, whichever is larger."""
        return max(self.residual, self.offset)

    def hessian(self) -> Tensor:
        """Return ``∂²U`` with the masks of the point; on the sphere, that of ``U + ½ν|w|²``."""
        smooth = self.problem.mlp.sigma.symmetry != "homogeneous"
        curvatures = passes.curvatures(self.problem.mlp.sigma, self.state) if smooth else None
        found = hessian(self.problem.mlp, self.w, self.state, self.weights, curvatures)
        found.diagonal().add_(self.pull)
        return found

    def rows(self, pairs: Tensor) -> Tensor:
        """Return ``∂z_k/∂w`` of the chosen pairs, ``(k, n_dof)``, layer after layer."""
        index: Pairs = [(p[:, 0], p[:, 1]) for p in map(torch.nonzero, pairs)]
        return preactivation_jacobian(self.problem.mlp, self.w, self.state, index)

    def way_down(self) -> Tensor | None:
        """Return a direction ``(n_dof,)`` that lowers the energy where forces balance, or None.

        That is across a concave kink that is touched, or along the kinks and the sphere where the
        Hessian is negative. Kinks with a mask of 0 or 1 resist to one side only.
        """
        touched = self._touched_concave()
        if touched.any():
            first = torch.zeros_like(touched)
            first.view(-1)[int(torch.nonzero(touched.flatten())[0])] = True
            row = self.rows(first)[0]
            return row if float(self.masks[first]) == 0 else -row
        matrix, rows = self.hessian(), self.rows(self.held & self.fractional)
        if self.radius is not None:
            rows = torch.cat([rows, self.w[None]])
        along = torch.eye(len(self.w), dtype=self.w.dtype, device=self.w.device)
        if len(rows):
            along = torch.linalg.svd(rows, full_matrices=True)[2][len(rows) :]
            matrix = along @ matrix @ along.T
        if not len(matrix):
            return None
        values, modes = torch.linalg.eigh(matrix)
        return None if values[0] > -_FLAT * values[-1].abs() else modes[:, 0] @ along

    def _touched_concave(self) -> Tensor:
        if self.problem.mlp.sigma.symmetry != "homogeneous" or not self.e.numel():
            return torch.zeros_like(self.held)
        return (self.z.abs() < _TOUCHING) & (self.e < -_FLAT * self.e.abs().max())

    def _hold(self, kinks: Kinks) -> None:
        """Set the masks, and the signals ``e`` into the units that follow from them."""
        mlp, state = self.problem.mlp, self.everywhere.rows(self.violated)
        self.z = torch.stack(state.preactivations)
        sharp, masks = torch.stack(state.slopes), kinks.masks[:, self.violated]
        self.fractional = (masks > 0) & (masks < 1)
        self.held = kinks.held[:, self.violated] & (self.fractional | (self.z.abs() < _TOUCHING))
        layers = passes.layers(mlp, self.w)
        while True:
            self.masks = torch.where(self.held, masks, sharp)
            self.state = state.with_slopes(list(self.masks))
            into = [
                delta * self.weights[:, None] for delta in passes.signals(mlp, self.w, self.state)
            ]
            self.e = torch.stack(
                [above @ w[:, :-1] for above, w in zip(into[1:], layers[1:], strict=True)]
            )
            self._share()
            concave = self.held & (self.e <= 0)
            if not concave.any():
                return
            self.held = self.held & ~concave

    def _share(self) -> None:
        """Give patterns that are alike above a layer one kink there: the mean of their signals.

        Where a layer is silent, what is above it is the same for all its patterns, and no step
        can part them; the kink of one of them may be concave alone.
        """
        silent = ~(self.held | (self.masks > 0)).any(dim=2)
        for below in range(len(self.e) - 1):
            topmost = silent[below]
            for layer in range(below + 1, len(self.e)):
                if int(topmost.sum()) > 1:
                    self.e[layer, topmost] = self.e[layer, topmost].mean(dim=0)
                topmost = topmost & ~silent[layer]

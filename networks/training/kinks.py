"""States of a network that sit on kinks, with fractional masks, and when they are minima.

At a kink ``z_k = c`` of a pattern and a unit, where the slope of the unit jumps from ``s`` by
``j``, it may be any ``s + j t_k`` with the mask ``t_k`` in ``[0, 1]``. A point is stationary (in
the sense of Clarke) if some choice of masks makes the gradient vanish: a kink is a constraint, and
``t_k`` times ``e_k``, the signal into the unit times ``j``, its force. With ``0 < t_k < 1`` and
``e_k > 0`` the energy rises to first order in every direction that leaves a kink; if its Hessian
is positive along those that keep all of them, it is a minimum. Kinks of one pattern in several
layers are no exception: ``max(z - c, 0) >= t (z - c)`` for each in turn.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from networks.models import backprop
from networks.models.dense_hessian import Pairs, force_scale, hessian, preactivation_jacobian
from networks.models.hinge import HingeNetwork

TOUCHING = 1e-10  # |z| below this is zero to rounding: its sign says nothing
_FLAT = 1e-9  # eigenvalues below this part of the largest are flat directions
_DEPENDENT = 1e-10  # singular values below this part of the largest vanish
_EVEN = 1e-8  # forces at kinks that cancel to this part of their sum are balanced
ROUNDING = 1e-13  # relative falls of the energy below this are not seen
BLUR = 2e-15  # and of a gap, relative to what it is the difference of


@dataclass(frozen=True, eq=False)
class Kinks:
    """A set of (pattern, unit) pairs of each hidden layer, and their masks.

    ``held`` is boolean and ``masks`` holds the fraction of each held pair, both ``(depth, P,
    width)``, or ``(P, U)`` of a module. Pairs that are not held have the mask of their sign, and so
    do held ones whose mask is 0 or 1, unless they touch their kink.
    """

    held: Tensor
    masks: Tensor

    @classmethod
    def none(cls, problem: HingeNetwork) -> "Kinks":
        """Return the empty set."""
        shape = (problem.mlp.depth, len(problem.patterns), problem.mlp.width)
        masks = problem.inputs.new_zeros(shape)
        return cls(masks.to(torch.bool), masks)


@dataclass(frozen=True, eq=False)
class Trial:
    """What a step would lead to: distances from the kinks as `KinkState.z` has them, and gaps."""

    z: Tensor
    gaps: Tensor

    @property
    def energy(self) -> float:
        """``U`` there."""
        return 0.5 * float(self.gaps.clamp(min=0).square().sum())


class KinkState:
    """The energy and its generalised gradient at ``w``, with masks held at kinks.

    Arrays of kinks cover the violated patterns only, ``(depth, N_Δ, width)``: the others exert no
    force. Each pair has the kink next to it: no step needs a pair's other one. A pair whose kink
    is concave (``e <= 0``) can hold nothing and is released.

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
    position, z
        The kink ``c`` next to each pair, and its distance ``z - c`` above it.
    e
        What a pair would add to the gradient from its kink on: the signal into it times the jump.
    offset
        Largest ``|z_k - c|`` of a held pair.
    fractional
        Held pairs with a mask between 0 and 1: they resist to both sides.
    """

    def __init__(
        self, problem: HingeNetwork, w: Tensor, kinks: Kinks, radius: float | None = None
    ) -> None:
        mlp = problem.mlp
        self.problem, self.w, self.kinks, self.radius = problem, w, kinks, radius
        self.everywhere = backprop.forward(mlp, w, problem.inputs)
        self.gaps = problem.margin - problem.labels * self.everywhere.output
        self.violated = torch.nonzero(self.gaps > 0)[:, 0]
        force = self.gaps[self.violated]
        self.energy = 0.5 * float(force @ force)
        self.weights = -problem.labels[self.violated] * force
        self._hold(kinks)
        gradient = backprop.gradient(mlp, w, self.state, self.weights)
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

    @property
    def is_fresh(self) -> bool:
        """Whether its Hessian is that of the point, and not in part of one before it."""
        return True

    def fresh(self) -> Self:
        """Return the state with a Hessian of its own."""
        return self

    def moved(self, d: Tensor) -> Tensor:
        """Return the parameters after a step ``d``, ``(n_dof,)``; on the sphere if that is held."""
        w = self.w + d
        return w if self.radius is None else w * (self.radius / float(w.norm()))

    def beside(self, d: Tensor) -> "KinkState":
        """Return the state after a step, with the masks of this one."""
        return KinkState(self.problem, self.moved(d), self.kinks, self.radius)

    def trial(self, d: Tensor) -> Trial:
        """Return what a step would lead to, without the forces there."""
        problem = self.problem
        there = backprop.forward(problem.mlp, self.moved(d), problem.inputs)
        z = torch.stack([z[self.violated] for z in there.preactivations]) - self.position
        return Trial(z, problem.margin - problem.labels * there.output)

    def kept(self, held: Tensor, masks: Tensor) -> Kinks:
        """Return some pairs of the violated patterns, and their masks, among those of all."""
        found = Kinks.none(self.problem)
        found.held[:, self.violated], found.masks[:, self.violated] = held, masks
        return found

    def rounding(self) -> float:
        """Return the falls of the energy that rounding hides: of its sum, and of small gaps."""
        force = self.gaps[self.violated]
        blurred = self.problem.margin + self.everywhere.output[self.violated].abs()
        return ROUNDING * self.energy + BLUR * float(force @ blurred.abs_())

    def hessian(self) -> Tensor:
        """Return ``∂²U`` with the masks of the point; on the sphere, that of ``U + ½ν|w|²``."""
        curvatures = backprop.curvatures(self.problem.mlp.sigma, self.state)
        found = hessian(self.problem.mlp, self.w, self.state, self.weights, curvatures)
        found.diagonal().add_(self.pull)
        return found

    def rows(self, pairs: Tensor) -> Tensor:
        """Return ``∂z_k/∂w`` of the chosen pairs, ``(k, n_dof)``, layer after layer."""
        index: Pairs = [(p[:, 0], p[:, 1]) for p in map(torch.nonzero, pairs)]
        return preactivation_jacobian(self.problem.mlp, self.w, self.state, index)

    def way_down(self) -> Tensor | None:
        """Return a direction ``(n_dof,)`` that lowers the energy where forces balance, or None.

        It keeps to the sphere and to the kinks with fractional masks. Either it crosses concave
        kinks that are touched, and the energy falls to first order; or the Hessian is negative
        along it. A kink with a mask of 0 or 1 resists to one side only.
        """
        kinks = self._touched()
        fixed = self.rows(self.held & self.fractional)
        if self.radius is not None:
            fixed = torch.cat([fixed, self.w[None]])
        matrix = self.hessian()
        while len(along := _complement(fixed, len(self.w))):
            across = kinks.crossings(along)
            if across is not None:
                return across
            within, largest = along @ matrix @ along.T, float(matrix.abs().max())
            if _is_positive(within, _FLAT * largest):
                return None
            values, modes = torch.linalg.eigh(within)
            largest = max(float(values.abs().max()), largest)
            if values[0] >= -_FLAT * largest:
                return None
            down = kinks.open_side(modes[:, 0] @ along)
            resisting = kinks.resisting(down)
            if not len(resisting):
                return down
            fixed = torch.cat([fixed, resisting])
        return None

    def _touched(self) -> "_Touched":
        """Return the pairs at their kink that a fractional mask does not hold."""
        pairs = torch.zeros_like(self.held)
        if self.e.numel():
            bent = self.e.abs() > _FLAT * self.e.abs().max()
            pairs = (self.z.abs() < TOUCHING) & bent & ~(self.held & self.fractional)
        return _Touched(self.rows(pairs), self.e[pairs], self.masks[pairs])

    def _hold(self, kinks: Kinks) -> None:
        """Set the masks, and the signals ``e`` into the units that follow from them."""
        mlp, state = self.problem.mlp, self.everywhere.rows(self.violated)
        z, sharp = torch.stack(state.preactivations), torch.stack(state.slopes)
        self.position, below, jump = mlp.sigma.nearest_kink(z)
        self.z, masks = z - self.position, kinks.masks[:, self.violated]
        self.fractional = (masks > 0) & (masks < 1)
        self.held = kinks.held[:, self.violated] & (self.fractional | (self.z.abs() < TOUCHING))
        layers = backprop.layers(mlp, self.w)
        while True:
            self.masks = torch.where(self.held, masks, (self.z > 0).to(z.dtype))
            slopes = torch.where(self.held, below + jump * masks, sharp)
            self.state = state.with_slopes(list(slopes))
            into = [
                delta * self.weights[:, None] for delta in backprop.signals(mlp, self.w, self.state)
            ]
            self.e = jump * torch.stack(
                [above @ w[:, :-1] for above, w in zip(into[1:], layers[1:], strict=True)]
            )
            self._share()
            concave = self.held & (self.e <= 0)
            if not concave.any():
                return
            self.held = self.held & ~concave

    def _share(self) -> None:
        """Give patterns that are alike above a layer one kink there: the mean of their signals.

        Where all units of a layer have no slope, what is above it is the same for all patterns on
        which they put out the same, and no step can part those; the kink of one of them may be
        concave alone.
        """
        silent = ~(self.held | (torch.stack(self.state.slopes) != 0)).any(dim=2)
        for below in range(len(self.e) - 1):
            topmost = silent[below]
            for layer in range(below + 1, len(self.e)):
                if int(topmost.sum()) > 1:
                    output = self.state.inputs[below + 1][topmost]
                    self.e[layer, topmost] = _mean_of_equals(output, self.e[layer, topmost])
                topmost = topmost & ~silent[layer]


@dataclass(frozen=True, eq=False)
class _Touched:
    """Kinks that are touched: ``rows``, ``(k, n_dof)``, signals ``e`` and masks of 0 or 1."""

    rows: Tensor
    e: Tensor
    masks: Tensor

    def crossings(self, along: Tensor) -> Tensor | None:
        """Return the way across a concave kink, within ``along``, on which most is gained.

        What is gained at one kink may be lost at others: two equal patterns that want different
        labels cross theirs together.
        """
        concave = self.e < 0
        rows, sides = self.rows[concave], 1 - 2 * self.masks[concave]
        ways = ((sides[:, None] * rows) @ along.T) @ along
        rises = self._rises(ways)
        unseen = rises.abs().sum(dim=1) - self.e[concave] * rows.square().sum(dim=1)
        gains = -rises.sum(dim=1) - _EVEN * unseen
        return ways[int(gains.argmax())] if (gains > 0).any() else None

    def open_side(self, d: Tensor) -> Tensor:
        """Return ``d`` or ``-d``: where the energy rises less to first order."""
        both = torch.stack([d, -d])
        return both[int(self._rises(both).sum(dim=1).argmin())]

    def resisting(self, d: Tensor) -> Tensor:
        """Return the rows of the kinks at which the energy rises along ``d``; none if it falls."""
        rises = self._rises(d[None])[0]
        if float(rises.sum()) <= _EVEN * float((self.e * (self.rows @ d)).abs().sum()):
            return self.rows[:0]
        return self.rows[rises > 0]

    def _rises(self, ways: Tensor) -> Tensor:
        """Return ``e [max(z, 0) - t z]`` at each kink for rates ``z``, ``(len(ways), k)``."""
        z = ways @ self.rows.T
        return self.e * (z.clamp(min=0) - self.masks * z)


def _mean_of_equals(keys: Tensor, values: Tensor) -> Tensor:
    """Return the rows of ``values``, each the mean of those with an equal row of ``keys``."""
    _, group, counts = torch.unique(keys, dim=0, return_inverse=True, return_counts=True)
    sums = values.new_zeros(len(counts), values.shape[1]).index_add_(0, group, values)
    means: Tensor = (sums / counts[:, None])[group]
    return means


def _is_positive(matrix: Tensor, shift: float) -> bool:
    """Tell whether no eigenvalue is below ``-shift``: a factorisation costs far less than all."""
    shifted = matrix.clone()
    shifted.diagonal().add_(shift)
    return not torch.linalg.cholesky_ex(shifted)[1]


def _independent(triangle: Tensor) -> bool:
    """Tell whether no singular value vanishes, by bounds on them that cost no decomposition."""
    if triangle.shape[0] < triangle.shape[1]:
        return False
    unit = torch.eye(len(triangle), dtype=triangle.dtype, device=triangle.device)
    inverse = torch.linalg.solve_triangular(triangle, unit, upper=True)
    return float(triangle.norm() * inverse.norm()) < 1 / _DEPENDENT


def _complement(rows: Tensor, n: int) -> Tensor:
    """Return orthonormal directions across all ``rows``, ``(n - k, n)``."""
    if not len(rows):
        return torch.eye(n, dtype=rows.dtype, device=rows.device)
    directions, triangle = torch.linalg.qr(rows.T, mode="complete")
    spanned = min(len(rows), n)
    across: Tensor = directions[:, spanned:].T
    if _independent(triangle[:spanned]):
        return across
    within, sizes, _ = torch.linalg.svd(triangle[:spanned], full_matrices=False)
    rank = int((sizes > _DEPENDENT * sizes[0]).sum())  # equal patterns share a row
    others = within[:, rank:].T @ directions[:, :spanned].T
    return torch.cat([others, across])

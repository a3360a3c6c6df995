"""The learning problem with a quadratic hinge: each pattern asks for a margin."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.checks import check_kind, real, state
from networks.data.patterns import Patterns
from networks.models import backprop, dense_hessian, symmetry
from networks.models.mlp import Mlp

Vector: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.intp]

FITTED = 1e-14  # U below this is zero: second-order steps approach Δ -> 0+ without reaching it
AT_KINK = 1e-6  # distance from a kink, over the rms of z, below which a unit may bend

# Numbers in the largest array of a block of directions in `hvp`: beyond this it leaves the cache.
_BLOCK = 1 << 19


@dataclass(frozen=True, eq=False)
class HingeNetwork:
    """A fully connected network asked to classify patterns with a margin.

    ``Δ_μ(w) = margin - y_μ f(x_μ; w)`` and ``U = ½ Σ_μ max(Δ_μ, 0)²``, extensive: the problem of
    Geiger et al., Phys. Rev. E 100, 012115 (2019). Its load is ``P/N``, with ``N`` the number
    of weights. Arrays go in and out as numpy; the work is done by torch in float64.

    Parameters
    ----------
    mlp
        The shape of the network.
    patterns
        What it has to learn; their dimension must be the network's.
    margin
        The value ``y f`` asked for.
    device
        Where torch computes: "cpu", "cuda", ...

    Raises
    ------
    TypeError
        If something is not of its kind, such as arrays in place of patterns.
    ValueError
        If the dimensions disagree, the margin is not finite or the device is not there.

    Examples
    --------
    >>> import numpy as np
    >>> from networks import random_patterns
    >>> rng = np.random.default_rng(0)
    >>> problem = HingeNetwork(Mlp(5, 5, 2), random_patterns(20, 5, rng))
    >>> x = problem.mlp.init(rng)
    >>> energy, gradient = problem.energy_gradient(x)
    >>> bool(np.isclose(energy, 0.5 * np.sum(np.maximum(problem.gaps(x), 0) ** 2)))
    True

    Without weights the output is 0, and each of the 20 patterns misses its margin of 1:

    >>> problem.energy_gradient(np.zeros(problem.n_dof))[0], problem.load
    (10.0, 0.3636363636363...)
    """

    mlp: Mlp
    patterns: Patterns
    margin: float = 1.0
    device: str = "cpu"
    inputs: Tensor = field(init=False, repr=False)
    labels: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_kind("mlp", self.mlp, Mlp, "pass Mlp(input_dim, width, depth)")
        check_kind("patterns", self.patterns, Patterns, "pass Patterns(x, y) with labels of ±1")
        if not np.isfinite(real("margin", self.margin)):
            raise ValueError(f"expected a finite margin, got {self.margin}: pass one such as 1")
        if self.patterns.dim != self.mlp.input_dim:
            raise ValueError(
                f"expected patterns of dimension {self.mlp.input_dim}, got {self.patterns.dim}: "
                f"give the network input_dim={self.patterns.dim}"
            )
        device = checked_device(self.device)
        inputs = backprop.with_ones(torch.tensor(self.patterns.x, device=device))
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "labels", torch.tensor(self.patterns.y, device=device))

    @property
    def n_dof(self) -> int:
        """Number of parameters, biases included."""
        return self.mlp.n_dof

    @property
    def load(self) -> float:
        """The load ``P/N``: patterns per weight, biases not counted."""
        return len(self.patterns) / self.mlp.n_weights

    def gaps(self, x: Vector) -> Vector:
        """Return ``Δ_μ = margin - y_μ f(x_μ)``, shape ``(P,)``: positive where violated."""
        return _numpy(self.margin - self.labels * self._output(self._tensor(x)))

    def satisfied(self, gaps: Vector) -> bool:
        """Tell whether gaps ``(P,)`` are those of a network that fits: ``U < 1e-14``."""
        return fits(gaps)

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return ``U(x)`` and ``∇U(x)``, shape ``(n_dof,)``."""
        w = self._tensor(x)
        state, labels, forces = self._violated(w)
        gradient = backprop.gradient(self.mlp, w, state, -labels * forces)
        return 0.5 * float(forces @ forces), _numpy(gradient)

    def gap_jacobian(self, x: Vector, rows: Indices | None = None) -> Vector:
        """Return ``∂Δ_μ/∂x``, dense: ``(P, n_dof)``, or ``(len(rows), n_dof)``."""
        w = self._tensor(x)
        index = None if rows is None else torch.as_tensor(np.array(rows), device=w.device)
        labels = self.labels if index is None else self.labels[index]
        return _numpy(backprop.jacobian(self.mlp, w, self._forward(w, index), -labels))

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return ``H(x) v``, shape of ``v``: ``(n_dof,)``, or ``(k, n_dof)`` for ``k`` directions.

        Exact: ``H = Σ_{Δ>0} (∇Δ ∇Δᵀ + Δ ∇²Δ)``, by the R-operator on the violated patterns. At
        a kink the slopes are those of ``x``: a ReLU at exactly zero is inactive.
        """
        w = self._tensor(x)
        state, labels, forces = self._violated(w)
        directions = torch.tensor(np.atleast_2d(v), dtype=torch.float64, device=w.device)
        block = max(1, _BLOCK // max(1, len(forces) * (self.mlp.width + 1)))
        weights, stiffness = -labels * forces, torch.ones_like(forces)
        found = [
            backprop.second_derivative(self.mlp, w, state, weights, part, stiffness)
            for part in torch.split(directions, block)
        ]
        return _numpy(torch.cat(found)).reshape(v.shape)

    def hessian(self, x: Vector) -> Vector:
        """Return ``H(x)``, dense, ``(n_dof, n_dof)``, with the masks of ``hvp``."""
        w = self._tensor(x)
        state, labels, forces = self._violated(w)
        return _numpy(self._curved(w, state, -labels * forces, stiffness=1.0))

    def curvature(self, x: Vector, forces: Vector) -> Vector:
        """Return ``Σ_μ λ_μ ∇²Δ_μ``, dense, ``(n_dof, n_dof)``, for ``forces`` ``(P,)``."""
        w = self._tensor(x)
        index = torch.as_tensor(np.flatnonzero(forces), device=w.device)
        weights = -self.labels[index] * torch.as_tensor(forces, device=w.device)[index]
        return _numpy(self._curved(w, self._forward(w, index), weights, stiffness=0.0))

    def kinks(self, x: Vector) -> Vector:
        """Return the distance ``z - c`` of each preactivation from each kink, ``(K,)``.

        ``K = depth · P · width`` times the kinks of the activation, in this order; none if smooth.
        """
        state = self._forward(self._tensor(x))
        z = torch.stack(state.preactivations)[..., None]
        return _numpy((z - z.new_tensor([kink.position for kink in self.mlp.sigma.kinks])).ravel())

    def kink_owners(self) -> Indices:
        """Return the pattern of each kink, ``(K,)``."""
        patterns = np.arange(len(self.patterns), dtype=np.intp)[None, :, None, None]
        return np.broadcast_to(patterns, self._kink_shape).ravel()

    def kink_jacobian(self, x: Vector, kinks: Indices) -> Vector:
        """Return ``∂z_k/∂w`` of some kinks, dense, ``(len(kinks), n_dof)``."""
        order = np.argsort(kinks, kind="stable")  # layer after layer
        layers, patterns, units, _ = np.unravel_index(kinks[order], self._kink_shape)
        w = self._tensor(x)
        owners, places = np.unique(patterns, return_inverse=True)
        state = self._forward(w, torch.as_tensor(owners, device=w.device))
        pairs = []
        for layer in range(self.mlp.depth):
            p, u = (torch.as_tensor(a[layers == layer], device=w.device) for a in (places, units))
            pairs.append((p, u))
        rows = _numpy(dense_hessian.preactivation_jacobian(self.mlp, w, state, pairs))
        found = np.empty_like(rows)
        found[order] = rows
        return found

    def kink_strengths(self, x: Vector) -> Vector:
        """Return ``c_k = ∂Δ/∂a`` of the unit times the jump of its slope, ``(K,)``."""
        w = self._tensor(x)
        above = backprop.signals(self.mlp, w, self._forward(w))[1:]
        ws = backprop.layers(self.mlp, w)[1:]
        into = torch.stack([d @ layer[:, :-1] for d, layer in zip(above, ws, strict=True)])
        jumps = into.new_tensor([kink.jump for kink in self.mlp.sigma.kinks])
        return _numpy((-self.labels[:, None, None] * into[..., None] * jumps).ravel())

    def branch(self, x: Vector, held: Indices, masks: Vector) -> "HingeNetwork":
        """Return the network whose units keep the slopes of ``x``, and where ``held`` the masks.

        A mask 0 is the slope below the kink, and 1 that above it.
        """
        from networks.models.branch import NetworkBranch

        return NetworkBranch.of(self, x, held, masks) if self.mlp.sigma.kinks else self

    def zero_modes(self, x: Vector) -> Vector:
        """Return orthonormal tangents of the symmetries, ``(k, n_dof)``.

        For a homogeneous activation one rescaling for each hidden unit that is not dead: the unit's
        incoming weights and bias grow as its outgoing weights shrink. None otherwise.
        """
        if not self.mlp.sigma.homogeneous:
            return np.zeros((0, self.n_dof))
        return symmetry.rescaling_modes(self.mlp, x, self.dead_units(x))

    def rotations(self, x: Vector) -> Vector:
        """Return orthonormal tangents of the rotations of units that are straight on all patterns.

        They keep the norm; ``(k, n_dof)``, see `networks.models.symmetry.rotation_modes`.
        """
        if not self.mlp.sigma.kinks:
            return np.zeros((0, self.n_dof))
        state = backprop.forward(self.mlp, self._tensor(x), self.inputs)
        straight = []
        for z, slopes in zip(state.preactivations, state.slopes, strict=True):
            position, _, _ = self.mlp.sigma.nearest_kink(z)
            away = (z - position).abs().amin(dim=0) > AT_KINK * z.square().mean().sqrt()
            even = (slopes == slopes[0]).all(dim=0) & away
            straight.append((slopes[0] * even).cpu().numpy())
        return symmetry.rotation_modes(self.mlp, x, straight)

    def frozen(self, x: Vector) -> list[Indices]:
        """Return the parameters of each dead unit: one that has no slope on any pattern.

        They are its incoming weights and its bias, and of a ReLU, which then puts out nothing, its
        outgoing weights: a hard tanh is saturated, and acts as a bias. A weight between two
        dead units is listed with the first of them. A unit whose weights have vanished is dead
        too, as dead units do where the norm is held: which patterns make it active is rounding.
        """
        sigma = self.mlp.sigma
        return symmetry.unit_parameters(self.mlp, self.dead_units(x), outgoing=sigma.homogeneous)

    def draw(
        self, x: Vector, ax: Any, forces: Vector | None = None, mode: Vector | None = None
    ) -> None:
        """Draw units, weights and held kinks into axes of matplotlib; no forces and no mode."""
        from networks.models.picture import draw

        del forces, mode
        draw(self, x, ax)

    def equivalents(self, x: Vector, rng: np.random.Generator) -> Iterator[tuple[str, Vector]]:
        """Yield a random permutation of hidden units, and the symmetries of the activation."""
        yield "permutation of hidden units", symmetry.permuted(self.mlp, x, rng)
        if self.mlp.sigma.homogeneous:
            yield "rescaling of hidden units", symmetry.rescaled(self.mlp, x, rng)
        if self.mlp.sigma.parity:
            yield "sign flip of hidden units", symmetry.flipped(self.mlp, x, rng)

    def tightening(self, x: Vector) -> Vector:
        """Return ``∂Δ/∂t = 1`` for each pattern, shape ``(P,)``."""
        del x
        return np.ones(len(self.patterns))

    def tightened(self, t: float) -> "HingeNetwork":
        """Return the same problem with ``t`` added to the margin asked for."""
        return replace(self, margin=self.margin + t)

    def _tensor(self, x: Vector) -> Tensor:
        return torch.tensor(state(x, self.n_dof), device=self.inputs.device)

    @property
    def _kink_shape(self) -> tuple[int, int, int, int]:
        """Layers, patterns, units of a layer, and kinks of a unit."""
        mlp = self.mlp
        return mlp.depth, len(self.patterns), mlp.width, len(mlp.sigma.kinks)

    def _output(self, w: Tensor) -> Tensor:
        """Return ``f`` of every pattern, ``(P,)``."""
        return backprop.output(self.mlp, w, self.inputs)

    def _forward(self, w: Tensor, index: Tensor | None = None) -> backprop.Forward:
        """Return the forward pass of all patterns, or of some."""
        inputs = self.inputs if index is None else self.inputs[index]
        return backprop.forward(self.mlp, w, inputs)

    def _violated(self, w: Tensor) -> tuple[backprop.Forward, Tensor, Tensor]:
        """Return the forward pass of the violated patterns, their labels and their forces."""
        gaps = self.margin - self.labels * self._output(w)
        index = torch.nonzero(gaps > 0)[:, 0]
        return self._forward(w, index), self.labels[index], gaps[index]

    def _curved(
        self, w: Tensor, state: backprop.Forward, weights: Tensor, *, stiffness: float
    ) -> Tensor:
        """Return ``Σ_μ (stiffness ∂f_μ ∂f_μᵀ + weights_μ ∂²f_μ)``."""
        curvatures = backprop.curvatures(self.mlp.sigma, state)
        return dense_hessian.hessian(self.mlp, w, state, weights, curvatures, stiffness)

    def dead_units(self, x: Vector) -> list[NDArray[np.bool_]]:
        """Return, for each hidden layer, which units have no slope on any pattern, ``(width,)``."""
        none = [np.zeros(self.mlp.width, dtype=bool)] * self.mlp.depth
        if not self.mlp.sigma.kinks:
            return none
        state = backprop.forward(self.mlp, self._tensor(x), self.inputs)
        silent = [~slope.any(dim=0).cpu().numpy() for slope in state.slopes]
        gone = symmetry.vanished(self.mlp, x) if self.mlp.sigma.homogeneous else none
        return [a | b for a, b in zip(silent, gone, strict=True)]


def fits(gaps: Vector) -> bool:
    """Tell whether gaps ``(P,)`` have an energy ``½ Σ max(Δ, 0)²`` below `FITTED`."""
    forces = np.maximum(gaps, 0.0)
    return 0.5 * float(forces @ forces) < FITTED


def checked_device(name: str) -> torch.device:
    """Return the torch device called ``name``, or raise ValueError if it is not there."""
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        there = "cpu, cuda" if torch.cuda.is_available() else "cpu"
        raise ValueError(
            f"expected a device that is there ({there}), got {name!r}: pass one of them"
        ) from None
    return device


def _numpy(t: Tensor) -> Vector:
    return t.cpu().numpy()

"""Hand-written passes through a network: forward, backward, Jacobian, second derivative.

The conventions of a pass, for ``P`` patterns and layer ``l`` of ``Mlp``:

- ``inputs[l]``, ``(P, fan_in + 1)``: what the layer receives, with a last column of ones for
  the bias, so that ``z = inputs @ layerᵀ`` and a gradient is one product ``signalᵀ inputs``;
- ``slopes[l]``, ``(P, fan_out)``: ``σ'(z)`` of a hidden layer, a 0/1 mask for ReLU;
- signals ``δˡ = ∂f/∂zˡ``, ``(P, fan_out)``, of each layer.

Everything is float64, allocates its results and changes nothing.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from networks.models.activations import Activation
from networks.models.mlp import Mlp


@dataclass(frozen=True, eq=False)
class Forward:
    """A forward pass: what each layer received, its hidden states, and ``f``, shape ``(P,)``."""

    inputs: list[Tensor]
    preactivations: list[Tensor]
    slopes: list[Tensor]
    output: Tensor

    def rows(self, index: Tensor) -> "Forward":
        """Return the same pass for a subset of the patterns."""
        return Forward(
            [a[index] for a in self.inputs],
            [z[index] for z in self.preactivations],
            [s[index] for s in self.slopes],
            self.output[index],
        )

    def with_slopes(self, slopes: list[Tensor]) -> "Forward":
        """Return the same pass with other masks on the hidden units."""
        return replace(self, slopes=slopes)


def layers(mlp: Mlp, w: Tensor) -> list[Tensor]:
    """Return views of the layers of flat parameters ``(..., n_dof)``."""
    return [
        w[..., s].reshape(*w.shape[:-1], *shape)
        for s, shape in zip(mlp.slices, mlp.shapes, strict=True)
    ]


def with_ones(a: Tensor) -> Tensor:
    """Return ``a`` with a column of ones appended, for the biases."""
    return torch.cat([a, torch.ones_like(a[..., :1])], dim=-1)


def output(mlp: Mlp, w: Tensor, inputs: Tensor, sigma: Activation | None = None) -> Tensor:
    """Return ``f(x; w)``, shape ``(P,)``, keeping nothing."""
    sigma = mlp.sigma if sigma is None else sigma
    *hidden, last = layers(mlp, w)
    for layer in hidden:
        inputs = with_ones(sigma.value(inputs @ layer.T))
    return (inputs @ last.T)[:, 0]


def forward(mlp: Mlp, w: Tensor, inputs: Tensor, sigma: Activation | None = None) -> Forward:
    """Return the forward pass of patterns ``(P, input_dim + 1)`` at parameters ``(n_dof,)``.

    ``sigma`` takes the place of the network's own activation if given.
    """
    sigma = mlp.sigma if sigma is None else sigma
    *hidden, last = layers(mlp, w)
    received, preactivations, slopes = [inputs], [], []
    for layer in hidden:
        z = received[-1] @ layer.T
        a = sigma.value(z)
        preactivations.append(z)
        slopes.append(sigma.slope(z, a))
        received.append(with_ones(a))
    return Forward(received, preactivations, slopes, (received[-1] @ last.T)[:, 0])


def straight_forward(
    mlp: Mlp, w: Tensor, inputs: Tensor, slopes: Tensor, offsets: Tensor
) -> Forward:
    """Return the forward pass of units ``a = slope z + offset``, each ``(depth, P, width)``."""
    *hidden, last = layers(mlp, w)
    received, preactivations = [inputs], []
    for layer, slope, offset in zip(hidden, slopes, offsets, strict=True):
        preactivations.append(received[-1] @ layer.T)
        received.append(with_ones(slope * preactivations[-1] + offset))
    return Forward(received, preactivations, list(slopes), (received[-1] @ last.T)[:, 0])


def curvatures(sigma: Activation, state: Forward) -> list[Tensor] | None:
    """Return ``σ''(z)`` of each hidden layer, ``(P, width)``; None if ``σ`` is piecewise linear."""
    if sigma.kinks:
        return None
    return [
        sigma.curvature(z, a[:, :-1])
        for z, a in zip(state.preactivations, state.inputs[1:], strict=True)
    ]


def signals(mlp: Mlp, w: Tensor, state: Forward) -> list[Tensor]:
    """Return ``δˡ = ∂f/∂zˡ`` of every layer; the last is one."""
    found = [torch.ones_like(state.output)[:, None]]
    for layer, slope in zip(layers(mlp, w)[:0:-1], state.slopes[::-1], strict=True):
        found.append((found[-1] @ layer[:, :-1]) * slope)
    return found[::-1]


def gradient(mlp: Mlp, w: Tensor, state: Forward, weights: Tensor) -> Tensor:
    """Return ``Σ_μ weights_μ ∂f_μ/∂w``, shape ``(n_dof,)``."""
    deltas = signals(mlp, w, state)
    blocks = [
        (delta * weights[:, None]).T @ a for delta, a in zip(deltas, state.inputs, strict=True)
    ]
    return torch.cat([block.reshape(-1) for block in blocks])


def jacobian(mlp: Mlp, w: Tensor, state: Forward, weights: Tensor) -> Tensor:
    """Return ``weights_μ ∂f_μ/∂w``, shape ``(P, n_dof)``."""
    found = w.new_empty(len(weights), mlp.n_dof)
    deltas = signals(mlp, w, state)
    for s, delta, a in zip(mlp.slices, deltas, state.inputs, strict=True):
        block = found[:, s].view(len(weights), delta.shape[1], a.shape[1])
        torch.mul((delta * weights[:, None])[:, :, None], a[:, None, :], out=block)
    return found


def second_derivative(
    mlp: Mlp, w: Tensor, state: Forward, weights: Tensor, v: Tensor, stiffness: Tensor
) -> Tensor:
    """Return ``Σ_μ [weights_μ ∂²f_μ/∂w² + stiffness_μ ∂f_μ ∂f_μᵀ] v`` for ``v`` of ``(k, n_dof)``.

    Pearlmutter's R-operator, Neural Computation 6, 147 (1994): every line of the forward and
    backward passes is differentiated along ``v``. The directions share the primal pass, and
    each line is one product over all of them: ``(P, k, ·)`` against one layer.
    """
    n, k = len(weights), len(v)
    ws, vs = layers(mlp, w), layers(mlp, v)
    r_inputs: list[Tensor | None] = [None]
    r_slopes: list[Tensor] = []
    for i, (z, a, slope) in enumerate(
        zip(state.preactivations, state.inputs[1:], state.slopes, strict=True)
    ):
        rz = _r_linear(state.inputs[i], r_inputs[-1], ws[i], vs[i])
        r_slopes.append(mlp.sigma.curvature(z, a[:, :-1])[:, None, :] * rz)
        r_inputs.append(rz * slope[:, None, :])
    rf = _r_linear(state.inputs[-1], r_inputs[-1], ws[-1], vs[-1])
    delta = weights[:, None]
    r_delta = stiffness[:, None, None] * rf
    blocks = []
    for i in reversed(range(len(ws))):
        blocks.append(_r_outer(delta, r_delta, state.inputs[i], r_inputs[i]))
        if i:
            back = delta @ ws[i][:, :-1]
            fan_out, fan_in = ws[i].shape[0], ws[i].shape[1] - 1
            r_back = (r_delta.reshape(n * k, fan_out) @ ws[i][:, :-1]).view(n, k, fan_in)
            v_flat = vs[i][:, :, :-1].transpose(0, 1).reshape(fan_out, k * fan_in)
            r_back += (delta @ v_flat).view(n, k, fan_in)
            delta = back * state.slopes[i - 1]
            r_delta = r_back.mul_(state.slopes[i - 1][:, None, :])
            r_delta += back[:, None, :] * r_slopes[i - 1]
    return torch.cat([block.reshape(k, -1) for block in reversed(blocks)], dim=1)


def _r_linear(a: Tensor, ra: Tensor | None, layer: Tensor, v: Tensor) -> Tensor:
    """Return ``R(z) = R(a) Wᵀ + a Vᵀ``, shape ``(P, k, fan_out)``."""
    k, fan_out, fan_in = v.shape
    rz = (a @ v.reshape(k * fan_out, fan_in).T).view(len(a), k, fan_out)
    if ra is not None:
        rz += (ra.reshape(-1, fan_in - 1) @ layer[:, :-1].T).view_as(rz)
    return rz


def _r_outer(delta: Tensor, r_delta: Tensor, a: Tensor, ra: Tensor | None) -> Tensor:
    """Return ``R(δᵀ a) = R(δ)ᵀ a + δᵀ R(a)``, shape ``(k, fan_out, fan_in + 1)``."""
    n, k, fan_out = r_delta.shape
    found = (r_delta.reshape(n, k * fan_out).T @ a).view(k, fan_out, a.shape[1])
    if ra is not None:
        fan_in = a.shape[1] - 1
        cross = (delta.T @ ra.reshape(n, k * fan_in)).view(fan_out, k, fan_in)
        found[:, :, :-1] += cross.transpose(0, 1)
    return found

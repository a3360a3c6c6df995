"""The dense Hessian and what goes with it, from the violated patterns alone.

Two layers ``k <= m`` meet in the Hessian as one sum over patterns of outer products: with
``R = ∂zᵐ/∂zᵏ`` the response of layer ``m`` to layer ``k``,

    Σ_μ (Aᵐ R)_cd aᵐ_p aᵏ_q        Aᵐ = diag(e σ''(zᵐ)) + Bᵀ Aᵐ⁺¹ B,   B = ∂zᵐ⁺¹/∂zᵐ

between ``Wᵐ_cp`` and ``Wᵏ_dq``, with ``A = 1`` at the output (the stiffness) and ``e`` the signal
into a unit; and a part that couples different layers through the slopes alone, of zero trace.
The recursion is that of Botev et al., ICML 2017, eq. (6), for each pattern. Forming ``H`` so costs
less than forming ``JᵀJ``, and far less than products with unit vectors.
"""

from typing import TypeAlias

import torch
from torch import Tensor

from networks.models import backprop
from networks.models.backprop import Forward
from networks.models.mlp import Mlp

# (pattern, unit) pairs of each hidden layer
Pairs: TypeAlias = list[tuple[Tensor, Tensor]]

_PANEL = 256  # rows of a symmetric product that are made at once


def force_scale(mlp: Mlp, w: Tensor, state: Forward, weights: Tensor) -> float:
    """Return the largest over parameters of ``Σ_μ |weights_μ ∂f_μ|``, or 0 without patterns."""
    if not len(weights):
        return 0.0
    deltas = backprop.signals(mlp, w, state)
    pulls = [
        (delta.abs() * weights.abs()[:, None]).T @ a.abs()
        for delta, a in zip(deltas, state.inputs, strict=True)
    ]
    return max(float(pull.max()) for pull in pulls)


def hessian(
    mlp: Mlp,
    w: Tensor,
    state: Forward,
    weights: Tensor,
    curvatures: list[Tensor] | None,
    stiffness: float = 1.0,
) -> Tensor:
    """Return ``Σ_μ (stiffness ∂f_μ ∂f_μᵀ + weights_μ ∂²f_μ)``, ``(n_dof, n_dof)``.

    ``curvatures`` holds ``σ''`` of each hidden layer, ``(P, width)``; None for piecewise linear
    units with the slopes of ``state``.
    """
    found = w.new_empty(mlp.n_dof, mlp.n_dof)
    ws, deltas = backprop.layers(mlp, w), backprop.signals(mlp, w, state)
    steps = [  # B, from each layer to the one above
        layer[:, :-1] * slopes[:, None, :]
        for layer, slopes in zip(ws[1:], state.slopes, strict=True)
    ]
    # A of the output, then of each layer below
    inner = torch.full_like(weights, stiffness)[:, None, None]
    for m in range(mlp.depth, -1, -1):
        rows, a, into = mlp.slices[m], state.inputs[m], deltas[m] * weights[:, None]
        found[rows, rows] = _within(inner, a)
        across = inner
        for k in range(m - 1, -1, -1):
            across = across @ steps[k]
            block = outer(across, a, state.inputs[k])
            if k == m - 1:
                lower = steps[k].transpose(1, 2) @ across  # A of the layer below
                response = torch.diag_embed(state.slopes[k])
                block += _through_own_slopes(into, state.slopes[k], state.inputs[k])
            else:
                response = response @ steps[k]
                block += _through_slopes(into, response, state.inputs[k])
            found[rows, mlp.slices[k]] = block
            found[mlp.slices[k], rows] = block.T
        if m:
            inner = lower
            if curvatures is not None:
                above = into @ ws[m][:, :-1]
                inner.diagonal(dim1=1, dim2=2).add_(above * curvatures[m - 1])
    return found


def _within(left: Tensor, a: Tensor) -> Tensor:
    """Return ``Σ_μ left_cd a_p a_q`` as a matrix over ``((c, p), (d, q))``, for symmetric ``left``.

    Only a triangle of each pair of indices is summed.
    """
    c, d = torch.triu_indices(left.shape[1], left.shape[1], device=left.device)
    p, q = torch.triu_indices(a.shape[1], a.shape[1], device=left.device)
    chosen = left.flatten(1).index_select(1, c * left.shape[1] + d)
    sums = chosen.T @ (a.index_select(1, p) * a.index_select(1, q))
    units, inputs = _places(left.shape[1], c, d), _places(a.shape[1], p, q)
    places = units[:, None, :, None] * len(p) + inputs[None, :, None, :]
    return sums.flatten()[places].view(left.shape[1] * a.shape[1], -1)


def _places(n: int, p: Tensor, q: Tensor) -> Tensor:
    """Return where the pairs ``(p, q)`` and ``(q, p)`` stand, ``(n, n)``."""
    found = p.new_empty(n, n)
    found[p, q] = found[q, p] = torch.arange(len(p), device=p.device)
    return found


def outer(left: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Return ``Σ_μ left_cd a_p b_q`` as a matrix over ``((c, p), (d, q))``."""
    right = (a[:, :, None] * b[:, None, :]).reshape(len(a), a.shape[1] * b.shape[1])
    rows, columns = left.shape[1:]
    product = left.reshape(len(a), rows * columns).T @ right
    shaped = product.view(rows, columns, a.shape[1], b.shape[1])
    return shaped.transpose(1, 2).reshape(rows * a.shape[1], columns * b.shape[1])


def _through_slopes(into: Tensor, response: Tensor, a: Tensor) -> Tensor:
    """Return ``Σ_μ into_i response_jc a_b`` as a matrix over ``((i, j or bias), (c, b))``."""
    fan_out, (units, below) = into.shape[1], response.shape[1:]
    product = into[:, :, None, None] * response[:, None]
    product = product.reshape(len(into), fan_out * units * below)
    found = into.new_zeros(fan_out, units + 1, below, a.shape[1])
    found[:, :-1] = (product.T @ a).view(fan_out, units, below, a.shape[1])
    return found.view(fan_out * (units + 1), below * a.shape[1])


def _through_own_slopes(into: Tensor, slopes: Tensor, a: Tensor) -> Tensor:
    """Return the same for ``response_jc = slopes_j δ_jc``, the layer just below."""
    fan_out, units = into.shape[1], slopes.shape[1]
    product = (into[:, :, None] * slopes[:, None, :]).reshape(len(into), fan_out * units)
    found = into.new_zeros(fan_out, units + 1, units, a.shape[1])
    diagonal = found[:, :-1].diagonal(dim1=1, dim2=2)  # (i, b, j)
    diagonal.copy_((product.T @ a).view(fan_out, units, a.shape[1]).transpose(1, 2))
    return found.view(fan_out * (units + 1), units * a.shape[1])


def preactivation_jacobian(mlp: Mlp, w: Tensor, state: Forward, pairs: Pairs) -> Tensor:
    """Return ``∂z_k/∂w`` of each (pattern, unit) pair, ``(k, n_dof)``, layer after layer."""
    ws = backprop.layers(mlp, w)
    found = []
    for top, (patterns, units) in enumerate(pairs):
        rows = w.new_zeros(len(patterns), mlp.n_dof)
        delta = torch.nn.functional.one_hot(units, mlp.width).to(w.dtype)
        for i in range(top, -1, -1):
            a = state.inputs[i][patterns]
            block = rows[:, mlp.slices[i]].view(len(patterns), delta.shape[1], a.shape[1])
            torch.mul(delta[:, :, None], a[:, None, :], out=block)
            if i:
                delta = (delta @ ws[i][:, :-1]) * state.slopes[i - 1][patterns]
        found.append(rows)
    return torch.cat(found)


def tangent(mlp: Mlp, w: Tensor, state: Forward, d: Tensor) -> tuple[Tensor, Tensor]:
    """Return what ``d`` ``(n_dof,)`` adds to first order to ``z`` and to the output.

    ``(depth, P, width)`` and ``(P,)``.
    """
    found: list[Tensor] = []
    pairs = zip(backprop.layers(mlp, w), backprop.layers(mlp, d), strict=True)
    for i, (layer, change) in enumerate(pairs):
        z = state.inputs[i] @ change.T
        if i:
            z += (state.slopes[i - 1] * found[-1]) @ layer[:, :-1].T
        found.append(z)
    *hidden, output = found
    return torch.stack(hidden), output[:, 0]


def add_gram(found: Tensor, a: Tensor) -> None:
    """Add ``aᵀa`` to a symmetric matrix in place; half of the products of all of it are made."""
    for start in range(0, len(found), _PANEL):
        end = start + _PANEL
        found[start:end, start:].addmm_(a[:, start:end].T, a[:, start:])
        found[end:, start:end] = found[start:end, end:].T

"""Energy, gradient and dense Hessian in one pass, from the violated patterns alone.

The prestress is assembled block by block, each block one matrix product over the patterns: for
depth 2 this costs as much as ``H0``, where products with unit vectors cost several times that.
The slopes of the units couple different layers (the only part a ReLU has, of zero trace); their
curvatures add ``Σ e σ''(z) ∇z ∇zᵀ`` over patterns and units. On a rounded ReLU few (pattern, unit)
pairs are inside the rounding, and these rows are formed one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from networks import passes
from networks.activations import Activation
from networks.margin import HingeNetwork
from networks.mlp import Mlp
from networks.passes import Forward

# (pattern, unit) pairs of each hidden layer
Pairs: TypeAlias = list[tuple[Tensor, Tensor]]


@dataclass(frozen=True, eq=False)
class Expansion:
    """The second-order expansion of the energy at a point, in torch.

    ``force_scale`` is the largest over parameters of ``Σ_μ |f_μ ∂Δ_μ|``, what has to balance.
    """

    energy: float
    gradient: Tensor
    hessian: Tensor
    force_scale: float
    n_violated: int
    n_rounded: int

    @property
    def residual(self) -> float:
        """The largest component of the gradient, relative to the forces that balance."""
        return float(self.gradient.abs().max()) / self.force_scale if self.n_violated else 0.0


def gaps(problem: HingeNetwork, w: Tensor, sigma: Activation) -> Tensor:
    """Return ``Δ``, shape ``(P,)``, of the network with activation ``sigma``."""
    a = problem.inputs
    *hidden, last = passes.layers(problem.mlp, w)
    for layer in hidden:
        a = passes.with_ones(sigma.value(a @ layer.T))
    return problem.margin - problem.labels * (a @ last.T)[:, 0]


def expand(problem: HingeNetwork, w: Tensor, sigma: Activation) -> Expansion:
    """Expand the energy of the network with activation ``sigma`` to second order at ``w``."""
    delta = gaps(problem, w, sigma)
    violated = torch.nonzero(delta > 0)[:, 0]
    force, labels = delta[violated], problem.labels[violated]
    state = passes.forward(problem.mlp, w, problem.inputs[violated], sigma)
    jacobian = passes.jacobian(problem.mlp, w, state, -labels)
    hessian = jacobian.T @ jacobian
    hessian += mask_prestress(problem.mlp, w, state, -labels * force)
    pairs: Pairs = []
    if problem.mlp.sigma.symmetry == "homogeneous":
        pairs = pairs_where(_curvatures(state, sigma))
        hessian += kink_stiffness(problem.mlp, w, state, -labels * force, pairs, sigma)
    else:
        hessian += curvature_prestress(problem.mlp, w, state, -labels * force)
    return Expansion(
        energy=0.5 * float(force @ force),
        gradient=jacobian.T @ force,
        hessian=hessian,
        force_scale=float((jacobian.abs().T @ force).max()) if len(force) else 0.0,
        n_violated=len(force),
        n_rounded=sum(len(rows) for rows, _ in pairs),
    )


def mask_prestress(mlp: Mlp, w: Tensor, state: Forward, weights: Tensor) -> Tensor:
    """Return ``Σ_μ weights_μ ∂²f_μ`` for fixed slopes, ``(n_dof, n_dof)``: its trace is zero.

    A pair of layers ``l < m`` contributes ``δᵐ_i (∂a^{m-1}_j / ∂z^l_c) a^{l-1}_b`` between
    ``Wᵐ_ij`` and ``Wˡ_cb``.
    """
    found = w.new_zeros(mlp.n_dof, mlp.n_dof)
    deltas = passes.signals(mlp, w, state)
    ws = passes.layers(mlp, w)
    for m in range(1, len(ws)):
        left = deltas[m] * weights[:, None]
        response: Tensor = torch.diag_embed(state.slopes[m - 1])  # ∂a^{m-1}/∂z^l, (P, j, c)
        for lower in range(m - 1, -1, -1):
            block = _triple(left, response, state.inputs[lower], diagonal=lower == m - 1)
            found[mlp.slices[m], mlp.slices[lower]] = block
            if lower:
                response = (response @ ws[lower][:, :-1]) * state.slopes[lower - 1][:, None, :]
    return found + found.T


def _triple(left: Tensor, response: Tensor, a: Tensor, *, diagonal: bool) -> Tensor:
    """Return ``Σ_μ left_i response_jc a_b`` as a matrix over ``((i, j, bias), (c, b))``."""
    patterns, fan_out = left.shape
    units, below = response.shape[1:]
    found = left.new_zeros(fan_out, units + 1, below, a.shape[1])
    if diagonal:
        slopes = response.diagonal(dim1=1, dim2=2)
        product = (left[:, :, None] * slopes[:, None, :]).reshape(patterns, fan_out * units)
        each = torch.arange(units)
        found[:, each, each, :] = (product.T @ a).view(fan_out, units, a.shape[1])
    else:
        product = left[:, :, None, None] * response[:, None]
        product = product.reshape(patterns, fan_out * units * below)
        found[:, :-1] = (product.T @ a).view(fan_out, units, below, a.shape[1])
    return found.view(fan_out * (units + 1), below * a.shape[1])


def kink_stiffness(
    mlp: Mlp, w: Tensor, state: Forward, weights: Tensor, pairs: Pairs, sigma: Activation
) -> Tensor:
    """Return ``Σ_k e_k σ''(z_k) ∇z_k ∇z_kᵀ`` over the rounded kinks, ``(n_dof, n_dof)``."""
    forces = kink_forces(mlp, w, state, weights, pairs)
    curvature = torch.cat(
        [c[pair] for c, pair in zip(_curvatures(state, sigma), pairs, strict=True)]
    )
    rows = preactivation_jacobian(mlp, w, state, pairs)
    return (rows.T * (forces * curvature)) @ rows


def kink_forces(mlp: Mlp, w: Tensor, state: Forward, weights: Tensor, pairs: Pairs) -> Tensor:
    """Return ``e_k = Σ_μ weights_μ ∂f_μ/∂a_k`` of each pair: positive where a kink can hold."""
    deltas, ws = passes.signals(mlp, w, state), passes.layers(mlp, w)
    below = [
        (delta * weights[:, None]) @ layer[:, :-1]
        for delta, layer in zip(deltas[1:], ws[1:], strict=True)
    ]
    return torch.cat([b[pair] for b, pair in zip(below, pairs, strict=True)])


def preactivation_jacobian(mlp: Mlp, w: Tensor, state: Forward, pairs: Pairs) -> Tensor:
    """Return ``∂z_k/∂w`` of each (pattern, unit) pair, ``(k, n_dof)``, layer after layer."""
    ws = passes.layers(mlp, w)
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


def curvature_prestress(mlp: Mlp, w: Tensor, state: Forward, weights: Tensor) -> Tensor:
    """Return ``Σ e_i σ''(z_i) ∇z_i ∇z_iᵀ`` over patterns and hidden units, ``(n_dof, n_dof)``.

    ``∇z^l_i`` is ``(∂z^l_i/∂z^m_c) a^{m-1}_b`` in the layers ``m <= l``, so that a pair of layers
    has the block ``Σ_i q_i (∂z_i/∂z_c) (∂z_i/∂z_d) a_b a_e``.
    """
    found = w.new_zeros(mlp.n_dof, mlp.n_dof)
    deltas, ws = passes.signals(mlp, w, state), passes.layers(mlp, w)
    curvatures = _curvatures(state, mlp.sigma)
    for top in range(mlp.depth):
        below = (deltas[top + 1] * weights[:, None]) @ ws[top + 1][:, :-1]
        q = below * curvatures[top]
        response: Tensor = torch.eye(mlp.width, dtype=w.dtype, device=w.device).expand(
            len(q), -1, -1
        )
        responses = [response]
        for i in range(top, 0, -1):
            responses.append((responses[-1] @ ws[i][:, :-1]) * state.slopes[i - 1][:, None, :])
        responses.reverse()
        for m in range(top + 1):
            for k in range(m + 1):
                left = (responses[m] * q[:, :, None]).transpose(1, 2) @ responses[k]
                block = _quadruple(left, state.inputs[m], state.inputs[k])
                found[mlp.slices[m], mlp.slices[k]] += block
                if k < m:
                    found[mlp.slices[k], mlp.slices[m]] += block.T
    return found


def _quadruple(left: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Return ``Σ_μ left_cd a_p b_q`` as a matrix over ``((c, p), (d, q))``."""
    right = (a[:, :, None] * b[:, None, :]).reshape(len(a), a.shape[1] * b.shape[1])
    rows, columns = left.shape[1:]
    product = left.reshape(len(a), rows * columns).T @ right
    shaped = product.view(rows, columns, a.shape[1], b.shape[1])
    return shaped.transpose(1, 2).reshape(rows * a.shape[1], columns * b.shape[1])


def pairs_where(chosen: Sequence[Tensor]) -> Pairs:
    """Return the (pattern, unit) pairs of each layer where ``chosen``, ``(P, width)``, is not 0."""
    found = [torch.nonzero(c) for c in chosen]
    return [(index[:, 0], index[:, 1]) for index in found]


def _curvatures(state: Forward, sigma: Activation) -> list[Tensor]:
    return [
        sigma.curvature(z, a[:, :-1])
        for z, a in zip(state.preactivations, state.inputs[1:], strict=True)
    ]

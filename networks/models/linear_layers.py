"""Curvature of modules whose parameters are those of linear layers, from what the layers put out.

Where each pattern passes each ``nn.Linear`` once, its parameters act on the rest of the module by
the layer's output alone, ``z = W a + b``. With ``e = ∂f/∂z`` of each layer,

    ∂²f/∂W_ip ∂W'_cq = (∂e_i/∂z'_c) a_p a'_q + e_i (∂a_p/∂z'_c) a'_q

so that derivatives along each output suffice, in the place of each parameter: of a layer of ``u``
units and ``d`` inputs ``u`` instead of ``u (d + 1)``. `networks.models.dense_hessian` is the same
for fully connected networks, by hand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.func import grad, vjp, vmap

from networks.models.dense_hessian import outer

Outputs: TypeAlias = Callable[[], Tensor]


@dataclass(frozen=True, eq=False)
class LinearLayers:
    """The linear layers that hold all trained parameters of a module.

    Attributes
    ----------
    layers
        In the order of their parameters.
    """

    layers: tuple[nn.Linear, ...]

    @classmethod
    def of(cls, module: nn.Module, run: Outputs) -> "LinearLayers | None":
        """Return those of a module that ``run`` calls; None if another parameter is trained.

        Or if a layer is called twice or not at all, or on other than ``(P, d)``.
        """
        layers = [m for m in module.modules() if isinstance(m, nn.Linear) and _trained(m)]
        theirs = [p for layer in layers for p in layer.parameters()]
        trained = [p for p in module.parameters() if p.requires_grad]
        same = len(theirs) == len(trained) and all(
            p is q and p.requires_grad for p, q in zip(theirs, trained, strict=True)
        )
        if not same:
            return None
        shapes: list[tuple[nn.Module, int]] = []
        handles = [
            layer.register_forward_hook(lambda m, given, _: shapes.append((m, given[0].ndim)))
            for layer in layers
        ]
        try:
            with torch.no_grad():
                run()
        finally:
            for handle in handles:
                handle.remove()
        once = sorted(id(m) for m, _ in shapes) == sorted(map(id, layers))
        return cls(tuple(layers)) if once and all(ndim == 2 for _, ndim in shapes) else None

    @property
    def widest(self) -> int:
        """The largest number of products of two inputs of layers, of each pattern."""
        return (1 + max(layer.in_features for layer in self.layers)) ** 2

    def curvature(self, summed: Outputs, zeros: Tensor) -> Tensor:
        """Return ``∂²/∂w²`` of a sum over patterns, ``(n_dof, n_dof)``.

        Parameters
        ----------
        summed
            Runs the module, and returns the sum over ``P`` patterns of a number of each.
        zeros
            Of the shape ``(P, u)``, for the ``u`` outputs of all layers.
        """
        shifted = self._shifted(summed)

        def signals(shifts: Tensor) -> Tensor:
            found: Tensor = grad(shifted, has_aux=True)(shifts)[0]
            return found

        def entering(shifts: Tensor) -> Tensor:
            return torch.cat([zeros[:, :0], *shifted(shifts)[1][1:]], dim=1)

        e, back, *_ = vjp(signals, zeros)
        bends = _products(back, zeros)
        above, back_in, *_ = vjp(entering, zeros)
        moves = _products(back_in, above)
        with torch.no_grad():
            inputs = shifted(zeros)[1]
        ours = [_with_one(a, layer) for a, layer in zip(inputs, self.layers, strict=True)]
        widths = [a.shape[1] for a in inputs[1:]]
        parts = list(torch.split(moves.detach(), widths)) if widths else []
        return self._assembled(e.detach(), ours, bends.detach(), parts)

    @property
    def n_outputs(self) -> int:
        """Number ``u`` of outputs of all layers."""
        return sum(layer.out_features for layer in self.layers)

    def _shifted(self, summed: Outputs) -> Callable[[Tensor], tuple[Tensor, tuple[Tensor, ...]]]:
        """Return the sum as a function of what is added to all outputs, with what goes in."""

        def total(shifts: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
            sizes = [layer.out_features for layer in self.layers]
            parts = dict(zip(self.layers, torch.split(shifts, sizes, dim=1), strict=True))
            seen: dict[nn.Module, Tensor] = {}

            def hook(layer: Any, given: tuple[Tensor, ...], output: Tensor) -> Tensor:
                seen[layer] = given[0]
                return output + parts[layer]

            handles = [layer.register_forward_hook(hook) for layer in self.layers]
            try:
                found = summed()
            finally:
                for handle in handles:
                    handle.remove()
            return found, tuple(seen[layer] for layer in self.layers)

        return total

    def _assembled(
        self, e: Tensor, inputs: list[Tensor], bends: Tensor, moves: list[Tensor]
    ) -> Tensor:
        """Sum the outer products over patterns, block after block of two layers."""
        sizes = [a.shape[1] * m.out_features for a, m in zip(inputs, self.layers, strict=True)]
        found = e.new_empty(sum(sizes), sum(sizes))
        units = _ranges([layer.out_features for layer in self.layers])
        blocks = _ranges(sizes)
        for m, below in enumerate(inputs):
            for k in range(m, len(inputs)):
                across = bends[units[m], :, units[k]].permute(1, 2, 0)
                block = outer(across, inputs[k], below)
                if k > m:
                    left = e[:, units[k], None] * below[:, None, :]
                    right = moves[k - 1][:, :, units[m]].permute(1, 2, 0)
                    right = nn.functional.pad(right, (0, inputs[k].shape[1] - right.shape[2]))
                    product = left.flatten(1).T @ right.flatten(1)
                    shaped = product.view(*left.shape[1:], *right.shape[1:])
                    block += shaped.permute(0, 3, 2, 1).reshape(block.shape)
                found[blocks[k], blocks[m]] = block
                found[blocks[m], blocks[k]] = block.T
        order = self._order(inputs)
        return found[order][:, order]

    def _order(self, inputs: list[Tensor]) -> Tensor:
        """Return the places of the parameters, of which torch has biases last in each layer."""
        parts, start = [], 0
        for a, layer in zip(inputs, self.layers, strict=True):
            count = layer.out_features * a.shape[1]
            places = torch.arange(start, start + count, device=a.device)
            places = places.view(layer.out_features, a.shape[1])
            parts += [places[:, : layer.in_features].flatten(), places[:, layer.in_features :]]
            start += count
        return torch.cat([part.flatten() for part in parts])


def _ranges(sizes: list[int]) -> list[slice]:
    ends = [sum(sizes[: k + 1]) for k in range(len(sizes))]
    return [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]


def _trained(layer: nn.Linear) -> bool:
    return any(p.requires_grad for p in layer.parameters())


def _with_one(a: Tensor, layer: nn.Linear) -> Tensor:
    """Return inputs with that of the bias, if the layer has one."""
    return a if layer.bias is None else torch.cat([a, torch.ones_like(a[:, :1])], dim=1)


def _products(back: Callable[[Tensor], tuple[Tensor, ...]], like: Tensor) -> Tensor:
    """Return the products of each column, one for all patterns, ``(columns, P, u)``."""
    basis = torch.eye(like.shape[1], dtype=like.dtype, device=like.device)
    if not len(basis):
        return like.new_zeros(0, len(like), 0)
    found: Tensor = vmap(lambda v: back(v.expand_as(like))[0])(basis)
    return found

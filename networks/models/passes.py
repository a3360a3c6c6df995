"""Passes through any module: outputs, rows of Jacobians and curvatures, in parts that fit."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor
from torch.func import functional_call, grad, vjp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from networks.models.linear_layers import LinearLayers
from networks.models.pieces import Tape

Pieces: TypeAlias = tuple[Tensor, Tensor]
Inputs: TypeAlias = Tensor

_ROOM = 1 << 24  # numbers that the arrays of a part may hold: 128 MB
_CHECKED, _ALIKE = 4, 1e-11  # patterns on which two ways are compared, and their difference


@dataclass(frozen=True, eq=False)
class Passes:
    """A module as a function of a flat vector of its parameters.

    Attributes
    ----------
    module
        In float64 and in evaluation mode.
    numbers
        How many numbers a forward pass makes of each pattern: parts are cut to fit in memory.
    """

    module: torch.nn.Module
    numbers: int = 1
    _found: list[LinearLayers | None] = field(default_factory=list, init=False, repr=False)

    def trained(self) -> dict[str, Tensor]:
        """Return the parameters that are trained, by their names."""
        return {n: p for n, p in self.module.named_parameters() if p.requires_grad}

    def named(self, w: Tensor) -> dict[str, Tensor]:
        """Return views of flat parameters ``(n_dof,)``, by their names."""
        trained = self.trained()
        parts = torch.split(w, [p.numel() for p in trained.values()])
        return {n: part.view_as(p) for (n, p), part in zip(trained.items(), parts, strict=True)}

    def outputs(self, w: Tensor, inputs: Inputs, tape: Tape | None = None) -> Tensor:
        """Return the outputs ``(P, C)`` of patterns, with their kinked calls on a tape."""
        # A tape keeps fused layers apart, and other kernels of attention have no second derivative.
        with sdpa_kernel(SDPBackend.MATH), Tape() if tape is None else tape:
            output: Tensor = functional_call(self.module, self.named(w), (inputs,))
        return output.reshape(len(inputs), -1)

    def plain_outputs(self, w: Tensor, inputs: Inputs) -> Tensor:
        """Return the outputs ``(P, C)`` by the module as it is: with first derivatives only."""
        output: Tensor = functional_call(self.module, self.named(w), (inputs,))
        return output.reshape(len(inputs), -1)

    def rows(
        self, w: Tensor, inputs: Inputs, cotangents: Tensor, pieces: Pieces | None = None
    ) -> Tensor:
        """Return ``cotangent_r · ∂f(x_r)/∂w`` of each row, ``(r, n_dof)``."""

        def scalar(w: Tensor, x: Tensor, cotangent: Tensor, *piece: Tensor) -> Tensor:
            tape = Tape((piece[0][None], piece[1][None])) if piece else None
            return self.outputs(w, x[None], tape)[0] @ cotangent

        return self._row_by_row(scalar, w, inputs, cotangents, *(pieces or ()))

    def unit_rows(self, w: Tensor, inputs: Inputs, units: Tensor, pieces: Pieces) -> Tensor:
        """Return ``∂z/∂w`` of one unit of each pattern, ``(r, n_dof)``."""
        return self._row_by_row(self._unit, w, inputs, units, *pieces)

    def unit_responses(self, w: Tensor, inputs: Inputs, units: Tensor, pieces: Pieces) -> Tensor:
        """Return ``∂z/∂a`` of one unit of each pattern by what all units put out, ``(r, U)``."""
        return self._row_by_row(self._unit, w, inputs, units, *pieces, by=4)

    def _unit(self, w: Tensor, x: Tensor, unit: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
        tape = Tape((slope[None], offset[None]))
        self.outputs(w, x[None], tape)
        z = torch.cat([each.reshape(-1) for each in tape.z])
        return torch.take_along_dim(z, unit[None], 0)[0]

    def curvature(
        self, w: Tensor, inputs: Inputs, weights: Tensor, pieces: Pieces | None = None
    ) -> Tensor:
        """Return ``Σ_μ Σ_c weights_μc ∂²f_c(x_μ)/∂w²``, ``(n_dof, n_dof)``."""
        if not len(inputs):
            return w.new_zeros(len(w), len(w))
        layers = self._layers(inputs)
        if layers is None:
            return self._by_products(w, inputs, weights, pieces)
        found = w.new_zeros(len(w), len(w))
        room = 4 * self.numbers * layers.n_outputs + layers.widest
        for part in torch.split(torch.arange(len(inputs)), max(1, _ROOM // room)):
            taken = None if pieces is None else (pieces[0][part], pieces[1][part])
            zeros = w.new_zeros(len(part), layers.n_outputs)
            summed = partial(self._summed, w, inputs[part], weights[part], taken)
            found += layers.curvature(summed, zeros)
        return found

    def _summed(self, w: Tensor, inputs: Inputs, weights: Tensor, pieces: Pieces | None) -> Tensor:
        tape = None if pieces is None else Tape(pieces)
        return (self.outputs(w, inputs, tape) * weights).sum()

    def _by_products(
        self, w: Tensor, inputs: Inputs, weights: Tensor, pieces: Pieces | None
    ) -> Tensor:
        directions = torch.eye(len(w), dtype=w.dtype, device=w.device)
        found = self.products(w, inputs, weights, directions, pieces)
        return 0.5 * (found + found.T)

    def products(
        self,
        w: Tensor,
        inputs: Inputs,
        weights: Tensor,
        directions: Tensor,
        pieces: Pieces | None = None,
    ) -> Tensor:
        """Return the products of `curvature` with directions, ``(k, n_dof)``."""
        if not len(inputs):
            return torch.zeros_like(directions)

        def summed(w: Tensor) -> Tensor:
            return self._summed(w, inputs, weights, pieces)

        _, product, *_ = vjp(grad(summed), w)
        chunk = max(1, _ROOM // (4 * self.numbers * len(inputs) + len(w)))
        along: Callable[[Tensor], Tensor] = vmap(lambda v: product(v)[0], chunk_size=chunk)
        return along(directions).detach()

    def _layers(self, inputs: Inputs) -> LinearLayers | None:
        """Return the linear layers that hold all parameters, if they do; found out once."""
        if self._found:
            return self._found[0]
        layers = self._checked(inputs[:_CHECKED])
        self._found.append(layers)
        return layers

    def _checked(self, inputs: Inputs) -> LinearLayers | None:
        """Return the layers if curvatures by them are those by products, on a few patterns."""
        w = torch.cat([p.detach().reshape(-1) for p in self.trained().values()])
        layers = LinearLayers.of(self.module, lambda: self.outputs(w, inputs))
        if layers is None:
            return None
        weights = torch.ones_like(self.outputs(w, inputs).detach())
        try:
            zeros = w.new_zeros(len(inputs), layers.n_outputs)
            mine = layers.curvature(partial(self._summed, w, inputs, weights, None), zeros)
        except Exception:  # noqa: BLE001 - torch may not know how to push forward a user's module
            return None
        theirs = self._by_products(w, inputs, weights, None)
        bound = _ALIKE * (1.0 + float(theirs.abs().max()))
        return layers if float((mine - theirs).abs().max()) <= bound else None

    def _row_by_row(
        self, scalar: Callable[..., Tensor], w: Tensor, *arrays: Tensor, by: int = 0
    ) -> Tensor:
        """Return the gradients of a number of each pattern, by ``w`` ``(r, n_dof)`` or an array."""
        if not len(arrays[0]):
            return w.new_zeros(0, len(w)) if by == 0 else torch.zeros_like(arrays[by - 1])
        chunk = max(1, _ROOM // (3 * self.numbers + len(w)))
        one_by_one: Callable[..., Tensor] = vmap(
            grad(scalar, argnums=by), in_dims=(None, *[0] * len(arrays)), chunk_size=chunk
        )
        return one_by_one(w, *arrays).detach()

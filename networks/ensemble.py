"""Many networks of one shape at once: batched forward and backward passes without autograd."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks import passes
from networks.margin import HingeNetwork
from networks.rounding import rounded_relu

Vector: TypeAlias = NDArray[np.float64]

_CACHE = 3 << 17  # numbers that a group of networks should keep at hand: 3 MB


class Ensemble:
    """The buffers of ``E`` networks of one shape; every pass works in place.

    Seeds, patterns, their number and the margin may differ; fewer patterns than the largest
    number are filled up with ones that are never violated. On a processor the backward pass
    visits violated patterns only, gathered into one array; on an accelerator, where a gather
    costs more than a product, all of them.

    Attributes
    ----------
    w, gradient
        Parameters and the last gradient of each energy, ``(E, n_dof)``.

    Raises
    ------
    ValueError
        If the shapes or devices of the networks differ.
    """

    def __init__(self, problems: Sequence[HingeNetwork], xs: Sequence[Vector]) -> None:
        if not problems or len(problems) != len(xs):
            raise ValueError(
                f"expected a state for each network, got {len(xs)} for {len(problems)}"
            )
        shapes = {(problem.mlp, problem.inputs.device) for problem in problems}
        if len(shapes) > 1:
            raise ValueError(f"expected networks of one shape and device, got {len(shapes)}")
        self.mlp, device = shapes.pop()
        self.w = torch.tensor(np.stack(xs), dtype=torch.float64, device=device)
        self.sizes = torch.tensor([len(problem.patterns) for problem in problems], device=device)
        self.labels, self.margins, first = _padded(problems, int(self.sizes.max()))
        self._allocate(first)
        self.round(0.0)

    def __len__(self) -> int:
        return len(self.w)

    def _allocate(self, first: Tensor) -> None:
        networks, patterns, _ = first.shape
        self.gradient = torch.zeros_like(self.w)
        self.layers = passes.layers(self.mlp, self.w)
        self.blocks = passes.layers(self.mlp, self.gradient)
        hidden = [
            self.w.new_ones(networks, patterns, self.mlp.width + 1) for _ in range(self.mlp.depth)
        ]
        self.inputs = [first, *hidden]
        self.z = [
            self.w.new_empty(networks, patterns, self.mlp.width) for _ in range(self.mlp.depth)
        ]

    def round(self, radius: float) -> None:
        """Round the kinks of ReLU units over ``|z| < radius``; sharp kinks for 0."""
        self.sigma = self.mlp.sigma
        if radius > 0 and self.sigma.symmetry == "homogeneous":
            self.sigma = rounded_relu(radius)

    def gaps(self) -> Tensor:
        """Run the forward pass and return ``Δ``, shape ``(E, P)``."""
        for layer, a, z, after in zip(
            self.layers[:-1], self.inputs[:-1], self.z, self.inputs[1:], strict=True
        ):
            torch.bmm(a, layer.transpose(1, 2), out=z)
            after[:, :, :-1] = self.sigma.value(z)
        f = torch.bmm(self.inputs[-1], self.layers[-1].transpose(1, 2))[:, :, 0]
        return self.margins - self.labels * f

    def backward(self, gaps: Tensor) -> Tensor:
        """Fill ``gradient`` with ``∇U`` and return ``U``, shape ``(E,)``."""
        force = gaps.clamp(min=0)
        energies = 0.5 * torch.einsum("ep,ep->e", force, force)
        delta = (self.labels * force).neg_()[:, :, None]
        inputs, z = self.inputs, self.z
        if self.w.device.type == "cpu":
            index, shape = _gathered(force > 0)
            delta = _take(delta, index, shape)
            delta[_beyond(force > 0, shape)] = 0.0
            inputs = [_take(a, index, shape) for a in inputs]
            z = [_take(each, index, shape) for each in z]
        for i in range(self.mlp.depth, -1, -1):
            self.blocks[i].copy_(torch.bmm(delta.transpose(1, 2), inputs[i]))
            if i:
                back = torch.bmm(delta, self.layers[i][:, :, :-1])
                delta = back.mul_(self.sigma.slope(z[i - 1], inputs[i][:, :, :-1]))
        return energies

    def keep(self, chosen: Tensor) -> None:
        """Drop the networks that are not ``chosen``, a mask ``(E,)``."""
        self.w = self.w[chosen]
        self.sizes, self.labels, self.margins = (
            each[chosen] for each in (self.sizes, self.labels, self.margins)
        )
        self._allocate(self.inputs[0][chosen])


def groups(problems: Sequence[HingeNetwork]) -> list[range]:
    """Return consecutive ranges of networks to train together.

    All of them on an accelerator; on a processor as many as fit its cache, which is one network
    beyond about a thousand parameters.
    """
    count = len(problems)
    if not count:
        return []
    size = count
    if problems[0].inputs.device.type == "cpu":
        mlp = problems[0].mlp
        patterns = max(len(problem.patterns) for problem in problems)
        size = max(1, _CACHE // (patterns * (mlp.input_dim + 2 * mlp.n_hidden)))
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def _padded(problems: Sequence[HingeNetwork], patterns: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return labels ``(E, P)``, margins ``(E, P)`` and inputs ``(E, P, d + 1)``."""
    first = problems[0].inputs
    inputs = first.new_zeros(len(problems), patterns, first.shape[1])
    labels = first.new_zeros(len(problems), patterns)
    margins = first.new_full((len(problems), patterns), -torch.inf)
    for i, problem in enumerate(problems):
        size = len(problem.patterns)
        inputs[i, :size], labels[i, :size] = problem.inputs, problem.labels
        margins[i, :size] = problem.margin
    return labels, margins, inputs


def _gathered(violated: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """Return flat indices of violated patterns, filled up to one number in all networks."""
    networks, patterns = violated.shape
    if networks == 1:
        index = torch.nonzero(violated[0])[:, 0]
        return index, (1, len(index))
    where = torch.nonzero(violated)
    counts = violated.sum(dim=1)
    most = int(counts.max())
    starts = torch.cumsum(counts, 0) - counts
    place = torch.arange(len(where)) - starts[where[:, 0]]
    index = torch.zeros(networks * most, dtype=torch.long)
    index[where[:, 0] * most + place] = where[:, 0] * patterns + where[:, 1]
    return index, (networks, most)


def _beyond(violated: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return the mask of the places of a gathered array that hold no violated pattern."""
    return torch.arange(shape[1])[None, :] >= violated.sum(dim=1)[:, None]


def _take(a: Tensor, index: Tensor, shape: tuple[int, int]) -> Tensor:
    return a.flatten(0, 1)[index].view(*shape, a.shape[2])

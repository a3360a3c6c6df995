"""Many networks of one shape at once: batched forward and backward passes without autograd.

Arrays of the ``E`` networks lie with patterns in their last axis, ``(E, units, P)``: so a layer is
``z = W a``, twice as fast as with units last when there are few units and many patterns.
"""

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.models import backprop
from networks.models.hinge import HingeNetwork
from networks.training.rounding import rounded

Vector: TypeAlias = NDArray[np.float64]

_CACHE = 1 << 18  # numbers that a group of networks should keep at hand: 2 MB
_KERNEL = 12  # rows that a product of the BLAS makes at once
_FILLING = 1.2  # rows more, at most, that fill them up
_MOST = 0.7  # fraction of violated patterns beyond which it does not pay to gather them


class Ensemble:
    """The buffers of ``E`` networks of one shape; every pass works in place.

    Seeds, patterns, their number and the margin may differ; fewer patterns than the largest
    number are filled up with ones that are never violated. With ``gathers`` the backward pass
    visits violated patterns only, as many for each network as the worst of them has; an
    accelerator gains by it too, less than a processor.

    Attributes
    ----------
    w, gradient
        Parameters and the last gradient of each energy, ``(E, n_dof)``.
    sizes
        Number of patterns of each, ``(E,)``.

    Raises
    ------
    ValueError
        If there is no network, or their shapes or devices differ.
    """

    def __init__(
        self,
        problems: Sequence[HingeNetwork],
        xs: Sequence[Vector],
        *,
        gathers: bool = True,
    ) -> None:
        kinds = {(problem.mlp, problem.inputs.device) for problem in problems}
        if len(kinds) != 1 or len(xs) != len(problems):
            raise ValueError(
                f"expected networks of one shape and device, each with a state, got {len(kinds)} "
                f"kinds and {len(xs)} states for {len(problems)} networks: group them by shape"
            )
        self.mlp, device = kinds.pop()
        self.gathers = gathers
        self.w = torch.tensor(np.stack(xs), dtype=torch.float64, device=device)
        self.gradient = torch.zeros_like(self.w)
        self.sizes = torch.tensor([len(problem.patterns) for problem in problems], device=device)
        self.labels, self.margins, first = _padded(problems)
        self._allocate(first)
        self.round(0.0)

    def __len__(self) -> int:
        return len(self.w)

    def _allocate(self, first: Tensor) -> None:
        networks, _, patterns = first.shape
        self.layers = backprop.layers(self.mlp, self.w)
        self.blocks = backprop.layers(self.mlp, self.gradient)
        width = self.mlp.width
        filled = self.w.new_zeros(networks, _filled(first.shape[1]), patterns)
        filled[:, : first.shape[1]] = first
        hidden = [
            self.w.new_ones(networks, _filled(width + 1), patterns) for _ in range(self.mlp.depth)
        ]
        # A gradient is taken from all rows, and the columns of those that fill them up are dropped.
        self.filled = [filled, *hidden]
        self.inputs = [filled[:, : first.shape[1]], *[a[:, : width + 1] for a in hidden]]
        self.hidden = [a[:, :width] for a in hidden]
        self.returns = [layer[:, :, :-1].transpose(1, 2) for layer in self.layers]
        self.z = [self.w.new_empty(networks, width, patterns) for _ in hidden]
        room = networks * patterns
        self.taken = self.w.new_zeros(room * max(a.shape[1] for a in self.filled))
        self.signals = [self.w.new_empty(room * width) for _ in range(2)]

    def round(self, radius: float) -> None:
        """Round the kinks of units over ``|z - c| < radius``; sharp kinks for 0."""
        self.sigma = self.mlp.sigma
        if radius > 0 and self.sigma.kinks:
            self.sigma = rounded(self.sigma, radius)

    def gaps(self) -> Tensor:
        """Run the forward pass and return ``Δ``, shape ``(E, P)``."""
        for layer, a, z, after in zip(
            self.layers[:-1], self.inputs[:-1], self.z, self.hidden, strict=True
        ):
            if self.sigma.in_place is not None:
                self.sigma.in_place[0](torch.bmm(layer, a, out=after))
            else:
                after.copy_(self.sigma.value(torch.bmm(layer, a, out=z)))
        f = torch.bmm(self.layers[-1], self.inputs[-1])[:, 0]
        return self.margins - self.labels * f

    def backward(self, gaps: Tensor) -> Tensor:
        """Fill ``gradient`` with ``∇U`` and return ``U``, shape ``(E,)``.

        The states of the last forward pass are used up.
        """
        force = gaps.clamp(min=0)
        energies = 0.5 * force.square().sum(dim=1)
        delta = (self.labels * force).neg_()[:, None, :]
        index = _violated(force > 0) if self.gathers else None
        delta = _take(delta, index)
        if index is not None and len(self) > 1:
            _clear_filling(delta, force)
        for i in range(self.mlp.depth, -1, -1):
            fan_in = self.mlp.shapes[i][1]
            filled = self._taken(i, index)
            product = torch.bmm(delta, filled.transpose(1, 2))
            self.blocks[i].copy_(product[:, :, :fan_in])
            if i:
                shape = (len(self), self.mlp.width, delta.shape[2])
                back = self.signals[i % 2][: math.prod(shape)].view(shape)
                torch.bmm(self.returns[i], delta, out=back)
                a = self.hidden[i - 1] if index is None else filled[:, : fan_in - 1]
                delta = back.mul_(self._slopes(a, i, index))
        return energies

    def _taken(self, i: int, index: Tensor | None) -> Tensor:
        """Return what layer ``i`` receives, of the patterns ``index``, in rows that are filled."""
        if index is None:
            return self.filled[i]
        shape = (len(self), self.filled[i].shape[1], index.shape[1])
        found = self.taken[: math.prod(shape)].view(shape)
        a = self.inputs[i]
        places = index[:, None, :].expand(-1, a.shape[1], -1)
        torch.gather(a, 2, places, out=found[:, : a.shape[1]])
        return found

    def _slopes(self, a: Tensor, i: int, index: Tensor | None) -> Tensor:
        """Return the slopes of the units below layer ``i``, in place of their states ``a``."""
        if self.sigma.in_place is not None:
            return self.sigma.in_place[1](a)
        return self.sigma.slope(_take(self.z[i - 1], index), a)

    def keep(self, chosen: Tensor) -> None:
        """Drop the networks that are not ``chosen``, a mask ``(E,)``, with their filling.

        Gradients of the others stay, so that this may be called between two passes.
        """
        self.w, self.gradient = self.w[chosen], self.gradient[chosen]
        self.sizes = self.sizes[chosen]
        if not len(self):
            return
        largest = int(self.sizes.max())
        self.labels, self.margins = (a[chosen, :largest] for a in (self.labels, self.margins))
        self._allocate(self.inputs[0][chosen, :, :largest].contiguous())


def _filled(rows: int) -> int:
    """Return to how many rows a factor of a product is filled up: faster than with fewer."""
    most = -(-rows // _KERNEL) * _KERNEL
    return most if most <= _FILLING * rows else rows


def groups(problems: Sequence[HingeNetwork], most: int | None = None) -> list[list[int]]:
    """Return the indices of networks to train together: of one shape, similar in load.

    On an accelerator all of one shape; on a processor as many as fit its cache, which beyond
    about a thousand parameters is a single network. Never more than ``most``, if that is given.
    """
    kinds: dict[object, list[int]] = {}
    for i in sorted(range(len(problems)), key=lambda i: len(problems[i].patterns)):
        kinds.setdefault((problems[i].mlp, problems[i].inputs.device), []).append(i)
    return [group for alike in kinds.values() for group in _split(problems, alike, most)]


def _split(problems: Sequence[HingeNetwork], alike: list[int], most: int | None) -> list[list[int]]:
    largest = problems[alike[-1]]
    size = len(alike) if most is None else min(len(alike), most)
    if largest.inputs.device.type == "cpu":
        numbers = len(largest.patterns) * (largest.mlp.input_dim + 2 * largest.mlp.n_hidden)
        size = min(size, max(1, _CACHE // numbers))
    return [alike[start : start + size] for start in range(0, len(alike), size)]


def _padded(problems: Sequence[HingeNetwork]) -> tuple[Tensor, Tensor, Tensor]:
    """Return labels ``(E, P)``, margins ``(E, P)`` and inputs ``(E, d + 1, P)``."""
    first = problems[0].inputs
    patterns = max(len(problem.patterns) for problem in problems)
    inputs = first.new_zeros(len(problems), first.shape[1], patterns)
    labels = first.new_zeros(len(problems), patterns)
    margins = first.new_full((len(problems), patterns), -torch.inf)
    for i, problem in enumerate(problems):
        size = len(problem.patterns)
        inputs[i, :, :size], labels[i, :size] = problem.inputs.T, problem.labels
        margins[i, :size] = problem.margin
    return labels, margins, inputs


def _violated(mask: Tensor) -> Tensor | None:
    """Return the violated patterns of each network, filled up with 0 to one number, ``(E, K)``.

    None if they are so many that all patterns cost no more.
    """
    where = torch.nonzero(mask)
    if len(where) > _MOST * mask.numel():
        return None
    if len(mask) == 1:
        return where[:, 1][None, :]
    counts = mask.sum(dim=1)
    starts = torch.cumsum(counts, 0) - counts
    place = torch.arange(len(where), device=mask.device) - starts[where[:, 0]]
    index = where.new_zeros(len(mask), int(counts.max()))
    index[where[:, 0], place] = where[:, 1]
    return index


def _clear_filling(delta: Tensor, force: Tensor) -> None:
    """Take the force off the places that were filled up to the largest number of violated."""
    place = torch.arange(delta.shape[2], device=delta.device)
    delta.masked_fill_((place >= (force > 0).sum(dim=1, keepdim=True))[:, None, :], 0.0)


def _take(a: Tensor, index: Tensor | None) -> Tensor:
    """Return the columns ``index`` ``(E, K)`` of ``a`` ``(E, units, P)``; all for None."""
    if index is None:
        return a
    return torch.gather(a, 2, index[:, None, :].expand(-1, a.shape[1], -1))

"""Activations whose kinks are rounded, so that smooth methods can approach minima on kinks."""

import torch
from torch import Tensor

from networks.models.activations import Activation


def rounded(sigma: Activation, radius: float) -> Activation:
    """Return ``σ`` with each of its kinks replaced by a parabola over ``|z - c| < radius``.

    A ReLU becomes ``(z + r)²/4r`` there, so that the mask ``t = (z + r)/2r`` is fractional. As
    ``r → 0`` a minimum on a kink is approached with ``t`` fixed and ``z = r(2t - 1) → 0``: the
    limit is the element of the generalised gradient that vanishes. Kinks must be ``2r`` apart.

    >>> from networks import ACTIVATIONS
    >>> float(rounded(ACTIVATIONS["relu"], 0.1).value(torch.tensor(0.0)))
    0.025...
    >>> float(rounded(ACTIVATIONS["hardtanh"], 0.1).value(torch.tensor(1.0)))
    0.9749...
    """
    first = sigma.kinks[0]
    start = float(sigma.value(torch.tensor(first.position, dtype=torch.float64, device="cpu")))

    def mask(z: Tensor, position: float) -> Tensor:
        return (z - (position - radius)).mul_(0.5 / radius).clamp_(0.0, 1.0)

    def value(z: Tensor) -> Tensor:
        found = (z - first.position).mul_(first.below).add_(start)
        for kink in sigma.kinks:
            found.add_((z - (kink.position + radius)).clamp_(min=0.0), alpha=kink.jump)
            found.add_(mask(z, kink.position).square_(), alpha=kink.jump * radius)
        return found

    def slope(z: Tensor, _: Tensor) -> Tensor:
        found = torch.full_like(z, first.below)
        for kink in sigma.kinks:
            found.add_(mask(z, kink.position), alpha=kink.jump)
        return found

    def curvature(z: Tensor, _: Tensor) -> Tensor:
        found = torch.zeros_like(z)
        for kink in sigma.kinks:
            near = (z - kink.position).abs() < radius
            found.add_(near.to(z.dtype), alpha=kink.jump * 0.5 / radius)
        return found

    return Activation(value, slope, curvature)

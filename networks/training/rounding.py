"""A ReLU whose kink is rounded, so that smooth methods can approach minima that sit on kinks."""

from torch import Tensor

from networks.models.activations import Activation


def rounded_relu(radius: float) -> Activation:
    """Return the ReLU with its kink replaced by a parabola over ``|z| < radius``.

    ``σ(z) = (z + r)²/4r`` there, so that the mask ``t = σ'(z) = (z + r)/2r`` is fractional. As
    ``r → 0`` a minimum on a kink is approached with ``t`` fixed and ``z = r(2t - 1) → 0``: the
    limit is the element of the generalised gradient that vanishes.

    >>> import torch
    >>> float(rounded_relu(0.1).value(torch.tensor(0.0)))
    0.025...
    """

    def slope(z: Tensor, _: Tensor) -> Tensor:
        return (z * (0.5 / radius) + 0.5).clamp_(0.0, 1.0)

    def value(z: Tensor) -> Tensor:
        return (z - radius).clamp_(min=0.0).add_(slope(z, z).square_(), alpha=radius)

    def curvature(z: Tensor, _: Tensor) -> Tensor:
        return (z.abs() < radius).to(z.dtype) * (0.5 / radius)

    return Activation(value, slope, curvature)

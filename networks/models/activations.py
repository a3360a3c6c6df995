"""Activation functions with the two derivatives that second-order work on a network needs."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from networks.checks import shown

Symmetry: TypeAlias = Literal["homogeneous", "odd", "none"]


@dataclass(frozen=True)
class Kink:
    """A place where the slope of an activation jumps from ``below`` to ``above``."""

    position: float
    below: float
    above: float
    value: float = 0.0


@dataclass(frozen=True)
class Activation:
    """An activation ``σ``, its derivatives ``σ'`` and ``σ''``, and the symmetry it has.

    ``value(z)`` returns ``a = σ(z)``; ``slope(z, a)`` and ``curvature(z, a)`` also receive ``a``,
    from which most derivatives follow without a second transcendental function.

    ``symmetry`` is "homogeneous" if ``σ(cz) = c σ(z)`` for ``c > 0`` (one rescaling per neuron
    leaves the output alone), "odd" if ``σ(-z) = -σ(z)`` (one sign flip per neuron does).
    ``in_place(z)``, given where ``slope`` does not look at ``z``, turns ``z`` into ``σ(z)``.

    Tensors go in and out, all of one shape.

    Examples
    --------
    At ``z = 0`` the logistic function is 1/2, and softplus has that slope and a curvature of 1/4:

    >>> z = torch.zeros(1, dtype=torch.float64)
    >>> softplus = ACTIVATIONS["softplus"]
    >>> softplus.slope(z, softplus.value(z)).item(), softplus.curvature(z, z).item()
    (0.5, 0.25)
    """

    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor, Tensor], Tensor]
    curvature: Callable[[Tensor, Tensor], Tensor]
    symmetry: Symmetry = "none"
    in_place: Callable[[Tensor], Tensor] | None = None
    kinks: tuple[Kink, ...] = ()


def _normal_cdf(z: Tensor) -> Tensor:
    return 0.5 * torch.erfc(z * -math.sqrt(0.5))


def _normal_pdf(z: Tensor) -> Tensor:
    return torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


def _logistic_slope(z: Tensor) -> Tensor:
    s = torch.sigmoid(z)
    return s * (1 - s)


def _silu_slope(z: Tensor, a: Tensor) -> Tensor:
    s = torch.sigmoid(z)
    return s + a * (1 - s)


def _silu_curvature(z: Tensor, _: Tensor) -> Tensor:
    s = torch.sigmoid(z)
    return s * (1 - s) * (2 + z * (1 - 2 * s))


def _relu_slope(_: Tensor, a: Tensor) -> Tensor:
    """Return the mask: a unit exactly at its kink counts as inactive."""
    return torch.sign(a)


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(
        torch.relu,
        _relu_slope,
        lambda _, a: torch.zeros_like(a),
        "homogeneous",
        torch.relu_,
        (Kink(0.0, 0.0, 1.0),),
    ),
    "tanh": Activation(
        torch.tanh,
        lambda _, a: 1 - a * a,
        lambda _, a: 2 * a * (a * a - 1),
        "odd",
        torch.tanh_,
    ),
    "softplus": Activation(
        torch.nn.functional.softplus, lambda z, _: torch.sigmoid(z), lambda z, _: _logistic_slope(z)
    ),
    "silu": Activation(torch.nn.functional.silu, _silu_slope, _silu_curvature),
    "gelu": Activation(
        torch.nn.functional.gelu,
        lambda z, _: _normal_cdf(z) + z * _normal_pdf(z),
        lambda z, _: (2 - z * z) * _normal_pdf(z),
    ),
}


def activation(name: str) -> Activation:
    """Return the activation called ``name``; ValueError if there is none.

    >>> activation("tanh").symmetry
    'odd'
    """
    if not isinstance(name, str) or name not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ValueError(
            f"expected an activation among {known}, got {shown(name)}: pass one of these names"
        )
    return ACTIVATIONS[name]

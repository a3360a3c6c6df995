"""Activation functions with the two derivatives that second-order work on a network needs."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from networks.checks import shown

LEAK = 0.1  # slope of the leaky rectifier below zero: 0.01 is a ReLU within the errors of a count
_STRAIGHT = 40.0  # βz from which a softplus is z to rounding


@dataclass(frozen=True)
class Kink:
    """A jump of the slope ``σ'``, at ``z = position``, from ``below`` to ``above``.

    >>> ACTIVATIONS["relu"].kinks
    (Kink(position=0.0, below=0.0, above=1.0),)
    """

    position: float
    below: float
    above: float

    @property
    def jump(self) -> float:
        """The jump ``σ'(c+) - σ'(c-)``: a convex kink has a positive one."""
        return self.above - self.below


@dataclass(frozen=True)
class Activation:
    """An activation ``σ``, its derivatives ``σ'`` and ``σ''``, and the symmetries it has.

    ``value(z)`` returns ``a = σ(z)``; ``slope(z, a)`` and ``curvature(z, a)`` also receive ``a``,
    from which most derivatives follow without a second transcendental function. Tensors go in and
    out, all of one shape.

    Parameters
    ----------
    value, slope, curvature
        ``σ``, ``σ'`` and ``σ''``. At a kink the slope is that below it.
    homogeneous
        Whether ``σ(cz) = c σ(z)`` for ``c > 0``: one rescaling per unit leaves the output alone.
    parity
        -1 if ``σ(-z) = -σ(z)``, 1 if ``σ(-z) = σ(z)``: a sign flip per unit leaves it alone. Or 0.
    kinks
        Where the slope of a piecewise linear ``σ`` jumps, upwards in ``z``; empty of a smooth one.
    in_place
        Turns ``z`` into ``σ(z)``, and that into ``σ'(z)``; given where the slope follows from
        ``σ(z)`` alone.

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
    homogeneous: bool = False
    parity: int = 0
    kinks: tuple[Kink, ...] = ()
    in_place: tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]] | None = None

    def nearest_kink(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the position of the kink next to ``z``, the slope below it, and its jump.

        A smooth activation has a jump of zero at zero.

        >>> position, below, jump = ACTIVATIONS["hardtanh"].nearest_kink(torch.tensor([-3.0, 0.5]))
        >>> position.tolist(), below.tolist(), jump.tolist()
        ([-1.0, 1.0], [0.0, 1.0], [1.0, -1.0])
        """
        kinks = self.kinks or (Kink(0.0, 0.0, 0.0),)
        table = z.new_tensor([(kink.position, kink.below, kink.jump) for kink in kinks])
        middles = (table[1:, 0] + table[:-1, 0]) / 2
        position, below, jump = table[torch.bucketize(z, middles)].unbind(-1)
        return position, below, jump


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


def _softplus(sharpness: float) -> Activation:
    """Return ``softplus(βz)/β``, which becomes a ReLU as ``β`` grows."""
    return Activation(
        lambda z: torch.nn.functional.softplus(z, beta=sharpness, threshold=_STRAIGHT),
        lambda z, _: torch.sigmoid(sharpness * z),
        lambda z, _: _logistic_slope(sharpness * z).mul_(sharpness),
    )


def _straight(_: Tensor, a: Tensor) -> Tensor:
    """Return the curvature of a piecewise linear activation."""
    return torch.zeros_like(a)


# At its kink a unit has the slope below it: a ReLU is inactive there.
ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(
        torch.relu,
        lambda _, a: torch.sign(a),
        _straight,
        homogeneous=True,
        kinks=(Kink(0.0, 0.0, 1.0),),
        in_place=(torch.relu_, torch.Tensor.sign_),
    ),
    "leaky": Activation(
        lambda z: torch.nn.functional.leaky_relu(z, LEAK),
        lambda _, a: (a > 0).to(a.dtype).mul_(1 - LEAK).add_(LEAK),
        _straight,
        homogeneous=True,
        kinks=(Kink(0.0, LEAK, 1.0),),
        in_place=(
            lambda z: torch.nn.functional.leaky_relu_(z, LEAK),
            lambda a: a.gt_(0).mul_(1 - LEAK).add_(LEAK),
        ),
    ),
    "hardtanh": Activation(
        torch.nn.functional.hardtanh,
        lambda z, _: ((z > -1) & (z <= 1)).to(z.dtype),
        _straight,
        parity=-1,
        kinks=(Kink(-1.0, 0.0, 1.0), Kink(1.0, 1.0, 0.0)),
    ),
    "abs": Activation(
        torch.abs,
        lambda z, _: (z > 0).to(z.dtype).mul_(2).sub_(1),
        _straight,
        homogeneous=True,
        parity=1,
        kinks=(Kink(0.0, -1.0, 1.0),),
    ),
    "tanh": Activation(
        torch.tanh,
        lambda _, a: 1 - a * a,
        lambda _, a: 2 * a * (a * a - 1),
        parity=-1,
        in_place=(torch.tanh_, lambda a: a.square_().neg_().add_(1)),
    ),
    "softplus": _softplus(1.0),
    "silu": Activation(torch.nn.functional.silu, _silu_slope, _silu_curvature),
    "gelu": Activation(
        torch.nn.functional.gelu,
        lambda z, _: _normal_cdf(z) + z * _normal_pdf(z),
        lambda z, _: (2 - z * z) * _normal_pdf(z),
    ),
}


def activation(name: str) -> Activation:
    """Return the activation called ``name``; ValueError if there is none.

    ``softplus:β`` is ``softplus(βz)/β``, which becomes a ReLU as its sharpness ``β`` grows.

    >>> activation("tanh").parity
    -1
    >>> z = torch.zeros(1, dtype=torch.float64)
    >>> round(activation("softplus:10").value(z).item(), 6)  # ln 2/10
    0.069315
    """
    if isinstance(name, str):
        if name in ACTIVATIONS:
            return ACTIVATIONS[name]
        kind, _, sharpness = name.partition(":")
        if kind == "softplus" and _is_positive(sharpness):
            return _softplus(float(sharpness))
    known = ", ".join(ACTIVATIONS)
    raise ValueError(
        f"expected an activation among {known} or softplus:β with β > 0, got {shown(name)}: "
        "pass one of these names"
    )


def _is_positive(text: str) -> bool:
    try:
        return 0.0 < float(text) < math.inf
    except ValueError:
        return False

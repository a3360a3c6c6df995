"""Piecewise linear units of any model, found in the calls that its forward pass makes.

Whatever a module calls, torch passes it to a function mode first, as a forward hook of a function:
``relu``, ``leaky_relu``, ``hardtanh``, ``relu6``, ``abs`` and ``clamp`` by numbers have kinks that
are known; ``max_pool2d`` and the like have kinks too, and are named as not resolved.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from networks.models.activations import Kink

# Their kinks, or jumps, are not known to this file.
_NOT_RESOLVED = {
    *("max_pool1d", "max_pool2d", "max_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d"),
    *("adaptive_max_pool3d", "maximum", "minimum", "max", "min", "amax", "amin", "fmax", "fmin"),
    *("topk", "sort", "kthvalue", "median", "cummax", "cummin", "prelu", "rrelu", "threshold"),
    *("threshold_", "hardswish", "hardsigmoid", "hardshrink", "softshrink", "clip", "clamp_min"),
    *("clamp_max", "clamp_", "clip_", "abs_", "selu", "where", "sign", "round", "floor", "ceil"),
    "norm",
}


def _relu(**_: Any) -> tuple[Kink, ...]:
    return (Kink(0.0, 0.0, 1.0),)


def _leaky(negative_slope: float = 0.01, **_: Any) -> tuple[Kink, ...]:
    return (Kink(0.0, float(negative_slope), 1.0),)


def _hardtanh(min_val: float = -1.0, max_val: float = 1.0, **_: Any) -> tuple[Kink, ...]:
    return (Kink(float(min_val), 0.0, 1.0), Kink(float(max_val), 1.0, 0.0))


def _clamp(min: Any = None, max: Any = None, **_: Any) -> tuple[Kink, ...]:  # noqa: A002
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        return ()
    low = () if min is None else (Kink(float(min), 0.0, 1.0),)
    return low if max is None else (*low, Kink(float(max), 1.0, 0.0))


_KINKED: Mapping[str, tuple[Callable[..., tuple[Kink, ...]], Sequence[str]]] = {
    "relu": (_relu, ()),
    "relu_": (_relu, ()),
    "leaky_relu": (_leaky, ("negative_slope",)),
    "leaky_relu_": (_leaky, ("negative_slope",)),
    "hardtanh": (_hardtanh, ("min_val", "max_val")),
    "hardtanh_": (_hardtanh, ("min_val", "max_val")),
    "relu6": (lambda **_: _hardtanh(0.0, 6.0), ()),
    "abs": (lambda **_: (Kink(0.0, -1.0, 1.0),), ()),
    "absolute": (lambda **_: (Kink(0.0, -1.0, 1.0),), ()),
    "clamp": (_clamp, ("min", "max")),
}


@dataclass(frozen=True, eq=False)
class Units:
    """The piecewise linear units of a model, ``U`` for each pattern, call after call.

    Attributes
    ----------
    table
        Position, value there, slope below and jump of each kink, ``(U, 2, 4)``; a unit with one
        kink has its second at infinity.
    moving
        Whether what goes into a unit depends on the parameters, ``(U,)``.
    calls
        Number of units of each call.
    not_resolved
        Names of called functions whose kinks are not known.
    """

    table: Tensor
    moving: Tensor
    calls: tuple[int, ...] = ()
    not_resolved: tuple[str, ...] = ()

    @classmethod
    def none(cls, *not_resolved: str) -> "Units":
        """Return no units."""
        table = torch.zeros(0, 2, 4, dtype=torch.float64)
        return cls(table, table[:, 0, 0] > 0, (), tuple(sorted(not_resolved)))

    def __len__(self) -> int:
        return len(self.table)

    def nearest(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return position, value, slope below and jump of the kink next to ``z``, ``(P, U)``."""
        distance = (z[:, :, None] - self.table[None, :, :, 0]).abs()
        second = distance[:, :, 1] < distance[:, :, 0]
        chosen = torch.where(second[:, :, None], self.table[:, 1], self.table[:, 0])
        position, value, below, jump = chosen.unbind(-1)
        return position, value, below, jump

    def pieces(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return slopes and offsets of the straight pieces ``a = s z + o`` at ``z``, ``(P, U)``."""
        position, value, below, jump = self.nearest(z)
        slopes = below + jump * (z > position)
        return slopes, value - slopes * position

    def to(self, device: torch.device) -> "Units":
        """Return the same on a device."""
        return replace(self, table=self.table.to(device), moving=self.moving.to(device))


@dataclass(eq=False)
class Tape(TorchFunctionMode):
    """A forward pass whose kinked calls are recorded, or replaced by straight pieces.

    ``pieces`` are slopes and offsets, each ``(P, U)``. Afterwards ``z`` and ``a`` hold what went
    into each call and what came out of it, ``kinks`` of which sort each is, ``numbers`` how many
    numbers all calls have made.
    """

    pieces: tuple[Tensor, Tensor] | None = None
    z: list[Tensor] = field(default_factory=list)
    a: list[Tensor] = field(default_factory=list)
    kinks: list[tuple[Kink, ...]] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    numbers: int = 0

    def __post_init__(self) -> None:
        super().__init__()
        self._done = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the function, or what stands for it."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        kinks = _kinks_of(name, args, kwargs)
        if not kinks:
            if name in _NOT_RESOLVED or (name in _KINKED and args and _varies(args[0])):
                self.unknown.add(name)
            found = func(*args, **kwargs)
            if isinstance(found, Tensor):
                self.numbers += found.numel()
            return found
        return self._kinked(func, name, args, kwargs, kinks)

    def _kinked(
        self, func: Any, name: str, args: Any, kwargs: Any, kinks: tuple[Kink, ...]
    ) -> Tensor:
        """Record a call, and make it or its straight piece."""
        z: Tensor = args[0] if args else kwargs["input"]
        in_place = name.endswith("_") or bool(kwargs.get("inplace"))
        before = z.clone() if in_place else z
        if self.pieces is None:
            a: Tensor = func(*args, **kwargs)
        else:
            part = slice(self._done, self._done + before[0].numel())
            slope, offset = (each[:, part].reshape(before.shape) for each in self.pieces)
            a = slope * before + offset
            if in_place:
                a = z.copy_(a)
        self._done += before[0].numel() if before.ndim else 0
        self.numbers += a.numel()
        self.z.append(before)
        self.a.append(a)
        self.kinks.append(kinks)
        return a


def _kinks_of(name: str, args: Any, kwargs: Any) -> tuple[Kink, ...]:
    """Return the kinks of a call; none if it has none that are known."""
    if name not in _KINKED:
        return ()
    z = args[0] if args else kwargs.get("input")
    if not _varies(z):
        return ()
    make, names = _KINKED[name]
    given = dict(zip(names, args[1:], strict=False))
    return make(**given, **{k: v for k, v in kwargs.items() if k in names})


def _varies(z: Any) -> bool:
    return isinstance(z, Tensor) and z.is_floating_point()


def value_at(kinks: tuple[Kink, ...], position: float) -> float:
    """Return the value of a unit at one of its kinks: 0 at that of a rectifier or a modulus."""
    return 0.0 if len(kinks) == 1 and kinks[0].position == 0.0 else position


def units_of(run: Callable[[Tensor], Tensor], inputs: Tensor) -> tuple[Units, int]:
    """Return the units of a model, and how many numbers a pass makes of each pattern.

    ``run`` maps patterns to outputs that depend on the parameters. Patterns must come first in
    what goes into each kinked call, which is told from batches of two sizes.
    """
    tapes = []
    for size in (2, 3):
        with Tape() as tape:
            run(inputs[torch.arange(size, device=inputs.device) % len(inputs)])
        tapes.append(tape)
    two, three = tapes
    numbers = max(1, three.numbers // 3)
    alike = len(two.z) == len(three.z) and all(
        a.ndim > 0 and a.shape[0] == 2 and b.shape == (3, *a.shape[1:])
        for a, b in zip(two.z, three.z, strict=False)
    )
    if not alike:
        acts = any(z.requires_grad for z in three.z)
        names = {"a rectifier whose patterns do not come first"} if acts else set()
        return Units.none(*(three.unknown | names)), numbers
    rows, varying = [], []
    for z, kinks in zip(three.z, three.kinks, strict=True):
        row = [[k.position, value_at(kinks, k.position), k.below, k.jump] for k in kinks]
        row += [[math.inf, 0.0, 0.0, 0.0]] * (2 - len(row))
        rows += [row] * z[0].numel()
        varying += [z.requires_grad] * z[0].numel()
    table = torch.tensor(rows, dtype=torch.float64).reshape(-1, 2, 4)
    calls = tuple(z[0].numel() for z in three.z)
    moving = torch.tensor(varying, dtype=torch.bool)
    return Units(table, moving, calls, tuple(sorted(three.unknown))), numbers

"""What the elementary operations of torch are in numpy, for `networks.models.traced`."""

import operator
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special

Array: TypeAlias = NDArray[Any]
Kind: TypeAlias = torch.dtype | None

# Operations that torch takes apart itself, beside those that its core set leaves out.
DECOMPOSED = tuple(
    getattr(torch.ops.aten, name)
    for name in ("_log_softmax", "_softmax", "addmm", "gelu", "native_layer_norm")
)

_KINDS = {torch.float64: np.float64, torch.int64: np.int64, torch.bool: np.bool_}


def _kind(dtype: Kind) -> Any:
    return None if dtype is None else _KINDS[dtype]


def _added(a: Array, b: Array, *, alpha: float = 1) -> Array:
    return np.add(a, b if alpha == 1 else np.multiply(alpha, b))


def _subtracted(a: Array, b: Array, *, alpha: float = 1) -> Array:
    return np.subtract(a, b if alpha == 1 else np.multiply(alpha, b))


def _reduced(function: Callable[..., Array]) -> Callable[..., Array]:
    """Return a sum or such over some directions, or over all."""

    def over(x: Array, dim: Any = None, keepdim: bool = False, *, dtype: Kind = None) -> Array:
        axis = tuple(dim) if isinstance(dim, Sequence) and dim else None if dim == [] else dim
        found = function(x, axis=axis, keepdims=keepdim)
        return found if dtype is None else found.astype(_KINDS[dtype])

    return over


def _variance_and_mean(
    x: Array, dim: Sequence[int], *, correction: float = 1, keepdim: bool = False
) -> tuple[Array, Array]:
    axis = tuple(dim)
    return (
        np.var(x, axis=axis, ddof=correction, keepdims=keepdim),
        np.mean(x, axis=axis, keepdims=keepdim),
    )


def _expanded(x: Array, size: Sequence[int], **_: Any) -> Array:
    first = len(size) - x.ndim
    return np.broadcast_to(x, [x.shape[k - first] if n < 0 else n for k, n in enumerate(size)])


def _part(x: Array, dim: int, which: int | slice | None) -> Array:
    found: Array = x[(*[slice(None)] * dim, which)]
    return found


def _slice(
    x: Array, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Array:
    return _part(x, dim % x.ndim, slice(start, end, step))


def _split(x: Array, sizes: Sequence[int], dim: int = 0) -> list[Array]:
    ends = np.cumsum([0, *sizes]).tolist()
    return [_slice(x, dim, a, b) for a, b in pairwise(ends)]


def _unsqueezed(x: Array, dim: int) -> Array:
    return _part(x, dim % (x.ndim + 1), None)


def _squeezed(x: Array, dim: Sequence[int]) -> Array:
    return np.squeeze(x, tuple(d for d in dim if x.shape[d] == 1))


def _converted(x: Array, *, dtype: Kind = None, **_: Any) -> Array:
    return x if dtype is None else np.asarray(x, dtype=_KINDS[dtype])


def _full(size: Sequence[int], value: float, *, dtype: Kind = None, **_: Any) -> Array:
    return np.full(size, value, dtype=_kind(dtype))


def _number(value: float, *, dtype: Kind = None, **_: Any) -> Array:
    return np.asarray(value, dtype=_kind(dtype))


def _range(start: float, end: float, step: float = 1, *, dtype: Kind = None, **_: Any) -> Array:
    return np.arange(start, end, step, dtype=_kind(dtype))


def _scattered(x: Array, dim: int, index: Array, value: float) -> Array:
    found = np.array(x)
    np.put_along_axis(found, index, value, axis=dim)
    return found


IN_NUMPY: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("aten.add.Tensor", "aten.add.Scalar"), _added),
    **dict.fromkeys(("aten.sub.Tensor", "aten.sub.Scalar"), _subtracted),
    **dict.fromkeys(("aten.mul.Tensor", "aten.mul.Scalar"), np.multiply),
    **dict.fromkeys(("aten.div.Tensor", "aten.div.Scalar"), np.true_divide),
    **dict.fromkeys(("aten.pow.Tensor_Scalar", "aten.pow.Tensor_Tensor"), np.power),
    **dict.fromkeys(("aten.eq.Scalar", "aten.eq.Tensor"), np.equal),
    **dict.fromkeys(("aten.ne.Scalar", "aten.ne.Tensor"), np.not_equal),
    **dict.fromkeys(("aten.lt.Scalar", "aten.lt.Tensor"), np.less),
    **dict.fromkeys(("aten.le.Scalar", "aten.le.Tensor"), np.less_equal),
    **dict.fromkeys(("aten.gt.Scalar", "aten.gt.Tensor"), np.greater),
    **dict.fromkeys(("aten.ge.Scalar", "aten.ge.Tensor"), np.greater_equal),
    "aten.abs.default": np.abs,
    "aten.cos.default": np.cos,
    "aten.erf.default": lambda x: special.erf(x),
    "aten.exp.default": np.exp,
    "aten.expm1.default": np.expm1,
    "aten.log.default": np.log,
    "aten.log1p.default": np.log1p,
    "aten.logical_and.default": np.logical_and,
    "aten.logical_not.default": np.logical_not,
    "aten.maximum.default": np.maximum,
    "aten.minimum.default": np.minimum,
    "aten.neg.default": np.negative,
    "aten.reciprocal.default": np.reciprocal,
    "aten.rsqrt.default": lambda x: 1.0 / np.sqrt(x),
    "aten.sigmoid.default": lambda x: special.expit(x),
    "aten.sign.default": np.sign,
    "aten.sin.default": np.sin,
    "aten.sqrt.default": np.sqrt,
    "aten.tanh.default": np.tanh,
    "aten.where.self": np.where,
    "aten.mm.default": np.matmul,
    "aten.bmm.default": np.matmul,
    "aten.dot.default": np.matmul,
    "aten.mv.default": np.matmul,
    **dict.fromkeys(("aten.sum.default", "aten.sum.dim_IntList"), _reduced(np.add.reduce)),
    **dict.fromkeys(("aten.mean.default", "aten.mean.dim"), _reduced(np.mean)),
    "aten.amax.default": _reduced(np.maximum.reduce),
    "aten.any.dim": _reduced(np.logical_or.reduce),
    "aten.var_mean.correction": _variance_and_mean,
    "aten.view.default": lambda x, size: x.reshape(size),
    "aten.permute.default": lambda x, dims: x.transpose(dims),
    "aten.expand.default": _expanded,
    "aten.unsqueeze.default": _unsqueezed,
    "aten.squeeze.dims": _squeezed,
    "aten.cat.default": np.concatenate,
    "aten.split_with_sizes.default": _split,
    "aten.slice.Tensor": _slice,
    "aten.select.int": lambda x, dim, index: _part(x, dim % x.ndim, index),
    "aten.gather.default": lambda x, dim, index: np.take_along_axis(x, index, dim),
    "aten.scatter.value": _scattered,
    "aten.clone.default": lambda x, **_: x,
    "aten._to_copy.default": _converted,
    "aten.full.default": _full,
    "aten.empty_permuted.default": lambda size, *_, **__: np.empty(size),
    "aten.copy.default": lambda x, source, *_: np.broadcast_to(source, x.shape),
    "aten.scalar_tensor.default": _number,
    "aten.arange.start_step": _range,
    "<built-in function getitem>": operator.getitem,
}

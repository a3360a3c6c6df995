"""A small function of torch as calls of numpy: for models whose cost is that of calling torch.

A layer of two units is a few additions, and a call of torch takes microseconds before it adds. The
derivatives of a whole model are traced once to their elementary operations, each of these becomes
one call of numpy, and what is always the same is done once. What is not in the table below is left
to torch.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx
from torch.func import functionalize
from torch.fx.experimental.proxy_tensor import make_fx

from networks.models.elementary import DECOMPOSED, IN_NUMPY

Vector: TypeAlias = NDArray[np.float64]
Traced: TypeAlias = Callable[[Vector], tuple[Any, ...]]

aten = torch.ops.aten
_RESHAPES = (aten.view.default, aten.expand.default, aten.clone.default, aten._to_copy.default)
_ALIKE = 1e-11  # difference from torch, relative to the largest number


def traced(
    function: Callable[[Tensor], tuple[Tensor, ...]], examples: Sequence[Vector]
) -> Traced | None:
    """Return a function of arrays that does what one of tensors does; None if numpy cannot.

    It has to give what torch gives at all ``examples``, to rounding. A function that branches on
    numbers cannot be traced, and one that is not the same at every call differs at an example. What
    is returned are new arrays.

    >>> both = traced(lambda w: (2 * w, w @ w), [np.ones(2), np.zeros(2)])
    >>> [found.tolist() for found in both(np.array([3.0, 4.0]))]
    [[6.0, 8.0], 25.0]
    """
    try:
        tracer = make_fx(functionalize(function), decomposition_table=_decompositions())
        graph = tracer(_tensor(examples[0]))
        found = _in_numpy(graph)
        good = all(_alike(found(x), function(_tensor(x))) for x in examples)
    except Exception:  # noqa: BLE001 - a module of a user, or another torch, may raise anything
        return None
    if not good:
        return None

    def quietly(x: Vector) -> tuple[Any, ...]:
        with np.errstate(all="ignore"):  # torch does not warn of an overflow
            return tuple(np.array(each) for each in found(x))  # none is a constant, or x itself

    return quietly


@cache
def _decompositions() -> dict[Any, Callable[..., Any]]:
    """Return what torch says of its operations in terms of fewer."""
    core: Any = torch._decomp.core_aten_decompositions()
    return dict(core.items()) | torch._decomp.get_decompositions(DECOMPOSED)


def _tensor(x: Vector) -> Tensor:
    return torch.tensor(x, dtype=torch.float64)


def _alike(found: tuple[Any, ...], expected: tuple[Tensor, ...]) -> bool:
    """Tell whether numbers are as those of torch, to rounding."""
    for one, tensor in zip(found, expected, strict=True):
        other = tensor.detach().numpy()
        bound = _ALIKE * (1.0 + np.abs(other).max())
        if np.shape(one) != other.shape or not (np.abs(one - other) <= bound).all():
            return False
    return True


def _in_numpy(module: fx.GraphModule) -> Traced:
    """Return a graph of operations of torch as calls of numpy.

    Raises ``KeyError`` for an operation that is not in the table.
    """
    graph = module.graph
    _simplify(graph)
    constants: dict[fx.Node, Any] = {}
    for node in graph.nodes:
        if node.op == "get_attr":
            constants[node] = getattr(module, str(node.target)).detach().numpy()
        elif node.op == "call_function":
            node.target = IN_NUMPY[str(node.target)]
            if all(each in constants for each in node.all_input_nodes):
                args, options = (
                    fx.map_arg(given, constants.__getitem__) for given in (node.args, node.kwargs)
                )
                constants[node] = node.target(*args, **options)
    for count, (node, value) in enumerate(constants.items()):
        setattr(module, name := f"constant_{count}", value)
        with graph.inserting_before(node):
            node.replace_all_uses_with(graph.create_node("get_attr", name))
    graph.eliminate_dead_code()
    module.recompile()
    found: Traced = module.forward
    return found


def _simplify(graph: fx.Graph) -> None:
    """Take out what changes nothing or was done before; what only asks for a shape is constant."""
    before: dict[str, fx.Node] = {}
    for node in graph.nodes:
        if node.op != "call_function":
            continue
        if node.target is aten.full_like.default:
            value = node.meta["val"]
            node.target, node.args = aten.full.default, (list(value.shape), node.args[1])
            node.kwargs = {"dtype": value.dtype}
        written = f"{node.target}, {node.args}, {node.kwargs}"
        same = before.setdefault(written, node)
        if _changes_nothing(node):
            same = node.args[0]
        if same is not node:
            node.replace_all_uses_with(same)
    graph.eliminate_dead_code()


def _changes_nothing(node: fx.Node) -> bool:
    """Tell whether an operation gives back its first argument."""
    here, first = node.meta["val"], node.args[0]
    there = first.meta["val"] if isinstance(first, fx.Node) else None
    if not (isinstance(here, Tensor) and isinstance(there, Tensor)):
        return False
    once = node.target is aten.mul.Tensor and node.args[1] == 1
    kept = here.shape == there.shape and here.dtype == there.dtype
    return kept and bool(once or node.target in _RESHAPES)

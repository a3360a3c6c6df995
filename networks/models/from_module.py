"""From a ``torch.nn.Module`` to a problem: a copy, and everything that a module may not be."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn.parameter import UninitializedParameter

from networks.checks import check_kind, real
from networks.data.arrays import real_array
from networks.models.demands import Demands, demands
from networks.models.flat_directions import FlatDirections
from networks.models.module import ModuleProblem, Vector
from networks.models.module_symmetry import modes, random_states, symmetries
from networks.models.passes import Passes
from networks.models.pieces import Units, units_of

_SAME = 1e-8  # outputs, relative to the largest, that are equal but for the order of their sums


def from_module(
    module: torch.nn.Module,
    x: ArrayLike,
    y: ArrayLike,
    *,
    margin: float = 1.0,
    epsilon: float | None = None,
    frozen: bool = False,
) -> ModuleProblem:
    """Return the problem of teaching a module patterns ``x``, ``(P, ...)``.

    With one output and labels ``y = ±1`` each pattern asks for ``y f >= margin``. With ``C``
    outputs and classes ``y`` from 0 to ``C - 1`` its own output must exceed each other one by the
    margin: ``P (C - 1)`` constraints. With ``epsilon``, ``y`` are values, ``(P,)`` or ``(P, C)``,
    that the outputs must meet to ``epsilon``: two constraints each; ``epsilon = 0`` asks for
    interpolation. Module and arrays are copied. Whole numbers are given to the module as such if
    it takes them, as an embedding does.

    Parameters
    ----------
    frozen
        Whether layers that act differently in training, such as dropout and batch norm, are held
        as they are in evaluation; a module with such layers is refused otherwise.

    Raises
    ------
    ValueError
        In one line: if a number is not finite and real, ``y`` does not fit the outputs, there is
        nothing to train, or the module is not a differentiable function of each pattern alone.

    Examples
    --------
    >>> from torch.nn import Linear, Sequential, Tanh
    >>> problem = from_module(Sequential(Linear(3, 4), Tanh(), Linear(4, 1)), np.eye(3), [1, -1, 1])
    >>> problem.n_dof, problem.gaps(problem.start).shape
    (21, (3,))

    Three classes ask two things of each pattern, and a common shift of all outputs changes none:

    >>> three = from_module(Linear(3, 3), np.eye(3), [0, 1, 2])
    >>> three.gaps(three.start).shape, len(three.zero_modes(three.start))
    ((6,), 4)
    """
    check_kind("module", module, torch.nn.Module, "pass such as torch.nn.Sequential(...)")
    if not np.isfinite(real("margin", margin)):
        raise ValueError(f"expected a finite margin, got {margin}: pass one such as 1")
    own = _copied(module)
    given = real_array("x", _given(x))
    if given.ndim < 1 or not len(given):
        raise ValueError(
            f"expected x of (P, ...) and one or more labels of (P,), got shape {given.shape}: "
            "pass one or more patterns"
        )
    labels = real_array("y", _given(y))
    if labels.ndim < 1 or len(labels) != len(given):
        raise ValueError(
            f"expected x of (P, ...) and labels of (P,), got shapes {given.shape} and "
            f"{labels.shape}: pass one for each pattern"
        )
    device = next(own.parameters()).device
    inputs, output = _inputs(own, np.asarray(_given(x)), given, device)
    _check_state(module, own, inputs, frozen=frozen)
    _check_function(own, inputs, output)
    asked = demands(labels, output[0].numel(), margin, epsilon).to(device)
    return _problem(own, inputs, asked)


def count_outputs(module: torch.nn.Module, x: ArrayLike) -> int:
    """Return how many numbers a module makes of each of the patterns ``x``, ``(P, ...)``.

    Raises ``ValueError`` as `from_module` does, if the module does not take them.
    """
    own = _copied(module)
    device = next(own.parameters()).device
    return _inputs(own, np.asarray(_given(x)), real_array("x", _given(x)), device)[1][0].numel()


def _copied(module: torch.nn.Module) -> torch.nn.Module:
    """Return a copy in float64 and evaluation mode, with finite parameters."""
    if any(isinstance(p, UninitializedParameter) for p in module.parameters()):
        raise ValueError("expected parameters with a shape, got lazy ones: run the module once")
    if not any(p.requires_grad for p in module.parameters()):
        raise ValueError("expected a module with parameters to train, got none: let some need grad")
    for name, p in module.named_parameters():
        if not p.is_floating_point():
            raise ValueError(f"expected real parameters, got {p.dtype} in {name}: convert them")
        real_array(name, p.detach().cpu().numpy() if p.dtype != torch.bfloat16 else p.tolist())
    try:
        return copy.deepcopy(module).double().eval()
    except RuntimeError as error:
        raise ValueError(
            f"expected a module that can be copied, got {_first_line(error)}: make it anew"
        ) from None


def _inputs(
    own: torch.nn.Module, raw: Any, given: Vector, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return the patterns as the module takes them, and its outputs, ``(P, ...)``."""
    kinds = [given] if raw.dtype.kind not in "iu" else [given, given.astype(np.int64)]
    if any(isinstance(m, torch.nn.Embedding | torch.nn.EmbeddingBag) for m in own.modules()):
        kinds = kinds[::-1]
    failure = ""
    for kind in kinds:
        inputs = torch.from_numpy(kind).to(device)
        try:
            with torch.no_grad():
                output = own(inputs.clone())
        except Exception as error:  # noqa: BLE001 - a user's module may raise anything
            failure = failure or f"{type(error).__name__}: {_first_line(error)}"
            continue
        _check_output(output, inputs)
        return inputs, output
    raise ValueError(
        f"expected a module that takes x of shape {given.shape}, got {failure}: "
        "reshape x, or mend the module"
    )


def _check_output(output: Any, inputs: Tensor) -> None:
    """Refuse anything but finite numbers in float64, as many for each pattern."""
    if not isinstance(output, Tensor):
        raise ValueError(  # noqa: TRY004 - as of all that is wrong with a module's outputs
            f"expected a tensor of outputs, got a {type(output).__name__}: let the module return "
            "one tensor"
        )
    if output.ndim < 1 or len(output) != len(inputs) or not output.numel():
        raise ValueError(
            f"expected outputs (P,) or (P, C) of {len(inputs)} patterns, got shape "
            f"{tuple(output.shape)}: let the module return one row for each"
        )
    if output.dtype != torch.float64:
        raise ValueError(
            f"expected outputs in float64, as the parameters are, got {output.dtype}: "
            "let the module convert nothing"
        )
    if not torch.isfinite(output).all():
        raise ValueError(
            "expected finite outputs, got NaN or infinity: give the module other parameters"
        )


def _check_state(
    module: torch.nn.Module, own: torch.nn.Module, inputs: Tensor, *, frozen: bool
) -> None:
    """Refuse what acts differently in training, unless it may be frozen."""
    if frozen:
        return
    names = sorted({type(m).__name__ for m in module.modules() if _has_state(m)})
    if not names:
        trial = copy.deepcopy(own).train()
        before = [b.clone() for b in trial.buffers()]
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            outputs = [trial(inputs.clone()) for _ in range(2)] + [own(inputs.clone())]
        after = list(trial.buffers())
        scale = float(outputs[2].abs().max())
        alike = all(_close(outputs[0], other, scale) for other in outputs[1:])
        kept = all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
        names = [] if alike and kept else ["the module"]
        if not alike and not torch.equal(own(inputs.clone()), outputs[2]):
            return  # random in evaluation too, which no word mends: said later
    if names:
        raise ValueError(
            f"expected one function in training and evaluation, got {', '.join(names)}: pass "
            "frozen=True to hold what acts differently as it is in evaluation"
        )


def _has_state(module: torch.nn.Module) -> bool:
    dropping = isinstance(module, torch.nn.modules.dropout._DropoutNd) and module.p > 0
    attending = isinstance(module, torch.nn.MultiheadAttention) and module.dropout > 0
    kept = getattr(module, "running_mean", None) is not None
    return dropping or attending or kept or isinstance(module, torch.nn.RReLU)


def _check_function(own: torch.nn.Module, inputs: Tensor, output: Tensor) -> None:
    """Refuse what is not a function of each pattern alone that leaves its input alone."""
    with torch.no_grad():
        seen = inputs.clone()
        again = own(seen)
        if not torch.equal(seen, inputs):
            raise ValueError(
                "expected a module that leaves its input as it is, got one that writes to it: "
                "work on x.clone(), or drop inplace=True of the first layer"
            )
        if not torch.equal(again, output):
            raise ValueError(
                "expected the same outputs twice, got others: let the module draw no random numbers"
            )
        single = _alone(own, inputs[-1:].clone())
    scale = float(output.abs().max())
    if single.shape[1:] != output.shape[1:] or not _close(single[0], output[-1], scale):
        raise ValueError(
            "expected outputs of each pattern alone, got others in a batch: let no layer mix "
            "patterns, as batch norm does"
        )


def _alone(own: torch.nn.Module, inputs: Tensor) -> Tensor:
    """Return the outputs of one pattern; nothing if the module takes no single one."""
    try:
        found: Tensor = own(inputs)
    except Exception:  # noqa: BLE001 - a user's module may raise anything
        return inputs.new_zeros(1, 0, 0)
    return found


def _close(one: Tensor, other: Tensor, scale: float) -> bool:
    return float((one - other).abs().max()) <= _SAME * scale


def _problem(own: torch.nn.Module, inputs: Tensor, asked: Demands) -> ModuleProblem:
    """Return the problem, with its kinks and its symmetries, once its derivatives are there."""
    rng = np.random.default_rng(0)
    problem = ModuleProblem(Passes(own), inputs, asked, Units.none())
    w = torch.as_tensor(problem.start, device=inputs.device)
    try:
        run = problem.passes.outputs
        units, numbers = units_of(lambda part: run(w.clone().requires_grad_(), part), inputs)
        problem = ModuleProblem(Passes(own, numbers), inputs, asked, units.to(inputs.device))
        _check_derivatives(problem)
        states = random_states(problem.start, rng)
        found = symmetries(problem, states, rng)
    except Exception as error:  # noqa: BLE001 - a user's module may raise anything
        raise ValueError(
            "expected a module that torch.func can differentiate twice, pattern by pattern, got "
            f"{type(error).__name__}: {_first_line(error)}: let it branch on no numbers and write "
            "to nothing in place"
        ) from None
    flat = FlatDirections.of(problem, states[0], len(modes(found, states[0])), rng)
    return replace(problem, generators=found, flat=flat)


def _check_derivatives(problem: ModuleProblem) -> None:
    """Compare derivatives pattern by pattern with those of a batch, and try a second one."""
    w = torch.as_tensor(problem.start, device=problem.inputs.device)
    few = problem.taken(np.arange(min(3, len(problem.demands))))
    rows = few.gap_jacobian(problem.start)
    at = w.clone().requires_grad_()
    (summed,) = torch.autograd.grad(few.all_gaps(at).sum(), at, allow_unused=True)
    whole = np.zeros(len(w)) if summed is None else summed.cpu().numpy()
    if not np.allclose(rows.sum(axis=0), whole, rtol=1e-7, atol=1e-7 * np.abs(rows).max()):
        raise RuntimeError("derivatives of patterns that do not add up to those of a batch")
    few.curvature(problem.start, np.ones(len(rows)))


def _given(values: ArrayLike | Tensor) -> ArrayLike:
    """Return what a tensor holds, wherever it lies, as an array."""
    if isinstance(values, Tensor):
        found: ArrayLike = values.detach().cpu().numpy()
        return found
    return values


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".:")

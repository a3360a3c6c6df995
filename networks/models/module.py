"""Any ``torch.nn.Module`` with one output as a constraint satisfaction problem."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.func import functional_call, grad, vjp, vmap

from networks.checks import check_kind, real, state
from networks.data.arrays import real_array
from networks.models.hinge import fits

Vector: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ModuleProblem:
    """A module asked to classify patterns with a margin: ``Δ_μ(w) = margin - y_μ f(x_μ; w)``.

    Derivatives come from automatic differentiation: the gradient backward, Hessian products
    backward twice, the Jacobian pattern by pattern. `HingeNetwork` does the same for fully
    connected networks several times faster, and knows their symmetries. Made by `from_module`.

    Attributes
    ----------
    module
        A copy in float64, in evaluation mode: no dropout, no statistics of a batch.
    inputs, labels
        Patterns ``(P, ...)``, and labels ±1 ``(P,)``.
    margin
        The value ``y f`` asked for.
    """

    module: torch.nn.Module
    inputs: Tensor
    labels: Tensor
    margin: float = 1.0

    @property
    def n_dof(self) -> int:
        """Number of parameters that are trained."""
        return sum(p.numel() for p in self._trained().values())

    @property
    def start(self) -> Vector:
        """The parameters that the module came with, ``(n_dof,)``, in the order it names them."""
        return torch.cat([p.detach().reshape(-1) for p in self._trained().values()]).cpu().numpy()

    def gaps(self, x: Vector) -> Vector:
        """Return ``Δ_μ``, shape ``(P,)``: positive where violated."""
        with torch.no_grad():
            return _numpy(self._gaps(self._tensor(x)))

    def satisfied(self, gaps: Vector) -> bool:
        """Tell whether gaps ``(P,)`` are those of a module that fits: ``U < 1e-14``."""
        return fits(gaps)

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return ``U = ½ Σ max(Δ, 0)²`` and ``∇U``, shape ``(n_dof,)``."""
        w = self._tensor(x).requires_grad_()
        energy = self._energy(w)
        (gradient,) = torch.autograd.grad(energy, w)
        return float(energy.detach()), _numpy(gradient)

    def gap_jacobian(self, x: Vector, rows: Indices | None = None) -> Vector:
        """Return ``∂Δ_μ/∂x``, dense: ``(P, n_dof)``, or ``(len(rows), n_dof)``."""
        w, index = self._tensor(x), slice(None) if rows is None else np.array(rows)

        def gap(w: Tensor, pattern: Tensor, label: Tensor) -> Tensor:
            return self._gaps_of(w, pattern[None], label[None])[0]

        one_by_one: Callable[..., Tensor] = vmap(grad(gap), in_dims=(None, 0, 0))
        inputs, labels = self.inputs[index], self.labels[index]
        if not len(labels):
            return np.zeros((0, self.n_dof))
        return _numpy(one_by_one(w, inputs, labels))

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return ``H(x) v``, shape of ``v``: one direction ``(n_dof,)`` or ``(k, n_dof)``."""
        _, product, *_ = vjp(grad(self._energy), self._tensor(x))
        directions = torch.tensor(np.atleast_2d(v), dtype=torch.float64, device=self.inputs.device)
        (found,) = vmap(product)(directions)
        return _numpy(found).reshape(v.shape)

    def zero_modes(self, x: Vector) -> Vector:
        """Return no mode, ``(0, n_dof)``: what leaves a module's output alone is not known."""
        return np.zeros((0, len(x)))

    def tightening(self, x: Vector) -> Vector:
        """Return ``∂Δ/∂t = 1`` for each pattern, shape ``(P,)``."""
        del x
        return np.ones(len(self.labels))

    def tightened(self, t: float) -> "ModuleProblem":
        """Return the same problem with ``t`` added to the margin asked for."""
        return replace(self, margin=self.margin + t)

    def _energy(self, w: Tensor) -> Tensor:
        return 0.5 * self._gaps(w).clamp(min=0).square().sum()

    def _gaps(self, w: Tensor) -> Tensor:
        return self._gaps_of(w, self.inputs, self.labels)

    def _gaps_of(self, w: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        trained = self._trained()
        parts = torch.split(w, [p.numel() for p in trained.values()])
        named = {n: w.view_as(p) for (n, p), w in zip(trained.items(), parts, strict=True)}
        output: Tensor = functional_call(self.module, named, (inputs,))
        return self.margin - labels * output.reshape(labels.shape)

    def _trained(self) -> dict[str, Tensor]:
        return {n: p for n, p in self.module.named_parameters() if p.requires_grad}

    def _tensor(self, x: Vector) -> Tensor:
        return torch.tensor(state(x, self.n_dof), device=self.inputs.device)


def from_module(
    module: torch.nn.Module, x: ArrayLike, y: ArrayLike, *, margin: float = 1.0
) -> ModuleProblem:
    """Return the problem of teaching a module patterns ``x``, ``(P, ...)``, with labels ``y`` ±1.

    Its outputs must be ``P`` numbers, ``(P,)`` or ``(P, 1)``. Module and arrays are copied.

    Raises
    ------
    ValueError
        If a number is not finite and real, labels are not ±1, there is nothing to train, or the
        module gives more or fewer numbers than patterns.

    Examples
    --------
    >>> module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    >>> problem = from_module(module, np.eye(3), [1, -1, 1])
    >>> problem.n_dof, problem.gaps(problem.start).shape
    (21, (3,))
    """
    check_kind("module", module, torch.nn.Module, "pass such as torch.nn.Sequential(...)")
    if not np.isfinite(real("margin", margin)):
        raise ValueError(f"expected a finite margin, got {margin}: pass one such as 1")
    own = copy.deepcopy(module).double().eval()
    if not any(p.requires_grad for p in own.parameters()):
        raise ValueError("expected a module with parameters to train, got none: let some need grad")
    for name, parameter in own.named_parameters():
        real_array(name, _numpy(parameter))
    device = next(own.parameters()).device
    inputs = torch.from_numpy(real_array("x", _given(x))).to(device)
    given = real_array("y", _given(y))
    labels = torch.from_numpy(given).to(device)
    if labels.ndim != 1 or inputs.ndim < 1 or len(labels) != len(inputs):
        raise ValueError(
            f"expected x of (P, ...) and labels of (P,), got shapes {tuple(inputs.shape)} and "
            f"{tuple(labels.shape)}: pass one label for each pattern"
        )
    if not len(labels) or not bool((labels.abs() == 1).all()):
        raise ValueError(
            f"expected one or more labels of ±1, got {np.unique(given)[:5].tolist()}: convert them"
        )
    with torch.no_grad():
        output = own(inputs)
    if output.numel() != len(labels):
        raise ValueError(
            f"expected one output a pattern, {len(labels)}, got shape {tuple(output.shape)}: "
            "let the module return a single number for each"
        )
    return ModuleProblem(own, inputs, labels, margin)


def _given(values: ArrayLike | Tensor) -> ArrayLike:
    """Return what a tensor holds, wherever it lies, as an array."""
    return _numpy(values) if isinstance(values, Tensor) else values


def _numpy(t: Tensor) -> Vector:
    found: Vector = t.detach().cpu().numpy()
    return found

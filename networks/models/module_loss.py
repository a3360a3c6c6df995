"""The loss of any smooth module, with weight decay: a landscape of minima and saddles."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Self, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.func import grad, grad_and_value, vjp, vmap
from torch.nn.functional import cross_entropy, softplus

from networks.checks import real, state
from networks.data.outcomes import Outcomes
from networks.models.from_module import from_module
from networks.models.module import ModuleProblem
from networks.models.module_symmetry import Generator, modes, rotations
from networks.models.traced import Traced, traced
from networks.models.unit_group import UnitGroup

Vector: TypeAlias = NDArray[np.float64]
Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]

_ROOM = 1 << 24  # numbers that the arrays of a part may hold: 128 MB
_FLAT = 1e-9  # slope of the loss along a symmetry, relative to the whole gradient


@dataclass(frozen=True, eq=False)
class ModuleLoss:
    """``E(w) = loss(f(x; w), y) + λ|w|²`` of a module; without kinks.

    States whose outputs agree on all patterns, but for a common shift of the outputs of a pattern,
    are taken for one: reordered units make the same function. How many such images a state has is
    known of chains of linear layers.

    Attributes
    ----------
    problem
        The module with its patterns, made by `from_module`.
    labels
        Classes ``(P,)``: -1 and 1 of one output.
    loss
        ``loss(outputs, labels)``, a number: the mean over patterns. Nothing else may change it.
    l2
        ``λ >= 0``.
    generators
        Symmetries of the loss without decay.
    kept
        The sums of them that decay leaves: those that keep ``|w|``, ``(r, generators)``.
    group
        The orders and signs of hidden units, or None where the discrete group is not known.

    Examples
    --------
    >>> from torch.nn import Linear, Sequential, Tanh
    >>> module = Sequential(Linear(2, 2), Tanh(), Linear(2, 3))
    >>> landscape = ModuleLoss.of(module, np.eye(2), [0, 2], l2=0.0)
    >>> round(landscape.energy_gradient(np.zeros(15))[0], 6)  # ln 3
    1.098612
    """

    problem: ModuleProblem
    labels: Tensor = field(repr=False)
    loss: Loss = field(repr=False)
    l2: float
    generators: tuple[Generator, ...] = field(default=(), repr=False)
    kept: Vector | None = field(default=None, repr=False)
    group: UnitGroup | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        module: torch.nn.Module,
        x: ArrayLike,
        y: ArrayLike,
        *,
        loss: Loss | None = None,
        l2: float = 1e-3,
        frozen: bool = False,
    ) -> Self:
        """Return the landscape of a module on patterns ``x``, ``(P, ...)``, of classes ``y``.

        Parameters
        ----------
        loss
            ``loss(outputs, labels)`` returns a number, and depends on outputs ``(P, C)`` smoothly;
            if not given, the mean cross-entropy, of one output ``mean ln(1 + exp(-y f))``.

        Raises
        ------
        ValueError
            In one line: as `from_module` does, or if the module has kinks or the loss is no number.
        """
        if not 0 <= real("l2", l2) < np.inf:
            raise ValueError(f"expected a finite l2 >= 0, got {l2}: pass such as 1e-3")
        problem = from_module(module, x, y, frozen=frozen)
        if len(problem.units) or problem.units.not_resolved:
            raise ValueError(
                "expected a smooth module, whose Hessian tells minima from saddles, got one with "
                "kinks: use such as tanh or softplus"
            )
        single = problem.demands.n_outputs == 1
        labels = torch.as_tensor(np.asarray(y), device=problem.inputs.device)
        labels = labels.double() if single else labels.long()
        chosen = (_logistic if single else cross_entropy) if loss is None else loss
        found = cls(problem, labels, chosen, float(l2))
        found._check_loss()
        generators = found._symmetries()
        kept = rotations(generators, problem.n_dof) if l2 > 0 else None
        return replace(found, generators=generators, kept=kept, group=UnitGroup.of(problem))

    @property
    def n_dof(self) -> int:
        """Number of parameters."""
        return self.problem.n_dof

    def random_state(self, rng: np.random.Generator) -> Vector:
        """Return normally distributed parameters, ``(n_dof,)``."""
        return rng.standard_normal(self.n_dof)

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return ``E`` and its gradient, ``(n_dof,)``."""
        if self._slope is not None:
            energy, gradient = self._slope(state(x, self.n_dof))
            return float(energy), gradient
        w = self._tensor(x).requires_grad_()
        found = self._energy(w)
        (gradient,) = torch.autograd.grad(found, w)
        return float(found.detach()), gradient.cpu().numpy()

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return ``H v`` for ``v`` of shape ``(n_dof,)`` or ``(k, n_dof)``."""
        w = self._tensor(x)
        directions = torch.tensor(np.atleast_2d(v), dtype=torch.float64, device=w.device)
        found: Vector = self._products(w, directions).detach().cpu().numpy().reshape(v.shape)
        return found

    def hessian(self, x: Vector) -> Vector:
        """Return the dense Hessian, ``(n_dof, n_dof)``."""
        if self._bend is not None:
            (found,) = self._bend(state(x, self.n_dof))
        else:
            found = self.hvp(x, np.eye(self.n_dof))
        return np.asarray(0.5 * (found + found.T))

    def zero_modes(self, x: Vector) -> Vector:
        """Return orthonormal tangents of the known symmetries: if ``λ > 0``, that keep ``|w|``."""
        return modes(self.generators, state(x, self.n_dof), self.kept)

    def harmonic_modes(self, x: Vector) -> Vector:
        """Return the shifts of all outputs if ``λ > 0``: the energy along them is a parabola."""
        shifts = tuple(g for g in self.generators if (g.sources < 0).all())
        return modes(shifts if self.l2 > 0 else (), x)

    def outputs(self, x: Vector, data: Outcomes) -> Vector:
        """Return the probabilities of each class, ``(P, C)``, for any patterns ``(P, d)``."""
        w, inputs = self._tensor(x), self.problem.inputs
        given = torch.tensor(data.x, dtype=inputs.dtype, device=w.device)
        with torch.no_grad():
            found = self.problem.passes.outputs(w, given.reshape(-1, *inputs.shape[1:]))
            if found.shape[1] == 1:
                found = torch.cat([torch.zeros_like(found), found], dim=1)
            return np.asarray(found.softmax(dim=1).cpu())

    # States are one if their functions are.

    @property
    def log_group_order(self) -> float:
        """Logarithm of the order of the discrete group; NaN if it is not known."""
        return np.nan if self.group is None else self.group.log_order

    def equivalents(self, x: Vector, rng: np.random.Generator) -> Iterator[tuple[str, Vector]]:
        """Yield the state with its units in other orders and with other signs."""
        if self.group is not None:
            yield from self.group.equivalents(x, rng)

    def fingerprint(self, x: Vector) -> Vector:
        """Return mean squares of the outputs of each class, without the shift of each pattern."""
        return np.asarray((self._centred(x) ** 2).mean(axis=0))

    def same(self, x: Vector, other: Vector, tolerance: float = 1e-3) -> bool:
        """Tell whether all outputs agree within ``tolerance``, but for a shift of each pattern."""
        return bool(np.abs(self._centred(x) - self._centred(other)).max() < tolerance)

    def stabiliser_order(self, x: Vector) -> int:
        """Return how many elements of the group leave ``x`` as it is; 1 if it is not known."""
        return 1 if self.group is None else self.group.stabiliser_order(x)

    def aligned(self, x: Vector, reference: Vector) -> Vector:
        """Return ``x`` moved along the continuous symmetries, to first order, to be nearest."""
        flat = self.zero_modes(reference)
        return np.asarray(x - ((x - reference) @ flat.T) @ flat)

    def _energy(self, w: Tensor) -> Tensor:
        return self._loss(w) + self.l2 * (w @ w)

    def _loss(self, w: Tensor) -> Tensor:
        outputs = self.problem.passes.outputs(w, self.problem.inputs)
        return self.loss(outputs[:, 0] if outputs.shape[1] == 1 else outputs, self.labels)

    def _products(self, w: Tensor, directions: Tensor) -> Tensor:
        _, product, *_ = vjp(grad(self._energy), w)

        def along(row: Tensor) -> Tensor:
            found: Tensor = product(row)[0]
            return found

        at_once: Callable[..., Tensor] = vmap(along, chunk_size=self._chunk)
        return at_once(directions)

    @property
    def _chunk(self) -> int:
        """How many directions of Hessian products fit in memory at once."""
        count = self.problem.passes.numbers * len(self.labels) + self.n_dof
        return max(1, _ROOM // (4 * count))

    # Of a small module the calls of torch cost the most: its derivatives are traced when they are
    # first asked for, which takes seconds, as long as some hundred Hessians.

    @cached_property
    def _slope(self) -> Traced | None:
        return self._traced(lambda w: grad_and_value(self._energy)(w)[::-1])

    @cached_property
    def _bend(self) -> Traced | None:
        unit = torch.eye(self.n_dof, dtype=torch.float64)
        return self._traced(lambda w: (self._products(w, unit),))

    @cached_property
    def _function(self) -> Traced | None:
        return self._traced(lambda w: (self.problem.passes.outputs(w, self.problem.inputs),))

    def _traced(self, function: Callable[[Tensor], tuple[Tensor, ...]]) -> Traced | None:
        if self._chunk < self.n_dof or self.problem.inputs.device.type != "cpu":
            return None
        rng = np.random.default_rng(0)
        return traced(function, [self.problem.start, *rng.standard_normal((2, self.n_dof))])

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes without what was traced: another process traces for itself."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def _check_loss(self) -> None:
        """Refuse a loss that is no finite number, or cannot be differentiated twice."""
        w = self._tensor(self.problem.start)
        try:
            value: Any = self._loss(w)
            good = isinstance(value, Tensor) and value.ndim == 0 and bool(torch.isfinite(value))
            if good:
                self.hvp(self.problem.start, self.problem.start)
        except Exception as error:  # noqa: BLE001 - a user's loss may raise anything
            text = " ".join(str(error).split())[:200]
            raise ValueError(
                f"expected loss(outputs, labels) of {len(self.labels)} patterns, got "
                f"{type(error).__name__}: {text}: mend it"
            ) from None
        if not good:
            got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
            raise ValueError(
                f"expected one finite number of the loss, got {got}: return such as its mean"
            )

    def _symmetries(self) -> tuple[Generator, ...]:
        """Return the symmetries of the outputs that are those of the loss."""
        rng, found = np.random.default_rng(0), list(self.problem.generators)
        for _ in range(2):
            x = rng.standard_normal(self.n_dof)
            w = self._tensor(x).requires_grad_()
            slope = torch.autograd.grad(self._loss(w), w)[0].cpu().numpy()
            size = np.linalg.norm(slope)
            along = [(g, g.tangent(x)) for g in found]
            found = [g for g, t in along if abs(t @ slope) <= _FLAT * size * np.linalg.norm(t)]
        return tuple(found)

    def _centred(self, x: Vector) -> Vector:
        """Return the outputs of each pattern without their mean, ``(P, C)``; of one, itself."""
        if self._function is not None:
            (found,) = self._function(state(x, self.n_dof))
        else:
            with torch.no_grad():
                w = self._tensor(x)
                found = self.problem.passes.outputs(w, self.problem.inputs).cpu().numpy()
        mean = found.mean(axis=1, keepdims=True) if found.shape[1] > 1 else 0.0
        return np.asarray(found - mean)

    def _tensor(self, x: Vector) -> Tensor:
        return torch.tensor(state(x, self.n_dof), device=self.problem.inputs.device)


def _logistic(outputs: Tensor, labels: Tensor) -> Tensor:
    """Return ``mean ln(1 + exp(-y f))`` of labels ±1."""
    return softplus(-labels * outputs).mean()

"""What is asked of the outputs of a model: gaps that are linear in them."""

from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.checks import real

Vector: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Demands:
    """The gaps ``Δ_μg = margin + shift_μg + Σ_c slope_gc f_c(x_μ)`` of ``P`` patterns.

    Two classes, labels ``y = ±1`` and one output: ``Δ = margin - y f``. ``C`` classes: the
    pattern's own output must exceed each of the ``C - 1`` others, ``Δ = margin - (f_y - f_k)``.
    Regression: ``|f - y| <= ε`` is ``Δ = -ε + (f - y)`` and ``Δ = -ε - (f - y)`` for each output,
    with the margin ``-ε``; at ``ε = 0`` the energy is ``½ Σ (f - y)²``.

    Attributes
    ----------
    slopes
        ``∂Δ/∂f`` for each sort of pattern, ``(sorts, k, C)``.
    sorts
        The sort of each pattern, ``(P,)``.
    shifts
        ``(P, k)``.
    margin
        What is asked for.

    Examples
    --------
    >>> three = Demands.of_classes(np.array([2, 0]), 3, margin=1.0)
    >>> three.gaps(torch.tensor([[0.0, 0.5, 2.0], [0.0, 0.0, 0.0]], dtype=torch.float64))
    tensor([[-1.0000, -0.5000],
            [ 1.0000,  1.0000]], dtype=torch.float64)
    """

    slopes: Tensor
    sorts: Tensor
    shifts: Tensor
    margin: float

    @classmethod
    def of_labels(cls, labels: Vector, margin: float) -> Self:
        """Return what two classes ask of one output, labels ``±1`` of ``(P,)``."""
        slopes = torch.tensor([[[1.0]], [[-1.0]]], dtype=torch.float64)
        sorts = torch.as_tensor(labels > 0).long()
        return cls(slopes, sorts, slopes.new_zeros(len(labels), 1), margin)

    @classmethod
    def of_classes(cls, labels: NDArray[Any], count: int, margin: float) -> Self:
        """Return what labels ``0..count-1`` of ``(P,)`` ask of ``count`` outputs."""
        every = torch.eye(count, dtype=torch.float64)
        slopes = torch.stack(
            [torch.cat([every[:c], every[c + 1 :]]) - every[c] for c in range(count)]
        )
        sorts = torch.as_tensor(labels).long()
        return cls(slopes, sorts, slopes.new_zeros(len(labels), count - 1), margin)

    @classmethod
    def of_targets(cls, targets: Vector, epsilon: float) -> Self:
        """Return what values ``(P, C)`` ask of ``C`` outputs, to ``epsilon``."""
        one = torch.eye(targets.shape[1], dtype=torch.float64)
        y = torch.tensor(targets)
        sorts = torch.zeros(len(y), dtype=torch.long)
        return cls(torch.cat([one, -one])[None], sorts, torch.cat([-y, y], dim=1), -epsilon)

    def __len__(self) -> int:
        return len(self.sorts)

    @property
    def per_pattern(self) -> int:
        """Number ``k`` of gaps of a pattern."""
        return int(self.slopes.shape[1])

    @property
    def n_outputs(self) -> int:
        """Number ``C`` of outputs of a pattern."""
        return int(self.slopes.shape[2])

    @property
    def opposed(self) -> bool:
        """Whether the gaps of a pattern are two, with slopes of opposite signs."""
        return self.per_pattern == 2 and bool((self.slopes.sum(dim=1) == 0).all())

    def gaps(self, output: Tensor, index: Tensor | None = None) -> Tensor:
        """Return ``Δ``, ``(P, k)``, of outputs ``(P, C)`` of all patterns, or of those given."""
        sorts = self.sorts if index is None else self.sorts[index]
        shifts = self.shifts if index is None else self.shifts[index]
        if len(self.slopes) == 1:
            return self.margin + shifts + output @ self.slopes[0].T
        return self.margin + shifts + (self.slopes[sorts] @ output[:, :, None])[:, :, 0]

    def cotangents(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the patterns of some gaps, ``(r,)``, and their ``∂Δ/∂f``, ``(r, C)``."""
        patterns = rows // self.per_pattern
        return patterns, self.slopes[self.sorts[patterns], rows % self.per_pattern]

    def tightened(self, t: float) -> Self:
        """Return the same with ``t`` added to the margin."""
        return replace(self, margin=self.margin + t)

    def taken(self, index: Tensor) -> Self:
        """Return what is asked of some of the patterns."""
        return replace(self, sorts=self.sorts[index], shifts=self.shifts[index])

    def to(self, device: torch.device) -> Self:
        """Return the same on a device."""
        moved = {name: getattr(self, name).to(device) for name in ("slopes", "sorts", "shifts")}
        return replace(self, **moved)


def demands(y: Vector, n_outputs: int, margin: float, epsilon: float | None) -> Demands:
    """Return what ``y`` asks of ``n_outputs`` outputs: labels, classes, or values to ``epsilon``.

    Raises
    ------
    ValueError
        In one line, if ``y`` fits none of them.
    """
    if epsilon is not None:
        return _targets(y, n_outputs, epsilon)
    if y.ndim != 1:
        raise ValueError(
            f"expected labels of (P,), got shape {y.shape}: pass one label for each pattern, or "
            "epsilon for a regression"
        )
    found = np.unique(y)
    if n_outputs == 1:
        if not np.isin(found, (-1.0, 1.0)).all():
            raise ValueError(
                f"expected labels of ±1 for one output, got {found[:5].tolist()}: convert them, "
                "give the model an output for each class, or pass epsilon for a regression"
            )
        return Demands.of_labels(y, margin)
    if not (np.isin(found, np.arange(n_outputs))).all():
        raise ValueError(
            f"expected classes 0..{n_outputs - 1} for {n_outputs} outputs, got "
            f"{found[:5].tolist()}: number them from 0, or let the model return one output a "
            "pattern for labels of ±1"
        )
    return Demands.of_classes(y, n_outputs, margin)


def _targets(y: Vector, n_outputs: int, epsilon: float) -> Demands:
    """Return what a regression asks."""
    if not 0.0 <= real("epsilon", epsilon) < np.inf:
        raise ValueError(f"expected a finite epsilon >= 0, got {epsilon}: pass such as 0.1")
    columns = y.reshape(len(y), -1)
    if columns.shape[1] != n_outputs:
        raise ValueError(
            f"expected a value for each of {n_outputs} outputs of a pattern, got shape {y.shape}: "
            "let the model return as many as there are values"
        )
    return Demands.of_targets(columns, float(epsilon))

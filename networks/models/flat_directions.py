"""Directions in which a smooth module stays the same function, counted where nobody listed them.

The outputs do not change along a direction in parameters if their slopes vanish on more patterns
than there are parameters, provided that these are generic: for a function that is analytic in its
inputs it then vanishes on all. So the number of flat directions is that of parameters less the rank
of the slopes on random patterns: a property of the module and not of the patterns it is taught. It
holds what no list of symmetries does, such as: the normalised numbers of a layer norm have the sum
zero, so that what reads them may grow by one number for all; and what enters it may grow by any
linear function for all.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from networks.models.module import ModuleProblem
    from networks.models.passes import Passes

Vector: TypeAlias = NDArray[np.float64]

MOST = 500  # parameters of a module whose rank is taken: it costs their number cubed
_ZERO = 1e-13  # singular values, relative to the largest, that are zero to rounding
_CLEAR = 10.0  # how much larger the others are: a norm is blind to scales but for its 1e-5
_NOTHING = 1e-14  # and slopes of one parameter


@dataclass(frozen=True, eq=False)
class FlatDirections:
    """The directions in which a smooth module stays the same function.

    Attributes
    ----------
    passes
        The module.
    inputs
        Random patterns, as many as ask for a number for each parameter, and some of the problem's.
    asked
        What is asked of the outputs of a pattern: orthonormal sums of them, ``(q, C)``.
    count
        How many directions there are, at almost every state. Parameters that no output depends on
        are not counted.
    """

    passes: "Passes"
    inputs: Tensor
    asked: Tensor
    count: int = 0

    @classmethod
    def of(
        cls, problem: "ModuleProblem", x: Vector, known: int, rng: np.random.Generator
    ) -> Self | None:
        """Return those of a problem that has more than are ``known``; None if it has not.

        Or if it is not smooth, has more than 500 parameters, or no output for random patterns. They
        are counted at ``x``, a random state.
        """
        if len(problem.units) or problem.units.not_resolved or problem.n_dof > MOST:
            return None
        slopes = problem.demands.slopes.reshape(-1, problem.demands.n_outputs)
        _, sizes, rows = torch.linalg.svd(slopes, full_matrices=False)
        asked, before = rows[sizes > 1e-9 * sizes.max()], -1
        patterns = -(-problem.n_dof // len(asked)) + 1
        for _ in range(6):  # outputs may depend on each other: more patterns, until the rank stays
            own = problem.inputs[torch.as_tensor(rng.permutation(len(problem.inputs))[:patterns])]
            inputs = torch.cat([_random_patterns(problem.inputs, patterns, rng), own])
            found = cls(problem.passes, inputs, asked)
            try:
                count = int((found._singular(x)[0] < _ZERO).sum())
            except Exception:  # noqa: BLE001 - a module of a user may refuse random patterns
                return None
            if count <= known:
                return None
            if count == before:
                return cls(problem.passes, inputs, asked, count)
            before, patterns = count, 2 * patterns
        return None

    def at(self, x: Vector) -> Vector | None:
        """Return them at ``x`` as orthonormal rows, ``(count, n_dof)``.

        None where more slopes vanish than at almost every state, such as where weights are zero:
        not all of those directions are symmetries.
        """
        sizes, rows = self._singular(x)
        if len(sizes) <= self.count:
            return None
        largest, others = sizes[-self.count], sizes[: -self.count]
        clear = largest < _ZERO and bool((others > _CLEAR * largest).all())
        return rows[-self.count :] if clear else None

    def _singular(self, x: Vector) -> tuple[Vector, Vector]:
        """Return the singular values of the slopes, by the largest, and their directions."""
        q, m = len(self.asked), len(self.inputs)
        w = torch.tensor(x, device=self.inputs.device)
        slopes = self.passes.rows(w, self.inputs.repeat_interleave(q, 0), self.asked.repeat(m, 1))
        matrix = slopes.cpu().numpy()
        largest = np.abs(matrix).max(axis=0)
        moving = largest > _NOTHING * largest.max()
        if not (np.isfinite(matrix).all() and moving.any()):  # an overflow, or no slope at all
            return np.zeros(0), np.zeros((0, len(x)))
        _, sizes, vectors = np.linalg.svd(matrix[:, moving], full_matrices=False)
        rows = np.zeros((len(vectors), len(x)))
        rows[:, moving] = vectors
        return sizes / sizes[0], rows


def dead_parameters(problem: "ModuleProblem", w: Tensor) -> NDArray[np.bool_]:
    """Tell which parameters no gap depends on: random sums of gaps have no slope along them."""
    rng = np.random.default_rng(0)
    sizes = np.zeros(problem.n_dof)
    for _ in range(2):
        at = w.clone().requires_grad_()
        weights = torch.as_tensor(rng.standard_normal(problem.demands.shifts.shape))
        total = (problem.all_gaps(at) * weights.to(w.device)).sum()
        slopes = torch.autograd.grad(total, at)[0].abs().cpu().numpy()
        sizes = np.maximum(sizes, slopes)
    return np.asarray(sizes <= _NOTHING * sizes.max(initial=0.0))


def _random_patterns(inputs: Tensor, count: int, rng: np.random.Generator) -> Tensor:
    """Return patterns whose numbers lie between those of ``inputs``: are among them if whole."""
    values, shape = inputs.reshape(-1), (count, *inputs.shape[1:])

    def drawn() -> Tensor:
        places = torch.as_tensor(rng.integers(len(values), size=shape), device=inputs.device)
        return values[places]

    if not inputs.is_floating_point():
        return drawn()
    share = torch.as_tensor(rng.random(shape), dtype=inputs.dtype, device=inputs.device)
    return share * drawn() + (1 - share) * drawn()

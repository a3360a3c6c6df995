"""Full-batch Adam on the hinge energy of an ensemble: the anneal that precedes a polish."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.ensemble import Ensemble, groups
from networks.margin import HingeNetwork
from networks.schedule import Schedule

Vector: TypeAlias = NDArray[np.float64]

_LOOK = 100  # steps between looks for finished networks on an accelerator


@dataclass(frozen=True, eq=False)
class Annealed:
    """Where an anneal ended.

    Attributes
    ----------
    x
        The parameters, ``(n_dof,)``.
    steps
        Steps made.
    mean_gradient
        ``∇U`` averaged over the last tenth of the steps, ``(n_dof,)``. At a minimum that sits on
        kinks no gradient vanishes, but steps fall on all sides of them, and their mean tends to
        the element of the generalised gradient that does.
    fall
        Relative fall of the energy over that last tenth.
    """

    x: Vector
    steps: int
    mean_gradient: Vector
    fall: float


def anneal(
    problem: HingeNetwork, x: Vector, *, steps: int, schedule: Schedule | None = None
) -> Annealed:
    """Return the parameters after at most ``steps`` of Adam: `anneal_many` of one network."""
    return anneal_many([problem], [x], steps=steps, schedule=schedule)[0]


def anneal_many(
    problems: Sequence[HingeNetwork],
    xs: Sequence[Vector],
    *,
    steps: int,
    schedule: Schedule | None = None,
) -> list[Annealed]:
    """Return the parameters of each network after at most ``steps`` of full-batch Adam.

    Kingma and Ba, arXiv:1412.6980, on ``U / P``. A network ends early when none of its patterns
    is violated, or when its energy is no longer finite. It takes the same steps alone as in an
    ensemble, to rounding.
    """
    found: list[Annealed] = []
    for group in groups(problems):
        anneal_group = _Adam([problems[i] for i in group], [xs[i] for i in group], schedule)
        found += anneal_group.run(steps)
    return found


class _Adam:
    """An anneal of one group of networks."""

    def __init__(
        self, problems: Sequence[HingeNetwork], xs: Sequence[Vector], schedule: Schedule | None
    ) -> None:
        self.nets = Ensemble(problems, xs)
        self.schedule = schedule or Schedule()
        self.mean, self.square, self.total = (torch.zeros_like(self.nets.w) for _ in range(3))
        self.before = torch.full_like(self.nets.w[:, 0], torch.inf)
        self.energies = self.before.clone()
        self.alive = torch.ones_like(self.before)
        self.ended = torch.zeros_like(self.before)
        self.running = list(range(len(problems)))
        self.found: dict[int, Annealed] = {}

    def run(self, steps: int) -> list[Annealed]:
        first = steps - max(1, steps // 10)
        for step in range(steps):
            self.nets.round(self.schedule.radius(step, steps))
            self.energies = self.nets.backward(self.nets.gaps())
            self.alive = ((self.energies > 0) & torch.isfinite(self.energies)).to(self.alive.dtype)
            if self._is_due(step) and not bool(self.alive.all()):
                self._release(step, steps - first)
                if not self.running:
                    break
            if step == first:
                self.before = self.energies
            if step >= first:
                self.total += self.nets.gradient
            self._step(step, self.schedule.rate(step, steps))
        self.alive = torch.zeros_like(self.alive)
        self._release(steps, steps - first)
        return [self.found[i] for i in sorted(self.found)]

    def _is_due(self, step: int) -> bool:
        return self.nets.w.device.type == "cpu" or step % _LOOK == 0

    def _step(self, step: int, rate: float) -> None:
        """Move the parameters once, with the gradient that the backward pass left."""
        b1, b2 = self.schedule.momentum, self.schedule.memory
        gradient = self.nets.gradient.div_(self.nets.sizes[:, None])
        self.mean.lerp_(gradient, 1 - b1)
        self.square.mul_(b2).addcmul_(gradient, gradient, value=1 - b2)
        scale = self.square.sqrt().div_((1 - b2 ** (step + 1)) ** 0.5).add_(1e-8)
        move = (self.mean / scale).mul_(self.alive[:, None])
        self.nets.w.sub_(move, alpha=rate / (1 - b1 ** (step + 1)))
        self.ended += self.alive

    def _release(self, step: int, last: int) -> None:
        """Set aside the networks that have ended, and go on with the others."""
        ended = self.alive == 0
        falls = 1.0 - self.energies / self.before
        rows = torch.nonzero(ended)[:, 0].tolist()
        for row in rows:
            fall = float(falls[row]) if torch.isfinite(self.before[row]) else np.inf
            self.found[self.running[row]] = Annealed(
                self.nets.w[row].cpu().numpy(),
                int(self.ended[row]),
                (self.total[row] / last).cpu().numpy(),
                fall,
            )
        self.running = [i for row, i in enumerate(self.running) if row not in set(rows)]
        if self.running and rows:
            self._keep(~ended)

    def _keep(self, chosen: Tensor) -> None:
        self.nets.keep(chosen)
        self.mean, self.square, self.total = (
            each[chosen] for each in (self.mean, self.square, self.total)
        )
        self.before, self.energies, self.alive, self.ended = (
            each[chosen] for each in (self.before, self.energies, self.alive, self.ended)
        )

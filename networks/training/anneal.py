"""Full-batch Adam on the hinge energy of an ensemble: the anneal that precedes a polish."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.models.hinge import HingeNetwork
from networks.training.batched import Ensemble, groups
from networks.training.latest import EVERY, LATEST

Vector: TypeAlias = NDArray[np.float64]
Look: TypeAlias = Callable[[int, int, Vector], None]


@dataclass(frozen=True)
class Schedule:
    """How the learning rate of Adam falls, and how long a momentum it keeps.

    The rate is lowered in ``stages`` equal steps from ``first`` towards ``last``, after a linear
    rise over the first part ``warmup`` of the anneal: a network that starts faster leaves behind
    patterns on which a whole layer is dead. The long momentum is what a short anneal needs: with
    0.9 it takes about five times as many steps to reach the same energy.

    ``rounding``, if given, rounds the kinks of units over ``|z - c| < r``, with ``r`` falling
    geometrically from its first number to its second: a rounded network is trained more
    easily, and the transition moves up (ReLU, width 12, from ``P/N`` 2.3 to 3.2).

    ``by_factors`` lets the rate fall by equal factors instead of equal differences.

    Examples
    --------
    >>> plain = Schedule(1e-2, 1e-4, stages=3, warmup=0.0, by_factors=True)
    >>> [round(plain.rate(step, 300), 12) for step in (0, 150, 299)]
    [0.01, 0.001, 0.0001]
    """

    first: float = 1e-2
    last: float = 1e-4
    stages: int = 100
    warmup: float = 0.15
    momentum: float = 0.97
    memory: float = 0.999
    rounding: tuple[float, float] | None = None
    by_factors: bool = False

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate at ``step`` of ``steps``."""
        stage = step * self.stages // max(steps, 1)
        part = stage / max(self.stages - 1, 1)
        rate = self.first + (self.last - self.first) * part
        if self.by_factors:
            rate = self.first * (self.last / self.first) ** part
        return rate * min(1.0, (step + 1) / (self.warmup * steps + 1))

    def radius(self, step: int, steps: int) -> float:
        """Return the radius of the rounded kinks at ``step`` of ``steps``; 0 if they are sharp."""
        if self.rounding is None:
            return 0.0
        first, last = self.rounding
        return float(first * (last / first) ** (step / max(steps, 1)))


@dataclass(frozen=True, eq=False)
class Annealed:
    """Where an anneal ended.

    Attributes
    ----------
    x
        The parameters, ``(n_dof,)``.
    steps
        Steps made.
    energy
        ``U`` at the last gradient.
    """

    x: Vector
    steps: int
    energy: float


def anneal(
    problems: Sequence[HingeNetwork],
    xs: Sequence[Vector],
    *,
    steps: int,
    schedule: Schedule | None = None,
    look: Look | None = None,
    looks: int = 100,
) -> Iterator[tuple[int, Annealed]]:
    """Yield the number of a network and where it ended, as they end, in at most ``steps`` of Adam.

    A network ends early when none of its patterns is violated, or when its energy is no longer
    finite. It takes the steps that it takes alone, to rounding, whatever becomes of the others.

    Parameters
    ----------
    problems
        Networks of any shapes; those of one shape share their matrix products.
    xs
        The parameters of each to start from, ``(n_dof,)``.
    look
        Called with the number of a network, a step and the parameters there.
    looks
        How often that is done in the course of an anneal, about.
    """
    for group in groups(problems):
        nets = Ensemble([problems[i] for i in group], [xs[i] for i in group])
        run = _Anneal(nets, Schedule() if schedule is None else schedule, steps)
        for step in range(steps):
            for row, found in run.advance(step):
                yield group[row], found
            if not len(run.running):
                break
            if step % EVERY == 0:
                LATEST.note("Adam", step, steps, float(run.energies.max()))
            if look is not None and step % max(1, steps // looks) == 0:
                for row, x in zip(run.running.tolist(), nets.w.cpu().numpy(), strict=True):
                    look(group[row], step, x.copy())
        for row, found in run.end():
            yield group[row], found


class _Anneal:
    """Full-batch Adam on ``U / P`` of each network: Kingma and Ba, arXiv:1412.6980."""

    def __init__(self, nets: Ensemble, schedule: Schedule, steps: int) -> None:
        self.nets, self.schedule, self.steps = nets, schedule, steps
        self.mean, self.square = torch.zeros_like(nets.w), torch.zeros_like(nets.w)
        self.energies = torch.full_like(nets.w[:, 0], torch.inf)
        self.running = torch.arange(len(nets), device="cpu")

    def advance(self, step: int) -> Iterator[tuple[int, Annealed]]:
        """Make one step, and yield the networks that have come to their end before it."""
        self.nets.round(self.schedule.radius(step, self.steps))
        self.energies = self.nets.backward(self.nets.gaps())
        goes_on = [0 < energy < np.inf for energy in self.energies.tolist()]
        if not all(goes_on):
            going = torch.tensor(goes_on, device=self.energies.device)
            yield from self._ended(~going, step + 1)
            self._keep(going)
        if len(self.running):
            self._step(step)

    def end(self) -> Iterator[tuple[int, Annealed]]:
        """Yield the networks that have made all steps."""
        yield from self._ended(torch.ones_like(self.energies, dtype=torch.bool), self.steps)

    def _step(self, step: int) -> None:
        """Move the parameters once, with the gradient that the backward pass left."""
        b1, b2 = self.schedule.momentum, self.schedule.memory
        gradient = self.nets.gradient.div_(self.nets.sizes[:, None])
        self.mean.lerp_(gradient, 1 - b1)
        self.square.mul_(b2).addcmul_(gradient, gradient, value=1 - b2)
        scale = self.square.sqrt().div_((1 - b2 ** (step + 1)) ** 0.5).add_(1e-8)
        rate = self.schedule.rate(step, self.steps)
        self.nets.w.addcdiv_(self.mean, scale, value=-rate / (1 - b1 ** (step + 1)))

    def _ended(self, ended: Tensor, steps: int) -> Iterator[tuple[int, Annealed]]:
        for row in torch.nonzero(ended)[:, 0].tolist():
            x = self.nets.w[row].cpu().numpy().copy()
            yield int(self.running[row]), Annealed(x, steps, float(self.energies[row]))

    def _keep(self, chosen: Tensor) -> None:
        self.nets.keep(chosen)
        self.mean, self.square = self.mean[chosen], self.square[chosen]
        self.energies = self.energies[chosen]
        self.running = self.running[chosen.cpu()]

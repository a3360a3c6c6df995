"""Full-batch Adam on the hinge energy, without autograd: the anneal that precedes a polish."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks import passes
from networks.margin import HingeNetwork
from networks.rounding import rounded_relu

Vector: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Schedule:
    """How the learning rate of Adam falls, and how long a momentum it keeps.

    The rate is lowered in ``stages`` equal steps from ``first`` towards ``last``, after a linear
    rise over the first part ``warmup`` of the anneal: a network that starts faster leaves behind
    patterns on which a whole layer is dead. The long momentum is what a short anneal needs: with
    0.9 it takes about five times as many steps to reach the same energy.

    ``rounding``, if given, rounds the kinks of ReLU units over ``|z| < r``, with ``r`` falling
    geometrically from its first number to its second: a rounded network is trained more
    easily, and the transition moves up (at width 12 from ``P/N`` 2.3 to 3.2).
    """

    first: float = 1e-2
    last: float = 1e-4
    stages: int = 100
    warmup: float = 0.15
    momentum: float = 0.97
    memory: float = 0.999
    rounding: tuple[float, float] | None = None

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate at ``step`` of ``steps``."""
        stage = step * self.stages // max(steps, 1)
        rate = self.first + (self.last - self.first) * stage / max(self.stages - 1, 1)
        return rate * min(1.0, (step + 1) / (self.warmup * steps + 1))

    def radius(self, step: int, steps: int) -> float:
        """Return the radius of the rounded kinks at ``step`` of ``steps``; 0 if they are sharp."""
        if self.rounding is None:
            return 0.0
        first, last = self.rounding
        return float(first * (last / first) ** (step / max(steps, 1)))


class Adam:
    """The buffers of one network in training; every step works in place.

    Kingma and Ba, arXiv:1412.6980, on ``U / P``. The backward pass visits only the violated
    patterns: the others exert no force.
    """

    def __init__(self, problem: HingeNetwork, x: Vector, schedule: Schedule) -> None:
        mlp = problem.mlp
        self.problem, self.schedule = problem, schedule
        self.w = torch.tensor(x, dtype=torch.float64, device=problem.inputs.device)
        self.gradient, self.mean, self.square, self.scratch = (
            torch.zeros_like(self.w) for _ in range(4)
        )
        self.layers = passes.layers(mlp, self.w)
        self.blocks = passes.layers(mlp, self.gradient)
        patterns = len(problem.patterns)
        self.inputs = [problem.inputs] + [
            self.w.new_ones(patterns, mlp.width + 1) for _ in range(mlp.depth)
        ]
        self.z = [self.w.new_empty(patterns, mlp.width) for _ in range(mlp.depth)]
        self.sigma = mlp.sigma
        self.steps = 0

    def round(self, radius: float) -> None:
        """Round the kinks of a ReLU over ``|z| < radius``."""
        if radius > 0 and self.problem.mlp.sigma.symmetry == "homogeneous":
            self.sigma = rounded_relu(radius)

    def gaps(self) -> Tensor:
        """Run the forward pass and return ``Δ``, shape ``(P,)``."""
        for layer, a, z, after in zip(
            self.layers[:-1], self.inputs[:-1], self.z, self.inputs[1:], strict=True
        ):
            torch.mm(a, layer.T, out=z)
            after[:, :-1] = self.sigma.value(z)
        f = torch.mv(self.inputs[-1], self.layers[-1][0])
        return self.problem.margin - self.problem.labels * f

    def backward(self, gaps: Tensor) -> float:
        """Fill ``gradient`` with ``∇U`` and return ``U``."""
        violated = torch.nonzero(gaps > 0)[:, 0]
        force = gaps[violated]
        delta = (self.problem.labels[violated] * force).neg_()[:, None]
        for i in reversed(range(len(self.layers))):
            a = self.inputs[i][violated]
            torch.mm(delta.T, a, out=self.blocks[i])
            if i:
                back = delta @ self.layers[i][:, :-1]
                delta = back.mul_(self.sigma.slope(self.z[i - 1][violated], a[:, :-1]))
        return 0.5 * float(force @ force)

    def step(self, rate: float) -> None:
        """Move the parameters once, with the gradient that ``backward`` left."""
        b1, b2 = self.schedule.momentum, self.schedule.memory
        self.steps += 1
        self.gradient.div_(len(self.problem.patterns))
        self.mean.lerp_(self.gradient, 1 - b1)
        self.square.mul_(b2).addcmul_(self.gradient, self.gradient, value=1 - b2)
        torch.sqrt(self.square, out=self.scratch)
        self.scratch.div_((1 - b2**self.steps) ** 0.5).add_(1e-8)
        self.w.addcdiv_(self.mean, self.scratch, value=-rate / (1 - b1**self.steps))


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
    """Return the parameters after at most ``steps`` of Adam.

    Ends early when no pattern is violated, or when the energy is no longer finite.
    """
    schedule = schedule or Schedule()
    adam = Adam(problem, x, schedule)
    total, first = torch.zeros_like(adam.w), steps - max(1, steps // 10)
    before = energy = np.inf
    step = 0
    for step in range(steps):
        adam.round(schedule.radius(step, steps))
        energy = adam.backward(adam.gaps())
        if energy == 0 or not np.isfinite(energy):
            break
        if step >= first:
            before = energy if step == first else before
            total += adam.gradient
        adam.step(schedule.rate(step, steps))
    mean = total / (steps - first)
    fall = 1.0 - energy / before if 0 < before < np.inf else np.inf
    return Annealed(adam.w.cpu().numpy(), step + 1, mean.cpu().numpy(), fall)

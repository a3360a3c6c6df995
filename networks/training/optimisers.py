"""First-order descents other than Adam, so that a result can be told from its optimiser.

Each is called as ``optimiser(problem, x, steps=..., rng=...)`` and returns what
`networks.training.anneal` does: where it ended. All stop when no pattern is violated.
``tolerance`` is the largest ``|∂U/∂w_i|`` that is called zero.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.models import backprop
from networks.models.hinge import HingeNetwork
from networks.training.anneal import Annealed

Vector: TypeAlias = NDArray[np.float64]


class Optimiser(Protocol):
    """Anything that descends from ``x`` in at most ``steps`` evaluations of a gradient.

    ``rng`` is the generator of the run; one that draws nothing leaves it alone.
    """

    def __call__(
        self,
        problem: HingeNetwork,
        x: Vector,
        *,
        steps: int,
        rng: np.random.Generator | None = None,
    ) -> Annealed:
        """Return where the descent ended."""


@dataclass(frozen=True)
class Momentum:
    """Stochastic gradient descent on ``U/P`` with momentum and minibatches.

    ``v <- m v - ε g``, ``w <- w + v``, with ``g`` the gradient of ``batch`` patterns over their
    number, drawn without repetition until all were seen. The rate ``ε`` falls linearly to zero.
    Stops after ``steps``, at an epoch that ends with ``U = 0``, or when the weights overflow.

    Parameters
    ----------
    rate
        ``ε`` of the first step.
    momentum
        ``m``, at least 0 and below 1.
    batch
        Patterns of a minibatch.
    """

    rate: float = 0.02
    momentum: float = 0.9
    batch: int = 64

    def __call__(
        self,
        problem: HingeNetwork,
        x: Vector,
        *,
        steps: int,
        rng: np.random.Generator | None = None,
    ) -> Annealed:
        """Return where the descent ended; ``ValueError`` without a generator for minibatches."""
        if rng is None:
            raise ValueError("expected a generator for the minibatches, got none: pass rng")
        w = torch.tensor(x, dtype=torch.float64, device=problem.inputs.device)
        velocity, order = torch.zeros_like(w), np.empty(0, dtype=np.intp)
        made = 0
        for made in range(1, steps + 1):
            if not len(order):
                order = rng.permutation(len(problem.patterns))
                if _energy(problem, w) == 0:
                    break
            rows, order = torch.as_tensor(order[: self.batch], device=w.device), order[self.batch :]
            gradient = _batch_gradient(problem, w, rows) / len(rows)
            velocity.mul_(self.momentum).sub_(gradient, alpha=self.rate * (1 - made / (steps + 1)))
            w += velocity
            if not torch.isfinite(w).all():
                break
        return _ended(problem, w.cpu().numpy(), made)


@dataclass(frozen=True)
class Lbfgs:
    """Limited-memory BFGS with a line search that satisfies the strong Wolfe conditions.

    That of torch, which networks have anyway. Stops when ``max |∂U/∂w| < tolerance``, or after
    ``steps`` evaluations, and returns the lowest point that it saw: its line search may fail and
    leap, on the kinks of a ReLU always in the end.

    Parameters
    ----------
    tolerance
        Largest ``|∂U/∂w_i|`` at convergence.
    memory
        Steps from which the inverse Hessian is built.
    """

    tolerance: float = 1e-9
    memory: int = 50

    def __call__(
        self,
        problem: HingeNetwork,
        x: Vector,
        *,
        steps: int,
        rng: np.random.Generator | None = None,
    ) -> Annealed:
        """Return where the descent ended."""
        del rng
        w, best, lowest, made = torch.tensor(x, dtype=torch.float64), x, np.inf, 0

        def closure() -> float:
            nonlocal best, lowest, made
            made += 1
            energy, gradient = problem.energy_gradient(w.numpy())
            w.grad = torch.from_numpy(gradient)
            if energy < lowest:
                best, lowest = w.numpy().copy(), energy
            return energy

        search = torch.optim.LBFGS(
            [w],
            max_iter=steps,
            max_eval=steps,
            tolerance_grad=self.tolerance,
            tolerance_change=0.0,
            history_size=self.memory,
            line_search_fn="strong_wolfe",
        )
        search.step(closure)  # type: ignore[no-untyped-call]
        return _ended(problem, best, made)


@dataclass(frozen=True)
class Fire:
    """Fast inertial relaxation: molecular dynamics that stops when it runs uphill.

    Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006), with its parameters, on ``U``. Stops when
    ``max |∂U/∂w| < tolerance``, or after ``steps``.
    """

    tolerance: float = 1e-9
    first_step: float = 1e-3
    longest_step: float = 3e-2

    def __call__(
        self,
        problem: HingeNetwork,
        x: Vector,
        *,
        steps: int,
        rng: np.random.Generator | None = None,
    ) -> Annealed:
        """Return where the descent ended."""
        del rng
        w, velocity = x.copy(), np.zeros_like(x)
        dt, mixing, downhill = self.first_step, 0.1, 0
        for made in range(steps):
            _, gradient = problem.energy_gradient(w)
            if np.abs(gradient).max() < self.tolerance:
                return _ended(problem, w, made)
            if velocity @ gradient > 0:
                velocity, dt, mixing, downhill = np.zeros_like(x), 0.5 * dt, 0.1, 0
            elif (downhill := downhill + 1) > 5:
                dt, mixing = min(1.1 * dt, self.longest_step), 0.99 * mixing
            velocity -= dt * gradient
            speed, force = np.linalg.norm(velocity), np.linalg.norm(gradient)
            velocity = (1 - mixing) * velocity - mixing * (speed / force) * gradient
            w += dt * velocity
        return _ended(problem, w, steps)


OPTIMISERS: dict[str, Optimiser] = {"sgd": Momentum(), "lbfgs": Lbfgs(), "fire": Fire()}


def _batch_gradient(problem: HingeNetwork, w: Tensor, rows: Tensor) -> Tensor:
    """Return ``Σ_μ max(Δ_μ, 0) ∂Δ_μ`` over some of the patterns."""
    state = backprop.forward(problem.mlp, w, problem.inputs[rows])
    labels = problem.labels[rows]
    force = (problem.margin - labels * state.output).clamp_(min=0)
    return backprop.gradient(problem.mlp, w, state, -labels * force)


def _energy(problem: HingeNetwork, w: Tensor) -> float:
    gaps = problem.margin - problem.labels * backprop.output(problem.mlp, w, problem.inputs)
    return 0.5 * float(gaps.clamp_(min=0).square().sum())


def _ended(problem: HingeNetwork, x: Vector, steps: int) -> Annealed:
    """Return the end of a descent; its energy is not a number if the weights have overflown."""
    energy = problem.energy_gradient(x)[0] if np.isfinite(x).all() else np.nan
    return Annealed(x, steps, energy)

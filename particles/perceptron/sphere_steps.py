"""Steps of L-BFGS and of Newton's method on the perceptron's sphere."""

from collections import deque
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from particles.perceptron.perceptron import Perceptron

Vector = NDArray[np.float64]

# A gradient component sums terms of root-mean-square √(2U/N_Δ): what is left of it is rounding,
# of the terms and of the gaps in them.
ROUNDING = 2e-15
# Longest step in units of the sphere's radius.
LONGEST = 0.2
# Steps from which L-BFGS takes its curvature.
MEMORY = 10


class SpherePoint(NamedTuple):
    """A point of the sphere ``|x|² = N``, ``(N,)``, with ``U`` and ``∇U`` there."""

    x: Vector
    energy: float
    gradient: Vector

    @property
    def max_force(self) -> float:
        """``max_i |∂U/∂x_i|``."""
        return float(np.abs(self.gradient).max())


class SphereDescent:
    """Evaluates, counts, and knows when to stop."""

    def __init__(self, problem: Perceptron, tolerance: float, zero: float, max_steps: int) -> None:
        self.problem, self.tolerance, self.zero = problem, tolerance, zero
        self.steps_left, self.evaluations = max_steps, 0

    def at(self, x: Vector) -> SpherePoint:
        """Return the point of the sphere in the direction of ``x``."""
        self.evaluations += 1
        x = self.problem.on_sphere(x)
        return SpherePoint(x, *self.problem.energy_gradient(x))

    def allowed(self, point: SpherePoint) -> bool:
        """Tell whether the patterns count as satisfied."""
        return point.energy <= self.zero

    def balanced(self, point: SpherePoint, tolerance: float) -> bool:
        """Tell whether no component of the gradient exceeds ``tolerance √(2U/N)``."""
        # √(2U/N) is the mean overlap to a factor of order one, and needs no pass over the gaps.
        norm = float(np.sqrt(2.0 * point.energy))
        floor = ROUNDING * (2.0 + norm)
        return point.max_force <= tolerance * norm / float(np.sqrt(self.problem.n_dof)) + floor

    def status(self, point: SpherePoint) -> Literal["unjammed", "jammed", "stalled"]:
        """Return ``jammed`` where forces balance, whether in a minimum or in a saddle."""
        if self.allowed(point):
            return "unjammed"
        return "jammed" if self.balanced(point, self.tolerance) else "stalled"


def lbfgs_steps(
    run: SphereDescent, point: SpherePoint, tolerance: float, max_steps: int
) -> SpherePoint:
    """Descend until ``U = 0`` or the relative residual is below ``tolerance``."""
    pairs: deque[tuple[Vector, Vector, float]] = deque(maxlen=MEMORY)
    longest = LONGEST * np.sqrt(run.problem.n_dof)
    for _ in range(min(max_steps, run.steps_left)):
        if run.allowed(point) or run.balanced(point, tolerance):
            break
        run.steps_left -= 1
        step = -_inverse_hessian(point.gradient, pairs)
        if step @ point.gradient >= 0.0:
            pairs.clear()
            step = -point.gradient
        step *= min(1.0, longest / np.linalg.norm(step))
        new = _backtrack(run, point, step)
        if new is None:
            return point
        s, y = new.x - point.x, new.gradient - point.gradient
        if (curvature := float(s @ y)) > 1e-12 * np.sqrt((s @ s) * (y @ y)):
            pairs.append((s, y, curvature))
        point = new
    return point


def _inverse_hessian(gradient: Vector, pairs: deque[tuple[Vector, Vector, float]]) -> Vector:
    """Apply the two-loop recursion of limited-memory BFGS to ``gradient``."""
    q = gradient.copy()
    weights = []
    for s, y, curvature in reversed(pairs):
        weights.append(float(s @ q) / curvature)
        q -= weights[-1] * y
    if pairs:
        _, y, curvature = pairs[-1]
        q *= curvature / (y @ y)
    for (s, y, curvature), weight in zip(pairs, reversed(weights), strict=True):
        q += (weight - float(y @ q) / curvature) * s
    return q


def _backtrack(run: SphereDescent, point: SpherePoint, step: Vector) -> SpherePoint | None:
    """Halve ``step`` until the energy falls enough; ``None`` where it cannot fall any more."""
    slope = float(step @ point.gradient)
    for halving in range(40):
        new = run.at(point.x + 0.5**halving * step)
        if _lower(point, new, 0.5**halving * slope):
            return new
    return None


def _lower(point: SpherePoint, new: SpherePoint, slope: float) -> bool:
    """Tell whether a step along which ``U`` changes by ``slope`` to first order went down enough.

    Armijo's condition; where rounding hides the change of the energy, its form in the slope at
    the far end (Hager, Zhang, SIAM J. Optim. 16, 170, 2005, eq. 4.1).
    """
    noise = 1e-14 * point.energy + ROUNDING * float(np.sqrt(2.0 * point.energy))
    if new.energy <= point.energy + 1e-4 * slope - noise:
        return True
    step = new.x - point.x
    return new.energy <= point.energy + noise and bool(step @ new.gradient <= -0.8 * slope)


def newton_steps(run: SphereDescent, point: SpherePoint, max_steps: int) -> SpherePoint:
    """Take damped Newton steps in the tangent space, with the exact Hessian."""
    damping = 0.0
    for _ in range(max_steps):
        if run.steps_left <= 0 or run.status(point) != "stalled":
            break
        run.steps_left -= 1
        new, damping = _damped_step(run, point, tangent_hessian(run.problem, point.x), damping)
        if new is None:
            break
        point = new
    return point


def _damped_step(
    run: SphereDescent, point: SpherePoint, hessian: Vector, damping: float
) -> tuple[SpherePoint | None, float]:
    """Raise the damping until the step is downhill, short and lowers the energy."""
    identity = np.eye(len(hessian))
    scale = float(np.sqrt(2.0 * point.energy / len(hessian)))
    longest = LONGEST * np.sqrt(run.problem.n_dof)
    for _ in range(30):
        try:
            step = -cho_solve(cho_factor(hessian + damping * identity), point.gradient)
        except LinAlgError:
            step = np.full_like(point.x, np.inf)
        if np.linalg.norm(step) < longest:
            new = run.at(point.x + step)
            if _lower(point, new, float(step @ point.gradient)):
                return new, damping / 10.0 if damping > 1e-6 * scale else 0.0
        damping = max(4.0 * damping, 1e-3 * scale)
    return None, damping


def tangent_hessian(problem: Perceptron, x: Vector) -> Vector:
    """Return ``JᵀJ + (Σ f s/N) 1`` in the sphere's tangent space, and 1 in the radial direction.

    Here the gradient has no radial part, so the terms ``w nᵀ + n wᵀ`` of the full Hessian drop out.
    """
    gaps = problem.gaps(x)
    violated = np.flatnonzero(gaps > 0.0)
    jacobian = problem.gap_jacobian(x, violated)
    hessian: Vector = jacobian.T @ jacobian
    virial = float(gaps[violated] @ (problem.sigma - gaps[violated])) / problem.n_dof
    hessian[np.diag_indices_from(hessian)] += virial
    hessian += np.outer(x, x) * ((1.0 - virial) / problem.n_dof)
    return hessian

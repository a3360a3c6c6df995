"""Descent of the perceptron's energy on the sphere: L-BFGS far from the minimum, Newton at it.

L-BFGS crosses the many changes of the set of violated patterns cheaply, and stops inside the
allowed region when there is one. At a jammed minimum the set is settled, the energy is smooth, and
two or three exact Newton steps reach rounding error.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

if TYPE_CHECKING:
    from particles.perceptron import Perceptron

Vector = NDArray[np.float64]

# Energy below which the patterns count as satisfied.
ZERO = 1e-20
# A gradient component sums terms of root-mean-square √(2U/N_Δ): what is left of it is rounding,
# of the terms and of the gaps in them.
ROUNDING = 2e-15
# Relative residual at which L-BFGS hands over to Newton.
HAND_OVER = 1e-4
# Steps of L-BFGS and of Newton before the other has a turn: close to jamming some motions are so
# soft that either alone may take thousands.
ROUND = 1000, 30
# Longest step in units of the sphere's radius.
LONGEST = 0.2


@dataclass(frozen=True, eq=False)
class Descent:
    """Where a descent ended.

    Parameters
    ----------
    x
        The state, ``|x|² = N``.
    energy
        ``U(x)``.
    max_force
        ``max_i |∂U/∂x_i|``.
    pressure
        ``p = Σ_μ max(Δ_μ, 0)/N``, the scale ``max_force`` is judged by.
    steps, evaluations
        Steps taken, and energies with gradient computed.
    status
        ``"unjammed"``: ``U = 0`` was reached. ``"jammed"``: ``U > 0`` and the forces balance.
        ``"stalled"``: neither, within the steps allowed.
    """

    x: Vector
    energy: float
    max_force: float
    pressure: float
    steps: int
    evaluations: int
    status: Literal["unjammed", "jammed", "stalled"]


class _Point(NamedTuple):
    x: Vector
    energy: float
    gradient: Vector

    @property
    def max_force(self) -> float:
        return float(np.abs(self.gradient).max())


class _Run:
    """Evaluates, counts, and knows when to stop."""

    def __init__(self, problem: Perceptron, tolerance: float, zero: float, max_steps: int) -> None:
        self.problem, self.tolerance, self.zero = problem, tolerance, zero
        self.steps_left, self.evaluations = max_steps, 0

    def at(self, x: Vector) -> _Point:
        self.evaluations += 1
        x = self.problem.on_sphere(x)
        return _Point(x, *self.problem.energy_gradient(x))

    def pressure(self, point: _Point) -> float:
        return float(np.maximum(self.problem.gaps(point.x), 0.0).sum()) / self.problem.n_dof

    def allowed(self, point: _Point) -> bool:
        return point.energy <= self.zero

    def balanced(self, point: _Point, tolerance: float) -> bool:
        # √(2U/N) is the pressure to a factor of order one, and needs no pass over the gaps.
        norm = float(np.sqrt(2.0 * point.energy))
        floor = ROUNDING * (2.0 + norm)
        return point.max_force <= tolerance * norm / float(np.sqrt(self.problem.n_dof)) + floor

    def status(self, point: _Point) -> Literal["unjammed", "jammed", "stalled"]:
        if self.allowed(point):
            return "unjammed"
        return "jammed" if self.balanced(point, self.tolerance) else "stalled"


def descend(
    problem: Perceptron,
    x: Vector,
    *,
    tolerance: float = 1e-12,
    zero: float = ZERO,
    max_steps: int = 20_000,
) -> Descent:
    """Minimise the energy of a perceptron from ``x``.

    Stops where ``U <= zero``, or where ``max_i |∂U/∂x_i| <= tolerance √(2U/N)`` to rounding.

    Parameters
    ----------
    problem
        The perceptron.
    x
        The start, shape ``(N,)``, any length but zero.
    tolerance
        Largest gradient component, relative to the root-mean-square force per component.
    zero
        Energy below which the patterns count as satisfied.
    max_steps
        Steps of both methods together; beyond it the result is ``"stalled"``.

    Raises
    ------
    ValueError
        If ``x`` is not a finite vector of ``N`` components other than zero.

    Examples
    --------
    >>> from particles.perceptron import Perceptron
    >>> rng = np.random.default_rng(0)
    >>> problem = Perceptron.random(50, alpha=1.0, sigma=-0.5, rng=rng)
    >>> descend(problem, problem.random_state(rng)).status
    'unjammed'
    """
    run = _Run(problem, tolerance, zero, max_steps)
    point = run.at(x)
    hand_over = HAND_OVER
    while run.status(point) == "stalled" and run.steps_left > 0:
        start = point
        point = _lbfgs(run, point, max(hand_over, tolerance), max_steps=ROUND[0])
        settled = run.balanced(point, hand_over)
        point = _newton(run, point, max_steps=ROUND[1])
        hand_over *= 0.1 if settled else 1.0
        if point is start:  # neither method can move
            break
    if 0.0 < point.energy <= zero:
        point = _step_inside(run, point)
    return Descent(
        x=point.x,
        energy=point.energy,
        max_force=point.max_force,
        pressure=run.pressure(point),
        steps=max_steps - run.steps_left,
        evaluations=run.evaluations,
        status=run.status(point),
    )


def _lbfgs(run: _Run, point: _Point, tolerance: float, max_steps: int, memory: int = 10) -> _Point:
    """Descend until ``U = 0`` or the relative residual is below ``tolerance``."""
    pairs: deque[tuple[Vector, Vector, float]] = deque(maxlen=memory)
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


def _backtrack(run: _Run, point: _Point, step: Vector) -> _Point | None:
    """Halve ``step`` until the energy falls enough; ``None`` where it cannot fall any more."""
    slope = float(step @ point.gradient)
    for halving in range(40):
        new = run.at(point.x + 0.5**halving * step)
        if _lower(point, new, 0.5**halving * slope):
            return new
    return None


def _lower(point: _Point, new: _Point, slope: float) -> bool:
    """Tell whether a step along which ``U`` changes by ``slope`` to first order went down enough.

    Armijo's condition; where rounding hides the change of the energy, its form in the slope at
    the far end (Hager, Zhang, SIAM J. Optim. 16, 170, 2005, eq. 4.1).
    """
    noise = 1e-14 * point.energy + ROUNDING * float(np.sqrt(2.0 * point.energy))
    if new.energy <= point.energy + 1e-4 * slope - noise:
        return True
    step = new.x - point.x
    return new.energy <= point.energy + noise and bool(step @ new.gradient <= -0.8 * slope)


def _newton(run: _Run, point: _Point, max_steps: int) -> _Point:
    """Take damped Newton steps in the tangent space, with the exact Hessian."""
    damping = 0.0
    for _ in range(max_steps):
        if run.steps_left <= 0 or run.status(point) != "stalled":
            break
        run.steps_left -= 1
        new, damping = _damped_step(run, point, _tangent_hessian(run.problem, point.x), damping)
        if new is None:
            break
        point = new
    return point


def _damped_step(
    run: _Run, point: _Point, hessian: Vector, damping: float
) -> tuple[_Point | None, float]:
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


def _step_inside(run: _Run, point: _Point) -> _Point:
    """Leave the boundary of the allowed region, which Newton only approaches, for ``U = 0``."""
    for overshoot in (2.0, 4.0, 8.0):
        gaps = run.problem.gaps(point.x)
        violated = np.flatnonzero(gaps > 0.0)
        jacobian = run.problem.gap_jacobian(point.x, violated)
        new = run.at(point.x - overshoot * np.linalg.lstsq(jacobian, gaps[violated])[0])
        if new.energy < point.energy:
            point = new
        if point.energy == 0.0:
            break
    return point


def _tangent_hessian(problem: Perceptron, x: Vector) -> Vector:
    """Return ``JᵀJ + (Σ f s/N) 1`` of the sphere's tangent space, the radial direction made stiff.

    Here the gradient has no radial part, so the terms ``w nᵀ + n wᵀ`` of the full Hessian drop out.
    """
    gaps = problem.gaps(x)
    violated = np.flatnonzero(gaps > 0.0)
    jacobian = problem.gap_jacobian(x, violated)
    hessian: Vector = jacobian.T @ jacobian
    virial = float(gaps[violated] @ (problem.sigma - gaps[violated]))
    hessian[np.diag_indices_from(hessian)] += virial / problem.n_dof
    hessian += np.outer(x, x) / problem.n_dof
    return hessian

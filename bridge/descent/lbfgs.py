"""One minimiser for every landscape, so that a comparison can rule the optimiser out."""

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from bridge.measure.observables import counted_constraints, free_variables, frozen_bodies
from bridge.measure.stability import is_within_reach, least_curvature, objection
from bridge.protocols import ConstraintProblem, Landscape, Status, Vector, one_line


@dataclass(frozen=True, eq=False, repr=False)
class Minimum:
    """Where a descent ended: a `bridge.End`.

    Attributes
    ----------
    problem, x
        The landscape, and the state ``(n_dof,)``.
    energy, gradient
        ``U(x)`` and ``∇U(x)``, ``(n_dof,)``.
    evaluations
        Energies with gradient computed.
    status
        ``"unjammed"`` where the energy vanished, ``"jammed"`` where the forces balance at a
        positive energy, in a minimum if the problem has constraints, and ``"stalled"`` otherwise.
    reason
        Why it stalled; empty if it did not.
    """

    problem: Landscape
    x: Vector
    energy: float
    gradient: Vector
    evaluations: int
    status: Status
    reason: str = ""

    def __repr__(self) -> str:
        return one_line(self, energy=self.energy, max_residual=self.max_residual)

    @property
    def max_residual(self) -> float:
        """Largest ``|∂U/∂x_i|``."""
        return float(np.abs(self.gradient).max())


def lbfgs(
    problem: Landscape,
    x: Vector,
    *,
    tolerance: float = 1e-10,
    zero_energy: float = 0.0,
    max_evaluations: int = 100_000,
    max_step: float = 0.1,
    memory: int = 10,
    certify: bool = True,
) -> Minimum:
    """Descend by limited-memory BFGS with a bounded step and no line search.

    The inverse Hessian of the last ``memory`` steps gives the direction (Nocedal, Math. Comp. 35,
    773 (1980)); a step longer than ``max_step`` (2-norm per root variable, in the units of ``x``)
    is cut, and one that raises the energy is halved until it does not. That needs few evaluations
    where contacts open and close, because a piecewise quadratic energy defeats an exact search.

    Parameters
    ----------
    problem, x
        The landscape and the start, ``(n_dof,)``.
    tolerance
        Stop when every ``|∂U/∂x_i|`` is below it.
    zero_energy
        Stop as unjammed when ``U`` is at or below it. A landscape whose minima may be negative
        takes ``-inf``.
    max_evaluations
        Energies with gradients after which the descent is called stalled.
    certify
        Whether a state of a constraint problem has to be `certified` to be called jammed.

    Raises
    ------
    ValueError
        If the energy or its gradient is not finite.

    Examples
    --------
    From the middle of the Müller-Brown surface down to one of its three minima:

    >>> import numpy as np
    >>> from particles.landscapes.muller_brown import MullerBrown
    >>> end = lbfgs(MullerBrown(), np.array([0.0, 0.5]), zero_energy=-np.inf)
    >>> end.status, round(end.energy, 3), end.x.round(3)
    ('jammed', -80.768, array([-0.05 ,  0.467]))
    """
    end = _descended(problem, x, tolerance, zero_energy, max_evaluations, max_step, memory)
    return certified(problem, end) if certify else end


def certified(problem: Landscape, end: Minimum) -> Minimum:
    """Return the end of a descent, stalled where constraints hold nothing or in a saddle."""
    if end.status != "jammed" or not isinstance(problem, ConstraintProblem):
        return end
    if not is_within_reach(problem):
        reason = f"{problem.n_dof} variables are too many for a dense Hessian to certify a minimum"
        return replace(end, status=Status.STALLED, reason=reason)
    gaps = problem.gaps(end.x)
    free = free_variables(problem.n_dof, frozen_bodies(problem, end.x))
    counted = counted_constraints(problem, end.x, gaps, free)
    reason = objection(len(counted), least_curvature(problem, end.x))
    return replace(end, status=Status.STALLED, reason=reason) if reason else end


def _descended(
    problem: Landscape,
    x: Vector,
    tolerance: float,
    zero_energy: float,
    max_evaluations: int,
    max_step: float,
    memory: int,
) -> Minimum:
    point = _evaluate(problem, np.array(x, dtype=np.float64), 0)
    history: deque[tuple[Vector, Vector, float]] = deque(maxlen=memory)
    longest = max_step * np.sqrt(point.x.size)
    while point.evaluations < max_evaluations:
        if point.energy <= zero_energy:
            return replace(point, status=Status.UNJAMMED)
        if point.max_residual < tolerance:
            return replace(point, status=Status.JAMMED)
        step = _direction(point.gradient, history)
        if step @ point.gradient > 0:
            history.clear()
            step = -point.gradient
        step *= min(1.0, longest / float(np.linalg.norm(step)))
        trial = _backtrack(problem, point, step)
        if trial is None and not history:
            return replace(point, reason="no step lowers the energy: rounding is reached")
        if trial is None:
            history.clear()
            continue
        moved, turned = trial.x - point.x, trial.gradient - point.gradient
        if (curvature := float(moved @ turned)) > 0:
            history.append((moved, turned, curvature))
        point = trial
    return replace(point, reason=f"{max_evaluations} evaluations were not enough")


def _evaluate(problem: Landscape, x: Vector, before: int) -> Minimum:
    energy, gradient = problem.energy_gradient(x)
    if not (np.isfinite(energy) and np.isfinite(gradient).all()):
        raise ValueError(
            f"expected a finite energy and gradient, got U = {energy}: check the state for NaN"
        )
    return Minimum(problem, x, float(energy), gradient, before + 1, Status.STALLED)


def _backtrack(problem: Landscape, point: Minimum, step: Vector) -> Minimum | None:
    """Halve the step until the energy does not rise beyond rounding."""
    allowed = point.energy + 1e-14 * abs(point.energy)
    evaluations = point.evaluations
    for _ in range(30):
        trial = _evaluate(problem, point.x + step, evaluations)
        if trial.energy <= allowed:
            return trial
        evaluations = trial.evaluations
        step = 0.5 * step
    return None


def _direction(gradient: Vector, history: deque[tuple[Vector, Vector, float]]) -> Vector:
    """Apply the two-loop recursion: minus the inverse Hessian times the gradient."""
    step = -gradient
    weights = []
    for moved, turned, curvature in reversed(history):
        weights.append(float(moved @ step) / curvature)
        step -= weights[-1] * turned
    if history:
        _, turned, curvature = history[-1]
        step *= curvature / float(turned @ turned)
    for (moved, turned, curvature), weight in zip(history, reversed(weights), strict=True):
        step += (weight - float(turned @ step) / curvature) * moved
    return step

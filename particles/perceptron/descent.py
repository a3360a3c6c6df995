"""Descent of the perceptron's energy on the sphere: L-BFGS far from the minimum, Newton at it.

L-BFGS crosses the many changes of the set of violated patterns cheaply, and stops inside the
allowed region when there is one. At a jammed minimum the set is settled, the energy is smooth, and
two or three exact Newton steps reach rounding error. A saddle is left along its lowest mode.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, eigh

from particles.checks import check_kind
from particles.perceptron.perceptron import ZERO, Perceptron
from particles.perceptron.sphere_steps import (
    LONGEST,
    SphereDescent,
    SpherePoint,
    lbfgs_steps,
    newton_steps,
    tangent_hessian,
)

Vector = NDArray[np.float64]

# Relative residual at which L-BFGS hands over to Newton.
HAND_OVER = 1e-4
# Steps of L-BFGS and of Newton before the other has a turn: close to jamming some motions are so
# soft that either alone may take thousands.
ROUND = 1000, 30
# Saddles that one descent may leave.
MOST_SADDLES = 30
# Curvature below which a motion counts as flat, relative to the norm of the Hessian.
FLAT = 1e-14


@dataclass(frozen=True, eq=False, repr=False)
class Descent:
    """Where a descent ended.

    Attributes
    ----------
    problem
        The perceptron.
    x
        The state, ``|x|² = N``, ``(N,)``.
    energy
        ``U(x)``.
    max_force
        ``max_i |∂U/∂x_i|``.
    steps, evaluations
        Steps taken, and energies with gradient computed.
    status
        ``"unjammed"``: ``U = 0`` was reached. ``"jammed"``: ``U > 0``, the forces balance, and no
        direction lowers the energy. ``"stalled"``: neither, for the reason given.
    reason
        Why the descent stalled; empty if it did not.
    """

    problem: Perceptron
    x: Vector
    energy: float
    max_force: float
    steps: int
    evaluations: int
    status: Literal["unjammed", "jammed", "stalled"]
    reason: str = ""

    def __repr__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        shape = f"N = {len(self.x)}, alpha = {self.problem.alpha:g}, sigma = {self.problem.sigma:g}"
        return f"<Descent of Perceptron: {self.status}{reason}, {shape}, U = {self.energy:.6g}>"

    def minimise(self, problem: Perceptron, x: Vector) -> "Descent":
        """Return where the descent of the perceptron at another margin ends, from ``x``."""
        return descend(problem, x)


def descend(
    problem: Perceptron,
    x: Vector,
    *,
    tolerance: float = 1e-12,
    zero: float = ZERO,
    max_steps: int = 20_000,
) -> Descent:
    """Minimise the energy of a perceptron from ``x``.

    Stops where ``U <= zero``, or in a minimum: ``max_i |∂U/∂x_i| <= tolerance √(2U/N)`` to
    rounding, and no curvature is negative.

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
    >>> from particles.perceptron.perceptron import Perceptron
    >>> rng = np.random.default_rng(0)
    >>> problem = Perceptron.random(50, alpha=1.0, sigma=-0.5, rng=rng)
    >>> descend(problem, problem.random_state(rng)).status
    'unjammed'

    Between the patterns ``±e_1`` a margin of 1/2 is missed by 1/2 twice, ``U = 1/4``:

    >>> opposite = Perceptron(np.array([[1.0, 0.0], [-1.0, 0.0]]), sigma=0.5)
    >>> end = descend(opposite, np.array([0.3, 0.4]))
    >>> end.status, round(end.energy, 12)
    ('jammed', 0.25)
    """
    check_kind(
        "problem", problem, Perceptron, "packings go to minimise, networks to networks.train"
    )
    run = SphereDescent(problem, tolerance, zero, max_steps)
    point, reason = _below_saddles(run, _balance(run, run.at(x)))
    if 0.0 < point.energy <= zero:
        point = _step_inside(run, point)
    status, steps = run.status(point), max_steps - run.steps_left
    if status == "stalled":
        reason = reason or f"largest force {point.max_force:.1e} after {steps} steps"
    elif reason:
        status = "stalled"
    x, force = point.x, point.max_force
    return Descent(problem, x, point.energy, force, steps, run.evaluations, status, reason)


def _below_saddles(run: SphereDescent, point: SpherePoint) -> tuple[SpherePoint, str]:
    """Leave a balance that is a saddle, and the next; return the last, and why it is a saddle."""
    for _ in range(MOST_SADDLES):
        mode = _downhill_mode(run, point) if run.status(point) == "jammed" else None
        if mode is None:
            return point, ""
        below = _lowest_beside(run, point, mode)
        if below.energy >= point.energy:
            return point, "a saddle along whose mode the energy does not fall"
        point = _balance(run, below)
    return point, f"a saddle below each of {MOST_SADDLES} saddles"


def _balance(run: SphereDescent, point: SpherePoint) -> SpherePoint:
    """Descend by L-BFGS and Newton in turn until ``U`` vanishes or forces balance."""
    hand_over = HAND_OVER
    while run.status(point) == "stalled" and run.steps_left > 0:
        start = point
        point = lbfgs_steps(run, point, max(hand_over, run.tolerance), max_steps=ROUND[0])
        settled = run.balanced(point, hand_over)
        point = newton_steps(run, point, max_steps=ROUND[1])
        hand_over *= 0.1 if settled else 1.0
        if point is start:  # neither method can move
            break
    return point


def _downhill_mode(run: SphereDescent, point: SpherePoint) -> Vector | None:
    """Return the unit mode of least curvature in the tangent space if that is negative."""
    hessian = tangent_hessian(run.problem, point.x)
    flat = FLAT * float(np.abs(hessian).sum(axis=0).max())
    try:
        cho_factor(hessian + flat * np.eye(len(hessian)))
    except LinAlgError:
        values, modes = eigh(hessian, subset_by_index=[0, 0])
        return np.asarray(modes[:, 0]) if values[0] < -flat else None
    return None


def _lowest_beside(run: SphereDescent, point: SpherePoint, mode: Vector) -> SpherePoint:
    """Return the lowest of a few points on either side of a saddle."""
    longest = LONGEST * float(np.sqrt(run.problem.n_dof))
    sizes = longest * 3.0 ** -np.arange(16.0)
    sides = [run.at(point.x + sign * size * mode) for size in sizes for sign in (1.0, -1.0)]
    return min(sides, key=lambda side: side.energy)


def _step_inside(run: SphereDescent, point: SpherePoint) -> SpherePoint:
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

"""Damped Newton descent with a dense Hessian: minima exact to rounding, for any landscape.

From a minimum whose load has changed a little it takes two or three steps; where that minimum has
become unstable it slides down by short damped steps. `bridge.descent.lbfgs` is for far starts.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from scipy import linalg
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from bridge.descent.lbfgs import Minimum
from bridge.measure.spectra import hessian
from bridge.protocols import Landscape, Status, Vector

# Relative change of the energy that is lost in rounding; and change of a gap, the difference of two
# numbers of order one. Close to jamming, where gaps are small, the second one is larger.
_ROUNDING, _GAP_ROUNDING = 1e-14, 1e-16
# Damping, in units of the mean stiffness, at which to begin, and below which there is none.
_FIRST, _LEAST = 1e-3, 1e-7
_MOST_TRIALS = 30
# Lengths by which a saddle is left, in the units of x.
_KICKS = np.geomspace(1e-6, 1e-2, 5)


@dataclass(frozen=True)
class Newton:
    """A minimiser, ``newton(problem, x)``, with its options.

    Solves ``(H + λ h) u = -∇U``, with ``h`` the mean diagonal of ``H`` and ``λ`` the damping:
    none where ``H`` is positive, and raised until the energy falls. Symmetries are pinned.

    Parameters
    ----------
    tolerance
        Largest ``|∂U/∂x_i|`` over ``√(2U/n_dof)``, which is a force to a factor of order one.
    zero_energy
        Energy at or below which all constraints are satisfied.
    max_step
        Longest step, root mean square over the variables, in the units of ``x``.
    max_steps
        Steps after which the descent is called stalled.

    Examples
    --------
    >>> from particles.perceptron.perceptron import Perceptron
    >>> rng = np.random.default_rng(0)
    >>> problem = Perceptron.random(20, alpha=8.0, sigma=0.0, rng=rng)
    >>> end = Newton()(problem, problem.random_state(rng))
    >>> end.status, end.max_residual < 1e-10
    ('jammed', True)
    """

    tolerance: float = 1e-11
    zero_energy: float = 1e-22
    max_step: float = 0.1
    max_steps: int = 2000

    def __call__(self, problem: Landscape, x: Vector) -> Minimum:
        """Descend from ``x``, ``(n_dof,)``."""
        (last,) = deque(islice(self.descent(problem, x), self.max_steps), maxlen=1)
        if last.status == "stalled" and not last.reason:
            return replace(last, reason=f"{self.max_steps} Newton steps were not enough")
        return last

    def descent(self, problem: Landscape, x: Vector) -> Iterator[Minimum]:
        """Yield the start and the state after each step; only the last has a status."""
        point, damping = _evaluated(problem, np.array(x, dtype=np.float64), 0), 0.0
        while True:
            if point.energy <= self.zero_energy:
                yield replace(point, status=Status.UNJAMMED)
                return
            matrix, scale = _pinned_hessian(problem, point.x)
            found = None
            if point.max_residual > self._force(point):
                found, damping = self._step(problem, point, matrix, damping, scale)
            balanced = point.max_residual <= 1e5 * self._force(point)
            if found is None and balanced:
                found, damping = _off_saddle(problem, point, matrix), 0.0
            if found is None:
                reason = "" if balanced else "no Newton step lowers the energy"
                status = Status.JAMMED if balanced else Status.STALLED
                yield replace(point, status=status, reason=reason)
                return
            yield point
            point = found

    def _force(self, point: Minimum) -> float:
        return float(self.tolerance * np.sqrt(2.0 * point.energy / point.x.size))

    def _step(
        self, problem: Landscape, point: Minimum, matrix: Vector, damping: float, scale: float
    ) -> tuple[Minimum | None, float]:
        """Return the next point, None where no damping lowers the energy, and the damping."""
        evaluations, longest = point.evaluations, self.max_step * np.sqrt(point.x.size)
        for _ in range(_MOST_TRIALS):
            step = _solved(matrix, point.gradient, damping * scale)
            if step is not None and np.linalg.norm(step) <= longest:
                new = _evaluated(problem, point.x + step, evaluations)
                if _lower(point, new, step):
                    damping /= 10.0
                    return new, damping if damping > _LEAST else 0.0
                evaluations = new.evaluations
            damping = max(4.0 * damping, _LEAST if step is not None else _FIRST)
        return None, damping


def _evaluated(problem: Landscape, x: Vector, before: int) -> Minimum:
    energy, gradient = problem.energy_gradient(x)
    return Minimum(problem, x, float(energy), gradient, before + 1, Status.STALLED)


def _pinned_hessian(problem: Landscape, x: Vector) -> tuple[Vector, float]:
    """Return ``H`` with its symmetries made stiff, and its mean diagonal."""
    matrix = hessian(problem, x)
    scale = float(np.abs(np.diag(matrix)).mean()) or 1.0
    modes = problem.zero_modes(x)
    return matrix + scale * modes.T @ modes, scale


def _off_saddle(problem: Landscape, point: Minimum, matrix: Vector) -> Minimum | None:
    """Return a lower point along the softest mode; None at a minimum."""
    if _solved(matrix, point.gradient, 0.0) is not None:
        return None
    mode = linalg.eigh(matrix, subset_by_index=[0, 0])[1].ravel()
    if mode @ point.gradient > 0.0:
        mode = -mode
    for length in _KICKS:
        for sign in (1.0, -1.0):
            new = _evaluated(problem, point.x + sign * length * mode, point.evaluations)
            if new.energy < point.energy - _noise(point):
                return new
    return None


def _solved(matrix: Vector, gradient: Vector, damping: float) -> Vector | None:
    """Return the damped step; None where the damped Hessian is not positive."""
    damped = matrix.copy()
    # Variables on which nothing acts, as those of a rattler, have no stiffness and no force.
    damped.flat[:: len(matrix) + 1] += damping + 1e-14 * np.trace(matrix)
    try:
        return np.asarray(-cho_solve(cho_factor(damped), gradient))
    except LinAlgError:
        return None


def _lower(point: Minimum, new: Minimum, step: Vector) -> bool:
    """Tell whether the energy fell; within its rounding, whether the forces did."""
    noise = _noise(point)
    if new.energy <= point.energy + 1e-4 * float(step @ point.gradient) - noise:
        return True
    return new.energy <= point.energy + noise and new.max_residual < 0.5 * point.max_residual


def _noise(point: Minimum) -> float:
    """Return what of the energy is lost in rounding: of itself, and of the gaps it is made of."""
    energy = abs(point.energy)
    return _ROUNDING * energy + _GAP_ROUNDING * float(np.sqrt(2.0 * energy * point.x.size))

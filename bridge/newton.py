"""Damped Newton descent with a dense Hessian: minima exact to rounding, for any landscape.

From a minimum whose load has changed a little it takes two or three steps; where that minimum has
become unstable it slides down by short damped steps. `bridge.minimise.lbfgs` is for far starts.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from bridge.minimise import Minimum
from bridge.protocols import Landscape, Vector
from bridge.spectra import hessian

# Relative change of the energy that is lost in rounding.
_ROUNDING = 1e-14
# Damping, in units of the mean stiffness, at which to begin, and below which there is none.
_FIRST, _LEAST = 1e-3, 1e-7
_MOST_TRIALS = 30


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
    >>> from particles.perceptron import Perceptron
    >>> rng = np.random.default_rng(0)
    >>> problem = Perceptron.random(20, alpha=8.0, sigma=0.0, rng=rng)
    >>> end = Newton()(problem, problem.random_state(rng))
    >>> end.status, end.max_residual < 1e-12
    ('jammed', True)
    """

    tolerance: float = 1e-11
    zero_energy: float = 1e-22
    max_step: float = 0.1
    max_steps: int = 2000

    def __call__(self, problem: Landscape, x: Vector) -> Minimum:
        """Descend from ``x``, ``(n_dof,)``."""
        point = _evaluated(problem, np.array(x, dtype=np.float64), 0)
        damping = 0.0
        for _ in range(self.max_steps):
            if point.energy <= self.zero_energy:
                return replace(point, status="unjammed", reason="")
            if point.max_residual <= self.tolerance * np.sqrt(2.0 * point.energy / point.x.size):
                return replace(point, status="jammed", reason="")
            found, damping = self._step(problem, point, damping)
            if found is None:
                return self._at_rounding(point)
            point = found
        return replace(point, reason=f"{self.max_steps} Newton steps were not enough")

    def _step(
        self, problem: Landscape, point: Minimum, damping: float
    ) -> tuple[Minimum | None, float]:
        """Return the next point, None where no damping lowers the energy, and the damping."""
        matrix = hessian(problem, point.x)
        scale = float(np.abs(np.diag(matrix)).mean()) or 1.0
        modes = problem.zero_modes(point.x)
        matrix += scale * modes.T @ modes
        evaluations, longest = point.evaluations, self.max_step * np.sqrt(point.x.size)
        for _ in range(_MOST_TRIALS):
            step = _solved(matrix, point.gradient, damping * scale)
            if step is not None and np.linalg.norm(step) <= longest:
                new = _evaluated(problem, point.x + step, evaluations)
                if _lower(point, new, step):
                    return new, damping / 10.0 if damping > 10.0 * _LEAST else 0.0
                evaluations = new.evaluations
            damping = max(4.0 * damping, _LEAST if step is not None else _FIRST)
        return None, damping

    def _at_rounding(self, point: Minimum) -> Minimum:
        """Name the end where no step lowers the energy: a minimum if forces all but balance."""
        loose = 1e5 * self.tolerance * np.sqrt(2.0 * point.energy / point.x.size)
        if point.max_residual <= loose:
            return replace(point, status="jammed", reason="")
        return replace(point, reason="no Newton step lowers the energy")


def _evaluated(problem: Landscape, x: Vector, before: int) -> Minimum:
    energy, gradient = problem.energy_gradient(x)
    return Minimum(x, float(energy), gradient, before + 1, "stalled")


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
    noise = _ROUNDING * point.energy
    if new.energy <= point.energy + 1e-4 * float(step @ point.gradient) - noise:
        return True
    return new.energy <= point.energy + noise and new.max_residual < 0.5 * point.max_residual

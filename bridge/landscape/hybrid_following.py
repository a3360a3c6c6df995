"""Hybrid eigenvector following: saddles from Hessian products, without the Hessian."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh, minres

from bridge.descent.lbfgs import lbfgs
from bridge.landscape.eigenvector_following import (
    CONVERGED,
    PARABOLA,
    Climb,
    Stretch,
    follow_step,
)
from bridge.landscape.identity import flat_directions
from bridge.landscape.stationary_points import model, touches_released
from bridge.protocols import Landscape, Vector

_NEWTON = 1e-3  # gradient below which Newton steps take over
_TANGENT_STEPS = 15  # evaluations of L-BFGS across the mode, after each step along it


@dataclass(frozen=True, eq=False)
class Slice:
    """A landscape restricted to what is orthogonal to some directions ``(k, n_dof)``.

    From a point, L-BFGS then never leaves the affine space through it.
    """

    problem: Landscape
    removed: Vector

    @property
    def n_dof(self) -> int:
        """Number of variables, those removed included."""
        return self.problem.n_dof

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return the energy and the projected gradient."""
        energy, gradient = self.problem.energy_gradient(x)
        return energy, without(gradient, self.removed)

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return the projected Hessian product."""
        return without(self.problem.hvp(x, without(v, self.removed)), self.removed)

    def zero_modes(self, x: Vector) -> Vector:
        """Return the removed directions."""
        del x
        return self.removed


def hybrid_follow(
    problem: Landscape,
    x: Vector,
    *,
    along: Vector | None = None,
    max_step: float = 0.3,
    max_steps: int = 300,
) -> Climb:
    """Walk to a transition state: up along the lowest mode, down by L-BFGS across it.

    The mode comes from Lanczos iterations with Hessian products, started from the last one; the
    step along it is that of `follow`. Near the end Newton steps, solved by MINRES on the
    complement of the symmetries, converge quadratically. The Hessian is formed once, at the end,
    for the certificate.

    Parameters
    ----------
    problem, x, max_step, max_steps
        As in `follow`.
    along
        First guess of the mode.

    References
    ----------
    L. J. Munro, D. J. Wales, Phys. Rev. B 59, 3969 (1999).
    """
    x, mode, stretch = x.copy(), along, Stretch(x, 0.0)
    for count in range(max_steps):
        _, gradient = problem.energy_gradient(x)
        residual = float(np.abs(gradient).max())
        if residual < CONVERGED:
            return Climb(touches_released(problem, model(problem, x)), count, "converged")
        flat = flat_directions(problem, x) if residual < _NEWTON else problem.zero_modes(x)
        value, mode = lowest_mode(problem, x, flat, mode)
        stretch = stretch.to(x, value)
        if stretch.is_parabola(x, max_step):
            return Climb(model(problem, x), count, "stalled", PARABOLA)
        if residual < _NEWTON and value < 0:
            step = _newton(problem, x, gradient, flat)
            x = x + step * min(1.0, max_step / max(float(np.linalg.norm(step)), 1e-300))
            continue
        slope = np.array([float(gradient @ mode)])
        move = follow_step(slope, np.array([value]), np.array([0]))
        x = x + float(np.clip(move[0], -max_step, max_step)) * mode
        across = Slice(problem, np.concatenate([flat, mode[None]]))
        x = lbfgs(
            across,
            x,
            tolerance=0.1 * _NEWTON,
            zero_energy=-np.inf,
            max_evaluations=_TANGENT_STEPS,
            max_step=max_step / np.sqrt(x.size),
        ).x
    end = model(problem, x)
    return Climb(end, max_steps, "stalled", f"{max_steps} steps left {end.residual:.1e}")


def lowest_mode(
    problem: Landscape, x: Vector, flat: Vector, guess: Vector | None = None
) -> tuple[float, Vector]:
    """Return the lowest eigenvalue on the complement of ``flat`` and its mode, by Lanczos.

    Flat directions are projected out of the products and lifted above the spectrum.
    """
    n, across = problem.n_dof, Slice(problem, flat)
    start = np.random.default_rng(0).standard_normal(n) if guess is None else guess
    start = without(start, flat)
    lift = 10.0 * float(np.linalg.norm(problem.hvp(x, start)) / np.linalg.norm(start)) + 1.0

    def product(v: Vector) -> Vector:
        v = v.ravel()
        return np.asarray(across.hvp(x, v) + lift * (v - without(v, flat)))

    operator = LinearOperator((n, n), matvec=product, dtype=np.float64)
    values, vectors = eigsh(operator, k=1, which="SA", v0=start, tol=1e-4, maxiter=50 * n)
    mode = without(vectors[:, 0], flat)
    return float(values[0]), mode / float(np.linalg.norm(mode))


def without(vectors: Vector, directions: Vector) -> Vector:
    """Return vectors less their parts along orthonormal directions ``(k, n_dof)``."""
    return np.asarray(vectors - (vectors @ directions.T) @ directions)


def _newton(problem: Landscape, x: Vector, gradient: Vector, flat: Vector) -> Vector:
    across = Slice(problem, flat)
    shape = (x.size, x.size)
    operator = LinearOperator(shape, matvec=lambda v: across.hvp(x, v.ravel()), dtype=np.float64)
    step, _ = minres(operator, -without(gradient, flat), rtol=1e-8, maxiter=5 * x.size)
    return without(step, flat)

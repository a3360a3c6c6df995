"""The linear hinge with its corner rounded off, so that minimisers of smooth energies take it."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from bridge.measure.observables import dense
from bridge.protocols import HasCurvature, Vector

# Stiffness beside the largest, and force, below which a constraint is left out.
_SLACK, _NO_FORCE = 1e-10, 1e-13


@dataclass(frozen=True, eq=False)
class Softened:
    """The energy ``U_T = T Σ_μ log(1 + exp(Δ_μ/T))``, a `bridge.Landscape`.

    For ``T -> 0`` it is the linear hinge ``Σ max(Δ, 0)``. The force of a constraint is
    ``f = 1/(1 + exp(-Δ/T))``: those that will be marginal have ``Δ = T log(f/(1 - f))``, and are
    held by the stiffness ``f (1 - f)/T``.

    Parameters
    ----------
    problem
        The constraints.
    temperature
        ``T > 0``, in units of the gaps: how wide the corner is.

    Examples
    --------
    >>> from particles import Perceptron
    >>> pair = Perceptron(np.array([[1.0, 0.0], [-1.0, 0.0]]), sigma=0.5)
    >>> energy, gradient = Softened(pair, 1e-3).energy_gradient(np.array([0.0, 1.0]))
    >>> round(energy, 12), bool(abs(gradient).max() < 1e-12)
    (1.0, True)
    """

    problem: HasCurvature
    temperature: float

    @property
    def n_dof(self) -> int:
        """Number of variables."""
        return self.problem.n_dof

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return ``U_T`` and ``∇U_T = Σ f ∇Δ``, ``(n_dof,)``."""
        scaled = self.problem.gaps(x) / self.temperature
        forces = expit(scaled)
        rows = np.flatnonzero(forces > _NO_FORCE)
        pull = forces[rows] @ self.problem.gap_jacobian(x, rows)
        return self.temperature * float(np.logaddexp(0.0, scaled).sum()), np.asarray(pull)

    def hessian(self, x: Vector) -> Vector:
        """Return ``Σ f (1 - f)/T ∇Δ ∇Δᵀ + f ∇²Δ``, dense, ``(n_dof, n_dof)``."""
        forces = expit(self.problem.gaps(x) / self.temperature)
        stiffness = forces * (1.0 - forces) / self.temperature
        rows = np.flatnonzero(stiffness > _SLACK * stiffness.max(initial=0.0))
        jacobian = self.problem.gap_jacobian(x, rows)
        scaled = jacobian * np.sqrt(stiffness[rows])[:, None]
        return dense(scaled.T @ scaled) + dense(self.problem.curvature(x, forces))

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return ``H v`` for ``v`` of ``(n_dof,)`` or ``(k, n_dof)``."""
        return np.asarray(v @ self.hessian(x))

    def zero_modes(self, x: Vector) -> Vector:
        """Return the symmetries of the constraints, ``(k, n_dof)``."""
        return self.problem.zero_modes(x)

    def drift(self, x: Vector) -> Vector:
        """Return ``-T ∂∇U_T/∂T = Σ f (1 - f) Δ/T ∇Δ``, ``(n_dof,)``.

        A minimum moves by ``H⁻¹`` times it for each unit of ``ln T``.
        """
        gaps = self.problem.gaps(x)
        forces = expit(gaps / self.temperature)
        weights = forces * (1.0 - forces) * gaps / self.temperature
        rows = np.flatnonzero(np.abs(weights) > _NO_FORCE)
        return np.asarray(weights[rows] @ self.problem.gap_jacobian(x, rows))

"""Other loads and ensembles of any constraints: drifting gaps, and a load that a pressure sets."""

from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np

from bridge.measure.observables import dense
from bridge.protocols import HasCurvature, HasFrozenBodies, HasTightening, Indices, Vector


class Loaded(HasTightening, HasCurvature, Protocol):
    """Constraints with a load, that form the curvature of a weighted sum of their gaps."""


class _Harmonic:
    """``U = ½ Σ max(Δ, 0)²`` and its products, from gaps and their derivatives."""

    def energy_gradient(self: HasCurvature, x: Vector) -> tuple[float, Vector]:
        """Return ``U`` and ``∇U``, ``(n_dof,)``."""
        gaps = self.gaps(x)
        rows = np.flatnonzero(gaps > 0.0)
        forces = gaps[rows]
        return 0.5 * float(forces @ forces), np.asarray(forces @ self.gap_jacobian(x, rows))

    def hvp(self: HasCurvature, x: Vector, v: Vector) -> Vector:
        """Return ``H v`` for ``v`` of ``(n_dof,)`` or ``(k, n_dof)``."""
        forces = np.maximum(self.gaps(x), 0.0)
        rows = dense(self.gap_jacobian(x, np.flatnonzero(forces)))
        return np.asarray((v @ rows.T) @ rows + v @ dense(self.curvature(x, forces)))


@dataclass(frozen=True, eq=False)
class Drifting(_Harmonic):
    """Constraints whose gaps drift, each at its own rate: ``Δ_μ(x) + γ r_μ``; the load is ``γ``.

    Rates of both signs load a system without compressing it, as a shear does.

    Parameters
    ----------
    problem
        The constraints, of which the list never changes.
    rates
        ``r``, ``(m,)``.

    Examples
    --------
    >>> from particles import Perceptron
    >>> drifting = Drifting(Perceptron(np.eye(2), sigma=0.5), np.array([1.0, -1.0]))
    >>> drifting.tightened(0.2).gaps(np.array([3.0, 4.0])).round(12)
    array([ 0.1, -0.5])
    """

    problem: HasCurvature
    rates: Vector
    strain: float = 0.0

    @property
    def n_dof(self) -> int:
        """Number of variables."""
        return self.problem.n_dof

    def gaps(self, x: Vector) -> Vector:
        """Return ``Δ + γ r``, ``(m,)``."""
        gaps = self.problem.gaps(x)
        if len(gaps) != len(self.rates):
            raise ValueError(
                f"expected a rate for each of {len(gaps)} gaps, got {len(self.rates)}: pass as many"
            )
        return gaps + self.strain * self.rates

    def gap_jacobian(self, x: Vector, rows: Indices | None = None) -> Vector:
        """Return ``∂Δ_μ/∂x``, ``(m, n_dof)``, or its ``rows``."""
        return dense(self.problem.gap_jacobian(x, rows))

    def curvature(self, x: Vector, forces: Vector) -> Vector:
        """Return ``Σ λ ∇²Δ``, ``(n_dof, n_dof)``."""
        return dense(self.problem.curvature(x, forces))

    def zero_modes(self, x: Vector) -> Vector:
        """Return the symmetries of the constraints, ``(k, n_dof)``."""
        return self.problem.zero_modes(x)

    def tightening(self, x: Vector) -> Vector:
        """Return the rates, ``(m,)``."""
        return self.rates

    def tightened(self, t: float) -> Self:
        """Return the same with ``γ`` changed by ``t``."""
        return replace(self, strain=self.strain + t)


@dataclass(frozen=True, eq=False)
class AtPressure(_Harmonic):
    """Constraints that a pressure tightens: variables ``(x, s)``, gaps ``Δ_μ(x) + s`` and one more.

    The last gap, ``(1 - s) P``, is violated as long as ``s < 1`` and pulls with ``P`` towards
    tighter constraints, in the energy ``Σ max(Δ, 0)``. For ``P < 1`` no force can reach 1: nothing
    else is violated, and minima are the jamming points of `bridge.jamming.exact`, largest ``s``
    with ``Δ + s <= 0``, whose forces add up to ``P``. Above, they are minima of the linear hinge.

    Parameters
    ----------
    problem
        The constraints; its own load remains one.
    pressure
        ``P > 0``.

    Examples
    --------
    >>> from bridge.descent.corners import Corner, settle
    >>> from particles import Perceptron
    >>> pair = AtPressure(Perceptron(np.array([[1.0, 0.0], [0.0, 1.0]]), sigma=0.0))
    >>> corner = settle(Corner.at(pair, np.array([1.0, 0.5, 0.0])))
    >>> corner.forces.round(9), float(corner.x[-1].round(9))  # the largest margin, 1/√2
    (array([0.25, 0.25]), 0.707106781)
    """

    problem: Loaded
    pressure: float = 0.5

    @property
    def n_dof(self) -> int:
        """Number of variables, ``s`` included."""
        return self.problem.n_dof + 1

    def gaps(self, x: Vector) -> Vector:
        """Return ``Δ + s``, and the gap that pulls, ``(m + 1,)``."""
        return np.append(self.problem.gaps(x[:-1]) + x[-1], (1.0 - x[-1]) * self.pressure)

    def gap_jacobian(self, x: Vector, rows: Indices | None = None) -> Vector:
        """Return ``∂Δ_μ/∂(x, s)``, ``(m + 1, n_dof)``, or its ``rows``."""
        m = len(self.problem.gaps(x[:-1]))
        rows = np.arange(m + 1) if rows is None else rows
        own = rows < m
        found = np.zeros((len(rows), len(x)))
        found[own, :-1] = dense(self.problem.gap_jacobian(x[:-1], rows[own]))
        found[:, -1] = np.where(own, 1.0, -self.pressure)
        return found

    def curvature(self, x: Vector, forces: Vector) -> Vector:
        """Return ``Σ λ ∇²Δ``, ``(n_dof, n_dof)``."""
        full = np.zeros((len(x), len(x)))
        full[:-1, :-1] = dense(self.problem.curvature(x[:-1], forces[:-1]))
        return full

    def zero_modes(self, x: Vector) -> Vector:
        """Return the symmetries of the constraints, ``(k, n_dof)``."""
        modes = self.problem.zero_modes(x[:-1])
        return np.hstack([modes, np.zeros((len(modes), 1))])

    def frozen(self, x: Vector) -> list[Indices]:
        """Return the variables of each frozen body."""
        inner = self.problem
        return inner.frozen(x[:-1]) if isinstance(inner, HasFrozenBodies) else []

    def tightening(self, x: Vector) -> Vector:
        """Return ``∂Δ_μ/∂t`` of the load of the constraints, ``(m + 1,)``."""
        return np.append(self.problem.tightening(x[:-1]), 0.0)

    def tightened(self, t: float) -> Self:
        """Return the same with that load changed by ``t``."""
        return replace(self, problem=self.problem.tightened(t))

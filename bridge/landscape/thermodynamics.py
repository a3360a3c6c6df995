"""Thermodynamics of a set of minima by harmonic superposition.

    ln Z_a = -β V_a + ln(G/o_a) - κ_a ln β - ½ Σ ln ω²,     Z = Σ_a Z_a,

with ``G`` the order of the discrete symmetry group and ``o_a`` that of the stabiliser, so that
``G/o_a`` is the number of equivalent minima (``2N!/o_a`` for atoms), at ``k_B = ħ = m = 1``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from bridge.landscape.points import Point
from bridge.protocols import Vector


@dataclass(frozen=True, eq=False)
class Thermodynamics:
    """Averages over minima at each temperature.

    Attributes
    ----------
    temperature : (t,)
        ``T``, in units of energy.
    log_z : (t,)
        ``ln Z``, up to the common factor of the symmetry group.
    energy : (t,)
        ``⟨V⟩ + ⟨κ⟩ T``: potential and kinetic energy of the vibrations.
    heat_capacity : (t,)
        ``C/k_B = ⟨κ⟩ + var(βV + κ)``.
    occupation : (t, n)
        Probability of each minimum, all its images together.
    """

    temperature: Vector
    log_z: Vector
    energy: Vector
    heat_capacity: Vector
    occupation: Vector

    def peak(self) -> tuple[float, float]:
        """Return the temperature and the height of the largest heat capacity."""
        best = int(self.heat_capacity.argmax())
        return float(self.temperature[best]), float(self.heat_capacity[best])


def superposition(minima: Sequence[Point], temperature: Vector) -> Thermodynamics:
    """Add up the harmonic partition functions of ``minima`` at each temperature.

    Where the numbers of modes differ (a line of atoms has one more than a bent one), so do the
    kinetic energies; with one ``κ`` the heat capacity is ``κ + β² var(V)``.

    Raises
    ------
    ValueError
        If there is no minimum, or a temperature is not positive.
    """
    temperature = np.atleast_1d(np.asarray(temperature, dtype=np.float64))
    if not len(minima):
        raise ValueError("expected at least one minimum, got none: search longer")
    if not (np.isfinite(temperature).all() and (temperature > 0).all()):
        raise ValueError(f"expected temperatures T > 0, got {temperature.min()}")
    energies = np.array([point.energy for point in minima])
    modes = np.array([float(point.n_modes) for point in minima])
    terms = np.array([log_weights(minima, t) for t in temperature])
    log_z = logsumexp(terms, axis=1)
    occupation = np.exp(terms - log_z[:, None])
    scaled = energies / temperature[:, None] + modes
    mean = (occupation * scaled).sum(axis=1)
    spread = (occupation * (scaled - mean[:, None]) ** 2).sum(axis=1)
    return Thermodynamics(
        temperature=temperature,
        log_z=log_z,
        energy=mean * temperature,
        heat_capacity=occupation @ modes + spread,
        occupation=occupation,
    )


def log_weights(points: Sequence[Point], temperature: float) -> Vector:
    """Return ``ln Z_a`` of each point at one temperature, up to the group's order, ``(n,)``.

    A transition state counts with its real modes only: one fewer power of ``T``, and the modulus
    of its imaginary frequency, which the rate constant divides out again.
    """
    beta = 1.0 / temperature
    return np.array(
        [
            -beta * point.energy
            - np.log(point.order)
            - (point.n_modes - point.index) * np.log(beta)
            - 0.5 * _real_log_det(point)
            for point in points
        ]
    )


def free_energies(points: Sequence[Point], temperature: float) -> Vector:
    """Return ``F_a = -T ln Z_a`` of each minimum or transition state, ``(n,)``.

    The free energy of a transition state is that of its dividing surface; the difference to a
    minimum gives the rate ``k = (T/2π) exp[-(F_t - F_a)/T]``.
    """
    return -temperature * log_weights(points, temperature)


def _real_log_det(point: Point) -> float:
    """Return ``Σ ln ω²`` over the real frequencies: for a saddle, without its unstable mode."""
    unstable = np.log(abs(point.lowest)) if point.index == 1 else 0.0
    return float(point.log_det - unstable)

"""Thermodynamics of a set of minima by harmonic superposition.

    ln Z_a = -β V_a + ln(G/o_a) - κ_a ln β - ½ Σ ln ω²,     Z = Σ_a Z_a,

with ``G`` the order of the discrete symmetry group and ``o_a`` that of the stabiliser, so that
``G/o_a`` is the number of equivalent minima (``2N!/o_a`` for atoms), at ``k_B = ħ = m = 1``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from bridge.landscape.stationary_points import StationaryPoint
from bridge.protocols import Vector

_NOTHING = -600.0  # logarithm of a share that adds nothing; far below, numbers are slow


@dataclass(frozen=True, eq=False)
class Thermodynamics:
    """Averages over minima at each temperature; no table of all minima at all temperatures.

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
    modes : (t,)
        ``⟨κ⟩``, the number of vibrations.
    largest : (n,)
        The largest occupation that each minimum has at any of the temperatures.
    """

    temperature: Vector
    log_z: Vector
    energy: Vector
    heat_capacity: Vector
    modes: Vector
    largest: Vector

    def peak(self) -> tuple[float, float]:
        """Return the temperature and the height of the largest heat capacity."""
        best = int(self.heat_capacity.argmax())
        return float(self.temperature[best]), float(self.heat_capacity[best])


def superposition(minima: Sequence[StationaryPoint], temperature: Vector) -> Thermodynamics:
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
        raise ValueError(f"expected temperatures T > 0, got {temperature.min()}: raise it")
    wells = _Wells.of(minima)
    rows = np.empty((4, len(temperature)))
    largest = np.zeros(len(minima))
    for k, t in enumerate(temperature):
        terms = wells.log_weights(t)
        highest = terms.max()
        share = np.exp(np.maximum(terms - highest, _NOTHING))
        total = share.sum()
        share /= total
        log_z = highest + np.log(total)
        np.maximum(largest, share, out=largest)
        scaled = wells.energy / t + wells.modes
        mean = _average(share, scaled)
        spread = _average(share, (scaled - mean) ** 2)
        rows[:, k] = log_z, mean, _average(share, wells.modes), spread
    log_zs, means, modes, spreads = rows
    return Thermodynamics(
        temperature=temperature,
        log_z=log_zs,
        energy=means * temperature,
        heat_capacity=modes + spreads,
        modes=modes,
        largest=largest,
    )


def occupation(chosen: Sequence[StationaryPoint], found: Thermodynamics) -> Vector:
    """Return the probability of some of the minima of ``found`` at its temperatures, ``(t, k)``.

    All images of a minimum count together.
    """
    wells = _Wells.of(chosen)
    terms = np.array([wells.log_weights(t) for t in found.temperature])
    return np.asarray(np.exp(terms - found.log_z[:, None]))


def log_weights(points: Sequence[StationaryPoint], temperature: float) -> Vector:
    """Return ``ln Z_a`` of each point at one temperature, up to the group's order, ``(n,)``.

    A transition state counts with its real modes only: one fewer power of ``T``, and the modulus
    of its imaginary frequency, which the rate constant divides out again.
    """
    return _Wells.of(points).log_weights(temperature)


def free_energies(points: Sequence[StationaryPoint], temperature: float) -> Vector:
    """Return ``F_a = -T ln Z_a`` of each minimum or transition state, ``(n,)``.

    The free energy of a transition state is that of its dividing surface; the difference to a
    minimum gives the rate ``k = (T/2π) exp[-(F_t - F_a)/T]``.
    """
    return -temperature * log_weights(points, temperature)


@dataclass(frozen=True, eq=False)
class _Wells:
    """Points as columns: energies, numbers of real modes, and what no temperature changes."""

    energy: Vector
    modes: Vector
    constant: Vector

    @classmethod
    def of(cls, points: Sequence[StationaryPoint]) -> Self:
        columns = [
            (p.energy, p.n_modes - p.index, -math.log(p.order) - 0.5 * _real_log_det(p))
            for p in points
        ]
        return cls(*np.array(columns, dtype=np.float64).reshape(-1, 3).T.copy())

    def log_weights(self, temperature: float) -> Vector:
        return self.constant + self.modes * math.log(temperature) - self.energy / temperature


def _average(share: Vector, values: Vector) -> float:
    """Return ``Σ share values`` on one core: threads wait longer for each other than they sum."""
    return float(np.einsum("i,i->", share, values))


def _real_log_det(point: StationaryPoint) -> float:
    """Return ``Σ ln ω²`` over the real frequencies: for a saddle, without its unstable mode."""
    unstable = math.log(abs(point.lowest)) if point.index == 1 else 0.0
    return point.log_det - unstable

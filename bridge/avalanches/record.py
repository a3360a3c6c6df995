"""The result of a slow loading: minima on the way, and the avalanches between them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bridge.protocols import Vector


@dataclass(frozen=True)
class Avalanche:
    """One instability under slowly growing load.

    Attributes
    ----------
    load, width
        The load of the last minimum before, and the step in which that minimum ended.
    energy
        ``U`` before.
    drop, error
        Energy lost ``D``, and the half width ``(D_u - D_l)/2`` of its bounds.
    closed, opened
        Constraints violated after and not before (patterns forgotten), and the other way round
        (patterns learned).
    relief
        Fall of ``dU/dt = Σ max(Δ, 0) ∂Δ/∂t``, the force that the load works against.
    displacement
        ``|x' - x|`` across the symmetries, in the units of ``x``.
    participation
        Part of the variables that moved, ``(Σ u²)²/(n Σ u⁴)``.
    softest, sliding
        Lowest eigenvalue of ``H`` off the symmetries: before, and met on the first tenth of the
        way at the new load. NaN if not asked for.
    """

    load: float
    width: float
    energy: float
    drop: float
    error: float
    closed: int
    opened: int
    relief: float
    displacement: float
    participation: float
    softest: float
    sliding: float

    @property
    def unstable(self) -> bool:
        """Whether the state slid off an instability: its lowest eigenvalue turned negative."""
        return self.sliding < 0.0


@dataclass(frozen=True, eq=False)
class Loading:
    """What happened on the way through a sequence of loads.

    Attributes
    ----------
    loads, energy, overlap_per_variable, n_constraints
        At each minimum of the sequence, ``(k,)``: load, ``U``, ``Σ max(Δ, 0)/n_dof`` and ``N_Δ``.
    lost
        Energy lost in the interval that ends there, by avalanches, ``(k,)``; zero at the start.
    work
        Work of the load in that interval, ``(k,)``: ``U`` changes by it less what was lost.
    changes
        Constraints that opened or closed in that interval outside avalanches, ``(k,)``.
    avalanches
        In order of the load.
    x
        The last state.
    status, reason
        ``"loaded"``: to the end. ``"stalled"``: a descent did not end; what was found is kept.
    resolution
        Largest energy loss that a step taken as elastic could hide.
    descents
        Minimisations made.
    """

    loads: Vector
    energy: Vector
    overlap_per_variable: Vector
    n_constraints: Vector
    lost: Vector
    work: Vector
    changes: Vector
    avalanches: tuple[Avalanche, ...]
    x: Vector
    status: Literal["loaded", "stalled"]
    reason: str
    resolution: float
    descents: int

    @property
    def drops(self) -> Vector:
        """Energy lost in each avalanche."""
        return np.array([avalanche.drop for avalanche in self.avalanches])

    @property
    def unaccounted(self) -> float:
        """Work less losses less the change of the energy: of third order in the steps."""
        return float(self.work.sum() - self.lost.sum() - (self.energy[-1] - self.energy[0]))

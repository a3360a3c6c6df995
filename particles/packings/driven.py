"""Packings that were driven, to a pressure or through packing fractions, and how they ended."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.packings.ends import PackingEnd, Status
from particles.packings.minimum import Minimum, minimise
from particles.packings.packing import Packing

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stage:
    """One balance of forces on the way.

    Attributes
    ----------
    phi, pressure, energy : float
        Packing fraction, ``Σ max(Δ, 0)/n`` without rattlers, and ``U``.
    status : {"unjammed", "jammed", "stalled"}
        How its minimisation ended.
    steps : int
        Evaluations of the forces.
    """

    phi: float
    pressure: float
    energy: float
    status: Status
    steps: int


@dataclass(frozen=True, eq=False, repr=False)
class Decompressed(PackingEnd):
    """A packing brought to a pressure.

    Attributes
    ----------
    problem : Packing
        The packing at its last load.
    x : (n_dof,)
        Its state.
    phi : float
        Its packing fraction.
    pressure : float
        ``Σ max(Δ, 0)/n``, rattlers not counted in ``n``.
    status : {"jammed", "unjammed", "stalled"}
        Jammed: a minimum at the pressure asked for, see `Minimum`. Stalled: none, or the pressure
        is another one. Unjammed: no pressure could be built up.
    stages : tuple of Stage
        Every balance of forces on the way.
    reason : str
        Why the run stalled; empty if it did not.
    """

    problem: Packing
    x: Vector
    phi: float
    pressure: float
    status: Status
    stages: tuple[Stage, ...]
    reason: str = ""

    def _numbers(self) -> str:
        return f"p = {self.pressure:.6g}"

    def minimise(self, problem: Packing, x: ArrayLike) -> Minimum:
        """Return the minimum of the packing at another load, below ``x``."""
        return minimise(problem, x)


@dataclass(frozen=True, eq=False, repr=False)
class Compressed(PackingEnd):
    """A packing driven through packing fractions.

    Attributes
    ----------
    problem : Packing
        The packing at the last of them.
    x : (n_dof,)
        Its state.
    stages : tuple of Stage
        One for each packing fraction.
    status : {"jammed", "unjammed", "stalled"}
        How the last of them ended; stalled if there was none.
    reason : str
        Why it stalled; empty if it did not.
    """

    problem: Packing
    x: Vector
    stages: tuple[Stage, ...]
    status: Status
    reason: str = ""

    def _numbers(self) -> str:
        return f"{len(self.stages)} stages"

    def minimise(self, problem: Packing, x: ArrayLike) -> Minimum:
        """Return the minimum of the packing at another load, below ``x``."""
        return minimise(problem, x)

"""Basin hopping: a Metropolis walk on the minima."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from bridge.landscape.identity import Identity
from bridge.landscape.quench import descend_to_minimum, quench
from bridge.landscape.stationary_points import StationaryPoint
from bridge.protocols import Landscape, Vector

Move: TypeAlias = Callable[[Vector, float, np.random.Generator], Vector]


def displace(x: Vector, size: float, rng: np.random.Generator) -> Vector:
    """Displace every variable uniformly within ``± size``."""
    return x + rng.uniform(-size, size, x.shape)


@dataclass(frozen=True, eq=False)
class Hops:
    """How basin hopping moves.

    Attributes
    ----------
    count
        Moves of one run.
    temperature
        Of the Metropolis walk, in units of energy.
    size
        First size of a move, in the units of ``x``. It adapts until half of the moves are accepted.
    move
        Proposes a state: ``move(x, size, rng)``. A system passes one that fits it.
    descend
        Longest step of a minimisation, root mean square over the variables.
    records_only
        Certify and yield only minima lower than all before, for a search of the lowest one.
    """

    count: int = 10
    temperature: float = 1.0
    size: float = 0.4
    move: Move = displace
    descend: float = 0.1
    records_only: bool = False


def basin_hopping(
    problem: Landscape, identity: Identity, x: Vector, hops: Hops, rng: np.random.Generator
) -> Iterator[StationaryPoint]:
    """Yield the certified minima of a run of basin hopping, accepted or not, once for each energy.

    A move whose minimisation fails is rejected. Every ten moves the size grows or shrinks by a
    tenth, towards an acceptance of one half. The walk itself needs no certificate: it goes by the
    energies at which L-BFGS ends.

    References
    ----------
    D. J. Wales, J. P. K. Doye, J. Phys. Chem. A 101, 5111 (1997).
    """
    seen: set[float] = set()
    here, energy, best, size, accepted = x, np.inf, np.inf, hops.size, 0
    for count in range(hops.count + 1):
        start = hops.move(here, size, rng) if count else x
        end = descend_to_minimum(problem, start, max_step=hops.descend)
        if not isinstance(end, str):
            trial, lower = end
            worth = lower < best or not hops.records_only
            best = min(best, lower)
            if worth and _is_new(lower, seen):
                minimum = quench(problem, trial, identity, max_step=hops.descend)
                if isinstance(minimum, StationaryPoint):
                    yield minimum
            rise = lower - energy
            if rise <= 0 or rng.random() < np.exp(-rise / hops.temperature):
                here, energy = trial, lower
                accepted += 1
        if count % 10 == 9:
            size *= 1.1 if accepted > 5 else 0.9
            accepted = 0


def _is_new(energy: float, seen: set[float]) -> bool:
    """Tell whether no minimum of this energy, to six digits after the point, was met before."""
    key = round(energy, 6)
    if {key, round(key - 1e-6, 6), round(key + 1e-6, 6)} & seen:
        return False
    seen.add(key)
    return True

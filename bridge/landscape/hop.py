"""Basin hopping: a Metropolis walk on the minima."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from bridge.landscape.identity import Identity
from bridge.landscape.points import Point
from bridge.landscape.quench import quench
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
    """

    count: int = 10
    temperature: float = 1.0
    size: float = 0.4
    move: Move = displace
    descend: float = 0.1


def basin_hopping(
    problem: Landscape, identity: Identity, x: Vector, hops: Hops, rng: np.random.Generator
) -> Iterator[Point]:
    """Yield the certified minima that a run of basin hopping meets, accepted or not.

    A move whose minimisation fails is rejected. Every ten moves the size grows or shrinks by a
    tenth, towards an acceptance of one half.

    References
    ----------
    D. J. Wales, J. P. K. Doye, J. Phys. Chem. A 101, 5111 (1997).
    """
    current = _quench(problem, identity, x, hops)
    size, accepted = hops.size, 0
    if current is not None:
        yield current
    for count in range(1, hops.count + 1):
        from_x = x if current is None else current.x
        found = _quench(problem, identity, hops.move(from_x, size, rng), hops)
        if found is not None:
            yield found
            rise = -np.inf if current is None else found.energy - current.energy
            if rise <= 0 or rng.random() < np.exp(-rise / hops.temperature):
                current = found
                accepted += 1
        if count % 10 == 0:
            size *= 1.1 if accepted > 5 else 0.9
            accepted = 0


def _quench(problem: Landscape, identity: Identity, x: Vector, hops: Hops) -> Point | None:
    try:
        found = quench(problem, x, identity, rough=True, max_step=hops.descend)
    except ValueError:  # two atoms at one place, an overflow
        return None
    return None if isinstance(found, str) else found

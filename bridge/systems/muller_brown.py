"""The Müller-Brown surface on the command line."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bridge.landscape.case import Case

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class MullerBrownLandscape:
    """The Müller-Brown surface in the plane."""

    kind: ClassVar[str] = "muller-brown"

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the surface."""
        from bridge.landscape.basin_hopping import Hops
        from bridge.landscape.search import Steps
        from particles.landscapes.muller_brown import MullerBrown

        problem = MullerBrown()
        steps = Steps(climb=0.1, scatter=0.3, kick=0.1, push=0.02, descend=0.02)
        hops = Hops(temperature=50.0, size=0.5, descend=0.05)
        return Case(problem, problem.random_state, steps, hops, every_index=True)

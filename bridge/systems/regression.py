"""The non-linear regression on the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.landscape.case import Case
from bridge.systems.ranges import option

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class RegressionLandscape:
    """The non-linear regression with five parameters; its noise is drawn from the seed."""

    kind: ClassVar[str] = "regression"
    small: ClassVar[Mapping[str, Any]] = {"points": 20}

    noise: float = option(0.02, "Standard deviation of the noise.", 0, 1000)
    points: int = option(100, "Number of data points.", 5, 100_000)

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the regression."""
        from bridge.landscape.basin_hopping import Hops
        from bridge.landscape.search import Steps
        from networks.models.regression import Regression

        problem = Regression.random(self.noise, self.points, rng)
        steps = Steps(climb=0.1, scatter=0.4, kick=0.1, push=0.02, descend=0.02, max_steps=200)
        hops = Hops(temperature=0.05, size=0.5, descend=0.05)
        return Case(problem, problem.random_state, steps, hops)

"""The spherical spin glass on the command line."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.landscape.case import Case
from bridge.systems.ranges import option
from bridge.systems.system import expect

if TYPE_CHECKING:
    import numpy as np

    from bridge.protocols import Landscape, Vector


@dataclass(frozen=True)
class SpinGlassLandscape:
    """The spherical p-spin glass; its couplings are drawn from the seed."""

    kind: ClassVar[str] = "pspin"
    small: ClassVar[Mapping[str, Any]] = {"n": 3}

    n: int = option(4, "Number of spins.", 2, 1000)
    p: int = option(3, "How many spins interact.", 2, 10)

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the glass; every index is searched up to six spins."""
        terms = self.n**self.p * math.factorial(self.p)
        most = 1_000_000_000  # each order of the indices of each coupling is a term
        expect(terms <= most, f"n^p p! up to {most:,}", f"{terms:,}", "lower n or p")
        from bridge.landscape.basin_hopping import Hops
        from bridge.landscape.search import Steps
        from particles.landscapes.spin_glass import SphericalSpinGlass

        problem = SphericalSpinGlass.random(self.n, self.p, rng)
        steps = Steps(climb=0.2, scatter=0.8, kick=0.2, push=0.05)
        hops = Hops(temperature=float(self.n), size=1.0)
        observe = PerSpin(problem)
        return Case(problem, problem.random_state, steps, hops, self.n <= 6, observe)


@dataclass(frozen=True, eq=False)
class PerSpin:
    """Energy per spin."""

    problem: "Landscape"

    def __call__(self, x: "Vector") -> dict[str, float]:
        """Return ``H/N``."""
        return {"energy_per_spin": self.problem.energy_gradient(x)[0] / self.problem.n_dof}

"""Clusters of three atoms and more on the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.landscape.case import Case, Pictured
from bridge.systems.ranges import option

if TYPE_CHECKING:
    import numpy as np

    from bridge.protocols import Vector


@dataclass(frozen=True)
class LennardJonesLandscape:
    """A Lennard-Jones cluster."""

    kind: ClassVar[str] = "lj"
    small: ClassVar[Mapping[str, Any]] = {"n": 5}

    n: int = option(7, "Number of atoms.", 2, 1000)

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the cluster."""
        from bridge.landscape.basin_hopping import Hops
        from bridge.landscape.search import Steps
        from particles.landscapes.clusters import LennardJones

        problem = LennardJones(self.n)
        hops = Hops(temperature=0.8, move=problem.move)
        return Case(problem, problem.random_state, Steps(), hops, symmetric=problem.symmetric_state)

    def pictured(self, rng: "np.random.Generator") -> Pictured:
        """Return how the atoms of a minimum lie."""
        return Pictured("atoms", atoms)


@dataclass(frozen=True)
class AxilrodTellerLandscape:
    """Three Lennard-Jones atoms with the Axilrod-Teller term."""

    kind: ClassVar[str] = "ljat3"

    z: float = option(2.0, "Strength of the three-atom term.", -1000, 1000)

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the cluster."""
        from bridge.landscape.basin_hopping import Hops
        from bridge.landscape.search import Steps
        from particles.landscapes.clusters import AxilrodTeller

        problem = AxilrodTeller(3, self.z)
        return Case(problem, problem.random_state, Steps(), Hops())

    def pictured(self, rng: "np.random.Generator") -> Pictured:
        """Return how the atoms of a minimum lie."""
        return Pictured("atoms", atoms)


def atoms(x: "Vector") -> "Vector":
    """Return the places of atoms around their centre ``(n, 3)``, the longest direction first."""
    import numpy as np

    places = x.reshape(-1, 3) - x.reshape(-1, 3).mean(axis=0)
    return np.asarray(places @ np.linalg.svd(places, full_matrices=False)[2].T)

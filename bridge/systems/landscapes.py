"""The landscapes that the command line knows: their options, and what a search of each needs.

Top floor, as `bridge.systems`: the halves are imported inside the functions that need them, and a
field of a class is an option of the command line under the same name.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from bridge.landscape.case import Case
from bridge.systems.end_observables import Constraints, OnTestSet, PerSpin
from bridge.systems.quench_outcomes import quench_outcomes
from bridge.systems.ranges import option

if TYPE_CHECKING:
    import numpy as np

    from bridge.protocols import ConstraintProblem, Vector
    from networks.data.outcomes import Outcomes

_MOST_TERMS = 1_000_000_000


@dataclass(frozen=True)
class LennardJonesLandscape:
    """A Lennard-Jones cluster."""

    kind: ClassVar[str] = "lj"

    n: int = option(7, "Number of atoms.", 2, 1000)

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the cluster."""
        del rng
        from bridge.landscape.basin_hopping import Hops
        from bridge.landscape.search import Steps
        from particles.landscapes.clusters import LennardJones

        problem = LennardJones(self.n)
        hops = Hops(temperature=0.8, move=problem.move)
        return Case(problem, problem.random_state, Steps(), hops, symmetric=problem.symmetric_state)


@dataclass(frozen=True)
class AxilrodTellerLandscape:
    """Three Lennard-Jones atoms with the Axilrod-Teller term."""

    kind: ClassVar[str] = "ljat3"

    z: float = option(2.0, "Strength of the three-atom term.", -1000, 1000)

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the cluster."""
        del rng
        from bridge.landscape.basin_hopping import Hops
        from bridge.landscape.search import Steps
        from particles.landscapes.clusters import AxilrodTeller

        problem = AxilrodTeller(3, self.z)
        return Case(problem, problem.random_state, Steps(), Hops())


@dataclass(frozen=True)
class MullerBrownLandscape:
    """The Müller-Brown surface in the plane."""

    kind: ClassVar[str] = "muller-brown"

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the surface."""
        del rng
        from bridge.landscape.basin_hopping import Hops
        from bridge.landscape.search import Steps
        from particles.landscapes.muller_brown import MullerBrown

        problem = MullerBrown()
        steps = Steps(climb=0.1, scatter=0.3, kick=0.1, push=0.02, descend=0.02)
        hops = Hops(temperature=50.0, size=0.5, descend=0.05)
        return Case(problem, problem.random_state, steps, hops, every_index=True)


@dataclass(frozen=True)
class SpinGlassLandscape:
    """The spherical p-spin glass; its couplings are drawn from the seed."""

    kind: ClassVar[str] = "pspin"

    n: int = option(4, "Number of spins.", 2, 1000)
    p: int = option(3, "How many spins interact.", 2, 10)

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the glass; every index is searched up to six spins."""
        terms = self.n**self.p * math.factorial(self.p)
        if terms > _MOST_TERMS:  # each order of the indices of each coupling
            raise ValueError(f"expected n^p p! up to {_MOST_TERMS:,}, got {terms:,}: lower n or p")
        from bridge.landscape.basin_hopping import Hops
        from bridge.landscape.search import Steps
        from particles.landscapes.spin_glass import SphericalSpinGlass

        problem = SphericalSpinGlass.random(self.n, self.p, rng)
        steps = Steps(climb=0.2, scatter=0.8, kick=0.2, push=0.05)
        hops = Hops(temperature=float(self.n), size=1.0)
        observe = PerSpin(problem)
        return Case(problem, problem.random_state, steps, hops, self.n <= 6, observe)


@dataclass(frozen=True)
class ClassifierLandscape:
    """A classifier with one tanh hidden layer, cross-entropy and weight decay."""

    kind: ClassVar[str] = "classifier"
    built_in_data: ClassVar[tuple[str, ...]] = ("quench", "digits")

    data: str = option("quench", "quench (outcomes of LJAT3), digits, or a .npz or .csv file.")
    hidden: int = option(3, "Number of hidden units.", 1, 1000)
    l2: float = option(1e-3, "Weight decay λ.", 0, 1e6)
    patterns: int = option(
        1000, "Training patterns; as many more, or the rest, are the test set.", 2, 100_000
    )
    label: str | None = option(
        None, "Column of a .csv with the labels, by name or by number from 1; the last if unset."
    )

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the network; the test set gives each minimum an area under the curve."""
        from bridge.landscape.basin_hopping import Hops
        from bridge.landscape.search import Steps
        from networks.models.classifier import Classifier

        train, test = self._data(rng)
        problem = Classifier(train, self.hidden, self.l2)
        steps = Steps(climb=1.0, scatter=1.5, kick=0.5, push=0.1, descend=0.2, max_steps=200)
        hops = Hops(temperature=0.05, size=2.0, descend=0.5)
        observe = OnTestSet(problem, test)
        return Case(
            *(problem, problem.random_state, steps, hops), observe=observe, marks=observe.wrong
        )

    def sketch(self, rng: "np.random.Generator") -> Case:
        """Return the same from a few patterns where all would take seconds: to check it."""
        few = replace(self, patterns=min(self.patterns, 10)) if self.data == "quench" else self
        return few.case(rng)

    def _data(self, rng: "np.random.Generator") -> "tuple[Outcomes, Outcomes]":
        from networks.data.outcomes import digit_outcomes, read_outcomes

        if self.patterns < 2:
            raise ValueError(f"expected at least 2 patterns, got {self.patterns}")
        if self.label is not None and self.data in ("quench", "digits"):
            raise ValueError(f"expected a file with label, got {self.data}: drop one of them")
        if self.data == "quench":
            found = quench_outcomes(2 * self.patterns, rng)
        elif self.data == "digits":
            found = digit_outcomes().shuffled(rng)
        else:
            found = read_outcomes(Path(self.data), self.label).shuffled(rng)
        return found.standardised().split(min(self.patterns, 2 * len(found) // 3))


@dataclass(frozen=True)
class RegressionLandscape:
    """The non-linear regression with five parameters; its noise is drawn from the seed."""

    kind: ClassVar[str] = "regression"

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


@dataclass(frozen=True)
class PackingLandscape:
    """A small packing of discs or ellipses above jamming."""

    kind: ClassVar[str] = "packing"

    n: int = option(10, "Number of bodies.", 1, 1000)
    ratio: float = option(1.4, "Size of a large body over that of a small one.", 1, 100)
    aspect: float = option(1.0, "Long axis over short axis; 1 for discs.", 1, 100)
    phi: float = option(0.95, "Packing fraction, above jamming.", 1e-3, 2)

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the packing; each minimum has its number of contacts."""
        del rng
        from particles import Discs, Ellipses

        if self.aspect == 1.0:
            return _constrained(Discs.bidisperse(self.n, self.phi, ratio=self.ratio), 0.1)
        packing = Ellipses.bidisperse(self.n, self.phi, aspect=self.aspect, ratio=self.ratio)
        return _constrained(packing, 0.1)


@dataclass(frozen=True)
class PerceptronLandscape:
    """A small spherical perceptron in its unsatisfiable phase."""

    kind: ClassVar[str] = "perceptron"

    n: int = option(12, "Number of components of the weight vector.", 2, 1000)
    alpha: float = option(8.0, "Patterns per component.", 1e-6, 100)
    sigma: float = option(-0.5, "Margin asked for, of either sign.", -1e6, 1e6)

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the perceptron; each minimum has its number of violated patterns."""
        from particles.perceptron.perceptron import Perceptron

        problem = Perceptron.random(self.n, self.alpha, self.sigma, rng)
        return replace(_constrained(problem, 0.3), marks=Constraints(problem).violated)


@dataclass(frozen=True)
class NetworkLandscape:
    """A small network with hinge loss, more patterns than it can fit, and weight decay."""

    kind: ClassVar[str] = "network"

    depth: int = option(1, "Number of hidden layers.", 1, 5)
    width: int = option(3, "Units in each hidden layer.", 1, 30)
    input_dim: int = option(3, "Components of a pattern.", 1, 100)
    load: float = option(8.0, "Patterns per weight, P/N.", 1e-6, 100)
    activation: str = option("tanh", "relu, tanh, softplus, silu or gelu.")
    l2: float = option(1e-2, "Weight decay that keeps the minima from running to infinity.", 0, 1e6)

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the network on random patterns; each minimum has its violated patterns."""
        from bridge.landscape.confine import Confined
        from networks import HingeNetwork, Mlp, random_patterns

        mlp = Mlp(self.input_dim, self.width, self.depth, self.activation)
        patterns = random_patterns(round(self.load * mlp.n_weights), self.input_dim, rng)
        network = HingeNetwork(mlp, patterns)
        case = _constrained(network, 0.5, start=mlp.init)
        violated = Constraints(network).violated
        return replace(case, problem=Confined(network, self.l2), marks=violated)


LandscapeClass: TypeAlias = type[
    LennardJonesLandscape
    | AxilrodTellerLandscape
    | MullerBrownLandscape
    | SpinGlassLandscape
    | ClassifierLandscape
    | RegressionLandscape
    | PackingLandscape
    | PerceptronLandscape
    | NetworkLandscape
]
LANDSCAPES: tuple[LandscapeClass, ...] = (
    LennardJonesLandscape,
    AxilrodTellerLandscape,
    MullerBrownLandscape,
    SpinGlassLandscape,
    ClassifierLandscape,
    RegressionLandscape,
    PackingLandscape,
    PerceptronLandscape,
    NetworkLandscape,
)


def _constrained(
    problem: "ConstraintProblem",
    scale: float,
    start: "Callable[[np.random.Generator], Vector] | None" = None,
) -> Case:
    """Return the case of a constraint problem whose variables move by about ``scale``."""
    from bridge.landscape.basin_hopping import Hops
    from bridge.landscape.search import Steps

    steps = Steps(climb=scale, scatter=scale, kick=scale, push=0.05 * scale, descend=0.1 * scale)
    hops = Hops(temperature=0.01, size=2 * scale, descend=0.3 * scale)
    begin = problem.random_state if start is None else start  # type: ignore[attr-defined]
    return Case(problem, begin, steps, hops, observe=Constraints(problem))

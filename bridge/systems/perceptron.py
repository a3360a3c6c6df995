"""The perceptron on the command line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.landscape.case import Case
from bridge.systems.constraint_case import Constraints, constraint_case
from bridge.systems.ranges import check_ranges, option
from bridge.systems.system import (
    Load,
    State,
    Sweep,
    System,
    check_size,
    even_loads,
    newton_on_sphere,
)

if TYPE_CHECKING:
    import numpy as np

    from bridge.protocols import Vector
    from bridge.records.store import Record
    from particles import Descent, Perceptron


@dataclass(frozen=True)
class PerceptronSystem(System):
    """The spherical perceptron with Gaussian patterns."""

    kind: ClassVar[str] = "perceptron"
    rank: ClassVar[int] = 4
    small: ClassVar[Mapping[str, Any]] = {"n": 8}
    sets_load: ClassVar[tuple[str, ...]] = ("alpha",)
    load_words: ClassVar[Mapping[str, str]] = {
        "alpha": "patterns per component α",
        "sigma": "margin σ",
    }
    slow_range: ClassVar[float] = 0.2
    cost: ClassVar[float] = 0.4

    n: int = option(200, "Number of components of the weight vector.", 2, 100_000)
    alpha: float = option(4.0, "Patterns per component.", 1e-6, 1e6)
    sigma: float = option(-0.5, "Margin asked for, of either sign.", -1e6, 1e6)

    @classmethod
    def sweeps(cls, size: str) -> list[Sweep]:
        """Return the perceptron through its capacity."""
        n = {"small": 200, "medium": 400, "large": 800}[size]
        return [Sweep("perceptron", cls(n=n), even_loads(3.5, 6.0, 11), True)]

    @classmethod
    def motions(cls) -> list[Sweep]:
        """Return a perceptron with patterns few enough to be told apart."""
        return [Sweep("perceptron", cls(n=30), even_loads(2.0, 7.0, 31), False)]

    def along(self, loads: Sequence[float], rng: "np.random.Generator") -> Iterator[State]:
        """Yield the perceptron with the first ``α N`` of the patterns of the last load."""
        from particles import descend

        whole = self._problem(max(loads), rng)
        x = whole.random_state(rng)
        for load in loads:
            part = replace(whole, patterns=whole.patterns[: round(load * self.n)])
            end = descend(part, x)
            x = end.x
            yield State(part, x, end.status, end.reason, ("alpha", part.alpha))

    def check(self) -> None:
        """Raise ``ValueError`` if an option is wrong."""
        import numpy as np

        check_size("components of all patterns", self.alpha * self.n**2)
        self._problem(self.alpha, np.random.default_rng(0))

    def check_load(self, load: float) -> None:
        """Raise ``ValueError`` if there is no such ``α``."""
        there = replace(self, alpha=load)
        check_ranges(there)
        there.check()

    def n_variables(self) -> int:
        """Return the number of components of the weight vector."""
        return self.n

    def jam(self, rng: "np.random.Generator") -> State:
        """Minimise from a random point of the sphere at the given ``α`` and ``σ``."""
        return self.at(self.alpha, rng)

    def at(self, load: float, rng: "np.random.Generator") -> State:
        """Minimise from a random point of the sphere at ``α = load``."""
        from particles import descend

        problem = self._problem(load, rng)
        found = descend(problem, problem.random_state(rng))
        return State(found.problem, found.x, found.status, found.reason, ("alpha", problem.alpha))

    def reopen(self, record: "Record", rng: "np.random.Generator") -> "Perceptron":
        """Return the perceptron of the same patterns, at the margin that it ended at."""
        alpha = record.parameters.get("at_load")
        problem = self._problem(self.alpha if alpha is None else alpha, rng)
        if record.data["load_name"] == "sigma":
            return replace(problem, sigma=record.data["load"])
        return problem

    def minimise(
        self, problem: "Perceptron", x: "Vector", rng: "np.random.Generator | None" = None
    ) -> "Descent":
        """Descend by L-BFGS and Newton."""
        from particles import descend

        return descend(problem, x)

    def exact_load(self, problem: "Perceptron") -> Load:
        """Return the margin."""
        return "sigma", problem.sigma

    def follow(self, problem: "Perceptron", x: "Vector") -> Any:
        """Descend by Newton's method."""
        return newton_on_sphere(problem, x)

    def _problem(self, alpha: float, rng: "np.random.Generator") -> "Perceptron":
        from particles import Perceptron

        return Perceptron.random(self.n, alpha, self.sigma, rng)


@dataclass(frozen=True)
class PerceptronLandscape:
    """A small spherical perceptron in its unsatisfiable phase."""

    kind: ClassVar[str] = "perceptron"
    small: ClassVar[Mapping[str, Any]] = {"n": 6}

    n: int = option(12, "Number of components of the weight vector.", 2, 1000)
    alpha: float = option(8.0, "Patterns per component.", 1e-6, 100)
    sigma: float = option(-0.5, "Margin asked for, of either sign.", -1e6, 1e6)

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the perceptron; each minimum has its number of violated patterns."""
        from particles.perceptron.perceptron import Perceptron

        problem = Perceptron.random(self.n, self.alpha, self.sigma, rng)
        return replace(constraint_case(problem, 0.3), marks=Constraints(problem).violated)

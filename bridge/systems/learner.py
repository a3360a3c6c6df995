"""What systems share that learn patterns: fully connected networks, and modules of the user's own.

Many samples of one are trained for a transition: a learner makes the problem and the start of each
from random numbers of its own, and says which of its options is the load that a search varies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeAlias

from bridge.systems.ranges import check_ranges
from bridge.systems.system import Load, State, System, expect

if TYPE_CHECKING:
    import numpy as np

    from bridge.protocols import Vector
    from bridge.records.store import Record
    from networks import SphericalNetwork, Trained
    from networks.training.optimisers import Optimiser

Seeds: TypeAlias = Sequence[tuple[int, int]]

NORM_HELP = "held, or free: few networks have a minimum if weights can grow."
POLISH_HELP = "Linear solves after them, at most, to certify a minimum; 0 for none."


class Learner(System, Protocol):
    """A system whose problem is to learn patterns; its load is ``P/N``, patterns per weight."""

    trains_together: ClassVar[bool] = True
    sets_load: ClassVar[tuple[str, ...]] = ("load", "patterns")
    load_words: ClassVar[Mapping[str, str]] = {"P/N": "load P/N", "margin": "margin"}
    slow_range: ClassVar[float] = 0.3
    cost: ClassVar[float] = 12.0  # of 10,000 steps

    load: float | None
    patterns: int | None
    steps: int
    polish: int
    norm: str

    def seconds(self) -> float:
        """Return the time of its steps, and of a polish as long."""
        return self.cost * self.steps / 10_000

    # What each learner says of itself.

    def untrained(
        self, load: float | None, data: "np.random.Generator", init: "np.random.Generator"
    ) -> "tuple[Any, Vector]":
        """Return the problem with patterns drawn from ``data``, and a start drawn from ``init``."""

    def sizes(self, problem: Any) -> tuple[int, int]:
        """Return the numbers of weights and of patterns of a problem."""

    def with_margin(self, problem: Any, margin: float) -> Any:
        """Return the problem that asks for another margin."""

    def balanced(self, problem: Any, x: "Vector") -> "Vector":
        """Return the same function with rectifiers rescaled to the smallest norm."""

    @classmethod
    def title(cls, given: Mapping[str, Any]) -> str:
        """Return what stands above a figure of samples with these parameters."""

    def split(self, seeds: Seeds, workers: int) -> list[Seeds]:
        """Return the seeds in parts, for a number of processes that share the work."""
        del workers
        return [(seed,) for seed in seeds]

    def ladder(self, values: Sequence[float]) -> list[Self]:
        """Return the systems with these values of what a search varies, in order of their load."""
        return [replace(self, load=value) for value in values]  # type: ignore[type-var]

    def check_search(self, *, loading: bool) -> None:
        """Raise ``ValueError`` if a search cannot vary the load, by adding patterns if that."""
        del loading
        if self.load is not None:
            raise ValueError(f"expected a load from low to high, got {self.load:g}: drop load")

    def optimiser_in_place(self) -> "Optimiser | None":
        """Return what takes the place of Adam, if anything does."""
        return None

    # What follows from it.

    def check_load(self, load: float) -> None:
        """Raise ``ValueError`` if it cannot be given so many patterns."""
        there = replace(self, load=load)  # type: ignore[type-var]
        check_ranges(there)
        there.check()

    def check_norm(self) -> None:
        """Raise ``ValueError`` if the norm is neither held nor free, or there are two loads."""
        expect(self.norm in ("free", "held"), "norm free or held", self.norm, "pass one of them")
        both = self.load is not None and self.patterns is not None
        expect(not both, "a load or a number of patterns", "both", "drop one of them")

    def n_variables(self) -> int:
        """Return the number of weights and biases."""
        return int(self._problem(self.load)[0].n_dof)

    def jam(self, rng: "np.random.Generator") -> State:
        """Train on the given data from a random initialisation."""
        return self._train(self.load, rng)

    def at(self, load: float, rng: "np.random.Generator") -> State:
        """Train on ``P = load · N`` patterns from a random initialisation."""
        return self._train(load, rng)

    def minimise(
        self, problem: Any, x: "Vector", rng: "np.random.Generator | None" = None
    ) -> "Trained":
        """Train on from ``x``; where the norm is held, descend to the minimum next to it."""
        from networks import SphericalNetwork, settle, train

        if isinstance(problem, SphericalNetwork):
            return settle(problem, x, newton_steps=self.polish)
        return train(
            problem,
            x,
            steps=self.steps,
            newton_steps=self.polish,
            hold_norm=self.norm == "held",
            optimiser=self.optimiser_in_place(),
            rng=rng,
        )

    def reopen(self, record: "Record", rng: "np.random.Generator") -> Any:
        """Return the problem of the same patterns, at its norm if that was held.

        The symmetries that were counted tell which of the two it was: the sphere has one more.
        """
        import numpy as np

        from bridge.measure.observables import observe
        from networks import SphericalNetwork

        load = record.parameters.get("at_load")
        problem, _ = self.untrained(self.load if load is None else load, rng, rng)
        if record.data["load_name"] == "margin":
            problem = self.with_margin(problem, record.data["load"])
        x = record.arrays["x"]
        if self.norm == "free" or not np.isfinite(x).all():
            return problem
        held = SphericalNetwork(problem, float(np.linalg.norm(x)))
        counted = record.data["n_symmetries"]
        return held if observe(held, x).n_symmetries == counted else problem

    def limited(self, state: State) -> State:
        """Return the state at its norm: a margin can always grow with that of the weights.

        Rectifiers are rescaled to the smallest norm first, at which they have the most freedom.
        """
        from networks import SphericalNetwork

        problem: Any = state.problem
        if isinstance(problem, SphericalNetwork):
            return state
        x = self.balanced(problem, state.x)
        held = SphericalNetwork(problem, float((x @ x) ** 0.5))
        return replace(state, problem=held, x=x, load=self.exact_load(held))

    def exact_load(self, problem: "SphericalNetwork") -> Load:
        """Return the margin."""
        return "margin", problem.free.margin

    def under_load(self, rng: "np.random.Generator") -> State:
        """Return the untrained problem at a fixed norm, where its margin has a limit."""
        from networks import SphericalNetwork

        problem, x = self.untrained(self.load, rng, rng)
        held = SphericalNetwork(problem, float((x @ x) ** 0.5))
        return State(held, x, "stalled", "it has not been trained", self.exact_load(held))

    def _train(self, load: float | None, rng: "np.random.Generator") -> State:
        problem, x = self.untrained(load, rng, rng)
        return trained_state(self.minimise(problem, x, rng))

    def _problem(self, load: float | None) -> "tuple[Any, Vector]":
        """Return the problem and start of one sample, as any would have them."""
        import numpy as np

        return self.untrained(load, np.random.default_rng(0), np.random.default_rng(0))


def trained_state(found: "Trained") -> State:
    """Return what was trained as a state.

    The kinks that hold a minimum and how forces balance there go with it: without them its
    Hessian has negative curvature across the kinks, and it would be taken for a saddle.
    """
    return State(
        found.problem,
        found.x,
        found.status,
        found.reason,
        ("P/N", found.problem.load),
        n_kinks=found.n_kinks,
        max_residual=found.max_residual,
    )

"""Fully connected networks on the command line."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.systems.ranges import check_ranges, option
from bridge.systems.system import (
    LARGEST,
    Load,
    State,
    Sweep,
    check_size,
    even_loads,
    expect,
    newton_on_sphere,
)

if TYPE_CHECKING:
    import numpy as np

    from bridge.protocols import Vector
    from bridge.records.store import Record
    from networks import HingeNetwork, Patterns, SphericalNetwork, Trained
    from networks.training.optimisers import Optimiser

ACTIVATION_HELP = "Of the units: relu, tanh, ...; the error for an unknown name lists all of them."
_RANDOM_LOAD = 3.4  # patterns per weight: a rectifier network cannot fit so many at random


@dataclass(frozen=True)
class NetworkSystem:
    """A fully connected network with quadratic hinge loss."""

    kind: ClassVar[str] = "network"
    rank: ClassVar[int] = 5
    small: ClassVar[Mapping[str, Any]] = {
        "width": 3,
        "load": 3.0,
        "activation": "tanh",
        "steps": 50,
    }
    trains_together: ClassVar[bool] = True
    sets_load: ClassVar[tuple[str, ...]] = ("load", "patterns")
    load_words: ClassVar[Mapping[str, str]] = {"P/N": "load P/N", "margin": "margin"}
    slow_range: ClassVar[float] = 0.3
    in_comparison: ClassVar[bool] = True
    cost: ClassVar[float] = 4.0

    built_in_data: ClassVar[tuple[str, ...]] = ("random", "digits")

    depth: int = option(2, "Number of hidden layers.", 1, 1000)
    width: int = option(24, "Units in each hidden layer.", 1, 10_000)
    input_dim: int | None = option(
        None, "Components of a pattern; as many as the width if unset.", 1, 100_000
    )
    load: float | None = option(None, "Patterns per weight, P/N.", 1e-6, 1e6)
    patterns: int | None = option(None, "Number of patterns P, instead of the load.", 2, 1_000_000)
    data: str = option(
        "random", "random, digits, a .npz, a table such as a .csv, or a folder with MNIST."
    )
    activation: str = option("relu", ACTIVATION_HELP)
    steps: int = option(30_000, "Steps of the optimiser.", 1, 1_000_000_000)
    optimiser: str = option("adam", "adam (annealed), sgd, lbfgs or fire.")
    polish: int = option(
        1000, "Linear solves after them, at most, to certify a minimum; 0 for none.", 0, 1_000_000
    )
    norm: str = option("held", "held, or free: few networks have a minimum if weights can grow.")
    device: str = option("cpu", "Where to compute: cpu, cuda, ...")
    label: str | None = option(
        None, "Column of a .csv with the labels, by name or by number from 1; the last if unset."
    )

    @classmethod
    def sweeps(cls, size: str) -> list[Sweep]:
        """Return networks that learn random labels, and others that learn digits."""
        width, steps = {"small": (14, 10_000), "medium": (24, 30_000), "large": (36, 60_000)}[size]
        # All 1782 digits are fitted with ease: from four components of each they are not.
        digits = cls(width=14, input_dim=4, steps=2 * steps, polish=4000, data="digits")
        return [
            Sweep("network", cls(width=width, steps=steps), even_loads(2.0, 3.75, 8), False),
            Sweep("digits", digits, even_loads(1.5, 6.5, 6), False),
        ]

    def check(self) -> None:
        """Raise ``ValueError`` if an option is wrong."""
        import numpy as np

        expect(self.steps > 0, "steps > 0", self.steps, "pass a value such as 30000")
        expect(self.norm in ("free", "held"), "norm free or held", self.norm, "pass one of them")
        self._optimiser()
        both = self.load is not None and self.patterns is not None
        expect(not both, "a load or a number of patterns", "both", "drop one of them")
        width = self._dim()
        weights = self.width * (width + (self.depth - 1) * self.width + 1)
        check_size("weights", weights)
        if self.data == "random":
            load = _RANDOM_LOAD if self.load is None else self.load
            count = load * weights if self.patterns is None else self.patterns
            check_size("components of all patterns", count * width, most=10 * LARGEST)
        self.problem(self.load, np.random.default_rng(0))

    def check_load(self, load: float) -> None:
        """Raise ``ValueError`` if a network cannot be given so many patterns."""
        there = replace(self, load=load)
        check_ranges(there)
        there.check()

    def n_variables(self) -> int:
        """Return the number of weights and biases."""
        import numpy as np

        return self.problem(self.load, np.random.default_rng(0)).n_dof

    def jam(self, rng: "np.random.Generator") -> State:
        """Train on the given data from a random initialisation."""
        return self._train(self.load, rng)

    def at(self, load: float, rng: "np.random.Generator") -> State:
        """Train on ``P = load · N`` patterns from a random initialisation."""
        return self._train(load, rng)

    def check_linear(self) -> None:
        """Refuse weights that can grow, and units with kinks: these hold it as constraints do."""
        expect(self.norm == "held", "norm held with the linear energy", self.norm, "hold it")
        self._check_smooth()

    def check_slow_loading(self) -> None:
        """Refuse units with kinks, which hide instabilities from the Hessian."""
        self._check_smooth()

    def _check_smooth(self) -> None:
        from networks.models.activations import activation

        smooth = not activation(self.activation).kinks
        expect(smooth, "a smooth activation", self.activation, "pass --activation tanh")

    def settings(self) -> dict[str, Any]:
        """Return rates and schedule of the optimiser, and the load where none is asked for."""
        from networks.training.anneal import Schedule

        chosen: Any = self._optimiser()
        return {
            "optimiser": asdict(Schedule() if chosen is None else chosen),
            "random_load": _RANDOM_LOAD,
        }

    def reopen(
        self, record: "Record", rng: "np.random.Generator"
    ) -> "HingeNetwork | SphericalNetwork":
        """Return the network of the same patterns, at its norm if that was held.

        The symmetries that were counted tell which of the two it was: the sphere has one more.
        """
        import numpy as np

        from bridge.measure.observables import observe
        from networks import SphericalNetwork

        load = record.parameters.get("at_load")
        problem = replace(self, device="cpu").problem(self.load if load is None else load, rng)
        if record.data["load_name"] == "margin":
            problem = replace(problem, margin=record.data["load"])
        x = record.arrays["x"]
        if self.norm == "free" or not np.isfinite(x).all():
            return problem
        held = SphericalNetwork(problem, float(np.linalg.norm(x)))
        counted = record.data["n_symmetries"]
        return held if observe(held, x).n_symmetries == counted else problem

    def minimise(
        self,
        problem: "HingeNetwork | SphericalNetwork",
        x: "Vector",
        rng: "np.random.Generator | None" = None,
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
            optimiser=self._optimiser(),
            rng=rng,
        )

    def limited(self, state: State) -> State:
        """Return the network at its norm: a margin can always grow with that of the weights.

        Rectifiers are rescaled to the smallest norm first, at which they have the most freedom.
        """
        from networks import SphericalNetwork
        from networks.models.symmetry import balanced

        problem: Any = state.problem
        if isinstance(problem, SphericalNetwork):
            return state
        x = balanced(problem.mlp, state.x) if problem.mlp.sigma.homogeneous else state.x
        held = SphericalNetwork(problem, float((x @ x) ** 0.5))
        return replace(state, problem=held, x=x, load=self.exact_load(held))

    def exact_load(self, problem: "SphericalNetwork") -> Load:
        """Return the margin."""
        return "margin", problem.free.margin

    def under_load(self, rng: "np.random.Generator") -> State:
        """Return the untrained network at a fixed norm, where its margin has a limit."""
        from networks import SphericalNetwork

        problem = self.problem(self.load, rng)
        x = problem.mlp.init(rng)
        held = SphericalNetwork(problem, float((x @ x) ** 0.5))
        return State(held, x, "stalled", "it has not been trained", self.exact_load(held))

    def follow(self, problem: "SphericalNetwork", x: "Vector") -> Any:
        """Descend by Newton's method; over kinks by the polish of networks."""
        from networks import settle

        network: Any = problem.free
        kinks = network.mlp.sigma.kinks
        return settle(problem, x) if kinks else newton_on_sphere(problem, x)

    def _train(self, load: float | None, rng: "np.random.Generator") -> State:
        problem = self.problem(load, rng)
        return trained_state(self.minimise(problem, problem.mlp.init(rng), rng))

    def _dim(self) -> int:
        return self.width if self.input_dim is None else self.input_dim

    def _optimiser(self) -> "Optimiser | None":
        from networks import OPTIMISERS

        names = ", ".join(["adam", *OPTIMISERS])
        known = self.optimiser in ("adam", *OPTIMISERS)
        expect(known, f"an optimiser among {names}", repr(self.optimiser), "pass one of them")
        return OPTIMISERS.get(self.optimiser)

    def problem(self, load: float | None, rng: "np.random.Generator") -> "HingeNetwork":
        """Return the network with its patterns, drawn from ``rng``; untrained."""
        from networks import HingeNetwork, Mlp

        patterns = self._patterns(load, rng)
        mlp = Mlp(patterns.dim, self.width, self.depth, self.activation)
        return HingeNetwork(mlp, patterns, device=self.device)

    def _patterns(self, load: float | None, rng: "np.random.Generator") -> "Patterns":
        """Return the data; all of it if no number is given, or a jammed load of random patterns."""
        from networks import digits, mnist, random_patterns
        from networks.data.patterns import patterns_of
        from networks.data.tables import read_table

        dim = self._dim()
        folder = Path(self.data).is_dir()
        if folder or self.data in self.built_in_data:
            expect(self.label is None, "a file with label", self.data, "drop one of them")
        if self.data == "random":
            count = self._count(load, dim)
            if count is None:
                count = round(_RANDOM_LOAD * self._n_weights(dim))
            return random_patterns(count, dim, rng)
        if self.data == "digits":
            return digits(dim, self._count(load, dim), rng)
        if folder:
            return mnist(self.data, dim, self._count(load, dim), rng)
        table = read_table(self.data, self.label)
        dim = table.x.shape[1]
        given = self.input_dim
        expect(given in (None, dim), f"input_dim {dim}, as in {self.data}", given, "drop it")
        return patterns_of(table, self._count(load, dim), rng)

    def _n_weights(self, dim: int) -> int:
        from networks import Mlp

        return Mlp(dim, self.width, self.depth, self.activation).n_weights

    def _count(self, load: float | None, dim: int) -> int | None:
        """Return the number of patterns that was asked for, of dimension ``dim``."""
        if load is None:
            return self.patterns
        weights = self._n_weights(dim)
        count = round(load * weights)
        least = f"two patterns or more, a load of {2 / weights:.2g} for {weights} weights"
        expect(count >= 2, least, count, "raise the load")
        check_size("patterns", count)
        return count


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

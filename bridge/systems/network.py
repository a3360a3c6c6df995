"""Fully connected networks on the command line."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.ranges import option
from bridge.systems.system import Load, State, check_size, expect, newton_on_sphere

if TYPE_CHECKING:
    import numpy as np

    from bridge.protocols import Vector
    from networks import HingeNetwork, Patterns, SphericalNetwork, Trained
    from networks.optimisers import Optimiser

_RANDOM_LOAD = 3.4  # patterns per weight: a rectifier network cannot fit so many at random


@dataclass(frozen=True)
class NetworkSystem:
    """A fully connected network with quadratic hinge loss."""

    kind: ClassVar[str] = "network"
    has_exact_point: ClassVar[bool] = False  # a margin can always grow: it is the norm that counts

    built_in_data: ClassVar[tuple[str, ...]] = ("random", "digits")

    depth: int = option(2, "Number of hidden layers.", 1, 1000)
    width: int = option(24, "Units in each hidden layer.", 1, 10_000)
    input_dim: int | None = option(
        None, "Components of a pattern; as many as the width if unset.", 1, 100_000
    )
    load: float | None = option(None, "Patterns per weight, P/N.", 1e-6, 1e6)
    patterns: int | None = option(None, "Number of patterns P, instead of the load.", 2, 1_000_000)
    data: str = option("random", "random, digits, a .npz or .csv file, or a folder with MNIST.")
    activation: str = option("relu", "relu, tanh, softplus, silu or gelu.")
    steps: int = option(30_000, "Steps of the optimiser.", 1, 1_000_000_000)
    optimiser: str = option("adam", "adam (annealed), sgd, lbfgs or fire.")
    polish: int = option(
        1000, "Linear solves after them, at most, to certify a minimum; 0 for none.", 0, 1_000_000
    )
    norm: str = option("held", "held, or free: few networks have a minimum if weights can grow.")
    device: str = option("cpu", "Where to compute: cpu, cuda, ...")

    def check(self) -> None:
        """Raise ``ValueError`` if an option is wrong."""
        import numpy as np

        expect(self.steps > 0, "steps > 0", self.steps, "pass a value such as 30000")
        expect(self.norm in ("free", "held"), "norm free or held", self.norm, "pass one of them")
        self._optimiser()
        both = self.load is not None and self.patterns is not None
        expect(not both, "a load or a number of patterns", "both", "drop one of them")
        check_size("weights", self.depth * self.width**2 + self.width * self._dim())
        load = 0.0 if self.load is None else self.load
        count = load * self.depth * self.width**2 if self.patterns is None else self.patterns
        check_size("patterns", count)
        self.problem(self.load, np.random.default_rng(0))

    def jam(self, rng: "np.random.Generator") -> State:
        """Train on the given data from a random initialisation."""
        return self._train(self.load, rng)

    def at(self, load: float, rng: "np.random.Generator") -> State:
        """Train on ``P = load · N`` patterns from a random initialisation."""
        return self._train(load, rng)

    def settings(self) -> dict[str, Any]:
        """Return rates and schedule of the optimiser, and the load where none is asked for."""
        from networks.anneal import Schedule

        chosen: Any = self._optimiser()
        return {
            "optimiser": asdict(Schedule() if chosen is None else chosen),
            "random_load": _RANDOM_LOAD,
        }

    def minimise(
        self, problem: "HingeNetwork", x: "Vector", rng: "np.random.Generator | None" = None
    ) -> "Trained":
        """Train on from ``x``."""
        from networks import train

        return train(
            problem,
            x,
            steps=self.steps,
            newton_steps=self.polish,
            hold_norm=self.norm == "held",
            optimiser=self._optimiser(),
            rng=rng,
        )

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
        """Descend by Newton's method; over the kinks of a rectifier by the polish of networks."""
        from networks import settle

        return settle(problem, x) if self.activation == "relu" else newton_on_sphere(problem, x)

    def _train(self, load: float | None, rng: "np.random.Generator") -> State:
        problem = self.problem(load, rng)
        return self.state(problem, self.minimise(problem, problem.mlp.init(rng), rng))

    def state(self, problem: "HingeNetwork", found: "Trained") -> State:
        """Return what was trained as a state of the problem at its norm, if that was held."""
        from networks import SphericalNetwork

        held = None if found.radius is None else SphericalNetwork(problem, found.radius)
        return State(
            problem if held is None else held,
            found.x,
            found.status,
            found.reason,
            ("P/N", problem.load),
            n_kinks=found.n_kinks,
            max_residual=found.max_residual,
        )

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

        mlp = Mlp(self._dim(), self.width, self.depth, self.activation)
        count = self.patterns if load is None else round(load * mlp.n_weights)
        patterns = self._patterns(count, mlp.input_dim, mlp.n_weights, rng)
        mlp = Mlp(patterns.dim, self.width, self.depth, self.activation)
        return HingeNetwork(mlp, patterns, device=self.device)

    def _patterns(
        self, count: int | None, dim: int, n_weights: int, rng: "np.random.Generator"
    ) -> "Patterns":
        """Return the data; all of it if no number is given, or a jammed load of random patterns."""
        from networks import digits, mnist, random_patterns, read_patterns

        if self.data == "random":
            wanted = round(_RANDOM_LOAD * n_weights) if count is None else count
            return random_patterns(wanted, dim, rng)
        if self.data == "digits":
            return digits(dim, count, rng)
        if Path(self.data).is_dir():
            return mnist(self.data, dim, count, rng)
        return read_patterns(self.data, count, rng)

"""Fully connected networks on the command line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from bridge.systems.learner import NORM_HELP, POLISH_HELP, Learner, Seeds, trained_state
from bridge.systems.ranges import option
from bridge.systems.system import (
    LARGEST,
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
    from networks import HingeNetwork, Patterns, SphericalNetwork
    from networks.training.optimisers import Optimiser

ACTIVATION_HELP = "Of the units: relu, tanh, ...; the error for an unknown name lists all of them."
_RETRAIN = 300  # steps after an addition of patterns, as in `jamscape transition`
_RANDOM_LOAD = 3.4  # patterns per weight: a rectifier network cannot fit so many at random


@dataclass(frozen=True)
class NetworkSystem(Learner):
    """A fully connected network with quadratic hinge loss."""

    kind: ClassVar[str] = "network"
    rank: ClassVar[int] = 5
    small: ClassVar[Mapping[str, Any]] = {
        "width": 3,
        "load": 3.0,
        "activation": "tanh",
        "steps": 50,
    }

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
    polish: int = option(1000, POLISH_HELP, 0, 1_000_000)
    norm: str = option("held", NORM_HELP)
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

    @classmethod
    def motions(cls) -> list[Sweep]:
        """Return networks with patterns few enough to be told apart; few rectifiers die."""
        small = cls(depth=1, width=8, activation="tanh", steps=1000)
        digits = cls(depth=1, width=6, input_dim=4, activation="tanh", steps=1000, data="digits")
        return [
            Sweep("network", small, even_loads(1.2, 3.2, 26), False),
            Sweep("digits", digits, even_loads(0.8, 6.8, 25), False),
        ]

    def along(self, loads: Sequence[float], rng: "np.random.Generator") -> Iterator[State]:
        """Yield the network with the first ``P`` patterns, trained on from the fewer."""
        from networks import Patterns, train

        whole = self.problem(max(loads), rng)
        x, steps = whole.mlp.init(rng), self.steps
        for load in loads:
            count = round(load * whole.mlp.n_weights)
            part = replace(
                whole, patterns=Patterns(whole.patterns.x[:count], whole.patterns.y[:count])
            )
            held = self.norm == "held"
            end = train(part, x, steps=steps, newton_steps=self.polish, hold_norm=held)
            x, steps = end.x, _RETRAIN
            yield trained_state(end)

    def pixels(self, loads: Sequence[float], rng: "np.random.Generator") -> "Vector | None":
        """Return the images of digits; other data have none."""
        from networks.data.patterns import digit_pixels

        if self.data != "digits":
            return None
        return digit_pixels(self._count(max(loads), self._dim()), rng)

    def check(self) -> None:
        """Raise ``ValueError`` if an option is wrong."""
        import numpy as np

        expect(self.steps > 0, "steps > 0", self.steps, "pass a value such as 30000")
        self.check_norm()
        self.optimiser_in_place()
        width = self._dim()
        weights = self.width * (width + (self.depth - 1) * self.width + 1)
        check_size("weights", weights)
        if self.data == "random":
            load = _RANDOM_LOAD if self.load is None else self.load
            count = load * weights if self.patterns is None else self.patterns
            check_size("components of all patterns", count * width, most=10 * LARGEST)
        self.problem(self.load, np.random.default_rng(0))

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

        chosen: Any = self.optimiser_in_place()
        return {
            "optimiser": asdict(Schedule() if chosen is None else chosen),
            "random_load": _RANDOM_LOAD,
        }

    def untrained(
        self, load: float | None, data: "np.random.Generator", init: "np.random.Generator"
    ) -> "tuple[HingeNetwork, Vector]":
        """Return the network with patterns drawn from ``data``, and a start from ``init``."""
        problem = self.problem(load, data)
        return problem, problem.mlp.init(init)

    def reopen(self, record: "Record", rng: "np.random.Generator") -> Any:
        """Return the network of the same patterns, on this machine."""
        return Learner.reopen(replace(self, device="cpu"), record, rng)

    def sizes(self, problem: "HingeNetwork") -> tuple[int, int]:
        """Return the numbers of weights and of patterns."""
        return problem.mlp.n_weights, len(problem.patterns)

    def with_margin(self, problem: "HingeNetwork", margin: float) -> "HingeNetwork":
        """Return the network that is asked for another margin."""
        return replace(problem, margin=margin)

    def balanced(self, problem: "HingeNetwork", x: "Vector") -> "Vector":
        """Return the same function with rectifiers rescaled to the smallest norm."""
        from networks.models.symmetry import balanced

        return balanced(problem.mlp, x) if problem.mlp.sigma.homogeneous else x

    def ladder(self, values: Sequence[float]) -> "list[Self]":
        """Return the networks of these loads, or of these widths where the patterns are given."""
        if self.patterns is None:
            return super().ladder(values)
        widths = {round(value) for value in values}
        return [replace(self, width=width) for width in sorted(widths, reverse=True)]

    def check_search(self, *, loading: bool) -> None:
        """Raise ``ValueError`` if it has a load, or it is not varied by Adam alone."""
        if loading and self.patterns is not None:
            raise ValueError(
                f"expected a load to raise by loading, got {self.patterns} patterns for all "
                "widths: drop patterns"
            )
        if self.optimiser != "adam":
            raise ValueError(
                f"expected adam, whose steps networks share, got {self.optimiser}: drop it"
            )
        super().check_search(loading=loading)

    def split(self, seeds: Seeds, workers: int) -> list[Seeds]:
        """Return the seeds in parts that fit a cache, of networks that are trained together."""
        from bridge.systems.network_batches import fitting_parts

        return fitting_parts(self, seeds, workers)

    @classmethod
    def title(cls, given: Mapping[str, Any]) -> str:
        """Return activation, depth, what is fixed of width and patterns, and the data."""
        width, count = given["width"], given["patterns"]
        size = f"width {width}" if count is None else f"P = {count}"
        return f"{given['activation']}, depth {given['depth']}, {size}, {given['data']} patterns"

    def __str__(self) -> str:
        return f"networks of depth {self.depth} and width {self.width}"

    def follow(self, problem: "SphericalNetwork", x: "Vector") -> Any:
        """Descend by Newton's method; over kinks by the polish of networks."""
        from networks import settle

        network: Any = problem.free
        kinks = network.mlp.sigma.kinks
        return settle(problem, x) if kinks else newton_on_sphere(problem, x)

    def _dim(self) -> int:
        return self.width if self.input_dim is None else self.input_dim

    def optimiser_in_place(self) -> "Optimiser | None":
        """Return what takes the place of Adam, if anything does."""
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

"""The systems that the command line knows: their options, and how each is brought to its state.

This is the bridge's top floor: the halves are imported inside the functions that need them,
because they take seconds to import. A field of a class below is an option of the command line,
a parameter of a stored record and a key of a configuration file, under the same name.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

from bridge.ranges import option

if TYPE_CHECKING:
    import numpy as np

    from bridge.protocols import ConstraintProblem, Vector
    from networks import HingeNetwork, Patterns, Trained
    from networks.optimisers import Optimiser
    from particles import Descent, Discs, Ellipses, Minimum, Packing, Perceptron

_RANDOM_LOAD = 3.4  # patterns per weight: a rectifier network cannot fit so many at random

_LARGEST = 10_000_000  # numbers in one array of a system that this program sets out to minimise

Load: TypeAlias = tuple[str, float]


@dataclass(frozen=True, eq=False)
class State:
    """A problem and the point where its native minimiser ended.

    ``max_residual``, where given, is how well forces balance with masks at the kinks, relative to
    them: no gradient vanishes there.
    """

    problem: "ConstraintProblem"
    x: "Vector"
    status: str
    reason: str
    load: Load
    n_kinks: int | None = None
    max_residual: float | None = None


class System(Protocol):
    """How the top floor drives one kind of problem."""

    kind: ClassVar[str]
    has_exact_point: ClassVar[bool]

    def check(self) -> None:
        """Raise ``ValueError`` in one line if an option is wrong; nothing has been run yet."""

    def jam(self, rng: "np.random.Generator") -> State:
        """Return the state that ``jamscape jam`` reports."""

    def at(self, load: float, rng: "np.random.Generator") -> State:
        """Return the minimum reached from a random start at a fixed load."""

    def minimise(self, problem: Any, x: "Vector") -> Any:
        """Descend from ``x`` by the system's own minimiser; the end has ``x`` and ``status``."""

    def exact_load(self, problem: Any) -> Load:
        """Return the load that the exact jamming point maximises, by its name."""

    def under_load(self, rng: "np.random.Generator") -> State:
        """Return a minimum whose problem is smooth and has a load; slow loading starts near it.

        Raises ``ValueError`` if the system has no such problem.
        """

    def follow(self, problem: Any, x: "Vector") -> Any:
        """Descend from ``x`` to the minimum next to it, much closer than `minimise` does."""


def _check_size(what: str, numbers: float) -> None:
    _expect(numbers <= _LARGEST, f"at most {_LARGEST:,} {what}", numbers, "ask for fewer")


def _expect(holds: bool, expected: str, got: object, remedy: str) -> None:
    if not holds:
        raise ValueError(f"expected {expected}, got {got}: {remedy}")


@dataclass(frozen=True)
class DiscSystem:
    """A periodic packing of discs or spheres, 50:50 of two sizes."""

    kind: ClassVar[str] = "discs"
    has_exact_point: ClassVar[bool] = True

    n: int = option(256, "Number of discs.", 1, 10_000_000)
    ratio: float = option(1.4, "Diameter of a large disc over that of a small one.", 0.01, 100)
    pressure: float = option(1e-6, "Pressure to decompress to.", 1e-15, 1e3)
    dim: int = option(2, "Dimension; 3 for spheres.")

    def check(self) -> None:
        """Raise ``ValueError`` if an option is wrong."""
        _expect(self.pressure > 0, "pressure > 0", self.pressure, "pass a value such as 1e-6")
        _check_size("bodies", self.n)
        self._packing(_start(self.dim))

    def jam(self, rng: "np.random.Generator") -> State:
        """Minimise a random start above jamming and decompress it to the pressure."""
        return _decompressed(self._packing(_start(self.dim)), self.pressure, rng)

    def at(self, load: float, rng: "np.random.Generator") -> State:
        """Minimise a random start at the packing fraction ``load``."""
        return _quenched(self._packing(load), rng)

    def minimise(self, problem: "Packing", x: "Vector") -> "Minimum":
        """Descend by compiled FIRE."""
        from particles import minimise

        return minimise(problem, x)

    def exact_load(self, problem: "Packing") -> Load:
        """Return the packing fraction."""
        return "phi", problem.phi

    def under_load(self, rng: "np.random.Generator") -> State:
        """Return the packing at the pressure."""
        return self.jam(rng)

    def follow(self, problem: "Packing", x: "Vector") -> "Minimum":
        """Descend by compiled FIRE until forces balance to 1e-9 of the pressure."""
        from particles import minimise

        return minimise(problem, x, relative=1e-9)

    def _packing(self, phi: float) -> "Discs":
        from particles import Discs

        return Discs.bidisperse(self.n, phi, ratio=self.ratio, dim=self.dim)


@dataclass(frozen=True)
class EllipseSystem:
    """A periodic packing of ellipses, 50:50 of two sizes."""

    kind: ClassVar[str] = "ellipses"
    has_exact_point: ClassVar[bool] = True

    n: int = option(256, "Number of ellipses.", 1, 10_000_000)
    ratio: float = option(1.4, "Axes of a large ellipse over those of a small one.", 0.01, 100)
    aspect: float = option(1.5, "Long axis over short axis, at least 1.", 1, 100)
    pressure: float = option(1e-6, "Pressure to decompress to.", 1e-15, 1e3)

    def check(self) -> None:
        """Raise ``ValueError`` if an option is wrong."""
        _expect(self.pressure > 0, "pressure > 0", self.pressure, "pass a value such as 1e-6")
        _check_size("bodies", self.n)
        self._packing(0.94)

    def jam(self, rng: "np.random.Generator") -> State:
        """Minimise a random start above jamming and decompress it to the pressure."""
        return _decompressed(self._packing(0.94), self.pressure, rng)

    def at(self, load: float, rng: "np.random.Generator") -> State:
        """Minimise a random start at the packing fraction ``load``."""
        return _quenched(self._packing(load), rng)

    def minimise(self, problem: "Packing", x: "Vector") -> "Minimum":
        """Descend by compiled FIRE."""
        from particles import minimise

        return minimise(problem, x)

    def exact_load(self, problem: "Packing") -> Load:
        """Return the packing fraction."""
        return "phi", problem.phi

    def under_load(self, rng: "np.random.Generator") -> State:
        """Return the packing at the pressure."""
        return self.jam(rng)

    def follow(self, problem: "Packing", x: "Vector") -> "Minimum":
        """Descend by compiled FIRE until forces balance to 1e-9 of the pressure."""
        from particles import minimise

        return minimise(problem, x, relative=1e-9)

    def _packing(self, phi: float) -> "Ellipses":
        from particles import Ellipses

        return Ellipses.bidisperse(self.n, phi, aspect=self.aspect, ratio=self.ratio)


@dataclass(frozen=True)
class PerceptronSystem:
    """The spherical perceptron with Gaussian patterns."""

    kind: ClassVar[str] = "perceptron"
    has_exact_point: ClassVar[bool] = True

    n: int = option(200, "Number of components of the weight vector.", 1, 100_000)
    alpha: float = option(4.0, "Patterns per component.", 1e-6, 1e6)
    sigma: float = option(-0.5, "Margin asked for, of either sign.", -1e6, 1e6)

    def check(self) -> None:
        """Raise ``ValueError`` if an option is wrong."""
        import numpy as np

        _check_size("components of all patterns", self.alpha * self.n**2)
        self._problem(self.alpha, np.random.default_rng(0))

    def jam(self, rng: "np.random.Generator") -> State:
        """Minimise from a random point of the sphere at the given ``α`` and ``σ``."""
        return self.at(self.alpha, rng)

    def at(self, load: float, rng: "np.random.Generator") -> State:
        """Minimise from a random point of the sphere at ``α = load``."""
        from particles import descend

        problem = self._problem(load, rng)
        found = descend(problem, problem.random_state(rng))
        reason = _why(found.status, found.steps, found.max_force)
        return State(problem, found.x, found.status, reason, ("alpha", problem.alpha))

    def minimise(self, problem: "Perceptron", x: "Vector") -> "Descent":
        """Descend by L-BFGS and Newton."""
        from particles import descend

        return descend(problem, x)

    def exact_load(self, problem: "Perceptron") -> Load:
        """Return the margin."""
        return "sigma", problem.sigma

    def under_load(self, rng: "np.random.Generator") -> State:
        """Return the minimum at the given ``α`` and ``σ``."""
        return self.jam(rng)

    def follow(self, problem: "Perceptron", x: "Vector") -> Any:
        """Descend by Newton's method."""
        return _on_sphere(problem, x)

    def _problem(self, alpha: float, rng: "np.random.Generator") -> "Perceptron":
        from particles import Perceptron

        return Perceptron.random(self.n, alpha, self.sigma, rng)


@dataclass(frozen=True)
class NetworkSystem:
    """A fully connected network with quadratic hinge loss."""

    kind: ClassVar[str] = "network"
    has_exact_point: ClassVar[bool] = False  # a margin can always grow: it is the norm that counts

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
        0,
        "Linear solves after them, towards a certified minimum; 300 is usual, 2000 if smooth.",
        0,
        1_000_000,
    )
    norm: str = option("free", "free, or held: keep the norm of the weights in the polish.")
    device: str = option("cpu", "Where to compute: cpu, cuda, ...")

    def check(self) -> None:
        """Raise ``ValueError`` if an option is wrong."""
        import numpy as np

        _expect(self.steps > 0, "steps > 0", self.steps, "pass a value such as 30000")
        _expect(self.norm in ("free", "held"), "norm free or held", self.norm, "pass one of them")
        self._optimiser()
        both = self.load is not None and self.patterns is not None
        _expect(not both, "a load or a number of patterns", "both", "drop one of them")
        _check_size("weights", self.depth * self.width**2 + self.width * (self.input_dim or 0))
        _check_size("patterns", self.patterns or (self.load or 0) * self.depth * self.width**2)
        self.problem(self.load, np.random.default_rng(0))

    def jam(self, rng: "np.random.Generator") -> State:
        """Train on the given data from a random initialisation."""
        return self._train(self.load, rng)

    def at(self, load: float, rng: "np.random.Generator") -> State:
        """Train on ``P = load · N`` patterns from a random initialisation."""
        return self._train(load, rng)

    def minimise(self, problem: "HingeNetwork", x: "Vector") -> "Trained":
        """Train on from ``x``."""
        from networks import train

        return train(
            problem,
            x,
            steps=self.steps,
            newton_steps=self.polish,
            hold_norm=self.norm == "held",
            optimiser=self._optimiser(),
        )

    def exact_load(self, problem: "HingeNetwork") -> Load:
        """Return the margin."""
        return "margin", problem.margin

    def under_load(self, rng: "np.random.Generator") -> State:
        """Return the untrained network at a fixed norm, where its margin has a limit.

        Raises ``ValueError`` for a rectifier: its minima lie on kinks, which no minimiser here
        follows closely enough.
        """
        from bridge.sphere import OnSphere
        from networks import HingeNetwork

        smooth = self.activation != "relu"
        _expect(smooth, "a smooth activation", self.activation, "pass --activation tanh")
        problem: HingeNetwork = self.problem(self.load, rng)
        x = problem.mlp.init(rng)
        held = OnSphere(problem, float((x @ x) ** 0.5))
        return State(held, x, "stalled", "it has not been trained", ("margin", problem.margin))

    def follow(self, problem: Any, x: "Vector") -> Any:
        """Descend by Newton's method."""
        return _on_sphere(problem, x)

    def _train(self, load: float | None, rng: "np.random.Generator") -> State:
        from networks import SphericalNetwork

        problem = self.problem(load, rng)
        found = self.minimise(problem, problem.mlp.init(rng))
        held = None if found.radius is None else SphericalNetwork(problem, found.radius)
        return State(
            held or problem,
            found.x,
            found.status,
            found.reason,
            ("P/N", problem.load),
            n_kinks=found.n_kinks,
            max_residual=found.max_residual,
        )

    def _optimiser(self) -> "Optimiser | None":
        from networks import OPTIMISERS

        names = ", ".join(["adam", *OPTIMISERS])
        known = self.optimiser in ("adam", *OPTIMISERS)
        _expect(known, f"an optimiser among {names}", repr(self.optimiser), "pass one of them")
        return OPTIMISERS.get(self.optimiser)

    def problem(self, load: float | None, rng: "np.random.Generator") -> "HingeNetwork":
        """Return the network with its patterns, drawn from ``rng``; untrained."""
        from networks import HingeNetwork, Mlp

        mlp = Mlp(self.input_dim or self.width, self.width, self.depth, self.activation)
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
            return random_patterns(count or round(_RANDOM_LOAD * n_weights), dim, rng)
        if self.data == "digits":
            return digits(dim, count, rng)
        if Path(self.data).is_dir():
            return mnist(self.data, dim, count, rng)
        return read_patterns(self.data, count, rng)


SystemClass: TypeAlias = type[DiscSystem | EllipseSystem | PerceptronSystem | NetworkSystem]
SYSTEMS: tuple[SystemClass, ...] = (
    DiscSystem,
    EllipseSystem,
    PerceptronSystem,
    NetworkSystem,
)


def _decompressed(packing: "Packing", pressure: float, rng: "np.random.Generator") -> State:
    from particles import decompress

    found = decompress(packing, packing.random_state(rng), pressure=pressure)
    reason = "" if found.status == "jammed" else f"the pressure stayed at {found.pressure:.3g}"
    return State(found.problem, found.x, found.status, reason, ("phi", found.phi))


def _quenched(packing: "Packing", rng: "np.random.Generator") -> State:
    from particles import minimise

    found = minimise(packing, packing.random_state(rng))
    reason = _why(found.status, found.steps, found.max_force)
    return State(packing, found.x, found.status, reason, ("phi", packing.phi))


def _on_sphere(problem: Any, x: "Vector") -> Any:
    """Descend by Newton's method, and bring the state back to the length it should have."""
    from bridge.newton import Newton

    found = Newton()(problem, x)
    return replace(found, x=problem.on_sphere(found.x))


def _why(status: str, steps: int, force: float) -> str:
    """Return why a descent stalled, or nothing."""
    return f"largest force {force:.1e} after {steps} steps" if status == "stalled" else ""


def _start(dim: int) -> float:
    """Return a packing fraction comfortably above the jamming of discs or spheres."""
    _expect(dim in (2, 3), "2 or 3 dimensions", dim, "pass --dim 2 or --dim 3")
    return {2: 0.86, 3: 0.68}[dim]

"""What the top floor asks of a system, and the state that it brings one to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np

    from bridge.protocols import ConstraintProblem, Vector
    from bridge.records.store import Record

LARGEST = 10_000_000  # numbers in one array of a system that this program sets out to minimise

Load: TypeAlias = tuple[str, float]


@dataclass(frozen=True, eq=False, repr=False)
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

    def __repr__(self) -> str:
        from bridge.protocols import one_line

        name, value = self.load
        return one_line(self, **{name: value})


@dataclass(frozen=True)
class Sweep:
    """One system and the loads at which it is brought to a minimum from random starts.

    ``at_transition`` adds states right at the transition, where the gaps have power laws; a
    network reaches them by its load alone.
    """

    name: str
    system: Any
    loads: tuple[float, ...]
    at_transition: bool


def even_loads(low: float, high: float, count: int) -> tuple[float, ...]:
    """Return evenly spaced loads, rounded so that a key does not depend on the last bit."""
    return tuple(round(low + (high - low) * i / (count - 1), 6) for i in range(count))


class System(Protocol):
    """How the top floor drives one kind of problem.

    A class that inherits from it has what is said here for those that say nothing else.
    """

    kind: ClassVar[str]
    rank: ClassVar[int]  # its place among the systems, in lists and in figures
    small: ClassVar[Mapping[str, Any]]  # options of one that is checked in a moment
    sets_load: ClassVar[tuple[str, ...]]  # options in whose place `at` has its load
    load_words: ClassVar[Mapping[str, str]]  # what each of its loads is called on an axis
    slow_range: ClassVar[float]  # change of the load over which it has tens of avalanches
    cost: ClassVar[float]  # about the seconds of a state of a small comparison, on one core
    in_comparison: ClassVar[bool] = True  # whether it is in one that names no systems

    @classmethod
    def sweeps(cls, size: str) -> list[Sweep]:
        """Return its columns of the comparison at a size: small, medium or large; or none."""
        return []

    @classmethod
    def motions(cls) -> list[Sweep]:
        """Return small ones to watch on their way through the transition; or none."""
        return []

    def along(self, loads: Sequence[float], rng: "np.random.Generator") -> Iterator[State]:
        """Yield the minimum at each of ``loads``, the first from a random start.

        Every other starts from the one before, so that what is seen moves with the load.
        """
        raise NotImplementedError

    def pixels(self, loads: Sequence[float], rng: "np.random.Generator") -> "Vector | None":
        """Return the image of each pattern of `along`, ``(P, h, w)``, 0 paper and 1 ink; or none.

        ``rng`` begins where that of `along` does.
        """
        del loads, rng
        return None

    def seconds(self) -> float:
        """Return about how long a state takes on one core, for what is said of the time left."""
        return self.cost

    def check(self) -> None:
        """Raise ``ValueError`` in one line if an option is wrong; nothing has been run yet."""

    def check_load(self, load: float) -> None:
        """Raise ``ValueError`` in one line if `at` has no state at this load."""

    def n_variables(self) -> int:
        """Return the number of variables of its states."""

    def jam(self, rng: "np.random.Generator") -> State:
        """Return the state that ``jamscape jam`` reports."""

    def at(self, load: float, rng: "np.random.Generator") -> State:
        """Return the minimum reached from a random start at a fixed load."""

    def check_linear(self) -> None:
        """Raise ``ValueError`` in one line if its states cannot be minima of ``Σ max(Δ, 0)``."""
        return

    def check_slow_loading(self) -> None:
        """Raise ``ValueError`` in one line if it cannot be followed while it is loaded."""
        return

    def settings(self) -> dict[str, Any]:
        """Return what else the result depends on: numbers of the program that are no options."""
        return {}

    def reopen(self, record: "Record", rng: "np.random.Generator") -> Any:
        """Return the problem of a record whose state was kept, at the load that it ended at.

        ``rng`` begins where that of the run did, for what the system draws first.
        """

    def minimise(self, problem: Any, x: "Vector", rng: "np.random.Generator | None" = None) -> Any:
        """Descend from ``x`` by the system's own minimiser; the end has ``x`` and ``status``.

        Random numbers, if it needs any, are those of ``rng``.
        """

    def limited(self, state: State) -> State:
        """Return a state in a problem whose load has a limit: the exact jamming point is there."""
        return state

    def exact_load(self, problem: Any) -> Load:
        """Return the load that the exact jamming point maximises, by its name."""

    def under_load(self, rng: "np.random.Generator") -> State:
        """Return a minimum whose problem is smooth and has a load; slow loading starts near it.

        Raises ``ValueError`` if the system has no such problem.
        """
        return self.jam(rng)

    def follow(self, problem: Any, x: "Vector") -> Any:
        """Descend from ``x`` to the minimum next to it, much closer than `minimise` does."""


def check_size(what: str, numbers: float, most: int = LARGEST) -> None:
    """Refuse what is too large to be minimised."""
    expect(numbers <= most, f"at most {most:,} {what}", numbers, "ask for fewer")


def expect(holds: bool, expected: str, got: object, remedy: str) -> None:
    """Raise ``ValueError`` in one line unless an option is as expected."""
    if not holds:
        raise ValueError(f"expected {expected}, got {got}: {remedy}")


def newton_on_sphere(problem: Any, x: "Vector") -> Any:
    """Descend by Newton's method, and bring the state back to the length it should have."""
    from bridge.descent.newton import Newton

    found = Newton()(problem, x)
    return replace(found, x=problem.on_sphere(found.x))

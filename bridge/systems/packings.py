"""Packings of discs, spheres, ellipses and ellipsoids on the command line."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.landscape.case import Case
from bridge.systems.constraint_case import constraint_case
from bridge.systems.ranges import option
from bridge.systems.system import Load, State, Sweep, System, check_size, even_loads, expect

if TYPE_CHECKING:
    import numpy as np

    from bridge.protocols import Vector
    from bridge.records.store import Record
    from particles import Discs, Ellipses, Ellipsoids, Minimum, Packing


_BODIES = {"small": 256, "medium": 512, "large": 1024}  # of the comparison


class PackingSystem(System):
    """What packings of all shapes have in common: a number of bodies and a pressure."""

    sets_load: ClassVar[tuple[str, ...]] = ("pressure",)
    load_words: ClassVar[Mapping[str, str]] = {"phi": "packing fraction φ"}
    slow_range: ClassVar[float] = 0.02
    cost: ClassVar[float] = 0.05

    n: int
    pressure: float

    @property
    @abstractmethod
    def _start(self) -> float:
        """A packing fraction comfortably above jamming."""

    @abstractmethod
    def _packing(self, phi: float) -> "Packing":
        """Return the packing at a packing fraction."""

    def check(self) -> None:
        """Raise ``ValueError`` if an option is wrong."""
        check_size("bodies", self.n)
        self._packing(self._start)

    def check_load(self, load: float) -> None:
        """Raise ``ValueError`` if there is no such packing fraction."""
        self._packing(load)

    def n_variables(self) -> int:
        """Return the number of coordinates and angles."""
        return self._packing(self._start).n_dof

    def jam(self, rng: "np.random.Generator") -> State:
        """Minimise a random start above jamming and decompress it to the pressure."""
        from particles import decompress

        packing = self._packing(self._start)
        start = packing.random_state(rng)
        found = decompress(packing, start, pressure=self.pressure, rng=rng)
        return State(found.problem, found.x, found.status, found.reason, ("phi", found.phi))

    def at(self, load: float, rng: "np.random.Generator") -> State:
        """Minimise a random start at the packing fraction ``load``."""
        from particles import minimise

        packing = self._packing(load)
        found = minimise(packing, packing.random_state(rng), rng=rng)
        return State(found.problem, found.x, found.status, found.reason, ("phi", packing.phi))

    def along(self, loads: Sequence[float], rng: "np.random.Generator") -> Iterator[State]:
        """Yield the packing at each packing fraction, compressed from the one before."""
        from particles import compress

        packing = self._packing(loads[0])
        x = packing.random_state(rng)
        for load in loads:
            end = compress(packing, x, [load])
            packing, x = end.problem, end.x
            yield State(packing, x, end.status, end.reason, ("phi", packing.phi))

    def settings(self) -> dict[str, Any]:
        """Return the packing fraction of a random start."""
        return {"start": self._start}

    def reopen(self, record: "Record", rng: "np.random.Generator") -> "Packing":
        """Return the packing with the sizes and the box that were kept."""
        kept = record.arrays
        exact = "shapes" in kept and kept["shapes"].dtype == "float64"
        expect(exact, "exact shapes of all bodies", "a record without", "jam anew")
        sizes: dict[str, Any] = {"diameters": kept["shapes"][:, 1], "box": kept["box"]}
        return replace(self._packing(self._start), **sizes)  # type: ignore[type-var]

    def minimise(
        self, problem: "Packing", x: "Vector", rng: "np.random.Generator | None" = None
    ) -> "Minimum":
        """Descend by compiled FIRE."""
        from particles import minimise

        return minimise(problem, x)

    def exact_load(self, problem: "Packing") -> Load:
        """Return the packing fraction."""
        return "phi", problem.phi

    def follow(self, problem: "Packing", x: "Vector") -> "Minimum":
        """Descend by compiled FIRE until forces balance to 1e-9 of the pressure."""
        from particles import minimise

        return minimise(problem, x, relative=1e-9)


@dataclass(frozen=True)
class DiscSystem(PackingSystem):
    """A periodic packing of discs or spheres, 50:50 of two sizes."""

    kind: ClassVar[str] = "discs"
    rank: ClassVar[int] = 0
    small: ClassVar[Mapping[str, Any]] = {"n": 8}

    n: int = option(256, "Number of discs.", 1, 10_000_000)
    ratio: float = option(1.4, "Diameter of a large disc over that of a small one.", 1, 100)
    pressure: float = option(1e-6, "Pressure to decompress to.", 1e-12, below=1)
    dim: int = option(2, "Dimension; 3 for spheres.")

    @classmethod
    def sweeps(cls, size: str) -> list[Sweep]:
        """Return discs through jamming."""
        return [Sweep("discs", cls(n=_BODIES[size]), even_loads(0.80, 0.90, 11), True)]

    @classmethod
    def motions(cls) -> list[Sweep]:
        """Return discs few enough to be told apart."""
        return [Sweep("discs", cls(n=40), even_loads(0.75, 0.90, 31), False)]

    @property
    def _start(self) -> float:
        return 0.68 if self.dim == 3 else 0.86

    def _packing(self, phi: float) -> "Discs":
        from particles import Discs

        expect(self.dim in (2, 3), "2 or 3 dimensions", self.dim, "pass --dim 2 or --dim 3")
        return Discs.bidisperse(self.n, phi, ratio=self.ratio, dim=self.dim)


@dataclass(frozen=True)
class SphereSystem(PackingSystem):
    """A periodic packing of spheres, 50:50 of two sizes."""

    kind: ClassVar[str] = "spheres"
    rank: ClassVar[int] = 1
    small: ClassVar[Mapping[str, Any]] = {"n": 8}
    in_comparison: ClassVar[bool] = False

    n: int = option(256, "Number of spheres.", 1, 10_000_000)
    ratio: float = option(1.4, "Diameter of a large sphere over that of a small one.", 1, 100)
    pressure: float = option(1e-6, "Pressure to decompress to.", 1e-12, below=1)

    @classmethod
    def sweeps(cls, size: str) -> list[Sweep]:
        """Return spheres through jamming."""
        return [Sweep("spheres", cls(n=_BODIES[size]), even_loads(0.60, 0.70, 11), True)]

    @property
    def _start(self) -> float:
        return self._as_discs._start

    @property
    def _as_discs(self) -> DiscSystem:
        return DiscSystem(self.n, self.ratio, self.pressure, dim=3)

    def _packing(self, phi: float) -> "Discs":
        return self._as_discs._packing(phi)


@dataclass(frozen=True)
class EllipseSystem(PackingSystem):
    """A periodic packing of ellipses, 50:50 of two sizes."""

    kind: ClassVar[str] = "ellipses"
    rank: ClassVar[int] = 2
    small: ClassVar[Mapping[str, Any]] = {"n": 6}
    cost: ClassVar[float] = 0.4

    n: int = option(256, "Number of ellipses.", 1, 10_000_000)
    ratio: float = option(1.4, "Axes of a large ellipse over those of a small one.", 1, 100)
    aspect: float = option(1.5, "Long axis over short axis, at least 1.", 1, 100)
    pressure: float = option(1e-6, "Pressure to decompress to.", 1e-12, below=1)

    @classmethod
    def sweeps(cls, size: str) -> list[Sweep]:
        """Return ellipses through jamming."""
        return [Sweep("ellipses", cls(n=_BODIES[size]), even_loads(0.84, 0.94, 11), True)]

    @classmethod
    def motions(cls) -> list[Sweep]:
        """Return ellipses few enough to be told apart."""
        return [Sweep("ellipses", cls(n=40), even_loads(0.79, 0.94, 31), False)]

    _start = 0.94

    def _packing(self, phi: float) -> "Ellipses":
        from particles import Ellipses

        return Ellipses.bidisperse(self.n, phi, aspect=self.aspect, ratio=self.ratio)


@dataclass(frozen=True)
class EllipsoidSystem(PackingSystem):
    """A periodic packing of ellipsoids, 50:50 of two sizes."""

    kind: ClassVar[str] = "ellipsoids"
    rank: ClassVar[int] = 3
    # At 1e-6 the weakest of its contacts opens within a step of differences.
    small: ClassVar[Mapping[str, Any]] = {"n": 6, "pressure": 1e-4}
    cost: ClassVar[float] = 8.0
    in_comparison: ClassVar[bool] = False

    n: int = option(256, "Number of ellipsoids.", 1, 10_000_000)
    ratio: float = option(1.4, "Axes of a large ellipsoid over those of a small one.", 1, 100)
    aspect: float = option(1.5, "Axis of a spheroid over the other two; oblate below 1.", 0.01, 100)
    axes: tuple[float, float, float] | None = option(
        None, "Three axes, such as 1.25 1 0.8, in place of the aspect."
    )
    pressure: float = option(1e-6, "Pressure to decompress to.", 1e-12, below=1)

    def __post_init__(self) -> None:
        if self.axes is not None:  # a list, where it comes from a file
            object.__setattr__(self, "axes", tuple(self.axes))

    @classmethod
    def sweeps(cls, size: str) -> list[Sweep]:
        """Return spheroids through jamming."""
        loads = even_loads(0.66, 0.76, 11)
        return [Sweep("ellipsoids", cls(n=_BODIES[size] // 2), loads, True)]

    _start = 0.78

    def _packing(self, phi: float) -> "Ellipsoids":
        from particles import Ellipsoids

        axes = self.aspect if self.axes is None else self.axes
        return Ellipsoids.bidisperse(self.n, phi, axes=axes, ratio=self.ratio)


@dataclass(frozen=True)
class PackingLandscape:
    """A small packing of discs or ellipses above jamming."""

    kind: ClassVar[str] = "packing"
    small: ClassVar[Mapping[str, Any]] = {"n": 6}

    n: int = option(10, "Number of bodies.", 1, 1000)
    ratio: float = option(1.4, "Size of a large body over that of a small one.", 1, 100)
    aspect: float = option(1.0, "Long axis over short axis; 1 for discs.", 1, 100)
    phi: float = option(0.95, "Packing fraction, above jamming.", 1e-3, 2)

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the packing; each minimum has its number of contacts."""
        from particles import Discs, Ellipses

        if self.aspect == 1.0:
            return constraint_case(Discs.bidisperse(self.n, self.phi, ratio=self.ratio), 0.1)
        packing = Ellipses.bidisperse(self.n, self.phi, aspect=self.aspect, ratio=self.ratio)
        return constraint_case(packing, 0.1)

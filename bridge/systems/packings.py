"""Packings of discs, spheres and ellipses on the command line."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.systems.ranges import option
from bridge.systems.system import Load, State, check_size, expect

if TYPE_CHECKING:
    import numpy as np

    from bridge.protocols import Vector
    from bridge.records.store import Record
    from particles import Discs, Ellipses, Minimum, Packing


class PackingSystem(ABC):
    """What packings of all shapes have in common: a number of bodies and a pressure."""

    has_exact_point: ClassVar[bool] = True
    sets_load: ClassVar[tuple[str, ...]] = ("pressure",)

    n: int
    pressure: float

    @property
    @abstractmethod
    def _start(self) -> float:
        """A packing fraction comfortably above jamming."""

    @abstractmethod
    def _packing(self, phi: float | None = None) -> "Packing":
        """Return the packing at ``phi``, or where a random start is minimised."""

    def check(self) -> None:
        """Raise ``ValueError`` if an option is wrong."""
        check_size("bodies", self.n)
        self._packing()

    def check_load(self, load: float) -> None:
        """Raise ``ValueError`` if there is no such packing fraction."""
        self._packing(load)

    def n_variables(self) -> int:
        """Return the number of coordinates and angles."""
        return self._packing().n_dof

    def jam(self, rng: "np.random.Generator") -> State:
        """Minimise a random start above jamming and decompress it to the pressure."""
        from particles import decompress

        packing = self._packing()
        start = packing.random_state(rng)
        found = decompress(packing, start, pressure=self.pressure, rng=rng)
        return State(found.problem, found.x, found.status, found.reason, ("phi", found.phi))

    def at(self, load: float, rng: "np.random.Generator") -> State:
        """Minimise a random start at the packing fraction ``load``."""
        from particles import minimise

        packing = self._packing(load)
        found = minimise(packing, packing.random_state(rng), rng=rng)
        return State(found.problem, found.x, found.status, found.reason, ("phi", packing.phi))

    def settings(self) -> dict[str, Any]:
        """Return the packing fraction of a random start."""
        return {"start": self._start}

    def reopen(self, record: "Record", rng: "np.random.Generator") -> "Packing":
        """Return the packing with the sizes and the box that were kept."""
        del rng
        kept = record.arrays
        if "shapes" not in kept or kept["shapes"].dtype != "float64":
            raise ValueError("expected exact shapes of all bodies, got a record without: jam anew")
        sizes: dict[str, Any] = {"diameters": kept["shapes"][:, 1], "box": kept["box"]}
        return replace(self._packing(), **sizes)  # type: ignore[type-var]

    def minimise(
        self, problem: "Packing", x: "Vector", rng: "np.random.Generator | None" = None
    ) -> "Minimum":
        """Descend by compiled FIRE."""
        from particles import minimise

        del rng
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


@dataclass(frozen=True)
class DiscSystem(PackingSystem):
    """A periodic packing of discs or spheres, 50:50 of two sizes."""

    kind: ClassVar[str] = "discs"

    n: int = option(256, "Number of discs.", 1, 10_000_000)
    ratio: float = option(1.4, "Diameter of a large disc over that of a small one.", 1, 100)
    pressure: float = option(1e-6, "Pressure to decompress to.", 1e-12, below=1)
    dim: int = option(2, "Dimension; 3 for spheres.")

    @property
    def _start(self) -> float:
        return 0.68 if self.dim == 3 else 0.86

    def _packing(self, phi: float | None = None) -> "Discs":
        from particles import Discs

        expect(self.dim in (2, 3), "2 or 3 dimensions", self.dim, "pass --dim 2 or --dim 3")
        phi = self._start if phi is None else phi
        return Discs.bidisperse(self.n, phi, ratio=self.ratio, dim=self.dim)


@dataclass(frozen=True)
class EllipseSystem(PackingSystem):
    """A periodic packing of ellipses, 50:50 of two sizes."""

    kind: ClassVar[str] = "ellipses"

    n: int = option(256, "Number of ellipses.", 1, 10_000_000)
    ratio: float = option(1.4, "Axes of a large ellipse over those of a small one.", 1, 100)
    aspect: float = option(1.5, "Long axis over short axis, at least 1.", 1, 100)
    pressure: float = option(1e-6, "Pressure to decompress to.", 1e-12, below=1)

    @property
    def _start(self) -> float:
        return 0.94

    def _packing(self, phi: float | None = None) -> "Ellipses":
        from particles import Ellipses

        phi = self._start if phi is None else phi
        return Ellipses.bidisperse(self.n, phi, aspect=self.aspect, ratio=self.ratio)

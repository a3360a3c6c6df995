"""Packings of discs and spheres whose radii give way, on the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.systems.packings import DiscSystem, PackingSystem
from bridge.systems.ranges import option
from bridge.systems.system import State, expect

if TYPE_CHECKING:
    import numpy as np

    from bridge.protocols import Vector
    from bridge.records.store import Record
    from particles import Breathing, Packing

_SOFTEST = 1e-2  # pressure of the rigid bodies at which their radii are set free, at most


@dataclass(frozen=True)
class BreathingSystem(PackingSystem):
    """A periodic packing of discs or spheres whose radii give way, 50:50 of two sizes."""

    kind: ClassVar[str] = "breathing"
    rank: ClassVar[int] = 4
    small: ClassVar[Mapping[str, Any]] = {"n": 8, "pressure": 1e-3}
    cost: ClassVar[float] = 0.1
    in_comparison: ClassVar[bool] = False

    n: int = option(256, "Number of bodies.", 1, 10_000_000)
    ratio: float = option(1.4, "Diameter of a large body over that of a small one.", 1, 100)
    stiffness: float = option(1.0, "K of radii: U has the sum of (K/2) (R/R0 - 1)^2.", 1e-6, 1e12)
    pressure: float = option(1e-6, "Overlap of contacts to decompress to.", 1e-12, below=1)
    dim: int = option(2, "Dimension; 3 for spheres.")

    @property
    def _rigid(self) -> DiscSystem:
        return DiscSystem(self.n, self.ratio, self.pressure, self.dim)

    @property
    def _start(self) -> float:
        return self._rigid._start

    def _packing(self, phi: float) -> "Breathing":
        from particles import Breathing

        return Breathing.of(self._rigid._packing(phi), self.stiffness)

    def jam(self, rng: "np.random.Generator") -> State:
        """Bring rigid bodies close to jamming, set their radii free, and go to the pressure.

        Rigid bodies that overlap by ``p (1 + 1/K)`` have a pressure of about ``p`` once they
        breathe.
        """
        from particles import decompress

        near = min(self.pressure * (1.0 + 1.0 / self.stiffness), _SOFTEST)
        rigid = replace(self._rigid, pressure=near).jam(rng)
        if rigid.status != "jammed":
            return rigid
        problem, x = self._freed(rigid)
        found = decompress(problem, x, pressure=self.pressure, rng=rng)
        return State(found.problem, found.x, found.status, found.reason, ("phi", found.phi))

    def at(self, load: float, rng: "np.random.Generator") -> State:
        """Minimise rigid bodies from a random start at the packing fraction, and then radii too."""
        from particles import minimise

        problem, x = self._freed(self._rigid.at(load, rng))
        found = minimise(problem, x, rng=rng)
        return State(problem, found.x, found.status, found.reason, ("phi", problem.phi))

    def _freed(self, rigid: State) -> "tuple[Breathing, Vector]":
        from particles import Breathing

        discs: Any = rigid.problem
        problem = Breathing.of(discs, self.stiffness)
        return problem, problem.state(rigid.x)

    def reopen(self, record: "Record", rng: "np.random.Generator") -> "Packing":
        """Return the packing that was kept; at an exact jamming point bodies are rigid."""
        problem: Any = super().reopen(record, rng)
        found: Packing = problem
        if len(record.arrays["x"]) < problem.n_dof:
            found = problem.at_rest
        return found

    def limited(self, state: State) -> State:
        """Return rigid bodies: where there is no pressure, no radius gives way."""
        problem: Any = state.problem
        return replace(state, problem=problem.at_rest, x=problem.centres(state.x).ravel())

    def check_linear(self) -> None:
        """Refuse: the springs of radii are harmonic."""
        expect(False, "the harmonic energy", "the linear one", "springs of radii are harmonic")

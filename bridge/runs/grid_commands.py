"""What a table of a configuration may say besides the options of its system."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bridge.runs.landscape_record import LandscapeRun
from bridge.runs.task import Run, Task
from bridge.systems import SYSTEMS, SystemClass
from bridge.systems.landscapes import LANDSCAPES, LandscapeClass
from bridge.systems.system import check_use


@dataclass(frozen=True)
class JamRuns:
    """What a table of ``jam`` says besides the options of its system."""

    systems: ClassVar[Mapping[str, SystemClass]] = {kind.kind: kind for kind in SYSTEMS}

    exact: bool = False
    spectrum: bool = False
    at_load: float | None = None
    at_transition: bool = False

    def tasks(self, system: Any, seed: int) -> Iterator[Task]:
        """Yield the one run."""
        yield Run(
            system.kind,
            system,
            (seed,),
            self.at_load,
            self.at_transition,
            exact=self.exact,
            spectrum=self.spectrum,
        )

    def check(self, system: Any, given: Collection[str]) -> None:
        """Raise ``ValueError`` if it does not fit the system, or two fields that are given."""
        both = [name for name in system.sets_load if name in given]
        if self.at_load is not None and both:
            raise ValueError(f"expected at_load or {both[0]}, got both: drop one of them")
        check_use(
            system,
            exact=self.exact,
            spectrum=self.spectrum,
            at_load=self.at_load,
            at_transition=self.at_transition,
        )

    def n_tasks(self) -> int:
        """Return the number of runs for each seed."""
        return 1


@dataclass(frozen=True)
class LandscapeRuns:
    """What a table of ``landscape`` says besides the options of its system."""

    systems: ClassVar[Mapping[str, LandscapeClass]] = {kind.kind: kind for kind in LANDSCAPES}

    searches: int | None = None

    def tasks(self, system: Any, seed: int) -> Iterator[Task]:
        """Yield the one run."""
        yield LandscapeRun(system, (seed,), self.searches)

    def check(self, system: Any, given: Collection[str]) -> None:
        """Raise ``ValueError`` if it does not fit the system."""
        from bridge.runs.landscape import check

        del given
        if self.searches is not None and self.searches < 0:
            raise ValueError(f"expected searches >= 0, got {self.searches}")
        check(system)

    def n_tasks(self) -> int:
        """Return the number of searches for each seed, if that is known."""
        return 1 if self.searches is None else max(1, self.searches)


@dataclass(frozen=True)
class CompareRuns:
    """What a table of ``compare`` says."""

    systems: ClassVar[Mapping[str, Any]] = {}

    size: str = "small"
    samples: int = 2

    def tasks(self, system: None, seed: int) -> Iterator[Task]:
        """Yield every state of the comparison, under the keys that ``jamscape compare`` uses."""
        from bridge.runs import compare

        yield from compare.runs(compare.sweeps(self.size), self.samples, seed)

    def check(self, system: None, given: Collection[str]) -> None:
        """Raise ``ValueError`` if there is no such comparison."""
        from bridge.runs import compare

        del given
        if self.samples < 1:
            raise ValueError(f"expected samples >= 1, got {self.samples}")
        compare.sweeps(self.size)

    def n_tasks(self) -> int:
        """Return the number of states for each seed."""
        from bridge.runs import compare

        return self.samples * compare.n_states(compare.sweeps(self.size))


COMMANDS: dict[str, Any] = {"jam": JamRuns, "landscape": LandscapeRuns, "compare": CompareRuns}

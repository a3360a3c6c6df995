"""``jamscape claims`` as a plan: the samples that claims rest on, for a grid."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.runs.run import Command
from bridge.systems.ranges import option

if TYPE_CHECKING:
    from bridge.claims.trials import Trial


@dataclass(frozen=True)
class ClaimsPlan(Command):
    """Test what the two source papers claim, each claim by a small experiment.

    It is a plan: each sample is a `Trial`, under the key that ``jamscape claims`` uses.
    """

    command: ClassVar[str] = "claims"

    claim: str | None = option(None, "A claim or a theme; all if unset.")
    full: bool = option(False, "Run the large sizes.")

    @classmethod
    def takes(cls) -> dict[str, Any]:
        """Return none: each experiment has its own."""
        return {}

    def check(self, given: Collection[str] = ()) -> None:
        """Raise ``ValueError`` if there is no such claim."""
        del given
        list(self.tasks())

    def count(self) -> int:
        """Return the number of samples."""
        return len(list(self.tasks()))

    def tasks(self) -> "Iterator[Trial]":
        """Yield every sample once."""
        from bridge.claims.table import chosen
        from bridge.claims.trials import trials

        wanted = chosen([] if self.claim is None else [self.claim])
        yield from trials(wanted, self.seed[0], full=self.full)

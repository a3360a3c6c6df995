"""A landscape with the start, the step lengths and the observables of its searches."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np

    from bridge.landscape.basin_hopping import Hops
    from bridge.landscape.search import Steps
    from bridge.protocols import Landscape, Mask, Vector

Observe: TypeAlias = "Callable[[Vector], dict[str, float]]"


@dataclass(frozen=True, eq=False)
class Case:
    """A landscape, where its searches start, and how far they step.

    Attributes
    ----------
    every_index
        Whether stationary points of all indices are searched, for the Morse sum.
    observe
        Numbers of a minimum that its energy does not tell, such as the test accuracy.
    marks
        Which constraints a state violates, or which patterns it misclassifies, in one order for
        all states; None where there is no such list.
    symmetric
        Draws a random state with a symmetry, from which symmetric saddles are found.
    """

    problem: "Landscape"
    start: "Callable[[np.random.Generator], Vector]"
    steps: "Steps"
    hops: "Hops"
    every_index: bool = False
    observe: Observe = field(default=lambda x: {})
    marks: "Callable[[Vector], Mask] | None" = None
    symmetric: "Callable[[np.random.Generator], Vector] | None" = None


class Pictured(NamedTuple):
    """What a small picture of a minimum shows.

    Attributes
    ----------
    kind
        ``atoms``, whose numbers are places ``(n, 3)``, or ``outputs`` ``(P,)`` of a network.
    numbers
        Returns them from a state, as many for each.
    labels
        Of outputs, the label of each pattern, ``(P,)``.
    """

    kind: str
    numbers: "Callable[[Vector], Vector]"
    labels: "Vector | None" = None


class LandscapeSystem(Protocol):
    """How the top floor builds one landscape."""

    kind: ClassVar[str]

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the landscape; raise ``ValueError`` in one line if an option is wrong."""

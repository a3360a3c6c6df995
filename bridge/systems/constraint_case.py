"""The landscape of a constraint problem: how far its searches step, and what they count."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.landscape.case import Case

if TYPE_CHECKING:
    import numpy as np

    from bridge.protocols import ConstraintProblem, Mask, Vector


def constraint_case(
    problem: "ConstraintProblem",
    scale: float,
    start: "Callable[[np.random.Generator], Vector] | None" = None,
) -> Case:
    """Return the case of a constraint problem whose variables move by about ``scale``."""
    from bridge.landscape.basin_hopping import Hops
    from bridge.landscape.search import Steps

    steps = Steps(climb=scale, scatter=scale, kick=scale, push=0.05 * scale, descend=0.1 * scale)
    hops = Hops(temperature=0.01, size=2 * scale, descend=0.3 * scale)
    begin = problem.random_state if start is None else start  # type: ignore[attr-defined]
    return Case(problem, begin, steps, hops, observe=Constraints(problem))


@dataclass(frozen=True, eq=False)
class Constraints:
    """Numbers of violated constraints; a class, so that a case can be sent to another process."""

    problem: "ConstraintProblem"

    def __call__(self, x: "Vector") -> dict[str, float]:
        """Return ``N_Δ``."""
        return {"n_constraints": float(self.violated(x).sum())}

    def violated(self, x: "Vector") -> "Mask":
        """Return which constraints are violated, in the order of the gaps, ``(m,)``."""
        return self.problem.gaps(x) > 0

"""End energies of plain descent: their mean and spread over samples and sizes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bridge.descent.lbfgs import lbfgs
from bridge.protocols import Landscape, Vector


@dataclass(frozen=True, eq=False)
class Ends:
    """End energies of descents of systems of one size.

    Attributes
    ----------
    size
        Number of variables.
    energies : (k,)
        End energies, as they were scaled by the caller.
    threshold
        Where theory expects them for large systems, if it says so.
    """

    size: int
    energies: Vector
    threshold: float | None = None

    @property
    def mean(self) -> float:
        """Mean end energy."""
        return float(self.energies.mean())

    @property
    def spread(self) -> float:
        """Standard deviation of one end energy."""
        return float(self.energies.std(ddof=1))


def end_energy(
    problem: Landscape, x: Vector, *, tolerance: float = 1e-4, max_evaluations: int = 20_000
) -> float | None:
    """Return the energy at which steepest descent ends, or None if it does not.

    No memory of earlier steps: a descent that only looks at the slope stops at the first
    threshold, where better minimisers may pass.
    """
    end = lbfgs(
        problem,
        x,
        tolerance=tolerance,
        zero_energy=-np.inf,
        max_evaluations=max_evaluations,
        memory=0,
        certify=False,
    )
    return end.energy if end.status == "jammed" else None


def end_energies(
    draw: Callable[[np.random.Generator], tuple[Landscape, Vector]],
    count: int,
    rng: np.random.Generator,
    *,
    threshold: float | None = None,
    per_variable: bool = True,
    tolerance: float = 1e-4,
) -> Ends:
    """Descend in ``count`` systems drawn one by one; those that do not end are left out.

    Parameters
    ----------
    draw
        Returns a system and a start.
    per_variable
        Divide by the number of variables, as for extensive energies.

    Raises
    ------
    ValueError
        If fewer than two descents ended.
    """
    ends, size = [], 0
    for _ in range(count):
        problem, x = draw(rng)
        size = problem.n_dof
        energy = end_energy(problem, x, tolerance=tolerance)
        if energy is not None:
            ends.append(energy / size if per_variable else energy)
    if len(ends) < 2:
        raise ValueError(f"expected two descents to end at least, got {len(ends)} of {count}")
    return Ends(size, np.array(ends), threshold)

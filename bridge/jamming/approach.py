"""Down to a minimum close to jamming, for any problem that can be tightened, and any minimiser."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol

import numpy as np

from bridge.descent.lbfgs import certified, lbfgs
from bridge.jamming.linearised import P
from bridge.protocols import HasTightening, Vector

# Raises of the load before it is called unbounded.
_MOST_RAISES = 40
# Of them, those from states that are no minimum: close to jamming a descent may come to no end.
_MOST_STALLS = 3
# Energies in one generic descent.
_MOST_EVALUATIONS = 10_000


class Settled(Protocol):
    """What a minimiser returns: where it ended, and whether constraints are left violated."""

    @property
    def x(self) -> Vector:
        """The state, ``(n_dof,)``."""

    @property
    def status(self) -> str:
        """Return ``"unjammed"``, ``"jammed"`` or something else."""


Minimiser = Callable[[P, Vector], Settled]


@dataclass(frozen=True, eq=False)
class ApproachStage(Generic[P]):
    """A minimum at one load.

    Attributes
    ----------
    problem, x
        The system at that load, and the minimum.
    overlap_per_variable
        ``Σ max(Δ, 0)/n_dof``: the pressure counts degrees of freedom instead, see `observe`.
    distance
        ``2U/(dU/dt)``, an estimate of how far the load is from jamming, exact where
        ``U ∝ (t - t_J)²``.
    status
        ``"jammed"``, ``"unjammed"``, ``"stalled"``, ``"unbounded"``.
    """

    problem: P
    x: Vector
    overlap_per_variable: float
    distance: float
    status: str


def lbfgs_descent(problem: HasTightening, x: Vector) -> Settled:
    """Minimise by the generic L-BFGS to a force that is small beside the overlap."""
    rules: dict[str, Any] = {"max_evaluations": _MOST_EVALUATIONS, "certify": False}
    minimum = lbfgs(problem, x, tolerance=1e-5, **rules)
    for _ in range(4):
        overlap = float(np.maximum(problem.gaps(minimum.x), 0.0).sum()) / problem.n_dof
        if minimum.status != "jammed" or minimum.max_residual <= 1e-6 * overlap:
            break
        minimum = lbfgs(problem, minimum.x, tolerance=3e-7 * overlap, **rules)
    return certified(problem, minimum)


def stage(problem: P, x: Vector, status: str) -> ApproachStage[P]:
    """Measure the overlap of a minimum and its distance to jamming."""
    overlaps = np.maximum(problem.gaps(x), 0.0)
    slope = float(overlaps @ problem.tightening(x))
    distance = float(overlaps @ overlaps) / slope if slope > 0.0 else 0.0
    return ApproachStage(problem, x, float(overlaps.sum()) / problem.n_dof, distance, status)


def approach(
    problem: P,
    x: Vector,
    minimise: Minimiser[P],
    *,
    first_change: float = 0.01,
    ratio: float = 0.1,
    max_stages: int = 60,
) -> Iterator[ApproachStage[P]]:
    """Yield minima ever closer to jamming, from above.

    The load is raised until constraints stay violated. Then each stage leaves the part ``ratio``
    of the distance extrapolated. Where nothing stays violated, the load is raised again from
    there by smaller steps: the minimum may have lost its stability, so that no minimum close to
    it is left below. A stage that is not ``"jammed"`` is the last.

    Parameters
    ----------
    problem, x
        The system and where to start; a minimum close to jamming is taken as it is.
    minimise
        Called as ``minimise(problem, x)``.
    first_change
        First change of the load where it has to be raised; doubled from then on.
    ratio
        Of the distances to jamming of one stage and the one before.
    max_stages
        Minima after which to stop.
    """
    here = stage(problem, x, "jammed")
    if not _balanced(here):
        here = _raised(problem, x, minimise, first_change)
    yield here
    for _ in range(max_stages):
        if here.status != "jammed" or here.distance == 0.0:
            return
        change = (1.0 - ratio) * here.distance
        there = here.problem.tightened(-change)
        minimum = minimise(there, here.x)
        if minimum.status == "unjammed":
            here = _raised(there, minimum.x, minimise, ratio * change)
        else:
            here = stage(there, minimum.x, minimum.status)
        yield here


def _balanced(here: ApproachStage[P]) -> bool:
    """Tell whether the forces of a violated state balance as they do in a minimum."""
    _, gradient = here.problem.energy_gradient(here.x)
    overlap = here.overlap_per_variable
    return overlap > 0.0 and float(np.abs(gradient).max()) <= 1e-3 * overlap


def _raised(problem: P, x: Vector, minimise: Minimiser[P], step: float) -> ApproachStage[P]:
    """Raise the load, in doubling steps, until the minimum has violated constraints."""
    minimum, stalls = minimise(problem, x), 0
    for _ in range(_MOST_RAISES):
        stalls += minimum.status == "stalled"
        if minimum.status not in ("unjammed", "stalled") or stalls > _MOST_STALLS:
            return stage(problem, minimum.x, minimum.status)
        problem = problem.tightened(step)
        minimum = minimise(problem, minimum.x)
        step *= 2.0
    return stage(problem, minimum.x, "unbounded")

"""One single-ended search: from a minimum, over a saddle, down both sides."""

from dataclasses import dataclass

import numpy as np

from bridge.landscape.eigenvector_following import Climb, follow
from bridge.landscape.hybrid_following import hybrid_follow
from bridge.landscape.identity import Identity
from bridge.landscape.quench import quench, with_order
from bridge.landscape.stationary_points import Model, StationaryPoint, certify_point, model
from bridge.protocols import Landscape, Vector

# Variables above which Hessian products are cheaper than diagonalised Hessians at every step.
MANY = 300


@dataclass(frozen=True)
class Steps:
    """Lengths of a search, in the units of ``x``.

    Attributes
    ----------
    climb
        Longest step of a climb.
    scatter
        Largest root mean square displacement, over the variables, of a random start.
    kick
        Displacement along the mode that is climbed.
    push
        Displacement off a saddle.
    descend
        Longest step on the way down, root mean square over the variables.
    max_steps
        Steps after which a climb has stalled.
    """

    climb: float = 0.3
    scatter: float = 0.4
    kick: float = 0.15
    push: float = 0.05
    descend: float = 0.05
    max_steps: int = 120


def climb_from(
    problem: Landscape,
    minimum: StationaryPoint,
    attempt: int,
    steps: Steps,
    rng: np.random.Generator,
) -> Climb:
    """Climb from a minimum: attempts alternate between its modes and random displacements.

    A mode that keeps a symmetry of the minimum leads to symmetric saddles whose basins are too
    narrow for a random start; random starts find the others. Each mode is tried in both senses,
    the softest first.
    """
    large = problem.n_dof > MANY
    start = minimum.x + rng.uniform(0.0, steps.scatter) * rng.standard_normal(minimum.x.size)
    along = _direction(problem, minimum, attempt, rng, large) if attempt % 2 == 1 else None
    if along is not None:
        start = minimum.x + steps.kick * along
    walk = hybrid_follow if large else follow
    return walk(problem, start, along=along, max_step=steps.climb, max_steps=steps.max_steps)


def _direction(
    problem: Landscape,
    minimum: StationaryPoint,
    attempt: int,
    rng: np.random.Generator,
    large: bool,
) -> Vector | None:
    """Return a random direction in a large system, else a mode; None if all were tried."""
    if large:
        along = rng.standard_normal(problem.n_dof)
        return np.asarray(along / np.linalg.norm(along))
    mode, sense = divmod(attempt // 2, 2)
    here = model(problem, minimum.x)
    if mode >= len(here.climbable):
        return None
    return np.asarray(here.modes[:, here.climbable[mode]] * (1 - 2 * sense))


def certified_saddle(climb: Climb, identity: Identity) -> StationaryPoint | str:
    """Return the transition state where a climb ended, or one line that says why it is none."""
    if climb.status == "stalled":
        return f"the climb stalled: {climb.reason}"
    found = certify_point(climb.end, 1)
    return found if isinstance(found, str) else with_order(found, identity)


def descend_both(
    problem: Landscape, saddle: Model, identity: Identity, steps: Steps
) -> tuple[StationaryPoint, StationaryPoint] | str:
    """Return the minima on the two sides of a saddle, or one line that says why one is missing."""
    ends: list[StationaryPoint] = []
    for sign in (1.0, -1.0):
        start = _push_off(problem, saddle, sign * steps.push)
        found = quench(problem, start, identity, max_step=steps.descend)
        if isinstance(found, str):  # a path of high symmetry runs onto a ridge: leave it
            off = 0.01 * steps.push * np.random.default_rng(0).standard_normal(start.size)
            found = quench(problem, start + off, identity, max_step=steps.descend)
        if isinstance(found, str):
            return f"no minimum below the saddle: {found}"
        if found.energy >= saddle.energy:
            return "the minimum is not below the saddle"
        ends.append(found)
    return ends[0], ends[1]


def _push_off(problem: Landscape, saddle: Model, push: float) -> Vector:
    """Return the state ``push`` along the unstable mode, or nearer, where the energy is lower."""
    for _ in range(12):
        x = saddle.x + push * saddle.modes[:, 0]
        if problem.energy_gradient(x)[0] < saddle.energy:
            return np.asarray(x)
        push *= 0.5
    return np.asarray(x)

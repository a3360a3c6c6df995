"""Quenches: minimisation from any state, with the certificate of a minimum."""

from dataclasses import replace

import numpy as np

from bridge.descent.lbfgs import lbfgs
from bridge.landscape.eigenvector_following import follow
from bridge.landscape.identity import Identity
from bridge.landscape.stationary_points import StationaryPoint, certify_point
from bridge.protocols import Landscape, Vector

# Below this number of variables a diagonalised Hessian is cheaper than the steps that it saves.
FEW = 45


def quench(
    problem: Landscape, x: Vector, identity: Identity, *, max_step: float = 0.1, rough: bool = False
) -> StationaryPoint | str:
    """Return the minimum below ``x``, or one line that says why there is none.

    Few variables: eigenvector following of index 0, whose short steps stay in the basin. More, or
    a ``rough`` start far from any minimum: L-BFGS first.

    Parameters
    ----------
    max_step
        Longest step, root mean square over the variables, in the units of ``x``.
    """
    if rough or problem.n_dof > FEW:
        down = descend_to_minimum(problem, x, max_step=max_step)
        if isinstance(down, str):
            return down
        x, _ = down
    longest = max_step * np.sqrt(problem.n_dof)
    walk = follow(problem, x, index=0, max_step=longest, max_steps=200)
    point = certify_point(walk.end, 0)
    return point if isinstance(point, str) else with_order(point, identity)


def descend_to_minimum(
    problem: Landscape, x: Vector, *, max_step: float = 0.1
) -> tuple[Vector, float] | str:
    """Return where L-BFGS ends, near a minimum, and the energy; or one line that says why not.

    A system may bring a compiled one of its own, ``relaxed(x, max_step=...)``, which returns the
    end or None.
    """
    native = getattr(problem, "relaxed", None)
    try:
        if native is not None:
            end = native(x, max_step=max_step)
            if end is None:
                return "the descent did not end"
            return end, problem.energy_gradient(end)[0]
        down = lbfgs(
            problem,
            x,
            tolerance=1e-5,
            # A constraint problem is satisfied at U = 0; no energy is too low for others.
            zero_energy=1e-14 if hasattr(problem, "gaps") else -np.inf,
            max_evaluations=20_000,
            max_step=max_step,
            certify=False,
        )
    except ValueError as error:  # two atoms at one place, an overflow
        return str(error)
    if down.status == "unjammed":
        return "the energy vanishes: all constraints are satisfied"
    return down.x, down.energy


def with_order(point: StationaryPoint, identity: Identity) -> StationaryPoint:
    """Return the point with the order of its stabiliser filled in."""
    return replace(point, order=identity.stabiliser_order(point.x))

"""Minimisation of a packing: a balance of forces, and the check that it is a minimum."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.checks import check_options, generator, whole
from particles.kernels.fire import CONVERGED, UNJAMMED
from particles.packings.ends import PackingEnd, Status
from particles.packings.fire import Fire
from particles.packings.packing import FLOOR, Packing, check_packing
from particles.packings.rattlers import rattlers
from particles.packings.stability import contacts, downhill_mode, separated

Vector = NDArray[np.float64]

# Saddles that one minimisation may leave; most meet none, and small packings one or two.
MOST_SADDLES = 30
# Largest force at convergence, in units of the mean force of a contact: by default, and the least
# that is asked for below a saddle.
RELATIVE, FINEST = 1e-5, 1e-11
# Amplitudes along a mode that are tried, in diameters: a tenth, and down by factors of three.
AMPLITUDES = 0.1 * 3.0 ** -np.arange(16)


@dataclass(frozen=True, eq=False, repr=False)
class Minimum(PackingEnd):
    """Where a minimisation ended, and why.

    Attributes
    ----------
    problem : Packing
        The packing.
    x : (n_dof,)
        The state, moved continuously from the start: never wrapped into the box.
    status : {"unjammed", "jammed", "stalled"}
        No overlap is left; forces balance at a finite pressure, hold some body, and no direction
        lowers the energy; or neither, for the reason given.
    energy : float
        ``U``.
    max_force : float
        Largest component of ``∇U`` (by ``ℓθ`` for an angle, see `Packing.levers`).
    steps : int
        Evaluations of the forces.
    reason : str
        Why the run stalled; empty if it did not.
    """

    problem: Packing
    x: Vector
    status: Status
    energy: float
    max_force: float
    steps: int
    reason: str = ""

    @cached_property
    def pressure(self) -> float:
        """``p = Σ max(Δ, 0)/n``, rattlers not counted in ``n``: see `Packing.pressure`."""
        return self.problem.pressure(self.x)

    def _numbers(self) -> str:
        return f"U = {self.energy:.6g}, p = {self.pressure:.3g}"

    def minimise(self, problem: Packing, x: ArrayLike) -> "Minimum":
        """Return the minimum of the packing at another load, found in the same way."""
        return minimise(problem, x)


def minimise(
    problem: Packing, x: ArrayLike, *, rng: np.random.Generator | None = None, **options: Any
) -> Minimum:
    """Return the minimum of ``U`` below ``x``: forces balance, and no direction lowers ``U``.

    Descends by `relax`. A saddle is left along its mode of least curvature, and the descent goes
    on. Centres that coincide, which push each other in no direction, are moved apart first.

    Parameters
    ----------
    problem : Discs or Ellipses
        The packing.
    x : (n_dof,)
        Where to start.
    rng : numpy.random.Generator
        Moves coincident centres apart; by default one with seed 0.
    **options
        Passed to `relax`.

    Raises
    ------
    TypeError
        If something is not of its kind: a seed in place of ``rng``, a network that of a packing.
    ValueError
        As `relax` does.

    Examples
    --------
    >>> import numpy as np
    >>> from particles.packings.discs import Discs
    >>> packing = Discs.bidisperse(64, phi=0.7)
    >>> minimise(packing, packing.random_state(np.random.default_rng(1))).status
    'unjammed'
    """
    check_packing(problem)
    start = separated(problem, x, generator(rng))
    return certified(problem, relax(problem, start, **options), **options)


def certified(problem: Packing, found: Minimum, **options: Any) -> Minimum:
    """Return a balanced state itself if it is a minimum, else the minimum below it.

    Parameters
    ----------
    problem : Discs or Ellipses
        The packing.
    found : Minimum
        What `relax` returned.
    **options
        Passed to `relax` where the descent has to go on.
    """
    relative = options.pop("relative", RELATIVE)
    for _ in range(MOST_SADDLES):
        if found.status != "jammed":
            return found
        holding = contacts(problem, found.x).holding(problem.n_bodies, found.max_force)
        mode = downhill_mode(problem, found.x, holding)
        if mode is None:
            pairs, normals = holding.pairs, -holding.normals
            loose = rattlers(pairs.i, pairs.j, normals, problem.n_bodies)
            return _stalled(found, "no body is held") if loose.all() else found
        # Where a body escapes so slowly that its forces count as balanced, they have to be less.
        relative = max(0.1 * relative, min(relative, FINEST))
        there = relax(problem, _lower(problem, found, mode), relative=relative, **options)
        found = replace(there, steps=found.steps + there.steps)
    return _stalled(found, f"still a saddle after {MOST_SADDLES} descents from saddles")


def _stalled(found: Minimum, reason: str) -> Minimum:
    return replace(found, status="stalled", reason=reason)


def _lower(problem: Packing, saddle: Minimum, mode: Vector) -> Vector:
    """Return the lowest of a few states on either side of a saddle, itself if none is lower."""
    sides = [saddle.x + sign * size * mode for size in AMPLITUDES for sign in (1.0, -1.0)]
    energies = [problem.energy_gradient(x)[0] for x in sides]
    best = int(np.argmin(energies))
    return sides[best] if energies[best] < saddle.energy else saddle.x


def relax(
    problem: Packing,
    x: ArrayLike,
    *,
    relative: float = RELATIVE,
    absolute: float = 0.0,
    floor: float = FLOOR,
    max_steps: int = 1_000_000,
    dt_max: float = 0.6,
    skin: float = 0.4,
) -> Minimum:
    """Return a state below ``x`` where forces balance, by FIRE: a minimum, or a saddle.

    It has converged when no component of the force exceeds ``max(relative · f, absolute)``, ``f``
    the mean force of a contact, and is unjammed when ``Σ max(Δ, 0)/(n_dof - d) <= floor``.

    Parameters
    ----------
    problem : Discs or Ellipses
        The packing.
    x : (n_dof,)
        Where to start.
    relative, absolute : float
        Largest force at convergence, in units of the mean force of a contact and absolutely.
    floor : float
        Overlap per variable below which no contact is left.
    max_steps : int
        Evaluations of the forces after which the run is called stalled.
    dt_max : float
        Longest time step, in units of the period ``1/ω`` of a unit mass at a contact of the
        smallest bodies.
    skin : float
        Width of the neighbour list, in units of the smallest diameter.

    Raises
    ------
    ValueError
        If ``x`` has the wrong shape, or holds NaN or inf, there is no step to take, a tolerance is
        negative or not a number, or ``dt_max`` or ``skin`` is not positive.

    References
    ----------
    J. Guénolé et al., Comput. Mater. Sci. 175 (2020), for FIRE.

    Examples
    --------
    A column of two discs in a box 1.8 high can only share the overlap: two contacts, ``Δ = 0.1``
    each. Forces balance at once, though the discs would give way sideways, as `minimise` sees.

    >>> from particles.packings.discs import Discs
    >>> column = Discs(np.ones(2), np.array([5.0, 1.8]))
    >>> end = relax(column, np.array([1.0, 0.2, 1.0, 1.0]))
    >>> end.status, round(end.energy, 9)
    ('jammed', 0.01)
    >>> minimise(column, end.x).status
    'unjammed'
    """
    check_packing(problem)
    whole("max_steps", max_steps, 1)
    check_options(relative=relative, absolute=absolute, floor=floor)
    check_options(positive=True, dt_max=dt_max, skin=skin)
    unit = float(problem.diameters.min())
    fire = Fire(problem, x, dt_max * unit, skin * unit)
    energy, force = _balance(problem, fire, relative, float(absolute), float(floor), max_steps)
    return _end(problem, fire, energy, force)


def _balance(
    problem: Packing, fire: Fire, relative: float, absolute: float, floor: float, most: int
) -> tuple[float, float]:
    """Run FIRE by the rules of `relax`; return ``U``, and the mean force of a contact at its end.

    The overlap per variable gives the scale of the forces until that mean is known.
    """
    n = float(max(problem.n_dof - problem.dim, 1))
    limit, force = relative / float(problem.diameters.min()), 0.0
    while True:
        energy, total = fire.run((limit, absolute, floor, n), most)
        if fire.reason != CONVERGED:
            return energy, force
        push = contacts(problem, fire.state()).forces
        force = float(push.mean()) if push.size else 0.0
        if fire.max_force <= max(relative * force, absolute):
            return energy, force
        limit = relative * force * n / total


def _end(problem: Packing, fire: Fire, energy: float, force: float) -> Minimum:
    """Say what the compiled loop's reason to stop means."""
    largest = fire.max_force
    status: Status = "stalled"
    if fire.reason == UNJAMMED:
        status = "unjammed"
    elif fire.reason == CONVERGED:
        # Forces that vanish absolutely, but not beside those of contacts, are a last touch.
        status = "jammed" if largest <= 1e-2 * force else "unjammed"
    reason = f"largest force {largest:.1e} after {fire.steps} steps" if status == "stalled" else ""
    return Minimum(problem, fire.state(), status, energy, largest, fire.steps, reason)

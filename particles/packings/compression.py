"""The approach to jamming: to a given pressure, or quasi-statically through packing fractions."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.checks import check_iterable, check_options, generator, real
from particles.packings.driven import Compressed, Decompressed, Stage
from particles.packings.ends import Status
from particles.packings.minimum import Minimum, certified, minimise, relax
from particles.packings.packing import Packing, check_packing
from particles.packings.rattler_release import released
from particles.packings.stability import separated

Vector = NDArray[np.float64]

# Below it the pressure drowns in the last contacts of an unjammed state, `packing.FLOOR`.
LEAST_PRESSURE = 1e-12

# Growth stops here: with so much overlap the bodies would be meaningless.
LARGEST_PHI = 1.5

# Where this part of the distance to jamming is still too long a step, the packing rearranges at a
# finite pressure.
SMALLEST_DAMPING = 1e-3


@dataclass(eq=False)
class _Approach:
    """The minima met so far, and how they are found."""

    options: dict[str, Any]
    max_stages: int
    stages: list[Stage] = field(default_factory=list)

    @property
    def exhausted(self) -> bool:
        return len(self.stages) >= self.max_stages

    def settle(self, problem: Packing, x: ArrayLike) -> Minimum:
        """Descend until forces balance, and write down what came of it."""
        return self.note(relax(problem, x, **self.options))

    def note(self, end: Minimum) -> Minimum:
        """Write down the end of a descent."""
        self.stages.append(Stage(end.problem.phi, end.pressure, end.energy, end.status, end.steps))
        return end

    def certify(self, here: Minimum) -> Minimum:
        """Return a balance itself if it is a minimum, else the minimum below it."""
        found = certified(here.problem, here, **self.options)
        return here if found is here else self.note(found)

    def grow(self, here: Minimum, step: float) -> Minimum:
        """Grow the bodies, by longer and longer steps, until forces balance at some pressure."""
        while here.status == "unjammed" and not self.exhausted:
            phi = here.problem.phi + step
            if phi > LARGEST_PHI:
                break
            here = self.settle(here.problem.with_phi(phi), here.x)
            step *= 2.0
        return here


def distance_to_jamming(problem: Packing, x: ArrayLike) -> float:
    """Return ``φ - φ_J ≈ 2U/(dU/dφ)``, which is exact where ``U ∝ (φ - φ_J)²``.

    ``dU/dφ`` at fixed ``x`` is that at the minimum, since ``U`` is stationary there: growth of
    all lengths by ``1 + t`` gives ``dU/dt = Σ Δ(1 - Δ)`` of contacts, and ``dφ/dt = dφ``.
    """
    overlap, force = np.maximum(problem.near(x)[1].gap, 0.0), np.maximum(problem.gaps(x), 0.0)
    slope = float((overlap * (1.0 - overlap)).sum()) / (problem.dim * problem.phi)
    return float(force @ force) / slope if slope > 0.0 else 0.0


def decompress(
    problem: Packing,
    x: ArrayLike,
    pressure: float = 1e-6,
    *,
    tolerance: float = 0.01,
    shrink: float | None = None,
    max_stages: int = 200,
    rng: np.random.Generator | None = None,
    **options: Any,
) -> Decompressed:
    """Return the packing, grown or shrunk, at pressure ``Σ max(Δ, 0)/n``.

    The distance to jamming is extrapolated by the virial, ``φ - φ_J = 2U/(dU/dφ)``, and each
    stage leaves the part ``shrink`` of it. A stage that lands below jamming is taken back, and
    repeated with half the step. Where no step is small enough, because the packing rearranges at
    a finite pressure, it goes on from the rearranged state, grown until it jams again; so too
    from below a saddle, should forces balance in one at the pressure asked for. Rattlers are moved
    off what they lean on at the end. Contacts weaker than a hundredth of the mean are counted for
    certain with ``relative=1e-7``, see `relax`.

    Parameters
    ----------
    problem : Discs or Ellipses
        The packing at the load to start from.
    x : (n_dof,)
        Where to start; it is minimised first.
    pressure : float
        Pressure asked for.
    tolerance : float
        Relative error of the pressure that is accepted.
    shrink : float
        Smallest ratio of the distances to jamming of one stage and the next; by default 0.1 for
        discs and spheres, 0.3 for ellipses.
    max_stages : int
        Minima after which the run is called stalled.
    rng : numpy.random.Generator
        Moves coincident centres apart; by default one with seed 0.
    **options
        Passed to `relax`.

    Raises
    ------
    TypeError
        If something is not of its kind: a string as pressure, a seed in place of ``rng``.
    ValueError
        If the pressure is not between 1e-12 and 1, ``shrink`` not between 0 and 1, ``tolerance``
        is not positive, or ``x`` is not a state.

    Examples
    --------
    >>> import numpy as np
    >>> from particles import Discs
    >>> packing = Discs.bidisperse(64, phi=0.86)
    >>> x = packing.random_state(np.random.default_rng(0))
    >>> decompress(packing, x, pressure=1e-5).status
    'jammed'
    """
    check_packing(problem)
    if not LEAST_PRESSURE <= real("pressure", pressure) < 1.0:
        raise ValueError(f"expected {LEAST_PRESSURE} <= pressure < 1, got {pressure}: pass 1e-6")
    if shrink is not None and not 0.0 < real("shrink", shrink) < 1.0:
        raise ValueError(f"expected shrink between 0 and 1, got {shrink}: leave it out")
    check_options(positive=True, tolerance=tolerance, max_stages=max_stages)
    least = shrink if shrink is not None else (0.3 if problem.n_angles else 0.1)
    way = _Approach({"floor": 1e-3 * pressure, **options}, max_stages)
    start = separated(problem, x, generator(rng))
    here, status = _approach(way, way.settle(problem, start), pressure, tolerance, least)
    return _decompressed(way, here, status)


def _approach(
    way: _Approach, here: Minimum, pressure: float, tolerance: float, least: float
) -> tuple[Minimum, Status]:
    """Go from minimum to minimum until the pressure is the one asked for."""
    here = way.grow(here, 0.01)
    damping = 1.0
    while here.status == "jammed":
        if abs(here.pressure / pressure - 1.0) <= tolerance:
            there = way.certify(here)
            if there is here:
                return here, "jammed"
            here, damping = way.grow(there, 1e-4), 1.0
            if not way.exhausted:
                continue
        if way.exhausted:
            break
        phi = _next_phi(here, pressure, least, damping)
        if phi > LARGEST_PHI:
            break
        there = way.settle(here.problem.with_phi(phi), here.x)
        lost = there.status == "unjammed" or there.pressure < 0.1 * pressure
        if not lost:
            here, damping = there, min(1.0, 2.0 * damping)
        elif damping > SMALLEST_DAMPING:
            damping *= 0.5
        else:
            here, damping = way.grow(there, 1e-4), 1.0
    return here, "unjammed" if here.status == "unjammed" else "stalled"


def _next_phi(here: Minimum, pressure: float, least: float, damping: float) -> float:
    """Return the packing fraction at which the pressure is to be expected, not too far away."""
    ratio = min(max(pressure / here.pressure, least), 10.0)
    step = (ratio - 1.0) * distance_to_jamming(here.problem, here.x) * damping
    phi = here.problem.phi
    return min(max(phi + step, 0.7 * phi), 1.3 * phi)


def _decompressed(way: _Approach, here: Minimum, status: Status) -> Decompressed:
    """Move the rattlers of the last minimum off what they lean on, and say how it ended."""
    last, state, reason = here.problem, here.x, ""
    if status == "jammed":
        state = released(last, state)
    elif status == "unjammed":  # by its floor; as far as any other descent goes
        state = relax(last, state).x
    reached = last.pressure(state)
    if status != "jammed":
        reason = here.reason or f"the pressure stayed at {reached:.3g}"
    return Decompressed(last, state, last.phi, reached, status, tuple(way.stages), reason)


def compress(problem: Packing, x: ArrayLike, phis: Iterable[float], **options: Any) -> Compressed:
    """Return what a packing goes through when driven quasi-statically to each of ``phis``.

    Each minimum starts from the last one, so that up and down again shows hysteresis: ``φ_J``
    depends on the history.

    Parameters
    ----------
    problem : Discs or Ellipses
        The packing.
    x : (n_dof,)
        Where to start.
    phis : iterable of float
        Packing fractions, in the order in which they are visited.
    **options
        Passed to `minimise`.

    Raises
    ------
    ValueError
        If a packing fraction is not between 0 and 2, or ``x`` is not a state.

    Examples
    --------
    >>> import numpy as np
    >>> from particles import Discs
    >>> packing = Discs.bidisperse(32, phi=0.7)
    >>> x = packing.random_state(np.random.default_rng(0))
    >>> [stage.status for stage in compress(packing, x, [0.7, 0.9, 0.7]).stages]
    ['unjammed', 'jammed', 'unjammed']
    """
    check_packing(problem)
    check_iterable("phis", phis, "pass packing fractions such as [0.8, 0.9]")
    way = _Approach({}, max_stages=0)
    state, end = problem.bodies(x).ravel(), None
    for phi in phis:
        problem = problem.with_phi(phi)
        end = way.note(minimise(problem, state, **options))
        state = end.x
    if end is None:
        return Compressed(problem, state, (), "stalled", "no packing fraction was given")
    return Compressed(problem, state, tuple(way.stages), end.status, end.reason)

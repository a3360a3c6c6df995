"""Quasi-static loading: from minimum to minimum, and the avalanches in between.

While the load ``t`` grows a minimum follows it continuously, and its energy changes by the work of
the load alone, ``dU/dt = Σ_μ max(Δ_μ, 0) ∂Δ_μ/∂t``; constraints may open and close meanwhile. Where
the minimum loses its stability the state slides to another one, and energy is lost: an avalanche.

The two are told apart without a threshold. Let a step lead from the minimum ``x`` at load ``t`` to
``x'`` at ``t'``. Loading first and relaxing then, or the other way round, loses

    D_u = U(x, t') - U(x', t'),    D_l = U(x, t) - U(x', t)

and the energy lost is ``D = (D_u + D_l)/2`` to third order in the step. A minimum that moved on
has ``D_l < 0``, for ``x`` was the lowest state around at ``t``. If it ended, and the step is short
enough, ``D_l > 0``: the new state would have been lower before. So a step is halved, down to a
shortest one, unless ``D_u + D_l`` is small beside ``D_u - D_l`` and the way back ends in ``x``. A
shortest step that has ``D_l > 0`` is an avalanche. In a convex problem there can be none.

A perceptron of two components between the patterns ``±e_1`` violates both by ``σ + t``. Its energy
``U = (σ + t)²`` is the work of the load alone, and none is lost:

>>> from particles import Perceptron
>>> problem = Perceptron(np.array([[1.0, 0.0], [-1.0, 0.0]]), sigma=0.1)
>>> path = drive(problem, np.array([0.0, 1.0]), [0.0, 0.1, 0.2])
>>> path.energy.round(12), path.n_constraints, len(path.avalanches)
(array([0.01, 0.04, 0.09]), array([2, 2, 2]), 0)
>>> path.lost, path.work.round(12)
(array([0., 0., 0.]), array([0.  , 0.03, 0.05]))
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Generic

import numpy as np
from numpy.typing import ArrayLike

from bridge.avalanches.record import Avalanche, Loading
from bridge.avalanches.stability import softest_on_the_way
from bridge.descent.newton import Newton
from bridge.jamming.approach import Minimiser
from bridge.jamming.linearised import P
from bridge.measure.observables import gap_names
from bridge.measure.stability import least_curvature
from bridge.protocols import HasTightening, Vector

# Part of the energy exchanged in an elastic step that may seem lost before the step is halved.
_ELASTIC = 0.1


def drive(
    problem: P,
    x: Vector,
    loads: ArrayLike,
    *,
    minimise: Minimiser[P] | None = None,
    halvings: int = 10,
    with_spectra: bool = True,
) -> Loading:
    """Load ``problem`` slowly through ``loads`` from the state ``x``, minimising after each step.

    Parameters
    ----------
    problem, x
        The system, and where to start, ``(n_dof,)``; it is minimised at the first load.
    loads
        Loads ``t`` relative to ``problem``, ``(k,)``, up or down.
    minimise
        Called as ``minimise(problem, x)``; it has to end in the minimum next to ``x``, and close
        to it: losses below the energy that it leaves are not seen. By default Newton's method.
    halvings
        Of the step between two loads, down to the shortest step.
    with_spectra
        Whether to diagonalise the Hessian at each avalanche.

    Raises
    ------
    ValueError
        If there are fewer than two loads.

    Examples
    --------
    >>> from particles.perceptron.perceptron import Perceptron
    >>> rng = np.random.default_rng(0)
    >>> problem = Perceptron.random(20, alpha=4.0, sigma=-0.2, rng=rng)
    >>> found = drive(problem, problem.random_state(rng), np.linspace(0.0, 0.4, 21))
    >>> found.status, len(found.avalanches) > 0, all(a.unstable for a in found.avalanches)
    ('loaded', True, True)
    """
    stops = np.asarray(loads, dtype=np.float64)
    if stops.ndim != 1 or len(stops) < 2 or not np.isfinite(stops).all():
        raise ValueError(
            f"expected at least two loads, got {stops.tolist()}: pass np.linspace(0, 0.1, 101)"
        )
    run = _Run(problem, Newton() if minimise is None else minimise, 2**halvings, with_spectra)
    here = run.settle(float(stops[0]), x)
    minima, intervals = [here], [_Interval()]
    for start, stop in pairwise(stops.tolist()):
        if here.status == "stalled":
            break
        here, interval = run.cross(here, start, stop)
        minima.append(here)
        intervals.append(interval)
    return _loading(minima, intervals, run.descents)


@dataclass(frozen=True, eq=False)
class _Minimum(Generic[P]):
    """A minimum at one load."""

    problem: P
    load: float
    x: Vector
    status: str
    reason: str

    @cached_property
    def gaps(self) -> Vector:
        return self.problem.gaps(self.x)

    @cached_property
    def energy(self) -> float:
        return self.problem.energy_gradient(self.x)[0]

    @cached_property
    def total_force(self) -> float:
        return float(np.maximum(self.gaps, 0.0).sum())

    @property
    def rounding(self) -> float:
        """Error of the energy: that of its sum, and of the gaps in it."""
        return 1e-13 * self.energy + 1e-15 * self.total_force

    @cached_property
    def violated(self) -> set[tuple[int, ...]]:
        names = gap_names(self.problem, self.x)[self.gaps > 0]
        return set(map(tuple, names.tolist()))


@dataclass(frozen=True)
class _Exchange:
    """What was lost in a step: ``D_u`` if loaded first and relaxed then, ``D_l`` otherwise."""

    upper: float
    lower: float
    rounding: float

    @classmethod
    def between(cls, here: _Minimum[Any], there: _Minimum[Any]) -> "_Exchange":
        if here.status == "unjammed":  # nothing is stored yet, so nothing can be lost
            return cls(0.0, 0.0, 0.0)
        return cls(
            upper=there.problem.energy_gradient(here.x)[0] - there.energy,
            lower=here.energy - here.problem.energy_gradient(there.x)[0],
            rounding=here.rounding + there.rounding,
        )

    @property
    def loss(self) -> float:
        return 0.5 * (self.upper + self.lower)

    @property
    def width(self) -> float:
        return 0.5 * (self.upper - self.lower)

    @property
    def elastic(self) -> bool:
        return abs(self.loss) <= _ELASTIC * self.width + self.rounding

    @property
    def plastic(self) -> bool:
        return self.lower > self.rounding


@dataclass(eq=False)
class _Interval:
    """What adds up between two loads."""

    lost: float = 0.0
    work: float = 0.0
    changes: int = 0
    hidden: float = 0.0
    avalanches: tuple[Avalanche, ...] = ()


@dataclass(eq=False)
class _Run(Generic[P]):
    """How minima are found and compared; ``ticks`` shortest steps make an interval."""

    problem: P
    minimise: Minimiser[P]
    ticks: int
    with_spectra: bool
    descents: int = 0

    def settle(self, load: float, x: Vector) -> _Minimum[P]:
        problem = self.problem.tightened(load)
        found = self.minimise(problem, x)
        self.descents += 1
        return _Minimum(problem, load, found.x, found.status, getattr(found, "reason", ""))

    def cross(self, here: _Minimum[P], start: float, stop: float) -> tuple[_Minimum[P], _Interval]:
        """Go from one load to the next by steps that are elastic, or shortest."""
        interval = _Interval()
        done, step = 0, self.ticks
        while done < self.ticks:
            step = min(step, self.ticks - done)
            load = start + (stop - start) * ((done + step) / self.ticks)
            there = self.settle(load, here.x)
            if there.status == "stalled":
                return there, interval
            exchange = _Exchange.between(here, there)
            if step == 1 or (exchange.elastic and self._returns(here, there, exchange)):
                self._record(interval, here, there, exchange)
                here, done, step = there, done + step, 2 * step
            else:
                step //= 2
        return here, interval

    def _returns(self, here: _Minimum[P], there: _Minimum[P], exchange: _Exchange) -> bool:
        """Tell whether a step, walked back, ends in the energy that it began with."""
        if here.status == "unjammed":
            return True
        back = self.minimise(here.problem, there.x)
        self.descents += 1
        missed = here.problem.energy_gradient(back.x)[0] - here.energy
        return abs(missed) <= 1e-3 * exchange.width + exchange.rounding

    def _record(
        self, interval: _Interval, here: _Minimum[P], there: _Minimum[P], exchange: _Exchange
    ) -> None:
        interval.work += there.energy - here.energy + exchange.loss
        if exchange.plastic:
            interval.lost += exchange.loss
            interval.avalanches += (self._avalanche(here, there, exchange),)
        else:
            interval.changes += len(here.violated ^ there.violated)
            interval.hidden = max(interval.hidden, _ELASTIC * exchange.width)

    def _avalanche(self, here: _Minimum[P], there: _Minimum[P], exchange: _Exchange) -> Avalanche:
        modes = here.problem.zero_modes(here.x)
        u = there.x - here.x
        u = u - modes.T @ (modes @ u)
        square = float(u @ u)
        before = sliding = np.nan
        if self.with_spectra:
            before = least_curvature(here.problem, here.x)
            sliding = softest_on_the_way(there.problem, here.x, square**0.5)
        return Avalanche(
            load=here.load,
            width=there.load - here.load,
            energy=here.energy,
            drop=exchange.loss,
            error=exchange.width,
            closed=len(there.violated - here.violated),
            opened=len(here.violated - there.violated),
            relief=_work_rate(there.problem, here.x) - _work_rate(there.problem, there.x),
            displacement=square**0.5,
            participation=square**2 / (len(u) * float((u**4).sum())) if square else 0.0,
            softest=before,
            sliding=sliding,
        )


def _work_rate(problem: HasTightening, x: Vector) -> float:
    return float(np.maximum(problem.gaps(x), 0.0) @ problem.tightening(x))


def _loading(minima: list[_Minimum[P]], intervals: list[_Interval], descents: int) -> Loading:
    last = minima[-1]
    return Loading(
        loads=np.array([m.load for m in minima]),
        energy=np.array([m.energy for m in minima]),
        overlap_per_variable=np.array([m.total_force / m.problem.n_dof for m in minima]),
        n_constraints=np.array([len(m.violated) for m in minima]),
        lost=np.array([i.lost for i in intervals]),
        work=np.array([i.work for i in intervals]),
        changes=np.array([i.changes for i in intervals]),
        avalanches=tuple(a for i in intervals for a in i.avalanches),
        x=last.x,
        status="stalled" if last.status == "stalled" else "loaded",
        reason=last.reason,
        resolution=max(i.hidden for i in intervals),
        descents=descents,
    )

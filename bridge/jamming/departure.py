"""Departure from a jamming point: constraints, energy and pressure against the distance.

Each sample has a jamming load of its own, and the distance ``t`` is measured from there, so that no
scatter of the transition between samples enters. In the jammed phase of discs and of the
perceptron of negative margin

    N_Δ - N_Δ(jamming) ∝ N t^½,    p ∝ t,    U ∝ N t²

where the excess has outgrown a few constraints, ``t N² >> 1``: as a function of ``t N²`` the excess
of all sizes is one (Goodrich, Liu, Nagel, Phys. Rev. Lett. 109, 095704, 2012).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridge.jamming import ExactJamming
from bridge.jamming.approach import Minimiser
from bridge.measure.observables import Observables, observe
from bridge.protocols import Vector


@dataclass(frozen=True, eq=False)
class Departure:
    """Minima of one sample at growing distance from its jamming point.

    Attributes
    ----------
    n_jamming, contacts
        Degrees of freedom and active constraints at the jamming point.
    distance
        Load above that of jamming, ``(k,)``.
    energy, pressure, n_constraints, n
        ``U``, ``Σ max(Δ, 0)/n``, ``N_Δ`` and the degrees of freedom there, ``(k,)``: rattlers
        join as the load grows.
    """

    n_jamming: int
    contacts: int
    distance: Vector
    energy: Vector
    pressure: Vector
    n_constraints: Vector
    n: Vector

    @property
    def excess(self) -> Vector:
        """Constraints beyond those of jamming: ``N_Δ - n`` here, less the same there, ``(k,)``."""
        return (self.n_constraints - self.n) - (self.contacts - self.n_jamming)


def depart(point: ExactJamming[Any], distances: ArrayLike, minimise: Minimiser[Any]) -> Departure:
    """Load a jamming point through growing ``distances``, ``(k,)``, minimising after each step.

    Ends early where a descent stalls.

    Raises
    ------
    ValueError
        If the point is not jammed.
    """
    if point.status != "jammed" or point.certificate is None:
        raise ValueError(f"expected a jamming point, got status {point.status}: {point.reason}")
    x = point.x
    seen: list[Observables] = []
    for distance in np.asarray(distances, dtype=np.float64):
        problem = point.problem.tightened(float(distance))
        minimum = minimise(problem, x)
        if minimum.status != "jammed":
            break
        x = minimum.x
        seen.append(observe(problem, x))
    return Departure(
        n_jamming=point.certificate.n,
        contacts=len(point.rows),
        distance=np.asarray(distances, dtype=np.float64)[: len(seen)],
        energy=np.array([one.energy for one in seen]),
        pressure=np.array([one.pressure for one in seen]),
        n_constraints=np.array([one.n_constraints for one in seen]),
        n=np.array([one.n for one in seen]),
    )


@dataclass(frozen=True)
class Exponent:
    """A fit of ``y ∝ x^value``: its error by bootstrap over samples, and the points in it."""

    value: float
    error: float
    count: int


def fit_exponent(
    samples: Sequence[tuple[Vector, Vector]],
    low: float,
    high: float,
    *,
    resamples: int = 200,
    rng: np.random.Generator | None = None,
) -> Exponent:
    """Fit ``ln y = k ln x + c`` to the points of all samples with ``low <= x <= high``.

    Each sample is one ``(x, y)`` with arrays ``(k,)``. The constant is common to all; the error is
    that of drawing whole samples again. Points where ``y`` is not positive have no logarithm and
    make a fit wrong: it ends as NaN then, and the window is to be raised. So it does where a
    sample has a single point in the window.

    Examples
    --------
    >>> x = np.geomspace(1e-3, 1.0, 10)
    >>> fit = fit_exponent([(x, 2.0 * x**0.5), (x, 3.0 * x**0.5)], 1e-3, 1.0)
    >>> round(fit.value, 12), fit.count
    (0.5, 20)
    """
    rng = np.random.default_rng(0) if rng is None else rng
    inside = [(x[keep], y[keep]) for x, y in samples for keep in [(x >= low) & (x <= high)]]
    inside = [(x, y) for x, y in inside if len(x)]
    count = sum(len(x) for x, _ in inside)
    short = any(len(np.unique(x)) < 2 for x, _ in inside)
    if not inside or short or any((y <= 0.0).any() for _, y in inside):
        return Exponent(np.nan, np.nan, count)
    drawn = [rng.integers(len(inside), size=len(inside)) for _ in range(resamples)]
    slopes = [_slope([inside[i] for i in chosen]) for chosen in drawn]
    return Exponent(_slope(inside), float(np.std(slopes, ddof=1)), count)


def _slope(samples: Sequence[tuple[Vector, Vector]]) -> float:
    x = np.log(np.concatenate([x for x, _ in samples]))
    y = np.log(np.concatenate([y for _, y in samples]))
    return float(np.polyfit(x, y, 1)[0])

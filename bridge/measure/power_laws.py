"""Power laws of weak forces and small gaps, by maximum likelihood.

At jamming the weakest forces and the smallest gaps of a large system follow

    P(f) ∝ f^θ,    P(h) ∝ h^-γ    as f, h -> 0

with θ = 0.42311 and γ = 0.41269 in mean field (Charbonneau, Kurchan, Parisi, Urbani, Zamponi,
Nat. Commun. 5, 3725, 2014), cut off below by the finite number of constraints. Here both are one
fit: ``P(v) ∝ v^k`` on a window ``low < v <= high``, with ``k = θ`` or ``k = -γ``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from bridge.protocols import Vector

THETA = 0.42311
GAMMA = 0.41269

# Values in a window below which no exponent is given: its error would be 15 % at best.
FEWEST = 50


@dataclass(frozen=True, eq=False)
class PowerLaw:
    """A fit of ``P(v) ∝ v^exponent`` on a window, or the reason why there is none.

    Attributes
    ----------
    exponent, error
        The exponent, and its standard error by bootstrap; NaN where nothing was fitted.
    low, high
        The window ``low < v <= high``.
    count, samples
        Values in the window, and the samples they come from.
    distance
        Kolmogorov-Smirnov distance between values and fit, NaN where nothing was fitted.
    status
        ``"fitted"`` or ``"too few"``.
    reason
        One line where nothing was fitted.
    """

    exponent: float
    error: float
    low: float
    high: float
    count: int
    samples: int
    distance: float
    status: Literal["fitted", "too few"]
    reason: str = ""

    @classmethod
    def too_few(cls, reason: str, low: float, high: float, count: int, samples: int) -> Self:
        """Return the window on which nothing was fitted, and why."""
        n = np.nan
        return cls(n, n, low, high, count, samples, n, "too few", reason)


def fit_power_law(
    samples: Vector | Sequence[Vector],
    high: float | None = None,
    *,
    low: float = 0.0,
    fewest: int = FEWEST,
    resamples: int = 200,
    rng: np.random.Generator | None = None,
) -> PowerLaw:
    """Fit ``P(v) ∝ v^k`` to the values in a window near zero.

    The likelihood of ``(1 + k) v^k / (high^(1+k) - low^(1+k))`` is largest, for ``low = 0``, at
    ``1 + k = count / Σ ln(high/v)`` (Hill's estimator of ``1/v``).

    Parameters
    ----------
    samples
        Positive values: those of one sample, or one array for each of several. Errors come from
        drawing whole samples again, or single values where there is only one sample.
    high
        Upper end of the window; by default that of `best_window`.
    low
        Lower end of the window.
    fewest
        Values in the window below which no exponent is given.
    resamples
        Bootstrap samples.
    rng
        Draws them; seeded with 0 if not given.

    Raises
    ------
    ValueError
        If a value is negative or not finite, or the window is empty.

    Examples
    --------
    >>> values = np.random.default_rng(1).random(20_000) ** (1 / 1.4)  # P(v) = 1.4 v^0.4
    >>> fit = fit_power_law(values, high=1.0)
    >>> round(fit.exponent, 1), round(fit.error, 2)
    (0.4, 0.01)
    >>> fit_power_law(values[:10], high=1.0).reason
    '10 values in the window, at least 50 are needed'
    """
    groups = _groups(samples)
    everything = np.concatenate(groups)
    if high is None:
        high = best_window(everything, low=low, fewest=fewest)
    if not 0.0 <= low < high < np.inf:
        raise ValueError(f"expected a window 0 <= low < high, got low={low}, high={high}: widen it")
    inside = _inside(everything, low, high)
    if len(inside) < max(fewest, 2):
        reason = f"{len(inside)} values in the window, at least {fewest} are needed"
        return PowerLaw.too_few(reason, low, high, len(inside), len(groups))
    rng = np.random.default_rng(0) if rng is None else rng
    exponent = _most_likely(inside, low, high)
    return PowerLaw(
        exponent=exponent,
        error=_bootstrap(groups, low, high, resamples, rng),
        low=low,
        high=high,
        count=len(inside),
        samples=len(groups),
        distance=_distance(inside, exponent, low, high),
        status="fitted",
    )


def best_window(values: ArrayLike, *, low: float = 0.0, fewest: int = FEWEST) -> float:
    """Return the upper end of the window on which a power law fits best.

    It is the one of 100 quantiles with the smallest Kolmogorov-Smirnov distance (Clauset,
    Shalizi, Newman, SIAM Rev. 51, 661, 2009, sect. 3.3), of windows with enough values.
    """
    ordered = np.sort(_inside(np.asarray(values, dtype=np.float64), low, np.inf))
    if len(ordered) <= fewest:
        return float(ordered[-1]) if len(ordered) else 1.0
    counts = np.unique(np.geomspace(fewest, len(ordered), 100).astype(int))
    distances = []
    for count in counts:
        inside, high = ordered[:count], float(ordered[count - 1])
        distances.append(_distance(inside, _most_likely(inside, low, high), low, high))
    return float(ordered[counts[int(np.argmin(distances))] - 1])


def finite_size_floor(samples: Sequence[Vector], per_sample: float = 3.0) -> float:
    """Return the value below which samples hold ``per_sample`` values on average.

    The power laws end where a sample holds one value or so: below the floor it is the number of
    constraints that shapes the distribution. Pass it as ``low``.

    Examples
    --------
    >>> finite_size_floor([np.array([0.1, 0.3]), np.array([0.2, 0.4])], per_sample=1.0)
    0.2
    """
    ordered = np.sort(np.concatenate(_groups(samples)))
    count = round(per_sample * len(samples))
    return float(ordered[min(count, len(ordered)) - 1]) if count >= 1 and len(ordered) else 0.0


def stability(
    samples: Vector | Sequence[Vector],
    highs: ArrayLike,
    *,
    low: float = 0.0,
    resamples: int = 100,
    rng: np.random.Generator | None = None,
) -> list[PowerLaw]:
    """Fit the same values on windows of different upper ends: a plateau is an exponent."""
    rng = np.random.default_rng(0) if rng is None else rng
    return [
        fit_power_law(samples, float(high), low=low, resamples=resamples, rng=rng)
        for high in np.atleast_1d(highs)
    ]


@dataclass(frozen=True, eq=False)
class TailSample:
    """Values of one jamming point, and how many contacts it has."""

    n_contacts: int
    values: Vector


def fit_at_contacts(
    samples: Sequence[TailSample],
    n_contacts: int,
    high: float | None = None,
    *,
    tolerance: float = 0.1,
    low: float = 0.0,
    fewest: int = FEWEST,
    resamples: int = 200,
    rng: np.random.Generator | None = None,
) -> PowerLaw:
    """Fit only the samples with about ``n_contacts`` contacts.

    The power laws are cut off at ``f ~ n^(-1/(1+θ))`` and ``h ~ n^(-1/(1-γ))``, so that a small
    system mimics other exponents: two systems are compared at equal numbers of contacts and on the
    same window.

    Parameters
    ----------
    samples
        All of one system.
    n_contacts, tolerance
        The number of contacts, and the relative deviation from it that is allowed.
    high, low, fewest, resamples, rng
        As in `fit_power_law`.
    """
    chosen = [s.values for s in samples if abs(s.n_contacts - n_contacts) <= tolerance * n_contacts]
    if not chosen:
        reason = f"no sample has {n_contacts} contacts within {tolerance:.0%}"
        return PowerLaw.too_few(reason, low, np.nan if high is None else high, 0, 0)
    return fit_power_law(chosen, high, low=low, fewest=fewest, resamples=resamples, rng=rng)


def _groups(samples: Vector | Sequence[Vector]) -> list[Vector]:
    """Return one array a sample."""
    arrays = [samples] if isinstance(samples, np.ndarray) else samples
    groups = [np.asarray(array, dtype=np.float64).ravel() for array in arrays]
    for group in groups:
        if not (np.isfinite(group).all() and (group >= 0.0).all()):
            raise ValueError("expected values that are finite and not negative: pass h = -Δ > 0")
    return groups


def _inside(values: Vector, low: float, high: float) -> Vector:
    return np.asarray(values[(values > low) & (values <= high)])


def _most_likely(inside: Vector, low: float, high: float) -> float:
    """Return the exponent of largest likelihood."""
    logs = float(np.log(high / inside).mean())
    if logs <= 0.0:
        return np.inf
    if low == 0.0:
        return 1.0 / logs - 1.0
    width = float(np.log(high / low))

    def slope(q: float) -> float:  # d(log-likelihood per value)/dq, q = 1 + k
        if abs(q * width) < 1e-6:
            return 0.5 * width - q * width**2 / 12.0 - logs
        with np.errstate(over="ignore"):  # nothing is left of the second term
            return 1.0 / q - width / float(np.expm1(q * width)) - logs

    bound = 1.0 / logs + 1.0 / max(width - logs, 1e-12) + 1.0
    return float(brentq(slope, -bound, bound)) - 1.0


def _distance(inside: Vector, exponent: float, low: float, high: float) -> float:
    """Return the Kolmogorov-Smirnov distance between values and fit."""
    ordered = np.sort(inside)
    power = 1.0 + exponent
    if abs(power) < 1e-9:
        expected = np.log(ordered / low) / np.log(high / low)
    else:
        edge = high if power > 0.0 else low  # no quotient to the power is above one
        floor, top = (low / edge) ** power, (high / edge) ** power
        expected = ((ordered / edge) ** power - floor) / (top - floor)
    steps = np.arange(len(ordered) + 1) / len(ordered)
    return float(max(np.abs(steps[1:] - expected).max(), np.abs(steps[:-1] - expected).max()))


def _bootstrap(
    groups: list[Vector], low: float, high: float, resamples: int, rng: np.random.Generator
) -> float:
    """Return the standard deviation of the exponent over samples drawn again."""
    insides = [_inside(group, low, high) for group in groups]
    if len(insides) == 1:
        insides = [np.array([value]) for value in insides[0]]
    counts = np.array([len(inside) for inside in insides])
    exponents = []
    for _ in range(resamples):
        drawn = rng.integers(len(insides), size=len(insides))
        if counts[drawn].sum() < 2:
            continue
        exponents.append(_most_likely(np.concatenate([insides[i] for i in drawn]), low, high))
    return float(np.std(exponents, ddof=1)) if len(exponents) > 1 else np.nan

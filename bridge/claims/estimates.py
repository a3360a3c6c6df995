"""Estimates from the records of an experiment: means over seeds, counts, extremes, exponents.

Each counts the runs that stalled: what is judged must know of them.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from bridge.claims.claim import Estimate
from bridge.claims.experiment import Records
from bridge.protocols import Vector
from bridge.records.store import Record

Number: TypeAlias = str | Callable[[Record], float]  # of a record: a name, or what is made of it


def of_kind(records: Records, **where: Any) -> list[Record]:
    """Return the records whose parameters are as given: one value, or one of a tuple of them."""
    wanted = {key: value if isinstance(value, tuple) else (value,) for key, value in where.items()}
    return [r for r in records if all(r.parameters[key] in wanted[key] for key in wanted)]


def finished(records: Records, **where: Any) -> list[Record]:
    """Return those of them that did not stall."""
    return [record for record in of_kind(records, **where) if record.status != "stalled"]


def column(records: Records, number: Number, **where: Any) -> Vector:
    """Return one number of each finished record whose parameters are as given."""
    take = number if callable(number) else lambda record: record.data[number]
    return np.array([take(record) for record in finished(records, **where)], dtype=np.float64)


def n_stalled(records: Records, **where: Any) -> int:
    """Return how many runs of those parameters stalled."""
    return sum(record.status == "stalled" for record in of_kind(records, **where))


def mean(records: Records, number: Number, *, note: str = "", **where: Any) -> Estimate:
    """Return the mean of one number of the runs whose parameters are as given."""
    values = column(records, number, **where)
    return mean_of(values, stalled=n_stalled(records, **where), note=note)


def mean_of(values: ArrayLike, *, stalled: int = 0, note: str = "") -> Estimate:
    """Return the mean over seeds with its standard error; NaN as error of fewer than three."""
    found = np.asarray(values, dtype=np.float64)
    n = len(found)
    error = float(found.std(ddof=1) / math.sqrt(n)) if n > 2 else math.nan
    return Estimate(float(found.mean()) if n else math.nan, error, n + stalled, stalled, note)


def share_of(hits: ArrayLike, *, stalled: int = 0, fewest: int = 1) -> Estimate:
    """Return the share of hits after two hits and two misses are added; NaN of too few.

    So two errors hold the true share even where all or none of a few are hits.

    References
    ----------
    Agresti, Coull, Am. Stat. 52, 119 (1998).

    >>> found = share_of([True] * 12)
    >>> found.value, round(found.error, 3), found.note
    (0.875, 0.083, '12 of 12')
    """
    n, k = np.size(hits), int(np.sum(hits))
    share = (k + 2) / (n + 4) if n >= fewest else math.nan
    error = math.sqrt(share * (1 - share) / (n + 4))
    return Estimate(share, error, n + stalled, stalled, f"{k} of {n}")


def farthest(records: Records, number: Number, **where: Any) -> Estimate:
    """Return the number farthest from zero, either way, of all finished runs: it has no error."""
    values = column(records, number, **where).tolist()
    value = max(values, key=abs, default=math.nan)
    stalled = n_stalled(records, **where)
    return Estimate(value, 0.0, len(values) + stalled, stalled, f"the farthest of {len(values)}")


def log_ratio(
    records: Records,
    number: Number,
    *,
    above: Mapping[str, Any],
    below: Mapping[str, Any],
    known: Callable[[Record], bool] = lambda _: True,
) -> Estimate:
    """Return the mean over seeds of ``ln(v/v')`` of one number, between two kinds of runs.

    A seed counts as stalled where one of the two runs did, or the one below is not ``known``.
    """
    take = number if callable(number) else lambda record: record.data[number]
    more, fewer = ({r.seed: r for r in finished(records, **kind)} for kind in (above, below))
    seeds = {r.seed for r in of_kind(records, **below)}
    both = [seed for seed in more if seed in fewer and known(fewer[seed])]
    values = np.array([[take(more[seed]), take(fewer[seed])] for seed in both]).reshape(-1, 2)
    note = ", ".join(f"{v:.4g} against {w:.4g}" for v, w in values)
    logs = np.log(values[:, 0] / values[:, 1])
    return mean_of(logs, stalled=len(seeds) - len(both), note=note)


_FULL = 0.75  # minima a start, from which on their number is that of the starts


def counted(record: Record) -> bool:
    """Tell whether a run has found fewer minima than it could, from so many starts."""
    return bool(record.data["minima"] < _FULL * record.parameters["starts"])


def ratio_of(above: Estimate, below: Estimate, note: str = "") -> Estimate:
    """Return the ratio of two independent means."""
    value = above.value / below.value
    error = abs(value) * math.hypot(above.error / above.value, below.error / below.value)
    stalled = above.stalled + below.stalled
    return Estimate(value, error, above.samples + below.samples, stalled, note)


def exponent(at: ArrayLike, means: Sequence[Estimate]) -> Estimate:
    """Return ``k`` of ``v ∝ at^k``: least squares of the logarithms, with the errors of ``v``.

    Its error grows with the scatter about the power law, where that is more than the errors of the
    means. NaN of fewer than two means, or where one is not positive or has no error.

    >>> found = exponent([1.0, 4.0, 9.0], [Estimate(v, 0.1 * v, 5) for v in (2.0, 4.0, 6.0)])
    >>> round(found.value, 9), round(found.error, 3)
    (0.5, 0.064)
    """
    samples, stalled = sum(m.samples for m in means), sum(m.stalled for m in means)
    note = ", ".join(
        f"{m.value:.3g} at {a:.4g}" for a, m in zip(np.asarray(at), means, strict=True)
    )
    values, errors = (np.array([getattr(m, name) for m in means]) for name in ("value", "error"))
    if len(means) < 2 or not (values > 0).all() or not (errors > 0).all():
        return Estimate(math.nan, math.nan, samples, stalled, note)
    x, y, weights = np.log(at), np.log(values), values / errors
    line, covariance = np.polyfit(x, y, 1, w=weights, cov="unscaled")
    scatter = float((((y - np.polyval(line, x)) * weights) ** 2).sum()) / max(len(means) - 2, 1)
    error = math.sqrt(covariance[0, 0] * max(scatter, 1.0))
    return Estimate(float(line[0]), error, samples, stalled, note)

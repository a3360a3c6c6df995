"""Estimates from the records of an experiment: means over seeds, counts and extremes."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridge.claims.claim import Estimate
from bridge.claims.experiment import Records
from bridge.protocols import Vector
from bridge.records.store import Record


def of_kind(records: Records, **where: Any) -> list[Record]:
    """Return the records whose parameters are as given."""
    return [r for r in records if all(r.parameters[key] == where[key] for key in where)]


def finished(records: Records, **where: Any) -> list[Record]:
    """Return those of them that did not stall."""
    return [record for record in of_kind(records, **where) if record.status != "stalled"]


def column(records: Records, name: str, **where: Any) -> Vector:
    """Return one number of each finished record whose parameters are as given."""
    return np.array([r.data[name] for r in finished(records, **where)], dtype=np.float64)


def n_stalled(records: Records) -> int:
    """Return how many runs stalled."""
    return sum(record.status == "stalled" for record in records)


def mean(records: Records, name: str, *, note: str = "", **where: Any) -> Estimate:
    """Return the mean of one number of the runs whose parameters are as given."""
    stalled = n_stalled(of_kind(records, **where))
    return mean_of(column(records, name, **where), stalled=stalled, note=note)


def mean_of(values: ArrayLike, *, stalled: int = 0, note: str = "") -> Estimate:
    """Return the mean over seeds with its standard error; NaN as error of fewer than three."""
    found = np.asarray(values, dtype=np.float64)
    n = len(found)
    error = float(found.std(ddof=1) / math.sqrt(n)) if n > 2 else math.nan
    return Estimate(float(found.mean()) if n else math.nan, error, n + stalled, stalled, note)


def exact(value: float, records: Records, note: str = "") -> Estimate:
    """Return a number that has no error: a count, or the extreme of all runs."""
    return Estimate(float(value), 0.0, len(records), n_stalled(records), note)


def farthest(values: ArrayLike, records: Records, runs: str) -> Estimate:
    """Return the value farthest from zero, either way, among those of all ``runs``."""
    largest = max(np.asarray(values).tolist(), key=abs, default=math.nan)
    return exact(largest, records, f"the largest of all {runs}, either way")


def ratio_of(above: Estimate, below: Estimate, note: str = "") -> Estimate:
    """Return the ratio of two independent means."""
    value = above.value / below.value
    error = abs(value) * math.hypot(above.error / above.value, below.error / below.value)
    stalled = above.stalled + below.stalled
    return Estimate(value, error, above.samples + below.samples, stalled, note)

"""A claim of a paper: a number, what it is expected to be, and the verdict on what we measured.

A measured value ``v`` with standard error ``s`` stands for the interval ``v ± 2s``. It is compared
with the interval of values that the claim allows:

    confirmed       all of it lies inside
    not confirmed   all of it lies outside
    undecided       it does both, or more than a quarter of the runs did not come to an end
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridge.protocols import Vector
from bridge.records.store import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Records: TypeAlias = Sequence[Record]
Verdict: TypeAlias = Literal["confirmed", "not confirmed", "undecided"]

SIGMAS = 2.0  # standard errors on each side of a value
MOST_STALLED = 0.25  # share of runs without an end above which nothing is decided

GEIGER = "Geiger et al., Phys. Rev. E 100, 012115 (2019)"
BALLARD = "Ballard et al., Phys. Chem. Chem. Phys. 19, 12585 (2017)"


@dataclass(frozen=True)
class Source:
    """Where a claim is made: a paper, and the place in it."""

    paper: str
    place: str = "abstract"


@dataclass(frozen=True)
class Expected:
    """The values that a claim allows: ``value ± tolerance``, or one side of it.

    Attributes
    ----------
    value, tolerance
        The number, and what finite size may change of it; 0 if the number is exact.
    basis
        Where the number comes from, in a few words.
    sense
        ``"="``, or ``">="`` and ``"<="`` for a claim that only bounds the value.
    """

    value: float
    tolerance: float
    basis: str
    sense: Literal["=", ">=", "<="] = "="

    @property
    def low(self) -> float:
        """The smallest value allowed."""
        return -math.inf if self.sense == "<=" else self.value - self.tolerance

    @property
    def high(self) -> float:
        """The largest value allowed."""
        return math.inf if self.sense == ">=" else self.value + self.tolerance

    def __str__(self) -> str:
        number = f"{self.value:.9g}"
        if self.sense == "=":
            return f"{number} ± {self.tolerance:.2g}" if self.tolerance else f"{number}, exactly"
        edge = self.low if self.sense == ">=" else self.high
        return f"{'≥' if self.sense == '>=' else '≤'} {edge:.9g}"


@dataclass(frozen=True)
class Estimate:
    """What was measured.

    Attributes
    ----------
    value, error
        The value and its standard error over seeds; 0 where one run counts exactly, NaN where
        there were too few to tell.
    samples, stalled
        Runs, and how many of them stalled.
    note
        What else should be known, in one line.
    """

    value: float
    error: float
    samples: int
    stalled: int = 0
    note: str = ""


@dataclass(frozen=True)
class Sample:
    """What one run of an experiment found: its status, numbers, and arrays for the figure."""

    values: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    status: str = "done"


@dataclass(frozen=True)
class GridPoint:
    """Parameters of an experiment, and the number of seeds it is repeated with."""

    samples: int
    parameters: Mapping[str, Any] = field(default_factory=dict)


def grid(samples: int, **parameters: Any) -> tuple[GridPoint, ...]:
    """Return the points of a grid: a list is an axis of it, the last one varies fastest.

    >>> [point.parameters for point in grid(3, n=10, alpha=[2.0, 4.0])]
    [{'n': 10, 'alpha': 2.0}, {'n': 10, 'alpha': 4.0}]
    """
    axes = [value if isinstance(value, list) else [value] for value in parameters.values()]
    points = product(*axes)
    return tuple(GridPoint(samples, dict(zip(parameters, at, strict=True))) for at in points)


@dataclass(frozen=True)
class Experiment:
    """Runs that one or several claims rest on.

    Attributes
    ----------
    name
        The kind of its records.
    sample
        One run: ``sample(rng, **parameters)``.
    default, full
        What is run: in minutes, and with ``--full``.
    settings
        Returns what else the result depends on: numbers of the program that are no parameters.
    on_networks
        Whether its runs import the networks, and with them torch.
    """

    name: str
    sample: Callable[..., Sample]
    default: tuple[GridPoint, ...]
    full: tuple[GridPoint, ...]
    settings: Callable[[], Mapping[str, Any]] = dict
    on_networks: bool = False


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes
    ----------
    name
        Its name on the command line.
    sentence
        What the paper says.
    quantity
        The number that is measured for it.
    experiment
        The runs it rests on; several claims may share one.
    estimate
        Turns the records of these runs into the number.
    source
        Where it is made.
    """

    name: str
    sentence: str
    quantity: str
    expected: Expected
    experiment: Experiment
    estimate: Callable[[Records], Estimate]
    source: Source


@dataclass(frozen=True)
class Theme:
    """Claims that belong together, and one figure of the runs behind them.

    ``draw(figure, records)`` gets the records of each experiment by its name.
    """

    name: str
    title: str
    claims: tuple[Claim, ...]
    draw: "Callable[[Figure, Mapping[str, Records]], None]"


def judge(expected: Expected, found: Estimate) -> Verdict:
    """Compare what was measured with what the claim allows.

    >>> half = Expected(0.5, 0.05, "theory")
    >>> [judge(half, Estimate(v, s, 4)) for v, s in ((0.51, 0.01), (0.7, 0.01), (0.54, 0.02))]
    ['confirmed', 'not confirmed', 'undecided']
    """
    if not math.isfinite(found.value) or not math.isfinite(found.error):
        return "undecided"
    if found.stalled > MOST_STALLED * found.samples:
        return "undecided"
    low, high = found.value - SIGMAS * found.error, found.value + SIGMAS * found.error
    if expected.low <= low and high <= expected.high:
        return "confirmed"
    if high < expected.low or low > expected.high:
        return "not confirmed"
    return "undecided"


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

"""A claim of a paper: a number, what it is expected to be, and the verdict on what we measured.

A measured value ``v`` with standard error ``s`` stands for the interval ``v ± 2s``. It is compared
with the interval of values that the claim allows:

    confirmed       all of it lies inside
    not confirmed   all of it lies outside
    undecided       it does both, more than a quarter of the runs did not come to an end, or fewer
                    came to one than the claim asks for

What is claimed and what it allows stand in two tables, ``claims.toml`` for what papers say and
``checks.toml`` for our own methods; how it is measured stands in the theme of its name.
"""

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from bridge.claims.experiment import Experiment, Records

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Verdict: TypeAlias = Literal["confirmed", "not confirmed", "undecided"]

SIGMAS = 2.0  # standard errors on each side of a value
MOST_STALLED = 0.25  # share of runs without an end above which nothing is decided


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
    tolerance: float = 0.0
    basis: str = ""
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
class Claim:
    """One claim.

    Attributes
    ----------
    name
        Its name on the command line.
    sentence
        What is claimed.
    quantity
        The number that is measured for it.
    refuted_by
        The outcome that would refute it, said before anything is run.
    experiment
        The runs it rests on; several claims may share one.
    estimate
        Turns the records of these runs into the number.
    source
        Who made it, and where: authors, a comma, the rest.
    check
        Whether it is no claim of a paper, but a check of our methods.
    fewest
        Runs that must have come to an end, or nothing is decided.
    """

    name: str
    sentence: str
    quantity: str
    expected: Expected
    refuted_by: str
    experiment: Experiment
    estimate: Callable[[Records], Estimate]
    source: str
    check: bool = False
    fewest: int = 3


@dataclass(frozen=True)
class Theme:
    """Claims that belong together, and one figure of the runs behind them.

    ``draw(figure, records)`` gets the records of each experiment by its name.
    """

    name: str
    title: str
    claims: tuple[Claim, ...]
    draw: "Callable[[Figure, Mapping[str, Records]], None]"


Measured: TypeAlias = tuple[Experiment, Callable[[Records], Estimate]]


def theme_of(
    name: str,
    title: str,
    measured: Mapping[str, Measured],
    draw: "Callable[[Figure, Mapping[str, Records]], None]",
) -> Theme:
    """Return a theme: each claim as the tables have it, with the runs and the estimate behind it.

    Raises
    ------
    KeyError
        If a claim stands in neither table.
    """
    claims = []
    for claim, (experiment, estimate) in measured.items():
        said = dict(said_of_all()[claim])
        expected = Expected(**said.pop("expected"))
        claims += [
            Claim(claim, expected=expected, experiment=experiment, estimate=estimate, **said)
        ]
    return Theme(name, title, tuple(claims), draw)


@cache
def said_of_all() -> dict[str, dict[str, Any]]:
    """Return what the two tables say of each claim, by its name."""
    found: dict[str, dict[str, Any]] = {}
    for name, check in (("claims.toml", False), ("checks.toml", True)):
        table = tomllib.loads(files("bridge.claims").joinpath(name).read_text(encoding="utf-8"))
        for theme in table.values():
            found |= {claim: {**said, "check": check} for claim, said in theme.items()}
    return found


def judge(expected: Expected, found: Estimate, fewest: int = 3) -> Verdict:
    """Compare what was measured with what the claim allows.

    >>> half = Expected(0.5, 0.05, "theory")
    >>> [judge(half, Estimate(v, s, 4)) for v, s in ((0.51, 0.01), (0.7, 0.01), (0.54, 0.02))]
    ['confirmed', 'not confirmed', 'undecided']
    >>> judge(half, Estimate(0.51, 0.01, 4, stalled=2)), judge(half, Estimate(0.51, 0.01, 2))
    ('undecided', 'undecided')
    """
    if not math.isfinite(found.value) or not math.isfinite(found.error):
        return "undecided"
    ended = found.samples - found.stalled
    if ended < fewest or found.stalled > MOST_STALLED * found.samples:
        return "undecided"
    low, high = found.value - SIGMAS * found.error, found.value + SIGMAS * found.error
    if expected.low <= low and high <= expected.high:
        return "confirmed"
    if high < expected.low or low > expected.high:
        return "not confirmed"
    return "undecided"

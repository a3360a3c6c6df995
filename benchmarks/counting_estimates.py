"""What the points of `counting` are worth: groups, trends over sizes, dials and exponents.

Missing constraints are ``n + 1 - N_Δ - kinks`` with ``n`` of the certificate: parameters on which
an active constraint acts, less those along which no constraint can act (the norm, rescalings of
rectifiers, translations). Only certified points are in means and fits.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from counting import Book
from counting_cases import (
    COMPONENTS,
    DISCS,
    ELLIPSES,
    KINKED,
    LOAD,
    LOADS,
    MIDDLE,
    NON_CONVEX,
    SMOOTH,
    WIDTHS,
    Case,
)

from bridge.measure.power_laws import PowerLaw, finite_size_floor, fit_power_law

DRAWS = 400
LONG = 1.1  # least aspect ratio of the ellipses whose forces and gaps are fitted
CERTIFIED = "jammed"
UNTRIED = ("not fitted", "cut off")  # of which no exact point was looked for to the end
KINDS = {"forces": 1, "masks": 1, "gaps": -1, "kinks": -1}  # sign of the exponent that is shown


@dataclass(frozen=True, eq=False)
class Point:
    """What is stored of one case, certified or not."""

    case: Case
    numbers: dict[str, Any]
    values: dict[str, Any]

    @property
    def certified(self) -> bool:
        return self.numbers["status"] == CERTIFIED

    @property
    def n(self) -> int:
        return int(self.numbers["n"])

    @property
    def missing(self) -> int:
        return int(self.numbers["missing"])

    @property
    def part(self) -> float:
        """Missing constraints of each degree of freedom."""
        return self.missing / self.n

    def at_the_end_of_the_dial(self, near: int = 0) -> tuple[int, int]:
        """Return ``n`` and the missing constraints as they are counted where the dial ends.

        Discs do not turn: the angle of each ellipse that is held is no degree of freedom. ReLUs
        have kinks and rescalings: a convex bend in which a unit is counts as a kink that is held
        (``near`` of `counting_cases.NEAR_KINK` says when it is), and a rescaling of a unit, which
        the norm resists, is no degree of freedom.
        """
        numbers, case = self.numbers, self.case
        if case.system == "ellipses":
            angles = (self.n + numbers["n_symmetries"]) // 3
            return self.n - angles, self.missing - angles
        units = case.depth * case.size
        bends = numbers["rounded_kinks"]["convex"][near]
        return self.n - units, self.missing - units - bends


@dataclass(frozen=True, eq=False)
class Group:
    """Cases that differ in their seeds only."""

    every: tuple[Point, ...]

    @property
    def case(self) -> Case:
        return self.every[0].case

    @cached_property
    def points(self) -> list[Point]:
        """Those that are certified."""
        return [point for point in self.every if point.certified]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Return how many were tried, how many of these fitted, and how many are certified."""
        statuses = [point.numbers["status"] for point in self.every]
        fitted = [status for status in statuses if status not in UNTRIED]
        return len(statuses), len(fitted), len(self.points)

    @property
    def weights(self) -> int:
        """``N``: weights of a network, or the size of what is none."""
        return self.case.mlp.n_weights if self.case.depth else self.case.size

    def mean(self, value: Callable[[Point], float]) -> tuple[float, float]:
        """Return the mean over the certified points and its error, NaN of fewer than two."""
        return mean_of([value(point) for point in self.points])


def mean_of(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 2:
        return (float(values[0]) if len(values) else np.nan), np.nan
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))


def read(path: Path) -> list[Point]:
    """Return the points of a file, and of the ``.npz`` beside it."""
    book = Book(path)
    return [
        Point(
            Case(**line["case"]),
            line,
            {name: book.values[slice(*place)] for name, place in line["values"].items()},
        )
        for line in book.lines.values()
    ]


def groups(every: Iterable[Point]) -> list[Group]:
    """Return groups, networks first, in the order of activation, load, depth and size."""
    found: dict[tuple[Any, ...], list[Point]] = {}
    for point in every:
        c = point.case
        order = (*KINKED, *SMOOTH).index(c.system) if c.system in KINKED + SMOOTH else 9
        beta = float(c.system.partition(":")[2] or 0)
        key = (c.depth == 0, order, c.system[:8], beta, c.load, c.depth, c.size)
        found.setdefault(key, []).append(point)
    return [Group(tuple(found[key])) for key in sorted(found)]


@dataclass(frozen=True)
class Trend:
    """How missing constraints go on with ``n``, with errors by drawing points of each size again.

    ``part`` is ``c`` of a line ``missing/n = c + b/n``, what is left at infinite ``n`` if a fixed
    number is missing beside; ``root`` is that of ``c + b/√n``, and differs where two sizes more
    would be needed to tell. ``power`` is that of ``missing ∝ n^power``, 0 of a fixed number and
    1 of a fixed part.
    """

    part: float
    root: float
    power: float
    part_error: float
    root_error: float
    power_error: float


def trend(sizes: Sequence[Group]) -> Trend | None:
    """Return the trend over groups of two sizes or more; None if there are fewer with points."""
    chosen = [group for group in sizes if len(group.points) > 1]
    if len(chosen) < 2:
        return None
    rng = np.random.default_rng(0)
    samples = [np.array([[p.n, p.missing] for p in group.points], dtype=float) for group in chosen]
    drawn = [_trend([s[rng.integers(len(s), size=len(s))] for s in samples]) for _ in range(DRAWS)]
    errors = [
        float(np.std(values, ddof=1)) if len(values) > 1 else np.nan
        for values in (column[np.isfinite(column)] for column in np.array(drawn).T)
    ]
    return Trend(*_trend(samples), *errors)


def _trend(samples: list[Any]) -> tuple[float, float, float]:
    """Return ``c`` of both lines, as if the variance of ``missing`` were ``n``; and the power."""
    n, missing = np.concatenate(samples).T
    part, root = (
        float(np.polyfit(n**power, missing / n, 1, w=np.sqrt(n))[1]) for power in (-1.0, -0.5)
    )
    means = np.array([s.mean(axis=0) for s in samples])
    if (means[:, 1] <= 0.0).any():
        return part, root, np.nan
    return part, root, float(np.polyfit(*np.log(means).T, 1)[0])


def pooled(every: Iterable[Point], kind: str) -> list[Any]:
    """Return the values of one kind of each certified point."""
    return [np.asarray(p.values[kind], dtype=float) for p in every if p.certified]


def exponent(samples: list[Any], kind: str, high: float) -> PowerLaw:
    """Fit below ``high``; gaps and ``|z|`` above where a point has three, as in `exact`."""
    low = finite_size_floor(samples) if KINDS[kind] < 0 and samples else 0.0
    if not sum(map(len, samples)) or low >= high:
        return PowerLaw.too_few("nothing lies in the window", low, high, 0, len(samples))
    fit = fit_power_law(samples, high, low=low)
    if fit.status != "fitted":
        return fit
    # Few points drawn again say too little of their scatter: never less than that of the count.
    return replace(fit, error=np.fmax(fit.error, (1.0 + fit.exponent) / np.sqrt(fit.count)))


def of_sizes(every: list[Group], system: str, depth: int, load: float = LOAD) -> list[Group]:
    """Return the groups of one system over its sizes."""
    return [g for g in every if (g.case.system, g.case.depth, g.case.load) == (system, depth, load)]


def dial_of(every: list[Group], system: str, depth: int = 0) -> list[Group]:
    """Return softplus of one depth from smooth to sharp, or ellipses from long to round."""
    if system == "ellipses":
        return [g for g in every if g.case.system == system][::-1]
    size = WIDTHS[depth][MIDDLE]
    chosen = [g for g in every if g.case.system.startswith("softplus:")]
    plain = of_sizes(every, "softplus", depth)
    return [g for g in plain + chosen if (g.case.depth, g.case.size) == (depth, size)]


def dial_value(case: Case) -> float:
    """Return how far a case is from where its dial ends: ``1/β``, or the aspect ratio less 1."""
    if case.system == "ellipses":
        return case.load - 1.0
    return 1.0 / float(case.system.partition(":")[2] or 1.0)


def classes(every: list[Point]) -> dict[str, list[Point]]:
    """Return the points whose forces and gaps are fitted together, at the load of all."""
    found = {}
    at_load = [p for p in every if p.case.depth and p.case.load == LOAD]
    for size, names in enumerate(("150", "300", "600", "1200")):
        for name in (*KINKED, *SMOOTH):
            chosen = [p for p in at_load if p.case.system == name and size_of(p.case) == size]
            found[f"{name}, N about {names}"] = chosen
        some = [p for p in at_load if p.case.system in KINKED and size_of(p.case) == size]
        found[f"**all with kinks, N about {names}**"] = some
    middle = [p for p in every if p.case.depth and size_of(p.case) == MIDDLE]
    for names, load in product((("relu", "hardtanh"), ("tanh",)), sorted((LOAD, *LOADS))):
        chosen = [p for p in middle if p.case.system in names and p.case.load == load]
        found[f"{' and '.join(names)}, N about 300, P/N = {load}"] = chosen
    for n in COMPONENTS:
        of = (NON_CONVEX[0], n)
        chosen = [p for p in every if p.case.system == "perceptron" and at(p.case) == of]
        found[f"perceptron, σ < 0, N = {n}"] = chosen
    discs = [p for p in every if p.case.system == "discs"]
    for n in DISCS:
        found[f"discs, N = {n}"] = [p for p in discs if p.case.size == n]
    ellipses = [p for p in every if p.case.system == "ellipses" and p.case.load >= LONG]
    found[f"ellipses, N = {ELLIPSES}, aspect {LONG} to 2"] = ellipses
    return {name: points for name, points in found.items() if any(p.certified for p in points)}


def at(case: Case) -> tuple[float, int]:
    return case.load, case.size


def size_of(case: Case) -> int:
    return WIDTHS[case.depth].index(case.size)

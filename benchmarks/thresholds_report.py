"""Where the networks of `thresholds` cease to fit: tables.

    python benchmarks/thresholds_report.py [FILE.json]

Prints tables of ``thresholds.json``; `thresholds_figure` draws them. The load ``P*/N`` at which
half of the living networks fit is that of a logistic curve through all loads that were tried; what
is neither fitted nor certified counts as not fitting. Errors are those of that fit, and, after a
slash, of drawing the seeds again, Adam alone and polished ends of a network together.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from thresholds import HOME, Ended, read

from bridge.measure.midpoint import Midpoint, midpoint

DRAWS = 200
LOOSE, LOW = 0.1, 1e-5  # violated patterns per weight, U/P: below these others call it a fit
DEPTHS = 1, 2, 3
CRITERIA = {  # networks that count as fitted
    "adam": lambda end: end.adam_status == "unjammed",
    "few": lambda end: end.adam_violated < LOOSE * end.weights,
    "low": lambda end: end.adam_energy < LOW * end.patterns,
    "certified": lambda end: end.status == "unjammed",
}


@dataclass(frozen=True)
class Group:
    """All networks of one shape that were trained in one way."""

    ends: tuple[Ended, ...]

    @property
    def first(self) -> Ended:
        return self.ends[0]

    @property
    def polished(self) -> bool:
        return self.first.polished

    @property
    def weights(self) -> int:
        return self.first.weights

    @property
    def name(self) -> str:
        e = self.first
        way = "" if e.schedule == "usual" else f" {e.schedule}"
        return f"{e.data} | {e.depth} | {e.width} | {e.weights} | {e.steps}{way}"

    @property
    def loads(self) -> list[float]:
        return sorted({end.load for end in self.ends})

    def point(self, by: str, seeds: Iterable[int] | None = None) -> Midpoint | None:
        """Return where half fit by one of the `CRITERIA`; None if that is not enclosed."""
        chosen = {end.seed for end in self.ends} if seeds is None else seeds
        times = dict(zip(*np.unique(list(chosen), return_counts=True), strict=True))
        fitted, tried = dict.fromkeys(self.loads, 0), dict.fromkeys(self.loads, 0)
        for end in self.ends:
            if alive(end, by):
                tried[end.load] += times.get(end.seed, 0)
                fitted[end.load] += times.get(end.seed, 0) * CRITERIA[by](end)
        seen = [load for load in self.loads if tried[load]]
        columns = (np.array([table[load] for load in seen]) for table in (fitted, tried))
        try:
            found = midpoint(np.array(seen) * self._rounding, *columns)
        except ValueError:
            return None
        return found if seen[0] <= found.value / self._rounding <= seen[-1] else None

    @property
    def _rounding(self) -> float:
        """``P/N`` over the load asked for: the number of patterns is whole."""
        return float(np.mean([e.patterns / e.weights / e.load for e in self.ends]))

    def drawn_again(self, rng: np.random.Generator) -> Iterator[tuple[float, float]]:
        """Yield the loads by Adam alone and certified, with seeds drawn again."""
        seeds = sorted({end.seed for end in self.ends})
        for _ in range(DRAWS):
            chosen = rng.choice(seeds, len(seeds))
            points = [self.point(by, chosen.tolist()) for by in ("adam", "certified")]
            yield tuple(np.nan if point is None else point.value for point in points)


def alive(end: Ended, by: str) -> bool:
    return (end.status if by == "certified" else end.adam_status) != "dead"


def groups(path: Path) -> list[Group]:
    """Return the groups in the order of data, schedule, depth, size and steps."""

    def key(end: Ended) -> tuple[object, ...]:
        usual = end.schedule != "usual", end.schedule
        return end.data != "random", usual, end.depth, end.weights, end.steps

    return [Group(tuple(ends)) for _, ends in groupby(sorted(read(path), key=key), key)]


def shown(point: Midpoint | None, again: float | None = None) -> str:
    if point is None:
        return "not enclosed"
    more = "" if again is None else f"/{again:.2f}"
    return f"{point.value:.2f} ± {point.error:.2f}{more}"


def difference(group: Group) -> tuple[float, float] | None:
    """Return by what part of the certified load that by Adam alone is lower, and the error."""
    adam, certified = group.point("adam"), group.point("certified")
    if adam is None or certified is None or not group.polished:
        return None
    ratio = adam.value / certified.value
    return 1 - ratio, ratio * float(
        np.hypot(adam.error / adam.value, certified.error / certified.value)
    )


def thresholds(every: list[Group]) -> None:
    print(
        "| data | depth | width | N | steps | loads, networks | dead | stalled | P*/N, Adam alone "
        f"| N_Δ/N < {LOOSE} | U/P < {LOW:.0e} | certified | too low by, % "
        "| solves of those that then fit | N_Δ/N before |\n|" + " --- |" * 15
    )
    rng = np.random.default_rng(0)
    for group in every:
        again = np.array(list(group.drawn_again(rng)))
        spread = [deviation(column) for column in again.T]
        relative = 100 * deviation(again[:, 0] / again[:, 1])
        dead = sum(end.adam_status == "dead" for end in group.ends)
        row = f"| {group.name} | {len(group.loads)}, {len(group.ends)} | {dead}"
        stalled = sum(end.status == "stalled" for end in group.ends)
        row += f" | {stalled if group.polished else ''} | {shown(group.point('adam'), spread[0])}"
        row += f" | {shown(group.point('few'))} | {shown(group.point('low'))}"
        if group.polished:
            found = difference(group)
            gap = "" if found is None else f"{100 * found[0]:.1f} ± {100 * found[1]:.1f}"
            gap += "" if found is None else f"/{relative:.1f}"
            row += f" | {shown(group.point('certified'), spread[1])} | {gap} | {rescued(group)} |"
        print(row + (" | | | | |" if not group.polished else ""))


def deviation(values: np.ndarray) -> float:
    """Return the standard deviation of the values that were found."""
    found = values[np.isfinite(values)]
    return float(np.std(found)) if len(found) else np.nan


def rescued(group: Group) -> str:
    """Return solves and ``N_Δ/N`` of networks that Adam left violated and the polish fitted."""
    found = [e for e in group.ends if e.adam_status == "stalled" and e.status == "unjammed"]
    if not found:
        return "none |"
    solves = np.percentile([end.solves for end in found], (0, 50, 100))
    violated = np.percentile([end.adam_violated / end.weights for end in found], (0, 50, 100))
    return (
        f"{len(found)}: {solves[1]:.0f} ({solves[0]:.0f} - {solves[2]:.0f}) | "
        f"{violated[1]:.2f} ({violated[0]:.2f} - {violated[2]:.2f})"
    )


def above(group: Group) -> tuple[float, list[Ended]]:
    """Return the lowest load at which not more than half fit, and its certified minima."""
    for load in group.loads:
        living = [e for e in group.ends if e.load == load and alive(e, "certified")]
        if living and sum(map(CRITERIA["certified"], living)) <= 0.5 * len(living):
            return load, [end for end in living if end.status == "jammed"]
    return np.nan, []


def counts(every: list[Group]) -> None:
    print(
        "\n| data | depth | width | N | steps | P/N | minima | N_Δ/N | kinks/N | (N_Δ + kinks)/n "
        "| solves | s, polish |\n|" + " --- |" * 12
    )
    for group in (group for group in every if group.polished):
        load, ends = above(group)
        if ends:
            columns = (
                [end.constraints / end.weights for end in ends],
                [end.kinks / end.weights for end in ends],
                [(end.constraints + end.kinks) / end.n for end in ends],
            )
            solves, seconds = (
                np.median([getattr(end, name) for end in ends])
                for name in ("solves", "polish_seconds")
            )
            print(
                f"| {group.name} | {load} | {len(ends)} | {' | '.join(map(mean, columns))} "
                f"| {solves:.0f} | {seconds:.1f} |"
            )


def mean(values: list[float]) -> str:
    error = f" ± {np.std(values, ddof=1) / len(values) ** 0.5:.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{error}"


@dataclass(frozen=True)
class Line:
    """``N* = offset + slope P`` through the sizes of one depth."""

    offset: float
    slope: float
    covariance: np.ndarray
    patterns: np.ndarray
    weights: np.ndarray
    errors: np.ndarray  # of patterns
    chi2: float

    def at(self, patterns: float) -> tuple[float, float]:
        """Return ``N*`` and its error."""
        design = np.array([1.0, patterns])
        error = float(np.sqrt(design @ self.covariance @ design))
        return self.offset + self.slope * patterns, error


def line(found: list[Group], by: str) -> Line | None:
    """Fit the sizes of one depth, with errors of ``P`` taken over to ``N``."""
    pairs = [(group, point) for group in found if (point := group.point(by)) is not None]
    if len(pairs) < 2:
        return None
    weights = np.array([group.weights for group, _ in pairs], dtype=float)
    patterns = weights * [point.value for _, point in pairs]
    errors = weights * [point.error for _, point in pairs]
    design = np.column_stack([np.ones_like(patterns), patterns])
    sigma = errors * np.mean(weights / patterns)
    scaled = design / sigma[:, None]
    covariance = np.linalg.inv(scaled.T @ scaled)
    offset, slope = covariance @ scaled.T @ (weights / sigma)
    chi2 = float((((weights - design @ [offset, slope]) / sigma) ** 2).sum())
    return Line(offset, slope, covariance, patterns, weights, errors, chi2)


def of_depth(every: list[Group], depth: int, steps: int = 6_000) -> list[Group]:
    """Return the groups of random labels with the usual anneal of so many steps."""
    return [
        group
        for group in every
        if (e := group.first).data == "random"
        and (e.depth, e.steps, e.schedule) == (depth, steps, "usual")
    ]


def slopes(every: list[Group]) -> None:
    print(
        "\n| depth | ends | sizes | N* = a + k P: k | a | χ² | N*/P at the largest |\n|"
        + " --- |" * 7
    )
    lines = {}
    for depth in DEPTHS:
        for by in ("certified", "adam"):
            found = line(of_depth(every, depth), by)
            if found is not None:
                lines[depth, by] = found
                k, a = np.sqrt(np.diag(found.covariance))[::-1]
                last = found.weights[-1] / found.patterns[-1]
                print(
                    f"| {depth} | {by} | {len(found.weights)} | {found.slope:.3f} ± {k:.3f} "
                    f"| {found.offset:.0f} ± {a:.0f} | {found.chi2:.1f} "
                    f"| {last:.3f} ± {last * found.errors[-1] / found.patterns[-1]:.3f} |"
                )
    if (2, "certified") in lines:
        for (depth, by), found in lines.items():
            base = lines.get((2, by))
            if depth != 2 and base is not None:
                ratios(depth, by, found, base)


def ratios(depth: int, by: str, found: Line, base: Line) -> None:
    for patterns in (300.0, 600.0, 1200.0):
        (n, error), (n2, error2) = found.at(patterns), base.at(patterns)
        ratio = n / n2
        print(
            f"N* of depth {depth} over depth 2, {by}, P = {patterns:.0f}: "
            f"{ratio:.2f} ± {ratio * np.hypot(error / n, error2 / n2):.2f}"
        )


def report(path: Path) -> None:
    every = groups(path)
    thresholds(every)
    counts(every)
    slopes(every)


if __name__ == "__main__":
    report(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME)

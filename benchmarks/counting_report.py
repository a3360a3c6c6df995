"""How many constraints hold the points of `counting`, and how their forces and gaps fall: tables.

    python benchmarks/counting_report.py [FILE.json]

`counting_figure` draws them, and `counting_estimates` says what the numbers are. Every table says
how many of the cases that fitted are certified; the others are named at the end.
"""

import sys
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
from counting import HOME
from counting_cases import (
    CONVEX,
    KINKED,
    LOAD,
    LOADS,
    MIDDLE,
    NON_CONVEX,
    SMOOTH,
    WIDTHS,
    WINDOWS,
)
from counting_estimates import (
    KINDS,
    UNTRIED,
    Group,
    Point,
    classes,
    dial_of,
    dial_value,
    exponent,
    groups,
    of_sizes,
    pooled,
    read,
    trend,
)

from bridge.measure.power_laws import GAMMA, THETA, PowerLaw


def shown(value: float, error: float, digits: int) -> str:
    if not np.isfinite(value):
        return ""
    return f"{value:.{digits}f}" + (f" ± {error:.{digits}f}" if np.isfinite(error) else "")


def fitted(fit: PowerLaw, kind: str) -> str:
    """Return an exponent, and how many errors it is from that of mean field and from flat."""
    if fit.status != "fitted":
        return f"{fit.count}: too few"
    value = KINDS[kind] * fit.exponent
    theory = THETA if KINDS[kind] > 0 else GAMMA
    off, flat = (value - theory) / fit.error, value / fit.error
    return f"{fit.count}: {value:.2f} ± {fit.error:.2f} ({off:+.0f}, {flat:+.0f})"


def header(*names: str) -> str:
    return f"\n| {' | '.join(names)} |\n|{' --- |' * len(names)}"


def print_counts(every: list[Group]) -> None:
    print(
        header("system", "depth", "N", "load", "tried, fitted, certified", "n", "N_Δ/n", "kinks/n",
               "missing", "missing/n", "margin", "s, median (most)")
    )  # fmt: skip
    for group in every:
        c = group.case
        head = f"| {c.system} | {c.depth or ''} | {group.weights} | {c.load:g} "
        head += f"| {', '.join(map(str, group.counts))} "
        if not group.points:
            print(head + "|" * 8)
            continue
        n, _ = group.mean(lambda p: p.n)
        active, _ = group.mean(lambda p: p.numbers["n_constraints"] / p.n)
        kinks, _ = group.mean(lambda p: p.numbers["n_kinks"] / p.n)
        margin, _ = group.mean(lambda p: p.numbers.get("margin", p.numbers.get("load")))
        seconds = [p.numbers["seconds"] for p in group.points]
        print(
            f"{head}| {n:.0f} | {active:.3f} | {kinks:.3f} "
            f"| {shown(*group.mean(lambda p: p.missing), 1)} "
            f"| {shown(*group.mean(lambda p: p.part), 4)} "
            f"| {margin:.3f} | {np.median(seconds):.0f} ({max(seconds):.0f}) |"
        )


def print_missing(every: list[Group]) -> None:
    """Print missing constraints of networks over sizes, and of some over loads."""
    sizes = ("N about 150", "300", "600", "1200")
    print(header("activation", "depth", *sizes))
    for name, depth in product(KINKED + SMOOTH, WIDTHS):
        cells = {g.case.size: cell(g) for g in of_sizes(every, name, depth)}
        print(f"| {name} | {depth} | {' | '.join(cells.get(w, '') for w in WIDTHS[depth])} |")
    loads = sorted((LOAD, *LOADS))
    print(header("activation, N about 300", "depth", *(f"P/N = {load}" for load in loads)))
    for name, depth in product(("relu", "hardtanh", "tanh"), WIDTHS):
        row = [
            [cell(g) for g in of_sizes(every, name, depth, load) if g.case.size == width]
            for width, load in product(WIDTHS[depth][MIDDLE : MIDDLE + 1], loads)
        ]
        print(f"| {name} | {depth} | {' | '.join(found[0] if found else '' for found in row)} |")


def cell(group: Group) -> str:
    """Return missing constraints, the per cent of ``n`` that they are, and certified of fitted."""
    part, error = group.mean(lambda p: 100 * p.part)
    _, fit, certified = group.counts
    missing = shown(*group.mean(lambda p: p.missing), 1)
    return f"{missing}; {shown(part, error, 1)} % ({certified} of {fit})" if certified else "none"


def print_trends(every: list[Group]) -> None:
    print(header("system", "depth", "n", "c of missing/n = c + b/n", "of c + b/√n", "power of n"))
    rows = [(name, depth, LOAD) for name in KINKED + SMOOTH for depth in WIDTHS]
    rows += [("discs", 0, 1.0), ("perceptron", 0, NON_CONVEX[0]), ("perceptron", 0, CONVEX[0])]
    for system, depth, load in rows:
        sizes = of_sizes(every, system, depth, load)
        found = trend(sizes)
        if found is not None:
            ns = ", ".join(f"{g.mean(lambda p: p.n)[0]:.0f}" for g in sizes if g.points)
            print(
                f"| {system} {load if not depth else ''} | {depth or ''} | {ns} "
                f"| {shown(found.part, found.part_error, 4)} "
                f"| {shown(found.root, found.root_error, 4)} "
                f"| {shown(found.power, found.power_error, 2)} |"
            )


def print_dial(every: list[Group]) -> None:
    print(
        header("system", "depth", "1/β or aspect - 1", "tried, fitted, certified", "N_Δ/n",
               "missing/n", "n of the end", "missing as at the end", "the same, narrower bend")
    )  # fmt: skip
    for system, depth in (("softplus", 1), ("softplus", 2), ("ellipses", 0)):
        for group in dial_of(every, system, depth):
            counts = ", ".join(map(str, group.counts))
            n, _ = group.mean(lambda p: p.at_the_end_of_the_dial()[0])
            ends = [
                group.mean(lambda p, near=near: p.at_the_end_of_the_dial(near)[1])
                for near in (0, 1)
            ]
            active, error = group.mean(lambda p: p.numbers["n_constraints"] / p.n)
            print(
                f"| {system} | {depth or ''} | {dial_value(group.case):.3g} | {counts} "
                f"| {shown(active, error, 3)} | {shown(*group.mean(lambda p: p.part), 3)} "
                f"| {n:.0f} | {shown(*ends[0], 1)} | {shown(*ends[1], 1)} |"
            )


def print_exponents(every: list[Point]) -> None:
    """Print ``values in the window: exponent ± error (errors from mean field, from flat)``."""
    print(header("points", "", *(f"{kind} < {w}" for kind in KINDS for w in WINDOWS[kind])))
    for name, points in classes(every).items():
        cells = []
        for kind in KINDS:
            samples = pooled(points, kind)
            some = sum(map(len, samples)) > 0
            cells += [
                fitted(exponent(samples, kind, high), kind) if some else ""
                for high in WINDOWS[kind]
            ]
        print(f"| {name} | {sum(p.certified for p in points)} | {' | '.join(cells)} |")


def print_failures(every: list[Point]) -> None:
    """Print what became of all cases by class, and the reasons of those without a point."""
    kinds = {
        "with kinks": [p for p in every if p.case.system in KINKED],
        "smooth": [p for p in every if p.case.system in SMOOTH],
        "softplus:β": [p for p in every if ":" in p.case.system],
        "packings, perceptrons": [p for p in every if not p.case.depth],
    }
    for name, points in kinds.items():
        counts = Counter(point.numbers["status"] for point in points)
        print(f"\n{name}: " + ", ".join(f"{k} {v}" for k, v in counts.most_common()))
    for point in every:
        if not point.certified and point.numbers["status"] not in UNTRIED:
            print(f"- {point.case.name}: {point.numbers['status']}, {point.numbers['reason']}")


def report(path: Path) -> None:
    every = read(path)
    found = groups(every)
    print_counts(found)
    print_missing(found)
    print_trends(found)
    print_dial(found)
    print_exponents(every)
    print_failures(every)


if __name__ == "__main__":
    report(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME)

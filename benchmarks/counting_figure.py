"""Draw ``docs/counting.png``: the constraints of the points of `counting`, by class.

python benchmarks/counting_figure.py [FILE.json]
"""

import sys
from pathlib import Path

import numpy as np
from counting import HOME
from counting_cases import CONVEX, KINKED, LOAD, LOADS, MIDDLE, NON_CONVEX, SMOOTH, WIDTHS, WINDOWS
from counting_estimates import (
    Group,
    Point,
    dial_of,
    dial_value,
    groups,
    of_sizes,
    pooled,
    read,
    size_of,
)
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bridge.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, RED, SKY, style
from bridge.measure.power_laws import GAMMA, THETA

FIGURE = Path(__file__).parent.parent / "docs" / "counting.png"
PURPLE, BROWN = "#CC79A7", "#8C510A"
COLOURS = dict(
    zip(KINKED + SMOOTH, (RED, ORANGE, PURPLE, BROWN, BLUE, SKY, GREEN, "#D9C700"), strict=True)
)
MARKERS = {0: "D", 1: "o", 2: "s", 3: "^"}  # by depth
TOP = {kind: max(ends) for kind, ends in WINDOWS.items()}
SPREAD = 0.018  # between the systems of one size, in decades
SCALE = {"linthresh": 0.01, "linscale": 0.5}  # of missing/n
TICKS = {0: "0", 0.01: "0.01", 0.03: "0.03", 0.1: "0.1", 0.3: "0.3"}


def drawn(every: list[Point]) -> Figure:
    found = groups(every)
    figure = Figure(figsize=(9.6, 7.6), layout="constrained")
    axes = figure.subplots(2, 3)
    over_sizes(axes[0, 0], found)
    over_loads(axes[0, 1], found)
    over_dials(axes[0, 2], found)
    small(axes[1, 0], every, "forces", THETA)
    small(axes[1, 1], every, "gaps", -GAMMA)
    kinks(axes[1, 2], every)
    figure.legend(handles=handles(), loc="outside upper center", ncols=7)
    return figure


def handles() -> list[Line2D]:
    names = [
        Line2D([], [], color=colour, marker="o", ls="", label=name)
        for name, colour in COLOURS.items()
    ]
    depths = [
        Line2D([], [], color=GREY, marker=marker, ls="", label=f"depth {depth}")
        for depth, marker in MARKERS.items()
        if depth
    ]
    others = [
        Line2D([], [], color=BLACK, marker="D", mfc=face, ls="", label=text)
        for face, text in ((BLACK, "discs"), (GREY, "perceptron, σ < 0"), ("white", "σ > 0"))
    ]
    return names + depths + others


def put(axes: Axes, x: float, found: tuple[float, float], **how: object) -> None:
    axes.errorbar(x, found[0], found[1], ls="", lw=0.9, capsize=1.5, **how)


def symlog(axes: Axes, top: float) -> None:
    """Set a scale of missing/n that goes through zero."""
    axes.set_yscale("symlog", **SCALE)
    axes.set_yticks(list(TICKS), list(TICKS.values()))
    axes.set_yticks([], minor=True)
    axes.set_ylim(-0.004, top)
    axes.axhline(0.0, color=GREY, lw=0.6, zorder=0)


def over_sizes(axes: Axes, found: list[Group]) -> None:
    """Draw missing/n against ``n`` at one load of networks, beside packings and perceptrons."""
    rows = [(name, depth, LOAD) for name in KINKED + SMOOTH for depth in WIDTHS]
    others = {
        ("discs", 0, 1.0): BLACK,
        ("perceptron", 0, NON_CONVEX[0]): GREY,
        ("perceptron", 0, CONVEX[0]): "white",
    }
    for i, row in enumerate([*rows, *others]):
        sizes = [group for group in of_sizes(found, *row) if group.points]
        colour = COLOURS.get(row[0], BLACK)
        for group in sizes:
            n = group.mean(lambda p: p.n)[0] * 10 ** (SPREAD * (i % 8 - 3.5))
            face = others.get(row, colour)
            put(axes, n, group.mean(lambda p: p.part), marker=MARKERS[row[1]], color=colour,
                mfc=face, ms=3.5)  # fmt: skip
    n = np.geomspace(110, 1500, 50)
    axes.plot(n, 3 / n, "--", color=GREY, lw=0.8)
    axes.annotate("3 missing", (1000, 3.2 / 1000), fontsize=7, color=GREY)
    axes.plot(n, 0.9 / np.sqrt(n), ":", color=GREY, lw=0.8)
    axes.annotate("∝ n$^{-1/2}$", (1000, 0.031), fontsize=7, color=GREY)
    axes.set_xscale("log")
    axes.set_xticks([150, 300, 600, 1200], ["150", "300", "600", "1200"])
    axes.set_xticks([], minor=True)
    symlog(axes, 0.6)
    axes.set(xlabel="degrees of freedom n", ylabel="missing constraints / n")
    axes.set_title(f"networks at P/N = {LOAD}")


def over_loads(axes: Axes, found: list[Group]) -> None:
    """Draw missing/n of networks of about 300 weights against the load."""
    for name in ("relu", "hardtanh", "tanh"):
        for depth, widths in WIDTHS.items():
            line = []
            for load in sorted((LOAD, *LOADS)):
                chosen = [g for g in of_sizes(found, name, depth, load) if g.points]
                for group in chosen:
                    if group.case.size == widths[MIDDLE]:
                        value = group.mean(lambda p: p.part)
                        line.append((load, value[0]))
                        put(axes, load + 0.02 * (depth - 2), value, marker=MARKERS[depth],
                            color=COLOURS[name], ms=3.5)  # fmt: skip
            axes.plot(*np.array(line).reshape(-1, 2).T, color=COLOURS[name], lw=0.6)
    symlog(axes, 0.6)
    axes.set(xlabel="patterns per weight P/N", ylabel="missing constraints / n")
    axes.set_title("networks of about 300 weights")


def over_dials(axes: Axes, found: list[Group]) -> None:
    """Draw missing/n of softplus and of ellipses, as they are and as where their dial ends."""
    rows = (("softplus", 1, SKY), ("softplus", 2, SKY), ("ellipses", 0, BLACK))
    for system, depth, colour in rows:
        line = [group for group in dial_of(found, system, depth) if group.points]
        x = [dial_value(group.case) for group in line]
        ends = [group.mean(end_part) for group in line]
        naive = [group.mean(lambda p: p.part) for group in line]
        for values, face in ((naive, colour), (ends, "white")):
            axes.plot(x, [value for value, _ in values], color=colour, lw=0.6)
            for at, value in zip(x, values, strict=True):
                put(axes, at, value, marker=MARKERS[depth], color=colour, mfc=face, ms=3.5)
    axes.axhline(0.0, color=GREY, lw=0.6, zorder=0)
    axes.set_xscale("log")
    axes.set_ylim(-0.5, 0.8)
    axes.set(xlabel="1/β of softplus, aspect ratio - 1 of ellipses", ylabel="missing / n")
    axes.set_title("the dial between the classes")
    labels = [
        Line2D([], [], color=SKY, marker="o", label="softplus(βx)/β"),
        Line2D([], [], color=BLACK, marker="D", label="ellipses"),
        Line2D([], [], color=GREY, marker="o", mfc="white", ls="",
               label="bends held as kinks, angles not counted"),
    ]  # fmt: skip
    axes.legend(handles=labels, loc="upper left")


def end_part(point: Point) -> float:
    n, missing = point.at_the_end_of_the_dial()
    return missing / n


def small(axes: Axes, every: list[Point], kind: str, power: float) -> None:
    """Draw how many forces or gaps lie below a value, of one size of each class."""
    networks = [p for p in every if p.case.depth and p.case.load == LOAD]
    for name in ("relu", "leaky", "hardtanh", "abs", "tanh"):
        chosen = [
            p for p in networks if p.case.system == name and size_of(p.case) in (MIDDLE, MIDDLE + 1)
        ]
        below(axes, pooled(chosen, kind), COLOURS[name], label=name)
    perceptrons = [
        p for p in every if (p.case.system, p.case.load) == ("perceptron", NON_CONVEX[0])
    ]
    chosen = [p for p in perceptrons if p.case.size in (300, 600)]
    below(axes, pooled(chosen, kind), BLACK, label="perceptron, σ < 0")
    guides(axes, power)
    text = {"forces": "force / mean force", "gaps": "gap of a pattern / mean gap"}[kind]
    axes.set(xlabel=text, ylabel=f"part of the {kind} < {TOP[kind]} below")
    axes.set_title(f"weak {kind}, N = 300 and 600" if kind == "forces" else "small gaps")
    axes.legend(loc="upper left" if kind == "forces" else "lower right")


def below(axes: Axes, samples: list[np.ndarray], colour: str, label: str, top: float = 0.3) -> None:
    """Draw the cumulative distribution of the values below ``top``."""
    if not sum(map(len, samples)):
        return
    values = np.sort(np.concatenate(samples))
    values = values[values < top]
    axes.step(values, np.arange(1, len(values) + 1) / len(values), color=colour, label=label)


def guides(axes: Axes, power: float, top: float = 0.3) -> None:
    x = np.array([top / 100, top])
    for value, dash in ((0.0, ":"), (power, "--")):
        axes.plot(x, (x / top) ** (1 + value), dash, color=GREY, lw=1.0,
                  label="flat" if value == 0.0 else f"mean field, {value:+.2f}")  # fmt: skip
    axes.set(xscale="log", yscale="log", xlim=(top / 300, top), ylim=(1e-3, 1.2))


def kinks(axes: Axes, every: list[Point]) -> None:
    """Draw distances of masks from their ends, and of open kinks from zero, over their windows."""
    chosen = [
        p
        for p in every
        if p.case.system in KINKED
        and p.case.load == LOAD
        and size_of(p.case) in (MIDDLE, MIDDLE + 1)
    ]
    for kind, colour, label in (("masks", RED, "masks, from 0 or 1"), ("kinks", BLUE, "|z| open")):
        scaled = [values / TOP[kind] for values in pooled(chosen, kind)]
        below(axes, scaled, colour, label, 1.0)
    x = np.array([1e-2, 1.0])
    for power, dash, label in ((0.0, ":", "flat"), (THETA, "--", f"+{THETA:.2f}"),
                               (-GAMMA, "-.", f"-{GAMMA:.2f}")):  # fmt: skip
        axes.plot(x, x ** (1 + power), dash, color=GREY, lw=1.0, label=label)
    axes.set(xscale="log", yscale="log", xlim=(1 / 300, 1.0), ylim=(1e-3, 1.2))
    axes.set(xlabel="value / end of its window", ylabel="part below")
    axes.set_title("all networks with kinks, N = 300 and 600")
    axes.legend(loc="lower right")


if __name__ == "__main__":
    with style():
        drawn(read(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME)).savefig(FIGURE)

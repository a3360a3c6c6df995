"""Draw ``docs/thresholds.png``: where the networks of `thresholds` cease to fit.

python benchmarks/thresholds_figure.py [FILE.json]
"""

import sys
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from thresholds import HOME
from thresholds_report import Group, difference, groups, line, of_depth

from bridge.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, RED, style

FIGURE = Path(__file__).parent.parent / "docs" / "thresholds.png"
ENDS = {"certified": BLUE, "adam": RED}
MARKERS = {1: "o", 2: "s", 3: "D"}  # by depth
STEPS = {1_500: ORANGE, 6_000: BLACK, 24_000: GREEN}
AT = 300  # weights of the middle panel


def drawn(every: list[Group]) -> Figure:
    """Draw ``N*(P)``, ``P*/N`` over sizes and over steps, and what Adam alone falls short of."""
    figure = Figure(figsize=(8.4, 7.0), layout="constrained")
    axes = figure.subplots(2, 2).ravel()
    for panel, axis in zip((needed, over_sizes, over_steps, shortfalls), axes, strict=True):
        panel(axis, every)
    figure.legend(handles=handles(), loc="outside upper center", ncols=7)
    return figure


def handles() -> list[Line2D]:
    ways = [
        Line2D([], [], marker="o", ls="", mec=colour, mfc=face, color=colour, label=text)
        for colour, face, text in (
            (ENDS["certified"], ENDS["certified"], "certified"),
            (ENDS["adam"], "white", "Adam alone"),
        )
    ]
    depths = [
        Line2D([], [], marker=marker, ls="", color=GREY, label=f"depth {depth}")
        for depth, marker in MARKERS.items()
    ]
    others = [
        Line2D([], [], marker=marker, ls="", color=ENDS["adam"], mfc="white", label=text)
        for marker, text in (("^", "three times the rate"), ("v", "rates by factors of ten"))
    ]
    return ways + depths + others


def put(axes: Axes, x: float, y: float, error: float, by: str, marker: str) -> None:
    """Draw one point with its error: filled where it is certified."""
    colour = ENDS[by]
    face = colour if by == "certified" else "white"
    axes.errorbar(x, y, error, marker=marker, color=colour, mfc=face, ls="", capsize=2, lw=0.9)


def needed(axes: Axes, every: list[Group]) -> None:
    """Draw the weights that patterns need, certified, and straight lines through each depth."""
    for depth, colour in zip(MARKERS, (GREEN, BLUE, BLACK), strict=True):
        found = line(of_depth(every, depth), "certified")
        if found is None:
            continue
        axes.errorbar(
            found.patterns,
            found.weights,
            xerr=found.errors,
            marker=MARKERS[depth],
            color=colour,
            ls="",
            capsize=2,
            label=f"{depth} layer{'s' if depth > 1 else ''}, k = {found.slope:.2f}",
        )
        ends = found.patterns[[0, -1]]
        axes.plot(ends, found.offset + found.slope * ends, color=colour, lw=0.8)
    digits = [g for g in every if g.first.data == "digits" and g.point("certified") is not None]
    for depth in sorted({g.first.depth for g in digits}):
        chosen = [(g.weights, g.point("certified")) for g in digits if g.first.depth == depth]
        axes.errorbar(
            [n * p.value for n, p in chosen if p],
            [n for n, _ in chosen],
            xerr=[n * p.error for n, p in chosen if p],
            marker=MARKERS[depth],
            color=ORANGE,
            mfc="white",
            capsize=2,
            lw=0.8,
            label=f"digits, {depth} layer{'s' if depth > 1 else ''}",
        )
    axes.set(xscale="log", yscale="log", xlabel="patterns P", ylabel="weights needed N*")
    axes.set_xticks([300, 1000, 3000], ["300", "1000", "3000"])
    axes.set_yticks([100, 300, 1000], ["100", "300", "1000"])
    axes.minorticks_off()
    axes.set_title("certified: N* = a + k P")
    axes.legend(loc="upper left")


def over_sizes(axes: Axes, every: list[Group]) -> None:
    for depth, marker in MARKERS.items():
        found = of_depth(every, depth)
        for by in ENDS:
            points = [(g, p) for g in found if (p := g.point(by)) is not None]
            beside = 1.07 ** (depth - 2)  # so that none hides another
            for group, point in points:
                put(axes, beside * group.weights, point.value, point.error, by, marker)
            if depth == 2:
                axes.plot(
                    [group.weights for group, _ in points],
                    [point.value for _, point in points],
                    color=ENDS[by],
                    lw=0.8,
                )
    sizes = sorted({group.weights for group in of_depth(every, 2)})
    axes.set_xscale("log")
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set(xlabel="weights N", ylabel="P*/N at which half fit", title="6000 steps of Adam")


def over_steps(axes: Axes, every: list[Group]) -> None:
    found = [g for g in every if (g.first.depth, g.weights) == (2, AT)]
    usual = [g for g in found if g.first.schedule == "usual"]
    for by in ENDS:
        points = [(g.first.steps, p) for g in usual if (p := g.point(by)) is not None]
        for steps, point in points:
            put(axes, steps, point.value, point.error, by, MARKERS[2])
        at, values = [steps for steps, _ in points], [point.value for _, point in points]
        axes.plot(at, values, color=ENDS[by], lw=0.8)
    for schedule, marker in (("fast", "^"), ("stepwise", "v")):
        for group in (g for g in found if g.first.schedule == schedule):
            point = group.point("adam")
            if point is not None:
                put(axes, 0.88 * group.first.steps, point.value, point.error, "adam", marker)
    axes.set_xscale("log")
    axes.set_xticks(list(STEPS), [str(steps) for steps in STEPS])
    axes.minorticks_off()
    axes.set(xlabel="steps of Adam", ylabel="P*/N at which half fit", title=f"depth 2, N = {AT}")


def shortfalls(axes: Axes, every: list[Group]) -> None:
    """Draw by how much Adam alone puts the transition too low."""
    for steps, colour in STEPS.items():
        for depth, marker in MARKERS.items():
            for group in of_depth(every, depth, steps):
                found = difference(group)
                if found is not None:
                    beside = 1.07 ** (depth - 2)
                    gap, error = (100 * number for number in found)
                    style_of = {"marker": marker, "color": colour, "ls": "", "lw": 0.9}
                    axes.errorbar(beside * group.weights, gap, error, capsize=2, **style_of)
        axes.plot([], [], "s", color=colour, label=f"{steps} steps")
    sizes = sorted({group.weights for group in of_depth(every, 2)})
    axes.set_xscale("log")
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set(
        xlabel="weights N", ylabel="1 - Adam alone / certified, %", title="Adam alone is too low by"
    )
    axes.set_ylim(0, 31)
    axes.legend(loc="upper right")


if __name__ == "__main__":
    with style():
        drawn(groups(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME)).savefig(FIGURE)

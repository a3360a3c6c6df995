"""Draw ``docs/thresholds.png``: where the networks of `thresholds` cease to fit.

python benchmarks/thresholds_figure.py [FILE.json]
"""

import sys
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from thresholds import HOME
from thresholds_report import Group, difference, groups, of_depth

from bridge.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, RED, style

FIGURE = Path(__file__).parent.parent / "docs" / "thresholds.png"
ENDS = {"certified": BLUE, "adam": RED}
MARKERS = {1: "o", 2: "s", 3: "D"}  # by depth
STEPS = {1_500: ORANGE, 6_000: BLACK, 24_000: GREEN}
AT = 300  # weights of the middle panel


def drawn(every: list[Group]) -> Figure:
    """Draw ``P*/N`` over sizes and over steps, and what Adam alone falls short of."""
    figure = Figure(figsize=(9.6, 3.5), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    over_sizes(left, every)
    over_steps(middle, every)
    shortfalls(right, every)
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

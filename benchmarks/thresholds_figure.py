"""Draw ``docs/thresholds.png``: where the networks of `thresholds` cease to fit.

python benchmarks/thresholds_figure.py [FILE.json]
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from thresholds import HOME
from thresholds_report import Group, groups, line, of_depth

from bridge.figures.style import BLUE, GREY, RED, style

FIGURE = Path(__file__).parent.parent / "docs" / "thresholds.png"
ENDS = {"certified": BLUE, "adam": RED}
MARKERS = {1: "o", 2: "s", 3: "D"}  # by depth
STEPS = 1_500, 6_000, 24_000
STEPS_AT = {300: "-", 595: "--"}  # sizes, and how they are drawn


def drawn(every: list[Group]) -> Figure:
    """Draw ``P*/N`` over sizes (left), over steps (middle), and ``N*`` over patterns (right)."""
    figure = Figure(figsize=(9.6, 3.5), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    over_sizes(left, every)
    over_steps(middle, every)
    over_patterns(right, every)
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
        Line2D([], [], marker=marker, ls="", color=ENDS["adam"], label=text)
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
            beside = 1.03 ** (depth - 2)  # so that none hides another
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
    usual = [g for g in every if g.first.data == "random" and g.first.depth == 2]
    for weights, style_of in STEPS_AT.items():
        found = [g for g in usual if g.weights == weights and g.first.schedule == "usual"]
        for by in ENDS:
            points = [
                (g.first.steps, p)
                for g in found
                if (p := g.point(by)) is not None and (g.polished or by == "adam")
            ]
            for steps, point in points:
                put(axes, steps, point.value, point.error, by, MARKERS[2])
            at, values = [steps for steps, _ in points], [point.value for _, point in points]
            axes.plot(at, values, color=ENDS[by], lw=0.8, ls=style_of)
            if points:
                axes.annotate(
                    f"N = {weights}",
                    (at[-1], values[-1]),
                    (6, -2),
                    textcoords="offset points",
                    color=ENDS[by],
                    fontsize=6,
                )
    for schedule, marker in (("fast", "^"), ("stepwise", "v")):
        for group in (g for g in usual if g.first.schedule == schedule):
            point = group.point("adam")
            if point is not None:
                put(axes, 0.9 * group.first.steps, point.value, point.error, "adam", marker)
    axes.set_xscale("log")
    axes.set_xticks(STEPS, [str(steps) for steps in STEPS])
    axes.minorticks_off()
    axes.set(xlabel="steps of Adam", ylabel="P*/N at which half fit", title="depth 2")
    axes.set_xlim(1_200, 45_000)


def over_patterns(axes: Axes, every: list[Group]) -> None:
    for depth, marker in MARKERS.items():
        for by in ENDS:
            found = line(of_depth(every, depth), by)
            if found is None:
                continue
            points = zip(found.patterns, found.weights, found.errors, strict=True)
            for patterns, weights, error in points:
                face = ENDS[by] if by == "certified" else "white"
                axes.errorbar(patterns, weights, xerr=error, marker=marker, color=ENDS[by],
                              mfc=face, ls="", capsize=2, lw=0.9)  # fmt: skip
            if depth == 2:
                ends = np.array([0.0, 1.05 * found.patterns.max()])
                axes.plot(ends, found.offset + found.slope * ends, color=ENDS[by], lw=0.8)
    axes.set(xlabel="patterns P", ylabel="N*, weights at which half fit", title="random labels")
    axes.set(xlim=(0, None), ylim=(0, None))


if __name__ == "__main__":
    with style():
        drawn(groups(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME)).savefig(FIGURE)

"""How the networks of `large_networks` ended: tables, and a figure.

    python benchmarks/large_networks_report.py [FILE.json]

Prints tables of ``large_networks.json`` and draws ``docs/large_networks.png``.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from large_networks import SEEDS, WIDTHS, Sample, State, samples
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bridge.figures.style import BLUE, GREEN, GREY, ORANGE, RED, style
from bridge.measure.midpoint import midpoint
from networks import Mlp

HOME = Path(__file__).with_name("large_networks.json")
FIGURE = Path(__file__).parent.parent / "docs" / "large_networks.png"
COLLAPSED = 0.25  # share of active units in the least active layer; the others have more than 0.27
KINDS = {  # what it is called, and how it is drawn
    "adam": ("fitted by Adam", "o", GREEN, GREEN),
    "solves": ("fitted by linear solves", "o", BLUE, BLUE),
    "minimum": ("certified minimum", "X", RED, RED),
    "open": ("not certified", "s", ORANGE, "white"),
    "collapsed": ("collapsed layer", "^", GREY, "white"),
}
ARROW = {"arrowstyle": "-|>", "color": GREY, "lw": 0.6, "shrinkA": 3, "shrinkB": 0}


@dataclass(frozen=True)
class Ended:
    """A network of the report, from its numbers."""

    sample: Sample
    numbers: State

    @property
    def kind(self) -> str:
        """What the end is, a key of `KINDS`."""
        if self.numbers["status"] == "unjammed":
            return "solves" if self.numbers.get("solves") else "adam"
        if self.numbers["status"] == "jammed":
            return "minimum"
        return "open" if self.numbers["active"] > COLLAPSED else "collapsed"

    @property
    def fits(self) -> bool:
        return self.kind in ("adam", "solves")

    @property
    def load(self) -> float:
        return float(self.numbers["patterns"] / self.sample.mlp.n_weights)

    def ratio(self, *, adam: bool) -> float:
        """Return ``N_Δ/N`` at the end of the anneal, or at the end; 0 of a fit."""
        name = "adam_violated" if adam or "constraints" not in self.numbers else "constraints"
        return float(self.numbers[name] / self.sample.mlp.n_weights)


def ends(path: Path) -> list[Ended]:
    numbers = json.loads(path.read_text(encoding="utf-8"))
    return [Ended(sample, numbers[sample.name]) for sample in samples()]


def half(found: list[Ended], *, adam: bool) -> str:
    """Return the load at which half fit, of networks without a collapsed layer."""
    living = [end for end in found if end.kind != "collapsed"]
    fitted = [end.kind == "adam" if adam else end.fits for end in living]
    if len(set(fitted)) < 2:
        return "none fits" if not any(fitted) else "all fit"
    loads = np.array([end.load for end in living])
    try:
        point = midpoint(loads, np.array(fitted, dtype=int), np.ones(len(loads), dtype=int))
    except ValueError:
        return "not enclosed"
    return f"{point.value:.2f} ± {point.error:.2f}"


def report(path: Path) -> None:
    every = ends(path)
    print(
        f"| depth | width | N | {' | '.join(KINDS[kind][0] for kind in KINDS)} "
        f"| half fit, Adam alone | with solves |\n|{' --- |' * 10}"
    )
    for depth, width in WIDTHS.items():
        found = [end for end in every if end.sample.depth == depth]
        counts = [str(sum(end.kind == kind for end in found)) for kind in KINDS]
        print(f"| {depth} | {width} | {found[0].sample.mlp.n_weights} | {' | '.join(counts)} "
              f"| {half(found, adam=True)} | {half(found, adam=False)} |")  # fmt: skip
    print(
        "\n| depth | P/N | seed | U, N_Δ/N after Adam | solves | seconds | end "
        "| U | N_Δ/N | kinks/N | residual |\n|" + " --- |" * 11
    )
    for end in sorted(every, key=lambda end: (end.sample.depth, end.load)):
        if end.numbers.get("solves"):
            print(row(end))
    print("\nFew violated patterns: steps before U = 0, N_Δ, U")
    for end in every:
        last = end.numbers["adam_steps"]
        seen = [f"{last - step}, {count}, {u:.0e}" for step, count, u in end.numbers["few"]]
        if seen:
            print(f"{end.sample.name}: {'; '.join(seen)} -> {KINDS[end.kind][0]}")
    strict = sum(end.numbers["strict"] for end in every if end.fits)
    print(f"\n{strict} of {sum(end.fits for end in every)} fits are strict")
    for end in every:
        if "minimum_again" in end.numbers:
            shown = "a minimum" if end.numbers["minimum_again"] else "no minimum"
            print(f"{end.sample.name}: {shown} on a processor, {end.numbers['error_again']:.0e}")
    with style():
        drawn(every).savefig(FIGURE)


def row(end: Ended) -> str:
    n, weights = end.numbers, end.sample.mlp.n_weights
    left = f"{n['energy']:.3g} | {end.ratio(adam=False):.3f} | {n['kinks'] / weights:.3f}"
    left += f" | {n['residual']:.0e}"
    return (
        f"| {end.sample.depth} | {end.sample.load} | {end.sample.seed} | {n['adam_energy']:.2g}, "
        f"{end.ratio(adam=True):.2f} | {n['solves']} | {n['seconds']:.0f} | {KINDS[end.kind][0]} "
        f"| {'0 | 0 | | ' if end.fits else left} |"
    )


def drawn(every: list[Ended]) -> Figure:
    """Draw how each network ended (left) and its violated patterns (right) against the load."""
    figure = Figure(figsize=(7.6, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.15))
    depths = sorted(WIDTHS)
    for end in every:
        _, marker, colour, face = KINDS[end.kind]
        style_of = {"marker": marker, "mec": colour, "mfc": face, "ls": "", "ms": 5}
        level = depths.index(end.sample.depth)
        aside = 0.1 * (2 * end.sample.seed - SEEDS[end.sample.depth] + 1)
        left.plot(end.load, level + aside, **style_of)
        if end.kind == "collapsed":
            continue
        before, after = end.ratio(adam=True), end.ratio(adam=False) if not end.fits else 0.0
        beside = end.load + 0.012 * (level - 1) + 0.04 * aside  # so that none hides another
        if end.kind == "solves":
            right.annotate("", (beside, 0.03), (beside, before), arrowprops=ARROW)
            right.plot(beside, before, "o", mec=GREY, mfc="white", ms=4)
        right.plot(beside, after, **style_of)
    names = [f"depth {d}\nwidth {WIDTHS[d]}\nN = {Mlp(WIDTHS[d], WIDTHS[d], d).n_weights}"
             for d in depths]  # fmt: skip
    left.set(yticks=range(len(depths)), yticklabels=names, ylim=(-0.5, len(depths) - 0.5))
    left.set(xlabel="P/N", title="how networks end")
    right.set(xlabel="P/N", ylabel="N$_Δ$/N", ylim=(-0.05, 1.2), title="violated patterns")
    handles = [
        Line2D([], [], marker=m, mec=c, mfc=f, ls="", ms=5, label=text)
        for text, m, c, f in KINDS.values()
    ]
    handles.append(
        Line2D(
            [],
            [],
            marker="o",
            mec=GREY,
            mfc="white",
            ls="",
            ms=4,
            label="end of Adam, before the solves",
        )
    )
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure


if __name__ == "__main__":
    report(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME)

"""How many constraints hold the jamming points of `jamming_points`: tables, and a figure.

    python benchmarks/jamming_points_report.py [FILE.npz]

Prints tables and draws ``docs/jamming_points.png``. Missing constraints are ``n + 1 - N_Δ - kinks``
with ``n`` of the certificate: parameters less the norm, the rescalings of units and dead ones.
"""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jamming_points import EASY, HOME, MIDDLE, WIDTHS, Sample, samples
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bridge.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, RED, SKY, style
from bridge.measure.power_laws import THETA, fit_power_law

FIGURE = Path(__file__).parent.parent / "docs" / "jamming_points.png"
COLOURS = {
    "relu": RED,
    "leaky": ORANGE,
    "abs": "#CC79A7",
    "hardtanh": GREEN,
    "tanh": BLUE,
    "softplus": SKY,
    "silu": BLACK,
    "gelu": GREY,
}
MARKERS = {1: "o", 2: "s", 3: "^"}  # by depth
WEAK = 0.3, 0.1  # windows of forces, in units of their mean, and of masks
FEW = 5  # missing constraints of the guide
SPREAD = 0.02  # between the activations of one size and depth, in decades of N


@dataclass(frozen=True)
class Ended:
    """A sample and what is stored of it, by name."""

    sample: Sample
    stored: dict[str, Any]

    @property
    def status(self) -> str:
        return str(self.stored["status"])

    def __getitem__(self, name: str) -> Any:
        return self.stored[name]

    @property
    def missing(self) -> int:
        """``n + 1 - N_Δ - kinks``."""
        return int(self["n"] + 1 - self["n_constraints"] - self["n_kinks"])

    @property
    def unforced(self) -> bool:
        """Whether closed gaps without a force are there, of patterns with one output."""
        return bool(self["n_redundant"] > 0)


@dataclass(frozen=True)
class Group:
    """Samples that differ in their seeds only; ``points`` are the certified ones."""

    tried: list[Ended]

    @property
    def sample(self) -> Sample:
        return self.tried[0].sample

    @property
    def fitted(self) -> list[Ended]:
        return [end for end in self.tried if end.status != "not fitted"]

    @property
    def points(self) -> list[Ended]:
        return [end for end in self.tried if end.status == "jammed"]

    def mean(self, value: Callable[[Ended], float]) -> tuple[float, float]:
        """Return the mean over the points, and its standard error; NaN from a single one."""
        values = np.array([value(end) for end in self.points], dtype=float)
        if len(values) < 2:
            return (float(values[0]) if len(values) else np.nan), np.nan
        return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def ends(path: Path) -> list[Ended]:
    """Return the samples that have ended, in the order of the run."""
    with np.load(path) as file:
        stored = {name: file[name] for name in file.files}
    found: dict[str, dict[str, Any]] = {}
    for name, value in stored.items():
        sample, key = name.rsplit(" ", 1)
        found.setdefault(sample, {})[key] = value
    return [Ended(sample, found[sample.name]) for sample in samples() if sample.name in found]


def groups(every: list[Ended]) -> list[Group]:
    """Return the groups by activation, load, depth and size."""
    order = list(COLOURS)
    found: dict[tuple[int, float, int, int], list[Ended]] = {}
    for end in every:
        s = end.sample
        found.setdefault((order.index(s.activation), -s.load, s.depth, s.width), []).append(end)
    return [Group(found[key]) for key in sorted(found)]


def report(path: Path) -> None:
    every = ends(path)
    found = groups(every)
    print(
        "| activation | depth | width | N | P/N | tried, fitted, certified | n | N_Δ/n | kinks/n "
        f"| missing | missing/n | margin | s, point |\n|{' --- |' * 13}"
    )
    for group in found:
        print(row(group))
    print_failures(every)
    print_forces(every)
    with style():
        drawn(found, every).savefig(FIGURE)


def row(group: Group) -> str:
    s = group.sample
    counts = ", ".join(str(len(part)) for part in (group.tried, group.fitted, group.points))
    head = f"| {s.activation} | {s.depth} | {s.width} | {s.mlp.n_weights} | {s.load} | {counts} "
    if not group.points:
        return head + "|" * 8
    n, _ = group.mean(lambda end: end["n"])
    ratios = [
        group.mean(lambda end, key=key: end[key] / end["n"])[0]  # type: ignore[misc]
        for key in ("n_constraints", "n_kinks")
    ]
    missing, error = group.mean(lambda end: end.missing)
    part, part_error = group.mean(lambda end: end.missing / end["n"])
    margin, _ = group.mean(lambda end: end["margin"])
    seconds = [float(end["exact_seconds"]) for end in group.points]
    return (
        f"{head}| {n:.0f} | {ratios[0]:.3f} | {ratios[1]:.3f} | {shown(missing, error, 1)} "
        f"| {shown(part, part_error, 4)} | {margin:.2f} "
        f"| {np.median(seconds):.0f} ({min(seconds):.0f} - {max(seconds):.0f}) |"
    )


def shown(value: float, error: float, digits: int) -> str:
    return f"{value:.{digits}f}" + (f" ± {error:.{digits}f}" if np.isfinite(error) else "")


def print_failures(every: list[Ended]) -> None:
    counts = Counter(end.status for end in every)
    print("\n" + ", ".join(f"{status}: {count}" for status, count in counts.most_common()))
    for end in every:
        if end.status not in ("jammed", "not fitted"):
            seconds = float(end["exact_seconds"])
            print(f"- {end.sample.name}: {end.status}, {end['reason']}; {seconds:.0f} s")
    fewer = [end for end in every if end.status == "jammed" and end.unforced]
    print(f"\n{len(fewer)} points have closed gaps without a force:", end=" ")
    print("; ".join(f"{end.sample.name}: {end['n_redundant']}" for end in fewer))


def pooled(every: list[Ended], activation: str, name: str) -> list[Any]:
    """Return forces, or distances of masks from 0 and 1, of the points of the size `MIDDLE`."""
    chosen = [
        end
        for end in every
        if end.status == "jammed"
        and end.sample.activation == activation
        and end.sample.load == EASY
        and end.sample.width == WIDTHS[end.sample.depth][MIDDLE]
    ]
    values = [end[name] for end in chosen]
    return [np.minimum(v, 1.0 - v) for v in values] if name == "masks" else values


def print_forces(every: list[Ended]) -> None:
    print(f"\n| N about 300 | values | in the window | exponent |\n|{' --- |' * 4}")
    for activation, name, high in (
        ("relu", "forces", WEAK[0]),
        ("tanh", "forces", WEAK[0]),
        ("relu", "masks", WEAK[1]),
    ):
        values = pooled(every, activation, name)
        if not values:
            continue
        fit = fit_power_law(values, high)
        said = f"{fit.exponent:.2f} ± {fit.error:.2f}" if fit.status == "fitted" else fit.status
        total = sum(map(len, values))
        print(f"| {name} of {activation}, {len(values)} points | {total} | {fit.count} | {said} |")


def drawn(found: list[Group], every: list[Ended]) -> Figure:
    figure = Figure(figsize=(9.2, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_counts(left, [group for group in found if group.sample.load == EASY and group.points])
    draw_weak(right, every)
    return figure


def draw_counts(axes: Any, found: list[Group]) -> None:
    """Draw missing constraints over ``n`` against ``N``."""
    present = [name for name in COLOURS if any(g.sample.activation == name for g in found)]
    for group in found:
        s = group.sample
        part, error = group.mean(lambda end: end.missing / end["n"])
        shift = SPREAD * (present.index(s.activation) - (len(present) - 1) / 2)
        axes.errorbar(
            s.mlp.n_weights * 10**shift,
            part,
            error,
            fmt=MARKERS[s.depth],
            color=COLOURS[s.activation],
            mfc="white" if s.depth == 1 else COLOURS[s.activation],
            lw=0.9,
        )
    every = [group.sample.mlp.n_weights for group in found]
    sizes = np.array([min(every), max(every)])
    axes.plot(sizes, FEW / sizes, "--", color=GREY, lw=0.8, zorder=1)
    axes.axhline(0.0, color=GREY, lw=0.8, zorder=1)
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=0.01, linscale=0.4)
    axes.set_xticks([150, 300, 600], ["150", "300", "600"])
    axes.set_xticks([], minor=True)
    axes.set_yticks(
        [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5], ["0", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5"]
    )
    axes.set_yticks([], minor=True)
    axes.set(xlim=(0.75 * sizes[0], 1.3 * sizes[1]), ylim=(-0.001, 0.7))
    axes.set(xlabel="weights N", ylabel="missing constraints $(n + 1 - N_Δ - N_{kinks})/n$")
    handles = [
        Line2D([], [], color=COLOURS[name], marker="o", ls="", label=name) for name in present
    ]
    handles += [
        Line2D([], [], color=BLACK, marker=marker, mfc="white" if depth == 1 else BLACK, ls="",
               label=f"depth {depth}")
        for depth, marker in MARKERS.items()
    ]  # fmt: skip
    handles.append(Line2D([], [], color=GREY, ls="--", lw=0.8, label=f"{FEW} missing"))
    axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4)


def draw_weak(axes: Any, every: list[Ended]) -> None:
    """Draw the cumulative distribution of forces, and of the distance of masks from their ends."""
    kinds = (
        ("relu", "forces", RED, "-", "relu: forces"),
        ("relu", "masks", RED, ":", "relu: masks, from 0 or 1"),
        ("tanh", "forces", BLUE, "-", "tanh: forces"),
    )
    for activation, name, colour, dash, label in kinds:
        values = pooled(every, activation, name)
        if values:
            v = np.sort(np.concatenate(values))
            axes.step(v, np.arange(1, len(v) + 1) / len(v), dash, color=colour, label=label)
    x = np.array([3e-3, 0.3])
    for power, dash, label in ((0.0, "-", "flat density"), (THETA, "--", "isostatic class")):
        line = 0.12 * (x / x[1]) ** (1 + power)
        axes.plot(x, line, dash, color=GREY, lw=0.8, label=f"slope {1 + power:.2f}: {label}")
    axes.set(xscale="log", yscale="log", xlim=(1e-3, 5), ylim=(2e-4, 1.5))
    axes.set(xlabel="force over its mean, or distance of a mask", ylabel="part of the values below")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)


if __name__ == "__main__":
    report(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME)

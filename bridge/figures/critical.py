"""Figures of the critical point: a column for each system, sizes in one colour each.

`departure_figure` shows how systems leave their jamming points, `exponents_figure` the weak forces
and small gaps there, `avalanche_figure` what slow loading sets off.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.avalanches.sizes import Sizes
from bridge.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    SKY,
    log_density,
    new_figure,
    style,
)
from bridge.jamming.departure import Departure
from bridge.measure.power_laws import GAMMA, THETA, PowerLaw, finite_size_floor, stability
from bridge.protocols import Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BY_SIZE = (SKY, BLUE, GREEN, ORANGE)
MARKERS = ("o", "s", "^", "D")
FEWEST = 20  # avalanches of a size, for a distribution


@dataclass(frozen=True, eq=False)
class JammingSample:
    """Forces, in units of their mean, and margins ``h > 0`` of one jamming point."""

    n_contacts: int
    forces: Vector
    margins: Vector


def departure_figure(systems: Mapping[str, Mapping[str, Sequence[Departure]]]) -> "Figure":
    """Draw excess constraints, pressure and energy against the distance to jamming ``t``.

    ``t`` is what `HasTightening.tightened` takes: the growth of lengths, or of the margin.
    ``systems[name][label of a size]`` are samples that share their distances. Points are medians
    over samples; the second row is the collapse in ``t N²``.
    """
    with style():
        figure, axes = _panels(4, systems, 8.2)
        for column, sizes in zip(axes.T, systems.values(), strict=True):
            for index, (label, samples) in enumerate(sizes.items()):
                n = float(np.median([s.n_jamming for s in samples]))
                t, excess, pressure, energy = _medians(samples)
                _dots(column[0], t, excess / n, index, label)
                _dots(column[1], t * n**2, excess, index)
                _dots(column[2], t, pressure, index)
                _dots(column[3], t, energy / n, index)
            for panel, power in zip(column, (0.5, 0.5, 1.0, 2.0), strict=True):
                _slope_line(panel, power)
            column[2].legend(*column[0].get_legend_handles_labels(), loc="upper left")
        rows = ("excess constraints / N", "excess constraints", "pressure p", "energy U/N")
        away = "distance to jamming t"
        _label(axes, (away, "t N²", away, away), rows)
        return figure


def exponents_figure(systems: Mapping[str, Sequence[JammingSample]]) -> "Figure":
    """Draw weak forces and small gaps at jamming, and their exponents against the window."""
    with style():
        figure, axes = _panels(4, systems, 8.2)
        for column, (name, points) in zip(axes.T, systems.items(), strict=True):
            contacts = np.mean([p.n_contacts for p in points])
            column[0].set_title(f"{name}, {len(points)} × {contacts:.0f} contacts")
            forces, margins = [p.forces for p in points], [p.margins for p in points]
            _density(column[0], forces, RED, THETA, top=0.3)
            _density(column[1], margins, BLUE, -GAMMA, top=0.03)
            _stability(column[2], forces, np.geomspace(0.03, 1.0, 12), 0.0, RED, THETA, 1.0)
            column[2].set_xlim(0.025, 1.2)
            floor = finite_size_floor(margins)
            highs = np.geomspace(max(5 * floor, 3e-3), 0.3, 12)
            _stability(column[3], margins, highs, floor, BLUE, GAMMA, -1.0)
        rows = ("density P(f)", "density P(h)", "exponent θ", "exponent γ")
        window = "upper end of the window of the fit"
        _label(axes, ("force f / ⟨f⟩", "gap h", window, window), rows)
        return figure


def avalanche_figure(systems: Mapping[str, Mapping[str, Sizes]]) -> "Figure":
    """Draw the distribution of the energy lost, and its collapse; lines: `D^-1`, `D^-1.41`.

    Sizes with fewer than `FEWEST` avalanches have no distribution, and are named with their number;
    a system that has only such is left out.
    """
    drawn = {n: s for n, s in systems.items() if any(one.count >= FEWEST for one in s.values())}
    with style():
        figure, axes = _panels(2, drawn or systems, 4.4)
        for column, sizes in zip(axes.T, (drawn or systems).values(), strict=True):
            for index, (label, one) in enumerate(sizes.items()):
                drops, cutoff = np.concatenate(one.resolved), one.cutoff()
                if len(drops) < FEWEST:
                    column[0].plot([], [], " ", label=f"{label}: {len(drops)}, too few")
                    continue
                x, density, errors = log_density(drops, bins_per_decade=2)
                _dots(column[0], x, density, index, f"{label}: {len(drops)}", "-", errors)
                _dots(column[1], x / cutoff, density * x, index, None, "-", errors * x)
            if not column[1].get_lines():
                column[0].set_axis_off()
                column[1].set_axis_off()
            for power, dash in ((-1.0, "-"), (-1.41, "--")):
                _slope_line(column[0], power, middle=True, dash=dash)
            _two_legends(column[0])
            _whole_decades(column[1])
        columns = ("energy lost D", "D / D$_c$, with D$_c$ = ⟨D²⟩/⟨D⟩")
        _label(axes, columns, ("density P(D)", "D P(D)"))
        return figure


def _panels(rows: int, systems: Iterable[str], height: float) -> tuple["Figure", Any]:
    """Return a figure with a column for each system, all axes logarithmic."""
    from matplotlib.ticker import NullFormatter

    names = list(systems)
    figure = new_figure(2.25 * len(names) + 0.4, height)
    axes = figure.subplots(rows, len(names), squeeze=False)
    for top, name in zip(axes[0], names, strict=True):
        top.set_title(name)
    for panel in axes.flat:
        panel.set(xscale="log", yscale="log")
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_minor_formatter(NullFormatter())
    return figure, axes


def _two_legends(axes: "Axes") -> None:
    """Name slopes at the lower left and sizes at the upper right: data fall between."""
    named = list(zip(*axes.get_legend_handles_labels(), strict=True))
    slopes = [each for each in named if each[1].startswith("slope")]
    if slopes:
        axes.add_artist(axes.legend(*zip(*slopes, strict=True), loc="lower left"))
    sizes = [each for each in named if each not in slopes]
    axes.legend(*zip(*sizes, strict=True), loc="upper right")


def _whole_decades(axes: "Axes") -> None:
    """Widen the axis upwards to whole powers of ten, which alone have a number."""
    low, high = np.log10(axes.get_ylim())
    axes.set_ylim(10 ** np.floor(low), 10 ** np.ceil(high))


def _label(axes: Any, below: Sequence[str], beside: Sequence[str]) -> None:
    """Name what the panels of each row show: below each of them, and beside the first."""
    for row, x, y in zip(axes, below, beside, strict=True):
        row[0].set_ylabel(y)
        for panel in row:
            panel.set_xlabel(x)


def _medians(samples: Sequence[Departure]) -> tuple[Vector, Vector, Vector, Vector]:
    """Return distances, and medians of excess, pressure and energy where half the samples go."""
    longest = max(samples, key=lambda s: len(s.distance)).distance
    reached = [sum(len(s.distance) > k for s in samples) for k in range(len(longest))]
    count = sum(2 * number >= len(samples) for number in reached)

    def median(name: str) -> Vector:
        values = [getattr(sample, name) for sample in samples]
        return np.array([np.median([v[k] for v in values if len(v) > k]) for k in range(count)])

    return longest[:count], median("excess"), median("pressure"), median("energy")


def _dots(
    axes: "Axes",
    x: Vector,
    y: Vector,
    index: int,
    label: str | None = None,
    line: str = "none",
    errors: Vector | None = None,
) -> None:
    seen = y > 0
    axes.errorbar(
        x[seen], y[seen], None if errors is None else errors[:, seen], ls=line,
        color=BY_SIZE[index], marker=MARKERS[index], ms=3, lw=0.7, label=label,
    )  # fmt: skip


def _slope_line(axes: "Axes", power: float, middle: bool = False, dash: str = "-") -> None:
    """Draw a power law through the last, or the middle, of what is drawn, with its exponent."""
    lines = [line for line in axes.get_lines() if np.size(line.get_xdata()) and line.get_zorder()]
    if not lines:
        return
    x = np.concatenate([np.asarray(line.get_xdata(), dtype=float) for line in lines])
    y = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in lines])
    order = np.argsort(x)
    anchor = order[len(order) // 2] if middle else order[-1]
    span = np.array([x.min(), x.max()])
    with np.errstate(over="ignore"):
        line = y[anchor] * (span / x[anchor]) ** power
        axes.plot(span, line, dash, color=GREY, lw=0.8, zorder=0,
                  label=f"slope {power:g}" if middle else None)  # fmt: skip
    low, high = y.min(), y.max()
    axes.set_ylim(low / 2, high * 3)
    if not middle:
        text = f"line: slope {power:g}"
        axes.text(0.97, 0.05, text, transform=axes.transAxes, ha="right", color=GREY)


def _density(
    axes: "Axes", samples: Sequence[Vector], colour: str, power: float, top: float
) -> None:
    """Draw a density, and a power law that passes through it at ``top``."""
    values = np.concatenate(list(samples))
    x, density, errors = log_density(values[values > 0], bins_per_decade=5)
    axes.errorbar(x, density, errors, color=colour, marker="o", ms=2.5, lw=0.8, ecolor=BLACK,
                  elinewidth=0.6)  # fmt: skip
    at = int(np.argmin(np.abs(np.log(x / top))))
    span = np.array([x.min(), top])
    axes.plot(span, density[at] * (span / x[at]) ** power, color=GREY, lw=0.8)
    axes.set_ylim(density.min() / 2, density.max() * 2)
    axes.text(
        0.03, 0.05, f"line: mean field, slope {power:+.3f}", transform=axes.transAxes, color=GREY
    )


def _stability(
    axes: "Axes", samples: Sequence[Vector], highs: Vector, low: float, colour: str,
    expected: float, sign: float,
) -> None:  # fmt: skip
    """Draw the exponent, with its error, against the upper end of the window."""
    fits: list[PowerLaw] = stability(samples, highs, low=low, resamples=50)
    good = [fit for fit in fits if fit.status == "fitted"]
    axes.set_yscale("linear")
    axes.axhline(expected, color=GREY, lw=0.8)
    text = f"line: mean field, {expected:.3f}"
    axes.text(0.97, 0.05, text, transform=axes.transAxes, ha="right", color=GREY)
    axes.set_ylim(-0.3, 1.0)
    if len(good) < 2:
        text = fits[-1].reason or "too few values for\nmore than one window"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", color=BLACK)
        return
    axes.errorbar(
        [fit.high for fit in good],
        [sign * fit.exponent for fit in good],
        [fit.error for fit in good],
        color=colour, fmt="o-", ms=3, lw=0.8, ecolor=BLACK, elinewidth=0.7,
    )  # fmt: skip

"""The figure of one state: its picture, its gaps and kinks, and its spectra if there are any."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.figures.picture import plot
from bridge.figures.style import BLUE, RED, SPECTRA, legend, new_figure, style
from bridge.protocols import HasKinks, HasPicture, Mask, Restricted, Vector
from bridge.records.store import Record
from bridge.systems import load_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BINS = 60
_HELD = 1e-9  # a unit this close to its kink is held there
_PICTURE, _PANEL, _HEIGHT = 3.6, 2.9, 3.4  # widths and height in inches

Panel = Callable[["Axes"], None]


def state_figure(record: Record, end: Any = None, mode: Vector | None = None) -> "Figure":
    """Draw a state with the distribution of its gaps, and what else was kept of it.

    Parameters
    ----------
    record
        Of the state, with its gaps.
    end
        What was reopened of it, for the picture; None if that cannot be.
    mode
        A motion ``(n_dof,)`` to draw in the picture.
    """
    panels: list[tuple[float, Panel]] = []
    if end is not None and np.isfinite(end.x).all():
        panels += _pictures(end, mode)
    gaps, held = _gaps(record, end)
    panels.append((_PANEL, partial(_draw_gaps, gaps=gaps, held=held)))
    if end is not None and np.isfinite(end.x).all():
        panels += _kinks(end)
    if "eigenvalues" in record.arrays:
        panels.append((_PANEL, partial(_draw_spectra, record=record)))
    widths = [width for width, _ in panels]
    with style():
        figure = new_figure(sum(widths), _HEIGHT)
        axes = figure.subplots(1, len(panels), squeeze=False, width_ratios=widths)[0]
        figure.suptitle(_title(record), fontsize=9)
        for panel, (_, draw) in zip(axes, panels, strict=True):
            draw(panel)
        return figure


def _title(record: Record) -> str:
    data = record.data
    symbol = load_words(data["load_name"]).split()[-1]
    found = f"{data['system']}, {symbol} = {data['load']:.5g}: {record.status}"
    if data["n_constraints"]:
        found += f", N$_Δ$ = {data['n_constraints']}, N = {data['n']}"
    return found + (f", {data['n_kinks']} kinks" if data["n_kinks"] else "")


def _pictures(end: Any, mode: Vector | None) -> list[tuple[float, Panel]]:
    """Return the picture, of a system that has one."""
    problem = end.problem.unrestricted(end.x)[0] if isinstance(end.problem, Restricted) else None
    if not isinstance(problem or end.problem, HasPicture):
        return []

    def draw(axes: "Axes") -> None:
        plot(end, ax=axes, mode=mode)

    return [(_PICTURE, draw)]


def _kinks(end: Any) -> list[tuple[float, Panel]]:
    """Return the distances of units from their kinks, where there are any."""
    if not isinstance(end.problem, HasKinks) or not len(kinks := end.problem.kinks(end.x)):
        return []
    return [(_PANEL, partial(_draw_kinks, distances=np.abs(kinks)))]


def _gaps(record: Record, end: Any) -> tuple[Vector, Mask | None]:
    """Return the gaps to show; at a jamming point, which of them carry a force as well.

    They are those of the backbone that the record has, or all where no body is held.
    """
    if end is not None and end.forces is not None:
        return end.problem.gaps(end.x), end.forces > 0.0
    gaps = record.arrays["gaps"]
    if end is None or gaps.size or not np.isfinite(end.x).all():
        return gaps, None
    return end.problem.gaps(end.x), None


def _draw_gaps(axes: "Axes", gaps: Vector, held: Mask | None) -> None:
    if gaps.size:
        red = gaps > 0 if held is None else held
        edges = np.linspace(gaps.min(), max(gaps.max(), 0.0) + 1e-12, _BINS + 1)
        name = "violated, Δ > 0" if held is None else "touching, Δ = 0"
        axes.hist(gaps[~red], edges.tolist(), color=BLUE, label="satisfied, Δ < 0")
        axes.hist(gaps[red], edges.tolist(), color=RED, label=name)
    axes.set(xlabel="gap Δ", ylabel="constraints", yscale="log")
    legend(axes, loc="upper left")


def _draw_kinks(axes: "Axes", distances: Vector) -> None:
    """Draw how far pairs of pattern and unit are from a kink; those that are held on the left."""
    free = distances[distances >= _HELD]
    edges = np.geomspace(_HELD, max(float(distances.max()), 10 * _HELD) * 1.01, _BINS + 1)
    axes.hist(free, edges.tolist(), color=BLUE, label="free")
    if held := int((distances < _HELD).sum()):
        axes.bar(_HELD, held, -0.6 * _HELD, align="edge", color=RED, label=f"held: {held}")
    axes.set(xscale="log", yscale="log", xlabel="distance |z| of a unit from its kink")
    axes.set(ylabel="pairs of pattern and unit")
    legend(axes, loc="upper left")


def _draw_spectra(axes: "Axes", record: Record) -> None:
    values = record.arrays
    low = min(float(values[name].min()) for name in SPECTRA)
    high = max(float(values[name].max()) for name in SPECTRA)
    edges = np.linspace(low, high + 1e-12, _BINS + 1)
    for name, (label, colour) in SPECTRA.items():
        axes.hist(values[name], edges.tolist(), histtype="step", color=colour, label=label)
    axes.set(xlabel="eigenvalue λ", ylabel="modes", yscale="log")
    legend(axes, loc="upper right")

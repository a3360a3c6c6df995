"""The figure of one state: its gaps, and the spectra of its Hessian if they were asked for."""

from typing import TYPE_CHECKING

import numpy as np

from bridge.figures.style import BLUE, RED, SPECTRA, legend, new_figure, style
from bridge.records.store import Record
from bridge.systems import load_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BINS = 60


def state_figure(record: Record) -> "Figure":
    """Draw the gaps ``Δ`` of a state, and the densities of its eigenvalues beside them."""
    panels = 1 + ("eigenvalues" in record.arrays)
    data = record.data
    with style():
        figure = new_figure(3.2 * panels, 2.6)
        axes = figure.subplots(1, panels, squeeze=False)[0]
        symbol = load_words(data["load_name"]).split()[-1]
        title = f"{data['system']}, {symbol} = {data['load']:.5g}: {record.status}"
        figure.suptitle(title, fontsize=9)
        _draw_gaps(axes[0], record)
        if panels > 1:
            _draw_spectra(axes[1], record)
        return figure


def _draw_gaps(axes: "Axes", record: Record) -> None:
    gaps = record.arrays["gaps"]
    if gaps.size:
        edges = np.linspace(gaps.min(), max(gaps.max(), 0.0) + 1e-12, _BINS + 1)
        axes.hist(gaps[gaps <= 0], edges.tolist(), color=BLUE, label="satisfied, Δ < 0")
        axes.hist(gaps[gaps > 0], edges.tolist(), color=RED, label="violated, Δ > 0")
    axes.set(xlabel="gap Δ", ylabel="constraints", yscale="log")
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

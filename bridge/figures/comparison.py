"""The figure of the comparison: a column for each system, a row for each observable.

Every status has a colour and a marker of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.figures.style import BLACK, BLUE, GREY, RED, SPECTRA, log_density, new_figure, style
from bridge.protocols import Vector
from bridge.records.columns import Column
from bridge.records.store import Record
from bridge.systems import load_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

STATUS_STYLES: dict[str, dict[str, Any]] = {
    "jammed": {"marker": "o", "color": RED, "markeredgecolor": "white", "markeredgewidth": 0.4},
    "unjammed": {"marker": "o", "color": BLUE, "markerfacecolor": "white"},
    "stalled": {"marker": "x", "color": GREY},
    "dead": {"marker": "+", "color": BLACK},
}
ENERGY_FLOOR = 1e-8  # where a run with U = 0 stands on the logarithmic axis
SPECTRUM_LINEAR = 1e-3  # width of the linear part of the axis of eigenvalues


def comparison(systems: Sequence[Column]) -> "Figure":
    """Draw ``N_Δ/N`` and energy against load, gap distributions, and spectra of each system."""
    with style():
        figure = new_figure(max(2.05 * len(systems) + 0.6, 3.8), 7.8)
        axes = figure.subplots(4, len(systems), squeeze=False, sharey="row")
        for column, system in zip(axes.T, systems, strict=True):
            column[0].set_title(system.name)
            draw_constraints(column[0], system)
            draw_energy(column[1], system)
            column[1].set_xlabel(load_words(system.load_name))
            draw_gaps(column[2], system)
            draw_spectra(column[3], system)
        axes[0, 0].set_ylim(bottom=-0.08)
        _label_rows(axes)
        _legends(figure, axes)
        return figure


def draw_constraints(axes: "Axes", system: Column) -> None:
    """Draw ``N_Δ/N`` of every run against its load, one marker a status."""
    axes.axhline(1.0, color=GREY, lw=0.7, ls=":")
    _mark_transition(axes, system)
    _draw_runs(axes, system, lambda data: data["constraints_per_dof"])
    axes.tick_params(labelbottom=False)


def draw_energy(axes: "Axes", system: Column) -> None:
    """Draw ``U/n_dof`` of every run; those that reached ``U = 0`` stand on the lower edge."""
    axes.set(yscale="log", ylim=(ENERGY_FLOOR / 2, None))
    _mark_transition(axes, system)
    _draw_runs(axes, system, lambda data: max(data["energy"] / data["n_dof"], ENERGY_FLOOR))


def draw_gaps(axes: "Axes", system: Column) -> None:
    """Draw the densities of the violations ``Δ > 0`` and of the margins ``-Δ > 0``."""
    gaps = _joined(system.at_transition, "gaps")
    axes.set(xscale="log", yscale="log")
    for values, colour, marker in ((gaps[gaps > 0], RED, "o"), (-gaps[gaps < 0], BLUE, "s")):
        if values.size:
            x, density = log_density(values, bins_per_decade=4)
            axes.plot(x, density, color=colour, marker=marker, ms=2.5, lw=0.8)


def draw_spectra(axes: "Axes", system: Column) -> None:
    """Draw the eigenvalue densities of ``H``, ``H0`` and ``Hp`` just above the transition.

    The axis is linear around zero and logarithmic far from it, in units of the mean eigenvalue of
    ``H0``; exact zeros, of symmetries and frozen bodies, are left out.
    """
    states = system.above()
    stiffness = _joined(states, "eigenvalues_h0")
    unit = stiffness.mean() if stiffness.size else 1.0
    axes.set_xscale("symlog", linthresh=SPECTRUM_LINEAR)
    axes.set_xticks([-1, -1e-2, 0, 1e-2, 1], ["−1", "−10⁻²", "0", "10⁻²", "1"])
    axes.set_xticks([], minor=True)
    axes.set_yscale("log")
    for name, (_, colour) in SPECTRA.items():
        values = _joined(states, name) / unit
        values = values[np.abs(values) > 1e-11]
        if values.size:
            density, edges = np.histogram(values, bins=_symlog_bins(values), density=True)
            axes.stairs(density, edges, color=colour, lw=1.0)


def _symlog_bins(values: Vector) -> Vector:
    """Return bins that look even on the axis of `draw_spectra`."""
    largest = 1.001 * float(np.abs(values).max())
    half = SPECTRUM_LINEAR * np.sinh(np.linspace(0, np.arcsinh(largest / SPECTRUM_LINEAR), 28))
    return np.concatenate([-half[:0:-1], half])


def _draw_runs(axes: "Axes", system: Column, value: Callable[[Mapping[str, Any]], float]) -> None:
    for status, look in STATUS_STYLES.items():
        runs = [r.data for r in system.sweep if r.status == status]
        axes.plot([d["load"] for d in runs], [value(d) for d in runs], ls="none", **look)


def _mark_transition(axes: "Axes", system: Column) -> None:
    if (load := system.transition()) is not None:
        axes.axvline(load, color=GREY, lw=0.7)


def _joined(records: Sequence[Record], name: str) -> Vector:
    arrays = [r.arrays[name] for r in records if name in r.arrays]
    return np.concatenate(arrays) if arrays else np.empty(0)


def _label_rows(axes: "NDArray[Any]") -> None:
    labels = ("constraints N$_Δ$/N", "energy U/n", "density P(|Δ|)", "eigenvalue density")
    for row, label in zip(axes, labels, strict=True):
        row[0].set_ylabel(label)
    for panel in axes[2]:
        panel.set_xlabel("|Δ| at the transition")
    for panel in axes[3]:
        panel.set_xlabel("eigenvalue λ / ⟨λ⟩ of H₀")


def _legends(figure: "Figure", axes: "NDArray[Any]") -> None:
    from matplotlib.lines import Line2D

    statuses = [Line2D([], [], ls="none", label=s, **look) for s, look in STATUS_STYLES.items()]
    figure.legend(handles=statuses, loc="outside upper center", ncols=4, handletextpad=0.1)
    sides = [
        Line2D([], [], color=RED, marker="o", ms=3, label="P$_+$: Δ > 0, violated"),
        Line2D([], [], color=BLUE, marker="s", ms=3, label="P$_-$: Δ < 0, satisfied"),
    ]
    axes[2, 0].legend(handles=sides, loc="lower left")
    parts = [Line2D([], [], color=colour, label=name) for name, colour in SPECTRA.values()]
    axes[3, 0].legend(handles=parts, loc="upper right")

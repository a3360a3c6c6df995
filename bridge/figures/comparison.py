"""The figure of the comparison: a column for each system, a row for each observable.

Every status has a colour and a marker of its own.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
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
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray

STATUS_STYLES: dict[str, dict[str, Any]] = {
    "jammed": {"marker": "o", "color": RED, "markeredgecolor": "white", "markeredgewidth": 0.4},
    "unjammed": {"marker": "o", "color": BLUE, "markerfacecolor": "white"},
    "stalled": {"marker": "x", "color": GREY},
    "dead": {"marker": "+", "color": BLACK},
}
ENERGY_FLOOR = 1e-8  # where a run with U = 0 stands on the logarithmic axis, named 0 there
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
        _name_zero(axes[1, 0])
        _label_rows(axes)
        _legends(figure, axes)
        return figure


def transitions(systems: Sequence[Column]) -> "Figure":
    """Draw ``N_Δ/N`` against load alone, a panel for each system: for a slide.

    Jammed states of a load are drawn as their mean, with its standard error where there are two.
    """
    with style():
        figure = new_figure(max(1.75 * len(systems) + 0.4, 3.8), 2.3)
        axes = figure.subplots(1, len(systems), squeeze=False, sharey=True)[0]
        for panel, system in zip(axes, systems, strict=True):
            panel.set(title=system.name, xlabel=load_words(system.load_name))
            panel.axhline(1.0, color=GREY, lw=0.7, ls=":")
            _mark_transition(panel, system)
            _draw_runs(panel, system, _ratio, but=("jammed",))
            _draw_means(panel, system)
        axes[0].set(ylabel="violated N$_Δ$ per degree\nof freedom N", ylim=(-0.08, None))
        figure.legend(handles=_statuses(), loc="outside upper center", ncols=6, handletextpad=0.5)
        return figure


def draw_constraints(axes: "Axes", system: Column) -> None:
    """Draw ``N_Δ/N`` of every run against its load, one marker a status."""
    axes.axhline(1.0, color=GREY, lw=0.7, ls=":")
    _mark_transition(axes, system)
    _draw_runs(axes, system, _ratio)
    axes.tick_params(labelbottom=False)


def draw_energy(axes: "Axes", system: Column) -> None:
    """Draw ``U/N`` of every run; those that reached ``U = 0`` stand on the lower edge."""
    axes.set(yscale="log", ylim=(ENERGY_FLOOR / 2, None))
    _mark_transition(axes, system)
    _draw_runs(axes, system, lambda data: max(data["energy"] / max(data["n"], 1), ENERGY_FLOOR))


def draw_gaps(axes: "Axes", system: Column) -> None:
    """Draw the densities of the violations ``Δ > 0`` and of the margins ``-Δ > 0``.

    Bars are the errors of the counts in the bins.
    """
    gaps = _joined(system.at_transition, "gaps")
    axes.set(xscale="log", yscale="log")
    for values, colour, marker in ((gaps[gaps > 0], RED, "o"), (-gaps[gaps < 0], BLUE, "s")):
        if values.size:
            x, density, errors = log_density(values, bins_per_decade=4)
            axes.errorbar(
                x, density, errors, color=colour, marker=marker, ms=2.5, lw=0.8, elinewidth=0.6
            )


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


def _ratio(data: Mapping[str, Any]) -> float:
    return float(data["constraints_per_dof"])


def _draw_runs(
    axes: "Axes",
    system: Column,
    value: Callable[[Mapping[str, Any]], float],
    but: Collection[str] = (),
) -> None:
    for status, look in STATUS_STYLES.items():
        if status in but:
            continue
        runs = [r.data for r in system.sweep if r.status == status]
        axes.plot([d["load"] for d in runs], [value(d) for d in runs], ls="none", **look)


def _draw_means(axes: "Axes", system: Column) -> None:
    """Draw the mean of the jammed states of each load, and its standard error."""
    for load in system.loads:
        ratios = [_ratio(run.data) for run in system.at(load) if run.status == "jammed"]
        if ratios:
            error = np.std(ratios, ddof=1) / np.sqrt(len(ratios)) if len(ratios) > 1 else 0.0
            axes.errorbar(load, np.mean(ratios), error, elinewidth=0.9, **STATUS_STYLES["jammed"])


def _name_zero(axes: "Axes") -> None:
    """Name the lower edge of a logarithmic axis of energies by what stands there."""
    from matplotlib.ticker import FuncFormatter, LogFormatterMathtext

    usual = LogFormatterMathtext()
    usual.set_axis(axes.yaxis)
    text = FuncFormatter(lambda y, at: "0" if y <= ENERGY_FLOOR else usual(y, at))
    axes.yaxis.set_major_formatter(text)


def _mark_transition(axes: "Axes", system: Column) -> None:
    if (load := system.transition()) is not None:
        axes.axvline(load, color=GREY, lw=0.7)


def _joined(records: Sequence[Record], name: str) -> Vector:
    arrays = [r.arrays[name] for r in records if name in r.arrays]
    return np.concatenate(arrays) if arrays else np.empty(0)


def _label_rows(axes: "NDArray[Any]") -> None:
    labels = (
        "violated N$_Δ$ per\ndegree of freedom N", "energy U/N\n(0 where all is satisfied)",
        "density P(|Δ|)", "eigenvalue density",
    )  # fmt: skip
    for row, label in zip(axes, labels, strict=True):
        row[0].set_ylabel(label)
    for panel in axes[2]:
        panel.set_xlabel("|Δ| at the transition")
    for panel in axes[3]:
        panel.set_xlabel("eigenvalue λ / ⟨λ⟩ of H₀")


def _legends(figure: "Figure", axes: "NDArray[Any]") -> None:
    from matplotlib.lines import Line2D

    figure.legend(handles=_statuses(), loc="outside upper center", ncols=6, handletextpad=0.5)
    sides = [
        Line2D([], [], color=RED, marker="o", ms=3, label="P$_+$: Δ > 0, violated"),
        Line2D([], [], color=BLUE, marker="s", ms=3, label="P$_-$: Δ < 0, satisfied"),
    ]
    names = ("stiffness H₀", "prestress Hₚ", "H = H₀ + Hₚ")
    colours = [colour for _, colour in SPECTRA.values()]
    parts = [Line2D([], [], color=c, label=name) for name, c in zip(names, colours, strict=True)]
    figure.legend(handles=[*sides, *parts], loc="outside lower center", ncols=5)


def _statuses() -> "list[Line2D]":
    """Return the marks of the statuses, and what the lines mean, for a legend."""
    from matplotlib.lines import Line2D

    return [
        *(Line2D([], [], ls="none", label=s, **look) for s, look in STATUS_STYLES.items()),
        Line2D([], [], color=GREY, lw=0.7, label="half of the runs jam"),
        Line2D([], [], color=GREY, lw=0.7, ls=":", label="N$_Δ$ = N"),
    ]

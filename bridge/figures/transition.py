"""The figure of a transition: the fraction of networks that fit, quenched and slowly loaded."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.figures.style import BLUE, GREEN, RED, legend, new_figure, style
from bridge.records.store import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What may differ between the networks of one figure: how they were trained, and at which load.
_VARIED = {"protocol", "settings", "load", "low", "add"}
_STYLES = {"quench": (BLUE, "o"), "descend": (GREEN, "s")}


def alike(records: Sequence[Record], parameters: Mapping[str, Any]) -> list[Record]:
    """Return the records of the same networks, whatever their load and protocol."""
    varied = _VARIED if parameters["patterns"] is None else _VARIED | {"width"}

    def kind(given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in given.items() if name not in varied}

    return [record for record in records if kind(record.parameters) == kind(parameters)]


def transition_figure(records: Sequence[Record]) -> "Figure":
    """Draw the fraction of the networks that fit against their load, a curve for each protocol.

    Of quenches it is that of the networks trained at a load; of slow loading, that of the networks
    whose largest load is not below. Dead networks are left out of both.
    """
    with style():
        figure = new_figure(3.6, 2.6)
        axes = figure.subplots()
        living = [record for record in records if record.status != "dead"]
        for name, (colour, marker) in _STYLES.items():
            found = [record for record in living if record.parameters["protocol"] == name]
            loads, fractions = fitted_at(found)
            if len(loads):
                axes.plot(loads, fractions, marker, color=colour, ls="-", label=name)
        loaded = [record for record in living if record.data.get("fitted_patterns")]
        for add in sorted({record.parameters["add"] for record in loaded}):
            _draw_loading(axes, [r for r in loaded if r.parameters["add"] == add], add)
        axes.set(xlabel="load P/N", ylabel="networks that fit", ylim=(-0.03, 1.03))
        legend(axes, loc="lower left")
        return figure


def fitted_at(records: Sequence[Record]) -> tuple[list[float], list[float]]:
    """Return the loads of quenches in their order, and the fraction that fits at each."""
    fits: dict[float, list[bool]] = {}
    for record in records:
        fits.setdefault(record.data["load"], []).append(record.status == "unjammed")
    loads = sorted(fits)
    return loads, [float(np.mean(fits[load])) for load in loads]


def _draw_loading(axes: "Axes", records: Sequence[Record], add: float) -> None:
    """Draw the fraction that is still fitted: it falls where a loading ended in a network."""
    data = [record.data for record in records]
    ends = np.sort([d["fitted_patterns"] / d["n_weights"] for d in data])
    left = 1 - np.arange(len(ends) + 1) / len(ends)
    start = min(record.parameters["low"] for record in records)
    label = f"loading, {add:g} at once"
    axes.step([start, *ends], left, where="post", color=RED, label=label)

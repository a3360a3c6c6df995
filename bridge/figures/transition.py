"""The figure of a transition: which networks fit, quenched and slowly loaded, and which do not."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.figures.style import BLUE, GREEN, GREY, ORANGE, RED, new_figure, style
from bridge.measure.midpoint import midpoint
from bridge.protocols import Vector
from bridge.records.store import Record
from bridge.systems import systems

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What may differ between the networks of one figure: how they were brought to which load.
_VARIED = {"protocol", "load", "low", "add", "retrain"}
_LOADED = (RED, ORANGE, GREEN)


def alike(records: Sequence[Record], parameters: Mapping[str, Any]) -> list[Record]:
    """Return the records of the same networks and steps, whatever their load and protocol."""
    varied = _VARIED if parameters.get("patterns") is None else _VARIED | {"width"}

    def kind(given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in given.items() if name not in varied}

    return [record for record in records if kind(record.parameters) == kind(parameters)]


def transition_figure(records: Sequence[Record]) -> "Figure":
    """Draw the fraction of the networks that fit, and ``N_Δ/N`` of the others, against the load.

    Of quenches the fraction is that of the networks trained at a load, with Wilson's interval of
    one standard error and the curve whose half point is reported; of a loading it is that of the
    networks that did not stop below. Points on the right are single networks, open where nothing
    is certified. Dead ones are left out, and loadings of which not even the first patterns fitted.
    """
    with style():
        figure = new_figure(7.2, 3.2)
        share, jump = figure.subplots(1, 2)
        share.axhline(0.5, color=GREY, lw=0.7, ls=":")
        quenched = [r for r in records if r.parameters["protocol"] == "quench"]
        if living := [r for r in quenched if r.status != "dead"]:
            _draw_quenches(share, living, f"quenches{_kept(living, quenched)}")
            _draw_violated(jump, living, [r.data["load"] for r in living], BLUE, "o")
        for (name, loaded), colour in zip(_loadings(records).items(), _LOADED, strict=False):
            ended = [r for r in loaded if r.status != "dead" and r.data["fitted_patterns"]]
            _draw_loadings(share, ended, colour, f"{name}{_kept(ended, loaded)}")
            _draw_violated(jump, ended, [reached(r) for r in ended], colour, "D")
        share.set(xlabel="load P/N", ylabel="fraction that fits", ylim=(-0.04, 1.04))
        jump.set(xlabel="load P/N", ylabel="violated per weight N$_Δ$/N, where U > 0")
        jump.set(xlim=share.get_xlim(), ylim=(0, None))
        if records:
            given = records[0].parameters
            figure.suptitle(systems()[given["system"]].title(given))
            figure.legend(loc="outside lower center", ncols=4)
        return figure


def fitted_at(records: Sequence[Record]) -> tuple[Vector, Vector, Vector]:
    """Return the loads of quenches in their order, and how many of the networks there fit."""
    loads = np.array([record.data["load"] for record in records])
    fits = np.array([record.status == "unjammed" for record in records])
    values, place = np.unique(loads, return_inverse=True)
    fitted, trained = np.bincount(place, fits), np.bincount(place)
    return np.asarray(values), np.asarray(fitted), trained.astype(float)


def reached(record: Record) -> float:
    """Return the largest load ``P/N`` that a loading fitted."""
    return float(record.data["fitted_patterns"] / record.data["n_weights"])


def _loadings(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Return the loadings of each kind by its name; of one network that of the widest range."""
    found: dict[str, dict[Any, Record]] = {}
    loaded = [record for record in records if record.parameters["protocol"] == "loading"]
    for record in sorted(loaded, key=lambda r: (r.parameters["load"], -r.parameters["low"])):
        retrain, add = record.parameters["retrain"], record.parameters["add"]
        how = f"{retrain} steps" if retrain else "solves alone"
        found.setdefault(f"loading by {add:g}, {how}", {})[record.seed] = record
    return {name: list(each.values()) for name, each in sorted(found.items())}


def _draw_quenches(axes: "Axes", records: Sequence[Record], label: str) -> None:
    """Draw the fraction at each load, and the logistic curve if there is one."""
    loads, fitted, tried = fitted_at(records)
    share, centre = fitted / tried, (fitted + 0.5) / (tried + 1)
    half = np.sqrt(tried * share * (1 - share) + 0.25) / (tried + 1)  # not zero where all fit
    errors = np.maximum([share - centre + half, centre + half - share], 0.0)
    axes.errorbar(loads, share, errors, fmt="o", color=BLUE, elinewidth=0.8, label=label, zorder=3)
    try:
        middle = midpoint(loads, fitted, tried)
    except ValueError:  # all fit, or none, or more at higher loads
        return
    x = np.linspace(loads.min(), loads.max(), 400)
    axes.plot(x, 1 / (1 + np.exp(np.clip((x - middle.value) / middle.width, -50, 50))), color=BLUE)


def _draw_loadings(axes: "Axes", records: Sequence[Record], colour: str, label: str) -> None:
    """Draw the fraction that is still fitted: it falls where a loading ended in a network."""
    if not records:  # all are dead or unfitted, which the label says
        axes.plot([], [], color=colour, label=label)
        return
    ends = np.sort([reached(record) for record in records if record.status != "unjammed"])
    left = 1 - np.arange(len(ends) + 1) / len(records)
    loads = np.array([min(record.parameters["low"] for record in records), *ends])
    if len(ends) < len(records):
        loads = np.append(loads, max(reached(record) for record in records))
        left = np.append(left, left[-1])
    axes.step(loads, left, where="post", color=colour, label=label)


def _draw_violated(
    axes: "Axes", records: Sequence[Record], loads: Sequence[float], colour: str, marker: str
) -> None:
    """Draw ``N_Δ/N`` of each network that did not fit."""
    found = [
        (load, record.data["n_constraints"] / record.data["n_weights"], record.status)
        for load, record in zip(loads, records, strict=True)
        if record.status != "unjammed"
    ]
    for status, face in (("jammed", colour), ("stalled", "white")):
        points = [(load, ratio) for load, ratio, ended in found if ended == status]
        if points:
            x, y = zip(*points, strict=True)
            axes.plot(x, y, marker, ls="", ms=4, color=colour, mfc=face, alpha=0.8)


def _kept(drawn: Sequence[Record], records: Sequence[Record]) -> str:
    """Return how many of the networks are drawn, if not all."""
    return "" if len(drawn) == len(records) else f" ({len(drawn)} of {len(records)})"

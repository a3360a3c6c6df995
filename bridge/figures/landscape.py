"""Figures of a landscape: its disconnectivity graph, its heat capacity, and how it was found."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import numpy as np

from bridge.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, RED, SKY, new_figure, style
from bridge.landscape.completeness import Completeness
from bridge.landscape.disconnectivity import lowest_part
from bridge.landscape.stationary_points import StationaryPoint
from bridge.landscape.thermodynamics import Thermodynamics, occupation
from bridge.landscape.trees import MergeTree
from bridge.protocols import Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_DRAWN = 2000  # minima whose lines can be told apart: of more, the lowest are drawn


def disconnectivity(
    tree: MergeTree,
    colours: Vector | None = None,
    *,
    colour_label: str = "",
    energy_label: str = "energy",
) -> "Figure":
    """Draw the exact merge tree; branches of minima are coloured by an observable, if given.

    Of more than 2000 minima the lowest are drawn, and a title says so.

    Parameters
    ----------
    colours
        A number for each minimum, ``(n,)``; those that are NaN are drawn in grey.
    """
    with style():
        known = tree.n_minima
        if known > MOST_DRAWN:
            kept, tree = lowest_part(tree, MOST_DRAWN)
            colours = None if colours is None else colours[kept]
        axes = tree.plot(colours=colours, colour_label=colour_label)
        axes.set_ylabel(energy_label)
        if known > MOST_DRAWN:
            axes.set_title(f"the {MOST_DRAWN} lowest of {known} minima")
        return cast("Figure", axes.figure)


def thermodynamics(minima: Sequence[StationaryPoint], found: Thermodynamics) -> "Figure":
    """Draw the heat capacity and, below, the occupation of the minima that explain its peak."""
    with style():
        figure = new_figure(3.6, 4.2)
        top, bottom = figure.subplots(2, 1, sharex=True)
        top.plot(found.temperature, found.heat_capacity, color=BLACK)
        where, height = found.peak()
        inside = found.temperature[0] < where < found.temperature[-1]
        if inside:
            top.axvline(where, color=GREY, lw=0.7, ls=":")
            bottom.axvline(where, color=GREY, lw=0.7, ls=":")
            top.annotate(
                f"T = {where:.3g}",
                (where, height),
                xytext=(4, 2),
                textcoords="offset points",
                fontsize=7,
            )
        top.set_ylabel("heat capacity C/k")
        _draw_occupation(bottom, minima, found)
        bottom.set_xlabel("temperature T")
        return figure


def discovery(found: Completeness) -> "Figure":
    """Draw how many minima and saddles were known after each search, and what to expect."""
    with style():
        figure = new_figure(3.6, 2.8)
        axes = figure.subplots()
        searches, minima, saddles = np.array(found.discovery_curve).reshape(-1, 3).T
        rows = (
            ("saddles", saddles, found.estimated_saddles, RED),
            ("minima", minima, found.estimated_minima, BLUE),
        )
        for name, known, expected, colour in rows:
            axes.step(searches, known, where="post", color=colour, label=name)
            if expected is not None:
                axes.axhline(expected, color=colour, lw=0.7, ls=":")
        axes.set(xlabel="searches", ylabel="known (dotted: expected in all)", ylim=(0, None))
        axes.legend(loc="center right")
        return figure


def path_profile(energies: Vector, minima: Sequence[int]) -> "Figure":
    """Draw the energies of minimum, saddle, minimum, ... along a path."""
    with style():
        figure = new_figure(max(3.0, 0.35 * len(energies) + 1.2), 2.8)
        axes = figure.subplots()
        steps = np.arange(len(energies))
        # Between a minimum and its saddle half a cosine: flat at both, as the path is.
        fine = np.linspace(0.0, 1.0, 30, endpoint=False)
        curve = [a + (b - a) * 0.5 * (1 - np.cos(np.pi * fine)) for a, b in pairwise(energies)]
        inside = (steps[:-1, None] + fine).ravel()
        axes.plot(
            np.append(inside, steps[-1]), np.append(np.concatenate(curve), energies[-1]), color=GREY
        )
        axes.plot(steps[::2], energies[::2], "o", color=BLUE, label="minimum")
        axes.plot(steps[1::2], energies[1::2], "^", color=RED, label="saddle")
        axes.set_xticks(steps[::2], [str(number) for number in minima])
        axes.set(xlabel="minima along the fastest path", ylabel="energy")
        axes.legend()
        return figure


def _draw_occupation(
    axes: "Axes", minima: Sequence[StationaryPoint], found: Thermodynamics
) -> None:
    """Draw the five minima that are ever occupied most, and all others together."""
    most = [minima[i] for i in np.argsort(-found.largest, kind="stable")[:5]]
    most.sort(key=lambda point: point.energy)
    shares = occupation(most, found)
    for point, share, colour in zip(most, shares.T, (BLUE, ORANGE, GREEN, RED, SKY), strict=False):
        label = f"{point.energy:.4g}".replace("-", "−")
        axes.plot(found.temperature, share, color=colour, label=label)
    rest = 1.0 - shares.sum(axis=1)
    if len(minima) > len(most):
        axes.plot(found.temperature, rest, color=GREY, ls="--", label="all others")
    axes.set(ylabel="occupation", ylim=(-0.02, 1.02))
    axes.legend(title="minima by energy", title_fontsize=7)

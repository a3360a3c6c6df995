"""Figures of a landscape: its disconnectivity graph, its heat capacity, and how it was found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bridge.figures import BLACK, BLUE, GREEN, GREY, ORANGE, RED, SKY, style
from bridge.landscape.completeness import Completeness
from bridge.landscape.disconnectivity import Branch
from bridge.landscape.points import Point
from bridge.landscape.thermodynamics import Thermodynamics, superposition
from bridge.protocols import Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SLANT = 0.02  # height of the slanted end of a branch, of the range of energies
_NAMED = 12  # minima up to which each is named


@dataclass(frozen=True, eq=False)
class Stroke:
    """One branch as it is drawn: up from its own energy, then slanted to where it merges."""

    branch: Branch
    x: float
    top: tuple[float, float] | None


def strokes(roots: Sequence[Branch]) -> list[Stroke]:
    """Place the branches of merge trees: minima at equal distances, no two branches crossing.

    At each merge the deepest child is put in the middle and the others around it, so that a funnel
    looks like one; a branch stands over the middle of its minima.
    """
    place = {leaf: float(k) for k, leaf in enumerate(_leaves(roots))}
    found: list[Stroke] = []
    stack: list[tuple[Branch, tuple[float, float] | None]] = [(root, None) for root in roots]
    while stack:
        branch, top = stack.pop()
        x = _middle(branch, place)
        found.append(Stroke(branch, x, top))
        stack.extend((child, (x, branch.energy)) for child in branch.children)
    return found


def disconnectivity(
    roots: Sequence[Branch],
    colours: Vector | None = None,
    *,
    colour_label: str = "",
    energy_label: str = "energy",
) -> "Figure":
    """Draw the exact merge tree; branches of minima are coloured by an observable, if given.

    Parameters
    ----------
    colours
        A number for each minimum, ``(n,)``; those that are NaN are drawn in grey.
    """
    from matplotlib.figure import Figure

    with style():
        n = sum(len(root.minima) for root in roots)
        width = float(np.clip(0.12 * n + 1.5, 3.2, 9.0))
        figure = Figure(figsize=(width, 4.2), layout="constrained")
        axes = figure.subplots()
        draw_tree(axes, roots, colours, colour_label=colour_label)
        axes.set_ylabel(energy_label)
        return figure


def draw_tree(
    axes: "Axes", roots: Sequence[Branch], colours: Vector | None = None, *, colour_label: str = ""
) -> None:
    """Draw the merge tree into axes."""
    from matplotlib.collections import LineCollection

    placed = strokes(roots)
    low = min(stroke.branch.energy for stroke in placed)
    high = max(stroke.branch.energy for stroke in placed)
    margin = 0.06 * (high - low) or 0.1 * abs(low) or 0.1
    lines = [_line(stroke, _SLANT * (high - low), high + margin) for stroke in placed]
    leaf = np.array([not stroke.branch.children for stroke in placed])
    thick = 1.2 if leaf.sum() <= 60 else 0.6
    inner = [line for line, is_leaf in zip(lines, leaf, strict=True) if not is_leaf]
    axes.add_collection(LineCollection(inner, colors=BLACK, lw=thick, capstyle="round"))
    tips = [line for line, is_leaf in zip(lines, leaf, strict=True) if is_leaf]
    drawn = LineCollection(
        tips, colors=BLACK, lw=1.4 * thick if colours is not None else thick, capstyle="round"
    )
    axes.add_collection(drawn)
    if colours is not None:
        values = np.array([colours[s.branch.minima[0]] for s in placed if not s.branch.children])
        drawn.set(array=np.ma.masked_invalid(values), color=None)
        drawn.set_cmap("viridis")
        axes.figure.colorbar(drawn, ax=axes, label=colour_label, shrink=0.7, pad=0.02)
    _name(axes, placed, int(leaf.sum()))
    axes.set_xlim(-0.8, leaf.sum() - 0.2)
    axes.set_ylim(low - 1.3 * margin, high + margin)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)


def thermodynamics(minima: Sequence[Point], temperature: Vector) -> "Figure":
    """Draw the heat capacity and, below, the occupation of the minima that explain its peak."""
    from matplotlib.figure import Figure

    found = superposition(minima, temperature)
    with style():
        figure = Figure(figsize=(3.6, 4.2), layout="constrained")
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
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(3.6, 2.8), layout="constrained")
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
        axes.set_ylim(bottom=0)
        axes.set_xlabel("searches")
        axes.set_ylabel("known (dotted: expected in all)")
        axes.legend(loc="center right")
        return figure


def path_profile(energies: Vector, minima: Sequence[int]) -> "Figure":
    """Draw the energies of minimum, saddle, minimum, ... along a path."""
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(max(3.0, 0.35 * len(energies) + 1.2), 2.8), layout="constrained")
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
        axes.set_xlabel("minima along the fastest path")
        axes.set_ylabel("energy")
        axes.legend()
        return figure


def _draw_occupation(axes: "Axes", minima: Sequence[Point], found: Thermodynamics) -> None:
    """Draw the five minima that are ever occupied most, and all others together."""
    most = np.argsort(-found.occupation.max(axis=0), kind="stable")[:5]
    most = most[np.argsort([minima[i].energy for i in most])]
    for number, colour in zip(most, (BLUE, ORANGE, GREEN, RED, SKY), strict=False):
        label = f"{minima[number].energy:.4g}".replace("-", "−")
        axes.plot(found.temperature, found.occupation[:, number], color=colour, label=label)
    rest = 1.0 - found.occupation[:, most].sum(axis=1)
    if len(minima) > len(most):
        axes.plot(found.temperature, rest, color=GREY, ls="--", label="all others")
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel("occupation")
    axes.legend(title="minima by energy", title_fontsize=7)


def _leaves(roots: Sequence[Branch]) -> Iterator[int]:
    """Yield the minima from left to right; the smaller parts fall to alternating sides."""
    stack = [(root, 0) for root in reversed(roots)]
    while stack:
        branch, depth = stack.pop()
        if branch.children:
            order = _around(branch.children)[:: 1 - 2 * (depth % 2)]
            stack.extend((child, depth + 1) for child in reversed(order))
        else:
            yield branch.minima[0]


def _around(children: Sequence[Branch]) -> list[Branch]:
    """Return the children with the largest in the middle, the others left and right in turn."""
    order = sorted(children, key=lambda child: -len(child.minima))
    left, right = order[2::2], order[1::2]
    return [*reversed(left), order[0], *right]


def _middle(branch: Branch, place: dict[int, float]) -> float:
    """Return the place of a minimum, or the middle of all minima of a branch."""
    if not branch.children:
        return place[branch.minima[0]]
    spots = [place[leaf] for leaf in branch.minima]
    return 0.5 * (min(spots) + max(spots))


def _line(stroke: Stroke, slant: float, ceiling: float) -> list[tuple[float, float]]:
    x, energy = stroke.x, stroke.branch.energy
    if stroke.top is None:
        return [(x, energy), (x, ceiling)]
    end_x, end = stroke.top
    bend = end - min(slant, 0.5 * (end - energy))
    return [(x, energy), (x, bend), (end_x, end)]


def _name(axes: "Axes", placed: Sequence[Stroke], count: int) -> None:
    """Write the energies under the minima, if there are few."""
    if count > _NAMED:
        return
    for stroke in placed:
        if not stroke.branch.children:
            axes.annotate(
                f"{stroke.branch.energy:.4g}".replace("-", "−"),
                (stroke.x, stroke.branch.energy),
                xytext=(0, -3),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=6,
            )

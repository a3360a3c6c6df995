"""Figures of a landscape: its disconnectivity graph, its heat capacity, and how it was found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bridge.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, RED, SKY, style
from bridge.landscape.completeness import Completeness
from bridge.landscape.disconnectivity import MergeTree, lowest_part
from bridge.landscape.stationary_points import Point
from bridge.landscape.thermodynamics import Thermodynamics, occupation
from bridge.protocols import Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SLANT = 0.02  # height of the slanted end of a branch, of the range of energies
_NAMED = 12  # minima up to which each is named
MOST = 2000  # minima whose lines can be told apart: of more, the lowest are drawn


@dataclass(frozen=True)
class Stroke:
    """One branch as it is drawn: up from its own energy, then slanted to where it merges.

    ``above`` is the place of the stroke it merges into among all of them, or -1; ``minimum`` the
    number of the minimum it ends in, or -1.
    """

    x: float
    energy: float
    above: int
    minimum: int


def strokes(tree: MergeTree) -> list[Stroke]:
    """Place the branches of a merge tree: minima at equal distances, no two branches crossing.

    At each merge the largest child is put in the middle and the others around it, so that a funnel
    looks like one; a branch stands over the middle of its minima.
    """
    children = tree.children()
    middle, energy = _middles(tree, children).tolist(), tree.energy.tolist()
    found: list[Stroke] = []
    stack = [(node, -1) for node in tree.roots.tolist()]
    while stack:
        node, above = stack.pop()
        stack.extend((child, len(found)) for child in children[node])
        leaf = node if node < tree.n_minima else -1
        found.append(Stroke(middle[node], energy[node], above, leaf))
    return found


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
    from matplotlib.figure import Figure

    with style():
        known = tree.n_minima
        if known > MOST:
            kept, tree = lowest_part(tree, MOST)
            colours = None if colours is None else colours[kept]
        width = float(np.clip(0.12 * tree.n_minima + 1.5, 3.2, 9.0))
        figure = Figure(figsize=(width, 4.2), layout="constrained")
        axes = figure.subplots()
        draw_tree(axes, tree, colours, colour_label=colour_label)
        axes.set_ylabel(energy_label)
        if known > MOST:
            axes.set_title(f"the {MOST} lowest of {known} minima")
        return figure


def draw_tree(
    axes: "Axes", tree: MergeTree, colours: Vector | None = None, *, colour_label: str = ""
) -> None:
    """Draw the merge tree into axes."""
    from matplotlib.collections import LineCollection

    placed = strokes(tree)
    low, high = float(tree.energy.min()), float(tree.energy.max())
    margin = 0.06 * (high - low) or 0.1 * abs(low) or 0.1
    slant = _SLANT * (high - low)
    lines = [_line(stroke, placed, slant, high + margin) for stroke in placed]
    leaf = np.array([stroke.minimum >= 0 for stroke in placed])
    thick = 1.2 if leaf.sum() <= 60 else 0.6
    inner = [line for line, is_leaf in zip(lines, leaf, strict=True) if not is_leaf]
    axes.add_collection(LineCollection(inner, colors=BLACK, lw=thick, capstyle="round"))
    tips = [line for line, is_leaf in zip(lines, leaf, strict=True) if is_leaf]
    drawn = LineCollection(
        tips, colors=BLACK, lw=1.4 * thick if colours is not None else thick, capstyle="round"
    )
    axes.add_collection(drawn)
    if colours is not None:
        values = np.array([colours[s.minimum] for s in placed if s.minimum >= 0])
        drawn.set(array=np.ma.masked_invalid(values), color=None)
        drawn.set_cmap("viridis")
        axes.figure.colorbar(drawn, ax=axes, label=colour_label, shrink=0.7, pad=0.02)
    _name(axes, placed, int(leaf.sum()))
    axes.set_xlim(-0.8, leaf.sum() - 0.2)
    axes.set_ylim(low - 1.3 * margin, high + margin)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)


def thermodynamics(minima: Sequence[Point], found: Thermodynamics) -> "Figure":
    """Draw the heat capacity and, below, the occupation of the minima that explain its peak."""
    from matplotlib.figure import Figure

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
    most = [minima[i] for i in np.argsort(-found.largest, kind="stable")[:5]]
    most.sort(key=lambda point: point.energy)
    shares = occupation(most, found)
    for point, share, colour in zip(most, shares.T, (BLUE, ORANGE, GREEN, RED, SKY), strict=False):
        label = f"{point.energy:.4g}".replace("-", "−")
        axes.plot(found.temperature, share, color=colour, label=label)
    rest = 1.0 - shares.sum(axis=1)
    if len(minima) > len(most):
        axes.plot(found.temperature, rest, color=GREY, ls="--", label="all others")
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel("occupation")
    axes.legend(title="minima by energy", title_fontsize=7)


def _middles(tree: MergeTree, children: Sequence[Sequence[int]]) -> Vector:
    """Return the place of each minimum, and the middle of those of each branch."""
    left, right = [np.inf] * len(children), [-np.inf] * len(children)
    for place, leaf in enumerate(_leaves(tree, children)):
        left[leaf] = right[leaf] = place
    for node, above in enumerate(tree.above.tolist()):  # a merge comes after all that it joins
        if above >= 0:
            left[above] = min(left[above], left[node])
            right[above] = max(right[above], right[node])
    return np.asarray(0.5 * (np.array(left) + np.array(right)))


def _leaves(tree: MergeTree, children: Sequence[Sequence[int]]) -> Iterator[int]:
    """Yield the minima from left to right; the smaller parts fall to alternating sides."""
    stack = [(root, 0) for root in reversed(tree.roots.tolist())]
    size = tree.size.tolist()
    while stack:
        node, depth = stack.pop()
        if children[node]:
            order = _around(children[node], size)[:: 1 - 2 * (depth % 2)]
            stack.extend((child, depth + 1) for child in reversed(order))
        else:
            yield node


def _around(children: Sequence[int], size: Sequence[int]) -> list[int]:
    """Return the children with the largest in the middle, the others left and right in turn."""
    order = sorted(children, key=lambda child: -size[child])
    left, right = order[2::2], order[1::2]
    return [*reversed(left), order[0], *right]


def _line(
    stroke: Stroke, placed: Sequence[Stroke], slant: float, ceiling: float
) -> list[tuple[float, float]]:
    x, energy = stroke.x, stroke.energy
    if stroke.above < 0:
        return [(x, energy), (x, ceiling)]
    top = placed[stroke.above]
    bend = top.energy - min(slant, 0.5 * (top.energy - energy))
    return [(x, energy), (x, bend), (top.x, top.energy)]


def _name(axes: "Axes", placed: Sequence[Stroke], count: int) -> None:
    """Write the energies under the minima, if there are few."""
    if count > _NAMED:
        return
    for stroke in placed:
        if stroke.minimum >= 0:
            axes.annotate(
                f"{stroke.energy:.4g}".replace("-", "−"),
                (stroke.x, stroke.energy),
                xytext=(0, -3),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=6,
            )

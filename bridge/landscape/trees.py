"""Merge trees of a landscape as arrays, and how they are drawn: disconnectivity graphs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bridge.protocols import Indices, Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SLANT = 0.02  # height of the slanted end of a branch, of the range of energies
_NAMED = 12  # minima up to which each is named
_BLACK = "#000000"


@dataclass(frozen=True, eq=False)
class MergeTree:
    """Nodes as arrays: first the ``n_minima`` minima, then the merges, none above a later one.

    The minima below a node stand side by side in ``leaves``, the lowest first, so that the tree of
    ``n`` minima takes memory of order ``n`` whatever its shape.

    Attributes
    ----------
    n_minima
        How many of the nodes are minima.
    energy : (k,)
        Of the minimum, or of the saddle at which parts merge.
    above : (k,)
        The merge that joins the node to others; -1 for the top of a connected part.
    first, size : (k,)
        The minima below a node are ``leaves[first : first + size]``.
    leaves : (n_minima,)
        Numbers of the minima, one connected part after the other, the deepest part first.
    """

    n_minima: int
    energy: Vector
    above: Indices
    first: Indices
    size: Indices
    leaves: Indices

    @property
    def lowest(self) -> Indices:
        """The lowest minimum below each node, ``(k,)``."""
        return self.leaves[self.first]

    @property
    def roots(self) -> Indices:
        """The top of each connected part, that of the deepest minimum first."""
        tops = np.flatnonzero(self.above == -1)
        return tops[np.argsort(self.first[tops])]

    def minima(self, node: int) -> Indices:
        """Return every minimum below a node, the lowest first."""
        return self.leaves[self.first[node] : self.first[node] + self.size[node]]

    def children(self) -> list[list[int]]:
        """Return the nodes that merge at each node, in the order of their minima."""
        found: list[list[int]] = [[] for _ in self.energy]
        for node in np.argsort(self.first, kind="stable").tolist():
            if self.above[node] != -1:
                found[self.above[node]].append(node)
        return found

    def plot(
        self, ax: "Axes | None" = None, colours: Vector | None = None, *, colour_label: str = ""
    ) -> "Axes":
        """Draw the tree into ``ax``, or a new figure, and return the axes.

        Parameters
        ----------
        ax
            Axes of matplotlib.
        colours
            A number for each minimum, ``(n_minima,)``, that colours its branch.
        colour_label
            What the numbers are.
        """
        if ax is None:
            from matplotlib.figure import Figure

            width = float(np.clip(0.12 * self.n_minima + 1.5, 3.2, 9.0))
            ax = Figure(figsize=(width, 4.2), layout="constrained").subplots()
            ax.set_ylabel("energy")
        draw_tree(ax, self, colours, colour_label=colour_label)
        return ax

    def _repr_png_(self) -> bytes:
        """Return a picture, for notebooks."""
        picture, axes = BytesIO(), cast("Any", self.plot())
        axes.figure.savefig(picture, format="png", dpi=120)
        return picture.getvalue()


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


def draw_tree(
    axes: "Axes", tree: MergeTree, colours: Vector | None = None, *, colour_label: str = ""
) -> None:
    """Draw a merge tree into axes, its branches coloured by ``colours``, ``(n_minima,)``."""
    from matplotlib.collections import LineCollection

    placed = strokes(tree)
    low, high = float(tree.energy.min()), float(tree.energy.max())
    margin = 0.06 * (high - low) or 0.1 * abs(low) or 0.1
    slant = _SLANT * (high - low)
    lines = [_line(stroke, placed, slant, high + margin) for stroke in placed]
    leaf = np.array([stroke.minimum >= 0 for stroke in placed])
    thick = 1.2 if leaf.sum() <= 60 else 0.6
    inner = [line for line, is_leaf in zip(lines, leaf, strict=True) if not is_leaf]
    axes.add_collection(LineCollection(inner, colors=_BLACK, lw=thick, capstyle="round"))
    tips = [line for line, is_leaf in zip(lines, leaf, strict=True) if is_leaf]
    drawn = LineCollection(
        tips, colors=_BLACK, lw=1.4 * thick if colours is not None else thick, capstyle="round"
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

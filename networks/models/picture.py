"""The picture of a network: its units, the weights between them, and the kinks that are held."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from networks.models.hinge import HingeNetwork

Vector = NDArray[np.float64]

POSITIVE, NEGATIVE, HELD = "#0072B2", "#D55E00", "YlOrBr"
MOST_WEIGHTS = 1500  # lines that can be told apart; of more, the strongest are drawn
TOUCHING = 1e-9  # a preactivation this close to a kink is held there


def draw(problem: "HingeNetwork", x: Vector, ax: Any) -> None:
    """Draw layers from left to right, weights as lines as wide as they are strong.

    Blue weights are positive, red ones negative. A hidden unit is the darker the more patterns sit
    at a kink of it, and white if it is dead: silent on all patterns, as a rattler is loose.
    """
    from matplotlib import colormaps

    mlp = problem.mlp
    sizes = [mlp.input_dim, *[mlp.width] * mlp.depth, 1]
    heights = [_places(size, max(sizes)) for size in sizes]
    _draw_weights(problem, x, ax, heights)
    held, dead = held_kinks(problem, x), np.stack(problem.dead_units(x))
    shade = 0.12 + 0.7 * held / max(int(held.max(initial=0)), 1)
    radius = float(np.clip(0.36 * 380.0 / max(sizes), 3.0, 12.0))
    for layer, places in enumerate(heights):
        colours: Any = "0.85"
        if 1 <= layer <= mlp.depth:
            colours = colormaps[HELD](shade[layer - 1])
            colours[dead[layer - 1]] = 1.0
        ax.scatter(
            np.full(len(places), layer), places, radius**2, color=colours, edgecolors="0.25",
            linewidths=0.6, zorder=3,
        )  # fmt: skip
    names = ["x", *(f"layer {k + 1}" for k in range(mlp.depth)), "f"]
    ax.set_xticks(range(len(sizes)), names)
    ax.tick_params(length=0)
    ax.set(yticks=[], ylim=(-0.04, 1.04), xlim=(-0.3, len(sizes) - 0.7))
    for wall in ax.spines.values():
        wall.set_visible(False)
    said = "blue weights +, orange −"
    if mlp.sigma.kinks:
        said += f"; darker: more of {int(held.sum())} kinks held"
    if dead.any():
        said += f"; white: {int(dead.sum())} dead"
    ax.set_xlabel(said)


def held_kinks(problem: "HingeNetwork", x: Vector) -> NDArray[np.intp]:
    """Return how many patterns sit at a kink of each unit, ``(depth, width)``."""
    mlp = problem.mlp
    shape = (mlp.depth, len(problem.patterns), mlp.width, -1)
    if not mlp.sigma.kinks:
        return np.zeros((mlp.depth, mlp.width), dtype=np.intp)
    touching = np.abs(problem.kinks(x)).reshape(shape) < TOUCHING
    return np.asarray(touching.any(axis=3).sum(axis=1))


def _places(size: int, largest: int) -> Vector:
    """Return the heights of the units of a layer, evenly spaced and centred, ``(size,)``."""
    return 0.5 + (np.arange(size) - 0.5 * (size - 1)) / max(largest, 2)


def _draw_weights(problem: "HingeNetwork", x: Vector, ax: Any, heights: list[Vector]) -> None:
    """Draw the strongest weights, each in units of the largest of its layer."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgba_array

    lines, strengths = [], []
    for layer, (part, shape) in enumerate(zip(problem.mlp.slices, problem.mlp.shapes, strict=True)):
        weights = x[part].reshape(shape)[:, :-1]
        to, start = (a.ravel() for a in np.indices(weights.shape))
        left, right = heights[layer][start], heights[layer + 1][to]
        across = np.full(len(left), float(layer))
        lines.append(np.stack([across, left, across + 1.0, right], axis=1).reshape(-1, 2, 2))
        strengths.append((weights / (np.abs(weights).max() or 1.0)).ravel())
    segments, strength = np.concatenate(lines), np.concatenate(strengths)
    chosen = np.argsort(np.abs(strength), kind="stable")[-MOST_WEIGHTS:]
    segments, strength = segments[chosen], strength[chosen]
    colours = to_rgba_array(np.where(strength > 0, POSITIVE, NEGATIVE))
    colours[:, 3] = 0.08 + 0.8 * np.abs(strength) ** 1.5
    ax.add_collection(
        LineCollection(list(segments), colors=colours, linewidths=2.0 * np.abs(strength))
    )

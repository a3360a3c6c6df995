"""The picture of a perceptron: its patterns around the weight vector, and the forbidden side."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.checks import vector

if TYPE_CHECKING:
    from particles.perceptron.perceptron import Perceptron

Vector = NDArray[np.float64]

VIOLATED, SATISFIED, FORBIDDEN = "#D55E00", "#0072B2", "#F7E3D6"
MOST_SHAPES = 4000


def draw(problem: "Perceptron", x: Vector, ax: Any, forces: ArrayLike | None = None) -> None:
    """Draw each pattern by its components along ``x``, upward, and along a direction across it.

    The shaded side is what the margin forbids: patterns there are violated. Those that carry a
    force, or are violated, are red, and larger the stronger it is.
    """
    direction = x / np.linalg.norm(x)
    gaps = problem.gaps(x)
    force = np.maximum(gaps, 0.0) if forces is None else vector("forces", forces, len(gaps))
    along, sideways = problem.sigma - gaps, problem.patterns @ _across(direction)
    pulls = force > 0.0
    size = 6.0 + 30.0 * np.minimum(force / force[pulls].mean(), 3.0) if pulls.any() else force + 6
    ax.axhspan(min(along.min(), problem.sigma) - 1.0, problem.sigma, color=FORBIDDEN, lw=0)
    ax.axhline(problem.sigma, color="0.35", lw=0.8)
    for mask, colour in ((~pulls, SATISFIED), (pulls, VIOLATED)):
        ax.scatter(
            sideways[mask], along[mask], size[mask], color=colour, alpha=0.7, linewidths=0,
            rasterized=len(gaps) > MOST_SHAPES,
        )  # fmt: skip
    ax.annotate(
        "", (0.0, 0.9 * along.max()), (0.0, 0.0),
        arrowprops={"arrowstyle": "-|>", "color": "black", "lw": 1.2},
    )  # fmt: skip
    ax.annotate("x", (0.0, 0.85 * along.max()), (6, 0), textcoords="offset points")
    reach = 1.05 * float(np.abs(sideways).max())
    low, high = min(along.min(), problem.sigma), along.max()
    ax.set(xlim=(-reach, reach), ylim=(low - 0.06 * (high - low), high + 0.04 * (high - low)))
    ax.set(xlabel="across x", ylabel="pattern along x: ξ·x/√N")


def _across(direction: Vector) -> Vector:
    """Return a unit vector across another, ``(N,)``: the axis furthest from it, made normal."""
    axis = np.zeros(len(direction))
    axis[np.argmin(np.abs(direction))] = 1.0
    axis -= (axis @ direction) * direction
    return np.asarray(axis / np.linalg.norm(axis))

"""Pictures of packings: bodies, contacts with their forces, and motions along a mode."""

from io import BytesIO
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.packing import Packing

Vector = NDArray[np.float64]

# Colour-blind safe (Okabe and Ito), one for each species; rattlers are left white.
COLOURS = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#0072B2")
FORCE, MODE = "#D55E00", "black"


def plot(
    problem: Packing,
    x: ArrayLike,
    ax: Any = None,
    *,
    forces: bool = True,
    mode: ArrayLike | None = None,
) -> Any:
    """Draw a packing into ``ax``, or a new figure, and return the axes.

    Every species has its colour, rattlers are white. Lines join the centres of bodies in contact,
    as wide as their force is strong. Spheres are drawn from above, the highest last.

    Parameters
    ----------
    problem : Discs or Ellipses
        The packing.
    x : (n_dof,)
        Its state.
    ax : matplotlib.axes.Axes
        Where to draw.
    forces : bool
        Whether to draw contacts.
    mode : (n_dof,)
        A motion, such as an eigenvector of the Hessian: arrows at the centres, scaled to be seen,
        and for ellipses a stroke from the tip of the long axis the way it turns.

    Raises
    ------
    ValueError
        If ``x`` or ``mode`` is not a state of the packing.
    """
    bodies = problem.bodies(x)
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(figsize=(6.0, 6.0 * problem.box[1] / problem.box[0])).add_subplot()
    inside = bodies[:, : problem.dim] % problem.box
    _draw_bodies(ax, problem, inside, bodies, problem.rattlers(x))
    if forces:
        _draw_forces(ax, problem, x, inside)
    if mode is not None:
        _draw_mode(ax, problem, inside, bodies, problem.bodies(mode))
    ax.set(xlim=(0.0, problem.box[0]), ylim=(0.0, problem.box[1]), aspect="equal")
    ax.set(xticks=[], yticks=[])
    return ax


def png(problem: Packing, x: ArrayLike, **options: Any) -> bytes:
    """Return the picture of `plot` as a PNG file."""
    buffer = BytesIO()
    figure = plot(problem, x, **options).figure
    figure.savefig(buffer, format="png", dpi=120, bbox_inches="tight")
    return buffer.getvalue()


def _copies(inside: Vector, radii: Vector, box: Vector) -> tuple[NDArray[np.intp], Vector]:
    """Return the bodies and centres of all images that reach into the box."""
    who, where = [], []
    for image in product((-1, 0, 1), repeat=2):
        centres = inside[:, :2] + np.array(image) * box[:2]
        seen = ((centres > -radii[:, None]) & (centres < box[:2] + radii[:, None])).all(axis=1)
        who.append(np.flatnonzero(seen))
        where.append(centres[seen])
    return np.concatenate(who), np.concatenate(where)


def _draw_bodies(
    ax: Any, problem: Packing, inside: Vector, bodies: Vector, loose: NDArray[np.bool_]
) -> None:
    from matplotlib.collections import EllipseCollection

    radii = problem.bounding_radii
    colours = np.empty(problem.n_bodies, dtype=object)
    for k, members in enumerate(problem.species):
        colours[members] = COLOURS[k % len(COLOURS)]
    colours[loose] = "white"
    who, where = _copies(inside, radii, problem.box)
    if problem.dim == 3:
        from_below = np.argsort(inside[who, 2], kind="stable")
        who, where = who[from_below], where[from_below]
    angles = np.degrees(bodies[who, 2]) if problem.n_angles else np.zeros(who.size)
    short = problem.diameters[who]
    shapes = EllipseCollection(
        2.0 * radii[who], short, angles, units="xy", offsets=where, offset_transform=ax.transData
    )
    shapes.set(facecolors=list(colours[who]), edgecolors="0.3", linewidths=0.4)
    shapes.set_alpha(0.75 if problem.dim == 2 else 1.0)
    ax.add_collection(shapes)


def _draw_forces(ax: Any, problem: Packing, x: ArrayLike, inside: Vector) -> None:
    from matplotlib.collections import LineCollection

    near, slopes = problem.near(x)
    touch = slopes.gap > 0.0
    if not touch.any():
        return
    near, gap = near[touch], slopes.gap[touch]
    vector = near.vector[:, :2]
    # Once from either body, since a contact through the wall is seen on both sides.
    first, second = inside[near.i, :2], inside[near.j, :2]
    lines = np.concatenate(
        [np.stack([first, first + vector], axis=1), np.stack([second, second - vector], axis=1)]
    )
    widths = np.tile(np.clip(1.5 * gap / gap.mean(), 0.2, 6.0), 2)
    ax.add_collection(LineCollection(list(lines), linewidths=widths, colors=FORCE, zorder=2))


def _draw_mode(ax: Any, problem: Packing, inside: Vector, bodies: Vector, mode: Vector) -> None:
    longest = float(np.abs(mode * problem.levers).max())
    if longest == 0.0:
        return
    scale = float(problem.diameters.mean()) / longest
    arrows = {"angles": "xy", "scale_units": "xy", "scale": 1.0, "width": 0.004, "zorder": 3}
    ax.quiver(*inside[:, :2].T, *(scale * mode[:, :2]).T, color=MODE, **arrows)
    if problem.n_angles:
        axis = np.stack([np.cos(bodies[:, 2]), np.sin(bodies[:, 2])], axis=1)
        tips = inside + problem.bounding_radii[:, None] * axis
        across = np.stack([-axis[:, 1], axis[:, 0]], axis=1)
        turned = scale * (problem.levers[:, 2] * mode[:, 2])[:, None] * across
        ax.quiver(*tips.T, *turned.T, color="0.45", headwidth=2.0, **arrows)

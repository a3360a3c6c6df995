"""Pictures of packings: bodies, contacts with their forces, and motions along a mode."""

from contextlib import AbstractContextManager
from io import BytesIO
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.checks import vector
from particles.packings.packing import Packing, check_packing

Vector = NDArray[np.float64]

# Pale, and apart for the colour-blind as well; rattlers are left white.
COLOURS = ("#BBDFF2", "#F8DDA4", "#B5E0CF", "#EBCBDD", "#FAF4B5", "#B3CFE3")
FORCE, MODE, FAINT = "#B03A00", "black", "0.75"
# One sense of turning and the other: the ends of a diverging colour map.
TURNS = "PuOr"
# The mean force is drawn this wide, and the widest this much wider, in mean diameters.
MEAN_WIDTH, WIDEST = 0.06, 6.0


def plot(
    problem: Packing,
    x: ArrayLike,
    ax: Any = None,
    *,
    forces: bool | None = None,
    mode: ArrayLike | None = None,
) -> Any:
    """Draw a packing into ``ax``, or a new figure, and return the axes.

    Every species has its colour, rattlers are white. Bars join the centres of bodies in contact,
    as wide as their force is strong. Spheres and ellipsoids are seen from above, the darker the
    deeper.

    Parameters
    ----------
    problem : Discs or Ellipses
        The packing.
    x : (n_dof,)
        Its state.
    ax : matplotlib.axes.Axes
        Where to draw.
    forces : bool
        Whether to draw contacts; by default in the plane, where none hides another.
    mode : (n_dof,)
        A motion, such as an eigenvector of the Hessian: arrows at the centres, scaled to be seen.
        Ellipses are coloured by how far they turn, purple to the left and orange to the right.

    Raises
    ------
    ValueError
        If ``x`` or ``mode`` is not a state of the packing.
    """
    check_packing(problem)
    bodies = problem.bodies(x)
    motion = None if mode is None else _scaled(problem, mode)
    inside = bodies[:, : problem.dim] % problem.box
    with _style():
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(6.0, 6.0 * problem.box[1] / problem.box[0])).add_subplot()
        _draw_bodies(ax, problem, inside, bodies, _colours(problem, x, inside, motion))
        if problem.dim == 2 if forces is None else forces:
            _draw_forces(ax, problem, x, inside, FORCE if motion is None else FAINT)
        if motion is not None:
            _draw_arrows(ax, inside, motion)
        ax.set(xlim=(0.0, problem.box[0]), ylim=(0.0, problem.box[1]), aspect="equal")
        ax.set(xticks=[], yticks=[])
    return ax


def png(problem: Packing, x: ArrayLike, **options: Any) -> bytes:
    """Return the picture of `plot` as a PNG file."""
    buffer = BytesIO()
    figure = plot(problem, x, **options).figure
    with _style():
        figure.savefig(buffer, format="png", dpi=120, bbox_inches="tight")
    return buffer.getvalue()


def _style() -> AbstractContextManager[None]:
    """Draw alike whatever the user's settings of matplotlib are."""
    import matplotlib.style

    return matplotlib.style.context("default")


def _copies(inside: Vector, radii: Vector, box: Vector) -> tuple[NDArray[np.intp], Vector]:
    """Return the bodies and centres of all images that reach into the box."""
    who, where = [], []
    for image in product((-1, 0, 1), repeat=2):
        centres = inside[:, :2] + np.array(image) * box[:2]
        seen = ((centres > -radii[:, None]) & (centres < box[:2] + radii[:, None])).all(axis=1)
        who.append(np.flatnonzero(seen))
        where.append(centres[seen])
    return np.concatenate(who), np.concatenate(where)


def _scaled(problem: Packing, mode: ArrayLike) -> Vector:
    """Return a motion by ``(x, y, ℓθ)`` whose largest component is a mean diameter."""
    direction = vector("mode", mode, problem.n_dof)
    largest = float(np.abs(direction).max(initial=0.0))
    # As short as a state may be: it is checked as one, and only its direction counts.
    unit = direction / largest if 0.0 < largest < np.inf else direction
    motion = problem.bodies(unit) * problem.levers
    longest = float(np.abs(motion).max())
    return np.asarray(motion * (float(problem.diameters.mean()) / longest if longest else 0.0))


def _colours(problem: Packing, x: ArrayLike, inside: Vector, motion: Vector | None) -> Vector:
    """Return the colour of every body, ``(N, 3)``."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgb

    colours = np.empty((problem.n_bodies, 3))
    for k, members in enumerate(problem.species):
        colours[members] = to_rgb(COLOURS[k % len(COLOURS)])
    colours[problem.rattlers(x)] = 1.0
    if motion is not None and problem.n_angles == 1:
        turn = motion[:, problem.dim]
        largest = float(np.abs(turn).max()) or 1.0
        # The ends of the map are too dark for arrows.
        colours = colormaps[TURNS](0.5 + 0.35 * turn / largest)[:, :3]
    if problem.dim == 3:
        colours *= 0.35 + 0.65 * (inside[:, 2:] / problem.box[2])
    return colours


def _draw_bodies(
    ax: Any, problem: Packing, inside: Vector, bodies: Vector, colours: Vector
) -> None:
    from matplotlib.collections import EllipseCollection

    long, short, angle = problem.outlines(bodies.ravel()).T
    who, where = _copies(inside, problem.bounding_radii, problem.box)
    if problem.dim == 3:
        from_below = np.argsort(inside[who, 2], kind="stable")
        who, where = who[from_below], where[from_below]
    shapes = EllipseCollection(
        long[who],
        short[who],
        np.degrees(angle[who]),
        units="xy",
        offsets=where,
        offset_transform=ax.transData,
    )
    shapes.set(facecolors=colours[who], edgecolors="0.35", linewidths=0.4)
    ax.add_collection(shapes)


def _draw_forces(ax: Any, problem: Packing, x: ArrayLike, inside: Vector, colour: str) -> None:
    from matplotlib.collections import PolyCollection

    near, slopes = problem.near(x)
    touch = slopes.gap > 0.0
    if not touch.any():
        return
    near, gap = near[touch], slopes.gap[touch]
    vector = near.vector[:, :2]
    across = np.stack([-vector[:, 1], vector[:, 0]], axis=1)
    across /= np.maximum(np.linalg.norm(across, axis=1), np.finfo(float).tiny)[:, None]
    width = MEAN_WIDTH * problem.diameters.mean() * np.minimum(gap / gap.mean(), WIDEST)
    half = 0.5 * width[:, None] * across
    # Once from either body, since a contact through the wall is seen on both sides.
    bars = [
        np.stack([start - half, start + half, start + along + half, start + along - half], axis=1)
        for start, along in ((inside[near.i, :2], vector), (inside[near.j, :2], -vector))
    ]
    # The edge keeps the weakest visible.
    ax.add_collection(
        PolyCollection(
            list(np.concatenate(bars)),
            facecolors=colour,
            edgecolors=colour,
            linewidths=0.2,
            zorder=2,
        )
    )


def _draw_arrows(ax: Any, inside: Vector, motion: Vector) -> None:
    ax.quiver(
        *inside[:, :2].T,
        *motion[:, :2].T,
        color=MODE,
        angles="xy",
        scale_units="xy",
        scale=1.0,
        width=0.0035,
        headwidth=4.0,
        headlength=4.5,
        headaxislength=4.0,
        minlength=0.3,
        zorder=3,
    )

"""Pictures of packings: bodies, contacts with their forces, and motions along a mode."""

from contextlib import AbstractContextManager
from io import BytesIO
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.checks import vector
from particles.packings.packing import Packing, check_packing
from particles.packings.rattlers import rattlers

Vector = NDArray[np.float64]

# Pale, and apart for the colour-blind as well; rattlers are left white.
COLOURS = ("#BBDFF2", "#F8DDA4", "#B5E0CF", "#EBCBDD", "#FAF4B5", "#B3CFE3")
FORCE, MODE, FAINT = "#B03A00", "black", "0.75"
# One sense of turning and the other: the ends of a diverging colour map.
TURNS = "PuOr"
# The mean force is drawn this wide, and the widest this much wider, in mean diameters.
MEAN_WIDTH, WIDEST = 0.06, 6.0
# Spheres are shaded by discs on them: size, step towards the light, and how much lighter.
SHADES = ((1.0, 0.0, 0.0), (0.8, 0.09, 0.2), (0.55, 0.19, 0.4), (0.28, 0.28, 0.7))
LIGHT = np.array([-0.5, 0.5])
# A vector file holds this many bodies as shapes, and more as an image.
MOST_SHAPES = 4000


def plot(
    problem: Any,
    x: ArrayLike | None = None,
    ax: Any = None,
    *,
    forces: bool | ArrayLike | None = None,
    mode: ArrayLike | None = None,
) -> Any:
    """Draw a packing into ``ax``, or a new figure of pyplot, and return the axes.

    Every species has its colour, rattlers are white. Bars join the centres of bodies in contact,
    as wide as their force is strong. Spheres and ellipsoids are seen from above, the darker the
    deeper.

    Parameters
    ----------
    problem : Discs, Ellipses or Ellipsoids
        The packing, or the end of a minimisation, which has its state too.
    x : (n_dof,)
        Its state.
    ax : matplotlib.axes.Axes
        Where to draw.
    forces : bool or (m,)
        Whether to draw contacts; by default in the plane, where none hides another. Or the force at
        each gap, where that is not the overlap: at a jamming point there is none.
    mode : (n_dof,)
        A motion, such as an eigenvector of the Hessian: arrows at the centres, scaled to be seen.
        Ellipses are coloured by how far they turn, purple to the left and orange to the right.

    Raises
    ------
    ValueError
        If ``x`` or ``mode`` is not a state of the packing.
    """
    if x is None:
        problem, x = getattr(problem, "problem", problem), getattr(problem, "x", None)
    check_packing(problem)
    if x is None:
        raise TypeError("expected a packing and its state, got no state: pass x, or an end")
    strengths = _strengths(problem, x, forces)
    bodies = problem.bodies(x)
    motion = None if mode is None else _scaled(problem, mode)
    inside = bodies[:, : problem.dim] % problem.box
    with _style():
        if ax is None:
            from matplotlib import pyplot

            ax = pyplot.figure(figsize=_size(problem)).add_subplot()
        _draw_bodies(ax, problem, inside, bodies, _colours(problem, x, inside, motion, strengths))
        if problem.dim == 2 if forces is None else forces is not False:
            _draw_forces(ax, problem, x, inside, strengths, FORCE if motion is None else FAINT)
        if motion is not None:
            _draw_arrows(ax, inside, motion)
        ax.set(xlim=(0.0, problem.box[0]), ylim=(0.0, problem.box[1]), aspect="equal")
        ax.set(xticks=[], yticks=[])
    return ax


def draw(
    problem: Packing,
    x: ArrayLike,
    ax: Any,
    forces: ArrayLike | None = None,
    mode: ArrayLike | None = None,
) -> None:
    """Draw what `plot` does, the periodic walls dashed, and say below what is seen."""
    plot(problem, x, ax, forces=forces, mode=mode)
    loose = int(_loose(problem, x, _strengths(problem, x, forces)).sum())
    for wall in ax.spines.values():
        wall.set(visible=True, color=FAINT, linewidth=0.7, linestyle=(0, (5, 4)))
    seen = {2: "bars: forces", 3: "seen from above"}[problem.dim]
    if mode is not None:
        seen = "arrows: motion"
    white = f"white: {loose} rattler{'s' * (loose != 1)}"
    ax.set_xlabel(f"{seen}; {white}" if loose < problem.n_bodies else "no contact holds a body")


def png(problem: Packing, x: ArrayLike, **options: Any) -> bytes:
    """Return the picture of `plot` as a PNG file."""
    from matplotlib.figure import Figure

    buffer = BytesIO()
    with _style():
        figure = Figure(figsize=_size(problem))
        plot(problem, x, figure.add_subplot(), **options)
        figure.savefig(buffer, format="png", dpi=120, bbox_inches="tight")
    return buffer.getvalue()


def _style() -> AbstractContextManager[None]:
    """Draw alike whatever the user's settings of matplotlib are."""
    import matplotlib.style

    return matplotlib.style.context("default")


def _size(problem: Packing) -> tuple[float, float]:
    """Return the size of a figure as its box is, in inches."""
    return 6.0, float(6.0 * problem.box[1] / problem.box[0])


def _strengths(problem: Packing, x: ArrayLike, forces: bool | ArrayLike | None) -> Vector:
    """Return the force at each gap of near pairs, ``(m,)``: the overlap unless it is given.

    What a descent to ``U = 0`` leaves above zero is no force.
    """
    gaps = problem.gaps(x)
    pairs = len(problem.pairs(x))
    if forces is None or isinstance(forces, bool):
        return (np.zeros_like(gaps) if problem.satisfied(gaps) else np.maximum(gaps, 0.0))[:pairs]
    return vector("forces", forces, len(gaps))[:pairs]


def _loose(problem: Packing, x: ArrayLike, strengths: Vector) -> NDArray[np.bool_]:
    """Return which bodies no force holds, ``(N,)``."""
    near, slopes = problem.near(x)
    touch = strengths > 0.0
    return rattlers(near.i[touch], near.j[touch], -slopes.vector[touch], problem.n_bodies)


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


def _colours(
    problem: Packing, x: ArrayLike, inside: Vector, motion: Vector | None, strengths: Vector
) -> Vector:
    """Return the colour of every body, ``(N, 3)``."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgb

    colours = np.empty((problem.n_bodies, 3))
    for k, members in enumerate(problem.species):
        colours[members] = to_rgb(COLOURS[k % len(COLOURS)])
    colours[_loose(problem, x, strengths)] = 1.0
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
    scale, face, edge = np.ones(len(who)), colours[who], np.full(len(who), 0.4)
    if problem.dim == 3:
        scale, face, where, edge = _shaded(face, where, short[who])
        who = np.repeat(who, len(SHADES))
    shapes = EllipseCollection(
        long[who] * scale,
        short[who] * scale,
        np.degrees(angle[who]),
        units="xy",
        offsets=where,
        offset_transform=ax.transData,
        rasterized=len(who) > MOST_SHAPES,
    )
    shapes.set(facecolors=face, edgecolors="0.35", linewidths=edge)
    ax.add_collection(shapes)


def _shaded(
    colours: Vector, centres: Vector, sizes: Vector
) -> tuple[Vector, Vector, Vector, Vector]:
    """Return sizes, colours, centres and lines of the discs that shade each body, in its turn."""
    scale, step, lighter = (np.tile(part, len(colours)) for part in zip(*SHADES, strict=True))
    face = np.repeat(colours, len(SHADES), axis=0)
    face = face + lighter[:, None] * (1.0 - face)
    shift = (step * np.repeat(sizes, len(SHADES)))[:, None] * LIGHT
    return scale, face, np.repeat(centres, len(SHADES), axis=0) + shift, 0.4 * (scale == 1.0)


def _draw_forces(
    ax: Any, problem: Packing, x: ArrayLike, inside: Vector, strengths: Vector, colour: str
) -> None:
    from matplotlib.collections import PolyCollection

    near, _ = problem.near(x)
    touch = strengths > 0.0
    if not touch.any():
        return
    near, gap = near[touch], strengths[touch]
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
            rasterized=len(gap) > MOST_SHAPES,
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

"""A packing as the columns of an extended XYZ file, and a packing from columns."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from particles.formats.xyz import ROUNDING, Frame
from particles.packings.ellipses import Ellipses
from particles.packings.ellipsoids import Ellipsoids
from particles.packings.orientations import axes_of_quaternions, quaternions_of, turns_of
from particles.packings.packing import Packing

Vector = NDArray[np.float64]
# Sizes, aspects of ellipses or axes of ellipsoids, the sides of the box, and x.
Described: TypeAlias = tuple[Vector, Vector | None, Vector, Vector]

# Species are named by elements, without which ASE opens no file; X is its name of none.
_SPECIES = ("H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne")
# What other programs call columns that only bodies which are not round need.
_SHAPES = ("shape", "aspect", "axes", "semiax", "orientation", "quat", "turn")
# A tilt by this out of the plane changes an ellipse by the square of it.
_TILT = 1e-6


def frame_text(problem: Packing, bodies: Vector) -> str:
    """Return one frame of extended XYZ."""
    columns = _columns(problem, bodies)
    sides = np.append(problem.box, 1.0)[:3]
    lattice = " ".join(repr(float(v)) for v in np.diag(sides).ravel())
    properties = ":".join(f"{name}:R:{values.shape[1]}" for name, values in columns.items())
    periodic = "T T T" if problem.dim == 3 else "T T F"
    head = f'Lattice="{lattice}" Properties=species:S:1:{properties} pbc="{periodic}"'
    table = np.concatenate(list(columns.values()), axis=1)
    rows = zip(_labels(problem), table.tolist(), strict=True)
    body = "\n".join(f"{label} " + " ".join(map(repr, row)) for label, row in rows)
    return f"{problem.n_bodies}\n{head}\n{body}\n"


def quaternions(angle: Vector) -> Vector:
    """Return turns about ``z`` as ``(x, y, z, w)``, ``(N, 4)``."""
    zero = np.zeros_like(angle)
    return np.stack([zero, zero, np.sin(angle / 2), np.cos(angle / 2)], axis=1)


def described(frame: Frame) -> Described:
    """Return sizes ``(N,)``, aspects ``(N,)``, axes ``(N, 3)`` or None, box and ``x`` ``(N, c)``.

    Raises
    ------
    ValueError
        If the frame describes no packing, or bodies of other shapes.
    """
    sides, pos = frame.sides(), frame.numbers("pos", 2, 3)
    dim = _dimension(frame, pos)
    box, pos = sides[:dim], pos[:, :dim]
    if {"angle", "aspect", "diameter"} <= frame.columns.keys():
        frame.expect(dim == 2, "aspect", "bodies in the plane")
        x = np.concatenate([pos, frame.numbers("angle", 1)], axis=1)
        sizes = frame.numbers("diameter", 1, positive=True)
        return sizes.ravel(), frame.numbers("aspect", 1, positive=True).ravel(), box, x
    if {"axes", "turn", "diameter"} <= frame.columns.keys():
        frame.expect(dim == 3, "axes", "bodies in space")
        x = np.concatenate([pos, frame.numbers("turn", 3)], axis=1)
        sizes = frame.numbers("diameter", 1, positive=True)
        return sizes.ravel(), frame.numbers("axes", 3, positive=True), box, x
    if "asphericalshape" in frame.columns:
        return _shaped(frame, box, pos)
    for name in frame.columns:
        round_ = not any(word in name for word in _SHAPES)
        frame.expect(round_, name, "aspherical_shape and orientation, if not all bodies are round")
    return _sizes(frame), None, box, pos


def _dimension(frame: Frame, pos: Vector) -> int:
    """Return 3 for a box that is periodic along all sides, 2 for a packing in the plane."""
    x, y, z = frame.periodic()
    if not (x and y):
        got = " ".join("T" if side else "F" for side in (x, y, z))
        raise ValueError(
            f'expected a box that is periodic in x and y in {frame.where}, got pbc="{got}": '
            'write pbc="T T F" or pbc="T T T"'
        )
    if pos.shape[1] == 2:
        return 2
    if z:
        return 3
    low, high = pos[:, 2].min(), pos[:, 2].max()
    if high - low > ROUNDING * max(1.0, abs(low)):
        raise ValueError(
            f'expected pbc="T T T", or all bodies at one height, in {frame.where}, '
            f'got pbc="T T F" and column pos with z from {low:.6g} to {high:.6g}: '
            "correct one of them"
        )
    return 2


def _sizes(frame: Frame) -> Vector:
    """Return the diameters of round bodies, ``(N,)``."""
    if "diameter" not in frame.columns:
        return 2.0 * frame.numbers("radius", 1, positive=True).ravel()
    sizes = frame.numbers("diameter", 1, positive=True).ravel()
    if "radius" in frame.columns:
        radii = frame.numbers("radius", 1, positive=True).ravel()
        same = np.allclose(2.0 * radii, sizes, rtol=1e-6, atol=0.0)
        frame.expect(same, "radius", "half of the diameter as radius")
    return sizes


def _shaped(frame: Frame, box: Vector, pos: Vector) -> Described:
    """Return bodies given by their semi-axes and turns: ellipses, spheres or ellipsoids."""
    half = frame.numbers("asphericalshape", 3, positive=True)
    if box.size == 3 and (np.ptp(half, axis=1) == 0.0).all():
        return 2.0 * half[:, 0], None, box, pos
    turn = np.tile([0.0, 0.0, 0.0, 1.0], (len(pos), 1))
    if "orientation" in frame.columns:
        turn = frame.numbers("orientation", 4)
    length = np.linalg.norm(turn, axis=1)
    if box.size == 3:
        frame.expect(bool((length > 0.0).all()), "orientation", "quaternions (x, y, z, w), not 0,")
        return _ellipsoids(half, turn, box, pos)
    flat = (length > 0.0) & (np.abs(turn[:, :2]).max(axis=1) <= _TILT * length)
    frame.expect(bool(flat.all()), "orientation", "turns about z, quaternions (0, 0, z, w),")
    upright = half[:, 1] > half[:, 0]
    angle = 2.0 * np.arctan2(turn[:, 2], turn[:, 3]) + 0.5 * np.pi * upright
    long, short = half[:, :2].max(axis=1), half[:, :2].min(axis=1)
    return 2.0 * short, long / short, box, np.column_stack([pos, angle])


def _ellipsoids(half: Vector, turn: Vector, box: Vector, pos: Vector) -> Described:
    """Return ellipsoids, their axes renamed in turn so that those of revolution are the last."""
    a, b, c = half.T
    last = np.where(a == b, 2, np.where(b == c, 0, np.where(a == c, 1, 2)))
    names = (last[:, None] + np.array([1, 2, 0])) % 3
    half = np.take_along_axis(half, names, axis=1)
    axes = np.take_along_axis(axes_of_quaternions(turn), names[:, None, :], axis=2)
    short = half.min(axis=1)
    x = np.concatenate([pos, turns_of(axes)], axis=1)
    return 2.0 * short, half / short[:, None], box, x


def _columns(problem: Packing, bodies: Vector) -> dict[str, Vector]:
    """Return the columns of an extended XYZ file, by name."""
    n, d = problem.n_bodies, problem.dim
    centres = np.zeros((n, 3))
    centres[:, :d] = bodies[:, :d]
    columns = {"pos": centres, "radius": problem.bounding_radii[:, None]}
    if isinstance(problem, Ellipses):
        half, angle = 0.5 * problem.diameters, bodies[:, 2]
        columns["aspherical_shape"] = np.stack([half * problem.aspect, half, half], axis=1)
        columns["orientation"] = quaternions(angle)
        columns["angle"], columns["aspect"] = angle[:, None], problem.aspect[:, None]
    if isinstance(problem, Ellipsoids):
        columns["aspherical_shape"] = problem.half_axes
        columns["orientation"] = quaternions_of(bodies[:, 3:])
        columns["turn"], columns["axes"] = bodies[:, 3:], problem.axes
    columns["diameter"] = problem.diameters[:, None]
    return columns


def _labels(problem: Packing) -> list[str]:
    """Return the name of the species of each body."""
    labels = np.full(problem.n_bodies, "X", dtype="<U2")
    for name, members in zip(_SPECIES, problem.species, strict=False):
        labels[members] = name
    return [str(label) for label in labels]

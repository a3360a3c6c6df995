"""Packings on disk: extended XYZ and GSD, as other programs read them.

Both carry more than those programs need, so that a packing comes back bit by bit: diameters,
aspects and unwrapped variables.
"""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.discs import Discs
from particles.ellipses import Ellipses
from particles.packing import Packing

Vector = NDArray[np.float64]

# The exact variables, in GSD's logged quantities; its own positions are of single precision.
_STATE = "particles/jamscape/x"
_SIZES = "particles/jamscape/diameter"
_ASPECT = "particles/jamscape/aspect"
_BOX = "jamscape/box"


def write_xyz(path: str | Path, problem: Packing, x: ArrayLike) -> None:
    """Write one state, ``(n_dof,)``, or several, ``(k, n_dof)``, as extended XYZ.

    OVITO (seen with 3.17) takes box, radii, shapes and turns of the bodies from it.
    """
    states = np.atleast_2d(np.asarray(x, dtype=np.float64))
    frames = [_xyz_frame(problem, problem.bodies(state)) for state in states]
    Path(path).write_text("".join(frames), encoding="ascii")


def read_xyz(path: str | Path, frame: int = 0) -> tuple[Packing, Vector]:
    """Read a frame of extended XYZ: ``(problem, x)``.

    Files of other programs need a rectangular ``Lattice``, ``pos`` and ``radius``; a box that is
    not periodic in ``z``, or a file without ``z``, is a packing in the plane.

    Raises
    ------
    ValueError
        If the frame is not there, or does not describe a packing.
    """
    text = Path(path).read_text(encoding="utf-8")
    frames = list(_xyz_frames(str(path), text.splitlines()))
    if not -len(frames) <= frame < len(frames):
        raise ValueError(f"expected frame {frame} in {path}, got a file with {len(frames)}")
    return _from_columns(str(path), *frames[frame])


def write_gsd(path: str | Path, problem: Packing, x: ArrayLike) -> None:
    """Write one state, or several, as GSD, with the shapes that OVITO and HOOMD-blue draw.

    Raises
    ------
    ModuleNotFoundError
        If the package ``gsd`` is not installed.
    """
    from gsd import hoomd

    states = np.atleast_2d(np.asarray(x, dtype=np.float64))
    with hoomd.open(str(path), "w") as file:
        for state in states:
            file.append(_gsd_frame(hoomd.Frame(), problem, problem.bodies(state)))


def read_gsd(path: str | Path, frame: int = 0) -> tuple[Packing, Vector]:
    """Read a frame that `write_gsd` wrote: ``(problem, x)``, bit by bit.

    Raises
    ------
    ValueError
        If the frame is not there, or was written by another program.
    """
    from gsd import hoomd

    try:
        with hoomd.open(str(path), "r") as file:
            if not -len(file) <= frame < len(file):
                raise ValueError(f"frame {frame} is not there, the file has {len(file)}")
            got = file[frame].log
    except (OSError, RuntimeError, LookupError, ValueError, TypeError, MemoryError) as error:
        raise ValueError(f"expected frame {frame} of a GSD file at {path}, got: {error}") from None
    missing = {_STATE, _SIZES, _BOX} - got.keys()
    if missing:
        raise ValueError(f"expected {path} to be written by write_gsd, got none of its variables")
    x, sizes = np.asarray(got[_STATE]), np.asarray(got[_SIZES])
    box = np.asarray(got[_BOX], dtype=np.float64)
    if _ASPECT in got:
        return Ellipses(sizes, np.asarray(got[_ASPECT]), box), x.ravel()
    return Discs(sizes, box), x.ravel()


def _columns(problem: Packing, bodies: Vector) -> dict[str, Vector]:
    """Return the columns of an extended XYZ file, by name."""
    n, d = problem.n_bodies, problem.dim
    centres = np.zeros((n, 3))
    centres[:, :d] = bodies[:, :d]
    columns = {"pos": centres, "radius": problem.bounding_radii[:, None]}
    if isinstance(problem, Ellipses):
        half, angle = 0.5 * problem.diameters, bodies[:, 2]
        columns["aspherical_shape"] = np.stack([half * problem.aspect, half, half], axis=1)
        columns["orientation"] = _quaternions(angle)
        columns["angle"], columns["aspect"] = angle[:, None], problem.aspect[:, None]
    columns["diameter"] = problem.diameters[:, None]
    return columns


def _quaternions(angle: Vector) -> Vector:
    """Return turns about ``z`` as ``(x, y, z, w)``."""
    zero = np.zeros_like(angle)
    return np.stack([zero, zero, np.sin(angle / 2), np.cos(angle / 2)], axis=1)


def _labels(problem: Packing) -> list[str]:
    """Return a letter, or a letter and a number, for the species of each body."""
    labels = np.empty(problem.n_bodies, dtype=object)
    for k, members in enumerate(problem.species):
        labels[members] = "ABCDEFGHIJ"[k] if k < 10 else f"K{k}"
    return [str(label) for label in labels]


def _xyz_frame(problem: Packing, bodies: Vector) -> str:
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


def _xyz_frames(path: str, lines: list[str]) -> Iterator[tuple[dict[str, str], list[list[str]]]]:
    """Yield the header and the rows of every frame."""
    at = 0
    while at < len(lines) and lines[at].strip():
        try:
            n = int(lines[at])
        except ValueError:
            raise ValueError(f"expected a number of bodies in line {at + 1} of {path}") from None
        rows = [line.split() for line in lines[at + 2 : at + 2 + n]]
        if n < 1 or len(rows) < n:
            raise ValueError(f"expected {n} bodies in {path}, got {len(rows)}: is it truncated?")
        words = (word.partition("=") for word in shlex.split(lines[at + 1]))
        yield {key.lower(): value for key, _, value in words}, rows
        at += 2 + n


def _from_columns(path: str, head: dict[str, str], rows: list[list[str]]) -> tuple[Packing, Vector]:
    lattice = np.array(head.get("lattice", "").split(), dtype=np.float64)
    if lattice.size != 9 or np.any(lattice.reshape(3, 3) != np.diag(lattice[::4])):
        raise ValueError(f'expected a rectangular Lattice="Lx 0 0 0 Ly 0 0 0 Lz" in {path}')
    columns = _parsed(path, head.get("properties", ""), rows)
    if "pos" not in columns or not columns.keys() & {"radius", "diameter"}:
        raise ValueError(f"expected columns pos and radius in {path}, got {', '.join(columns)}")
    pos = columns["pos"]
    dim = 3 if pos.shape[1] == 3 and head.get("pbc", "T T T").split()[-1] == "T" else 2
    box = lattice[::4][:dim]
    sizes = columns["diameter"] if "diameter" in columns else 2.0 * columns["radius"]
    if "angle" in columns and "aspect" in columns:
        x = np.concatenate([pos[:, :2], columns["angle"]], axis=1)
        return Ellipses(sizes.ravel(), columns["aspect"].ravel(), box), x.ravel()
    return Discs(sizes.ravel(), box), np.ascontiguousarray(pos[:, :dim]).ravel()


def _parsed(path: str, properties: str, rows: list[list[str]]) -> dict[str, Vector]:
    """Return the numeric columns by name."""
    fields = properties.split(":")
    columns: dict[str, Vector] = {}
    at = 0
    for name, kind, count in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        width = int(count)
        if kind in {"R", "I"}:
            try:
                values = np.array([row[at : at + width] for row in rows], dtype=np.float64)
            except ValueError:
                raise ValueError(f"expected {width} numbers for {name} in {path}") from None
            columns[name.lower()] = values
        at += width
    return columns


def _gsd_frame(frame: Any, problem: Packing, bodies: Vector) -> Any:
    n, d = problem.n_bodies, problem.dim
    centres = np.zeros((n, 3))
    # GSD's box is centred on the origin.
    centres[:, :d] = bodies[:, :d] % problem.box - 0.5 * problem.box
    kinds = problem.species
    frame.configuration.dimensions = d
    frame.configuration.box = [*np.append(problem.box, 0.0)[:3], 0.0, 0.0, 0.0]
    frame.particles.N = n
    frame.particles.position = centres
    frame.particles.types = [f"species{k}" for k in range(len(kinds))]
    frame.particles.typeid = np.zeros(n, dtype=np.uint32)
    for k, members in enumerate(kinds):
        frame.particles.typeid[members] = k
    frame.particles.diameter = 2.0 * problem.bounding_radii
    frame.particles.type_shapes = [_gsd_shape(problem, members[0]) for members in kinds]
    frame.log[_STATE], frame.log[_SIZES] = bodies, problem.diameters
    frame.log[_BOX] = problem.box
    if isinstance(problem, Ellipses):
        frame.particles.orientation = np.roll(_quaternions(bodies[:, 2]), 1, axis=1)
        frame.log[_ASPECT] = problem.aspect
    return frame


def _gsd_shape(problem: Packing, body: int) -> dict[str, Any]:
    short = 0.5 * float(problem.diameters[body])
    if isinstance(problem, Ellipses):
        return {
            "type": "Ellipsoid",
            "a": short * float(problem.aspect[body]),
            "b": short,
            "c": short,
        }
    return {"type": "Sphere", "diameter": 2.0 * short}

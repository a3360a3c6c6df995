"""Packings on disk: extended XYZ and GSD, as other programs read them.

Both carry more than those programs need, so that a packing comes back bit by bit: diameters,
shapes and unwrapped variables. A file is replaced only by a whole one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.checks import floats
from particles.formats.columns import described, frame_text, quaternions
from particles.formats.xyz import check_file, frames
from particles.packings.discs import Discs
from particles.packings.ellipses import Ellipses
from particles.packings.ellipsoids import Ellipsoids
from particles.packings.orientations import quaternions_of
from particles.packings.packing import Packing, check_packing, check_rigid

Vector = NDArray[np.float64]

# The exact variables, in GSD's logged quantities; its own positions are of single precision.
_STATE = "particles/jamscape/x"
_SIZES = "particles/jamscape/diameter"
_ASPECT = "particles/jamscape/aspect"
_AXES = "particles/jamscape/axes"
_BOX = "jamscape/box"
_BODIES = "particles/N"


def write_xyz(path: str | Path, problem: Packing, x: ArrayLike) -> None:
    """Write one state, ``(n_dof,)``, or several, ``(k, n_dof)``, as extended XYZ.

    OVITO (seen with 3.17) takes box, radii, shapes and turns of the bodies from it; ASE reads all
    columns.

    Raises
    ------
    ValueError
        If ``x`` is no state of the packing. The file is left as it was.
    """
    text = "".join(frame_text(problem, bodies) for bodies in _states(problem, x))
    with _replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def read_xyz(path: str | Path, frame: int = 0) -> tuple[Packing, Vector]:
    """Read a frame of extended XYZ: ``(problem, x)``.

    Files of other programs need a rectangular ``Lattice``, ``pos``, and either ``radius`` or
    ``diameter``, or ``aspherical_shape`` with ``orientation``, which are ellipses in the plane and
    ellipsoids in space. A box that is not periodic in ``z`` with all bodies at one height, or a
    file without ``z``, is a packing in the plane.

    Raises
    ------
    ValueError
        If there is no such file, the frame is not there, or it does not describe a packing. The
        message names the file and, where one is wrong, the column and the value.
    """
    found = frames(Path(path))
    if not -len(found) <= frame < len(found):
        raise ValueError(
            f"expected frame {frame} in {path}, got a file with {len(found)}: count them from 0"
        )
    return _checked(path, *described(found[frame]))


def write_gsd(path: str | Path, problem: Packing, x: ArrayLike) -> None:
    """Write one state, or several, as GSD, with the shapes that OVITO and HOOMD-blue draw.

    Raises
    ------
    ModuleNotFoundError
        If the package ``gsd`` is not installed.
    ValueError
        If ``x`` is no state of the packing. The file is left as it was.
    """
    hoomd, states = _gsd("hoomd"), _states(problem, x)
    with _replacing(path) as part, hoomd.open(str(part), "w") as file:
        for bodies in states:
            file.append(_gsd_frame(hoomd.Frame(), problem, bodies))


def read_gsd(path: str | Path, frame: int = 0) -> tuple[Packing, Vector]:
    """Read a frame that `write_gsd` wrote: ``(problem, x)``, bit by bit.

    Raises
    ------
    ModuleNotFoundError
        If the package ``gsd`` is not installed.
    ValueError
        If there is no such file, the frame is not there, or was written by another program.
    """
    fl = _gsd("fl")
    check_file(Path(path))
    try:
        with fl.open(str(path), "r") as file:
            if not -file.nframes <= frame < file.nframes:
                raise LookupError(f"frame {frame} is not there, the file has {file.nframes}")
            n, got = _gsd_variables(file, frame % file.nframes, Path(path).stat().st_size)
    except (OSError, RuntimeError, LookupError, ValueError, TypeError, MemoryError) as error:
        raise ValueError(
            f"expected frame {frame} of a GSD file at {path}, got: {error}: name another"
        ) from None
    if {_STATE, _SIZES, _BOX} - got.keys():
        raise ValueError(
            f"expected {path} to be written by write_gsd, got none of its variables: "
            "write the packing as .xyz"
        )
    if len(got[_SIZES]) != n:
        raise ValueError(
            f"expected {n} bodies in {path}, got the sizes of {len(got[_SIZES])}: write it again"
        )
    shape = got.get(_ASPECT, got.get(_AXES))
    return _checked(path, got[_SIZES], shape, got[_BOX], got[_STATE])


def _gsd(module: str) -> Any:
    """Return a module of the package gsd."""
    try:
        return import_module(f"gsd.{module}")
    except ImportError:
        raise ModuleNotFoundError(
            "expected the package gsd for GSD files, got none: pip install 'jamscape[files]'",
            name="gsd",
        ) from None


def _states(problem: Packing, x: ArrayLike) -> list[Vector]:
    """Return the bodies of each state, ``(N, c)``, or say what is wrong with one."""
    check_packing(problem)
    check_rigid(problem, "write what its `rigid` returns, discs as large as they are")
    states = np.atleast_2d(floats("x", x))
    if not len(states):
        raise ValueError("expected at least one state, got none: pass x of (n_dof,) or (k, n_dof)")
    return [problem.bodies(state) for state in states]


@contextmanager
def _replacing(path: str | Path) -> Iterator[Path]:
    """Give the name of a new file, which takes the place of ``path`` once it is whole."""
    path = Path(path).resolve()
    if path.exists() and not path.is_file():
        raise ValueError(f"expected the name of a file, got {path}: a folder or a device")
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _checked(
    path: str | Path, sizes: Vector, shape: Vector | None, box: Vector, x: Vector
) -> tuple[Packing, Vector]:
    """Return the packing and its state, or name the file in what is wrong with them."""
    try:
        problem: Packing
        if shape is None:
            problem = Discs(sizes, box)
        else:
            problem = (Ellipses if shape.ndim == 1 else Ellipsoids)(sizes, shape, box)
        state = np.array(x, dtype=np.float64).ravel()
        problem.bodies(state)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{error} (in {path})") from None
    return problem, state


def _gsd_variables(file: Any, frame: int, size: int) -> tuple[int, dict[str, Vector]]:
    """Return the number of bodies and the variables of `write_gsd` that a frame has.

    Nothing else is read: what a frame does not hold is as long as its header says.
    """
    where = frame if file.chunk_exists(frame, _BODIES) else 0
    n = int(file.read_chunk(where, _BODIES)[0]) if file.chunk_exists(where, _BODIES) else 0
    if 16 * n > size:
        raise LookupError(f"{n} bodies, which do not fit into {size} bytes")
    known = (_STATE, _SIZES, _ASPECT, _AXES, _BOX)
    names = [name for name in known if file.chunk_exists(frame, f"log/{name}")]
    return n, {name: file.read_chunk(frame, f"log/{name}") for name in names}


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
        frame.particles.orientation = np.roll(quaternions(bodies[:, 2]), 1, axis=1)
        frame.log[_ASPECT] = problem.aspect
    if isinstance(problem, Ellipsoids):
        turn = quaternions_of(bodies[:, 3:])
        frame.particles.orientation = np.roll(turn, 1, axis=1)
        frame.log[_AXES] = problem.axes
    return frame


def _gsd_shape(problem: Packing, body: int) -> dict[str, Any]:
    short, long = 0.5 * float(problem.diameters[body]), float(problem.bounding_radii[body])
    if isinstance(problem, Ellipses):
        return {"type": "Ellipsoid", "a": long, "b": short, "c": short}
    if isinstance(problem, Ellipsoids):
        return dict(zip("abc", problem.half_axes[body].tolist(), strict=True), type="Ellipsoid")
    return {"type": "Sphere", "diameter": 2.0 * short}

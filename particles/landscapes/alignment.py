"""When two sets of identical atoms are one structure: rotation, inversion and relabelling."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from particles.kernels import alignment as loops

Vector = NDArray[np.float64]

_ALL = 1 << 30


def congruent(x: Vector, other: Vector, tolerance: float = 1e-3) -> bool:
    """Tell whether a rotation, an inversion and a relabelling carry ``x`` onto ``other``.

    Every atom must fall within ``tolerance`` of one of the other set.
    """
    a, b = centred(x), centred(other)
    rotation, order = np.empty((3, 3)), np.empty(len(a), np.int64)
    return bool(loops.isometries(a, b, tolerance, 1, rotation, order))


def point_group_order(x: Vector, tolerance: float = 1e-3) -> int:
    """Return the number of pairs (relabelling, handedness) that leave the structure as it is.

    This is the order ``o`` of the point group, and there are ``2 N!/o`` labelled isomers. For atoms
    on a line, whose group is continuous, it is the number of its components that relabel
    differently.

    Examples
    --------
    >>> triangle = np.array([0, 0, 0, 1, 0, 0, 0.5, 0.75**0.5, 0])
    >>> point_group_order(triangle), point_group_order(np.array([-1.0, 0, 0, 0, 0, 0, 1, 0, 0]))
    (12, 4)
    """
    a = centred(x)
    if len(a) == 1:
        return 2
    rotation, order = np.empty((3, 3)), np.empty(len(a), np.int64)
    return int(loops.isometries(a, a, tolerance, _ALL, rotation, order))


def aligned(x: Vector, reference: Vector, tolerance: float = 1e-3, turns: int = 24) -> Vector:
    """Return the image of ``x`` nearest to ``reference`` that was found, ``(3N,)``.

    Exact for congruent structures. Otherwise assignment and rotation alternate, from ``turns``
    rotations of both handednesses; the nearest end is taken.
    """
    a, b = centred(x), centred(reference)
    middle = reference.reshape(-1, 3).mean(axis=0)
    rotation, order = np.empty((3, 3)), np.empty(len(a), np.int64)
    if loops.isometries(a, b, tolerance, 1, rotation, order):
        exact = np.empty_like(a)
        exact[order] = a @ rotation
        return np.asarray((exact + middle).ravel())
    best, nearest = a, np.inf
    for start in _rotations(turns):
        for sign in (1.0, -1.0):
            candidate = _alternate(sign * a @ start, b)
            gap = float(np.linalg.norm(candidate - b))
            if gap < nearest - 1e-12:
                best, nearest = candidate, gap
    return np.asarray((best + middle).ravel())


def centred(x: Vector) -> Vector:
    """Return the atoms, ``(N, 3)``, with their centre at the origin."""
    atoms = x.reshape(-1, 3)
    return np.ascontiguousarray(atoms - atoms.mean(axis=0))


def _alternate(a: Vector, b: Vector) -> Vector:
    """Assign and rotate in turn until the assignment stays."""
    from scipy.optimize import linear_sum_assignment  # a quarter of a second, at every import

    before: NDArray[np.intp] | None = None
    for _ in range(20):
        _, order = linear_sum_assignment(cdist(b, a, "sqeuclidean"))
        if before is not None and (order == before).all() and (order == np.arange(len(a))).all():
            break
        before, a = order, a[order]
        a = a @ _kabsch(a, b)
    return a


def _kabsch(a: Vector, b: Vector) -> Vector:
    """Return the proper rotation ``R`` that makes ``a @ R`` nearest to ``b``."""
    u, _, vt = np.linalg.svd(a.T @ b)
    u[:, -1] *= np.sign(np.linalg.det(u @ vt))
    return np.asarray(u @ vt)


def _rotations(count: int) -> Vector:
    """Return the same well spread rotations every time, ``(count, 3, 3)``."""
    from scipy.spatial.transform import Rotation  # slow to import

    q = np.random.default_rng(0).standard_normal((count, 4))
    return np.asarray(Rotation.from_quat(q, scalar_first=True).as_matrix())

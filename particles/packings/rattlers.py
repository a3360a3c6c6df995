"""Rattlers: bodies that no contact holds, to a fixed point."""

import numpy as np
from numpy.typing import NDArray

from particles.kernels.rattlers import held_bodies

Vector = NDArray[np.float64]
Indices = NDArray[np.intp]


def rattlers(i: Indices, j: Indices, normals: Vector, n_bodies: int) -> NDArray[np.bool_]:
    """Return a mask ``(n_bodies,)`` of the bodies that are not held in place.

    A body is held by contacts with bodies that are held themselves, if the origin lies inside the
    convex hull of their normals: no half plane (half space) has them all. This is necessary for a
    stable balance of forces, for discs, spheres and ellipses alike: an ellipse between two
    opposite contacts escapes sideways, since both surfaces bend away from the contact.

    Parameters
    ----------
    i, j : (m,)
        The bodies of each contact.
    normals : (m, d)
        From ``i`` to ``j``, of any length.
    n_bodies : int
        Number of bodies.

    Examples
    --------
    Two bodies that only lean on each other:

    >>> import numpy as np
    >>> i, j = np.array([0]), np.array([1])
    >>> rattlers(i, j, np.array([[1.0, 0.0]]), 2)
    array([ True,  True])
    """
    directions = np.ascontiguousarray(normals, dtype=np.float64)
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    held = held_bodies(
        np.ascontiguousarray(i, dtype=np.int64),
        np.ascontiguousarray(j, dtype=np.int64),
        np.divide(directions, length, out=np.zeros_like(directions), where=length > 0.0),
        n_bodies,
    )
    return ~np.asarray(held, dtype=np.bool_)

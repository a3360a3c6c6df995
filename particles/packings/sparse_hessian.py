"""Assembly of the sparse Hessian from the stiffness of each pair."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Vector = NDArray[np.float64]


def assembled(
    block: Vector, i: NDArray[np.integer], j: NDArray[np.integer], shape: tuple[int, ...]
) -> sparse.csr_array:
    """Return the Hessian of ``shape = (N, c)`` bodies as a sparse matrix, ``(N c, N c)``.

    Parameters
    ----------
    block : (m, s, s)
        Second derivatives of each pair by ``r``, from body ``i`` to ``j``, and by the angles of
        ``i`` and ``j`` if there are any.
    i, j : (m,)
        The bodies of each pair.
    shape : (N, c)
        Number of bodies, and of variables of one body.
    """
    n, c = shape
    size = block.shape[1]
    dim = 2 * c - size
    # The variables of a pair, from those of its two bodies.
    local = np.zeros((size, 2 * c))
    local[:dim, :dim], local[:dim, c : c + dim] = -np.eye(dim), np.eye(dim)
    local[dim:c, dim:c] = local[c:, c + dim :] = np.eye(c - dim)
    touch = block.any(axis=(1, 2))
    values = local.T @ block[touch] @ local
    first = np.stack([i, j], axis=1)[touch].astype(np.int64) * c
    place = (first[:, :, None] + np.arange(c)).reshape(-1, 2 * c)
    rows = np.broadcast_to(place[:, :, None], values.shape).ravel()
    columns = np.broadcast_to(place[:, None, :], values.shape).ravel()
    return sparse.csr_array(sparse.coo_array((values.ravel(), (rows, columns)), (n * c, n * c)))

"""Products with a Hessian that is given pair by pair, for any law."""

import numpy as np

from particles.kernels._jit import kernel


@kernel
def products(first, second, block, v, out):
    """Add ``H v`` to ``out``, both of shape ``(k, N, c)``.

    ``block`` is by the vector between the centres and then, if there are any, by the angles of
    the first and the second body: ``(m, d, d)`` or ``(m, d + 2, d + 2)``.
    """
    size = block.shape[1]
    dim = size if size == v.shape[2] else size - 2
    w = np.empty(size)
    for k in range(first.size):
        i, j = first[k], second[k]
        for n in range(v.shape[0]):
            for a in range(dim):
                w[a] = v[n, j, a] - v[n, i, a]
            if size > dim:
                w[dim], w[dim + 1] = v[n, i, dim], v[n, j, dim]
            for a in range(size):
                pull = 0.0
                for b in range(size):
                    pull += block[k, a, b] * w[b]
                if a < dim:
                    out[n, j, a] += pull
                    out[n, i, a] -= pull
                elif a == dim:
                    out[n, i, dim] += pull
                else:
                    out[n, j, dim] += pull

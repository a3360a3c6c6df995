"""Products with a Hessian that is given pair by pair, for any law."""

import numpy as np

from particles.kernels._jit import kernel


@kernel
def products(first, second, block, v, out):
    """Add ``H v`` to ``out``, both of shape ``(k, N, c)``.

    ``block`` is by the vector between the centres and then, if there are any, by the ``a = c - d``
    angles of the first and of the second body: ``(m, d + 2a, d + 2a)``.
    """
    size, c = block.shape[1], v.shape[2]
    dim = 2 * c - size
    w = np.empty(size)
    for k in range(first.size):
        i, j = first[k], second[k]
        for n in range(v.shape[0]):
            for a in range(dim):
                w[a] = v[n, j, a] - v[n, i, a]
            for a in range(dim, c):
                w[a], w[a + c - dim] = v[n, i, a], v[n, j, a]
            for a in range(size):
                pull = 0.0
                for b in range(size):
                    pull += block[k, a, b] * w[b]
                if a < dim:
                    out[n, j, a] += pull
                    out[n, i, a] -= pull
                elif a < c:
                    out[n, i, a] += pull
                else:
                    out[n, j, a - c + dim] += pull

"""Loops over the patterns of a spherical perceptron."""

from particles.kernels._jit import kernel


@kernel
def energy_pull(patterns, direction, sigma, pull):
    """Return ``½ Σ f²`` and ``Σ f s``; write ``Σ f ξ`` to ``pull``.

    One pass through the patterns: a violated row is added while it is still in the cache.
    """
    m, n = patterns.shape
    pull[:] = 0.0
    energy, virial = 0.0, 0.0
    for mu in range(m):
        s = 0.0
        for i in range(n):
            s += patterns[mu, i] * direction[i]
        f = sigma - s
        if f > 0.0:
            energy += 0.5 * f * f
            virial += f * s
            for i in range(n):
                pull[i] += f * patterns[mu, i]
    return energy, virial

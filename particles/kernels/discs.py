"""Loops over pairs of discs or spheres: ``Δ = 1 - r/σ``, ``σ = (D_i + D_j)/2``."""

import math

import numpy as np

from particles.kernels._jit import kernel
from particles.kernels.float_pairs import difference, exchange

# Pairs of a block: they stay in the first cache while they are worked on.
CAP = 256

# Unsigned, so that an index needs no test for being negative.
TWO = np.uint64(2)

# Below every square of a distance: centres at one place push in no direction.
TINY = 1e-300


@kernel(inline=True)
def overlap(square, sigma):
    """Return ``1 - r/σ`` from ``r²``, without cancellation near contact."""
    return (sigma * sigma - square) / (sigma * (sigma + math.sqrt(square)))


@kernel
def energy_gradient(first, second, vector, diameters, gradient):
    """Add ``∇U`` to ``gradient``, shape ``(N, d)``; return ``U``."""
    energy = 0.0
    for k in range(first.size):
        i, j = first[k], second[k]
        sigma = 0.5 * (diameters[i] + diameters[j])
        square = 0.0
        for a in range(vector.shape[1]):
            square += vector[k, a] * vector[k, a]
        if square < sigma * sigma:
            delta = overlap(square, sigma)
            energy += 0.5 * delta * delta
            # Two centres at one place push in no direction.
            pull = delta / (sigma * math.sqrt(square)) if square > 0.0 else 0.0
            for a in range(vector.shape[1]):
                gradient[i, a] += pull * vector[k, a]
                gradient[j, a] -= pull * vector[k, a]
    return energy


@kernel
def stiffness(first, second, vector, diameters, block):
    """Write ``∂²U/∂r²`` of every pair, shape ``(m, d, d)``; zeros where there is no contact.

    Along the contact it is ``1/σ²``; across it the prestress ``-Δ/(σ r)`` is negative.
    """
    dim = vector.shape[1]
    for k in range(first.size):
        sigma = 0.5 * (diameters[first[k]] + diameters[second[k]])
        square = 0.0
        for a in range(dim):
            square += vector[k, a] * vector[k, a]
        if square >= sigma * sigma or square == 0.0:
            continue
        across = -overlap(square, sigma) / (sigma * math.sqrt(square))
        along = (1.0 / (sigma * sigma) - across) / square
        for a in range(dim):
            block[k, a, a] = across
            for b in range(dim):
                block[k, a, b] += along * vector[k, a] * vector[k, b]


@kernel(inline=True)
def repel(square, inverse):
    """Return ``Δ`` and ``Δ/(σ r)``, both 0 beyond contact, from ``r²`` and ``1/σ``.

    No branch, so that pairs are worked on eight at a time. ``Δ = 1 - r/σ`` is good to 1e-16
    absolutely; one turn of ``Δ = (1 - r²/σ² + Δ²)/2`` makes it good relatively.
    """
    scale = inverse * inverse
    q = square * scale + TINY
    root = 1.0 / math.sqrt(q)
    delta = 1.0 - q * root
    delta = 0.5 * ((1.0 - q) + delta * delta)
    delta = delta if q < 1.0 else 0.0
    return delta, delta * scale * root


@kernel
def places(first, second, sizes, dim):
    """Turn bodies into where in ``u`` they begin, in place; return ``1/σ`` of every pair."""
    inverse = np.empty(first.size)
    for k in range(first.size):
        inverse[k] = 2.0 / (sizes[first[k]] + sizes[second[k]])
        first[k] *= dim
        second[k] *= dim
    return inverse


@kernel
def _gather(u, own, other, pulls, dim):
    """Write ``u_j - u_i`` of every pair."""
    for k in range(own.size):
        i, j = np.uint64(own[k]), np.uint64(other[k])
        difference(u, i, j, pulls, np.uint64(dim * k))
        if dim == 3:
            pulls[dim * k + 2] = u[j + TWO] - u[i + TWO]


@kernel(inline=True)
def _repel(vector, inverse, pulls, dim):
    """Turn displacements into forces on the second body; return ``Σ Δ²`` and ``Σ Δ``."""
    energy, total = 0.0, 0.0
    for k in range(inverse.size):
        x = vector[dim * k] + pulls[dim * k]
        y = vector[dim * k + 1] + pulls[dim * k + 1]
        z = vector[dim * k + 2] + pulls[dim * k + 2] if dim == 3 else 0.0
        delta, push = repel(x * x + y * y + z * z, inverse[k])
        energy += delta * delta
        total += delta
        pulls[dim * k] = push * x
        pulls[dim * k + 1] = push * y
        if dim == 3:
            pulls[dim * k + 2] = push * z
    return energy, total


@kernel
def _scatter(own, other, pulls, force, dim):
    """Add the force of every pair to both bodies."""
    for k in range(own.size):
        i, j = np.uint64(own[k]), np.uint64(other[k])
        exchange(force, i, j, pulls, np.uint64(dim * k))
        if dim == 3:
            force[j + TWO] += pulls[dim * k + 2]
            force[i + TWO] -= pulls[dim * k + 2]


@kernel
def forces(u, pairs, pulls, force):
    """Write ``-∇U`` at displacements ``u``; return ``U`` and ``Σ max(Δ, 0)``.

    The pair vectors of the last list plus displacements, not positions: what is subtracted is
    small, and the noise of the forces falls from 1e-14 to 1e-16. A block of pairs at a time is
    gathered, worked on and scattered, so that the middle step runs on vectors. In
    ``pairs = (own, other, vector, 1/σ)`` the first two are where in ``u`` the bodies begin.
    """
    own, other, vector, inverse = pairs
    force[:] = 0.0
    energy, total = 0.0, 0.0
    flat = vector.size == 2 * own.size
    for begin in range(0, own.size, CAP):
        end = min(begin + CAP, own.size)
        i, j = own[begin:end], other[begin:end]
        if flat:
            _gather(u, i, j, pulls, 2)
            part = _repel(vector[2 * begin : 2 * end], inverse[begin:end], pulls, 2)
            _scatter(i, j, pulls, force, 2)
        else:
            _gather(u, i, j, pulls, 3)
            part = _repel(vector[3 * begin : 3 * end], inverse[begin:end], pulls, 3)
            _scatter(i, j, pulls, force, 3)
        energy += part[0]
        total += part[1]
    return 0.5 * energy, total

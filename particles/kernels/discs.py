"""Loops over pairs of discs or spheres: ``Δ = 1 - r/σ``, ``σ = (D_i + D_j)/2``."""

import math

import numpy as np

from particles.kernels._jit import kernel

# Bodies whose pairs stay in the first cache while they are worked on.
BLOCK = 512

# Unsigned, so that an index needs no test for being negative.
ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)

# Below every square of a distance: centres at one place push in no direction.
TINY = 1e-300


@kernel(inline=True)
def overlap(square, sigma):
    """Return ``1 - r/σ`` from ``r²``, without cancellation near contact."""
    return (sigma * sigma - square) / (sigma * (sigma + math.sqrt(square)))


@kernel
def energy_gradient(first, second, vector, diameters, gradient):
    """Add ``∇U`` to ``gradient``, shape ``(N, d)``; return ``U`` and ``Σ max(Δ, 0)``."""
    energy, total = 0.0, 0.0
    for k in range(first.size):
        i, j = first[k], second[k]
        sigma = 0.5 * (diameters[i] + diameters[j])
        square = 0.0
        for a in range(vector.shape[1]):
            square += vector[k, a] * vector[k, a]
        if square < sigma * sigma:
            delta = overlap(square, sigma)
            energy += 0.5 * delta * delta
            total += delta
            # Two centres at one place push in no direction.
            pull = delta / (sigma * math.sqrt(square)) if square > 0.0 else 0.0
            for a in range(vector.shape[1]):
                gradient[i, a] += pull * vector[k, a]
                gradient[j, a] -= pull * vector[k, a]
    return energy, total


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
def _gather_2d(u, own, other, pulls):
    """Write ``u_j - u_i`` of every pair."""
    for k in range(own.size):
        i, j = np.uint64(own[k]), np.uint64(other[k])
        pulls[2 * k] = u[j] - u[i]
        pulls[2 * k + 1] = u[j + ONE] - u[i + ONE]


@kernel
def _repel_2d(vector, inverse, pulls):
    """Turn displacements into forces on the second body; return ``Σ Δ²`` and ``Σ Δ``."""
    energy, total = 0.0, 0.0
    for k in range(inverse.size):
        x = vector[2 * k] + pulls[2 * k]
        y = vector[2 * k + 1] + pulls[2 * k + 1]
        delta, push = repel(x * x + y * y, inverse[k])
        energy += delta * delta
        total += delta
        pulls[2 * k] = push * x
        pulls[2 * k + 1] = push * y
    return energy, total


@kernel
def _scatter_2d(first, block, stop, other, pulls, force):
    """Add the forces of the pairs of some bodies to both bodies of each."""
    begin = first[block]
    for body in range(block, stop):
        fx, fy = 0.0, 0.0
        for k in range(np.uint64(first[body] - begin), np.uint64(first[body + 1] - begin)):
            j = np.uint64(other[k])
            x, y = pulls[TWO * k], pulls[TWO * k + ONE]
            fx -= x
            fy -= y
            force[j] += x
            force[j + ONE] += y
        force[2 * body] += fx
        force[2 * body + 1] += fy


@kernel
def forces_2d(u, first, own, other, vector, inverse, pulls, force):
    """Write ``-∇U`` at displacements ``u``; return ``U`` and ``Σ max(Δ, 0)``.

    The pair vectors of the last list plus displacements, not positions: what is subtracted is
    small, and the noise of the forces falls from 1e-14 to 1e-16. A block of bodies at a time is
    gathered, worked on and scattered, so that the middle step runs on vectors; ``own`` and
    ``other`` are where in ``u`` the bodies of a pair begin, ``first`` the first pair of a body.
    """
    force[:] = 0.0
    energy, total = 0.0, 0.0
    n = first.size - 1
    for block in range(0, n, BLOCK):
        stop = min(block + BLOCK, n)
        begin, end = first[block], first[stop]
        _gather_2d(u, own[begin:end], other[begin:end], pulls)
        part = _repel_2d(vector[2 * begin : 2 * end], inverse[begin:end], pulls)
        _scatter_2d(first, block, stop, other[begin:end], pulls, force)
        energy += part[0]
        total += part[1]
    return 0.5 * energy, total


@kernel
def _gather_3d(u, own, other, pulls):
    """Do the same for spheres."""
    for k in range(own.size):
        i, j = np.uint64(own[k]), np.uint64(other[k])
        pulls[3 * k] = u[j] - u[i]
        pulls[3 * k + 1] = u[j + ONE] - u[i + ONE]
        pulls[3 * k + 2] = u[j + TWO] - u[i + TWO]


@kernel
def _repel_3d(vector, inverse, pulls):
    """Do the same for spheres."""
    energy, total = 0.0, 0.0
    for k in range(inverse.size):
        x = vector[3 * k] + pulls[3 * k]
        y = vector[3 * k + 1] + pulls[3 * k + 1]
        z = vector[3 * k + 2] + pulls[3 * k + 2]
        delta, push = repel(x * x + y * y + z * z, inverse[k])
        energy += delta * delta
        total += delta
        pulls[3 * k] = push * x
        pulls[3 * k + 1] = push * y
        pulls[3 * k + 2] = push * z
    return energy, total


@kernel
def _scatter_3d(first, block, stop, other, pulls, force):
    """Do the same for spheres."""
    begin = first[block]
    for body in range(block, stop):
        fx, fy, fz = 0.0, 0.0, 0.0
        for k in range(np.uint64(first[body] - begin), np.uint64(first[body + 1] - begin)):
            j, at = np.uint64(other[k]), THREE * k
            x, y, z = pulls[at], pulls[at + ONE], pulls[at + TWO]
            fx -= x
            fy -= y
            fz -= z
            force[j] += x
            force[j + ONE] += y
            force[j + TWO] += z
        force[3 * body] += fx
        force[3 * body + 1] += fy
        force[3 * body + 2] += fz


@kernel
def forces_3d(u, first, own, other, vector, inverse, pulls, force):
    """Do the same for spheres."""
    force[:] = 0.0
    energy, total = 0.0, 0.0
    n = first.size - 1
    for block in range(0, n, BLOCK):
        stop = min(block + BLOCK, n)
        begin, end = first[block], first[stop]
        _gather_3d(u, own[begin:end], other[begin:end], pulls)
        part = _repel_3d(vector[3 * begin : 3 * end], inverse[begin:end], pulls)
        _scatter_3d(first, block, stop, other[begin:end], pulls, force)
        energy += part[0]
        total += part[1]
    return 0.5 * energy, total

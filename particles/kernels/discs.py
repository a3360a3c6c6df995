"""Loops over pairs of discs or spheres: ``Δ = 1 - r/σ``, ``σ = (D_i + D_j)/2``."""

import math

from particles.kernels._jit import kernel


@kernel(inline=True)
def overlap(square, sigma):
    """Return ``1 - r/σ`` from ``r²``, without cancellation near contact."""
    return (sigma * sigma - square) / (sigma * (sigma + math.sqrt(square)))


@kernel
def gaps(first, second, vector, diameters, gap):
    """Write the gap of every pair."""
    for k in range(first.size):
        sigma = 0.5 * (diameters[first[k]] + diameters[second[k]])
        square = 0.0
        for a in range(vector.shape[1]):
            square += vector[k, a] * vector[k, a]
        gap[k] = overlap(square, sigma)


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
def hessian_products(first, second, vector, diameters, v, out):
    """Add ``H v`` to ``out``, both of shape ``(k, N, d)``.

    Along the contact the stiffness is ``1/σ²``; across it the prestress ``-Δ/(σ r)`` is negative.
    """
    dim = vector.shape[1]
    for k in range(first.size):
        i, j = first[k], second[k]
        sigma = 0.5 * (diameters[i] + diameters[j])
        square = 0.0
        for a in range(dim):
            square += vector[k, a] * vector[k, a]
        if i == j or square >= sigma * sigma or square == 0.0:
            continue
        across = -overlap(square, sigma) / (sigma * math.sqrt(square))
        along = (1.0 / (sigma * sigma) - across) / square
        for b in range(v.shape[0]):
            dot = 0.0
            for a in range(dim):
                dot += vector[k, a] * (v[b, j, a] - v[b, i, a])
            for a in range(dim):
                force = along * dot * vector[k, a] + across * (v[b, j, a] - v[b, i, a])
                out[b, j, a] += force
                out[b, i, a] -= force


@kernel
def forces_2d(u, first, second, vector, inverse, force):
    """Write ``-∇U`` at displacements ``u``; return ``U`` and ``Σ max(Δ, 0)``.

    The pair vectors of the last list plus displacements, not positions: what is subtracted is
    small, and the noise of the forces falls from 1e-14 to 1e-16.
    """
    force[:] = 0.0
    energy = 0.0
    total = 0.0
    for i in range(first.size - 1):
        ux, uy = u[2 * i], u[2 * i + 1]
        fx, fy = 0.0, 0.0
        for k in range(first[i], first[i + 1]):
            j = second[k]
            rx = vector[k, 0] + (u[2 * j] - ux)
            ry = vector[k, 1] + (u[2 * j + 1] - uy)
            square = (rx * rx + ry * ry) * inverse[k] * inverse[k]
            if square < 1.0:
                r = math.sqrt(square)
                delta = (1.0 - square) / (1.0 + r)
                energy += 0.5 * delta * delta
                total += delta
                push = delta * inverse[k] * inverse[k] / (r + 1e-300)
                fx -= push * rx
                fy -= push * ry
                force[2 * j] += push * rx
                force[2 * j + 1] += push * ry
        force[2 * i] += fx
        force[2 * i + 1] += fy
    return energy, total


@kernel
def forces_3d(u, first, second, vector, inverse, force):
    """Do the same in three dimensions."""
    force[:] = 0.0
    energy = 0.0
    total = 0.0
    for i in range(first.size - 1):
        ux, uy, uz = u[3 * i], u[3 * i + 1], u[3 * i + 2]
        fx, fy, fz = 0.0, 0.0, 0.0
        for k in range(first[i], first[i + 1]):
            j = second[k]
            rx = vector[k, 0] + (u[3 * j] - ux)
            ry = vector[k, 1] + (u[3 * j + 1] - uy)
            rz = vector[k, 2] + (u[3 * j + 2] - uz)
            square = (rx * rx + ry * ry + rz * rz) * inverse[k] * inverse[k]
            if square < 1.0:
                r = math.sqrt(square)
                delta = (1.0 - square) / (1.0 + r)
                energy += 0.5 * delta * delta
                total += delta
                push = delta * inverse[k] * inverse[k] / (r + 1e-300)
                fx -= push * rx
                fy -= push * ry
                fz -= push * rz
                force[3 * j] += push * rx
                force[3 * j + 1] += push * ry
                force[3 * j + 2] += push * rz
        force[3 * i] += fx
        force[3 * i + 1] += fy
        force[3 * i + 2] += fz
    return energy, total

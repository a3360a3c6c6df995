"""Loops over pairs of discs or spheres whose radii are variables: ``Δ = 1 - r/(R_i + R_j)``."""

import math

from particles.kernels._jit import kernel
from particles.kernels.discs import repel


@kernel
def energy_gradient(first, second, vector, radii, slope, gradient):
    """Add ``∇U`` of the contacts to ``gradient``, shape ``(N, d + 1)``; return ``U``.

    ``radii`` ``(N,)`` are those of the state, and ``slope`` ``(N,)`` theirs by their variable.
    """
    energy, dim = 0.0, vector.shape[1]
    for k in range(first.size):
        i, j = first[k], second[k]
        inverse = 1.0 / (radii[i] + radii[j])
        square = 0.0
        for a in range(dim):
            square += vector[k, a] * vector[k, a]
        delta, push = repel(square, inverse)
        energy += 0.5 * delta * delta
        swell = delta * (1.0 - delta) * inverse
        for a in range(dim):
            gradient[i, a] += push * vector[k, a]
            gradient[j, a] -= push * vector[k, a]
        gradient[i, dim] += swell * slope[i]
        gradient[j, dim] += swell * slope[j]
    return energy


@kernel
def forces(u, pairs, body, force):
    """Write ``-∇U`` at displacements ``u``; return ``U`` and ``Σ max(Δ, 0)``, springs included.

    ``u`` and ``force`` are by the centre and by the variable of the radius times its lever. In
    ``pairs = (own, other, vector)`` and ``body = (R, per, w, 1/ℓ, κ)`` are what the last list
    found: radii ``(N,)``, how they grow with ``u``, their variables, the inverse of their levers,
    and the slope of the gap of a spring, one for all.
    """
    own, other, vector = pairs
    radii, per, variable, per_lever, spring = body
    dim = vector.shape[1]
    c = dim + 1
    force[:] = 0.0
    energy, total = 0.0, 0.0
    for k in range(own.size):
        i, j = own[k], other[k]
        at, to = c * i, c * j
        grown = per[i] * u[at + dim] + per[j] * u[to + dim]
        sigma = radii[i] + radii[j] + grown
        if sigma <= 0.0:
            continue
        square = 0.0
        for a in range(dim):
            r = vector[k, a] + u[to + a] - u[at + a]
            square += r * r
        inverse = 1.0 / sigma
        delta, push = repel(square, inverse)
        if delta == 0.0:
            continue
        energy += delta * delta
        total += delta
        for a in range(dim):
            pull = push * (vector[k, a] + u[to + a] - u[at + a])
            force[to + a] += pull
            force[at + a] -= pull
        swell = delta * (1.0 - delta) * inverse
        force[at + dim] -= swell * per[i]
        force[to + dim] -= swell * per[j]
    for i in range(radii.size):
        w = variable[i] + u[c * i + dim] * per_lever[i]
        gap = spring * w
        energy += gap * gap
        total += math.fabs(gap)
        force[c * i + dim] -= spring * gap * per_lever[i]
    return 0.5 * energy, total


@kernel
def stiffness(first, second, vector, radii, slope, block):
    """Write ``∂²U`` of every contact by ``r`` and both radii's variables: ``(m, d + 2, d + 2)``.

    With ``g = ∂Δ/∂r`` and ``b`` the slope of ``log σ``, ``∂Δ/∂w = (1 - Δ) b``; by ``r`` and ``w``
    it is ``(1 - 2Δ) b g``, and by two radii ``(1 - 3Δ)(1 - Δ) b b``.
    """
    dim = vector.shape[1]
    for k in range(first.size):
        i, j = first[k], second[k]
        inverse = 1.0 / (radii[i] + radii[j])
        square = 0.0
        for a in range(dim):
            square += vector[k, a] * vector[k, a]
        delta, push = repel(square, inverse)
        if delta == 0.0 or square == 0.0:
            continue
        along = (inverse * inverse + push) / square
        mixed = -(1.0 - 2.0 * delta) * inverse / math.sqrt(square)
        b = (slope[i] * inverse, slope[j] * inverse)
        both = (1.0 - 3.0 * delta) * (1.0 - delta)
        for a in range(dim):
            block[k, a, a] = -push
            for e in range(dim):
                block[k, a, e] += along * vector[k, a] * vector[k, e]
            for n in range(2):
                block[k, a, dim + n] = block[k, dim + n, a] = mixed * b[n] * vector[k, a]
        for n in range(2):
            for m in range(2):
                block[k, dim + n, dim + m] = both * b[n] * b[m]

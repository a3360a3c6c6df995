"""Loops over pairs of ellipses.

The shapes of all bodies come as ``(m, p, q)``, see `particles.kernels.contact`.
"""

import math

import numpy as np

from particles.kernels._jit import kernel
from particles.kernels.contact import (
    contact,
    hessian_block,
    multiplier,
    normal_gap,
    quartic,
    slopes_at,
)

# Pairs of a block. A constant, so that the quantities of `work` are known not to overlap.
CAP = 264

# Unsigned, so that an index needs no test for being negative.
ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)

# π/2 in two parts.
HALF_PI_HIGH, HALF_PI_LOW = 1.5707963267948966, 6.123233995736766e-17


@kernel
def gaps(first, second, vector, shape, gap, slope):
    """Write the gap of every pair and its derivatives by ``(x, y, θ_i, θ_j)``."""
    m, p, q = shape
    for k in range(first.size):
        i, j = first[k], second[k]
        x, y = vector[k]
        delta, gx, gy, ti, tj, _ = contact(x, y, m[i], p[i], q[i], m[j], p[j], q[j])
        gap[k] = delta
        slope[k, 0], slope[k, 1], slope[k, 2], slope[k, 3] = -gx, -gy, -ti, -tj


@kernel
def normal_gaps(first, second, vector, shape, gap):
    """Write the distance of the surfaces of every pair, negative on overlap."""
    m, p, q = shape
    for k in range(first.size):
        i, j = first[k], second[k]
        x, y = vector[k]
        gap[k] = normal_gap(x, y, m[i], p[i], q[i], m[j], p[j], q[j])


@kernel
def energy_gradient(first, second, vector, shape, gradient):
    """Add ``∇U`` to ``gradient``, shape ``(N, 3)``; return ``U``."""
    m, p, q = shape
    energy = 0.0
    for k in range(first.size):
        i, j = first[k], second[k]
        x, y = vector[k]
        delta, gx, gy, ti, tj, _ = contact(x, y, m[i], p[i], q[i], m[j], p[j], q[j])
        if delta > 0.0:
            energy += 0.5 * delta * delta
            gradient[i, 0] += delta * gx
            gradient[i, 1] += delta * gy
            gradient[i, 2] -= delta * ti
            gradient[j, 0] -= delta * gx
            gradient[j, 1] -= delta * gy
            gradient[j, 2] -= delta * tj
    return energy


@kernel
def stiffness(first, second, vector, shape, block):
    """Write ``∂²U = ∇μ∇μᵀ - Δ∇²μ`` by ``(x, y, θ_i, θ_j)``; zeros where there is no contact."""
    m, p, q = shape
    grad = np.empty(4)
    for k in range(first.size):
        i, j = first[k], second[k]
        x, y = vector[k]
        delta = 0.0
        if x != 0.0 or y != 0.0:
            delta = hessian_block(x, y, m[i], p[i], q[i], m[j], p[j], q[j], grad, block[k])
        for a in range(4):
            for b in range(4):
                stiff = grad[a] * grad[b] - delta * block[k, a, b]
                block[k, a, b] = stiff if delta > 0.0 else 0.0


@kernel
def select_near(first, second, vector, shape, short, skin, start):
    """Keep pairs whose surfaces are closer than ``skin`` along the normal, and their ``λ*``.

    They are moved to the front of the arrays, and their number is returned. The tangent planes of
    the scaled contact separate the two bodies by ``(μ - 1)(h_i + h_j)``, ``h`` the support
    functions along their normal, so that no pair is closer than this says. ``F(½)`` and the short
    half axes bound it from below, which is enough to turn most pairs away.
    """
    m, p, q = shape
    kept = 0
    for k in range(first.size):
        i, j = first[k], second[k]
        x, y = vector[k]
        mm, pp, qq = m[i] + m[j], p[i] + p[j], q[i] + q[j]
        half = mm * (x * x + y * y) - pp * (x * x - y * y) - qq * 2.0 * x * y
        half /= 2.0 * (mm * mm - pp * pp - qq * qq)
        if (math.sqrt(half) - 1.0) * (short[i] + short[j]) >= skin:
            continue
        delta, gx, gy, _, _, lam = contact(x, y, m[i], p[i], q[i], m[j], p[j], q[j])
        norm = math.sqrt(gx * gx + gy * gy)
        if delta > 0.0 or -delta * (x * gx + y * gy) < skin * norm * (1.0 - delta):
            first[kept], second[kept] = i, j
            vector[kept, 0], vector[kept, 1] = x, y
            start[kept] = lam
            kept += 1
    return kept


@kernel(inline=True)
def _cos_sin(t):
    """Return ``cos t`` and ``sin t`` to 1e-16 for ``|t|`` below 1e4, without a branch."""
    turns = np.rint(t * (2.0 / math.pi))
    r = t - turns * HALF_PI_HIGH - turns * HALF_PI_LOW
    s = r * r
    sine = 1.0 - s / 210.0
    sine = 1.0 - s / 156.0 * sine
    sine = 1.0 - s / 110.0 * sine
    sine = 1.0 - s / 72.0 * sine
    sine = 1.0 - s / 42.0 * sine
    sine = 1.0 - s / 20.0 * sine
    sine = r * (1.0 - s / 6.0 * sine)
    cosine = 1.0 - s / 240.0
    cosine = 1.0 - s / 182.0 * cosine
    cosine = 1.0 - s / 132.0 * cosine
    cosine = 1.0 - s / 90.0 * cosine
    cosine = 1.0 - s / 56.0 * cosine
    cosine = 1.0 - s / 30.0 * cosine
    cosine = 1.0 - s / 12.0 * cosine
    cosine = 1.0 - s / 2.0 * cosine
    quarter = turns - 4.0 * np.floor(0.25 * turns)
    odd = quarter == 1.0 or quarter == 3.0
    c, d = (sine, cosine) if odd else (cosine, sine)
    c = -c if quarter == 1.0 or quarter == 2.0 else c
    d = -d if quarter >= 2.0 else d
    return c, d


@kernel
def _turn(u, per_lever, twist, turned):
    """Turn the shapes ``twist = (p, q)`` of the last list by the angles since."""
    for i in range(per_lever.size):
        c, s = _cos_sin(2.0 * per_lever[i] * u[3 * i + 2])
        turned[2 * i] = c * twist[2 * i] - s * twist[2 * i + 1]
        turned[2 * i + 1] = s * twist[2 * i] + c * twist[2 * i + 1]


@kernel
def _gather(u, own, other, vector, start, mean, turned, work):
    """Lay out what the pairs of one block need, quantity by quantity."""
    for k in range(own.size):
        i, j = np.uint64(own[k]), np.uint64(other[k])
        work[k] = vector[2 * k] + (u[THREE * j] - u[THREE * i])
        work[CAP + k] = vector[2 * k + 1] + (u[THREE * j + ONE] - u[THREE * i + ONE])
        work[2 * CAP + k] = mean[i]
        work[3 * CAP + k] = turned[TWO * i]
        work[4 * CAP + k] = turned[TWO * i + ONE]
        work[5 * CAP + k] = mean[j]
        work[6 * CAP + k] = turned[TWO * j]
        work[7 * CAP + k] = turned[TWO * j + ONE]
        work[8 * CAP + k] = start[k]


@kernel(inline=True)
def _pair(work, k):
    """Return vector and shapes of a pair, as the contact function takes them."""
    return (
        work[k],
        work[CAP + k],
        work[2 * CAP + k],
        work[3 * CAP + k],
        work[4 * CAP + k],
        work[5 * CAP + k],
        work[6 * CAP + k],
        work[7 * CAP + k],
    )


@kernel
def _solve(work, size):
    """Improve ``λ*`` of all pairs by two steps of Newton; return how many need more.

    From the ``λ*`` of the last call that is enough for nearly all, and no pair waits for another.
    """
    unsolved = 0
    for k in range(size):
        k0, k1, k2, k3, k4 = quartic(*_pair(work, k))
        lam = work[8 * CAP + k]
        move = 0.0
        for _ in range(2):
            value = k0 + lam * (k1 + lam * (k2 + lam * (k3 + lam * k4)))
            slope = k1 + lam * (2.0 * k2 + lam * (3.0 * k3 + lam * 4.0 * k4))
            move = value / slope
            lam -= move
        work[8 * CAP + k] = lam
        good = lam > 0.0 and lam < 1.0 and move * move < 1e-11
        work[9 * CAP + k] = 0.0 if good else 1.0
        unsolved += 0 if good else 1
    return unsolved


@kernel
def _solve_rest(work, size):
    """Find ``λ*`` of the pairs that are left, inside a bracket."""
    for k in range(size):
        if work[9 * CAP + k] > 0.0:
            work[8 * CAP + k] = multiplier(*_pair(work, k))


@kernel
def _repel(work, size):
    """Turn the pairs of a block into forces and torques; return ``Σ Δ²`` and ``Σ Δ``."""
    energy, total = 0.0, 0.0
    for k in range(size):
        delta, gx, gy, ti, tj = slopes_at(*_pair(work, k), work[8 * CAP + k])
        delta = delta if delta > 0.0 else 0.0
        energy += delta * delta
        total += delta
        work[k] = delta * gx
        work[CAP + k] = delta * gy
        work[2 * CAP + k] = delta * ti
        work[3 * CAP + k] = delta * tj
    return energy, total


@kernel
def _scatter(own, other, start, per_lever, work, force):
    """Add forces and torques to the bodies, and keep ``λ*``."""
    for k in range(own.size):
        i, j = np.uint64(own[k]), np.uint64(other[k])
        start[k] = work[8 * CAP + k]
        force[THREE * i] -= work[k]
        force[THREE * i + ONE] -= work[CAP + k]
        force[THREE * i + TWO] += work[2 * CAP + k] * per_lever[i]
        force[THREE * j] += work[k]
        force[THREE * j + ONE] += work[CAP + k]
        force[THREE * j + TWO] += work[3 * CAP + k] * per_lever[j]


@kernel
def forces(u, pairs, body, work, turned, force):
    """Write ``-∇U`` at displacements ``u``; return ``U`` and ``Σ max(Δ, 0)``.

    ``u`` and ``force`` are by ``(x, y, ℓθ)``; ``pairs = (i, j, vector, λ*)`` and
    ``body = (m, 1/ℓ, (p, q))`` are those of the last list.
    """
    own, other, vector, start = pairs
    mean, per_lever, twist = body
    _turn(u, per_lever, twist, turned)
    force[:] = 0.0
    energy, total = 0.0, 0.0
    for begin in range(0, own.size, CAP):
        end = min(begin + CAP, own.size)
        i, j = own[begin:end], other[begin:end]
        _gather(u, i, j, vector[2 * begin : 2 * end], start[begin:end], mean, turned, work)
        if _solve(work, end - begin) > 0:
            _solve_rest(work, end - begin)
        part = _repel(work, end - begin)
        _scatter(i, j, start[begin:end], per_lever, work, force)
        energy += part[0]
        total += part[1]
    return 0.5 * energy, total

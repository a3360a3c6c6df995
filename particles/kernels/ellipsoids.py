"""Loops over pairs of ellipsoids.

The shape matrices of all bodies come as ``(N, 6)``, see `particles.kernels.contact_3d`.
"""

import math

import numpy as np

from particles.kernels._jit import kernel
from particles.kernels.contact_3d import (
    hessian_block,
    inverse_between,
    multiplier,
    newton_move,
    normal_gap,
    row,
    slopes_at,
    times,
)

# Pairs of a block. A constant, so that the quantities of `work` are known not to overlap.
CAP = 136

# Quantities of a pair in `work`: vector, both shapes, λ* and whether it is found.
LAM, OPEN, SIZE = 15, 16, 17

SIX = np.uint64(6)


@kernel
def gaps(first, second, vector, shapes, gap, slope):
    """Write the gap of every pair and its derivatives by ``r`` and by turns of ``i`` and ``j``."""
    for k in range(first.size):
        a, b = row(shapes, first[k]), row(shapes, second[k])
        x, y, z = vector[k]
        gap[k], g, ti, tj = slopes_at(x, y, z, a, b, multiplier(x, y, z, a, b))
        for c in range(3):
            slope[k, c], slope[k, 3 + c], slope[k, 6 + c] = -g[c], -ti[c], -tj[c]


@kernel
def normal_gaps(first, second, vector, shapes, gap):
    """Write the distance of the surfaces of every pair, negative on overlap."""
    for k in range(first.size):
        gap[k] = normal_gap(vector[k], row(shapes, first[k]), row(shapes, second[k]))


@kernel
def energy_gradient(first, second, vector, shapes, gradient):
    """Add ``∇U`` by centres and turns about ``x, y, z`` to ``gradient (N, 6)``; return ``U``."""
    energy = 0.0
    for k in range(first.size):
        i, j = first[k], second[k]
        a, b = row(shapes, i), row(shapes, j)
        x, y, z = vector[k]
        delta, g, ti, tj = slopes_at(x, y, z, a, b, multiplier(x, y, z, a, b))
        if delta > 0.0:
            energy += 0.5 * delta * delta
            for c in range(3):
                gradient[i, c] += delta * g[c]
                gradient[j, c] -= delta * g[c]
                gradient[i, 3 + c] -= delta * ti[c]
                gradient[j, 3 + c] -= delta * tj[c]
    return energy


@kernel
def stiffness(first, second, vector, shapes, rates, bends, block):
    """Write ``∂²U = ∇μ∇μᵀ - Δ∇²μ`` by ``r`` and the turns; zeros where there is no contact.

    ``rates (N, 3, 6)`` and ``bends (N, 3, 3, 6)`` are the derivatives of the shape matrices.
    """
    grad = np.empty(9)
    for k in range(first.size):
        i, j = first[k], second[k]
        x, y, z = vector[k]
        delta = 0.0
        if x != 0.0 or y != 0.0 or z != 0.0:
            a, b = row(shapes, i), row(shapes, j)
            delta = hessian_block(
                (x, y, z), a, b, rates[i], rates[j], bends[i], bends[j], grad, block[k]
            )
        for n in range(9):
            for o in range(9):
                stiff = grad[n] * grad[o] - delta * block[k, n, o]
                block[k, n, o] = stiff if delta > 0.0 else 0.0


@kernel
def select_near(first, second, vector, shapes, short, skin, start):
    """Keep pairs whose surfaces are closer than ``skin`` along the normal, and their ``λ*``.

    As `particles.kernels.ellipses.select_near` does: ``F(½)`` and the short half axes turn most
    pairs away, and the tangent planes of the scaled contact bound the distance of the others.
    """
    kept = 0
    for k in range(first.size):
        i, j = first[k], second[k]
        a, b = row(shapes, i), row(shapes, j)
        x, y, z = vector[k]
        sx, sy, sz = times(inverse_between(a, b, 0.5), x, y, z)
        half = 0.25 * (x * sx + y * sy + z * sz)
        if (math.sqrt(half) - 1.0) * (short[i] + short[j]) >= skin:
            continue
        lam = multiplier(x, y, z, a, b)
        delta, (gx, gy, gz), _, _ = slopes_at(x, y, z, a, b, lam)
        norm = math.sqrt(gx * gx + gy * gy + gz * gz)
        if delta > 0.0 or -delta * (x * gx + y * gy + z * gz) < skin * norm * (1.0 - delta):
            first[kept], second[kept] = i, j
            vector[kept, 0], vector[kept, 1], vector[kept, 2] = x, y, z
            start[kept] = lam
            kept += 1
    return kept


@kernel
def _turn(u, per_lever, axes, squares, turned):
    """Turn the bodies of the last list by their displacements since; write their shape matrices.

    ``ω = u/ℓ`` is a turn by ``4 atan(|ω|/4)`` about itself, in axes of the body: the quaternion
    ``(1 - σ², 2σ)/(1 + σ²)`` with ``σ = ω/4``. With ``squares = (a², b² - a², c² - a²)``, ``A`` is
    ``a² + (b² - a²) m mᵀ + (c² - a²) n nᵀ`` of the second and the third axis.
    """
    m, n = np.empty(3), np.empty(3)
    for i in range(squares.shape[0]):
        p = 0.25 * u[6 * i + 3] * per_lever[i, 0]
        q = 0.25 * u[6 * i + 4] * per_lever[i, 1]
        r = 0.25 * u[6 * i + 5] * per_lever[i, 2]
        square = p * p + q * q + r * r
        scale = 2.0 / (1.0 + square)
        o, p, q, r = 0.5 * scale * (1.0 - square), scale * p, scale * q, scale * r
        m0, m1, m2 = 2.0 * (p * q - o * r), 1.0 - 2.0 * (p * p + r * r), 2.0 * (q * r + o * p)
        n0, n1, n2 = 2.0 * (p * r + o * q), 2.0 * (q * r - o * p), 1.0 - 2.0 * (p * p + q * q)
        for c in range(3):
            m[c] = axes[i, c, 0] * m0 + axes[i, c, 1] * m1 + axes[i, c, 2] * m2
            n[c] = axes[i, c, 0] * n0 + axes[i, c, 1] * n1 + axes[i, c, 2] * n2
        round_, b, c = squares[i, 0], squares[i, 1], squares[i, 2]
        turned[6 * i] = round_ + b * m[0] * m[0] + c * n[0] * n[0]
        turned[6 * i + 1] = b * m[0] * m[1] + c * n[0] * n[1]
        turned[6 * i + 2] = b * m[0] * m[2] + c * n[0] * n[2]
        turned[6 * i + 3] = round_ + b * m[1] * m[1] + c * n[1] * n[1]
        turned[6 * i + 4] = b * m[1] * m[2] + c * n[1] * n[2]
        turned[6 * i + 5] = round_ + b * m[2] * m[2] + c * n[2] * n[2]


@kernel
def _torques(u, per_lever, axes, force):
    """Turn torques about ``x, y, z`` into forces on the variables ``ℓω`` of `_turn`, in place.

    A change of ``ω`` turns the body by ``[(1 - σ²) + 2 σ× + 2 σσᵀ]/(1 + σ²)² dω``, in axes of the
    last list.
    """
    for i in range(per_lever.shape[0]):
        k = 6 * i + 3
        p = 0.25 * u[k] * per_lever[i, 0]
        q = 0.25 * u[k + 1] * per_lever[i, 1]
        r = 0.25 * u[k + 2] * per_lever[i, 2]
        x, y, z = force[k], force[k + 1], force[k + 2]
        tx = axes[i, 0, 0] * x + axes[i, 1, 0] * y + axes[i, 2, 0] * z
        ty = axes[i, 0, 1] * x + axes[i, 1, 1] * y + axes[i, 2, 1] * z
        tz = axes[i, 0, 2] * x + axes[i, 1, 2] * y + axes[i, 2, 2] * z
        square = p * p + q * q + r * r
        along, flat = 2.0 * (p * tx + q * ty + r * tz), 1.0 - square
        scale = 1.0 / ((1.0 + square) * (1.0 + square))
        force[k] = scale * per_lever[i, 0] * (flat * tx - 2.0 * (q * tz - r * ty) + along * p)
        force[k + 1] = scale * per_lever[i, 1] * (flat * ty - 2.0 * (r * tx - p * tz) + along * q)
        force[k + 2] = scale * per_lever[i, 2] * (flat * tz - 2.0 * (p * ty - q * tx) + along * r)


@kernel
def _gather(u, own, other, vector, start, turned, work):
    """Lay out what the pairs of one block need, quantity by quantity."""
    for k in range(own.size):
        i, j = SIX * np.uint64(own[k]), SIX * np.uint64(other[k])
        for c in range(3):
            d = np.uint64(c)
            work[c * CAP + k] = vector[3 * k + c] + (u[j + d] - u[i + d])
        for c in range(6):
            d = np.uint64(c)
            work[(3 + c) * CAP + k] = turned[i + d]
            work[(9 + c) * CAP + k] = turned[j + d]
        work[LAM * CAP + k] = start[k]


@kernel(inline=True)
def _pair(work, k):
    """Return vector and shapes of a pair, as the contact function takes them."""
    a = (
        work[3 * CAP + k],
        work[4 * CAP + k],
        work[5 * CAP + k],
        work[6 * CAP + k],
        work[7 * CAP + k],
        work[8 * CAP + k],
    )
    b = (
        work[9 * CAP + k],
        work[10 * CAP + k],
        work[11 * CAP + k],
        work[12 * CAP + k],
        work[13 * CAP + k],
        work[14 * CAP + k],
    )
    return work[k], work[CAP + k], work[2 * CAP + k], a, b


@kernel
def _solve(work, size):
    """Improve ``λ*`` of all pairs by one step of Newton; return how many need more."""
    unsolved = 0
    for k in range(size):
        x, y, z, a, b = _pair(work, k)
        _, move = newton_move(x, y, z, a, b, work[LAM * CAP + k])
        lam = work[LAM * CAP + k] + move
        work[LAM * CAP + k] = lam
        good = lam > 0.0 and lam < 1.0 and move * move < 1e-11
        work[OPEN * CAP + k] = 0.0 if good else 1.0
        unsolved += 0 if good else 1
    return unsolved


@kernel
def _solve_rest(work, size):
    """Find ``λ*`` of the pairs that are left, inside a bracket."""
    for k in range(size):
        if work[OPEN * CAP + k] > 0.0:
            x, y, z, a, b = _pair(work, k)
            work[LAM * CAP + k] = multiplier(x, y, z, a, b)


@kernel
def _repel(work, size):
    """Turn the pairs of a block into forces and torques; return ``Σ Δ²`` and ``Σ Δ``."""
    energy, total = 0.0, 0.0
    for k in range(size):
        x, y, z, a, b = _pair(work, k)
        delta, g, ti, tj = slopes_at(x, y, z, a, b, work[LAM * CAP + k])
        delta = delta if delta > 0.0 else 0.0
        energy += delta * delta
        total += delta
        # Written out: a loop over the three of each keeps the compiler from vectors.
        work[k], work[CAP + k], work[2 * CAP + k] = delta * g[0], delta * g[1], delta * g[2]
        work[3 * CAP + k] = delta * ti[0]
        work[4 * CAP + k] = delta * ti[1]
        work[5 * CAP + k] = delta * ti[2]
        work[6 * CAP + k] = delta * tj[0]
        work[7 * CAP + k] = delta * tj[1]
        work[8 * CAP + k] = delta * tj[2]
    return energy, total


@kernel
def _scatter(own, other, start, work, force):
    """Add forces and torques to the bodies, and keep ``λ*``."""
    for k in range(own.size):
        i, j = SIX * np.uint64(own[k]), SIX * np.uint64(other[k])
        start[k] = work[LAM * CAP + k]
        for c in range(3):
            d, e = np.uint64(c), np.uint64(c + 3)
            force[i + d] -= work[c * CAP + k]
            force[j + d] += work[c * CAP + k]
            force[i + e] += work[(3 + c) * CAP + k]
            force[j + e] += work[(6 + c) * CAP + k]


@kernel
def forces(u, pairs, body, work, turned, force):
    """Write ``-∇U`` at displacements ``u``; return ``U`` and ``Σ max(Δ, 0)``.

    ``u`` and ``force`` are by ``(x, y, z, ℓω)``; ``pairs = (i, j, vector, λ*)`` and
    ``body = (1/ℓ, axes, squares)`` are those of the last list, see `_turn`.
    """
    own, other, vector, start = pairs
    per_lever, axes, squares = body
    _turn(u, per_lever, axes, squares, turned)
    force[:] = 0.0
    energy, total = 0.0, 0.0
    for begin in range(0, own.size, CAP):
        end = min(begin + CAP, own.size)
        i, j, size = own[begin:end], other[begin:end], end - begin
        _gather(u, i, j, vector[3 * begin : 3 * end], start[begin:end], turned, work)
        # From the λ* of the last call one or two steps are enough for nearly all.
        if _solve(work, size) > 0 and _solve(work, size) > 0:
            _solve_rest(work, size)
        part = _repel(work, size)
        _scatter(i, j, start[begin:end], work, force)
        energy += part[0]
        total += part[1]
    _torques(u, per_lever, axes, force)
    return 0.5 * energy, total

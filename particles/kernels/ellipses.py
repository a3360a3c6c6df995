"""Loops over pairs of ellipses: the contact function of Perram and Wertheim in the plane.

J. W. Perram and M. S. Wertheim, J. Comput. Phys. 58, 409 (1985). With ``A`` and ``B`` the shape
matrices (eigenvalues: the squared half axes) and ``r`` the vector between the centres,

    F(r, A, B) = max_λ λ(1-λ) rᵀ G⁻¹ r,    G = (1-λ)A + λB,    μ = √F,    Δ = 1 - μ:

scaled by ``μ`` about their centres, the two ellipses just touch. Here ``A = m + δ(cos 2θ, sin 2θ)``
as a multiple of the identity and a traceless part, ``m = (a² + b²)/2`` and ``δ = (a² - b²)/2``.
"""

import math

import numpy as np

from particles.kernels._jit import kernel


@kernel(inline=True)
def multiplier(x, y, ma, pa, qa, mb, pb, qb, start):
    """Return the maximiser ``λ*`` of ``λ(1-λ) rᵀG⁻¹r``, by Newton inside a bracket.

    The derivative has the sign of a quartic that is positive at 0, negative at 1 and has one root
    between. ``A = [[m + p, q], [q, m - p]]``.
    """
    square = x * x + y * y
    twist_c, twist_s = x * x - y * y, 2.0 * x * y
    u = ma * square - (pa * twist_c + qa * twist_s)
    w = mb * square - (pb * twist_c + qb * twist_s) - u
    det_a = ma * ma - pa * pa - qa * qa
    det_b = mb * mb - pb * pb - qb * qb
    cross = 2.0 * (ma * mb - pa * pb - qa * qb)
    c0, c1, c2 = det_a, cross - 2.0 * det_a, det_a + det_b - cross
    k0 = u * c0
    k1 = 2.0 * (w - u) * c0
    k2 = (w - u) * c1 - u * c2 - 3.0 * w * c0
    k3 = -2.0 * w * c1
    k4 = -w * c2
    low, high, lam = 0.0, 1.0, start
    for _ in range(60):
        value = k0 + lam * (k1 + lam * (k2 + lam * (k3 + lam * k4)))
        slope = k1 + lam * (2.0 * k2 + lam * (3.0 * k3 + lam * 4.0 * k4))
        if value > 0.0:
            low = lam
        else:
            high = lam
        move = -value / slope if slope < 0.0 else 2.0
        if abs(move) < 1e-9:
            return lam + move
        lam += move
        if not low < lam < high:
            lam = 0.5 * (low + high)
            if high - low < 1e-15:
                break
    return lam


@kernel(inline=True)
def contact(x, y, ma, pa, qa, mb, pb, qb, start):
    """Return ``Δ``, ``∂μ/∂x``, ``∂μ/∂y``, ``∂μ/∂θ_i``, ``∂μ/∂θ_j`` and ``λ*``.

    The derivatives are those at fixed ``λ*``, since ``F`` is stationary in it.
    """
    if x == 0.0 and y == 0.0:
        return 1.0, 0.0, 0.0, 0.0, 0.0, 0.5
    lam = multiplier(x, y, ma, pa, qa, mb, pb, qb, start)
    alf = 1.0 - lam
    m = alf * ma + lam * mb
    p = alf * pa + lam * pb
    q = alf * qa + lam * qb
    det = m * m - p * p - q * q
    sx = ((m - p) * x - q * y) / det
    sy = ((m + p) * y - q * x) / det
    f = alf * lam * (x * sx + y * sy)
    mu = math.sqrt(f)
    scale = alf * lam / mu
    cc, ss = sx * sx - sy * sy, 2.0 * sx * sy
    ti = -scale * alf * (pa * ss - qa * cc)
    tj = -scale * lam * (pb * ss - qb * cc)
    return (1.0 - f) / (1.0 + mu), scale * sx, scale * sy, ti, tj, lam


@kernel
def shapes(angles, mean, split, p, q):
    """Write ``p = δ cos 2θ`` and ``q = δ sin 2θ`` of every body."""
    for i in range(angles.size):
        p[i] = split[i] * math.cos(2.0 * angles[i])
        q[i] = split[i] * math.sin(2.0 * angles[i])


@kernel
def gaps(first, second, vector, shape, gap, slope):
    """Write the gap of every pair and its derivatives by ``(x, y, θ_i, θ_j)``."""
    m, p, q = shape
    for k in range(first.size):
        i, j = first[k], second[k]
        delta, gx, gy, ti, tj, _ = contact(
            vector[k, 0], vector[k, 1], m[i], p[i], q[i], m[j], p[j], q[j], 0.5
        )
        gap[k] = delta
        slope[k, 0] = -gx
        slope[k, 1] = -gy
        slope[k, 2] = -ti
        slope[k, 3] = -tj


@kernel
def energy_gradient(first, second, vector, shape, gradient):
    """Add ``∇U`` to ``gradient``, shape ``(N, 3)``; return ``U``."""
    m, p, q = shape
    energy = 0.0
    for k in range(first.size):
        i, j = first[k], second[k]
        delta, gx, gy, ti, tj, _ = contact(
            vector[k, 0], vector[k, 1], m[i], p[i], q[i], m[j], p[j], q[j], 0.5
        )
        if delta > 0.0:
            energy += 0.5 * delta * delta
            gradient[i, 0] += delta * gx
            gradient[i, 1] += delta * gy
            gradient[i, 2] -= delta * ti
            gradient[j, 0] -= delta * gx
            gradient[j, 1] -= delta * gy
            gradient[j, 2] -= delta * tj
    return energy


@kernel(inline=True)
def hessian_block(x, y, ma, pa, qa, mb, pb, qb, grad, block):
    """Write ``∂μ`` and ``∂²μ`` by ``(x, y, θ_i, θ_j)``, the motion of ``λ*`` included.

    With ``s = G⁻¹r`` and ``h(λ, z) = λ(1-λ) rᵀG⁻¹r``: ``F_zz = h_zz - h_zλ h_λz / h_λλ``.
    """
    lam = multiplier(x, y, ma, pa, qa, mb, pb, qb, 0.5)
    alf = 1.0 - lam
    ell = alf * lam
    m = alf * ma + lam * mb
    p = alf * pa + lam * pb
    q = alf * qa + lam * qb
    det = m * m - p * p - q * q
    gxx, gxy, gyy = (m - p) / det, -q / det, (m + p) / det
    sx, sy = gxx * x + gxy * y, gxy * x + gyy * y
    # dA s, dB s and (B - A) s, and what G⁻¹ makes of them.
    ax, ay = 2.0 * (-qa * sx + pa * sy), 2.0 * (pa * sx + qa * sy)
    bx, by = 2.0 * (-qb * sx + pb * sy), 2.0 * (pb * sx + qb * sy)
    cm, cp, cq = mb - ma, pb - pa, qb - qa
    cx, cy = (cm + cp) * sx + cq * sy, cq * sx + (cm - cp) * sy
    iax, iay = gxx * ax + gxy * ay, gxy * ax + gyy * ay
    ibx, iby = gxx * bx + gxy * by, gxy * bx + gyy * by
    icx, icy = gxx * cx + gxy * cy, gxy * cx + gyy * cy
    sas, sbs = sx * ax + sy * ay, sx * bx + sy * by
    cc, ss = sx * sx - sy * sy, 2.0 * sx * sy
    bend_a, bend_b = -4.0 * (pa * cc + qa * ss), -4.0 * (pb * cc + qb * ss)
    grad[0], grad[1] = 2.0 * ell * sx, 2.0 * ell * sy
    grad[2], grad[3] = -ell * alf * sas, -ell * lam * sbs
    block[0, 0], block[0, 1], block[1, 1] = 2.0 * ell * gxx, 2.0 * ell * gxy, 2.0 * ell * gyy
    block[0, 2], block[1, 2] = -2.0 * ell * alf * iax, -2.0 * ell * alf * iay
    block[0, 3], block[1, 3] = -2.0 * ell * lam * ibx, -2.0 * ell * lam * iby
    block[2, 2] = -ell * alf * bend_a + 2.0 * ell * alf * alf * (ax * iax + ay * iay)
    block[3, 3] = -ell * lam * bend_b + 2.0 * ell * lam * lam * (bx * ibx + by * iby)
    block[2, 3] = 2.0 * ell * alf * lam * (ax * ibx + ay * iby)
    h0 = 2.0 * (1.0 - 2.0 * lam) * sx - 2.0 * ell * icx
    h1 = 2.0 * (1.0 - 2.0 * lam) * sy - 2.0 * ell * icy
    h2 = -alf * (alf - 2.0 * lam) * sas + 2.0 * ell * alf * (ax * icx + ay * icy)
    h3 = -lam * (2.0 * alf - lam) * sbs + 2.0 * ell * lam * (bx * icx + by * icy)
    bend = 2.0 * ell * (cx * icx + cy * icy)
    bend -= 2.0 * (x * sx + y * sy) + 2.0 * (1.0 - 2.0 * lam) * (sx * cx + sy * cy)
    mixed = (h0, h1, h2, h3)
    f = ell * (x * sx + y * sy)
    mu = math.sqrt(f)
    for a in range(4):
        for b in range(a, 4):
            second = (block[a, b] - mixed[a] * mixed[b] / bend) / (2.0 * mu)
            block[a, b] = second - grad[a] * grad[b] / (4.0 * mu * f)
            block[b, a] = block[a, b]
    for a in range(4):
        grad[a] /= 2.0 * mu
    return (1.0 - f) / (1.0 + mu)


@kernel
def hessian_products(first, second, vector, shape, v, out):
    """Add ``H v`` to ``out``, both of shape ``(k, N, 3)``: ``∇μ∇μᵀ - Δ∇²μ`` of every contact."""
    m, p, q = shape
    grad = np.empty(4)
    block = np.empty((4, 4))
    w = np.empty(4)
    for k in range(first.size):
        i, j = first[k], second[k]
        x, y = vector[k]
        if x == 0.0 and y == 0.0:
            continue
        delta = hessian_block(x, y, m[i], p[i], q[i], m[j], p[j], q[j], grad, block)
        if delta <= 0.0:
            continue
        for a in range(4):
            for b in range(4):
                block[a, b] = grad[a] * grad[b] - delta * block[a, b]
        for n in range(v.shape[0]):
            w[0] = v[n, j, 0] - v[n, i, 0]
            w[1] = v[n, j, 1] - v[n, i, 1]
            w[2] = v[n, i, 2]
            w[3] = v[n, j, 2]
            for a in range(4):
                force = 0.0
                for b in range(4):
                    force += block[a, b] * w[b]
                if a < 2:
                    out[n, j, a] += force
                    out[n, i, a] -= force
                elif a == 2:
                    out[n, i, 2] += force
                else:
                    out[n, j, 2] += force


@kernel
def select_near(first, second, vector, shape, skin, keep, start):
    """Mark pairs whose surfaces are closer than ``skin`` along the normal; keep their ``λ*``.

    The tangent planes of the scaled contact separate the two by ``(μ - 1)(h_i + h_j)``, ``h`` the
    support functions along their normal, so that no pair is closer than this says.
    """
    m, p, q = shape
    for k in range(first.size):
        i, j = first[k], second[k]
        x, y = vector[k]
        delta, gx, gy, _, _, lam = contact(x, y, m[i], p[i], q[i], m[j], p[j], q[j], 0.5)
        start[k] = lam
        norm = math.sqrt(gx * gx + gy * gy)
        keep[k] = delta > 0.0 or -delta * (x * gx + y * gy) < skin * norm * (1.0 - delta)


@kernel
def forces(u, first, second, vector, start, body, scratch, force):
    """Write ``-∇U`` at displacements ``u``; return ``U`` and ``Σ max(Δ, 0)``.

    ``u`` and ``force`` are by ``(x, y, ℓθ)`` with the levers ``ℓ`` of ``body = (m, δ, θ, ℓ)``.
    """
    mean, split, angle, lever = body
    p, q = scratch
    for i in range(mean.size):
        turned = 2.0 * (angle[i] + u[3 * i + 2] / lever[i])
        p[i] = split[i] * math.cos(turned)
        q[i] = split[i] * math.sin(turned)
    force[:] = 0.0
    energy = 0.0
    total = 0.0
    for i in range(first.size - 1):
        for k in range(first[i], first[i + 1]):
            j = second[k]
            x = vector[k, 0] + (u[3 * j] - u[3 * i])
            y = vector[k, 1] + (u[3 * j + 1] - u[3 * i + 1])
            delta, gx, gy, ti, tj, lam = contact(
                x, y, mean[i], p[i], q[i], mean[j], p[j], q[j], start[k]
            )
            start[k] = lam
            if delta > 0.0:
                energy += 0.5 * delta * delta
                total += delta
                force[3 * i] -= delta * gx
                force[3 * i + 1] -= delta * gy
                force[3 * i + 2] += delta * ti / lever[i]
                force[3 * j] += delta * gx
                force[3 * j + 1] += delta * gy
                force[3 * j + 2] += delta * tj / lever[j]
    return energy, total

"""The contact of two ellipses: the function of Perram and Wertheim in the plane.

J. W. Perram and M. S. Wertheim, J. Comput. Phys. 58, 409 (1985). With ``A`` and ``B`` the shape
matrices (eigenvalues: the squared half axes) and ``r`` the vector between the centres,

    F(r, A, B) = max_λ λ(1-λ) rᵀ G⁻¹ r,    G = (1-λ)A + λB,    μ = √F,    Δ = 1 - μ:

scaled by ``μ`` about their centres, the two ellipses just touch. Every shape is written as
``A = [[m + p, q], [q, m - p]]`` with ``m = (a² + b²)/2``, ``p = δ cos 2θ``, ``q = δ sin 2θ`` and
``δ = (a² - b²)/2``.
"""

import math

from particles.kernels._jit import kernel

# Below every distance: centres at one place push in no direction.
TINY = 1e-150


@kernel(inline=True)
def quartic(x, y, ma, pa, qa, mb, pb, qb):
    """Return the coefficients of a polynomial with the sign of ``d/dλ λ(1-λ) rᵀG⁻¹r``.

    It is positive at 0, negative at 1 and has one root between. ``A = [[m + p, q], [q, m - p]]``.
    """
    square = x * x + y * y
    twist_c, twist_s = x * x - y * y, 2.0 * x * y
    u = ma * square - (pa * twist_c + qa * twist_s)
    w = mb * square - (pb * twist_c + qb * twist_s) - u
    c0 = ma * ma - pa * pa - qa * qa
    det_b = mb * mb - pb * pb - qb * qb
    cross = 2.0 * (ma * mb - pa * pb - qa * qb)
    c1, c2 = cross - 2.0 * c0, c0 + det_b - cross
    k2 = (w - u) * c1 - u * c2 - 3.0 * w * c0
    return u * c0, 2.0 * (w - u) * c0, k2, -2.0 * w * c1, -w * c2


@kernel
def multiplier(x, y, ma, pa, qa, mb, pb, qb):
    """Return the maximiser ``λ*`` of ``λ(1-λ) rᵀG⁻¹r``, by Newton inside a bracket."""
    k0, k1, k2, k3, k4 = quartic(x, y, ma, pa, qa, mb, pb, qb)
    low, high, lam = 0.0, 1.0, 0.5
    for _ in range(60):
        value = k0 + lam * (k1 + lam * (k2 + lam * (k3 + lam * k4)))
        slope = k1 + lam * (2.0 * k2 + lam * (3.0 * k3 + lam * 4.0 * k4))
        if value > 0.0:
            low = lam
        else:
            high = lam
        move = -value / slope if slope < 0.0 else 2.0
        if abs(move) < 1e-9 and low <= lam + move <= high:
            return lam + move
        lam += move
        if not low < lam < high:
            lam = 0.5 * (low + high)
            if high - low < 1e-15:
                break
    return lam


@kernel(inline=True)
def slopes_at(x, y, ma, pa, qa, mb, pb, qb, lam):
    """Return ``Δ``, ``∂μ/∂x``, ``∂μ/∂y``, ``∂μ/∂θ_i`` and ``∂μ/∂θ_j`` at ``λ*``.

    The derivatives are those at fixed ``λ*``, since ``F`` is stationary in it. Two centres at one
    place push in no direction.
    """
    alf = 1.0 - lam
    m = alf * ma + lam * mb
    p = alf * pa + lam * pb
    q = alf * qa + lam * qb
    per_det = 1.0 / (m * m - p * p - q * q)
    sx = ((m - p) * x - q * y) * per_det
    sy = ((m + p) * y - q * x) * per_det
    f = alf * lam * (x * sx + y * sy)
    mu = math.sqrt(f)
    scale = alf * lam / (mu + TINY)
    cc, ss = sx * sx - sy * sy, 2.0 * sx * sy
    ti = scale * alf * (qa * cc - pa * ss)
    tj = scale * lam * (qb * cc - pb * ss)
    return (1.0 - f) / (1.0 + mu), scale * sx, scale * sy, ti, tj


@kernel(inline=True)
def contact(x, y, ma, pa, qa, mb, pb, qb):
    """Return what `slopes_at` does, and ``λ*``."""
    lam = multiplier(x, y, ma, pa, qa, mb, pb, qb)
    delta, gx, gy, ti, tj = slopes_at(x, y, ma, pa, qa, mb, pb, qb, lam)
    return delta, gx, gy, ti, tj, lam


@kernel(inline=True)
def hessian_block(x, y, ma, pa, qa, mb, pb, qb, grad, block):
    """Write ``∂μ`` and ``∂²μ`` by ``(x, y, θ_i, θ_j)``, the motion of ``λ*`` included.

    With ``s = G⁻¹r`` and ``h(λ, z) = λ(1-λ) rᵀG⁻¹r``: ``F_zz = h_zz - h_zλ h_λz / h_λλ``.
    """
    lam = multiplier(x, y, ma, pa, qa, mb, pb, qb)
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


@kernel(inline=True)
def _separation(angle, x, y, ma, pa, qa, mb, pb, qb):
    """Return ``r·n - h_i(n) - h_j(n)`` for ``n`` at ``angle``, and its first two derivatives.

    ``h = √(nᵀAn)`` is the support function, and ``h + h''`` the radius of curvature.
    """
    c, s = math.cos(angle), math.sin(angle)
    c2, s2 = c * c - s * s, 2.0 * c * s
    value, slope, bend = x * c + y * s, y * c - x * s, -x * c - y * s
    for m, p, q in ((ma, pa, qa), (mb, pb, qb)):
        along, mixed = p * c2 + q * s2, q * c2 - p * s2
        h = math.sqrt(m + along)
        value -= h
        slope -= mixed / h
        bend -= -2.0 * along / h - mixed * mixed / (h * h * h)
    return value, slope, bend


@kernel
def normal_gap(x, y, ma, pa, qa, mb, pb, qb):
    """Return the distance of the surfaces along their common normal, negative on overlap.

    It is the largest separation by two parallel tangents, reached by Newton from the normal of
    the scaled contact; where they overlap, the depth by which they do so there.
    """
    lam = multiplier(x, y, ma, pa, qa, mb, pb, qb)
    _, gx, gy, _, _ = slopes_at(x, y, ma, pa, qa, mb, pb, qb, lam)
    angle = math.atan2(gy, gx)
    value, slope, bend = _separation(angle, x, y, ma, pa, qa, mb, pb, qb)
    for _ in range(60):
        move = -slope / bend if bend < 0.0 else math.copysign(0.1, slope)
        move = min(max(move, -0.5), 0.5)
        if abs(move) < 1e-12:
            break
        higher = _separation(angle + move, x, y, ma, pa, qa, mb, pb, qb)
        while higher[0] < value and abs(move) > 1e-12:
            move *= 0.5
            higher = _separation(angle + move, x, y, ma, pa, qa, mb, pb, qb)
        angle += move
        value, slope, bend = higher
    return value

"""The contact of two ellipsoids: the function of Perram and Wertheim in space.

J. W. Perram and M. S. Wertheim, J. Comput. Phys. 58, 409 (1985). With ``A`` and ``B`` the shape
matrices (eigenvalues: the squared half axes) and ``r`` the vector between the centres,

    F(r, A, B) = max_λ λ(1-λ) rᵀ G⁻¹ r,    G = (1-λ)A + λB,    μ = √F,    Δ = 1 - μ:

scaled by ``μ`` about their centres, the two ellipsoids just touch. With ``s = G⁻¹r``, which is
along their common normal there, the derivative by ``λ`` is ``(1-λ)² sᵀAs - λ² sᵀBs``. A symmetric
matrix is written as ``(xx, xy, xz, yy, yz, zz)``.
"""

import math

import numpy as np

from particles.kernels._jit import kernel

# Below every distance: centres at one place push in no direction.
TINY = 1e-150


@kernel(inline=True)
def times(a, x, y, z):
    """Return a symmetric matrix times a vector."""
    xx, xy, xz, yy, yz, zz = a
    return xx * x + xy * y + xz * z, xy * x + yy * y + yz * z, xz * x + yz * y + zz * z


@kernel(inline=True)
def inverse_between(a, b, lam):
    """Return ``G⁻¹`` of ``G = (1-λ)A + λB``."""
    alf = 1.0 - lam
    xx, xy, xz = alf * a[0] + lam * b[0], alf * a[1] + lam * b[1], alf * a[2] + lam * b[2]
    yy, yz, zz = alf * a[3] + lam * b[3], alf * a[4] + lam * b[4], alf * a[5] + lam * b[5]
    cxx, cxy, cxz = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    per = 1.0 / (xx * cxx + xy * cxy + xz * cxz)
    cyy, cyz, czz = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    return per * cxx, per * cxy, per * cxz, per * cyy, per * cyz, per * czz


@kernel(inline=True)
def newton_move(x, y, z, a, b, lam):
    """Return ``g = (1-λ)√(sᵀAs) - λ√(sᵀBs)``, and Newton's step towards its one root in (0, 1).

    For two spheres ``g`` is linear in ``λ`` but for a factor, so that few steps are needed.
    """
    inverse = inverse_between(a, b, lam)
    sx, sy, sz = times(inverse, x, y, z)
    ax, ay, az = times(a, sx, sy, sz)
    bx, by, bz = times(b, sx, sy, sz)
    wx, wy, wz = times(inverse, bx - ax, by - ay, bz - az)
    root_a = math.sqrt(sx * ax + sy * ay + sz * az) + TINY
    root_b = math.sqrt(sx * bx + sy * by + sz * bz) + TINY
    alf = 1.0 - lam
    value = alf * root_a - lam * root_b
    slope = lam * (bx * wx + by * wy + bz * wz) / root_b
    slope -= alf * (ax * wx + ay * wy + az * wz) / root_a + root_a + root_b
    return value, -value / slope


@kernel
def multiplier(x, y, z, a, b):
    """Return the maximiser ``λ*`` of ``λ(1-λ) rᵀG⁻¹r``, by Newton inside a bracket."""
    low, high, lam = 0.0, 1.0, 0.5
    for _ in range(60):
        value, move = newton_move(x, y, z, a, b, lam)
        if value > 0.0:
            low = lam
        else:
            high = lam
        if abs(move) < 1e-9 and low <= lam + move <= high:
            return lam + move
        lam += move
        if not low < lam < high:
            lam = 0.5 * (low + high)
            if high - low < 1e-15:
                break
    return lam


@kernel(inline=True)
def slopes_at(x, y, z, a, b, lam):
    """Return ``Δ``, ``∂μ/∂r`` and ``∂μ`` by turns of either body about ``x, y, z``, at ``λ*``.

    The derivatives are those at fixed ``λ*``, since ``F`` is stationary in it. Two centres at one
    place push in no direction.
    """
    alf = 1.0 - lam
    sx, sy, sz = times(inverse_between(a, b, lam), x, y, z)
    f = alf * lam * (x * sx + y * sy + z * sz)
    mu = math.sqrt(f)
    scale = alf * lam / (mu + TINY)
    ax, ay, az = times(a, sx, sy, sz)
    bx, by, bz = times(b, sx, sy, sz)
    turn_i, turn_j = scale * alf, scale * lam
    return (
        (1.0 - f) / (1.0 + mu),
        (scale * sx, scale * sy, scale * sz),
        (
            turn_i * (sy * az - sz * ay),
            turn_i * (sz * ax - sx * az),
            turn_i * (sx * ay - sy * ax),
        ),
        (
            turn_j * (sy * bz - sz * by),
            turn_j * (sz * bx - sx * bz),
            turn_j * (sx * by - sy * bx),
        ),
    )


@kernel(inline=True)
def row(shapes, i):
    """Return a symmetric matrix out of many, ``(N, 6)``."""
    return shapes[i, 0], shapes[i, 1], shapes[i, 2], shapes[i, 3], shapes[i, 4], shapes[i, 5]


@kernel(inline=True)
def _fill(out, values):
    out[0], out[1], out[2] = values


@kernel
def hessian_block(r, a, b, rates_a, rates_b, bends_a, bends_b, grad, block):
    """Write ``∂μ`` and ``∂²μ`` by ``r`` and three variables of either body; return ``Δ``.

    ``rates (3, 6)`` are the derivatives of a shape matrix by the variables of its body, and
    ``bends (3, 3, 6)`` the second ones. With ``h(λ, z) = λ(1-λ) rᵀG⁻¹r`` and ``λ*`` moving along:
    ``F_zz = h_zz - h_zλ h_λz / h_λλ``.
    """
    x, y, z = r
    lam = multiplier(x, y, z, a, b)
    alf = 1.0 - lam
    ell, tilt = alf * lam, 1.0 - 2.0 * lam
    inverse = inverse_between(a, b, lam)
    s, cs, w = np.empty(3), np.empty(3), np.empty(3)
    _fill(s, times(inverse, x, y, z))
    _fill(cs, times(b, s[0], s[1], s[2]))
    cs -= np.array(times(a, s[0], s[1], s[2]))
    _fill(w, times(inverse, cs[0], cs[1], cs[2]))
    mixed, v, iv, weight = np.empty(9), np.empty((6, 3)), np.empty((6, 3)), np.empty(6)
    for k in range(6):
        rates = row(rates_a, k) if k < 3 else row(rates_b, k - 3)
        weight[k] = alf if k < 3 else lam
        _fill(v[k], times(rates, s[0], s[1], s[2]))
        _fill(iv[k], times(inverse, v[k, 0], v[k, 1], v[k, 2]))
        sv, vw = (s * v[k]).sum(), (v[k] * w).sum()
        grad[3 + k] = -ell * weight[k] * sv
        ends = -alf * (alf - 2.0 * lam) if k < 3 else -lam * (2.0 * alf - lam)
        mixed[3 + k] = ends * sv + 2.0 * ell * weight[k] * vw
        for c in range(3):
            block[c, 3 + k] = -2.0 * ell * weight[k] * iv[k, c]
    block[0, 0], block[0, 1], block[0, 2] = inverse[0], inverse[1], inverse[2]
    block[1, 1], block[1, 2], block[2, 2] = inverse[3], inverse[4], inverse[5]
    for c in range(3):
        grad[c] = 2.0 * ell * s[c]
        mixed[c] = 2.0 * tilt * s[c] - 2.0 * ell * w[c]
        for d in range(c, 3):
            block[c, d] *= 2.0 * ell
    for k in range(6):
        for n in range(k, 6):
            value = 2.0 * ell * weight[k] * weight[n] * (v[k] * iv[n]).sum()
            if k < 3 and n < 3:
                value -= ell * alf * _form(bends_a[k, n], s)
            elif k >= 3:
                value -= ell * lam * _form(bends_b[k - 3, n - 3], s)
            block[3 + k, 3 + n] = value
    bend = 2.0 * ell * (cs * w).sum()
    bend -= 2.0 * (x * s[0] + y * s[1] + z * s[2]) + 2.0 * tilt * (s * cs).sum()
    f = ell * (x * s[0] + y * s[1] + z * s[2])
    mu = math.sqrt(f)
    for k in range(9):
        for n in range(k, 9):
            second = (block[k, n] - mixed[k] * mixed[n] / bend) / (2.0 * mu)
            block[k, n] = second - grad[k] * grad[n] / (4.0 * mu * f)
            block[n, k] = block[k, n]
    for k in range(9):
        grad[k] /= 2.0 * mu
    return (1.0 - f) / (1.0 + mu)


@kernel(inline=True)
def _form(matrix, s):
    """Return ``sᵀMs``."""
    t = matrix[0] * s[0] * s[0] + matrix[3] * s[1] * s[1] + matrix[5] * s[2] * s[2]
    mixed = matrix[1] * s[0] * s[1] + matrix[2] * s[0] * s[2] + matrix[4] * s[1] * s[2]
    return t + 2.0 * mixed


@kernel
def _separation(n, r, a, b, gradient):
    """Return ``r·n - h_i(n) - h_j(n)`` for a unit ``n``, and write its gradient by ``n``.

    ``h = √(nᵀAn)`` is the support function.
    """
    value = 0.0
    for c in range(3):
        value += r[c] * n[c]
        gradient[c] = r[c]
    for shape in (a, b):
        sx, sy, sz = times(shape, n[0], n[1], n[2])
        h = math.sqrt(n[0] * sx + n[1] * sy + n[2] * sz)
        value -= h
        gradient[0] -= sx / h
        gradient[1] -= sy / h
        gradient[2] -= sz / h
    return value


@kernel
def _bend(n, d, e, a, b, value):
    """Return the second derivative of `_separation` by two tangents ``d`` and ``e``."""
    bend = -value * (d[0] * e[0] + d[1] * e[1] + d[2] * e[2])
    for shape in (a, b):
        sx, sy, sz = times(shape, n[0], n[1], n[2])
        tx, ty, tz = times(shape, d[0], d[1], d[2])
        h = math.sqrt(n[0] * sx + n[1] * sy + n[2] * sz)
        along, across = d[0] * sx + d[1] * sy + d[2] * sz, e[0] * sx + e[1] * sy + e[2] * sz
        bend += along * across / (h * h * h) - (e[0] * tx + e[1] * ty + e[2] * tz) / h
    return bend


@kernel
def _tangents(n):
    """Return two unit vectors that are orthogonal to ``n`` and to each other."""
    x, y, z = n
    if abs(x) < 0.7:
        size = math.sqrt(y * y + z * z)
        d = (0.0, z / size, -y / size)
    else:
        size = math.sqrt(x * x + z * z)
        d = (z / size, 0.0, -x / size)
    return d, (y * d[2] - z * d[1], z * d[0] - x * d[2], x * d[1] - y * d[0])


@kernel
def _uphill(n, gradient, a, b, value):
    """Return a step of Newton on the sphere of normals, or one along the slope; 1/2 at most."""
    d, e = _tangents(n)
    p = gradient[0] * d[0] + gradient[1] * d[1] + gradient[2] * d[2]
    q = gradient[0] * e[0] + gradient[1] * e[1] + gradient[2] * e[2]
    dd, ee = _bend(n, d, d, a, b, value), _bend(n, e, e, a, b, value)
    de = _bend(n, d, e, a, b, value)
    det = dd * ee - de * de
    if det > 0.0 and dd < 0.0:
        p, q = (de * q - ee * p) / det, (de * p - dd * q) / det
    else:
        size = 0.1 / (math.sqrt(p * p + q * q) + TINY)
        p, q = size * p, size * q
    length = math.sqrt(p * p + q * q)
    part = min(1.0, 0.5 / (length + TINY))
    p, q = part * p, part * q
    return (p * d[0] + q * e[0], p * d[1] + q * e[1], p * d[2] + q * e[2]), length


@kernel
def _towards(n, step, part):
    """Return the unit vector at ``n`` plus a part of a step across it."""
    x, y, z = n[0] + part * step[0], n[1] + part * step[1], n[2] + part * step[2]
    size = math.sqrt(x * x + y * y + z * z)
    return x / size, y / size, z / size


@kernel
def normal_gap(r, a, b):
    """Return the distance of the surfaces along their common normal, negative on overlap.

    As `particles.kernels.contact.normal_gap` does in the plane: Newton on the sphere of normals.
    """
    lam = multiplier(r[0], r[1], r[2], a, b)
    _, slope, _, _ = slopes_at(r[0], r[1], r[2], a, b, lam)
    n = _towards((0.0, 0.0, 0.0), slope, 1.0)
    gradient = np.empty(3)
    value = _separation(n, r, a, b, gradient)
    for _ in range(60):
        step, length = _uphill(n, gradient, a, b, value)
        if length < 1e-12:
            break
        part, there = 1.0, _towards(n, step, 1.0)
        higher = _separation(there, r, a, b, gradient)
        while higher < value and part > 1e-12:
            part *= 0.5
            there = _towards(n, step, part)
            higher = _separation(there, r, a, b, gradient)
        n, value = there, higher
    return value

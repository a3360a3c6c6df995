"""Loops over pairs and triples of atoms whose energy is a function of squared distances.

With ``a = |x_i - x_j|²`` and ``E(a, ...)``: ``∂a/∂x_i = 2 (x_i - x_j)``, so that the Hessian is
``Σ E_a ∇²a + Σ E_ab ∇a ∇bᵀ``.
"""

import math

import numpy as np

from particles.kernels._jit import kernel


@kernel
def lennard_jones(x, gradient):
    """Write the gradient of ``Σ 4(r⁻¹² - r⁻⁶)``, shape ``(3N,)``; return the energy.

    Coordinates are copied into three rows, so that the inner loop runs on vectors.
    """
    n = x.size // 3
    rows = np.empty((6, n))
    for i in range(n):
        for c in range(3):
            rows[c, i] = x[3 * i + c]
            rows[3 + c, i] = 0.0
    px, py, pz, gx, gy, gz = rows[0], rows[1], rows[2], rows[3], rows[4], rows[5]
    energy = 0.0
    for i in range(n - 1):
        xi, yi, zi = px[i], py[i], pz[i]
        sx, sy, sz = 0.0, 0.0, 0.0
        for j in range(i + 1, n):
            dx, dy, dz = xi - px[j], yi - py[j], zi - pz[j]
            inverse = 1.0 / (dx * dx + dy * dy + dz * dz)
            sixth = inverse * inverse * inverse
            energy += sixth * (sixth - 1.0)
            slope = sixth * (0.5 - sixth) * inverse
            sx += slope * dx
            sy += slope * dy
            sz += slope * dz
            gx[j] -= slope * dx
            gy[j] -= slope * dy
            gz[j] -= slope * dz
        gx[i] += sx
        gy[i] += sy
        gz[i] += sz
    for i in range(n):
        for c in range(3):
            gradient[3 * i + c] = 48.0 * rows[3 + c, i]
    return 4.0 * energy


@kernel
def add_lennard_jones_hessian(x, hessian):
    """Add the Hessian of ``Σ 4(r⁻¹² - r⁻⁶)``, shape ``(3N, 3N)``."""
    n = x.size // 3
    d = np.empty(3)
    for i in range(n - 1):
        for j in range(i + 1, n):
            square = 0.0
            for c in range(3):
                d[c] = x[3 * i + c] - x[3 * j + c]
                square += d[c] * d[c]
            inverse = 1.0 / square
            sixth = inverse * inverse * inverse
            first = 2.0 * 12.0 * sixth * (1.0 - 2.0 * sixth) * inverse
            second = 4.0 * 24.0 * sixth * (7.0 * sixth - 2.0) * inverse * inverse
            for c in range(3):
                for e in range(3):
                    block = second * d[c] * d[e]
                    if c == e:
                        block += first
                    hessian[3 * i + c, 3 * i + e] += block
                    hessian[3 * j + c, 3 * j + e] += block
                    hessian[3 * i + c, 3 * j + e] -= block
                    hessian[3 * j + c, 3 * i + e] -= block


@kernel(inline=True)
def triple(a, b, c, slope, curvature):
    """Return ``(1 + 3 cosθ₁ cosθ₂ cosθ₃)/(r₁₂ r₁₃ r₂₃)³`` of the three squared distances.

    With ``P = abc`` and ``Q = (a+b-c)(a+c-b)(b+c-a)`` the product of cosines is ``Q/(8P)``, so
    ``E = P^(-3/2) + (3/8) Q P^(-5/2)``. Its derivatives go to ``slope`` and ``curvature``.
    """
    p, u, v, w = a * b * c, a + b - c, a + c - b, b + c - a
    q = u * v * w
    sides = (a, b, c)
    qs = (v * w + u * w - u * v, v * w + u * v - u * w, u * w + u * v - v * w)
    p3, p5 = p**-1.5, p**-2.5
    for i in range(3):
        slope[i] = -1.5 * p3 / sides[i] + 0.375 * p5 * (qs[i] - 2.5 * q / sides[i])
        for j in range(3):
            # ∂²Q: along one side 2(a_j + a_k - 3 a_i), across two 2(a_i + a_j - a_k).
            if i == j:
                second = 2.0 * (a + b + c - 4.0 * sides[i])
                extra = 1.0
            else:
                second = 2.0 * (sides[i] + sides[j]) - 2.0 * (a + b + c - sides[i] - sides[j])
                extra = 0.0
            both = sides[i] * sides[j]
            curvature[i, j] = 1.5 * p3 * (1.5 + extra) / both + 0.375 * p5 * (
                second
                - 2.5 * (qs[i] / sides[j] + qs[j] / sides[i])
                + 2.5 * q * (2.5 + extra) / both
            )
    return p3 + 0.375 * q * p5


@kernel(inline=True)
def squares(x, atoms, d):
    """Write the vectors of the sides (12, 13, 23) of a triangle; return their squares."""
    for c in range(3):
        d[0, c] = x[3 * atoms[0] + c] - x[3 * atoms[1] + c]
        d[1, c] = x[3 * atoms[0] + c] - x[3 * atoms[2] + c]
        d[2, c] = x[3 * atoms[1] + c] - x[3 * atoms[2] + c]
    return (
        d[0, 0] ** 2 + d[0, 1] ** 2 + d[0, 2] ** 2,
        d[1, 0] ** 2 + d[1, 1] ** 2 + d[1, 2] ** 2,
        d[2, 0] ** 2 + d[2, 1] ** 2 + d[2, 2] ** 2,
    )


@kernel
def add_axilrod_teller(x, z, gradient):
    """Add the gradient of ``Z Σ (1 + 3 cosθ₁ cosθ₂ cosθ₃)/(r₁₂ r₁₃ r₂₃)³``; return the energy."""
    n = x.size // 3
    d, slope, curvature = np.empty((3, 3)), np.empty(3), np.empty((3, 3))
    energy = 0.0
    for i in range(n - 2):
        for j in range(i + 1, n - 1):
            for k in range(j + 1, n):
                a, b, c = squares(x, (i, j, k), d)
                energy += z * triple(a, b, c, slope, curvature)
                for e in range(3):
                    f12 = 2.0 * z * slope[0] * d[0, e]
                    f13 = 2.0 * z * slope[1] * d[1, e]
                    f23 = 2.0 * z * slope[2] * d[2, e]
                    gradient[3 * i + e] += f12 + f13
                    gradient[3 * j + e] += f23 - f12
                    gradient[3 * k + e] -= f13 + f23
    return energy


@kernel
def add_axilrod_teller_hessian(x, z, hessian):
    """Add the Hessian of the Axilrod-Teller term, shape ``(3N, 3N)``."""
    n = x.size // 3
    d, slope, curvature = np.empty((3, 3)), np.empty(3), np.empty((3, 3))
    # sign[s, t]: how atom t of the triple enters the vector of side s.
    sign = np.array([[1.0, -1.0, 0.0], [1.0, 0.0, -1.0], [0.0, 1.0, -1.0]])
    atoms = np.empty(3, np.int64)
    for i in range(n - 2):
        for j in range(i + 1, n - 1):
            for k in range(j + 1, n):
                a, b, c = squares(x, (i, j, k), d)
                triple(a, b, c, slope, curvature)
                atoms[0], atoms[1], atoms[2] = i, j, k
                for s in range(3):
                    for t in range(3):
                        for p in range(3):
                            for q in range(3):
                                weight = z * sign[s, p] * sign[t, q]
                                if weight != 0.0:
                                    for e in range(3):
                                        for f in range(3):
                                            value = 4.0 * curvature[s, t] * d[s, e] * d[t, f]
                                            if s == t and e == f:
                                                value += 2.0 * slope[s]
                                            hessian[3 * atoms[p] + e, 3 * atoms[q] + f] += (
                                                weight * value
                                            )


@kernel
def rigid_modes(x, modes):
    """Write orthonormal translations and rotations as rows; return how many there are.

    Atoms on a line have two rotations, a single atom none.
    """
    n = x.size // 3
    centre = np.zeros(3)
    for i in range(n):
        for c in range(3):
            centre[c] += x[3 * i + c] / n
    modes[:] = 0.0
    size = 0.0
    for i in range(n):
        u, v, w = x[3 * i] - centre[0], x[3 * i + 1] - centre[1], x[3 * i + 2] - centre[2]
        size += u * u + v * v + w * w
        for c in range(3):
            modes[c, 3 * i + c] = 1.0 / math.sqrt(n)
        modes[3, 3 * i + 1], modes[3, 3 * i + 2] = -w, v
        modes[4, 3 * i], modes[4, 3 * i + 2] = w, -u
        modes[5, 3 * i], modes[5, 3 * i + 1] = -v, u
    # The rotations of three axes: take the longest that is left, and free the others of it.
    count = 3
    for _ in range(3):
        best, longest = count, -1.0
        for k in range(count, 6):
            square = 0.0
            for i in range(3 * n):
                square += modes[k, i] * modes[k, i]
            if square > longest:
                best, longest = k, square
        if longest <= 1e-12 * size or longest == 0.0:
            break
        for i in range(3 * n):
            swap = modes[count, i]
            modes[count, i] = modes[best, i] / math.sqrt(longest)
            modes[best, i] = swap if best != count else modes[best, i]
        for _repeat in range(2):
            for k in range(count + 1, 6):
                dot = 0.0
                for i in range(3 * n):
                    dot += modes[count, i] * modes[k, i]
                for i in range(3 * n):
                    modes[k, i] -= dot * modes[count, i]
        count += 1
    return count

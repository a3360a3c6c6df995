"""Count the isometries that carry one set of points onto another."""

import math

import numpy as np

from particles.kernels._jit import kernel


@kernel(inline=True)
def frame(p, q, sign, axes):
    """Write the right- or left-handed (``sign = ±1``) frame of two vectors; tell if it exists."""
    length = math.sqrt(p[0] ** 2 + p[1] ** 2 + p[2] ** 2)
    if length == 0.0:
        return False
    for c in range(3):
        axes[0, c] = p[c] / length
    dot = axes[0, 0] * q[0] + axes[0, 1] * q[1] + axes[0, 2] * q[2]
    for c in range(3):
        axes[1, c] = q[c] - dot * axes[0, c]
    length = math.sqrt(axes[1, 0] ** 2 + axes[1, 1] ** 2 + axes[1, 2] ** 2)
    if length == 0.0:
        return False
    for c in range(3):
        axes[1, c] /= length
    for c in range(3):
        d, e = (c + 1) % 3, (c + 2) % 3
        axes[2, c] = sign * (axes[0, d] * axes[1, e] - axes[0, e] * axes[1, d])
    return True


@kernel(inline=True)
def distance(p, q):
    """Return ``|p - q|``."""
    return math.sqrt((p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2 + (p[2] - q[2]) ** 2)


@kernel(inline=True)
def multiply(rows, matrix, product):
    """Write ``rows @ matrix``, three numbers a row."""
    for k in range(len(rows)):
        for d in range(3):
            product[k, d] = 0.0
            for c in range(3):
                product[k, d] += rows[k, c] * matrix[c, d]


@kernel
def matches(moved, b, tolerance, order):
    """Write which point of ``b`` each moved point falls on; tell whether all fall on one."""
    n = len(b)
    taken = np.zeros(n, np.bool_)
    for k in range(n):
        order[k] = -1
        for i in range(n):
            if not taken[i] and distance(moved[k], b[i]) < tolerance:
                order[k] = i
                taken[i] = True
                break
        if order[k] < 0:
            return False
    return True


@kernel
def reference_pair(a):
    """Return the point farthest from the origin and the one that spans most area with it."""
    p, q, longest, area = 0, 0, -1.0, -1.0
    for i in range(len(a)):
        square = a[i, 0] ** 2 + a[i, 1] ** 2 + a[i, 2] ** 2
        if square > longest:
            p, longest = i, square
    for i in range(len(a)):
        x = a[p, 1] * a[i, 2] - a[p, 2] * a[i, 1]
        y = a[p, 2] * a[i, 0] - a[p, 0] * a[i, 2]
        z = a[p, 0] * a[i, 1] - a[p, 1] * a[i, 0]
        if x * x + y * y + z * z > area:
            q, area = i, x * x + y * y + z * z
    return p, q, math.sqrt(area)


@kernel
def isometries(a, b, tolerance, stop, rotation, order):
    """Count the pairs (permutation, handedness) with ``b[order] = a @ rotation``, up to ``stop``.

    ``a`` and ``b``, ``(N, 3)``, have their centres at the origin. Two points of ``a`` make a frame;
    every pair of ``b`` at the same distances is tried as its image, in both handednesses. Points
    on a line are left as they are by every rotation about it, and each permutation counts for
    both handednesses. The last map found is in ``rotation`` and ``order``.
    """
    n = len(a)
    origin = np.zeros(3)
    p, q, area = reference_pair(a)
    straight = area < tolerance * max(1.0, distance(a[p], origin))
    from_frame, to_frame = np.empty((3, 3)), np.empty((3, 3))
    moved, helper = np.empty((n, 3)), np.zeros(3)
    if not straight:
        frame(a[p], a[q], 1.0, from_frame)
    count = 0
    for i in range(n):
        if abs(distance(b[i], origin) - distance(a[p], origin)) > tolerance:
            continue
        if straight:
            turn_line(a[p], b[i], helper, from_frame, to_frame)
        for j in range(n):
            if straight and j > 0:
                break
            if not straight and (
                abs(distance(b[j], origin) - distance(a[q], origin)) > tolerance
                or abs(distance(b[i], b[j]) - distance(a[p], a[q])) > tolerance
            ):
                continue
            for sign in (1.0, -1.0):
                if not straight and not frame(b[i], b[j], sign, to_frame):
                    continue
                multiply(from_frame.T, to_frame, rotation)
                multiply(a, rotation, moved)
                if matches(moved, b, tolerance, order):
                    count += 1
                    if count >= stop:
                        return count
    return count


@kernel
def turn_line(p, image, helper, from_frame, to_frame):
    """Write frames whose first axes are ``p`` and ``image``; the identity if both vanish."""
    for axes, vector in ((from_frame, p), (to_frame, image)):
        smallest = 0
        for c in range(3):
            helper[c] = 0.0
            if abs(vector[c]) < abs(vector[smallest]):
                smallest = c
        helper[smallest] = 1.0
        if not frame(vector, helper, 1.0, axes):
            for c in range(3):
                for d in range(3):
                    axes[c, d] = 1.0 if c == d else 0.0

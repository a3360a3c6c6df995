"""Which bodies are held: the fixed point of taking away those that are not."""

import math

import numpy as np

from particles.kernels._jit import kernel


@kernel
def surrounded_2d(normals):
    """Return whether no half plane holds all ``normals``: no gap of π or more between angles."""
    n = normals.shape[0]
    if n < 3:
        return False
    for a in range(n):
        angle = math.atan2(normals[a, 1], normals[a, 0])
        gap = 2.0 * math.pi
        for b in range(n):
            turn = math.atan2(normals[b, 1], normals[b, 0]) - angle
            turn = turn if turn >= 0.0 else turn + 2.0 * math.pi
            if turn > 0.0:
                gap = min(gap, turn)
        if gap >= math.pi - 1e-12:
            return False
    return True


@kernel
def surrounded_3d(normals):
    """Return whether no half space holds all ``normals``.

    If one does, its edge can be turned until it contains two of them: try every such plane.
    """
    n = normals.shape[0]
    if n < 4:
        return False
    for a in range(n):
        for b in range(a):
            wx = normals[a, 1] * normals[b, 2] - normals[a, 2] * normals[b, 1]
            wy = normals[a, 2] * normals[b, 0] - normals[a, 0] * normals[b, 2]
            wz = normals[a, 0] * normals[b, 1] - normals[a, 1] * normals[b, 0]
            above, below = False, False
            for c in range(n):
                dot = wx * normals[c, 0] + wy * normals[c, 1] + wz * normals[c, 2]
                above |= dot > 1e-12
                below |= dot < -1e-12
            if not (above and below):
                return False
    return True


@kernel
def held_bodies(first, second, normals, n):
    """Return a mask of the ``n`` bodies that are held by others that are held.

    ``normals`` point from the first to the second body of each contact.
    """
    dim = normals.shape[1]
    held = np.ones(n, np.bool_)
    begin = np.zeros(n + 1, np.int64)
    for k in range(first.size):
        begin[first[k] + 1] += 1
        begin[second[k] + 1] += 1
    for i in range(n):
        begin[i + 1] += begin[i]
    fill = begin[:-1].copy()
    contact = np.empty(begin[n], np.int64)
    for k in range(first.size):
        for body in (first[k], second[k]):
            contact[fill[body]] = k
            fill[body] += 1
    changed = True
    while changed:
        changed = False
        for i in range(n):
            if not held[i]:
                continue
            around = np.empty((begin[i + 1] - begin[i], dim))
            count = 0
            for c in range(begin[i], begin[i + 1]):
                k = contact[c]
                other = second[k] if first[k] == i else first[k]
                if not held[other]:
                    continue
                # A contact with its own image is met twice, once from either side.
                back = first[k] != i or (
                    first[k] == second[k] and c > begin[i] and contact[c - 1] == k
                )
                for a in range(dim):
                    around[count, a] = -normals[k, a] if back else normals[k, a]
                count += 1
            if dim == 2:
                held[i] = surrounded_2d(around[:count])
            else:
                held[i] = surrounded_3d(around[:count])
            changed |= not held[i]
    return held

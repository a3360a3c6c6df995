"""Held bodies: the fixed point of taking away those that are not."""

import math

import numpy as np

from particles.kernels._jit import kernel

# Sine of the angle below which directions, or a direction and a plane, count as parallel.
PARALLEL = 1e-12


@kernel
def surrounded_2d(normals):
    """Return whether the origin lies inside the hull of unit ``normals``: no half plane has all.

    Then no angle between one and the next is π or more.
    """
    n = normals.shape[0]
    if n < 3:
        return False
    angles = np.sort(np.arctan2(normals[:, 1], normals[:, 0]))
    widest = 2.0 * math.pi - (angles[n - 1] - angles[0])
    for a in range(n - 1):
        widest = max(widest, angles[a + 1] - angles[a])
    return widest < math.pi - PARALLEL


@kernel
def surrounded_3d(normals):
    """Return whether the origin lies inside the hull of unit ``normals``.

    If not, a closed half space has them all, and its edge can be turned until it contains two of
    them that are not parallel: every such plane needs a normal on either side. Parallel ones span
    no plane and are passed over; without any plane all lie on one line.
    """
    n = normals.shape[0]
    planes = 0
    for a in range(n):
        for b in range(a):
            wx = normals[a, 1] * normals[b, 2] - normals[a, 2] * normals[b, 1]
            wy = normals[a, 2] * normals[b, 0] - normals[a, 0] * normals[b, 2]
            wz = normals[a, 0] * normals[b, 1] - normals[a, 1] * normals[b, 0]
            size = math.sqrt(wx * wx + wy * wy + wz * wz)
            if size <= PARALLEL:
                continue
            planes += 1
            above, below = False, False
            for c in range(n):
                dot = wx * normals[c, 0] + wy * normals[c, 1] + wz * normals[c, 2]
                above |= dot > PARALLEL * size
                below |= dot < -PARALLEL * size
            if not (above and below):
                return False
    return planes > 0


@kernel
def held_bodies(first, second, normals, n):
    """Return a mask of the ``n`` bodies that are held by others that are held.

    ``normals``, of length one, point from the first to the second body of each contact.
    """
    m, dim = normals.shape
    held = np.ones(n, np.bool_)
    # Either side of every contact, body by body: those of the second bodies are m and more.
    ends = np.concatenate((first, second))
    begin = np.zeros(n + 1, np.int64)
    for body in ends:
        begin[body + 1] += 1
    begin = np.cumsum(begin)
    fill = begin[:-1].copy()
    sides = np.empty(ends.size, np.int64)
    for side in range(ends.size):
        sides[fill[ends[side]]] = side
        fill[ends[side]] += 1
    changed = True
    while changed:
        changed = False
        for i in range(n):
            if not held[i]:
                continue
            around = np.empty((begin[i + 1] - begin[i], dim))
            count = 0
            for side in sides[begin[i] : begin[i + 1]]:
                k, back = side % m, side >= m
                if held[first[k] if back else second[k]]:
                    for a in range(dim):
                        around[count, a] = -normals[k, a] if back else normals[k, a]
                    count += 1
            if dim == 2:
                held[i] = surrounded_2d(around[:count])
            else:
                held[i] = surrounded_3d(around[:count])
            changed |= not held[i]
    return held

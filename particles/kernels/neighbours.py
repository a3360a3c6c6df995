"""Near pairs of bodies in a periodic box, in any number of dimensions.

A pair is given by its two bodies and by the vector from the first to the second, periodic images
included. In a box so small that a body sees several images of another, or of itself, every image
is a pair of its own.
"""

import math

import numpy as np

from particles.kernels._jit import kernel


@kernel
def sort_by_cell(centres, box, cells):
    """Return the bodies in the order of their cells, and where in it each cell begins."""
    n, dim = centres.shape
    cell = np.empty(n, np.int64)
    begin = np.zeros(np.prod(cells) + 1, np.int64)
    for i in range(n):
        index = 0
        for k in range(dim):
            s = centres[i, k] / box[k]
            s -= math.floor(s)
            index = index * cells[k] + min(int(s * cells[k]), cells[k] - 1)
        cell[i] = index
        begin[index + 1] += 1
    for c in range(begin.size - 1):
        begin[c + 1] += begin[c]
    order = np.empty(n, np.int64)
    fill = begin[:-1].copy()
    for i in range(n):
        order[fill[cell[i]]] = i
        fill[cell[i]] += 1
    return order, begin


@kernel(inline=True)
def _nearest(centres, box, i, j, vector):
    """Write the vector from body ``i`` to the nearest image of ``j``."""
    for k in range(box.size):
        r = centres[j, k] - centres[i, k]
        vector[k] = r - box[k] * np.rint(r / box[k])


@kernel
def _wrapped(centres, box, order):
    """Return the centres inside the box, in ``order``, in three dimensions."""
    inside = np.zeros((centres.shape[0], 3))
    for a in range(order.size):
        for k in range(box.size):
            x = centres[order[a], k]
            inside[a, k] = x - box[k] * math.floor(x / box[k])
    return inside


@kernel
def _around(cell, cells, box, stencil, around, shift):
    """Write the cells after ``cell`` that touch it, and by how much each is moved to do so."""
    for s in range(around.size):
        around[s] = 0
        rest = cell
        stride = 1
        for k in range(box.size - 1, -1, -1):
            place = rest % cells[k] + stencil[s, k]
            rest //= cells[k]
            wraps = 1 if place >= cells[k] else (-1 if place < 0 else 0)
            around[s] += (place - wraps * cells[k]) * stride
            shift[s, k] = wraps * box[k]
            stride *= cells[k]


@kernel
def pairs_by_cells(centres, radii, box, cells, order, begin, stencil, factor, skin, out):
    """Find pairs with ``r < factor (R_i + R_j) + skin``; needs three cells a side or more.

    ``out = (i, j, vector)`` is filled as far as it goes; the number of pairs is returned.
    """
    first, second, vectors = out
    inside = _wrapped(centres, box, order)
    reach = factor * radii[order]
    count = 0
    around = np.empty(stencil.shape[0], np.int64)
    shift = np.zeros((stencil.shape[0], 3))
    for cell in range(begin.size - 1):
        _around(cell, cells, box, stencil, around, shift)
        for a in range(begin[cell], begin[cell + 1]):
            for s in range(around.size):
                x = inside[a, 0] - shift[s, 0]
                y = inside[a, 1] - shift[s, 1]
                z = inside[a, 2] - shift[s, 2]
                least = reach[a] + skin
                for b in range(a + 1 if s == 0 else begin[around[s]], begin[around[s] + 1]):
                    dx, dy, dz = inside[b, 0] - x, inside[b, 1] - y, inside[b, 2] - z
                    if dx * dx + dy * dy + dz * dz < (least + reach[b]) ** 2:
                        if count < first.size:
                            first[count] = order[a]
                            second[count] = order[b]
                            _nearest(centres, box, order[a], order[b], vectors[count])
                        count += 1
    return count


@kernel
def pairs_by_images(centres, radii, box, factor, skin, out):
    """Find the same pairs among all images of all bodies, however small the box."""
    first, second, vectors = out
    n, dim = centres.shape
    count = 0
    vector = np.empty(dim)
    image = np.empty(dim, np.int64)
    shells = np.empty(dim, np.int64)
    for i in range(n):
        for j in range(i, n):
            _nearest(centres, box, i, j, vector)
            reach = factor * (radii[i] + radii[j]) + skin
            images = 1
            for k in range(dim):
                shells[k] = math.floor(reach / box[k] + 0.5)
                images *= 2 * shells[k] + 1
            # Of a body and its own images, those after the middle are the mirror of those before.
            for index in range(images // 2 + 1 if i == j else 0, images):
                rest = index
                square = 0.0
                for k in range(dim - 1, -1, -1):
                    image[k] = rest % (2 * shells[k] + 1) - shells[k]
                    rest //= 2 * shells[k] + 1
                    square += (vector[k] + image[k] * box[k]) ** 2
                if square < reach * reach:
                    if count < first.size:
                        first[count] = i
                        second[count] = j
                        for k in range(dim):
                            vectors[count, k] = vector[k] + image[k] * box[k]
                    count += 1
    return count

"""Near pairs of a packing: who, and along which vector, periodic images included."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from particles.kernels.neighbours import pairs_by_cells, pairs_by_images, sort_by_cell

Vector = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of bodies ``i <= j``, with the vector from ``i`` to an image of ``j``.

    Attributes
    ----------
    i, j : (m,)
        The two bodies; equal when a body meets its own image.
    vector : (m, d)
        ``x_j - x_i + image``, in units of length.
    image : (m, d)
        The lattice vector of the periodic image of ``j`` that is meant, for ``x`` as it was given.
    """

    i: Indices
    j: Indices
    vector: Vector
    image: Vector

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.i)

    def __getitem__(self, rows: NDArray[np.bool_] | Indices) -> "Pairs":
        """Return some of the pairs."""
        return Pairs(self.i[rows], self.j[rows], self.vector[rows], self.image[rows])


def _half_stencil(dim: int) -> NDArray[np.int64]:
    """Return a cell and the half of its neighbours that lie after it."""
    offsets = [o for o in product((-1, 0, 1), repeat=dim) if o >= (0,) * dim]
    return np.array(offsets, dtype=np.int64)


def cell_counts(box: Vector, reach: float, n: int) -> NDArray[np.int64]:
    """Return the number of cells along each side, at least ``reach`` wide and about one a body."""
    finest = max(1.0, np.ceil((4.0 * n) ** (1.0 / box.size)))
    return np.clip(np.floor(box / reach), 1, finest).astype(np.int64)


def _expected(radii: Vector, box: Vector, factor: float, skin: float) -> int:
    """Return more pairs than uniformly placed bodies would have."""
    n, dim = len(radii), box.size
    reach = factor * 2.0 * radii.mean() + skin
    ball = (np.pi if dim == 2 else 4.0 * np.pi / 3.0) * (reach * reach + radii.var()) ** (dim / 2)
    return int(16 + n + 0.7 * n * n * ball / box.prod())


def raw_pairs(
    centres: Vector, radii: Vector, box: Vector, factor: float, skin: float
) -> tuple[NDArray[np.int32], NDArray[np.int32], Vector]:
    """Return ``(i, j, vector)`` of all pairs with ``r < factor (R_i + R_j) + skin``, unordered."""
    n, dim = centres.shape
    cells = cell_counts(box, factor * 2.0 * float(radii.max()) + skin, n)
    use_cells = bool((cells >= 3).all())
    order, begin = sort_by_cell(centres, box, cells)
    room = _expected(radii, box, factor, skin)
    while True:
        out = (np.empty(room, np.int32), np.empty(room, np.int32), np.empty((room, dim)))
        if use_cells:
            stencil = _half_stencil(dim)
            found = pairs_by_cells(
                centres, radii, box, cells, order, begin, stencil, factor, skin, out
            )
        else:
            found = pairs_by_images(centres, radii, box, factor, skin, out)
        if found <= room:
            return out[0][:found], out[1][:found], out[2][:found]
        room = found


def cell_order(centres: Vector, radii: Vector, box: Vector, skin: float) -> Indices:
    """Return the bodies in an order in which neighbours in space are neighbours in memory."""
    cells = cell_counts(box, 2.0 * float(radii.max()) + skin, len(centres))
    return np.asarray(sort_by_cell(centres, box, cells)[0], dtype=np.intp)


def near_pairs(
    centres: Vector, radii: Vector, box: Vector, factor: float = 1.0, skin: float = 0.0
) -> Pairs:
    """Return all pairs with ``r < factor (R_i + R_j) + skin``, sorted by ``(i, j, vector)``.

    The order is a function of the positions only, so that two calls can be compared row by row.
    """
    i, j, vector = raw_pairs(centres, radii, box, factor, skin)
    swap = i > j
    i, j = np.where(swap, j, i), np.where(swap, i, j)
    vector = np.where(swap[:, None], -vector, vector)
    image = box * np.rint((vector - (centres[j] - centres[i])) / box)
    order = np.lexsort((*np.rint(image / box).T, j, i))
    pairs = Pairs(i.astype(np.intp), j.astype(np.intp), vector, image)
    return pairs[order]

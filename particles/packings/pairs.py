"""Near pairs of a packing: two bodies and the vector between them, periodic images included."""

from dataclasses import dataclass
from functools import cache
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


@cache
def _half_stencil(dim: int) -> NDArray[np.int64]:
    """Return a cell and the half of its neighbours that lie after it."""
    offsets = [o for o in product((-1, 0, 1), repeat=dim) if o >= (0,) * dim]
    return np.array(offsets, dtype=np.int64)


class PairFinder:
    """Finds all pairs with ``r < factor (R_i + R_j) + skin``, again and again.

    Its arrays are used anew by every call: what one call returned is gone with the next.
    """

    def __init__(self, radii: Vector, box: Vector, factor: float = 1.0, skin: float = 0.0) -> None:
        self.radii, self.box, self.factor, self.skin = radii, box, factor, skin
        reach = factor * 2.0 * float(radii.max()) + skin
        finest = max(1.0, np.ceil((4.0 * radii.size) ** (1.0 / box.size)))
        self.cells = np.clip(np.floor(box / reach), 1, finest).astype(np.int64)
        self.stencil = _half_stencil(box.size)
        self._make_room(self._expected())

    def _expected(self) -> int:
        """Return a few more pairs than uniformly placed bodies would have."""
        n, dim = self.radii.size, self.box.size
        square = (2.0 * self.factor * float(self.radii @ self.radii / n) ** 0.5 + self.skin) ** 2
        ball = (np.pi if dim == 2 else 4.0 * np.pi / 3.0) * square ** (dim / 2)
        return int(16 + 0.5 * n + 0.6 * n * n * ball / float(self.box.prod()))

    def _make_room(self, room: int) -> None:
        first, second = np.empty((2, room), np.int32)
        self._out = first, second, np.empty((room, self.box.size))

    def order(self, centres: Vector) -> Indices:
        """Return the bodies in an order in which neighbours in space are so in memory."""
        return np.asarray(sort_by_cell(centres, self.box, self.cells)[0], dtype=np.intp)

    def __call__(self, centres: Vector) -> tuple[NDArray[np.int32], NDArray[np.int32], Vector]:
        """Return ``(i, j, vector)``, in no particular order."""
        found = self._find(centres)
        if found > self._out[0].size:
            self._make_room(found + found // 8)
            found = self._find(centres)
        i, j, vector = self._out
        return i[:found], j[:found], vector[:found]

    def _find(self, centres: Vector) -> int:
        where, rules = (centres, self.radii, self.box), (self.factor, self.skin)
        if (self.cells < 3).any():
            return int(pairs_by_images(*where, *rules, self._out))
        sorting = sort_by_cell(centres, self.box, self.cells)
        return int(pairs_by_cells(*where, self.cells, *sorting, self.stencil, *rules, self._out))


def near_pairs(centres: Vector, radii: Vector, box: Vector, factor: float) -> Pairs:
    """Return all pairs with ``r < factor (R_i + R_j)``, sorted by bodies and then images.

    The order is a function of the positions only, so that two calls can be compared row by row.
    """
    i, j, vector = PairFinder(radii, box, factor)(centres)
    first, second = np.minimum(i, j).astype(np.intp), np.maximum(i, j).astype(np.intp)
    vector = np.where((i > j)[:, None], -vector, vector)
    key = first * len(centres) + second
    order = np.argsort(key, kind="stable")
    shift = vector - (centres[second] - centres[first])
    image = np.rint(shift / box)
    if (np.diff(key[order]) == 0).any():
        order = np.lexsort((*image.T, key))
    return Pairs(first, second, vector, box * image)[order]

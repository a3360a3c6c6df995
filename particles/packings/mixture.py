"""Sizes, box and species of a mixture, and checks of each."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.checks import floats, real, whole

Vector = NDArray[np.float64]
Indices = NDArray[np.intp]

# A packing twice as dense as space is far beyond anything the overlap energy describes.
LARGEST_PHI = 2.0


def positive_array(name: str, values: ArrayLike, shape: str) -> Vector:
    """Return a read-only float64 copy of ``values``, all positive and finite.

    Raises
    ------
    TypeError
        If ``values`` are anything but real numbers.
    ValueError
        If ``values`` is empty, not one-dimensional, not finite or not positive.
    """
    array = np.array(floats(name, values))
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"expected {name} of shape {shape}, got {array.shape}: pass a list")
    if not (np.isfinite(array).all() and (array > 0).all()):
        bad = array[~(array > 0) | ~np.isfinite(array)][0]
        raise ValueError(f"expected {name} to be positive and finite, got {bad:g}: correct it")
    array.flags.writeable = False
    return array


def check_phi(phi: float) -> float:
    """Return ``phi`` if a packing can have it, else say why not."""
    if not 0.0 < real("phi", phi) <= LARGEST_PHI:
        raise ValueError(
            f"expected a packing fraction 0 < phi <= {LARGEST_PHI:g}, got {phi}: pass such as 0.9"
        )
    return float(phi)


def bidisperse_diameters(n: int, ratio: float) -> Vector:
    """Return ``n`` diameters, half of them 1 and then half of them ``ratio``.

    With an odd ``n`` there is one small body more.

    Examples
    --------
    >>> bidisperse_diameters(3, 1.4)
    array([1. , 1. , 1.4])
    """
    bodies = whole("n", n, 1)
    if not 1.0 <= real("ratio", ratio) < np.inf:
        raise ValueError(
            f"expected a finite ratio of diameters >= 1, got {ratio}: pass large over small"
        )
    return np.where(np.arange(bodies) < (bodies + 1) // 2, 1.0, float(ratio))


def cubic_box(volume: float, dim: int) -> Vector:
    """Return the sides of the square or cube that holds ``volume``, shape ``(dim,)``."""
    return np.full(dim, volume ** (1.0 / dim))


def species(*properties: Vector) -> list[Indices]:
    """Return the bodies of each species: those that have all properties in common."""
    _, label = np.unique(np.stack(properties, axis=1), axis=0, return_inverse=True)
    return [np.flatnonzero(label == k) for k in range(label.max() + 1)]

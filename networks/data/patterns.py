"""Patterns to be learned: random ones, handwritten digits, MNIST files, and the user's own."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from networks.checks import check_generator, whole
from networks.data.arrays import Labelled, check_spread, real_array
from networks.data.files import read_idx
from networks.data.tables import Table, read_table

Vector: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Patterns(Labelled):
    """``P`` patterns and their labels, copies of the arrays given.

    Parameters
    ----------
    x
        Patterns, shape ``(P, d)``.
    y
        Labels, shape ``(P,)``, each -1 or +1.

    Raises
    ------
    ValueError
        If a number is not finite and real, a label is not ±1, one class is missing, or shapes
        disagree.

    Examples
    --------
    >>> xor = Patterns([[0, 0], [0, 1], [1, 0], [1, 1]], [-1, 1, 1, -1])
    >>> len(xor), xor.dim
    (4, 2)
    """

    x: Vector
    y: Vector

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", real_array("patterns", self.x))
        object.__setattr__(self, "y", real_array("labels", self.y))
        self._check_rows(self.y)
        found = np.unique(self.y)
        if not np.array_equal(found, [-1.0, 1.0]):
            shown = ", ".join(f"{label:g}" for label in found[:5])
            raise ValueError(f"expected both labels -1 and +1, got {shown}: convert them")


def random_patterns(p: int, d: int, rng: np.random.Generator) -> Patterns:
    """Return ``p`` Gaussian patterns on the sphere ``|x| = √d`` with balanced random labels.

    Labels alternate; since the patterns are independent this is a random balanced choice.

    >>> patterns = random_patterns(10, 3, np.random.default_rng(0))
    >>> patterns.x.shape, float(patterns.y.sum())
    ((10, 3), 0.0)
    """
    check_generator(rng)
    p, d = whole("p", p, 2), whole("d", d, 1)
    return Patterns(_on_sphere(rng.standard_normal((p, d))), np.where(np.arange(p) % 2, 1.0, -1.0))


def digits(d: int, p: int | None = None, rng: np.random.Generator | None = None) -> Patterns:
    """Return the 8x8 handwritten digits of scikit-learn, labelled by parity (odd: +1).

    The images are projected on their first ``d`` principal components and whitened; the ``p``
    chosen ones are balanced, centred and put on the sphere ``|x| = √d``, the conventions of
    Geiger et al., Phys. Rev. E 100, 012115 (2019), for MNIST. ``p = None`` takes all 1782.

    Raises
    ------
    ValueError
        If ``d`` exceeds the 61 informative pixels or ``p`` the balanced digits there are.
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return _from_classes(images, np.where(labels % 2 == 1, 1.0, -1.0), d, p, rng)


def digit_pixels(p: int | None = None, rng: np.random.Generator | None = None) -> Vector:
    """Return the images of the digits that `digits` chooses, ``(P, 8, 8)``, 0 paper and 1 ink.

    >>> some = digit_pixels(6, np.random.default_rng(0))
    >>> some.shape, float(some.min()), float(some.max())
    ((6, 8, 8), 0.0, 1.0)
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    chosen = _balanced_rows(np.where(labels % 2 == 1, 1.0, -1.0), p, rng)
    return np.asarray(images[chosen].reshape(-1, 8, 8) / 16.0)


def mnist(
    folder: str | Path, d: int, p: int | None = None, rng: np.random.Generator | None = None
) -> Patterns:
    """Return MNIST training digits labelled by parity, from the IDX files in ``folder``.

    The files are ``train-images-idx3-ubyte`` and ``train-labels-idx1-ubyte``, as distributed or
    gzipped (``.gz``). Projection and normalisation are those of ``digits``.

    Raises
    ------
    ValueError
        If a file is missing, truncated or not of the IDX kind.
    """
    names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
    images, labels = (read_idx(_find(Path(folder), name)) for name in names)
    if images.ndim < 2 or labels.shape != images.shape[:1]:
        raise ValueError(
            f"expected images and a label for each in {folder}, got shapes {images.shape} and "
            f"{labels.shape}: download them again"
        )
    flat = images.reshape(len(images), -1).astype(np.float64)
    return _from_classes(flat, np.where(labels % 2 == 1, 1.0, -1.0), d, p, rng)


def read_patterns(
    path: str | Path,
    p: int | None = None,
    rng: np.random.Generator | None = None,
    *,
    label: str | None = None,
) -> Patterns:
    """Return the user's patterns from an ``.npz`` with ``x`` and ``y``, or from a table of text.

    What a table may look like is said in `read_table`; ``label`` is the column of the labels, by
    name or number, by default the last. Any two numbers or words are the two classes, the
    smaller, or the first in the alphabet, -1 and the other +1. Patterns are centred and put on
    the sphere ``|x| = √d``. With ``p``, a balanced choice of that many; otherwise all, in their
    order.

    Raises
    ------
    ValueError
        If the file cannot be read, holds no ``x`` and ``y``, has not exactly two classes, or one
        number is so large that the others would vanish beside it.
    """
    return patterns_of(read_table(path, label), p, rng)


def patterns_of(
    table: Table, p: int | None = None, rng: np.random.Generator | None = None
) -> Patterns:
    """Return the patterns of a table that has been read, as `read_patterns` does."""
    if len(table.classes) != 2:
        shown = ", ".join(table.classes[:5]) + (", ..." if len(table.classes) > 5 else "")
        raise ValueError(
            f"expected two classes in {table.path}, got {len(table.classes)} different labels, "
            f"{shown}: name the column with the labels"
        )
    check_spread(table.x, table.place)
    x, y = table.x, np.where(table.label == 1, 1.0, -1.0)
    if p is not None:
        chosen = _balanced(x, y, p, rng)
        x, y = chosen.x, chosen.y
    return Patterns(_on_sphere(x - x.mean(axis=0)), y)


def _find(folder: Path, name: str) -> Path:
    for candidate in (folder / name, folder / f"{name}.gz"):
        if candidate.is_file():
            return candidate
    raise ValueError(f"expected {name} or {name}.gz in {folder}, got neither: download MNIST there")


def _from_classes(
    x: Vector, y: Vector, d: int, p: int | None, rng: np.random.Generator | None
) -> Patterns:
    chosen = _balanced(_whitened(x, d), y, p, rng)
    return Patterns(_on_sphere(chosen.x - chosen.x.mean(axis=0)), chosen.y)


def _whitened(x: Vector, d: int) -> Vector:
    """Return the first ``d`` principal components, each with unit variance."""
    centred = x - x.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(x))
    rank = int((variances > 1e-10 * variances[-1]).sum())
    if not 1 <= d <= rank:
        raise ValueError(
            f"expected 1 <= d <= {rank}, the rank of these data, got d={d}: ask for fewer"
        )
    order = np.argsort(variances)[::-1][:d]
    # The sign of an eigenvector is arbitrary: fix it, so that every machine gets the same data.
    axes = axes[:, order]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(d)])
    components: Vector = centred @ axes / np.sqrt(variances[order])
    return components


def _balanced(x: Vector, y: Vector, p: int | None, rng: np.random.Generator | None) -> Patterns:
    """Return ``p`` patterns whose labels alternate, shuffled if there is an ``rng``."""
    rows = _balanced_rows(y, p, rng)
    return Patterns(x[rows], y[rows])


def _balanced_rows(y: Vector, p: int | None, rng: np.random.Generator | None) -> NDArray[np.intp]:
    plus, minus = np.flatnonzero(y > 0), np.flatnonzero(y < 0)
    available = 2 * min(len(plus), len(minus))
    if p is None:
        p = available
    if not 2 <= p <= available:
        raise ValueError(
            f"expected 2 <= p <= {available}, the balanced patterns there are, got p={p}: "
            "ask for that many at most"
        )
    if rng is not None:
        check_generator(rng)
        plus, minus = rng.permutation(plus), rng.permutation(minus)
    half = (p + 1) // 2
    return np.stack([minus[:half], plus[:half]], axis=1).ravel()[:p]


def _on_sphere(x: Vector) -> Vector:
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    if not (norms > 0).all():
        raise ValueError(
            "expected patterns that differ from their mean, got one equal to it: remove it"
        )
    projected: Vector = np.sqrt(x.shape[1]) * x / norms
    return projected

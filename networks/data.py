"""Patterns to be learned: random ones, handwritten digits, MNIST files, and the user's own."""

import gzip
import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector: TypeAlias = NDArray[np.float64]

# What a damaged archive or table raises, by experience with many.
_UNREADABLE = (
    OSError, KeyError, ValueError, EOFError, TypeError, MemoryError, OverflowError, RuntimeError,
    zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Patterns:
    """``P`` patterns and their labels.

    Parameters
    ----------
    x
        Patterns, shape ``(P, d)``.
    y
        Labels, shape ``(P,)``, each -1 or +1.

    Raises
    ------
    ValueError
        If a number is not finite, a label is not ±1, one class is missing, or shapes disagree.
    """

    x: Vector
    y: Vector

    def __post_init__(self) -> None:
        if self.x.ndim != 2 or self.y.shape != self.x.shape[:1]:
            raise ValueError(
                f"expected patterns (P, d) and labels (P,), got {self.x.shape} and {self.y.shape}"
            )
        if not np.isfinite(self.x).all():
            bad = int((~np.isfinite(self.x)).any(axis=1).sum())
            raise ValueError(f"expected finite patterns, got NaN or infinity in {bad}: remove them")
        found = np.unique(self.y)
        if not np.array_equal(found, [-1.0, 1.0]):
            shown = ", ".join(f"{label:g}" for label in found[:5])
            raise ValueError(f"expected both labels -1 and +1, got {shown or 'no label'}")

    def __len__(self) -> int:
        return len(self.y)

    @property
    def dim(self) -> int:
        """Number ``d`` of components of a pattern."""
        return int(self.x.shape[1])

    def split(self, n_train: int) -> tuple["Patterns", "Patterns"]:
        """Return the first ``n_train`` patterns and the rest, for a test set."""
        if not 0 < n_train < len(self):
            raise ValueError(
                f"expected 0 < n_train < {len(self)}, the number of patterns, got {n_train}"
            )
        head, tail = slice(None, n_train), slice(n_train, None)
        return Patterns(self.x[head], self.y[head]), Patterns(self.x[tail], self.y[tail])


def random_patterns(p: int, d: int, rng: np.random.Generator) -> Patterns:
    """Return ``p`` Gaussian patterns on the sphere ``|x| = √d`` with balanced random labels.

    Labels alternate; since the patterns are independent this is a random balanced choice.

    >>> patterns = random_patterns(10, 3, np.random.default_rng(0))
    >>> patterns.x.shape, float(patterns.y.sum())
    ((10, 3), 0.0)
    """
    if p < 2 or d < 1:
        raise ValueError(f"expected at least 2 patterns of dimension >= 1, got p={p}, d={d}")
    return Patterns(_on_sphere(rng.standard_normal((p, d))), _alternating(p))


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
    images = read_idx(_find(Path(folder), "train-images-idx3-ubyte"))
    labels = read_idx(_find(Path(folder), "train-labels-idx1-ubyte"))
    if len(images) != len(labels):
        raise ValueError(f"expected a label for each image, got {len(labels)} for {len(images)}")
    flat = images.reshape(len(images), -1).astype(np.float64)
    return _from_classes(flat, np.where(labels % 2 == 1, 1.0, -1.0), d, p, rng)


def read_idx(path: str | Path) -> NDArray[np.uint8]:
    """Return the array of bytes in an IDX file (gzipped if it ends in ``.gz``).

    The format: two zero bytes, 0x08 for unsigned bytes, the number of axes, the length of each
    axis as a big-endian 32-bit integer, then the data.
    """
    path = Path(path)
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except _UNREADABLE as error:
        raise ValueError(f"expected a readable IDX file at {path}, got: {error}") from None
    if len(raw) < 4 or raw[:3] != b"\0\0\x08" or len(raw) < 4 + 4 * raw[3]:
        raise ValueError(f"expected an IDX file of unsigned bytes at {path}, got another header")
    shape = np.frombuffer(raw, ">u4", count=raw[3], offset=4).astype(int)
    data = np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3])
    if len(data) != shape.prod():
        raise ValueError(
            f"expected {shape.prod()} bytes of data in {path}, got {len(data)}: download it again"
        )
    return data.reshape(shape)


def read_patterns(
    path: str | Path, p: int | None = None, rng: np.random.Generator | None = None
) -> Patterns:
    """Return the user's patterns from an ``.npz`` with ``x`` and ``y``, or from a ``.csv``.

    The last column of a ``.csv`` is the label; a heading line is skipped. Any two label values
    are mapped to -1 (the smaller) and +1. Patterns are centred and put on the sphere
    ``|x| = √d``. With ``p``, a balanced choice of that many; otherwise all, in their order.

    Raises
    ------
    ValueError
        If the file cannot be read, holds no ``x`` and ``y``, or has not exactly two classes.
    """
    x, y = _read_arrays(Path(path))
    if x.ndim < 2 or len(x) != len(y):
        raise ValueError(
            f"expected x of (P, d) and y of (P,) in {path}, got {x.shape} and {y.shape}"
        )
    classes = np.unique(y)
    if len(classes) != 2:
        raise ValueError(f"expected two classes in {path}, got {len(classes)} different labels")
    found = Patterns(x.reshape(len(x), -1), np.where(y == classes[1], 1.0, -1.0))
    if p is not None:
        found = _balanced(found.x, found.y, p, rng)
    return Patterns(_on_sphere(found.x - found.x.mean(axis=0)), found.y)


def _read_arrays(path: Path) -> tuple[Vector, Vector]:
    try:
        if path.suffix == ".npz":
            return _read_npz(path)
        table = _read_csv(path)
    except _UNREADABLE as error:
        reason = " ".join(str(error).split()).strip("'\"") or type(error).__name__
        raise ValueError(
            f"expected an .npz with x and y, or a .csv of numbers, at {path}, got: {reason}"
        ) from None
    return table[:, :-1], table[:, -1]


def _read_npz(path: Path) -> tuple[Vector, Vector]:
    """Read two members of the archive; `numpy.load` leaves files open in one that is damaged."""
    with zipfile.ZipFile(path) as archive:
        x, y = (
            np.lib.format.read_array(io.BytesIO(archive.read(f"{name}.npy")), allow_pickle=False)
            for name in ("x", "y")
        )
    return _floats(x), _floats(y).ravel()


def _read_csv(path: Path) -> Vector:
    lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    if lines and any(c.isalpha() for c in lines[0].replace("nan", "").replace("e", "")):
        lines = lines[1:]
    if not lines or "," not in lines[0]:
        raise ValueError("no rows of comma-separated numbers")
    return np.loadtxt(lines, delimiter=",", ndmin=2)


def _floats(a: ArrayLike) -> Vector:
    return np.asarray(a, dtype=np.float64)


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
        raise ValueError(f"expected 1 <= d <= {rank}, the rank of these data, got d={d}")
    order = np.argsort(variances)[::-1][:d]
    # The sign of an eigenvector is arbitrary: fix it, so that every machine gets the same data.
    axes = axes[:, order]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(d)])
    components: Vector = centred @ axes / np.sqrt(variances[order])
    return components


def _balanced(x: Vector, y: Vector, p: int | None, rng: np.random.Generator | None) -> Patterns:
    """Return ``p`` patterns whose labels alternate, shuffled if there is an ``rng``."""
    plus, minus = np.flatnonzero(y > 0), np.flatnonzero(y < 0)
    available = 2 * min(len(plus), len(minus))
    if p is None:
        p = available
    if not 2 <= p <= available:
        raise ValueError(
            f"expected 2 <= p <= {available}, the balanced patterns there are, got p={p}"
        )
    if rng is not None:
        plus, minus = rng.permutation(plus), rng.permutation(minus)
    half = (p + 1) // 2
    index = np.stack([minus[:half], plus[:half]], axis=1).ravel()[:p]
    return Patterns(x[index], y[index])


def _on_sphere(x: Vector) -> Vector:
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    if not (norms > 0).all():
        raise ValueError("expected patterns that differ from their mean, got one equal to it")
    projected: Vector = np.sqrt(x.shape[1]) * x / norms
    return projected


def _alternating(p: int) -> Vector:
    return np.where(np.arange(p) % 2 == 1, 1.0, -1.0)

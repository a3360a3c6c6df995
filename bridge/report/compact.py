"""Arrays as short text, in the precision of a screen: what the page's ``unpack`` reads."""

from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_FINEST = 1e-12  # |Δ| below it is drawn as zero
_PER_DECADE = 1500  # steps of 0.15 %, so that 12 decades below 1 and 9 above fit in 16 bits


def packed(values: ArrayLike, dtype: str) -> str:
    """Return numbers as base64 of little-endian ``u1``, ``i1``, ``u2`` or ``i2``."""
    numbers = np.asarray(values).astype(np.dtype(dtype).newbyteorder("<"))
    return b64encode(numbers.tobytes()).decode()


def logarithms(gaps: NDArray[np.floating[Any]]) -> NDArray[np.int16]:
    """Return gaps on a logarithmic scale with their sign: ``±(1 + 1500 log10(|Δ|/1e-12))``.

    >>> logarithms(np.array([0.0, 1e-12, -1e-2, 1.0]))
    array([     0,      1, -15001,  18001], dtype=int16)
    """
    sizes = np.clip(np.abs(gaps), _FINEST, 1e9)
    codes = np.sign(gaps) * (1 + np.rint(_PER_DECADE * np.log10(sizes / _FINEST)))
    return np.where(np.abs(gaps) < _FINEST, 0, codes).astype(np.int16)


def fractions(values: ArrayLike) -> str:
    """Return numbers of ``[0, 1)`` in 16 bits."""
    return packed(np.clip(np.rint(65536 * np.asarray(values)), 0, 65535), "u2")


def rounded(value: float | None, digits: int = 6) -> float | None:
    """Return a number with so many significant digits, or None if it is none."""
    return None if value is None or not np.isfinite(value) else float(f"{value:.{digits}g}")

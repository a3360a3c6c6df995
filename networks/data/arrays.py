"""Arrays of patterns and their labels, real, finite, and of sizes that can be added up."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector: TypeAlias = NDArray[np.float64]

LARGEST = 1e100  # sums of squares of such numbers are far from overflow
_RESOLVED = 1e12  # the largest deviation in units of the usual ones: beside it they keep 4 digits


class Labelled:
    """``P`` patterns ``x``, ``(P, d)``, and what belongs to each: the arrays of a dataclass."""

    x: Vector

    def __len__(self) -> int:
        return len(self.x)

    @property
    def dim(self) -> int:
        """Number ``d`` of components of a pattern."""
        return int(self.x.shape[1])

    def _check_rows(self, labels: NDArray[Any]) -> None:
        if self.x.ndim != 2 or len(self.x) == 0 or labels.shape != self.x.shape[:1]:
            raise ValueError(
                f"expected patterns (P, d) and labels (P,), got {self.x.shape} and {labels.shape}: "
                "pass one row and one label for each"
            )

    def taken(self, rows: Any) -> Self:
        """Return some of the patterns, by their indices or as a slice."""
        arrays = {name: a[rows] for name, a in vars(self).items() if isinstance(a, np.ndarray)}
        return replace(self, **arrays)  # type: ignore[type-var]

    def split(self, n_train: int) -> tuple[Self, Self]:
        """Return the first ``n_train`` patterns and the rest, for a test set."""
        if not 0 < n_train < len(self):
            raise ValueError(
                f"expected 0 < n_train < {len(self)}, the number of patterns, got {n_train}: "
                "leave some for the test"
            )
        return self.taken(slice(n_train)), self.taken(slice(n_train, None))


def real_array(name: str, values: ArrayLike, place: Callable[..., str] | None = None) -> Vector:
    """Return a float64 copy of real, finite numbers, of the same shape.

    Raises
    ------
    ValueError
        If they are complex, objects or words, or if one is NaN or infinite.
    """
    given = np.asarray(values)
    if given.dtype.kind not in "buif":
        raise ValueError(f"expected real numbers in {name}, got {given.dtype}: convert them")
    with np.errstate(over="ignore"):  # of longer floats
        found = np.array(given, dtype=np.float64)
    wrong = np.argwhere(~np.isfinite(found))
    if len(wrong):
        where = place(*wrong[0]) if place else f"{name}[{', '.join(map(str, wrong[0]))}]"
        more = f", one of {len(wrong)} such numbers" if len(wrong) > 1 else ""
        raise ValueError(
            f"expected finite numbers in {name}, got {found[tuple(wrong[0])]} at {where}{more}: "
            "correct it"
        )
    return found


def check_spread(x: Vector, place: Callable[[int, int], str]) -> None:
    """Refuse a number beside which the others vanish when the mean is taken off.

    Raises
    ------
    ValueError
        If one deviates from the median of its column by 1e12 times what is usual in ``x``.
    """
    deviations = np.abs(x - np.median(x, axis=0))
    if not deviations.any():
        return
    usual = float(np.quantile(deviations[deviations > 0], 0.5, method="lower"))
    row, column = np.unravel_index(int(deviations.argmax()), deviations.shape)
    if deviations[row, column] > _RESOLVED * usual:
        raise ValueError(
            f"expected numbers of comparable size, got {x[row, column]:g} in "
            f"{place(int(row), int(column))} where others differ by {usual:.2g}: "
            "remove it, or scale the columns alike"
        )

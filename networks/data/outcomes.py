"""Patterns of several classes: outcomes of minimisations, digits, and the user's own."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from networks.checks import check_generator
from networks.data.arrays import Labelled, check_spread, real_array
from networks.data.patterns import _whitened
from networks.data.tables import read_table

Vector: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Outcomes(Labelled):
    """``P`` patterns, each with one of ``C`` outcomes.

    For the landscape of Ballard et al. (2017) a pattern holds the three distances of three atoms
    before a minimisation, and its outcome is the minimum that was reached.

    Parameters
    ----------
    x
        Patterns, shape ``(P, d)``.
    label
        Outcomes ``0..C-1``, shape ``(P,)``, whole numbers.
    n_classes
        ``C``, at least 2.

    Raises
    ------
    ValueError
        If a number is not finite and real, a label is out of range, or shapes disagree.

    Examples
    --------
    >>> data = Outcomes(np.array([[1.0], [3.0]]), np.array([0, 1]), 2)
    >>> data.standardised().x.ravel()
    array([-1.,  1.])
    """

    x: Vector
    label: Labels
    n_classes: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", real_array("patterns", self.x))
        object.__setattr__(self, "label", np.array(self.label))
        if self.label.dtype.kind not in "iu":
            raise ValueError(
                f"expected whole numbers as labels, got {self.label.dtype}: round them"
            )
        self._check_rows(self.label)
        inside = self.label.min() >= 0 and self.label.max() < self.n_classes
        if self.n_classes < 2 or not inside:
            raise ValueError(
                f"expected at least 2 classes and labels 0..{self.n_classes - 1}, "
                f"got labels {self.label.min()}..{self.label.max()}: count them from 0"
            )

    def standardised(self) -> Self:
        """Return the patterns with zero mean and unit variance in each component."""
        spread = self.x.std(axis=0)
        scaled = (self.x - self.x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        return replace(self, x=scaled)

    def shuffled(self, rng: np.random.Generator) -> Self:
        """Return the patterns in a random order."""
        check_generator(rng)
        return self.taken(rng.permutation(len(self)))


def digit_outcomes(d: int = 8) -> Outcomes:
    """Return the ten handwritten digits of scikit-learn, their first ``d`` principal components.

    Raises
    ------
    ValueError
        If ``d`` exceeds the 61 informative pixels.
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return Outcomes(_whitened(images, d), labels.astype(np.intp), 10)


def read_outcomes(path: str | Path, label: str | None = None) -> Outcomes:
    """Return the user's patterns from an ``.npz`` with ``x`` and ``y``, or from a table of text.

    What a table may look like, and what ``label`` names, is said in `read_table`. Any values serve
    as labels; the smallest number, or the first word in the alphabet, is class 0.

    Raises
    ------
    ValueError
        If the file cannot be read, holds fewer than two classes or nearly as many as patterns, or
        a number is so large that the others of its column would vanish beside it.
    """
    table = read_table(path, label)
    count = len(table.classes)
    if not 2 <= count <= max(2, len(table.x) // 2):
        raise ValueError(
            f"expected a few classes in {path}, got {count} different labels: "
            "name the column with the labels"
        )
    for k in range(table.x.shape[1]):
        check_spread(table.x[:, k : k + 1], lambda row, _, k=k: table.place(row, k))  # type: ignore[misc]
    return Outcomes(table.x, table.label, count)

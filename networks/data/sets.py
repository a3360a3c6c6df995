"""Patterns for any module, of whatever shape: a set of which each sample takes its own, or random.

What a module is asked for follows from the number of its outputs: two classes are labels -1 and +1
of one output, otherwise each class has an output of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from networks.checks import check_generator, whole
from networks.data.patterns import random_patterns
from networks.data.tables import read_table

Array: TypeAlias = NDArray[Any]
Draw: TypeAlias = "Callable[[int, np.random.Generator], tuple[Any, Any]]"


@dataclass(frozen=True, eq=False)
class PatternSet:
    """``P`` patterns, ``(P, ...)``, and what is asked of each.

    Attributes
    ----------
    x
        Patterns, ``(P, ...)``.
    y
        Labels or classes ``(P,)``; values of a regression, ``(P,)`` or ``(P, C)``.
    has_classes
        Whether a choice takes as many of each value of ``y``, as far as there are.
    parity
        Whether classes are told by one output as odd (+1) or even (-1): of digits.
    given
        Whether ``y`` is what is asked for, whatever the number of outputs.

    Examples
    --------
    Classes take turns until one is used up:

    >>> few = PatternSet(np.arange(5.0)[:, None], np.array([0, 0, 0, 1, 1]))
    >>> few.drawn(4, 2, np.random.default_rng(0))[1]
    array([0, 1, 0, 1])
    """

    x: Array
    y: Array
    has_classes: bool = True
    parity: bool = False
    given: bool = False

    @classmethod
    def read(cls, path: str | Path, label: str | None, *, values: bool) -> Self:
        """Return the patterns of a file, as `read_table` takes them; ``values`` for a regression.

        Classes are numbered in the order of the numbers or words that name them.
        """
        table = read_table(path, label)
        x = table.x.reshape(len(table.x), *table.shape)
        if not values:
            return cls(x, table.label)
        try:
            numbers = np.array([float(name) for name in table.classes])
        except ValueError:
            raise ValueError(
                f"expected numbers to regress on in {path}, got {table.classes[0]!r}: name their "
                "column as the label, or drop epsilon"
            ) from None
        return cls(x, numbers[table.label], has_classes=False)

    def few(self) -> Array:
        """Return two patterns or less, to try a module on."""
        return self.x[:2]

    def drawn(
        self, count: int | None, outputs: int, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Return ``count`` patterns, or all in their order, and what is asked of ``outputs``.

        Fewer are the first of more.

        Raises
        ------
        ValueError
            If there are not so many, or more than two classes for one output.
        """
        y = self.asked(outputs)
        if count is None:
            return self.x, y
        if not 1 <= count <= len(y):
            raise ValueError(
                f"expected at most {len(y)} patterns, all there are, got {count}: ask for fewer"
            )
        chosen = _in_turn(y, rng) if self.has_classes else rng.permutation(len(y))
        return self.x[chosen[:count]], y[chosen[:count]]

    def classes(self, outputs: int) -> Array:
        """Return the number of the class of each pattern, ``(P,)``; of one output, 1 is ``+1``."""
        if self.parity and outputs == 1:
            return self.y % 2
        return np.asarray(np.unique(self.y, return_inverse=True)[1])

    def asked(self, outputs: int) -> Array:
        """Return what is asked of so many outputs: ±1 of one, otherwise classes or values."""
        if self.given or not self.has_classes or outputs != 1:
            return self.y
        if self.parity:
            return np.where(self.y % 2 == 1, 1.0, -1.0)
        found = np.unique(self.y)
        if len(found) != 2:
            raise ValueError(
                f"expected two classes for one output, got {len(found)}: let the module return one "
                "output for each class"
            )
        return np.where(self.y == found[1], 1.0, -1.0)


def _in_turn(y: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return a random order of patterns in which the classes take turns until they are used up."""
    check_generator(rng)
    place = np.empty(len(y), dtype=np.intp)
    for value in np.unique(y):
        own = rng.permutation(np.flatnonzero(y == value))
        place[own] = np.arange(len(own))
    _, rank = np.unique(y, return_inverse=True)
    return np.asarray(np.lexsort([rank, place]))


@dataclass(frozen=True)
class RandomSet:
    """Gaussian patterns ``(P, d)`` on the sphere ``|x| = √d``: classes in turn, or random values.

    Of one output they are those of `random_patterns`.
    """

    dim: int
    has_classes: bool = True

    def few(self) -> Array:
        """Return two patterns, to try a module on."""
        return random_patterns(2, self.dim, np.random.default_rng(0)).x

    def drawn(
        self, count: int | None, outputs: int, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Return ``count`` patterns, and what is asked of ``outputs``."""
        found = random_patterns(whole("count", count, 2), self.dim, rng)
        if not self.has_classes:
            return found.x, rng.standard_normal((len(found.x), outputs))
        return found.x, found.y if outputs == 1 else np.arange(len(found.x)) % outputs


@dataclass(frozen=True)
class DrawnSet:
    """Patterns that a function draws: ``draw(count, rng)`` returns ``x`` and ``y``."""

    draw: Draw

    def few(self) -> Array:
        """Return two patterns, to try a module on."""
        return np.asarray(self.draw(2, np.random.default_rng(0))[0])

    def drawn(
        self, count: int | None, outputs: int, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Return ``count`` patterns; the function knows what to ask."""
        del outputs
        x, y = self.draw(whole("count", count, 1), rng)
        return np.asarray(x), np.asarray(y)


def digit_images() -> PatternSet:
    """Return the 1797 digits of scikit-learn, ``(P, 1, 8, 8)``: zero mean, unit variance in all.

    >>> images = digit_images()
    >>> images.x.shape, images.y[:4]
    ((1797, 1, 8, 8), array([0, 1, 2, 3]))
    """
    from sklearn.datasets import load_digits

    flat, labels = load_digits(return_X_y=True)
    images = (flat - flat.mean()) / flat.std()
    return PatternSet(images.reshape(-1, 1, 8, 8), labels, parity=True)

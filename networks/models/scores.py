"""Scores of predicted probabilities of classes."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from networks.data.outcomes import Outcomes

Vector: TypeAlias = NDArray[np.float64]


def area_under_curve(probabilities: Vector, data: Outcomes) -> float:
    """Return the area under the receiver operating characteristic, the mean over classes.

    For a class: the probability that one of its patterns is given more of it than a pattern of
    another class, ties counting one half. Classes without patterns, or with all, are left out.
    """
    areas = []
    for c in range(data.n_classes):
        inside = data.label == c
        n_in, n_out = int(inside.sum()), int((~inside).sum())
        if n_in and n_out:
            ranks = _ranks(probabilities[:, c])[inside].sum()
            areas.append((ranks - n_in * (n_in + 1) / 2) / (n_in * n_out))
    return float(np.mean(areas))


def accuracy(probabilities: Vector, data: Outcomes) -> float:
    """Return the fraction of patterns whose most likely class is theirs."""
    return float((probabilities.argmax(axis=1) == data.label).mean())


def _ranks(values: Vector) -> Vector:
    """Return the ranks from 1, ties sharing their mean."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[group])

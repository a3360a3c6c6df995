"""The transition of fitting: a search on a grid of loads, and the load at which half fit."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bridge.protocols import Vector

_ROUNDS = 200  # of Newton's method; it takes about ten


@dataclass(frozen=True)
class Midpoint:
    """The load ``value`` at which half of the networks fit, with its standard error.

    The fraction that fits is ``1 / (1 + exp((x - value)/width))`` at load ``x``.
    """

    value: float
    error: float
    width: float


def bracket(fitted: Callable[[int], float], count: int) -> tuple[int, int]:
    """Return neighbouring indices ``(i, i + 1)`` of ``count`` ascending loads about the transition.

    ``fitted(i)`` is the fraction of networks that fit at load ``i``: more than half at ``i``, not
    more at ``i + 1``. By bisection, so that few loads are tried; ``i = -1`` or ``i + 1 = count``
    tell that the transition is below or above all of them.

    >>> bracket(lambda i: float(i < 6), 10)
    (5, 6)
    """
    low, high = -1, count
    while high - low > 1:
        middle = (low + high) // 2
        if fitted(middle) > 0.5:
            low = middle
        else:
            high = middle
    return low, high


def midpoint(loads: Vector, fitted: Vector, tried: Vector) -> Midpoint:
    """Fit ``fitted`` successes of ``tried`` networks at each of the ``loads``, all ``(k,)``.

    Logistic regression with the penalty ``½ ln det I`` on the likelihood, ``I`` the Fisher
    information: it takes the bias off, and keeps the width finite where all networks below a load
    fit and none above it. Firth, Biometrika 80, 27 (1993).

    Raises
    ------
    ValueError
        If not both outcomes were seen, or not fewer networks fit at higher loads.

    >>> m = midpoint(np.array([1.0, 2.0, 3.0]), np.array([8, 4, 0]), np.array([8, 8, 8]))
    >>> round(m.value, 3)
    2.0
    """
    loads, fitted, tried = (np.asarray(a, dtype=np.float64) for a in (loads, fitted, tried))
    if not 0 < fitted.sum() < tried.sum():
        raise ValueError(
            "expected networks that fit and networks that do not, got "
            f"{fitted.sum():g} of {tried.sum():g} that fit: widen the range of loads"
        )
    centre, scale = loads.mean(), max(np.ptp(loads), 1e-12)
    design = np.column_stack([np.ones_like(loads), (loads - centre) / scale])
    (a, b), covariance = _firth(design, fitted, tried)
    if not b < 0:
        raise ValueError("expected fewer to fit at higher loads, got no fewer: try more networks")
    at = -a / b
    jacobian = np.array([-1 / b, a / b**2])
    error = np.sqrt(jacobian @ covariance @ jacobian)
    return Midpoint(float(centre + scale * at), float(scale * error), float(-scale / b))


def _firth(design: Vector, fitted: Vector, tried: Vector) -> tuple[Vector, Vector]:
    """Return coefficients ``(2,)`` and their covariance by damped Newton steps."""
    beta: Vector = np.zeros(2)
    covariance: Vector = np.eye(2)
    for _ in range(_ROUNDS):
        p = 1 / (1 + np.exp(-design @ beta))
        weight = tried * p * (1 - p)
        covariance[:] = np.linalg.inv(design.T @ (weight[:, None] * design))
        leverage = weight * np.einsum("ij,jk,ik->i", design, covariance, design)
        score = design.T @ (fitted - tried * p + leverage * (0.5 - p))
        step = covariance @ score
        beta += step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-10:
            break
    return beta, covariance

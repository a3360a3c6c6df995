"""Orientations of bodies in space by three variables each, without a singular one.

Two variables ``p`` say where the third axis of the body points, by its stereographic projection
from the south pole, and the third by what angle ``ψ`` the body is turned about that axis: with
``u = p/2`` and ``t = u·u``

    n = (2u_1, 2u_2, 1 - t)/(1 + t),    R = S(u) R_z(ψ),

``S`` the shortest turn of the ``z`` axis to ``n``. A small ``p`` is a tilt by ``|p|``. The
projection is conformal: the same step of ``p`` in any direction tilts alike, by ``1/(1 + t)``. The
south pole alone is infinitely far; an ellipsoid has its third axis up as well as down, and thus
``|p| <= 2``. A body of revolution about its third axis does not depend on ``ψ`` at all.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.checks import floats, shown

Vector = NDArray[np.float64]

# Where the components of symmetric matrices stand: xx, xy, xz, yy, yz, zz.
ROWS, COLUMNS = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 1, 2, 1, 2, 2])
# Half turns about the three axes leave an ellipsoid as it is.
HALF_TURNS = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=np.float64)


def ordered_axes(axes: ArrayLike) -> Vector:
    """Return three axes in units of the shortest, that of a spheroid last: ``(3,)``.

    A number ``α`` is a spheroid, ``1 : 1 : α``.

    Raises
    ------
    ValueError
        If they are not three, or not positive and finite.
    """
    given = floats("axes", axes)
    three = np.array([1.0, 1.0, float(given)]) if given.ndim == 0 else given
    if three.shape != (3,) or not (np.isfinite(three).all() and (three > 0.0).all()):
        raise ValueError(
            f"expected an aspect or three positive axes, got {shown(axes)}: pass 1.25 1 0.8"
        )
    for last in (0, 1):
        if three[last - 1] == three[last - 2]:
            three = np.append(np.delete(three, last), three[last])
    return np.asarray(three / three.min())


def axes_of(turns: Vector) -> Vector:
    """Return the rotation matrices ``R``, whose columns are the axes: ``(N, 3, 3)``.

    Parameters
    ----------
    turns : (N, 3)
        ``p_1``, ``p_2`` and ``ψ`` of each body.
    """
    tilted = _tilts(turns[:, 0], turns[:, 1])
    c, s = np.cos(turns[:, 2])[:, None], np.sin(turns[:, 2])[:, None]
    axes = np.empty_like(tilted)
    axes[:, :, 0] = c * tilted[:, :, 0] + s * tilted[:, :, 1]
    axes[:, :, 1] = c * tilted[:, :, 1] - s * tilted[:, :, 0]
    axes[:, :, 2] = tilted[:, :, 2]
    return axes


def turns_of(axes: Vector) -> Vector:
    """Return the variables ``(N, 3)`` of ellipsoids with these axes: ``|p| <= 2``, ``|ψ| <= π/2``.

    Where the third axis points down, the body is turned by half about its first.
    """
    upright = np.where(axes[:, 2:, 2:] >= 0.0, HALF_TURNS[0], HALF_TURNS[1])
    axes = axes * upright
    p = 2.0 * axes[:, :2, 2] / (1.0 + axes[:, 2:, 2])
    tilted = _tilts(p[:, 0], p[:, 1])
    cosine, sine = np.einsum("nak,na->kn", tilted[:, :, :2], axes[:, :, 0])
    sign = np.where(cosine < 0.0, -1.0, 1.0)
    return np.column_stack([p, np.arctan2(sign * sine, sign * cosine)])


def rates_of(turns: Vector) -> tuple[Vector, Vector]:
    """Return what turns a body makes for a change of its variables, and their derivatives.

    ``rates[:, :, k]`` is the axial vector of ``∂R/∂turn_k Rᵀ``, ``(N, 3, 3)``, and
    ``bends[:, :, k, l]`` its derivative by ``turn_l``, ``(N, 3, 3, 3)``.
    """
    u = 0.5 * turns[:, :2]
    per = 1.0 / (1.0 + (u * u).sum(axis=1))
    rates, bends = np.zeros((len(turns), 3, 3)), np.zeros((len(turns), 3, 3, 3))
    rates[:, 1, 0], rates[:, 2, 0] = per, -u[:, 1] * per
    rates[:, 0, 1], rates[:, 2, 1] = -per, u[:, 0] * per
    rates[:, :2, 2], rates[:, 2, 2] = 2.0 * u * per[:, None], 2.0 * per - 1.0
    for k in range(2):
        for m in range(2):
            bends[:, :, k, m] = -(u[:, m] * per)[:, None] * rates[:, :, k]
        bends[:, :, 2, k] = np.cross(rates[:, :, k], rates[:, :, 2])
    bends[:, 2, 0, 1] -= 0.5 * per
    bends[:, 2, 1, 0] += 0.5 * per
    return rates, bends


def quaternions_of(turns: Vector) -> Vector:
    """Return the orientations as unit quaternions ``(x, y, z, w)``, ``(N, 4)``."""
    u, half = 0.5 * turns[:, :2], 0.5 * turns[:, 2]
    c, s = np.cos(half), np.sin(half)
    x, y = -u[:, 1] * c + u[:, 0] * s, u[:, 1] * s + u[:, 0] * c
    found = np.column_stack([x, y, s, c])
    return np.asarray(found / np.sqrt(1.0 + (u * u).sum(axis=1))[:, None])


def axes_of_quaternions(quaternions: Vector) -> Vector:
    """Return the rotation matrices of quaternions ``(x, y, z, w)`` of any length, ``(N, 3, 3)``."""
    x, y, z, w = (quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)).T
    rows = [
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
        [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
    ]
    return np.array(rows).transpose(2, 0, 1)


def turned_by(axes: Vector, turn: Vector) -> Vector:
    """Return the axes after turns by ``4 atan(|ω|/4)`` about ``ω`` ``(N, 3)``, in the body's axes.

    They are the turns of the minimiser, see `particles.kernels.ellipsoids`.
    """
    sigma = 0.25 * turn
    square = (sigma * sigma).sum(axis=1, keepdims=True)
    return np.asarray(axes @ axes_of_quaternions(np.hstack([2.0 * sigma, 1.0 - square])))


def random_turns(uniform: Vector) -> Vector:
    """Return isotropic orientations of ellipsoids from numbers uniform in [0, 1), ``(N, 3)``."""
    # Area of the sphere up to the tilt: cos θ is uniform, and |p|²/4 = (1 - cos θ)/(1 + cos θ).
    height, around = 1.0 - uniform[:, 0], 2.0 * np.pi * uniform[:, 1]
    p = 2.0 * np.sqrt((1.0 - height) / (1.0 + height))
    return np.column_stack([p * np.cos(around), p * np.sin(around), np.pi * uniform[:, 2]])


def _tilts(p: Vector, q: Vector) -> Vector:
    """Return ``S``, ``(N, 3, 3)``."""
    u, v = 0.5 * p, 0.5 * q
    per = 2.0 / (1.0 + u * u + v * v)
    rows = [
        [1.0 - per * u * u, -per * u * v, per * u],
        [-per * u * v, 1.0 - per * v * v, per * v],
        [-per * u, -per * v, per - 1.0],
    ]
    return np.array(rows).transpose(2, 0, 1)


def skew(vectors: Vector) -> Vector:
    """Return the matrices of ``v ×`` for vectors along the second axis, ``(N, 3, 3, ...)``."""
    x, y, z = vectors[:, 0], vectors[:, 1], vectors[:, 2]
    zero = np.zeros_like(x)
    rows = [np.stack(row, axis=1) for row in ((zero, -z, y), (z, zero, -x), (-y, x, zero))]
    return np.stack(rows, axis=1)

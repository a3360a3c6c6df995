"""Packings by plain sums over all images, contacts of ellipses and ellipsoids by their tangents.

Nothing here is the package's: no list of pairs, no multiplier, no quartic.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Vector = NDArray[np.float64]


def support(a, b, turn):
    """Return ``h(n) = √(a² cos² + b² sin²)`` for ``n`` at ``turn`` from the long axis, and h'."""
    c, s = np.cos(turn), np.sin(turn)
    h = np.hypot(a * c, b * s)
    return h, (b - a) * (b + a) * c * s / h


def tangent_contacts(r, shape_i, shape_j):
    """Return ``μ = max_n n·r/(h_i(n) + h_j(n))`` and its derivatives by ``r``, ``θ_i``, ``θ_j``.

    Scaled by ``μ`` two convex bodies just touch when the best pair of parallel tangents between
    them falls into one. Where ``n·r > 0`` the ratio has one maximum: bisection of its slope.
    ``shape = (a, b, θ)``, an array of each.
    """
    towards = np.arctan2(r[:, 1], r[:, 0])
    low, high = towards - np.pi / 2, towards + np.pi / 2
    for _ in range(60):
        angle = 0.5 * (low + high)
        along, across = _components(r, angle)
        (h_i, dh_i), (h_j, dh_j) = _supports(angle, shape_i, shape_j)
        rising = across * (h_i + h_j) > along * (dh_i + dh_j)
        low, high = np.where(rising, angle, low), np.where(rising, high, angle)
    along, _ = _components(r, angle)
    (h_i, dh_i), (h_j, dh_j) = _supports(angle, shape_i, shape_j)
    both = h_i + h_j
    mu, n = along / both, np.stack([np.cos(angle), np.sin(angle)], axis=1)
    # A body that turns by dθ meets n at an angle that is smaller by dθ.
    return mu, n / both[:, None], mu * dh_i / both, mu * dh_j / both


def _components(r, angle):
    c, s = np.cos(angle), np.sin(angle)
    return r[:, 0] * c + r[:, 1] * s, r[:, 1] * c - r[:, 0] * s


def _supports(angle, *shapes):
    return [support(a, b, angle - theta) for a, b, theta in shapes]


def turned(turns):
    """Return the rotation matrices of tilts ``p`` and angles ``ψ``, ``(m, 3)``: ``(m, 3, 3)``.

    The third axis is tilted by ``2 atan(|p|/2)`` towards ``p``, after a turn by ``ψ`` about it.
    """
    size = np.linalg.norm(turns[:, :2], axis=1, keepdims=True)
    across = np.column_stack([-turns[:, 1], turns[:, 0], np.zeros(len(turns))])
    tilt = np.divide(2 * np.arctan(size / 2) * across, size, out=0 * across, where=size > 0)
    about = Rotation.from_rotvec(turns[:, 2:] * [0.0, 0.0, 1.0])
    return (Rotation.from_rotvec(tilt) * about).as_matrix()


def support_3d(half, turns, n):
    """Return ``h(n) = √(nᵀ R D² Rᵀ n)`` for directions ``(m, 3)``."""
    return np.linalg.norm(half * np.einsum("mba,mb->ma", turned(turns), n), axis=1)


def tangent_contacts_3d(r, body_i, body_j, steps=2000):
    """Return ``μ = max_n n·r/(h_i(n) + h_j(n))`` and its derivatives by ``r`` and the turns.

    ``body = (half axes, turns)``. At the maximum ``n = (A/h_i + B/h_j)⁻¹ r`` but for its length,
    and from any ``n`` this one is better: ``h <= (h²/h' + h')/2``, equal where ``h = h'``.
    """
    bodies = (body_i, body_j)
    shapes = [np.einsum("mac,mc,mbc->mab", turned(t), h * h, turned(t)) for h, t in bodies]
    n = r / np.linalg.norm(r, axis=1, keepdims=True)
    for _ in range(steps):
        h = [np.sqrt(np.einsum("ma,mab,mb->m", n, shape, n)) for shape in shapes]
        mixed = shapes[0] / h[0][:, None, None] + shapes[1] / h[1][:, None, None]
        better = np.linalg.solve(mixed, r[..., None])[..., 0]
        better /= np.linalg.norm(better, axis=1, keepdims=True)
        if np.abs(better - n).max(initial=0.0) < 1e-13:
            break
        n = better
    both = (h[0] + h[1])[:, None]
    mu = np.einsum("ma,ma->m", n, r) / both[:, 0]
    pulls = [-mu[:, None] * support_slopes(half, turns, n) / both for half, turns in bodies]
    return mu, n / both, *pulls


def support_slopes(half, turns, n, step=2e-3):
    """Return ``∂h/∂turn`` by differences of sixth order, ``(m, 3)``."""
    weights = {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}
    return np.stack(
        [
            sum(
                sign * weight * support_3d(half, turns + sign * k * step * e, n) / step
                for k, weight in weights.items()
                for sign in (1, -1)
            )
            for e in np.eye(3)
        ],
        axis=1,
    )


def all_contacts(problem, x):
    """Return ``i``, ``j``, ``Δ`` and ``∂Δ`` by the bodies of every pair of images, once each."""
    bodies = x.reshape(problem.n_bodies, -1)
    d, radii = problem.dim, problem.bounding_radii
    centres = bodies[:, :d] % problem.box
    farthest = (1.0 + problem.reach) * 2.0 * radii.max()
    shells = [range(-k, k + 1) for k in 1 + np.ceil(farthest / problem.box).astype(int)]
    found = []
    for image in product(*shells):
        # A body and its image at s are the same contact as the body and its image at -s.
        i, j = np.triu_indices(problem.n_bodies, 0 if image > (0,) * d else 1)
        r = centres[j] + np.array(image) * problem.box - centres[i]
        near = np.linalg.norm(r, axis=1) < (1.0 + problem.reach) * (radii[i] + radii[j])
        found.append((i[near], j[near], r[near]))
    i, j, r = (np.concatenate(part) for part in zip(*found, strict=True))
    if not problem.n_angles:
        sigma = 0.5 * (problem.diameters[i] + problem.diameters[j])[:, None]
        distance = np.linalg.norm(r, axis=1)[:, None]
        return i, j, 1.0 - (distance / sigma)[:, 0], -r / (distance * sigma)
    if d == 3:
        half = 0.5 * problem.diameters[:, None] * problem.axes
        mu, *slopes = tangent_contacts_3d(r, *((half[k], bodies[k, 3:]) for k in (i, j)))
        return i, j, 1.0 - mu, -np.column_stack(slopes)
    half = 0.5 * problem.diameters
    shapes = [(half[k] * problem.aspect[k], half[k], bodies[k, 2]) for k in (i, j)]
    mu, *slopes = tangent_contacts(r, *shapes)
    return i, j, 1.0 - mu, -np.column_stack(slopes)


def plain_energy_gradient(problem, x):
    """Return the sorted gaps within reach, ``U`` and ``∇U`` of a plain sum."""
    i, j, gap, slope = all_contacts(problem, x)
    d, a = problem.dim, problem.n_angles
    gradient = np.zeros((problem.n_bodies, problem.n_per_body))
    push = np.maximum(gap, 0.0)[:, None] * slope
    np.add.at(gradient[:, :d], i, -push[:, :d])
    np.add.at(gradient[:, :d], j, push[:, :d])
    np.add.at(gradient[:, d:], i, push[:, d : d + a])
    np.add.at(gradient[:, d:], j, push[:, d + a :])
    overlap = np.maximum(gap, 0.0)
    return np.sort(gap[gap > -problem.reach]), 0.5 * float(overlap @ overlap), gradient.ravel()

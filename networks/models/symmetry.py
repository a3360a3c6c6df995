"""Symmetries of a fully connected network: order, scale and sign of its hidden units."""

from itertools import combinations, pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from networks.models.mlp import Mlp

Vector: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.intp]
Units: TypeAlias = NDArray[np.bool_]

_SWEEPS = 1000
_ROUNDING = 1e-12


def permuted(mlp: Mlp, x: Vector, rng: np.random.Generator) -> Vector:
    """Return the same network with the units of each hidden layer in a random order."""
    found = x.copy()
    blocks = _blocks(mlp, found)
    for incoming, outgoing in pairwise(blocks):
        order = rng.permutation(mlp.width)
        incoming[:] = incoming[order]
        outgoing[:, :-1] = outgoing[:, :-1][:, order]
    return found


def rescaled(mlp: Mlp, x: Vector, rng: np.random.Generator) -> Vector:
    """Return the same network with each hidden unit rescaled by a random positive factor."""
    found = x.copy()
    for incoming, outgoing in pairwise(_blocks(mlp, found)):
        c = np.exp(rng.uniform(-1, 1, mlp.width))
        incoming *= c[:, None]
        outgoing[:, :-1] /= c
    return found


def balanced(mlp: Mlp, x: Vector) -> Vector:
    """Return the same network with units rescaled to the smallest norm ``|x|``.

    Then the incoming weights of every unit, its bias included, have the norm of its outgoing
    ones. One unit after another is balanced until none changes: a convex problem. Units without
    incoming or outgoing weights are left alone.
    """
    found = x.copy()
    blocks = _blocks(mlp, found)
    for _ in range(_SWEEPS):
        largest = 0.0
        for incoming, outgoing in pairwise(blocks):
            a, b = np.linalg.norm(incoming, axis=1), np.linalg.norm(outgoing[:, :-1], axis=0)
            alive = (a > 0) & (b > 0)
            c = np.sqrt(np.divide(b, a, out=np.ones(mlp.width), where=alive))
            c[~alive] = 1.0
            incoming *= c[:, None]
            outgoing[:, :-1] /= c
            largest = max(largest, float(np.abs(np.log(c)).max()))
        if largest < 1e-12:
            break
    return found


def flipped(mlp: Mlp, x: Vector, rng: np.random.Generator) -> Vector:
    """Return the same network with the signs of randomly chosen hidden units flipped.

    The weights into a unit change sign, and those out of it too if its activation is odd.
    """
    signs = [rng.choice([-1.0, 1.0], mlp.width) for _ in range(mlp.depth)]
    found = x.copy()
    for (incoming, outgoing), c in zip(pairwise(_blocks(mlp, found)), signs, strict=True):
        incoming *= c[:, None]
        if mlp.sigma.parity < 0:
            outgoing[:, :-1] *= c
    return found


def rescaling_modes(mlp: Mlp, x: Vector, dead: list[Units]) -> Vector:
    """Return orthonormal tangents of the rescalings of the units that are not dead.

    The tangent of a unit is ``d/dc`` at ``c = 1`` of (incoming · c, outgoing / c). Units with
    no weights at all have none.
    """
    tangents = []
    for layer in range(mlp.depth):
        for unit in np.flatnonzero(~dead[layer]):
            tangent = np.zeros(mlp.n_dof)
            blocks, weights = _blocks(mlp, tangent), _blocks(mlp, x)
            blocks[layer][unit] = weights[layer][unit]
            blocks[layer + 1][:, unit] = -weights[layer + 1][:, unit]
            tangents.append(tangent)
    return _orthonormal(tangents, mlp.n_dof)


def rotation_modes(mlp: Mlp, x: Vector, straight: list[Vector]) -> Vector:
    """Return orthonormal tangents of the rotations of straight units among each other.

    Units ``i`` and ``j`` of a layer that act on all patterns with slopes of one size, ``straight``
    ``(width,)`` for each layer and 0 of other units, put out what they receive: their incoming
    weights, and their outgoing ones times the sign of the slope, may turn by an angle together. The
    norm stays as it is, so that no sphere resists this.
    """
    tangents = []
    for layer, slopes in enumerate(straight):
        for i, j in combinations(np.flatnonzero(slopes), 2):
            if abs(slopes[i]) == abs(slopes[j]):
                tangent, sign = np.zeros(mlp.n_dof), np.sign(slopes[i] * slopes[j])
                blocks, weights = _blocks(mlp, tangent), _blocks(mlp, x)
                blocks[layer][i], blocks[layer][j] = weights[layer][j], -weights[layer][i]
                above, out = blocks[layer + 1], weights[layer + 1]
                above[:, i], above[:, j] = sign * out[:, j], -sign * out[:, i]
                tangents.append(tangent)
    return _orthonormal(tangents, mlp.n_dof)


def _orthonormal(tangents: list[Vector], n_dof: int) -> Vector:
    """Return an orthonormal basis of what the ``tangents`` span, each of them as long."""
    if not tangents:
        return np.zeros((0, n_dof))
    stacked = np.array(tangents)
    norms = np.linalg.norm(stacked, axis=1, keepdims=True)
    _, singular, modes = np.linalg.svd(stacked / np.where(norms > 0, norms, 1), full_matrices=False)
    return modes[singular > 1e-10]


def vanished(mlp: Mlp, x: Vector) -> list[Units]:
    """Return, for each hidden layer, which units have no weights, in or out, but for rounding."""
    smallest = _ROUNDING * float(np.linalg.norm(x))
    return [
        (np.linalg.norm(incoming, axis=1) <= smallest)
        & (np.linalg.norm(outgoing[:, :-1], axis=0) <= smallest)
        for incoming, outgoing in pairwise(_blocks(mlp, x))
    ]


def unit_parameters(mlp: Mlp, units: list[Units], *, outgoing: bool) -> list[Indices]:
    """Return the parameters into each of the ``units``, and out of it if so, each of them once."""
    position = np.arange(mlp.n_dof)
    blocks = _blocks(mlp, position)
    found, taken = [], np.zeros(mlp.n_dof, dtype=bool)
    for layer, chosen in enumerate(units):
        for unit in np.flatnonzero(chosen):
            touched = blocks[layer][unit]
            if outgoing:
                touched = np.concatenate([touched, blocks[layer + 1][:, unit]])
            found.append(touched[~taken[touched]])
            taken[touched] = True
    return found


def _blocks(mlp: Mlp, x: NDArray[Any]) -> list[NDArray[Any]]:
    """Return views of the layers in a flat vector."""
    return [x[s].reshape(shape) for s, shape in zip(mlp.slices, mlp.shapes, strict=True)]

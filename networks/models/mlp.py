"""The shape of a fully connected network with one output, and the layout of its parameters."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from networks.checks import check_generator, whole
from networks.models.activations import Activation, activation

Vector: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Mlp:
    """A fully connected network ``f(x; w)`` with ``depth`` hidden layers and one linear output.

    ``a⁰ = x``, ``zˡ = Wˡ aˡ⁻¹ + bˡ``, ``aˡ = σ(zˡ)`` for ``l = 1..depth``, and ``f = W aᴸ + b``:
    plain layers, the conventions of Geiger et al., Phys. Rev. E 100, 012115 (2019).

    The flat vector ``w`` is the row-major layers one after another, each of shape
    ``(fan_out, fan_in + 1)`` with the bias in its last column.

    Parameters
    ----------
    input_dim
        Number ``d`` of components of a pattern.
    width
        Number of units in each hidden layer.
    depth
        Number of hidden layers, at least one.
    activation
        A name in ``networks.ACTIVATIONS``.

    Examples
    --------
    >>> net = Mlp(input_dim=4, width=3, depth=2)
    >>> net.shapes, net.n_dof, net.n_weights
    (((3, 5), (3, 4), (1, 4)), 31, 24)
    """

    input_dim: int
    width: int
    depth: int = 2
    activation: str = "relu"

    def __post_init__(self) -> None:
        for name in ("input_dim", "width", "depth"):
            object.__setattr__(self, name, whole(name, getattr(self, name), 1))
        activation(self.activation)

    @cached_property
    def sigma(self) -> Activation:
        """The activation and its derivatives."""
        return activation(self.activation)

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Shape ``(fan_out, fan_in + 1)`` of each layer, bias column included."""
        sizes = [self.input_dim, *[self.width] * self.depth, 1]
        return tuple((fan_out, fan_in + 1) for fan_in, fan_out in pairwise(sizes))

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Where each layer lies in the flat vector."""
        ends = np.cumsum([0, *[rows * columns for rows, columns in self.shapes]])
        return tuple(slice(int(a), int(b)) for a, b in pairwise(ends))

    @cached_property
    def n_dof(self) -> int:
        """Number of parameters, biases included."""
        return sum(rows * columns for rows, columns in self.shapes)

    @property
    def n_weights(self) -> int:
        """Number ``N`` of weights without biases, the ``N`` of the load ``P/N``."""
        return sum(rows * (columns - 1) for rows, columns in self.shapes)

    @property
    def n_hidden(self) -> int:
        """Number of hidden units."""
        return self.width * self.depth

    def init(self, rng: np.random.Generator) -> Vector:
        """Return initial parameters ``(n_dof,)``: orthogonal weights of gain 1, zero biases."""
        check_generator(rng)
        layers = [
            np.hstack([_orthogonal(rows, columns - 1, rng), np.zeros((rows, 1))])
            for rows, columns in self.shapes
        ]
        return np.concatenate([layer.ravel() for layer in layers])


def _orthogonal(rows: int, columns: int, rng: np.random.Generator) -> Vector:
    """Return a matrix with orthonormal rows or columns, uniform over such matrices."""
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T

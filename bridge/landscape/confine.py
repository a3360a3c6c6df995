"""A constraint problem held together by weight decay, where its minima would run to infinity."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bridge.landscape.identity import GapIdentity
from bridge.protocols import Vector


@dataclass(frozen=True, eq=False)
class Confined(GapIdentity):
    """``E(x) = U(x) + λ|x|²`` of a constraint problem, ``λ > 0``.

    Networks with a bounded activation lower ``U`` without end by ever larger weights: there are no
    minima until something confines them. Continuous symmetries of ``U`` that change ``|x|``,
    such as the rescaling of rectifiers, are none of ``E``. States are told apart by their gaps.

    Parameters
    ----------
    problem
        The constraint problem.
    l2
        ``λ``, in units of ``U`` over those of ``x`` squared.

    Raises
    ------
    ValueError
        If ``l2`` is not positive.
    """

    l2: float

    euler_characteristic: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if not 0 < self.l2 < np.inf:
            raise ValueError(f"expected a positive l2, got {self.l2}: pass a value such as 1e-2")

    @property
    def n_dof(self) -> int:
        """Number of variables."""
        return self.problem.n_dof

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return ``E`` and its gradient, shape ``(n_dof,)``."""
        energy, gradient = self.problem.energy_gradient(x)
        return energy + self.l2 * float(x @ x), gradient + 2 * self.l2 * x

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return ``H v`` for ``v`` of shape ``(n_dof,)`` or ``(k, n_dof)``."""
        return np.asarray(self.problem.hvp(x, v) + 2 * self.l2 * v)

    def zero_modes(self, x: Vector) -> Vector:
        """Return an empty ``(0, n_dof)``: no symmetry is left that moves ``x``."""
        return np.zeros((0, x.size))

"""Landscapes given by their energy, gradient and Hessian, which remember where they were asked."""

from dataclasses import dataclass

import numpy as np


@dataclass(eq=False)
class Surface:
    """A landscape given by its energy, gradient and Hessian; it remembers where it was asked."""

    energy: object
    gradient: object
    curvature: object
    n_dof: int

    def __post_init__(self):
        self.asked = []

    def energy_gradient(self, x):
        self.asked.append(x.copy())
        return float(self.energy(x)), np.asarray(self.gradient(x), dtype=float)

    def hvp(self, x, v):
        return v @ self.curvature(x)

    def zero_modes(self, x):
        return np.zeros((0, self.n_dof))


def parabola(matrix, above=1.0):
    """``U = above + ½ xᵀ M x``."""
    return Surface(
        lambda x: above + 0.5 * x @ matrix @ x, lambda x: matrix @ x, lambda x: matrix, len(matrix)
    )

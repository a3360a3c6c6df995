"""Points on a circle that keep their distance: a new system, checked in three lines.

The gap of two points is ``Δ_ij = c_ij - c0`` with ``c_ij = cos(θ_i - θ_j)``: they may not be closer
than the angle whose cosine is ``c0``. Nothing is inherited; the methods are the whole agreement.
"""

from dataclasses import dataclass

import numpy as np

from bridge import check_problem, lbfgs, observe


@dataclass(frozen=True)
class Circle:
    """``n_dof`` points on a circle, each at least ``angle`` from every other."""

    n_dof: int
    angle: float

    def _differences(self, x):
        if not np.isfinite(x).all():
            raise ValueError("expected finite angles, got NaN or inf: check x")
        i, j = np.triu_indices(self.n_dof, 1)
        return i, j, x[i] - x[j]

    def gaps(self, x):
        return np.cos(self._differences(x)[2]) - np.cos(self.angle)

    def gap_jacobian(self, x, rows=None):
        i, j, difference = self._differences(x)
        jacobian = np.zeros((len(i), self.n_dof))
        at = np.arange(len(i))
        jacobian[at, i], jacobian[at, j] = -np.sin(difference), np.sin(difference)
        return jacobian if rows is None else jacobian[rows]

    def energy_gradient(self, x):
        forces = np.maximum(self.gaps(x), 0)
        return 0.5 * float(forces @ forces), self.gap_jacobian(x).T @ forces

    def hvp(self, x, v):
        i, j, difference = self._differences(x)
        forces = np.maximum(self.gaps(x), 0)
        rows = self.gap_jacobian(x)[forces > 0]
        pull = forces * np.cos(difference)  # -Δ ∂²Δ/∂θ²
        laplacian = np.zeros((self.n_dof, self.n_dof))
        np.add.at(laplacian, (i, i), pull)
        np.add.at(laplacian, (j, j), pull)
        np.add.at(laplacian, (i, j), -pull)
        np.add.at(laplacian, (j, i), -pull)
        return (v @ rows.T) @ rows - v @ laplacian

    def zero_modes(self, x):
        return np.full((1, self.n_dof), self.n_dof**-0.5)


problem = Circle(7, angle=1.0)
x = np.random.default_rng(0).uniform(0, 2 * np.pi, problem.n_dof)
check_problem(problem, x)

found = lbfgs(problem, x)
seen = observe(problem, found.x)
print(f"seven points at 1 rad each on 2π: {found.status}")
print(f"U = {found.energy:.6f}, N_Δ = {seen.n_constraints}, N = {seen.n}")

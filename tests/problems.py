"""Systems whose energy, Hessian and counts are known on paper; derivations in tests/README.md."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Halfspaces:
    """Linear gaps ``Δ = A x + b``: ``H = AᵀA`` over the violated rows and ``Hp = 0``."""

    normals: Vector  # (m, n_dof)
    offsets: Vector  # (m,)

    @property
    def n_dof(self) -> int:
        return self.normals.shape[1]

    def gaps(self, x: Vector) -> Vector:
        if not np.isfinite(x).all():
            raise ValueError("expected a finite state, got NaN or inf: check x")
        return self.normals @ x + self.offsets

    def gap_jacobian(self, x: Vector, rows: NDArray[np.intp] | None = None) -> Vector:
        return self.normals if rows is None else self.normals[rows]

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        forces = np.maximum(self.gaps(x), 0)
        return 0.5 * float(forces @ forces), self.normals.T @ forces

    def hvp(self, x: Vector, v: Vector) -> Vector:
        violated = self.normals[self.gaps(x) > 0]
        return (v @ violated.T) @ violated

    def zero_modes(self, x: Vector) -> Vector:
        return np.zeros((0, self.n_dof))

    def tightening(self, x: Vector) -> Vector:
        return np.ones(len(self.offsets))

    def tightened(self, t: float) -> Self:
        return replace(self, offsets=self.offsets + t)


@dataclass(frozen=True, eq=False)
class Balls:
    """Stay inside balls: ``Δ = (|x - c|² - r²)/2``, ``∇Δ = x - c``, ``∇²Δ = 1``.

    ``H0 = Σ (x - c)(x - c)ᵀ`` and ``Hp = (Σ Δ) 1`` over the violated balls.
    """

    centres: Vector  # (m, n_dof)
    radius: float

    @property
    def n_dof(self) -> int:
        return self.centres.shape[1]

    def gaps(self, x: Vector) -> Vector:
        if not np.isfinite(x).all():
            raise ValueError("expected a finite state, got NaN or inf: check x")
        return 0.5 * (((x - self.centres) ** 2).sum(axis=1) - self.radius**2)

    def gap_jacobian(self, x: Vector, rows: NDArray[np.intp] | None = None) -> Vector:
        return x - (self.centres if rows is None else self.centres[rows])

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        forces = np.maximum(self.gaps(x), 0)
        return 0.5 * float(forces @ forces), self.gap_jacobian(x).T @ forces

    def hvp(self, x: Vector, v: Vector) -> Vector:
        forces = np.maximum(self.gaps(x), 0)
        rows = self.gap_jacobian(x)[forces > 0]
        return (v @ rows.T) @ rows + forces.sum() * v

    def zero_modes(self, x: Vector) -> Vector:
        return np.zeros((0, self.n_dof))


@dataclass(frozen=True, eq=False)
class Outside(Balls):
    """Stay outside balls: in the middle of one the forces balance, and hold nothing."""

    def gaps(self, x):
        return -super().gaps(x)

    def gap_jacobian(self, x, rows=None):
        return -super().gap_jacobian(x, rows)

    def hvp(self, x, v):
        forces = np.maximum(self.gaps(x), 0)
        rows = self.gap_jacobian(x)[forces > 0]
        return (v @ rows.T) @ rows - forces.sum() * v


@dataclass(frozen=True, eq=False)
class Enclosing(Balls):
    """Balls whose radius is the load: its optimum is the smallest ball that holds the centres."""

    level: float = 0.0

    def gaps(self, x):
        return super().gaps(x) + self.level

    def tightening(self, x):
        return np.ones(len(self.centres))

    def tightened(self, t):
        return replace(self, level=self.level + t)


@dataclass(frozen=True, eq=False)
class Chain:
    """Bodies on a line kept apart, ``Δ_i = 1 - (x_{i+1} - x_i)``: a system of a user's own.

    One translation is a symmetry; a body that touches nobody is frozen.
    """

    n_dof: int

    def gaps(self, x: Vector) -> Vector:
        if not np.isfinite(x).all():
            raise ValueError("expected a finite state, got NaN or inf: check x")
        return 1.0 - np.diff(x)

    def gap_jacobian(self, x: Vector, rows: NDArray[np.intp] | None = None) -> Vector:
        jacobian = np.eye(self.n_dof)[:-1] - np.eye(self.n_dof, k=1)[:-1]
        return jacobian if rows is None else jacobian[rows]

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        forces = np.maximum(self.gaps(x), 0)
        return 0.5 * float(forces @ forces), self.gap_jacobian(x).T @ forces

    def hvp(self, x: Vector, v: Vector) -> Vector:
        rows = self.gap_jacobian(x)[self.gaps(x) > 0]
        return (v @ rows.T) @ rows

    def zero_modes(self, x: Vector) -> Vector:
        return np.full((1, self.n_dof), self.n_dof**-0.5)

    def frozen(self, x: Vector) -> list[NDArray[np.intp]]:
        touching = np.abs(self.gap_jacobian(x)[self.gaps(x) > 0]).sum(axis=0) > 0
        return [np.array([i]) for i in np.flatnonzero(~touching)]


@dataclass(frozen=True, eq=False)
class LoadedChain(Chain):
    """A chain whose load is added to every gap."""

    level: float = 0.0

    def gaps(self, x: Vector) -> Vector:
        return super().gaps(x) + self.level

    def tightening(self, x: Vector) -> Vector:
        return np.ones(self.n_dof - 1)

    def tightened(self, t: float) -> Self:
        return replace(self, level=self.level + t)


@dataclass(frozen=True, eq=False)
class Truss:
    """Two bars in an arch that is pushed down by ``t`` and snaps through onto a floor.

    The height ``y`` of the apex is the one variable. A bar of squared length ``1 + y²`` is short of
    its own, 6, by ``Δ = (5 - y²)/2``; the pusher, at height ``3 - t``, has ``Δ = y - 3 + t``; the
    floor at -1 has ``Δ = -y - 1``.
    """

    pushed: float = 0.0

    n_dof = 1

    def gaps(self, x: Vector) -> Vector:
        if not np.isfinite(x).all():
            raise ValueError("expected a finite state, got NaN or inf: check x")
        y = x[0]
        return np.array([0.5 * (5.0 - y**2), y - 3.0 + self.pushed, -y - 1.0])

    def gap_jacobian(self, x: Vector, rows: NDArray[np.intp] | None = None) -> Vector:
        jacobian = np.array([[-x[0]], [1.0], [-1.0]])
        return jacobian if rows is None else jacobian[rows]

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        forces = np.maximum(self.gaps(x), 0)
        return 0.5 * float(forces @ forces), self.gap_jacobian(x).T @ forces

    def hvp(self, x: Vector, v: Vector) -> Vector:
        forces = np.maximum(self.gaps(x), 0)
        rows = self.gap_jacobian(x)[forces > 0]
        return (v @ rows.T) @ rows - forces[0] * v

    def zero_modes(self, x: Vector) -> Vector:
        return np.zeros((0, 1))

    def tightening(self, x: Vector) -> Vector:
        return np.array([0.0, 1.0, 0.0])

    def tightened(self, t: float) -> Self:
        return replace(self, pushed=self.pushed + t)

"""Clusters of identical atoms: Lennard-Jones, and Axilrod-Teller on top of it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from particles.checks import check_generator, vector, whole
from particles.kernels import clusters as loops
from particles.kernels.quench import evaluate, quench
from particles.landscapes import alignment
from particles.landscapes.point_groups import symmetric_atoms

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Cluster:
    """``n`` identical atoms in free space: ``x`` holds ``(x, y, z)`` of one after the other.

    Symmetries: translation, rotation, inversion, and relabelling.
    """

    n: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", whole("n", self.n, 2))

    @property
    def triples(self) -> float:
        """Strength of the three-atom term of the energy."""
        return 0.0

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return the energy and its gradient, shape ``(3N,)``."""
        gradient = np.empty(self.n_dof)
        return self._finite(evaluate(self._checked(x), self.triples, gradient)), gradient

    def hessian(self, x: Vector) -> Vector:
        """Return the dense Hessian, ``(3N, 3N)``."""
        state, found = self._checked(x), np.zeros((self.n_dof, self.n_dof))
        loops.add_lennard_jones_hessian(state, found)
        if self.triples:
            loops.add_axilrod_teller_hessian(state, self.triples, found)
        return found

    @property
    def n_dof(self) -> int:
        """Number of variables, ``3N``."""
        return 3 * self.n

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return ``H v`` for ``v`` of shape ``(3N,)`` or ``(k, 3N)``."""
        return np.asarray(v @ self.hessian(x))

    def zero_modes(self, x: Vector) -> Vector:
        """Return orthonormal translations and rotations, ``(6, 3N)``; ``(5, 3N)`` on a line."""
        modes = np.empty((6, self.n_dof))
        return modes[: loops.rigid_modes(self._checked(x), modes)]

    def relaxed(
        self, x: Vector, *, tolerance: float = 1e-5, max_step: float = 0.1, most: int = 20_000
    ) -> Vector | None:
        """Return where compiled L-BFGS ends, every ``|∂E/∂x_i| < tolerance``; None if it does not.

        Parameters
        ----------
        max_step
            Longest step, root mean square over the variables.
        most
            Evaluations after which the descent is given up.

        Raises
        ------
        ValueError
            If two atoms are at one place, or a coordinate is not finite.
        """
        end = self._checked(x).copy()
        energy, _, converged = quench(end, self.triples, tolerance, max_step, most)
        self._finite(energy)
        return end if converged else None

    def random_state(self, rng: np.random.Generator) -> Vector:
        """Return atoms drawn uniformly from a ball with room for them, shape ``(3N,)``."""
        check_generator(rng)
        directions = rng.standard_normal((self.n, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        return (directions * (self.radius * rng.random((self.n, 1)) ** (1 / 3))).ravel()

    def symmetric_state(self, rng: np.random.Generator) -> Vector:
        """Return atoms with a random point group, ``(3N,)``: `point_groups`."""
        return symmetric_atoms(self.n, self.radius * rng.uniform(0.7, 1.1), rng).ravel()

    def move(self, x: Vector, size: float, rng: np.random.Generator) -> Vector:
        """Return a move for basin hopping: all atoms by up to ``size``, or a loose one elsewhere.

        In one of four moves the atom with the fewest neighbours within 1.5 is put anywhere on the
        surface: a cluster grows an overlayer faster than it can shake one off.
        """
        atoms = x.reshape(-1, 3) - x.reshape(-1, 3).mean(axis=0)
        if rng.random() < 0.75:
            return np.asarray((atoms + rng.uniform(-size, size, atoms.shape)).ravel())
        near = (np.linalg.norm(atoms[:, None] - atoms[None], axis=2) < 1.5).sum(axis=1)
        loose = rng.choice(np.flatnonzero(near == near.min()))
        direction = rng.standard_normal(3)
        direction /= np.linalg.norm(direction)
        others = np.delete(atoms, loose, axis=0)
        atoms[loose] = direction * (float((others @ direction).max()) + 0.5)
        return np.asarray(atoms.ravel())

    @property
    def radius(self) -> float:
        """Radius of a ball that holds the cluster: close packing at the distance ``2^(1/6)``."""
        return float(2 ** (1 / 6) * (0.5 + (3 * self.n / (4 * math.pi * math.sqrt(2))) ** (1 / 3)))

    def equivalents(self, x: Vector, rng: np.random.Generator) -> Iterator[tuple[str, Vector]]:
        """Yield ``(name, x')`` for a random element of each symmetry."""
        atoms = self._checked(x).reshape(-1, 3)
        rotation, _ = np.linalg.qr(rng.standard_normal((3, 3)))
        yield "translation", (atoms + rng.standard_normal(3)).ravel()
        yield "rotation", (atoms @ (rotation * np.linalg.det(rotation))).ravel()
        yield "inversion", -x
        yield "relabelling", atoms[rng.permutation(self.n)].ravel()

    @property
    def log_group_order(self) -> float:
        """Return ``ln(2 N!)``, the number of relabellings and inversions."""
        return math.log(2) + math.lgamma(self.n + 1)

    def fingerprint(self, x: Vector) -> Vector:
        """Return the sorted distances of all pairs, ``(N(N-1)/2,)``."""
        return np.sort(pdist(x.reshape(-1, 3)))

    def same(self, x: Vector, other: Vector, tolerance: float = 1e-3) -> bool:
        """Tell whether the two states are one structure: `alignment.congruent`."""
        return alignment.congruent(x, other, tolerance)

    def stabiliser_order(self, x: Vector) -> int:
        """Return the order of the point group: `alignment.point_group_order`."""
        return alignment.point_group_order(x)

    def aligned(self, x: Vector, reference: Vector) -> Vector:
        """Return the image of ``x`` nearest to ``reference``: `alignment.aligned`."""
        return alignment.aligned(x, reference)

    def _checked(self, x: Vector) -> Vector:
        return np.ascontiguousarray(vector("x", x, self.n_dof))

    def _finite(self, energy: float) -> float:
        if not math.isfinite(energy):
            raise ValueError(
                f"expected finite coordinates and no two atoms at one place, got energy {energy}: "
                "start elsewhere"
            )
        return energy


@dataclass(frozen=True)
class LennardJones(Cluster):
    """``E = Σ_{i<j} 4 (r⁻¹² - r⁻⁶)``, in units of the well depth and of the atomic diameter.

    Parameters
    ----------
    n
        Number of atoms, at least 2.

    Raises
    ------
    ValueError
        If ``n`` is less than 2.

    References
    ----------
    D. J. Wales, J. P. K. Doye, J. Phys. Chem. A 101, 5111 (1997).

    Examples
    --------
    >>> pair = LennardJones(2)
    >>> energy, gradient = pair.energy_gradient(np.array([0, 0, 0, 2 ** (1 / 6), 0, 0]))
    >>> round(energy, 12), bool(np.abs(gradient).max() < 1e-13)
    (-1.0, True)
    """


@dataclass(frozen=True)
class AxilrodTeller(Cluster):
    """Lennard-Jones atoms with the triple-dipole energy of Axilrod and Teller.

    ``E = Σ 4 (r⁻¹² - r⁻⁶) + Z Σ (1 + 3 cosθ₁ cosθ₂ cosθ₃)/(r₁₂ r₁₃ r₂₃)³``. At ``Z = 2`` three
    atoms (LJAT3) have four labelled minima: a triangle, and a line for each atom in the middle.

    Parameters
    ----------
    n
        Number of atoms, at least 2.
    z
        Strength ``Z`` of the triple-dipole term.

    References
    ----------
    B. M. Axilrod, E. Teller, J. Chem. Phys. 11, 299 (1943); A. J. Ballard et al., Phys. Chem.
    Chem. Phys. 19, 12585 (2017).
    """

    n: int = 3
    z: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not math.isfinite(self.z):
            raise ValueError(f"expected a finite strength z, got {self.z}: pass a number such as 2")

    @property
    def triples(self) -> float:
        """``Z``."""
        return self.z

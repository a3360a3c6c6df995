"""When two states are one: the symmetry group of a system, or the best that is known without it."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from bridge.protocols import ConstraintProblem, Landscape, Vector


@runtime_checkable
class Identity(Protocol):
    """A symmetry group: what it leaves unchanged, and when it carries one state onto another.

    A system that has these methods is its own identity.
    """

    @property
    def log_group_order(self) -> float:
        """Logarithm of the order of the discrete group, such as ``ln(2 N!)``; NaN if unknown."""

    def fingerprint(self, x: Vector) -> Vector:
        """Return numbers that depend continuously on ``x`` and are equal for equivalent states."""

    def same(self, x: Vector, other: Vector, tolerance: float) -> bool:
        """Tell whether the group carries ``x`` to within ``tolerance`` of ``other``."""

    def stabiliser_order(self, x: Vector) -> int:
        """Return how many elements of the group leave ``x`` as it is, one at least."""

    def aligned(self, x: Vector, reference: Vector) -> Vector:
        """Return the image of ``x`` that is nearest to ``reference``."""


class NoSymmetry:
    """The group of the identity alone: states are one where their variables are."""

    @property
    def log_group_order(self) -> float:
        """Return 0: the identity alone."""
        return 0.0

    def fingerprint(self, x: Vector) -> Vector:
        """Return nothing: only the energies are compared before the states."""
        del x
        return np.empty(0)

    def same(self, x: Vector, other: Vector, tolerance: float) -> bool:
        """Compare the variables of the nearest images."""
        return bool(np.abs(self.aligned(x, other) - other).max() < tolerance)

    def stabiliser_order(self, x: Vector) -> int:
        """Return 1."""
        del x
        return 1

    def aligned(self, x: Vector, reference: Vector) -> Vector:
        """Return ``x`` as it is."""
        del reference
        return x


@dataclass(frozen=True, eq=False)
class PlainIdentity(NoSymmetry):
    """States without discrete symmetry: one if they differ along continuous symmetries only."""

    problem: Landscape

    def aligned(self, x: Vector, reference: Vector) -> Vector:
        """Return ``x`` moved along the symmetries, to first order, to be nearest."""
        modes = self.problem.zero_modes(reference)
        return np.asarray(x - ((x - reference) @ modes.T) @ modes)


@dataclass(frozen=True, eq=False)
class GapIdentity(NoSymmetry):
    """States of a constraint problem: one if their violated gaps are, whoever they belong to.

    Gaps do not change under any symmetry, discrete or continuous, and those of rattlers and of
    dead units are satisfied. Two different states whose sorted violations agree within the
    tolerance would be taken for one; that needs a coincidence of ``N_Δ`` numbers.
    """

    problem: ConstraintProblem

    @property
    def log_group_order(self) -> float:
        """Return NaN: which group leaves the gaps alone is not known."""
        return float("nan")

    def fingerprint(self, x: Vector) -> Vector:
        """Return the sum and the sum of squares of the violated gaps."""
        gaps = np.maximum(self.problem.gaps(x), 0)
        return np.array([gaps.sum(), gaps @ gaps])

    def same(self, x: Vector, other: Vector, tolerance: float) -> bool:
        """Compare the sorted violations."""
        a, b = (self._violations(state) for state in (x, other))
        count = max(a.size, b.size)
        a, b = (np.pad(v, (count - v.size, 0)) for v in (a, b))
        return bool(np.abs(a - b).max(initial=0.0) < tolerance)

    def _violations(self, x: Vector) -> Vector:
        gaps = self.problem.gaps(x)
        return np.sort(gaps[gaps > 0])


def identity_of(problem: Landscape) -> Identity:
    """Return the symmetry group of a system, or what stands in for it."""
    if isinstance(problem, Identity):
        return problem
    if isinstance(problem, ConstraintProblem):
        return GapIdentity(problem)
    return PlainIdentity(problem)


def flat_directions(problem: Landscape, x: Vector) -> Vector:
    """Return orthonormal directions that cost nothing, ``(k, n_dof)``.

    They are the continuous symmetries and the variables of frozen bodies: rattlers, dead units.
    """
    modes = problem.zero_modes(x)
    # The attribute and not the protocol: an instance check costs as much as a small Hessian.
    frozen = getattr(problem, "frozen", None)
    bodies = frozen(x) if frozen is not None else []
    if not bodies:
        return modes
    variables = np.concatenate(bodies)
    unit = np.eye(problem.n_dof)[variables]
    rest = modes.copy()
    rest[:, variables] = 0.0
    _, sizes, rows = np.linalg.svd(rest, full_matrices=False)
    return np.concatenate([unit, rows[sizes > 1e-8]])

"""How the state, the load, forces and gaps respond while active constraints are exchanged.

The equations of an optimum are solved with the border of `bridge.jamming.bordered`. The gaps of all
constraints change by ``J u + ℓ t``; they are kept for each column of the border, so that an
exchange takes one solution of the equations and one product with ``J``.
"""

from typing import Generic, NamedTuple

import numpy as np

from bridge.jamming.bordered import Answer, Bordered, Change
from bridge.jamming.factor import SingularError
from bridge.jamming.linearised import Linearised, P
from bridge.jamming.vertex import dense_row
from bridge.protocols import Indices, Matrix, Vector


class Rates(NamedTuple):
    """Change per part of the way: of the motion, the load, and forces and gaps of all rows."""

    u: Vector
    t: float
    forces: Vector
    gaps: Vector


class Solved(NamedTuple):
    """``K⁻¹`` of a right side, and the rates ``J u + ℓ t`` of all gaps that it stands for."""

    vector: Vector
    gaps: Vector


class Exchange(NamedTuple):
    """A change of the equations that may be made: its column, ``K⁻¹`` of it, and its row."""

    change: Change
    inner: Vector
    outer: Vector
    solved: Solved
    line: Vector


class Responses(Generic[P]):
    """The equations of the ``rows`` of ``here``, and of those exchanged for them.

    Parameters
    ----------
    here
        All constraints.
    rows
        Those that are active at first.
    columns
        The variables that may move.
    curvature
        ``L`` of these variables.
    right
        The right side of the equations.

    Raises
    ------
    SingularError
        If the equations have no solution.
    """

    def __init__(
        self,
        here: Linearised[P],
        rows: Indices,
        columns: Indices,
        curvature: Matrix,
        right: Vector,
    ) -> None:
        self.here, self.columns = here, columns
        jacobian = here.jacobian[rows][:, columns]
        self.equations = Bordered(curvature, jacobian, here.tightening[rows], rows)
        if self.equations.factor.vanishing():
            raise SingularError("active constraints are redundant, or leave a motion free")
        # The kinks as they were when a row came into the equations.
        self._first = here
        self._entered: dict[int, Linearised[P]] = {}
        self._along = self._solved(right)
        # Of the changes made: the gaps that their columns stand for, and what is asked of each.
        self._gaps, self._goals = np.zeros((len(here.gaps), 0)), np.zeros(0)

    def rates(self) -> Rates:
        """Return the solution after all changes."""
        vector, gaps = self._along
        return self._rates(self.equations.solve(vector, self._goals, solved=vector), gaps)

    def exchange(self, change: Change) -> Exchange:
        """Return what a change of the present rows would be."""
        line = dense_row(self.here.jacobian, change.row)[self.columns]
        load = self.here.tightening[change.row] if change.added else 0.0
        inner, outer = self.equations.column(change, line, load)
        return Exchange(change, inner, outer, self._solved(inner), line)

    def response(self, wanted: Exchange) -> tuple[Rates, float]:
        """Return the rates at which a change would act, and its pivot in the equations."""
        vector, gaps = wanted.solved
        answer = self.equations.solve(wanted.inner, wanted.outer, solved=vector)
        pivot = abs(float(wanted.inner @ answer.inner + wanted.outer @ answer.outer))
        return self._rates(answer, gaps), pivot

    def keep(self, wanted: Exchange, goal: float) -> None:
        """Make a change; the rate of an added row shall be ``goal``."""
        self.equations.keep(wanted.change, wanted.inner, wanted.solved.vector)
        if wanted.change.added:
            self._entered[wanted.change.row] = self.here
        self._gaps = np.column_stack([self._gaps, wanted.solved.gaps])
        self._goals = np.append(self._goals, goal)

    def forget(self, change: Change) -> None:
        """Take a change back."""
        k = self.equations.changes.index(change)
        self._gaps, self._goals = np.delete(self._gaps, k, axis=1), np.delete(self._goals, k)
        self.equations.forget(change)

    def turn(self, row: int) -> None:
        """Take the rows that a kink bends on its other side."""
        bent, parts = self.here.bent_by(row)
        for gaps in (self._along.gaps, self._gaps):
            gaps[bent] += np.multiply.outer(parts, gaps[row])
            gaps[row] = -gaps[row]
        self.here = self.here.turned(np.array([row]))

    def ties(self, row: int) -> tuple[tuple[int, float], ...]:
        """Return the rows of the equations that a kink bends, and by how much.

        Bends of a row are those that it had when it came into the equations: of kinks that were
        turned since then, the forces bend them further.
        """
        bent = [other for other in self.here.bent_by(row)[0].tolist() if self.equations.has(other)]
        there = [self._entered.get(other, self._first) for other in bent]
        return tuple((k, here.bend(k, row)) for k, here in zip(bent, there, strict=True))

    def _solved(self, right: Vector) -> Solved:
        """Solve the equations as factorised, ``right`` as long as they are."""
        if not right.any():
            return Solved(right, np.zeros(len(self.here.gaps)))
        vector = self.equations.factor.solve(right)
        u, t = self._motion(vector)
        return Solved(vector, self.here.jacobian @ u + t * self.here.tightening)

    def _motion(self, vector: Vector) -> tuple[Vector, float]:
        """Return ``u (n_dof,)`` and ``t`` of a solution."""
        u = np.zeros(self.here.problem.n_dof)
        u[self.columns] = vector[: len(self.columns)]
        return u, float(vector[-1])

    def _rates(self, answer: Answer, gaps: Vector) -> Rates:
        """Return an answer as rates; ``gaps`` are those of its right side without changes."""
        if self.equations.changes:
            gaps = gaps - self._gaps @ answer.outer
        forces = self.equations.forces(answer, len(gaps))
        return Rates(*self._motion(answer.inner), forces, gaps)

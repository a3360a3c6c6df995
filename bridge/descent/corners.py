"""Descent of the linear hinge from corner to corner, along edges: by active sets.

In a corner of ``U = Σ_μ max(Δ_μ, 0)`` as many constraints are marginal, ``Δ = 0``, as there are
motions, and their forces ``λ`` follow from the balance ``Σ λ ∇Δ + Σ_violated ∇Δ = 0``. Where one
of them leaves ``[0, 1]``, its constraint lets go, to the open side below 0 and to the violated one
above 1. The others stay marginal: what is left is an edge, along which the energy falls at the
rate by which the force was out of range, until another constraint becomes marginal. That is the
simplex method on a curved polytope, and the least change of a state that lost its balance (Franz,
Sclocchi, Urbani, SciPost Phys. 9, 012, 2020, follow minima so). `bridge.descent.linear_hinge` is
for far starts.

Two patterns in the plane, one of which is violated: the state turns towards it until the other
becomes marginal, and there it stays with half of the force of the first:

>>> import numpy as np
>>> from particles import Perceptron
>>> problem = Perceptron(np.array([[1.0, 0.0], [-0.5, 0.0]]), sigma=0.5)
>>> corner = settle(Corner.at(problem, np.array([0.1, 1.0])))
>>> corner.status, corner.marginal, corner.forces.round(12), round(corner.energy, 12)
('jammed', array([0]), array([0.5]), 0.75)
"""

from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Self, TypeVar

import numpy as np
from scipy import linalg

from bridge.descent.linear_certificate import Around
from bridge.measure.observables import dense, gap_names
from bridge.protocols import HasCurvature, HasGapNames, Indices, Mask, Status, Vector

# Gaps to which marginal constraints are closed, and that rounding leaves of a sign.
_CLOSED, _NO_SIGN = 1e-14, 1e-12
# Residual force beside the largest pull of a constraint that is none.
BALANCED = 1e-9
# Longest step along an edge, root mean square over the variables, in the units of x.
_REACH = 0.05
_MOST_HALVINGS, _MOST_CORRECTIONS = 40, 12
# Part of a step by which closing the marginal gaps again may move the state.
_BENT = 0.3

C = TypeVar("C", bound="Corner")


@dataclass(frozen=True, eq=False)
class Corner:
    """A state with its marginal constraints, which may be on the way: a `bridge.End`.

    Attributes
    ----------
    problem, x
        The constraints, and the state ``(n_dof,)``.
    marginal
        Places of the constraints with ``Δ = 0``, whose rows are independent, ``(k,)``.
    pulling
        Mask of the constraints that are violated, ``(m,)``.
    forces
        Those of the marginal constraints, ``(k,)``.
    status, reason
        ``"jammed"``: a minimum. ``"unjammed"``: nothing is violated. ``"stalled"``: on the way.
    pivots
        Edges followed so far.
    """

    problem: HasCurvature
    x: Vector
    marginal: Indices
    pulling: Mask
    forces: Vector = field(default_factory=lambda: np.empty(0))
    status: Status = Status.STALLED
    reason: str = ""
    pivots: int = 0

    @classmethod
    def at(cls, problem: HasCurvature, x: Vector, marginal: Indices | None = None) -> Self:
        """Return the start at a state, where ``marginal`` constraints are closed."""
        chosen = np.empty(0, dtype=np.intp) if marginal is None else marginal
        pulling = problem.gaps(x) > 0.0
        pulling[chosen] = False
        return cls(problem, x, chosen, pulling)

    @property
    def energy(self) -> float:
        """``U = Σ max(Δ, 0)`` over the constraints that pull."""
        return float(self.problem.gaps(self.x)[self.pulling].sum())

    @cached_property
    def around(self) -> Around:
        """The state to second order."""
        return Around(self.problem, self.x, self.marginal, self.pulling)

    def without(self, k: int, *, violated: bool) -> Self:
        """Return the corner whose ``k``-th marginal constraint has let go, to one side."""
        pulling = self.pulling.copy()
        pulling[self.marginal[k]] = violated
        kept = np.delete(self.marginal, k)
        return replace(self, marginal=kept, pulling=pulling, forces=np.delete(self.forces, k))

    def moved(self, step: Vector, target: int | None = None) -> Self | None:
        """Return the corner after a step, with a ``target`` marginal as well.

        None if marginal gaps do not close next to where it ends, or if another constraint has
        crossed zero.
        """
        here = self
        if target is not None:
            pulling = self.pulling.copy()
            pulling[target] = False
            here = replace(self, marginal=np.append(self.marginal, target), pulling=pulling)
        there = here.shifted(step)
        return there if there is not None and len(there.crossed()) == 0 else None

    def places(self) -> dict[tuple[int, ...], int]:
        """Return the place of each gap in the list of this state, by its permanent name."""
        names = map(tuple, gap_names(self.problem, self.x).tolist())
        return {name: place for place, name in enumerate(names)}

    def loaded(self, problem: HasCurvature) -> Self:
        """Return the same state and constraints at another load, its gaps not yet closed again."""
        return _renamed(self, self.x, problem)

    def carrying(self, forces: Vector) -> Self:
        """Return the same with other forces."""
        found = replace(self, forces=forces)
        if "around" in self.__dict__:
            found.__dict__["around"] = self.around
        return found

    def shifted(self, step: Vector, near: Around | None = None) -> Self | None:
        """Return the corner after a step, its marginal gaps closed; None if these stay open.

        They are closed by the rows of a state ``near``, that of the corner if not given.
        """
        there = self._closed(_renamed(self, self.x + step), self.around if near is None else near)
        allowed = _BENT * float(np.linalg.norm(step)) + 1e-9
        if there is None or np.linalg.norm(there.x - self.x - step) > allowed:
            return None
        return there

    def _closed(self, there: Self, near: Around) -> Self | None:
        """Close the marginal gaps by the shortest steps; None if these do not shrink."""
        if not len(there.marginal):
            return there
        if near.rank < len(self.marginal):
            return None
        before = np.inf
        for _ in range(_MOST_CORRECTIONS):
            gaps = there.problem.gaps(there.x)[there.marginal]
            size = float(np.abs(gaps).max())
            if size <= _CLOSED or (size <= 0.1 * _NO_SIGN and size > 0.5 * before):
                return there
            if size > before:
                return None
            there, before = _renamed(there, there.x + near.closing(gaps)), size
        return None

    def crossed(self) -> Indices:
        """Return the places of constraints whose gap has not the sign of their side."""
        gaps = self.problem.gaps(self.x)
        wrong = np.where(self.pulling, gaps < -_NO_SIGN, gaps > _NO_SIGN)
        wrong[self.marginal] = False
        return np.flatnonzero(wrong)


def settle(corner: Corner, most: int = 20_000) -> Corner:
    """Descend along edges to a minimum, by at most ``most`` of them.

    The constraint whose force is farthest out of ``[0, 1]`` lets go first.
    """
    for _ in range(most):
        here = corner.around
        corner = corner.carrying(here.balanced(np.zeros(len(corner.marginal))))
        if not (len(corner.marginal) or corner.pulling.any()):
            return replace(corner, status=Status.UNJAMMED)
        way = _way(corner, here)
        if way is None:
            outside = np.maximum(-corner.forces, corner.forces - 1.0)
            worst = int(np.argmax(outside)) if len(outside) else -1
            if worst < 0 or outside[worst] <= BALANCED:
                return replace(corner, status=Status.JAMMED)
            corner = corner.without(worst, violated=bool(corner.forces[worst] > 1.0))
            continue
        there = _along(corner, way)
        if there is None:
            return replace(corner, reason="no step along an edge lowers the energy")
        corner = replace(there, pivots=corner.pivots + 1)
    return replace(corner, reason=f"{most} edges were not enough")


def _way(corner: Corner, here: Around) -> Vector | None:
    """Return a step ``(n_dof,)`` that lowers the energy; None where the marginal gaps allow none.

    Newton's step along the free motions, with the size of each curvature.
    """
    if not here.across.shape[1]:
        return None
    longest = _REACH * np.sqrt(len(corner.x))
    curvature = here.curvature(corner.forces)
    values, motions = linalg.eigh(here.across.T @ curvature @ here.across)
    slope = motions.T @ (here.across.T @ here.pull)
    rows = max(float(np.abs(here.jacobian).max(initial=0.0)), float(np.abs(here.pull).max()))
    flat = 1e-12 * float(np.abs(curvature).max(initial=0.0))
    if np.abs(slope).max() <= BALANCED * rows:
        if values[0] >= -flat:
            return None
        along = -np.copysign(longest, slope[0]) * motions[:, 0]
    else:
        sizes = np.maximum(np.abs(values), np.linalg.norm(slope) / longest)
        along = motions @ (-slope / sizes)
        along *= min(1.0, longest / float(np.linalg.norm(along)))
        if values.max() <= 0.0:  # the farther the better
            along *= longest / float(np.linalg.norm(along))
    step = np.zeros(len(corner.x))
    step[here.held] = here.across @ along
    return step


def _along(corner: Corner, step: Vector) -> Corner | None:
    """Return where a step ends: at the first constraint it closes, or sooner; None if nowhere."""
    energy, gaps = corner.energy, corner.problem.gaps(corner.x)
    noise = 1e-14 * (energy + float(np.abs(gaps).max()))
    rates = dense(corner.problem.gap_jacobian(corner.x)) @ step
    closing = np.where(corner.pulling, (gaps > 0) & (rates < 0), (gaps < 0) & (rates > 0))
    closing[corner.marginal] = False
    places = np.flatnonzero(closing)
    parts = -gaps[places] / rates[places]
    first = int(np.argmin(parts)) if len(parts) else -1
    part = 1.0
    for _ in range(_MOST_HALVINGS):
        target = None
        if first >= 0 and parts[first] <= part:
            part, target = float(parts[first]), int(places[first])
        there = corner.moved(part * step, target)
        if there is not None and there.energy <= energy + noise:
            return there
        part *= 0.5
    return None


def _renamed(corner: C, x: Vector, problem: HasCurvature | None = None) -> C:
    """Return the corner at another state or load, where a list of gaps may have other places."""
    there = replace(corner, x=x, problem=corner.problem if problem is None else problem)
    if not _lists_vary(type(corner.problem)):
        return there
    places = there.places()
    pulling = there.problem.gaps(x) > 0.0
    names = list(corner.places())
    for name, pulls in zip(names, corner.pulling.tolist(), strict=True):
        if name in places:
            pulling[places[name]] = pulls
    marginal = np.array([places[names[k]] for k in corner.marginal], dtype=np.intp)
    return replace(there, marginal=marginal, pulling=pulling)


@cache
def _lists_vary(system: type) -> bool:
    return issubclass(system, HasGapNames)

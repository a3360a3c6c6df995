"""The jamming point from the inside: an interior point method for smooth constraints.

    maximise t + μ Σ log(-Δ(x; t))

has all constraints open, and each pushes with a force ``λ = -μ/Δ``: hard particles at a pressure
``1/μ``, whose rattlers keep clear of their cages (Brito, Wyart, EPL 76, 149, 2006). As ``μ`` goes
to zero the maximum goes to the jamming point, and forces stay where constraints close. With the
weights ``D = -λ/Δ`` and the curvature ``L = Σ λ ∇²Δ`` Newton's equations for a motion ``u`` and
a growth ``t`` of the load are

    (L + Jᵀ D J) u + Jᵀ D ℓ t = Jᵀ μ/Δ,    ℓᵀ D J u + ℓᵀ D ℓ t = 1 + ℓᵀ μ/Δ

One factorisation serves a predictor and a corrector (Mehrotra, SIAM J. Optim. 2, 575, 1992), and
corrections towards equal products ``-λΔ`` (Gondzio, Comput. Optim. Appl. 6, 137, 1996). Their
number hardly grows with the size: from overlaps of 1e-5 it is ten to twenty for 1024 discs and for
10⁴, and three to eight for ellipses.

Where curvature favours a motion, as that of discs does, which come apart as they turn about each
other, it is left out from then on: one step in the linear program of each state.
"""

from dataclasses import dataclass
from typing import Any, Generic

import numpy as np
from scipy import sparse

from bridge.jamming.factor import Factor, SingularError
from bridge.jamming.linearised import Linearised, P
from bridge.measure.observables import gap_names, places_of
from bridge.protocols import Indices, Matrix, Vector

# Stiffness that every motion has, beside the mean force: it holds symmetries and loose bodies.
_STIFFNESS = 1e-4
# Part of the way to the first constraint that closes, or force that vanishes, of one step.
_CAUTION = 0.995
# Longest motion of a variable in one step, and the part of it left where a constraint is violated.
_LONGEST, _SHORTENED = 0.1, 0.7
# Bounds of what a step leaves of the products -λΔ.
_LEAST_RATIO, _LARGEST_RATIO = 1e-3, 0.8
# Corrections look this much further, leave products alone that are within a factor of their goal,
# and are taken if both lengths grow by so much together.
_MOST_CORRECTIONS, _FURTHER, _WITHIN, _WORTH = 3, 0.3, 10.0, 0.02
# Products to begin with where there is no overlap, beside the mean.
_LEAST_PRODUCT = 0.3
# Steps in which the bound has to fall to a half: a state that is not stable slides on and on.
_PATIENCE = 8
# What is left of the sum of the products, a bound on the growth of the load, at the end.
_LAST_GROWTH = 1e-11


@dataclass(frozen=True, eq=False)
class Interior(Generic[P]):
    """Where an interior point method ended, all constraints open.

    Attributes
    ----------
    here
        The system there.
    rows, forces
        The constraints that push, and their forces ``λ``, ``ℓ·λ = 1``.
    others
        The other constraints, those that all but close first.
    curved
        Whether curvature was part of the equations, which it is where it resists all motions.
    fill
        Entries of the last factors for each variable.
    steps
        Steps taken.
    converged
        Whether the load could grow by less than 1e-11, to first order.
    """

    here: Linearised[P]
    rows: Indices
    forces: Vector
    others: Indices
    curved: bool
    fill: float
    steps: int
    converged: bool


@dataclass(frozen=True, eq=False)
class _Inside(Generic[P]):
    """A state with all constraints open, their names and their forces."""

    here: Linearised[P]
    names: Indices
    forces: Vector

    @property
    def room(self) -> Vector:
        return -self.here.gaps

    @property
    def products(self) -> Vector:
        return self.forces * self.room


@dataclass(frozen=True, eq=False)
class _Direction:
    """A motion, a growth of the load, and what they do to room and forces.

    ``lengths`` are the parts of it that leave room, and forces, positive.
    """

    u: Vector
    t: float
    room: Vector
    forces: Vector
    lengths: tuple[float, float]


class _Equations:
    """Newton's equations at a state.

    Raises
    ------
    SingularError
        If their matrix is not positive definite.
    """

    def __init__(self, at: _Inside[Any], curvature: "Matrix | None") -> None:
        self.at, self.jacobian, self.load = at, at.here.jacobian, at.here.tightening
        self.weights = at.forces / at.room
        stiffness = self._stiffness(curvature)
        self.factor = Factor(stiffness, definite=True)
        if curvature is not None and not _definite(stiffness, self.factor):
            raise SingularError("expected a maximum, but curvature favours a motion")
        self.border = self.jacobian.T @ (self.weights * self.load)
        self.answer = self.factor.solve(self.border)
        self.pivot = float(self.weights @ self.load**2 - self.border @ self.answer)

    def direction(self, goal: Vector | float) -> _Direction:
        """Return the direction that takes the products to their ``goal``, to first order."""
        room, forces = self.at.room, self.at.forces
        pushes = goal / room
        motion = self.factor.solve(-(self.jacobian.T @ pushes))
        t = (1.0 - float(self.load @ pushes) - float(self.border @ motion)) / self.pivot
        u = motion - t * self.answer
        closing = self.jacobian @ u + self.load * t
        change = pushes - forces + self.weights * closing
        lengths = _part_left(room, -closing), _part_left(forces, change)
        return _Direction(u, t, -closing, change, lengths)

    def _stiffness(self, curvature: "Matrix | None") -> Matrix:
        n, least = self.jacobian.shape[1], _STIFFNESS * float(self.at.forces.mean())
        stiff = np.flatnonzero(self.weights > least)  # the others would only fill the factors
        root = np.sqrt(self.weights[stiff])
        if sparse.issparse(self.jacobian):
            root = sparse.diags_array(root) @ self.jacobian[stiff]
            found = root.T @ root + least * sparse.eye_array(n)
        else:
            root = root[:, None] * self.jacobian[stiff]
            found = root.T @ root + least * np.eye(n)
        return found if curvature is None else found + curvature


def _definite(matrix: Matrix, factor: Factor) -> bool:
    if sparse.issparse(matrix):
        return factor.positive()
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def interior_point(problem: P, x: Vector, max_steps: int = 60) -> Interior[P] | None:
    """Follow the maximum of the load from a minimum of small overlaps; None without overlap.

    Parameters
    ----------
    problem, x
        The minimum: a smooth system, and its state ``(n_dof,)``.
    max_steps
        Steps after which to give up.

    Examples
    --------
    >>> from particles import Discs, decompress
    >>> packing = Discs.bidisperse(32, phi=0.86)
    >>> low = decompress(packing, packing.random_state(np.random.default_rng(0)), 1e-4)
    >>> inside = interior_point(low.problem, low.x)
    >>> inside.converged, bool((inside.here.gaps < 0.0).all())
    (True, True)
    """
    at = _entered(problem, x)
    if at is None:
        return None
    before, curved, fill, steps = at, True, 0.0, 0
    bounds = [np.inf] * _PATIENCE
    while steps < max_steps and at.products.sum() > _LAST_GROWTH:
        bounds.append(float(at.products.sum()))
        if bounds[-1] > 0.5 * bounds[-1 - _PATIENCE]:
            break
        steps += 1
        try:
            equations = _Equations(at, _curvature(at) if curved else None)
        except SingularError:
            if not curved:
                break
            curved = False
            continue
        fill = equations.factor.fill()
        before, at = at, _stepped(at, equations)
    rows, others = _told_apart(before, at)
    converged = bool(at.products.sum() <= _LAST_GROWTH)
    return Interior(at.here, rows, at.forces[rows], others, curved, fill, steps, converged)


def _entered(problem: P, x: Vector) -> _Inside[P] | None:
    """Lower the load until every constraint is open; forces are the overlaps to begin with."""
    overlaps = np.maximum(problem.gaps(x), 0.0)
    touching = overlaps > 0.0
    if not touching.any():
        return None
    deepest = float((overlaps[touching] / problem.tightening(x)[touching]).max())
    fall = deepest + float(overlaps[touching].mean())
    here = Linearised.at(problem.tightened(-fall), x)
    while here.gaps.max() >= 0.0:
        fall *= 1.5
        here = Linearised.at(problem.tightened(-fall), x)
    names = gap_names(here.problem, x)
    forces = _carried(gap_names(problem, x), overlaps, names)
    product = float((forces * -here.gaps).sum()) / int(touching.sum())
    forces = np.maximum(forces, _LEAST_PRODUCT * product / -here.gaps)
    return _Inside(here, names, forces / float(forces @ here.tightening))


def _curvature(at: _Inside[Any]) -> Matrix:
    found: Matrix = at.here.problem.curvature(at.here.x, at.forces)
    return found


def _stepped(at: _Inside[P], equations: _Equations) -> _Inside[P]:
    """Go one step, of the predictor's direction with its corrections."""
    mean = float(at.products.mean())
    best = equations.direction(0.0)
    left = (at.room + best.lengths[0] * best.room) @ (at.forces + best.lengths[1] * best.forces)
    ratio = float(left) / len(at.forces) / mean
    wanted = mean * min(max(ratio**3, _LEAST_RATIO), _LARGEST_RATIO)
    goal = wanted - best.lengths[0] * best.lengths[1] * best.room * best.forces
    best = equations.direction(goal)
    for _ in range(_MOST_CORRECTIONS):
        goal = goal + _correction(at, best, wanted)
        better = equations.direction(goal)
        if sum(better.lengths) < sum(best.lengths) + _WORTH:
            break
        best = better
    return _moved(at, best, wanted)


def _correction(at: _Inside[Any], best: _Direction, wanted: float) -> Vector:
    """Return what takes products that would leave the neighbourhood of their goal back to it."""
    lengths = [min(1.0, length + _FURTHER) for length in best.lengths]
    products = (at.room + lengths[0] * best.room) * (at.forces + lengths[1] * best.forces)
    inside = np.clip(products, wanted / _WITHIN, wanted * _WITHIN)
    return np.maximum(inside - products, -_WITHIN * wanted)


def _moved(at: _Inside[P], best: _Direction, wanted: float) -> _Inside[P]:
    """Go as far as all constraints stay open; a new one on the list has the force of its room."""
    longest = float(np.abs(best.u).max())
    length = min(best.lengths[0], _LONGEST / max(longest, _LONGEST))
    there = at.here.moved(length * best.u, length * best.t)
    while there.gaps.max() >= 0.0:
        length *= _SHORTENED
        there = at.here.moved(length * best.u, length * best.t)
    names = gap_names(there.problem, there.x)
    forces = at.forces + best.lengths[1] * best.forces
    return _Inside(there, names, _carried(at.names, forces, names, wanted / -there.gaps))


def _part_left(values: Vector, rates: Vector) -> float:
    """Return the part of the way to the first of positive ``values`` that vanishes, at most 1."""
    falls = rates < 0.0
    return min(1.0, _CAUTION * float((values[falls] / -rates[falls]).min(initial=np.inf)))


def _told_apart(before: _Inside[Any], at: _Inside[Any]) -> tuple[Indices, Indices]:
    """Return the constraints that close, and those that let go in the order of how little they do.

    As the products fall by a factor, room does so at active constraints, and forces at the others
    (El-Bakry, Tapia, Zhang, SIAM Rev. 36, 45, 1994).
    """
    forces = _carried(before.names, before.forces, at.names, np.inf)
    room = _carried(before.names, before.room, at.names)
    closing = (at.forces * room) / (at.room * forces)
    order = np.argsort(-closing, kind="stable")
    active = closing > 1.0
    return np.flatnonzero(active), order[~active[order]]


def _carried(names: Indices, values: Vector, others: Indices, rest: Vector | float = 0.0) -> Vector:
    """Return the ``values`` of constraints by name in the list of ``others``; new ones the rest."""
    if np.array_equal(names, others):
        return values
    place = places_of(others, names)
    return np.where(place >= 0, values[place], rest)

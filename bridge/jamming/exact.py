"""The exact jamming point of any problem that can be tightened.

Jamming is where the tightening ``t`` cannot grow any more:

    maximise t   subject to   Δ_μ(x; t) <= 0   for all μ

At a local maximum some constraints hold exactly, ``Δ = 0``, and balance each other with positive
forces, ``Σ λ ∇Δ = 0``. Minima of ever smaller overlaps know which constraints these are: their
contacts, but for a few. Smooth constraints are told from within, `bridge.jamming.interior`; for
others, and where that way slides off, linear programs started from the contacts make the few
exchanges that are left. Newton's method makes the gaps vanish to rounding (Torquato, Jiao, Phys.
Rev. E 82, 061302, 2010, for linear programs; here they are solved by active sets).

The smallest example is a perceptron of two components between the patterns ``±e_1``. Its margin
``σ + t <= ±x_1/|x|`` can grow to 0, where ``x`` is at right angles to both:

>>> from particles import Perceptron
>>> problem = Perceptron(np.array([[1.0, 0.0], [-1.0, 0.0]]), sigma=-0.5)
>>> point = exact_jamming(problem, np.array([0.4, 1.3]))
>>> point.status, bool(abs(point.problem.sigma) < 1e-12), bool(abs(point.x[0]) < 1e-12)
('jammed', True, True)

One degree of freedom, and one constraint more, which is isostatic. Each carries half of the force:

>>> point.rows, point.forces.round(12), point.certificate.isostatic
(array([0, 1]), array([0.5, 0.5]), True)

Between two patterns at an angle ``θ`` the largest margin is ``cos(θ/2)``, here ``2/√5``:

>>> acute = Perceptron(np.array([[1.0, 0.0], [0.6, 0.8]]), sigma=-0.5)
>>> round(exact_jamming(acute, np.array([0.4, 1.3])).problem.sigma * 5**0.5, 9)
2.0
"""

from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, overload

import numpy as np
from scipy import sparse

from bridge.jamming.active_set import completed
from bridge.jamming.approach import ApproachStage, Minimiser, approach, lbfgs_descent
from bridge.jamming.certificate import CLOSED, Candidate, Certificate
from bridge.jamming.factor import SingularError
from bridge.jamming.hypostatic import curved_optimum
from bridge.jamming.interior import Interior, interior_point
from bridge.jamming.isostatic import isostatic_optimum
from bridge.jamming.linearised import LeftListError, Linearised, P
from bridge.jamming.sequential import sequential_programs
from bridge.measure.observables import free_variables, frozen_bodies
from bridge.protocols import (
    End,
    HasCurvature,
    HasKinks,
    HasMinimiser,
    Indices,
    Mask,
    Vector,
    one_line,
    state_of,
)

# Overlap per variable that is about to drown in the rounding of the gaps.
_LEAST_OVERLAP = 1e-9
# Overlap per variable below which contacts in excess are there to stay, as in a crystal.
_CRYSTAL_OVERLAP = 1e-6
# Overlap per variable from which the inside is entered: from further away states lose their
# stability on the way, and minima of the energy find their way in fewer operations.
_INSIDE_OVERLAP = 2e-5
# Entries of factors for each variable above which the inside is entered once only: those of spheres
# in three dimensions grow with their number, and a closer minimum costs less.
_LARGEST_FILL = 500.0
# Contacts short of isostaticity up to which a minimum is asked whether it is one: descents end
# early on a motion that is all but flat.
_FEW_MISSING = 3
# Entries of a linear program that is not tried: without a start it takes hours.
_LARGEST_PROGRAM = 1_000_000
# Times to start again from where an unstable minimum slid to.
_MOST_RESTARTS = 5

Status = Literal["jammed", "hypostatic", "degenerate", "unbounded", "infeasible", "stalled"]


@dataclass(frozen=True, eq=False, repr=False)
class ExactJamming(Generic[P]):
    """A jamming point, or what was found instead.

    Attributes
    ----------
    status
        ``"jammed"``: a strict local maximum of the load, by its certificate. ``"hypostatic"``:
        the active constraints leave motions free, and curvature does not resist them.
        ``"degenerate"``: some active constraint carries no force. ``"unbounded"``,
        ``"infeasible"``: the load can grow for ever; no load satisfies the constraints.
        ``"stalled"``: none of these was reached.
    reason
        One line on why it is not ``"jammed"``; empty if it is.
    problem, x
        The system at its jamming load, and its state ``(n_dof,)``.
    rows, forces
        The active constraints, as places in ``problem.gaps(x)``, and their forces ``λ > 0``:
        ``Jᵀ λ = 0`` and ``ℓ·λ = 1``.
    kinks, masks
        The kinks that are held, as places in ``problem.kinks(x)``, and how far each is open: with
        these masks ``J`` is that of `bridge.protocols.HasKinks.branch`.
    gaps
        All gaps ``(m,)``: zero to rounding where active, negative elsewhere.
    held
        Mask ``(n_dof,)`` of the variables that active constraints act on.
    certificate
        Residuals and counts; None where no candidate was reached.
    stages, steps, exchanges
        Minima on the way, Newton steps, and active constraints exchanged.
    """

    status: Status
    reason: str
    problem: P
    x: Vector
    rows: Indices
    forces: Vector
    kinks: Indices
    masks: Vector
    gaps: Vector
    held: Mask
    certificate: Certificate | None
    stages: int
    steps: int
    exchanges: int

    def __repr__(self) -> str:
        return one_line(self, n_constraints=len(self.rows))

    @property
    def relative_forces(self) -> Vector:
        """The forces in units of their mean, ``(n_constraints,)``."""
        return np.asarray(self.forces / self.forces.mean())

    def margins(self) -> Vector:
        """Return ``h = -Δ > 0`` of the open constraints between held variables.

        Those of loose bodies are left out: their distance to the others is arbitrary.
        """
        here = Linearised.at(self.problem, self.x)
        inside = here.rows_within(self.held)[: here.n_gaps]
        inside[self.rows] = False
        margins = -self.gaps[inside]
        return np.asarray(margins[margins > CLOSED])


@overload
def exact_jamming(
    problem: P,
    x: Vector,
    *,
    minimise: Minimiser[P] | None = None,
    max_step: float = 0.1,
    max_excess: float = 0.05,
    max_stages: int = 30,
) -> ExactJamming[P]: ...


@overload
def exact_jamming(
    problem: End[P],
    *,
    minimise: Minimiser[P] | None = None,
    max_step: float = 0.1,
    max_excess: float = 0.05,
    max_stages: int = 30,
) -> ExactJamming[P]: ...


def exact_jamming(
    problem: P | End[P],
    x: Vector | None = None,
    *,
    minimise: Minimiser[P] | None = None,
    max_step: float = 0.1,
    max_excess: float = 0.05,
    max_stages: int = 30,
) -> ExactJamming[P]:
    """Maximise the load of ``problem`` from the state ``x``, or from the end of a minimisation.

    Parameters
    ----------
    problem
        The system at any load, or an end of one.
    x
        Where to start, ``(n_dof,)``. From a minimum of small overlaps nothing is minimised again.
    minimise
        Descends from a state: ``minimise(problem, x)`` returns an object with ``x`` and
        ``status``. By default that of the end, if it has one: a system's own minimiser is much
        faster than the generic one, which is for all others.
    max_step
        Largest change of a variable in one step, in the units of ``x``.
    max_excess
        Contacts beyond isostaticity, over ``n``, at which a minimum is close enough.
    max_stages
        Minima after which linear programs in a trust region take over.

    Raises
    ------
    ValueError
        If ``x`` is not a state of ``problem``.

    Examples
    --------
    A perceptron of negative margin has as many contacts as components:

    >>> from particles import Perceptron, descend
    >>> rng = np.random.default_rng(0)
    >>> problem = Perceptron.random(40, alpha=4.0, sigma=-0.5, rng=rng)
    >>> point = exact_jamming(descend(problem, problem.random_state(rng)))
    >>> point.status, len(point.rows), point.certificate.isostatic
    ('jammed', 40, True)
    """
    if minimise is None:
        minimise = problem.minimise if isinstance(problem, HasMinimiser) else lbfgs_descent
    problem, x = state_of(problem, x)
    last: Candidate[P] | None = None
    count = 0
    for restart in range(_MOST_RESTARTS):
        change = 0.01 if restart == 0 else 1e-4
        stages = approach(problem, x, minimise, first_change=change, max_stages=max_stages)
        failures = 0
        for stage in stages:
            count += 1
            problem, x = stage.problem, stage.x
            candidate = _attempt(stage, minimise, max_step, max_excess)
            if candidate is not None and not _flaw(candidate):
                return _result(candidate, "jammed", "", count)
            last = candidate or last
            failures += candidate is not None
            if failures == 2 or stage.overlap_per_variable < _LEAST_OVERLAP:
                break
        if last is None:
            break
        # The minimum was not stable: the load has grown, and descends from where it slid to.
        problem, x = last.here.problem, last.here.x
    return _by_programs(problem, x, last, count)


def _attempt(
    stage: ApproachStage[P], minimise: Minimiser[P], max_step: float, max_excess: float
) -> Candidate[P] | None:
    """Try to end from a minimum; None where it is too far from jamming."""
    if stage.status != "jammed":
        return None
    entered = stage.overlap_per_variable < _INSIDE_OVERLAP and _has_inside(stage.problem)
    if entered:
        inside = _attempt_inside(stage, minimise, max_step)
        if inside is not None and not _flaw(inside):
            return inside
    here = Linearised.at(stage.problem, stage.x)
    free = free_variables(stage.problem.n_dof, frozen_bodies(stage.problem, stage.x))
    rows = here.contacts(free)
    columns = here.columns_of(rows)
    n = len(here.free_of_symmetries(columns)) - here.surface_symmetries(columns)
    excess = len(rows) - n - 1
    # What slid on the inside has too many contacts to exchange until it is closer.
    in_excess = excess > (0 if entered else max(3.0, max_excess * n))
    if not len(rows) or (in_excess and stage.overlap_per_variable > _CRYSTAL_OVERLAP):
        return None
    return _finish(here, rows, max_step)


def _has_inside(problem: object) -> bool:
    """Tell whether a problem is smooth, and forms the curvature of its constraints."""
    return isinstance(problem, HasCurvature) and not isinstance(problem, HasKinks)


def _entered(at: ApproachStage[P], minimise: Minimiser[P]) -> Interior[P] | None:
    """Enter the inside; where the state slides off, once more from the minimum that it slid to."""
    inside = interior_point(at.problem, at.x)
    if inside is None or inside.converged or inside.fill > _LARGEST_FILL:
        return inside
    if at.overlap_per_variable < _CRYSTAL_OVERLAP:
        return inside
    there = inside.here.problem.tightened(0.5 * at.distance)
    minimum = minimise(there, inside.here.x)
    return interior_point(there, minimum.x) if minimum.status == "jammed" else inside


def _attempt_inside(
    at: ApproachStage[P], minimise: Minimiser[P], max_step: float
) -> Candidate[P] | None:
    """Try to end from within all constraints; None where that way comes to no end."""
    inside = _entered(at, minimise)
    if inside is None or not inside.converged or not len(inside.rows):
        return None
    here, rows, forces = inside.here, inside.rows, inside.forces
    held = here.columns_of(rows)
    missing = len(here.free_of_symmetries(held)) + 1 - len(rows)
    try:
        if missing > 0 and inside.curved:
            found = curved_optimum(here, rows, max_step, forces)
        elif missing > 0:  # a constraint all but without force: nothing else holds the state
            others = inside.others[here.rows_within(held)[inside.others]]
            found = isostatic_optimum(here, np.append(rows, others[:missing]), max_step)
        else:
            found = isostatic_optimum(here, rows, max_step, forces)
    except (SingularError, LeftListError):
        return None
    return replace(found, steps=found.steps + inside.steps)


def _finish(here: Linearised[P], rows: Indices, max_step: float) -> Candidate[P]:
    """Solve for the jamming point whose active constraints are about ``rows``."""
    columns = here.free_of_symmetries(here.columns_of(rows))
    missing = len(columns) + 1 - len(rows)
    # The vertices of active_set know no upper bounds, which forces of kinks have.
    kinked = here.kinks is not None and len(here.kinks.names) > 0
    try:
        near = missing <= _FEW_MISSING and not kinked
        full = completed(here, rows, columns) if near else None
        if full is not None:
            return isostatic_optimum(here, full, max_step)
        return curved_optimum(here, rows, max_step)
    except (SingularError, LeftListError) as error:
        redundant = isinstance(error, SingularError) and missing <= 0
        return Candidate(here, rows, here.gaps[rows], str(error), degenerate=redundant)


def _by_programs(problem: P, x: Vector, last: Candidate[P] | None, stages: int) -> ExactJamming[P]:
    """Say by linear programs in a trust region what minima could not, if they are not too large."""
    if last is not None and _entries(last.here) > _LARGEST_PROGRAM:
        return _result(last, _verdict(last), _flaw(last), stages)
    programme = sequential_programs(problem, x)
    here, rows = programme.here, programme.rows
    if programme.status in ("unbounded", "infeasible"):
        reason = {
            "unbounded": "nothing stops the load from growing",
            "infeasible": "no load satisfies the constraints near the state reached",
        }[programme.status]
        return _result(Candidate(here, rows[:0], np.empty(0)), programme.status, reason, stages)
    if programme.status == "converged" and len(rows):
        candidate = _finish(here, rows, max_step=0.1)
        if not _flaw(candidate):
            return _result(candidate, "jammed", "", stages)
        last = last or candidate
    if last is None:
        last = Candidate(here, rows, np.full(len(rows), np.nan), "no minimum was close to jamming")
    return _result(last, _verdict(last), _flaw(last), stages)


def _entries(here: Linearised[Any]) -> int:
    """Return the numbers that its linear program has, zeros left out if it is sparse."""
    matrix: Any = here.jacobian
    return int(matrix.nnz if sparse.issparse(matrix) else matrix.size)


def _flaw(candidate: Candidate[Any]) -> str:
    """Return why a candidate is no jamming point; empty if it is one."""
    if candidate.reason or candidate.certificate is None:
        return candidate.reason or "it was not certified"
    return candidate.certificate.flaw()


def _verdict(candidate: Candidate[Any]) -> Status:
    """Name what a candidate that is no jamming point is instead."""
    here, rows, certificate = candidate.here, candidate.rows, candidate.certificate
    if len(rows) <= len(here.free_of_symmetries(here.columns_of(rows))):
        return "hypostatic"
    if candidate.degenerate or (certificate is not None and certificate.condition >= 1e14):
        return "degenerate"
    return "stalled"


def _result(candidate: Candidate[P], status: Status, reason: str, stages: int) -> ExactJamming[P]:
    here = candidate.here
    acting = candidate.rows < here.n_gaps
    held = here.held_kinks(candidate.rows, candidate.forces)
    return ExactJamming(
        status=status,
        reason=reason,
        problem=here.problem,
        x=here.x,
        rows=candidate.rows[acting],
        forces=candidate.forces[acting],
        kinks=held.names,
        masks=held.masks,
        gaps=here.problem.gaps(here.x),
        held=here.columns_of(candidate.rows),
        certificate=candidate.certificate,
        stages=stages,
        steps=candidate.steps,
        exchanges=candidate.exchanges,
    )

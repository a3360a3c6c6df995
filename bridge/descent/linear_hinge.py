"""Minima of the linear hinge, ``U = Σ_μ max(Δ_μ, 0)``, exact to rounding.

A violated constraint pulls with force 1 however large its violation; what stops it is the corner:
constraints that are marginal, ``Δ = 0``, with a force between 0 and 1. Where the boundaries of the
constraints curve away from the state, as those of discs and of patterns with a negative margin do,
only marginal constraints hold it, as many as it has degrees of freedom: such a minimum is
isostatic at any load (Franz, Sclocchi, Urbani, Phys. Rev. Lett. 123, 115702, 2019; SciPost Phys. 9,
012, 2020).

The corner is rounded off at a temperature that falls (`bridge.descent.softened`): each minimum is
the start for that of the next, shifted as the temperature tells. At last the constraints in the
corner are known, Newton's method makes their gaps vanish and the forces balance, and a certificate
from the problem alone says whether this is a minimum.

Two patterns in the plane pull at the angle of the state, ``e_1`` by 1 and ``-e_1/2`` by half as
much. The first is met with the margin 1/2 at 60 degrees, and keeps half of its force there, while
the second is left violated by 3/4:

>>> import numpy as np
>>> from particles import Perceptron
>>> problem = Perceptron(np.array([[1.0, 0.0], [-0.5, 0.0]]), sigma=0.5)
>>> end = linear_minimum(problem, np.array([0.1, 1.0]))
>>> end.status, end.marginal, end.forces.round(12), round(end.energy, 12)
('jammed', array([0]), array([0.5]), 0.75)
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.special import expit

from bridge.descent.linear_certificate import Around, LinearCertificate, certify
from bridge.descent.newton import Newton
from bridge.descent.softened import Softened
from bridge.measure.observables import gap_names, satisfied
from bridge.measure.spectra import check_dense
from bridge.protocols import (
    ConstraintProblem,
    End,
    HasCurvature,
    HasKinks,
    Indices,
    Status,
    Vector,
    one_line,
    state_of,
)

# The first temperature, in units of the mean violation, and the ratio of two that follow.
_FIRST, _COOLING = 0.2, 0.5
# Temperatures, in units of the first: below the one minima are asked whether they are exact, and
# below the other gaps of the size of the temperature drown in rounding.
_ASK, _LEAST = 1e-3, 1e-12
# Gaps, in units of the temperature, of the constraints in the corner: beyond, the force is within
# 1e-7 of 0 or 1. What repels a rattler more weakly has only not been left yet.
_CORNER = 16.0
# Largest change of a variable on the way from a low temperature to none, in the units of x.
_FARTHEST = 0.01
# Balance of the forces at which a temperature is left, relative as `Newton` has it.
_TOLERANCE = 1e-8
_MOST_STEPS = 8


@dataclass(frozen=True, eq=False, repr=False)
class LinearMinimum:
    """Where the descent of the linear hinge ended: a `bridge.End`.

    Attributes
    ----------
    problem, x
        The constraints, and the state ``(n_dof,)``.
    status
        ``"jammed"``: a strict local minimum, by its certificate. ``"unjammed"``: no constraint is
        violated. ``"stalled"``: neither.
    reason
        Why it stalled; empty if it did not.
    marginal, forces
        The constraints with ``Δ = 0``, as places in ``problem.gaps(x)``, and their forces in
        ``(0, 1)``.
    certificate
        Residuals and counts; None where no candidate was reached.
    evaluations
        Energies with gradient computed.
    """

    problem: HasCurvature
    x: Vector
    status: Status
    reason: str
    marginal: Indices
    forces: Vector
    certificate: LinearCertificate | None
    evaluations: int

    def __repr__(self) -> str:
        return one_line(self, energy=self.energy, n_marginal=len(self.marginal))

    @property
    def energy(self) -> float:
        """``U = Σ max(Δ, 0)``, extensive."""
        return float(np.maximum(self.problem.gaps(self.x), 0.0).sum())


def linear_minimum(
    problem: ConstraintProblem | End[ConstraintProblem], x: Vector | None = None
) -> LinearMinimum:
    """Descend to a minimum of ``U = Σ max(Δ, 0)`` near a state.

    Parameters
    ----------
    problem
        Constraints that form their curvature, or an end of them. That of the harmonic energy
        ``½ Σ max(Δ, 0)²``, which the minimisers of the systems find fast, is a good start.
        Networks of smooth units have one at a fixed norm, `networks.SphericalNetwork`.
    x
        Where to start, ``(n_dof,)``.

    Raises
    ------
    TypeError
        If the constraints do not form their curvature.
    ValueError
        If there are too many variables for dense matrices, or the gaps have kinks: those of
        rectifiers hold a state as marginal constraints do, and are not among the gaps.

    Examples
    --------
    A perceptron of negative margin above its capacity has as many marginal patterns as the sphere
    has directions:

    >>> from particles import Perceptron, descend
    >>> rng = np.random.default_rng(0)
    >>> problem = Perceptron.random(30, alpha=8.0, sigma=-0.5, rng=rng)
    >>> end = linear_minimum(descend(problem, problem.random_state(rng)))
    >>> end.status, len(end.marginal), end.certificate.isostatic
    ('jammed', 29, True)
    """
    start: tuple[ConstraintProblem, Vector] = state_of(problem, x)
    problem, x = start
    if not isinstance(problem, HasCurvature):
        name = type(problem).__name__
        raise TypeError(f"expected constraints with curvature, got {name}: give it `curvature`")
    check_dense(problem.n_dof)
    if isinstance(problem, HasKinks) and (count := len(problem.kinks(x))):
        name = type(problem).__name__
        raise ValueError(f"expected gaps without kinks, got {name} with {count}: use smooth units")
    violations = np.maximum(problem.gaps(x), 0.0)
    if satisfied(problem, violations):
        return _ended(problem, x, Status.UNJAMMED, "", 0)
    first = _FIRST * float(violations[violations > 0.0].mean())
    descend = Newton(tolerance=_TOLERANCE, zero_energy=0.0)
    soft, evaluations, flaw = Softened(problem, first), 0, ""
    while soft.temperature > _LEAST * first:
        found = descend(soft, x)
        x, evaluations = found.x, evaluations + found.evaluations
        if satisfied(problem, problem.gaps(x)):
            return _ended(problem, x, Status.UNJAMMED, "", evaluations)
        if soft.temperature < _ASK * first:
            end = _exact(soft, x, evaluations)
            if end.status == Status.JAMMED:
                return end
            flaw = end.reason
        x, soft = _cooled(soft, x)
    return _ended(problem, x, Status.STALLED, flaw, evaluations)


def _ended(
    problem: HasCurvature, x: Vector, status: Status, reason: str, count: int
) -> LinearMinimum:
    none = np.empty(0, dtype=np.intp)
    return LinearMinimum(problem, x, status, reason, none, np.empty(0), None, count)


def _cooled(soft: Softened, x: Vector) -> tuple[Vector, Softened]:
    """Return the state at a lower temperature at which the forces are the same to first order."""
    matrix, modes = soft.hessian(x), soft.zero_modes(x)
    scale = float(np.abs(np.diag(matrix)).mean())
    matrix += scale * modes.T @ modes
    matrix.flat[:: len(matrix) + 1] += 1e-14 * scale * len(matrix)
    colder = Softened(soft.problem, _COOLING * soft.temperature)
    try:
        shift = (_COOLING - 1.0) * cho_solve(cho_factor(matrix), soft.drift(x))
    except LinAlgError:  # a saddle: the descent at the lower temperature leaves it
        return x, colder
    return x + shift, colder


def _exact(soft: Softened, x: Vector, evaluations: int) -> LinearMinimum:
    """Make the gaps in the corner vanish, and balance the forces; jammed if that is a minimum."""
    problem = soft.problem
    scaled = problem.gaps(x) / soft.temperature
    marginal = np.flatnonzero(np.abs(scaled) < _CORNER)
    forces, names = expit(scaled[marginal]), gap_names(problem, x)[marginal]
    before = np.inf
    for _ in range(_MOST_STEPS):
        here = Around(problem, x, marginal)
        forces = here.balanced(forces)
        step, least = here.step(forces)
        if least <= 0.0:
            reason = f"a curvature of {least:.1e} is not positive: this is not a minimum"
            return _ended(problem, x, Status.STALLED, reason, evaluations)
        size = float(np.abs(step).max(initial=0.0))
        if size < 1e-15 or (size < 1e-9 and size > 0.5 * before):
            break
        if size > _FARTHEST:
            reason = f"the gaps near zero do not vanish together: a step of {size:.1e}"
            return _ended(problem, x, Status.STALLED, reason, evaluations)
        x, before = x + step, size
        marginal = _places(problem, x, names)
    proof = certify(problem, x, marginal, forces)
    flaw = proof.flaw()
    status = Status.STALLED if flaw else Status.JAMMED
    return LinearMinimum(problem, x, status, flaw, marginal, forces, proof, evaluations)


def _places(problem: HasCurvature, x: Vector, names: Indices) -> Indices:
    """Return the places of constraints in the list of gaps at ``x``, by their permanent names."""
    places = {name: place for place, name in enumerate(map(tuple, gap_names(problem, x).tolist()))}
    return np.array([places[tuple(name)] for name in names.tolist()], dtype=np.intp)

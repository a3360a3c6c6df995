"""Stationary points, and the certificate that a state is one of a given index."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from bridge.landscape.identity import flat_directions
from bridge.measure.observables import frozen_bodies
from bridge.measure.spectra import hessian
from bridge.protocols import ConstraintProblem, Indices, Landscape, Mask, Vector

GRADIENT = 1e-9  # a certified state has every |∂U/∂x_i| below it
_EPS = 4 * float(np.finfo(np.float64).eps)  # below n times this, an eigenvalue is no number
_BALANCED = 1e-5
_CLEAR = 1e-6  # gap between a released body and what it touched
_NEWTON = 1e-4  # and its own quadratic model sees the stationary point no farther away


@dataclass(frozen=True, eq=False)
class StationaryPoint:
    """A certified stationary point.

    Attributes
    ----------
    x
        The state, ``(n_dof,)``.
    energy
        ``U``.
    index
        Number of negative eigenvalues: 0 for a minimum, 1 for a transition state.
    log_det
        ``Σ ln|λ|`` over the eigenvalues of the Hessian that are not symmetries: ``Σ ln ω²`` at unit
        mass.
    n_modes
        How many these are: ``κ``.
    lowest
        The lowest of them.
    residual
        Largest ``|∂U/∂x_i|``.
    order
        Elements of the discrete symmetry group that leave the state as it is.
    """

    x: Vector
    energy: float
    index: int
    log_det: float
    n_modes: int
    lowest: float
    residual: float
    order: int = 1


@dataclass(frozen=True, eq=False)
class Model:
    """The quadratic model of a landscape at ``x``, on the complement of its symmetries.

    ``values`` ``(m,)`` ascend; ``modes`` ``(n_dof, m)`` has the eigenvectors as columns.
    ``climbable`` numbers those along which there may be a saddle, in order. ``weakest`` is the
    smallest violated gap of a constraint problem, where the forces balance.
    """

    x: Vector
    energy: float
    gradient: Vector
    values: Vector
    modes: Vector
    climbable: Indices
    floor: float
    weakest: float = np.inf

    @property
    def residual(self) -> float:
        """Largest ``|∂U/∂x_i|``."""
        return float(np.abs(self.gradient).max())


def model(problem: Landscape, x: Vector) -> Model:
    """Diagonalise the Hessian at ``x`` with the flat directions projected out exactly.

    They are lifted above every other eigenvalue and left out: ``P H P + s ZᵀZ``.

    Raises
    ------
    ValueError
        If the state is not finite, or has too many variables for a dense matrix.
    """
    energy, gradient = problem.energy_gradient(x)
    matrix = hessian(problem, x)
    # Who is frozen is a question of balanced forces: on the way it would be an accident.
    balanced = float(np.abs(gradient).max()) < _BALANCED
    flat = flat_directions(problem, x) if balanced else problem.zero_modes(x)
    size = float(np.abs(matrix).sum(axis=1).max())
    if len(flat):
        along = flat @ matrix
        lift = 2.0 * size + 1.0
        mixed = flat.T @ (along - 0.5 * (along @ flat.T + lift * np.eye(len(flat))) @ flat)
        matrix = matrix - mixed - mixed.T
    values, modes = np.linalg.eigh(matrix)
    count = len(values) - len(flat)
    values, modes = values[:count], modes[:, :count]
    floor = _EPS * len(matrix) * size
    climbable = np.flatnonzero(_climbable(problem, x, modes) & (np.abs(values) > floor))
    weakest = _weakest(problem, x) if balanced else np.inf
    return Model(x, energy, gradient, values, modes, climbable, floor, weakest)


def _weakest(problem: Landscape, x: Vector) -> float:
    """Return the smallest violated gap, which is the smallest force; infinity without gaps."""
    gaps = getattr(problem, "gaps", None)
    if gaps is None:
        return float("inf")
    found = gaps(x)
    return float(found[found > 0].min(initial=np.inf))


def touches_released(problem: Landscape, here: Model) -> Model:
    """Return the model with frozen bodies moved off the contacts where they bear no force.

    A descent leaves a rattler where it touches its cage with a force of zero to rounding. Whether
    such a contact adds to the Hessian of its neighbour would be an accident.
    """
    if here.weakest >= GRADIENT or not isinstance(problem, ConstraintProblem):
        return here
    bodies = frozen_bodies(problem, here.x)
    if not bodies:
        return here
    x, variables = here.x.copy(), np.concatenate(bodies)
    for _ in range(10):
        gaps = problem.gaps(x)
        touching = np.flatnonzero((gaps > 0) & (gaps < _CLEAR))
        if not touching.size:
            break
        rows = problem.gap_jacobian(x, touching)
        dense = rows.toarray() if isinstance(rows, sparse.csr_array) else rows
        step, *_ = np.linalg.lstsq(dense[:, variables], gaps[touching] + _CLEAR, rcond=1e-8)
        x[variables] -= step
    return model(problem, x)


def _climbable(problem: Landscape, x: Vector, modes: Vector) -> Mask:
    """Tell which modes are not among the harmonic ones of a system that has such.

    ``harmonic_modes(x)``, ``(k, n_dof)``, spans directions in which the energy is a parabola that
    nothing else depends on: weight decay along a symmetry that it breaks. No saddle lies there.
    """
    harmonic = getattr(problem, "harmonic_modes", None)
    if harmonic is None:
        return np.ones(modes.shape[1], dtype=bool)
    return np.asarray(((harmonic(x) @ modes) ** 2).sum(axis=0) < 0.5)


def certify_point(found: Model, index: int) -> StationaryPoint | str:
    """Return the stationary point of this index, or one line that says why it is none.

    Every ``|∂U/∂x_i|`` is below 1e-9, exactly ``index`` eigenvalues are negative, none is zero to
    rounding, and the Newton step is short: a plateau has small gradients too. No force is below
    what the gradient resolves: the energy is piecewise quadratic, and on which side of its kink
    such a contact is, and whether it adds to the Hessian, would be an accident.
    """
    sizes = np.abs(found.values)
    if found.residual >= GRADIENT:
        return f"the gradient stayed at {found.residual:.1e}"
    if found.weakest < GRADIENT:
        return f"a contact with the force {found.weakest:.1e} may be open or closed"
    if sizes.size and sizes.min() <= found.floor:
        return "the Hessian is singular"
    negative = int((found.values < 0).sum())
    if negative != index:
        return f"{negative} negative eigenvalues"
    step = (found.gradient @ found.modes) / found.values
    if np.abs(step).max(initial=0.0) > _NEWTON * (1.0 + np.abs(found.x).max()):
        return "a plateau: the gradient is small but the stationary point is far"
    return StationaryPoint(
        x=found.x,
        energy=float(found.energy),
        index=index,
        log_det=float(np.log(sizes).sum()),
        n_modes=len(sizes),
        lowest=float(found.values[0]) if sizes.size else 0.0,
        residual=found.residual,
    )

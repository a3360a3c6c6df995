"""The conformance suite: everything that must hold for any system, in one call.

A system of your own goes through it in three lines::

    problem = MySystem(...)
    x = np.random.default_rng(0).normal(size=problem.n_dof)
    check_problem(problem, x)

A broken promise raises `AssertionError` with the promise in words and the numbers that break it.
"""

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np

from bridge.observables import dense
from bridge.protocols import (
    ConstraintProblem,
    HasEquivalents,
    HasFrozenBodies,
    HasGapNames,
    HasHessian,
    Landscape,
    Loaded,
    Vector,
)
from bridge.spectra import rounding, stiffness

_STEPS = (1e-4, 1e-5, 1e-6, 1e-7)  # of central differences, in the units of x
_DIFFERENCE_TOLERANCE = 1e-5  # relative; one of the steps must reach it
_EXACT = 1e-9  # relative; for identities that hold to rounding
_RANK_LIMIT = 400  # variables up to which H0 is diagonalised


def check_problem(
    problem: ConstraintProblem, x: Vector, rng: np.random.Generator | None = None
) -> None:
    """Check every promise of the protocols that ``problem`` makes, at the state ``x``.

    Besides the checks of `check_landscape`: ``U = ½ Σ max(Δ, 0)²``, ``∇U = Jᵀ max(Δ, 0)``, the
    Jacobian and its rows, ``H0`` positive semidefinite with rank at most ``N_Δ``, the load's
    direction if there is one, that names stay with their gaps, and that frozen bodies share no
    variable.

    Parameters
    ----------
    problem, x
        The system and a state of it, ``(n_dof,)``, away from any kink of its gaps.
    rng
        Draws the directions; seeded with 0 if not given.

    Raises
    ------
    AssertionError
        If a promise is broken.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    check_landscape(problem, x, rng)
    frozen_x = _read_only(x)
    _check_energy_from_gaps(problem, frozen_x)
    _check_jacobian(problem, frozen_x, rng)
    _check_stiffness(problem, frozen_x)
    if isinstance(problem, HasEquivalents):
        _check_equivalent_gaps(problem, frozen_x, problem.equivalents(frozen_x, rng))
    if isinstance(problem, Loaded):
        _check_load(problem, frozen_x)
    if isinstance(problem, HasGapNames):
        _check_gap_names(problem, frozen_x, rng)
    if isinstance(problem, HasFrozenBodies):
        _check_frozen(problem, frozen_x)


def check_landscape(problem: Landscape, x: Vector, rng: np.random.Generator | None = None) -> None:
    """Check energy, gradient, Hessian products and symmetries at ``x``, shape ``(n_dof,)``.

    The gradient and the products against central differences; products symmetric, linear, and the
    same one by one as in a batch; zero modes orthonormal and flat; equivalent states alike; the
    input unchanged; the same bits twice; a NaN refused.

    Raises
    ------
    AssertionError
        If a promise is broken.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    assert x.shape == (problem.n_dof,), f"x has shape {x.shape}, n_dof is {problem.n_dof}"
    frozen_x = _read_only(x)
    _check_gradient(problem, frozen_x, rng)
    _check_products(problem, frozen_x, rng)
    _check_zero_modes(problem, frozen_x)
    _check_purity(problem, frozen_x)
    _check_refuses_nan(problem, x)
    if isinstance(problem, HasEquivalents):
        energy, _ = problem.energy_gradient(x)
        for name, other in problem.equivalents(frozen_x, rng):
            same, _ = problem.energy_gradient(other)
            _assert_close(f"{name} keeps the energy", same, energy, abs(energy))


def _check_gradient(problem: Landscape, x: Vector, rng: np.random.Generator) -> None:
    _, gradient = problem.energy_gradient(x)
    assert gradient.shape == x.shape, f"gradient has shape {gradient.shape}, x {x.shape}"
    for direction in _directions(rng, 3, x.size):
        slope = np.atleast_1d(gradient @ direction)
        _assert_derivative(
            "the gradient against differences of the energy",
            slope,
            partial(_energy_along, problem, x, direction),
            scale=float(np.linalg.norm(gradient)),
        )


def _energy_along(problem: Landscape, x: Vector, direction: Vector, step: float) -> Vector:
    return np.array([problem.energy_gradient(x + step * direction)[0]])


def _check_products(problem: Landscape, x: Vector, rng: np.random.Generator) -> None:
    v, w = _directions(rng, 2, x.size)
    hv, hw = problem.hvp(x, v), problem.hvp(x, w)
    scale = float(np.linalg.norm(hv) + np.linalg.norm(hw))
    _assert_close("Hessian products are symmetric", v @ hw, w @ hv, scale)
    both = problem.hvp(x, 2.0 * v - 3.0 * w)
    _assert_close("Hessian products are linear", both, 2.0 * hv - 3.0 * hw, scale)
    batch = problem.hvp(x, np.stack([v, w]))
    _assert_close("a batch of products is the products", batch, np.stack([hv, hw]), scale)
    if isinstance(problem, HasHessian):
        _assert_close("the Hessian is that of the products", problem.hessian(x) @ v, hv, scale)
    _assert_derivative(
        "Hessian products against differences of the gradient",
        hv,
        lambda s: problem.energy_gradient(x + s * v)[1],
        scale=scale,
    )


def _check_zero_modes(problem: Landscape, x: Vector) -> None:
    modes = problem.zero_modes(x)
    assert modes.ndim == 2, f"zero_modes has shape {modes.shape}, expected (k, n_dof)"
    assert modes.shape[1] == x.size, f"zero_modes has shape {modes.shape}, expected (k, {x.size})"
    _assert_close("zero modes are orthonormal", modes @ modes.T, np.eye(len(modes)), 1.0)
    _, gradient = problem.energy_gradient(x)
    _assert_close("zero modes are flat", modes @ gradient, 0.0, float(np.linalg.norm(gradient)))


def _check_purity(problem: Landscape, x: Vector) -> None:
    """``x`` is read-only here, so that a system which writes to it has raised by now."""
    (first, g1), (second, g2) = problem.energy_gradient(x), problem.energy_gradient(x)
    assert first == second, f"the same state has two energies: {first} and {second}"
    assert np.array_equal(g1, g2), "the same state has two gradients"


def _check_refuses_nan(problem: Landscape, x: Vector) -> None:
    bad = x.copy()
    bad[0] = np.nan
    try:
        energy, _ = problem.energy_gradient(bad)
    except ValueError:
        return
    raise AssertionError(f"a state with NaN must raise ValueError, it has energy {energy}")


def _check_equivalent_gaps(
    problem: ConstraintProblem, x: Vector, states: Iterable[tuple[str, Vector]]
) -> None:
    """Compare the violated gaps only: which of the others are near may change with an image."""
    before = np.sort(problem.gaps(x))
    for name, other in states:
        after = np.sort(problem.gaps(other))
        _assert_close(f"{name} keeps the violated gaps", after[after > 0], before[before > 0])


def _check_energy_from_gaps(problem: ConstraintProblem, x: Vector) -> None:
    forces = np.maximum(problem.gaps(x), 0)
    energy, gradient = problem.energy_gradient(x)
    _assert_close("U = ½ Σ max(Δ, 0)²", 0.5 * forces @ forces, energy, energy)
    pulled = problem.gap_jacobian(x).T @ forces
    scale = float(np.linalg.norm(gradient) + np.linalg.norm(forces))
    _assert_close("∇U = Jᵀ max(Δ, 0)", pulled, gradient, scale)


def _check_jacobian(problem: ConstraintProblem, x: Vector, rng: np.random.Generator) -> None:
    gaps, jacobian = problem.gaps(x), dense(problem.gap_jacobian(x))
    assert jacobian.shape == (gaps.size, x.size), (
        f"gap_jacobian has shape {jacobian.shape}, expected {(gaps.size, x.size)}"
    )
    rows = np.flatnonzero(gaps > 0)
    some = dense(problem.gap_jacobian(x, rows))
    _assert_close("rows of the Jacobian are its rows", some, jacobian[rows])
    (direction,) = _directions(rng, 1, x.size)
    _assert_derivative(
        "the Jacobian against differences of the gaps",
        jacobian @ direction,
        lambda s: problem.gaps(x + s * direction),
        scale=float(np.linalg.norm(jacobian)),
    )


def _check_stiffness(problem: ConstraintProblem, x: Vector) -> None:
    if problem.n_dof > _RANK_LIMIT:
        return
    h0 = stiffness(problem, x)
    values, tolerance = np.linalg.eigvalsh(h0), rounding(h0)
    assert values.min() >= -tolerance, f"H0 has the negative eigenvalue {values.min()}"
    rank, violated = int((values > tolerance).sum()), int((problem.gaps(x) > 0).sum())
    assert rank <= violated, f"H0 has rank {rank}, more than N_Δ = {violated}"


def _check_load(problem: Loaded, x: Vector) -> None:
    _assert_derivative(
        "load_direction against differences of the load",
        problem.load_direction(x),
        lambda t: problem.loaded(t).gaps(x),
        scale=1.0,
    )


def _check_gap_names(problem: ConstraintProblem, x: Vector, rng: np.random.Generator) -> None:
    """Move a little: the gap of a name must follow the derivative in the row of that name."""
    assert isinstance(problem, HasGapNames)
    (direction,) = _directions(rng, 1, x.size)
    step = 1e-6
    gaps, slopes = problem.gaps(x), dense(problem.gap_jacobian(x)) @ direction
    names = problem.gap_names(x)
    before = {tuple(name): place for place, name in enumerate(names.tolist())}
    assert names.shape[0] == gaps.size, f"{names.shape[0]} names for {gaps.size} gaps"
    assert len(before) == gaps.size, "two gaps have the same name"
    there = x + step * direction
    for name, gap in zip(problem.gap_names(there).tolist(), problem.gaps(there), strict=True):
        place = before.get(tuple(name))
        if place is not None:
            error = abs(gap - gaps[place] - step * slopes[place])
            assert error < 0.01 * step * (1.0 + abs(slopes[place])), (
                f"the gap named {name} jumps: off by {error:.2e} in a step of {step:.0e}"
            )


def _check_frozen(problem: HasFrozenBodies, x: Vector) -> None:
    bodies = problem.frozen(x)
    variables = np.concatenate([np.asarray(body) for body in bodies]) if bodies else np.empty(0)
    assert len(set(variables)) == len(variables), "two frozen bodies share a variable"
    inside = ((variables >= 0) & (variables < x.size)).all()
    assert inside, "a frozen body has a variable that is not in x"


def _assert_derivative(
    promise: str, expected: Vector, curve: Callable[[float], Vector], scale: float
) -> None:
    """Compare with central differences: one of the steps must agree.

    A contact made within a step, or a pair that joins the list of near pairs, spoils the larger
    steps only; rounding spoils the smaller ones only.
    """
    errors = []
    for step in _STEPS:
        ahead, behind = curve(step), curve(-step)
        if ahead.shape != expected.shape or behind.shape != expected.shape:
            continue
        difference = (ahead - behind) / (2 * step)
        errors.append(float(np.abs(difference - expected).max(initial=0.0)))
    assert errors, f"{promise}: the number of gaps changed within every step"
    allowed = _DIFFERENCE_TOLERANCE * max(scale, 1e-3)
    assert min(errors) <= allowed, f"{promise}: off by {min(errors):.2e}, allowed {allowed:.2e}"


def _assert_close(
    promise: str, got: Vector | float, expected: Vector | float, scale: float | None = None
) -> None:
    got, expected = np.asarray(got), np.asarray(expected)
    fits = got.shape == expected.shape or expected.ndim == 0
    assert fits, f"{promise}: shape {got.shape} against {expected.shape}"
    size = float(np.abs(expected).max(initial=0.0)) if scale is None else scale
    error = float(np.abs(got - expected).max(initial=0.0))
    allowed = _EXACT * max(size, 1e-3)
    assert error <= allowed, f"{promise}: off by {error:.2e}, allowed {allowed:.2e}"


def _directions(rng: np.random.Generator, count: int, n_dof: int) -> list[Vector]:
    vectors = rng.standard_normal((count, n_dof))
    return list(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _read_only(x: Vector) -> Vector:
    copy = np.array(x, dtype=np.float64)
    copy.flags.writeable = False
    return copy

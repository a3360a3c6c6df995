"""The conformance suite: everything that must hold for any system, in one call.

A system of your own goes through it in three lines::

    problem = MySystem(...)
    x = np.random.default_rng(0).normal(size=problem.n_dof)
    check_problem(problem, x)

A broken promise raises `AssertionError` with the promise in words and the numbers that break it.
"""

from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from bridge.protocols import ConstraintProblem, HasEquivalents, HasHessian, Landscape, Vector
from bridge.testing.gap_promises import check_gaps
from bridge.testing.promises import (
    MOST_IMAGES,
    close,
    derivative,
    directions,
    keep_all,
    no_symmetry_is_missing,
    numbers,
    promise,
    read_only,
    typical_size,
)


def check_problem(
    problem: ConstraintProblem, x: Vector, rng: np.random.Generator | None = None
) -> None:
    """Check every promise of the protocols that ``problem`` makes, at the state ``x``.

    Besides the checks of `check_landscape`: ``U = ½ Σ max(Δ, 0)²``, ``∇U = Jᵀ max(Δ, 0)``, the
    Jacobian and its rows, no gap changed by a symmetry, ``H0`` positive semidefinite with rank at
    most ``N_Δ``, the load's direction if there is one, that names stay with their gaps, that frozen
    bodies share no variable and carry no force where forces balance, and what a picture needs.

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
    check_gaps(problem, read_only(x), rng)


def check_landscape(problem: Landscape, x: Vector, rng: np.random.Generator | None = None) -> None:
    """Check energy, gradient, Hessian products and symmetries at ``x``, shape ``(n_dof,)``.

    Shapes, types and finite numbers; the gradient and the products against central differences;
    products symmetric, linear, and the same one by one as in a batch; zero modes orthonormal, flat
    at other states too, and none missing; equivalent states alike; the input unchanged and no part
    of the answer; the same bits twice; a NaN refused. A symmetry that is due to too few data counts
    as missing: take as many patterns as there are variables.

    Parameters
    ----------
    problem, x
        The landscape and a state of it, ``(n_dof,)``, where its energy is smooth.
    rng
        Draws the directions; seeded with 0 if not given.

    Raises
    ------
    AssertionError
        If a promise is broken; its message names the promise and the numbers that break it.

    Examples
    --------
    >>> from particles.landscapes.muller_brown import MullerBrown
    >>> check_landscape(MullerBrown(), np.array([0.1, 0.4]))
    """
    rng = np.random.default_rng(0) if rng is None else rng
    with promise("n_dof is the number of variables"):
        assert x.shape == (problem.n_dof,), f"x has shape {x.shape}, n_dof is {problem.n_dof}"
    x = read_only(x)
    keep_all(_PROMISES, problem, x, rng)


def _check_gradient(problem: Landscape, x: Vector, rng: np.random.Generator) -> None:
    energy, gradient = problem.energy_gradient(x)
    assert isinstance(energy, float), f"the energy is {type(energy).__name__}, expected a float"
    assert np.isfinite(energy), f"the energy is {energy}, expected a finite number"
    numbers("the gradient", gradient, x.shape)
    assert not np.shares_memory(gradient, x), "the gradient is a view of x"
    kept = gradient.copy()
    for direction in directions(rng, 3, x.size):
        derivative(
            "the gradient against differences of the energy",
            np.atleast_1d(kept @ direction),
            partial(_energy_along, problem, x, direction),
            scale=float(np.linalg.norm(kept)),
        )
    assert np.array_equal(gradient, kept), "a gradient changes when the next one is computed"
    again, gradient = problem.energy_gradient(x)
    assert again == energy, f"the same state has two energies: {energy} and {again}"
    assert np.array_equal(gradient, kept), "the same state has two gradients"


def _energy_along(problem: Landscape, x: Vector, direction: Vector, step: float) -> Vector:
    return np.array([problem.energy_gradient(x + step * direction)[0]])


def _check_products(problem: Landscape, x: Vector, rng: np.random.Generator) -> None:
    v, w = directions(rng, 2, x.size)
    hv = numbers("a Hessian product", problem.hvp(x, v), x.shape)
    hw = problem.hvp(x, w)
    scale = float(np.linalg.norm(hv) + np.linalg.norm(hw))
    close("Hessian products are symmetric", v @ hw, w @ hv, scale)
    both = problem.hvp(x, read_only(2.0 * v - 3.0 * w))
    close("Hessian products are linear", both, 2.0 * hv - 3.0 * hw, scale)
    batch = problem.hvp(x, read_only(np.stack([v, w])))
    close("a batch of products is the products", batch, np.stack([hv, hw]), scale)
    derivative(
        "Hessian products against differences of the gradient",
        hv,
        lambda s: problem.energy_gradient(x + s * v)[1],
        scale=scale,
    )


def _check_hessian(problem: HasHessian, x: Vector, rng: np.random.Generator) -> None:
    matrix = numbers("the Hessian", problem.hessian(x), (x.size, x.size))
    close("the Hessian is symmetric", matrix, matrix.T)
    (v,) = directions(rng, 1, x.size)
    hv = problem.hvp(x, v)
    close("the Hessian is that of the products", matrix @ v, hv, float(np.linalg.norm(hv)))


def _check_zero_modes(problem: Landscape, x: Vector, rng: np.random.Generator) -> None:
    modes = problem.zero_modes(x)
    assert modes.ndim == 2, f"zero_modes has shape {modes.shape}, expected (k, n_dof)"
    numbers("zero_modes", modes, (len(modes), x.size))
    close("zero modes are orthonormal", modes @ modes.T, np.eye(len(modes)), 1.0)
    size = typical_size(x)
    for shift in (0.0, 1e-3 * size, 1e-2 * size):
        state = read_only(x + shift * directions(rng, 1, x.size)[0])
        _, gradient = problem.energy_gradient(state)
        there, scale = problem.zero_modes(state), float(np.linalg.norm(gradient))
        close("zero modes are flat", there @ gradient, 0.0, scale)
    if not isinstance(problem, ConstraintProblem):
        no_symmetry_is_missing(problem, x, modes, rng)


def _check_refuses_nan(problem: Landscape, x: Vector, _: np.random.Generator) -> None:
    bad = x.copy()
    bad[0] = np.nan
    try:
        energy = problem.energy_gradient(bad)[0]
    except ValueError:
        return
    raise AssertionError(f"it has energy {energy}")


def _check_equivalents(problem: Any, x: Vector, rng: np.random.Generator) -> None:
    energy, _ = problem.energy_gradient(x)
    for name, other in islice(problem.equivalents(x, rng), MOST_IMAGES):
        assert isinstance(name, str), f"a symmetry has the name {name!r}, expected a string"
        numbers(f"the state of {name}", other, x.shape)
        same, _ = problem.energy_gradient(other)
        close(f"{name} keeps the energy", same, energy, abs(energy))


_PROMISES = (
    (object, "energy_gradient returns U and ∇U", _check_gradient),
    (object, "hvp returns H v", _check_products),
    (HasHessian, "the Hessian is that of the products", _check_hessian),
    (object, "zero_modes returns the symmetries", _check_zero_modes),
    (object, "a state with NaN must raise ValueError", _check_refuses_nan),
    (HasEquivalents, "equivalents keep the energy", _check_equivalents),
)

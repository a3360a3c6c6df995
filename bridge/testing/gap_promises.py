"""The promises of a problem with gaps, beyond those of its landscape."""

from itertools import islice
from typing import Any

import numpy as np

from bridge.descent.lbfgs import lbfgs
from bridge.descent.newton import Newton
from bridge.measure.observables import dense
from bridge.measure.spectra import rounding, stiffness
from bridge.protocols import (
    ConstraintProblem,
    HasBodies,
    HasEquivalents,
    HasFrozenBodies,
    HasGapNames,
    HasTightening,
    Vector,
)
from bridge.testing.promises import (
    MOST_IMAGES,
    close,
    derivative,
    directions,
    keep_all,
    no_symmetry_is_missing,
    numbers,
)

_RANK_LIMIT = 400  # variables up to which H0 is diagonalised
_DESCENT = 1000  # evaluations that may be spent on a state in which forces balance
_STEPS = 60  # and of Newton's to a minimum
_CARRIES = 1e-2  # of the largest force: a body with more is held
_SCENE = {"box", "shapes", "held", "pairs", "pair_gaps", "images"}


def check_gaps(problem: ConstraintProblem, x: Vector, rng: np.random.Generator) -> None:
    """Check what `bridge.testing.check_problem` promises of gaps, at a state ``(n_dof,)``.

    Raises
    ------
    AssertionError
        If a promise is broken.
    """
    keep_all(_PROMISES, problem, x, rng)


def _check_equivalent_gaps(problem: Any, x: Vector, rng: np.random.Generator) -> None:
    """Compare the violated gaps only: which of the others are near may change with an image."""
    before = np.sort(problem.gaps(x))
    for name, other in islice(problem.equivalents(x, rng), MOST_IMAGES):
        after = np.sort(problem.gaps(other))
        close(f"{name} keeps the violated gaps", after[after > 0], before[before > 0])


def _check_gaps(problem: ConstraintProblem, x: Vector, _: np.random.Generator) -> None:
    gaps = problem.gaps(x)
    assert gaps.ndim == 1, f"gaps has shape {gaps.shape}, expected (m,)"
    numbers("gaps", gaps, gaps.shape)
    assert np.array_equal(gaps, problem.gaps(x)), "the same state has two lists of gaps"


def _check_energy_from_gaps(problem: ConstraintProblem, x: Vector, _: np.random.Generator) -> None:
    forces = np.maximum(problem.gaps(x), 0)
    energy, gradient = problem.energy_gradient(x)
    close("U = ½ Σ max(Δ, 0)²", 0.5 * forces @ forces, energy, energy)
    pulled = problem.gap_jacobian(x).T @ forces
    scale = float(np.linalg.norm(gradient) + np.linalg.norm(forces))
    close("∇U = Jᵀ max(Δ, 0)", pulled, gradient, scale)


def _check_jacobian(problem: ConstraintProblem, x: Vector, rng: np.random.Generator) -> None:
    gaps = problem.gaps(x)
    jacobian = numbers("gap_jacobian", problem.gap_jacobian(x), (gaps.size, x.size))
    for rows in (np.flatnonzero(gaps > 0), np.arange(gaps.size)[::-1], np.arange(0)):
        some = numbers("rows of the Jacobian", problem.gap_jacobian(x, rows), (len(rows), x.size))
        close("rows of the Jacobian are its rows", some, jacobian[rows])
    (direction,) = directions(rng, 1, x.size)
    scale = float(np.linalg.norm(jacobian))
    derivative(
        "the Jacobian against differences of the gaps",
        jacobian @ direction,
        lambda s: problem.gaps(x + s * direction),
        scale=scale,
    )
    close("zero modes leave every gap as it is", jacobian @ problem.zero_modes(x).T, 0.0, scale)


def _check_stiffness(problem: ConstraintProblem, x: Vector, _: np.random.Generator) -> None:
    if problem.n_dof > _RANK_LIMIT:
        return
    h0 = stiffness(problem, x)
    values, tolerance = np.linalg.eigvalsh(h0), rounding(h0)
    assert values.min() >= -tolerance, f"H0 has the negative eigenvalue {values.min()}"
    rank, violated = int((values > tolerance).sum()), int((problem.gaps(x) > 0).sum())
    assert rank <= violated, f"H0 has rank {rank}, more than N_Δ = {violated}"


def _check_load(problem: HasTightening, x: Vector, _: np.random.Generator) -> None:
    gaps = problem.gaps(x)
    close("a load of 0 changes nothing", problem.tightened(0.0).gaps(x), gaps)
    direction = numbers("tightening", problem.tightening(x), gaps.shape)
    derivative(
        "tightening against differences of the load",
        direction,
        lambda t: problem.tightened(t).gaps(x),
        scale=1.0,
    )
    close("loaded leaves the system as it is", problem.gaps(x), gaps)


def _check_gap_names(problem: Any, x: Vector, rng: np.random.Generator) -> None:
    """Move a little: the gap of a name must follow the derivative in the row of that name."""
    (direction,) = directions(rng, 1, x.size)
    step = 1e-6
    gaps, slopes = problem.gaps(x), dense(problem.gap_jacobian(x)) @ direction
    names = problem.gap_names(x)
    assert names.ndim == 2, f"gap_names has shape {names.shape}, expected (m, k)"
    assert names.dtype.kind in "iu", f"gap_names has dtype {names.dtype}, expected integers"
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


def _check_frozen(problem: Any, x: Vector, _: np.random.Generator) -> None:
    bodies = [np.asarray(body) for body in problem.frozen(x)]
    assert all(body.dtype.kind in "iu" for body in bodies), "a frozen body is no list of indices"
    variables = np.concatenate(bodies) if bodies else np.empty(0)
    assert len(set(variables)) == len(variables), "two frozen bodies share a variable"
    inside = ((variables >= 0) & (variables < x.size)).all()
    assert inside, "a frozen body has a variable that is not in x"
    if x.size <= _RANK_LIMIT:
        _check_held(problem, x)


def _check_held(problem: Any, x: Vector) -> None:
    """Descend to a minimum, if one is near: what carries a force there is not frozen."""
    near = lbfgs(problem, x, tolerance=1e-8, max_evaluations=_DESCENT, certify=False)
    end = Newton(max_steps=_STEPS)(problem, near.x)  # it leaves a saddle, where forces balance too
    if end.status != "jammed":
        return
    forces = np.maximum(problem.gaps(end.x), 0.0)
    pulls = dense(problem.gap_jacobian(end.x)) * forces[:, None]
    strongest = float(np.abs(pulls).max(initial=0.0))
    for body in problem.frozen(end.x):
        # A projection spreads one common pull over all variables: that holds nobody.
        acting = pulls[np.ix_(forces > 0.0, body)]
        rank = np.linalg.matrix_rank(acting, tol=_CARRIES * strongest) if acting.size else 0
        assert rank < len(body), (
            f"the frozen body of variables {np.asarray(body).tolist()} is held: "
            f"forces of up to {np.abs(acting).max():.2e} act on it in every direction, "
            f"the largest of all is {strongest:.2e}"
        )


def _check_scene(problem: HasBodies, x: Vector, _: np.random.Generator) -> None:
    scene = problem.scene(x)
    assert scene.keys() >= _SCENE, f"scene lacks {', '.join(sorted(_SCENE - scene.keys()))}"
    bodies, pairs = problem.n_bodies, scene["pairs"]
    assert len(scene["shapes"]) == bodies, f"{len(scene['shapes'])} shapes for {bodies} bodies"
    assert len(scene["held"]) == bodies, f"{len(scene['held'])} flags held for {bodies} shapes"
    counts = [len(pairs), len(scene["pair_gaps"]), len(scene["images"])]
    assert len(set(counts)) == 1, f"pairs, their gaps and their images are {counts} in number"
    assert pairs.max(initial=0) < bodies, "a pair names a body that is not there"


def _check_symmetries(problem: ConstraintProblem, x: Vector, rng: np.random.Generator) -> None:
    no_symmetry_is_missing(problem, x, problem.zero_modes(x), rng)


_PROMISES = (
    (object, "gaps returns Δ", _check_gaps),
    (object, "gap_jacobian returns ∂Δ/∂x", _check_jacobian),
    (object, "zero_modes returns the symmetries", _check_symmetries),
    (object, "energy and gradient are those of the gaps", _check_energy_from_gaps),
    (object, "H0 is a sum over violated gaps", _check_stiffness),
    (HasEquivalents, "equivalents keep the gaps", _check_equivalent_gaps),
    (HasTightening, "tightening and tightened belong together", _check_load),
    (HasGapNames, "gap_names are permanent names", _check_gap_names),
    (HasFrozenBodies, "frozen names bodies that carry no force", _check_frozen),
    (HasBodies, "scene holds what a picture needs", _check_scene),
)

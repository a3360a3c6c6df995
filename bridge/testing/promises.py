"""The check of a promise of the protocols: by name, with the numbers that break it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np

from bridge.descent.lbfgs import lbfgs
from bridge.measure.observables import dense
from bridge.protocols import ConstraintProblem, Landscape, Vector

MOST_IMAGES = 100  # equivalent states that are looked at
_STEPS = (1e-4, 1e-5, 1e-6, 1e-7)  # of central differences, in the units of x
_DIFFERENCE_TOLERANCE = 1e-5  # relative; one of the steps must reach it
_EXACT = 1e-9  # relative; for identities that hold to rounding
_AFFINE = 16  # variables up to which every affine symmetry is looked for
_SAMPLES = 2  # states for each unknown of a symmetry, and a hundred more
_LOST = 1e-4  # part of a symmetry that may be outside of what is spanned
_DESCENT = 3000  # evaluations on the way to a minimum
_NO_SLOPE = 1e-9  # part of a gradient in a variable that the energy does not depend on
_NO_CHANGE = 1e-10  # singular value of a symmetry, relative to the largest

Promise: TypeAlias = tuple[type, str, Callable[[Any, Vector, np.random.Generator], None]]


@contextmanager
def promise(words: str) -> Iterator[None]:
    """Give every error of the system inside the name of the promise that it breaks."""
    try:
        yield
    except AssertionError as error:
        said = str(error)
        raise AssertionError(said if words in said else f"{words}: {said}") from error
    except Exception as error:
        raise AssertionError(f"{words}: it raised {error!r}") from error


def keep_all(table: Iterable[Promise], problem: Any, x: Vector, rng: np.random.Generator) -> None:
    """Make the checks of a table: what makes a promise, its words, ``check(problem, x, rng)``."""
    for protocol, words, check in table:
        if isinstance(problem, protocol):
            with promise(words):
                check(problem, x, rng)


def numbers(words: str, found: object, shape: tuple[int, ...]) -> Vector:
    """Return ``found`` if it is a dense or sparse float64 array of a shape, all finite.

    Raises
    ------
    AssertionError
        If it is not.
    """
    got = getattr(found, "shape", None)
    assert got == shape, f"{words} has shape {got}, expected {shape}"
    kind = getattr(found, "dtype", None)
    assert kind == np.float64, f"{words} has dtype {kind}, expected float64"
    array = dense(found)
    assert np.isfinite(array).all(), f"{words} holds NaN or inf"
    return array


def close(words: str, got: Any, expected: Any, scale: float | None = None) -> None:
    """Compare what must agree to rounding, relative to ``scale`` or to what is expected."""
    got, expected = np.asarray(got), np.asarray(expected)
    fits = got.shape == expected.shape or expected.ndim == 0
    assert fits, f"{words}: shape {got.shape} against {expected.shape}"
    size = float(np.abs(expected).max(initial=0.0)) if scale is None else scale
    error = float(np.abs(got - expected).max(initial=0.0))
    allowed = _EXACT * max(size, 1e-3)
    assert error <= allowed, f"{words}: off by {error:.2e}, allowed {allowed:.2e}"


def derivative(
    words: str, expected: Vector, curve: Callable[[float], Vector], scale: float
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
    assert errors, f"{words}: the number of gaps changed within every step"
    allowed = _DIFFERENCE_TOLERANCE * max(scale, 1e-3)
    assert min(errors) <= allowed, f"{words}: off by {min(errors):.2e}, allowed {allowed:.2e}"


def read_only(x: Vector) -> Vector:
    """Return a copy that raises where it is written to."""
    copy = np.array(x, dtype=np.float64)
    copy.flags.writeable = False
    return copy


def typical_size(x: Vector) -> float:
    """Return the root mean square of the variables, or 1 for a state at the origin."""
    size = float(np.sqrt(np.mean(x**2)))
    return size if size > 1e-6 else 1.0


def directions(rng: np.random.Generator, count: int, n_dof: int) -> list[Vector]:
    """Return random unit vectors that cannot be written to."""
    vectors = rng.standard_normal((count, n_dof))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [read_only(vector) for vector in vectors]


def no_symmetry_is_missing(
    problem: Landscape, x: Vector, modes: Vector, rng: np.random.Generator
) -> None:
    """Look for motions ``A x + b`` along which ``U`` never changes; ``modes`` must span them at x.

    Each state gives one linear equation, ``∇U·(A x + b) = 0``, and ``A`` and ``b`` solve them all
    for a symmetry only: translations, rotations, changes of norm, rescalings, shifts. Beyond 16
    variables ``A`` is diagonal, so that rotations are not found. Variables on which ``U`` does not
    depend are left out, and so is a problem with too few gaps to tell a symmetry from a freedom.
    """
    n = problem.n_dof
    full = n <= _AFFINE
    states, slopes = _sampled(problem, x, _SAMPLES * ((n + 1) * n if full else 2 * n) + 100, rng)
    if isinstance(problem, ConstraintProblem) and _independent_gaps(problem, x, states) < n - 1:
        return
    acts = np.abs(slopes).max(axis=0, initial=0.0) > _NO_SLOPE
    slopes, states = slopes[:, acts], states[:, acts]
    count = int(acts.sum())
    if full:
        linear = (slopes[:, :, None] * states[:, None, :]).reshape(len(slopes), count * count)
    else:
        linear = slopes * states
    rows = np.concatenate([linear, slopes], axis=1)
    if len(rows) < rows.shape[1]:
        return
    _, sizes, vectors = np.linalg.svd(rows, full_matrices=False)
    scale = typical_size(x)
    for motion in vectors[sizes <= _NO_CHANGE * sizes.max(initial=0.0)]:
        a, b = motion[:-count], motion[-count:]

        def lost(at: Vector, spanned: Vector, a: Vector = a, b: Vector = b) -> tuple[float, Vector]:
            here = at[acts] / scale
            along = (a.reshape(count, count) @ here if full else a * here) + b
            left = along - spanned[:, acts].T @ (spanned[:, acts] @ along)
            return float(np.linalg.norm(left)), along

        size, along = lost(x, modes)
        if size <= _LOST:
            continue
        end = lbfgs(
            problem, x, zero_energy=-np.inf, tolerance=1e-8, max_evaluations=_DESCENT, certify=False
        ).x
        # A rotation about the very state in which a descent ends is no freedom of that state.
        assert lost(end, problem.zero_modes(end))[0] <= _LOST, (
            f"zero_modes holds every symmetry: U is constant along {np.round(along, 3)}, "
            "which it does not span"
        )


def _independent_gaps(problem: ConstraintProblem, x: Vector, states: Vector) -> int:
    """Return how many gaps differ in what they ask for, copies and opposites counted once.

    Those that none of the ``states``, in units of the typical size, violates ask for nothing.
    """
    rows, size = dense(problem.gap_jacobian(x)), typical_size(x)
    gaps = [problem.gaps(state * size) for state in states]
    if not gaps:
        return 0
    if len(rows) and all(len(each) == len(rows) for each in gaps):
        rows = rows[(np.array(gaps) > 0.0).any(axis=0)]
    sizes = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = (rows / np.where(sizes > 0.0, sizes, 1.0))[sizes[:, 0] > 0.0]
    first = (np.abs(rows) > 1e-6).argmax(axis=1)
    signs = np.sign(rows[np.arange(len(rows)), first])
    return len(np.unique(np.round(rows * signs[:, None], 6) + 0.0, axis=0))


def _sampled(
    problem: Landscape, x: Vector, count: int, rng: np.random.Generator
) -> tuple[Vector, Vector]:
    """Return states far and near ``x``, and the directions of the gradient where there is one."""
    size = typical_size(x)
    states, slopes = [], []
    for _ in range(count):
        state = x + size * rng.choice([0.1, 1.0, 10.0]) * rng.standard_normal(x.size)
        try:
            with np.errstate(all="ignore"):  # far away an energy may overflow
                _, gradient = problem.energy_gradient(state)
                length = float(np.linalg.norm(gradient))
        except ValueError:
            continue  # a state that the system refuses
        if np.isfinite(length) and length > 0.0:
            states.append(state / size)
            slopes.append(gradient / length)
    shape = (-1, x.size)
    return np.array(states).reshape(shape), np.array(slopes).reshape(shape)

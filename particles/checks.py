"""What a caller may pass: anything else is refused in one line, before any work.

A message says what was expected, what was given instead, and what to do. These are called where
users come in, once a call, and from no loop.
"""

import reprlib
from collections.abc import Iterable
from numbers import Number, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]


def shown(value: object) -> str:
    """Return what a value is, in a few words.

    >>> shown("1e-6"), shown(np.zeros((2, 3))), shown(dict), shown(object())
    ("'1e-6'", 'an array of float64, (2, 3)', 'the class dict', 'an object')
    """
    if value is None or isinstance(value, str | Number):
        return reprlib.repr(value)
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}, {value.shape}"
    return _with_article(type(value).__name__)


def check_kind(name: str, value: object, kind: type, remedy: str) -> None:
    """Raise ``TypeError`` unless a value is an instance of a class."""
    if isinstance(value, kind):
        return
    if isinstance(value, type):
        remedy = f"make one first, {value.__name__}(...)"
    raise TypeError(
        f"expected {_with_article(kind.__name__)} as {name}, got {shown(value)}: {remedy}"
    )


def check_generator(rng: object) -> None:
    """Raise ``TypeError`` unless random numbers come from a generator, and not from a seed."""
    if not isinstance(rng, np.random.Generator):
        seed = rng if isinstance(rng, int) and not isinstance(rng, bool) else 0
        raise TypeError(
            f"expected a numpy.random.Generator as rng, got {shown(rng)}: "
            f"pass numpy.random.default_rng({seed})"
        )


def generator(rng: np.random.Generator | None) -> np.random.Generator:
    """Return the generator that was given, or one with seed 0 where none was."""
    if rng is None:
        return np.random.default_rng(0)
    check_generator(rng)
    return rng


def check_iterable(name: str, values: object, remedy: str) -> None:
    """Raise ``TypeError`` unless there are several values to go through."""
    if not isinstance(values, Iterable) or isinstance(values, str):
        raise TypeError(f"expected several {name}, got {shown(values)}: {remedy}")


def real(name: str, value: object) -> float:
    """Return a real number as a float, NaN and infinity too; else raise ``TypeError``."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"expected a number as {name}, got {shown(value)}: pass a float")
    return float(value)


def whole(name: str, value: object, least: int) -> int:
    """Return a whole number of at least ``least``.

    Raises
    ------
    TypeError
        If it is no number.
    ValueError
        If it is not whole, or less.
    """
    number = real(name, value)
    if not (np.isfinite(number) and number == int(number) and number >= least):
        raise ValueError(
            f"expected a whole number {name} >= {least}, got {shown(value)}: pass {least} or more"
        )
    return int(number)


def check_options(*, positive: bool = False, **options: float) -> None:
    """Raise ValueError unless all ``options`` are finite and at least 0, or ``positive``."""
    for name, value in options.items():
        real(name, value)
        if not (np.isfinite(value) and (value > 0.0 or (value == 0.0 and not positive))):
            kind = "positive" if positive else "non-negative"
            raise ValueError(f"expected a finite, {kind} {name}, got {value}: leave it out")


def floats(name: str, values: ArrayLike) -> Vector:
    """Return real numbers as an array of float64, the same one if they are such; NaN is let by.

    Raises
    ------
    TypeError
        If they are anything but real numbers, or rows of different lengths.
    """
    try:
        given = np.asarray(values)
    except ValueError:
        given = np.empty(0, dtype=object)
    if given.dtype.kind not in "buif":
        raise TypeError(
            f"expected real numbers as {name}, got {shown(values)}: "
            "pass an array, such as the x of a result"
        )
    return np.asarray(given, dtype=np.float64)


def vector(name: str, values: ArrayLike, size: int) -> Vector:
    """Return real numbers as float64 of shape ``(size,)``; NaN is let by.

    Raises
    ------
    TypeError
        If they are anything but real numbers.
    ValueError
        If there are more or fewer, or they have another shape.
    """
    given = floats(name, values)
    if given.shape != (size,):
        remedy = f"pass {name}.ravel()" if given.size == size else f"pass the {name} of this system"
        raise ValueError(f"expected {name} of shape ({size},), got {given.shape}: {remedy}")
    return given


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeio' else 'a'} {noun}"

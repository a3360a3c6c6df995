"""What a caller may pass: anything else is refused in one line, before any work.

A message says what was expected, what was given instead, and what to do. These are called where
users come in, once a call, and from no loop.
"""

import reprlib
from numbers import Number, Real
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector: TypeAlias = NDArray[np.float64]


def shown(value: object) -> str:
    """Return what a value is, in a few words.

    >>> shown("relu"), shown(np.zeros((2, 3))), shown(dict), shown(object())
    ("'relu'", 'an array of float64, (2, 3)', 'the class dict', 'an object')
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


def state(x: ArrayLike, size: int) -> Vector:
    """Return parameters as float64 of shape ``(size,)``; the same array if they are such.

    Raises
    ------
    TypeError
        If they are anything but real numbers.
    ValueError
        If there are more or fewer, they have another shape, or one is NaN or infinite.
    """
    try:
        given = np.asarray(x)
    except ValueError:  # rows of different lengths
        given = np.empty(0, dtype=object)
    if given.dtype.kind not in "buif":
        raise TypeError(
            f"expected real numbers as x, got {shown(x)}: pass an array, such as the x of a result"
        )
    if given.shape != (size,):
        remedy = "pass x.ravel()" if given.size == size else "pass the x of this network"
        raise ValueError(f"expected x of shape ({size},), got {given.shape}: {remedy}")
    if not np.isfinite(given).all():
        raise ValueError("expected finite parameters, got NaN or infinity: training diverged")
    return np.asarray(given, dtype=np.float64)


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeio' else 'a'} {noun}"

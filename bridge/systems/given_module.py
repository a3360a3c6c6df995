"""A module whose function and patterns are given in Python, in the place of files."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from bridge.systems.module import ModuleSystem

if TYPE_CHECKING:
    from networks.data.sets import DrawnSet, PatternSet, RandomSet
    from networks.models.made import Make

Given: TypeAlias = "tuple[Any, Any] | Callable[[int, Any], tuple[Any, Any]] | Any"


@dataclass(frozen=True)
class GivenModule(ModuleSystem):
    """A `ModuleSystem` with ``maker`` and ``drawn`` in the place of ``model`` and ``data``."""

    maker: Any = field(default=None, compare=False, repr=False)
    drawn: Any = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, make: "Make", given: Given, **options: Any) -> Self:
        """Return the system of what ``make()`` makes, and of patterns.

        ``given`` is ``(x, y)``, an object with ``x`` and ``y``, or a function ``(count, rng)`` that
        returns ``x`` and ``y``.

        Raises
        ------
        TypeError, ValueError
            In one line, if ``make`` or the patterns cannot be used so.
        """
        from networks.models.made import check_make

        values = options.get("epsilon") is not None
        return cls(maker=check_make(make), drawn=_source(given, values=values), **options)

    @property
    def make(self) -> "Make":
        """What makes the module."""
        found: Make = self.maker
        return found

    @property
    def source(self) -> "PatternSet | RandomSet | DrawnSet":
        """The patterns, or what draws them."""
        found: PatternSet | DrawnSet = self.drawn
        return found


def _source(patterns: Given, *, values: bool) -> "PatternSet | DrawnSet":
    import numpy as np

    from networks.data.sets import DrawnSet, PatternSet

    if callable(patterns):
        return DrawnSet(patterns)
    pair: Any = patterns
    if hasattr(pair, "x"):
        pair = (pair.x, pair.y)
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TypeError(
            f"expected patterns (x, y) or a function of (count, rng), got a "
            f"{type(patterns).__name__}: pass such as (x, y)"
        )
    x, y = (np.asarray(part) for part in pair)
    if x.ndim < 1 or y.ndim < 1 or len(x) != len(y) or not len(x):
        raise ValueError(
            f"expected x of (P, ...) and y of (P,), got shapes {x.shape} and {y.shape}: pass one "
            "for each pattern"
        )
    return PatternSet(x, y, has_classes=not values, given=True)

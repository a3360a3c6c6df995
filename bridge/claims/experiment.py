"""Experiments that claims rest on: what is run, at which parameters, and what a run finds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, TypeAlias

from numpy.typing import NDArray

from bridge.records.store import Record

Records: TypeAlias = Sequence[Record]


@dataclass(frozen=True)
class Sample:
    """What one run of an experiment found: its status, numbers, and arrays for the figure."""

    values: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    status: str = "done"


@dataclass(frozen=True)
class GridPoint:
    """Parameters of an experiment, and the number of seeds it is repeated with."""

    samples: int
    parameters: Mapping[str, Any] = field(default_factory=dict)


def grid(samples: int, **parameters: Any) -> tuple[GridPoint, ...]:
    """Return the points of a grid: a list is an axis of it, the last one varies fastest.

    >>> [point.parameters for point in grid(3, n=10, alpha=[2.0, 4.0])]
    [{'n': 10, 'alpha': 2.0}, {'n': 10, 'alpha': 4.0}]
    """
    axes = [value if isinstance(value, list) else [value] for value in parameters.values()]
    points = product(*axes)
    return tuple(GridPoint(samples, dict(zip(parameters, at, strict=True))) for at in points)


@dataclass(frozen=True)
class Experiment:
    """Runs that one or several claims rest on.

    Attributes
    ----------
    name
        The kind of its records.
    sample
        One run: ``sample(rng, **parameters)``.
    default, full
        What is run: in minutes, and with ``--full``.
    work
        ``work(**parameters)``, to which the cost of a run is about proportional.
    settings
        Returns what else the result depends on: numbers of the program that are no parameters.
    on_networks
        Whether its runs import the networks, and with them torch.
    """

    name: str
    sample: Callable[..., Sample]
    default: tuple[GridPoint, ...]
    full: tuple[GridPoint, ...]
    work: Callable[..., float]
    settings: Callable[[], Mapping[str, Any]] = dict
    on_networks: bool = False

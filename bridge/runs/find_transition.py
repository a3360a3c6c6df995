"""The load at which half of the models that a function makes fit, in one call."""

from collections.abc import Callable
from typing import Any

from bridge.records.store import Store
from bridge.runs.pool import Failed
from bridge.runs.transition_search import LoadSearch, Transition, find
from bridge.runs.workers import mapping
from bridge.systems.given_module import Given, GivenModule


def find_transition(
    make: Callable[[], Any],
    patterns: Given,
    *,
    low: float = 1.5,
    high: float = 4.5,
    step: float = 0.1,
    samples: int = 8,
    seed: int = 0,
    protocol: str = "quench",
    add: float = 0.02,
    retrain: int = 300,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
    **options: Any,
) -> Transition:
    """Return the load ``P/N`` at which half of the trained models fit their patterns.

    It is what ``jamscape transition module`` does: bisection between ``low`` and ``high``, with
    ``samples`` models at each load that is tried, each from a start and with patterns of its own.
    What does not fit is polished to a minimum: the points say how many ended ``jammed``, which is
    certified, and how many ``stalled``, where a fit is not excluded.

    Parameters
    ----------
    make
        ``make()`` returns a new ``torch.nn.Module``: a function, or its class. Torch is seeded
        for each sample before it is called.
    patterns
        ``(x, y)``, of which each sample takes its own in random order, classes in turn; or a
        function ``patterns(count, rng)`` that returns ``x`` and ``y``. What ``y`` may be is said in
        `networks.from_module`.
    low, high, step
        The loads to choose from; ``N`` counts weights, not biases.
    samples
        Models at each load.
    seed
        Of all random numbers.
    protocol, add, retrain
        "loading": ``add`` patterns per weight at a time are added to the same models, each followed
        by ``retrain`` steps.
    workers
        Processes; for more than one, ``make`` and ``patterns`` must be importable.
    progress
        Called with the number of loads that have been tried, and of all, at most.
    options
        ``steps`` of Adam, ``polish``, ``norm``, ``margin``, ``epsilon`` and ``frozen``, as of
        ``jamscape transition module --help``.

    Raises
    ------
    TypeError, ValueError
        In one line, if something is wrong with ``make``, the patterns or the range; nothing has
        been trained then.

    Examples
    --------
    >>> from torch.nn import Linear, Sequential, Tanh
    >>> from networks import random_patterns
    >>> def make():
    ...     return Sequential(Linear(4, 4), Tanh(), Linear(4, 1))
    >>> def patterns(count, rng):
    ...     found = random_patterns(count, 4, rng)
    ...     return found.x, found.y
    >>> found = find_transition(make, patterns, low=0.5, high=6.5, step=2, samples=2, steps=1000)
    >>> found
    <Transition: half fit at P/N = ..., ... models at ... loads>
    >>> bool(0.5 < found.midpoint.value < 6.5), [point.tried for point in found.points]
    (True, [2, ...])
    """
    system = GivenModule.of(make, patterns, **options)
    search = LoadSearch(system, low, high, step, samples, seed, protocol, add, retrain)
    search.check()
    with Store(":memory:") as store, mapping(workers, lost=Failed) as mapper:
        return find(search, store, progress=progress, workers=workers, mapper=mapper)

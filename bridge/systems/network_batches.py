"""Samples of a learner that are trained together: many small networks fill a processor."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bridge.records.seeds import sequence
from bridge.systems.learner import Learner, Seeds

if TYPE_CHECKING:
    from bridge.protocols import Vector
    from networks import Trained


def untrained(system: Learner, seeds: Seeds) -> "tuple[list[Any], list[Vector]]":
    """Return a problem and its initial parameters for each seed: entropy and spawn key."""
    import numpy as np

    pairs = []
    for seed in seeds:
        data, init = map(np.random.default_rng, sequence(seed).spawn(2))
        pairs.append(system.untrained(system.load, data, init))
    return [problem for problem, _ in pairs], [start for _, start in pairs]


def train_together(system: Learner, seeds: Seeds) -> "Iterator[tuple[int, Any, Trained]]":
    """Yield the place of each sample in ``seeds``, its problem, and how it ended, as they end."""
    from networks import train_all

    problems, starts = untrained(system, seeds)
    ends = train_all(
        problems,
        starts,
        steps=system.steps,
        newton_steps=system.polish,
        hold_norm=system.norm == "held",
    )
    for i, end in ends:
        yield i, problems[i], end


def load_one(
    system: Learner, seed: tuple[int, int], low: float, add: float, retrain: int
) -> "Iterator[tuple[Any, Trained]]":
    """Yield what a sample tries while it is loaded from ``low`` up to the load of the system."""
    from networks.training.loading import load_slowly

    (problem,), (start,) = untrained(system, [seed])
    weights, _ = system.sizes(problem)
    return load_slowly(
        problem,
        start,
        first=round(low * weights),
        add=max(1, round(add * weights)),
        steps=system.steps,
        retrain=retrain,
        newton_steps=system.polish,
        hold_norm=system.norm == "held",
    )


def fitting_parts(system: Learner, seeds: Seeds, workers: int) -> list[Seeds]:
    """Return seeds of networks in parts that fit a cache, for processes that share the work."""
    from networks.training.batched import groups

    if not seeds:
        return []
    parts = groups(untrained(system, seeds)[0], most=math.ceil(len(seeds) / workers))
    return [tuple(seeds[i] for i in part) for part in parts]

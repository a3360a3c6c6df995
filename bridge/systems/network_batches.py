"""Networks that are trained together: many small ones fill a processor as none alone does."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bridge.records.seeds import sequence

if TYPE_CHECKING:
    from bridge.protocols import Vector
    from bridge.systems.network import NetworkSystem
    from networks import HingeNetwork, Trained

Seeds = Sequence[tuple[int, int]]


def untrained(system: "NetworkSystem", seeds: Seeds) -> tuple[list["HingeNetwork"], list["Vector"]]:
    """Return a problem and its initial parameters for each seed: entropy and spawn key."""
    import numpy as np

    problems, starts = [], []
    for seed in seeds:
        data, init = sequence(seed).spawn(2)
        problem = system.problem(system.load, np.random.default_rng(data))
        problems.append(problem)
        starts.append(problem.mlp.init(np.random.default_rng(init)))
    return problems, starts


def train_together(
    system: "NetworkSystem", seeds: Seeds
) -> Iterator[tuple[int, "HingeNetwork", "Trained"]]:
    """Yield the place of each network in ``seeds``, its problem, and how it ended, as they end."""
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
    system: "NetworkSystem", seed: tuple[int, int], low: float, add: float, retrain: int
) -> Iterator[tuple["HingeNetwork", "Trained"]]:
    """Yield what a network tries while it is loaded from ``low`` up to the load of the system."""
    from networks.training.loading import load_slowly

    (problem,), (start,) = untrained(system, [seed])
    weights = problem.mlp.n_weights
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


def split(system: "NetworkSystem", seeds: Seeds, workers: int) -> list[tuple[tuple[int, int], ...]]:
    """Return the seeds in parts that fit a cache, for a number of processes that share the work."""
    from networks.training.batched import groups

    if not seeds:
        return []
    parts = groups(untrained(system, seeds)[0], most=math.ceil(len(seeds) / workers))
    return [tuple(seeds[i] for i in part) for part in parts]

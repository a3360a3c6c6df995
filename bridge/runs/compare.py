"""The comparison: every system through its transition, measured with the same code."""

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.runs.task import Run
from bridge.systems import DiscSystem, EllipseSystem, NetworkSystem, PerceptronSystem, System

SIZES = ("small", "medium", "large")


@dataclass(frozen=True)
class Sweep:
    """One system and the loads at which it is brought to a minimum from random starts.

    ``at_transition`` adds states right at the transition, where the gaps have power laws; a
    network reaches them by its load alone.
    """

    name: str
    system: System
    loads: tuple[float, ...]
    at_transition: bool


def sweeps(size: str) -> list[Sweep]:
    """Return the five systems at one of the sizes ``SIZES``.

    Raises
    ------
    ValueError
        If there is no such size.
    """
    if size not in SIZES:
        raise ValueError(f"expected a size of {', '.join(SIZES)}, got {size}: name one of them")
    bodies, components, width, steps = {
        "small": (256, 200, 14, 10_000),
        "medium": (512, 400, 24, 30_000),
        "large": (1024, 800, 36, 60_000),
    }[size]
    network = NetworkSystem(width=width, steps=steps)
    # All 1782 digits are fitted with ease: from four components of each they are not.
    digits = NetworkSystem(width=14, input_dim=4, steps=2 * steps, polish=4000, data="digits")
    perceptron = PerceptronSystem(n=components)
    return [
        Sweep("discs", DiscSystem(n=bodies), _grid(0.80, 0.90, 11), at_transition=True),
        Sweep("ellipses", EllipseSystem(n=bodies), _grid(0.84, 0.94, 11), at_transition=True),
        Sweep("perceptron", perceptron, _grid(3.5, 6.0, 11), at_transition=True),
        Sweep("network", network, _grid(2.0, 3.75, 8), at_transition=False),
        Sweep("digits", digits, _grid(1.5, 6.5, 6), at_transition=False),
    ]


def n_states(plan: Iterable[Sweep]) -> int:
    """Return how many states each sample has."""
    return sum(len(sweep.loads) + sweep.at_transition for sweep in plan)


def runs(plan: Iterable[Sweep], samples: int, seed: int) -> list[Run]:
    """Return every state to compute, the most expensive first so that no core waits at the end."""
    seeds = [(seed, sample) for sample in range(samples)]
    found = [
        Run(sweep.name, sweep.system, one, load, spectrum=True)
        for sweep in plan
        for load in sweep.loads
        for one in seeds
    ]
    found += [
        Run(sweep.name, sweep.system, one, at_transition=True, spectrum=True)
        for sweep in plan
        if sweep.at_transition
        for one in seeds
    ]
    return sorted(found, key=_cost, reverse=True)


def _grid(low: float, high: float, count: int) -> tuple[float, ...]:
    """Return evenly spaced loads, rounded so that a key does not depend on the last bit."""
    return tuple(round(low + (high - low) * i / (count - 1), 6) for i in range(count))


def _cost(run: Run) -> float:
    """Return a number that grows with the time a run takes."""
    order = {"network": 4.0, "ellipses": 2.0}.get(run.system.kind, 1.0)
    return order + 0.1 * (0.0 if run.load is None else run.load)

"""Slow loading: patterns are added to a network that fits, until it fits no more."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from networks.checks import check_kind, whole
from networks.data.patterns import Patterns
from networks.models.hinge import HingeNetwork
from networks.models.module import ModuleProblem
from networks.training.anneal import Schedule
from networks.training.train import NEWTON_STEPS, Problem, Trained, train

Vector: TypeAlias = NDArray[np.float64]


def load_slowly(
    problem: Problem,
    x: Vector,
    *,
    first: int,
    add: int,
    steps: int = 30000,
    retrain: int = 300,
    newton_steps: int = NEWTON_STEPS,
    schedule: Schedule | None = None,
    hold_norm: bool = True,
) -> Iterator[tuple[Problem, Trained]]:
    """Yield each network that is tried, and how it ended, while patterns are added to it.

    The way packings are compressed to jamming. The first patterns of ``problem`` are fitted from
    ``x`` by ``steps`` of Adam and a polish; then ``add`` more at a time, from the weights that
    fitted the fewer, by ``retrain`` steps and a polish. Where they do not fit, it goes back to
    those weights and adds half as many, down to a single pattern. So the last network that is
    yielded has one pattern more than fit, unless the first did not fit, or all patterns do.

    Adam lets the norm of the weights grow along with the load. With ``retrain=0`` the polish alone
    follows, to the state next to it and at the norm of the first fit if that is held: a margin at
    a norm, which jams at a lower load. Layers of a few rectifiers often end dead: all their units
    are silent on the one pattern that was added.

    All random numbers are in ``problem`` and ``x``: an interrupted loading repeats itself from
    there. The labels of `random_patterns` alternate, so that of the first ``P`` as many are +1 as
    -1, but for one where ``P`` is odd.

    Parameters
    ----------
    problem, x
        The network, or what `from_module` makes, with all patterns that it may be given, and its
        initial weights, ``(n_dof,)``.
    first
        Number of patterns to begin with.
    add
        Number of patterns added at once, at most.
    steps
        Steps of Adam for the first patterns.
    retrain
        Steps of Adam after each addition.
    newton_steps, schedule, hold_norm
        Those of `train`, for each number of patterns.

    Raises
    ------
    TypeError
        If ``problem`` is neither a `HingeNetwork` nor made by `from_module`.
    ValueError
        If ``first`` is less than 2 or more than there are, ``add`` is less than 1, or ``retrain``
        is negative.

    Examples
    --------
    >>> from networks import Mlp, random_patterns
    >>> rng, mlp = np.random.default_rng(0), Mlp(4, 4, 1, "tanh")
    >>> problem = HingeNetwork(mlp, random_patterns(80, 4, rng))
    >>> tried = [(len(part.patterns), end.status)
    ...     for part, end in load_slowly(problem, mlp.init(rng), first=10, add=10, steps=500)]
    >>> fitted = max(count for count, status in tried if status == "unjammed")
    >>> tried[0], tried[-1] == (fitted + 1, "jammed")
    ((10, 'unjammed'), True)
    """
    most = _count(problem)
    add, retrain = whole("add", add, 1), whole("retrain", retrain, 0)
    count, fitted = whole("first", first, 2), 0
    if count > most:
        raise ValueError(f"expected first <= {most}, the patterns there are, got {count}: lower it")
    while fitted < most:
        part = _with_first(problem, count)
        end = train(
            part,
            x,
            steps=steps,
            newton_steps=newton_steps,
            schedule=schedule,
            hold_norm=hold_norm,
        )
        yield part, end
        if end.status == "unjammed":
            fitted, x, steps = count, end.x, retrain
        elif fitted == 0 or count == fitted + 1:
            return
        else:
            add = (count - fitted) // 2
        count = min(fitted + add, most)


def _count(problem: Problem) -> int:
    """Return the number of patterns."""
    if isinstance(problem, ModuleProblem):
        return len(problem.demands)
    check_kind("problem", problem, HingeNetwork, "pass HingeNetwork(mlp, patterns)")
    return len(problem.patterns)


def _with_first(problem: Problem, count: int) -> Problem:
    """Return the same with its first patterns only."""
    if isinstance(problem, ModuleProblem):
        return problem.taken(np.arange(count))
    x, y = problem.patterns.x[:count], problem.patterns.y[:count]
    return replace(problem, patterns=Patterns(x, y))

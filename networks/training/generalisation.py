"""Test errors of networks of one shape: single, stopped early, and as an ensemble."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from networks.checks import check_generator, check_kind
from networks.data.patterns import Patterns
from networks.models.hinge import HingeNetwork
from networks.models.mlp import Mlp
from networks.training.anneal import Schedule
from networks.training.train import Trained, train_all

Vector: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Generalisation:
    """What ``E`` networks of one shape, of different initialisation, do on unseen patterns.

    Attributes
    ----------
    n_weights
        ``N``, weights without biases.
    trained
        The networks, dead ones included, ``E`` of them; the arrays leave the dead out.
    errors
        Fraction of test patterns on the wrong side at the end of each training.
    stopped
        The same at the step where the error on the validation patterns was lowest.
    averaged
        Error of the sign of the mean output of the networks, one number.
    norms
        ``|f|``, the root mean square of the output on the test patterns, of each.
    spread
        Root mean square over test patterns and networks of ``f - mean f``.
    """

    n_weights: int
    trained: tuple[Trained, ...]
    errors: Vector
    stopped: Vector
    averaged: float
    norms: Vector
    spread: float

    @property
    def fitted(self) -> int:
        """How many networks fit all of what they were taught."""
        return sum(end.status == "unjammed" for end in self.trained)

    @property
    def dead(self) -> int:
        """How many networks died."""
        return sum(end.status == "dead" for end in self.trained)


def generalise(
    mlp: Mlp,
    taught: Patterns,
    validation: Patterns,
    test: Patterns,
    rngs: Sequence[np.random.Generator],
    *,
    steps: int = 30000,
    schedule: Schedule | None = None,
) -> Generalisation:
    """Train a network from each of ``rngs`` and measure what it makes of unseen patterns.

    The error against ``N`` peaks where fitting becomes possible, and falls from there on because
    the output varies less from network to network: Spigler et al., J. Phys. A 52, 474001 (2019);
    Geiger et al., J. Stat. Mech. 023401 (2020).

    Parameters
    ----------
    mlp
        The shape of every network.
    taught, validation, test
        What they are trained on; what says where to stop; what the errors are measured on.
    rngs
        One generator for the initial weights of each network.
    steps, schedule
        Those of `train`; nothing is polished.

    Raises
    ------
    ValueError
        If there are no generators, or dimensions disagree.
    """
    if not rngs:
        raise ValueError(
            "expected a random generator for each network, got none: pass at least one"
        )
    check_kind("mlp", mlp, Mlp, "pass Mlp(input_dim, width, depth)")
    for rng in rngs:
        check_generator(rng)
    problem, validating, testing = (HingeNetwork(mlp, p) for p in (taught, validation, test))
    lowest = [(np.inf, np.nan)] * len(rngs)  # error on validation, and on test at the same step

    def look(i: int, step: int, x: Vector) -> None:
        del step
        wrong = _error(validating, x)
        if wrong < lowest[i][0]:
            lowest[i] = (wrong, _error(testing, x))

    starts = [mlp.init(rng) for rng in rngs]
    problems = [problem] * len(rngs)
    found = dict(
        train_all(problems, starts, steps=steps, newton_steps=0, schedule=schedule, look=look)
    )
    for i, end in found.items():
        look(i, end.steps, end.x)
    trained = tuple(found[i] for i in range(len(rngs)))
    alive = [i for i, end in enumerate(trained) if end.status != "dead"]
    stopped = np.array([lowest[i][1] for i in alive])
    return _measured(testing, trained, [trained[i].x for i in alive], stopped)


def _measured(
    testing: HingeNetwork, trained: tuple[Trained, ...], xs: list[Vector], stopped: Vector
) -> Generalisation:
    labels = testing.patterns.y
    outputs = np.array([_output(testing, x) for x in xs]).reshape(len(xs), len(labels))
    mean = outputs.mean(axis=0) if xs else np.full(len(labels), np.nan)
    return Generalisation(
        n_weights=testing.mlp.n_weights,
        trained=trained,
        errors=(outputs * labels <= 0).mean(axis=1),
        stopped=stopped,
        averaged=float((mean * labels <= 0).mean()) if xs else float("nan"),
        norms=np.sqrt((outputs**2).mean(axis=1)),
        spread=float(np.sqrt(((outputs - mean) ** 2).mean())) if xs else float("nan"),
    )


def _output(problem: HingeNetwork, x: Vector) -> Vector:
    """Return ``f`` on the patterns of a problem, ``(P,)``."""
    return (problem.margin - problem.gaps(x)) * problem.patterns.y


def _error(problem: HingeNetwork, x: Vector) -> float:
    """Return the fraction of patterns on the wrong side, or on neither."""
    return float((problem.gaps(x) >= problem.margin).mean())

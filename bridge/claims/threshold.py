"""The threshold of fitting: one bisection of the load, which several themes rest on."""

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.claims.experiment import Experiment, GridPoint, Sample
from bridge.measure.midpoint import bracket

if TYPE_CHECKING:
    from bridge.runs.states import Measured
    from networks import Mlp, Patterns

_INITS = 3  # starts of one training: a network that died is started again


def adam() -> dict[str, Any]:
    """Return rates and schedule of the optimiser, for the records of networks."""
    from networks.training.anneal import Schedule

    return {"optimiser": asdict(Schedule())}


def threshold(
    rng: np.random.Generator,
    *,
    depth: int,
    width: int,
    input_dim: int,
    data: str,
    activation: str,
    loads: tuple[float, float, float],
    steps: int,
    polish: int,
) -> Sample:
    """Find the load at which one set of patterns stops being fitted, by bisection.

    Patterns are added to the same network, so that smaller sets are parts of larger ones. ``loads``
    are the lowest, the highest, and the distance between them; a training that does not come to an
    end, within ``polish`` linear solves after ``steps`` of Adam, counts as one that does not fit.
    The result is ``stalled`` if the transition is outside.
    """
    from networks import Mlp

    mlp = Mlp(input_dim, width, depth, activation)
    low, high, spacing = loads
    grid = np.arange(low, high + 0.5 * spacing, spacing)
    patterns = _patterns(data, round(high * mlp.n_weights), input_dim, rng)
    ends: dict[int, Measured] = {}

    def fitted(place: int) -> float:
        ends[place] = _trained(mlp, patterns, grid[place] * mlp.n_weights, (steps, polish), rng)
        return float(ends[place].state.status == "unjammed")

    fits, jams = bracket(fitted, len(grid))
    statuses = [end.state.status for end in ends.values()]
    # One further up would not be at the transition: then there is none.
    state = ends[jams] if jams in ends and ends[jams].state.status == "jammed" else None
    inside = fits >= 0 and jams < len(grid)
    return Sample(
        values={
            "load": float(grid[fits] + grid[jams]) / 2 if inside else math.nan,
            "n_weights": mlp.n_weights,
            "constraint_ratio": state.observables.constraint_ratio if state else math.nan,
            "without_end": statuses.count("stalled") + statuses.count("dead"),
        },
        arrays={
            "tried": np.array(
                [[grid[k], end.observables.constraint_ratio] for k, end in ends.items()]
            ),
            "gaps": state.gaps if state else np.empty(0),
        },
        status="done" if inside else "stalled",
    )


def _patterns(data: str, count: int, dim: int, rng: np.random.Generator) -> "Patterns":
    from networks import digits, random_patterns

    if data == "digits":
        return digits(dim, count, rng)
    return random_patterns(count, dim, rng)


def _trained(
    mlp: "Mlp",
    patterns: "Patterns",
    count: float,
    most: tuple[int, int],
    rng: np.random.Generator,
) -> "Measured":
    """Train on the first patterns, an even number; start again where that certifies nothing.

    ``most`` are the steps of Adam and the linear solves of the polish.
    """
    from bridge.runs.states import measure
    from bridge.systems.learner import trained_state
    from networks import HingeNetwork, Patterns, train

    chosen = slice(0, 2 * round(count / 2))
    problem = HingeNetwork(mlp, Patterns(patterns.x[chosen], patterns.y[chosen]))
    for _ in range(_INITS):
        end = train(problem, mlp.init(rng), steps=most[0], newton_steps=most[1])
        found = measure(trained_state(end), with_spectrum=end.status == "jammed", seconds=0.0)
        if found.state.status in ("unjammed", "jammed"):
            break
    return found


def network(
    depth: int, width: int, input_dim: int, data: str = "random", activation: str = "relu"
) -> dict[str, Any]:
    """Return the parameters that name a kind of network."""
    sizes = {"depth": depth, "width": width, "input_dim": input_dim}
    return {**sizes, "data": data, "activation": activation}


SMALL, LARGE = network(2, 10, 10), network(2, 14, 14)
DEEP = network(3, 11, 14)  # 407 weights, where LARGE has 406
TANH = network(2, 10, 10, activation="tanh")
TANH_DEEP = network(3, 8, 10, activation="tanh")  # 216 weights, where TANH has 210
DIGITS, RANDOM = network(1, 8, 10, "digits"), network(1, 8, 10)


_START = 4e5  # products of a weight and a pattern in the time that any step of Adam takes


def step_work(mlp: "Mlp", load: float) -> float:
    """Return the work of one step of Adam at ``P/N``, in products of a weight and a pattern."""
    return float(_START + load * mlp.n_weights**2)


def _work(*, loads: tuple[float, float, float], steps: int, **kind: Any) -> float:
    from networks import Mlp

    low, high, spacing = loads
    mlp = Mlp(*(kind[name] for name in ("input_dim", "width", "depth", "activation")))
    trainings = math.log2((high - low) / spacing + 2)
    return trainings * steps * step_work(mlp, (low + high) / 2)


THRESHOLD = Experiment(
    "network threshold",
    threshold,
    default=tuple(
        GridPoint(3, {**kind, "loads": loads, "steps": 4_000, "polish": 200})
        for kind, loads in (
            (SMALL, (1.25, 3.25, 0.25)),
            (LARGE, (1.25, 3.25, 0.25)),
            (DEEP, (1.25, 3.25, 0.25)),
            (TANH, (2.5, 4.5, 0.25)),
            (TANH_DEEP, (1.5, 4.5, 0.25)),
            (DIGITS, (5.0, 19.0, 2.0)),
            (RANDOM, (0.75, 3.25, 0.25)),
        )
    ),
    full=tuple(
        GridPoint(6, {**kind, "loads": loads, "steps": 6_000, "polish": 1000})
        for kind, loads in (
            (network(2, 17, 17), (2.0, 3.5, 0.125)),  # 595 weights, of which units rarely die
            (network(3, 13, 17), (2.0, 3.5, 0.125)),  # 572
            (DIGITS, (5.0, 19.0, 1.0)),
            (RANDOM, (0.75, 3.25, 0.125)),
            (network(2, 12, 12, activation="tanh"), (2.0, 5.0, 0.125)),
            (network(3, 10, 12, activation="tanh"), (2.0, 5.0, 0.125)),
            (network(2, 24, 24), (2.0, 3.5, 0.125)),  # 1176
        )
    ),
    work=_work,
    settings=adam,
    on_networks=True,
)

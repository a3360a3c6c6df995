"""The transition of networks: where it is, what jumps there, and that nothing jams below it."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bridge.claims.claim import (
    GEIGER,
    Claim,
    Estimate,
    Expected,
    Experiment,
    Point,
    Records,
    Sample,
    Source,
    Theme,
    column,
    finished,
    mean_of,
    n_stalled,
    ratio_of,
)

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from bridge.jam import Measured
    from networks import Mlp, Patterns

_INITS = 3  # starts of one training: a network whose units all died is started again


def threshold(
    rng: "np.random.Generator",
    *,
    depth: int,
    width: int,
    input_dim: int,
    data: str,
    activation: str,
    loads: tuple[float, float, float],
    steps: int,
) -> Sample:
    """Find the load at which one set of patterns stops being fitted, by bisection.

    Patterns are added to the same network, so that smaller sets are parts of larger ones. ``loads``
    are the lowest, the highest, and the distance between them; a training that does not come to an
    end counts as one that does not fit. The result is ``stalled`` if the transition is outside.
    """
    import numpy as np

    from networks import Mlp

    mlp = Mlp(input_dim, width, depth, activation)
    low, high, spacing = loads
    grid = np.arange(low, high + 0.5 * spacing, spacing)
    patterns = _patterns(data, round(high * mlp.n_weights), input_dim, rng)
    fits, jams, n_open = -1, len(grid), 0
    tried: list[tuple[float, float]] = []
    state: Measured | None = None
    while jams - fits > 1:
        middle = (fits + jams) // 2
        found = _trained(mlp, patterns, grid[middle] * mlp.n_weights, steps, rng)
        status = found.state.status
        n_open += status in ("stalled", "dead")
        tried.append((float(grid[middle]), found.observables.constraint_ratio))
        if status == "unjammed":
            fits = middle
        else:
            jams = middle
            state = found if status == "jammed" else state
    inside = fits >= 0 and jams < len(grid)
    return Sample(
        values={
            "load": float(grid[fits] + grid[jams]) / 2 if inside else math.nan,
            "n_weights": mlp.n_weights,
            "constraint_ratio": state.observables.constraint_ratio if state else math.nan,
            "without_end": n_open,
        },
        arrays={"tried": np.array(tried), "gaps": state.gaps if state else np.empty(0)},
        status="done" if inside else "stalled",
    )


def overparametrized(
    rng: "np.random.Generator", *, width: int, activation: str, load: float, steps: int
) -> Sample:
    """Train a network with far more weights than it needs, and say how that ended."""
    from networks import HingeNetwork, Mlp, random_patterns, train

    mlp = Mlp(width, width, 2, activation)
    problem = HingeNetwork(mlp, random_patterns(round(load * mlp.n_weights), width, rng))
    found = train(problem, mlp.init(rng), steps=steps, newton_steps=0)
    return Sample({"fitted": float(found.status == "unjammed")}, status=found.status)


def _patterns(data: str, count: int, dim: int, rng: "np.random.Generator") -> "Patterns":
    from networks import digits, random_patterns

    if data == "digits":
        return digits(dim, count, rng)
    return random_patterns(count, dim, rng)


def _trained(
    mlp: "Mlp", patterns: "Patterns", count: float, steps: int, rng: "np.random.Generator"
) -> "Measured":
    """Train on the first patterns, an even number of them.

    Training that did not come to an end goes on, once. If units died, or the state's own spectrum
    denies that it is a minimum, it starts again.
    """
    from bridge.jam import measure
    from bridge.systems import State
    from networks import HingeNetwork, Patterns, train

    chosen = slice(0, 2 * round(count / 2))
    problem = HingeNetwork(mlp, Patterns(patterns.x[chosen], patterns.y[chosen]))
    for _ in range(_INITS):
        end = train(problem, mlp.init(rng), steps=steps, newton_steps=0)
        if end.status == "stalled":
            end = train(problem, end.x, steps=steps, newton_steps=0)
        state = State(problem, end.x, end.status, end.reason, ("P/N", problem.load))
        found = measure(state, with_spectrum=end.status == "jammed", seconds=0.0)
        if end.status != "dead" and found.state.status == end.status:
            break
    return found


def _network(
    depth: int, width: int, input_dim: int, data: str = "random", activation: str = "relu"
) -> dict[str, Any]:
    return {
        "depth": depth,
        "width": width,
        "input_dim": input_dim,
        "data": data,
        "activation": activation,
    }


SMALL, LARGE = _network(2, 10, 10), _network(2, 14, 14)
DEEP = _network(3, 11, 14)  # 407 weights, where LARGE has 406
TANH = _network(2, 10, 10, activation="tanh")
DIGITS, RANDOM = _network(2, 12, 4, "digits"), _network(2, 12, 4)

_LOADS = (1.25, 3.25, 0.25)
_TANH_LOADS = (2.5, 4.5, 0.25)
_DIGIT_LOADS = (1.0, 5.0, 0.5)
_FLAT_LOADS = (0.5, 2.5, 0.25)  # random patterns of four components

THRESHOLD = Experiment(
    "network threshold",
    threshold,
    default=(
        Point(3, {**SMALL, "loads": _LOADS, "steps": 10_000}),
        Point(3, {**LARGE, "loads": _LOADS, "steps": 10_000}),
        Point(3, {**DEEP, "loads": _LOADS, "steps": 10_000}),
        Point(3, {**TANH, "loads": _TANH_LOADS, "steps": 10_000}),
        Point(3, {**DIGITS, "loads": _DIGIT_LOADS, "steps": 10_000}),
        Point(3, {**RANDOM, "loads": _FLAT_LOADS, "steps": 10_000}),
    ),
    full=tuple(
        Point(12, {**network, "loads": loads, "steps": 60_000})
        for network, loads in (
            (SMALL, (1.0, 4.0, 0.125)),
            (LARGE, (1.0, 4.0, 0.125)),
            (_network(2, 24, 24), (1.5, 4.0, 0.125)),
            (_network(2, 36, 36), (1.5, 4.0, 0.125)),
            (DEEP, (1.0, 4.0, 0.125)),
            (_network(3, 24, 24), (1.5, 4.0, 0.125)),
            (_network(5, 24, 24), (1.5, 4.0, 0.125)),
            (TANH, (2.0, 5.0, 0.125)),
            (DIGITS, (1.0, 6.5, 0.25)),
            (_network(3, 9, 4, "digits"), (1.0, 6.5, 0.25)),
            (RANDOM, (0.5, 4.0, 0.125)),
        )
    ),
)

BEYOND = Experiment(
    "network beyond N*",
    overparametrized,
    default=tuple(
        Point(8, {"width": 12, "activation": activation, "load": 1.25, "steps": 10_000})
        for activation in ("relu", "tanh")
    ),
    full=tuple(
        Point(100, {"width": width, "activation": activation, "load": 1.25, "steps": 60_000})
        for width in (12, 24)
        for activation in ("relu", "tanh")
    ),
)


def _load(records: Records, network: Mapping[str, Any]) -> Estimate:
    """Return the mean load ``P*/N`` at which one kind of network stops fitting."""
    of_kind = [r for r in records if all(r.parameters[k] == v for k, v in network.items())]
    return mean_of(column(of_kind, "load"), stalled=n_stalled(of_kind))


def _jump(records: Records) -> Estimate:
    import numpy as np

    chosen = finished(records, activation="relu", data="random", depth=2)
    ratios = np.array([record.data["constraint_ratio"] for record in chosen])
    known = ratios[np.isfinite(ratios)]
    note = (
        f"smallest {known.min():.2f}, in states within one step of the load" if known.size else ""
    )
    return mean_of(known, stalled=len(ratios) - len(known), note=note)


def _scaling(records: Records) -> Estimate:
    """Fit ``N* ∝ P^k`` through the smallest and the largest network of two hidden layers."""
    widths = sorted({r.parameters["width"] for r in _plain(records)})
    small, large = (_network(2, width, width) for width in (widths[0], widths[-1]))
    below, above = _load(records, small), _load(records, large)
    n = [column(records, "n_weights", **kind)[0] for kind in (small, large)]
    patterns = math.log(n[1] * above.value / (n[0] * below.value))
    value = math.log(n[1] / n[0]) / patterns
    spread = math.hypot(above.error / above.value, below.error / below.value)
    note = (
        f"P*/N = {below.value:.2f} ± {below.error:.2f} at N = {n[0]:.0f}, "
        f"{above.value:.2f} ± {above.error:.2f} at {n[1]:.0f}"
    )
    count, stalled = below.samples + above.samples, below.stalled + above.stalled
    return Estimate(value, value * spread / patterns, count, stalled, note)


def _plain(records: Records) -> list[Any]:
    """Return the records of ReLU networks of two layers, as wide as their patterns."""
    chosen = finished(records, activation="relu", data="random", depth=2)
    return [r for r in chosen if r.parameters["width"] == r.parameters["input_dim"]]


def _depth(records: Records) -> Estimate:
    shallow, deep = _load(records, LARGE), _load(records, DEEP)
    note = f"P*/N = {shallow.value:.2f} for 2 layers, {deep.value:.2f} for 3"
    return ratio_of(deep, shallow, note)


def _real(records: Records) -> Estimate:
    digits, random = _load(records, DIGITS), _load(records, RANDOM)
    note = f"P*/N = {digits.value:.2f} for parity of digits, {random.value:.2f} for random labels"
    return ratio_of(digits, random, note)


def _poor(records: Records) -> Estimate:
    statuses = [record.status for record in records]
    poor, open_ends = statuses.count("jammed"), statuses.count("stalled") + statuses.count("dead")
    note = f"of {len(records)} trainings; in {statuses.count('dead')} more all units died"
    return Estimate(float(poor), 0.0, len(records), open_ends, note)


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw ``N_Δ/N`` of every training of the bisections against its load."""
    import numpy as np

    from bridge.figures import BLUE, GREEN, ORANGE, RED, SKY, legend

    axes = figure.subplots()
    kinds = (
        (SMALL, "2 layers, width 10", SKY, "o"),
        (LARGE, "2 layers, width 14", BLUE, "s"),
        (DEEP, "3 layers, width 11", RED, "^"),
        (TANH, "tanh, width 10", GREEN, "D"),
        (DIGITS, "parity of digits", ORANGE, "v"),
    )
    for network, name, colour, marker in kinds:
        found = finished(records[THRESHOLD.name], **network)
        if not found:
            continue
        points = np.concatenate([record.arrays["tried"] for record in found])
        axes.plot(*points.T, marker, color=colour, ms=4, mfc="none", label=name)
        axes.axvline(np.mean([record.data["load"] for record in found]), color=colour, lw=0.8)
    axes.set_xlabel("load P/N")
    axes.set_ylabel("violated patterns N$_Δ$/N")
    axes.set_ylim(-0.1, 3.0)
    legend(axes)


THEME = Theme(
    "transition",
    "The transition of networks",
    (
        Claim(
            "jump",
            "A phase transition delimits the over- and underparametrized regimes, where fitting "
            "can or cannot be achieved: the number of violated patterns jumps.",
            Source(GEIGER),
            "N_Δ/N at the lowest load that is not fitted",
            Expected(0.4, 0.0, "reference runs at N = 300 to 1300: 0.6 to 0.9", ">="),
            THRESHOLD,
            _jump,
        ),
        Claim(
            "scaling",
            "The number of parameters at the transition grows in proportion to the patterns.",
            Source(GEIGER, "the transition of random data"),
            "k in N* ∝ P^k, from the smallest to the largest network",
            Expected(1.0, 0.1, "counting constraints against parameters"),
            THRESHOLD,
            _scaling,
        ),
        Claim(
            "depth",
            "The ability of fully connected networks to fit random data is independent of their "
            "depth.",
            Source(GEIGER),
            "P*/N with 3 hidden layers over that with 2",
            Expected(1.0, 0.15, "equality, and the width of a step of the load"),
            THRESHOLD,
            _depth,
        ),
        Claim(
            "real-data",
            "Real data need fewer parameters than random labels.",
            Source(GEIGER, "the transition of real data"),
            "P*/N of the parity of digits over that of random labels",
            Expected(1.0, 0.0, "the claim itself", ">="),
            THRESHOLD,
            _real,
        ),
        Claim(
            "no-poor-minima",
            "Poor minima of the loss cannot be encountered in the overparametrized regime.",
            Source(GEIGER),
            "trainings that end in a minimum at P/N = 1.25, half of the transition",
            Expected(0.0, 0.0, "the claim itself"),
            BEYOND,
            _poor,
        ),
    ),
    draw,
)

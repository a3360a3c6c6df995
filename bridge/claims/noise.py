"""Descents with noise between the minima of a classifier, beside the rates between them.

A descent with noise is ``dx = -∇V dt + √(2T) dW``. What it does is asked half way to equilibrium,
when by the master equation ``p_a(t) = (1 + p_a(∞))/2`` of those that began in the minimum ``a``.
"""

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bridge.claims.claim import theme_of
from bridge.claims.estimates import finished, mean
from bridge.claims.experiment import Experiment, Records, Sample, grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bridge.landscape.graph import Graph
    from bridge.landscape.kinetics import Rates
    from bridge.protocols import Landscape, Vector
    from bridge.records.store import Record

_STEP = 0.5  # of a descent, in units of one over the largest curvature where it starts
_MOST = 100_000  # steps of a descent
_STALLED = Sample({"excess": math.nan, "distance": math.nan}, status="stalled")


def noisy_descents(
    rng: np.random.Generator,
    *,
    hidden: int,
    l2: float,
    patterns: int,
    searches: int,
    barrier: float,
    walkers: int,
) -> Sample:
    """Start descents with noise in one minimum, and see where they are half way to equilibrium.

    It is the minimum left soonest, of all but the lowest one, if ``T`` is the lowest barrier over
    ``barrier``. ``excess`` is the share that is still there less that of the master equation;
    ``distance`` is half the sum of the moduli of all such differences. The sample is ``stalled`` if
    no minimum is left within reach.
    """
    from bridge.landscape.kinetics import rates
    from bridge.runs.exploration import run_landscape
    from bridge.systems.classifier import ClassifierLandscape

    system = ClassifierLandscape("quench", hidden, l2, patterns)
    found = run_landscape(system, int(rng.integers(2**31)), searches=searches)
    graph, problem = found.graph, found.case.problem
    start, temperature, step = _start(graph, problem, barrier)
    if start < 0:
        return _STALLED
    time, expected = half_way(rates(graph, temperature, overdamped=True), start)
    if time > _MOST * step:
        return _STALLED
    steps = math.ceil(time / step)
    ends = [
        _basin(graph, problem, noisy(problem, graph.minima[start].x, temperature, time, steps, rng))
        for _ in range(walkers)
    ]
    seen = np.bincount(ends, minlength=len(expected) + 1) / walkers
    expected = np.append(expected, 0.0)  # of a minimum that the search has not met
    return Sample(
        values={
            "minima": len(graph.minima),
            "temperature": temperature,
            "steps": steps,
            "excess": float(seen[start] - expected[start]),
            "distance": float(np.abs(seen - expected).sum()) / 2,
        },
        arrays={"seen": seen, "expected": expected, "start": np.array([start])},
    )


def _start(graph: "Graph", problem: "Landscape", barrier: float) -> tuple[int, float, float]:
    """Return the minimum to start from, ``T`` and the time of a step; -1 if there is none."""
    from bridge.landscape.kinetics import rates
    from bridge.measure.spectra import hessian

    lowest = int(np.argmin([point.energy for point in graph.minima]))
    barriers = np.full(len(graph.minima), np.inf)
    for saddle, (a, b) in zip(graph.saddles, graph.ends, strict=True):
        if a != b:
            for k in (a, b):
                barriers[k] = min(barriers[k], saddle.energy - graph.minima[k].energy)
    ways = []
    for k in np.flatnonzero(np.isfinite(barriers)).tolist():
        if k != lowest:
            step = _STEP / float(np.linalg.eigvalsh(hessian(problem, graph.minima[k].x))[-1])
            t = float(barriers[k]) / barrier
            escape = rates(graph, t, overdamped=True).escape[k]
            ways.append((1.0 / (escape * step), k, t, step))
    return min(ways)[1:] if ways else (-1, math.nan, math.nan)


def half_way(found: "Rates", start: int) -> tuple[float, "Vector"]:
    """Return the time half way to equilibrium, and the shares of all minima then, ``(n,)``.

    It is infinite if it is more than ``e^20`` times that of an escape.
    """
    from scipy.linalg import expm
    from scipy.optimize import brentq

    generator = found.constants.T - np.diag(found.escape)
    half = 0.5 * (1.0 + found.equilibrium[start])

    def shares(log_time: float) -> "Vector":
        return np.asarray(expm(generator * math.exp(log_time))[:, start])

    escape = math.log(found.escape[start])
    late = 20.0 - escape
    if shares(late)[start] > half:
        return math.inf, shares(late)
    log_time = brentq(lambda t: shares(t)[start] - half, -escape - 3.0, late)
    return math.exp(log_time), shares(log_time)


def noisy(
    problem: "Landscape",
    x: "Vector",
    temperature: float,
    time: float,
    steps: int,
    rng: np.random.Generator,
) -> "Vector":
    """Return where a descent with noise is after a ``time``, in so many Euler-Maruyama steps."""
    step = time / steps
    kick = math.sqrt(2.0 * temperature * step)
    for _ in range(steps):
        x = x - step * problem.energy_gradient(x)[1] + kick * rng.standard_normal(x.size)
    return x


def _basin(graph: "Graph", problem: "Landscape", x: "Vector") -> int:
    """Return the minimum below ``x``; the number of all if it is none of them."""
    from bridge.landscape.quench import quench

    end = quench(problem, x, graph.identity, rough=True)
    found = None if isinstance(end, str) else graph.minima.find(end)
    return len(graph.minima) if found is None else found


NOISE = Experiment(
    "noisy descents",
    noisy_descents,
    default=grid(6, hidden=3, l2=1e-3, patterns=20, searches=80, barrier=3.0, walkers=12),
    full=grid(16, hidden=3, l2=1e-3, patterns=20, searches=100, barrier=3.0, walkers=40),
    work=lambda walkers, **_: walkers,
    on_networks=True,
)


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw the share of descents in each minimum against that of the master equation."""
    from bridge.figures.style import BLUE, GREY, ORANGE

    axes = figure.subplots()
    known = finished(records[NOISE.name])
    for began, colour, marker in ((True, BLUE, "o"), (False, ORANGE, "s")):
        points = [point for record in known for point in _points(record, began)]
        if points:
            expected, seen, walkers = np.transpose(points)
            spread = np.sqrt(np.clip(expected * (1 - expected), 0, None) / walkers)
            axes.errorbar(
                expected, seen, spread, fmt=marker, color=colour, ms=4, mfc="none", lw=0.7,
                label="where it began" if began else "another",
            )  # fmt: skip
    axes.plot([0, 1], [0, 1], color=GREY, lw=0.8, label="as many as expected")
    axes.set(
        xlabel="share by the master equation, half way to equilibrium",
        ylabel="share of the descents with noise",
        xlim=(-0.03, 1.03), ylim=(-0.03, 1.03),
    )  # fmt: skip
    figure.legend(loc="outside right upper", title="minimum; bars: chance", fontsize="small")


def _points(record: "Record", began: bool) -> list[tuple[float, float, int]]:
    """Return expected and seen shares of the first minimum, or of those others that have any."""
    expected, seen, start = (record.arrays[name] for name in ("expected", "seen", "start"))
    chosen = (np.arange(len(seen)) == start[0]) == began
    some = chosen & (expected + seen > 0.01)
    walkers = record.parameters["walkers"]
    return [(e, s, walkers) for e, s in zip(expected[some], seen[some], strict=True)]


THEME = theme_of(
    "noise",
    "Descents with noise",
    {
        "noise-stays": (NOISE, partial(mean, number="excess")),
        "noise-where": (NOISE, partial(mean, number="distance")),
    },
    draw,
)

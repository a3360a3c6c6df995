"""Avalanches: patterns learned and forgotten at once while the margin slowly grows."""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.claims.claim import Estimate, theme_of
from bridge.claims.estimates import farthest, finished, mean, n_stalled, share_of
from bridge.claims.experiment import Experiment, Records, Sample, grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from bridge.protocols import Vector
    from bridge.records.store import Record
    from bridge.systems import System


def slowly() -> dict[str, float]:
    """Return the overlap at which loading starts, for the records."""
    from bridge.runs.kinds.avalanche import START_OVERLAP

    return {"start_overlap": START_OVERLAP}


def slow_loading(
    rng: np.random.Generator, *, system: str, n: int, load: float, by: float, steps: int
) -> Sample:
    """Ask for a slowly growing margin, from the one at which the patterns just cease to fit.

    ``n`` is the components of a perceptron or the width of a network, ``load`` its ``P/N``; the
    margin grows by ``by`` in ``steps``, each halved until it is elastic or shortest.
    """
    from bridge.avalanches import drive
    from bridge.runs.kinds.avalanche import loading_start

    chosen = _system(system, n, load)
    stage = loading_start(chosen, rng)
    loads = np.linspace(0.0, by, steps + 1)
    found = drive(stage.problem, stage.x, loads, minimise=chosen.follow)
    events = found.avalanches
    return Sample(
        values={"avalanches": len(events), "n_dof": stage.problem.n_dof},
        arrays={
            "loads": found.loads,
            "changes": found.changes,
            "at": np.array([event.load for event in events]),
            "drop": found.drops,
            "patterns": np.array([event.closed + event.opened for event in events], dtype=float),
            "unstable": np.array([event.unstable for event in events], dtype=float),
        },
        status="done" if found.status == "loaded" else "stalled",
    )


def _system(name: str, n: int, load: float) -> "System":
    from bridge.systems import NetworkSystem, PerceptronSystem

    if name == "perceptron":
        return PerceptronSystem(n=n, alpha=load, sigma=0.5)
    return NetworkSystem(depth=1, width=n, load=load, activation="tanh")


# Below α = 2 a perceptron fits all patterns with a margin σ > 0: what it minimises is convex.
CONVEX_LOADING: dict[str, Any] = {"system": "perceptron", "load": 1.5}
ROUGH_LOADING: dict[str, Any] = {"system": "perceptron", "load": 4.0}
TANH_LOADING: dict[str, Any] = {"system": "network", "load": 1.5}


def _work(*, system: str, n: int, steps: int, **_: float) -> float:
    return steps * (n if system == "perceptron" else n * (n + 2)) ** 2


LOADING = Experiment(
    "slow loading",
    slow_loading,
    default=(
        *grid(6, **CONVEX_LOADING, n=50, by=0.2, steps=50),
        *grid(6, **ROUGH_LOADING, n=50, by=0.2, steps=100),
        *grid(8, **TANH_LOADING, n=5, by=0.8, steps=40),
    ),
    full=(
        *grid(12, **CONVEX_LOADING, n=100, by=0.2, steps=100),
        *grid(12, **ROUGH_LOADING, n=100, by=0.2, steps=100),
        *grid(30, **TANH_LOADING, n=8, by=0.8, steps=100),
    ),
    work=_work,
    settings=slowly,
    on_networks=True,
)


_FEWEST = 10  # avalanches, for a mean over them


def _patterns(records: Records, **where: Any) -> Estimate:
    """Return the mean over all avalanches; its error is that of a ratio of sums over loadings."""
    found = [record.arrays["patterns"] for record in finished(records, **where)]
    sums, counts = (np.array([f(values) for values in found]) for f in (np.sum, len))
    total, n, stalled = int(counts.sum()), len(found), n_stalled(records, **where)
    if n < 3 or total < _FEWEST:
        return Estimate(math.nan, math.nan, n + stalled, stalled, f"{total} avalanches")
    mean = float(sums.sum()) / total
    error = float((sums - mean * counts).std(ddof=1)) * math.sqrt(n) / total
    every = np.concatenate(found)
    note = f"{total} avalanches, from {every.min():.0f} to {every.max():.0f}"
    return Estimate(mean, error, n + stalled, stalled, note)


def _unstable(records: Records) -> Estimate:
    """Return the share of the avalanches before which an eigenvalue was negative; of the runs."""
    found = finished(records)
    stalled = n_stalled(records)
    share = share_of(_joined(found, "unstable") > 0, fewest=_FEWEST)
    return replace(share, samples=len(found) + stalled, stalled=stalled)


def _joined(records: Records, name: str) -> "Vector":
    return np.concatenate([np.empty(0), *(record.arrays[name] for record in records)])


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw how the set of learned patterns changes with the margin; thick: in an avalanche."""
    from bridge.figures.style import BLUE, GREY, ORANGE, RED, legend

    left, right = figure.subplots(1, 2)
    kinds = (
        (CONVEX_LOADING, "convex perceptron", BLUE, "o"),
        (ROUGH_LOADING, "non-convex perceptron", RED, "s"),
        (TANH_LOADING, "tanh network", ORANGE, "^"),
    )
    for kind, name, colour, marker in kinds:
        found = finished(records[LOADING.name], **kind)
        for record in found:
            share, changed, sudden = _staircase(record)
            so_far = np.cumsum(changed)
            left.step(share, so_far, where="post", color=colour, lw=0.6)
            ends = so_far[sudden]
            left.vlines(share[sudden], ends - changed[sudden], ends, color=colour, lw=2.0)
        drops, patterns = _joined(found, "drop"), _joined(found, "patterns")
        right.plot(drops, patterns, marker, color=colour, ms=4, mfc="none", label=name)
    right.axhline(1.0, color=GREY, lw=0.8, ls="--", label="one pattern, as in between")
    left.set(
        xlabel="margin added, part of the whole\n(thick: in an avalanche)",
        ylabel="patterns learned or forgotten",
    )
    right.set(xlabel="energy lost in the avalanche", ylabel="patterns changed in it", xscale="log")
    right.set_ylim(top=1.45 * right.get_ylim()[1])  # room for the legend
    legend(right, loc="upper left")


def _staircase(record: "Record") -> "tuple[Vector, Vector, NDArray[np.bool_]]":
    """Return where patterns changed, how many, and whether in an avalanche, in order."""
    arrays = record.arrays
    where = np.concatenate([arrays["loads"], arrays["at"]])
    order = np.argsort(where, kind="stable")
    changed = np.concatenate([arrays["changes"], arrays["patterns"]])
    sudden = order >= len(arrays["loads"])
    return where[order] / record.parameters["by"], changed[order], sudden


THEME = theme_of(
    "avalanches",
    "Avalanches",
    {
        "avalanches-convex": (LOADING, partial(farthest, number="avalanches", **CONVEX_LOADING)),
        "avalanches-perceptron": (LOADING, partial(mean, number="avalanches", **ROUGH_LOADING)),
        "avalanches-network": (LOADING, partial(mean, number="avalanches", **TANH_LOADING)),
        "patterns-perceptron": (LOADING, partial(_patterns, **ROUGH_LOADING)),
        "patterns-network": (LOADING, partial(_patterns, **TANH_LOADING)),
        "instability": (LOADING, _unstable),
    },
    draw,
)

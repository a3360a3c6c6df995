"""The transition of networks: where it is, what jumps there, and that nothing jams below it."""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.claims.claim import Estimate, theme_of
from bridge.claims.estimates import (
    column,
    exponent,
    finished,
    mean,
    n_stalled,
    of_kind,
    ratio_of,
    share_of,
)
from bridge.claims.experiment import Experiment, Records, Sample, grid
from bridge.claims.threshold import (
    DIGITS,
    RANDOM,
    THRESHOLD,
    adam,
    network,
    step_work,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bridge.protocols import Vector


def overparametrized(
    rng: np.random.Generator, *, width: int, activation: str, load: float, steps: int
) -> Sample:
    """Train a network with far more weights than it needs, and say how that ended."""
    from networks import HingeNetwork, Mlp, random_patterns, train

    mlp = Mlp(width, width, 2, activation)
    problem = HingeNetwork(mlp, random_patterns(round(load * mlp.n_weights), width, rng))
    found = train(problem, mlp.init(rng), steps=steps)
    return Sample({"fitted": float(found.status == "unjammed")}, status=found.status)


def _work(*, width: int, activation: str, load: float, **_: int) -> float:
    """Return the work of one step: they fit early, after about as many steps of all sizes."""
    from networks import Mlp

    return step_work(Mlp(width, width, 2, activation), load)


BEYOND = Experiment(
    "network beyond N*",
    overparametrized,
    default=grid(8, width=12, activation=["relu", "tanh"], load=1.25, steps=10_000),
    full=grid(50, width=[12, 24], activation=["relu", "tanh"], load=1.25, steps=10_000),
    work=_work,
    settings=adam,
    on_networks=True,
)


_JUMP = 0.4  # N_Δ/N above which the number of violated patterns has jumped


def _jump(records: Records) -> Estimate:
    ratios = column(records, "constraint_ratio", data="random")
    known = _known(ratios)
    unknown = len(ratios) - len(known) + n_stalled(records, data="random")
    found = share_of(known > _JUMP, stalled=unknown)
    note = f"{found.note}: {_listed(known)}; the others met no minimum within a step of it"
    return replace(found, note=note)


def _scaling(records: Records) -> Estimate:
    """Fit ``N* ∝ P^k`` through the sizes of ReLU networks of two hidden layers."""
    widths = sorted({r.parameters["width"] for r in _plain(records)})
    kinds = [network(2, width, width) for width in widths]
    n = [column(records, "n_weights", **kind)[0] for kind in kinds]
    patterns = [mean(records, lambda r: r.data["load"] * r.data["n_weights"], **k) for k in kinds]
    fit = exponent(n, patterns)
    note = f"P* = {fit.note} weights"
    return replace(fit, value=1 / fit.value, error=fit.error / fit.value**2, note=note)


def _plain(records: Records) -> list[Any]:
    """Return the records of ReLU networks of two layers, as wide as their patterns."""
    chosen = finished(records, activation="relu", data="random", depth=2)
    return [r for r in chosen if r.parameters["width"] == r.parameters["input_dim"]]


def _depth(records: Records, activation: str) -> Estimate:
    """Compare the deepest of the widest networks with those of two layers on such patterns."""
    deep = [r for r in of_kind(records, activation=activation) if r.parameters["depth"] > 2]
    if not deep:
        return Estimate(math.nan, math.nan, 0)
    deepest = max(deep, key=lambda r: (r.parameters["input_dim"], r.parameters["depth"]))
    depth, width, dim = (deepest.parameters[name] for name in ("depth", "width", "input_dim"))
    kinds = [
        network(2, dim, dim, activation=activation),
        network(depth, width, dim, activation=activation),
    ]
    below, above = (mean(records, "load", **kind) for kind in kinds)
    jumps = [_known(column(records, "constraint_ratio", **kind)) for kind in kinds]
    note = (
        f"P*/N = {below.value:.2f} for 2 layers, {above.value:.2f} for {depth}; "
        f"N_Δ/N there: {_listed(jumps[0])} and {_listed(jumps[1])}"
    )
    return ratio_of(above, below, note)


def _known(values: "Vector") -> "Vector":
    """Return the numbers of the bisections that met a minimum above their transition."""
    return values[np.isfinite(values)]


def _listed(values: "Vector") -> str:
    return ", ".join(f"{value:.2f}" for value in values) or "none"


def _real(records: Records) -> Estimate:
    digits, random = (mean(records, "load", **kind) for kind in (DIGITS, RANDOM))
    note = f"P*/N = {digits.value:.2f} for parity of digits, {random.value:.2f} for random labels"
    return ratio_of(digits, random, note)


def _poor(records: Records) -> Estimate:
    statuses = [record.status for record in records]
    poor, open_ends = statuses.count("jammed"), statuses.count("stalled") + statuses.count("dead")
    note = f"of {len(records)} trainings; in {statuses.count('dead')} more all units died"
    return Estimate(float(poor), 0.0, len(records), open_ends, note)


def _name(kind: Mapping[str, Any]) -> str:
    """Return how the figure calls a kind of network."""
    plural = "s" if kind["depth"] > 1 else ""
    data = " of digits" if kind["data"] == "digits" else ""
    name = {"relu": "ReLU", "tanh": "tanh"}[kind["activation"]]
    return f"{name}, {kind['depth']} layer{plural} of {kind['width']}{data and ',' + data}"


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw ``N_Δ/N`` of every training of the bisections against its load."""
    from bridge.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, RED, SKY

    axes = figure.subplots()
    known = finished(records[THRESHOLD.name])
    names = sorted({_name(r.parameters) for r in known})
    looks = zip(
        names, cycle((BLUE, SKY, GREEN, RED, ORANGE, BLACK, GREY)), cycle("os^Dvx<"), strict=False
    )
    for name, colour, marker in looks:
        found = [r for r in known if _name(r.parameters) == name]
        points = np.concatenate([record.arrays["tried"] for record in found])
        axes.plot(*points.T, marker, color=colour, ms=4, mfc="none", label=name)
        axes.axvline(np.mean([record.data["load"] for record in found]), color=colour, lw=0.8)
    axes.set(xlabel="load P/N", ylabel="violated patterns N$_Δ$/N", ylim=(-0.05, 1.8))
    if names:
        title = "lines: mean transition"
        figure.legend(loc="outside right upper", title=title, fontsize="small")


THEME = theme_of(
    "transition",
    "The transition of networks",
    {
        "jump": (THRESHOLD, _jump),
        "scaling": (THRESHOLD, _scaling),
        "depth": (THRESHOLD, partial(_depth, activation="relu")),
        "depth-tanh": (THRESHOLD, partial(_depth, activation="tanh")),
        "real-data": (THRESHOLD, _real),
        "no-poor-minima": (BEYOND, _poor),
    },
    draw,
)

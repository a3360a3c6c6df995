"""Landscapes of networks with several hidden layers, with many patterns and with few."""

import math
from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bridge.claims.claim import theme_of
from bridge.claims.estimates import counted, finished, log_ratio, of_kind
from bridge.claims.experiment import Experiment, GridPoint, Records, Sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch.nn import Module

    from bridge.landscape.graph import Graph
    from bridge.protocols import Vector


def deep_landscape(
    rng: np.random.Generator,
    *,
    depth: int,
    width: int,
    l2: float,
    patterns: int,
    starts: int,
    climbs: int,
) -> Sample:
    """Minimise a classifier of LJAT3 outcomes from random starts, then climb from its minima.

    ``minima`` are those from the starts. ``barrier`` is the mean height of a saddle above the
    higher of the two minima that it joins; without one the sample is ``stalled``.
    """
    from bridge.landscape.case import Case
    from bridge.landscape.graph import Graph
    from bridge.runs.exploration import explorer_of
    from bridge.systems.classifier import lengths
    from bridge.systems.quench_outcomes import quench_outcomes
    from networks.models.module_loss import ModuleLoss

    data = quench_outcomes(patterns, rng).standardised()
    problem = ModuleLoss.of(_module(depth, width), data.x, data.label, l2=l2)
    explorer = explorer_of(
        Case(problem, problem.random_state, *lengths()), int(rng.integers(2**31))
    )
    graph = Graph(explorer.identity)
    for finding in explorer.quenches(range(starts)):
        graph.absorb(finding)
    energies = np.array([point.energy for point in graph.minima])
    for finding in explorer.climbs(graph, range(climbs)) if len(energies) else ():
        graph.absorb(finding)
    barriers = _barriers(graph)
    return Sample(
        values={
            "minima": len(energies),
            "barrier": float(barriers.mean()) if barriers.size else math.nan,
        },
        arrays={"energies": energies, "barriers": barriers},
        status="done" if barriers.size else "stalled",
    )


def _module(depth: int, width: int) -> "Module":
    from torch.nn import Linear, Sequential, Tanh

    sizes = [3, *[width] * depth]
    layers = [layer for pair in pairwise(sizes) for layer in (Linear(*pair), Tanh())]
    return Sequential(*layers, Linear(width, 4))


def _barriers(graph: "Graph") -> "Vector":
    """Return how far each saddle between two minima is above the higher of them."""
    return np.array([
        saddle.energy - max(graph.minima[a].energy, graph.minima[b].energy)
        for saddle, (a, b) in zip(graph.saddles, graph.ends, strict=True)
        if a != b
    ])  # fmt: skip


SHALLOW, DEEPER, DEEPEST = 1, 2, 3  # hidden layers
FEW, MANY = 20, 200  # patterns
LITTLE, MUCH = ({"depth": SHALLOW, "patterns": patterns} for patterns in (FEW, MANY))
DEEP = {"depth": DEEPER, "patterns": FEW}


def _kind(depth: int, patterns: int, starts: int, climbs: int) -> dict[str, float]:
    return {
        "depth": depth, "width": 5, "l2": 1e-3, "patterns": patterns, "starts": starts,
        "climbs": climbs,
    }  # fmt: skip


DEEP_LANDSCAPE = Experiment(
    "deep landscape",
    deep_landscape,
    default=tuple(
        GridPoint(4, _kind(depth, patterns, 30, 30))
        for depth, patterns in ((SHALLOW, FEW), (SHALLOW, MANY), (DEEPER, FEW))
    ),
    full=tuple(
        GridPoint(8, _kind(depth, patterns, 60, 60))
        for depth, patterns in (
            (SHALLOW, FEW),
            (SHALLOW, MANY),
            (DEEPER, FEW),
            (DEEPER, MANY),
            (DEEPEST, FEW),
        )
    ),
    work=lambda depth, patterns, starts, climbs, **_: depth * (patterns + 50) * (starts + climbs),
    on_networks=True,
)


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw the loss of each minimum and the height of each saddle, one column a kind of network."""
    from bridge.figures.style import BLUE, GREEN, ORANGE

    known = finished(records[DEEP_LANDSCAPE.name])
    kinds = sorted({(r.parameters["patterns"], r.parameters["depth"]) for r in known})
    colours = {SHALLOW: BLUE, DEEPER: ORANGE, DEEPEST: GREEN}
    panels = (
        ("energies", "linear", "loss a pattern at minima, in nats"),
        ("barriers", "log", "height of a saddle above\nits higher minimum, in nats"),
    )
    for axes, (name, scale, label) in zip(figure.subplots(1, 2), panels, strict=True):
        for place, (patterns, depth) in enumerate(kinds):
            found = of_kind(known, patterns=patterns, depth=depth)
            values = np.sort(np.concatenate([record.arrays[name] for record in found]))
            shift = np.linspace(-0.3, 0.3, len(values))
            axes.plot(place + shift, values, ".", color=colours[depth], ms=3)
        axes.set_xticks(
            range(len(kinds)), [f"{depth} × 5\n{patterns}" for patterns, depth in kinds]
        )
        axes.set(
            yscale=scale,
            ylabel=label,
            xlabel="layers × units, number of patterns\n(each column sorted)",
        )
    figure.axes[0].set_ylim(bottom=0)


THEME = theme_of(
    "deep",
    "Depth and little data",
    {
        "deep-minima": (
            DEEP_LANDSCAPE,
            partial(log_ratio, number="minima", known=counted, above=DEEP, below=LITTLE),
        ),
        "little-data-minima": (
            DEEP_LANDSCAPE,
            partial(log_ratio, number="minima", known=counted, above=LITTLE, below=MUCH),
        ),
        "little-data-barriers": (
            DEEP_LANDSCAPE,
            partial(log_ratio, number="barrier", above=LITTLE, below=MUCH),
        ),
    },
    draw,
)

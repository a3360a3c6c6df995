"""Rates between the minima of a network that learns, and the network that they make."""

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bridge.claims.claim import theme_of
from bridge.claims.estimates import farthest, finished, mean
from bridge.claims.experiment import Experiment, Records, Sample, grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bridge.landscape.graph import Graph
    from bridge.landscape.kinetics import Rates
    from bridge.landscape.network_measures import Measures
    from bridge.protocols import Vector

_FEWEST = 10  # minima below which a graph is no network


def minima_network(
    rng: np.random.Generator,
    *,
    hidden: int,
    l2: float,
    patterns: int,
    searches: int,
    temperature: float,
) -> Sample:
    """Explore the landscape of a classifier; measure its graph of minima, and rates between them.

    The sample is ``stalled`` if the graph is too small for its measures.
    """
    from bridge.landscape.kinetics import rates
    from bridge.landscape.network_measures import measures
    from bridge.runs.exploration import run_landscape
    from bridge.systems.classifier import ClassifierLandscape

    system = ClassifierLandscape("quench", hidden, l2, patterns)
    graph = run_landscape(system, int(rng.integers(2**31)), searches=searches).graph
    shape, speed = measures(graph), rates(graph, temperature)
    whole = shape.minima >= _FEWEST and shape.mean_degree > 1 and shape.degree_energy is not None
    return Sample(
        values={
            "minima": shape.minima,
            "saddles": len(graph.saddles),
            "small_world": _small_world(shape) if whole else math.nan,
            "degree_energy": shape.degree_energy if whole else math.nan,
            "imbalance": _imbalance(speed),
            "passage_error": _passage_error(speed),
        },
        arrays={"nodes": _nodes(graph)},
        status="done" if whole else "stalled",
    )


def _small_world(shape: "Measures") -> float:
    """Return clustering over path length, each over that of a random graph of as many edges.

    A random graph of ``n`` nodes and mean degree ``k`` has ``k/(n - 1)`` and ``ln n / ln k``: a
    chain or a lattice has long paths, and is none. Humphries, Gurney, PLoS ONE 3, e0002051 (2008).
    """
    n, k = shape.minima, shape.mean_degree
    length = (shape.path_length or math.nan) * math.log(k) / math.log(n)
    return shape.clustering * (n - 1) / k / length


def _nodes(graph: "Graph") -> "Vector":
    """Return energy and number of neighbours of each minimum, ``(n, 2)``."""
    network = graph.to_networkx()
    degrees = [len(set(network[node]) - {node}) for node in network]
    return np.column_stack([[point.energy for point in graph.minima], degrees])


def _imbalance(found: "Rates") -> float:
    """Return the largest relative difference of the flows ``k_ab p_a`` and ``k_ba p_b``."""
    flow = found.constants * found.equilibrium[:, None]
    both = flow + flow.T
    return float((np.abs(flow - flow.T)[both > 0] / both[both > 0]).max(initial=0.0))


def _passage_error(found: "Rates") -> float:
    """Return the relative difference of passage times by graph transformation and linear solve."""
    from bridge.landscape.kinetics import mean_first_passage

    target = int(found.equilibrium.argmax())
    times = mean_first_passage(found, np.array([target]))
    rest = np.flatnonzero(np.isfinite(times) & (np.arange(len(times)) != target))
    generator = np.diag(found.escape) - found.constants
    solved = np.linalg.solve(generator[np.ix_(rest, rest)], np.ones(len(rest)))
    return float(np.abs(times[rest] / solved - 1.0).max())


NETWORK = Experiment(
    "minima of a classifier",
    minima_network,
    default=grid(4, hidden=4, l2=1e-4, patterns=50, searches=250, temperature=0.05),
    full=grid(8, hidden=[4, 6], l2=1e-4, patterns=50, searches=500, temperature=0.05),
    work=lambda searches, patterns, hidden, **_: searches * patterns * hidden,
    on_networks=True,
)


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw the number of neighbours of each minimum against its loss, a mark a landscape."""
    from bridge.figures.style import BLUE, GREEN, ORANGE, RED, legend

    axes = figure.subplots()
    looks = ((BLUE, "o"), (RED, "s"), (GREEN, "^"), (ORANGE, "D"))
    for record, (colour, marker) in zip(finished(records[NETWORK.name]), looks, strict=False):
        losses, degrees = record.arrays["nodes"].T
        label = f"data set {record.seed[-1]}: {len(losses)} minima"
        axes.plot(
            losses - losses.min(), degrees, marker, color=colour, ms=4, mfc="none", label=label
        )
    axes.set(
        xlabel="loss a pattern above that of the global minimum, in nats",
        ylabel="minima that a saddle joins to it",
    )
    legend(axes)


THEME = theme_of(
    "kinetics",
    "Rates and networks of minima",
    {
        "detailed-balance": (NETWORK, partial(farthest, number="imbalance")),
        "graph-transformation": (NETWORK, partial(farthest, number="passage_error")),
        "small-world": (NETWORK, partial(mean, number="small_world")),
        "hubs": (NETWORK, partial(mean, number="degree_energy")),
    },
    draw,
)

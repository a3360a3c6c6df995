"""Networks that learn XOR, the smallest problem that a line does not solve."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bridge.claims.claim import theme_of
from bridge.claims.estimates import farthest, finished, log_ratio
from bridge.claims.experiment import Experiment, GridPoint, Records, Sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bridge.records.store import Record


def xor_landscape(rng: np.random.Generator, *, hidden: int, l2: float, searches: int) -> Sample:
    """Search the landscape of a classifier of the four patterns of XOR.

    Points are counted up to the order and the signs of the hidden units. ``embedded`` is the
    largest ``|∂E/∂w_i|`` at any of them after a unit with no weights is added.
    """
    from bridge.landscape.case import Case
    from bridge.landscape.graph import Graph
    from bridge.runs.exploration import explorer_of, search
    from bridge.systems.classifier import lengths
    from networks.data.outcomes import Outcomes
    from networks.models.classifier import Classifier

    patterns = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    problem = Classifier(Outcomes(patterns, np.array([0, 1, 1, 0]), 2), hidden, l2)
    case = Case(problem, problem.random_state, *lengths())
    explorer = explorer_of(case, int(rng.integers(2**31)))
    graph = Graph(explorer.identity)
    search(explorer, graph, graph.absorb, searches=searches)
    wider = [problem.widened(point.x) for point in (*graph.minima, *graph.saddles)]
    slopes = [np.abs(net.energy_gradient(x)[1]).max() for net, x in wider]
    return Sample(
        values={
            "minima": len(graph.minima),
            "saddles": len(graph.saddles),
            "embedded": float(max(slopes)),
        },
        arrays={"energies": np.sort([point.energy for point in graph.minima])},
        status="done" if len(graph.saddles) else "stalled",
    )


SMALLEST, WIDE = 2, 6  # hidden units; with two XOR can just be learned
WEAK, STRONG = 1e-4, 1e-2  # weight decay λ
NARROW_NET, WIDE_NET = ({"hidden": hidden, "l2": WEAK} for hidden in (SMALLEST, WIDE))
DECAYED = {"hidden": WIDE, "l2": STRONG}
_UNITS = (SMALLEST, 3, 4, 5, WIDE)


def _kinds(samples: int, searches: int, *kinds: Mapping[str, float]) -> tuple[GridPoint, ...]:
    return tuple(GridPoint(samples, {**kind, "searches": searches}) for kind in kinds)


XOR = Experiment(
    "XOR landscape",
    xor_landscape,
    default=_kinds(3, 150, NARROW_NET, WIDE_NET, DECAYED),
    full=_kinds(
        4,
        800,
        *({"hidden": hidden, "l2": l2} for l2 in (WEAK, STRONG) for hidden in _UNITS),
    ),
    work=lambda searches, hidden, **_: searches * hidden,
    on_networks=True,
)


def _per_minimum(record: "Record") -> float:
    return float(record.data["saddles"] / record.data["minima"])


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw the numbers of minima and saddles of each search against the hidden units."""
    from bridge.figures.style import BLUE, ORANGE, legend

    known = finished(records[XOR.name])
    panels = zip(figure.subplots(1, 2), ("minima", "saddles"), strict=True)
    for axes, name in panels:
        for l2, colour, marker in ((WEAK, BLUE, "o"), (STRONG, ORANGE, "s")):
            found = [(r.parameters["hidden"], r.data[name]) for r in known
                     if r.parameters["l2"] == l2]  # fmt: skip
            if found:
                label = f"λ = {l2:g}"
                axes.plot(*np.transpose(found), marker, color=colour, ms=4, mfc="none", label=label)
        axes.set(xlabel="hidden units", ylabel=f"{name} of XOR, one search each")
        axes.set_xticks(_UNITS)
        axes.set_ylim(bottom=0)
        axes.yaxis.get_major_locator().set_params(integer=True)
        legend(axes)


THEME = theme_of(
    "xor",
    "Networks that learn XOR",
    {
        "xor-minima": (
            XOR,
            partial(log_ratio, number="minima", above=WIDE_NET, below=NARROW_NET),
        ),
        "xor-saddles": (
            XOR,
            partial(log_ratio, number=_per_minimum, above=WIDE_NET, below=NARROW_NET),
        ),
        "xor-decay": (XOR, partial(log_ratio, number="minima", above=WIDE_NET, below=DECAYED)),
        "xor-embedded": (XOR, partial(farthest, number="embedded")),
    },
    draw,
)

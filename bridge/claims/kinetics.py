"""Rates between the minima of a cluster, and the network that they make."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from bridge.claims.claim import BALLARD, Claim, Estimate, Expected, Source, Theme
from bridge.claims.estimates import mean
from bridge.claims.experiment import Records
from bridge.claims.molecules import LJ9, largest

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _small_world(records: Records) -> Estimate:
    sizes = sorted({(r.data["minima"], r.data["saddles"]) for r in records})
    note = "minima and saddles: " + ", ".join(f"{m} and {s}" for m, s in sizes)
    return mean(records, "clustering", note=note)


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw the number of neighbours of each minimum against its energy."""
    from bridge.figures.style import BLUE

    axes = figure.subplots()
    for record in records[LJ9.name][:1]:
        axes.plot(*record.arrays["nodes"].T, "o", color=BLUE, ms=4, mfc="none")
    axes.set(xlabel="energy of the minimum of LJ$_9$", ylabel="neighbouring minima")


_claim = partial(Claim, source=Source(BALLARD, "abstract: analogues of molecular kinetics"))
_NETWORKS = Source(BALLARD, "the landscape as a network of minima")

THEME = Theme(
    "kinetics",
    "Rates and networks of minima",
    (
        _claim(
            "detailed-balance",
            "Rates between minima obey detailed balance.",
            "largest relative difference of the two flows of a pair",
            Expected(1e-12, 0.0, "k_ab p_a = k_ba p_b", "<="),
            LJ9,
            partial(largest, name="imbalance"),
        ),
        _claim(
            "graph-transformation",
            "Graph transformation gives the passage times of the master equation.",
            "largest relative difference from a linear solve",
            Expected(1e-9, 0.0, "the linear equations, at T = 0.2", "<="),
            LJ9,
            partial(largest, name="passage_error"),
        ),
        _claim(
            "small-world",
            "Networks of minima are small worlds: more clustered than random graphs.",
            "clustering over that of a random graph of as many edges, LJ9",
            Expected(1.0, 0.0, "a random graph", ">="),
            LJ9,
            _small_world,
            source=_NETWORKS,
        ),
        _claim(
            "hubs",
            "Low minima are the hubs of the network.",
            "correlation of degree and energy, LJ9",
            Expected(0.0, 0.0, "no correlation", "<="),
            LJ9,
            partial(mean, name="degree_energy"),
            source=_NETWORKS,
        ),
    ),
    draw,
)

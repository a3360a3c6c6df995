"""Landscapes of learning: classifiers of molecular outcomes and of digits, and a regression."""

import math
from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING

from bridge.claims.claim import (
    BALLARD,
    Claim,
    Estimate,
    Expected,
    Experiment,
    GridPoint,
    Records,
    Sample,
    Source,
    Theme,
    column,
    finished,
    mean_of,
)

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from bridge.landscape.case import Case, LandscapeSystem
    from bridge.landscape.graph import Graph


def classifier(
    rng: "np.random.Generator", *, data: str, hidden: int, l2: float, patterns: int, starts: int
) -> Sample:
    """Minimise a classifier from random starts; count distinct minima and compare what they miss.

    ``distance`` is the mean misclassification distance of two minima on the test set, over what it
    were if their errors were independent, ``2e(1 - e)``.
    """
    import numpy as np

    from bridge.systems.classifier import ClassifierLandscape

    case, graph = _minima(ClassifierLandscape(data, hidden, l2, patterns), starts, rng)
    seen = [case.observe(point.x) for point in graph.minima]
    energies = np.array([point.energy for point in graph.minima])
    return Sample(
        values={
            "minima": len(energies),
            "lowest_auc": min(s["test_auc"] for s in seen),
            "distance": _distance(case, graph),
        },
        arrays={"energies": energies, "auc": np.array([s["test_auc"] for s in seen])},
    )


def regression(rng: "np.random.Generator", *, noise: float, points: int, starts: int) -> Sample:
    """Minimise the non-linear regression from random starts."""
    import numpy as np

    from bridge.systems.regression import RegressionLandscape

    _, graph = _minima(RegressionLandscape(noise, points), starts, rng)
    energies = np.sort([point.energy for point in graph.minima])
    return Sample(
        {"minima": len(energies), "residual": float(energies[0]) / noise**2}, {"energies": energies}
    )


def _minima(
    system: "LandscapeSystem", starts: int, rng: "np.random.Generator"
) -> "tuple[Case, Graph]":
    from bridge.landscape.explore import Explorer
    from bridge.landscape.graph import Graph
    from bridge.landscape.identity import identity_of

    case = system.case(rng)
    identity = identity_of(case.problem)
    seed = int(rng.integers(2**31))
    explorer = Explorer(case.problem, identity, case.start, case.steps, case.hops, seed)
    graph = Graph(identity)
    for finding in explorer.quenches(range(starts)):
        graph.absorb(finding)
    return case, graph


def _distance(case: "Case", graph: "Graph") -> float:
    import numpy as np

    from bridge.landscape.likeness import hamming
    from bridge.systems.classifier import OnTestSet

    observe = case.observe
    if not isinstance(observe, OnTestSet) or len(graph.minima) < 2:
        return math.nan
    test = observe.test
    missed = [
        observe.problem.outputs(point.x, test).argmax(axis=1) != test.label
        for point in graph.minima
    ]
    pairs = [hamming(a, b) for a, b in combinations(missed, 2)]
    error = float(np.mean(missed))
    return float(np.mean(pairs)) / (2.0 * error * (1.0 - error)) if error else math.nan


def _outcomes(samples: int, hidden: int, l2: float, starts: int = 20) -> GridPoint:
    parameters = {"data": "quench", "hidden": hidden, "l2": l2, "patterns": 200, "starts": starts}
    return GridPoint(samples, parameters)


FEW, MANY = 3, 8  # hidden units
WEAK, MIDDLE, STRONG = 1e-4, 1e-3, 1e-2  # weight decay λ

CLASSIFIER = Experiment(
    "LJAT3 classifier",
    classifier,
    default=(
        _outcomes(3, FEW, MIDDLE),
        _outcomes(3, MANY, MIDDLE),
        _outcomes(3, FEW, WEAK),
        _outcomes(3, FEW, STRONG),
    ),
    full=tuple(
        GridPoint(12, {**_outcomes(1, hidden, l2, 200).parameters, "patterns": 1000})
        for hidden in (FEW, 5, MANY, 10)
        for l2 in (WEAK, MIDDLE, STRONG)
    ),
    on_networks=True,
)
DIGITS = Experiment(
    "digit classifier",
    classifier,
    default=(
        GridPoint(3, {"data": "digits", "hidden": 6, "l2": 1e-3, "patterns": 300, "starts": 6}),
    ),
    full=(
        GridPoint(12, {"data": "digits", "hidden": 10, "l2": 1e-3, "patterns": 1000, "starts": 50}),
    ),
    on_networks=True,
)
REGRESSION = Experiment(
    "regression",
    regression,
    default=(GridPoint(6, {"noise": 0.02, "points": 100, "starts": 60}),),
    full=(GridPoint(50, {"noise": 0.02, "points": 100, "starts": 300}),),
    on_networks=True,
)


def _growth(records: Records, above: Mapping[str, float], below: Mapping[str, float]) -> Estimate:
    """Return the mean over data sets of ``ln(n/n')`` between two networks."""
    import numpy as np

    more, fewer = column(records, "minima", **above), column(records, "minima", **below)
    note = f"{fewer.mean():.1f} minima against {more.mean():.1f}"
    return mean_of(np.log(more / fewer), note=note)


def _alike(records: Records) -> Estimate:
    import numpy as np

    values = column(records, "distance")
    return mean_of(values[np.isfinite(values)], note="landscapes with several minima")


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw the minima of each kind of network: their energy, and how they predict."""
    import numpy as np

    from bridge.figures.style import BLUE, GREEN, ORANGE, RED, legend

    left, right = figure.subplots(1, 2)
    kinds = (
        (FEW, STRONG, GREEN, "s"),
        (FEW, MIDDLE, BLUE, "o"),
        (FEW, WEAK, ORANGE, "^"),
        (MANY, MIDDLE, RED, "D"),
    )
    for hidden, l2, colour, marker in kinds:
        found = finished(records[CLASSIFIER.name], hidden=hidden, l2=l2)
        if found:
            energies = np.concatenate([record.arrays["energies"] for record in found])
            areas = np.concatenate([record.arrays["auc"] for record in found])
            label = f"{hidden} units, λ = {l2:g}"
            left.plot(energies, areas, marker, color=colour, ms=3.5, mfc="none", label=label)
    left.set_xlabel("loss of the minimum")
    left.set_ylabel("test AUC")
    legend(left)
    for place, record in enumerate(finished(records[REGRESSION.name])):
        energies = record.arrays["energies"]
        right.plot(np.full(len(energies), place + 1), energies, "_", color=BLUE, ms=9)
    right.axhline(0.02**2, color=RED, lw=0.8, ls="--", label="noise")
    right.set_yscale("log")
    right.set_xlabel("data set of the regression")
    right.set_ylabel("mean square of the residuals")
    legend(right)


_OUTCOMES = Source(BALLARD, "classification of the outcomes of minimisations")

THEME = Theme(
    "learning",
    "Landscapes of learning",
    (
        Claim(
            "minima-hidden",
            "Networks with more hidden units have more minima.",
            _OUTCOMES,
            f"ln of minima at {MANY} units over those at {FEW}, λ = {MIDDLE:g}",
            Expected(0.0, 0.0, "equal numbers", ">="),
            CLASSIFIER,
            lambda records: _growth(
                records, {"hidden": MANY, "l2": MIDDLE}, {"hidden": FEW, "l2": MIDDLE}
            ),
        ),
        Claim(
            "minima-decay",
            "Stronger weight decay leaves fewer minima.",
            _OUTCOMES,
            f"ln of minima at λ = {WEAK:g} over those at {STRONG:g}, {FEW} units",
            Expected(0.0, 0.0, "equal numbers", ">="),
            CLASSIFIER,
            lambda records: _growth(
                records, {"hidden": FEW, "l2": WEAK}, {"hidden": FEW, "l2": STRONG}
            ),
        ),
        Claim(
            "misclassification",
            "Analogues of molecular structure tell minima apart: the misclassification distance.",
            Source(BALLARD, "abstract: analogues of molecular structure"),
            "mean distance of two minima over that of independent errors",
            Expected(0.5, 0.5, "0: the same errors; 1: independent ones"),
            CLASSIFIER,
            _alike,
        ),
        Claim(
            "digits",
            "Minima reached from random starts recognise digits well.",
            Source(BALLARD, "digit recognition"),
            "test AUC of the worst minimum",
            Expected(0.95, 0.0, "a useful classifier", ">="),
            DIGITS,
            lambda records: mean_of(column(records, "lowest_auc")),
        ),
        Claim(
            "regression-minima",
            "Fitting functions exhibit multiple solutions: a regression with five parameters.",
            Source(BALLARD, "non-linear regression"),
            "distinct minima",
            Expected(2.0, 0.0, "more than one", ">="),
            REGRESSION,
            lambda records: mean_of(column(records, "minima")),
        ),
        Claim(
            "regression-global",
            "The global minimum of the regression fits the data down to their noise.",
            Source(BALLARD, "non-linear regression"),
            "mean square of the residuals over that of the noise",
            Expected(0.95, 0.2, "1 - 5/100: five parameters, a hundred points"),
            REGRESSION,
            lambda records: mean_of(column(records, "residual")),
        ),
    ),
    draw,
)

"""Landscapes of learning: classifiers of molecular outcomes and of digits, and a regression."""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import spearmanr

from bridge.claims.claim import Estimate, theme_of
from bridge.claims.estimates import (
    column,
    counted,
    finished,
    log_ratio,
    mean,
    mean_of,
    n_stalled,
)
from bridge.claims.experiment import Experiment, Records, Sample, grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bridge.landscape.case import Case
    from bridge.landscape.graph import Graph


def classifier(
    rng: np.random.Generator, *, data: str, hidden: int, l2: float, patterns: int, starts: int
) -> Sample:
    """Minimise a classifier from random starts; count distinct minima and compare what they miss.

    ``distance`` is the mean misclassification distance of two minima on the test set, over what it
    were if their errors were independent, ``2e(1 - e)``.
    """
    from bridge.systems.classifier import ClassifierLandscape

    case = ClassifierLandscape(data, hidden, l2, patterns).case(rng)
    graph = _minima(case, starts, rng)
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


def regression(rng: np.random.Generator, *, noise: float, points: int, starts: int) -> Sample:
    """Minimise the non-linear regression from random starts."""
    from bridge.systems.regression import RegressionLandscape

    graph = _minima(RegressionLandscape(noise, points).case(rng), starts, rng)
    energies = np.sort([point.energy for point in graph.minima])
    return Sample(
        {"minima": len(energies), "residual": float(energies[0]) / noise**2}, {"energies": energies}
    )


def along_a_quench(
    rng: np.random.Generator,
    *,
    seen: str,
    late: int,
    hidden: int,
    l2: float,
    patterns: int,
    starts: int,
) -> Sample:
    """Train on the distances at the ``first`` point of a quench, a ``late`` one, or ``both``.

    ``late`` is its number of evaluations; ``error`` is one less the test AUC of the lowest minimum.
    One seed gives the same quenches whatever is seen of them.
    """
    from bridge.landscape.case import Case
    from bridge.systems.classifier import OnTestSet, lengths
    from bridge.systems.quench_outcomes import quench_outcomes
    from networks.models.classifier import Classifier

    data = quench_outcomes(2 * patterns, rng, at=(0, late))
    columns = {"first": slice(0, 3), "late": slice(3, 6), "both": slice(0, 6)}[seen]
    train, test = replace(data, x=data.x[:, columns]).standardised().split(patterns)
    problem = Classifier(train, hidden, l2)
    observe = OnTestSet(problem, test)
    case = Case(problem, problem.random_state, *lengths(), observe=observe)
    graph = _minima(case, starts, rng)
    lowest = min(graph.minima, key=lambda point: point.energy)
    found = {"minima": len(graph.minima), "error": 1.0 - observe(lowest.x)["test_auc"]}
    return Sample(found)


def _minima(case: "Case", starts: int, rng: np.random.Generator) -> "Graph":
    from bridge.landscape.graph import Graph
    from bridge.runs.exploration import explorer_of

    explorer = explorer_of(case, int(rng.integers(2**31)))
    graph = Graph(explorer.identity)
    for finding in explorer.quenches(range(starts)):
        graph.absorb(finding)
    return graph


def _distance(case: "Case", graph: "Graph") -> float:
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


FEW, MANY = 3, 8  # hidden units
WEAK, MIDDLE, STRONG = 1e-4, 1e-3, 1e-2  # weight decay λ
_FEW_UNITS, _MANY_UNITS = ({"hidden": hidden, "l2": MIDDLE} for hidden in (FEW, MANY))
_WEAK_DECAY, _STRONG_DECAY = ({"hidden": FEW, "l2": l2} for l2 in (WEAK, STRONG))


def _work(*, hidden: int, patterns: int, starts: int, **_: Any) -> float:
    return starts * patterns * hidden


CLASSIFIER = Experiment(
    "LJAT3 classifier",
    classifier,
    default=(
        *grid(3, data="quench", hidden=[FEW, MANY], l2=MIDDLE, patterns=200, starts=20),
        *grid(3, data="quench", hidden=FEW, l2=[WEAK, STRONG], patterns=200, starts=20),
    ),
    full=(
        *grid(6, data="quench", hidden=[FEW, MANY, 10], l2=MIDDLE, patterns=500, starts=40),
        *grid(6, data="quench", hidden=FEW, l2=[WEAK, STRONG], patterns=500, starts=40),
    ),
    work=_work,
    on_networks=True,
)
DIGIT_CLASSIFIER = Experiment(
    "digit classifier",
    classifier,
    default=grid(3, data="digits", hidden=6, l2=1e-3, patterns=300, starts=6),
    full=grid(6, data="digits", hidden=10, l2=1e-3, patterns=1000, starts=30),
    work=_work,
    on_networks=True,
)
FIRST, LATE, BOTH = ({"seen": seen} for seen in ("first", "late", "both"))
_WAYS: dict[str, Any] = {"seen": ["first", "late", "both"], "late": 5, "hidden": 5, "l2": MIDDLE}
SERIES = Experiment(
    "points of a quench",
    along_a_quench,
    default=grid(4, **_WAYS, patterns=200, starts=10),
    full=grid(12, **_WAYS, patterns=1000, starts=20),
    work=_work,
    on_networks=True,
)
REGRESSION = Experiment(
    "regression",
    regression,
    default=grid(6, noise=0.02, points=100, starts=60),
    full=grid(50, noise=0.02, points=100, starts=300),
    work=lambda points, starts, **_: points * starts,
    on_networks=True,
)


_FEWEST = 4  # minima, for a correlation
_minima_ratio = partial(log_ratio, number="minima", known=counted)


def _as_good(records: Records) -> Estimate:
    """Return the test AUC of the lowest minimum less the mean of all others, of several minima."""
    several = [r for r in finished(records) if len(r.arrays["auc"]) > 1]
    pairs = [(r.arrays["energies"], r.arrays["auc"]) for r in several]
    values = [auc[energies.argmin()] - np.delete(auc, energies.argmin()).mean()
              for energies, auc in pairs]  # fmt: skip
    ranked = [spearmanr(*pair).statistic for pair in pairs if len(pair[0]) > _FEWEST]
    note = f"rank correlation of loss and AUC {np.mean(ranked):.2f}" if ranked else ""
    return mean_of(values, stalled=n_stalled(records), note=note)


def _alike(records: Records) -> Estimate:
    values = column(records, "distance")
    known = values[np.isfinite(values)]
    return mean_of(known, stalled=n_stalled(records), note="landscapes with several minima")


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw how minima predict, errors by points of a quench, and minima of the regression."""
    from bridge.figures.style import BLUE, GREEN, ORANGE, RED, legend

    figure.set_size_inches(7.8, 2.6)
    left, middle, right = figure.subplots(1, 3)
    _draw_series(middle, records[SERIES.name])
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
    left.set(xlabel="loss of the minimum, a pattern, in nats", ylabel="test AUC")
    legend(left)
    for place, record in enumerate(finished(records[REGRESSION.name])):
        energies = record.arrays["energies"]
        right.plot(np.full(len(energies), place + 1), energies, "_", color=BLUE, ms=9)
    right.axhline(0.02**2, color=RED, lw=0.8, ls="--", label="noise")
    right.set(xlabel="data set of the regression", ylabel="mean square of the residuals")
    right.set_yscale("log")
    legend(right)


def _draw_series(axes: "Axes", records: Records) -> None:
    """Draw the errors by one point of a quench, another, and both: a line a data set."""
    from bridge.figures.style import GREY, ORANGE

    ways = ("first", "late", "both")
    found: dict[tuple[int, ...], dict[str, float]] = {r.seed: {} for r in finished(records)}
    for record in finished(records):
        found[record.seed][record.parameters["seen"]] = record.data["error"]
    for errors in found.values():
        axes.plot([ways.index(way) for way in errors], list(errors.values()), "o-", ms=3.5,
                  mfc="none", mec=ORANGE, color=GREY, lw=0.6)  # fmt: skip
    axes.set_xticks(range(3), ["start", "after 5\nevaluations", "both"])
    axes.set(xlabel="what is seen of a quench", ylabel="1 - test AUC", xlim=(-0.4, 2.4))
    axes.set_ylim(bottom=0)


THEME = theme_of(
    "learning",
    "Landscapes of learning",
    {
        "minima-hidden": (CLASSIFIER, partial(_minima_ratio, above=_MANY_UNITS, below=_FEW_UNITS)),
        "minima-decay": (
            CLASSIFIER,
            partial(_minima_ratio, above=_WEAK_DECAY, below=_STRONG_DECAY),
        ),
        "auc-of-minima": (CLASSIFIER, _as_good),
        "misclassification": (CLASSIFIER, _alike),
        "digits": (DIGIT_CLASSIFIER, partial(mean, number="lowest_auc")),
        "late-point": (SERIES, partial(log_ratio, number="error", above=FIRST, below=LATE)),
        "two-points": (SERIES, partial(log_ratio, number="error", above=LATE, below=BOTH)),
        "regression-minima": (REGRESSION, partial(mean, number="minima")),
        "regression-global": (REGRESSION, partial(mean, number="residual")),
    },
    draw,
)

"""The p-spin glass beside digits: where plain descent ends, and how sharply, as systems grow."""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.claims.claim import Estimate, theme_of
from bridge.claims.estimates import column, exponent, finished, mean, n_stalled
from bridge.claims.experiment import Experiment, Records, Sample, grid
from bridge.records.store import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from networks.data.outcomes import Outcomes

THRESHOLD_ENERGY = -1.632993  # energy per spin, p = 3


def spins(rng: np.random.Generator, *, n: int) -> Sample:
    """Descend in a spherical 3-spin glass from a random state; energy per spin."""
    from bridge.landscape.end_energies import end_energy
    from particles.landscapes.spin_glass import SphericalSpinGlass

    glass = SphericalSpinGlass.random(n, 3, rng)
    return _end(end_energy(glass, glass.random_state(rng)), n)


def digits(rng: np.random.Generator, *, hidden: int, patterns: int) -> Sample:
    """Descend in a classifier of the same digits from random parameters."""
    from bridge.landscape.end_energies import end_energy
    from networks.data.outcomes import digit_outcomes
    from networks.models.classifier import Classifier

    data, _ = digit_outcomes().shuffled(np.random.default_rng(0)).split(patterns)
    net = Classifier(data, hidden, 1e-3)
    return _end(end_energy(net, net.random_state(rng)), 1)


def students(rng: np.random.Generator, *, hidden: int, patterns: int, teacher: int) -> Sample:
    """Descend in a classifier that learns what another network, the teacher, says of digits."""
    from bridge.landscape.end_energies import end_energy
    from networks.models.classifier import Classifier

    net = Classifier(lesson(patterns, teacher), hidden, 1e-3)
    return _end(end_energy(net, net.random_state(rng)), 1)


@cache
def lesson(patterns: int, teacher: int) -> "Outcomes":
    """Return digits that a teacher of so many units has not seen, with what it takes them for.

    It is a minimum of as many other digits. Of those it has seen it says the truth, and there would
    be nothing to tell student and teacher apart.
    """
    from bridge.descent.lbfgs import lbfgs
    from networks.data.outcomes import Outcomes, digit_outcomes
    from networks.models.classifier import Classifier

    rng = np.random.default_rng(0)
    seen, unseen = digit_outcomes().shuffled(rng).taken(np.arange(2 * patterns)).split(patterns)
    net = Classifier(seen, teacher, 1e-3)
    end = lbfgs(net, net.random_state(rng), tolerance=1e-6, zero_energy=-np.inf, certify=False)
    said = net.outputs(end.x, unseen).argmax(axis=1)
    return Outcomes(unseen.x, said, unseen.n_classes)


def _end(energy: float | None, size: int) -> Sample:
    if energy is None:
        return Sample({"energy": float("nan")}, status="stalled")
    return Sample({"energy": energy / size})


SPIN_ENDS = Experiment(
    "3-spin descents",
    spins,
    default=grid(60, n=[20, 40, 80]),
    full=grid(120, n=[25, 50, 100, 200]),
    work=lambda n: n**3,
)
STUDENT_ENDS = Experiment(
    "student descents",
    students,
    default=grid(8, hidden=[3, 12], patterns=300, teacher=12),
    full=grid(40, hidden=[3, 6, 12, 24], patterns=300, teacher=12),
    work=lambda hidden, patterns, **_: hidden * patterns,
    on_networks=True,
)
DIGIT_ENDS = Experiment(
    "digit descents",
    digits,
    default=grid(8, hidden=[3, 12], patterns=300),
    full=grid(40, hidden=[3, 6, 12, 24], patterns=300),
    work=lambda hidden, patterns: hidden * patterns,
    on_networks=True,
)


def _limit(records: Records) -> Estimate:
    """Extrapolate the mean end energy linearly in ``N^(-2/3)``, by least squares.

    At the threshold the edge of the Hessian's semicircle touches zero, and edges of ``N`` levels
    shift by ``N^(-2/3)``.
    """
    energies, shift = column(records, "energy"), column(records, _shift)
    if len(set(shift)) < 2 or len(shift) < 3:
        return Estimate(math.nan, math.nan, len(records), n_stalled(records))
    line, covariance = np.polyfit(shift, energies, 1, cov=True)
    error = math.sqrt(covariance[1, 1])
    return Estimate(float(line[1]), error, len(records), n_stalled(records))


def _shift(record: Record) -> float:
    return float(record.parameters["n"] ** (-2 / 3))


def _above(records: Records) -> Estimate:
    largest = max((record.parameters["n"] for record in records), default=0)
    found = mean(records, "energy", note=f"N = {largest}", n=largest)
    return replace(found, value=found.value - THRESHOLD_ENERGY)


def _narrowing(records: Records, name: str) -> Estimate:
    """Fit ``k`` of ``s ∝ N^-k`` to the standard deviations ``s`` of the end energies."""
    sizes = sorted({record.parameters[name] for record in records})
    fit = exponent(sizes, [_spread(records, **{name: size}) for size in sizes])
    return replace(fit, value=-fit.value)


def _spread(records: Records, **where: Any) -> Estimate:
    """Return the standard deviation ``s``; its error is ``s/√(2(n - 1))`` of normal numbers."""
    energies, stalled = column(records, "energy", **where), n_stalled(records, **where)
    n = len(energies)
    spread = float(energies.std(ddof=1)) if n > 2 else math.nan
    return Estimate(spread, spread / math.sqrt(2 * max(n - 1, 1)), n + stalled, stalled)


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw the end energies of both systems against their size."""
    from bridge.figures.style import BLACK, BLUE, GREEN, ORANGE, legend

    left, right = figure.subplots(1, 2)
    panels = (
        (left, SPIN_ENDS, "n", BLUE, "o", 1.0, None),
        (right, DIGIT_ENDS, "hidden", ORANGE, "o", 0.97, "their own labels"),
        (right, STUDENT_ENDS, "hidden", GREEN, "s", 1.03, "those of a teacher"),
    )
    for axes, experiment, name, colour, marker, aside, label in panels:
        found = finished(records[experiment.name])
        sizes = np.array([record.parameters[name] for record in found], dtype=np.float64)
        axes.plot(sizes * aside, column(found, "energy"), marker, color=colour, ms=3.5, mfc="none",
                  label=label if found else None)  # fmt: skip
        ticks = [int(size) for size in np.unique(sizes)]
        if ticks:
            axes.set(xscale="log", xticks=ticks, xticklabels=[str(tick) for tick in ticks])
            axes.set_xticks([], minor=True)
    left.axhline(THRESHOLD_ENERGY, color=BLACK, ls="--", lw=0.8, label="threshold, N → ∞")
    legend(left)
    legend(right)
    left.set(xlabel="spins", ylabel="end energy a spin")
    right.set(xlabel="hidden units", ylabel="end loss on digits, a pattern, in nats")


THEME = theme_of(
    "glass",
    "The p-spin glass and digits",
    {
        "pspin-above": (SPIN_ENDS, _above),
        "pspin-limit": (SPIN_ENDS, _limit),
        "pspin-narrowing": (SPIN_ENDS, partial(_narrowing, name="n")),
        "digits-narrowing": (DIGIT_ENDS, partial(_narrowing, name="hidden")),
        "students-narrowing": (STUDENT_ENDS, partial(_narrowing, name="hidden")),
    },
    draw,
)

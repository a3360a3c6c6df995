"""The p-spin glass beside digits: where plain descent ends, and how sharply, as systems grow."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bridge.claims.claim import BALLARD, Claim, Estimate, Expected, Source, Theme
from bridge.claims.estimates import column, finished, mean, n_stalled
from bridge.claims.experiment import Experiment, Records, Sample, grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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


def _end(energy: float | None, size: int) -> Sample:
    if energy is None:
        return Sample({"energy": float("nan")}, status="stalled")
    return Sample({"energy": energy / size})


SPIN_ENDS = Experiment(
    "3-spin descents",
    spins,
    default=grid(60, n=[20, 40, 80]),
    full=grid(200, n=[20, 40, 80, 160]),
)
DIGIT_ENDS = Experiment(
    "digit descents",
    digits,
    default=grid(8, hidden=[3, 12], patterns=300),
    full=grid(40, hidden=[3, 6, 12, 24], patterns=300),
    on_networks=True,
)


def _limit(records: Records) -> Estimate:
    """Extrapolate the mean end energy linearly in ``N^(-2/3)``, by least squares.

    At the threshold the edge of the Hessian's semicircle touches zero, and edges of ``N`` levels
    shift by ``N^(-2/3)``.
    """
    found = finished(records)
    sizes = np.array([record.parameters["n"] for record in found], dtype=np.float64)
    design = np.column_stack([np.ones(len(sizes)), sizes ** (-2 / 3)])
    energies = column(records, "energy")
    best, residuals, *_ = np.linalg.lstsq(design, energies)
    variance = float(residuals[0]) / (len(energies) - 2)
    error = np.sqrt(variance * np.linalg.inv(design.T @ design)[0, 0])
    return Estimate(float(best[0]), float(error), len(records), n_stalled(records))


def _above(records: Records) -> Estimate:
    largest = max(record.parameters["n"] for record in records)
    found = mean(records, "energy", note=f"N = {largest}", n=largest)
    return replace(found, value=found.value - THRESHOLD_ENERGY)


def _narrowing(records: Records, name: str) -> Estimate:
    """Return the spread of end energies of the largest systems over that of the smallest."""
    sizes = sorted({record.parameters[name] for record in records})
    small, large = (column(records, "energy", **{name: size}) for size in (sizes[0], sizes[-1]))
    spreads = [float(values.std(ddof=1)) for values in (large, small)]
    value = spreads[0] / spreads[1]
    # The relative error of a standard deviation of n normal numbers is 1/√(2(n - 1)).
    error = value * sum(0.5 / (len(values) - 1) for values in (large, small)) ** 0.5
    note = f"{spreads[1]:.3g} at {sizes[0]}, {spreads[0]:.3g} at {sizes[-1]}"
    return Estimate(value, error, len(records), n_stalled(records), note)


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw the end energies of both systems against their size."""
    from bridge.figures.style import BLACK, BLUE, ORANGE, legend

    left, right = figure.subplots(1, 2)
    panels = ((left, SPIN_ENDS, "n", BLUE), (right, DIGIT_ENDS, "hidden", ORANGE))
    for axes, experiment, name, colour in panels:
        found = finished(records[experiment.name])
        sizes = np.array([record.parameters[name] for record in found], dtype=np.float64)
        axes.plot(sizes, column(found, "energy"), "o", color=colour, ms=3.5, mfc="none")
        ticks = [int(size) for size in np.unique(sizes)]
        axes.set(xscale="log", xticks=ticks, xticklabels=[str(tick) for tick in ticks])
        axes.set_xticks([], minor=True)
    left.axhline(THRESHOLD_ENERGY, color=BLACK, ls="--", lw=0.8, label="threshold, N → ∞")
    legend(left)
    left.set(xlabel="spins", ylabel="end energy a spin")
    right.set(xlabel="hidden units", ylabel="end loss on digits")


_claim = partial(Claim, source=Source(BALLARD, "the p-spin model and machine learning"))

THEME = Theme(
    "glass",
    "The p-spin glass and digits",
    (
        _claim(
            "pspin-above",
            "Descent in the p-spin glass ends above the threshold.",
            "mean end energy a spin, less the threshold",
            Expected(0.0, 0.0, "Cugliandolo, Kurchan 1993", ">="),
            SPIN_ENDS,
            _above,
        ),
        _claim(
            "pspin-limit",
            "For large systems it ends at the threshold.",
            "mean end energy a spin, extrapolated in N^(-2/3)",
            Expected(THRESHOLD_ENERGY, 0.05, "-2√(2/3)"),
            SPIN_ENDS,
            _limit,
        ),
        _claim(
            "pspin-narrowing",
            "The band of end energies narrows as the glass grows.",
            "standard deviation at the largest size over that at the smallest",
            Expected(1.0, 0.0, "no narrowing", "<="),
            SPIN_ENDS,
            partial(_narrowing, name="n"),
        ),
        _claim(
            "digits-narrowing",
            "So does that of a network which learns digits.",
            "standard deviation at the largest size over that at the smallest",
            Expected(1.0, 0.0, "no narrowing", "<="),
            DIGIT_ENDS,
            partial(_narrowing, name="hidden"),
        ),
    ),
    draw,
)

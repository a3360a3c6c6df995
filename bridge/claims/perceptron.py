"""The perceptron, where everything the first paper builds on is known in closed form."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.claims.claim import theme_of
from bridge.claims.estimates import column, farthest, finished, mean
from bridge.claims.experiment import Experiment, Records, Sample, grid
from bridge.protocols import Vector
from bridge.records.store import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# α and the margin σ >= 0 at which Gardner's capacity is α
CONVEX: dict[str, Any] = {"alpha": 0.9612, "sigma": 0.5}


def jamming_point(rng: np.random.Generator, *, n: int, alpha: float, sigma: float) -> Sample:
    """Go to the exact jamming point from a random start; count its contacts."""
    from bridge.jamming import exact_jamming
    from particles import Perceptron, descend

    problem = Perceptron.random(n, alpha, sigma, rng)
    point = exact_jamming(problem, problem.random_state(rng), minimise=descend)
    jammed = point.status == "jammed"
    return Sample(
        values={"sigma": point.problem.sigma, "contacts": len(point.rows)},
        arrays={"forces": point.relative_forces, "margins": point.margins()} if jammed else {},
        status="done" if jammed else "stalled",
    )


def minimum(rng: np.random.Generator, *, n: int, alpha: float, sigma: float) -> Sample:
    """Descend beyond the capacity; compare the Hessian with its closed form.

    ``distance`` is that of Kolmogorov and Smirnov between eigenvalues and the density for the
    measured ``c = N_Δ/N`` and ``ζ``; ``marginality`` is ``ζ/(√c - 1)²``.
    """
    from bridge.measure.spectra import hessian
    from particles import Perceptron, descend
    from particles.perceptron import theory

    problem = Perceptron.random(n, alpha, sigma, rng)
    end = descend(problem, problem.random_state(rng))
    gaps = problem.gaps(end.x)
    c, zeta = float((gaps > 0).sum()) / n, theory.prestress_of(gaps, sigma, n)
    radial = problem.zero_modes(end.x)  # made stiff, it is the last: the others are those across
    stiff = hessian(problem, end.x) + 1e6 * radial.T @ radial
    eigenvalues: Vector = np.linalg.eigvalsh(stiff)[:-1].astype(np.float64)
    return Sample(
        values={
            "c": c,
            "zeta": zeta,
            "marginality": zeta / float(theory.marginal_prestress(c)),
            "distance": _distance(eigenvalues, c, zeta),
        },
        arrays={"eigenvalues": eigenvalues},
        status="done" if end.status == "jammed" else "stalled",
    )


def _distance(eigenvalues: Vector, c: float, zeta: float) -> float:
    from scipy.integrate import cumulative_trapezoid

    from particles.perceptron import theory

    grid = np.linspace(*theory.hessian_edges(c, zeta), 2000)
    density = theory.hessian_density(grid, c, zeta)
    below = float(theory.hessian_peak(c)) + cumulative_trapezoid(density, grid)
    found = np.searchsorted(eigenvalues, grid[1:]) / len(eigenvalues)
    return float(np.abs(found - below).max())


JAMMING = Experiment(
    "perceptron jamming",
    jamming_point,
    default=(*grid(16, n=400, alpha=4.0, sigma=-0.5), *grid(32, n=400, **CONVEX)),
    full=(*grid(100, n=800, alpha=4.0, sigma=-0.5), *grid(32, n=800, **CONVEX)),
    work=lambda n, **_: n**3,
)

MINIMUM = Experiment(
    "perceptron minimum",
    minimum,
    default=grid(4, n=800, alpha=8.0, sigma=-0.5),
    full=grid(20, n=1600, alpha=8.0, sigma=-0.5),
    work=lambda n, **_: n**3,
)


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw the Hessian's eigenvalues over their closed form."""
    from bridge.figures.style import BLACK, SKY, legend
    from particles.perceptron import theory

    axes = figure.subplots()
    found = finished(records[MINIMUM.name])
    if not found:
        return
    values = np.concatenate([record.arrays["eigenvalues"] for record in found])
    c, zeta = column(found, "c").mean(), column(found, "zeta").mean()
    axes.hist(values, bins=50, density=True, color=SKY, label=f"{len(found)} minima")
    grid = np.linspace(*theory.hessian_edges(c, zeta), 400)
    axes.plot(grid, theory.hessian_density(grid, c, zeta), color=BLACK, label="closed form")
    axes.set(xlabel="eigenvalue of the Hessian", ylabel="density")
    legend(axes)


def _relative(record: Record) -> float:
    return float(record.data["contacts"] / record.parameters["n"])


def _excess(record: Record) -> float:
    return float(record.data["contacts"] - record.parameters["n"])


THEME = theme_of(
    "perceptron",
    "The perceptron",
    {
        "capacity": (JAMMING, partial(mean, number="sigma", **CONVEX)),
        "convex-contacts": (JAMMING, partial(mean, number=_relative, **CONVEX)),
        "isostaticity": (JAMMING, partial(farthest, number=_excess, alpha=4.0)),
        "marginality": (MINIMUM, partial(mean, number="marginality")),
        "hessian-density": (MINIMUM, partial(mean, number="distance")),
    },
    draw,
)

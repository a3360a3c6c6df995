"""Packings: discs are isostatic when they jam, ellipses and tanh networks are not."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bridge.claims.claim import Estimate, theme_of
from bridge.claims.estimates import column, exponent, farthest, finished, mean
from bridge.claims.experiment import Experiment, Records, Sample, grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SOFT = 1e3  # eigenvalues below this many pressures vanish with it; the next are of order one


def discs(rng: np.random.Generator, *, n: int) -> Sample:
    """Go to the exact jamming point of discs from random positions."""
    from bridge.jamming import exact_jamming
    from particles import Discs, decompress, minimise

    problem = Discs.bidisperse(n, 0.86)
    low = decompress(problem, problem.random_state(rng), pressure=1e-5)
    point = exact_jamming(low.problem, low.x, minimise=minimise)
    jammed = point.status == "jammed"
    held = int(point.held.reshape(n, -1).any(axis=1).sum())
    return Sample(
        values={"phi": point.problem.phi, "excess": len(point.rows) - (2 * held - 1)},
        arrays={"forces": point.relative_forces, "margins": point.margins()} if jammed else {},
        status="done" if jammed else "stalled",
    )


def ellipses(rng: np.random.Generator, *, n: int, aspect: float, pressure: float) -> Sample:
    """Decompress ellipses; count contacts, and modes whose stiffness vanishes with pressure."""
    from particles import Ellipses, decompress

    problem = Ellipses.bidisperse(n, 0.93, aspect=aspect)
    end = decompress(problem, problem.random_state(rng), pressure)
    held = n - int(end.problem.rattlers(end.x).sum())
    contacts = int((end.problem.gaps(end.x) > 0).sum())
    values = np.linalg.eigvalsh(end.problem.hessian(end.x).toarray())
    modes = values[2 + 3 * (n - held) :]  # less translations and rattlers
    return Sample(
        values={
            "coordination": 2 * contacts / held,
            "quartic_excess": int((modes < _SOFT * end.pressure).sum()) - (3 * held - 1 - contacts),
        },
        arrays={"eigenvalues": modes},
        status="done" if end.status == "jammed" else "stalled",
    )


DISCS = Experiment(
    "discs jamming",
    discs,
    default=grid(48, n=512),
    full=grid(100, n=1024),
    work=lambda n: n,
)

NEARLY_ROUND, _LONG = [1.01, 1.02, 1.05], [1.2, 1.5, 2.0]
ROUNDER = [1.002, 1.005, 1.01]  # of the large size, which has bodies enough for so few contacts
ELLIPSES = Experiment(
    "ellipses",
    ellipses,
    default=(
        *grid(12, n=128, aspect=NEARLY_ROUND, pressure=1e-6),
        *grid(4, n=128, aspect=_LONG, pressure=1e-6),
        *grid(4, n=64, aspect=1.5, pressure=1e-9),
    ),
    full=(
        *grid(30, n=256, aspect=ROUNDER, pressure=1e-6),
        *grid(10, n=256, aspect=_LONG, pressure=1e-6),
        *grid(30, n=128, aspect=1.5, pressure=1e-9),
    ),
    work=lambda n, **_: n**2,  # between minimising and diagonalising
)


def _square_root(records: Records) -> Estimate:
    """Fit ``k`` of ``z - z_0 ∝ (α - 1)^k``, with ``z_0 = 4 - 2/N`` of ``N`` discs."""
    aspects = sorted({r.parameters["aspect"] for r in records} - {*_LONG})
    means = [
        mean(records, lambda r: r.data["coordination"] - 4 + 2 / r.parameters["n"], aspect=aspect)
        for aspect in aspects
    ]
    return exponent(np.array(aspects) - 1.0, means)


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw coordination against asphericity, and the modes of a packing near jamming."""
    from bridge.figures.style import BLACK, BLUE, GREY, RED, legend

    left, right = figure.subplots(1, 2)
    found = finished(records[ELLIPSES.name])
    warm = [r for r in found if r.parameters["pressure"] > 1e-8]
    aspect = np.array([record.parameters["aspect"] for record in warm])
    left.plot(aspect - 1.0, column(warm, "coordination"), "o", color=RED, ms=3.5, mfc="none")
    line = np.geomspace(aspect.min(initial=1.01) - 1.0, 0.12, 20)
    left.plot(line, 4 + 3.2 * np.sqrt(line), color=BLACK, lw=0.8, label="4 + 3.2 √(α − 1)")
    left.axhline(6.0, color=GREY, ls=":", label="isostatic")
    left.set(xlabel="aspect α − 1", ylabel="contacts a body, z", xscale="log")
    legend(left)
    cold = [r for r in found if r.parameters["pressure"] < 1e-8]
    for record in cold:
        values = np.sort(record.arrays["eigenvalues"])
        right.plot(np.arange(1, len(values) + 1) / len(values), values, color=BLUE, lw=0.8)
    right.set(xlabel="rank of the mode", ylabel="stiffness at p = 10$^{-9}$", yscale="log")


THEME = theme_of(
    "packings",
    "Discs and ellipses",
    {
        "isostatic-discs": (DISCS, partial(farthest, number="excess")),
        "hypostatic-ellipses": (ELLIPSES, partial(mean, number="coordination", aspect=1.2)),
        "nearly-round-ellipses": (ELLIPSES, _square_root),
        "quartic-modes": (ELLIPSES, partial(farthest, number="quartic_excess", pressure=1e-9)),
    },
    draw,
)

"""Molecular reference landscapes and their thermodynamics."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bridge.claims.claim import Estimate, theme_of
from bridge.claims.estimates import farthest, finished, mean
from bridge.claims.experiment import Experiment, Records, Sample, grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LJ7_MINIMA = (-16.505384, -15.935043, -15.593211, -15.533060)
TRIANGLE, LINE = -2.18509884, -2.21909817  # LJAT3 at Z = 2


def cluster(rng: np.random.Generator, *, n: int, searches: int) -> Sample:
    """Find the minima and saddles of a Lennard-Jones cluster, and its heat capacity."""
    from bridge.landscape.thermodynamics import superposition
    from bridge.runs.exploration import run_landscape
    from bridge.systems.cluster import LennardJonesLandscape

    found = run_landscape(LennardJonesLandscape(n), int(rng.integers(2**31)), searches=searches)
    minima = found.graph.minima.points
    heat = superposition(minima, np.linspace(0.1, 0.3, 401))
    where, height = heat.peak()
    return Sample(
        values={
            "minima": len(minima),
            "saddles": len(found.graph.saddles),
            "peak_temperature": where,
            "peak": height,
        },
        arrays={
            "energies": np.sort([point.energy for point in minima]),
            "temperature": heat.temperature,
            "heat_capacity": heat.heat_capacity,
        },
    )


def global_minimum(rng: np.random.Generator, *, n: int, moves: int, runs: int) -> Sample:
    """Search for the global minimum of a Lennard-Jones cluster by basin hopping."""
    from bridge.landscape.basin_hopping import Hops, basin_hopping
    from particles.landscapes.clusters import LennardJones

    problem = LennardJones(n)
    hops = Hops(count=moves, temperature=0.8, move=problem.move)
    lowest = min(
        point.energy
        for _ in range(runs)
        for point in basin_hopping(problem, problem, problem.random_state(rng), hops, rng)
    )
    return Sample({"lowest": lowest})


def three_atoms(rng: np.random.Generator, *, searches: int) -> Sample:
    """Find the minima of LJAT3, and count them as labelled atoms."""
    from bridge.landscape.completeness import copies
    from bridge.runs.exploration import run_landscape
    from bridge.systems.cluster import AxilrodTellerLandscape

    found = run_landscape(AxilrodTellerLandscape(), int(rng.integers(2**31)), searches=searches)
    points = found.graph.minima.points
    # Labelled minima come in mirror images, which for three atoms are rotations.
    labelled = sum(copies(found.graph.identity, point) for point in points)
    return Sample({"labelled": labelled}, {"energies": np.sort([p.energy for p in points])})


LJ7 = Experiment(
    "LJ7",
    cluster,
    default=grid(3, n=7, searches=400),
    full=grid(20, n=7, searches=1000),
    work=lambda n, searches: searches,
)
LJ13 = Experiment(
    "LJ13",
    global_minimum,
    default=grid(3, n=13, moves=600, runs=1),
    full=grid(20, n=13, moves=600, runs=1),
    work=lambda n, moves, runs: moves * runs,
)
LJAT3 = Experiment(
    "LJAT3",
    three_atoms,
    default=grid(3, searches=60),
    full=grid(20, searches=200),
    work=lambda searches: searches,
)


def _energies(records: Records, listed: tuple[float, ...]) -> Estimate:
    """Return the largest deviation from a table; of runs that found as many as are listed."""
    whole = [r for r in finished(records) if len(r.arrays["energies"]) == len(listed)]
    found = farthest(whole, lambda r: np.abs(r.arrays["energies"] - np.sort(listed)).max())
    return replace(found, samples=len(records), stalled=len(records) - len(whole))


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw the heat capacity of LJ7 with the peak that is known."""
    from bridge.figures.style import BLACK, RED, legend

    axes = figure.subplots()
    found = finished(records[LJ7.name])
    if found:
        best = max(found, key=lambda record: record.data["minima"])
        axes.plot(
            best.arrays["temperature"], best.arrays["heat_capacity"], color=BLACK,
            label=f"of the {best.data['minima']} minima found",
        )  # fmt: skip
    reference = [15.785, 18.385, 19.126, 16.851]
    axes.plot([0.1, 0.15, 0.2, 0.3], reference, "o", color=RED, mfc="none", label="reference")
    axes.plot([0.186], [19.226], "*", color=RED, ms=9, label="its peak")
    axes.set(xlabel="temperature kT/ε", ylabel="heat capacity C/k of LJ$_7$")
    legend(axes)


THEME = theme_of(
    "molecules",
    "Molecular landscapes and thermodynamics",
    {
        "lj7-minima": (LJ7, partial(mean, number="minima")),
        "lj7-saddles": (LJ7, partial(mean, number="saddles")),
        "lj7-energies": (LJ7, partial(_energies, listed=LJ7_MINIMA)),
        "lj13-global": (LJ13, partial(mean, number="lowest")),
        "ljat3-minima": (LJAT3, partial(mean, number="labelled")),
        "ljat3-energies": (LJAT3, partial(_energies, listed=(TRIANGLE, LINE))),
        "heat-capacity": (LJ7, partial(mean, number="peak")),
        "heat-capacity-temperature": (LJ7, partial(mean, number="peak_temperature")),
    },
    draw,
)

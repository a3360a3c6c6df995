"""Molecular reference landscapes and their thermodynamics."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bridge.claims.claim import BALLARD, Claim, Estimate, Expected, Theme
from bridge.claims.estimates import farthest, finished, mean
from bridge.claims.experiment import Experiment, Records, Sample, grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LJ7_MINIMA = (-16.505384, -15.935043, -15.593211, -15.533060)
TRIANGLE, LINE = -2.18509884, -2.21909817  # LJAT3 at Z = 2
_LISTED = 1e-6  # the tables' last digit


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
    "LJ7", cluster, default=grid(3, n=7, searches=400), full=grid(20, n=7, searches=1000)
)
LJ13 = Experiment(
    "LJ13",
    global_minimum,
    default=grid(3, n=13, moves=600, runs=1),
    full=grid(20, n=13, moves=600, runs=1),
)
LJAT3 = Experiment("LJAT3", three_atoms, default=grid(3, searches=60), full=grid(20, searches=200))


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
        axes.plot(best.arrays["temperature"], best.arrays["heat_capacity"], color=BLACK)
    axes.plot([0.1, 0.15, 0.2, 0.3], [15.785, 18.385, 19.126, 16.851], "o", color=RED, mfc="none")
    axes.plot([0.186], [19.226], "*", color=RED, ms=9, label="reference")
    axes.set(xlabel="temperature", ylabel="heat capacity of LJ$_7$ / k$_B$")
    legend(axes)


_LJ7 = "Doye and Massen, J. Chem. Phys. 122, 084105 (2005)"
_DATABASE = "Wales et al., the Cambridge Cluster Database"
_BALLARD = f"{BALLARD}, classification of the outcomes of minimisations"
_check = partial(Claim, check=True)

THEME = Theme(
    "molecules",
    "Molecular landscapes and thermodynamics",
    (
        _check(
            "lj7-minima",
            "LJ7 has four distinct minima.",
            "minima, permutation-inversion isomers counted once",
            Expected(4, 0, "literature"),
            "searches that find another number",
            LJ7,
            partial(mean, number="minima"),
            _LJ7,
        ),
        _check(
            "lj7-saddles",
            "LJ7 has twelve distinct transition states.",
            "transition states, counted likewise",
            Expected(12, 0, "literature"),
            "searches that find another number",
            LJ7,
            partial(mean, number="saddles"),
            _LJ7,
        ),
        _check(
            "lj7-energies",
            "The energies of the minima of LJ7 are those of the tables.",
            "largest deviation of an energy",
            Expected(0.0, _LISTED, "the last digit listed"),
            "one energy that differs in a listed digit",
            LJ7,
            partial(_energies, listed=LJ7_MINIMA),
            _DATABASE,
        ),
        _check(
            "lj13-global",
            "Basin hopping finds the icosahedron, the global minimum of LJ13.",
            "lowest energy, the mean of all runs",
            Expected(-44.326801, _LISTED, "the last digit listed"),
            "runs that end above it",
            LJ13,
            partial(mean, number="lowest"),
            _DATABASE,
        ),
        _check(
            "ljat3-minima",
            "Three atoms with the Axilrod-Teller term have four labelled minima, the outcomes that "
            "networks learn to predict.",
            "labelled minima at Z = 2",
            Expected(4, 0, "one triangle, and a line for each atom in the middle"),
            "searches that find another number",
            LJAT3,
            partial(mean, number="labelled"),
            _BALLARD,
        ),
        _check(
            "ljat3-energies",
            "The triangle and the line of LJAT3 have the listed energies.",
            "largest deviation of an energy",
            Expected(0.0, _LISTED, "closed form, minimised"),
            "one energy that differs in a listed digit",
            LJAT3,
            partial(_energies, listed=(TRIANGLE, LINE)),
            _BALLARD,
        ),
        *(
            _check(
                name,
                sentence,
                quantity,
                Expected(value, 5e-4, "reference calculation"),
                "a peak elsewhere, as that of an incomplete set of minima",
                LJ7,
                partial(mean, number=number),
                f"{BALLARD}, abstract: analogues of molecular thermodynamics",
            )
            for name, sentence, quantity, value, number in (
                (
                    "heat-capacity",
                    "A peak of the heat capacity tells where minima compete: that of LJ7.",
                    "height of the peak over k, harmonic superposition",
                    19.226,
                    "peak",
                ),
                (
                    "heat-capacity-temperature",
                    "The same, and its temperature.",
                    "temperature of the peak",
                    0.186,
                    "peak_temperature",
                ),
            )
        ),
    ),
    draw,
)

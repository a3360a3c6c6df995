"""Molecular reference landscapes and their thermodynamics."""

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bridge.claims.claim import BALLARD, Claim, Estimate, Expected, Source, Theme
from bridge.claims.estimates import exact, finished
from bridge.claims.experiment import Experiment, Records, Sample, grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bridge.landscape.graph import Graph
    from bridge.landscape.kinetics import Rates
    from bridge.protocols import Vector

LJ7_MINIMA = (-16.505384, -15.935043, -15.593211, -15.533060)
TRIANGLE, LINE = -2.18509884, -2.21909817  # LJAT3 at Z = 2
_LISTED = 1e-6  # the tables' last digit


def cluster(rng: np.random.Generator, *, n: int, searches: int, temperature: float) -> Sample:
    """Find the minima and saddles of a Lennard-Jones cluster, and measure the graph."""
    from bridge.landscape.kinetics import rates
    from bridge.landscape.network_measures import measures
    from bridge.landscape.thermodynamics import superposition
    from bridge.runs.exploration import run_landscape
    from bridge.systems.cluster import LennardJonesLandscape

    found = run_landscape(LennardJonesLandscape(n), int(rng.integers(2**31)), searches=searches)
    graph = found.graph
    heat = superposition(graph.minima.points, np.linspace(0.1, 0.3, 401))
    speed = rates(graph, temperature)
    shape = measures(graph)
    where, height = heat.peak()
    return Sample(
        values={
            "minima": len(graph.minima),
            "saddles": len(graph.saddles),
            "lowest": min(point.energy for point in graph.minima),
            "peak_temperature": where,
            "peak": height,
            "imbalance": _imbalance(speed),
            "passage_error": _passage_error(speed),
            "degree_energy": shape.degree_energy,
            "clustering": shape.clustering / (shape.mean_degree / (shape.minima - 1)),
        },
        arrays={
            "energies": np.sort([point.energy for point in graph.minima]),
            "nodes": _nodes(graph),
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


def _nodes(graph: "Graph") -> "Vector":
    """Return energy and number of neighbours of each minimum, ``(n, 2)``."""
    network = graph.to_networkx()
    degrees = [len(set(network[node]) - {node}) for node in network]
    return np.column_stack([[point.energy for point in graph.minima], degrees])


def _imbalance(found: "Rates") -> float:
    """Return the largest relative difference of the flows ``k_ab p_a`` and ``k_ba p_b``."""
    flow = found.constants * found.equilibrium[:, None]
    both = flow + flow.T
    return float((np.abs(flow - flow.T)[both > 0] / both[both > 0]).max(initial=0.0))


def _passage_error(found: "Rates") -> float:
    """Return the relative difference of passage times by graph transformation and linear solve."""
    from bridge.landscape.kinetics import mean_first_passage

    target = int(found.equilibrium.argmax())
    times = mean_first_passage(found, np.array([target]))
    rest = np.flatnonzero(np.isfinite(times) & (np.arange(len(times)) != target))
    generator = np.diag(found.escape) - found.constants
    solved = np.linalg.solve(generator[np.ix_(rest, rest)], np.ones(len(rest)))
    return float(np.abs(times[rest] / solved - 1.0).max())


LJ7 = Experiment(
    "LJ7",
    cluster,
    default=grid(3, n=7, searches=400, temperature=0.2),
    full=grid(20, n=7, searches=1000, temperature=0.2),
)
LJ9 = Experiment(
    "LJ9",
    cluster,
    default=grid(3, n=9, searches=500, temperature=0.2),
    full=grid(10, n=9, searches=6000, temperature=0.2),
)
LJ13 = Experiment(
    "LJ13",
    global_minimum,
    default=grid(3, n=13, moves=600, runs=1),
    full=grid(20, n=13, moves=600, runs=1),
)
LJAT3 = Experiment("LJAT3", three_atoms, default=grid(3, searches=60), full=grid(20, searches=200))


def _most(records: Records, name: str) -> Estimate:
    """Return the largest number of distinct points that a run found."""
    counts = [record.data[name] for record in records]
    complete = sum(count == max(counts) for count in counts)
    return exact(max(counts, default=math.nan), records, f"by {complete} of {len(counts)} searches")


def _energies(records: Records, listed: tuple[float, ...]) -> Estimate:
    """Return the largest deviation of the energies of the run that found most from a table."""
    best = max(records, key=lambda record: len(record.arrays["energies"]))
    energies = best.arrays["energies"]
    if len(energies) != len(listed):
        return exact(math.nan, records, f"{len(energies)} minima, where {len(listed)} are listed")
    return exact(float(np.abs(energies - np.sort(listed)).max()), records)


def largest(records: Records, name: str) -> Estimate:
    """Return the largest value of all runs."""
    return exact(max(record.data[name] for record in records), records)


def _peak(records: Records, name: str) -> Estimate:
    """Return the peak of the run that found most minima: an incomplete set has another one."""
    best = max(records, key=lambda record: record.data["minima"])
    return exact(best.data[name], records)


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


_METHODS = Source(BALLARD, "abstract: methods to explore molecular potential energy landscapes")
_ANALOGUES = Source(BALLARD, "abstract: analogues of molecular thermodynamics and kinetics")
_claim = partial(Claim, source=_METHODS)

THEME = Theme(
    "molecules",
    "Molecular landscapes and thermodynamics",
    (
        _claim(
            "lj7-minima",
            "LJ7 has four distinct minima.",
            "minima, permutation-inversion isomers counted once",
            Expected(4, 0, "literature"),
            LJ7,
            partial(_most, name="minima"),
        ),
        _claim(
            "lj7-saddles",
            "LJ7 has twelve distinct transition states.",
            "transition states, counted likewise",
            Expected(12, 0, "literature"),
            LJ7,
            partial(_most, name="saddles"),
        ),
        _claim(
            "lj7-energies",
            "The energies of the minima of LJ7 are those of the tables.",
            "largest deviation of an energy",
            Expected(0.0, _LISTED, "Cambridge Cluster Database"),
            LJ7,
            partial(_energies, listed=LJ7_MINIMA),
        ),
        _claim(
            "lj13-global",
            "Basin hopping finds the icosahedron, the global minimum of LJ13.",
            "lowest energy, the highest of all runs",
            Expected(-44.326801, _LISTED, "Cambridge Cluster Database"),
            LJ13,
            partial(largest, name="lowest"),
        ),
        _claim(
            "ljat3-minima",
            "Three atoms with the Axilrod-Teller term have four labelled minima, the outcomes that "
            "networks learn to predict.",
            "labelled minima at Z = 2",
            Expected(4, 0, "one triangle, and a line for each atom in the middle"),
            LJAT3,
            partial(_most, name="labelled"),
            source=Source(BALLARD, "classification of the outcomes of minimisations"),
        ),
        _claim(
            "ljat3-energies",
            "The triangle and the line of LJAT3 have the listed energies.",
            "largest deviation of an energy",
            Expected(0.0, _LISTED, "closed form, minimised"),
            LJAT3,
            partial(_energies, listed=(TRIANGLE, LINE)),
            source=Source(BALLARD, "classification of the outcomes of minimisations"),
        ),
        _claim(
            "heat-capacity",
            "A peak of the heat capacity tells where minima compete: that of LJ7.",
            "height of the peak over k, harmonic superposition",
            Expected(19.226, 5e-4, "reference calculation"),
            LJ7,
            partial(_peak, name="peak"),
            source=_ANALOGUES,
        ),
        _claim(
            "heat-capacity-temperature",
            "The same, and its temperature.",
            "temperature of the peak",
            Expected(0.186, 5e-4, "reference calculation"),
            LJ7,
            partial(_peak, name="peak_temperature"),
            source=_ANALOGUES,
        ),
    ),
    draw,
)

"""A stored landscape at a temperature: free energies, rates, relaxation, fastest path."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bridge.landscape.graph import Graph
from bridge.landscape.kinetics import (
    Pathway,
    Rates,
    energy_profile,
    fastest_path,
    mean_first_passage,
    rates,
    relaxation_spectrum,
)
from bridge.landscape.thermodynamics import free_energies
from bridge.protocols import Vector
from bridge.records.writing import text_file

MOST_RATED = 2000  # minima up to which the matrix of rates is diagonalised


@dataclass(frozen=True, eq=False)
class Thermal:
    """Kinetics between the minima at one temperature.

    Attributes
    ----------
    temperature
        ``T``.
    free_energy : (n,)
        ``F`` of each minimum.
    rates
        Rate constants of transition-state theory.
    passage : (n,)
        Mean first-passage time to the lowest minimum, by graph transformation.
    relaxation : (n - parts,)
        Relaxation rates: eigenvalues of the master equation without one zero for each connected
        part. Those below 1e-15 of the largest are rounding.
    path
        The fastest path to the lowest minimum from the one that takes longest; None if there is
        only one.
    profile
        Energies of minimum, saddle, minimum, ... along it.
    """

    temperature: float
    free_energy: Vector
    rates: Rates
    passage: Vector
    relaxation: Vector
    path: Pathway | None
    profile: Vector


def thermal(graph: Graph, temperature: float) -> Thermal:
    """Compute the kinetics of a landscape.

    Raises
    ------
    ValueError
        If the temperature is not positive, or the landscape is too large for a dense matrix.
    """
    if len(graph.minima) > MOST_RATED:
        raise ValueError(
            f"expected at most {MOST_RATED} minima for rates, got {len(graph.minima)}: search fewer"
        )
    found = rates(graph, temperature)
    lowest = int(np.argmin([point.energy for point in graph.minima]))
    passage = mean_first_passage(found, np.array([lowest]))
    slowest = int(np.where(np.isfinite(passage), passage, -1.0).argmax())
    path = None if slowest == lowest else fastest_path(graph, temperature, slowest, lowest)
    return Thermal(
        temperature=temperature,
        free_energy=free_energies(graph.minima.points, temperature),
        rates=found,
        passage=passage,
        relaxation=relaxation_spectrum(found)[len(graph.components()) :],
        path=path,
        profile=np.empty(0) if path is None else energy_profile(graph, path),
    )


def write_rates(found: Thermal, path: Path) -> None:
    """Write ``from, to, rate`` of every pair of minima that a saddle joins."""
    pairs = np.argwhere(found.rates.constants > 0).tolist()
    rows = [(a, b, repr(float(found.rates.constants[a, b]))) for a, b in pairs]
    write_rows(path, ["from", "to", "rate"], rows)


def write_kinetics(found: Thermal, path: Path) -> None:
    """Write free energy, probability, escape rate and passage time of each minimum."""
    columns = (found.free_energy, found.rates.equilibrium, found.rates.escape, found.passage)
    rows = [(k, *map(repr, row)) for k, row in enumerate(np.column_stack(columns).tolist())]
    names = ["minimum", "free_energy", "probability", "escape_rate", "passage_time"]
    write_rows(path, names, rows)


def write_rows(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table, ``.csv``, with a line of names."""
    with text_file(path) as file:
        csv.writer(file).writerows([names, *rows])


def summary(found: Thermal) -> dict[str, Any]:
    """Return the temperature, the slowest relaxations and the fastest path."""
    path = found.path
    return {
        "temperature": found.temperature,
        "slowest_relaxation": [float(r) for r in found.relaxation[:6]],
        "fastest_path": None
        if path is None
        else {
            "minima": list(path.minima),
            "saddles": list(path.saddles),
            "energies": found.profile.tolist(),
            "passage_time": float(found.passage[path.minima[0]]),
        },
    }

"""``jamscape landscape show``: figures and tables of a stored landscape."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bridge.figures import landscape as draw
from bridge.figures.style import save
from bridge.landscape.completeness import completeness
from bridge.landscape.graph import Graph
from bridge.landscape.identity import NoSymmetry
from bridge.landscape.network_measures import measures
from bridge.landscape.stationary_points import StationaryPoint
from bridge.landscape.store import LandscapeStore
from bridge.landscape.thermal import summary as summary_of
from bridge.landscape.thermal import thermal, write_kinetics, write_rates, write_rows
from bridge.landscape.thermodynamics import Thermodynamics, superposition
from bridge.protocols import Vector
from bridge.records.database import whole
from bridge.records.documents import dumps
from bridge.records.store import Record
from bridge.records.writing import write_text
from bridge.report.likenesses import case_of, likenesses
from bridge.runs.kinds.landscape import label
from bridge.runs.kinds.landscape import summary as landscape_summary

_WANTED = ("test_accuracy", "test_auc", "n_constraints", "energy_per_spin")
_TEMPERATURES = 400  # at which a heat capacity is drawn


@dataclass(frozen=True)
class StoredIdentity(NoSymmetry):
    """The points of a file are distinct already: nothing is compared, only counted."""

    order: float | None

    @property
    def log_group_order(self) -> float:
        """Logarithm of the order of the group as stored; NaN if there is none."""
        return np.nan if self.order is None else self.order


@dataclass(frozen=True, eq=False)
class Stored:
    """A landscape as a file holds it."""

    about: dict[str, Any]
    graph: Graph
    observables: list[dict[str, float]]


def read_landscape(path: Path) -> Stored:
    """Read a stored landscape.

    Raises
    ------
    ValueError
        If there is no such file, it holds something else, or no minimum.
    """
    with LandscapeStore(path, read_only=True) as store:
        about = store.about()
        graph = store.load(StoredIdentity(about.get("log_group_order")))
        observables = store.observables()
    if not len(graph.minima):
        raise ValueError(f"expected a landscape with a minimum in {path}, got none: search longer")
    return Stored(about, graph, observables)


def show(path: Path, out: Path, temperature: float | None = None) -> dict[str, Any]:
    """Write the figures and tables of a stored landscape into a folder; return a summary.

    As ``.pdf`` and ``.png``: ``tree`` (coloured by the first observable there is), ``free_tree`` at
    the temperature, ``heat_capacity``, ``path`` (the fastest one, from the minimum that takes
    longest to the lowest), ``discovery``. As ``.csv``: ``minima``, ``saddles``, ``order`` (overlap
    and distances of the lowest pairs), ``rates`` and ``kinetics`` at the temperature. All else is
    in ``summary.json``.

    Parameters
    ----------
    temperature
        Of free energies and rates; that of the peak of the heat capacity if not given.
    """
    stored = read_landscape(path)
    points = stored.graph.minima.points
    heat = superposition(points, temperatures(points))
    chosen = heat.peak()[0] if temperature is None else temperature
    if not chosen > 0:
        raise ValueError(f"expected a temperature T > 0, got {chosen}: pass a positive number")
    out.mkdir(parents=True, exist_ok=True)
    summary = _write_structure(stored, heat, out)
    where, height = heat.peak()
    inside = heat.temperature[0] < where < heat.temperature[-1]
    summary["heat_capacity_peak"] = {"temperature": where, "height": height} if inside else None
    summary |= _write_thermal(stored, chosen, out)
    summary["order"] = _write_order(stored, path.parent, out / "order.csv")
    write_text(out / "summary.json", dumps(summary, indent=1) + "\n")
    return summary


def _write_structure(stored: Stored, heat: Thermodynamics, out: Path) -> dict[str, Any]:
    """Draw and tabulate what does not depend on a temperature."""
    graph, found = stored.graph, completeness(stored.graph)
    label, colours = _colours(stored.observables)
    tree = draw.disconnectivity(graph.tree(), colours, colour_label=label)
    save(tree, out / "tree")
    save(draw.thermodynamics(graph.minima.points, heat), out / "heat_capacity")
    save(draw.discovery(found), out / "discovery")
    _write_minima(stored, out / "minima.csv")
    _write_saddles(graph, out / "saddles.csv")
    names = ("system", "parameters", "seed", "seconds", "images")
    return {name: stored.about.get(name) for name in names} | {
        "n_minima": len(graph.minima),
        "n_saddles": len(graph.saddles),
        "connected": graph.connected,
        "lowest": min(point.energy for point in graph.minima),
        "estimated_minima": found.estimated_minima,
        "estimated_saddles": found.estimated_saddles,
        "network": asdict(measures(graph)),
    }


def _write_thermal(stored: Stored, temperature: float, out: Path) -> dict[str, Any]:
    """Draw and tabulate what happens at a temperature."""
    graph = stored.graph
    label, colours = _colours(stored.observables)
    free = draw.disconnectivity(
        graph.tree(temperature),
        colours,
        colour_label=label,
        energy_label=f"free energy at T = {temperature:.3g}",
    )
    save(free, out / "free_tree")
    try:
        found = thermal(graph, temperature)
    except ValueError as error:
        return {"temperature": temperature, "rates": str(error)}
    write_rates(found, out / "rates.csv")
    write_kinetics(found, out / "kinetics.csv")
    if found.path is not None:
        save(draw.path_profile(found.profile, found.path.minima), out / "path")
    return summary_of(found)


def _write_order(stored: Stored, folder: Path, path: Path) -> str:
    """Tabulate how alike the lowest minima are; return what was written, or why nothing was."""
    try:
        case = case_of(stored.about, folder)
    except (KeyError, TypeError, ValueError) as error:
        return f"not compared: {error}"
    rows = [asdict(pair) for pair in likenesses(case, stored.graph)]
    if not rows:
        return "not compared: a single minimum"
    write_rows(path, list(rows[0]), [list(row.values()) for row in rows])
    return f"{len(rows)} pairs of the lowest minima"


def temperatures(minima: Sequence[StationaryPoint]) -> Vector:
    """Return temperatures around those where the occupation of the minima changes, ``(400,)``.

    From where all but a hundredth sits in one minimum to where the heat capacity has settled.
    """
    energies = np.array([point.energy for point in minima])
    spread = float(np.ptp(energies)) or 1.0
    wide = np.logspace(np.log10(spread) - 5, np.log10(spread) + 2, 700)
    found = superposition(minima, wide)
    moving = np.abs(found.heat_capacity - found.modes) > 0.02
    if not moving.any():
        return np.linspace(0.05, 2.0, _TEMPERATURES) * spread
    first, last = wide[moving][0], wide[moving][-1]
    peak = found.temperature[int((found.heat_capacity * moving).argmax())]
    return np.linspace(max(0.5 * first, 0.1 * peak), min(last, 4.0 * peak), _TEMPERATURES)


def _colours(observables: Sequence[dict[str, float]]) -> tuple[str, Vector | None]:
    """Return the first wanted observable that varies, as the colour of each minimum."""
    for name in _WANTED:
        values = np.array([seen.get(name, np.nan) for seen in observables])
        if np.isfinite(values).any() and np.ptp(values[np.isfinite(values)]) > 0:
            return name.replace("_", " "), values
    return "", None


def _write_minima(stored: Stored, path: Path) -> None:
    names = sorted({name for seen in stored.observables for name in seen})
    points = zip(stored.graph.minima, stored.graph.minima.hits, stored.observables, strict=True)
    rows = []
    for number, (p, hits, seen) in enumerate(points):
        values = [seen.get(name, "") for name in names]
        rows.append([number, repr(p.energy), p.order, p.log_det, p.n_modes, hits, *values])
    write_rows(path, ["number", "energy", "order", "log_det", "n_modes", "hits", *names], rows)


def _write_saddles(graph: Graph, path: Path) -> None:
    points = zip(graph.saddles, graph.ends, graph.saddles.hits, strict=True)
    rows = [
        (number, repr(p.energy), *ends, p.order, p.log_det, p.lowest, hits)
        for number, (p, ends, hits) in enumerate(points)
    ]
    names = ["number", "energy", "first", "second", "order", "log_det", "lowest", "hits"]
    write_rows(path, names, rows)


def record_of_file(path: Path) -> Record:
    """Return the same record of a landscape that ``jamscape landscape --out`` stored.

    Raises
    ------
    ValueError
        If the file holds something else, is damaged or in use.
    """
    stored = read_landscape(path)
    about = stored.about
    with whole(path):
        system = str(about["system"])
        given = {"system": system, **about["parameters"], "settings": about.get("settings", {})}
        seconds = float(about.get("seconds", 0.0))
        known = completeness(stored.graph)
        found = landscape_summary(stored.graph, stored.observables, known, seconds)
        return Record(
            kind=label(system),
            parameters=given,
            seed=(int(about["seed"]),),
            status=found.status,
            seconds=seconds,
            data={"system": label(system), **found.data},
            provenance=dict(about.get("provenance", {})),
            arrays=found.arrays,
        )

"""Fits and figures of the critical point, from the records of `departure.py` and `avalanches.py`.

    python benchmarks/critical.py [DEPARTURE.sqlite AVALANCHES.sqlite]

Writes ``critical.json``, and ``departure``, ``exponents`` and ``avalanches`` (png and pdf) into
``../docs``, of what there is a store of; seconds.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from avalanches import PLAN as LOADINGS
from avalanches import runs as loading_runs
from departure import PLAN as DEPARTURES
from departure import runs as departing_runs

from bridge.avalanches.sizes import Sizes, cutoff_exponent
from bridge.figures.critical import (
    JammingSample,
    avalanche_figure,
    departure_figure,
    exponents_figure,
)
from bridge.figures.style import save
from bridge.jamming.departure import Departure, fit_exponent
from bridge.measure.power_laws import (
    PowerLaw,
    TailSample,
    finite_size_floor,
    fit_at_contacts,
    fit_power_law,
)
from bridge.records.store import Record, Store

HERE = Path(__file__).parent
NUMBERS, DOCS = HERE / "critical.json", HERE.parent / "docs"
CONTACTS = 200  # of the jamming points at which systems are compared


def by_size(records: list[Record], plan: dict[str, Any], runs: list[Any]) -> dict[str, Any]:
    """Return ``{system: {size: records}}`` of what has been computed."""
    found = {record.key: record for record in records}
    ordered = iter(runs)
    grouped: dict[str, dict[str, list[Record]]] = {}
    for name, sizes in plan.items():
        for label, _, count in sizes:
            here = [found[run.key] for run in [next(ordered) for _ in range(count)]
                    if run.key in found]  # fmt: skip
            if here:
                grouped.setdefault(name, {})[label] = here
    return grouped


def read(path: Path, kind: str) -> list[Record]:
    with Store(path) as store:
        return list(store.records(kind))


def departure(record: Record) -> Departure:
    names = ("distance", "energy", "pressure", "n_constraints", "n")
    arrays = {name: record.arrays[name] for name in names}
    return Departure(record.data["n"], record.data["n_constraints"], **arrays)


def leaving(sizes: dict[str, list[Departure]]) -> dict[str, Any]:
    """Fit the largest size, each where it is neither at its floor nor far from jamming."""
    samples = list(sizes.values())[-1]
    n = float(np.median([s.n_jamming for s in samples]))
    floor, top = 300.0 / n**2, 0.03  # below, the excess is a few constraints: see the collapse
    fits = {
        "excess": fit_exponent([(s.distance, s.excess) for s in samples], floor, top),
        "pressure": fit_exponent([(s.distance, s.pressure) for s in samples], 1e-6, 1e-3),
        "energy": fit_exponent([(s.distance, s.energy) for s in samples], 1e-6, 1e-3),
        "excess against pressure": fit_exponent(
            [(s.pressure, s.excess) for s in samples], 200.0 / n**2, top
        ),
    }
    shown = {k: [round(f.value, 3), round(f.error, 3), f.count] for k, f in fits.items()}
    contacts = float(np.median([s.contacts / s.n_jamming for s in samples]))
    return {"size": list(sizes)[-1], "contacts per n": round(contacts, 4), **shown}


def shown(fit: PowerLaw, sign: float = 1.0) -> dict[str, Any]:
    return {
        "exponent": round(sign * fit.exponent, 3),
        "error": round(fit.error, 3),
        "window": [float(f"{fit.low:.2g}"), float(f"{fit.high:.2g}")],
        "count": fit.count,
        "distance": round(fit.distance, 3),
        "reason": fit.reason,
    }


def at_equal_contacts(points: dict[str, list[JammingSample]]) -> dict[str, Any]:
    """Fit every system at about the same number of contacts, on the same windows."""
    rows: dict[str, Any] = {}
    for name, all_points in points.items():
        chosen = [p for p in all_points if abs(p.n_contacts - CONTACTS) <= 0.1 * CONTACTS]
        forces = [TailSample(p.n_contacts, p.forces) for p in chosen]
        margins = [TailSample(p.n_contacts, p.margins) for p in chosen]
        floor = finite_size_floor([p.margins for p in chosen]) if chosen else 0.0
        rows[name] = {
            "points": len(chosen),
            "theta": shown(fit_at_contacts(forces, CONTACTS, 0.3)),
            "gamma": shown(fit_at_contacts(margins, CONTACTS, 0.1, low=floor), -1.0),
        }
    return rows


def at_jamming(points: list[JammingSample]) -> dict[str, Any]:
    margins = [p.margins for p in points]
    low = finite_size_floor(margins)
    return {
        "points": len(points),
        "contacts": round(float(np.mean([p.n_contacts for p in points])), 1),
        "theta": shown(fit_power_law([p.forces for p in points], 0.2)),
        "gamma": shown(fit_power_law(margins, 0.05, low=low), -1.0),
    }


def sizes_of(records: list[Record]) -> Sizes:
    ended = [r for r in records if r.data["status"] == "loaded"]
    resolution = max(r.data["resolution"] for r in ended)
    n = ended[0].data["n_dof"]
    return Sizes(n, [r.arrays["avalanche_drop"] for r in ended], resolution)


def avalanches(records: dict[str, list[Record]], sizes: dict[str, Sizes]) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for label, one in sizes.items():
        data = [r.data for r in records[label]]
        tail = one.tail()
        rows[label] = {
            "loadings": len(data),
            "stalled": sum(d["status"] != "loaded" for d in data),
            "avalanches": sum(d["avalanches"] for d in data),
            "unstable": sum(d["unstable"] for d in data),
            "resolved": one.count,
            "resolution": float(f"{one.resolution:.2g}"),
            "cutoff": float(f"{one.cutoff():.3g}"),
            "largest": float(f"{max(d['largest_drop'] for d in data):.3g}"),
            "lost per work": float(
                f"{sum(d['lost'] for d in data) / sum(d['work'] for d in data):.2g}"
            ),
            "unaccounted per work": float(
                f"{sum(abs(d['unaccounted']) for d in data) / sum(d['work'] for d in data):.1g}"
            ),
            "changes in avalanches": sum(d["avalanche_changes"] for d in data),
            "changes elsewhere": sum(d["elastic_changes"] for d in data),
            "tau": shown(tail, -1.0),
        }
    fit = cutoff_exponent(list(sizes.values()))
    rows["cutoff ~ N^a"] = [round(fit.value, 2), round(fit.error, 2)]
    return rows


def main(leaving_store: Path, loading: Path) -> None:
    """Fit and draw what there is a store of; the rest of the numbers stays as it was."""
    document: dict[str, Any] = (
        json.loads(NUMBERS.read_text(encoding="utf-8")) if NUMBERS.exists() else {}
    )
    if leaving_store.exists():
        document |= leaving_document(leaving_store)
    if loading.exists():
        loaded = by_size(read(loading, "avalanche"), LOADINGS, loading_runs())
        sizes = {
            name: {label: sizes_of(rs) for label, rs in by.items()} for name, by in loaded.items()
        }
        rows = {name: avalanches(loaded[name], by) for name, by in sizes.items()}
        document |= {"avalanches": rows}
        save(avalanche_figure(sizes), DOCS / "avalanches")
    text = json.dumps(document).replace("NaN", "null")  # no number: the reason stands beside it
    NUMBERS.write_text(json.dumps(json.loads(text), indent=1) + "\n", encoding="utf-8")


def leaving_document(store: Path) -> dict[str, Any]:
    """Return the fits of the departure from jamming, and draw them."""
    departures = by_size(read(store, "departure"), DEPARTURES, departing_runs())
    jammed = {
        name: {label: [r for r in rs if r.status == "jammed"] for label, rs in sizes.items()}
        for name, sizes in departures.items()
    }
    ways = {
        name: {label: [departure(r) for r in rs] for label, rs in sizes.items()}
        for name, sizes in jammed.items()
    }
    points = {
        name: {
            label: [
                JammingSample(r.data["n_constraints"], r.arrays["forces"], r.arrays["margins"])
                for r in rs
            ]
            for label, rs in sizes.items()
        }
        for name, sizes in jammed.items()
    }
    everything = {name: [p for ps in by.values() for p in ps] for name, by in points.items()}
    best = {
        name: max(by.values(), key=lambda ps: sum(p.n_contacts for p in ps))
        for name, by in points.items()
    }
    save(departure_figure(ways), DOCS / "departure")
    save(exponents_figure(best), DOCS / "exponents")
    return {
        "jammed": {
            name: {label: [len(jammed[name][label]), len(rs)] for label, rs in by.items()}
            for name, by in departures.items()
        },
        "departure": {name: leaving(by) for name, by in ways.items()},
        "exponents": {name: at_jamming(ps) for name, ps in best.items()},
        f"at {CONTACTS} contacts": at_equal_contacts(everything),
    }


if __name__ == "__main__":
    stores = [Path(name) for name in sys.argv[1:3]]
    main(*(stores or (HERE / "departure.sqlite", HERE / "avalanches.sqlite")))

"""Landscapes of classifiers of LJAT3 outcomes, over hidden units and weight decay.

    OMP_NUM_THREADS=1 python benchmarks/landscape_networks.py       # a few minutes

Each landscape gets as many random minimisations and climbs as any other, and one minimisation
from every minimum with one unit fewer, widened by a silent unit. The result is stored beside this
file; `landscape_figures.py` draws it.
"""

import json
import time
from dataclasses import asdict
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np

from bridge.landscape.case import Case
from bridge.landscape.completeness import chao
from bridge.landscape.graph import Graph
from bridge.landscape.network_measures import measures
from bridge.landscape.stationary_points import StationaryPoint, model
from bridge.landscape.thermodynamics import superposition
from bridge.runs import exploration as landscape_run
from bridge.systems.classifier import ClassifierLandscape

Json = dict[str, Any]

STORED = Path(__file__).with_name("landscape_networks.json")
HIDDEN, L2 = range(3, 11), (1e-2, 1e-3, 1e-4)
PATTERNS, QUENCHES, CLIMBS = 300, 80, 60
TEMPERATURES = np.geomspace(1e-5, 1e-1, 121)


def case_of(hidden: int, l2: float) -> Case:
    """Return the network; the data are the same for all."""
    return ClassifierLandscape(hidden=hidden, l2=l2, patterns=PATTERNS).case(
        np.random.default_rng(0)
    )


def explored(case: Case, seeds: list[np.ndarray]) -> Graph:
    """Minimise from random states and from ``seeds``, then climb."""
    explorer = landscape_run.explorer_of(case, 0)
    graph = Graph(explorer.identity)
    for finding in explorer.quenches(range(QUENCHES)):
        graph.absorb(finding)
    off = np.random.default_rng(1)
    for number, x in enumerate(seeds, start=QUENCHES):
        graph.absorb(explorer.quench_from("quench", number, x + 0.01 * off.normal(size=x.size)))
    for finding in explorer.climbs(graph, range(CLIMBS)):
        graph.absorb(finding)
    return graph


def embedded(case: Case, minima: list[StationaryPoint]) -> tuple[list[np.ndarray], Json]:
    """Widen every minimum by a silent unit; return the states and what they are."""
    states, residuals, negative, rises = [], [], [], []
    for point in minima:
        wider, x = case.problem.widened(point.x)
        here = model(wider, x)
        states.append(x)
        residuals.append(here.residual)
        negative.append(int((here.values < -here.floor).sum()))
        rises.append(abs(here.energy - point.energy))
    return states, {
        "minima": len(states),
        "largest_gradient": max(residuals),
        "largest_change_of_energy": max(rises),
        "still_minima": negative.count(0),
        "most_negative_modes": max(negative),
    }


def summary(case: Case, graph: Graph, seconds: float) -> Json:
    """Return what is stored of one landscape."""
    random = [s for s in graph.searches if s.stage == "quench" and s.number < QUENCHES]
    minima = graph.minima.points
    found = superposition(minima, TEMPERATURES)
    return {
        "n_minima": len(minima),
        "n_minima_random": len({i for s in random for i in s.minima}),
        "n_saddles": len(graph.saddles),
        "estimated_minima": chao(graph.minima.hits),
        "minima": [{"energy": p.energy, "order": p.order, **case.observe(p.x)} for p in minima],
        "saddles": [
            {"energy": p.energy, "minima": list(ends)}
            for p, ends in zip(graph.saddles, graph.ends, strict=True)
        ],
        "n_modes": minima[0].n_modes,
        "heat_capacity": found.heat_capacity.round(6).tolist(),
        "network": asdict(measures(graph)),
        "seconds": seconds,
    }


def study() -> None:
    """Explore every landscape, and store each as it is done."""
    stored: Json = {"temperature": TEMPERATURES.tolist(), "landscapes": {}}
    for l2 in L2:
        seeds: list[np.ndarray] = []
        for hidden in HIDDEN:
            name = f"H={hidden} l2={l2:g}"
            begin, case = time.process_time(), case_of(hidden, l2)
            graph = explored(case, seeds)
            seeds, embedding = embedded(case, graph.minima.points)
            spent = time.process_time() - begin
            stored["landscapes"][name] = {
                "hidden": hidden, "l2": l2, "embedded": embedding, **summary(case, graph, spent)
            }  # fmt: skip
            STORED.write_text(json.dumps(stored) + "\n", encoding="utf-8")
            print(f"{name}: {line(stored['landscapes'][name])}", flush=True)


def line(found: Json) -> str:
    """Return one landscape in one line."""
    auc = [point["test_auc"] for point in found["minima"]]
    best = min(found["minima"], key=lambda point: point["energy"])
    gradient = found["embedded"]["largest_gradient"]
    return (
        f"{found['n_minima_random']} minima of {QUENCHES} random starts, "
        f"{found['n_minima']} in all, {found['n_saddles']} saddles, "
        f"lowest {best['energy']:.5f}, its AUC {best['test_auc']:.3f}, "
        f"all {min(auc):.3f}-{max(auc):.3f}; embedded |g| < {gradient:.0e}; "
        f"{found['seconds']:.0f} s"
    )


def check() -> None:
    """Say whether more units or less decay ever gave fewer minima, and more units more energy."""
    cells = {
        (c["hidden"], c["l2"]): c
        for c in json.loads(STORED.read_text(encoding="utf-8"))["landscapes"].values()
    }
    units = [((h, l2), (k, l2)) for l2 in L2 for h, k in pairwise(HIDDEN)]
    decay = [((h, a), (h, b)) for h, (a, b) in product(HIDDEN, pairwise(L2))]
    for name, pairs in (("more units", units), ("less decay", decay)):
        fewer = [b for a, b in pairs if cells[b]["n_minima_random"] < cells[a]["n_minima_random"]]
        print(f"{name}: fewer minima in {len(fewer)} of {len(pairs)} steps, {fewer}")
    lowest = {key: min(point["energy"] for point in cell["minima"]) for key, cell in cells.items()}
    worse = [b for a, b in units if lowest[b] > lowest[a] + 1e-9]
    print(f"more units: a higher lowest minimum in {len(worse)} of {len(units)} steps, {worse}")


if __name__ == "__main__":
    study()
    check()

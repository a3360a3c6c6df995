"""A stored landscape as the page draws it: its merge tree, and what is known of each minimum."""

from typing import Any

import numpy as np

from bridge.figures.landscape import MOST_DRAWN
from bridge.landscape.disconnectivity import escapes, lowest_part
from bridge.landscape.trees import MergeTree, strokes
from bridge.protocols import Indices
from bridge.records.seeds import generator
from bridge.report.compact import packed, rounded
from bridge.report.landscape_folder import Stored
from bridge.systems import landscapes

_DIGITS = 9
_PICTURES = 60_000  # numbers in the pictures of all minima, 80 kB of a page
_TITLES = {
    "lj": "a Lennard-Jones cluster",
    "muller-brown": "the surface of Müller and Brown",
    "packing": "a packing",
    "perceptron": "a perceptron",
    "network": "a network",
    "ljat3": "a Lennard-Jones cluster with forces between three",
    "pspin": "a spin glass",
}


def landscape(stored: Stored) -> dict[str, Any]:
    """Return the tree as strokes, and the observables of its minima as columns.

    A stroke is ``[x, energy, number of the stroke above or -1, minimum or -1]``. Of more than 2000
    minima the page holds the lowest.
    """
    graph = stored.graph
    tree = graph.tree()
    kept, shown = np.arange(tree.n_minima), tree
    if tree.n_minima > MOST_DRAWN:
        kept, shown = lowest_part(tree, MOST_DRAWN)
    return {
        "name": _title(str(stored.about.get("system", "landscape"))),
        "parameters": _parameters(stored),
        "n_minima": tree.n_minima,
        "n_saddles": len(graph.saddles),
        "connected": graph.connected,
        "strokes": [
            [round(s.x, 3), rounded(s.energy, _DIGITS), s.above, s.minimum] for s in strokes(shown)
        ],
        "observables": _observables(stored, tree, kept),
        "pictures": _pictures(stored, kept),
    }


def _pictures(stored: Stored, kept: Indices) -> dict[str, Any] | None:
    """Return what the lowest minima look like, as far as there is room, in 8 bits a number.

    ``of`` has the place of each minimum among those with a picture, or -1; ``unit`` is a step.
    """
    about = stored.about
    kind: Any = landscapes().get(str(about.get("system")))
    if not hasattr(kind, "pictured"):
        return None
    try:
        pictured = kind(**about["parameters"]).pictured(generator((about["seed"],)))
    except ModuleNotFoundError:  # a network where torch is not installed
        return None
    points = [stored.graph.minima[i] for i in kept.tolist()]
    first = np.asarray(pictured.numbers(points[0].x))
    lowest = np.argsort([point.energy for point in points], kind="stable")
    lowest = lowest[: max(1, _PICTURES // first.size)]
    numbers = np.array([pictured.numbers(points[i].x) for i in lowest])
    unit = float(np.abs(numbers).max()) / 127.0 or 1.0
    of = np.full(len(points), -1)
    of[lowest] = np.arange(len(lowest))
    return {
        "kind": pictured.kind,
        "size": first.size,
        "of": of.tolist(),
        "unit": unit,
        "numbers": packed(np.rint(numbers / unit), "i1"),
        "labels": None if pictured.labels is None else packed(pictured.labels, "i1"),
    }


def _title(system: str) -> str:
    return _TITLES.get(system, system)


def _parameters(stored: Stored) -> dict[str, Any]:
    given = stored.about.get("parameters") or {}
    return {name: value for name, value in given.items() if value is not None}


def _observables(stored: Stored, tree: MergeTree, kept: Indices) -> dict[str, list[float | None]]:
    """Return a column for each observable; a value that a minimum does not have is None."""
    numbers = kept.tolist()
    points = [stored.graph.minima[i] for i in numbers]
    _, heights = escapes(tree)
    found: dict[str, list[float | None]] = {
        "energy": [rounded(point.energy, _DIGITS) for point in points],
        "barrier to a lower minimum": [rounded(h) for h in (heights[kept] - tree.energy[kept])],
        "order": [point.order for point in points],
        "Σ ln |λ|": [rounded(point.log_det) for point in points],
        "lowest λ": [rounded(point.lowest, 4) for point in points],
        "times met": [stored.graph.minima.hits[i] for i in numbers],
    }
    names = dict.fromkeys(name for seen in stored.observables for name in seen)
    for name in names:
        values = [stored.observables[i].get(name) for i in numbers]
        found[name.replace("_", " ")] = [rounded(value) for value in values]
    return found

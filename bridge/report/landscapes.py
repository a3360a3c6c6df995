"""A stored landscape as the page draws it: its merge tree, and what is known of each minimum."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bridge.landscape.disconnectivity import Branch, of_graph
from bridge.landscape_figures import Stroke, strokes
from bridge.landscape_show import Stored
from bridge.report.compact import rounded

_DIGITS = 9


def landscape(stored: Stored) -> dict[str, Any]:
    """Return the tree as strokes, and the observables of the minima as columns.

    A stroke is ``[x, energy, number of the stroke above or -1, minimum or -1]``.
    """
    graph = stored.graph
    roots = of_graph(graph)
    placed = strokes(roots)
    above = {
        (stroke.x, stroke.branch.energy): k
        for k, stroke in enumerate(placed)
        if stroke.branch.children
    }
    return {
        "name": str(stored.about.get("system", "landscape")),
        "parameters": _parameters(stored),
        "n_saddles": len(graph.saddles),
        "connected": graph.connected,
        "strokes": [_stroke(stroke, above) for stroke in placed],
        "observables": _observables(stored, roots),
    }


def _parameters(stored: Stored) -> dict[str, Any]:
    given = stored.about.get("parameters") or {}
    return {name: value for name, value in given.items() if value is not None}


def _stroke(stroke: Stroke, above: dict[tuple[float, float], int]) -> list[Any]:
    branch = stroke.branch
    leaf = -1 if branch.children else branch.minima[0]
    top = -1 if stroke.top is None else above[stroke.top]
    return [round(stroke.x, 3), rounded(branch.energy, _DIGITS), top, leaf]


def _observables(stored: Stored, roots: Sequence[Branch]) -> dict[str, list[float | None]]:
    """Return a column for each observable; a value that a minimum does not have is None."""
    minima = stored.graph.minima
    found: dict[str, list[float | None]] = {
        "energy": [rounded(point.energy, _DIGITS) for point in minima],
        "barrier to a lower minimum": escapes(roots, len(minima)),
        "order": [point.order for point in minima],
        "Σ ln |λ|": [rounded(point.log_det) for point in minima],
        "lowest λ": [rounded(point.lowest, 4) for point in minima],
        "times met": list(stored.graph.minima.hits),
    }
    names = dict.fromkeys(name for seen in stored.observables for name in seen)
    for name in names:
        values = [seen.get(name) for seen in stored.observables]
        found[name.replace("_", " ")] = [rounded(value) for value in values]
    return found


def escapes(roots: Sequence[Branch], count: int) -> list[float | None]:
    """Return how high each minimum has to climb to reach a lower one; None if none is in reach."""
    found = np.full(count, np.nan)
    stack = list(roots)
    while stack:
        branch = stack.pop()
        lowest = branch.minima[0]
        for child in branch.children:
            if child.minima[0] != lowest:
                found[child.minima[0]] = branch.energy - _depth(child)
        stack.extend(branch.children)
    return [rounded(float(value)) for value in found]


def _depth(branch: Branch) -> float:
    """Return the energy of the lowest minimum below a branch."""
    while branch.children:
        branch = next(child for child in branch.children if child.minima[0] == branch.minima[0])
    return branch.energy

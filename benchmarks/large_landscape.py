"""A made-up landscape of many minima: what it costs to read, to show and to put on a page.

    python benchmarks/large_landscape.py [MINIMA]

100 000 minima and twice as many saddles if not said otherwise, on a random tree with shortcuts. The
store takes minutes to write; it and what is made of it are gone at the end. Seconds are those of
the processor.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bridge.landscape.graph import Finding, Graph
from bridge.landscape.stationary_points import StationaryPoint
from bridge.landscape.store import LandscapeStore
from bridge.report import write_report
from bridge.report.landscape_folder import StoredIdentity, read_landscape, show

MINIMA = 100_000


def write(path: Path, count: int, rng: np.random.Generator) -> None:
    """Write a store of ``count`` minima and ``2 count`` saddles, each found by a search."""
    wells = [_point(0, energy, rng) for energy in -rng.gamma(4.0, size=count)]
    lower = (rng.random(count) * np.arange(count)).astype(int)
    pairs = [(k, int(lower[k])) for k in range(1, count)]
    pairs += [(int(a), int(b)) for a, b in rng.integers(count, size=(count + 1, 2))]
    graph = Graph(StoredIdentity(0.0))
    with LandscapeStore(path) as store:
        store.claim(system="made up", parameters={"minima": count}, seed=0)
        store.describe(log_group_order=0.0)
        for number, (a, b) in enumerate(pairs):
            height = max(wells[a].energy, wells[b].energy) + rng.exponential()
            ends = wells[a], wells[b]
            saddle = _point(1, height, rng)
            store.keep(graph, Finding("climb", number, b, "found", saddle, ends))


def _point(index: int, energy: float, rng: np.random.Generator) -> StationaryPoint:
    lowest = float(rng.uniform(0.5, 2.0)) * (1 - 2 * index)
    return StationaryPoint(
        rng.normal(size=6), float(energy), index, float(rng.normal()), 6, lowest, 0.0
    )


def timed(name: str, function: Callable[..., Any], *arguments: object) -> Any:
    started = time.process_time()
    found = function(*arguments)
    print(f"{name:10s} {time.process_time() - started:8.1f} s", flush=True)
    return found


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "made_up.sqlite"
        timed("write", write, path, count, np.random.default_rng(0))
        stored = timed("read", read_landscape, path)
        timed("tree", stored.graph.tree)
        timed("show", show, path, folder / "shown")
        size = timed("report", write_report, [path], folder / "page.html")
        print(f"the page has {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MINIMA)

"""Errors and outputs on unseen digits from below N* to a hundred times beyond, one and two layers.

    python benchmarks/generalisation.py MNIST_FOLDER [--seconds 1200] [--numbers FILE.json]

Parity of MNIST's digits, ten components, `TAUGHT` of which are taught; `mnist_idx` makes the files.
Networks of each shape are trained in groups of `EACH`: means and spreads of the groups have errors.
What a group came to is written at once, and the same command goes on where it was; one process of
one thread. `generalisation_figure` fits the powers and draws them.
"""

import argparse
import json
import os
import time
from itertools import product
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")})

import numpy as np

from bridge.records.writing import write_text
from networks import Mlp, Patterns, generalise
from networks.data.patterns import mnist

HOME = Path(__file__).with_suffix(".json")
COMPONENTS, TAUGHT, VALIDATION, STEPS = 10, 500, 1500, 10_000
WIDTHS = {  # by depth
    1: (2, 3, 4, 5, 6, 8, 11, 16, 24, 34, 68, 136, 272, 544, 1088),
    2: (3, 4, 5, 6, 7, 8, 10, 12, 17, 24, 34, 48, 68, 96, 136),
}
GROUPS, EACH = 3, 6


def cases() -> list[tuple[int, int, int]]:
    """Return group, depth and width of all: a whole curve of each before the next group."""
    return [
        (group, depth, width)
        for group, depth in product(range(GROUPS), WIDTHS)
        for width in WIDTHS[depth]
    ]


def parts(folder: Path) -> list[Patterns]:
    """Return the digits that are taught, validated and tested."""
    every = mnist(folder, COMPONENTS)
    order = np.random.default_rng(0).permutation(len(every))
    ends = np.split(order, [TAUGHT, TAUGHT + VALIDATION])
    return [Patterns(every.x[chosen], every.y[chosen]) for chosen in ends]


def measured(data: list[Patterns], group: int, depth: int, width: int) -> dict[str, Any]:
    """Train one group, and return its means and its spread."""
    mlp = Mlp(COMPONENTS, width, depth)
    seeds = np.random.SeedSequence((depth, width, group)).spawn(EACH)
    started = time.process_time()
    taught, validation, test = data
    rngs = [np.random.default_rng(seed) for seed in seeds]
    found = generalise(mlp, taught, validation, test, rngs, steps=STEPS)
    alive = len(found.errors)
    numbers = {
        "error": found.errors.mean() if alive else None,
        "stopped": found.stopped.mean() if alive else None,
        "norm": found.norms.mean() if alive else None,
        "averaged": found.averaged if alive > 1 else None,
        "spread": found.spread * (alive / (alive - 1)) ** 0.5 if alive > 1 else None,
    }
    return {
        "depth": depth,
        "width": width,
        "group": group,
        "n_weights": mlp.n_weights,
        "alive": alive,
        "fitted": found.fitted,
        **{k: None if v is None else float(f"{v:.5g}") for k, v in numbers.items()},
        "seconds": round(time.process_time() - started, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="MNIST's IDX files")
    parser.add_argument("--seconds", type=float, default=1e9, help="after which to start no more")
    parser.add_argument("--numbers", type=Path, default=HOME)
    options = parser.parse_args()
    deadline = time.perf_counter() + options.seconds
    path = options.numbers
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    known = {(row["group"], row["depth"], row["width"]) for row in rows}
    data = parts(options.folder)
    for case in cases():
        if case in known or time.perf_counter() > deadline:
            continue
        rows.append(measured(data, *case))
        lines = ",\n".join(json.dumps(row) for row in rows)
        write_text(path, f"[\n{lines}\n]\n")
        print(lines.rsplit("\n", 1)[-1], flush=True)


if __name__ == "__main__":
    main()

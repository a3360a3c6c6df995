"""Excess contacts and shear modulus against the distance to jamming, in two and three dimensions.

    python benchmarks/stiffness.py           # stiffness.json, eleven minutes of one core, goes on
    python benchmarks/stiffness_figure.py    # the table of docs/packings.md, docs/stiffness.png

Each packing is decompressed from p = 1e-2 to 1e-5, measured on the way, and then brought to its
exact jamming point, whose contacts and packing fraction are the zeros of its distances.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "NUMBA", "OPENBLAS")})

import numpy as np

from bridge.jamming import exact_jamming
from particles import (
    Decompressed,
    Discs,
    Ellipses,
    Ellipsoids,
    Minimum,
    Packing,
    decompress,
    minimise,
    moduli,
)

HERE = Path(__file__).parent
PRESSURES = 10.0 ** -np.arange(2.0, 5.01, 0.25)
# Bodies of two sizes, comfortably above jamming, and how many packings.
PLAN: dict[str, tuple[Packing, int]] = {
    "512 discs": (Discs.bidisperse(512, 0.86), 16),
    "2048 discs": (Discs.bidisperse(2048, 0.86), 8),
    "aspect 1.02": (Ellipses.bidisperse(512, 0.93, aspect=1.02), 8),
    "aspect 1.1": (Ellipses.bidisperse(512, 0.93, aspect=1.1), 8),
    "aspect 1.5": (Ellipses.bidisperse(512, 0.93, aspect=1.5), 24),
    "spheres": (Discs.bidisperse(512, 0.68, dim=3), 8),
    "spheroids 1.25": (Ellipsoids.bidisperse(256, 0.75, axes=1.25), 8),
}


def balance(problem: Packing, x: np.ndarray) -> Minimum:
    """Descend until forces balance to 1e-9 of their mean."""
    return minimise(problem, x, relative=1e-9)


def measure(end: Decompressed) -> dict[str, Any]:
    """Return what one state is like; ``surplus`` are contacts less variables, without rattlers."""
    problem, x = end.problem, end.x
    loose = problem.rattlers(x)
    found = moduli(problem, x)
    return {
        "status": end.status,
        "pressure": end.pressure,
        "phi": end.phi,
        "bodies": int((~loose).sum()),
        "surplus": int((problem.gaps(x) > 0).sum()) - int(problem.variables[~loose].sum()),
        "bulk": found.bulk,
        "shear": found.shear,
        "floor": float(found.floors.mean()),
    }


def way(start: Packing, seed: int) -> dict[str, Any]:
    """Return one packing at all pressures, and its jamming point."""
    began = time.process_time()
    x = start.random_state(np.random.default_rng(seed))
    end = decompress(start, x, PRESSURES[0])
    stages = []
    for pressure in PRESSURES:
        end = decompress(end.problem, end.x, pressure, relative=1e-7)
        stages.append(measure(end))
    point = exact_jamming(end.problem, end.x, minimise=balance)
    held = point.held.reshape(start.n_bodies, -1)
    return {
        "seed": seed,
        "status": point.status,
        "phi": point.problem.phi,
        "bodies": int(held.any(axis=1).sum()),
        "surplus": len(point.rows) - int(held.sum()),
        "stages": {key: [stage[key] for stage in stages] for key in stages[0]},
        "seconds": round(time.process_time() - began, 1),
    }


def main(path: Path) -> None:
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for seed in range(max(count for _, count in PLAN.values())):
        for name, (start, count) in PLAN.items():
            found = kept.setdefault(name, [])
            if seed >= count or any(one["seed"] == seed for one in found):
                continue
            found.append(way(start, seed))
            path.write_text(json.dumps(kept) + "\n", encoding="utf-8")
            print(name, seed, found[-1]["status"], found[-1]["seconds"], flush=True)


if __name__ == "__main__":
    main(HERE / "stiffness.json")

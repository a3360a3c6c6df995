"""Exact jamming points of all systems, and the way into their jammed phase.

    python benchmarks/transition.py

About five minutes of one core. ``transition.npz`` keeps the points and the way, ``transition.json``
the fits, and ``../docs/transition.png`` and ``../docs/exponents.png`` show them.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "NUMBA", "OPENBLAS")})

import numpy as np

from bridge.exact import exact_jamming
from bridge.loading_run import near_transition
from bridge.systems import DiscSystem, EllipseSystem, NetworkSystem, PerceptronSystem, System
from bridge.transition import depart

HERE = Path(__file__).parent
DISTANCES = np.geomspace(1e-6, 0.03, 28)


def tanh(width: int) -> NetworkSystem:
    return NetworkSystem(depth=1, width=width, load=1.5, activation="tanh")


PLAN: dict[str, list[tuple[int, System, int]]] = {
    "discs": [(n, DiscSystem(n=n), k) for n, k in ((64, 40), (106, 60), (256, 24), (1024, 6))],
    "ellipses": [(n, EllipseSystem(n=n), k) for n, k in ((32, 24), (64, 16), (128, 8))],
    "perceptron": [(n, PerceptronSystem(n=n), k) for n, k in ((50, 60), (200, 40), (400, 12))],
    "network": [(w, tanh(w), k) for w, k in ((4, 30), (6, 20), (8, 10))],
}


def measure(system: System, seed: int) -> dict[str, Any] | None:
    """Return one sample: its exact point, and what it is at each distance from it."""
    start = near_transition(system, np.random.default_rng((seed, 7)))
    if start.status != "jammed":
        return None
    point = exact_jamming(start.problem, start.x, minimise=system.follow)
    if point.status != "jammed":
        return None
    way = depart(point, DISTANCES, system.follow)
    return {
        "n": way.n,
        "n_jamming": way.n_jamming,
        "energy": way.energy,
        "pressure": way.pressure,
        "n_constraints": way.n_constraints,
        "forces": np.sort(point.relative_forces),
        "margins": np.sort(point.margins())[: 20 * point.problem.n_dof],
    }


def main(out: Path) -> None:
    kept: dict[str, Any] = {}
    for name, sizes in PLAN.items():
        for size, system, samples in sizes:
            started, found = time.process_time(), 0
            for seed in range(samples):
                if (one := measure(system, seed)) is not None:
                    found += 1
                    kept |= {f"{name}/{size}/{seed}/{key}": value for key, value in one.items()}
            spent = time.process_time() - started
            print(f"{name} {size}: {found} of {samples} jammed, {spent:.1f} s", flush=True)
            np.savez_compressed(out, **kept)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "transition.npz")

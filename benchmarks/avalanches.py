"""Avalanches of discs, perceptrons and networks of several sizes: records.

    python benchmarks/avalanches.py [STORE.sqlite]

About six minutes of one core. Records are kept in the store as they end, and a second call goes on
from there; `critical.py` fits and draws them.
"""

import os
import sys
from pathlib import Path

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "NUMBA", "OPENBLAS")})

from bridge.records.store import Store
from bridge.runs.kinds.avalanche import AvalancheRun
from bridge.runs.task import run_all
from bridge.systems import DiscSystem, NetworkSystem, PerceptronSystem, System

HERE = Path(__file__).parent


def tanh(width: int) -> NetworkSystem:
    return NetworkSystem(depth=1, width=width, load=1.5, activation="tanh")


# Name of a size, system and number of samples; small ones have few avalanches each.
PLAN: dict[str, list[tuple[str, System, int]]] = {
    "discs": [(f"{n} discs", DiscSystem(n=n), k) for n, k in ((64, 60), (128, 30), (256, 24))],
    "perceptron": [
        (f"N = {n}", PerceptronSystem(n=n), k) for n, k in ((25, 80), (50, 30), (100, 12))
    ],
    "network": [(f"width {w}", tanh(w), k) for w, k in ((3, 8), (4, 6), (6, 4))],
}


def runs() -> list[AvalancheRun]:
    return [
        AvalancheRun(system, (0, k))
        for name, sizes in PLAN.items()
        for _, system, samples in sizes
        for k in range(samples)
    ]


def say(done: int, total: int) -> None:
    if done % 20 == 0:
        print(f"{done} of {total}", flush=True)


def main(store: Path) -> None:
    with Store(store) as records:
        run_all(runs(), records, progress=say, mapper=map)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "avalanches.sqlite")

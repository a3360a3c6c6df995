"""Avalanches of discs, perceptrons and networks of several sizes: records, JSON and figure.

    python benchmarks/avalanches.py [STORE.sqlite]

About six minutes of one core. Records are kept in the store as they end, and a second call goes on
from there; ``avalanches.json`` holds what the figure shows, ``../docs/avalanches.png`` is the
figure.
"""

import os
import sys
from pathlib import Path

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "NUMBA", "OPENBLAS")})

from bridge.loading_run import RANGES, LoadingRun, compute
from bridge.runs import run_all
from bridge.store import Store
from bridge.systems import DiscSystem, NetworkSystem, PerceptronSystem

HERE = Path(__file__).parent


def tanh(width: int) -> NetworkSystem:
    return NetworkSystem(depth=1, width=width, load=1.5, activation="tanh")


# System and number of samples, by size; the small ones have few avalanches each.
PLAN = {
    "discs": [(DiscSystem(n=64), 60), (DiscSystem(n=128), 30), (DiscSystem(n=256), 8)],
    "perceptron": [(PerceptronSystem(n=n), k) for n, k in ((25, 80), (50, 50), (100, 20))],
    "network": [(tanh(3), 16), (tanh(4), 12), (tanh(6), 6)],
}


def runs() -> list[LoadingRun]:
    return [
        LoadingRun(system, (0, k), RANGES[name], 100)
        for name, sizes in PLAN.items()
        for system, samples in sizes
        for k in range(samples)
    ]


def say(done: int, total: int) -> None:
    if done % 20 == 0:
        print(f"{done} of {total}", flush=True)


def main(store: Path) -> None:
    with Store(store) as records:
        run_all(runs(), records, progress=say, work=compute, mapper=map)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "avalanches.sqlite")

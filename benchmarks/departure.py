"""Exact jamming points of all systems, and the way into their jammed phase: records.

    python benchmarks/departure.py [STORE.sqlite]

About five minutes of one core. Records are kept in the store as they end, and a second call goes on
from there; `critical.py` fits and draws them.
"""

import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "NUMBA", "OPENBLAS")})

import numpy as np

from bridge.jamming import exact_jamming
from bridge.jamming.departure import depart
from bridge.records.provenance import provenance
from bridge.records.store import Record, Store, record_key
from bridge.runs.kinds.avalanche import loading_start
from bridge.runs.task import run_all
from bridge.systems import DiscSystem, EllipseSystem, NetworkSystem, PerceptronSystem, System

HERE = Path(__file__).parent
DISTANCES = np.geomspace(1e-6, 0.03, 28)


def tanh(width: int) -> NetworkSystem:
    return NetworkSystem(depth=1, width=width, load=1.5, activation="tanh")


# Name of a size, system and number of samples.
PLAN: dict[str, list[tuple[str, System, int]]] = {
    "discs": [
        (f"{n} discs", DiscSystem(n=n), k) for n, k in ((64, 40), (106, 60), (256, 24), (1024, 4))
    ],
    "perceptron": [
        (f"N = {n}", PerceptronSystem(n=n), k) for n, k in ((50, 40), (100, 40), (200, 24))
    ],
    "ellipses": [
        (f"{n} ellipses", EllipseSystem(n=n), k) for n, k in ((32, 10), (64, 6), (128, 3))
    ],
    "network": [(f"width {w}", tanh(w), k) for w, k in ((4, 12), (6, 6), (8, 4))],
}


@dataclass(frozen=True)
class Departing:
    """One sample: its exact point, and what it is at each distance from it."""

    system: System
    seed: tuple[int, ...]
    label = "departure"

    @property
    def parameters(self) -> dict[str, Any]:
        return {"system": self.system.kind, **asdict(self.system), "distances": DISTANCES.tolist()}

    @property
    def key(self) -> str:
        return record_key("departure", self.parameters, self.seed)

    def compute(self) -> Record:
        return compute(self)


def compute(run: Departing) -> Record:
    started = time.process_time()
    start = loading_start(run.system, np.random.default_rng(run.seed))
    point = exact_jamming(start.problem, start.x, minimise=run.system.follow)
    data: dict[str, Any] = {"reason": point.reason, "size": point.problem.n_dof}
    arrays = {}
    if point.status == "jammed":
        way = depart(point, DISTANCES, run.system.follow)
        data |= asdict(point.certificate)
        arrays = {
            "distance": way.distance,
            "energy": way.energy,
            "pressure": way.pressure,
            "n_constraints": way.n_constraints,
            "n": way.n,
            "forces": np.sort(point.relative_forces),
            "margins": np.sort(point.margins()),
        }
    spent = time.process_time() - started
    return Record(
        "departure", run.parameters, run.seed, point.status, spent, data, provenance(), arrays
    )


def runs() -> list[Departing]:
    plans = [size for sizes in PLAN.values() for size in sizes]
    return [Departing(system, (k, 7)) for _, system, count in plans for k in range(count)]


def say(done: int, total: int) -> None:
    if done % 20 == 0:
        print(f"{done} of {total}", flush=True)


def main(store: Path) -> None:
    with Store(store) as records:
        run_all(runs(), records, progress=say, mapper=map)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "departure.sqlite")

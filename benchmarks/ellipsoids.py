"""Packing fraction and contacts of ellipsoids at jamming, beside Donev et al. (2004): a table.

    python benchmarks/ellipsoids.py          # ellipsoids.json, minutes of one core, goes on
    python benchmarks/ellipsoids.py table    # the table of ELLIPSOIDS.md
    python benchmarks/ellipsoids.py cycles   # one packing, compressed again and again: two minutes

Bodies of one size, from random centres and orientations at φ = 0.78 down to p = 1e-6.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "NUMBA", "OPENBLAS")})

import numpy as np

from particles import Ellipsoids, decompress, minimise
from particles.packings.compression import distance_to_jamming

HERE = Path(__file__).parent
N, SEEDS, START, PRESSURE = 512, range(5), 0.78, 1e-6
SHAPES: dict[str, float | tuple[float, float, float]] = {
    "0.5": 0.5,
    "0.8": 0.8,
    "1": 1.0,
    "1.25": 1.25,
    "2": 2.0,
    "1.25 : 1 : 0.8": (1.25, 1.0, 0.8),
}


def jam(axes: float | tuple[float, float, float], seed: int) -> dict[str, float | str]:
    """Return the numbers of one packing; contacts and bodies without rattlers."""
    packing = Ellipsoids.bidisperse(N, START, axes=axes, ratio=1.0)
    began = time.process_time()
    end = decompress(packing, packing.random_state(np.random.default_rng(seed)), PRESSURE)
    seconds = time.process_time() - began
    loose = end.problem.rattlers(end.x)
    contacts = int((end.problem.gaps(end.x) > 0).sum())
    variables = int(end.problem.variables[~loose].sum())
    return {
        "seed": seed,
        "status": end.status,
        "phi": end.phi,
        "phi_j": end.phi - distance_to_jamming(end.problem, end.x),
        "rattlers": int(loose.sum()),
        "contacts": contacts,
        "z": 2.0 * contacts / (N - int(loose.sum())),
        "quartic": variables - 3 + 1 - contacts,
        "evaluations": sum(stage.steps for stage in end.stages),
        "seconds": round(seconds, 1),
    }


def cycles(count: int = 8) -> None:
    """Print φ_J and z of one packing that is compressed by 0.1 and decompressed again."""
    packing = Ellipsoids.bidisperse(N, START, axes=(1.25, 1.0, 0.8), ratio=1.0)
    x = packing.random_state(np.random.default_rng(0))
    for cycle in range(count + 1):
        end = decompress(packing, x, PRESSURE)
        loose = int(end.problem.rattlers(end.x).sum())
        z = 2.0 * int((end.problem.gaps(end.x) > 0).sum()) / (N - loose)
        phi_j = end.phi - distance_to_jamming(end.problem, end.x)
        print(f"{cycle} {end.status} phi_J = {phi_j:.4f} z = {z:.3f}", flush=True)
        high = minimise(end.problem.with_phi(end.phi + 0.1), end.x)
        packing, x = high.problem, high.x


def main(path: Path) -> None:
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for seed in SEEDS:
        for name, axes in SHAPES.items():
            found = kept.setdefault(name, [])
            if any(packing["seed"] == seed for packing in found):
                continue
            found.append(jam(axes, seed))
            path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
            print(name, found[-1], flush=True)


def table(path: Path) -> None:
    """Print means, and standard errors of the last digits, of the packings that have jammed."""
    print("| axes | packings | φ_J | z | quartic modes / N' | rattlers | evaluations | seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, found in json.loads(path.read_text(encoding="utf-8")).items():
        good = [packing for packing in found if packing["status"] == "jammed"]
        column = {
            key: np.array([p[key] for p in good], dtype=float) for key in good[0] if key != "status"
        }
        quartic = column["quartic"] / (N - column["rattlers"])
        cells = [
            name if ":" in name else f"1 : 1 : {name}",
            f"{len(good)} of {len(found)}",
            _mean(column["phi_j"], 4),
            _mean(column["z"], 2),
            _mean(quartic, 3),
            f"{column['rattlers'].mean() / N:.2%}",
            f"{column['evaluations'].mean():,.0f}",
            f"{column['seconds'].mean():.0f}",
        ]
        print("| " + " | ".join(cells) + " |")


def _mean(values: np.ndarray, digits: int) -> str:
    error = values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else np.nan
    return f"{values.mean():.{digits}f} ± {error:.{digits}f}"


if __name__ == "__main__":
    if sys.argv[1:] == ["cycles"]:
        cycles()
    else:
        (table if sys.argv[1:] == ["table"] else main)(HERE / "ellipsoids.json")

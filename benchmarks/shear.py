"""Stress against strain, and where packings yield, from boxes that nothing shears: a figure.

    python benchmarks/shear.py           # shear.json, two minutes of one core, goes on
    python benchmarks/shear.py figure    # docs/shear.png

Discs and ellipses at p = 1e-2, relaxed in a `FreeBox`, and then sheared slowly to a strain of 0.1.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "NUMBA", "OPENBLAS")})

import numpy as np

from bridge.avalanches import drive
from bridge.descent.newton import Newton
from bridge.figures.style import BLACK, BLUE, RED, new_figure, save, style
from particles import Discs, Ellipses, FreeBox, Packing, decompress, moduli, stress_tensor

HERE = Path(__file__).parent
STRAINS = np.linspace(0.0, 0.1, 51)
SEEDS = range(3)
PLAN: dict[str, Packing] = {
    "discs": Discs.bidisperse(64, 0.86),
    "ellipses, aspect 1.5": Ellipses.bidisperse(64, 0.93, aspect=1.5),
}


def sheared(start: Packing, seed: int) -> dict[str, Any]:
    """Return one loading: its stress is the work of the strain, between two strains."""
    began = time.process_time()
    end = decompress(start, start.random_state(np.random.default_rng(seed)), 1e-2)
    box = FreeBox(end.problem)
    free = Newton()(box, box.state(end.x))
    problem, x = box.inside(free.x)
    found = drive(problem, x, STRAINS, with_spectra=False)
    volume = float(problem.box.prod())
    return {
        "seed": seed,
        "status": [free.status, found.status],
        "pressure": problem.virial_pressure(x),
        "stress before": stress_tensor(end.problem, end.x)[0, 1],
        "stress at rest": stress_tensor(problem, x)[0, 1],
        "modulus": float(moduli(problem, x).shears[0]),
        "stress": (found.work[1:] / (volume * np.diff(found.loads))).tolist(),
        "yields": [[one.load, one.drop / volume] for one in found.avalanches],
        "lost": float(found.lost.sum() / found.work.sum()),
        "descents": found.descents,
        "seconds": round(time.process_time() - began, 1),
    }


def main(path: Path) -> None:
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for seed in SEEDS:
        for name, start in PLAN.items():
            found = kept.setdefault(name, [])
            if any(one["seed"] == seed for one in found):
                continue
            found.append(sheared(start, seed))
            path.write_text(json.dumps(kept) + "\n", encoding="utf-8")
            shown = {key: value for key, value in found[-1].items() if key != "stress"}
            print(name, shown, flush=True)


def draw(path: Path) -> None:
    """Draw stress over pressure against strain; ticks below are the larger yield events."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    figure = new_figure(6.0, 2.6)
    middle = 0.5 * (STRAINS[1:] + STRAINS[:-1])
    for axes, (name, colour) in zip(
        figure.subplots(1, 2, sharey=True), (("discs", BLUE), ("ellipses, aspect 1.5", RED)),
        strict=True,
    ):  # fmt: skip
        for k, one in enumerate(kept[name]):
            stress = np.array(one["stress"]) / one["pressure"]
            axes.plot(middle, stress, color=colour, alpha=1.0 - 0.25 * k)
            slope = one["modulus"] / one["pressure"]
            axes.plot([0.0, 0.012], [0.0, 0.012 * slope], color=BLACK, lw=0.7, ls="--")
            at = [load for load, drop in one["yields"] if drop > 1e-3 * one["pressure"] ** 2]
            axes.plot(at, np.full(len(at), -0.02 - 0.012 * k), "|", color=colour, ms=4.0)
        axes.set(xlabel="strain γ", title=name)
    figure.axes[0].set_ylabel("shear stress over pressure")
    save(figure, HERE.parent / "docs" / "shear.png", (".png",))


if __name__ == "__main__":
    if sys.argv[1:] == ["figure"]:
        with style():
            draw(HERE / "shear.json")
    else:
        main(HERE / "shear.json")

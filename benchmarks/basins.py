"""In whose basin minimisers end: FIRE and L-BFGS beside gradient flow, from the same starts.

    python benchmarks/basins.py           # basins.json, three minutes of one core, goes on
    python benchmarks/basins.py figure    # docs/basins.png, and the table of docs/packings.md

P. Suryadevara, M. Casiulis and S. Martiniani, arXiv 2409.12113 (2024).
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "NUMBA", "OPENBLAS")})

import numpy as np
from numpy.typing import NDArray

from bridge import lbfgs
from bridge.figures.style import BLACK, BLUE, ORANGE, RED, SKY, new_figure, save, style
from particles import Discs, gradient_flow, minimise

HERE = Path(__file__).parent
KEPT = HERE / "basins.json"
Vector = NDArray[np.float64]
PHI = 0.9
STARTS = {8: 40, 16: 40, 32: 24, 64: 16, 128: 8}
METHODS: dict[str, tuple[Callable[[Discs, Vector], Any], str, str]] = {
    "flow, errors of 1e-4": (lambda p, x: gradient_flow(p, x, accuracy=1e-4), BLACK, "o"),
    "FIRE": (lambda p, x: minimise(p, x, relative=1e-9), RED, "s"),
    "FIRE, a tenth of its step": (
        lambda p, x: minimise(p, x, relative=1e-9, dt_max=0.06),
        ORANGE,
        "D",
    ),
    "L-BFGS": (lambda p, x: settled(p, x, 0.1), BLUE, "^"),
    "L-BFGS, a tenth of its step": (lambda p, x: settled(p, x, 0.01), SKY, "v"),
}


def settled(problem: Discs, x: Vector, max_step: float) -> Any:
    """Descend by L-BFGS, and the last of the way by FIRE, as gradient flow does."""
    end = lbfgs(problem, x, tolerance=1e-7, max_step=max_step, certify=False)
    return minimise(problem, end.x, relative=1e-9)


def same(problem: Discs, a: Any, b: Any) -> bool:
    """Tell whether two ends are one minimum: up to translations, and to where rattlers lie."""
    if a.status != b.status:
        return False
    held = ~problem.rattlers(a.x)
    if (held != ~problem.rattlers(b.x)).any() or not held.any():
        return a.status == "unjammed"
    apart = problem.bodies(a.x)[held] - problem.bodies(b.x)[held]
    apart -= apart[0]
    apart -= problem.box * np.rint(apart / problem.box)
    return bool(np.abs(apart).max() < 1e-3)


def measure(n: int, seed: int) -> dict[str, Any]:
    """Return which methods end where gradient flow does, and evaluations of each."""
    problem = Discs.bidisperse(n, PHI)
    x = problem.random_state(np.random.default_rng([n, seed]))
    began = time.process_time()
    flow = gradient_flow(problem, x)
    found: dict[str, Any] = {"seed": seed, "status": flow.status, "energy": flow.energy}
    found["evaluations"] = {"flow": flow.steps}
    found["same"], found["higher"] = {}, {}
    for name, (method, _, _) in METHODS.items():
        end = method(problem, x)
        found["same"][name] = same(problem, flow, end)
        found["higher"][name] = end.energy - flow.energy
        found["evaluations"][name] = end.steps
    found["seconds"] = round(time.process_time() - began, 2)
    return found


def main() -> None:
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    for n, starts in STARTS.items():
        for seed in range(starts):
            found = kept.setdefault(str(n), [])
            if any(one["seed"] == seed for one in found):
                continue
            found.append(measure(n, seed))
            KEPT.write_text(json.dumps(kept) + "\n", encoding="utf-8")
        agree = {name: sum(one["same"][name] for one in kept[str(n)]) for name in METHODS}
        print(n, starts, agree, round(sum(one["seconds"] for one in kept[str(n)])), flush=True)


def shares(found: list[dict[str, Any]], name: str) -> tuple[float, float]:
    """Return the part that ends in the same minimum, and its error: that of (k + 1)/(n + 2)."""
    n, k = len(found), sum(one["same"][name] for one in found)
    p = (k + 1) / (n + 2)
    return k / n, (p * (1.0 - p) / n) ** 0.5


def draw() -> None:
    kept = {int(n): found for n, found in json.loads(KEPT.read_text(encoding="utf-8")).items()}
    with style():
        figure = new_figure(4.4, 3.0)
        axes = figure.subplots()
        print("| method |" + "".join(f" N = {n} |" for n in kept))
        print("| --- |" + " ---: |" * len(kept))
        for name, (_, colour, sign) in METHODS.items():
            values, errors = np.array([shares(found, name) for found in kept.values()]).T
            look: dict[str, Any] = {"color": colour, "marker": sign, "ms": 4, "lw": 0.8}
            axes.errorbar(list(kept), values, errors, label=name, mfc="none", **look)
            cells = (f"{v:.2f} ± {e:.2f}" for v, e in zip(values, errors, strict=True))
            print(f"| {name} | " + " | ".join(cells) + " |")
        axes.set(xscale="log", xlabel="discs N", ylabel="same minimum as gradient flow")
        axes.set(ylim=(0.0, 1.05), xticks=list(kept), xticklabels=[str(n) for n in kept])
        axes.minorticks_off()
        axes.legend(fontsize=7)
        save(figure, HERE.parent / "docs" / "basins.png", (".png",))
    for n, found in kept.items():
        flow = float(np.median([one["evaluations"]["flow"] for one in found]))
        fire = float(np.median([one["evaluations"]["FIRE"] for one in found]))
        print(n, "evaluations", flow, fire, {one["status"] for one in found})


if __name__ == "__main__":
    draw() if sys.argv[1:] == ["figure"] else main()

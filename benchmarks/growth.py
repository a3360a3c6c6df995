"""How the time of a packing grows with its size: random start to p = 1e-5, and to the exact point.

    python benchmarks/growth.py [run] [report] [inside]

``run`` keeps every sample in ``benchmarks/growth.json`` as it ends and goes on where it was;
``report`` fits the growth, prints the tables of ``GROWTH.md`` and draws ``docs/growth.png``.
``inside`` prints how many factorisations the exact solver takes from several pressures, a minute.
Seconds are those of one thread of the processor. A run takes some ten minutes of one core.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "NUMBA", "OPENBLAS")})

import numpy as np
from scipy.stats import linregress, t

from bridge.figures.style import BLUE, GREY, RED, new_figure, save, style
from bridge.jamming import exact_jamming
from bridge.jamming.interior import interior_point
from particles import Discs, Ellipses, Perceptron, decompress, descend

HERE = Path(__file__).parent
HOME, FIGURE = HERE / "growth.json", HERE.parent / "docs" / "growth.png"
# From there the inside is entered: at 1e-4 states lose their stability on the way.
PRESSURE = 1e-5
# System, size and number of seeds, the cheapest and those of the fit first.
PLAN = (
    ("discs", 1024, 4),
    ("discs", 2048, 4),
    ("discs", 4096, 4),
    ("discs", 10_000, 3),
    ("ellipses", 1024, 2),
    ("spheres", 1024, 3),
    ("perceptron", 800, 1),
    ("spheres", 2048, 2),
    ("ellipses", 4096, 1),
    ("spheres", 4096, 1),
)
# Pressures from which the inside is entered, and below which the exact solver does so.
INSIDE = (
    ("discs", 1024, (1e-6, 1e-5, 1e-4)),
    ("discs", 4096, (1e-6, 1e-5, 1e-4)),
    ("spheres", 1024, (1e-6, 1e-5)),
    ("ellipses", 1024, (1e-6, 1e-5)),
)
ENTERED = 2e-5
COLOURS = {"discs": BLUE, "spheres": RED}
LEAST_SIZES = 3  # sizes of which a growth is fitted
FITTED = ("approach", "exact", "whole")


def problem(name: str, n: int, rng: np.random.Generator) -> Any:
    """Return a system that is jammed from nearly every random start."""
    if name == "perceptron":
        return Perceptron.random(n, 4.0, -0.5, rng)
    if name == "ellipses":
        return Ellipses.bidisperse(n, 0.95, aspect=1.5)
    return Discs.bidisperse(n, 0.86) if name == "discs" else Discs.bidisperse(n, 0.68, dim=3)


def sample(name: str, n: int, seed: int) -> dict[str, Any]:
    """Take one random start to the pressure and from there to its exact point, and time both."""
    rng = np.random.default_rng(seed)
    start = problem(name, n, rng)
    x = start.random_state(rng)
    began = time.process_time()
    if name == "perceptron":
        low = descend(start, x)
        steps = 0
    else:
        low = decompress(start, x, PRESSURE)
        steps = sum(stage.steps for stage in low.stages)
    reached = time.process_time()
    point = exact_jamming(low)
    ended = time.process_time()
    return {
        "name": name,
        "n": n,
        "seed": seed,
        "status": point.status,
        "approach": round(reached - began, 3),
        "exact": round(ended - reached, 3),
        "whole": round(ended - began, 3),
        "evaluations": steps,
        "minima": point.stages,
        "programs": point.steps,
        "exchanges": point.exchanges,
        "phi": getattr(point.problem, "phi", None),
    }


def run() -> None:
    """Make what is missing of the plan."""
    kept = stored()
    for name in dict.fromkeys(name for name, _, _ in PLAN):
        sample(name, 64, 0)  # compile
    for name, n, seeds in PLAN:
        for seed in range(seeds):
            if not any((s["name"], s["n"], s["seed"]) == (name, n, seed) for s in kept):
                kept.append(sample(name, n, seed))
                print(json.dumps(kept[-1]), flush=True)
                whole = {"date": date.today().isoformat(), "samples": kept}
                HOME.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def stored() -> list[dict[str, Any]]:
    """Return the samples that are kept."""
    return json.loads(HOME.read_text(encoding="utf-8"))["samples"] if HOME.exists() else []


def growth(samples: list[dict[str, Any]], part: str) -> tuple[float, float]:
    """Return the exponent of ``seconds ∝ N^k`` by least squares, and its error at 68 %.

    The error is Student's, from the scatter about the line: few samples make it wide.
    """
    n, seconds = np.array([[s["n"], s[part]] for s in samples], dtype=float).T
    fit = linregress(np.log(n), np.log(seconds))
    return float(fit.slope), float(fit.stderr * t.ppf(0.84, len(n) - 2))


def fitted(samples: list[dict[str, Any]]) -> bool:
    """Tell whether there are sizes enough for a fit."""
    return len({s["n"] for s in samples}) >= LEAST_SIZES


def rows(samples: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the table: medians over seeds of each system and size."""
    yield "| system | N | seeds | to p = 1e-5, s | and exact, s | forces | exchanges | jammed |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for name, n in sorted({(s["name"], s["n"]) for s in samples}):
        these = [s for s in samples if (s["name"], s["n"]) == (name, n)]
        approach, exact, forces, exchanges = (
            float(np.median([s[key] for s in these]))
            for key in ("approach", "exact", "evaluations", "exchanges")
        )
        jammed = sum(s["status"] == "jammed" for s in these)
        yield (
            f"| {name} | {n} | {len(these)} | {approach:.3g} | +{exact:.3g} | {forces:.3g} | "
            f"{exchanges:.0f} | {jammed} |"
        )


def report() -> None:
    """Print the tables and draw the growth."""
    samples = stored()
    print("\n".join(rows(samples)), "\n")
    with style():
        figure = new_figure(4.6, 3.4)
        axes = figure.subplots()
        for name, colour in COLOURS.items():
            these = [s for s in samples if s["name"] == name]
            for part in FITTED if fitted(these) else ():
                slope, error = growth(these, part)
                print(f"{name}, {part}: N^({slope:.2f} ± {error:.2f}), {len(these)} samples")
            drawn(axes, these, colour, name)
        reach = np.array([1024.0, 10_000.0])
        axes.loglog(reach, 0.5 * (reach / 1024) ** 1.3, color=GREY, ls=":", label="$N^{1.3}$")
        axes.set_xlabel("bodies $N$")
        axes.set_ylabel("processor seconds")
        axes.legend()
        save(figure, FIGURE, suffixes=(".png",))


def drawn(axes: Any, samples: list[dict[str, Any]], colour: str, name: str) -> None:
    """Draw the whole, filled, with its fit if there is one, and of it the exact solver, open."""
    n = np.array([s["n"] for s in samples], dtype=float)
    whole = np.array([s["whole"] for s in samples])
    label = name
    if fitted(samples):
        slope, error = growth(samples, "whole")
        level = np.exp(np.mean(np.log(whole) - slope * np.log(n)))
        reach = np.array([n.min(), n.max()])
        axes.loglog(reach, level * reach**slope, color=colour, lw=1)
        label = f"{name}, $N^{{{slope:.2f} \\pm {error:.2f}}}$"
    axes.loglog(n, whole, "o", color=colour, ms=4, label=label)
    exact = [s["exact"] for s in samples]
    axes.loglog(n, exact, "s", mec=colour, mfc="white", ms=4, label="of it the exact solver")


def inside(name: str, n: int, pressures: tuple[float, ...]) -> Iterator[str]:
    """Yield rows of the table of the inside, of seed 0; no exact point where it is not entered."""
    for pressure in pressures:
        rng = np.random.default_rng(0)
        start = problem(name, n, rng)
        x = start.random_state(rng)
        began = time.process_time()
        low = decompress(start, x, pressure)
        reached = time.process_time()
        found = interior_point(low.problem, low.x)
        cells = [f"{found.steps}" if found.converged else f"({found.steps})", "", "", ""]
        if pressure < ENTERED:
            entered = time.process_time()
            point = exact_jamming(low)
            seconds = time.process_time() - entered
            cells[1:] = [f"{point.steps}", f"{seconds:.2f}", f"{point.problem.phi:.8f}"]
        row = [f"{name}, N = {n}", f"{pressure:.0e}", f"{reached - began:.2f}", *cells]
        yield f"| {' | '.join(row)} |"


def main(asked: list[str]) -> None:
    """Run, or report, or both in turn; or print the table of the inside."""
    if "inside" in asked:
        for name, n, pressures in INSIDE:
            print("\n".join(inside(name, n, pressures)), flush=True)
        return
    if unknown := set(asked) - {"run", "report"}:
        sys.exit(f"expected run, report or inside, got {', '.join(sorted(unknown))}")
    if not asked or "run" in asked:
        run()
    if not asked or "report" in asked:
        report()


if __name__ == "__main__":
    main(sys.argv[1:])

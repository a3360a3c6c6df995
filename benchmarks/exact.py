"""Exact jamming points: counts, exponents and times; run one table or all.

    python benchmarks/exact.py [perceptron | programs | convex | discs | ellipses | marginality ...]

Results go to ``benchmarks/exact.json`` and are printed; nothing here is timed by the tests.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "NUMBA", "OPENBLAS")})

import numpy as np

from bridge.jamming import ExactJamming, exact_jamming
from bridge.jamming.approach import approach
from bridge.jamming.sequential import sequential_programs
from bridge.measure.bucklers import find_bucklers
from bridge.measure.power_laws import PowerLaw, finite_size_floor, fit_power_law
from particles import Discs, Ellipses, Perceptron, decompress, descend, minimise
from particles.perceptron import theory

HOME = Path(__file__).with_suffix(".json")
ALPHA, SIGMA = 4.0, -0.5


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return the result and the processor's seconds: one thread, whatever else is running."""
    started = time.process_time()
    result = call()
    return result, time.process_time() - started


def repeated(jam: Callable[[int], ExactJamming], samples: int) -> tuple[list[Any], list[float]]:
    """Return the points of seeds 0, 1, .. and the seconds each took."""
    results = [timed(partial(jam, seed)) for seed in range(samples)]
    return [point for point, _ in results], [seconds for _, seconds in results]


def perceptron(n: int, seed: int, alpha: float = ALPHA, sigma: float = SIGMA) -> ExactJamming:
    rng = np.random.default_rng((seed, n))
    problem = Perceptron.random(n, alpha, sigma, rng)
    return exact_jamming(problem, problem.random_state(rng), minimise=descend)


def packing(problem: Discs | Ellipses, seed: int, pressure: float = 1e-5) -> ExactJamming:
    low = decompress(problem, problem.random_state(np.random.default_rng(seed)), pressure)
    return exact_jamming(low.problem, low.x, minimise=minimise)


def shown(fit: PowerLaw) -> dict[str, Any]:
    return {
        "exponent": round(fit.exponent, 3),
        "error": round(fit.error, 3),
        "window": [float(f"{fit.low:.2g}"), fit.high],
        "count": fit.count,
        "distance": round(fit.distance, 3),
    }


def exponents(points: list[ExactJamming], force_top: float, gap_top: float) -> dict[str, Any]:
    """Fit θ up to ``force_top`` means and γ up to ``gap_top``, above the finite-size floor."""
    forces = [point.relative_forces for point in points]
    gaps = [point.margins() for point in points]
    floor = finite_size_floor(gaps)
    return {
        "theta": shown(fit_power_law(forces, force_top)),
        "minus_gamma": shown(fit_power_law(gaps, gap_top, low=floor)),
        "minus_gamma_without_floor": shown(fit_power_law(gaps, gap_top)),
    }


def run_perceptron() -> Iterator[dict[str, Any]]:
    for n, samples in ((50, 100), (100, 100), (200, 40), (400, 50)):
        points, seconds = repeated(partial(perceptron, n), samples)
        isostatic = [p.status == "jammed" and len(p.rows) == n for p in points]
        margins = [p.problem.sigma for p in points]
        yield {
            "N": n,
            "samples": samples,
            "contacts = forces = N": sum(isostatic),
            "sigma_J": [round(float(f(margins)), 4) for f in (np.mean, np.std)],
            "median_cpu_s": round(float(np.median(seconds)), 3),
            "max_cpu_s": round(max(seconds), 2),
            "exchanges": int(np.median([p.exchanges for p in points])),
            **exponents([p for p, good in zip(points, isostatic, strict=True) if good], 0.2, 0.05),
        }


def run_programs() -> Iterator[dict[str, Any]]:
    """Compare with the same problem by linear programs alone, in the same minute."""
    for n, samples in ((50, 10), (100, 6)):
        for seed in range(samples):
            rng = np.random.default_rng((seed, n))
            problem = Perceptron.random(n, ALPHA, SIGMA, rng)
            x = problem.random_state(rng)
            slow, slow_s = timed(lambda p=problem, x=x: sequential_programs(p, x))
            fast, fast_s = timed(lambda p=problem, x=x: exact_jamming(p, x, minimise=descend))
            yield {
                "N": n,
                "seed": seed,
                "programs": slow.programs,
                "programs_cpu_s": round(slow_s, 3),
                "programs_sigma": round(slow.here.problem.sigma, 6),
                "exact_cpu_s": round(fast_s, 3),
                "exact_sigma": round(fast.problem.sigma, 6),
            }


def run_convex() -> Iterator[dict[str, Any]]:
    for alpha in (2.0, 1.5, 0.9612, 0.5):
        sigma = theory.margin_at_capacity(alpha)
        points = [perceptron(200, seed, alpha, sigma) for seed in range(8)]
        yield {
            "N": 200,
            "alpha": alpha,
            "jammed": sum(p.status == "jammed" for p in points),
            "sigma_J": round(float(np.mean([p.problem.sigma for p in points])), 4),
            "sigma_theory": round(sigma, 4),
            "contacts_per_N": round(float(np.mean([len(p.rows) for p in points])) / 200, 4),
            "contacts_theory": round(float(theory.contacts_at_jamming(sigma)), 4),
        }


def run_discs() -> Iterator[dict[str, Any]]:
    packing(Discs.bidisperse(64, 0.86), 0)  # compile
    packing(Discs.bidisperse(32, 0.68, dim=3), 0)
    for dim, n, samples in ((2, 256, 30), (2, 1024, 20), (2, 512, 100), (3, 256, 20)):
        start = Discs.bidisperse(n, 0.86 if dim == 2 else 0.68, dim=dim)
        points, seconds = repeated(partial(packing, start), samples)
        good = [p for p in points if p.status == "jammed" and len(p.rows) == isostatic(p)]
        row = {
            "dim": dim,
            "N": n,
            "samples": samples,
            "isostatic": len(good),
            "phi_J": [round(float(f([p.problem.phi for p in good])), 5) for f in (np.mean, np.std)],
            "redundant": sum(p.certificate.n_redundant for p in good),
            "median_cpu_s": round(float(np.median(seconds)), 3),
            "max_cpu_s": round(max(seconds), 2),
            **exponents(good, 0.2, 0.05),
        }
        if dim == 2:
            row |= split(good)
        yield row


def isostatic(point: ExactJamming) -> int:
    dim = point.problem.dim
    held = int(point.held.reshape(point.problem.n_bodies, -1).any(axis=1).sum())
    return dim * held - dim + 1


def split(points: list[ExactJamming]) -> dict[str, Any]:
    bucklers, others = [], []
    for point in points:
        on = find_bucklers(point.problem.gap_jacobian(point.x, point.rows)).contacts
        bucklers.append(point.relative_forces[on])
        others.append(point.relative_forces[~on])
    return {
        "theta_bucklers": [shown(fit_power_law(bucklers, top)) for top in (0.05, 0.1, 0.2)],
        "theta_extended": [shown(fit_power_law(others, top)) for top in (0.1, 0.2, 0.4)],
    }


def run_ellipses() -> Iterator[dict[str, Any]]:
    packing(Ellipses.bidisperse(16, 0.92, aspect=1.5), 0)  # compile
    for aspect in (1.02, 1.1, 1.2, 1.35, 1.5, 2.0, 3.0, 5.0, 10.0):
        start = Ellipses.bidisperse(128, 0.92 if aspect < 3 else 0.8, aspect=aspect)
        points, seconds = repeated(partial(packing, start, pressure=1e-6), 5)
        good = [p for p in points if p.status == "jammed"]
        yield {
            "N": 128,
            "aspect": aspect,
            "samples": len(points),
            "certified": len(good),
            "phi_J": round(float(np.mean([p.problem.phi for p in good])), 5),
            "free_motions": [p.certificate.n_free_motions for p in good],
            "least_curvature": [float(f"{p.certificate.curvature:.2g}") for p in good],
            "median_cpu_s": round(float(np.median(seconds)), 3),
        }


def run_marginality() -> Iterator[dict[str, Any]]:
    for alpha in (6.0, 8.0, 12.0):
        rng = np.random.default_rng(0)
        problem = Perceptron.random(800, alpha, SIGMA, rng)
        gaps = problem.gaps(descend(problem, problem.random_state(rng)).x)
        c = (gaps > 0).sum() / 800
        ratio = theory.prestress_of(gaps, SIGMA, 800) / float(theory.marginal_prestress(c))
        yield {"N": 800, "alpha": alpha, "c": round(c, 4), "zeta/(sqrt(c)-1)^2": round(ratio, 4)}
    overlaps, excess = [], []
    for seed in range(3):
        rng = np.random.default_rng((seed, 800))
        problem = Perceptron.random(800, ALPHA, -0.35, rng)
        for stage in approach(problem, problem.random_state(rng), descend, ratio=0.5):
            overlaps.append(stage.overlap_per_variable)
            # Beyond the N - 1 degrees of freedom: one of the N contacts at jamming is the floor.
            excess.append(((stage.problem.gaps(stage.x) > 0).sum() - 799) / 800)
            if stage.overlap_per_variable < 1e-3:
                break
    overlap, above = np.array(overlaps), np.array(excess)
    inside = overlap < 0.03
    slope = np.polyfit(np.log(overlap[inside]), np.log(above[inside]), 1)[0]
    yield {
        "N": 800,
        "alpha": ALPHA,
        "exponent of c - 1 + 1/N against overlap < 0.03": round(float(slope), 3),
        "points": [[float(f"{a:.3g}"), round(b, 5)] for a, b in zip(overlap, above, strict=True)],
    }


TABLES = {
    "perceptron": run_perceptron,
    "programs": run_programs,
    "convex": run_convex,
    "discs": run_discs,
    "ellipses": run_ellipses,
    "marginality": run_marginality,
}


def main(names: list[str]) -> None:
    unknown = set(names) - set(TABLES)
    if unknown:
        sys.exit(f"expected tables out of {', '.join(TABLES)}, got {', '.join(sorted(unknown))}")
    stored = json.loads(HOME.read_text(encoding="utf-8")) if HOME.exists() else {}
    for name in names or list(TABLES):
        rows = []
        for row in TABLES[name]():
            print(name, json.dumps(row), flush=True)
            rows.append(row)
        stored[name] = {"date": date.today().isoformat(), "rows": rows}
        HOME.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

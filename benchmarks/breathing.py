"""Discs whose radii give way: contacts and vibrations from spheres to the class of ellipses.

    python benchmarks/breathing.py           # breathing.json, two minutes of one core, goes on
    python benchmarks/breathing.py figure    # docs/breathing.png, and the numbers of the page

C. Brito et al., Proc. Natl. Acad. Sci. 115, 11736 (2018): with ``p/K`` in place of the asphericity,
``z - z_c ∝ (p/K)^(1/2)``. As many modes as contacts lack to hold all radii have frequencies about
``√K``, and a gap keeps them apart from those that contacts resist.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "NUMBA", "OPENBLAS")})

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from bridge.figures.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure, save, style
from bridge.measure.observables import observe
from bridge.systems import DiscSystem, EllipseSystem
from bridge.systems.breathing import BreathingSystem
from particles import Breathing

HERE = Path(__file__).parent
KEPT = HERE / "breathing.json"
Vector = NDArray[np.float64]
BODIES, SEEDS = 512, 3
STIFFNESSES = [float(f"{k:.3g}") for k in 10.0 ** np.arange(2.0, -3.01, -0.5)]
SPECTRA = {10.0: BLUE, 0.1: GREEN, 0.001: RED}  # stiffnesses whose modes are kept, and colours
PLAN: dict[str, Any] = {
    "discs": DiscSystem(BODIES, pressure=1e-5),
    **{
        f"K = {k:g}, p = {p:g}": BreathingSystem(BODIES, stiffness=k, pressure=p)
        for p in (1e-5, 1e-4)
        for k in STIFFNESSES
        if p / k < 0.011
    },
    **{
        f"aspect {a:g}": EllipseSystem(BODIES, aspect=a, pressure=1e-5)
        for a in (1.003, 1.01, 1.03, 1.1)
    },
}


def measure(system: Any, seed: int) -> dict[str, Any]:
    """Return contacts beyond isostatic discs, for each body that is held, and modes of a few."""
    began = time.process_time()
    state = system.jam(np.random.default_rng(seed))
    problem, seen = state.problem, observe(state.problem, state.x)
    held = problem.n_bodies - seen.n_frozen
    found: dict[str, Any] = {"seed": seed, "status": state.status, "phi": problem.phi}
    found["excess"] = float(seen.coordination or 0.0) - 2.0 * (2 * held - 1) / held
    if isinstance(problem, Breathing):
        found["spread"] = float(problem.strains(state.x)[~problem.rattlers(state.x)].std())
        if problem.radius_stiffness in SPECTRA and system.pressure == 1e-5:
            found["modes"] = frequencies(problem, state.x)
            found["missing"] = 3 * held - 2 - (seen.n_constraints - held)
    found["seconds"] = round(time.process_time() - began, 1)
    return found


def frequencies(problem: Breathing, x: Vector) -> list[float]:
    """Return ``ω`` of all modes but translations, by places and radii, both of mass 1.

    With ``R = R₀ (1 + w/√(1 + K))`` in place of ``w`` the Hessian is divided by ``∂R/∂w`` twice.
    """
    kept = np.repeat(~problem.rattlers(x), problem.n_per_body)
    per = np.ones((problem.n_bodies, problem.n_per_body))
    per[:, problem.dim] = (1.0 + problem.radius_stiffness) ** 0.5 / problem.bounding_radii
    scale = per.ravel()[kept]
    matrix = problem.hessian(x).toarray()[np.ix_(kept, kept)] * scale[:, None] * scale
    values = linalg.eigvalsh(matrix)[problem.dim :]
    return [float(f"{v:.4g}") for v in np.sqrt(np.maximum(values, 0.0))]


def main() -> None:
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    for seed in range(SEEDS):
        for name, system in PLAN.items():
            found = kept.setdefault(name, [])
            if any(one["seed"] == seed for one in found):
                continue
            found.append(measure(system, seed))
            KEPT.write_text(json.dumps(kept) + "\n", encoding="utf-8")
            print(name, seed, found[-1]["status"], found[-1]["seconds"], flush=True)


def exponent(at: Vector, values: Vector) -> tuple[float, float]:
    """Return ``k`` of ``⟨values⟩ = a at^k``, ``(packings, places)``, and its error by jackknife."""

    def fitted(kept: NDArray[np.bool_]) -> float:
        return float(np.polyfit(np.log(at), np.log(values[kept].mean(axis=0)), 1)[0])

    n = len(values)
    left_out = np.array([fitted(np.arange(n) != k) for k in range(n)])
    error = ((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum()) ** 0.5
    return fitted(np.ones(n, dtype=bool)), float(error)


def report(kept: dict[str, list[dict[str, Any]]]) -> None:
    """Print the numbers of the page."""
    count = min(len(found) for found in kept.values())
    for name, found in kept.items():
        values = np.array([one["excess"] for one in found[:count]])
        statuses = {one["status"] for one in found}
        print(f"{name}: {values.mean():.4f} ± {values.std(ddof=1) / count**0.5:.4f}", statuses)
    for p in (1e-5, 1e-4):
        soft = [k for k in STIFFNESSES if 9e-4 < p / k < 0.011]
        chosen = [kept[f"K = {k:g}, p = {p:g}"][:count] for k in soft]
        values = np.array([[one["excess"] for one in found] for found in chosen]).T
        k, error = exponent(p / np.array(soft), values)
        print(f"p = {p:g}: z - z_c ∝ (p/K)^({k:.3f} ± {error:.3f}), {count} packings")
    for name in (f"K = {k:g}, p = 1e-05" for k in SPECTRA):
        for one in (one for one in kept[name] if "modes" in one):
            omega, missing = np.array(one["modes"]), one["missing"]
            gap = omega[missing] / omega[missing - 1]
            print(f"{name}: {missing} of {len(omega)} modes below a gap by {gap:.3g}")


def draw(kept: dict[str, list[dict[str, Any]]]) -> None:
    """Draw contacts against the distance from spheres, and the density of vibrations."""
    figure = new_figure(7.0, 3.0)
    left, right = figure.subplots(1, 2)
    for p, colour, sign in ((1e-5, BLUE, "o"), (1e-4, RED, "s")):
        there = [k for k in STIFFNESSES if f"K = {k:g}, p = {p:g}" in kept]
        values = [[one["excess"] for one in kept[f"K = {k:g}, p = {p:g}"]] for k in there]
        look: dict[str, Any] = {"color": colour, "marker": sign, "ms": 4, "mfc": "none"}
        scatter(left, p / np.array(there), values, f"radii, $p = 10^{{{np.log10(p):.0f}}}$", **look)
    aspects = [name for name in kept if name.startswith("aspect")]
    at = np.array([float(name.split()[1]) - 1.0 for name in aspects])
    ends = [[one["excess"] for one in kept[name]] for name in aspects]
    scatter(left, at, ends, "ellipses, aspect $1 + Δ$", color=ORANGE, marker="^", ms=4)
    discs = float(np.mean([one["excess"] for one in kept["discs"]]))
    left.axhline(discs, color=BLACK, lw=0.7, ls=":", label="discs, $p = 10^{-5}$")
    reach = np.array([1e-5, 2e-1])
    left.plot(reach, 5.0 * reach**0.5, color=BLACK, lw=0.8, ls="--", label="slope ½")
    left.set(xscale="log", yscale="log", xlabel="$p/K$, or Δ", ylabel="z − z$_c$")
    left.legend(fontsize=7)
    edges = np.geomspace(1e-3, 10.0, 41)
    for stiffness, colour in SPECTRA.items():
        found = [one for one in kept[f"K = {stiffness:g}, p = 1e-05"] if "modes" in one]
        omega = np.concatenate([one["modes"] for one in found])
        density = np.histogram(omega, edges)[0] / omega.size / np.diff(edges)
        shown = np.where(density > 0.0, density, np.nan)
        right.stairs(shown, edges, color=colour, lw=1.2, label=f"K = {stiffness:g}")
        right.axvline(stiffness**0.5 / 0.6, color=colour, lw=0.7, ls=":")
    right.set(xscale="log", yscale="log", xlabel="frequency ω", ylabel="density of modes D(ω)")
    right.legend(fontsize=7)
    save(figure, HERE.parent / "docs" / "breathing.png", (".png",))


def scatter(axes: Any, at: Vector, values: list[list[float]], label: str, **look: Any) -> None:
    """Draw means over packings, and their errors."""
    mean = np.array([np.mean(v) for v in values])
    error = np.array([np.std(v, ddof=1) / len(v) ** 0.5 for v in values])
    axes.errorbar(at, mean, error, ls="", lw=0.8, label=label, **look)


if __name__ == "__main__":
    if sys.argv[1:] == ["figure"]:
        found = json.loads(KEPT.read_text(encoding="utf-8"))
        report(found)
        with style():
            draw(found)
    else:
        main()

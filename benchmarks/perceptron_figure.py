"""The closed forms of the perceptron beside data: ``../docs/perceptron.png``; a minute of one core.

python benchmarks/perceptron_figure.py
"""

import os
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "NUMBA", "OPENBLAS")})

import numpy as np
from matplotlib.figure import Figure

from bridge.descent.newton import Newton
from bridge.figures.style import BLUE, GREEN, GREY, ORANGE, RED, save, style
from bridge.jamming import ExactJamming, exact_jamming
from particles import Perceptron, descend
from particles.perceptron import theory

OUT = Path(__file__).parent.parent / "docs" / "perceptron"
N, SAMPLES = 200, 8


def jam(alpha: float, start: float, seed: int, n: int = N) -> ExactJamming[Any]:
    rng = np.random.default_rng((seed, n))
    problem = Perceptron.random(n, alpha, start, rng)
    return exact_jamming(problem, problem.random_state(rng), minimise=descend)


def minimum(alpha: float, sigma: float, seed: int, n: int) -> tuple[Perceptron, np.ndarray]:
    rng = np.random.default_rng((seed, n))
    problem = Perceptron.random(n, alpha, sigma, rng)
    return problem, Newton()(problem, descend(problem, problem.random_state(rng)).x).x


def eigenvalues(problem: Perceptron, x: np.ndarray) -> np.ndarray:
    """Return the spectrum across the radial direction."""
    n = problem.n_dof
    radial = problem.zero_modes(problem.on_sphere(x))
    hessian = problem.hvp(problem.on_sphere(x), np.eye(n)) + 1e6 * radial.T @ radial
    return np.linalg.eigvalsh(hessian)[:-1]


def draw_capacity(axes: Any, contacts: Any) -> ExactJamming[Any]:
    """Draw margins and contacts at jamming, and return the points at ``α = 0.9612``."""
    sigma = np.linspace(0, 1.25, 100)
    axes.plot(theory.capacity(sigma), sigma, color=GREY, label="closed form")
    contacts.plot(sigma, theory.contacts_at_jamming(sigma), color=GREY, label="closed form")
    contacts.plot([-0.65, 0], [1, 1], color=GREY)
    for alpha, start in ((0.5, 1.0), (0.7, 0.8), (0.9612, 0.5), (1.3, 0.3), (2.0, 0.0),
                         (3.0, -0.2), (4.0, -0.4), (5.0, -0.5)):  # fmt: skip
        points = [jam(alpha, start, seed) for seed in range(SAMPLES)]
        sigmas = np.array([p.problem.sigma for p in points])
        ratio = np.array([len(p.rows) for p in points]) / N
        colour = BLUE if alpha <= 2 else RED
        error = sigmas.std(ddof=1) / SAMPLES**0.5
        axes.errorbar(alpha, sigmas.mean(), error, color=colour, fmt="o", ms=3)
        scatter = ratio.std(ddof=1) / SAMPLES**0.5
        contacts.errorbar(sigmas.mean(), ratio.mean(), scatter, color=colour, fmt="o", ms=3)
        print(f"alpha {alpha}: sigma_J {sigmas.mean():.4f} +- {error:.4f}", end=", ")
        print(f"contacts/N {ratio.mean():.4f} +- {scatter:.4f}")
        if alpha == 0.9612:
            convex = points
    for panel in (axes, contacts):
        panel.plot([], [], "o", color=BLUE, ms=3, label="convex, σ$_J$ ≥ 0")
        panel.plot([], [], "o", color=RED, ms=3, label="not convex, σ$_J$ < 0")
        panel.legend()
    axes.set(xlabel="patterns per component α", ylabel="margin at jamming σ$_J$")
    contacts.set(xlabel="margin at jamming σ$_J$", ylabel="contacts per component")
    return convex


def draw_densities(forces: Any, margins: Any, points: list[ExactJamming[Any]]) -> None:
    sigma = float(np.mean([p.problem.sigma for p in points]))
    f = np.linspace(0, 4, 200)
    forces.plot(f, theory.force_density(f, 0.5), color=GREY, label="closed form")
    values = np.concatenate([p.relative_forces for p in points])
    forces.hist(values, bins=np.linspace(0, 4, 33), density=True, color=BLUE, alpha=0.5,
                label=f"{len(points)} points")  # fmt: skip
    forces.legend()
    h = np.linspace(1e-6, 3, 200)
    share = 1.0 - float(np.mean([len(p.rows) for p in points])) / (0.9612 * N)
    margins.plot(h, theory.margin_density(h, 0.5), color=GREY)
    values = np.concatenate([p.margins() for p in points])
    weights = np.full(len(values), share / len(values) / (3 / 32))
    margins.hist(values, bins=np.linspace(0, 3, 33), weights=weights, color=BLUE, alpha=0.5)
    forces.set(
        xlabel="force f / ⟨f⟩", ylabel="density", title=f"convex jamming, σ$_J$ = {sigma:.2f}"
    )
    margins.set(xlabel="gap h", ylabel="density per pattern", title="the same points")


def draw_spectra(axes: Any) -> None:
    n = 400
    for alpha, sigma, colour in ((1.0, 0.5, BLUE), (4.0, 0.5, GREEN), (8.0, -0.5, RED)):
        values, c, zeta = [], [], []
        for seed in range(4):
            problem, x = minimum(alpha, sigma, seed, n)
            gaps = problem.gaps(x)
            if (gaps > 0).any():
                c.append((gaps > 0).sum() / n)
                zeta.append(theory.prestress_of(gaps, sigma, n))
                values.append(eigenvalues(problem, x))
        c, zeta = float(np.mean(c)), float(np.mean(zeta))
        grid = np.linspace(*theory.hessian_edges(c, zeta), 300)
        axes.plot(grid, theory.hessian_density(grid, c, zeta), color=colour)
        found = np.concatenate(values)
        inside = found[found > grid[0] - 0.02] if c < 1 else found
        weights = np.full(len(inside), 1 / len(found))
        edges = np.linspace(min(grid[0], 0.0), grid[-1], 41)
        axes.hist(inside, bins=edges, weights=weights / np.diff(edges)[0], color=colour, alpha=0.35,
                  label=f"α = {alpha:g}, σ = {sigma:g}")  # fmt: skip
    axes.set(xlabel="eigenvalue λ of the Hessian", ylabel="density", ylim=(0, 0.6))
    axes.legend()


def draw_energy(axes: Any) -> None:
    alpha = np.linspace(0.97, 4, 100)
    axes.plot(alpha, theory.energy_per_component(alpha, 0.5), color=GREY)
    axes.plot(alpha, theory.pressure(alpha, 0.5), color=GREY)
    for a in (1.2, 1.6, 2.0, 3.0, 4.0):
        runs = [minimum(a, 0.5, seed, N) for seed in range(4)]
        gaps = [np.maximum(problem.gaps(x), 0.0) for problem, x in runs]
        axes.plot(a, np.mean([0.5 * g @ g for g in gaps]) / N, "o", color=BLUE, ms=3)
        axes.plot(a, np.mean([g.sum() for g in gaps]) / N, "s", color=ORANGE, ms=3)
    axes.plot([], [], color=GREY, label="closed form")
    axes.plot([], [], "o", color=BLUE, ms=3, label="energy U/N")
    axes.plot([], [], "s", color=ORANGE, ms=3, label="pressure p")
    axes.set(xlabel="patterns per component α", title="σ = 0.5, above the transition")
    axes.legend()


def main() -> None:
    with style():
        figure = Figure(figsize=(7.6, 4.6), layout="constrained")
        axes = figure.subplots(2, 3)
        draw_densities(axes[0, 2], axes[1, 2], draw_capacity(axes[0, 0], axes[1, 0]))
        draw_spectra(axes[0, 1])
        draw_energy(axes[1, 1])
        save(figure, OUT)


if __name__ == "__main__":
    main()

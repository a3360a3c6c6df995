"""Weak forces and small gaps of networks of every activation, at their jamming points.

    python benchmarks/gap_exponents.py [train] [report]

Each network is trained at margin 1. At the norm it then has, the margin is raised until it jams,
if it does not yet, and lowered again, minimum by minimum, towards the point where the energy
vanishes: each is certified, kinks included. ``train`` keeps each sample in
``benchmarks/gap_exponents.npz`` as it ends, and goes on where it was; ``report`` fits, prints the
table and draws ``docs/gaps_of_networks.png``.
"""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")})

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bridge.figures.style import BLACK, BLUE, GREY, RED, style
from bridge.jamming.approach import approach
from bridge.measure.power_laws import PowerLaw, fit_power_law
from bridge.runs.workers import map_unordered
from networks import HingeNetwork, Mlp, SphericalNetwork, Trained, random_patterns, settle, train
from networks.models.symmetry import balanced

HOME = Path(__file__).with_suffix(".npz")
FIGURE = Path(__file__).parent.parent / "docs" / "gaps_of_networks.png"
ACTIVATIONS = ("relu", "tanh", "softplus", "silu", "gelu")
SMALL, MIDDLE, LARGE = 12, 17, 24  # widths
EASY = 2.0  # patterns per weight, which every activation fits
ENSEMBLES = {
    **{(SMALL, EASY, activation): 20 for activation in ACTIVATIONS},
    (SMALL, 2.5, "relu"): 20,
    (SMALL, 3.0, "tanh"): 20,
    (SMALL, 4.0, "tanh"): 20,
    (MIDDLE, EASY, "relu"): 12,
    (MIDDLE, EASY, "tanh"): 12,
    (LARGE, EASY, "tanh"): 6,
    (LARGE, EASY, "relu"): 6,
}
DEPTH, STEPS, STARTS, SOLVES = 2, 8_000, 10, 2_000
# Overlap per variable at the jamming point in units of the margin: aim, and limit.
CLOSE, WORST = 1e-5, 1e-3
WEAK = 0.3  # upper end of the window of forces, in units of their mean
GAPS = 1e-3, 0.3  # window of gaps, in units of the margin


@dataclass(frozen=True)
class Sample:
    """One network and its patterns."""

    width: int
    load: float
    activation: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.width} {self.load} {self.activation} {self.seed}"


def jammed(sample: Sample) -> tuple[Sample, dict[str, Any]]:
    """Return the certified minimum closest to jamming that was reached; empty without one."""
    started = time.process_time()
    rng = np.random.default_rng(sample.seed)
    mlp = Mlp(sample.width, sample.width, DEPTH, sample.activation)
    patterns = random_patterns(2 * round(sample.load * mlp.n_weights / 2), sample.width, rng)
    free = HingeNetwork(mlp, patterns)
    for _ in range(STARTS):
        end = train(free, mlp.init(rng), steps=STEPS)
        if end.status in ("unjammed", "jammed"):
            break
    else:
        return sample, {}
    rescaled = sample.activation == "relu" and end.status == "unjammed"  # the polish has done it
    x = balanced(mlp, end.x) if rescaled else end.x
    kinks = [end.n_kinks]

    def minimise(problem: SphericalNetwork, x: Any) -> Trained:
        found = settle(problem, x, newton_steps=SOLVES)
        kinks.append(found.n_kinks)
        return found

    found: dict[str, Any] = {}
    sphere = SphericalNetwork(free, float(np.linalg.norm(x)))
    for stage in approach(sphere, x, minimise, first_change=0.3, ratio=0.2):
        margin = stage.problem.free.margin
        if stage.status != "jammed":
            break
        gaps = stage.problem.gaps(stage.x)
        found = {
            "gaps": (gaps / margin).astype(np.float32),
            "margin": margin,
            "constraints": np.array([(gaps > 0).sum(), kinks[-1], free.n_dof]),
        }
        if stage.overlap_per_variable < CLOSE * margin:
            break
    if not found or overlap_per_variable(found["gaps"], free.n_dof) > WORST:
        return sample, {}
    return sample, found | {"seconds": time.process_time() - started}


def overlap_per_variable(gaps: Any, n_dof: int) -> float:
    """Return ``Σ max(Δ, 0)/n_dof``."""
    return float(np.maximum(gaps, 0.0).sum()) / n_dof


def train_them() -> None:
    kept = dict(np.load(HOME)) if HOME.exists() else {}
    tasks = [Sample(*kind, seed) for kind, count in ENSEMBLES.items() for seed in range(count)]
    missing = [task for task in tasks if f"{task.name} done" not in kept]
    for sample, found in map_unordered(jammed, missing):
        named = {"done": np.array(len(found) > 0), **found}
        kept |= {f"{sample.name} {key}": np.asarray(value) for key, value in named.items()}
        np.savez_compressed(HOME, **kept)
        print(sample.name, found.get("constraints"), flush=True)


class States:
    """The stored jamming points of one width, load and activation."""

    def __init__(self, width: int, load: float, activation: str) -> None:
        kind = (width, load, activation)
        self.mlp = Mlp(width, width, DEPTH, activation)
        with np.load(HOME) as file:
            of_kind = f"{width} {load} {activation} "
            stored = {name: file[name] for name in file.files if name.startswith(of_kind)}
        names = [Sample(*kind, seed).name for seed in range(ENSEMBLES[kind])]
        self.tried = len(names)
        self.names = [name for name in names if stored.get(f"{name} done", np.False_)]
        self.column = lambda key: np.array([stored[f"{name} {key}"] for name in self.names])
        self.gaps = [stored[f"{name} gaps"].astype(float) for name in self.names]

    @property
    def forces(self) -> list[Any]:
        """Violations of each state, in units of their mean."""
        return [gaps[gaps > 0] / gaps[gaps > 0].mean() for gaps in self.gaps]

    @property
    def margins(self) -> list[Any]:
        """Gaps ``h = -Δ > 0`` of each state, in units of the margin."""
        return [-gaps[gaps < 0] for gaps in self.gaps]

    def counts(self) -> tuple[Any, Any, Any]:
        """Return violated patterns, kinks and both of each state, over ``n``.

        ``n`` are the parameters less the norm and the rescalings of rectifiers, all of them living.
        """
        violated, kinks, n_dof = self.column("constraints").T
        rescalings = self.mlp.n_hidden if self.mlp.sigma.homogeneous else 0
        n = n_dof - 1 - rescalings
        return violated / n, kinks / n, (violated + kinks) / n

    def fits(self) -> tuple[PowerLaw, PowerLaw]:
        low, high = GAPS
        return fit_power_law(self.forces, WEAK), fit_power_law(self.margins, high, low=low)


def report() -> None:
    print(
        "| activation | N | P/N | states | margin | overlap/margin | N_Δ/n | kinks/n | both "
        f"| forces | θ | gaps | γ | s |\n|{' --- |' * 14}"
    )
    for kind in ENSEMBLES:
        print(row(*kind))
    with style():
        drawn().savefig(FIGURE)


def row(width: int, load: float, activation: str) -> str:
    states = States(width, load, activation)
    weak, small = states.fits()
    margin, seconds = map(states.column, ("margin", "seconds"))
    n_dof = states.column("constraints")[:, 2]
    overlaps = [overlap_per_variable(*one) for one in zip(states.gaps, n_dof, strict=True)]
    violated, kinks, both = states.counts()
    n_weights = Mlp(width, width, DEPTH, activation).n_weights
    return (
        f"| {activation} | {n_weights} | {load} | {len(states.names)} of {states.tried} "
        f"| {margin.mean():.2f} | {min(overlaps):.0e} - {max(overlaps):.0e} "
        f"| {violated.mean():.3f} ± {violated.std():.3f} | {kinks.mean():.3f} "
        f"| {both.mean():.3f} ± {both.std():.3f} | {weak.count} | {shown(weak, 1)} "
        f"| {small.count} | {shown(small, -1)} | {seconds.mean():.0f} |"
    )


def shown(fit: PowerLaw, sign: int) -> str:
    return f"{sign * fit.exponent:.2f} ± {fit.error:.2f}" if fit.status == "fitted" else fit.status


def drawn() -> Figure:
    """Draw densities of forces (above) and gaps (below), and the fits of the largest networks."""
    figure = Figure(figsize=(10.4, 4.4), layout="constrained")
    panels = figure.subplots(2, len(ACTIVATIONS), sharex="row", sharey="row", squeeze=False)
    sizes = {w: Mlp(w, w, DEPTH).n_weights for w in (SMALL, LARGE)}
    for column, activation in zip(panels.T, ACTIVATIONS, strict=True):
        column[0].set_title(activation)
        for i, (width, marker) in enumerate(((SMALL, "o"), (LARGE, "x"))):
            if (width, EASY, activation) not in ENSEMBLES:
                continue
            states = States(width, EASY, activation)
            weak, near = states.fits()
            dots(column[0], states.forces, BLACK if i else RED, marker)
            dots(column[1], states.margins, BLACK if i else BLUE, marker)
            said = f"N = {sizes[width]}: "
            place = {"x": 0.04, "y": 0.06 + 0.11 * i, "fontsize": 7.5}
            column[0].text(s=f"{said}θ = {shown(weak, 1)}", transform=column[0].transAxes, **place)
            column[1].text(s=f"{said}γ = {shown(near, -1)}", transform=column[1].transAxes, **place)
        line(column[0], states.forces, weak, 0.3)
        line(column[1], states.margins, near, -0.2)
        column[0].set_xlabel("force / mean")
        column[1].set_xlabel("gap −Δ / margin")
    for panel, name in zip(panels[:, 0], ("P$_+$", "P$_-$"), strict=True):
        panel.set(xscale="log", yscale="log", ylabel=name, xlim=(8e-4, 6), ylim=(0.02, 3))
    handles = [
        Line2D([], [], color=BLACK, marker="o", mfc="white", ls="", label=f"N = {sizes[SMALL]}"),
        Line2D([], [], color=BLACK, marker="x", ls="", label=f"N = {sizes[LARGE]}"),
        Line2D([], [], color=BLACK, ls="--", lw=1.0, label="fit to the largest, on its window"),
        Line2D([], [], color=GREY, lw=1.0, label="Geiger et al., ReLU: θ = 0.3, γ = 0.2"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure


def dots(axes: Any, samples: list[Any], colour: str, marker: str) -> None:
    values = np.concatenate(samples)
    edges = np.geomspace(1e-3, 10.0, 17)
    counts, _ = np.histogram(values, edges)
    density = counts / (len(values) * np.diff(edges))
    x, some = np.sqrt(edges[1:] * edges[:-1]), counts >= 4
    error = density[some] / np.sqrt(counts[some])
    axes.errorbar(
        x[some], density[some], error, fmt=marker, color=colour, ms=3.5, mfc="white", lw=0.8
    )


def line(axes: Any, samples: list[Any], fit: PowerLaw, paper: float) -> None:
    values = np.concatenate(samples)
    ends = np.array([max(fit.low, 1e-3), fit.high])
    share = np.mean((values > ends[0]) & (values <= ends[1]))
    kinds = [(paper, GREY, "-"), (fit.exponent, BLACK, "--")]
    for power, shade, dash in kinds if fit.status == "fitted" else kinds[:1]:
        level = share * (1 + power) / (ends[1] ** (1 + power) - ends[0] ** (1 + power))
        axes.plot(ends, level * ends**power, dash, color=shade, lw=1.0, zorder=3)


if __name__ == "__main__":
    for part in sys.argv[1:] or ("train", "report"):
        {"train": train_them, "report": report}[part]()

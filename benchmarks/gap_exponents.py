"""Weak forces and small gaps of networks of every activation, next to their transitions.

    python benchmarks/gap_exponents.py [train] [report]

``train`` takes five minutes of one core and writes ``benchmarks/gap_exponents.npz``, whose
activations are kept from one call to the next; ``report`` fits, prints the table and draws
``docs/gaps_of_networks.png``.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")})

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bridge.exponents import PowerLaw, fit_power_law
from bridge.figures import BLACK, BLUE, GREY, RED, style
from networks import HingeNetwork, Mlp, Patterns, random_patterns, train_all
from networks.polish import FITTED, polish

HOME = Path(__file__).with_suffix(".npz")
FIGURE = Path(__file__).parent.parent / "docs" / "gaps_of_networks.png"
WIDTH, DEPTH, SEEDS, STEPS = 12, 2, 6, 8_000
LOWEST = {"relu": 2.25, "tanh": 3.5, "softplus": 3.125, "silu": 3.0, "gelu": 3.0}
SPACING, ROUNDS = 0.125, 3  # seven loads from the lowest, bisected
SOLVES = {"relu": 150}  # of the polish; 600 if smooth
GAPS = 0.5  # upper end of the window of gaps, in units of the margin


def bisected(activation: str) -> list[list[tuple[float, HingeNetwork, Any]]]:
    """Return what did not fit, of each seed, from its lowest load: all seeds are one ensemble."""
    mlp = Mlp(WIDTH, WIDTH, DEPTH, activation)
    grid = LOWEST[activation] + SPACING * np.arange(2**ROUNDS - 1)
    rngs = [np.random.default_rng(seed) for seed in range(SEEDS)]
    most = round(grid[-1] * mlp.n_weights)
    patterns = [random_patterns(most + most % 2, WIDTH, rng) for rng in rngs]
    fits, jams = np.full(SEEDS, -1), np.full(SEEDS, len(grid))
    states: list[list[tuple[float, HingeNetwork, Any]]] = [[] for _ in rngs]
    for _ in range(ROUNDS):
        middle = (fits + jams) // 2
        problems = []
        for known, load in zip(patterns, grid[middle], strict=True):
            some = slice(0, 2 * round(load * mlp.n_weights / 2))
            problems.append(HingeNetwork(mlp, Patterns(known.x[some], known.y[some])))
        for i, end in train_all(problems, [mlp.init(rng) for rng in rngs], steps=STEPS):
            if end.status in ("unjammed", "dead"):  # the load of a dead network says nothing
                fits[i] = middle[i]
            else:
                jams[i] = middle[i]
                states[i].append((float(grid[middle[i]]), problems[i], end))
    return [sorted(found, key=lambda state: state[0]) for found in states]


def trained(activation: str) -> dict[str, Any]:
    """Polish the lowest state of each seed at its norm; one that fits then gives way to the next.

    A state that the polish does not balance is kept as it was annealed.
    """
    started = time.process_time()
    found: dict[str, Any] = {"load": [], "median": [], "certified": [], "constraints": []}
    found["fitted"] = 0  # by the polish, where the anneal had not
    gaps = []
    for states in bisected(activation):
        for load, problem, end in states:
            polished = polish(problem, end.x, steps=SOLVES.get(activation, 600), hold_norm=True)
            if problem.energy_gradient(polished.x)[0] < FITTED:
                found["fitted"] += 1
                continue
            here = problem.gaps(polished.x if polished.is_minimum else end.x)
            gaps.append(here)
            found["load"].append(load)
            found["median"].append(np.median(here[here > 0]))
            found["certified"].append(polished.is_minimum)
            found["constraints"].append((here > 0).sum() / problem.mlp.n_weights)
            break
    found["gaps"] = np.concatenate([np.empty(0), *gaps]).astype(np.float32)
    found["sizes"] = [len(here) for here in gaps]
    found["seconds"] = time.process_time() - started
    return found


def train_them() -> None:
    kept = dict(np.load(HOME)) if HOME.exists() else {}
    for activation in LOWEST:
        if f"{activation} gaps" in kept:
            continue
        found = trained(activation)
        kept |= {f"{activation} {name}": np.asarray(value) for name, value in found.items()}
        np.savez_compressed(HOME, **kept)
        print(f"{activation}: {len(found['load'])} states, {found['seconds']:.0f} s", flush=True)


Fits = tuple[PowerLaw, PowerLaw]


def forces(activation: str) -> list[Any]:
    """Return the violations of each state, in units of their median."""
    return [here[here > 0] / np.median(here[here > 0]) for here in states(activation)]


def margins(activation: str) -> list[Any]:
    """Return the gaps ``h = -Δ > 0`` of each state, in units of the margin."""
    return [-here[here < 0] for here in states(activation)]


def states(activation: str) -> list[Any]:
    stored = np.load(HOME)
    gaps = stored[f"{activation} gaps"].astype(float)
    return np.split(gaps, np.cumsum(stored[f"{activation} sizes"])[:-1])


def fits(activation: str) -> Fits:
    """Fit forces below their median, and gaps above every state's median, which no force blurs."""
    low = float(np.load(HOME)[f"{activation} median"].max())
    return (
        fit_power_law(forces(activation), 1.0),
        fit_power_law(margins(activation), GAPS, low=low),
    )


def report() -> None:
    stored = np.load(HOME)
    print(
        "| activation | states | fitted | certified | P/N | N_Δ/N | median Δ | forces | θ | gaps "
        "| γ |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    found: dict[str, Fits] = {}
    for activation in LOWEST:
        names = ("load", "median", "certified", "constraints", "fitted")
        load, median, sure, ratio, fitted = (stored[f"{activation} {name}"] for name in names)
        weak, small = found[activation] = fits(activation)
        print(
            f"| {activation} | {len(load)} of {SEEDS} | {fitted} | {sure.sum()} "
            f"| {load.mean():.2f} | {ratio.mean():.2f} | {median.min():.3f} - {median.max():.3f} "
            f"| {weak.count} | {shown(weak, 1)} | {small.count} | {shown(small, -1)} |"
        )
    seconds = sum(float(stored[f"{activation} seconds"]) for activation in LOWEST)
    print(f"\n{seconds:.0f} s of one processor")
    with style():
        drawn(found).savefig(FIGURE)


def shown(fit: PowerLaw, sign: int) -> str:
    return f"{sign * fit.exponent:.2f} ± {fit.error:.2f}" if fit.status == "fitted" else fit.status


def drawn(found: dict[str, Fits]) -> Figure:
    """Draw densities of forces (above) and gaps (below); dashed: fits, grey: the paper's ReLU."""
    with style():
        figure = Figure(figsize=(10.4, 4.2), layout="constrained")
        panels = figure.subplots(2, len(found), sharex="row", sharey="row", squeeze=False)
        for column, (activation, (weak, small)) in zip(panels.T, found.items(), strict=True):
            column[0].set_title(activation)
            dots(column[0], np.concatenate(forces(activation)), weak, RED, 0.3)
            dots(column[1], np.concatenate(margins(activation)), small, BLUE, -0.2)
            column[0].set_xlabel("Δ / median, violated")
            column[1].set_xlabel("−Δ, satisfied")
            column[0].text(0.5, 0.88, f"θ = {shown(weak, 1)}", transform=column[0].transAxes)
            column[1].text(0.5, 0.88, f"γ = {shown(small, -1)}", transform=column[1].transAxes)
        panels[0, 0].set(xscale="log", yscale="log", ylabel="P$_+$", ylim=(2e-3, 3))
        panels[1, 0].set(xscale="log", yscale="log", ylabel="P$_-$", ylim=(1e-2, 1))
        handles = [
            Line2D([], [], color=BLACK, ls="--", lw=1.0, label="fit, on its window"),
            Line2D([], [], color=GREY, lw=1.0, label="Geiger et al., ReLU: θ = 0.3, γ = 0.2"),
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=2)
        return figure


def dots(axes: Any, values: Any, fit: PowerLaw, colour: str, paper: float) -> None:
    edges = np.geomspace(1e-2, 20.0, 15)
    counts, _ = np.histogram(values, edges)
    density = counts / (len(values) * np.diff(edges))
    x, some = np.sqrt(edges[1:] * edges[:-1]), counts >= 4
    error = density[some] / np.sqrt(counts[some])
    axes.errorbar(x[some], density[some], error, fmt="o", color=colour, ms=3.5, mfc="white", lw=0.8)
    ends = np.array([max(fit.low, edges[0]), fit.high])
    share = np.mean((values > ends[0]) & (values <= ends[1]))
    kinds = [(paper, GREY, "-"), (fit.exponent, BLACK, "--")]
    for power, shade, dash in kinds if fit.status == "fitted" else kinds[:1]:
        level = share * (1 + power) / (ends[1] ** (1 + power) - ends[0] ** (1 + power))
        axes.plot(ends, level * ends**power, dash, color=shade, lw=1.0, zorder=3)


if __name__ == "__main__":
    for part in sys.argv[1:] or ("train", "report"):
        {"train": train_them, "report": report}[part]()

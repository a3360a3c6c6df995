"""Certified minima of networks: how many, at what cost, and how many kinks; spectra and densities.

    python benchmarks/certificates.py [certify | spectra | density | report ...]

Results go to ``benchmarks/certificates.json`` as they come, and are printed; ``report`` writes
``benchmarks/CERTIFICATES.md`` from them.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")})

import numpy as np

from bridge import hessian, jacobian_rank, spectral_density, spectrum
from networks import HingeNetwork, Mlp, SphericalNetwork, random_patterns, settle, train
from networks.models.symmetry import balanced

HOME = Path(__file__).with_suffix(".json")
LOADS = {"relu": 3.5, "tanh": 5.0, "softplus": 4.0, "silu": 4.0, "gelu": 4.0}
# (width, depth, samples): N = 200, 300 and 310, 595, 1176 and 1220
SHAPES = ((8, 3, 8), (12, 2, 4), (10, 3, 4), (17, 2, 2), (24, 2, 1), (20, 3, 1))
STEPS = 8_000
SOLVES = 2_000


def network(
    width: int, depth: int, load: float, seed: int, activation: str = "relu"
) -> tuple[HingeNetwork, Any]:
    rng = np.random.default_rng(seed)
    mlp = Mlp(width, width, depth, activation)
    problem = HingeNetwork(mlp, random_patterns(round(load * mlp.n_weights), width, rng))
    return problem, mlp.init(rng)


def certify(keep: dict[str, Any]) -> None:
    """Train, polish at a held norm, and test the bound with the spectrum of what came out."""
    for width, depth, samples in SHAPES:
        for activation, load in LOADS.items() if depth == 2 else [("relu", LOADS["relu"])]:
            for seed in range(samples):
                key = f"{activation} {width} {depth} {seed}"
                if key not in keep:
                    keep[key] = certified(width, depth, load, seed, activation)
                    save(keep, "certify")


def certified(width: int, depth: int, load: float, seed: int, activation: str) -> dict[str, Any]:
    problem, x = network(width, depth, load, seed, activation)
    start = time.process_time()
    annealed = train(problem, x, steps=STEPS, newton_steps=0)
    anneal = time.process_time() - start
    x = balanced(problem.mlp, annealed.x) if problem.mlp.sigma.homogeneous else annealed.x
    sphere = SphericalNetwork(problem, float(np.linalg.norm(x)))
    found = settle(sphere, x, newton_steps=SOLVES)
    seconds = time.process_time() - start - anneal
    row = {
        "n": problem.mlp.n_weights,
        "patterns": len(problem.patterns),
        "certified": found.status == "jammed",
        "energies": [annealed.energy, found.energy],
        "residual": found.max_residual,
        "n_constraints": found.n_constraints,
        "n_kinks": found.n_kinks,
        "solves": found.newton_steps,
        "seconds": round(seconds, 2),
        "anneal_seconds": round(anneal, 1),
    }
    if found.status == "jammed":
        values = spectrum(sphere, found.x)
        row["negative_modes_hp"] = values.negative_modes_hp
        row["bound_holds"] = values.bound_holds
    return row


def spectra(keep: dict[str, Any]) -> None:
    """Time the three dense spectra, and a Hessian from unit vectors next to one formed at once."""
    for activation in ("relu", "tanh"):
        problem, x = network(32, 2, 6000 / 2080, 0, activation)
        start = time.process_time()
        spectrum(problem, x)
        middle = time.process_time()
        rank = jacobian_rank(problem, x)
        keep[activation] = {
            "n_dof": problem.n_dof,
            "patterns": len(problem.patterns),
            "seconds": round(middle - start, 2),
            "jacobian_rank": rank,
            "rank_seconds": round(time.process_time() - middle, 2),
        }
        save(keep, "spectra")


def density(keep: dict[str, Any]) -> None:
    """Compare the Lanczos density with the dense one, in units of its error bars."""
    problem, x = network(24, 2, 3.5, 0)
    start = time.process_time()
    values = np.linalg.eigvalsh(hessian(problem, x))
    middle = time.process_time()
    found = spectral_density(problem, x, probes=10, steps=80)
    seconds = time.process_time() - middle
    count, error = found.count_below(0.0)
    width = 0.02 * (values[-1] - values[0])
    grid = np.linspace(values[0], values[-1], 60)
    exact = np.exp(-0.5 * ((grid[:, None] - values) / width) ** 2).mean(axis=1)
    exact /= width * np.sqrt(2 * np.pi)
    estimate, spread = found.at(grid, width)
    seen = exact > 1e-2 * exact.max()
    keep["relu"] = {
        "n_dof": problem.n_dof,
        "dense_seconds": round(middle - start, 2),
        "lanczos_seconds": round(seconds, 2),
        "negative": int((values < 0).sum()),
        "negative_estimated": [count, error],
        "trace": float(values.sum()),
        "trace_estimated": found.moment(1),
        "largest_deviation_in_errors": float((np.abs(estimate - exact) / spread)[seen].max()),
    }
    save(keep, "density")


def save(rows: dict[str, Any], table: str) -> None:
    everything = json.loads(HOME.read_text(encoding="utf-8")) if HOME.exists() else {}
    HOME.write_text(json.dumps({**everything, table: rows}, indent=1) + "\n", encoding="utf-8")
    name = list(rows)[-1]
    print(table, name, rows[name], flush=True)


def report(_: dict[str, Any]) -> None:
    """Write the tables, one row for each activation and shape."""
    stored = json.loads(HOME.read_text(encoding="utf-8"))
    groups: dict[tuple[str, int, int], list[dict[str, Any]]] = {}
    for key, row in stored["certify"].items():
        activation, _, depth, _ = key.split()
        groups.setdefault((activation, int(depth), row["n"]), []).append(row)
    certain = [row for rows in groups.values() for row in rows if row["certified"]]
    bound = f"{sum(row['bound_holds'] for row in certain)} of {len(certain)}"
    lines = [INTRODUCTION.format(bound=bound), HEAD]
    for (activation, depth, n), rows in sorted(groups.items(), key=lambda g: g[0]):
        sure = [row for row in rows if row["certified"]]
        lines.append(
            f"| {activation} | {depth} | {n} | {LOADS[activation]} | {len(sure)}/{len(rows)} "
            f"| {listed(rows, 'solves')} | {listed(rows, 'seconds')} "
            f"| {listed(rows, 'anneal_seconds')} "
            f"| {listed(sure, 'n_constraints')} | {listed(sure, 'n_kinks')} "
            f"| {listed(sure, 'negative_modes_hp')} |"
        )
    spectra, found = stored["spectra"], stored["density"]["relu"]
    lines.append(SPECTRA.format(**spectra["relu"], tanh=spectra["tanh"]["seconds"]))
    lines.append(DENSITY.format(**found))
    HOME.with_name("CERTIFICATES.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def listed(rows: list[dict[str, Any]], name: str) -> str:
    return ", ".join(str(row[name]) for row in rows) or "-"


INTRODUCTION = f"""# Certified minima of networks

From `python benchmarks/certificates.py`; one thread, processor seconds. Random patterns, {STEPS}
steps of Adam, then at most {SOLVES} linear solves at a held norm.
Certified: forces balance to 1e-8 with masks at the kinks, the kinks are exact to 1e-8, and no
direction along them lowers the energy.
One number a sample. The bound N_-(Hp) <= N_Δ held at {{bound}} certified states.
"""
HEAD = """\
| activation | depth | N | P/N | certified | solves | seconds | anneal | N_Δ | kinks | N_-(Hp) |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"""
SPECTRA = """
## Dense spectra

H, H0 and Hp of {n_dof} parameters and {patterns} patterns: {seconds} s for relu, {tanh} s for tanh.
The Jacobian of the outputs of the relu network has rank {jacobian_rank}: one less for each unit.
"""
DENSITY = """\
## Lanczos density

relu, {n_dof} parameters at initialisation, 10 probes of 80 steps: {lanczos_seconds} s, next to
{dense_seconds} s for the dense eigenvalues. The dense Hessian is formed at once here: products pay
only where it does not fit. Largest deviation of the smoothed density from the exact one, in error
bars: {largest_deviation_in_errors:.2f}. Trace {trace:.0f}, estimated {trace_estimated[0]:.0f} ±
{trace_estimated[1]:.0f}. Negative eigenvalues {negative}, estimated {negative_estimated[0]:.0f} ±
{negative_estimated[1]:.0f}: a threshold inside a band is smeared over the spacing of the nodes,
and the error bar does not know it."""

TABLES = {"report": report, "certify": certify, "spectra": spectra, "density": density}

if __name__ == "__main__":
    stored = json.loads(HOME.read_text(encoding="utf-8")) if HOME.exists() else {}
    for table in sys.argv[1:] or ("certify", "spectra", "density", "report"):
        TABLES[table](stored.get(table, {}))

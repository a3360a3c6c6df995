"""Minima of the linear hinge above jamming: isostatic, with weak forces and small gaps as there.

    python benchmarks/linear.py [sample] [report]

Each sample is minimised from a random start by the harmonic energy, and from there by the linear
one. ``sample`` keeps forces and gaps in ``benchmarks/linear.npz`` after every tenth, and goes on
where it was; ``report`` fits, writes ``benchmarks/linear.json`` and draws ``docs/linear.png``.
A quarter of an hour of one core.
"""

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")})

import numpy as np
from matplotlib.ticker import NullFormatter

from bridge.descent.linear_hinge import linear_minimum
from bridge.figures.style import BLUE, GREY, RED, log_density, new_figure, save, style
from bridge.measure.observables import backbone_gaps, touched
from bridge.measure.power_laws import GAMMA, THETA, PowerLaw, finite_size_floor, fit_power_law
from bridge.systems import DiscSystem, PerceptronSystem, SphereSystem

HERE = Path(__file__).parent
HOME, NUMBERS = HERE / "linear.npz", HERE / "linear.json"
FIGURE = HERE.parent / "docs" / "linear.png"

CLOSED = 1e-12  # a gap this small is zero
NEAR = 0.1  # gaps that are kept
WEAK, SMALL = 0.1, 0.02  # upper ends of the windows of forces and of gaps
COUNTS = ("n", "marginal", "violated", "self_stresses", "free_motions", "jammed", "seconds")


@dataclass(frozen=True)
class Ensemble:
    """Random starts of one system at one load."""

    system: Any
    load: float
    samples: int

    @property
    def name(self) -> str:
        """What it is called in the figure and in the numbers."""
        if isinstance(self.system, PerceptronSystem):
            return f"perceptron, σ = {self.system.sigma:g}, N = {self.system.n}, α = {self.load:g}"
        return f"{self.system.kind}, {self.system.n} bodies, φ = {self.load:g}"


PLAN = (
    *(Ensemble(PerceptronSystem(n=100), alpha, 40) for alpha in (5.5, 6.0, 8.0, 12.0, 20.0)),
    Ensemble(PerceptronSystem(n=200), 8.0, 60),
    Ensemble(PerceptronSystem(n=400), 8.0, 40),
    Ensemble(PerceptronSystem(n=400), 6.0, 30),
    Ensemble(PerceptronSystem(n=400), 12.0, 30),
    Ensemble(PerceptronSystem(n=100, sigma=0.5), 4.0, 20),
    Ensemble(PerceptronSystem(n=100, sigma=0.5), 1.5, 20),
    Ensemble(DiscSystem(n=64), 0.9, 40),
    Ensemble(DiscSystem(n=64), 1.0, 40),
    Ensemble(SphereSystem(n=64), 0.7, 10),
)
FAMILIES = {  # of one energy, one kind and all loads above
    "perceptron, N = 400": PLAN[6:9],
    "64 discs": PLAN[11:13],
    "64 spheres": PLAN[13:],
}


def sample(ensemble: Ensemble, seed: int) -> dict[str, Any]:
    """Return forces, gaps of both signs near zero, and the counts of one random start."""
    rng = np.random.default_rng([seed, *map(ord, ensemble.name)])
    state = ensemble.system.at(ensemble.load, rng)
    started = time.process_time()
    end = linear_minimum(state)
    seconds = time.process_time() - started
    proof = end.certificate
    if end.status != "jammed" or proof is None:
        counts = [0, 0, 0, 0, 0, 0, seconds]
        return {"counts": counts, "forces": np.empty(0, "f4"), "gaps": np.empty(0, "f4")}
    gaps = backbone_gaps(end.problem, end.x, touched(end.problem))
    near = gaps[(np.abs(gaps) > CLOSED) & (np.abs(gaps) < NEAR)]
    counts = [proof.n, proof.n_marginal, proof.n_violated, proof.n_self_stresses,
              proof.n_free_motions, 1, seconds]  # fmt: skip
    return {"counts": counts, "forces": end.forces.astype("f4"), "gaps": near.astype("f4")}


def sample_all() -> None:
    """Compute the samples that have not been kept."""
    found = dict(np.load(HOME)) if HOME.exists() else {}
    for ensemble in PLAN:
        started = time.process_time()
        for seed in range(ensemble.samples):
            name = f"{ensemble.name}/{seed}"
            if f"{name}/counts" in found:
                continue
            found |= {f"{name}/{k}": np.asarray(v) for k, v in sample(ensemble, seed).items()}
            if seed % 10 == 9:
                np.savez_compressed(HOME, **found)
        print(f"{ensemble.name}: {time.process_time() - started:.0f} s", flush=True)


@dataclass(frozen=True)
class Kept:
    """What was kept of an ensemble: arrays of each sample, and the `COUNTS` as columns."""

    forces: list[Any]
    gaps: list[Any]
    counts: dict[str, Any]


def read() -> dict[str, Kept]:
    """Return what was kept so far, by the names of the ensembles."""
    kept = {}
    with np.load(HOME) as found:
        for ensemble in PLAN:
            names = [f"{ensemble.name}/{seed}" for seed in range(ensemble.samples)]
            names = [name for name in names if f"{name}/counts" in found]
            if not names:
                continue
            rows = np.array([found[f"{name}/counts"] for name in names])
            forces = [found[f"{name}/forces"].astype(float) for name in names]
            gaps = [found[f"{name}/gaps"].astype(float) for name in names]
            columns = dict(zip(COUNTS, rows.T, strict=True))
            kept[ensemble.name] = Kept(forces, gaps, columns)
    return kept


def sides(kept: list[Kept]) -> dict[str, list[Any]]:
    """Return the four quantities that vanish at an end, an array a sample."""
    forces = [force for one in kept for force in one.forces]
    gaps = [gap for one in kept for gap in one.gaps]
    return {
        "λ near 0": forces,
        "1 - λ near 0": [1.0 - force for force in forces],
        "open gaps": [-gap[gap < 0.0] for gap in gaps],
        "violated gaps": [gap[gap > 0.0] for gap in gaps],
    }


def fits(kept: list[Kept]) -> dict[str, PowerLaw]:
    """Return the four exponents, θ of forces and -γ of gaps, above what one a sample is below."""
    found = {}
    for name, values in sides(kept).items():
        high = SMALL if "gaps" in name else WEAK
        floor = finite_size_floor(values, per_sample=1.0)
        found[name] = fit_power_law(values, high, low=min(floor, 0.5 * high))
    return found


def shown(fit: PowerLaw) -> Any:
    if fit.status != "fitted":
        return fit.reason
    return {
        "exponent": round(fit.exponent, 3), "error": round(fit.error, 3), "values": fit.count,
        "window": [float(f"{fit.low:.2g}"), fit.high],
    }  # fmt: skip


def counted(kept: Kept) -> dict[str, Any]:
    """Return how many samples are certified and isostatic, and the time that they took."""
    jammed = kept.counts["jammed"] > 0
    seconds = kept.counts["seconds"]
    of = {name: column[jammed] for name, column in kept.counts.items()}
    return {
        "jammed": int(jammed.sum()),
        "of": len(jammed),
        "isostatic": int(((of["self_stresses"] == 0) & (of["free_motions"] == 0)).sum()),
        "marginal": round(float(of["marginal"].mean()), 2),
        "n": round(float(of["n"].mean()), 2),
        "violated / n": round(float((of["violated"] / of["n"]).mean()), 3),
        "free motions": [int(of["free_motions"].min()), int(of["free_motions"].max())],
        "self-stresses": [int(of["self_stresses"].min()), int(of["self_stresses"].max())],
        "seconds, median and largest": [round(float(np.median(seconds)), 2),
                                        round(float(seconds.max()), 2)],
    }  # fmt: skip


def report() -> None:
    """Write the numbers, and draw the four distributions of each family."""
    kept = read()
    negative = [e.name for e in PLAN if getattr(e.system, "sigma", -1.0) < 0.0 and e.name in kept]
    families = {
        family: [e.name for e in part if e.name in kept] for family, part in FAMILIES.items()
    }
    document = {
        "windows": {"forces below": WEAK, "gaps below": SMALL},
        "mean field": {"θ": THETA, "γ": GAMMA},
        "counts": {name: counted(one) for name, one in kept.items()},
        "exponents": {n: {k: shown(f) for k, f in fits([kept[n]]).items()} for n in negative},
        "together": {
            family: {k: shown(f) for k, f in fits([kept[name] for name in names]).items()}
            for family, names in families.items()
            if names
        },
    }
    NUMBERS.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with style():
        parts = {family: [kept[name] for name in names] for family, names in families.items()}
        save(draw({family: part for family, part in parts.items() if part}), FIGURE, (".png",))
    print(json.dumps(document, indent=1, ensure_ascii=False))


def draw(families: dict[str, list[Kept]]) -> Any:
    """Return the figure: forces at both ends above, gaps of both signs below.

    What all samples together have too little of is left out.
    """
    figure = new_figure(7.2, 4.6)
    axes = figure.subplots(2, len(families), squeeze=False)
    for column, (family, part) in zip(axes.T, families.items(), strict=True):
        found = sides(part)
        column[0].set_title(family)
        for panel, names, power, top in (
            (column[0], ("λ near 0", "1 - λ near 0"), THETA, 0.3),
            (column[1], ("open gaps", "violated gaps"), -GAMMA, 0.03),
        ):
            for name, colour in zip(names, (BLUE, RED), strict=True):
                x, density, _ = log_density(np.concatenate(found[name]), bins_per_decade=5)
                above = x > finite_size_floor(found[name], per_sample=0.3)
                x, density = x[above], density[above]
                panel.plot(x, density, "o-", color=colour, ms=2.5, lw=0.7, label=name)
            at = int(np.argmin(np.abs(np.log(x / top))))
            span = np.array([x.min(), top])
            line = density[at] * (span / x[at]) ** power
            panel.plot(span, line, color=GREY, lw=0.9, zorder=0, label=f"slope {power:+.3f}")
            panel.set(xscale="log", yscale="log")
            for axis in (panel.xaxis, panel.yaxis):
                axis.set_minor_formatter(NullFormatter())
            panel.legend()
        column[0].set(xlabel="force, from its end", xlim=(4e-3, 1.2), ylim=(0.15, 2.0))
        column[1].set_xlabel("|Δ|")
    axes[0, 0].set_ylabel("density")
    axes[1, 0].set_ylabel("density")
    return figure


if __name__ == "__main__":
    words = sys.argv[1:] or ["sample", "report"]
    if "sample" in words:
        sample_all()
    if "report" in words:
        report()

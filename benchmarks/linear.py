"""Minima of the linear hinge above jamming: isostatic, with weak forces and small gaps as there.

    python benchmarks/linear.py [sample] [report]

Each sample is minimised from a random start by the harmonic energy, and from there by the linear
one. ``sample`` keeps forces and gaps in ``benchmarks/linear.npz`` as each ensemble ends, and goes
on where it was; ``report`` fits, writes ``benchmarks/linear.json`` and draws ``docs/linear.png``.
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

from bridge.descent.linear_hinge import LinearMinimum, linear_minimum
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
    Ensemble(PerceptronSystem(n=100), 8.0, 60),
    Ensemble(PerceptronSystem(n=200), 6.0, 60),
    Ensemble(PerceptronSystem(n=200), 8.0, 60),
    Ensemble(PerceptronSystem(n=200), 12.0, 60),
    Ensemble(PerceptronSystem(n=400), 8.0, 40),
    Ensemble(PerceptronSystem(n=200, sigma=0.5), 4.0, 20),
    Ensemble(DiscSystem(n=128), 0.9, 40),
    Ensemble(DiscSystem(n=128), 1.0, 40),
    Ensemble(SphereSystem(n=100), 0.7, 30),
)
FAMILIES = {  # of one energy, one kind and all loads above
    "perceptron": PLAN[1:5],
    "discs": PLAN[6:8],
    "spheres": PLAN[8:],
}


def sample(ensemble: Ensemble, seed: int) -> tuple[LinearMinimum, float]:
    """Return the minimum of one random start, and the processor time of the linear energy."""
    rng = np.random.default_rng([PLAN.index(ensemble), seed])
    state = ensemble.system.at(ensemble.load, rng)
    started = time.process_time()
    return linear_minimum(state), time.process_time() - started


def measured(ensemble: Ensemble) -> dict[str, Any]:
    """Return forces, gaps of both signs near zero, and counts of all samples, one after another."""
    kept: dict[str, list[Any]] = {name: [] for name in ("forces", "gaps", "counts", "seconds")}
    statuses = []
    for seed in range(ensemble.samples):
        end, seconds = sample(ensemble, seed)
        statuses.append(str(end.status))
        if end.status != "jammed" or end.certificate is None:
            continue
        gaps = backbone_gaps(end.problem, end.x, touched(end.problem))
        near = gaps[(np.abs(gaps) > CLOSED) & (np.abs(gaps) < NEAR)]
        proof = end.certificate
        kept["forces"].append(end.forces)
        kept["gaps"].append(near)
        kept["counts"].append(
            [proof.n, proof.n_marginal, proof.n_violated, proof.n_self_stresses,
             proof.n_free_motions, len(end.forces), len(near)]
        )  # fmt: skip
        kept["seconds"].append(seconds)
    return {
        "forces": np.concatenate(kept["forces"]).astype(np.float32),
        "gaps": np.concatenate(kept["gaps"]).astype(np.float32),
        "counts": np.array(kept["counts"]),
        "seconds": np.array(kept["seconds"]),
        "statuses": np.array(statuses),
    }


def sample_all() -> None:
    """Compute the ensembles that have not been kept."""
    found = dict(np.load(HOME)) if HOME.exists() else {}
    for ensemble in PLAN:
        if f"{ensemble.name}/counts" in found:
            continue
        started = time.process_time()
        found |= {f"{ensemble.name}/{name}": v for name, v in measured(ensemble).items()}
        np.savez_compressed(HOME, **found)
        print(f"{ensemble.name}: {time.process_time() - started:.0f} s", flush=True)


@dataclass(frozen=True)
class Kept:
    """What was kept of an ensemble: arrays of each sample."""

    forces: list[Any]
    gaps: list[Any]
    counts: Any
    seconds: Any
    statuses: Any


def read() -> dict[str, Kept]:
    """Return what was kept, by the names of the ensembles."""
    found = np.load(HOME)
    kept = {}
    for ensemble in PLAN:
        part = {name: found[f"{ensemble.name}/{name}"] for name in Kept.__dataclass_fields__}
        ends = np.cumsum(part["counts"][:, 5:7], axis=0)[:-1]
        part["forces"] = np.split(part["forces"].astype(float), ends[:, 0])
        part["gaps"] = np.split(part["gaps"].astype(float), ends[:, 1])
        kept[ensemble.name] = Kept(**part)
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
    """Return the four exponents: θ of forces, -γ of gaps."""
    found = {}
    for name, values in sides(kept).items():
        high = SMALL if "gaps" in name else WEAK
        floor = finite_size_floor(values) if "gaps" in name else 0.0
        found[name] = fit_power_law(values, high, low=min(floor, 0.1 * high))
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
    n, marginal, violated, stresses, free = kept.counts.T[:5]
    return {
        "jammed": int((kept.statuses == "jammed").sum()),
        "of": len(kept.statuses),
        "isostatic": int(((stresses == 0) & (free == 0)).sum()),
        "marginal / n": round(float((marginal / n).mean()), 4),
        "violated / n": round(float((violated / n).mean()), 3),
        "free motions": [int(free.min()), int(free.max())],
        "seconds, median and largest": [round(float(np.median(kept.seconds)), 2),
                                        round(float(kept.seconds.max()), 2)],
    }  # fmt: skip


def report() -> None:
    """Write the numbers, and draw the four distributions of each family."""
    kept = read()
    negative = [e.name for e in PLAN if getattr(e.system, "sigma", -1.0) < 0.0]
    document = {
        "windows": {"forces below": WEAK, "gaps below": SMALL},
        "mean field": {"θ": THETA, "γ": GAMMA},
        "counts": {name: counted(one) for name, one in kept.items()},
        "exponents": {n: {k: shown(f) for k, f in fits([kept[n]]).items()} for n in negative},
        "together": {
            family: {k: shown(f) for k, f in fits([kept[e.name] for e in part]).items()}
            for family, part in FAMILIES.items()
        },
    }
    NUMBERS.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with style():
        save(draw(kept), FIGURE, (".png",))
    print(json.dumps(document, indent=1, ensure_ascii=False))


def draw(kept: dict[str, Kept]) -> Any:
    """Return the figure: forces at both ends above, gaps of both signs below."""
    figure = new_figure(7.2, 4.6)
    axes = figure.subplots(2, len(FAMILIES), squeeze=False)
    for column, (family, part) in zip(axes.T, FAMILIES.items(), strict=True):
        found = sides([kept[ensemble.name] for ensemble in part])
        column[0].set_title(family)
        for panel, names, power, top in (
            (column[0], ("λ near 0", "1 - λ near 0"), THETA, 0.3),
            (column[1], ("open gaps", "violated gaps"), -GAMMA, 0.03),
        ):
            for name, colour in zip(names, (BLUE, RED), strict=True):
                x, density = log_density(np.concatenate(found[name]), bins_per_decade=5)
                panel.plot(x, density, "o-", color=colour, ms=2.5, lw=0.7, label=name)
            at = int(np.argmin(np.abs(np.log(x / top))))
            span = np.array([x.min(), top])
            line = density[at] * (span / x[at]) ** power
            panel.plot(span, line, color=GREY, lw=0.9, zorder=0, label=f"slope {power:+.3f}")
            panel.set(xscale="log", yscale="log")
            panel.legend()
        column[0].set_xlabel("force, from its end")
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

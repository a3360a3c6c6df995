"""Avalanche exponents of the perceptron: at jamming, and inside of the unsatisfied phase.

    python benchmarks/avalanche_exponents.py [sample] [report]

Sizes are falls ``S`` of the force that the load works against, ``dU/dt``, and of the energy, ``D``:

- *jamming*: the largest margin of a perceptron of negative margin, whose gaps drift at random
  rates; no constraint is ever violated. Mean field has ``P(S) ∝ S^-τ``, ``τ = (3 + θ)/(2 + θ) =
  1.413`` (Franz, Spigler, Phys. Rev. E 95, 022139, 2017).
- *linear*: minima of ``Σ max(Δ, 0)`` above jamming, as the margin grows (Franz, Sclocchi, Urbani,
  SciPost Phys. 9, 012, 2020). They are isostatic as at jamming.
- *harmonic*: minima of ``½ Σ max(Δ, 0)²`` above it, as the margin grows. Mean field: ``τ = 1``.

The first quarter of each loading is left out. The window of a fit was set before the runs: from
``C/300`` to ``C/3`` for ``S`` and from ``C/30000`` to ``C/3`` for ``D``, with the cut-off
``C = ⟨S²⟩/⟨S⟩``. Errors are by drawing loadings again; an exponent decides if that is below 0.05
and the upper half of the decades has the same to 0.05.

``sample`` keeps sizes in ``avalanche_exponents.npz`` after each loading, and goes on where it was;
``report`` fits, writes ``avalanche_exponents.json`` and draws ``docs/avalanche_exponents.png``.
Twenty minutes of one core.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")})

import numpy as np

from bridge.avalanches.drift import AtPressure, Drifting
from bridge.avalanches.loading import drive
from bridge.avalanches.sizes import Sizes
from bridge.avalanches.surf import surf
from bridge.descent.corners import Corner, settle
from bridge.figures.style import BLUE, GREY, ORANGE, RED, log_density, new_figure, save, style
from bridge.measure.power_laws import THETA, PowerLaw, fit_power_law
from bridge.protocols import Vector
from particles import Perceptron, descend

HERE = Path(__file__).parent
HOME, NUMBERS = HERE / "avalanche_exponents.npz", HERE / "avalanche_exponents.json"
FIGURE = HERE.parent / "docs" / "avalanche_exponents.png"

TRANSIENT = 0.25  # part of a loading that is left out
TOP, SPAN = 1 / 3, {"relief": 1e2, "drop": 1e4}  # windows, in units of the cut-off
WANTED = 0.05  # error of an exponent that decides
MEAN_FIELD = {"jamming": (3 + THETA) / (2 + THETA), "harmonic": 1.0}
Loaded = tuple[Vector, Vector, Vector, str, float]  # loads, drops, reliefs, status, resolution


def jamming(n: int, rng: np.random.Generator) -> Loaded:
    """Let the gaps of a jammed perceptron drift; forces add up to 1/2, and sizes are for 1."""
    plain = Perceptron.random(n, 6.0, -0.5, rng)
    problem = AtPressure(Drifting(plain, rng.standard_normal(6 * n)), pressure=0.5)
    x = np.append(plain.random_state(rng), 0.0)
    x[-1] = -problem.gaps(x)[:-1].max() - 1e-3
    loads, drops, reliefs, status, resolution = surfed(Corner.at(problem, x), 20.0 / n)
    return loads, drops / 0.5, reliefs / 0.5, status, resolution


def linear(n: int, rng: np.random.Generator) -> Loaded:
    """Raise the margin of a perceptron with the linear energy."""
    problem = Perceptron.random(n, 8.0, -0.5, rng)
    x = descend(problem, problem.random_state(rng)).x
    return surfed(Corner.at(problem, x), 5.0 / n)


def surfed(start: Corner, by: float) -> Loaded:
    found = surf(settle(start), by)
    loads = np.array([fall.load for fall in found.avalanches]) / by
    drops, reliefs = found.sizes("drop"), found.sizes("relief")
    return loads, drops, reliefs, found.status, found.resolution


def harmonic(n: int, rng: np.random.Generator) -> Loaded:
    """Raise the margin of a perceptron with the harmonic energy."""
    problem = Perceptron.random(n, 8.0, -0.5, rng)
    end = descend(problem, problem.random_state(rng))
    by = 40.0 / n
    found = drive(problem, end.x, np.linspace(0.0, by, 201), with_spectra=False)
    falls = found.avalanches
    loads = np.array([fall.load for fall in falls]) / by
    reliefs = np.array([fall.relief for fall in falls])
    return loads, found.drops, reliefs, found.status, found.resolution


@dataclass(frozen=True)
class Ensemble:
    """Loadings of one kind at one size."""

    kind: str
    run: Callable[[int, np.random.Generator], Loaded]
    n: int
    samples: int

    @property
    def name(self) -> str:
        """What it is called in the files."""
        return f"{self.kind}, N = {self.n}"


PLAN = (
    Ensemble("jamming", jamming, 50, 24),
    Ensemble("jamming", jamming, 100, 13),
    Ensemble("jamming", jamming, 200, 1),
    Ensemble("harmonic", harmonic, 50, 72),
    Ensemble("harmonic", harmonic, 100, 12),
    Ensemble("linear", linear, 50, 20),
)


def sample_all() -> None:
    """Compute the loadings that have not been kept."""
    found = dict(np.load(HOME)) if HOME.exists() else {}
    for ensemble in PLAN:
        for seed in range(ensemble.samples):
            name = f"{ensemble.name}/{seed}"
            if f"{name}/loads" in found:
                continue
            rng = np.random.default_rng([seed, *map(ord, ensemble.name)])
            started = time.process_time()
            loads, drops, reliefs, status, resolution = ensemble.run(ensemble.n, rng)
            seconds = time.process_time() - started
            found[f"{name}/loads"] = loads.astype("f4")
            found[f"{name}/drop"] = drops.astype("f4")
            found[f"{name}/relief"] = reliefs.astype("f4")
            found[f"{name}/ended"] = np.array([status == "loaded", resolution, seconds])
            np.savez_compressed(HOME, **found)
            print(f"{name}: {len(loads)} in {seconds:.0f} s, {status}", flush=True)


@dataclass(frozen=True)
class Kept:
    """What was kept of an ensemble after the transient: sizes by name, a loading an array."""

    n: int
    sizes: dict[str, list[Vector]]
    ended: Vector

    def window(self, name: str) -> tuple[float, float]:
        """Return the window of a fit."""
        high = TOP * Sizes(self.n, self.sizes[name], 0.0).cutoff()
        return high / SPAN[name], high


def read() -> dict[str, Kept]:
    """Return what was kept so far, by the names of the ensembles."""
    kept = {}
    with np.load(HOME) as found:
        for ensemble in PLAN:
            names = [f"{ensemble.name}/{seed}" for seed in range(ensemble.samples)]
            names = [name for name in names if f"{name}/loads" in found]
            if names:
                late = [found[f"{name}/loads"] > TRANSIENT for name in names]
                sizes = {
                    size: [
                        np.abs(found[f"{name}/{size}"][then]).astype(float)
                        for name, then in zip(names, late, strict=True)
                    ]
                    for size in SPAN
                }
                ended = np.array([found[f"{name}/ended"] for name in names])
                kept[ensemble.name] = Kept(ensemble.n, sizes, ended)
    return kept


def shown(kept: Kept, name: str) -> dict[str, Any]:
    """Return the exponent of one size, its error, and what an error of 0.05 would take."""
    low, high = kept.window(name)
    fit: PowerLaw = fit_power_law(kept.sizes[name], high, low=low)
    if fit.status != "fitted":
        return {"reason": fit.reason, "window": [float(f"{w:.2g}") for w in (low, high)]}
    times = (fit.error / WANTED) ** 2
    half = fit_power_law(kept.sizes[name], high, low=high / SPAN[name] ** 0.5)
    return {
        "τ": round(-fit.exponent, 3), "error": round(fit.error, 3), "avalanches": fit.count,
        "window": [float(f"{w:.2g}") for w in (low, high)],
        "distance": round(fit.distance, 3),
        "τ in the upper half of the decades": half.reason or round(-half.exponent, 3),
        "decides": bool(fit.error < WANTED and abs(half.exponent - fit.exponent) < WANTED),
        "loadings for an error of 0.05": int(np.ceil(times * fit.samples)),
        "core-minutes for them": round(times * float(kept.ended[:, 2].sum()) / 60, 1),
    }  # fmt: skip


def report() -> None:
    """Write the numbers, and draw the distributions."""
    kept = read()
    document = {
        "mean field": {name: round(value, 3) for name, value in MEAN_FIELD.items()},
        **{
            name: {
                "loadings": len(one.ended), "stalled": int((one.ended[:, 0] == 0).sum()),
                "avalanches": sum(map(len, one.sizes["drop"])),
                "largest drop unseen": float(f"{one.ended[:, 1].max():.1g}"),
                "seconds": round(float(one.ended[:, 2].sum())),
                "S": shown(one, "relief"), "D": shown(one, "drop"),
            }
            for name, one in kept.items()
        },
    }  # fmt: skip
    NUMBERS.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with style():
        save(draw(kept), FIGURE, (".png",))
    print(json.dumps(document, indent=1, ensure_ascii=False))


def draw(kept: dict[str, Kept]) -> Any:
    """Return the figure: sizes of all ensembles, a column a kind, with the powers of mean field."""
    kinds = [kind for kind in ("jamming", "linear", "harmonic") if any(kind in k for k in kept)]
    figure = new_figure(7.2, 4.6)
    axes = figure.subplots(2, len(kinds), squeeze=False)
    for column, kind in zip(axes.T, kinds, strict=True):
        column[0].set_title(kind)
        ours = [one for name, one in kept.items() if name.startswith(f"{kind}, N")]
        for row, (panel, name) in enumerate(zip(column, SPAN, strict=True)):
            for one, colour in zip(ours, (BLUE, ORANGE, RED), strict=False):
                values = np.concatenate(one.sizes[name])
                x, density, _ = log_density(values[values > 0.0], bins_per_decade=3)
                panel.plot(x, density, "o-", color=colour, ms=2.5, lw=0.7, label=f"N = {one.n}")
                low, high = one.window(name)
                inside = (x > low) & (x < high)
                panel.plot(x[inside], density[inside], "-", color=colour, lw=2.0)
            if row == 0:
                power = MEAN_FIELD.get(kind, MEAN_FIELD["jamming"])
                span = np.array([low, high])
                line = np.interp(high, x, density) * (span / high) ** -power
                panel.plot(span, 3 * line, color=GREY, lw=0.9, label=f"slope -{power:.2f}")
            panel.set(xscale="log", yscale="log", xlabel=("S", "D")[row])
            panel.legend()
    axes[0, 0].set_ylabel("density")
    axes[1, 0].set_ylabel("density")
    return figure


if __name__ == "__main__":
    words = sys.argv[1:] or ["sample", "report"]
    if "sample" in words:
        sample_all()
    if "report" in words:
        report()

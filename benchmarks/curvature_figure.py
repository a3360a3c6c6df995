"""Draw ``docs/curvature.png``: the curvature of `curvature` against the distance to jamming.

python benchmarks/curvature_figure.py [FILE.npz]
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from curvature import DISTANCES, HOME, SEEDS, SYSTEMS
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bridge.figures.style import BLUE, GREEN, GREY, ORANGE, RED, style

FIGURE = Path(__file__).parent.parent / "docs" / "curvature.png"
COLOURS = dict(zip(SYSTEMS, (BLUE, GREEN, GREY, RED, ORANGE), strict=True))
SHOWN = (1, 5)  # distances of the densities
PART = 0.05  # of the motions below the frequency that is followed


def spectra(states: dict[str, Any], system: str, k: int, name: str) -> list[Any]:
    """Return the eigenvalues ``name`` of all samples of a system at a distance."""
    keys = [f"{system} {seed} {k} {name}" for seed in range(SEEDS)]
    return [states[key] for key in keys if key in states]


def frequencies(values: Any) -> Any:
    """Return ``ω = √λ`` in units of the root of the mean stiffness; 0 where ``λ < 0``."""
    return np.sqrt(np.maximum(values, 0.0))


def followed(states: dict[str, Any], system: str, value: Any) -> tuple[Any, Any, Any]:
    """Return the distances that were reached, and mean and error over samples of a number."""
    found = [
        [value(counts, h) for counts, h in zip(*both, strict=True)]
        for k in range(len(DISTANCES))
        for both in [(spectra(states, system, k, "counts"), spectra(states, system, k, "h"))]
    ]
    there = [k for k, each in enumerate(found) if each]
    means = np.array([np.mean(found[k]) for k in there])
    return np.array(DISTANCES)[there], means, np.array([_error(found[k]) for k in there])


def _error(values: list[float]) -> float:
    """Return the standard error of a mean; 0 of one value, which has none to be drawn."""
    return float(np.std(values, ddof=1) / len(values) ** 0.5) if len(values) > 1 else 0.0


def soft(counts: Any, values: Any) -> float:
    """Return the frequency below which `PART` of the motions lie."""
    del counts
    return float(np.quantile(frequencies(values), PART))


def excess(counts: Any, values: Any) -> float:
    """Return constraints and kinks beyond those of isostaticity, per degree of freedom."""
    del values
    return float((counts[1] + counts[2] - counts[0] - 1.0) / counts[0])


def drawn(states: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(9.6, 6.4), layout="constrained")
    axes = figure.subplots(2, 3)
    for axis, k in zip(axes[0, :2], SHOWN, strict=True):
        densities(axis, states, k)
    parts(axes[0, 2], states)
    for axis, value in zip(axes[1, :2], (soft, excess), strict=True):
        for system in SYSTEMS:
            axis.errorbar(
                *followed(states, system, value),
                fmt="o-",
                ms=4,
                color=COLOURS[system],
                label=system,
            )
        axis.set(xscale="log", xlabel="distance to jamming, t − t$_J$")
    line = np.array([1e-4, 1e-1])
    axes[1, 0].plot(line, 1.5 * line**0.5, "--", color="black", lw=0.8, label="∝ √t")
    axes[1, 0].set(yscale="log", ylabel=f"frequency with {PART:.0%} of the motions below")
    axes[1, 1].set(ylabel="(constraints + kinks − n − 1)/n")
    axes[1, 1].axhline(0.0, color="black", lw=0.8)
    for system in SYSTEMS:
        (_, x, dx), (_, y, dy) = followed(states, system, excess), followed(states, system, soft)
        axes[1, 2].errorbar(x, y, dy, dx, fmt="o", ms=4, color=COLOURS[system])
    axes[1, 2].set(
        yscale="log", xlabel="(constraints + kinks − n − 1)/n", ylabel="the same frequency"
    )
    figure.legend(*axes[1, 0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure


def densities(axis: Axes, states: dict[str, Any], k: int) -> None:
    """Draw the part of all motions below each frequency: a flat density is a straight line."""
    for system in SYSTEMS:
        values = [frequencies(each) for each in spectra(states, system, k, "h")]
        if values:
            pooled = np.sort(np.concatenate(values))
            axis.plot(pooled, np.arange(1, len(pooled) + 1) / len(pooled), color=COLOURS[system])
    axis.set(xscale="log", yscale="log", xlim=(1e-4, 3.0), ylim=(3e-3, 1.1))
    axis.set(
        xlabel="frequency ω", ylabel="part of the motions below", title=f"H, t = {DISTANCES[k]:g}"
    )


def parts(axis: Axes, states: dict[str, Any]) -> None:
    """Draw the extent of ``Hp`` over that of ``H0``: how far the prestress reaches."""
    for system in SYSTEMS:
        for name, ls in (("h0", ":"), ("hp", "-")):
            kept = [spectra(states, system, k, name) for k in range(len(DISTANCES))]
            there = [k for k, each in enumerate(kept) if each]
            low = [np.mean([np.abs(v).mean() for v in kept[k]]) for k in there]
            axis.plot(np.array(DISTANCES)[there], low, ls, color=COLOURS[system])
    axis.set(xscale="log", yscale="log", xlabel="distance to jamming, t − t$_J$")
    axis.set(ylabel="mean |λ|", title="H0 (dotted) and Hp")


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else HOME
    with style():
        figure = drawn(dict(np.load(path)))
        figure.savefig(FIGURE, dpi=130)
    print(FIGURE)


if __name__ == "__main__":
    main()

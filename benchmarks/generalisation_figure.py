"""Fit and draw `generalisation`: ``docs/generalisation_powers.png``, and a table of the powers.

    python benchmarks/generalisation_figure.py [FILE.json]

A power is fitted to each group of networks by itself, by least squares of logarithms; its error is
that of the mean over groups. Windows, set before the run: the norm ``|f|`` from N* to `NEAR` N*
against ``N - N*``; from `FAR` N* on, against N, the spread and what the error is beyond that of the
mean output.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from generalisation import EACH, GROUPS, HOME, WIDTHS
from matplotlib.figure import Figure

from bridge.figures.style import BLACK, BLUE, GREEN, ORANGE, save, style
from bridge.measure.midpoint import midpoint

FIGURE = Path(__file__).parent.parent / "docs" / "generalisation_powers"
NEAR, FAR = 4.0, 10.0
LOOKS = {1: (BLUE, "o"), 2: (ORANGE, "s")}  # by depth

Rows = list[dict[str, Any]]


def threshold(rows: Rows) -> float:
    """Return N*, at which half of the living networks fit."""
    sizes = sorted({row["n_weights"] for row in rows})
    counts = [
        [sum(row[key] for row in rows if row["n_weights"] == n) for n in sizes]
        for key in ("fitted", "alive")
    ]
    return float(np.exp(-midpoint(-np.log(sizes), *map(np.array, counts)).value))


def norm(row: dict[str, Any]) -> float | None:
    return row["norm"]


def spread(row: dict[str, Any]) -> float | None:
    return row["spread"]


def excess(row: dict[str, Any]) -> float | None:
    """Return the error of a network beyond that of the mean output of its group."""
    return None if row["averaged"] is None else row["error"] - row["averaged"]


def power(rows: Rows, value: Any, low: float, high: float, shift: float = 0.0) -> tuple[float, ...]:
    """Return the power of ``value`` in ``N - shift``, its error, and the sizes in the window."""
    slopes = []
    for group in range(GROUPS):
        chosen = [r for r in rows if r["group"] == group and low < r["n_weights"] <= high]
        chosen = [r for r in chosen if (value(r) or 0.0) > 0.0]
        x = np.log([r["n_weights"] - shift for r in chosen])
        slopes.append(np.polyfit(x, np.log([value(r) for r in chosen]), 1)[0])
    return np.mean(slopes), np.std(slopes, ddof=1) / GROUPS**0.5, len(x)


def means(rows: Rows, value: Any) -> tuple[Any, Any, Any]:
    """Return sizes, and mean and error over groups of a number."""
    sizes = sorted({row["n_weights"] for row in rows})
    found = [
        [v for r in rows if r["n_weights"] == n and (v := value(r)) is not None] for n in sizes
    ]
    kept = [
        (n, np.mean(v), np.std(v, ddof=1) / len(v) ** 0.5)
        for n, v in zip(sizes, found, strict=True)
        if len(v) > 1
    ]
    return tuple(np.array(column) for column in zip(*kept, strict=True))


def report(rows: Rows) -> None:
    print("| depth | N* | norm against N - N* | spread against N | excess of the error against N |")
    print("|" + " --- |" * 5)
    for depth in WIDTHS:
        found = [row for row in rows if row["depth"] == depth]
        at = threshold(found)
        fits = (
            power(found, norm, at, NEAR * at, at),
            power(found, spread, FAR * at, np.inf),
            power(found, excess, FAR * at, np.inf),
        )
        said = " | ".join(f"{k:.2f} ± {e:.2f}, {n} sizes" for k, e, n in fits)
        print(f"| {depth} | {at:.0f} | {said} |")


def drawn(rows: Rows) -> Figure:
    figure = Figure(figsize=(9.6, 3.4), layout="constrained")
    errors, norms, spreads = figure.subplots(1, 3)
    for depth, (colour, marker) in LOOKS.items():
        found = [row for row in rows if row["depth"] == depth]
        at = threshold(found)
        name = f"{depth} layer{'s' if depth > 1 else ''}"
        look = {"color": colour, "marker": marker, "ms": 4, "lw": 0.9}
        errors.errorbar(*means(found, lambda row: row["error"]), **look, label=name)
        errors.errorbar(
            *means(found, lambda row: row["averaged"]),
            **look | {"mfc": "white", "ls": ":"},
            label=f"mean output of {EACH}",
        )
        norms.errorbar(*means(found, norm), **look)
        spreads.errorbar(*means(found, spread), **look)
        for axes in (errors, norms, spreads):
            axes.axvline(at, color=colour, ls="--", lw=0.7)
    line = np.array([1e3, 2e4])
    for k, colour in ((0.5, BLACK), (0.25, GREEN)):
        spreads.plot(
            line, 2.0 * (line / line[0]) ** -k, color=colour, lw=0.8, label=f"N$^{{-{k}}}$"
        )
    errors.set(ylabel="error on unseen digits", ylim=(0, None))
    norms.set(yscale="log", ylabel="norm of the output |f|")
    spreads.set(yscale="log", ylabel="spread |f − mean f|")
    errors.legend()
    spreads.legend()
    for axes in (errors, norms, spreads):
        axes.set(xscale="log", xlabel="weights N (dashed: N*)")
    return figure


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else HOME
    rows = json.loads(path.read_text(encoding="utf-8"))
    report(rows)
    with style():
        save(drawn(rows), FIGURE)


if __name__ == "__main__":
    main()

"""Error on unseen digits against the number of weights, through the transition N*.

The error of one network has its peak about N*, where the output is largest; with more weights it
falls, since networks of different initialisation differ less. The sign of their mean output has no
such peak, and stopping early takes most of it away. This runs in seconds; with --full it is the
study of generalisation.json. N* is that of this length of training: longer ones bring it down.
"""

import json
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from bridge.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, save, style
from bridge.measure.midpoint import midpoint
from networks import Mlp, Patterns, digits, generalise

FULL = "--full" in sys.argv
WIDTHS = (2, 3, 4, 5, 6, 8, 11, 16, 34) if FULL else (2, 6)
SAMPLES, STEPS, TAUGHT = (12, 20_000, 300) if FULL else (2, 200, 60)
DEPTH, INPUT_DIM = 1, 10


def split(patterns, sizes):
    ends = np.cumsum(sizes)
    parts = zip([0, *ends], [*ends, len(patterns)], strict=True)
    return [Patterns(patterns.x[a:b], patterns.y[a:b]) for a, b in parts]


def measure(width, taught, validation, test):
    rngs = [np.random.default_rng(s) for s in np.random.SeedSequence(0).spawn(SAMPLES)]
    mlp = Mlp(INPUT_DIM, width, DEPTH)
    found = generalise(mlp, taught, validation, test, rngs, steps=STEPS)
    alive = max(1, len(found.errors))
    return {
        "width": width,
        "n_weights": found.n_weights,
        "fitted": found.fitted,
        "dead": found.dead,
        "alive": len(found.errors),
        "error": found.errors.mean() if len(found.errors) else None,
        "error_of_mean": found.errors.std() / np.sqrt(alive) if len(found.errors) else None,
        "stopped": found.stopped.mean() if len(found.stopped) else None,
        "error_of_stopped": found.stopped.std() / np.sqrt(alive) if len(found.stopped) else None,
        "averaged": found.averaged,
        "norm": found.norms.mean() if len(found.norms) else None,
        "error_of_norm": found.norms.std() / np.sqrt(alive) if len(found.norms) else None,
        "spread": found.spread,
    }


def n_star(rows):
    """N at which half of the networks that live fit, from the same trainings."""
    columns = [np.array([row[k] for row in rows]) for k in ("n_weights", "fitted", "alive")]
    try:
        found = midpoint(-np.log(columns[0]), *columns[1:])
    except ValueError:
        return None
    return float(np.exp(-found.value))


def curve(axes, x, rows, key, **look):
    """A number of each row, with its error over the networks if there is one."""
    errors = [row.get(f"error_of_{key}") or 0.0 for row in rows]
    axes.errorbar(x, [row[key] for row in rows], errors if any(errors) else None, **look)


def draw(rows, at):
    x = [row["n_weights"] for row in rows]
    with style():
        figure = Figure(figsize=(6.6, 2.8), layout="constrained")
        errors, outputs = figure.subplots(1, 2)
        for axes in (errors, outputs):
            axes.set(xscale="log", xlabel="weights N")
            axes.set_xticks([30, 60, 120, 240], ["30", "60", "120", "240"])
            axes.set_xticks([], minor=True)
            if at:
                axes.axvline(at, color=GREY, lw=0.7, ls=":")
                axes.annotate(
                    " N*", (at, 0.02), xycoords=("data", "axes fraction"), ha="left", va="bottom"
                )
        error = [row["error"] for row in rows], [row["error_of_mean"] for row in rows]
        errors.errorbar(x, *error, color=BLACK, marker="o", lw=0.9, label="end of training")
        for key, colour, marker, label in (
            ("stopped", ORANGE, "s", "stopped early"),
            ("averaged", BLUE, "^", f"mean output of {SAMPLES} networks"),
        ):
            curve(errors, x, rows, key, color=colour, marker=marker, label=label)
        errors.set(ylabel="error on unseen digits", ylim=(0, None))
        errors.legend(loc="lower right", title="bars: error of the mean over networks")
        for key, colour, marker, label in (
            ("norm", BLACK, "o", "|f|"),
            ("spread", GREEN, "D", "spread |f − mean f|"),
        ):
            curve(outputs, x, rows, key, color=colour, marker=marker, label=label)
        outputs.set(yscale="log", ylabel="output on unseen digits")
        outputs.set_yticks([0.5, 1, 2, 4, 8, 16], ["0.5", "1", "2", "4", "8", "16"])
        outputs.set_yticks([], minor=True)
        outputs.legend()
    return figure


parts = split(digits(INPUT_DIM, rng=np.random.default_rng(0)), [TAUGHT, 400])
rows = []
print(f"{'N':>5}{'fitted':>8}{'error':>8}{'stopped':>9}{'averaged':>10}{'|f|':>8}")
for width in WIDTHS:
    row = measure(width, *parts)
    if row["alive"]:
        rows.append(row)
        print(
            f"{row['n_weights']:5}{row['fitted']:4}/{row['alive']:<3}{row['error']:8.3f}"
            f"{row['stopped']:9.3f}{row['averaged']:10.3f}{row['norm']:8.2f}",
            flush=True,
        )
at = n_star(rows)
print("N* is not in this range" if at is None else f"N* = {at:.0f}")
Path("generalisation.json").write_text(
    json.dumps({"n_star": at, "steps": STEPS, "rows": rows}), encoding="utf-8"
)
save(draw(rows, at), Path("generalisation"))

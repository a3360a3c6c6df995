"""How many parameters it takes to learn P patterns: the phase diagram N*(P) of deep networks.

Below each point networks of that depth do not fit, above it they do. Random labels set the
capacity; digits have structure, and need fewer parameters. This runs in seconds; with --full it
is a study of some 25 core minutes, which continues where it was if it is interrupted.
"""

import json
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bridge.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, save, style
from bridge.records.store import Store
from bridge.runs.progress import Progress
from bridge.runs.transition_search import LoadSearch, as_json, find
from bridge.systems import NetworkSystem

FULL = "--full" in sys.argv
DEPTHS = {1: BLACK, 2: ORANGE, 3: BLUE, 5: GREEN} if FULL else {1: BLACK, 2: ORANGE}
PATTERNS = (250, 500, 1000) if FULL else (30,)
SAMPLES, STEPS = (8, 8000) if FULL else (2, 1500)
INPUT_DIM = 10
# Patterns per weight of the widest networks tried.
FEWEST = {"random": 1.0, "digits": 2.0} if FULL else {"random": 0.3, "digits": 0.5}


def width(n_weights, depth):
    """The width at which a network has so many weights: h² (depth - 1) + h (d + 1) = N."""
    a, b = depth - 1, INPUT_DIM + 1
    return n_weights / b if a == 0 else (np.sqrt(b * b + 4 * a * n_weights) - b) / (2 * a)


def search(data, depth, patterns):
    high = max(4, int(np.ceil(width(patterns / FEWEST[data], depth))))
    system = NetworkSystem(
        depth=depth,
        input_dim=INPUT_DIM,
        patterns=patterns,
        data=data,
        steps=STEPS,
        polish=0,
        norm="free",  # Adam alone, as in the paper
    )
    return LoadSearch(system, 2, high, 1, SAMPLES, seed=0)


def draw(found):
    with style():
        figure = Figure(figsize=(7.4, 2.9), layout="constrained")
        diagram, jump = figure.subplots(1, 2)
        for depth, colour in DEPTHS.items():
            for data, fill, line in (("random", colour, "-"), ("digits", "white", "--")):
                mine = [f for f in found if (f["data"], f["depth"]) == (data, depth) and f["load"]]
                n_star = [f["n_star"] for f in mine]
                error = [f["n_star"] * f["load"]["error"] / f["load"]["value"] for f in mine]
                diagram.errorbar(
                    [f["patterns"] for f in mine], n_star, error,
                    color=colour, ls=line, marker="o", mfc=fill, lw=0.9,
                )  # fmt: skip
                points = [p for f in mine for p in f["points"]]
                jump.plot(
                    [p["load"] for p in points], [p["constraint_ratio"] or 0 for p in points],
                    color=colour, ls="none", marker="o", mfc=fill, ms=3.5,
                )  # fmt: skip
        diagram.set(
            xscale="log", yscale="log", xlabel="patterns P", ylabel="weights N* at which half fit"
        )
        ticks = [*PATTERNS]
        diagram.set_xticks(ticks, [str(p) for p in ticks])
        heights = [t for t in (5, 10, 20, 50, 100, 200, 500, 1000)
                   if diagram.get_ylim()[0] <= t <= diagram.get_ylim()[1]]  # fmt: skip
        diagram.set_yticks(heights, [str(t) for t in heights])
        diagram.set_xticks([], minor=True)
        diagram.set_yticks([], minor=True)
        jump.axhline(0, color=GREY, lw=0.7)
        jump.set(xscale="log", xlabel="load P/N", ylabel="violated patterns per weight N$_Δ$/N\n"
                 "(0: all networks of a load fit)")  # fmt: skip
        jump.set_xticks([1, 2, 4, 8, 16], ["1", "2", "4", "8", "16"])
        jump.set_xticks([], minor=True)
        looks = [Line2D([], [], color=c, marker="o", label=f"depth {d}") for d, c in DEPTHS.items()]
        looks += [
            Line2D([], [], color=GREY, marker="o", label="random labels"),
            Line2D([], [], color=GREY, marker="o", mfc="white", ls="--", label="digits, parity"),
        ]
        figure.legend(handles=looks, handlelength=3, loc="outside right upper")
    return figure


plan = [search(data, depth, p) for p in PATTERNS for data in FEWEST for depth in DEPTHS]
found = []
print(f"{'data':8}{'depth':>6}{'P':>6}{'N*':>7}{'P/N*':>7}  {'error':8}N_Δ/N")
with Store("phase_diagram.sqlite") as store:
    for one in plan:
        with Progress(f"{one.system.data}, depth {one.system.depth}") as progress:
            result = as_json(find(one, store, progress=progress))
        found.append(result)
        Path("phase_diagram.json").write_text(json.dumps(found), encoding="utf-8")
        head = f"{result['data']:8}{result['depth']:6}{result['patterns']:6}"
        if result["load"] is None:
            print(f"{head}  no transition in this range")
            continue
        value, error = result["load"]["value"], result["load"]["error"]
        jump = result["constraints_per_dof_at_transition"]
        save(draw(found), Path("phase_diagram"))
        print(f"{head}{result['n_star']:7.0f}{value:7.2f}  {error:<8.2f}{jump:.2f}", flush=True)

"""The figures of docs/ that show landscapes: what is not stored is searched again.

    OMP_NUM_THREADS=1 python benchmarks/landscape_figures.py [clusters networks]

``docs/clusters.png`` has LJ8 (its graph of energies, and of free energies) and the heat capacity of
LJ7 with the minima that make its peak. ``docs/landscapes_of_networks.png`` draws
landscape_networks.json.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from bridge.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, RED, SKY, style
from bridge.landscape.disconnectivity import merge_tree
from bridge.landscape.graph import Graph
from bridge.landscape.thermodynamics import occupation, superposition
from bridge.runs import exploration as landscape_run
from bridge.systems.cluster import LennardJonesLandscape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOCS = Path(__file__).parent.parent / "docs"
STORED = Path(__file__).with_name("landscape_networks.json")
SHOWN = "H=6 l2=0.001"  # the network whose tree is drawn
WARM = 0.15  # temperature of the free energies of LJ8
COLOURS = {1e-2: BLUE, 1e-3: GREEN, 1e-4: RED}


def explored(n: int, climbs: int) -> Graph:
    """Return the whole landscape of a small cluster."""
    explorer = landscape_run.explorer_of(LennardJonesLandscape(n).case(np.random.default_rng(0)), 0)
    graph = Graph(explorer.identity)
    for finding in explorer.quenches(range(20)):
        graph.absorb(finding)
    for finding in explorer.climbs(graph, range(climbs)):
        graph.absorb(finding)
    for finding in explorer.symmetric_saddles(graph, range(climbs // 4)):
        graph.absorb(finding)
    return graph


def clusters() -> None:
    """Draw LJ8 as energies and as free energies, and the heat capacity of LJ7 explained."""
    seven, eight = explored(7, 250), explored(8, 1200)
    print(f"LJ7: {len(seven.minima)} minima, {len(seven.saddles)} saddles")
    print(f"LJ8: {len(eight.minima)} minima, {len(eight.saddles)} saddles")
    with style():
        figure = Figure(figsize=(10.4, 3.9), layout="constrained")
        left, middle, right = figure.subplots(1, 3, width_ratios=(1.2, 1.2, 1.15))
        eight.tree().plot(left)
        left.set_ylabel("energy, in depths ε of the pair potential")
        left.set_title("LJ₈: 8 minima, 42 saddles")
        eight.tree(temperature=WARM).plot(middle)
        middle.set_ylabel("free energy / ε")
        middle.set_title(f"the same at T = {WARM:g} ε/k")
        heat_capacity(right, seven)
        figure.savefig(DOCS / "clusters.png")


def heat_capacity(axes: "Axes", graph: Graph) -> None:
    """Draw the heat capacity, and beside it how often the cluster is not in its lowest minimum."""
    temperature = np.linspace(0.04, 0.5, 400)
    points = sorted(graph.minima, key=lambda point: point.energy)
    found = superposition(points, temperature)
    where, height = found.peak()
    axes.plot(temperature, found.heat_capacity, color=BLACK)
    axes.plot(temperature, np.full_like(temperature, points[0].n_modes), color=GREY, ls=":")
    axes.annotate(
        "κ = 15 vibrations", (0.5, points[0].n_modes), va="bottom", ha="right", fontsize=7
    )
    axes.annotate(
        f"{height:.3f} at {where:.3f} ε/k",
        (where, height),
        xytext=(6, 3),
        textcoords="offset points",
        fontsize=7,
    )
    axes.set_xlabel("temperature T, in ε/k")
    axes.set_ylabel("heat capacity C/k of LJ₇ (black)")
    axes.set_title("the peak: leaving the bipyramid")
    other = axes.twinx()
    other.spines["right"].set_visible(True)
    shares = occupation(points, found)
    for point, share, colour in zip(points, shares.T, (BLUE, ORANGE, GREEN, RED), strict=True):
        label = f"{point.energy:.3f}, {2 * 5040 // point.order} images".replace("-", "−")
        other.plot(temperature, share, color=colour, lw=0.9, label=label)
    other.set_ylabel("occupation of the four minima (colours)")
    other.set_ylim(0, 1.02)
    axes.figure.legend(
        *other.get_legend_handles_labels(),
        loc="outside right lower", title="minimum, energy/ε", title_fontsize=7,
    )  # fmt: skip


def networks() -> None:
    """Draw the study of classifiers: numbers of minima, their test scores, a tree, C."""
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    cells = list(stored["landscapes"].values())
    with style():
        figure = Figure(figsize=(9.6, 6.4), layout="constrained")
        (count, auc), (tree, heat) = figure.subplots(2, 2)
        draw_counts(count, cells)
        draw_scores(auc, cells)
        draw_network_tree(tree, stored["landscapes"][SHOWN])
        draw_heat(heat, stored)
        figure.savefig(DOCS / "landscapes_of_networks.png")


def draw_counts(axes: "Axes", cells: list[dict[str, Any]]) -> None:
    for l2, colour in COLOURS.items():
        mine = [cell for cell in cells if cell["l2"] == l2]
        hidden = [cell["hidden"] for cell in mine]
        label = f"λ = {l2:g}"
        axes.plot(hidden, [c["n_minima_random"] for c in mine], "o-", color=colour, label=label)
        axes.plot(hidden, [c["n_minima"] for c in mine], ":", color=colour)
    axes.set_yscale("log")
    axes.set_xlabel("hidden units")
    axes.set_ylabel("minima from 80 random starts\n(dotted: with climbs and widened minima)")
    axes.legend(title="weight decay λ", title_fontsize=7)


def draw_scores(axes: "Axes", cells: list[dict[str, Any]]) -> None:
    for k, (l2, colour) in enumerate(COLOURS.items()):
        for cell in (cell for cell in cells if cell["l2"] == l2):
            auc = [point["test_auc"] for point in cell["minima"]]
            lowest = min(cell["minima"], key=lambda point: point["energy"])
            place = cell["hidden"] + 0.22 * (k - 1)
            low, middle, high = np.quantile(auc, [0.0, 0.5, 1.0])
            errors = [[middle - low], [high - middle]]
            label = f"λ = {l2:g}" if cell["hidden"] == cells[0]["hidden"] else None
            axes.errorbar(place, middle, errors, color=colour, marker="_", ms=6, label=label)
            axes.plot(place, lowest["test_auc"], "o", color=colour, mec="white", mew=0.5)
    axes.set_xlabel("hidden units")
    axes.set_ylabel("test AUC: range and median of the minima\n(dot: the lowest minimum)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)


def draw_network_tree(axes: "Axes", cell: dict[str, Any]) -> None:
    energies = [point["energy"] for point in cell["minima"]]
    heights = [saddle["energy"] for saddle in cell["saddles"]]
    merged = merge_tree(energies, heights, [tuple(s["minima"]) for s in cell["saddles"]])
    accuracy = np.array([point["test_accuracy"] for point in cell["minima"]])
    merged.plot(axes, accuracy, colour_label="test accuracy")
    axes.set_ylabel("loss a pattern, in nats")
    axes.set_title(f"{cell['hidden']} hidden units, λ = {cell['l2']:g}")


def draw_heat(axes: "Axes", stored: dict[str, Any]) -> None:
    for hidden, colour in ((4, SKY), (6, BLUE), (8, ORANGE), (10, RED)):
        cell = stored["landscapes"][f"H={hidden} l2=0.001"]
        excess = np.array(cell["heat_capacity"]) - cell["n_modes"]
        axes.plot(stored["temperature"], excess, color=colour, label=f"{hidden} hidden units")
    axes.set_xscale("log")
    axes.set_title("λ = 0.001: peaks where other minima take over")
    axes.set_xlabel("temperature T, in nats as the loss")
    axes.set_ylabel("heat capacity C/k − κ")
    axes.legend()


FIGURES: dict[str, Callable[[], None]] = {"clusters": clusters, "networks": networks}

if __name__ == "__main__":
    for chosen in sys.argv[1:] or FIGURES:
        FIGURES[chosen]()

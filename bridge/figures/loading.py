"""The figure of slow loading: energy and constraints along the path, and what avalanches lose."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bridge.figures.style import BLUE, RED, style
from bridge.records.store import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def loading_figure(records: Sequence[Record]) -> "Figure":
    """Draw ``U`` and ``N_Δ`` of each sample against the load added, and the drops of ``U``."""
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(9.0, 2.8), layout="constrained")
        energy, constraints, drops = figure.subplots(1, 3)
        for record in records:
            path = record.arrays
            energy.plot(path["step_loads"], path["step_energy"], color=BLUE, alpha=0.6)
            constraints.plot(path["step_loads"], path["step_n_constraints"], color=BLUE, alpha=0.6)
            lost = path["avalanche_drop"] > 0
            drops.plot(
                path["avalanche_load"][lost], path["avalanche_drop"][lost], "o", color=RED, ms=3
            )
        drops.set_yscale("log")
        for axes, label in (
            (energy, "energy U"), (constraints, "constraints N$_Δ$"), (drops, "energy lost"),
        ):  # fmt: skip
            axes.set_xlabel("load added t")
            axes.set_ylabel(label)
        return figure

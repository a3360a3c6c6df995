"""The figure of slow loading: energy and constraints along the path, and what avalanches lose."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bridge.figures.style import BLUE, RED, new_figure, style
from bridge.records.store import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def loading_figure(records: Sequence[Record]) -> "Figure":
    """Draw ``U`` and ``N_Δ`` of each sample against the load added, and the drops of ``U``."""
    with style():
        figure = new_figure(9.0, 2.8)
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
        energy.set(xlabel="load added t", ylabel="energy U")
        constraints.set(xlabel="load added t", ylabel="constraints N$_Δ$")
        drops.set(xlabel="load added t", ylabel="energy lost")
        return figure

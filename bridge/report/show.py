"""``jamscape show``: the figure of anything that a command has kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.figures.landscape import disconnectivity
from bridge.figures.state import state_figure
from bridge.landscape.store import TABLES as LANDSCAPE
from bridge.measure.spectra import eigenmodes
from bridge.protocols import HasBodies, Vector
from bridge.records.database import holds, whole
from bridge.records.store import Record, Store
from bridge.report.landscape_folder import read_landscape
from bridge.runs.registry import kinds
from bridge.runs.reopen import chosen, reopened, store_in
from bridge.systems.system import expect

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ZERO = 1e-11  # of the largest eigenvalue: symmetries and loose bodies are below it


def show(
    path: Path, run: str | None = None, *, data: Path | None = None, mode: int | None = None
) -> tuple["Figure", Path]:
    """Return the figure of what a command has kept, and the name to keep it under beside that.

    Parameters
    ----------
    path
        The folder of ``--out``, a store, or the file of a landscape.
    run
        One run of a store, by its number from 0 or its key or how that begins; all if not given.
    data
        The file or folder of data that a network was trained on, where it was one.
    mode
        Of one packing, the number from 1 of a mode of its Hessian, the softest first: arrows.

    Raises
    ------
    ValueError
        In one line, if there is nothing to draw, no such run, or runs of more than one kind.
    """
    path = store_in(path) if path.is_dir() else path
    if holds(path, LANDSCAPE):
        expect(run is None and mode is None, "a landscape alone", "a run or a mode", "leave it out")
        with whole(path):
            tree = read_landscape(path).graph.tree()
        return disconnectivity(tree), path.with_suffix(".png")
    with Store(path, read_only=True) as store:
        number = int(run) if run is not None and run.isdecimal() else run
        records = [chosen(store, number)] if run is not None else list(store.records())
    named = path.with_suffix(".png") if run is None else path.with_name(f"{path.stem}-{run}.png")
    if mode is None:
        return figure_of(records, data), named
    expect(len(records) == 1, "one run for its mode", len(records), "name one")
    return _with_mode(records[0], mode), named.with_stem(f"{named.stem}-mode-{mode}")


def figure_of(records: Sequence[Record], data: Path | None = None) -> "Figure":
    """Return the figure of records, by the kind of run that draws them.

    Raises
    ------
    ValueError
        In one line, if no kind of run draws them, or more than one.
    """
    expect(len(records) > 0, "a finished run", "none", "let it run longer")
    found: dict[str, Any] = {}
    for name, kind in kinds().items():
        if own := [record for record in records if kind.owns(record)]:
            found[name] = kind.figure(own, data)
    names = ", ".join(dict.fromkeys(record.kind for record in records))
    expect(len(found) > 0, "runs that have a figure", names, "name a run, or another store")
    expect(len(found) == 1, "runs of one kind", ", ".join(found), "name a run")
    figure: Figure = next(iter(found.values()))
    return figure


def _with_mode(record: Record, number: int) -> "Figure":
    """Return the figure of a packing whose arrows are one mode of its Hessian."""
    end = reopened(record)
    expect(isinstance(end.problem, HasBodies), "bodies to move", record.kind, "drop the mode")
    values, modes = eigenmodes(end.problem, end.x)
    moving = modes[np.abs(values) > _ZERO * np.abs(values).max()]
    expect(1 <= number <= len(moving), f"a mode from 1 to {len(moving)}", number, "pass one")
    mode: Vector = moving[number - 1]
    return state_figure(record, end, mode)

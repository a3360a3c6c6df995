"""``jamscape landscape``: a command for each landscape, and ``show`` for a stored one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli.options import AsJson, Shared, add_commands, checking_input, keeping
from bridge.cli.run_commands import draw_beside, passing
from bridge.landscape.case import LandscapeSystem
from bridge.records.documents import dumps
from bridge.runs.kinds.landscape import LandscapeRun
from bridge.systems.ranges import check_count

app = typer.Typer(name="landscape", help="Find the minima and saddles of a system.")


def _landscape(system: LandscapeSystem, shared: Shared, *, searches: int | None) -> int:
    from bridge.runs import exploration
    from bridge.runs.progress import Counts

    out, seed = shared.out, shared.seed
    with checking_input():
        run = LandscapeRun(system, (seed,), searches)
        run.check_all()
        check_count(run.count(), "searches", shared.most_runs)
        if out is not None:
            exploration.claim(system, seed, out)
    workers, progress = shared.workers or 1, Counts("minima", "saddles")
    with keeping(out):
        found = exploration.run_landscape(
            system, seed, searches=searches, out=out, workers=workers, progress=progress
        )
    if out is not None or shared.plot:
        from bridge.figures.landscape import disconnectivity

        place = out or passing("landscape")
        draw_beside(place, disconnectivity(found.graph.tree()), plot=shared.plot)
    document = exploration.landscape_document(system, seed, found)
    typer.echo(dumps(document) if shared.as_json else exploration.landscape_text(document))
    return 0


add_commands(
    app, LandscapeRun, _landscape, None, "File to keep everything in; the figure is put beside it."
)


@app.command("show")
def landscape_show(
    file: Annotated[Path, typer.Argument(help="A stored landscape.")],
    temperature: Annotated[
        float | None,
        typer.Option(help="Of free energies and rates; where the heat capacity peaks if unset."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the results.")] = None,
    as_json: AsJson = False,
) -> int:
    """Draw and tabulate a stored landscape."""
    from bridge.report.landscape_folder import show

    folder = file.with_suffix("") if out is None else out
    with checking_input():
        document = show(file, folder, temperature)
    for_reading = "\n".join(f"{name:18} {_rounded(value)}" for name, value in document.items())
    typer.echo(dumps(document) if as_json else for_reading)
    typer.echo(f"figures, tables and summary: {folder}", err=True)
    return 0


def _rounded(value: Any) -> str:
    """Return a value for reading: six digits of a number, names and values of what is nested."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_rounded(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(_rounded, value))
    return "none" if value is None else str(value)

"""The command of a kind of run: for each system that it takes, or one alone."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bridge.cli.options import STALLED, Shared, add_commands, checking_input, headline, keeping
from bridge.runs.run import Command
from bridge.systems.ranges import check_count, options_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bridge.records.store import Record, Store

_OUT = "Folder for the results; a name that ends in .sqlite keeps records and a figure only."


def command_of(kind: type[Command]) -> typer.Typer:
    """Return the command, or the group of them, of a kind of run."""
    app = typer.Typer(name=kind.command, help=headline(kind)) if kind.takes() else typer.Typer()
    add_commands(app, kind, partial(_run, kind), kind.folder, _OUT)
    return app


def _run(kind: type[Command], system: Any, shared: Shared, **options: Any) -> int:
    from bridge.records.content import data_path
    from bridge.records.documents import dumps
    from bridge.runs.progress import Elapsed, Progress
    from bridge.runs.task import local, raise_failures, run_all

    seed, out = shared.seed, shared.out
    samples = options.pop("samples") if kind.repeats else 1
    run = kind(system, (seed, 0) if kind.repeats else (seed,), **options)
    with checking_input():
        run.check_all(_changed(run))
        check_count(samples * run.count(), "runs", shared.most_runs)
        store = _store(out, kind.command)
    runs = [replace(run, seed=(seed, k)) for k in range(samples)] if kind.repeats else [run]
    todo = [task for each in runs for task in each.tasks()]
    played = [task for each in runs for task in each.motions() if out and _is_folder(out)]
    mapper = map if len(todo) == 1 and shared.workers is None else local(shared.workers)
    tasks = [*todo, *played]
    saying = Elapsed if len(tasks) == 1 else Progress
    with keeping(out), store, saying(kind.command) as progress:
        failures = run_all(tasks, store, progress=progress, mapper=mapper)
        raise_failures(failures, len(tasks), out)
        records = [record for task in todo if (record := store.get(task.key))]
        frames = [record for task in played if (record := store.get(task.key))]
    document = kind.document(records)
    if out is not None and _is_folder(out):
        _write(kind, records, document, out, system and data_path(system))
        typer.echo(f"records, table and figure: {out}", err=True)
        if shared.plot:
            typer.launch(str(out / "figure.png"))
    elif out is not None or shared.plot:
        place = out or passing(kind.command)
        draw_beside(place, kind.figure(records, system and data_path(system)), plot=shared.plot)
    typer.echo(dumps(document) if shared.as_json else kind.text(records))
    if frames and out is not None:
        _write_page([*records, *frames], out / "lecture.html")
    return STALLED if any(record.status == "stalled" for record in records) else 0


def draw_beside(out: Path, figure: "Figure | None", *, plot: bool = False) -> None:
    """Write a figure beside a file of records, and say where; with ``plot`` open it."""
    from bridge.figures.style import save

    if figure is not None:
        save(figure, out, (".png",))
        typer.echo(f"figure: {out.with_suffix('.png')}", err=True)
        if plot:
            typer.launch(str(out.with_suffix(".png")))


def passing(name: str) -> Path:
    """Return a name in a new folder that the system cleans up, for a figure that is only seen."""
    from tempfile import mkdtemp

    return Path(mkdtemp(prefix="jamscape-")) / name


def _write_page(records: "Sequence[Record]", page: Path) -> None:
    """Write the page of a command's records and say where it is, after all else."""
    from bridge.report.page import write_page
    from bridge.report.sources import Sources

    size = write_page(Sources(records, []), page)
    typer.echo(f"lecture page, {size / 1000:.0f} kB, to be opened in a browser: {page}", err=True)


def _changed(run: Command) -> set[str]:
    """Return the names of the options that are not as they would be if left out."""
    return {
        item.name
        for part in (run, run.system)
        for item in options_of(part)
        if getattr(part, item.name) != item.default
    }


def _is_folder(out: Path) -> bool:
    return out.suffix != ".sqlite"


def _store(out: Path | None, command: str) -> "Store":
    """Return the store in the folder of a command, or the file that is named, or one in memory."""
    from bridge.records.store import Store

    if out is None:
        return Store(":memory:")
    if not _is_folder(out):
        return Store(out)
    out.mkdir(parents=True, exist_ok=True)
    return Store(out / f"{command}.sqlite")


def _write(
    kind: type[Command],
    records: "Sequence[Record]",
    document: dict[str, Any],
    out: Path,
    data: Path | None,
) -> None:
    """Write the document, the table and the figure of a command."""
    from bridge.figures.style import save
    from bridge.records.documents import dumps
    from bridge.records.writing import write_text
    from bridge.report.dataset import write

    write_text(out / "result.json", dumps(document, indent=1) + "\n")
    if not kind.has_table:
        write(records, out / "table.csv")
    kind.write(records, out)
    figure = kind.figure(records, data)
    if figure is not None:
        save(figure, out / "figure")

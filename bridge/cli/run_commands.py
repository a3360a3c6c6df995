"""The command of a kind of run: for each system that it takes, or one alone."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.options import (
    STALLED,
    AsJson,
    MostRuns,
    Seed,
    Workers,
    add_command,
    add_commands,
    checking_input,
    keeping,
    make_folder,
)
from bridge.runs.run import Command
from bridge.systems.ranges import MOST_RUNS, check_count, check_ranges

if TYPE_CHECKING:
    from bridge.records.store import Record, Store

Samples = Annotated[int, typer.Option(min=1, help="Random samples.")]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder for the results; a name that ends in .sqlite keeps records only."),
]


def command_of(kind: type[Command]) -> typer.Typer:
    """Return the command, or the group of them, of a kind of run."""
    shared: dict[str, tuple[Any, Any]] = {
        **({"samples": (1, Samples)} if kind.repeats else {}),
        "most_runs": (MOST_RUNS, MostRuns),
        "seed": (0, Seed),
        "workers": (None, Workers),
        "out": (kind.folder, Out),
        "as_json": (False, AsJson),
    }

    def action(system: Any, **given: Any) -> int:
        return _run(kind, system, **given)

    app = typer.Typer(name=kind.command, help=_title(kind))
    taken = kind.systems()
    if taken:
        add_commands(app, taken.values(), action, shared, kind.options())
        return app
    app = typer.Typer()
    add_command(app, kind.command, _title(kind), action, shared, kind.options())
    return app


def _title(kind: type[Command]) -> str:
    """Return the first sentence of what a kind of run says of itself."""
    return (kind.__doc__ or "").strip().splitlines()[0]


def _run(
    kind: type[Command],
    system: Any,
    *,
    seed: int,
    most_runs: int,
    workers: int | None,
    out: Path | None,
    as_json: bool,
    **options: Any,
) -> int:
    from bridge.records.documents import dumps
    from bridge.runs.progress import Progress
    from bridge.runs.task import local, raise_failures, run_all

    samples = options.pop("samples") if kind.repeats else 1
    run = kind(system, (seed, 0) if kind.repeats else (seed,), **options)
    with checking_input():
        check_ranges(run)
        run.check(_changed(run))
        check_count(samples * run.count(), "runs", most_runs)
        store = _store(out, kind.command)
    runs = [replace(run, seed=(seed, k)) for k in range(samples)] if kind.repeats else [run]
    todo = [task for each in runs for task in each.tasks()]
    mapper = map if len(todo) == 1 and workers is None else local(workers)
    alone = nullcontext(lambda done, total: None)  # a run has no parts to show
    with keeping(out), store, alone if len(todo) == 1 else Progress(kind.command) as progress:
        failures = run_all(todo, store, progress=progress, mapper=mapper)
        raise_failures(failures, len(todo), out)
        records = [record for task in todo if (record := store.get(task.key))]
    document = kind.document(records)
    if out is not None and _is_folder(out):
        _write(kind, records, document, out)
        typer.echo(f"records, table and figure: {out}", err=True)
    typer.echo(dumps(document) if as_json else kind.text(records))
    return STALLED if any(record.status == "stalled" for record in records) else 0


def _changed(run: Command) -> set[str]:
    """Return the names of the options that are not as they would be if left out."""
    parts = [part for part in (run, run.system) if part is not None]
    return {
        item.name
        for part in parts
        for item in fields(part)
        if "help" in item.metadata and getattr(part, item.name) != item.default
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
    make_folder(out)
    return Store(out / f"{command}.sqlite")


def _write(
    kind: type[Command], records: "Sequence[Record]", document: dict[str, Any], out: Path
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
    figure = kind.figure(records)
    if figure is not None:
        save(figure, out / "figure")

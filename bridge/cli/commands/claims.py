"""``jamscape claims``."""

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.options import STALLED, AsJson, Seed, Workers, checking_input, keeping
from bridge.records.documents import dumps

app = typer.Typer()


@app.command()
def claims(
    names: Annotated[
        list[str] | None, typer.Argument(help="Claims or themes; all if none is named.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Run the large sizes.")] = False,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("claims"),
    workers: Workers = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler.")] = None,
    as_json: AsJson = False,
) -> int:
    """Test what the two source papers claim, each claim by a small experiment."""
    from bridge.claims import render
    from bridge.claims.table import chosen
    from bridge.claims.trials import conclude, stored, trials
    from bridge.records.store import Store
    from bridge.runs import cluster
    from bridge.runs.progress import Progress
    from bridge.runs.task import local, raise_failures, run_all

    with checking_input():
        wanted = chosen([] if names is None else names)
        mapper = local(workers) if scheduler is None else cluster.connect(scheduler)
        out.mkdir(parents=True, exist_ok=True)
        store = Store(out / "claims.sqlite")
    todo = trials(wanted, seed, full=full)
    with keeping(out), store, Progress("claims") as progress:
        failures = run_all(todo, store, progress=progress, mapper=mapper)
        records = stored(wanted, store, seed, full=full)
        small = stored(wanted, store, seed, full=False) if full else None
    raise_failures(failures, len(todo), out)
    beside = () if small is None else conclude(wanted, small)
    document = render.document(conclude(wanted, records), records, full=full, beside=beside)
    render.write(out, document, render.figures({claim.name for claim in wanted}, records))
    typer.echo(dumps(document) if as_json else render.text(document))
    typer.echo(f"page, figures and records: {out}", err=True)
    stalled = any(record.status == "stalled" for found in records.values() for record in found)
    return STALLED if stalled else 0

"""``jamscape claims``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.options import STALLED, AsJson, Seed, Workers, checking_input, keeping
from bridge.records.documents import dumps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.claims.claim import Claim

app = typer.Typer()
STORE = "claims.sqlite"


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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run, and what it may cost.")
    ] = False,
    judge: Annotated[
        bool,
        typer.Option(
            "--judge", help="Run nothing: judge what is stored, large runs where all are there."
        ),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Test what the two source papers claim, each claim by a small experiment.

    Other stores in the folder, such as those of an ensemble's shards, are taken over.
    """
    from bridge.claims import render
    from bridge.claims.table import chosen
    from bridge.claims.trials import conclude, gather, largest, stored, trials
    from bridge.records.store import Store
    from bridge.runs import cluster
    from bridge.runs.progress import Progress
    from bridge.runs.task import local, raise_failures, run_all

    with checking_input():
        wanted = chosen([] if names is None else names)
        if dry_run:
            typer.echo(_costs(wanted, out / STORE, seed, full))
            return 0
        mapper = local(workers) if scheduler is None else cluster.connect(scheduler)
        out.mkdir(parents=True, exist_ok=True)
        store = Store(out / STORE)
        sizes = (False, True) if judge else (full,)
        todo = [trial for size in sizes for trial in trials(wanted, seed, full=size)]
        gather(todo, store, sorted({*out.glob("*.sqlite")} - {out / STORE}))
    with keeping(out), store, Progress("claims") as progress:
        failures = [] if judge else run_all(todo, store, progress=progress, mapper=mapper)
        small = stored(wanted, store, seed, full=False)
        records, large = largest(wanted, store, seed) if full or judge else (small, set())
    raise_failures(failures, len(todo), out)
    document = render.document(
        conclude(wanted, records), records, large=large, beside=conclude(wanted, small)
    )
    render.write(out, document, render.figures({claim.name for claim in wanted}, records))
    typer.echo(dumps(document) if as_json else render.text(document))
    typer.echo(f"page, figures and records: {out}", err=True)
    stalled = any(record.status == "stalled" for found in records.values() for record in found)
    return STALLED if stalled else 0


def _costs(wanted: "Sequence[Claim]", path: Path, seed: int, full: bool) -> str:
    """Return the grids of the claims with estimates of their costs, from what a store holds."""
    from bridge.claims import cost
    from bridge.claims.trials import stored
    from bridge.records.store import Store

    known = {}
    if path.exists():
        with Store(path, read_only=True) as store:
            sizes = [stored(wanted, store, seed, full=large) for large in (False, True)]
        known = {name: [*found, *sizes[1][name]] for name, found in sizes[0].items()}
    return cost.text(wanted, cost.costs(wanted, known, full=full))

"""``jamscape claims``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.options import STALLED, AsJson, Seed, Workers, checking_input, keeping
from bridge.records.documents import dumps
from bridge.systems.system import expect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.claims.claim import Claim
    from bridge.claims.trials import Trial

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
    page: Annotated[
        Path | None,
        typer.Option(help="With --judge: a claims.json, kept where the folder has no whole runs."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Test what the two source papers claim, each claim by a small experiment.

    Other stores in the folder, such as those of an ensemble's shards, are taken over.
    """
    from bridge.claims import render
    from bridge.claims.page import lacking, merged
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
        sizes = (False, True) if judge else (full,)
        todo = [trial for size in sizes for trial in trials(wanted, seed, full=size)]
        if judge:
            _expect_runs(out, todo)
        before = _page(page, judge)
        mapper = local(workers) if scheduler is None else cluster.connect(scheduler)
        out.mkdir(parents=True, exist_ok=True)
        store = Store(out / STORE)
        gather(todo, store, sorted({*out.glob("*.sqlite")} - {out / STORE}))
    with keeping(out), store, Progress("claims") as progress:
        failures = [] if judge else run_all(todo, store, progress=progress, mapper=mapper)
        small = stored(wanted, store, seed, full=False)
        records, large = largest(wanted, store, seed) if full or judge else (small, set())
    raise_failures(failures, len(todo), out)
    document = render.document(
        conclude(wanted, records), records, large=large, beside=conclude(wanted, small)
    )
    of_page = set() if before is None else lacking(before, wanted, records, large)
    if before is not None:
        document = merged(document, before, wanted, of_page)
    run = {claim.name for claim in wanted if claim.experiment.name not in of_page}
    render.write(out, document, render.figures(run, records))
    typer.echo(dumps(document) if as_json else render.text(document))
    typer.echo(f"page, figures and records: {out}", err=True)
    stalled = any(record.status == "stalled" for found in records.values() for record in found)
    return STALLED if stalled else 0


def _page(path: Path | None, judge: bool) -> "dict[str, Any] | None":
    from bridge.claims.page import read_page

    if path is None:
        return None
    expect(judge, "--page with --judge", "it alone", "add --judge")
    return read_page(path)


def _expect_runs(out: Path, todo: "Sequence[Trial]") -> None:
    """Refuse to judge a folder that holds none of the runs; it is left as it is."""
    from bridge.records.store import Store

    for path in sorted(out.glob("*.sqlite")):
        with Store(path, read_only=True) as store:
            if any(trial.key in store for trial in todo):
                return
    expect(False, f"runs of these claims in {out}", "none", "run jamscape claims without --judge")


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

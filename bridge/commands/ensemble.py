"""``jamscape ensemble``."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bridge.options import STALLED, Workers, checking_input
from bridge.workers import ending_on_signals, map_unordered

app = typer.Typer()


@app.command()
def ensemble(
    config: Annotated[Path, typer.Argument(help="The ensemble, in TOML.")],
    out: Annotated[Path, typer.Option(help="File for the records.")] = Path("ensemble.sqlite"),
    workers: Workers = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler.")] = None,
    shard: Annotated[str | None, typer.Option(help="Only shard I/K of the runs.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run.")] = False,
) -> int:
    """Run a system over a grid of parameters and seeds."""
    from bridge import ensemble as ensembles
    from bridge.config import read_runs
    from bridge.console import Progress
    from bridge.runs import run_all
    from bridge.store import Store

    with checking_input():
        runs = read_runs(config)
        runs = ensembles.shard(runs, shard) if shard else runs
    if dry_run:
        typer.echo(ensembles.estimate(runs).as_text())
        return 0
    with checking_input():
        local = partial(map_unordered, workers=workers)
        mapper = ensembles.dask_mapper(scheduler) if scheduler else local
        store = Store(out)
    with ending_on_signals(), store, Progress("ensemble") as progress:
        run_all(runs, store, progress=progress, mapper=mapper)
        statuses = [record.status for run in runs if (record := store.get(run.key))]
    counts = ", ".join(f"{statuses.count(name)} {name}" for name in sorted(set(statuses)))
    typer.echo(f"{len(statuses)} runs in {out}: {counts}")
    return STALLED if "stalled" in statuses else 0

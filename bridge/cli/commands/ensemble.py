"""``jamscape ensemble``."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.options import STALLED, MostRuns, Workers, checking_input, keeping
from bridge.systems.ranges import MOST_RUNS

app = typer.Typer()


@app.command()
def ensemble(
    config: Annotated[Path, typer.Argument(help="The ensemble, in TOML.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="File for the records; ensemble.sqlite, and one for each shard, if unset."
        ),
    ] = None,
    workers: Workers = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler.")] = None,
    shard: Annotated[str | None, typer.Option(help="Only shard I/K of the runs.")] = None,
    most_runs: MostRuns = MOST_RUNS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run.")] = False,
) -> int:
    """Run any command over a grid of parameters and seeds."""
    from bridge.claims.plan import ClaimsPlan
    from bridge.records.store import Store
    from bridge.runs import cluster
    from bridge.runs import plan as ensembles
    from bridge.runs.grid import read_runs
    from bridge.runs.progress import Progress
    from bridge.runs.registry import kinds
    from bridge.runs.task import local, raise_failures, run_all
    from bridge.runs.workers import cores

    out = Path(f"ensemble{_suffix(shard)}.sqlite") if out is None else out
    with checking_input():
        runs = read_runs(config, most_runs, {**kinds(), ClaimsPlan.command: ClaimsPlan})
        runs = ensembles.shard(runs, shard) if shard is not None else runs
        kept = _kept(out) if dry_run else {}
    if dry_run:
        found = ensembles.estimate(runs, kept)
        typer.echo(found.as_text(cores() if workers is None else workers))
        return 0
    with checking_input():
        mapper = local(workers) if scheduler is None else cluster.connect(scheduler)
        store = Store(out)
    with keeping(out), store, Progress("ensemble") as progress:
        failures = run_all(runs, store, progress=progress, mapper=mapper)
        statuses = store.statuses()
    counts = Counter(statuses[run.key] for run in runs if run.key in statuses)
    _draw(out, {run.key for run in runs})
    text = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    typer.echo(f"{counts.total()} runs in {out}: {text or 'none'}")
    raise_failures(failures, len(runs), out)
    return STALLED if counts["stalled"] else 0


def _draw(out: Path, keys: set[str]) -> None:
    """Write the figure beside the store, if what ran can be drawn in one."""
    from bridge.cli.run_commands import draw_beside
    from bridge.records.store import Store
    from bridge.report.show import figure_of

    with Store(out, read_only=True) as store:
        records = [record for record in store.records() if record.key in keys]
    try:
        figure = figure_of(records)
    except ValueError:  # runs of several kinds, or of one that has no figure
        return
    draw_beside(out, figure)


def _suffix(shard: str | None) -> str:
    """Return what tells the files of shards apart: two runs never write one file."""
    return "" if shard is None else "-" + shard.replace("/", "-of-")


def _kept(out: Path) -> dict[str, str]:
    """Return what a file holds already, without making one."""
    from bridge.records.store import Store

    if not out.exists():
        return {}
    with Store(out, read_only=True) as store:
        return store.statuses()

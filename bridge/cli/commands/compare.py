"""``jamscape compare``."""

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.options import (
    STALLED,
    AsJson,
    MostRuns,
    Seed,
    Workers,
    checking_input,
    keeping,
    make_folder,
)
from bridge.systems.ranges import MOST_RUNS, check_count

app = typer.Typer()


@app.command()
def compare(
    size: Annotated[str, typer.Option(help="small, medium or large.")] = "small",
    samples: Annotated[int, typer.Option(min=1, help="Runs at each load.")] = 2,
    seed: Seed = 0,
    most_runs: MostRuns = MOST_RUNS,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("compare"),
    workers: Workers = None,
    as_json: AsJson = False,
) -> int:
    """Drive discs, ellipses, a perceptron and networks through their transitions."""
    from bridge.cli.console import Progress
    from bridge.figures import comparison as figures
    from bridge.records import columns as results
    from bridge.records.store import Store
    from bridge.runs import compare as comparison
    from bridge.runs.task import local, raise_failures, run_all

    with checking_input():
        plan = comparison.sweeps(size)
        check_count(samples * comparison.n_states(plan), "runs", most_runs)
        for sweep in plan:
            sweep.system.check()
        make_folder(out)
        store = Store(out / "compare.sqlite")
    todo = comparison.runs(plan, samples, seed)
    with keeping(out), store, Progress("compare") as progress:
        failures = run_all(todo, store, progress=progress, mapper=local(workers))
        raise_failures(failures, len(todo), out)
        records = [record for run in todo if (record := store.get(run.key))]
    found = results.columns(records, [sweep.name for sweep in plan])
    results.write_table(found, out / "table.csv")
    figures.save(figures.comparison(found), out / "figure")
    typer.echo(results.as_json(found) if as_json else results.as_text(found))
    typer.echo(f"figure, table and records: {out}", err=True)
    return STALLED if results.any_stalled(found) else 0

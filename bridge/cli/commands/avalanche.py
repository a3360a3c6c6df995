"""``jamscape avalanche``: a command for each system."""

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.options import (
    STALLED,
    AsJson,
    MostRuns,
    OutFile,
    Seed,
    Workers,
    add_commands,
    checking_input,
    keeping,
)
from bridge.records.documents import dumps
from bridge.systems import SYSTEMS, System
from bridge.systems.ranges import MOST_RUNS, check_count

app = typer.Typer(name="avalanche", help="Load one system slowly, and measure its avalanches.")


def _avalanche(
    system: System,
    *,
    by: float | None,
    load_steps: int,
    samples: int,
    most_runs: int,
    seed: int,
    workers: int | None,
    out: Path | None,
    as_json: bool,
) -> int:
    from bridge.cli.console import Progress
    from bridge.records.store import Store
    from bridge.runs import avalanche as loading_run
    from bridge.runs.task import local, raise_failures, run_all

    by = loading_run.RANGES[system.kind] if by is None else by
    with checking_input():
        loading_run.check(system, by, load_steps)
        check_count(samples * load_steps, "steps of the load", most_runs)
        store = Store(":memory:" if out is None else out)
    todo = [loading_run.LoadingRun(system, (seed, k), by, load_steps) for k in range(samples)]
    with keeping(out), store, Progress("avalanche") as progress:
        failures = run_all(todo, store, progress=progress, mapper=local(workers))
        records = [record for run in todo if (record := store.get(run.key))]
    raise_failures(failures, len(todo), out)
    document = loading_run.as_json(records)
    typer.echo(dumps(document) if as_json else loading_run.as_text(records))
    return STALLED if any(record.status == "stalled" for record in records) else 0


add_commands(
    app,
    SYSTEMS,
    _avalanche,
    {
        "by": (None, Annotated[float | None, typer.Option(help="Load to add; set by the system.")]),
        "load_steps": (100, Annotated[int, typer.Option(help="Steps in which it is added.")]),
        "samples": (1, Annotated[int, typer.Option(min=1, help="Random samples.")]),
        "most_runs": (MOST_RUNS, MostRuns),
        "seed": (0, Seed),
        "workers": (None, Workers),
        "out": (None, OutFile),
        "as_json": (False, AsJson),
    },
)

"""``jamscape transition``."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.options import (
    AsJson,
    MostRuns,
    Seed,
    Workers,
    add_commands,
    checking_input,
    keeping,
)
from bridge.records.documents import dumps
from bridge.runs.workers import cores, mapping
from bridge.systems import NetworkSystem
from bridge.systems.ranges import MOST_RUNS

app = typer.Typer()
kinds = typer.Typer(
    no_args_is_help=True, help="Find the load at which half of the networks of a kind fit."
)
app.add_typer(kinds, name="transition")


def _transition(
    system: NetworkSystem,
    *,
    low: float,
    high: float,
    step: float,
    samples: int,
    protocol: str,
    convergence: int,
    most_runs: int,
    workers: int | None,
    seed: int,
    out: Path,
    as_json: bool,
) -> int:
    from bridge.cli.console import Progress
    from bridge.records.provenance import provenance
    from bridge.records.store import Store
    from bridge.runs import transition
    from bridge.runs.pool import Failed

    with checking_input():
        transition.check_convergence(system.steps, convergence)
        anneals = [replace(system, steps=system.steps >> k) for k in range(convergence, -1, -1)]
        plan = [
            transition.Search(each, low, high, step, samples, seed, protocol) for each in anneals
        ]
        for search in plan:
            search.check(most_runs // len(plan))
        store = Store(out)
    documents = []
    count = cores() if workers is None else workers
    with keeping(out), store, mapping(count, lost=Failed) as mapper:
        for search in plan:
            with Progress(f"transition, {search.system.steps} steps") as progress:
                found = transition.find(
                    search, store, progress=progress, workers=count, mapper=mapper
                )
            documents.append(transition.as_json(found))
            if not as_json:
                typer.echo(transition.as_text(documents[-1]))
    if as_json:
        typer.echo(dumps({"transitions": documents, "provenance": provenance()}))
    return 0 if documents[-1]["load"] is not None else 3


add_commands(
    kinds,
    (NetworkSystem,),
    _transition,
    {
        "low": (
            1.5,
            Annotated[float, typer.Option(help="Smallest load P/N; with --patterns, width.")],
        ),
        "high": (4.5, Annotated[float, typer.Option(help="Largest load, or width.")]),
        "step": (0.1, Annotated[float, typer.Option(help="Distance of loads, or of widths.")]),
        "samples": (8, Annotated[int, typer.Option(min=1, help="Networks at each load.")]),
        "protocol": (
            "bracket",
            Annotated[str, typer.Option(help="bracket, or descend: one load after another.")],
        ),
        "convergence": (
            0,
            Annotated[int, typer.Option(min=0, help="Also with 1/2, 1/4, ... of the steps.")],
        ),
        "most_runs": (MOST_RUNS, MostRuns),
        "workers": (None, Workers),
        "seed": (0, Seed),
        "out": (Path("transition.sqlite"), Annotated[Path, typer.Option(help="File for records.")]),
        "as_json": (False, AsJson),
    },
)

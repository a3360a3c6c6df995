"""The command line: options in, one result on stdout, everything else on stderr.

Exit codes: 0 done; 1 failure; 2 wrong use, and then nothing was written; 3 done, but at least one
run stalled; 130 interrupted, with all finished records kept.
"""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bridge.landscape_systems import LANDSCAPES, LandscapeSystem
from bridge.options import (
    AsJson,
    OutFile,
    OutFolder,
    Seed,
    Workers,
    WrongUse,
    add_commands,
    checking_input,
    make_folder,
)
from bridge.systems import SYSTEMS, System
from bridge.workers import ending_on_signals, map_unordered, use_one_thread

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Packings, perceptrons and deep networks as one kind of problem, side by side.",
)
jam_app = typer.Typer(no_args_is_help=True, help="Bring one system to a minimum and measure it.")
landscape_app = typer.Typer(no_args_is_help=True, help="Find the minima and saddles of a system.")
app.add_typer(jam_app, name="jam")
app.add_typer(landscape_app, name="landscape")

STALLED = 3
INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit."""
    use_one_thread()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; every error is one line on stderr."""
    try:
        code = app(arguments, prog_name="jamscape", standalone_mode=False)
    except WrongUse as error:
        return _say(str(error), 2)
    except typer.TyperException as error:  # an unknown option, a word where a number belongs
        message = error.format_message().rstrip(".")
        return _say(f"{message}: see 'jamscape --help'", error.exit_code)
    except (RuntimeError, OSError, MemoryError) as error:
        return _say(f"failed: {error or type(error).__name__}", 1)
    if code == INTERRUPTED:  # this is how typer reports Ctrl-C
        return _say(
            "interrupted: what was finished is kept, and the same command continues from there",
            code,
        )
    return code or 0


def _say(message: str, code: int) -> int:
    typer.echo("jamscape: " + " ".join(message.split()), err=True)
    return code


@app.command()
def compare(
    size: Annotated[str, typer.Option(help="small, medium or large.")] = "small",
    samples: Annotated[int, typer.Option(min=1, help="Runs at each load.")] = 2,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("compare"),
    workers: Workers = None,
    as_json: AsJson = False,
) -> int:
    """Drive discs, ellipses, a perceptron and networks through their transitions."""
    from bridge import compare as comparison
    from bridge import figures, results
    from bridge.console import Progress
    from bridge.runs import run_all
    from bridge.store import Store

    with checking_input():
        plan = comparison.sweeps(size)
        for sweep in plan:
            sweep.system.check()
        make_folder(out)
        store = Store(out / "compare.sqlite")
    todo = comparison.runs(plan, samples, seed)
    with ending_on_signals(), store, Progress("compare") as progress:
        run_all(todo, store, progress=progress, mapper=partial(map_unordered, workers=workers))
        records = [record for run in todo if (record := store.get(run.key))]
    found = results.columns(records, [sweep.name for sweep in plan])
    results.write_table(found, out / "table.csv")
    figures.save(figures.comparison(found), out / "figure")
    typer.echo(results.as_json(found) if as_json else results.as_text(found))
    typer.echo(f"figure, table and records: {out}", err=True)
    return STALLED if results.any_stalled(found) else 0


def _jam(
    system: System, *, seed: int, exact: bool, spectrum: bool, out: Path | None, as_json: bool
) -> int:
    from bridge import jam

    with checking_input():
        system.check()
        if exact and not system.has_exact_point:
            raise ValueError(f"expected a packing or perceptron with --exact, got {system.kind}")
        make_folder(out)
    found = jam.run_jam(system, seed, exact=exact, with_spectrum=spectrum)
    document = jam.as_json(system, seed, found)
    if out is not None:
        jam.write(found, document, out)
    typer.echo(json.dumps(document) if as_json else jam.as_text(document))
    return STALLED if found.state.status == "stalled" else 0


add_commands(
    jam_app,
    SYSTEMS,
    _jam,
    {
        "seed": (0, Seed),
        "exact": (False, Annotated[bool, typer.Option("--exact", help="Go to the jamming point.")]),
        "spectrum": (False, Annotated[bool, typer.Option("--spectrum", help="Diagonalise H.")]),
        "out": (None, OutFolder),
        "as_json": (False, AsJson),
    },
)


def _landscape(
    system: LandscapeSystem,
    *,
    seed: int,
    searches: int | None,
    workers: int | None,
    out: Path | None,
    as_json: bool,
) -> int:
    from bridge import landscape_run
    from bridge.console import Counts

    with checking_input():
        found = landscape_run.run_landscape(
            system,
            seed,
            searches=searches,
            out=out,
            workers=workers or 1,
            progress=Counts("minima", "saddles"),
        )
    document = landscape_run.as_json(system, seed, found)
    typer.echo(json.dumps(document) if as_json else landscape_run.as_text(document))
    return 0


add_commands(
    landscape_app,
    LANDSCAPES,
    _landscape,
    {
        "seed": (0, Seed),
        "searches": (
            None,
            Annotated[int | None, typer.Option(help="Climbs for saddles; until flat if unset.")],
        ),
        "workers": (None, Workers),
        "out": (None, OutFile),
        "as_json": (False, AsJson),
    },
)


@landscape_app.command("show")
def landscape_show(
    file: Annotated[Path, typer.Argument(help="A stored landscape.")],
    out: OutFolder = None,
    as_json: AsJson = False,
) -> int:
    """Draw and tabulate a stored landscape."""
    from bridge.landscape_show import show

    with checking_input():
        document = show(file, out or file.with_suffix(""))
    for_reading = "\n".join(f"{name:18} {value}" for name, value in document.items())
    typer.echo(json.dumps(document) if as_json else for_reading)
    return 0


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


@app.command()
def doctor(as_json: AsJson = False) -> int:
    """Show versions, threads and caches, and say what is missing."""
    from bridge.provenance import provenance

    found = provenance()
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for name, value in found.items():
            typer.echo(f"{name:10} {'missing' if value is None else value}")
    return 0


if __name__ == "__main__":
    main()

"""The command line: options in, one result on stdout, everything else on stderr.

Exit codes: 0 done; 1 failure; 2 wrong use, and then nothing was written; 3 done, but at least one
run stalled; 130 interrupted, with all finished records kept.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import Field, fields
from functools import partial
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.systems import SYSTEMS, SystemClass
from bridge.workers import map_unordered, use_one_thread

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Packings, perceptrons and deep networks as one kind of problem, side by side.",
)
jam_app = typer.Typer(no_args_is_help=True, help="Bring one system to a minimum and measure it.")
app.add_typer(jam_app, name="jam")

STALLED = 3
INTERRUPTED = 130

Seed = Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Out = Annotated[Path | None, typer.Option(help="Folder for the results.")]


class WrongUse(Exception):  # noqa: N818 - it is how a command says that its input is wrong
    """An input that cannot be run, in one line; nothing has been written."""


@contextmanager
def checking_input() -> Iterator[None]:
    """Turn what the libraries say of a wrong input into exit code 2."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise WrongUse(str(error)) from error


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
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; all cores if unset.")
    ] = None,
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
        out.mkdir(parents=True, exist_ok=True)
        store = Store(out / "compare.sqlite")
    todo = comparison.runs(plan, samples, seed)
    with store, Progress("compare") as progress:
        run_all(todo, store, progress=progress, mapper=partial(map_unordered, workers=workers))
        records = [record for run in todo if (record := store.get(run.key))]
    found = results.columns(records, [sweep.name for sweep in plan])
    results.write_table(found, out / "table.csv")
    figures.save(figures.comparison(found), out / "figure")
    typer.echo(results.as_json(found) if as_json else results.as_text(found))
    typer.echo(f"figure, table and records: {out}", err=True)
    return STALLED if results.any_stalled(found) else 0


def _jam_command(kind: SystemClass) -> Callable[..., int]:
    """Return the command of one system: each field of its class is an option."""

    def command(**given: Any) -> int:
        from bridge import jam

        seed, exact, spectrum, out, as_json = (given.pop(name) for name in _SHARED)
        system = kind(**given)
        with checking_input():
            system.check()
            if exact and not kind.has_exact_point:
                raise ValueError(
                    f"expected a packing or the perceptron with --exact, got {kind.kind}"
                )
            if out is not None:
                out.mkdir(parents=True, exist_ok=True)
        found = jam.run_jam(system, seed, exact=exact, with_spectrum=spectrum)
        document = jam.as_json(system, seed, found)
        if out is not None:
            jam.write(found, document, out)
        typer.echo(json.dumps(document) if as_json else jam.as_text(document))
        return STALLED if found.state.status == "stalled" else 0

    parameters = [*map(_option, fields(kind)), *_SHARED.values()]
    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    command.__doc__ = kind.__doc__
    return command


def _option(item: "Field[Any]") -> Parameter:
    """Return the command line option of one field of a system."""
    kind: Any = item.type
    return _keyword(
        item.name, item.default, Annotated[kind, typer.Option(help=item.metadata["help"])]
    )


def _keyword(name: str, default: Any, annotation: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


_SHARED = {
    "seed": _keyword("seed", 0, Seed),
    "exact": _keyword(
        "exact", False, Annotated[bool, typer.Option("--exact", help="Go to the jamming point.")]
    ),
    "spectrum": _keyword(
        "spectrum", False, Annotated[bool, typer.Option("--spectrum", help="Diagonalise H.")]
    ),
    "out": _keyword("out", None, Out),
    "as_json": _keyword("as_json", False, AsJson),
}

for _kind in SYSTEMS:
    jam_app.command(_kind.kind)(_jam_command(_kind))


@app.command()
def ensemble(
    config: Annotated[Path, typer.Argument(help="The ensemble, in TOML.")],
    out: Annotated[Path, typer.Option(help="File for the records.")] = Path("ensemble.sqlite"),
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; all cores if unset.")
    ] = None,
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
    with ensembles.ending_on_signals(), store, Progress("ensemble") as progress:
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

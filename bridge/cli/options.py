"""How a class of options becomes a command: each field is an option, and an error is one line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import Field, dataclass, fields
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.runs.run import Command
from bridge.runs.workers import most_workers
from bridge.systems.ranges import MOST_RUNS, options_of

STALLED = 3  # exit codes
INTERRUPTED = 130

Seed = Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Plot = Annotated[bool, typer.Option("--plot", help="Open the figure, and say where it is.")]
Samples = Annotated[int, typer.Option(min=1, help="Random samples.")]
MostRuns = Annotated[int, typer.Option(min=1, help="Refuse to set out for more runs than these.")]


class WrongUse(Exception):  # noqa: N818 - it is how a command says that its input is wrong
    """An input that cannot be run, in one line; nothing has been written."""


class Interrupted(Exception):  # noqa: N818 - it is how a command says what it has kept
    """Ctrl-C, or a signal that ends a job, in a command that keeps what is finished; one line."""


def _sensible(workers: int | None) -> int | None:
    """Refuse a number of processes of which the machine could only start a part."""
    if workers is not None and workers > (most := most_workers()):
        raise WrongUse(
            f"expected --workers of at most {most} on this machine, got {workers}: leave it out to "
            "use every core"
        )
    return workers


Workers = Annotated[
    int | None,
    typer.Option(min=1, callback=_sensible, help="Processes; all cores if unset."),
]


@contextmanager
def checking_input() -> Iterator[None]:
    """Turn what the libraries say of a wrong input, or of a missing package, into exit code 2."""
    try:
        yield
    except (ValueError, OSError, OverflowError, ImportError) as error:
        raise WrongUse(str(error)) from error


@contextmanager
def keeping(out: Path | None) -> Iterator[None]:
    """Say of a command that is interrupted where it keeps what is finished, if it does."""
    try:
        yield
    except KeyboardInterrupt:
        if out is None:
            raise
        raise Interrupted(
            f"interrupted: what was finished is kept in {out}, and the same command goes on from "
            "there"
        ) from None


@dataclass(frozen=True)
class Shared:
    """The options of all commands that run something."""

    most_runs: MostRuns = MOST_RUNS
    seed: Seed = 0
    workers: Workers = None
    out: Path | None = None
    as_json: AsJson = False
    plot: Plot = False


def add_commands(
    app: typer.Typer, kind: type[Command], action: Callable[..., int], out: Path | None, text: str
) -> None:
    """Give each system that a kind of run takes a command, or the kind alone if it takes none.

    The command builds the class of the system from the options that are its fields, and calls
    ``action(instance, shared, **others)`` with the `Shared` options, and those of the kind of run.
    ``out`` is where the results go if that is not said, and ``text`` the help of ``--out``.
    """
    own = {item.name: _keyword(item.name, item.default, item.type) for item in fields(Shared)}
    own["out"] = _keyword("out", out, Annotated[Path | None, typer.Option(help=text)])
    common = [*map(_option, options_of(kind)), *own.values()]
    if kind.repeats:
        common.append(_keyword("samples", 1, Samples))
    for system in kind.takes().values():
        called = _command(action, system, common)
        app.command(system.kind, help=system.__doc__)(called)
    if not kind.takes():
        app.command(kind.command, help=headline(kind))(_command(action, None, common))


def headline(kind: type[Command]) -> str:
    """Return the first sentence of what a kind of run says of itself."""
    return (kind.__doc__ or "").strip().splitlines()[0]


def _command(
    action: Callable[..., int], system: Any, common: list[Parameter]
) -> Callable[..., int]:
    parameters = [*map(_option, options_of(system)), *common]

    def command(**given: Any) -> int:
        options, shared = (
            {item.name: given.pop(item.name) for item in part}
            for part in (options_of(system), fields(Shared))
        )
        return action(system and system(**options), Shared(**shared), **given)

    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def _option(item: "Field[Any]") -> Parameter:
    kind: Any = item.type
    if item.metadata.get("argument"):
        place = typer.Argument(help=item.metadata["help"], show_default=False)
        return _keyword(item.name, item.default, Annotated[kind, place])
    names = [f"--{item.name.replace('_', '-')}"] if kind is bool else []  # and no --no-...
    annotation = Annotated[kind, typer.Option(*names, help=item.metadata["help"])]
    return _keyword(item.name, item.default, annotation)


def _keyword(name: str, default: Any, annotation: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

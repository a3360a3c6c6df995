"""How a class of options becomes a command: each field is an option, and an error is one line."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import Field, fields
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.runs.workers import most_workers
from bridge.systems.ranges import check_ranges

STALLED = 3  # exit codes
INTERRUPTED = 130

Seed = Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
OutFolder = Annotated[Path | None, typer.Option(help="Folder for the results.")]
OutFile = Annotated[Path | None, typer.Option(help="File to keep everything in.")]
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


def make_folder(out: Path | None) -> None:
    """Make the folder for the results before anything is computed for it."""
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)


def add_commands(
    app: typer.Typer,
    kinds: Iterable[Any],
    action: Callable[..., int],
    shared: Mapping[str, tuple[Any, Any]],
    run: Iterable["Field[Any]"] = (),
) -> None:
    """Give every class of ``kinds`` a command named after its ``kind``.

    The command builds the class from the options that are its fields, and calls
    ``action(instance, **shared)``; ``shared`` holds ``name: (default, annotation)``, to which the
    options ``run`` of a kind of run are added.
    """
    own = list(run)
    common = [*map(_option, own), *(_keyword(name, *given) for name, given in shared.items())]
    names = {*shared, *(item.name for item in own)}
    for kind in kinds:
        parameters = [*map(_option, fields(kind)), *common]
        app.command(kind.kind, help=kind.__doc__)(_command(kind, action, parameters, names))


def add_command(
    app: typer.Typer,
    name: str,
    text: str | None,
    action: Callable[..., int],
    shared: Mapping[str, tuple[Any, Any]],
    run: Iterable["Field[Any]"],
) -> None:
    """Give ``action`` a command whose options are those of a kind of run, and ``shared``."""
    common = [_keyword(name, *given) for name, given in shared.items()]

    def command(**given: Any) -> int:
        return action(None, **given)

    app.command(name, help=text)(_signed(command, [*map(_option, run), *common]))


def _command(
    kind: Any, action: Callable[..., int], parameters: list[Parameter], shared: set[str]
) -> Callable[..., int]:
    def command(**given: Any) -> int:
        common = {name: given.pop(name) for name in shared}
        instance = kind(**given)
        with checking_input():
            check_ranges(instance)
        return action(instance, **common)

    return _signed(command, parameters)


def _signed(command: Callable[..., int], parameters: list[Parameter]) -> Callable[..., int]:
    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def _option(item: "Field[Any]") -> Parameter:
    kind: Any = item.type
    names = [f"--{item.name.replace('_', '-')}"] if kind is bool else []  # and no --no-...
    annotation = Annotated[kind, typer.Option(*names, help=item.metadata["help"])]
    return _keyword(item.name, item.default, annotation)


def _keyword(name: str, default: Any, annotation: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

"""How a class of options becomes a command: each field is an option, and an error is one line."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import Field, fields
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.ranges import check_ranges

STALLED = 3  # exit codes
INTERRUPTED = 130

Seed = Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
OutFolder = Annotated[Path | None, typer.Option(help="Folder for the results.")]
OutFile = Annotated[Path | None, typer.Option(help="File to keep everything in.")]
MostRuns = Annotated[int, typer.Option(min=1, help="Refuse to set out for more runs than these.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes; all cores if unset.")]


def count_of(workers: int | None) -> int:
    """Return the number of processes: as many as there are cores if none is given."""
    cores = os.cpu_count()
    return workers if workers is not None else 1 if cores is None else cores


class WrongUse(Exception):  # noqa: N818 - it is how a command says that its input is wrong
    """An input that cannot be run, in one line; nothing has been written."""


@contextmanager
def checking_input() -> Iterator[None]:
    """Turn what the libraries say of a wrong input into exit code 2."""
    try:
        yield
    except (ValueError, OSError, OverflowError) as error:
        raise WrongUse(str(error)) from error


def make_folder(out: Path | None) -> None:
    """Make the folder for the results before anything is computed for it."""
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)


def add_commands(
    app: typer.Typer,
    kinds: tuple[Any, ...],
    action: Callable[..., int],
    shared: Mapping[str, tuple[Any, Any]],
) -> None:
    """Give every class of ``kinds`` a command named after its ``kind``.

    The command builds the class from the options that are its fields, and calls
    ``action(instance, **shared)``; ``shared`` holds ``name: (default, annotation)``.
    """
    common = [_keyword(name, *given) for name, given in shared.items()]
    for kind in kinds:
        parameters = [*map(_option, fields(kind)), *common]
        app.command(kind.kind, help=kind.__doc__)(_command(kind, action, parameters, set(shared)))


def _command(
    kind: Any, action: Callable[..., int], parameters: list[Parameter], shared: set[str]
) -> Callable[..., int]:
    def command(**given: Any) -> int:
        common = {name: given.pop(name) for name in shared}
        instance = kind(**given)
        with checking_input():
            check_ranges(instance)
        return action(instance, **common)

    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def _option(item: "Field[Any]") -> Parameter:
    kind: Any = item.type
    annotation = Annotated[kind, typer.Option(help=item.metadata["help"])]
    return _keyword(item.name, item.default, annotation)


def _keyword(name: str, default: Any, annotation: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

"""The command line: options in, one result on stdout, everything else on stderr.

Exit codes: 0 done; 1 failure; 2 wrong use, and then nothing was written; 3 done, but at least one
run stalled; 130 interrupted, with all finished records kept where there is a file for them.
"""

import os
import sys
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pkgutil import iter_modules
from typing import Annotated, Any

import typer

import bridge
from bridge.cli.console import escape_what_cannot_be_shown
from bridge.cli.options import INTERRUPTED, Interrupted, WrongUse
from bridge.runs.registry import kinds
from bridge.runs.workers import ending_on_signals, use_one_thread

DEBUG = "JAMSCAPE_DEBUG"  # where it is set, an error that nobody foresaw shows its traceback


def main() -> None:
    """Run the command line and exit."""
    use_one_thread()
    escape_what_cannot_be_shown()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; every error is one line on stderr."""
    try:
        _check_outputs(arguments)
        with ending_on_signals():
            words = arguments or ["--help"]
            code = assemble(words)(words, prog_name="jamscape", standalone_mode=False)
    except WrongUse as error:
        return _say(str(error), 2)
    except Interrupted as error:
        return _say(str(error), INTERRUPTED)
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except typer.TyperException as error:  # an unknown option, a word where a number belongs
        return _misused(error, arguments)
    except (RuntimeError, OSError, MemoryError) as error:
        return _say(f"failed: {error or type(error).__name__}", 1)
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        return _say(f"failed by {type(error).__name__}: {error}: {DEBUG}=1 shows where", 1)
    if code == INTERRUPTED:  # this is how typer reports Ctrl-C
        return _say("interrupted", code)
    return code or 0


def _check_outputs(arguments: list[str]) -> None:
    """Refuse an option where the name of an output belongs: it would become that name."""
    for option, value in pairwise(arguments):
        if option in ("--out", "-o") and value.startswith("-"):
            raise WrongUse(
                f"expected a name after {option}, got {value}: write ./{value} if it is called so"
            )


def assemble(arguments: list[str]) -> typer.Typer:
    """Return the command line with the command that is called, or with all of them."""
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_jamscape)
    for name in [name for name in commands() if name in arguments[:1]] or commands():
        app.add_typer(_command(name), no_args_is_help=True)
    return app


def commands() -> list[str]:
    """Return the names of all commands: files of bridge.cli.commands, and other kinds of run."""
    files = iter_modules(import_module("bridge.cli.commands").__path__)
    return sorted({*kinds(), *(file.name for file in files)})


def _command(name: str) -> typer.Typer:
    """Return the command of a file in bridge.cli.commands, or that of a kind of run."""
    from bridge.cli.run_commands import command_of

    if find_spec(f"bridge.cli.commands.{name}") is None:
        return command_of(kinds()[name])
    app: typer.Typer = import_module(f"bridge.cli.commands.{name}").app
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"jamscape {bridge.__version__}")
        raise typer.Exit


def _jamscape(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version."),
    ] = False,
) -> None:
    """Packings, perceptrons and deep networks as one kind of problem, side by side."""


def _misused(error: typer.TyperException, arguments: list[str]) -> int:
    """Say what is wrong and which help to read; of a group without a command, show its help."""
    context = getattr(error, "ctx", None)
    if context is not None and error.message == context.get_help():
        with suppress(OSError):
            typer.echo(error.message, err=True)
        return error.exit_code
    message = error.format_message().rstrip(".")
    return _say(f"{message}: see '{_called(arguments)} --help'", error.exit_code)


def _called(arguments: list[str]) -> str:
    """Return the command that is called by its whole name, as far as there is one."""
    words = ["jamscape"]
    found: Any = typer.main.get_command(assemble(arguments))
    for word in arguments:
        found = getattr(found, "commands", {}).get(word)
        if found is None:
            break
        words.append(word)
    return " ".join(words)


def _say(message: str, code: int) -> int:
    with suppress(OSError):  # the terminal may be gone
        typer.echo("jamscape: " + " ".join(message.split()), err=True)
    return code


if __name__ == "__main__":
    main()

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

import typer

from bridge.cli.console import escape_what_cannot_be_shown
from bridge.cli.options import INTERRUPTED, Interrupted, WrongUse
from bridge.runs.registry import kinds
from bridge.runs.workers import ending_on_signals, use_one_thread

DEBUG = "JAMSCAPE_DEBUG"  # where it is set, an error that nobody foresaw shows its traceback
COMMANDS = (
    "compare",
    "jam",
    "avalanche",
    "landscape",
    "claims",
    "ensemble",
    "collect",
    "report",
    "transition",
    "doctor",
)  # in the order of the help; kinds of run that have no file in bridge.cli.commands follow


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
            code = assemble(arguments)(arguments, prog_name="jamscape", standalone_mode=False)
    except WrongUse as error:
        return _say(str(error), 2)
    except Interrupted as error:
        return _say(str(error), INTERRUPTED)
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except typer.TyperException as error:  # an unknown option, a word where a number belongs
        message = error.format_message().rstrip(".")
        return _say(f"{message}: see 'jamscape --help'", error.exit_code)
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
    known = [*COMMANDS, *(name for name in kinds() if name not in COMMANDS)]
    for name in [name for name in known if name in arguments[:1]] or known:
        app.add_typer(_command(name))
    return app


def _command(name: str) -> typer.Typer:
    """Return the command of a file in bridge.cli.commands, or that of a kind of run."""
    from bridge.cli.run_commands import command_of

    if find_spec(f"bridge.cli.commands.{name}") is None:
        return command_of(kinds()[name])
    app: typer.Typer = import_module(f"bridge.cli.commands.{name}").app
    return app


def _jamscape() -> None:
    """Packings, perceptrons and deep networks as one kind of problem, side by side."""


def _say(message: str, code: int) -> int:
    with suppress(OSError):  # the terminal may be gone
        typer.echo("jamscape: " + " ".join(message.split()), err=True)
    return code


if __name__ == "__main__":
    main()

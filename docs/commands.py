"""The page of the command line, from the commands themselves: ``python docs/commands.py FILE``.

What a command says of itself and of its options is its ``--help``. Examples are the lines that
README and the pages of this site show, or the command alone, where it needs no more.
"""

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from bridge.cli.main import assemble
from bridge.cli.options import headline
from bridge.runs.registry import kinds

HERE = Path(__file__).parent
SHOWING = (HERE.parent / "README.md", *(HERE / f"{name}.md" for name in ("start", "howto")))
_GIVEN = {"model": "net.py:make"}  # arguments of commands that no page shows

_INTRODUCTION = """# Commands

Every command and all of its options, written from the commands themselves; what
`jamscape COMMAND --help` says is the same. Options that all commands of a group have in common
stand once, at its top. Exit codes: 0 done, 1 failure, 2 wrong use (nothing was written), 3 done but
a run stalled, 130 interrupted (what is in a store is kept).
"""


def tree() -> Any:
    """Return the command line whole, as a group of commands."""
    return typer.main.get_command(assemble([]))


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that runs something, with the words that call it."""
    for name, part in getattr(command, "commands", {}).items():
        yield from leaves(part, (*path, name))
    if not hasattr(command, "commands"):
        yield path, command


def examples() -> list[str]:
    """Return the lines of code in the pages that call ``jamscape``."""
    lines = "\n".join(page.read_text(encoding="utf-8") for page in SHOWING).splitlines()
    return [line.strip() for line in lines if re.match(r"    jamscape \S", line)]


def words_of(example: str) -> list[str]:
    """Return what a line gives to the command line, without its comment."""
    return shlex.split(example, comments=True)[1:]


def examples_of(path: tuple[str, ...], command: Any) -> list[str]:
    """Return the lines that call a command; the command alone if there are none."""
    shown = {tuple(words_of(line)): line for line in examples()}
    found = [line for words, line in shown.items() if words[: len(path)] == path]
    given = [_GIVEN[p.name] for p in command.params if not p.opts[0].startswith("-") and not found]
    return found or [" ".join(["jamscape", *path, *given])]


def options_of(path: tuple[str, ...], command: Any) -> list[str]:
    """Return each option or argument as a row of a table: its name, default, and what it is."""
    context = typer.Context(command, info_name=" ".join(path))
    rows = []
    for parameter in command.params:
        if (record := parameter.get_help_record(context)) is not None:
            name, text = (part.replace("|", "\\|") for part in record)
            text, _, more = text.removesuffix("]").partition("  [")
            name = name.replace(" range>", ">")
            rows.append(f"| `{name}` | {more.removeprefix('default: ')} | {text} |")
    return rows


def table(rows: list[str]) -> str:
    """Return the rows of options as a table in Markdown."""
    return "\n".join(["| option | default, range | |", "| --- | --- | --- |", *rows])


def page() -> str:
    """Return the page in Markdown: a section for each command, one below it for each system."""
    groups: dict[str, dict[tuple[str, ...], Any]] = {}
    for path, command in leaves(tree()):
        groups.setdefault(path[0], {})[path] = command
    return "\n\n".join([_INTRODUCTION, *map(_section, groups, groups.values())]) + "\n"


def _section(name: str, members: dict[tuple[str, ...], Any]) -> str:
    parts = [f"## {name}"]
    if len(members) == 1:
        ((path, command),) = members.items()
        return "\n\n".join([*parts, *_body(path, command, options_of(path, command))])
    options = {path: options_of(path, command) for path, command in members.items()}
    group = [set(rows) for path, rows in options.items() if path[-1] != "show"]
    shared = [row for row in next(iter(options.values())) if all(row in rows for rows in group)]
    parts += [headline(kinds()[name]), "Options of all of them:", table(shared)]
    for path, command in members.items():
        own = [row for row in options[path] if row not in shared or path[-1] == "show"]
        parts += [f"### {' '.join(path)}", *_body(path, command, own)]
    return "\n\n".join(parts)


def _body(path: tuple[str, ...], command: Any, rows: list[str]) -> list[str]:
    lines = "\n".join(examples_of(path, command))
    text = " ".join((command.help or "").split())
    return [text, f"```text\n{lines}\n```", *([table(rows)] if rows else [])]


def write(file: Path) -> None:
    """Write the page."""
    file.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))

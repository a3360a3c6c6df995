"""Which kinds of run there are: every `Command` in the files of `bridge.runs.kinds`."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from bridge.runs.run import Command

_ROOM = "bridge.runs.kinds"


@cache
def kinds() -> dict[str, type[Command]]:
    """Return the kinds of run, by the names of their commands."""
    room = import_module(_ROOM)
    found: dict[str, type[Command]] = {}
    for name in sorted(module.name for module in iter_modules(room.__path__)):
        module: Any = import_module(f"{_ROOM}.{name}")
        for value in vars(module).values():
            own = isinstance(value, type) and value.__module__ == module.__name__
            if own and issubclass(value, Command) and hasattr(value, "command"):
                found[value.command] = value
    return found

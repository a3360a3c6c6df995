"""Which kinds of run there are: every `Command` in the files of `bridge.runs.kinds`."""

from functools import cache

from bridge.runs.run import Command
from bridge.systems.registry import classes_in


@cache
def kinds() -> dict[str, type[Command]]:
    """Return the kinds of run, by the names of their commands."""
    found = (kind for kind in classes_in("bridge.runs.kinds") if issubclass(kind, Command))
    return {kind.command: kind for kind in found if hasattr(kind, "command")}

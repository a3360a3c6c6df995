"""Which systems there are: every class of options in the files of this folder."""

from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

_ROOM = "bridge.systems"


def systems() -> dict[str, Any]:
    """Return the classes that can be brought to their jamming, by their kinds, in order of rank."""
    return {kind.kind: kind for kind in option_classes() if hasattr(kind, "jam")}


def landscapes() -> dict[str, Any]:
    """Return the classes whose landscapes can be searched, by their kinds, in order of rank."""
    return {kind.kind: kind for kind in option_classes() if hasattr(kind, "case")}


def load_words(name: str) -> str:
    """Return what a load is called on an axis, its symbol last.

    >>> load_words("phi")
    'packing fraction φ'
    """
    known = {"t": "load added t"}
    for kind in systems().values():
        known |= kind.load_words
    return known.get(name, name)


@cache
def option_classes() -> tuple[Any, ...]:
    """Return every class of options, in order of rank."""
    room = import_module(_ROOM)
    files = [module.name for module in iter_modules(room.__path__)]
    modules = [import_module(f"{_ROOM}.{name}") for name in files]
    found = [kind for module in modules for kind in _defined_in(module)]
    return tuple(sorted(found, key=lambda kind: kind.rank))


def _defined_in(module: Any) -> Iterator[Any]:
    for value in vars(module).values():
        own = isinstance(value, type) and value.__module__ == module.__name__
        if own and is_dataclass(value) and hasattr(value, "kind"):
            yield value

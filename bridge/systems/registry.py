"""Which systems there are: every class of options in the files of this folder."""

from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any


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
    """Return every class of options with a kind of its own, in order of rank, and then of kind."""
    found = (c for c in classes_in("bridge.systems") if is_dataclass(c) and "kind" in vars(c))
    return tuple(sorted(found, key=lambda kind: (getattr(kind, "rank", 10), kind.kind)))


def classes_in(room: str) -> Iterator[Any]:
    """Yield every class that the files of a package define."""
    for file in iter_modules(import_module(room).__path__):
        module = import_module(f"{room}.{file.name}")
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield value

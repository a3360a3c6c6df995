"""Modules that a function makes, anew for each sample: one of the user's program, or of a file."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from inspect import signature
from pathlib import Path
from typing import Any, TypeAlias

import torch

from networks.data.files import file_bytes

Make: TypeAlias = Callable[[], torch.nn.Module]

_WRITTEN = "FILE.py:NAME"


def made(make: Make, seed: int, name: str = "make") -> torch.nn.Module:
    """Return ``make()``, with torch seeded for it: its layers draw their parameters from torch.

    The random numbers of the caller are left as they are.

    Raises
    ------
    ValueError
        In one line, if ``make`` raises, or returns something else.

    Examples
    --------
    >>> layer = made(lambda: torch.nn.Linear(2, 1), seed=3)
    >>> torch.equal(layer.weight, made(lambda: torch.nn.Linear(2, 1), seed=3).weight)
    True
    """
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            found = make()
    except Exception as error:  # noqa: BLE001 - a user's function may raise anything
        raise ValueError(
            f"expected {name}() to make a module, got {_said(error)}: mend it"
        ) from None
    if not isinstance(found, torch.nn.Module):
        raise ValueError(  # noqa: TRY004 - what a function returns is no type of an argument
            f"expected {name}() to return a torch.nn.Module, got a {type(found).__name__}: "
            "return the module"
        )
    return found


def check_make(make: Any, name: str = "make") -> Make:
    """Return what makes modules: a function or a class that needs no arguments.

    Raises
    ------
    ValueError
        In one line, if it cannot be called so, or is a module.
    """
    if isinstance(make, torch.nn.Module):
        raise ValueError(  # noqa: TRY004 - of a file: a wrong use of the command line
            f"expected {name} to make a module for each sample, got a {type(make).__name__}: "
            "write a function that returns it"
        )
    if not callable(make):
        raise ValueError(  # noqa: TRY004 - of a file: a wrong use of the command line
            f"expected {name} to be a function or a class, got a {type(make).__name__}: "
            "name one that makes a module"
        )
    try:
        signature(make).bind()
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"expected {name}() to be called without arguments, got: {error}: give them defaults"
        ) from None
    found: Make = make
    return found


def file_and_name(written: str) -> tuple[Path, str]:
    """Return the two parts of ``FILE.py:NAME``.

    Raises
    ------
    ValueError
        In one line, if it is written otherwise.
    """
    if not written:
        raise ValueError(
            f"expected {_WRITTEN} with a function that makes a module, got none: name one"
        )
    file, _, name = written.rpartition(":")
    if not file.endswith(".py") or not name.isidentifier():
        raise ValueError(
            f"expected {_WRITTEN} with a function that makes a module, got {written!r}: "
            "write such as net.py:make"
        )
    return Path(file), name


def read_make(written: str) -> Make:
    """Return the function or class that ``FILE.py:NAME`` names; the file is executed.

    Raises
    ------
    ValueError
        In one line, if the file cannot be read or executed, or holds no such name.
    """
    path, name = file_and_name(written)
    make = check_make(read_in_file(written, name), name)

    def made_there() -> torch.nn.Module:
        with _folder_of(path):
            return make()

    return made_there


def read_in_file(written: str, name: str) -> Any:
    """Return what ``name`` is in the file of ``FILE.py:NAME``, which is executed.

    Raises
    ------
    ValueError
        In one line, if the file cannot be read or executed, or holds no such name.
    """
    path, _ = file_and_name(written)
    known = _executed(path.resolve(), file_bytes(path))
    if name not in known:
        here = known["__name__"]
        others = [n for n, v in known.items() if getattr(v, "__module__", "") == here]
        shown = ", ".join(others[:8]) or "nothing to call"
        raise ValueError(f"expected {name} in {path}, got {shown}: name one")
    return known[name]


@cache
def _executed(path: Path, source: bytes) -> dict[str, Any]:
    """Return the names of a file once it was executed; its folder is where it may import from."""
    spec = spec_from_file_location(f"module_of_{path.stem}", path)
    assert spec is not None  # of a name that ends in .py
    module = module_from_spec(spec)
    sys.modules[module.__name__] = module  # where its classes say that they are from
    try:
        with _folder_of(path):
            exec(compile(source, str(path), "exec"), vars(module))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's file may raise anything
        raise ValueError(
            f"expected a file of Python that can be imported, got {_said(error)} in {path}: mend it"
        ) from None
    return vars(module)


@contextmanager
def _folder_of(path: Path) -> Iterator[None]:
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)


def _said(error: BaseException) -> str:
    text = (str(error).strip().splitlines() or [""])[0].rstrip(".:")
    name = type(error).__name__
    return f"{name}: {text}" if text else name

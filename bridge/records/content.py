"""Parameters of a record: all that determines the result of a run, and nothing else.

A file of data is what it holds, not where it lies: one that was replaced is another run, one that
was moved is the same. So its path, which may name a home folder, is in no record.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

_JUST_NOW = 2_000_000_000  # ns within which a second change need not show in the times of a file
_FILES = "train-*-ubyte*"  # of a folder with MNIST


def parameters(
    system: Any, *, settings: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """Return the parameters of a run: options of its system, those of the run, and settings.

    Parameters
    ----------
    system
        A class of options with a ``kind``, and with ``settings()`` if its result depends on
        numbers that are no options: rates of an optimiser, where a descent starts.
    settings
        Such numbers of the run, in place of those of the system.
    more
        Options of the run.

    Raises
    ------
    ValueError
        In one line, if a file of data cannot be read.
    """
    own = system.settings() if hasattr(system, "settings") else {}
    return {
        "system": system.kind,
        **options(system),
        **more,
        "settings": {**own, **(settings or {})},
    }


def options(system: Any) -> dict[str, Any]:
    """Return the options of a system; what is in a file, such as ``data``, by its content.

    Fields that are not compared are no options: arrays and functions that stand for those of files.
    """
    found = {item.name: getattr(system, item.name) for item in fields(system) if item.compare}
    path = data_path(system)
    found |= {} if path is None else {"data": content(path)}
    return found | (system.kept_as() if hasattr(system, "kept_as") else {})


def data_path(system: Any) -> Path | None:
    """Return where the data of a system lie; None if they are in no file."""
    data = getattr(system, "data", None)
    return None if data is None or data in system.built_in_data else Path(data)


def data_name(system: Any) -> dict[str, str]:
    """Return ``data_file``, the name of the file or folder without its path, if there is one.

    With it those of other files of the system, if it has any.
    """
    path = data_path(system)
    others: dict[str, str] = system.file_names() if hasattr(system, "file_names") else {}
    return others if path is None else others | {"data_file": path.resolve().name}


def content(path: Path) -> str:
    """Return ``sha256:`` and the hash of a file, or of what the files of a folder are and hold.

    Raises
    ------
    ValueError
        In one line, if there is nothing to read.
    """
    try:
        if not path.is_dir():
            return f"sha256:{_hash_of(path)}"
        lines = [f"{_hash_of(file)}  {file.name}\n" for file in sorted(path.glob(_FILES))]
    except OSError as error:
        raise ValueError(
            f"expected a file or folder with data at {path}, got: {error.strerror}: correct --data"
        ) from None
    return f"sha256:{hashlib.sha256(''.join(lines).encode()).hexdigest()}"


def _hash_of(path: Path) -> str:
    found = path.stat()
    state = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    if time.time_ns() - found.st_ctime_ns < _JUST_NOW:
        return _read(path)
    return _kept(path.resolve(), *state)


@cache
def _kept(path: Path, *state: int) -> str:
    """Read a file once in each state: the key of a run is asked for often."""
    del state
    return _read(path)


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Atomic writing of files: under a temporary name first, text in UTF-8."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

# Names of files need not be text, and JSON reads these escapes of their bytes.
_ESCAPED = "backslashreplace"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the name of a new file beside ``path``, which takes its place once it is whole.

    Raises
    ------
    OSError
        If ``path`` is a folder, a pipe or a device, or the file cannot be written. What was there
        is left as it was.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise FileExistsError(
            f"expected the name of a file, got a folder or a device, {path}: name another"
        )
    part = target.with_name(target.name + ".part")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def text_file(path: Path) -> Iterator[TextIO]:
    """Open a new text file, which takes the place of ``path`` once it is whole."""
    with (
        replacing(path) as part,
        part.open("w", encoding="utf-8", errors=_ESCAPED, newline="") as file,
    ):
        yield file


def write_text(path: Path, text: str) -> None:
    """Write a text."""
    with text_file(path) as file:
        file.write(text)

"""Tables of patterns and their labels, from an ``.npz`` or from text.

Text is read by pandas; what is left to this file is to take nothing for granted that pandas guesses
at: where the heading ends, what separates columns, and what is a number.
"""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from networks.data.arrays import LARGEST, real_array
from networks.data.files import file_bytes, read_npz

if TYPE_CHECKING:
    import pandas as pd

Vector: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.intp]
Place: TypeAlias = Callable[[int, int], str]

_POINT, _COMMA = (
    rf"[+-]?([0-9]+{mark}?[0-9]*|{mark}[0-9]+)([eE][+-]?[0-9]+)?" for mark in (r"\.", ",")
)  # what a number looks like
_LIKE_A_NUMBER = re.compile(rf"{_POINT}|{_COMMA}|[+-]?(nan|inf|infinity)|n/?a", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Table:
    """Patterns as a file holds them.

    Attributes
    ----------
    path
        The file.
    x
        Patterns, ``(P, d)``: finite, none too large.
    classes
        The different labels, numbers or words, in ascending order.
    label
        The place of each pattern's label in ``classes``, ``(P,)``.
    place
        What to call row and column of ``x`` in a message.
    shape
        The shape of a pattern in the file: ``(d,)`` of a text.
    """

    path: Path
    x: Vector
    classes: tuple[str, ...]
    label: Labels
    place: Place
    shape: tuple[int, ...]


def read_table(path: str | Path, label: str | None = None) -> Table:
    """Return the patterns of an ``.npz`` with ``x`` and ``y``, or of any other file as text.

    Columns of text are separated by tabs, semicolons, commas or blanks, the first of these that
    its first line has; beside tabs and semicolons numbers may have decimal commas. A first line
    of words only is a heading.

    Parameters
    ----------
    label
        The column with the labels, by its name in the heading or by its number from 1; the last
        one if not given. Anything that is not a pattern's number may be a label.

    Raises
    ------
    ValueError
        In one line that names the file, and line and column where a number is wrong.
    """
    path = Path(path)
    try:
        return _from_npz(path, label) if path.suffix == ".npz" else _from_text(path, label)
    except MemoryError:
        raise ValueError(f"expected data that fit in memory, got {path}: use a part") from None


def _table(
    path: Path, x: Vector, y: NDArray[Any], place: Place, shape: tuple[int, ...] | None = None
) -> Table:
    large = np.argwhere(np.abs(x) > LARGEST)
    if len(large):
        row, column = large[0].tolist()
        raise ValueError(
            f"expected numbers up to {LARGEST:g}, got {x[row, column]:g} in {place(row, column)}: "
            "remove it, or scale the column"
        )
    classes, label = np.unique(y, return_inverse=True)
    names = tuple(f"{c:.10g}" if classes.dtype.kind == "f" else str(c) for c in classes)
    shape = x.shape[1:] if shape is None else shape
    return Table(path, x, names, label.astype(np.intp).ravel(), place, shape)


# An archive.


def _from_npz(path: Path, label: str | None) -> Table:
    if label is not None:
        raise ValueError(f"expected no label with an .npz, got {label}: its labels are y")
    x, y = read_npz(path)

    def place(row: int, column: int) -> str:
        at = np.unravel_index(column, x.shape[1:])
        return f"x[{', '.join(map(str, (row, *at)))}] of {path}"

    y = y.ravel() if y.ndim == 2 and 1 in y.shape else y
    if x.ndim < 2 or y.ndim != 1 or len(x) != len(y) or not x.size:
        raise ValueError(
            f"expected x of (P, d) and y of (P,) in {path}, got {x.shape} and {y.shape}: "
            "save a row and a label for each"
        )
    if y.dtype.kind not in "buifUS":
        raise ValueError(f"expected numbers or words as y in {path}, got {y.dtype}: convert them")
    if y.dtype.kind == "f":
        real_array(f"y of {path}", y)
    y = np.char.decode(y, "utf-8", "replace") if y.dtype.kind == "S" else y
    flat = real_array(f"x of {path}", x.reshape(len(x), -1), place)
    return _table(path, flat, y, place, x.shape[1:])


# Text.


@dataclass(frozen=True)
class _Lines:
    """The lines of a text that are not blank: of the heading, if there is one, and of the rows."""

    path: Path
    separator: str
    heading: list[str] | None
    rows: list[str]
    numbers: list[int]

    def place(self, row: int, column: int) -> str:
        """Return what to call a field: an editor counts from 1."""
        return f"line {self.numbers[row]}, column {column + 1} of {self.path}"


def _from_text(path: Path, label: str | None) -> Table:
    lines = _lines(path)
    frame, number = _frame(lines)
    at = _label_column(lines, label, frame.shape[1])
    y = _labels(frame[at], lines, at)
    others = [column for column in range(frame.shape[1]) if column != at]

    def place(row: int, column: int) -> str:
        return lines.place(row, others[column])

    x = np.column_stack([_numbers(frame[k], number, lines, k) for k in others])
    if lines.heading and lines.heading[at] in set(map(str, y)):
        raise ValueError(
            f"expected a heading or numbers in line 1 of {path}, got words with the label "
            f"{lines.heading[at]}: correct them"
        )
    return _table(path, real_array(str(path), x, place), y, place)


def _lines(path: Path) -> _Lines:
    raw = file_bytes(path)
    wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"expected text in UTF-8 at {path}, got byte {error.start} of another encoding: "
            "convert it"
        ) from None
    every = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = [(number, line) for number, line in enumerate(every, 1) if line.strip()]
    if not kept:
        raise ValueError(f"expected rows of numbers in {path}, got an empty file: add some")
    numbers, rows = [number for number, _ in kept], [line for _, line in kept]
    separator = next((mark for mark in "\t;," if mark in rows[0]), r"\s+")
    first = _fields(rows[0].lstrip("# "), separator)
    if any(map(_LIKE_A_NUMBER.fullmatch, first)):
        return _Lines(path, separator, None, rows, numbers)
    if not all(first):
        raise ValueError(
            f"expected a name for each column in line {numbers[0]} of {path}, got none for column "
            f"{first.index('') + 1}: name it, or remove the column"
        )
    return _Lines(path, separator, first, rows[1:], numbers[1:])


def _fields(line: str, separator: str) -> list[str]:
    if separator == r"\s+":
        return line.split()
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=separator))]
    except csv.Error:  # a field too long for a name
        return line.split(separator)


def _frame(lines: _Lines) -> "tuple[pd.DataFrame, str]":
    """Return all rows, and what a number looks like: columns may be numbers, words or both."""
    import pandas as pd

    text, path = "\n".join(lines.rows), lines.path
    if not lines.rows:
        raise ValueError(f"expected rows of numbers in {path}, got a heading only: add some")
    commas = lines.separator in "\t;" and re.search(r"\d,\d|(^|[\t;+-]),\d", text, re.M)
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=lines.separator,
            decimal="," if commas else ".",
            header=None,
            keep_default_na=False,
            na_values=[""],
            skipinitialspace=True,
            low_memory=False,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OverflowError) as error:
        raise ValueError(
            f"expected a table in {path}, got: {_explained(lines, error)}: correct it"
        ) from None
    if len(frame) != len(lines.rows):
        raise ValueError(
            f"expected a row on each line of {path}, got a line break in quotes: remove it"
        )
    width = frame.shape[1]
    if lines.heading and len(lines.heading) != width:
        raise ValueError(
            f"expected a name for each of {width} columns, got {len(lines.heading)} in the first "
            f"line of {path}: correct it"
        )
    if width < 2:
        raise ValueError(
            f"expected two or more columns in {path}, got {width}: separate them by commas"
        )
    return frame, _COMMA if commas else _POINT


def _explained(lines: _Lines, error: Exception) -> str:
    """Return what pandas says of a line, with the number that the line has in the file."""
    said = " ".join(str(error).replace("Error tokenizing data. C error:", "").split())

    def counted(found: re.Match[str]) -> str:
        index = int(found[2]) - (found[1] == "line")
        return f"line {lines.numbers[index]}" if 0 <= index < len(lines.numbers) else found[0]

    return re.sub(r"\b(line|row) (\d+)", counted, said)


def _label_column(lines: _Lines, label: str | None, width: int) -> int:
    if label is None:
        return width - 1
    names = lines.heading or []
    if names.count(label) == 1:
        return names.index(label)
    if label.isascii() and label.isdecimal() and 1 <= int(label[:9]) <= width:
        return int(label) - 1
    known = f"one of {', '.join(names[:20])}, or " if names else ""
    raise ValueError(
        f"expected a label column of {lines.path}, {known}a number from 1 to {width}, got {label}: "
        "name one of them"
    )


def _labels(column: "pd.Series[Any]", lines: _Lines, at: int) -> NDArray[Any]:
    """Return the labels: numbers where all are, otherwise words."""
    missing = np.flatnonzero(column.isna())
    if len(missing):
        place = lines.place(int(missing[0]), at)
        raise ValueError(f"expected a label in {place}, got nothing: add it, or remove the line")
    if column.dtype.kind in "iuf":
        return np.asarray(column)
    return np.array([str(word).strip() for word in column])


def _numbers(column: "pd.Series[Any]", number: str, lines: _Lines, at: int) -> Vector:
    """Return a column as numbers, or refuse what is none."""
    missing = column.isna().to_numpy()
    if column.dtype.kind in "iuf" and not missing.any():
        return np.asarray(column, dtype=np.float64)
    words = column.astype(str).str.strip()
    wrong = np.flatnonzero(missing | ~words.str.fullmatch(number).to_numpy(dtype=bool))
    if len(wrong):
        row = int(wrong[0])
        got = "nothing" if missing[row] else repr(words.iloc[row][:40])
        raise ValueError(
            f"expected a number in {lines.place(row, at)}, got {got}: correct it, or name the "
            "column with the labels"
        )
    return np.array([float(word.replace(",", ".")) for word in words])

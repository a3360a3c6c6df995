"""Extended XYZ: frames of a text file, each a box, its periodicity and columns of numbers.

Readers of other packages, as that of ASE, know atoms only: they refuse a species that is no
element and marks of an encoding, and their errors do not name the file.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

LARGEST = 2**30  # bytes of a text file that is read
# So far a box may be tilted, and heights may differ in a plane: rounding of other programs.
ROUNDING = 1e-12

_PAIR = re.compile(r'([^\s="]+)\s*=\s*("(?:[^"\\]|\\.)*"|\'[^\']*\'(?!\S)|\{[^}]*\}|\[[^]]*\]|\S*)')
_COUNT = re.compile(r"[0-9]{1,12}")
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_KNOWN = {"lattice", "pbc", "properties"}
_TRUE, _FALSE = {"T", "true", "True", "TRUE"}, {"F", "false", "False", "FALSE"}


@dataclass(frozen=True)
class XyzColumn:
    """A property of the bodies: its type ``R``, ``I``, ``S`` or ``L``, and where it stands."""

    name: str
    kind: str
    start: int
    width: int


@dataclass(frozen=True)
class Frame:
    """One frame of a file, as text.

    Attributes
    ----------
    where
        The file, for messages.
    line
        Number of the line of the first body, from 1.
    head
        What the comment line says of ``lattice``, ``pbc`` and ``properties``.
    rows
        The lines of the bodies.
    """

    where: str
    line: int
    head: dict[str, str]
    rows: list[str]

    def sides(self) -> Vector:
        """Return the sides of the box, ``(3,)``.

        Raises
        ------
        ValueError
            If there are not nine finite numbers, or the box is tilted.
        """
        words = _words(self.head.get("lattice", ""))
        numbers = np.array([_number(word) for word in words])
        lattice = numbers.reshape(3, 3) if numbers.size == 9 else np.full((3, 3), np.nan)
        sides = np.diagonal(lattice).copy()
        good = np.isfinite(lattice).all() and sides.min() > 0.0
        if not (good and np.abs(lattice - np.diag(sides)).max() <= ROUNDING * sides.min()):
            raise ValueError(
                'expected a rectangular Lattice="Lx 0 0 0 Ly 0 0 0 Lz" with positive sides in '
                f"{self.where}, got {' '.join(words)[:80] or 'none'}: turn, correct or add it"
            )
        return sides

    def periodic(self) -> tuple[bool, bool, bool]:
        """Return along which sides the box is periodic: along all, where nothing is said.

        Raises
        ------
        ValueError
            If ``pbc`` is not three of ``T`` and ``F``.
        """
        words = _words(self.head.get("pbc", "T T T"))
        if len(words) != 3 or not set(words) <= _TRUE | _FALSE:
            raise ValueError(
                f'expected pbc="T T T" or pbc="T T F" in {self.where}, '
                f'got pbc="{" ".join(words)[:40]}": correct it'
            )
        x, y, z = (word in _TRUE for word in words)
        return x, y, z

    @cached_property
    def columns(self) -> dict[str, XyzColumn]:
        """What ``Properties`` says of the columns, by name in small letters without ``_``.

        Raises
        ------
        ValueError
            If it is not made of ``name:type:count``, each name once.
        """
        text = self.head.get("properties", "species:S:1:pos:R:3")
        found: dict[str, XyzColumn] = {}
        at = 0
        for name, kind, count in zip_longest(*3 * [iter(text.split(":"))], fillvalue=""):
            good = name and kind in {"R", "I", "S", "L"} and _COUNT.fullmatch(count)
            if not good or not 0 < int(count) <= 1000:
                raise ValueError(
                    "expected Properties=name:type:count:... with types R, I, S, L and counts of "
                    f"at least 1 in {self.where}, got {f'{name}:{kind}:{count}'[:80]} in "
                    f"{text[:80]}: correct it"
                )
            if plain(name) in found:
                raise ValueError(
                    f"expected column {name} once in {self.where}, got it twice: rename one"
                )
            found[plain(name)] = XyzColumn(name, kind, at, int(count))
            at += int(count)
        return found

    @cached_property
    def table(self) -> list[list[str]]:
        """The words of each body.

        Raises
        ------
        ValueError
            If a line has more or fewer words than the columns take.
        """
        width = sum(column.width for column in self.columns.values())
        rows = [row.split() for row in self.rows]
        for line, row in enumerate(rows, self.line):
            if len(row) != width:
                raise ValueError(
                    f"expected {width} columns in line {line} of {self.where}, "
                    f"got {len(row)}: correct it"
                )
        return rows

    def numbers(self, name: str, *widths: int, positive: bool = False) -> Vector:
        """Return the numbers of a column, ``(N, width)``.

        Raises
        ------
        ValueError
            If there is no such column, it is of another type or width, or holds something that is
            no finite number, or not ``positive``.
        """
        if name not in self.columns:
            got = ", ".join(column.name for column in self.columns.values())
            raise ValueError(f"expected a column {name} in {self.where}, got {got}: add it")
        column = self.columns[name]
        if column.kind not in {"R", "I"} or column.width not in widths:
            wanted = " or ".join(f"{column.name}:R:{width}" for width in widths)
            raise ValueError(
                f"expected column {wanted} in {self.where}, "
                f"got {column.name}:{column.kind}:{column.width}: write it so"
            )
        words = [row[column.start : column.start + column.width] for row in self.table]
        values = np.array([[_number(word) for word in row] for row in words])
        good = np.isfinite(values) & ((values > 0.0) | (not positive))
        if not good.all():
            k, word = np.argwhere(~good)[0]
            raise ValueError(
                f"expected {'positive' if positive else 'finite'} numbers for {column.name} "
                f"in line {self.line + k} of {self.where}, got {words[k][word][:40]}: correct it"
            )
        return values

    def expect(self, good: bool, name: str, what: str) -> None:
        """Raise ValueError that names a column, unless ``good``."""
        if not good:
            column = self.columns[name]
            words = self.table[0][column.start : column.start + column.width]
            raise ValueError(
                f"expected {what} in {self.where}, got column {column.name}, "
                f"{' '.join(words)[:60]} of the first body: correct or remove it"
            )


def plain(name: str) -> str:
    """Return a name as it is compared: programs differ in capitals and in what joins words.

    >>> plain("Aspherical_Shape")
    'asphericalshape'
    """
    return re.sub(r"[\s_.-]", "", name.lower())


def frames(path: Path) -> list[Frame]:
    """Return the frames of a file; blank lines may stand between them.

    Raises
    ------
    ValueError
        If it is no file, too large, or not made of frames.
    """
    lines = _text(path).split("\n")
    found = []
    at = 0
    while at < len(lines):
        count = lines[at].strip("\ufeff \t")
        if not count:
            at += 1
            continue
        if not _COUNT.fullmatch(count) or int(count) < 1:
            raise ValueError(
                f"expected a number of bodies in line {at + 1} of {path}, got {count[:40]!r}: "
                "count the lines of the frame before"
            )
        rows = lines[at + 2 : at + 2 + int(count)]
        there = len(rows) - (at + 2 + len(rows) == len(lines) and rows[-1:] == [""])
        if there < int(count):
            raise ValueError(f"expected {count} bodies in {path}, got {there}: is it truncated?")
        head = _head(f"{path}", at + 2, lines[at + 1])
        found.append(Frame(str(path), at + 3, head, rows))
        at += 2 + int(count)
    return found


def check_file(path: Path) -> None:
    """Raise ValueError unless ``path`` is a file: a pipe or a device need not end."""
    if not path.is_file():
        got = "a folder, a pipe or a device" if path.exists() else "nothing there"
        raise ValueError(f"expected a file at {path}, got {got}: check the name")


def _text(path: Path) -> str:
    check_file(path)
    if (size := path.stat().st_size) > LARGEST:
        raise ValueError(
            f"expected at most {LARGEST:,} bytes in {path}, got {size:,}: split its frames"
        )
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"expected text in UTF-8 in {path}, got {error.object[error.start]:#04x} at byte "
            f"{error.start}: convert it"
        ) from None
    except OSError as error:
        raise ValueError(
            f"expected a file that can be read at {path}, got: {error.strerror}: change its mode"
        ) from None


def _head(path: str, line: int, comment: str) -> dict[str, str]:
    """Return what a comment line says of the box and the columns; the rest of it is free text."""
    if len(re.findall(r'(?<!\\)"', comment)) % 2:
        raise ValueError(
            f'expected every " to be closed in line {line} of {path}, '
            f"got {comment[:80]!r}: close it"
        )
    found: dict[str, str] = {}
    for name, value in _PAIR.findall(comment):
        key = name.lower()
        if key in found:
            raise ValueError(
                f"expected {name} once in line {line} of {path}, got it twice: remove one"
            )
        if key in _KNOWN:
            found[key] = value.strip("\"'{}[]")
    return found


def _number(word: str) -> float:
    """Return what a word says, or NaN: Python's own numbers may have underscores."""
    return float(word) if _NUMBER.fullmatch(word) else float("nan")


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()

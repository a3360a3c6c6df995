"""Files of data, opened in one place: regular files only, and never more than memory can hold."""

import gzip
import io
import math
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

MOST_BYTES = 2**30  # of a file, and of what is packed in it

# What a damaged archive raises, by experience with many.
_DAMAGE = (
    OSError, KeyError, ValueError, EOFError, TypeError, MemoryError, OverflowError, RuntimeError,
    NotImplementedError, SyntaxError, zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip


def file_bytes(path: str | Path, most: int = MOST_BYTES) -> bytes:
    """Return what a data file holds; every reader of data opens its file here, and once.

    Raises
    ------
    ValueError
        If it is no regular file (a folder, a pipe, a device), cannot be read, or is longer than
        ``most`` bytes; nothing has been read then.
    """
    path = Path(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device"
            raise ValueError(f"expected a file at {path}, got {kind}: name a file on a disk")
        if status.st_size > most:
            raise ValueError(_too_large(path, status.st_size, most))
        with path.open("rb") as file:
            found = file.read(most + 1)  # a file of /proc says that it has 0 bytes
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ValueError(f"expected a file at {path}, got: {reason}: check the name") from None
    if len(found) > most:
        raise ValueError(_too_large(path, len(found), most))
    return found


def read_idx(path: str | Path) -> NDArray[np.uint8]:
    """Return the array of bytes in an IDX file (gzipped if it ends in ``.gz``).

    The format: two zero bytes, 0x08 for unsigned bytes, the number of axes, the length of each
    axis as a big-endian 32-bit integer, then the data.

    Raises
    ------
    ValueError
        If the file is damaged, of another kind, or larger than `MOST_BYTES` when unpacked.
    """
    path = Path(path)
    raw = file_bytes(path)
    if path.suffix == ".gz":
        try:
            raw = gzip.GzipFile(fileobj=io.BytesIO(raw)).read(MOST_BYTES + 1)
        except _DAMAGE as error:
            raise ValueError(
                f"expected a readable IDX file at {path}, got: {error}: download it again"
            ) from None
    start = 4 + 4 * raw[3] if len(raw) > 4 and raw[:3] == b"\0\0\x08" else 4
    shape = tuple(np.frombuffer(raw[4:start], ">u4").tolist()) if len(raw) >= start else ()
    if not (shape and all(shape)):
        raise ValueError(
            f"expected an IDX file of unsigned bytes at {path}, got another header: name one"
        )
    size = math.prod(shape)
    if max(size, len(raw)) > MOST_BYTES:
        raise ValueError(_too_large(path, max(size, len(raw)), MOST_BYTES))
    if len(raw) != start + size:
        raise ValueError(
            f"expected {size} bytes of data in {path}, got {len(raw) - start}: download it again"
        )
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


def read_npz(path: Path) -> tuple[Array, Array]:
    """Return ``x`` and ``y`` of an archive, as they are.

    `numpy.load` is not used: it leaves files open in an archive that is damaged, and unpacks
    whatever size is packed.

    Raises
    ------
    ValueError
        If it is damaged, lacks one of them, holds objects, or unpacks to more than `MOST_BYTES`.
    """
    packed = file_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            members = [archive.getinfo(f"{name}.npy") for name in ("x", "y")]
            size = sum(member.file_size for member in members)
            if size <= MOST_BYTES:
                x, y = (
                    np.lib.format.read_array(io.BytesIO(archive.read(member)), allow_pickle=False)
                    for member in members
                )
    except _DAMAGE as error:
        reason = " ".join(str(error).split()).strip("'\"") or type(error).__name__
        raise ValueError(
            f"expected an .npz with x and y at {path}, got: {reason}: save it by numpy.savez"
        ) from None
    if size > MOST_BYTES:
        raise ValueError(_too_large(path, size, MOST_BYTES))
    return x, y


def _too_large(path: Path, size: int, most: int) -> str:
    return f"expected at most {most:,} bytes of data in {path}, got {size:,}: use a part of them"

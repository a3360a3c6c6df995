"""The one decorator of all kernels: compiled, cached safely, and free of the interpreter's lock.

Numba keys a cached function by the source of its own file. A loop that calls a law of another file
would therefore go on computing the old physics after that law was edited. Here the cache folder is
named after a hash of every kernel's source, so any edit compiles everything anew.
"""

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numba
from numba import njit
from numba.core import event

HERE = Path(__file__).parent

# Sums may be reordered and products fused, which is what makes them vector instructions. NaN and
# inf keep their meaning: no "nnan" and no "ninf", or a failed run could look like a result.
REORDER = {"reassoc", "contract", "nsz", "arcp"}


def source_hash(folder: Path = HERE) -> str:
    """Return a hash of the source of all kernels."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _cache_root() -> Path | None:
    """Return the first of the usual places for compiled code that can be written, if any."""
    for place in _places():
        try:
            place.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=place).close()
        except OSError:
            continue
        return place
    return None


def _places() -> Iterator[Path]:
    """Yield where compiled code may lie: where the user says, or beside its source, or home."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen)
        return
    yield HERE / "__pycache__"
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    except RuntimeError:  # a user without a home folder
        return
    yield Path(home) / "jamscape"


_ROOT = _cache_root()
# Where nothing can be written, each process compiles what it calls, and keeps it in memory.
FOLDER = None if _ROOT is None else _ROOT / f"kernels-{source_hash()}"


class Compilation(event.Listener):
    """How long this process has compiled kernels; what is read from the cache is not compiled.

    Attributes
    ----------
    seconds
        Of all compilations that have ended.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth, self._started, self._said = 0, 0.0, False

    def on_start(self, event: object) -> None:
        """Begin to count, unless it is part of another compilation; on a terminal say so once."""
        if self._depth == 0:
            self._started = time.perf_counter()
            if not self._said and sys.stderr.isatty():
                sys.stderr.write("compiling kernels: this happens once, and may take a minute\n")
            self._said = True
        self._depth += 1

    def on_end(self, event: object) -> None:
        """Count it."""
        self._depth -= 1
        if self._depth == 0:
            self.seconds += time.perf_counter() - self._started


COMPILATION = Compilation()
event.register("numba:compile", COMPILATION)


def kernel(function: Callable | None = None, *, inline: bool = False) -> Callable:
    """Compile a loop with `numba.njit`, cached under a hash of all kernels; ``inline`` a law."""
    if function is None:
        return lambda f: kernel(f, inline=inline)
    options = {"fastmath": REORDER, "nogil": True, "error_model": "numpy"}
    if inline:
        return njit(function, forceinline=True, **options)
    if FOLDER is None:
        return njit(function, **options)
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(FOLDER)
    try:
        return njit(function, cache=True, **options)
    finally:
        numba.config.CACHE_DIR = before

"""The one decorator of all kernels: compiled, cached safely, and free of the interpreter's lock.

Numba keys a cached function by the source of its own file. A loop that calls a law of another file
would therefore go on computing the old physics after that law was edited. Here the cache folder is
named after a hash of every kernel's source, so any edit compiles everything anew.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numba
from numba import njit

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


def _cache_root() -> Path:
    """Return the first of the usual places for compiled code that can be written."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    home = Path(os.environ.get("XDG_CACHE_HOME", Path("~/.cache").expanduser()))
    places = [Path(chosen)] if chosen else [HERE / "__pycache__", home / "jamscape"]
    for place in places:
        try:
            place.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=place).close()
        except OSError:
            continue
        return place
    return Path(tempfile.mkdtemp(prefix="jamscape-"))


FOLDER = _cache_root() / f"kernels-{source_hash()}"


def kernel(function: Callable | None = None, *, inline: bool = False) -> Callable:
    """Compile a loop with `numba.njit`, cached under a hash of all kernels; ``inline`` a law."""
    if function is None:
        return lambda f: kernel(f, inline=inline)
    options = {"fastmath": REORDER, "nogil": True, "error_model": "numpy"}
    if inline:
        return njit(function, forceinline=True, **options)
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(FOLDER)
    try:
        return njit(function, cache=True, **options)
    finally:
        numba.config.CACHE_DIR = before

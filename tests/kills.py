"""Ends a process, or fills its disk, at a write of SQLite that a test chooses.

SQLite lets its calls of the operating system be replaced, which is how it is tested itself. Scripts
that import this are run by `run_script` in a process of their own, which has one thread and may
fork.
"""

import ctypes
import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_POINTER = ctypes.c_void_p
_VFS_FIELDS = [
    *((name, ctypes.c_int) for name in ("version", "file_size", "longest_path")),
    *((name, _POINTER) for name in ("next", "name", "data")),
    *((f"method_{k}", _POINTER) for k in range(13)),
    ("set_call", ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, ctypes.c_char_p, _POINTER)),
    ("get_call", ctypes.CFUNCTYPE(_POINTER, _POINTER, ctypes.c_char_p)),
]
_RESULT, _AT, _SIZE = ctypes.c_ssize_t, ctypes.c_int64, ctypes.c_size_t
_CALLS = {
    b"write": (_RESULT, ctypes.c_int, _POINTER, _SIZE),
    b"pwrite": (_RESULT, ctypes.c_int, _POINTER, _SIZE, _AT),
    b"pwrite64": (_RESULT, ctypes.c_int, _POINTER, _SIZE, _AT),
    b"ftruncate": (ctypes.c_int, ctypes.c_int, _AT),
    b"unlink": (ctypes.c_int, ctypes.c_char_p),
}
_kept = []  # callbacks live as long as SQLite may call them


class _Vfs(ctypes.Structure):
    _fields_ = _VFS_FIELDS


def _vfs():
    import _sqlite3

    library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    try:
        find = library.sqlite3_vfs_find
    except AttributeError:
        return None
    find.argtypes, find.restype = [ctypes.c_char_p], ctypes.POINTER(_Vfs)
    return find(None)


def before_each_write(act: Callable[[str, tuple], bool]) -> None:
    """Call ``act(name, arguments)`` before each write; if it says so, the disk is full."""
    vfs = _vfs()

    def replaced(name, make):
        here = vfs.contents.get_call(ctypes.cast(vfs, _POINTER), name)
        if not here:
            return
        original = make(here)

        def call(*arguments):
            if act(name.decode(), arguments):
                ctypes.set_errno(errno.ENOSPC)
                return -1
            return original(*arguments)

        _kept.append(make(call))
        pointer = ctypes.cast(_kept[-1], _POINTER)
        assert vfs.contents.set_call(ctypes.cast(vfs, _POINTER), name, pointer) == 0

    for name, kinds in _CALLS.items():
        replaced(name, ctypes.CFUNCTYPE(*kinds, use_errno=True))


def end_at(number: int, *, half: bool) -> None:
    """End this process at its ``number``-th write: before it, or when half of it is written."""
    left = [number]

    def act(name, arguments):
        left[0] -= 1
        if left[0] == 0:
            if half and name.endswith(("write", "write64")):
                _half(arguments)
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    before_each_write(act)


def _half(arguments):
    file, buffer, size, *at = arguments
    content = ctypes.string_at(buffer, size // 2)
    if at:
        os.pwrite(file, content, at[0])
    else:
        os.write(file, content)


def full_from(number: int) -> None:
    """Let the disk be full from the ``number``-th write on."""
    left = [number]

    def act(name, arguments):
        left[0] -= 1
        return left[0] <= 0 and name.endswith(("write", "write64"))

    before_each_write(act)


def killed_at_each_write(make: Callable[[], None], *, half: bool) -> Iterator[int]:
    """Run ``make`` in processes that end at their first, second, ... write; the last is whole."""
    number, code = 0, -1
    while code:
        number += 1
        child = os.fork()
        if not child:
            end_at(number, half=half)
            make()
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, -signal.SIGKILL), code
        yield number


def run_script(script: str, *arguments: object) -> dict:
    """Run a script that prints one JSON document, and return that; skip where it cannot run."""
    if _vfs() is None or not hasattr(os, "fork"):
        pytest.skip("this Python hides its SQLite")
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", script, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": path}
    shown = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert shown.returncode == 0, shown.stderr
    found: dict = json.loads(shown.stdout)
    return found

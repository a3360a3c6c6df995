"""Provenance of a record: versions, machine, commit."""

import os
import platform
import re
import subprocess
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

_PACKAGES = ("numpy", "numba", "scipy", "torch")


@cache
def provenance() -> dict[str, str | int | None]:
    """Return what is needed to run a record again: versions, commit, processor, threads."""
    return {
        "jamscape": version("jamscape"),
        "commit": _commit(),
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
    }


def version(distribution: str) -> str | None:
    """Return the installed version without importing the package; None if it is missing."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Return the commit of the checkout this file runs from, ``+`` appended if it was edited."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return None
    with suppress(OSError, subprocess.TimeoutExpired):
        command = ["git", "-C", str(here), "describe", "--always", "--dirty=+"]
        described = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=5
        )
        return described.stdout.strip() or None
    return None


def _processor() -> str:
    with suppress(OSError):
        about = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        if named := re.search(r"^model name[^:]*:(.*)$", about, re.MULTILINE):
            return named[1].strip()
    return platform.processor() or platform.machine()

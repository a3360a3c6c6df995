"""What this installation has: versions, threads, caches, and what else could be installed."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bridge.records.provenance import provenance, version
from bridge.runs.workers import THREAD_VARIABLES

# What packings work without: the distribution, what it is for, and what to install for it.
OPTIONAL = (
    ("torch", "networks", "torch"),
    ("gsd", "GSD files of packings", "'jamscape[files]'"),
    ("distributed", "ensembles on a cluster (--scheduler)", "'jamscape[cluster]'"),
    ("dask-jobqueue", "clusters under SLURM", "'jamscape[cluster]'"),
    ("xarray", "collect", "'jamscape[analysis]'"),
    ("pyarrow", "collect", "'jamscape[analysis]'"),
)


def diagnose() -> dict[str, Any]:
    """Return versions and machine as records keep them, threads, caches, and what is missing."""
    optional = {name: version(name) for name, _, _ in OPTIONAL}
    return {
        **provenance(),
        **{name: os.environ.get(name) for name in THREAD_VARIABLES},
        "caches": {str(folder): _size(folder) for folder in _caches()},
        **optional,
        "missing": [
            {"package": name, "for": purpose, "install": f"pip install {wanted}"}
            for name, purpose, wanted in OPTIONAL
            if optional[name] is None
        ],
    }


def diagnosis_text(found: dict[str, Any]) -> str:
    """Return it for reading: a line for each, and the remedy for what is missing."""
    plain = {name: value for name, value in found.items() if name not in ("caches", "missing")}
    lines = [
        f"{name:22} {('not set' if name.isupper() else 'missing') if value is None else value}"
        for name, value in plain.items()
    ]
    caches = found["caches"].items()
    lines += [f"{'compiled kernels':22} {size / 2**20:.1f} MB in {at}" for at, size in caches]
    lines += [f"missing {m['package']}, for {m['for']}: {m['install']}" for m in found["missing"]]
    return "\n".join(lines)


def _caches() -> list[Path]:
    """Return the folders in which numba keeps compiled kernels; deleting them is safe."""
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        return [Path(given)]
    spec = find_spec("particles")
    if spec is None or spec.origin is None:
        return []
    return sorted(Path(spec.origin).parent.glob("**/__pycache__"))


def _size(folder: Path) -> int:
    """Return the bytes of numba's files in a folder."""
    return sum(path.stat().st_size for path in folder.glob("**/*.nb[ci]"))

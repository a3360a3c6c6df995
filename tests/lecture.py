"""A small comparison and a landscape, the lecture page of both, and what reads it."""

import json
import re
import sqlite3
from base64 import b64decode
from pathlib import Path

import numpy as np

from bridge.cli.main import run
from bridge.records.store import Record, Store
from bridge.runs.kinds.compare import states
from bridge.runs.motion import MotionRun
from bridge.runs.task import run_all
from bridge.systems import DiscSystem, EllipseSystem, NetworkSystem, PerceptronSystem
from bridge.systems.system import Sweep, even_loads

PLAN = [
    Sweep("discs", DiscSystem(n=24, pressure=1e-4), (0.7, 0.8, 0.95), at_transition=True),
    Sweep("ellipses", EllipseSystem(n=12), (0.7, 1.0), at_transition=False),
    Sweep("perceptron", PerceptronSystem(n=20), (2.0, 5.0, 8.0), at_transition=True),
    Sweep("network", NetworkSystem(depth=1, width=5, steps=400), (0.5, 6.0), at_transition=False),
]


def make_store(path: Path) -> Path:
    """Run the plan."""
    with Store(path) as kept:
        run_all(states(PLAN, samples=1, seed=5), kept, progress=lambda done, total: None)
    return path


def make_motions(path: Path) -> Path:
    """Follow five small systems through their transitions."""
    small = [
        MotionRun(DiscSystem(n=10), (1, 0), loads=even_loads(0.7, 1.0, 7), name="discs"),
        MotionRun(EllipseSystem(n=8), (1, 0), loads=even_loads(0.7, 1.0, 4), name="ellipses"),
        MotionRun(PerceptronSystem(n=10), (1, 0), loads=even_loads(2.0, 9.0, 8), name="perceptron"),
        MotionRun(
            NetworkSystem(depth=1, width=4, activation="tanh", steps=1000),
            (1, 0),
            loads=even_loads(0.4, 4.0, 4),
            name="network",
        ),
        MotionRun(
            NetworkSystem(
                depth=1, width=3, input_dim=2, activation="tanh", steps=400, data="digits"
            ),
            (1, 0),
            loads=even_loads(0.5, 6.0, 4),
            name="digits",
        ),
    ]
    with Store(path) as kept:
        failures = run_all(small, kept, progress=lambda done, total: None, mapper=map)
    assert failures == []
    return path


def make_surface(path: Path) -> Path:
    """Explore a surface of three minima."""
    assert run(["landscape", "muller-brown", "--searches", "20", "--out", str(path)]) == 0
    return path


def make_undecided(path: Path) -> Path:
    """Keep a stalled and a dead run at one load, a stalled and a jammed one at the next."""
    counts = {"n": 9, "n_dof": 9, "n_frozen": 0, "n_constraints": 5, "n_kinks": 0}
    counts |= {"energy": 1.0, "pressure": 0.1, "constraints_per_dof": 0.6}
    about = {"load_name": "P/N", "at_transition": False, "reason": ""}
    data = counts | about | {"negative_modes_hp": None, "bound_holds": None}
    state = {"x": np.zeros(9), "gaps": np.array([-1.0, 0.5])}
    with Store(path) as kept:
        for k, status in enumerate(["stalled", "dead", "stalled", "jammed"]):
            own = data | {"load": 1.0 + k // 2, "sample": k % 2, "status": status}
            kept.put(Record("network", {"at_load": k}, (k,), status, 0.0, own, {}, state))
    return path


def make_page(path: Path, *files: Path) -> Path:
    """Write the page of some files."""
    assert run(["report", *map(str, files), "-o", str(path)]) == 0
    return path


def content_of(page: Path) -> dict:
    """Return the document that a page plays back."""
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="content">(.*?)</script>', text, re.DOTALL)[1])


def unpacked(text: str, dtype: str) -> np.ndarray:
    """Return the numbers of a compact array."""
    return np.frombuffer(b64decode(text), dtype)


def broken(path: Path, statement: str, *values: str) -> None:
    """Change a file behind its back."""
    with sqlite3.connect(path) as file:
        file.execute(statement, values)
    file.close()

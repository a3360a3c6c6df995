"""A system is one file, and so is a kind of run: whatever lists them shows what was added."""

import json

import numpy as np
import pytest
import xarray

import bridge.runs.kinds
import bridge.systems
from bridge import check_problem
from bridge.cli.main import run
from bridge.records.store import Store
from bridge.report.sweep import sweep
from bridge.runs.registry import kinds
from bridge.systems import systems
from bridge.systems.registry import option_classes

SYSTEM = '''
"""Discs of many sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bridge.systems.packings import PackingSystem
from bridge.systems.ranges import option


@dataclass(frozen=True)
class GravelSystem(PackingSystem):
    """A periodic packing of discs of evenly spread sizes."""

    kind: ClassVar[str] = "gravel"
    rank: ClassVar[int] = 9
    small: ClassVar[Mapping[str, Any]] = {"n": 8}

    n: int = option(64, "Number of discs.", 1, 1000)
    largest: float = option(2.0, "Largest diameter over the smallest.", 1, 10)
    pressure: float = option(1e-3, "Pressure to decompress to.", 1e-12, below=1)

    @property
    def _start(self):
        return 0.9

    def _packing(self, phi=None):
        from particles import Discs

        diameters = np.linspace(1.0, self.largest, self.n)
        side = (np.pi / 4 * (diameters**2).sum() / (self._start if phi is None else phi)) ** 0.5
        return Discs(diameters, np.array([side, side]))
'''

KIND = '''
"""Pressure of a system whose bodies have grown."""

from dataclasses import dataclass

from bridge.runs.run import Found, Run
from bridge.systems.ranges import option


@dataclass(frozen=True)
class Growth(Run):
    """Let all bodies grow, and measure the pressure."""

    command = "growth"
    dimensions = {"overlaps": ("overlap",)}

    by: float = option(0.0, "Relative growth of every body.", 0, 1)

    def find(self, rng):
        from bridge import observe

        state = self.system.under_load(rng)
        grown = state.problem.tightened(self.by)
        gaps = grown.gaps(state.x)
        data = {"push": observe(grown, state.x).pressure}
        return Found("done", data, {"overlaps": gaps[gaps > 0]})
'''


@pytest.fixture
def added(tmp_path, monkeypatch):
    """Put the two files where the others are, and forget them afterwards."""
    for room, name, text in (
        (bridge.systems, "gravel", SYSTEM), (bridge.runs.kinds, "growth", KIND),
    ):  # fmt: skip
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.setattr(room, "__path__", [*room.__path__, str(folder)])
    option_classes.cache_clear()
    kinds.cache_clear()
    monkeypatch.setattr("bridge.runs.task.local", lambda workers: map)
    monkeypatch.setattr("bridge.report.sweep.local", lambda workers: map)
    yield tmp_path
    option_classes.cache_clear()
    kinds.cache_clear()


def test_a_system_in_one_file_is_everywhere(added, capsys):
    out = added / "out"
    assert run(["jam", "gravel", "--n", "12", "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["system"], document["status"]) == ("gravel", "jammed")
    assert document["parameters"]["largest"] == 2.0
    assert (out / "figure.png").stat().st_size > 5000
    runs = sweep("gravel", n=12, largest=[1.5, 3.0], seeds=1, progress=False)
    assert runs.to_pandas().largest.tolist() == [1.5, 3.0]
    assert run(["report", str(out / "jam.sqlite"), "-o", str(added / "page.html")]) == 0
    assert "gravel" in (added / "page.html").read_text(encoding="utf-8")
    assert run(["avalanche", "gravel", "--n", "12", "--load-steps", "2", "--json"]) in (0, 3)
    rng = np.random.default_rng(0)
    state = systems()["gravel"](n=8).under_load(rng)
    check_problem(state.problem, state.x, rng)


def test_a_kind_of_run_in_one_file_is_everywhere(added, capsys):
    out = added / "out"
    assert run(["growth", "discs", "--n", "12", "--by", "0.1", "--out", str(out), "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["runs"]
    assert one["push"] > 0.01
    assert run(["growth", "discs", "--by", "2"]) == 2
    assert "expected by from 0 to 1, got 2" in capsys.readouterr().err
    grid = added / "grid.toml"
    grid.write_text(
        'seeds = 2\n[[runs]]\ncommand = "growth"\nsystem = "gravel"\nn = 12\nby = [0.0, 0.1]\n',
        encoding="utf-8",
    )
    store = added / "all.sqlite"
    assert run(["ensemble", str(grid), "--out", str(store)]) == 0
    with Store(store, read_only=True) as kept:
        assert {record.parameters["by"] for record in kept.records("growth")} == {0.0, 0.1}
    assert run(["collect", str(store), str(out / "growth.sqlite"), "-o", str(added / "a.nc")]) == 0
    with xarray.open_dataset(added / "a.nc") as found:
        assert found.sizes["run"] == 5
        assert "overlap" in found.overlaps.dims
    runs = sweep("discs", command="growth", n=12, by=0.1, seeds=1, progress=False)
    assert runs.to_pandas().push[0] == one["push"]
    assert run(["--help"]) == 0
    assert "growth" in capsys.readouterr().out

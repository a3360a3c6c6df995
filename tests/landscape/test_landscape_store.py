"""The file of a landscape: it survives a kill, continues, and refuses what is not its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bridge.landscape.explore import Explorer
from bridge.landscape.store import LandscapeStore
from particles.landscapes.clusters import LennardJones

from kills import run_script


def run_into(path, stop, climbs=40):
    problem = LennardJones(7)
    explorer = Explorer(problem, problem, problem.random_state)
    with LandscapeStore(path) as store:
        graph = store.load(problem)
        done = {s: sum(x.stage == s for x in graph.searches) for s in ("quench", "climb")}
        for finding in explorer.quenches(range(done["quench"], 5)):
            store.keep(graph, finding)
        for finding in explorer.climbs(graph, range(done["climb"], climbs)):
            store.keep(graph, finding)
            if finding.number == stop:
                break
    return graph


def test_an_interrupted_search_continues_as_if_it_had_not_been(tmp_path):
    whole = run_into(tmp_path / "whole.sqlite", stop=None)
    run_into(tmp_path / "parts.sqlite", stop=7)
    run_into(tmp_path / "parts.sqlite", stop=23)
    parts = run_into(tmp_path / "parts.sqlite", stop=None)
    assert parts.searches == whole.searches
    assert parts.discovery == whole.discovery
    assert parts.ends == whole.ends
    for kind in ("minima", "saddles"):
        first, second = getattr(parts, kind), getattr(whole, kind)
        assert first.hits == second.hits
        assert all(np.array_equal(p.x, q.x) for p, q in zip(first, second, strict=True))


def test_a_killed_search_keeps_all_but_the_last(tmp_path):
    code = (
        "import os, signal\n"
        "from bridge.landscape.store import LandscapeStore\n"
        "from test_landscape_store import run_into\n"
        "keep = LandscapeStore.keep\n"
        "def killed(store, graph, finding):\n"
        "    if (finding.stage, finding.number) == ('climb', 7):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return keep(store, graph, finding)\n"
        "LandscapeStore.keep = killed\n"
        f"run_into({str(tmp_path / 'a.sqlite')!r}, stop=None)"
    )
    here = Path(__file__).parent
    path = os.pathsep.join(map(str, (here, *here.parents[:2])))
    process = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, check=False
    )
    assert process.returncode == -signal.SIGKILL
    with LandscapeStore(tmp_path / "a.sqlite") as store:
        graph = store.load(LennardJones(7))
    assert [s.number for s in graph.searches if s.stage == "climb"] == list(range(7))
    assert len(graph.ends) == len(graph.saddles) == graph.discovery[-1][1]


KILLED = """
import json, sys
from pathlib import Path
from kills import killed_at_each_write
from bridge.landscape.explore import Explorer
from bridge.landscape.store import LandscapeStore
from particles.landscapes.clusters import LennardJones

folder, problem = Path(sys.argv[1]), LennardJones(5)
findings = list(Explorer(problem, problem, problem.random_state).quenches(range(2)))
found = {"kills": 0, "kept": [], "broken": []}
for half in (False, True):
    number = 0

    def make():
        with LandscapeStore(folder / f"{half} {number}") as store:
            store.claim(system="lj", parameters={"n": 5}, seed=0)
            store.describe(provenance={}, log_group_order=1.0)
            graph = store.load(problem)
            for finding in findings[len(graph.searches):]:
                store.keep(graph, finding)

    for number in killed_at_each_write(make, half=half):
        path = folder / f"{half} {number}"
        found["kills"] += 1
        try:
            with LandscapeStore(path) as store:
                graph = store.load(problem)
                found["kept"].append(len(graph.searches))
            make()
            with LandscapeStore(path, read_only=True) as store:
                graph = store.load(problem)
                assert [s.number for s in graph.searches] == [0, 1]
                assert sum(graph.minima.hits) == 2
        except (ValueError, AssertionError) as error:
            found["broken"].append(f"{half} {number}: {error}")
        number += 1
print(json.dumps(found))
"""


def test_a_search_that_is_killed_at_any_write_goes_on(in_memory):
    found = run_script(KILLED, in_memory)
    assert found["broken"] == []
    assert found["kills"] > 30
    assert set(found["kept"]) == {0, 1, 2}


def test_an_interruption_in_the_middle_of_a_write_leaves_whole_searches(tmp_path, monkeypatch):
    problem = LennardJones(5)
    explorer = Explorer(problem, problem, problem.random_state)
    first, second = explorer.quenches(range(2))
    with LandscapeStore(tmp_path / "a") as store:
        graph = store.load(problem)
        store.keep(graph, first)
        monkeypatch.setattr("bridge.landscape.store._rows", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.keep(graph, second)
    with LandscapeStore(tmp_path / "a") as store:
        assert len(store.load(problem).searches) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def interrupted(*_):
    raise KeyboardInterrupt


def test_a_file_that_is_removed_while_it_is_written_is_noticed(tmp_path):
    problem = LennardJones(5)
    explorer = Explorer(problem, problem, problem.random_state)
    store = LandscapeStore(tmp_path / "a")
    (tmp_path / "a").unlink()
    finding = next(explorer.quenches(range(1)))
    with pytest.raises(OSError, match=r"keep quench 0 in .* removed"):
        store.keep(store.load(problem), finding)
    with pytest.raises(OSError, match="removed"):
        store.close()


def test_a_store_refuses_another_run_and_other_files(tmp_path):
    path = tmp_path / "a.sqlite"
    with LandscapeStore(path) as store:
        store.claim(system="lj", parameters={"n": 7}, seed=0)
        store.claim(system="lj", parameters={"n": 7}, seed=0)
        with pytest.raises(ValueError, match=r"expected .* to hold seed 1, got 0"):
            store.claim(system="lj", parameters={"n": 7}, seed=1)
        with pytest.raises(ValueError, match="in use"):
            LandscapeStore(path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.sqlite"]
    (tmp_path / "b").write_text("x" * 2000)
    with pytest.raises(ValueError, match="another kind of file"):
        LandscapeStore(tmp_path / "b")
    with pytest.raises(ValueError, match="got no file"):
        LandscapeStore(tmp_path / "c", read_only=True)


def test_the_explorer_knows_no_system():
    code = (
        "import pkgutil, sys, importlib, bridge.landscape as package\n"
        "for m in pkgutil.iter_modules(package.__path__):\n"
        "    importlib.import_module('bridge.landscape.' + m.name)\n"
        "print(' '.join(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in shown.stdout.split()}
    assert not loaded & {"particles", "networks", "numba", "torch"}

"""The file of a landscape: it survives a kill, continues, and refuses what is not its own."""

import subprocess
import sys
import time

import numpy as np
import pytest

from bridge.landscape.explore import Explorer
from bridge.landscape.store import LandscapeStore
from particles.clusters import LennardJones


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
        "import sys; sys.path.insert(0, {here!r})\n"
        "from test_landscape_store import run_into\n"
        "run_into({path!r}, stop=None, climbs=100_000)"
    ).format(here=__file__.rsplit("/", 1)[0], path=str(tmp_path / "a.sqlite"))
    process = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 60
    seen = 0
    while seen < 20 and time.monotonic() < deadline:
        time.sleep(0.2)
        wal = tmp_path / "a.sqlite-wal"
        seen = 20 if wal.exists() and wal.stat().st_size > 300_000 else 0
    process.kill()
    process.wait()
    with LandscapeStore(tmp_path / "a.sqlite") as store:
        graph = store.load(LennardJones(7))
    climbs = [s.number for s in graph.searches if s.stage == "climb"]
    assert climbs == list(range(len(climbs)))
    assert len(climbs) > 3
    assert len(graph.ends) == len(graph.saddles) == graph.discovery[-1][1]


def test_an_interruption_in_the_middle_of_a_write_leaves_whole_searches(tmp_path):
    problem = LennardJones(5)
    explorer = Explorer(problem, problem, problem.random_state)
    first, second = explorer.quenches(range(2))
    with LandscapeStore(tmp_path / "a") as store:
        graph = store.load(problem)
        store.keep(graph, first)
        store._insert = interrupted
        with pytest.raises(KeyboardInterrupt):
            store.keep(graph, second)
    with LandscapeStore(tmp_path / "a") as store:
        assert len(store.load(problem).searches) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def interrupted(*_):
    raise KeyboardInterrupt


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

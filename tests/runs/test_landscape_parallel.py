"""A landscape that several processes search: none of its searches is skipped or lost."""

import os
import signal

import pytest

from bridge.cli.main import run
from bridge.landscape import stages
from bridge.landscape.explore import Explorer
from bridge.landscape.graph import Graph
from bridge.landscape.store import LandscapeStore
from bridge.runs import exploration as landscape_run
from bridge.runs.pool import Failed
from bridge.runs.workers import stream_unordered
from bridge.systems.cluster import LennardJonesLandscape
from particles.landscapes.clusters import LennardJones


def climbs(graph):
    return sorted(search.number for search in graph.searches if search.stage == "climb")


def test_a_search_that_is_interrupted_skips_none(tmp_path):
    """What the two processes found has gaps where the slower of them was."""
    system, out = LennardJonesLandscape(6), tmp_path / "a"
    before = []
    for moment in (15, 3, 12):
        seen = []

        def interrupt(*counts, moment=moment, seen=seen):
            seen.append(counts)
            if len(seen) == moment:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            landscape_run.run_landscape(
                system, 0, searches=40, out=out, workers=2, progress=interrupt
            )
        with LandscapeStore(out) as store:
            graph = store.load(LennardJones(6))
        assert len(graph.searches) == len(before) + moment
        assert graph.searches[: len(before)] == before
        before = graph.searches
    whole = landscape_run.run_landscape(system, 0, searches=40, out=out, workers=2)
    assert climbs(whole.graph) == list(range(40))
    assert whole.graph.searches[: len(before)] == before


def test_one_process_fills_the_gaps_of_several(tmp_path):
    problem = LennardJones(6)
    explorer = Explorer(problem, problem, problem.random_state)
    system, out = LennardJonesLandscape(6), tmp_path / "a"
    landscape_run.claim(system, 0, out)
    with LandscapeStore(out) as store:
        graph = store.load(problem)
        for finding in explorer.quenches(range(3, 6)):
            store.keep(graph, finding)
        for finding in explorer.climbs(graph, (1, 2, 7)):
            store.keep(graph, finding)
    found = landscape_run.run_landscape(system, 0, searches=10, out=out)
    assert climbs(found.graph) == list(range(10))
    quenches = [search.number for search in found.graph.searches if search.stage == "quench"]
    assert sorted(quenches) == list(range(10))


class Fatal(Explorer):
    """Its climbs 5 and 8 end the process, every time."""

    def climb(self, number, *given):
        if number in (5, 8):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().climb(number, *given)


def test_a_search_that_ends_its_process_does_not_block_the_others():
    problem = LennardJones(6)
    explorer = Fatal(problem, problem, problem.random_state)
    graph = Graph(problem)
    for finding in explorer.quenches(range(5)):
        graph.absorb(finding)
    failures = stages._climb(explorer, graph, 20, 2, graph.absorb, stream_unordered, Failed)
    assert climbs(graph) == [number for number in range(20) if number not in (5, 8)]
    assert {failed.task for failed in failures} == {5, 8}
    assert all("SIGKILL" in failed.reason for failed in failures)


def test_a_search_that_was_lost_is_one_line_and_the_others_are_kept(tmp_path, monkeypatch, capsys):
    lost = Failed(5, "its process was ended by SIGKILL")
    monkeypatch.setattr(landscape_run, "search", lambda *_, **__: [lost])
    out = str(tmp_path / "a")
    assert run(["landscape", "lj", "--n", "5", "--out", out]) == 1
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert f"1 searches failed, climb 5: {lost.reason}: the others are kept in {out}" in shown.err

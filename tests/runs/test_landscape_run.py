"""Landscapes as the command line explores and shows them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from bridge import check_landscape
from bridge.figures.landscape import disconnectivity, discovery, thermodynamics
from bridge.landscape.confine import Confined
from bridge.landscape.disconnectivity import merge_tree
from bridge.landscape.graph import Finding, Graph
from bridge.landscape.identity import PlainIdentity
from bridge.landscape.stationary_points import StationaryPoint
from bridge.landscape.thermodynamics import superposition
from bridge.landscape.trees import strokes
from bridge.report.landscape_folder import read_landscape, show, temperatures
from bridge.report.likenesses import case_of, likenesses
from bridge.runs.exploration import landscape_document, landscape_text, run_landscape
from bridge.systems import landscapes
from bridge.systems.classifier import ClassifierLandscape
from bridge.systems.cluster import AxilrodTellerLandscape, LennardJonesLandscape
from bridge.systems.module import EXAMPLE
from bridge.systems.module_landscape import ModuleLandscape
from bridge.systems.muller_brown import MullerBrownLandscape
from bridge.systems.network_landscape import NetworkLandscape
from bridge.systems.packings import PackingLandscape
from bridge.systems.perceptron import PerceptronLandscape
from bridge.systems.regression import RegressionLandscape
from bridge.systems.spin_glass import SpinGlassLandscape
from particles.landscapes.muller_brown import MullerBrown

KEYS = {
    "system", "seed", "parameters", "minima", "saddles", "n_minima", "n_saddles", "connected",
    "completeness", "seconds", "provenance",
}  # fmt: skip

CONTRADICTION = Path(__file__).parent.parent / "cases" / "one_contradiction.csv"
SMALL = [
    LennardJonesLandscape(6),
    AxilrodTellerLandscape(),
    MullerBrownLandscape(),
    SpinGlassLandscape(3, 3),
    ClassifierLandscape(hidden=2, patterns=60),
    RegressionLandscape(),
    PackingLandscape(n=6, phi=1.0),
    PackingLandscape(n=4, aspect=1.4, phi=1.1),
    PerceptronLandscape(n=6),
    NetworkLandscape(width=2, input_dim=2),
    ModuleLandscape(f"{EXAMPLE}:make", str(CONTRADICTION), patterns=40, l2=1e-2),
]


@pytest.mark.parametrize("system", SMALL, ids=lambda s: s.kind)
def test_every_landscape_gives_every_key_of_the_contract(system):
    found = run_landscape(system, seed=1, searches=12)
    document = json.loads(json.dumps(landscape_document(system, 1, found)))
    assert set(document) >= KEYS
    assert set(document["completeness"]) >= {
        "discovery_curve", "estimated_minima", "estimated_saddles", "morse_sum"
    }  # fmt: skip
    assert document["n_minima"] == len(document["minima"]) > 0
    assert document["n_saddles"] == len(document["saddles"])
    for saddle in document["saddles"]:
        below = [document["minima"][i]["energy"] for i in saddle["minima"]]
        assert saddle["energy"] > max(below)
    assert f"{document['n_minima']} minima" in landscape_text(document)
    problem = found.case.problem
    for point in found.graph.minima:
        assert np.abs(problem.energy_gradient(point.x)[1]).max() < 1e-9


def test_every_kind_is_tested():
    assert {system.kind for system in SMALL} == set(landscapes())


def test_without_a_limit_it_goes_on_until_nothing_new_comes():
    found = run_landscape(AxilrodTellerLandscape(), seed=0)
    climbs = [s for s in found.graph.searches if s.stage == "climb"]
    assert len(climbs) >= 200
    assert all(s.status != "new" for s in climbs[len(climbs) // 2 :])
    assert found.graph.connected


def test_muller_brown_is_complete_by_its_morse_sum():
    system = MullerBrownLandscape()
    document = landscape_document(system, 0, run_landscape(system, 0, searches=40))
    known = document["completeness"]
    assert known["morse_sum"] == known["expected_morse_sum"] == 1


def test_a_file_is_continued_and_the_same_numbers_come_out(tmp_path):
    system = LennardJonesLandscape(6)
    first = run_landscape(system, 0, searches=10, out=tmp_path / "a")
    more = run_landscape(system, 0, searches=40, out=tmp_path / "a")
    again = run_landscape(system, 0, searches=40, out=tmp_path / "a")
    climbs = [sum(s.stage == "climb" for s in f.graph.searches) for f in (first, more, again)]
    assert climbs == [10, 40, 40]
    assert [p.energy for p in more.graph.saddles] == [p.energy for p in again.graph.saddles]
    with pytest.raises(ValueError, match="name another file"):
        run_landscape(LennardJonesLandscape(5), 0, searches=10, out=tmp_path / "a")


WRONG = [
    LennardJonesLandscape(1),
    AxilrodTellerLandscape(float("nan")),
    SpinGlassLandscape(1),
    SpinGlassLandscape(4, 1),
    ClassifierLandscape(data="nowhere.csv"),
    ClassifierLandscape(hidden=0, patterns=20),
    ClassifierLandscape(patterns=1),
    RegressionLandscape(noise=-1),
    PackingLandscape(phi=5.0),
    PackingLandscape(aspect=0.5),
    PerceptronLandscape(alpha=0),
    NetworkLandscape(activation="step"),
    NetworkLandscape(l2=0.0),
]


@pytest.mark.parametrize("system", WRONG, ids=repr)
def test_a_wrong_option_is_one_line_and_nothing_is_written(system, tmp_path):
    with pytest.raises(ValueError) as error:
        run_landscape(system, 0, searches=5, out=tmp_path / "a")
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_show_writes_figures_and_tables(tmp_path):
    system = ClassifierLandscape(hidden=2, l2=3e-4, patterns=80)
    found = run_landscape(system, 0, searches=20, out=tmp_path / "a.sqlite")
    summary = show(tmp_path / "a.sqlite", tmp_path / "shown")
    names = {path.name for path in (tmp_path / "shown").iterdir()}
    figures = {path.removesuffix(".png") for path in names if path.endswith(".png")}
    assert figures == {"tree", "free_tree", "heat_capacity", "path", "discovery"}
    tables = {path.removesuffix(".csv") for path in names if path.endswith(".csv")}
    assert tables == {"minima", "saddles", "order", "rates", "kinetics"}
    assert names >= {"summary.json", *(f"{name}.pdf" for name in figures)}
    assert summary["n_minima"] == len(found.graph.minima)
    with (tmp_path / "shown" / "minima.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["energy"]) for row in rows] == [p.energy for p in found.graph.minima]
    assert all(0 <= float(row["test_auc"]) <= 1 for row in rows)
    stored = read_landscape(tmp_path / "a.sqlite")
    assert all(
        np.array_equal(p.x, q.x)
        for p, q in zip(stored.graph.minima, found.graph.minima, strict=True)
    )


def test_what_show_says_of_kinetics_is_what_it_tabulates(tmp_path):
    run_landscape(LennardJonesLandscape(7), 0, searches=80, out=tmp_path / "a")
    summary = show(tmp_path / "a", tmp_path / "shown", temperature=0.2)
    assert summary["temperature"] == 0.2
    assert summary["heat_capacity_peak"]["temperature"] == pytest.approx(0.186, abs=0.002)
    with (tmp_path / "shown" / "kinetics.csv").open() as file:
        wells = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    with (tmp_path / "shown" / "rates.csv").open() as file:
        rates = {(r["from"], r["to"]): float(r["rate"]) for r in csv.DictReader(file)}
    assert sum(well["probability"] for well in wells) == pytest.approx(1)
    for (a, b), rate in rates.items():
        forth, back = wells[int(a)]["probability"] * rate, rates[b, a]
        assert forth == pytest.approx(wells[int(b)]["probability"] * back, rel=1e-9)
    path = summary["fastest_path"]
    assert path["passage_time"] == max(well["passage_time"] for well in wells)
    assert len(path["energies"]) == len(path["minima"]) + len(path["saddles"])
    slowest = summary["slowest_relaxation"]
    assert slowest == sorted(slowest)
    assert slowest[0] > 1e-6
    assert len(slowest) == len(wells) - 1
    with pytest.raises(ValueError, match="T > 0"):
        show(tmp_path / "a", tmp_path / "other", temperature=-1.0)
    assert not (tmp_path / "other").exists()


def test_misclassification_distance_of_stored_minima(tmp_path):
    """The case is made again from the file; the sets differ where the test accuracies say so."""
    system = ClassifierLandscape(hidden=2, l2=1e-4, patterns=40)
    run_landscape(system, 3, searches=20, out=tmp_path / "a")
    stored = read_landscape(tmp_path / "a")
    pairs = list(likenesses(case_of(stored.about), stored.graph))
    assert len(pairs) == len(stored.graph.minima) * (len(stored.graph.minima) - 1) // 2 > 0
    for pair in pairs:
        one, two = (stored.observables[i]["test_accuracy"] for i in (pair.first, pair.second))
        assert abs(one - two) - 1e-12 <= pair.hamming <= 2 - one - two + 1e-12
        assert pair.hamming <= pair.jaccard + 1e-12
        assert -1 <= pair.overlap <= 1 + 1e-12
    with pytest.raises(ValueError, match="expected a system"):
        case_of({"system": "glass"})


def test_an_empty_landscape_cannot_be_shown(tmp_path):
    from bridge.landscape.store import LandscapeStore

    LandscapeStore(tmp_path / "a").close()
    with pytest.raises(ValueError, match="search longer"):
        show(tmp_path / "a", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_branches_do_not_cross():
    """Leaves of a branch stand side by side, so that no other branch can stand among them."""
    rng = np.random.default_rng(0)
    ends = [(i, int(rng.integers(i))) for i in range(1, 30)]
    placed = strokes(merge_tree(rng.uniform(-1, 0, 30), rng.uniform(0, 1, 29), ends))
    below = [[] for _ in placed]
    for stroke in placed:
        if stroke.minimum >= 0:
            spot, up = stroke.x, stroke
            while up.above >= 0:
                below[up.above].append(spot)
                up = placed[up.above]
    assert sorted(stroke.x for stroke in placed if stroke.minimum >= 0) == list(range(30))
    for stroke, spots in zip(placed, map(sorted, below), strict=True):
        assert bool(spots) == (stroke.minimum < 0)
        assert spots == [spots[0] + k for k in range(len(spots))] if spots else True
        assert not spots or stroke.x == (spots[0] + spots[-1]) / 2


def test_a_long_staircase_can_be_drawn():
    """Deeper than Python's recursion."""
    n = 1500
    tree = merge_tree(np.zeros(n), np.arange(1.0, n), [(i, i + 1) for i in range(n - 1)])
    assert len(strokes(tree)) == 2 * n - 1


def test_figures_of_one_minimum():
    graph = Graph(PlainIdentity(MullerBrown()))
    point = StationaryPoint(np.zeros(2), -1.0, 0, 0.0, 2, 1.0, 0.0)
    graph.absorb(Finding("quench", 0, -1, "found", minima=(point,)))
    from bridge.landscape.completeness import completeness

    disconnectivity(merge_tree([-1.0], [], []), np.array([0.5])).canvas.draw()
    thermodynamics([point], superposition([point], temperatures([point]))).canvas.draw()
    discovery(completeness(graph)).canvas.draw()


def test_confined_networks_keep_every_promise():
    case = NetworkLandscape(width=2, input_dim=3).case(np.random.default_rng(0))
    assert isinstance(case.problem, Confined)
    rng = np.random.default_rng(1)
    check_landscape(case.problem, case.start(rng) + 0.1 * rng.standard_normal(case.problem.n_dof))

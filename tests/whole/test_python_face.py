"""What a researcher writes in Python: ends of all minimisers, README's sessions, saved states."""

import doctest
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bridge
from bridge import End, Status, exact_jamming, explore, load, observe, spectrum
from bridge.cli.main import run
from bridge.descent.lbfgs import lbfgs
from bridge.descent.newton import Newton
from bridge.records.store import Store
from bridge.runs.exploration import run_landscape
from bridge.runs.kinds.jam import JamRun
from bridge.runs.kinds.landscape import LandscapeRun
from bridge.runs.reopen import reopened
from bridge.runs.states import measured
from bridge.systems import (
    DiscSystem,
    EllipseSystem,
    NetworkSystem,
    PerceptronSystem,
    SphereSystem,
    landscapes,
)
from networks import HingeNetwork, Mlp, SphericalNetwork, random_patterns, settle, train
from particles import (
    Discs,
    Ellipses,
    LennardJones,
    Perceptron,
    compress,
    decompress,
    descend,
    minimise,
)

ROOT = Path(__file__).parent.parent.parent
PAGES = ("README.md", "docs/start.md")
CROWDED = Discs.bidisperse(16, phi=0.95)
GLASS = Perceptron.random(20, alpha=6.0, sigma=-0.3, rng=np.random.default_rng(1))


def start(problem):
    return problem.random_state(np.random.default_rng(0))


def trained(**options):
    rng = np.random.default_rng(0)
    network = HingeNetwork(Mlp(6, 4, 1), random_patterns(150, 6, rng))
    return train(network, network.mlp.init(rng), steps=2000, **options)


ENDS = {
    "minimise": lambda: minimise(CROWDED, start(CROWDED)),
    "decompress": lambda: decompress(CROWDED, start(CROWDED), pressure=1e-4),
    "compress": lambda: compress(CROWDED, start(CROWDED), [0.9, 1.0]),
    "descend": lambda: descend(GLASS, start(GLASS)),
    "lbfgs": lambda: lbfgs(GLASS, start(GLASS)),
    "newton": lambda: Newton()(GLASS, start(GLASS)),
    "train": trained,
    "train at a free norm": lambda: trained(hold_norm=False),
    "settle": lambda: settle((end := trained()).problem.tightened(-0.01), end.x),
    "exact_jamming": lambda: exact_jamming(decompress(CROWDED, start(CROWDED), pressure=1e-4)),
    "state of a system": lambda: PerceptronSystem(n=20, alpha=6.0).jam(np.random.default_rng(0)),
}


@pytest.fixture(scope="module", params=ENDS)
def end(request):
    return ENDS[request.param]()


def test_every_minimiser_ends_in_an_end(end):
    assert isinstance(end, End)
    assert end.x.shape == (end.problem.n_dof,)
    assert end.status in set(Status)
    assert bool(end.reason) == (end.status in (Status.STALLED, Status.DEAD))


def test_an_end_is_measured_whole(end):
    assert observe(end) == observe(end.problem, end.x)
    whole, parts = spectrum(end), spectrum(end.problem, end.x)
    assert np.array_equal(whole.eigenvalues, parts.eigenvalues)
    assert whole.n_kinks == (getattr(end, "n_kinks", 0) or 0)


def test_an_end_prints_as_one_line_with_its_status(end):
    line = repr(end)
    assert line.startswith(f"<{type(end).__name__} ")
    assert f": {end.status}" in line
    assert "\n" not in line
    assert "array" not in line
    assert len(line) < 200


def test_the_energy_of_an_end_is_that_of_its_problem(end):
    if hasattr(end, "energy"):
        assert end.problem.energy_gradient(end.x)[0] == pytest.approx(end.energy, rel=1e-12)


def test_packings_draw_themselves_in_notebooks():
    for name in ("minimise", "decompress", "compress"):
        assert ENDS[name]()._repr_png_().startswith(b"\x89PNG")


def test_a_compression_to_no_packing_fraction_ends_nowhere():
    end = compress(CROWDED, start(CROWDED), [])
    assert (end.status, end.reason) == ("stalled", "no packing fraction was given")


def test_a_trained_network_is_a_minimum_of_the_network_at_its_norm():
    held, free = trained(), trained(hold_norm=False)
    assert isinstance(held.problem, SphericalNetwork)
    assert held.radius == held.problem.radius == np.linalg.norm(held.x)
    assert isinstance(free.problem, HingeNetwork)
    assert free.radius is None


def test_kinks_go_along_to_the_bound():
    end = replace(ENDS["train"](), n_kinks=10**6)
    assert spectrum(end).bound_holds
    assert spectrum(end).n_kinks == 10**6
    assert spectrum(end.problem, end.x).n_kinks == 0


@pytest.mark.parametrize("measure", [observe, spectrum, exact_jamming])
def test_half_an_end_is_refused_in_one_line(measure):
    end = ENDS["minimise"]()
    with pytest.raises(TypeError, match="expected an end with problem and x, got Discs: pass its"):
        measure(CROWDED)
    with pytest.raises(TypeError, match="expected an end alone, got a state with it"):
        measure(end, end.x)


def test_coordination_is_two_ends_of_each_contact_over_the_bodies_held():
    end = ENDS["decompress"]()
    seen = observe(end)
    assert seen.coordination == 2 * seen.n_constraints / (16 - seen.n_frozen)
    assert observe(ENDS["descend"]()).coordination is None
    apart = Discs(np.ones(2), np.array([9.0, 9.0]))
    assert observe(apart, np.array([1.0, 1.0, 5.0, 5.0])).coordination == 0.0


@pytest.mark.parametrize("system", [DiscSystem(n=32), EllipseSystem(n=16), PerceptronSystem(n=30)])
def test_exact_jamming_of_an_end_is_that_of_the_command_line(system):
    """The end brings the minimiser of its system, so that not one bit differs."""
    there = measured(system, np.random.default_rng(3), exact=True).state
    rng = np.random.default_rng(3)
    if isinstance(system, PerceptronSystem):
        problem = Perceptron.random(30, 4.0, -0.5, rng)
        end = descend(problem, problem.random_state(rng))
    else:
        problem = (
            Discs.bidisperse(32, 0.86) if isinstance(system, DiscSystem)
            else Ellipses.bidisperse(16, 0.94)
        )  # fmt: skip
        end = decompress(problem, problem.random_state(rng), pressure=1e-6)
    point = exact_jamming(end)
    assert (point.status, there.status) == ("jammed", "jammed")
    assert np.array_equal(point.x, there.x)


def test_a_graph_draws_its_tree_and_gives_itself_to_networkx():
    graph = explore(LennardJones(7), seed=0, searches=150)
    assert repr(graph) == "<Graph: 4 minima, 12 saddles, connected>"
    assert graph.tree().plot().get_ylabel() == "energy"
    assert graph.tree()._repr_png_().startswith(b"\x89PNG")
    cold = graph.heat_capacity(np.array([1e-3, 2e-3]))
    assert cold == pytest.approx(3 * 7 - 6)  # one minimum alone: a vibration each
    network = graph.to_networkx()
    assert (len(network), network.number_of_edges()) == (4, 12)


def test_exploring_needs_somewhere_to_start():
    class Nowhere:
        n_dof = 1

    with pytest.raises(TypeError, match="expected a problem with random_state, got Nowhere: pass"):
        explore(Nowhere())


@pytest.mark.parametrize("page", PAGES)
def test_the_sessions_of_the_pages_run_as_they_stand(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    found = doctest.testfile(str(ROOT / page), module_relative=False, optionflags=options)
    assert found.attempted > 10
    assert found.failed == 0


def test_tab_completion_shows_the_public_names():
    shown = dir(bridge)
    assert shown == sorted(shown)
    assert {"exact_jamming", "explore", "load", "observe", "spectrum", "__version__"} <= set(shown)
    assert "import_module" not in shown
    for name in shown:
        assert getattr(bridge, name) is not None
    with pytest.raises(AttributeError, match="module 'bridge' has no attribute 'melt'"):
        bridge.melt  # noqa: B018


SAVED = {
    "discs": ["discs", "--n", "16", "--seed", "2"],
    "spheres": ["discs", "--n", "32", "--dim", "3"],
    "ellipses": ["ellipses", "--n", "16", "--aspect", "2"],
    "ellipsoids": ["ellipsoids", "--n", "10", "--axes", "1.25", "1", "0.8", "--seed", "1"],
    "exact discs": ["discs", "--n", "16", "--exact"],
    "perceptron": ["perceptron", "--n", "20", "--alpha", "6"],
    "exact perceptron": ["perceptron", "--n", "20", "--exact"],
    "network": ["network", "--width", "4", "--steps", "1000", "--seed", "1"],
    "tanh": ["network", "--width", "4", "--steps", "500", "--activation", "tanh"],
    "free norm": ["network", "--width", "3", "--steps", "300", "--norm", "free", "--polish", "9"],
    "network that fits": ["network", "--width", "6", "--steps", "3000", "--load", "0.5"],
    "digits": ["network", "--width", "5", "--steps", "500", "--data", "digits", "--patterns", "90"],
}


@pytest.mark.parametrize("words", SAVED.values(), ids=SAVED)
def test_what_jam_saved_is_reopened_with_the_energy_it_had(words, tmp_path, capsys):
    assert run(["jam", *words, "--json", "--out", str(tmp_path)]) in (0, 3)
    said = json.loads(capsys.readouterr().out)
    problem, x = end = load(tmp_path)
    assert problem.energy_gradient(x)[0] == pytest.approx(said["energy"], rel=1e-12, abs=1e-30)
    seen = observe(end)
    if "--exact" not in words:
        assert (seen.n_constraints, seen.n) == (said["n_constraints"], said["n"])
        assert seen.coordination == said["coordination"]
    assert (end.status, end.reason) == (said["status"], said["reason"])
    assert end.n_kinks == said["n_kinks"]


CLUSTER = landscapes()["lj"](4)
RUNS = (
    JamRun(DiscSystem(n=12), (3, 1), at_load=0.9),
    JamRun(SphereSystem(n=20), (3, 1)),
    JamRun(EllipseSystem(n=8), (3, 2), at_transition=True),
    JamRun(PerceptronSystem(n=12), (3, 3), at_load=7.0),
    JamRun(PerceptronSystem(n=12), (3, 4), exact=True),
    JamRun(PerceptronSystem(n=12), (3, 5), at_transition=True),
    JamRun(NetworkSystem(depth=1, width=3, steps=300), (3, 6), at_load=6.0),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "runs.sqlite"
    with Store(path) as file:
        for task in RUNS:
            file.put(task.compute())
        file.put(LandscapeRun(CLUSTER, (0,), searches=5).compute())
    return path


@pytest.mark.parametrize("number", range(len(RUNS)))
def test_a_run_of_a_store_is_reopened_by_its_number_and_its_key(number, store):
    with Store(store, read_only=True) as file:
        record = file.get(RUNS[number].key)
    problem, x = load(store, number)
    assert problem.energy_gradient(x)[0] == pytest.approx(record.data["energy"], abs=1e-30)
    for key in (record.key, record.key[:12]):
        assert np.array_equal(load(store, key).x, x)


def test_the_lowest_minimum_of_a_landscape_is_reopened(store, tmp_path):
    path = tmp_path / "lj.sqlite"
    run_landscape(CLUSTER, 0, searches=5, out=path)
    for problem, x in (load(path), load(store, len(RUNS))):
        assert problem.energy_gradient(x)[0] == pytest.approx(-6.0)


def test_a_run_that_is_not_there_is_named(store):
    many = f"got none of {len(RUNS) + 1}: pass run=0"
    for wrong, text in ((None, many), (99, "a run from 0 to 7"), (-1, "0 to 7"), ("zz", "one run")):
        with pytest.raises(ValueError, match=text):
            load(store, wrong)


def test_a_folder_without_a_state_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"expected one store in .*, got 0: name the file"):
        load(tmp_path)
    with pytest.raises(ValueError, match="expected"):
        load(tmp_path / "none.sqlite")


def test_a_run_without_a_state_is_refused():
    record = RUNS[0].compute()
    with pytest.raises(ValueError, match="expected a run that kept its state, got one of discs"):
        reopened(replace(record, arrays={}))
    rough = {**record.arrays, "shapes": record.arrays["shapes"].astype(np.float32)}
    with pytest.raises(ValueError, match="expected exact shapes of all bodies"):
        reopened(replace(record, arrays=rough))
    with pytest.raises(ValueError, match=r"expected a system among discs, .*, got sand"):
        reopened(replace(record, parameters={"system": "sand"}))


def test_data_in_a_file_have_to_be_the_same(tmp_path):
    rng = np.random.default_rng(0)
    table, other = tmp_path / "a.csv", tmp_path / "b.csv"
    for path in (table, other):
        rows = np.column_stack([rng.standard_normal((60, 3)), np.repeat([0, 1], 30)])
        np.savetxt(path, rows, delimiter=",")
    words = ["jam", "network", "--data", str(table), "--width", "2", "--steps", "200"]
    assert run([*words, "--out", str(tmp_path / "out")]) in (0, 3)
    with pytest.raises(ValueError, match=r"expected the data of this run, a.csv, got none"):
        load(tmp_path / "out")
    with pytest.raises(ValueError, match=r"expected the data of this run, a.csv, got others in"):
        load(tmp_path / "out", data=other)
    end = load(tmp_path / "out", data=table)
    assert end.problem.n_dof == len(end.x)


def test_a_store_of_runs_is_left_as_it_was(store):
    before = store.read_bytes()
    load(store, 0)
    assert store.read_bytes() == before
    with sqlite3.connect(store) as connection:
        assert connection.execute("SELECT count(*) FROM records").fetchone() == (len(RUNS) + 1,)

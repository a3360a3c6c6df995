"""A module of the user's own: its transition in Python and on the command line, and its states."""

import json
import re

import numpy as np
import pytest
import torch
from torch import nn

from bridge import find_transition, load, sweep
from bridge.cli.main import run
from bridge.records.store import Store
from bridge.runs.find_transition import GivenModule
from bridge.runs.transition_search import LoadSearch, find
from bridge.systems import NetworkSystem
from networks import random_patterns

SMALL = {"steps": 200, "polish": 100}
FILE = """
import torch
from torch.nn import Flatten, Linear, Sequential, Tanh
import beside

whole = Sequential(Linear(8, 1))

def make():
    return Sequential(Flatten(), Linear(64, beside.UNITS), Tanh(), Linear(beside.UNITS, 1))

def classes(outputs=10):
    return Sequential(Flatten(), Linear(64, outputs))

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = Sequential(Linear(8, 3), Tanh(), Linear(3, 1))

    def forward(self, x):
        return self.layers(x)

def nothing():
    return 3

def raises():
    raise KeyError("no such layer")

def needs(width):
    return Linear(8, width)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "net.py").write_text(FILE, encoding="utf-8")
    (tmp_path / "beside.py").write_text("UNITS = 2\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def orthogonal():
    """Return a built-in network of width 4 as a module, with its initialisation."""
    layers = nn.Linear(4, 4), nn.Linear(4, 1)
    for layer in layers:
        nn.init.orthogonal_(layer.weight)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(layers[0], nn.Tanh(), layers[1])


def drawn(count, rng):
    patterns = random_patterns(count, 4, rng)
    return patterns.x, patterns.y


def test_the_transition_of_a_built_in_network_is_that_of_the_same_module():
    """Patterns are the same, starts are others: the loads agree within their errors."""
    limits = {"low": 0.25, "high": 2.25, "step": 0.5, "samples": 4, "seed": 3}
    adam = {"steps": 600, "polish": 0}
    network = NetworkSystem(depth=1, width=4, activation="tanh", **adam)
    with Store(":memory:") as store:
        search = LoadSearch(network, **limits)
        expected = find(search, store, progress=lambda *_: None).midpoint
    found = find_transition(orthogonal, drawn, **limits, **adam)
    assert found.points[0].n_weights == 20
    assert {point.dead for point in found.points} == {0}
    error = np.hypot(found.midpoint.error, expected.error)
    assert error < 0.4
    assert abs(found.midpoint.value - expected.value) < 2 * error
    shown = r"<Transition: half fit at P/N = .* ± .*, \d+ models at \d+ loads>"
    assert re.fullmatch(shown, repr(found))


def test_a_sample_has_a_start_and_patterns_of_its_own_and_torch_is_left_alone():
    x, y = np.arange(30.0).reshape(10, 3), np.where(np.arange(10) < 7, 1, -1)
    system = GivenModule.of(lambda: nn.Linear(3, 1), (x, y))
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    rngs = [[np.random.default_rng(s) for s in pair] for pair in ((1, 2), (1, 2), (3, 4))]
    first, again, other = (system.untrained(2.0, *pair) for pair in rngs)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])
    assert torch.equal(first[0].inputs, again[0].inputs)
    assert not torch.equal(first[0].inputs, other[0].inputs)
    labels = first[0].demands.sorts.tolist()
    assert labels == [0, 1, 0, 1, 0, 1]  # three of each class of the seven and three that there are
    fewer = system.untrained(1.0, *map(np.random.default_rng, (1, 2)))[0]
    assert torch.equal(fewer.inputs, first[0].inputs[:3])


@pytest.mark.parametrize(
    ("make", "patterns", "options", "text"),
    [
        (nn.Linear(3, 1), drawn, {}, "expected make to make a module for each sample, got a L"),
        (lambda: 1, drawn, {}, r"expected make\(\) to return a torch.nn.Module, got a int: return"),
        (lambda n: n, drawn, {}, r"expected make\(\) to be called without arguments, got: missing"),
        (orthogonal, 5, {}, "expected patterns .* got a int: pass such as"),
        (orthogonal, ([[1.0]], [1, 2]), {}, r"expected x of .*, got shapes \(1, 1\) and \(2,\)"),
        (orthogonal, (np.eye(4), np.ones(4)), {}, "expected at most 4 patterns, .* ask for fewer"),
        (orthogonal, drawn, {"load": 2.0}, "expected a load from low to high, got 2: drop load"),
        (orthogonal, drawn, {"low": 3.0, "high": 2.0}, "expected 0 < low < high"),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_one_line(make, patterns, options, text):
    with pytest.raises((TypeError, ValueError), match=text) as error:
        find_transition(make, patterns, **options)
    assert "\n" not in str(error.value)


def test_patterns_are_added_to_a_module_slowly():
    found = find_transition(
        orthogonal, drawn, low=0.5, high=9.0, samples=1, protocol="loading", add=0.5, retrain=100,
        **SMALL,
    )  # fmt: skip
    (loading,) = found.loadings
    assert 10 <= loading["patterns"] < 180
    assert loading["status"] in ("jammed", "stalled")


def test_the_command_finds_a_transition_of_a_file_and_goes_on(folder, capsys):
    words = [
        "transition", "module", "net.py:Net", "--low", "1", "--high", "9", "--step", "4",
        "--samples", "1", "--steps", "100", "--polish", "50", "--workers", "1", "--json",
    ]  # fmt: skip
    assert run(words) in (0, 3)
    first = json.loads(capsys.readouterr().out)["transitions"]
    assert first[0]["points"][0]["n_weights"] == 27
    assert (folder / "transition.png").exists()
    assert run(words) in (0, 3)
    assert json.loads(capsys.readouterr().out)["transitions"] == first
    (folder / "net.py").write_text(FILE + "\n# another\n", encoding="utf-8")
    assert run(words) in (0, 3)
    with Store(folder / "transition.sqlite") as store:  # another file is another module
        assert len(list(store.records())) == 2 * len(first[0]["points"])


def test_a_module_is_jammed_and_reopened_as_any_system(folder, capsys):
    words = [
        "jam",
        "module",
        "net.py:make",
        "--data",
        "digits",
        "--patterns",
        "90",
        "--steps",
        "50",
    ]
    assert run([*words, "--steps", "50", "--json", "--out", "out"]) in (0, 3)
    said = json.loads(capsys.readouterr().out)
    assert (said["n_dof"], said["model_file"]) == (133, "net.py:make")
    assert said["parameters"]["model"].startswith("sha256:")
    problem, x = load("out", model="net.py:make")
    assert problem.energy_gradient(x)[0] == pytest.approx(said["energy"], rel=1e-12, abs=1e-30)
    with pytest.raises(ValueError, match=r"expected the model of this run, net.py:make, got none"):
        load("out")
    with pytest.raises(ValueError, match=r"others in net.py:Net: name the file"):
        load("out", model="net.py:Net")


def test_a_sweep_takes_a_file(folder):
    runs = sweep(
        "module", model="net.py:Net", load=[1.0, 2.0], steps=20, polish=0, seeds=1, workers=1,
        progress=False,
    )  # fmt: skip
    found = runs.to_pandas()
    assert (found.at_load.isna().all(), found.n_dof.tolist()) == (True, [31, 31])


def test_labels_are_classes_or_values_as_the_options_say(folder, capsys):
    rows = "".join(f"{i / 9},{i % 2 - 0.5},{'abc'[i % 3]},{i}\n" for i in range(12))
    (folder / "own.csv").write_text("u,v,kind,value\n" + rows, encoding="utf-8")
    (folder / "two.py").write_text(
        "from torch.nn import Linear\ndef three(): return Linear(3, 3)\n"
        "def one(): return Linear(2, 1)\n", encoding="utf-8"
    )  # fmt: skip
    (folder / "few.csv").write_text(
        "u,v,kind\n" + "".join(f"{i / 9},{i % 2},{'abc'[i % 3]}\n" for i in range(12)),
        encoding="utf-8",
    )
    (folder / "numbers.csv").write_text(
        "u,v,value\n" + "".join(f"{i / 9},{i % 2},{i / 7}\n" for i in range(12)), encoding="utf-8"
    )
    jam = ["jam", "module", "--steps", "20", "--json"]
    assert run([*jam, "two.py:one", "--data", "few.csv"]) == 2
    assert "expected two classes for one output, got 3: let" in capsys.readouterr().err
    assert run([*jam, "two.py:one", "--data", "few.csv", "--epsilon", "0.1"]) == 2
    assert "expected numbers to regress on in few.csv, got 'a'" in capsys.readouterr().err
    assert run([*jam, "two.py:one", "--data", "numbers.csv", "--epsilon", "0.1"]) in (0, 3)
    assert json.loads(capsys.readouterr().out)["load"]["value"] == 6.0


def test_the_landscape_of_a_loss_has_words_as_labels_and_scores_of_unseen_patterns(folder, capsys):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    words = np.where(x[:, 0] * x[:, 1] + 0.3 * rng.normal(size=60) > 0, "cat", "dog")
    rows = "".join(f"{u},{v},{word}\n" for (u, v), word in zip(x, words, strict=True))
    (folder / "two.csv").write_text("u,v,kind\n" + rows, encoding="utf-8")
    (folder / "own.py").write_text(
        "from torch.nn import Linear, Sequential, Tanh\n"
        "def make(): return Sequential(Linear(2, 2), Tanh(), Linear(2, 2))\n"
        "def cost(outputs, labels): return (outputs[:, 0] - labels).square().mean()\n",
        encoding="utf-8",
    )
    words = ["landscape", "module", "own.py:make", "--data", "two.csv", "--patterns", "40"]
    more = ["--searches", "2", "--l2", "0.01", "--out", "own.sqlite", "--json"]
    assert run([*words, *more]) == 0
    said = json.loads(capsys.readouterr().out)
    lowest = said["minima"][0]["observables"]
    assert set(lowest) >= {"test_auc", "test_accuracy"}
    assert lowest["test_accuracy"] * 20 == pytest.approx(round(lowest["test_accuracy"] * 20))
    problem, x = load("own.sqlite", data="two.csv", model="own.py:make")
    energy = min(point["energy"] for point in said["minima"])
    assert problem.energy_gradient(x)[0] == pytest.approx(energy, rel=1e-9)
    assert run([*words, "--loss", "cost", "--searches", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["minima"][0]["energy"] != pytest.approx(energy)
    assert run([*words, "--loss", "price"]) == 2
    assert "expected price in own.py, got make, cost: name one" in capsys.readouterr().err


WRONG = {
    "no file": ([], "expected FILE.py:NAME with a function that makes a module, got none"),
    "missing file": (["gone.py:make"], "expected a file at gone.py, got: No such file"),
    "no name": (["net.py"], "got 'net.py': write such as net.py:make"),
    "missing name": (["net.py:made"], "expected made in net.py, got make, classes, Net"),
    "a number": (["net.py:nothing"], "expected nothing() to return a torch.nn.Module, got a int"),
    "an error": (["net.py:raises"], "expected raises() to make a module, got KeyError"),
    "arguments": (["net.py:needs"], "expected needs() to be called without arguments, got: miss"),
    "a module": (["net.py:whole"], "expected whole to make a module for each sample, got a Sequ"),
    "no function": (["net.py:beside"], "expected beside to be a function or a class, got a mod"),
    "syntax": (["wrong.py:make"], "expected a file of Python that can be imported, got SyntaxErr"),
    "shape": (["net.py:Net", "--input-dim", "5"], "expected a module that takes x of shape"),
    "load of data": (["net.py:make", "--data", "digits", "--load", "90"], "at most 1797 patterns"),
    "label": (["net.py:Net", "--label", "y"], "expected a file with label, got random"),
}


@pytest.mark.parametrize(("words", "text"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_one_line_and_nothing_is_written(words, text, folder, capsys):
    (folder / "wrong.py").write_text("def make(:\n", encoding="utf-8")
    before = sorted(path.name for path in folder.iterdir() if path.name != "__pycache__")
    assert run(["jam", "module", *words, "--out", "out"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert text in shown.err
    assert sorted(p.name for p in folder.iterdir() if p.name != "__pycache__") == before

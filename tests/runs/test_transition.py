"""The search for the transition: the right load with few trials, and nothing trained twice."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import networks
from bridge.cli.main import run
from bridge.measure.midpoint import bracket, midpoint
from bridge.records.store import Store
from bridge.runs import transition_search as transition
from bridge.runs.pool import Failed
from bridge.runs.workers import mapping
from bridge.systems import NetworkSystem

COUNTS = st.lists(st.integers(0, 8), min_size=2, max_size=7).filter(
    lambda fitted: np.polyfit(range(len(fitted)), fitted, 1)[0] < -0.1
)


def quiet(done, total):
    pass


@given(st.integers(1, 200), st.data())
def test_bisection_finds_where_fitting_ends_in_few_trials(count, data):
    last = data.draw(st.integers(-1, count - 1))
    asked = []

    def fitted(i):
        asked.append(i)
        return 1.0 if i <= last else 0.0

    assert bracket(fitted, count) == (last, last + 1)
    assert len(asked) == len(set(asked)) <= count.bit_length()


def penalised(coefficients, loads, fitted, tried):
    """Minus the logarithm of the likelihood times the root of the Fisher information."""
    eta = coefficients[0] + coefficients[1] * loads
    p = 1 / (1 + np.exp(-eta))
    design = np.column_stack([np.ones_like(loads), loads])
    information = design.T @ ((tried * p * (1 - p))[:, None] * design)
    likelihood = fitted @ eta - tried @ np.logaddexp(0, eta)
    return -likelihood - 0.5 * np.linalg.slogdet(information)[1]


@settings(max_examples=40)
@given(COUNTS)
def test_the_fit_has_no_better_neighbour(fitted):
    """The penalised likelihood, written out, has its maximum there."""
    fitted = np.array(fitted, dtype=float)
    loads, tried = np.linspace(-0.5, 0.5, len(fitted)), np.full(len(fitted), 8.0)
    found = midpoint(loads, fitted, tried)
    at = np.array([found.value / found.width, -1 / found.width])
    best = minimize(penalised, at, args=(loads, fitted, tried), method="Nelder-Mead")
    assert penalised(at, loads, fitted, tried) == pytest.approx(best.fun, abs=1e-6)


@given(st.integers(1, 12), st.floats(-5, 5), st.floats(0.01, 100))
def test_half_fit_in_the_middle_of_a_step_in_any_units(samples, shift, scale):
    loads = np.arange(6.0)
    fitted, tried = samples * (loads < 3), np.full(6, samples)
    found = midpoint(shift + scale * loads, fitted, tried)
    assert found.value == pytest.approx(shift + scale * 2.5, abs=1e-6 * scale)
    assert 0 < found.error < scale
    assert 0 < found.width < scale


def test_without_both_outcomes_there_is_no_transition():
    with pytest.raises(ValueError, match=r"^expected networks that fit .*: widen the range"):
        midpoint(np.array([1.0, 2.0]), np.array([4, 4]), np.array([4, 4]))


def a_search(**options):
    system = NetworkSystem(depth=1, width=6, input_dim=4, steps=options.pop("steps", 100))
    given = {"low": 1.0, "high": 9.0, "step": 2.0, "samples": 2, "seed": 5, **options}
    return transition.LoadSearch(system, **given)


def a_point(load, fitted, ratio):
    return transition.LoadPoint(4, int(100 * load), 100, fitted, 4, 0, 0, ratio)


def test_the_jump_is_that_of_the_points_where_some_fit_and_some_do_not():
    points = (a_point(1.0, 4, None), a_point(2.0, 3, 0.8), a_point(3.0, 1, 1.0), a_point(4.0, 0, 9))
    found = transition.Transition(a_search(), points, None, 0.0)
    assert found.jump() == (pytest.approx(0.9), 2.5)
    document = transition.as_json(found)
    assert document["measured_at"] == {"name": "P/N", "value": 2.5}
    none = transition.Transition(a_search(), points[:1] + points[3:], None, 0.0)
    assert none.jump() == (9.0, 4.0)
    assert transition.Transition(a_search(), points[:1], None, 0.0).jump() is None


def test_a_search_that_is_repeated_trains_nothing(tmp_path, monkeypatch):
    with Store(tmp_path / "a.sqlite") as store:
        first = transition.find(a_search(), store, progress=quiet)

        def fails(*_, **__):
            raise AssertionError("trained again")

        monkeypatch.setattr(networks, "train_all", lambda problems, *_, **__: problems and fails())
        again = transition.find(a_search(), store, progress=quiet)
    assert again.points == first.points


def test_an_interrupted_search_keeps_what_was_trained_and_goes_on(tmp_path):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with Store(tmp_path / "a.sqlite") as store:
        with pytest.raises(KeyboardInterrupt):
            transition.find(a_search(), store, progress=interrupt)
        assert len(list(store.records())) == 2
        whole = transition.find(a_search(), store, progress=quiet)
    with Store(tmp_path / "b.sqlite") as store:
        assert transition.find(a_search(), store, progress=quiet).points == whole.points


def test_a_batch_that_ends_its_process_is_named_and_the_others_are_kept(tmp_path):
    def mapper(function, batches):
        first, *others = batches
        yield Failed(first, "its process was ended by SIGKILL")
        yield from map(function, others)

    with Store(tmp_path / "a.sqlite") as store:
        search = a_search(samples=4)
        with pytest.raises(RuntimeError, match=r"samples 0, 1: its process .* command goes on"):
            transition.find(search, store, progress=quiet, workers=2, mapper=mapper)
        assert {record.seed for record in store.records()} == {(5, 2), (5, 3)}


def test_more_samples_add_to_those_that_are_there(tmp_path):
    """A network depends on its own seed alone, not on those trained with it."""
    with Store(tmp_path / "a.sqlite") as store:
        search = a_search(low=1.0, high=1.5, step=1.0)
        transition.find(search, store, progress=quiet)
        more = a_search(low=1.0, high=1.5, step=1.0, samples=3)
        transition.find(more, store, progress=quiet)
        added = sorted(store.records(), key=lambda record: record.seed)
    with Store(tmp_path / "b.sqlite") as store:
        transition.find(more, store, progress=quiet)
        together = sorted(store.records(), key=lambda record: record.seed)
    assert [record.seed for record in added] == [(5, 0), (5, 1), (5, 2)]
    energies = [record.data["energy"] for record in together]
    assert [record.data["energy"] for record in added] == pytest.approx(energies, rel=1e-3)


def test_fewer_patterns_are_the_first_of_more():
    few, many = (
        NetworkSystem(width=3, input_dim=4, patterns=p).problem(None, np.random.default_rng(1))
        for p in (10, 16)
    )
    assert np.array_equal(few.patterns.x, many.patterns.x[:10])


def test_descending_widths_are_in_order_of_their_load():
    search = transition.LoadSearch(NetworkSystem(input_dim=4, patterns=50), 2, 6, 1, 2, seed=0)
    assert [system.width for system in search.systems()] == [6, 5, 4, 3, 2]


def test_the_command_gives_one_document_and_resumes(tmp_path, capsys):
    out = tmp_path / "t.sqlite"
    arguments = [
        "transition", "network", "--depth", "1", "--width", "12", "--input-dim", "4", "--steps",
        "1600", "--low", "0.25", "--high", "4", "--step", "0.75", "--samples", "2",
        "--convergence", "1", "--out", str(out), "--json",
    ]  # fmt: skip
    assert run(arguments) == 0
    first = json.loads(capsys.readouterr().out)
    assert [found["steps"] for found in first["transitions"]] == [800, 1600]
    middle = first["transitions"][-1]["load"]
    assert 0.25 < middle["value"] < 4
    assert middle["error"] > 0
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out)["transitions"] == first["transitions"]


def test_processes_that_share_a_search_find_what_one_finds(tmp_path):
    search = a_search(low=1.0, high=1.5, step=1.0, samples=3)
    with Store(tmp_path / "a.sqlite") as store, mapping(2) as mapper:
        shared = transition.find(search, store, progress=quiet, workers=2, mapper=mapper)
        assert len(list(store.records())) == 3
    with Store(tmp_path / "b.sqlite") as store:
        alone = transition.find(search, store, progress=quiet)
    assert [(p.fitted, p.tried, p.patterns) for p in shared.points] == [
        (p.fitted, p.tried, p.patterns) for p in alone.points
    ]


WRONG = {
    "optimiser": ["--optimiser", "fire"],
    "range": ["--low", "3", "--high", "2"],
    "protocol": ["--protocol", "guess"],
    "digits there are not": ["--data", "digits", "--width", "40", "--input-dim", "20"],
    "device": ["--device", "abacus"],
    "data": ["--data", "nowhere.csv"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_wrong_use_is_one_line_and_nothing_is_written(arguments, capsys, tmp_path):
    code = run(["transition", "network", *arguments, "--out", str(tmp_path / "t.sqlite")])
    shown = capsys.readouterr()
    assert (code, shown.out) == (2, "")
    assert shown.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_out_of_memory_is_one_line_and_keeps_what_was_finished(tmp_path, capsys, monkeypatch):
    train_all = networks.train_all
    calls = []

    def full(problems, *rest, **options):
        calls.append(len(problems))
        if len(calls) > 1:
            raise RuntimeError("not enough memory: you tried to allocate 8 EB")
        return train_all(problems, *rest, **options)

    monkeypatch.setattr(networks, "train_all", full)
    out = tmp_path / "t.sqlite"
    wanted = [
        "--width", "3", "--activation", "tanh", "--steps", "20", "--workers", "1",
        "--out", str(out),
    ]  # fmt: skip
    assert run(["transition", "network", *wanted]) == 1
    assert (
        capsys.readouterr().err.splitlines()[-1].startswith("jamscape: failed: not enough memory")
    )
    with Store(out) as store:
        assert len(list(store.records())) == 8

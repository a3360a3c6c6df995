"""Slow loading: patterns are added to a network that fits, and the transition is where it ends."""

import json
from dataclasses import replace
from statistics import mean, median, stdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.cli.main import run
from bridge.figures.transition import alike, fitted_at, transition_figure
from bridge.records.content import parameters
from bridge.records.store import Record, Store
from bridge.runs import loadings, transition_search
from bridge.runs.batch import KIND, Batch, LoadedBatch
from bridge.runs.pool import Failed
from bridge.runs.transition_search import LoadSearch
from bridge.systems import NetworkSystem
from networks import HingeNetwork, Mlp, random_patterns
from networks.models.hinge import FITTED
from networks.training.loading import load_slowly

TANH = NetworkSystem(depth=1, width=4, activation="tanh", steps=150, polish=20)
FEW = {"first": 4, "add": 4, "steps": 150, "retrain": 150, "newton_steps": 20}
SEARCH = LoadSearch(TANH, 0.25, 6.0, 0.5, 2, seed=5, protocol="loading", add=0.3, retrain=150)
COMMAND = [
    "transition", "network", "--depth", "1", "--width", "4", "--activation", "tanh", "--steps",
    "150", "--retrain", "150", "--polish", "20", "--add", "0.3", "--low", "0.25", "--high", "6",
    "--samples", "2", "--workers", "1",
]  # fmt: skip


def quiet(done, total):
    pass


def a_network(seed, count=100):
    rng = np.random.default_rng(seed)
    mlp = Mlp(4, 4, 1, "tanh")
    return HingeNetwork(mlp, random_patterns(count, 4, rng)), mlp.init(rng)


def tried(seed, count=100, **options):
    problem, x = a_network(seed, count)
    return list(load_slowly(problem, x, **{**FEW, **options}))


def sizes(steps):
    return [(len(part.patterns), end.status) for part, end in steps]


@settings(max_examples=3)
@given(st.integers(0, 1000), st.integers(1, 20))
def test_loading_ends_one_pattern_beyond_what_fits(seed, add):
    steps = sizes(tried(seed, add=add))
    fitted = [count for count, status in steps if status == "unjammed"]
    assert fitted == sorted(set(fitted))
    last = 0
    for count, status in steps:  # each is tried from the largest that fitted before
        assert last < count <= last + add if last else count == 4
        last = count if status == "unjammed" else last
    end, status = steps[-1]
    assert status != "unjammed"
    assert end == (fitted[-1] + 1 if fitted else 4)


def test_a_network_that_fits_goes_on_to_fit_what_it_fitted_before():
    problem, _ = a_network(4)
    steps = [(len(part.patterns), end) for part, end in tried(4) if end.status == "unjammed"]
    assert len(steps) > 2
    for count, end in steps:
        gaps = problem.gaps(end.x)
        for fewer in range(2, count + 1):
            assert 0.5 * (np.maximum(gaps[:fewer], 0) ** 2).sum() < FITTED


def test_patterns_are_the_first_of_all_and_their_labels_balanced():
    problem, x = a_network(4)
    for part, _ in load_slowly(problem, x, **FEW):
        assert np.array_equal(part.patterns.x, problem.patterns.x[: len(part.patterns)])
        assert abs(part.patterns.y.sum()) <= 1


def test_a_loading_repeats_itself():
    first, again = tried(4), tried(4)
    assert sizes(first) == sizes(again)
    assert all(np.array_equal(a.x, b.x) for (_, a), (_, b) in zip(first, again, strict=True))


def test_after_the_first_patterns_it_is_trained_for_fewer_steps():
    ends = [end for _, end in tried(4, steps=400, retrain=10)]
    assert max(end.steps for end in ends[1:]) == 10


def test_solves_alone_keep_the_norm_of_the_first_fit():
    ends = [end for _, end in tried(4, retrain=0, newton_steps=300)]
    norms = [np.linalg.norm(end.x) for end in ends]
    assert len(norms) > 3
    assert norms == pytest.approx([norms[0]] * len(norms), rel=1e-12)
    assert not any(end.steps for end in ends[1:])
    assert ends[-1].status == "jammed"


def test_a_loading_ends_where_no_pattern_is_left():
    assert sizes(tried(4, count=4)) == [(4, "unjammed")]
    assert sizes(tried(4, count=6)) == [(4, "unjammed"), (6, "unjammed")]


def test_what_does_not_fit_at_first_is_not_loaded():
    ((count, status),) = sizes(tried(4, first=100))
    assert count == 100
    assert status != "unjammed"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"first": 101}, "first <= 100"),
        ({"first": 1}, "first >= 2"),
        ({"add": 0}, "add >= 1"),
        ({"retrain": -1}, "retrain >= 0"),
    ],
)
def test_wrong_numbers_of_patterns_are_one_line(options, words):
    with pytest.raises(ValueError, match=words) as error:
        tried(4, **options)
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def found():
    with Store(":memory:") as store:
        whole = transition_search.find(SEARCH, store, progress=quiet)
        records = list(store.records())
    return whole, records


def test_the_transition_is_the_mean_of_what_each_network_fitted(found):
    whole, records = found
    loads = [each["load"] for each in whole.loadings]
    assert len(loads) == 2
    assert all(SEARCH.low <= load < SEARCH.high for load in loads)
    assert whole.midpoint.value == pytest.approx(mean(loads))
    assert whole.midpoint.error == pytest.approx(stdev(loads) / 2**0.5)
    document = transition_search.as_json(whole)
    assert document["protocol"] == "loading"
    assert document["median"] == pytest.approx(median(loads))
    assert sum(document["ends"].values()) == 2
    for each, record in zip(whole.loadings, records, strict=True):
        assert record.data["patterns"] == each["patterns"] + 1
        assert each["constraint_ratio"] > 0


def test_patterns_are_those_of_a_quench_with_that_seed(found):
    """The first of the largest load: so that both protocols ask the same of a network."""
    _, records = found
    (quenched,) = Batch(replace(TANH, load=0.25), "quench", (records[0].seed,)).train()
    assert quenched.status == "unjammed"
    assert records[0].data["fitted_patterns"] >= quenched.data["patterns"]


def test_a_loading_that_was_interrupted_is_resumed_to_the_same(tmp_path, found):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with Store(tmp_path / "a.sqlite") as store:
        with pytest.raises(KeyboardInterrupt):
            transition_search.find(SEARCH, store, progress=interrupt)
        assert len(list(store.records())) == 1
        assert transition_search.find(SEARCH, store, progress=quiet).loadings == found[0].loadings

        def fails(batch):
            raise AssertionError("loaded again")

        def mapper(_, batches):
            return map(fails, batches)

        again = transition_search.find(SEARCH, store, progress=quiet, mapper=mapper)
    assert again.loadings == found[0].loadings


def test_a_loading_whose_process_ended_is_named_and_the_others_are_kept(tmp_path):
    def mapper(function, batches):
        first, *others = batches
        yield Failed(first, "its process was ended by SIGKILL")
        yield from map(function, others)

    with Store(tmp_path / "a.sqlite") as store:
        with pytest.raises(RuntimeError, match=r"samples 0: its process .* command goes on"):
            transition_search.find(SEARCH, store, progress=quiet, mapper=mapper)
        assert [record.seed for record in store.records()] == [(5, 1)]


def test_what_tells_loadings_apart_is_in_their_key():
    batch = LoadedBatch(replace(TANH, load=6.0), "loading", ((5, 0),), 0.5, 0.3, 150)
    others = [
        replace(batch, low=0.6), replace(batch, add=0.4), replace(batch, retrain=0),
        replace(batch, system=replace(TANH, load=5.0)), replace(batch, seeds=((5, 1),)),
    ]  # fmt: skip
    assert len({batch.keys[0], *(other.keys[0] for other in others)}) == 6


def an_end(load, status, patterns=None):
    patterns = round(100 * load) if patterns is None else patterns
    ratio = 0.5 if status in ("jammed", "stalled") else None
    return {
        "sample": 0, "patterns": patterns, "n_weights": 100, "load": patterns / 100,
        "status": status, "constraint_ratio": ratio, "trainings": 3,
    }  # fmt: skip


def a_transition(*ends):
    return transition_search.Transition(SEARCH, (), loadings._mean(ends), 1.0, ends)


def test_dead_and_unfitted_networks_are_reported_and_not_counted():
    ends = (
        an_end(2.0, "jammed"), an_end(3.0, "stalled"), an_end(1.0, "dead"),
        an_end(0.5, "jammed", patterns=0),
    )  # fmt: skip
    document = transition_search.as_json(a_transition(*ends))
    assert document["load"]["value"] == document["median"] == 2.5
    assert document["ends"] == {"jammed": 1, "stalled": 1, "dead": 1}
    assert document["unfitted"] == 1
    assert document["measured_at"] == {"name": "P/N", "value": 2.5}
    text = transition_search.as_text(document)
    assert "2 dead or unfitted at the lowest load are not counted" in text
    assert "jammed at the lowest load" in text


def test_a_load_that_was_not_passed_is_no_transition():
    whole = a_transition(an_end(2.0, "jammed"), an_end(6.0, "unjammed"))
    assert whole.midpoint is None
    text = transition_search.as_text(transition_search.as_json(whole))
    assert text.endswith("no transition among these: widen the range")
    assert a_transition(an_end(2.0, "dead")).midpoint is None


def test_one_network_has_no_error():
    text = transition_search.as_text(transition_search.as_json(a_transition(an_end(2, "jammed"))))
    assert "P/N = 2.000, median" in text


def test_the_command_draws_both_protocols_of_one_store(tmp_path, capsys):
    out = tmp_path / "t.sqlite"
    assert run([*COMMAND, "--protocol", "loading", "--out", str(out), "--json"]) == 0
    (slow,) = json.loads(capsys.readouterr().out)["transitions"]
    assert (slow["protocol"], slow["add"], len(slow["loadings"])) == ("loading", 0.3, 2)
    assert slow["load"]["value"] >= 0.25
    assert out.with_suffix(".png").is_file()
    assert run([*COMMAND, "--out", str(out), "--step", "1.5", "--json"]) in (0, 3)
    (quenched,) = json.loads(capsys.readouterr().out)["transitions"]
    assert quenched["protocol"] == "quench"
    with Store(out, read_only=True) as store:
        records = alike(list(store.records(KIND)), parameters(TANH))
    assert {record.parameters["protocol"] for record in records} == {"loading", "quench"}
    assert alike(records, parameters(replace(TANH, width=5))) == []
    axes = transition_figure(records).axes[0]
    (loaded,) = (line for line in axes.lines if line.get_label() == "loading by 0.3, 150 steps")
    ends = sorted(each["load"] for each in slow["loadings"])
    assert list(loaded.get_xdata()[1:]) == ends
    assert list(loaded.get_ydata()) == [1.0, 0.5, 0.0]
    quenches = [record for record in records if record.parameters["protocol"] == "quench"]
    counts = [(p["load"], p["fitted"], p["tried"]) for p in quenched["points"]]
    assert np.transpose(fitted_at(quenches)) == pytest.approx(np.array(counts))


def a_record(protocol, status, load, sample=0, high=6.0, **data):
    own = {"low": 1.0, "add": 0.1, "retrain": 0} if protocol == "loading" else {}
    given = {**parameters(replace(TANH, load=high)), "protocol": protocol, **own}
    numbers = {"load": load, "n_constraints": 50, "n_weights": 100, **data}
    return Record(KIND, given, (0, sample), status, 1.0, numbers)


def a_loading(status, patterns, sample, high=6.0):
    return a_record("loading", status, high, sample, high, fitted_patterns=patterns)


def test_a_loading_falls_only_where_it_ended_and_the_dead_are_named():
    records = [
        a_loading("jammed", 200, 0), a_loading("stalled", 300, 1), a_loading("unjammed", 600, 2),
        a_loading("dead", 150, 3), a_loading("jammed", 0, 4),
    ]  # fmt: skip
    share, jump = transition_figure(records).axes
    (line,) = (found for found in share.lines if found.get_drawstyle() == "steps-post")
    assert line.get_label() == "loading by 0.1, solves alone (3 of 5)"
    assert list(line.get_xdata()) == [1.0, 2.0, 3.0, 6.0]
    assert list(line.get_ydata()) == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3])
    assert sorted(x for line in jump.lines for x in line.get_xdata()) == [2.0, 3.0]


def test_loadings_that_all_died_are_named_in_the_legend():
    share, jump = transition_figure([a_loading("dead", 150, 0), a_loading("dead", 0, 1)]).axes
    names = share.get_legend_handles_labels()[1]
    assert names == ["loading by 0.1, solves alone (0 of 2)"]
    assert not jump.lines


def test_a_network_loaded_again_in_a_wider_range_is_drawn_once():
    again = [a_loading("unjammed", 300, 0, high=3.0), a_loading("jammed", 400, 0)]
    for records in (again, again[::-1]):
        (line,) = (
            found
            for found in transition_figure(records).axes[0].lines
            if found.get_drawstyle() == "steps-post"
        )
        assert list(line.get_xdata()) == [1.0, 4.0]


def test_the_curve_of_quenches_is_half_at_the_half_point():
    given = [(1.0, 2), (2.0, 1), (3.0, 0)]
    records = [
        a_record("quench", "unjammed" if sample < fits else "jammed", load, sample)
        for load, fits in given
        for sample in range(2)
    ] + [a_record("quench", "dead", 3.0, 2)]
    share, jump = transition_figure(records).axes
    (curve,) = (line for line in share.lines if len(line.get_xdata()) > 100)
    loads, parts = curve.get_data()
    assert np.interp(-0.5, -parts, loads) == pytest.approx(2, rel=0.01)
    assert share.get_legend_handles_labels()[1] == ["quenches (6 of 7)"]
    (points,) = jump.lines
    assert list(points.get_xdata()) == [2.0, 3.0, 3.0]


def test_a_figure_of_nothing_is_empty():
    share, jump = transition_figure([]).axes
    assert not jump.lines
    assert not share.get_legend_handles_labels()[0]


def test_a_range_without_an_end_is_exit_code_3(tmp_path, capsys):
    out = str(tmp_path / "t.sqlite")
    given = [*COMMAND, "--high", "0.26", "--protocol", "loading", "--out", out]
    assert run(given) == 3
    assert "no transition among these: widen the range" in capsys.readouterr().out


WRONG = {
    "protocol": (["--protocol", "guess"], "quench, loading"),
    "patterns": (["--protocol", "loading", "--patterns", "50", "--low", "2"], "drop patterns"),
    "no addition": (["--protocol", "loading", "--add", "0"], "expected add from"),
    "too few patterns": (["--protocol", "loading", "--low", "0.01", "--width", "4"], "raise"),
    "additions without end": (["--protocol", "loading", "--add", "1e-6"], "ask for fewer"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_wrong_use_is_one_line_and_nothing_is_written(arguments, words, capsys, tmp_path):
    code = run(["transition", "network", *arguments, "--out", str(tmp_path / "t.sqlite")])
    shown = capsys.readouterr()
    assert (code, shown.out, shown.err.count("\n")) == (2, "", 1)
    assert words in shown.err
    assert list(tmp_path.iterdir()) == []


def test_systems_that_are_not_trained_have_no_transition(capsys):
    assert run(["transition", "discs", "--protocol", "loading"]) == 2
    assert capsys.readouterr().err.count("\n") == 1

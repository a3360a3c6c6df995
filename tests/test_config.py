"""A configuration says what would run, or in one line which field is wrong."""

from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.config import read_runs
from bridge.ensemble import estimate, shard
from bridge.runs import compute

GOOD = """
seeds = [0, 7]
spectrum = true
[[runs]]
system = "discs"
n = [16, 20]
pressure = [1e-3, 1e-2]
[[runs]]
system = "perceptron"
n = 10
alpha = 8
sigma = -0.5
exact = true
"""


def runs_of(text, tmp_path):
    path = tmp_path / "e.toml"
    path.write_text(text)
    return read_runs(path)


def test_lists_are_axes_of_a_grid(tmp_path):
    runs = runs_of(GOOD, tmp_path)
    assert len(runs) == 2 * (4 + 1)
    assert {run.seed for run in runs} == {(0,), (7,)}
    assert all(run.spectrum for run in runs)
    assert [run.exact for run in runs if run.label == "perceptron"] == [True, True]
    assert {(r.system.n, r.system.pressure) for r in runs if r.label == "discs"} == {
        (16, 1e-3), (16, 1e-2), (20, 1e-3), (20, 1e-2),
    }  # fmt: skip


def test_a_run_that_is_named_twice_runs_once(tmp_path):
    table = '[[runs]]\nsystem = "discs"\nn = 16\n'
    assert len(runs_of(table * 3, tmp_path)) == 1


def test_what_is_described_can_be_run(tmp_path):
    for run in runs_of(GOOD, tmp_path):
        record = compute(run)
        assert record.key == run.key
        assert record.status == "jammed"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at least one [[runs]]"),
        ("runs = 3", "at least one [[runs]]"),
        ("this is not toml", "expected a TOML file"),
        ('[[runs]]\nsystem = "sand"', "runs[0].system to be one of discs, ellipses"),
        ('[[runs]]\nsystem = ["discs"]', "runs[0].system"),
        ("[[runs]]\nn = 3", "runs[0].system"),
        ('[[runs]]\nsystem = "discs"\nn = "many"', "runs[0].n to be of type int, got 'many'"),
        ('[[runs]]\nsystem = "discs"\nn = true', "runs[0].n to be of type int"),
        ('[[runs]]\nsystem = "discs"\nsize = 3', "got runs[0].size"),
        ('[[runs]]\nsystem = "ellipses"\naspect = 0.5', "runs[0]: expected"),
        ('seeds = -1\n[[runs]]\nsystem = "discs"', "seeds"),
        ('seeds = "all"\n[[runs]]\nsystem = "discs"', "seeds"),
        ('colour = 1\n[[runs]]\nsystem = "discs"', "got colour"),
    ],
)
def test_a_wrong_field_is_named_in_one_line(text, said, tmp_path):
    with pytest.raises(ValueError, match=r"e\.toml") as caught:
        runs_of(text, tmp_path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


VALUES = st.recursive(
    st.one_of(st.integers(), st.floats(), st.booleans(), st.text(max_size=5), st.none()),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


def as_toml(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return '"?"' if value is None else repr(value).replace("'", '"')


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(st.sampled_from(["system", "n", "pressure", "dim", "exact"]), VALUES))
def test_malformed_tables_never_give_a_traceback(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("fuzz") / "e.toml"
    lines = [f"{name} = {as_toml(value)}" for name, value in table.items()]
    path.write_text("\n".join(["[[runs]]", *lines]), encoding="utf-8", errors="replace")
    said = ""
    try:
        read_runs(path)
    except ValueError as error:
        said = str(error)
    assert "\n" not in said


@given(st.integers(1, 50), st.integers(1, 9))
def test_shards_are_a_partition(count, shards):
    parts = [shard(range(count), f"{i + 1}/{shards}") for i in range(shards)]
    assert sorted(chain.from_iterable(parts)) == list(range(count))


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/2/3", ""])
def test_a_wrong_shard_is_refused(text):
    with pytest.raises(ValueError, match="expected a shard I/K"):
        shard([], text)


def test_the_estimate_runs_one_pilot_of_each_kind(tmp_path):
    runs = runs_of(GOOD, tmp_path)
    piloted = []
    found = estimate(runs, pilot=lambda run: piloted.append(run) or compute(run))
    assert len({run.key for run in piloted}) == 5
    assert found.n_runs == 10
    assert found.seconds == pytest.approx(2 * sum(pilot.seconds for pilot in found.pilots))

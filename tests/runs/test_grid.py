"""A configuration says what would run, or in one line which field is wrong."""

from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.runs.grid import read_runs
from bridge.runs.plan import estimate, shard
from bridge.runs.task import compute

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
        ('[[runs]]\nsystem = "sand"', "runs[0].system to be one of discs, spheres, ellipses"),
        ('[[runs]]\nsystem = ["discs"]', "runs[0].system"),
        ("[[runs]]\nn = 3", "runs[0].system"),
        ('[[runs]]\nsystem = "discs"\nn = "many"', "runs[0].n to be of type int, got 'many'"),
        ('[[runs]]\nsystem = "discs"\nn = true', "runs[0].n to be of type int"),
        ('[[runs]]\nsystem = "discs"\nsize = 3', "got runs[0].size"),
        ('[[runs]]\nsystem = "ellipses"\naspect = 0.5', "runs[0]: expected"),
        ('[[runs]]\nsystem = "ellipsoids"\naxes = [1.25, 1]', "runs[0].axes to be 3 numbers"),
        ('[[runs]]\nsystem = "ellipsoids"\naxes = [[1, 1, "x"]]', "of type float, got 'x'"),
        ('[[runs]]\nsystem = "ellipsoids"\naxes = 1.25', "runs[0].axes to be 3 numbers, got 1.25"),
        ('[[runs]]\nsystem = "ellipsoids"\naxes = [0, 1, 1]', "three positive axes"),
        ('seeds = -1\n[[runs]]\nsystem = "discs"', "seeds"),
        ('seeds = "all"\n[[runs]]\nsystem = "discs"', "seeds"),
        ('colour = 1\n[[runs]]\nsystem = "discs"', "got colour"),
        ('hidden = 3\n[[runs]]\nsystem = "discs"', "got hidden"),
        ('n = "many"\n[[runs]]\nsystem = "discs"', "runs[0].n to be of type int"),
        ('[[runs]]\nsystem = "discs"\npressure = 1', "pressure from 1e-12 to less than 1"),
        ('[[runs]]\nsystem = "discs"\nn = 6001\nspectrum = true', "at most 12000 variables"),
        ('[[runs]]\nsystem = "discs"\nat_load = 2.5', "packing fraction 0 < phi <= 2"),
        ('[[runs]]\nsystem = "ellipses"\nat_load = [0.9, 50.0]', "packing fraction 0 < phi"),
        ('[[runs]]\nsystem = "perceptron"\nat_load = 1e7', "alpha from 1e-06 to 1000000"),
        ('[[runs]]\nsystem = "network"\nwidth = 4\nat_load = 0.01', "two patterns or more"),
        ('[[runs]]\nsystem = "network"\nload = 3\nat_load = 3', "at_load or load, got both"),
        ('[[runs]]\nsystem = "network"\npatterns = 9\nat_load = 3', "at_load or patterns"),
        ('[[runs]]\nsystem = "perceptron"\nalpha = 3\nat_load = 3', "at_load or alpha"),
        ('at_load = 0.9\n[[runs]]\nsystem = "discs"\npressure = 1e-3', "at_load or pressure"),
        ('exact = true\n[[runs]]\nsystem = "network"\nat_transition = true', "got both"),
        ('seeds = 2147483648\n[[runs]]\nsystem = "discs"', "at most 1,000,000 seeds"),
        ('seeds = 1000\n[[runs]]\ncommand = "compare"\nsamples = 1000', "got 50,000,000"),
        ('[[runs]]\ncommand = "landscape"\nsystem = "lj"\nsearches = 2000000', "got 2,000,000"),
    ],
)
def test_a_wrong_field_is_named_in_one_line(text, said, tmp_path):
    with pytest.raises(ValueError, match=r"e\.toml") as caught:
        runs_of(text, tmp_path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_field_at_the_top_holds_for_every_table_that_knows_it(tmp_path):
    runs = runs_of(
        """
        n = [16, 20]
        pressure = 1e-3
        width = 5
        [[runs]]
        system = "discs"
        [[runs]]
        system = "ellipses"
        n = 12
        [[runs]]
        system = "network"
        """,
        tmp_path,
    )
    found = {
        (r.label, getattr(r.system, "n", None), getattr(r.system, "width", None)) for r in runs
    }
    assert found == {
        ("discs", 16, None), ("discs", 20, None), ("ellipses", 12, None), ("network", None, 5),
    }  # fmt: skip
    assert {r.system.pressure for r in runs if r.label != "network"} == {1e-3}


def test_three_axes_are_one_value_and_lists_of_them_are_several(tmp_path):
    one, two = (
        runs_of(f'[[runs]]\nsystem = "ellipsoids"\naxes = {axes}', tmp_path)
        for axes in ("[1.25, 1, 0.8]", "[[1.25, 1, 0.8], [2, 2, 1]]")
    )
    assert [run.system.axes for run in one] == [(1.25, 1.0, 0.8)]
    assert [run.system.axes for run in two] == [(1.25, 1.0, 0.8), (2.0, 2.0, 1.0)]
    assert one[0].key == two[0].key != two[1].key


def test_all_tables_together_count(tmp_path):
    path = tmp_path / "e.toml"
    path.write_text('seeds = 4\n[[runs]]\nsystem = "discs"\n[[runs]]\nsystem = "ellipses"\n')
    assert len(read_runs(path, most=8)) == 8
    with pytest.raises(ValueError, match="at most 7 runs, got 8"):
        read_runs(path, most=7)


def test_a_byte_order_mark_is_no_part_of_a_configuration(tmp_path):
    path = tmp_path / "e.toml"
    path.write_bytes(b"\xef\xbb\xbf" + b'[[runs]]\nsystem = "discs"\n')
    assert len(read_runs(path)) == 1


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

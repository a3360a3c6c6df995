"""Records and landscapes in one labelled data set: written, read back, and compared."""

import json

import numpy as np
import pandas
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.cli.main import run
from bridge.records.store import Record, Store
from bridge.report.dataset import dataset, table, write
from bridge.runs.exploration import run_landscape
from bridge.systems.muller_brown import MullerBrownLandscape

xarray = pytest.importorskip("xarray")


def a_record(seed, parameters, n_gaps, **data):
    arrays = {"gaps": np.linspace(0.1, 1 / 3, n_gaps)} if n_gaps else {}
    return Record("discs", parameters, (seed,), "jammed", 0.5, data, {"numpy": "2"}, arrays)


RECORDS = [
    a_record(0, {"n": 64, "pressure": 1e-6, "exact": False}, 3, n=120, energy=1e-300, ok=True),
    a_record(1, {"n": 256, "pressure": 1e-6, "exact": True}, 5, n=500, energy=0.1 + 0.2, ok=False),
    a_record(2**40, {"activation": "relü", "input_dim": None}, 0, n=None, reason="none"),
]


def test_what_is_collected_comes_back_from_the_file(tmp_path, capsys):
    with Store(tmp_path / "a.sqlite") as store:
        store.put(RECORDS[0])
    with Store(tmp_path / "b.sqlite") as store:
        for record in RECORDS:
            store.put(record)
    out = tmp_path / "all.nc"
    files = [str(tmp_path / name) for name in ("a.sqlite", "b.sqlite")]
    assert run(["collect", *files, "-o", str(out)]) == 0
    assert "3 records of 2 files" in capsys.readouterr().out
    with xarray.open_dataset(out) as found:
        found.load()
    assert dict(found.sizes) == {"run": 3, "gap": 5}
    assert found.n.values[:2].tolist() == [64, 256]
    assert found.measured_n.values[:2].tolist() == [120, 500]
    assert np.isnan(found.n.values[2])
    assert found.energy.values[:2].tolist() == [1e-300, 0.1 + 0.2]
    assert found.seed.values.tolist() == [0, 1, 2**40]
    assert found.activation.values.tolist() == ["", "", "relü"]
    assert np.array_equal(found.gaps.values[0, :3], RECORDS[0].arrays["gaps"])
    assert np.isnan(found.gaps.values[0, 3:]).all()
    assert np.isnan(found.gaps.values[2]).all()
    assert found.key.values.tolist() == [record.key for record in RECORDS]
    assert json.loads(found.attrs["provenance"]) == [{"numpy": "2"}]


def test_parameters_are_labels_that_xarray_groups_by():
    found = dataset(RECORDS[:2]).groupby("n").mean()
    assert found.measured_n.values.tolist() == [120.0, 500.0]


def test_a_stored_landscape_is_one_record(tmp_path):
    explored = run_landscape(MullerBrownLandscape(), 0, searches=10, out=tmp_path / "m.sqlite")
    out = tmp_path / "m.nc"
    assert run(["collect", str(tmp_path / "m.sqlite"), "-o", str(out)]) == 0
    with xarray.open_dataset(out) as found:
        found.load()
    assert found.n_minima.item() == len(explored.graph.minima)
    expected = [point.energy for point in explored.graph.minima]
    assert found.minimum_energy.values[0].tolist() == expected
    assert found.saddle_ends.values[0].tolist() == [list(ends) for ends in explored.graph.ends]
    assert found.system.item() == "muller-brown landscape"


@pytest.mark.parametrize("name", ["nothing.sqlite", "notes.txt"])
def test_a_file_that_holds_no_records_is_one_line(name, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("these are my notes")
    assert run(["collect", str(tmp_path / name), "-o", str(tmp_path / "a.nc")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "a.nc").exists()


def test_a_file_to_collect_is_not_written_over(tmp_path, capsys):
    with Store(tmp_path / "a.sqlite") as store:
        store.put(RECORDS[0])
    path = str(tmp_path / "a.sqlite")
    assert run(["collect", path, "-o", path]) == 2
    assert "expected a new file" in capsys.readouterr().err


def stored(path, records):
    with Store(path) as store:
        for record in records:
            store.put(record)
    return path


def opened(path):
    with xarray.open_dataset(path) as found:
        return found.load()


def test_runs_without_a_gap_or_a_saddle_can_be_opened_again(tmp_path):
    """NetCDF has no dimension of length 0: there is one place, and nothing in it."""
    arrays = {"gaps": np.empty(0), "saddle_ends": np.empty((0, 2)), "saddle_energy": np.empty(0)}
    path = stored(
        tmp_path / "a.sqlite",
        [Record("discs", {"activation": ""}, (0,), "jammed", 0.5, {"reason": ""}, {}, arrays)],
    )
    assert run(["collect", str(path), "-o", str(tmp_path / "a.nc")]) == 0
    found = opened(tmp_path / "a.nc")
    assert dict(found.sizes) == {"run": 1, "gap": 1, "saddle": 1, "end": 2}
    assert np.isnan(found.gaps).all()
    assert np.isnan(found.saddle_ends).all()
    assert found.reason.item() == ""


VALUES = (
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_infinity=False)
    | st.sampled_from(["", "relü", "a,b", 'say "so"', "two\nlines"])
)  # fmt: skip
ARRAYS = st.integers(0, 3).map(lambda n: {"gaps": np.linspace(0.1, 0.3, n)})
MADE = st.lists(
    st.tuples(st.dictionaries(st.sampled_from("pqr"), VALUES), ARRAYS), min_size=1, max_size=3
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MADE)
def test_whatever_was_measured_is_read_back_by_xarray_and_pandas(tmp_path, made):
    records = [
        Record("made", {"n": 1}, (seed,), "done", 0.5, data, {}, arrays)
        for seed, (data, arrays) in enumerate(made)
    ]
    for name in ("a.nc", "a.csv", "a.parquet"):
        write(records, tmp_path / name)
    expected = table(records)
    assert opened(tmp_path / "a.nc").key.values.tolist() == [record.key for record in records]
    again = pandas.read_parquet(tmp_path / "a.parquet")
    pandas.testing.assert_frame_equal(again, expected, check_dtype=False)
    assert pandas.read_csv(tmp_path / "a.csv").shape == expected.shape


@pytest.mark.parametrize(
    ("name", "reads"),
    [
        ("all.csv", pandas.read_csv),
        ("all.parquet", pandas.read_parquet),
        ("ALL.CSV", pandas.read_csv),
    ],
)
def test_a_table_is_written_where_the_name_says_so(name, reads, tmp_path, capsys):
    path = stored(tmp_path / "a.sqlite", RECORDS)
    assert run(["collect", str(path), "-o", str(tmp_path / name)]) == 0
    assert f"3 records of 1 files in {tmp_path / name}: row 3" in capsys.readouterr().out
    found = reads(tmp_path / name)
    assert found.key.tolist() == [record.key for record in RECORDS]
    assert found.energy.tolist()[:2] == [1e-300, 0.1 + 0.2]
    assert found.seed.tolist() == [0, 1, 2**40]
    assert found.activation.tolist()[2] == "relü"
    assert "gaps" not in found


@pytest.mark.parametrize("name", ["all.txt", "all", "all.xlsx", "nowhere/all.csv", "folder.csv"])
def test_another_ending_or_place_is_refused_before_anything_is_read(name, tmp_path, capsys):
    (tmp_path / "folder.csv").mkdir()
    assert run(["collect", "nothing.sqlite", "-o", str(tmp_path / name)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("jamscape: expected a file to write")
    assert said.count("\n") == 1
    assert "nothing.sqlite" not in said


def test_what_is_not_installed_is_named_before_anything_is_read(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("bridge.report.dataset.find_spec", lambda name: None)
    assert run(["collect", "nothing.sqlite", "-o", str(tmp_path / "a.parquet")]) == 2
    assert "expected pyarrow to write .parquet, got none: pip install" in capsys.readouterr().err


def test_an_array_that_is_no_number_is_refused(tmp_path, capsys):
    broken = Record("a", {}, (0,), "done", 0.5, {}, {}, {"gaps": np.array(["x"])})
    path = stored(tmp_path / "a.sqlite", [broken])
    assert run(["collect", str(path), "-o", str(tmp_path / "a.nc")]) == 2
    assert "expected arrays of numbers of one kind for gaps" in capsys.readouterr().err


def test_arrays_of_an_experiment_have_dimensions_of_their_own():
    arrays = {
        "forces": np.ones(2),
        "tried": np.ones((3, 2)),
        "x": np.zeros(9),
        "step_loads": np.ones(4),
    }
    found = dataset([Record("made", {}, (0,), "done", 0.5, {"forces": 2.0}, {}, arrays)])
    assert found.forces.dims == ("run",)
    assert found.forces_0_forces.dims == ("run", "forces_0")
    assert found.tried.dims == ("run", "tried_0", "tried_1")
    assert found.step_loads.dims == ("run", "step")
    assert "x" not in found

"""Records and landscapes in one labelled data set: written, read back, and compared."""

import json

import numpy as np
import pytest

from bridge.cli import run
from bridge.collect import dataset
from bridge.landscape_run import run_landscape
from bridge.landscape_systems import MullerBrownLandscape
from bridge.store import Record, Store

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

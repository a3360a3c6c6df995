"""Whatever a command stores is taken by `collect` and by `report`, and read back by others."""

import numpy as np
import pandas
import pytest

from bridge.cli.main import run
from bridge.records.store import Record, Store
from bridge.runs.kinds.compare import states
from bridge.runs.task import run_all

from lecture import PLAN, content_of
from readers import strict

xarray = pytest.importorskip("xarray")

GRID = """
[[runs]]
system = "discs"
n = 12
[[runs]]
command = "landscape"
system = "lj"
n = 5
searches = 5
"""
COMMANDS = {
    "ensemble": ["ensemble", "grid.toml", "--workers", "1", "--out"],
    "transition": [
        "transition", "network", "--depth", "1", "--width", "3", "--activation", "tanh",
        "--steps", "100", "--low", "1", "--high", "8", "--step", "7", "--samples", "2",
        "--workers", "1", "--out",
    ],
    "avalanche": ["avalanche", "discs", "--n", "16", "--load-steps", "4", "--workers", "1",
        "--out"],
    "landscape": ["landscape", "lj", "--n", "6", "--searches", "5", "--out"],
}  # fmt: skip


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Return a store of each command; whole ones of `compare` and `claims` take too long."""
    folder = tmp_path_factory.mktemp("stores")
    (folder / "grid.toml").write_text(GRID)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, command in COMMANDS.items():
            assert run([*command, f"{name}.sqlite"]) in (0, 3)
    with Store(folder / "compare.sqlite") as kept:
        run_all(states(PLAN[:1], 1, 5), kept, progress=lambda done, total: None)
    with Store(folder / "claims.sqlite") as kept:
        for seed in range(3):
            data = {"load": float(seed), "fraction": float("nan"), "word": "relu"}
            arrays = {"tried": np.ones((seed, 2)), "gaps": np.empty(0)}
            given = {"n": 4, "loads": [1.0, 2.0]}
            kept.put(Record("threshold", given, (0, seed), "done", 1.0, data, {}, arrays))
    return folder


EVERY = [*COMMANDS, "compare", "claims"]


@pytest.mark.parametrize("name", EVERY)
def test_every_store_is_collected_in_every_format(name, stores, tmp_path):
    path, found = str(stores / f"{name}.sqlite"), {}
    for out, reads in (
        ("a.nc", lambda file: xarray.open_dataset(file).load()),
        ("a.csv", pandas.read_csv),
        ("a.parquet", pandas.read_parquet),
    ):
        assert run(["collect", path, "-o", str(tmp_path / out)]) == 0
        found[out] = reads(tmp_path / out)
    keys = found["a.nc"].key.values.tolist()
    assert keys == found["a.csv"].key.tolist() == found["a.parquet"].key.tolist()
    assert len(keys) > 0
    found["a.nc"].close()


@pytest.mark.parametrize("name", EVERY)
def test_every_store_makes_a_page(name, stores, tmp_path):
    page = tmp_path / "page.html"
    assert run(["report", str(stores / f"{name}.sqlite"), "-o", str(page)]) == 0
    content = content_of(page)
    assert sum(len(content[part]) for part in ("systems", "landscapes", "tables")) > 0


def test_all_stores_make_one_page(stores, tmp_path):
    page = tmp_path / "page.html"
    files = [str(stores / f"{name}.sqlite") for name in EVERY]
    assert run(["report", *files, "-o", str(page)]) == 0
    content = content_of(page)
    names = [system["name"] for system in content["systems"]]
    assert len(names) == len(set(names)) == 4
    assert [table["name"] for table in content["tables"]] == ["lj landscape", "threshold"]


def test_networks_of_a_transition_stand_at_their_load(stores, tmp_path):
    with Store(stores / "transition.sqlite", read_only=True) as kept:
        records = {(r.data["load"], r.data["sample"]): r for r in kept.records()}
    run(["report", str(stores / "transition.sqlite"), "-o", str(tmp_path / "a.html")])
    (system,) = content_of(tmp_path / "a.html")["systems"]
    assert (system["name"], system["load"]) == ("network", "P/N")
    assert len(system["runs"]) == len(records)
    for one, (place, record) in zip(system["runs"], sorted(records.items()), strict=True):
        assert one["load"] == pytest.approx(place[0])
        assert one["status"] == record.status
        ratio = record.data["n_constraints"] / record.data["n"]
        assert one["ratio"] == pytest.approx(ratio, rel=1e-3)


def test_a_loading_is_drawn_as_the_minima_that_it_passed(stores, tmp_path):
    with Store(stores / "avalanche.sqlite", read_only=True) as kept:
        (record,) = kept.records()
    run(["report", str(stores / "avalanche.sqlite"), "-o", str(tmp_path / "a.html")])
    (system,) = content_of(tmp_path / "a.html")["systems"]
    assert system["load_words"] == "load added t"
    loads = [one["load"] for one in system["runs"]]
    assert loads == pytest.approx(record.arrays["step_loads"].tolist())
    ratios = record.arrays["step_n_constraints"] / record.data["n"]
    assert [one["ratio"] for one in system["runs"]] == pytest.approx(ratios, rel=1e-3)
    sums = record.arrays["step_overlap_per_variable"] * record.data["n_dof"]
    pressures = {k: one["pressure"] for k, one in enumerate(system["runs"]) if "pressure" in one}
    assert pressures
    for k, pressure in pressures.items():
        assert pressure == pytest.approx(sums[k] / record.data["n"], rel=1e-2)


def test_other_runs_are_a_table_of_means(stores, tmp_path):
    run(["report", str(stores / "claims.sqlite"), "-o", str(tmp_path / "a.html")])
    (table,) = content_of(tmp_path / "a.html")["tables"]
    assert table["heads"] == ["runs", "status", "load"]
    assert table["rows"] == [["3", "3 done", "1"]]
    assert table["parameters"] == {"n": "4", "loads": "[1.0, 2.0]"}


def test_tables_of_a_landscape_are_read_by_pandas(stores, tmp_path):
    path = stores / "landscape.sqlite"
    assert run(["landscape", "show", str(path), "--out", str(tmp_path)]) == 0
    found = strict(tmp_path / "summary.json")
    minima = pandas.read_csv(tmp_path / "minima.csv")
    saddles = pandas.read_csv(tmp_path / "saddles.csv")
    assert (len(minima), len(saddles)) == (found["n_minima"], found["n_saddles"])
    assert minima.energy.min() == found["lowest"]
    assert saddles.energy.dtype == saddles.lowest.dtype == float
    for path in tmp_path.glob("*.csv"):
        assert len(pandas.read_csv(path)) > 0


def test_what_jam_writes_is_read_by_numpy_and_json(tmp_path):
    assert run(["jam", "discs", "--n", "12", "--spectrum", "--out", str(tmp_path)]) == 0
    found = strict(tmp_path / "result.json")
    with np.load(tmp_path / "state.npz") as state:
        assert len(state["x"]) == found["n_dof"]
        assert state["eigenvalues"].tolist() == found["hessian"]["eigenvalues"]

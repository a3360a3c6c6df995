"""The lecture page as a file: what it holds, and what it refuses."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from bridge.cli.main import run
from bridge.landscape.disconnectivity import escapes, merge_tree
from bridge.records.store import Record, Store
from bridge.report.comparison import Position
from bridge.report.landscape_folder import read_landscape
from bridge.report.page import AIM, LARGEST, assemble, embedded, fitting, gather
from bridge.report.sources import Sources
from bridge.systems.network_landscape import NetworkLandscape
from particles import Discs

from lecture import PLAN, broken, content_of, make_page, unpacked


def test_the_page_is_one_small_file_that_refers_to_nothing(lecture):
    text = lecture.read_text(encoding="utf-8")
    assert len(text.encode()) < LARGEST
    assert text.startswith("<!doctype html>")
    without_data = text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(
        r"https?://|@import|url\(|<link (?!rel=\"icon\" href=\"data:,\")", without_data
    )
    assert "default-src 'none'" in text.replace("&#x27;", "'")
    for landmark in ("<header ", "<main>", "<footer>", "<h1>", 'role="tablist"', "<noscript>"):
        assert landmark in text


def test_systems_stand_in_the_order_of_a_lecture_with_their_true_loads(lecture):
    systems = content_of(lecture)["systems"]
    assert [system["name"] for system in systems] == [sweep.name for sweep in PLAN]
    assert [system["load"] for system in systems] == ["φ", "φ", "α", "P/N"]
    perceptron = systems[2]
    # What was brought to the transition by its margin has no place on the axis of α.
    assert [run["load"] for run in perceptron["runs"]] == [2.0, 5.0, 8.0]
    for system in systems:
        positions = [run["position"] for run in system["runs"]]
        assert positions == sorted(positions)
        assert positions[0] == -1.0
        assert positions[-1] == 1.0


def test_every_number_is_that_of_the_record(lecture, lecture_store):
    with Store(lecture_store) as kept:
        records = {(r.kind, round(r.data["load"], 4)): r for r in kept.records()}
    for system in content_of(lecture)["systems"]:
        for one in system["runs"]:
            record = records[system["name"], round(one["load"], 4)]
            assert one["status"] == record.status
            assert one["n_constraints"] == record.data["n_constraints"]
            assert one["ratio"] == pytest.approx(record.data["constraints_per_dof"], rel=1e-3)


def test_a_frame_counts_the_violated_constraints_of_its_record(lecture):
    for system in content_of(lecture)["systems"]:
        for frame in system["frames"]:
            shown = system["runs"][frame["run"]]
            gaps = unpacked(frame["gaps"], "<i2")[: frame["counted"]]
            if shown["status"] in ("jammed", "unjammed"):
                assert (gaps > 0).sum() == shown["n_constraints"]
            assert (frame["spectrum"] is not None) == (shown["status"] == "jammed")


def test_bodies_that_the_page_joins_are_as_far_apart_as_their_gap_says(lecture):
    """Rebuilds ``Δ = 1 - r/σ`` of discs from the compact scene, periodic images included."""
    discs = content_of(lecture)["systems"][0]
    for frame in discs["frames"]:
        x, y = (unpacked(frame[name], "<u2") / 65536 for name in "xy")
        i, j = (unpacked(frame[name], "u1") for name in "ij")  # of 24 bodies
        image = unpacked(frame["image"], "u1") if "image" in frame else None
        diameters = np.array(frame["shapes"])[unpacked(frame["shape"], "<u2"), 0]
        dx, dy = x[j] - x[i], y[j] - y[i]
        dx += -np.rint(dx) if image is None else (image >> 4) - 7.0
        dy += -np.rint(dy) if image is None else (image & 15) - 7.0
        expected = 1.0 - 2.0 * np.hypot(dx, dy) / (diameters[i] + diameters[j])
        codes = unpacked(frame["gaps"], "<i2").astype(float)
        gaps = np.sign(codes) * 10 ** ((np.abs(codes) - 1) / 1500 - 12)
        if discs["runs"][frame["run"]]["status"] == "unjammed":
            expected = np.minimum(expected, 0.0)  # what a descent leaves there is touching
        assert np.allclose(gaps, expected, rtol=2e-3, atol=3e-4)


def test_a_run_that_was_decided_is_drawn_before_one_that_was_not(undecided):
    (system,) = content_of(undecided)["systems"]
    assert [one["status"] for one in system["runs"]] == ["stalled", "dead", "stalled", "jammed"]
    drawn = [system["runs"][frame["run"]]["status"] for frame in system["frames"]]
    assert drawn == ["stalled", "jammed"]
    assert all(frame["spectrum"] is None for frame in system["frames"])


def test_positions_are_even_on_both_sides_of_the_transition():
    place = Position(0.8, 0.84, 0.9)
    assert [round(place(load), 12) for load in (0.8, 0.82, 0.84, 0.87, 0.9)] == [
        -1,
        -0.5,
        0,
        0.5,
        1,
    ]
    assert [Position(1.0, None, 3.0)(load) for load in (1.0, 2.0, 3.0)] == [-1.0, 0.0, 1.0]
    assert Position(1.0, None, 1.0)(1.0) == 0.0


def test_a_minimum_climbs_to_where_it_meets_a_lower_one():
    # 0 -(5)- 1 -(3)- 2, and 3 alone: from 2 the way to 0 leads over the saddle at 5.
    tree = merge_tree([0.0, 1.0, 2.0, 9.0], [5.0, 3.0], [(0, 1), (1, 2)])
    target, height = escapes(tree)
    assert target.tolist() == [-1, 0, 1, -1]
    assert height.tolist() == [np.inf, 5.0, 3.0, np.inf]


def test_minima_of_a_cluster_have_the_places_of_their_atoms(tmp_path):
    """All distances between atoms are those of the minima of the file."""
    path = tmp_path / "lj.sqlite"
    assert run(["landscape", "lj", "--n", "6", "--searches", "4", "--out", str(path)]) == 0
    (shown,) = content_of(make_page(tmp_path / "lj.html", path))["landscapes"]
    found = shown["pictures"]
    assert (found["kind"], found["size"], found["labels"]) == ("atoms", 18, None)
    numbers = unpacked(found["numbers"], "i1").reshape(-1, 6, 3) * found["unit"]
    points = read_landscape(path).graph.minima
    assert sorted(found["of"]) == list(range(len(points)))
    for place, point in zip(found["of"], points, strict=True):
        expected = pdist(point.x.reshape(6, 3))
        np.testing.assert_allclose(pdist(numbers[place]), expected, atol=3 * found["unit"])


def test_what_a_network_says_is_its_output(monkeypatch, tmp_path):
    """``y f`` is the margin less the gap; where there is no room only the lowest has a picture."""
    rng = np.random.default_rng(0)
    pictured = NetworkLandscape(width=2, input_dim=2).pictured(rng)
    network = NetworkLandscape(width=2, input_dim=2)._network(np.random.default_rng(0))
    x = network.mlp.init(rng)
    outputs = pictured.numbers(x)
    violated = outputs * pictured.labels < 1.0
    assert pictured.kind == "outputs"
    assert violated.sum() == (network.gaps(x) > 0).sum()
    np.testing.assert_array_equal(violated, network.gaps(x) > 0)
    monkeypatch.setattr("bridge.report.landscapes._PICTURES", 1)
    path = tmp_path / "lj.sqlite"
    assert run(["landscape", "lj", "--n", "6", "--searches", "4", "--out", str(path)]) == 0
    (shown,) = content_of(make_page(tmp_path / "lj.html", path))["landscapes"]
    energies = shown["observables"]["energy"]
    assert shown["pictures"]["of"] == [0 if e == min(energies) else -1 for e in energies]


def test_strings_from_a_file_cannot_leave_their_element(lecture_surface, lecture_folder):
    bad = "</script><script>alert(1)</script><!-- & \u2028 '\""
    text = embedded({"name": bad})
    assert json.loads(text) == {"name": bad}
    assert not set("<>&\u2028") & set(text)
    path = lecture_folder / "bad.sqlite"
    shutil.copy(lecture_surface, path)
    broken(path, "UPDATE about SET value = ? WHERE name = 'system'", json.dumps(bad))
    page = make_page(lecture_folder / "bad.html", path)
    assert "alert(1)</script>" not in page.read_text(encoding="utf-8")
    assert content_of(page)["landscapes"][0]["name"] == bad


def test_a_store_without_states_still_gives_its_curve(lecture_store, lecture_folder):
    path = lecture_folder / "numbers.sqlite"
    shutil.copy(lecture_store, path)
    broken(path, "DELETE FROM arrays")
    page = make_page(lecture_folder / "numbers.html", path)
    found = content_of(page)
    assert found["landscapes"] == []
    for system, sweep in zip(found["systems"], PLAN, strict=True):
        assert len(system["frames"]) >= len(sweep.loads)
        assert all(frame.keys() == {"run"} for frame in system["frames"])


WRONG = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("not a database, and longer than a header of SQLite" * 9),
    "no records": lambda path: broken(path, "DELETE FROM records"),
    "other table": lambda path: broken(path, "DROP TABLE arrays"),
    "no JSON": lambda path: broken(path, "UPDATE records SET data = '{'"),
    "other JSON": lambda path: broken(path, "UPDATE records SET data = '[]'"),
    "other numbers": lambda path: broken(
        path, "UPDATE records SET data = json_set(data, '$.load', 'x')"
    ),
    "array cut off": lambda path: broken(path, "UPDATE arrays SET npy = substr(npy, 1, 100)"),
    "no array": lambda path: broken(path, "UPDATE arrays SET npy = 'x'"),
    "arrays left out": lambda path: broken(path, "DELETE FROM arrays WHERE name = 'box'"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_file_is_one_line_and_leaves_nothing(what, lecture_store, tmp_path, capsys):
    path, out = tmp_path / "wrong.sqlite", tmp_path / "page.html"
    shutil.copy(lecture_store, path)
    WRONG[what](path)
    assert run(["report", str(path), "-o", str(out)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert shown.err.startswith("jamscape: expected")
    assert set(tmp_path.iterdir()) <= {path}


def test_the_page_never_replaces_what_it_is_made_of(lecture_store, tmp_path, capsys):
    path = tmp_path / "only.sqlite"
    shutil.copy(lecture_store, path)
    for out in (path, tmp_path):
        assert run(["report", str(path), "-o", str(out)]) == 2
        assert "name another file" in capsys.readouterr().err
    assert path.read_bytes() == lecture_store.read_bytes()
    assert run(["report", str(path), "-o", str(tmp_path / "no" / "page.html")]) == 2


@pytest.fixture(scope="module")
def crowded():
    """Return how to make records of as many discs as one likes at any loads: none is minimised."""
    rng = np.random.default_rng(0)

    def make(n, loads):
        packing = Discs.bidisperse(n, phi=0.84)
        x = packing.random_state(rng)
        scene = packing.scene(x)
        arrays = {**scene, "x": x, "gaps": packing.gaps(x), "held": np.ones(n, dtype=bool)}
        counts = {"n": 2 * n, "n_constraints": n, "energy": 1.0, "n_dof": 2 * n, "pressure": 1e-3}
        about = {"load_name": "phi", "at_transition": False, "reason": "", "sample": 0}
        data = counts | about | {"constraints_per_dof": 0.5, "negative_modes_hp": None}
        return [
            Record(f"discs {n}", {"n": n}, (k,), "jammed", 0.0, data | {"load": load}, {}, arrays)
            for k, load in enumerate(loads)
        ]

    return make


@pytest.mark.parametrize(
    ("sizes", "loads", "least"), [((64,), 24, 24), ((1024, 1024), 24, 4), ((60_000,), 2, 0)]
)
def test_large_systems_show_fewer_states_and_the_page_stays_small(crowded, sizes, loads, least):
    """As many as fit in half a megabyte, or eight; the curves alone of what is too large."""
    records = [
        replace(record, kind=f"{record.kind}, {k}")
        for k, n in enumerate(sizes)
        for record in crowded(n, np.linspace(0.8, 0.9, loads).round(4).tolist())
    ]
    page = fitting(gather(Sources(records, [])))
    content = json.loads(re.search(rb'id="content">(.*?)</script>', page, re.DOTALL)[1])
    assert len(page) <= LARGEST
    for system in content["systems"]:
        drawn = [frame for frame in system["frames"] if "gaps" in frame]
        assert len(system["runs"]) == loads
        assert len(drawn) >= least
        assert len(page) <= AIM or len(drawn) <= 8
        if drawn:
            assert drawn[-1]["run"] == loads - 1


def test_a_page_that_would_be_too_large_is_refused(lecture_store, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("bridge.report.page.LARGEST", len(assemble({})))
    assert run(["report", str(lecture_store), "-o", str(tmp_path / "page.html")]) == 2
    assert "give fewer files" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())

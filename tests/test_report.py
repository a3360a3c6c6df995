"""The lecture page: what it holds, and that it moves in a real browser without asking for anything.

The tests in a browser need the package playwright and a Chromium of the system.
"""

import json
import os
import re
import shutil
import sqlite3
from base64 import b64decode

import numpy as np
import pytest

from bridge import compare
from bridge.cli import run
from bridge.landscape.disconnectivity import merge_tree
from bridge.report.comparison import Position
from bridge.report.landscapes import escapes
from bridge.report.page import LARGEST, assemble, embedded
from bridge.runs import run_all
from bridge.store import Record, Store, read_records
from bridge.systems import DiscSystem, EllipseSystem, NetworkSystem, PerceptronSystem

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
PLAN = [
    compare.Sweep("discs", DiscSystem(n=24, pressure=1e-4), (0.7, 0.8, 0.95), at_transition=True),
    compare.Sweep("ellipses", EllipseSystem(n=12), (0.7, 1.0), at_transition=False),
    compare.Sweep("perceptron", PerceptronSystem(n=20), (2.0, 5.0, 8.0), at_transition=True),
    compare.Sweep("network", NetworkSystem(width=5, steps=400), (0.5, 6.0), at_transition=False),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def store(folder):
    path = folder / "compare.sqlite"
    with Store(path) as kept:
        run_all(compare.runs(PLAN, samples=1, seed=5), kept, progress=lambda done, total: None)
    return path


@pytest.fixture(scope="module")
def surface(folder):
    path = folder / "surface.sqlite"
    assert run(["landscape", "muller-brown", "--searches", "20", "--out", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def lecture(folder, store, surface):
    path = folder / "lecture.html"
    assert run(["report", str(store), str(surface), "-o", str(path)]) == 0
    return path


def content_of(page):
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="content">(.*?)</script>', text, re.DOTALL)[1])


def unpacked(text, dtype):
    return np.frombuffer(b64decode(text), dtype)


def test_the_page_is_one_small_file_that_refers_to_nothing(lecture):
    text = lecture.read_text(encoding="utf-8")
    assert len(text.encode()) < LARGEST
    assert text.startswith("<!doctype html>")
    without_data = text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(
        r"https?://|@import|url\(|<link (?!rel=\"icon\" href=\"data:,\")", without_data
    )
    assert "default-src 'none'" in text.replace("&#x27;", "'")
    for landmark in ("<header>", "<main>", "<footer>", "<h1>", 'role="tablist"', "<noscript>"):
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


def test_every_number_is_that_of_the_record(lecture, store):
    records = {(r.kind, round(r.data["load"], 4)): r for r in read_records(store)}
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
        i, j = (unpacked(frame[name], "<u2") for name in "ij")
        image = unpacked(frame["image"], "u1")
        diameters = np.array(frame["shapes"])[unpacked(frame["shape"], "<u2"), 0]
        dx, dy = x[j] - x[i] + (image >> 4) - 7.0, y[j] - y[i] + (image & 15) - 7.0
        expected = 1.0 - 2.0 * np.hypot(dx, dy) / (diameters[i] + diameters[j])
        codes = unpacked(frame["gaps"], "<i2").astype(float)
        gaps = np.sign(codes) * 10 ** ((np.abs(codes) - 1) / 1500 - 12)
        if discs["runs"][frame["run"]]["status"] == "unjammed":
            expected = np.minimum(expected, 0.0)  # what a descent leaves there is touching
        assert np.allclose(gaps, expected, rtol=2e-3, atol=3e-4)


def test_a_run_that_stalled_or_died_is_never_drawn_as_jammed(folder):
    counts = {"n": 9, "n_dof": 9, "n_frozen": 0, "n_constraints": 5, "n_kinks": 0}
    counts |= {"energy": 1.0, "pressure": 0.1, "constraints_per_dof": 0.6}
    about = {"load_name": "P/N", "at_transition": False, "reason": ""}
    data = counts | about | {"negative_modes_hp": None, "bound_holds": None}
    path = folder / "undecided.sqlite"
    state = {"x": np.zeros(9), "gaps": np.array([-1.0, 0.5])}
    with Store(path) as kept:
        for k, status in enumerate(["stalled", "dead", "jammed", "stalled"]):
            load = {"load": 1.0 + k // 2, "sample": k % 2, "status": status}
            kept.put(
                Record(
                    "network", {"width": 3, "at_load": k}, (k,), status, 0.0, data | load, {}, state
                )
            )
    assert run(["report", str(path), "-o", str(folder / "undecided.html")]) == 0
    (system,) = content_of(folder / "undecided.html")["systems"]
    assert [one["status"] for one in system["runs"]] == ["stalled", "dead", "jammed", "stalled"]
    assert [system["runs"][frame["run"]]["status"] for frame in system["frames"]] == [
        "stalled",
        "jammed",
    ]
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
    roots = merge_tree([0.0, 1.0, 2.0, 9.0], [5.0, 3.0], [(0, 1), (1, 2)])
    assert escapes(roots, 4) == [None, 4.0, 1.0, None]


def test_strings_from_a_file_cannot_leave_their_element(surface, folder):
    bad = "</script><script>alert(1)</script><!-- & \u2028 '\""
    text = embedded({"name": bad})
    assert json.loads(text) == {"name": bad}
    assert not set("<>&\u2028") & set(text)
    path = folder / "bad.sqlite"
    shutil.copy(surface, path)
    with sqlite3.connect(path) as file:
        file.execute("UPDATE about SET value = ? WHERE name = 'system'", (json.dumps(bad),))
    file.close()
    assert run(["report", str(path), "-o", str(folder / "bad.html")]) == 0
    assert "alert(1)</script>" not in (folder / "bad.html").read_text(encoding="utf-8")
    assert content_of(folder / "bad.html")["landscapes"][0]["name"] == bad


def test_a_store_without_states_still_gives_its_curve(store, folder):
    path = folder / "numbers.sqlite"
    shutil.copy(store, path)
    with sqlite3.connect(path) as file:
        file.execute("DELETE FROM arrays")
    file.close()
    assert run(["report", str(path), "-o", str(folder / "numbers.html")]) == 0
    found = content_of(folder / "numbers.html")
    assert found["landscapes"] == []
    assert all(system["frames"] == [] and system["runs"] for system in found["systems"])


def broken(path, statement):
    with sqlite3.connect(path) as file:
        file.execute(statement)
    file.close()


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
def test_a_wrong_file_is_one_line_and_leaves_nothing(what, store, tmp_path, capsys):
    path, out = tmp_path / "wrong.sqlite", tmp_path / "page.html"
    shutil.copy(store, path)
    WRONG[what](path)
    assert run(["report", str(path), "-o", str(out)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert shown.err.startswith("jamscape: expected")
    assert set(tmp_path.iterdir()) <= {path}


def test_the_page_never_replaces_what_it_is_made_of(store, tmp_path, capsys):
    path = tmp_path / "only.sqlite"
    shutil.copy(store, path)
    for out in (path, tmp_path):
        assert run(["report", str(path), "-o", str(out)]) == 2
        assert "name another file" in capsys.readouterr().err
    assert path.read_bytes() == store.read_bytes()
    assert run(["report", str(path), "-o", str(tmp_path / "no" / "page.html")]) == 2


def test_a_page_that_would_be_too_large_is_refused(store, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("bridge.report.page.LARGEST", len(assemble({})))
    assert run(["report", str(store), "-o", str(tmp_path / "page.html")]) == 2
    assert "give fewer files" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this system")
    with playwright.sync_playwright() as driver:
        # A browser of the superuser, as in a container, cannot confine itself.
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser):
    """Open pages, and find in the end that they said and asked for nothing."""
    contexts, said, asked = [], [], []

    def open_page(path, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert len(asked) <= 2 * len(contexts)  # the page, and its empty icon


def headings(page):
    """Return what stands at the head of each column that is shown."""
    heads = page.locator(".system")
    return [text for text in heads.all_inner_texts() if text]


def test_the_slider_moves_every_system(visit, lecture):
    page = visit(lecture)
    slider = page.locator("#load")
    slider.fill("-100")
    low, drawn = headings(page), page.locator("figure").first.inner_html()
    slider.fill("100")
    high = headings(page)
    assert len(low) == len(high) == 4
    assert all(before != after for before, after in zip(low, high, strict=True))
    assert "unjammed" in low[0]
    assert "0.7000" in low[0]
    assert "● jammed" in high[0]
    assert "0.9500" in high[0]
    assert page.locator("figure").first.inner_html() != drawn
    assert "highest load" in page.locator("#position").inner_text()
    assert "discs jammed at φ = 0.9500" in slider.get_attribute("aria-valuetext")


def test_the_keyboard_steps_from_state_to_state(visit, lecture):
    page = visit(lecture)
    page.focus("#load")
    page.keyboard.press("Home")
    seen = [headings(page)]
    for _ in range(30):
        page.keyboard.press("ArrowRight")
        if headings(page) == seen[-1]:
            break
        seen.append(headings(page))
    positions = {r["position"] for s in content_of(lecture)["systems"] for r in s["runs"]}
    assert len(positions) // 2 <= len(seen) <= len(positions)
    for expected in reversed(seen[:-1]):
        page.keyboard.press("ArrowLeft")
        assert headings(page) == expected
    page.keyboard.press("End")
    assert headings(page) == seen[-1]


def test_a_selected_force_shows_its_bodies_and_their_gaps(visit, lecture):
    page = visit(lecture)
    page.locator("#load").fill("100")
    histogram = page.locator("figure svg[role=group]").first
    histogram.focus()
    page.keyboard.press("ArrowRight")
    assert re.search(r"selected: [1-9]\d* pairs of \d+ bodies", page.inner_text("#systems"))
    assert len(page.locator(".picked-bodies").first.get_attribute("d")) > 100
    page.keyboard.press("Escape")
    assert "selected" not in page.inner_text("#systems")
    page.locator("figure svg").first.hover()
    assert "this body" in page.inner_text("#systems")


def test_play_goes_to_the_end(visit, lecture):
    page = visit(lecture)
    page.locator("#load").fill("60")
    page.click("#play")
    page.wait_for_selector("#play[aria-label='Pause']")
    page.wait_for_selector("#play[aria-label='Play the transition']")
    assert page.locator("#load").input_value() == "100"


def test_a_minimum_shows_its_observables(visit, lecture, surface):
    page = visit(lecture)
    page.focus("#tab-transition")
    page.keyboard.press("ArrowRight")
    assert page.locator("#transition").is_hidden()
    table = page.locator("#landscape table")
    for energy in ("−146.69952", "−108.16672", "−80.767818"):  # Müller and Brown's
        assert energy in at_each_minimum(page, table)
    page.locator(".graph").focus()
    for key, number in (("Home", 1), ("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2)):
        page.keyboard.press(key)
        assert f"Minimum {number} of 3" in table.inner_text()
    assert "barrier to a lower minimum" in table.inner_text()


def at_each_minimum(page, table):
    """Return what the table says while the pointer is at each minimum."""
    said = ""
    for dot in page.locator(".leaf").all():
        dot.hover(force=True)
        said += table.inner_text()
    return said


@pytest.mark.parametrize("width", [360, 800, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_every_screen_in_light_and_dark(visit, lecture, width, scheme):
    page = visit(lecture, viewport={"width": width, "height": 700}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper, ink = (
        page.evaluate(f"getComputedStyle(document.body).{name}")
        for name in ("backgroundColor", "color")
    )
    bright = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (paper, ink)]
    assert (bright[0] > bright[1]) == (scheme == "light")


def test_it_prints_both_views(visit, lecture):
    page = visit(lecture)
    page.emulate_media(media="print")
    assert page.locator(".tree svg").is_visible()
    assert page.locator("figure svg").first.is_visible()
    assert page.locator("#play").is_hidden()


def test_one_kind_of_file_is_enough(visit, store, surface, folder):
    for name, file, shown in (("alone", surface, "#landscape"), ("sweep", store, "#transition")):
        path = folder / f"{name}.html"
        assert run(["report", str(file), "-o", str(path)]) == 0
        page = visit(path)
        assert page.locator(shown).is_visible()
        assert page.locator("#tabs").is_hidden()


def test_a_name_from_a_file_is_shown_and_not_run(visit, surface, folder):
    bad = "<img src=x onerror=alert(1)>"
    path = folder / "marked.sqlite"
    shutil.copy(surface, path)
    broken(path, f"UPDATE about SET value = '{json.dumps(bad)}' WHERE name = 'system'")
    assert run(["report", str(path), "-o", str(folder / "marked.html")]) == 0
    page = visit(folder / "marked.html")
    assert bad in page.inner_text("#landscape h2")
    assert page.locator("img").count() == 0


def test_states_that_were_not_kept_leave_the_curve(visit, store, folder):
    path = folder / "curve.sqlite"
    shutil.copy(store, path)
    broken(path, "DELETE FROM arrays")
    assert run(["report", str(path), "-o", str(folder / "curve.html")]) == 0
    page = visit(folder / "curve.html")
    page.locator("#load").fill("100")
    assert page.locator("figure svg").count() == len(PLAN)
    assert "0.9500" in headings(page)[0]

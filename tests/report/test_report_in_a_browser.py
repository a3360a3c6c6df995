"""The lecture page in a real browser: it moves, and says and asks for nothing.

These tests need the package playwright and a Chromium of the system.
"""

import json
import re
import shutil

import pytest

from bridge.cli.main import run

from lecture import PLAN, broken, content_of, make_page


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
    histogram = page.locator("#systems figure svg[role=group]").first
    histogram.focus()
    page.keyboard.press("ArrowRight")
    assert re.search(r"selected: [1-9]\d* pairs of \d+ bodies", page.inner_text("#systems"))
    assert len(page.locator(".picked-bodies").first.get_attribute("d")) > 100
    # What is selected are forces alone: no bar of the margins, left of the break, is marked.
    marked = page.locator("#systems .selectable .picked-mark").first.get_attribute("d")
    break_at = page.evaluate("""() => {
        const bars = document.querySelectorAll("#systems .selectable .satisfied-mark")[0];
        const box = bars.getBBox(); return box.x + box.width;
    }""")
    assert all(float(x) > break_at for x in re.findall(r"M([\d.]+) ", marked))
    page.keyboard.press("Escape")
    assert "selected" not in page.inner_text("#systems")
    page.locator("#systems figure svg").first.hover()
    assert "this body" in page.inner_text("#systems")


def test_a_run_that_stalled_or_died_is_never_drawn_as_jammed(visit, undecided):
    page = visit(undecided)
    marks = {
        status: page.locator(f".point-{status}").get_attribute("d").count("M")
        for status in ("jammed", "dead", "stalled")
    }
    assert marks == {"jammed": 1, "dead": 1, "stalled": 2}
    slider, figures = page.locator("#load"), page.locator("#systems figure")
    slider.fill("-100")
    assert "× stalled" in headings(page)[0]
    assert all("undecided" in one.get_attribute("class") for one in figures.all())
    slider.fill("100")
    assert "● jammed" in headings(page)[0]
    assert not any("undecided" in one.get_attribute("class") for one in figures.all())


def test_play_goes_to_the_end(visit, lecture):
    page = visit(lecture)
    page.locator("#load").fill("60")
    page.click("#play")
    page.wait_for_selector("#play[aria-label='Pause']")
    page.wait_for_selector("#play[aria-label='Play the transition']")
    assert page.locator("#load").input_value() == "100"


def test_a_minimum_shows_its_observables(visit, lecture, lecture_surface):
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


def test_one_kind_of_file_is_enough(visit, lecture_store, lecture_surface, lecture_folder):
    for name, file, shown in (
        ("alone", lecture_surface, "#landscape"),
        ("sweep", lecture_store, "#transition"),
    ):
        path = lecture_folder / f"{name}.html"
        page = visit(make_page(path, file))
        assert page.locator(shown).is_visible()
        tabs = [tab.inner_text() for tab in page.locator("[role=tab]").all() if tab.is_visible()]
        expected = {"alone": ["Landscape"], "sweep": ["Transition", "All on one axis"]}
        assert tabs == [*expected[name], "Try it"]


def test_a_name_from_a_file_is_shown_and_not_run(visit, lecture_surface, lecture_folder):
    bad = "<img src=x onerror=alert(1)>"
    path = lecture_folder / "marked.sqlite"
    shutil.copy(lecture_surface, path)
    broken(path, "UPDATE about SET value = ? WHERE name = 'system'", json.dumps(bad))
    page = visit(make_page(lecture_folder / "marked.html", path))
    assert bad in page.inner_text("#landscape h2")
    assert page.locator("img").count() == 0


def test_states_that_were_not_kept_leave_the_curve(visit, lecture_store, lecture_folder):
    path = lecture_folder / "curve.sqlite"
    shutil.copy(lecture_store, path)
    broken(path, "DELETE FROM arrays")
    page = visit(make_page(lecture_folder / "curve.html", path))
    page.locator("#load").fill("100")
    assert page.locator("#systems figure svg").count() == len(PLAN)
    assert "0.9500" in headings(page)[0]


@pytest.fixture(scope="module")
def solids(tmp_path_factory):
    folder = tmp_path_factory.mktemp("solids")
    small = ["--n", "8", "--pressure", "1e-3", "--out", str(folder / "jam")]
    assert run(["jam", "ellipsoids", *small, "--axes", "1.6", "1", "0.7"]) == 0
    return make_page(folder / "solids.html", folder / "jam" / "jam.sqlite")


def test_a_packing_in_space_turns(visit, solids):
    """By dragging and by keys; from above it is seen along the vertical."""
    page = visit(solids)
    picture = page.locator("#systems svg.turns")
    shown = [picture.inner_html()]
    area = picture.bounding_box()
    page.mouse.move(area["x"] + 100, area["y"] + 100)
    page.mouse.down()
    page.mouse.move(area["x"] + 160, area["y"] + 60)
    page.mouse.up()
    shown.append(picture.inner_html())
    picture.focus()
    for key in ("ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
        shown.append(picture.inner_html())
    assert len(set(shown)) == len(shown)
    assert "this body" in page.inner_text("#systems")

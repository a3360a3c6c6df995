"""The page as a lecture: it plays, tours, keeps its state, and can be pushed."""

import re
from itertools import pairwise

import pytest

from lecture import content_of, unpacked


def states(page):
    """Return what stands over each moving system."""
    return page.locator(".moving .status").all_inner_texts()


def at(page):
    return float(page.locator("#motion-load").input_value())


def test_it_opens_with_the_compression_and_the_first_step(visit, played):
    page = visit(played)
    assert page.locator("#motion").is_visible()
    assert len(states(page)) == 5
    assert all("unjammed" in text for text in states(page))
    assert page.inner_text("#step") == "Step 1 of 8"


def test_it_plays_forward_and_back(visit, played):
    page = visit(played)
    page.locator("#motion-load").fill("97")
    before = page.locator(".moving svg").first.inner_html()
    page.click("#motion-play")
    page.wait_for_selector("#motion-load[aria-valuetext='highest load']")
    page.wait_for_selector("#motion-play[aria-label='Play forward']")
    assert page.get_attribute("#motion-play", "aria-label") == "Play forward"
    assert page.locator(".moving svg").first.inner_html() != before
    assert all("jammed at" in text and "unjammed" not in text for text in states(page))
    page.click("#motion-back")
    page.wait_for_selector("#motion-load:not([aria-valuetext='highest load'])")
    assert page.get_attribute("#motion-back", "aria-label") == "Pause"
    page.click("#motion-back")
    stopped = at(page)
    assert page.evaluate("new Promise((done) => requestAnimationFrame(() => done(1)))") == 1
    assert at(page) == stopped


def test_space_plays_and_arrow_keys_step(visit, played):
    page = visit(played)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert at(page) == pytest.approx(-92)
    page.keyboard.press("ArrowLeft")
    assert at(page) == pytest.approx(-96)
    page.keyboard.press("Space")
    page.wait_for_selector("#motion-load:not([aria-valuetext='96 % towards the lowest'])")
    page.keyboard.press("Space")
    assert page.get_attribute("#motion-play", "aria-label") == "Play forward"


def test_bodies_move_between_two_frames(visit, played):
    """A little of the way is a little of the motion, while numbers stay those of a frame."""
    page = visit(played)
    drawn, said = [], []
    for value in ("-60", "-59", "-58"):
        page.locator("#motion-load").fill(value)
        drawn.append(page.locator(".moving svg path.held").first.get_attribute("d"))
        said.append(states(page)[0])
    assert len(set(drawn)) == 3
    assert len(set(said)) == 1


def test_a_body_that_is_clicked_is_followed_through_all_loads(visit, played):
    page = visit(played)
    page.locator("#motion-load").fill("100")
    picture, own = page.locator(".moving svg.clipped").first, page.locator(".moving").first
    assert "Click a body to follow it." in own.inner_text()
    picture.click(position={"x": 80, "y": 80})
    said = re.search(r"body (\d+): [1-9]\d* contacts?, push", own.inner_text())
    assert said is not None
    outline = picture.locator(".picked-bodies").get_attribute("d")
    assert picture.locator(".trail").get_attribute("d").count("L") > 3
    page.locator("#motion-load").fill("-100")
    assert f"body {said[1]}: nothing pushes it" in own.inner_text()
    assert picture.locator(".picked-bodies").get_attribute("d") not in (outline, "M0 0")
    assert f"follow=discs%3A{int(said[1]) - 1}" in page.evaluate("location.hash")
    page.reload()
    assert f"body {said[1]}: nothing pushes it" in page.locator(".moving").first.inner_text()
    page.keyboard.press("Tab")
    picture = page.locator(".moving svg.clipped").first
    picture.focus()
    page.keyboard.press("Escape")
    assert picture.locator(".picked-bodies").get_attribute("d") == "M0 0"


def test_digits_are_drawn_in_the_colour_of_how_they_fare(visit, played):
    page = visit(played)
    column = page.locator(".moving", has_text="digits")
    motion = next(m for m in content_of(played)["motions"] if m["name"] == "digits")
    codes = unpacked(motion["gaps"], "<i2")
    for value, frame in (("-100", 0), ("100", -1)):
        page.locator("#motion-load").fill(value)
        seen = column.locator("canvas").evaluate("""(picture) => {
            const { width, height } = picture, tools = picture.getContext("2d");
            const { data } = tools.getImageData(0, 0, width, height);
            let [warm, cold] = [0, 0];
            for (let k = 0; k < data.length; k += 4) {
                if (data[k + 3] && data[k] - data[k + 2] > 60) warm += 1;
                if (data[k + 3] && data[k + 2] - data[k] > 60) cold += 1;
            }
            return [warm > 0, cold > 0];
        }""")
        count = motion["counts"][frame]
        own = codes[:count] if frame == 0 else codes[-count:]
        assert seen == [bool((own > 0).any()), bool((own <= 0).any())]
    column.locator("canvas").click(position={"x": 12, "y": 12})
    assert re.search(r"pattern 1: Δ = .*; learned \d+ times?, forgotten \d", column.inner_text())
    assert re.search(r"\d+ just learned, \d+ forgotten", column.inner_text())


def test_what_is_jammed_is_shaken_along_its_softest_mode(visit, played):
    moving = """(path) => new Promise((done) => {
        const seen = new Set();
        const look = (turn) => {
            seen.add(path.getAttribute("d"));
            if (turn) requestAnimationFrame(() => look(turn - 1)); else done(seen.size);
        };
        look(4);
    })"""
    for reduced, expected in (("no-preference", range(2, 6)), ("reduce", [1])):
        page = visit(played, reduced_motion=reduced)
        page.locator("#motion-load").fill("100")
        page.locator("#mode").select_option("0")
        discs = page.locator(".moving svg.clipped").first
        assert discs.locator(".held").evaluate(moving) in expected
        assert discs.locator(".arrows").get_attribute("d").count("l") > 3
        page.locator("#mode").select_option("")
        assert discs.locator(".arrows").get_attribute("d") == "M0 0"


def test_the_address_keeps_the_state(visit, played):
    page = visit(played)
    page.locator("#motion-load").fill("40")
    page.click("#next")
    page.click("#next")
    address = page.evaluate("location.hash")
    assert "step=3" in address
    page.locator("#motion-load").fill("40")
    address = page.evaluate("location.hash")
    expected = states(page)
    page.reload()
    assert at(page) == pytest.approx(40)
    assert states(page) == expected
    assert page.inner_text("#step") == "Step 3 of 8"
    page.evaluate("location.hash = 'view=live'")
    page.locator("#live").wait_for(state="visible")
    assert address != page.evaluate("location.hash")


def test_each_of_eight_steps_sets_the_view(visit, played):
    page = visit(played)
    seen = []
    for step in range(1, 9):
        assert page.inner_text("#step") == f"Step {step} of 8"
        text = page.inner_text("#steps")
        assert len(text.split()) > 40
        assert page.locator("#steps li:visible .formula").count() >= 1
        tab = page.locator("[role=tab][aria-selected=true]").inner_text()
        seen.append((tab, page.locator("#motion-load").input_value(), page.inner_text("main")))
        if step < 8:
            page.click("#next")
    assert len(set(seen)) == 8
    assert {tab for tab, *_ in seen} == {"Compression", "All on one axis", "Transition", "Try it"}
    assert page.locator("#next").is_disabled()


def test_all_systems_stand_on_one_axis(visit, played):
    page = visit(played)
    page.click("#tab-overlay")
    names = page.locator("#all .name").all_text_contents()
    assert names == [
        text for text in ("discs", "ellipses", "perceptron", "network") if text in names
    ]
    assert len(names) >= 3
    before = page.locator("#all svg").inner_html()
    page.locator("#relative").select_option("range")
    assert page.locator("#all svg").inner_html() != before


def settled(page):
    """Wait until nothing moves, and return what is said of the packing."""
    page.wait_for_selector("#live [aria-busy=true]", state="detached", timeout=60_000)
    return page.inner_text("#live-packing .reading")


def test_a_packing_that_is_squeezed_pushes_back(visit, played):
    page = visit(played)
    page.click("#tab-live")
    page.locator("#live-n").fill("12")
    page.locator("#live-phi").fill("0.5")
    assert "everything fits" in settled(page)
    page.locator("#live-phi").fill("1")
    assert re.search(r"N\s*Δ\s*/N = [1-9]\d*/22", settled(page))
    assert "it pushes back" in settled(page)


def test_a_body_can_be_dragged_and_moved_by_keys(visit, played):
    page = visit(played)
    page.click("#tab-live")
    picture = page.locator("#live-packing svg")
    area = picture.bounding_box()
    page.mouse.move(area["x"] + 60, area["y"] + 60)
    page.mouse.down()
    page.mouse.move(area["x"] + 150, area["y"] + 120)
    page.mouse.up()
    settled(page)
    before = picture.locator(".picked-bodies").get_attribute("d")
    picture.focus()
    for _ in range(8):
        page.keyboard.press("ArrowUp")
    settled(page)
    assert picture.locator(".picked-bodies").get_attribute("d") != before


def test_patterns_that_are_dragged_apart_cannot_all_be_pleased(visit, played):
    page = visit(played)
    page.click("#tab-live")
    settled(page)
    assert page.inner_text("#live-perceptron .reading").startswith("0 of 5")
    area = page.locator("#live-perceptron svg").bounding_box()

    def place(x, y):
        return area["x"] + area["width"] * (x + 3.2) / 6.4, area["y"] + area["height"] * (
            3.2 - y
        ) / 6.4

    for start, end in (((1.6, 0.9), (-2.5, -2.0)), ((2.1, -0.6), (2.5, -2.5))):
        page.mouse.move(*place(*start))
        page.mouse.down()
        page.mouse.move(*place(*end))
        page.mouse.up()
    settled(page)
    assert int(page.inner_text("#live-perceptron .reading").split()[0]) >= 1


def test_a_phone_says_that_there_is_more_to_the_side(visit, played):
    page = visit(played, viewport={"width": 390, "height": 844})
    assert page.locator("#motion .swipe").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = visit(played, viewport={"width": 1920, "height": 1080})
    assert wide.locator("#motion .swipe").is_hidden()


def test_every_view_is_one_screen_of_a_lecture_hall(visit, played):
    page = visit(played, viewport={"width": 1920, "height": 1080})
    for name in ("motion", "overlay", "live", "transition"):
        page.click(f"#tab-{name}")
        assert page.evaluate("document.documentElement.scrollHeight") <= 1080, name


def test_it_prints_the_whole_tour_and_the_motions(visit, played):
    page = visit(played)
    page.emulate_media(media="print")
    assert page.locator("#steps li:visible").count() == 8
    assert page.locator(".moving svg").first.is_visible()
    assert page.locator("#next").is_hidden()
    assert page.locator("#live").is_hidden()


def test_everything_that_can_be_used_has_a_name_and_a_place_for_the_keyboard(visit, played):
    page = visit(played)
    unnamed = page.evaluate("""[...document.querySelectorAll(
        "button, input, select, svg, [role=region], [role=group]")].filter((part) => !(
        part.getAttribute("aria-label") || part.labels?.length || part.textContent.trim()
    )).map((part) => part.outerHTML)""")
    assert unnamed == []
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((part) => part.id)")
    assert len(ids) == len(set(ids))
    pictures = page.locator("#live svg")
    assert [one.get_attribute("tabindex") for one in pictures.all()] == ["0", "0"]


def test_a_reader_of_the_screen_finds_its_way(visit, played):
    """A language, landmarks around everything, headings that skip no level, and a focus to see."""
    page = visit(played)
    assert page.get_attribute("html", "lang") == "en"
    outside = page.evaluate("""[...document.body.children].map((part) => part.localName)""")
    assert set(outside) <= {"header", "noscript", "aside", "main", "footer", "script"}
    for tab in ("motion", "transition", "overlay", "live"):
        if page.locator(f"#tab-{tab}").is_visible():
            page.click(f"#tab-{tab}")
        levels = page.evaluate("""[...document.querySelectorAll("h1, h2, h3, h4")].filter(
            (part) => part.checkVisibility()).map((part) => Number(part.localName[1]))""")
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
    page, seen = visit(played), set()
    for _ in range(10):
        page.keyboard.press("Tab")
        name, style, width = page.evaluate("""[document.activeElement.outerHTML.slice(0, 60),
            getComputedStyle(document.activeElement).outlineStyle,
            getComputedStyle(document.activeElement).outlineWidth]""")
        seen.add(name)
        assert (style, width) == ("solid", "2px"), name
    assert len(seen) > 7


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(visit, played, scheme):
    """4.5 to 1 against the paper and the card of the tour, as WCAG 2 asks of text."""
    page = visit(played, color_scheme=scheme)
    names = ("ink", "muted", "violated", "satisfied", "pick")
    values = page.evaluate(
        "(names) => names.map((name) => getComputedStyle(document.documentElement)"
        ".getPropertyValue('--' + name).trim())",
        ["paper", "raised", *names],
    )

    def luminance(colour):
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for ground in values[:2]:
        for name, value in zip(names, values[2:], strict=True):
            low, high = sorted((luminance(ground), luminance(value)))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (ground, name)

"""The walls of the house, from the outside: what an import brings with it."""

import csv
import pkgutil
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bridge.cli.main import run
from bridge.records.store import Store

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"


@pytest.fixture(scope="module")
def house():
    return runpy.run_path(str(ROOT / "docs" / "architecture.py"))


def imported_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in shown.stdout.split()}


@pytest.mark.parametrize(
    ("statement", "without"),
    [
        ("import particles", {"torch", "networks", "bridge", "matplotlib", "hypothesis"}),
        (
            "import networks",
            {"numba", "particles", "bridge", "matplotlib", "hypothesis", "sklearn"},
        ),
        ("from bridge import observe, spectrum", {"numba", "torch", "particles", "networks"}),
        (
            "from bridge.cli.main import assemble; assemble([])",
            {"numpy", "scipy", "numba", "torch", "particles", "networks"},
        ),
    ],
)
def test_an_import_brings_no_more_than_it_needs(statement, without):
    assert not imported_by(statement) & without


def test_nothing_changes_the_default_dtype_or_threads():
    code = (
        "import torch; before = torch.get_default_dtype(), torch.get_num_threads();"
        "import networks, bridge;"
        "assert before == (torch.get_default_dtype(), torch.get_num_threads())"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_floors_hold_every_room_once(house):
    rooms = [name for floor in house["floors"]() for name in floor]
    packages = {f"bridge.{path.parent.name}" for path in (ROOT / "bridge").glob("*/__init__.py")}
    assert set(rooms) == packages | {"bridge.protocols", "particles", "networks"}
    assert len(rooms) == len(set(rooms))


def test_the_page_has_the_floors_of_the_import_contract(house):
    rows = re.findall(r"^\| (`.*?`) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    shown = [set(re.findall("`(.*?)`", row)) for row in rows]
    floors = [{name.removeprefix("bridge.") for name in floor} for floor in house["floors"]()]
    assert shown == floors[::-1]


def test_no_import_goes_up_or_across(house):
    levels = {name: level for level, floor in enumerate(house["floors"]()) for name in floor}
    edges = house["imports"]().edges
    assert len(edges) > 40
    assert [(a, b) for a, b in edges if levels[a] <= levels[b]] == []


def test_all_rooms_but_systems_and_claims_are_kept_from_the_halves(house):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (wall,) = (c for c in contracts if "bridge.cli" in c.get("source_modules", ()))
    rooms = {name for floor in house["floors"]() for name in floor}
    knowing = {"bridge.systems", "bridge.claims", "particles", "networks"}
    assert set(wall["source_modules"]) == rooms - knowing
    assert {"particles", "networks"} <= set(wall["forbidden_modules"])
    assert not any("ignore_imports" in contract for contract in contracts)


def test_the_picture_shows_every_room_and_no_label_covers_another(house):
    figure = house["draw"]()
    figure.draw_without_rendering()
    texts = figure.axes[0].texts
    shown = {text.get_text() for text in texts}
    for name in house["ROOMS"]:
        label = name.removeprefix("bridge.")
        assert shown & {f"{label}/", f"{label}.py"}
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    assert all(not a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width for box in boxes)


def test_the_way_of_a_packing_fraction_is_the_one_that_is_drawn(house, tmp_path):
    assert [pkgutil.resolve_name(code) for _, code, _ in house["STEPS"]]
    assert all(house["room"](code.split(":")[0]) == name for name, code, _ in house["STEPS"])
    options = ["--n", "16", "--at-load", "0.86", "--out", str(tmp_path)]
    assert run(["jam", "discs", *options]) == 0
    with Store(tmp_path / "jam.sqlite") as store:
        (record,) = store.records()
    assert record.data["load_name"] == "phi"
    assert record.data["load"] == pytest.approx(0.86, rel=1e-12)
    with (tmp_path / "table.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert float(row["at_load"]) == 0.86

"""The examples and the lessons of the course are executed as a reader would execute them."""

import ast
import json
import runpy
from pathlib import Path

import matplotlib
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "examples"
EXAMPLES = sorted(FOLDER.glob("[0-9]*.py"))
LESSONS = sorted((FOLDER / "course").glob("[0-9]*.py"))


@pytest.fixture(scope="session")
def notebooks(tmp_path_factory):
    """The folder that `make course` opens."""
    folder = tmp_path_factory.mktemp("course")
    runpy.run_path(str(ROOT / "docs" / "notebooks.py"))["write"](folder)
    return folder


def run_notebook(path):
    """Run the cells of a notebook as Jupyter does: it shows what the last line of a cell is."""
    names = {"__name__": "__main__"}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        tree = ast.parse("".join(cell["source"]))
        ends = tree.body and isinstance(tree.body[-1], ast.Expr)
        last = ast.Expression(tree.body.pop().value) if ends else ast.parse("None", mode="eval")
        exec(compile(tree, path.name, "exec"), names)
        shown = eval(compile(last, path.name, "eval"), names)
        assert shown is None or isinstance(shown, Figure), f"a text above a figure: {shown!r}"


@pytest.mark.parametrize("path", EXAMPLES + LESSONS, ids=lambda path: path.stem)
def test_example_runs(path, notebooks, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    if path in LESSONS:
        run_notebook(notebooks / f"{path.stem}.ipynb")
    else:
        runpy.run_path(str(path), run_name="__main__")
    said = capsys.readouterr().out
    assert said
    for line in said.splitlines():  # what is fitted counts no constraint
        if "unjammed" in line and "N_Δ/N" in line:
            assert "N_Δ/N =  0.00" in line
    for number in pyplot.get_fignums():
        pyplot.figure(number).savefig(tmp_path / f"{number}.png")
    pyplot.close("all")


def test_there_are_examples():
    assert len(EXAMPLES) >= 3
    assert len(LESSONS) == 8


def test_a_notebook_is_its_lesson_and_is_written_once(notebooks):
    for lesson in LESSONS:
        script = lesson.read_text(encoding="utf-8")
        cells = json.loads((notebooks / f"{lesson.stem}.ipynb").read_text("utf-8"))["cells"]
        assert len(cells) == script.count("# %%")
        assert len([c for c in cells if c["metadata"]]) == script.count('tags=["hide-cell"]') >= 2
        code = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
        assert all(part in script for part in code)
        text = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
        as_comments = ["\n".join(f"# {line}".rstrip() for line in t.splitlines()) for t in text]
        assert all(part in script for part in as_comments)
        assert sum(map(len, code + as_comments)) > 0.9 * len(script)
    mine = notebooks / f"{LESSONS[0].stem}.ipynb"
    before = mine.read_text(encoding="utf-8")
    mine.write_text("mine", encoding="utf-8")
    runpy.run_path(str(ROOT / "docs" / "notebooks.py"))["write"](notebooks)
    assert mine.read_text(encoding="utf-8") == "mine"
    mine.write_text(before, encoding="utf-8")

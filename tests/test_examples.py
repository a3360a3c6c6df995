"""The examples and the lessons of the course are executed as a reader would execute them."""

import ast
import json
import re
import runpy
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "examples"
EXAMPLES = sorted(FOLDER.glob("[0-9]*.py"))
LESSONS = sorted((FOLDER / "course").glob("[0-9]*.py"))

# Sizes at which the lessons are run here; `make docs` runs them as they are.
SMALL = {
    3: {"IMAGES": 60, "STEPS": 300},
    4: {"DISCS": 24, "COMPONENTS": 20, "WIDTH": 4, "STEPS": 300, "POINTS": 3},
    5: {"ATOMS": 6, "CLIMBS": 20, "PATTERNS": 40, "NETWORK_CLIMBS": 3},
    7: {"STEPS": 100},
    8: {"N": 30, "SAMPLES": 3, "UP": np.linspace(0.0, 0.2, 21)},
}
# A likely mistake at each exercise, made of the names of the lesson.
WRONG = {
    1: {
        "check_contacts": lambda lesson: lambda bodies, dim: dim * bodies - dim,  # no self-stress
        "check_missing": lambda lesson: lambda end: 0,
        "check_excess": lambda lesson: lambda contacts, moving: contacts / moving - 2,
    },
    2: {
        "check_capacity": lambda lesson: lambda sigma: 2.0,
        "check_edge": lambda lesson: lambda c, zeta: (1 - np.sqrt(c)) ** 2 + zeta,
    },
    3: {
        "check_right": lambda lesson: lambda gaps: np.mean(gaps < 0),
        "check_rescale": lambda lesson: lambda mlp, x, factor: np.r_[x[:9] * factor, x[9:]],
        "check_trace": lambda lesson: lambda problem, x: np.trace(lesson["hessian"](problem, x)),
    },
    4: {
        "check_outside": lambda lesson: lesson["Outside"],
        "check_satisfied": lambda lesson: lambda problems, seed: len(problems),
    },
    5: {
        "check_downhill": lambda lesson: lambda problem, x: 1,
        "check_pass": lambda lesson: lambda saddles, a, b: min(saddles)[0],
        "check_morse": lambda lesson: len,
    },
    6: {
        "check_contacts": lambda lesson: lambda bodies, dim, angles: bodies * (dim + angles) - dim,
        "check_coordination": lambda lesson: lambda: lesson["doubled"]() | {"ellipses": 4},
    },
    7: {
        "check_broken": lambda lesson: lesson["Towns"],
        "check_loaded": lambda lesson: lesson["Loaded"],
    },
    8: {
        "check_share": lambda lesson: lambda drops: np.max(drops) / np.sum(drops),
        "check_heat": lambda lesson: lambda path: path.energy[-1] - path.energy[0],
    },
}


@pytest.fixture(scope="session")
def notebooks(tmp_path_factory):
    """The folder that `make course` opens."""
    folder = tmp_path_factory.mktemp("course")
    runpy.run_path(str(ROOT / "docs" / "notebooks.py"))["write"](folder)
    return folder


def run_notebook(path, small):
    """Run the cells of a notebook as Jupyter does, with small sizes for those in ``parameters``.

    Jupyter shows what the last line of a cell is.
    """
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
        if "parameters" in cell["metadata"].get("tags", []):
            assert set(small) <= set(names)
            names.update(small)
    return names


@pytest.fixture(autouse=True)
def figures_in_a_folder(tmp_path, monkeypatch):
    """What is drawn is saved, as a reader would look at it, and closed."""
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    yield
    for number in pyplot.get_fignums():
        pyplot.figure(number).savefig(tmp_path / f"{number}.png")
    pyplot.close("all")


def check_what_is_said(said):
    """Expect some output, in which what is fitted counts no constraint."""
    assert said
    for line in said.splitlines():
        if "unjammed" in line and "N_Δ/N" in line:
            assert "N_Δ/N =  0.00" in line


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path, capsys):
    runpy.run_path(str(path), run_name="__main__")
    check_what_is_said(capsys.readouterr().out)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_runs_and_tells_right_answers_from_wrong_ones(path, notebooks, capsys):
    """Each check turns down the empty scaffold and a likely mistake, and takes the solution."""
    number = int(path.stem[0])
    names = run_notebook(notebooks / f"{path.stem}.ipynb", SMALL.get(number, {}))
    said = capsys.readouterr().out
    check_what_is_said(said)
    checks = {name for name in names if name.startswith("check_")} - {"check_problem"}
    assert checks == set(WRONG[number])
    verdicts = [line[:5] for line in said.splitlines() if line.startswith(("not yet", "right"))]
    assert verdicts == ["not y"] * len(checks) + ["right"] * len(checks)
    for check, mistake in WRONG[number].items():
        assert names[check](mistake(names)).startswith("not yet"), check


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_says_what_it_is_for_and_how_long_it_takes(path):
    lines = path.read_text(encoding="utf-8").splitlines()[3:9]
    begin = " ".join(line.removeprefix("# ") for line in lines)
    assert re.match(r"\*Goals: you can .+ \d+ minutes, \d+ of them for the exercises; .+\*", begin)


def test_there_are_examples():
    assert len(EXAMPLES) >= 3
    assert len(LESSONS) == 8


def test_a_notebook_is_its_lesson_and_is_written_once(notebooks):
    for lesson in LESSONS:
        script = lesson.read_text(encoding="utf-8")
        cells = json.loads((notebooks / f"{lesson.stem}.ipynb").read_text("utf-8"))["cells"]
        assert len(cells) == script.count("# %%")
        folded = [c for c in cells if c["metadata"].get("jupyter") == {"source_hidden": True}]
        assert len(folded) == script.count('tags=["hide-cell"]') >= 2
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

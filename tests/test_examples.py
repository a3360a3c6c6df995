"""The examples and the lessons of the course are executed as a reader would execute them."""

import runpy
from pathlib import Path

import matplotlib
import pytest
from matplotlib import pyplot

FOLDER = Path(__file__).parent.parent / "examples"
EXAMPLES = sorted(FOLDER.glob("[0-9]*.py"))
LESSONS = sorted((FOLDER / "course").glob("[0-9]*.py"))


@pytest.mark.parametrize("path", EXAMPLES + LESSONS, ids=lambda path: path.stem)
def test_example_runs(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
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
    assert len(LESSONS) == 5

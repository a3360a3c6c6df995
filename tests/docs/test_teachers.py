"""What the page for teachers shows comes out, and so do the solutions of its problems."""

import doctest
import json
import re
import shlex
from pathlib import Path

import matplotlib
import pytest

from bridge.cli.main import run

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "teachers.md").read_text(encoding="utf-8")
# A row of a table: a command, and then numbers or words to read, with their names.
SHOWN = re.findall(r"\| `jamscape (jam [^`]+)` \| (`\w+` [^|]+?) \|", PAGE)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")


@pytest.mark.parametrize(("command", "expected"), SHOWN, ids=[command for command, _ in SHOWN])
def test_a_line_of_a_lecture_gives_what_the_page_says(command, expected, capsys):
    unwritten = re.sub(r" --out \S+", "", command)  # figures of commands have tests of their own
    assert run([*shlex.split(unwritten), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    said = re.findall(r"`(\w+)` ([\w.]*\w)", expected)
    assert said
    for name, value in said:
        digits = len(value.partition(".")[2])
        shown = found[name] if isinstance(found[name], str) else f"{found[name]:.{digits}f}"
        assert shown == value, name


def test_each_lecture_is_as_long_as_its_title():
    parts = dict(re.findall(r"^## (\w+) minutes(.+?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL))
    minutes = re.compile(r"^\| (\d+) \|", re.MULTILINE)
    spent = {title: sum(map(int, minutes.findall(parts[title]))) for title in ("45", "90")}
    assert spent == {"45": 45, "90": 45}  # the second half of 90


def test_there_are_ten_problems_with_solutions_that_come_out():
    assert len(re.findall(r"^\d+\. \*", PAGE, re.MULTILINE)) == 10
    solutions = DOCS / "problems.md"
    heads = re.findall(r"^## (\d+) ", solutions.read_text(encoding="utf-8"), re.MULTILINE)
    assert heads == [str(number) for number in range(1, 11)]
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    found = doctest.testfile(str(solutions), module_relative=False, optionflags=options)
    assert found.attempted > 50
    assert found.failed == 0

"""Documents for other programs: strict JSON, whatever the numbers are, from every command."""

import ast
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridge
from bridge.cli.main import commands, run
from bridge.records.documents import dumps

from readers import strict

NUMBERS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
DOCUMENTS = st.recursive(
    NUMBERS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def without_infinities(value):
    if isinstance(value, dict):
        return {name: without_infinities(each) for name, each in value.items()}
    if isinstance(value, list):
        return [without_infinities(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@given(DOCUMENTS)
def test_a_document_comes_back_with_null_for_what_is_no_number(document):
    assert strict(dumps(document)) == without_infinities(document)


def test_numbers_and_arrays_of_numpy_are_numbers_and_lists():
    given = {"a": np.float64("nan"), "b": np.int32(3), "c": np.array([[1.0, np.inf]]), "d": (1, 2)}
    assert strict(dumps(given)) == {"a": None, "b": 3, "c": [[1.0, None]], "d": [1, 2]}


def test_what_is_no_document_is_refused():
    with pytest.raises(TypeError):
        dumps({"a": object()})


SMALL = {
    "compare": None,  # in test_compare
    "jam": ["jam", "discs", "--n", "8", "--spectrum"],
    "avalanche": ["avalanche", "perceptron", "--n", "10", "--load-steps", "3", "--workers", "1"],
    "landscape": ["landscape", "lj", "--n", "5", "--searches", "5"],
    "claims": None,  # in test_claims
    "transition": [
        "transition", "network", "--depth", "1", "--width", "3", "--activation", "tanh",
        "--steps", "20", "--samples", "1", "--workers", "1",
    ],
    "doctor": ["doctor"],
    "ensemble": None,  # these four write files, and print no document
    "show": None,
    "collect": None,
    "report": None,
}  # fmt: skip


def test_every_command_is_named_here():
    assert set(SMALL) == set(commands())


@pytest.mark.parametrize("arguments", [found for found in SMALL.values() if found], ids="-".join)
def test_every_command_prints_strict_json(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run([*arguments, "--json"]) in (0, 3)
    assert isinstance(strict(capsys.readouterr().out), dict)


def test_numbers_that_are_none_are_null_on_the_command_line(tmp_path, monkeypatch, capsys):
    """An energy that overflowed, a log-determinant of a flat minimum: any of them may be."""
    from bridge.runs.kinds.jam import JamRun

    normal = JamRun.document
    monkeypatch.setattr(JamRun, "document", lambda records: normal(records) | {"energy": math.nan})
    assert run(["jam", "discs", "--n", "8", "--json", "--out", str(tmp_path)]) == 0
    assert strict(capsys.readouterr().out)["energy"] is None
    assert strict(tmp_path / "result.json")["energy"] is None


def test_json_is_written_in_one_place():
    """The stores keep what Python reads back; all else goes through `bridge.records.documents`."""
    folder = Path(bridge.__file__).parent
    records = folder / "records"
    own = {records / "documents.py", records / "store.py", folder / "landscape" / "store.py"}
    writing = {
        path
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("dumps", "dump")
    }
    assert writing <= own

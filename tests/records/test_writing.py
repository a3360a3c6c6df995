"""What is written is whole and in UTF-8, wherever a command runs."""

import ast
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from bridge.cli.console import escape_what_cannot_be_shown
from bridge.records.writing import replacing, text_file, write_text

ROOT = Path(__file__).parent.parent.parent
SOURCES = [
    *(ROOT / "bridge").rglob("*.py"),
    *(ROOT / "particles").rglob("*.py"),
    *(ROOT / "networks").rglob("*.py"),
    *(ROOT / "examples").rglob("*.py"),
    *(ROOT / "benchmarks").rglob("*.py"),
    *(ROOT / "docs").glob("*.py"),
]


def is_text_without_encoding(call):
    """Tell whether a call opens, reads or runs for text in the encoding of the user's locale."""
    given = {keyword.arg for keyword in call.keywords}
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if "encoding" in given or None in given:
        return False
    if name in {"read_text", "write_text"}:
        return len(call.args) < (1 if name == "read_text" else 2)
    if name == "open":
        modes = [*call.args[isinstance(call.func, ast.Name) :], *(k.value for k in call.keywords)]
        first = modes[0] if modes else ast.Constant("r")
        mode = first.value if isinstance(first, ast.Constant) else "b"
        return isinstance(mode, str) and set(mode) <= set("rwxat+")
    return bool(given & {"text", "universal_newlines"}) and name in {"run", "Popen", "check_output"}


def calls_of(text):
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("path.read_text()", True),
        ("path.read_text(encoding='utf-8')", False),
        ("path.write_text('φ')", True),
        ("open('a', 'w')", True),
        ("open('a')", True),
        ("path.open()", True),
        ("path.open('w', newline='')", True),
        ("path.open('wb')", False),
        ("open('a', 'rb')", False),
        ("hoomd.open(str(path), 'w')", False),
        ("subprocess.run(command, text=True)", True),
        ("subprocess.run(command, encoding='utf-8')", False),
    ],
)
def test_what_counts_as_text_without_encoding(text, wrong):
    assert is_text_without_encoding(calls_of(text)[0]) is wrong


def test_every_text_file_names_its_encoding():
    assert len(SOURCES) > 100
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in SOURCES
        for call in calls_of(path.read_text(encoding="utf-8"))
        if is_text_without_encoding(call)
    ]
    assert found == []


def write_half(path, failure):
    with text_file(path) as file:
        file.write("half")
        raise failure


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, UnicodeError])
def test_what_fails_half_way_leaves_what_was_there(tmp_path, failure):
    path = tmp_path / "claims.json"
    for before in (None, "whole"):
        if before:
            write_text(path, before)
        with pytest.raises(failure):
            write_half(path, failure)
        assert path.exists() is bool(before)
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_only_files_are_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(
            OSError, match=f"expected the name of a file, got a folder or a device, {path}"
        ):
            write_text(path, "φ")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_text(tmp_path / "link", "φ")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == "φ".encode()
    with replacing(tmp_path / "real") as part:
        part.write_bytes(b"1")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["link", "pipe", "real"]


def test_a_name_that_is_no_text_is_escaped(tmp_path):
    name = os.fsdecode(b"gr\xf6\xdfe.csv")
    document = {"data": name, "load": "φ"}
    write_text(tmp_path / "a.json", json.dumps(document, ensure_ascii=False))
    text = (tmp_path / "a.json").read_bytes().decode("utf-8")
    assert "φ" in text
    assert json.loads(text) == document


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", rb"\u03c6 \xb1"),
        ("latin-1", b"\\u03c6 \xb1"),
        ("cp437", b"\xed \xf1"),
        ("utf-8", "φ ±".encode()),
    ],
)
def test_a_terminal_without_greek_letters_shows_escapes(monkeypatch, encoding, shown):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, newline=""))
    escape_what_cannot_be_shown()
    typer.echo("φ ±", nl=False)
    sys.stdout.flush()
    assert raw.getvalue() == shown


@pytest.mark.parametrize(
    "settings",
    [
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["latin-1", "C"],
)
def test_a_command_ends_well_in_any_locale(tmp_path, settings):
    """Two claims, whose page and document hold letters that no terminal of ASCII shows."""
    out = tmp_path / "out"
    command = [sys.executable, "-m", "bridge.cli.main", "claims", "ljat3-minima", "ljat3-energies"]
    done = subprocess.run(
        [*command, "--workers", "1", "--out", str(out)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
        capture_output=True,
    )
    assert (done.returncode, done.stderr.count(b"Traceback")) == (0, 0), done.stderr
    assert b"2 confirmed" in done.stdout
    document = json.loads((out / "claims.json").read_bytes().decode("utf-8"))
    assert [entry["verdict"] for entry in document["claims"]] == ["confirmed", "confirmed"]
    page = (out / "claims.md").read_bytes().decode("utf-8")
    assert "±" in page

"""A store of another version, and one that is damaged, are told apart in one line each."""

import re
import shutil
import sqlite3
from pathlib import Path

import pytest

import bridge.landscape.store
import bridge.records.store
from bridge import load
from bridge.cli.main import run
from bridge.landscape.store import LandscapeStore
from bridge.records.provenance import provenance
from bridge.records.store import Store

GRID = '[[runs]]\nsystem = "discs"\nn = 8\npressure = 1e-2\n'
JAM = ["jam", "discs", "--n", "8", "--pressure", "1e-2", "--out"]
SEARCH = ["landscape", "lj", "--n", "4", "--searches", "0", "--out"]
REMEDY = "version; open it with that version, or run its command again with another file"


KINDS = ["store", "landscape"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return a function that writes a file of a kind and schema; each is computed once."""
    modules = {"store": bridge.records.store, "landscape": bridge.landscape.store}
    originals = {}

    def write(kind, path, schema=None):
        if (kind, schema) not in originals:
            own = tmp_path_factory.mktemp("original") / "a.sqlite"
            with pytest.MonkeyPatch.context() as patch:
                if schema is not None:
                    patch.setattr(modules[kind], "SCHEMA", schema)
                assert run([*(JAM if kind == "store" else SEARCH), str(own)]) == 0
            originals[kind, schema] = own
        shutil.copyfile(originals[kind, schema], path)
        return path

    return write


def uses(kind, path, tmp_path):
    """Return each way to open the file: a command line, or what Python calls."""
    grid = tmp_path / "grid.toml"
    grid.write_text(GRID)
    shared = [
        ["report", str(path), "-o", str(tmp_path / "page.html")],
        ["collect", str(path), "-o", str(tmp_path / "all.csv")],
    ]
    out = ["--out", str(path)]
    if kind == "store":
        ensemble = ["ensemble", str(grid), "--workers", "1", *out]
        return [*shared, [*JAM, str(path)], ensemble, [*ensemble, "--dry-run"]]
    return [*shared, ["landscape", "show", str(path)], [*SEARCH, str(path)]]


# The key of a record tells an older schema, but not one that is not there yet.
@pytest.mark.parametrize(("kind", "change"), [("store", -1), ("landscape", -1), ("landscape", 1)])
def test_a_file_of_another_version_is_said_to_be_one(kind, change, written, tmp_path, capsys):
    now = (bridge.records.store if kind == "store" else bridge.landscape.store).SCHEMA
    path = written(kind, tmp_path / "a.sqlite", now + change)
    before = path.read_bytes()
    age = "an older" if change < 0 else "a newer"
    text = f"expected schema {now}, got {now + change} in {path}: it was written by {age} {REMEDY}"
    capsys.readouterr()
    for words in uses(kind, path, tmp_path):
        assert run(words) == 2, words
        assert capsys.readouterr().err == f"jamscape: {text}\n", words
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        load(path)
    assert len(path.read_bytes()) == len(before)


def test_the_schema_of_each_version_before_is_found(written, tmp_path):
    now = bridge.records.store.SCHEMA
    for schema in range(1, now):
        path = written("store", tmp_path / f"{schema}.sqlite", schema)
        with pytest.raises(ValueError, match=f"expected schema {now}, got {schema} in "):
            Store(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_not_said_to_be_of_another_version(kind, written, tmp_path, capsys):
    path = written(kind, tmp_path / "a.sqlite")
    column, table = ("parameters", "records") if kind == "store" else ("minima", "searches")
    connection = sqlite3.connect(path)
    connection.execute(f"UPDATE {table} SET {column} = '{{'")
    connection.commit()
    connection.close()
    capsys.readouterr()
    damaged = rf"expected a whole file at {re.escape(str(path))}, got: .*: run its command again "
    damaged += "with another file"
    reading = 2 if kind == "store" else 3
    for words in uses(kind, path, tmp_path)[:reading]:
        assert run(words) == 2, words
        said = capsys.readouterr().err
        assert re.fullmatch(rf"jamscape: {damaged}\n", said), words
        assert "version" not in said
    with pytest.raises(ValueError, match=f"^{damaged}$"):
        load(path)


@pytest.mark.parametrize("schema", ['"two"', "{", "[2]", "null"])
def test_a_landscape_whose_schema_is_no_number_is_damaged_and_given_back(schema, written, tmp_path):
    path = written("landscape", tmp_path / "a.sqlite")
    connection = sqlite3.connect(path)
    connection.execute("UPDATE about SET value = ? WHERE name = 'schema'", (schema,))
    connection.commit()
    connection.close()
    for _ in range(2):
        with pytest.raises(ValueError, match=r"^expected a whole file at ") as error:
            LandscapeStore(path)
        assert "only user" not in str(error.value)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_store_is_of_every_version(kind, tmp_path):
    opened = Store if kind == "store" else LandscapeStore
    for _ in range(2):
        with opened(tmp_path / "a.sqlite"):
            pass


def test_the_commit_is_that_of_the_checkout_that_runs():
    root = Path(bridge.__file__).parents[1]
    commit = provenance()["commit"]
    assert (commit is not None) == (root / ".git").exists()
    assert commit is None or re.search("[0-9a-f]{7}", commit)

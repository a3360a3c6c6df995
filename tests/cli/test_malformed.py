"""A thousand malformed inputs: one line on stderr, exit code 2, no traceback, no file behind."""

import io
import shutil
import sqlite3
from dataclasses import fields as fields_of

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.cli.main import run
from bridge.records.store import Record, Store
from bridge.runs.exploration import run_landscape
from bridge.systems import landscapes, systems
from bridge.systems.muller_brown import MullerBrownLandscape
from particles import Ellipses
from particles.formats.files import read_gsd, read_xyz, write_gsd, write_xyz

many = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Run a command on a file in an empty folder, and expect that it is refused."""

    def check(arguments, content=None, name="input"):
        here = tmp_path / "here"
        shutil.rmtree(here, ignore_errors=True)
        here.mkdir()
        monkeypatch.chdir(here)
        before = {}
        if content is not None:
            before = content if isinstance(content, dict) else {name: content}
            for path, written in before.items():
                (here / path).write_bytes(written)
        code = run([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        after = {path.name: path.read_bytes() for path in here.iterdir()}
        assert (code, shown.out) == (2, ""), (shown, arguments)
        assert shown.err.startswith("jamscape: ")
        assert shown.err.count("\n") == 1
        assert len(shown.err) < 1000, shown.err
        assert "Traceback" not in shown.err
        assert after == before

    return check


texts = st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))

# Configurations

numbers = st.one_of(
    st.integers(), st.integers(-(10**30), 10**30), st.floats(), st.sampled_from([0, -1, 1e308])
)
values = st.recursive(
    st.one_of(numbers, st.booleans(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=6,
)
SYSTEMS, LANDSCAPES = tuple(systems().values()), tuple(landscapes().values())
options = sorted({field.name for kind in (*SYSTEMS, *LANDSCAPES) for field in fields_of(kind)})
fields = st.sampled_from([*options, "system", "command", "seeds", "exact", "at_load", "runs"])
names = st.one_of(fields, st.text(max_size=6))


def as_toml(value):
    """Return a value as TOML, as it would be written by somebody who did not look."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(k)} = {as_toml(v)}" for k, v in value.items()) + "}"
    return quoted(value) if isinstance(value, str) else repr(value)


def quoted(text):
    return '"' + text.replace("\\", "/").replace('"', "'") + '"'


@st.composite
def malformed_tables(draw):
    """Return a table of a known command and system, with one known or unknown field gone wrong."""
    kind = draw(st.sampled_from([*SYSTEMS, *LANDSCAPES]))
    command = "jam" if kind in SYSTEMS else "landscape"
    table = {"command": command, "system": kind.kind}
    wrong = draw(st.sampled_from(["field", "type", "number", "nested"]))
    known = [field.name for field in fields_of(kind)]
    if wrong == "field" or not known:
        table[draw(st.text(min_size=1, max_size=5).map(lambda text: f"x{text}"))] = 1
    elif wrong == "type":
        table[draw(st.sampled_from(known))] = draw(st.sampled_from([True, [[1]], {"a": 1}, "\0"]))
    elif wrong == "number":
        table[draw(st.sampled_from(known))] = draw(
            st.sampled_from([-1e9, float("nan"), float("inf"), 10**40, -float("inf"), 1e300])
        )
    else:
        table["command"] = draw(values.filter(lambda v: v not in ("jam", "landscape", "compare")))
    return table


def lines(table):
    return "\n".join(f"{quoted(name)} = {as_toml(value)}" for name, value in table.items())


@many
@given(
    st.one_of(
        st.binary(max_size=200), st.text(max_size=200).map(lambda t: t.encode("utf-8", "replace"))
    )
)
def test_garbage_is_no_configuration(refused, content):
    refused(["ensemble", "input", "--workers", "1"], content)


@many
@given(malformed_tables())
def test_a_table_with_one_wrong_field_is_refused(refused, table):
    content = f"[[runs]]\n{lines(table)}\n".encode("utf-8", "replace")
    refused(["ensemble", "input", "--workers", "1"], content)


@many
@given(st.dictionaries(names, values, max_size=4), st.dictionaries(names, values, max_size=4))
def test_random_fields_never_make_a_configuration(refused, top, table):
    content = f"{lines(top)}\n[[runs]]\nnonsense = 1\n{lines(table)}\n"
    refused(["ensemble", "input", "--dry-run"], content.encode("utf-8", "replace"))


# Data files


@st.composite
def damaged(draw, good):
    """Return bytes of a good file of which some are gone or changed, or garbage."""
    how = draw(st.sampled_from(["cut", "garbage", "changed", "front"]))
    at = draw(st.integers(0, len(good) - 1))
    some = draw(st.binary(min_size=1, max_size=30))
    return {
        "cut": good[:at],
        "garbage": some,
        "changed": good[:at] + some + good[at + len(some) :],
        "front": some + good[len(some) :],
    }[how]


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


X = np.random.default_rng(0).normal(size=(20, 3))
NPZ = npz(x=X, y=np.arange(20) % 2)
CSV = "\n".join(f"{a},{b},{c},{k % 2}" for k, (a, b, c) in enumerate(X)).encode()
IMAGES = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (9, 2, 2)) + bytes(range(36))
LABELS = b"\0\0\x08\x01" + (9).to_bytes(4, "big") + bytes(range(9))


@pytest.fixture
def answered(capsys, tmp_path):
    """Run a command on a file that may happen to be whole; what is refused leaves nothing."""

    def check(arguments):
        before = sorted(path.name for path in tmp_path.iterdir())
        code = run([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        assert code in (0, 2, 3), shown.err
        if code == 2:
            assert (shown.out, shown.err.count("\n")) == ("", 1)
            assert sorted(path.name for path in tmp_path.iterdir()) == before
        return code

    return check


NETWORK = ["jam", "network", "--width", "3", "--steps", "1", "--data"]
CLASSIFIER = ["landscape", "classifier", "--hidden", "1", "--searches", "0", "--l2", "1", "--data"]


@many
@given(damaged(NPZ))
def test_a_damaged_npz(answered, tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    answered([*NETWORK, tmp_path / "a.npz"])


@many
@given(st.one_of(damaged(CSV), texts))
def test_a_damaged_csv(answered, tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    answered([*NETWORK, tmp_path / "a.csv"])


@settings(many, max_examples=25)
@given(st.one_of(damaged(CSV), texts))
def test_a_damaged_csv_for_a_classifier(answered, tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    answered([*CLASSIFIER, tmp_path / "a.csv"])


@many
@given(damaged(IMAGES), damaged(LABELS), st.sampled_from(["images", "labels", "both"]))
def test_damaged_idx_files(answered, tmp_path, images, labels, which):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(IMAGES if which == "labels" else images)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(LABELS if which == "images" else labels)
    answered([*NETWORK, tmp_path])


@pytest.fixture(scope="module")
def packing_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packings")
    problem = Ellipses.bidisperse(6, 0.5, aspect=1.5)
    x = problem.random_state(np.random.default_rng(0))
    write_xyz(folder / "a.xyz", problem, x)
    write_gsd(folder / "a.gsd", problem, x)
    return folder


@pytest.mark.parametrize(("kind", "read"), [("xyz", read_xyz), ("gsd", read_gsd)])
@many
@given(st.data())
def test_a_damaged_packing_raises_value_error_in_one_line(
    packing_files, tmp_path, kind, read, data
):
    path = tmp_path / f"a.{kind}"
    path.write_bytes(data.draw(damaged((packing_files / path.name).read_bytes())))
    said = ""
    try:
        read(path)
    except ValueError as error:
        said = str(error)
        assert str(path) in said
    assert len(said.splitlines()) <= 1


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A folder with a good file of records and a good landscape."""
    folder = tmp_path_factory.mktemp("stored")
    with Store(folder / "records") as store:
        for k in range(3):
            arrays = {"gaps": np.arange(k + 2.0)}
            store.put(Record("discs", {"n": k}, (k,), "jammed", 0.5, {"n": 1}, {}, arrays))
    run_landscape(MullerBrownLandscape(), 0, searches=5, out=folder / "landscape")
    return folder


@pytest.mark.parametrize("kind", ["records", "landscape"])
@many
@given(st.data())
def test_a_damaged_store(answered, stored, tmp_path, kind, data):
    path = tmp_path / "a.sqlite"
    path.write_bytes(data.draw(damaged((stored / kind).read_bytes())))
    if answered(["collect", path, "-o", tmp_path / "a.nc"]) == 0:
        (tmp_path / "a.nc").unlink()


COLUMNS = [
    *(("records", "records", name) for name in ("parameters", "seed", "status", "seconds", "data")),
    ("records", "arrays", "npy"),
    *(("landscape", "points", name) for name in ("x", "energy", "observables", "first", "kind")),
    *(("landscape", "searches", name) for name in ("minima", "saddle", "stage")),
    ("landscape", "about", "value"),
]


@many
@given(
    st.sampled_from(COLUMNS),
    st.one_of(
        st.binary(max_size=20),
        st.text(max_size=10),
        st.sampled_from(["[]", "{}", "null", "[null]", '{"a": [1]}', "1e999", "NaN", -1, 10**6]),
    ),
)
def test_a_store_with_a_wrong_value(answered, stored, tmp_path, place, value):
    kind, table, column = place
    path = tmp_path / "a.sqlite"
    path.write_bytes((stored / kind).read_bytes())
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE OR IGNORE {table} SET {column} = ?", (value,))
    connection.close()
    if answered(["collect", path, "-o", tmp_path / "a.nc"]) == 0:
        (tmp_path / "a.nc").unlink()


# Command lines

COMMANDS = [
    *(["jam", kind.kind] for kind in SYSTEMS),
    *(["landscape", kind.kind] for kind in LANDSCAPES),
    *([name] for name in ("jam", "landscape", "compare", "ensemble", "collect", "doctor", "melt")),
    ["landscape", "show"],
]
words = st.one_of(
    st.sampled_from([f"--{name.replace('_', '-')}" for name in options]),
    st.sampled_from(["--seed", "--out", "--json", "--workers", "--shard", "-o", "1/2", "0", "--"]),
    st.text(max_size=8).filter(lambda word: word not in ("--help", "-h")),
)


@many
@given(st.sampled_from(COMMANDS), st.lists(words, max_size=5))
def test_a_malformed_command_line(refused, command, arguments):
    refused([*command, *arguments, "--no-such-option"])

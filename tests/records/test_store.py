import gc
import shutil
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bridge.records.database
import bridge.records.store
from bridge.landscape.store import TABLES as LANDSCAPE
from bridge.landscape.store import LandscapeStore
from bridge.records.database import holds
from bridge.records.store import TABLES, Record, Store, record_key
from bridge.report.dataset import read
from bridge.report.sources import read_sources

from kills import run_script


def a_record(seed=0, **parameters):
    arrays = {"gaps": np.arange(5.0), "modes": np.eye(2)}
    return Record("discs", parameters, (seed,), "jammed", 0.5, {"energy": 1e-300}, {}, arrays)


def test_what_is_kept_comes_back_bit_by_bit(tmp_path):
    with Store(tmp_path / "a.sqlite") as store:
        store.put(a_record(phi=0.1 + 0.2))
    with Store(tmp_path / "a.sqlite") as store:
        (back,) = store.records()
        assert back.key in store
    assert back.parameters == {"phi": 0.1 + 0.2}
    assert back.data == {"energy": 1e-300}
    assert np.array_equal(back.arrays["modes"], np.eye(2))
    assert back.arrays["gaps"].dtype == np.float64


def test_a_key_that_is_there_is_not_kept_twice(tmp_path):
    with Store(tmp_path / "a.sqlite") as store:
        store.put(a_record())
        store.put(a_record())
        assert len(list(store.records("discs"))) == 1
        assert list(store.records("ellipses")) == []
        assert store.get("no such key") is None


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False), max_size=4), st.integers())
def test_the_key_depends_on_what_was_run_and_not_on_its_order(parameters, seed):
    turned = dict(reversed(parameters.items()))
    assert record_key("a", parameters, (seed,)) == record_key("a", turned, (seed,))
    assert record_key("a", parameters, (seed,)) != record_key("a", parameters, (seed + 1,))
    assert record_key("a", parameters, (seed,)) != record_key("b", parameters, (seed,))


def test_records_of_a_newer_version_are_refused_in_one_line(monkeypatch, tmp_path):
    """Their keys tell that, but not of which version they are."""
    monkeypatch.setattr(bridge.records.store, "SCHEMA", bridge.records.store.SCHEMA + 1)
    with Store(tmp_path / "new.sqlite") as store:
        store.put(a_record())
    monkeypatch.undo()
    expected = rf"^expected records of schema {bridge.records.store.SCHEMA} in .*new.sqlite, got "
    with pytest.raises(ValueError, match=expected) as told:
        read_sources([tmp_path / "new.sqlite"])
    assert "\n" not in str(told.value)


def test_a_second_writer_is_refused_in_one_line(tmp_path):
    with (
        Store(tmp_path / "a.sqlite"),
        pytest.raises(ValueError, match=r"^expected to be the only user .*: let that run end$"),
    ):
        Store(tmp_path / "a.sqlite")


def test_another_kind_of_file_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes, " * 100)
    with pytest.raises(ValueError, match="another kind of file"):
        Store(path)
    assert path.read_text().startswith("these are my notes")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a store"):
        Store(tmp_path / "nowhere" / "a.sqlite")


def test_records_are_on_disk_after_a_flush(tmp_path):
    store = Store(tmp_path / "a.sqlite")
    store.put(a_record())
    store.put(a_record(seed=1))
    store.close()
    rows = sqlite3.connect(tmp_path / "a.sqlite").execute("SELECT COUNT(*) FROM records")
    assert rows.fetchone() == (2,)


KILLED = """
import json, sys
from pathlib import Path
import numpy as np
from kills import killed_at_each_write
from bridge.records.store import Record, Store

folder = Path(sys.argv[1])
RECORDS = [
    Record("discs", {}, (k,), "jammed", 0.5, {}, {}, {f"{i}": np.full(9, k) for i in range(3)})
    for k in range(2)
]
found = {"kills": 0, "kept": [], "broken": []}
for half in (False, True):
    number = 0

    def make():
        with Store(folder / f"{half} {number}") as store:
            for record in RECORDS:
                store.put(record)

    for number in killed_at_each_write(make, half=half):
        path = folder / f"{half} {number}"
        found["kills"] += 1
        try:
            with Store(path) as store:
                kept = list(store.records())
                found["kept"].append(len(kept))
                found["broken"] += [number for record in kept if len(record.arrays) != 3]
            make()
            with Store(path, read_only=True) as store:
                assert len(list(store.records())) == 2
        except (ValueError, AssertionError) as error:
            found["broken"].append(f"{half} {number}: {error}")
        number += 1
print(json.dumps(found))
"""


def test_a_run_that_is_killed_at_any_write_goes_on(in_memory):
    found = run_script(KILLED, in_memory)
    assert found["broken"] == []
    assert found["kills"] > 30
    assert set(found["kept"]) == {0, 1, 2}


def two_records(path):
    with Store(path) as store:
        store.put(a_record(0))
        store.put(a_record(1))


def test_an_interrupt_at_any_line_keeps_a_record_with_its_arrays_or_neither(in_memory):
    """Signals are handled between two lines: each of them in turn."""
    files = {bridge.records.store.__file__, bridge.records.database.__file__}
    moment, passed = 0, 0

    def trace(frame, event, argument):
        nonlocal passed
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            passed += 1
            if passed == moment:
                raise KeyboardInterrupt
        return trace

    kept, ended = set(), False
    gc.freeze()  # what is there already need not be gone through each time
    while not ended:
        moment, passed = moment + 1, 0
        path = in_memory / f"{moment}.sqlite"
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            two_records(path)
            ended = True
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        gc.collect()  # the interrupt may have come where the file was not closed
        with Store(path) as store:
            found = list(store.records())
            assert all(set(record.arrays) == {"gaps", "modes"} for record in found)
            kept.add(len(found))
    gc.unfreeze()
    assert kept == {0, 1, 2}
    assert moment > 50


FULL = """
import json, os, sys
from pathlib import Path
import numpy as np
from kills import full_from
from bridge.records.database import holds
from bridge.records.store import TABLES, Record, Store

folder = Path(sys.argv[1])
found, number, said = [], 0, "full"
while said:
    number += 1
    path, said = folder / str(number), None
    child = os.fork()
    if not child:
        kept = 0
        full_from(number)
        try:
            with Store(path) as store:
                for k in range(5):
                    store.put(Record("discs", {}, (k,), "jammed", 0.5, {}, {}, {"x": np.ones(500)}))
                    kept += 1
        except (ValueError, OSError) as error:
            said = f"{type(error).__name__}: {error}"
        (folder / f"{number}.json").write_text(json.dumps([kept, said]))
        os._exit(0)
    os.waitpid(child, 0)
    kept, said = json.loads((folder / f"{number}.json").read_text())
    there = 0
    if holds(path, TABLES):
        with Store(path, read_only=True) as store:
            there = len(list(store.records()))
    found.append([kept, there, said])
print(json.dumps({"found": found}))
"""


def test_a_full_disk_is_one_line_and_what_was_kept_is_there(in_memory):
    found = run_script(FULL, in_memory)["found"]
    assert all(kept == there for kept, there, _ in found)
    assert {kept for kept, _, _ in found} == set(range(6))
    assert found[-1] == [5, 5, None]
    for kept, _, said in found:
        if 0 < kept < 5:
            assert said.startswith(f"OSError: expected to keep discs with seed {kept} in ")
            assert said.endswith("and the same command goes on")
            assert "\n" not in said
        elif said is not None:
            assert "full" in said


def replaced(path):
    path.unlink()
    with Store(path) as other:
        other.put(a_record(5))


GONE = {
    "removed": Path.unlink,
    "renamed": lambda path: path.rename(path.with_name("b")),
    "with its folder": lambda path: shutil.rmtree(path.parent),
    "replaced": replaced,
}


@pytest.mark.parametrize("goes", GONE.values(), ids=GONE)
@pytest.mark.parametrize("more", [0, 1])
def test_a_file_that_is_gone_while_it_is_written_is_noticed(goes, more, tmp_path):
    def write():
        with Store(path) as store:
            store.put(a_record(0))
            goes(path)
            for seed in range(more):
                store.put(a_record(1 + seed))

    path = tmp_path / "folder" / "a.sqlite"
    path.parent.mkdir()
    what = "discs with seed 1" if more else "what was written"
    with pytest.raises(OSError, match=f"{what} in .* removed or replaced .* starts it anew"):
        write()
    if path.exists():
        with Store(path, read_only=True) as store:
            assert [record.seed for record in store.records()] == [(5,)]


@pytest.mark.parametrize("tables", [TABLES, LANDSCAPE])
def test_a_file_that_a_run_is_writing_is_in_use(tables, tmp_path):
    path = tmp_path / "a.sqlite"
    writer = {id(TABLES): Store, id(LANDSCAPE): LandscapeStore}[id(tables)]
    with writer(path):
        for reads in (holds, lambda file, _: read_sources([file]), lambda file, _: read([file])):
            with pytest.raises(ValueError, match="in use"):
                reads(path, tables)
    assert holds(path, tables)


def test_an_empty_file_is_no_store_yet(tmp_path):
    (tmp_path / "a.sqlite").touch()
    with pytest.raises(ValueError, match="an empty file"):
        Store(tmp_path / "a.sqlite", read_only=True)
    with Store(tmp_path / "a.sqlite") as store:
        store.put(a_record(0))

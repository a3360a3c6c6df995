import sqlite3

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.store import Record, Store, record_key


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

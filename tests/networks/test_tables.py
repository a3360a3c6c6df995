"""A user's data are read as they are meant, or refused with the place that is wrong."""

import gzip
import io
import os
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from networks.data.files import file_bytes, read_idx
from networks.data.outcomes import Outcomes, read_outcomes
from networks.data.patterns import Patterns, read_patterns
from networks.data.tables import read_table

FOUR = [[1, 2], [-1, 0.5], [0.3, -0.7], [-0.4, 0.2]]


def table(tmp_path, content, label=None, name="a.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, label)


READ = {
    "byte-order mark": b"\xef\xbb\xbf1,2,1\n-1,0.5,-1\n0.3,-0.7,1\n-0.4,0.2,-1\n",
    "utf-16": "1,2,1\n-1,0.5,-1\n0.3,-0.7,1\n-0.4,0.2,-1\n".encode("utf-16"),
    "upper-case exponents": "1.0E+00,2E0,1\n-1.0E+00,5E-1,-1\n3E-1,-7E-1,1\n-4E-1,2E-1,-1\n",
    "heading": "a,b,label\n1,2,1\n-1,0.5,-1\n0.3,-0.7,1\n-0.4,0.2,-1\n",
    "heading of savetxt": "# a,b,label\n1,2,1\n-1,0.5,-1\n0.3,-0.7,1\n-0.4,0.2,-1\n",
    "heading of one letter": "e,E,n\n1,2,1\n-1,0.5,-1\n0.3,-0.7,1\n-0.4,0.2,-1\n",
    "quotes": '"a","b","c"\n"1","2","1"\n"-1","0.5","-1"\n"0.3","-0.7","1"\n"-0.4","0.2","-1"\n',
    "decimal commas": "1,0;2;1\n-1;0,5;-1\n0,3;-0,7;1\n-0,4;0,2;-1\n",
    "decimal commas and a heading": "x, mm;y, mm;k\n1;2;1\n-1;,5;-1\n,3;-,7;1\n-,4;,2;-1\n",
    "semicolons": "1;2;1\n-1;0.5;-1\n0.3;-0.7;1\n-0.4;0.2;-1\n",
    "tabs": "1\t2\t1\n-1\t0.5\t-1\n0.3\t-0.7\t1\n-0.4\t0.2\t-1\n",
    "tabs and commas": "1\t2\t1\n-1\t0,5\t-1\n0,3\t-0,7\t1\n-0,4\t0,2\t-1\n",
    "blanks": "1 2 1\n-1  0.5 -1\n0.3 -0.7 1\n-0.4 0.2 -1\n",
    "heading and blanks": "# a b c\n1 2 1\n-1  0.5 -1\n0.3 -0.7 1\n-0.4 0.2 -1\n",
    "blank lines": "\n1,2,1\r\n\r\n-1,0.5,-1\r\n  \r\n0.3,-0.7,1\r\n-0.4,0.2,-1\r\n\r\n",
    "blanks beside commas": "1 , 2,1 \n-1,  0.5, -1\n 0.3,-0.7,1\n-0.4,0.2,-1\n",
    "no end of line": "1,2,1\n-1,0.5,-1\n0.3,-0.7,1\n-0.4,0.2,-1",
}


@pytest.mark.parametrize("content", READ.values(), ids=READ)
def test_every_way_to_write_a_table_gives_its_patterns(content, tmp_path):
    found = table(tmp_path, content)
    assert found.x.tolist() == FOUR
    assert found.classes == ("-1", "1")
    assert found.label.tolist() == [1, 0, 1, 0]


# The labels of the first two rows, the classes that they are, and the class of the first.
LABELS = {
    "words": (["setosa", "virginica"], ("setosa", "virginica"), 0),
    "words in blanks": ([" yes ", "no"], ("no", "yes"), 1),
    "other alphabets": (["ποσό", "négatif"], ("négatif", "ποσό"), 1),
    "truth": (["True", "False"], ("False", "True"), 1),
    "numbers": (["7", "-3.5"], ("-3.5", "7"), 1),
    "numbers of two forms": (["1", "2.0"], ("1", "2"), 0),
    "a word and a number": (["other", "1"], ("1", "other"), 1),
    "words that mean nothing elsewhere": (["NA", "null"], ("NA", "null"), 0),
}


@pytest.mark.parametrize(("words", "classes", "first"), LABELS.values(), ids=LABELS)
def test_any_two_words_or_numbers_are_two_classes(words, classes, first, tmp_path):
    one, two = words
    found = table(tmp_path, f"1,2,{one}\n-1,0.5,{two}\n0.3,-0.7,{one}\n-0.4,0.2,{two}\n")
    assert found.classes == classes
    assert found.label.tolist() == [first, 1 - first] * 2
    assert read_patterns(tmp_path / "a.csv").y.tolist() == [2 * first - 1, 1 - 2 * first] * 2


# A text, and what must be said of it.
REFUSED = {
    "a row with #": ("1,2,1\n#3,4,-1\n-1,0.5,-1\n", "line 2, column 1"),
    "a first row with #": ("#1,2,1\n3,4,-1\n-1,0.5,-1\n", "line 1, column 1"),
    "a typing error in the first row": ("O.5,2,1\n-1,0.5,-1\n0.3,-0.7,1\n", "'O.5'"),
    "a typing error before a word": ("O.5,a\n-1,b\n0.3,a\n", "line 1"),
    "a typing error later": ("1,2,1\n-1,O.5,-1\n", "line 2, column 2"),
    "after blank lines": ("\n1,2,1\n\n\n-1,O.5,-1\n", "line 5, column 2"),
    "after a heading": ("a,b,c\n1,2,1\n-1,x,-1\n", "line 3, column 2"),
    "a complex number": ("1,2,1\n-1,0.5+2j,-1\n", "line 2, column 2"),
    "nan": ("1,2,1\n-1,nan,-1\n", "line 2, column 2"),
    "inf": ("1,2,1\n-1,-inf,-1\n", "line 2, column 2"),
    "overflow": ("1,2,1\n-1,1e400,-1\n", "line 2, column 2"),
    "nothing": ("1,2,1\n-1,,-1\n", "line 2, column 2 of"),
    "no label": ("1,2,1\n-1,3,\n", "a label in line 2, column 3"),
    "a short row": ("1,2,1\n-1,3\n1,3,1\n", "line 2, column 3"),
    "a long row": ("1,2,1\n\n-1,3,4,5\n1,3,1\n", "line 3, saw 4"),
    "thousands": ("1,234.5;2;1\n3;4;-1\n", "line 1, column 1"),
    "commas and points": ("1,5;2;1\n3.5;4;-1\n", "line 2, column 1"),
    "hexadecimal": ("0x10,2,1\n3,4,-1\n", "'0x10'"),
    "underscores": ("1_0,2,1\n3,4,-1\n", "'1_0'"),
    "other digits": ("١,2,1\n3,4,-1\n", "line 1, column 1"),
    "zero byte": (b"1,2,1\n3,\x004,-1\n", "line 2, column 2"),
    "open quotes": ('1,2,1\n"3,4,-1\n5,6,1\n', "quot|EOF inside string starting at line 2"),
    "quotes over lines": ('1,2,1\n3,4,"a\n5,6,1"\n', "line break in quotes"),
    "latin-1": ("1,2,négatif\n3,4,positif\n".encode("latin-1"), "UTF-8"),
    "no columns": ("1\n2\n", "two or more columns"),
    "no rows": ("a,b,c\n", "a heading only"),
    "nothing at all": (" \n\n", "empty file"),
    "a nameless column": (",a,b\n0,1,1\n1,2,-1\n", "line 1 .* column 1"),
    "a short heading": ("a,b\n0,1,1\n1,2,-1\n", "a name for each of 3 columns"),
    "huge": ("1,2,1\n-1,1e200,-1\n3,4,1\n", "1e\\+200 in line 2, column 2"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_is_refused_with_its_place(content, said, tmp_path):
    with pytest.raises(ValueError, match=said) as caught:
        table(tmp_path, content)
    assert "\n" not in str(caught.value)
    assert "a.csv" in str(caught.value)


@pytest.mark.parametrize("label", ["kind", "1"])
def test_the_column_of_labels_by_name_or_number(label, tmp_path):
    content = "kind,x,y\nb,1,2\na,-1,0.5\nb,0.3,-0.7\na,-0.4,0.2\n"
    found = table(tmp_path, content, label)
    assert found.x.tolist() == FOUR
    assert (found.classes, found.label.tolist()) == (("a", "b"), [1, 0, 1, 0])
    assert read_patterns(tmp_path / "a.csv", label=label).y.tolist() == [1, -1, 1, -1]
    assert read_outcomes(tmp_path / "a.csv", label).label.tolist() == [1, 0, 1, 0]


def test_a_name_that_is_a_number_is_the_name(tmp_path):
    found = table(tmp_path, "a,b,c,c\n1,2,3,4\n1,2,3,5\n", "3")
    assert found.classes == ("3",)
    for label in ("c", "0", "5", "-1", "1.0", "²", "9" * 30, ""):
        with pytest.raises(ValueError, match="a number from 1 to 4"):
            read_table(tmp_path / "a.csv", label)


@given(
    st.lists(
        st.tuples(st.floats(-1e50, 1e50), st.floats(-1e50, 1e50), st.sampled_from("ab")),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([(",", "."), (";", ","), (";", "."), ("\t", ","), ("\t", "."), (" ", ".")]),
    st.booleans(),
)
@settings(deadline=None)
def test_what_is_written_is_what_is_read(tmp_path_factory, rows, how, heading):
    separator, mark = how
    lines = [["x", "y", "label"]] * heading
    lines += [[repr(a).replace(".", mark), repr(b).replace(".", mark), c] for a, b, c in rows]
    path = tmp_path_factory.mktemp("t") / "a.csv"
    path.write_text("\n".join(map(separator.join, lines)))
    found = read_table(path)
    assert found.x.tolist() == [[a, b] for a, b, _ in rows]
    assert [found.classes[k] for k in found.label] == [c for *_, c in rows]


@pytest.mark.parametrize("huge", ["1e20", "-3e15", "1e99"])
@pytest.mark.parametrize("column", [0, 1])
def test_a_number_beside_which_the_others_vanish_is_refused(huge, column, tmp_path):
    rows = [["0.1", "0.2"], ["-1", "0.5"], ["0.3", "-0.7"], ["-0.4", "0.2"]]
    rows[2][column] = huge
    text = "\n".join(f"{','.join(row)},{k % 2}" for k, row in enumerate(rows))
    (tmp_path / "a.csv").write_text(text)
    for read in (read_patterns, read_outcomes):
        with pytest.raises(ValueError, match=f"line 3, column {column + 1}"):
            read(tmp_path / "a.csv")


def test_large_numbers_of_one_size_are_patterns(tmp_path):
    rows = np.random.default_rng(0).normal(size=(10, 3))
    np.savez(tmp_path / "one.npz", x=rows, y=np.arange(10) % 2)
    np.savez(tmp_path / "two.npz", x=1e90 * rows, y=np.arange(10) % 2)
    one, two = (read_patterns(tmp_path / f"{name}.npz") for name in ("one", "two"))
    assert two.x == pytest.approx(one.x, rel=1e-12)
    assert (one.x**2).sum(axis=1) == pytest.approx(3)


# Archives.

X = np.arange(12.0).reshape(4, 3)
Y = np.array([0, 1, 0, 1])
BAD_ARCHIVES = {
    "complex": ({"x": X + 1j, "y": Y}, "real numbers in x .* complex"),
    "objects": ({"x": X.astype(object), "y": Y}, "bject arrays"),
    "words": ({"x": X.astype(str), "y": Y}, "real numbers in x"),
    "nan": ({"x": np.where(X == 4, np.nan, X), "y": Y}, r"nan at x\[1, 1\]"),
    "inf": ({"x": np.where(X == 4, np.inf, X), "y": Y}, r"inf at x\[1, 1\]"),
    "longer floats": ({"x": np.longdouble("1e4000") * (1 + X), "y": Y}, "inf at"),
    "huge": ({"x": np.where(X == 4, 1e200, X), "y": Y}, r"1e\+200 in x\[1, 1\]"),
    "huge in an image": ({"x": np.where(X == 4, 1e200, X).reshape(4, 3, 1), "y": Y},
                         r"x\[1, 1, 0\]"),
    "labels nan": ({"x": X, "y": np.array([0, np.nan, 0, 0])}, "finite numbers in y"),
    "labels complex": ({"x": X, "y": Y * 1j}, "numbers or words as y"),
    "labels objects": ({"x": X, "y": np.array(["a", 1, "a", 1], dtype=object)}, "bject arrays"),
    "shapes": ({"x": X, "y": Y[:3]}, "x of"),
    "labels of two axes": ({"x": X, "y": np.stack([Y, Y])[:, :2]}, "x of"),
    "no patterns": ({"x": X[:0], "y": Y[:0]}, "x of"),
    "no components": ({"x": X[:, :0], "y": Y}, "x of"),
    "no y": ({"x": X}, "y.npy"),
}  # fmt: skip


@pytest.mark.parametrize(("arrays", "said"), BAD_ARCHIVES.values(), ids=BAD_ARCHIVES)
@pytest.mark.parametrize("read", [read_patterns, read_outcomes])
def test_a_wrong_archive_is_refused(arrays, said, read, tmp_path):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=said) as caught:
        read(tmp_path / "a.npz")
    assert "a.npz" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "y", [np.array(["no", "yes"] * 2), np.array([b"no", b"yes"] * 2), Y[:, None], Y > 0]
)
def test_labels_of_an_archive_may_be_words(y, tmp_path):
    np.savez(tmp_path / "a.npz", x=X.astype(np.float32), y=y)
    assert read_patterns(tmp_path / "a.npz").y.tolist() == [-1, 1, -1, 1]
    with pytest.raises(ValueError, match="no label with an"):
        read_patterns(tmp_path / "a.npz", label="y")


# Files that have no end, or are much larger than they look.


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    return tmp_path / "pipe.csv"


def test_only_regular_files_are_opened(pipe, tmp_path):
    for path in (pipe, "/dev/zero", tmp_path, tmp_path / "none.csv"):
        for read in (file_bytes, read_table, read_idx):
            with pytest.raises(ValueError, match="expected a file at"):
                read(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ValueError, match=r"at most 1,073,741,824 bytes .* got 1,099,511,627,776"):
        read_table(tmp_path / "a.csv")


def test_a_zip_bomb_is_refused_by_its_size(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", b"")
        archive.writestr("y.npy", b"")
    raw = bytearray((tmp_path / "a.npz").read_bytes())
    at = raw.index(b"PK\x01\x02") + 24  # the unpacked size in the directory
    raw[at : at + 4] = (2**31).to_bytes(4, "little")
    (tmp_path / "a.npz").write_bytes(raw)
    with pytest.raises(ValueError, match="got 2,147,483,648"):
        read_table(tmp_path / "a.npz")


def test_an_array_larger_than_its_file_is_refused(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (2**40, 8)}
    )
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for name in "xy":
            archive.writestr(f"{name}.npy", header.getvalue() + bytes(64))
    with pytest.raises(ValueError, match="with x and y at"):
        read_table(tmp_path / "a.npz")


def idx(*shape):
    return b"\0\0\x08" + bytes([len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (idx(2**31, 28, 28), "at most 1,073,741,824"),
        (idx(2**16, 2**16, 2**16, 2**16), "at most 1,073,741,824"),  # 2^64 is 0 in 64 bits
        (idx(4, 2) + bytes(2**20), "expected 8 bytes"),
        (idx(), "another header"),
        (idx(0, 28, 28), "another header"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_an_idx_file_is_refused_by_its_header(content, said, packed, tmp_path):
    path = tmp_path / ("a.gz" if packed else "a")
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(ValueError, match=said):
        read_idx(path)


# Arrays.


def test_patterns_and_outcomes_copy_what_they_are_given():
    x, y, label = X.copy(), np.array([-1.0, 1, -1, 1]), Y.copy()
    patterns, outcomes = Patterns(x, y), Outcomes(x, label, 2)
    x[:], y[:], label[:] = 7, 7, 7
    assert patterns.x.tolist() == outcomes.x.tolist() == X.tolist()
    assert patterns.y.tolist() == [-1, 1, -1, 1]
    assert outcomes.label.tolist() == Y.tolist()


@pytest.mark.parametrize("x", [X + 1j, np.where(X == 4, np.nan, X), X.astype(object)])
def test_patterns_and_outcomes_are_real_and_finite(x):
    with pytest.raises(ValueError, match="in patterns"):
        Patterns(x, np.array([-1.0, 1, -1, 1]))
    with pytest.raises(ValueError, match="in patterns"):
        Outcomes(x, Y, 2)
    with pytest.raises(ValueError, match="whole numbers"):
        Outcomes(X, Y + 0.5, 2)

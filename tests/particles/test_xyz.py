"""Extended XYZ of other programs is read right, or refused in one line."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from particles import Discs, Ellipses, Ellipsoids, read_xyz


def test_a_file_of_another_program_is_read(tmp_path):
    lines = [
        "2",
        'Lattice="4.0 0.0 0.0 0.0 5.0 0.0 0.0 0.0 1.0" Properties=species:S:1:pos:R:2:radius:R:1',
        "A 1.0 1.0 0.5",
        "B 2.0 1.0 0.7",
    ]
    (tmp_path / "a.xyz").write_text("\n".join(lines), encoding="utf-8")
    problem, x = read_xyz(tmp_path / "a.xyz")
    assert isinstance(problem, Discs)
    assert problem.dim == 2
    np.testing.assert_allclose(problem.diameters, [1.0, 1.4])
    np.testing.assert_allclose(x, [1.0, 1.0, 2.0, 1.0])


def xyz(*rows, properties="pos:R:2:radius:R:1", lattice="4 0 0 0 5 0 0 0 1", more=""):
    """Return a frame of extended XYZ."""
    head = f'Lattice="{lattice}" Properties={properties} {more}'
    return "\n".join([str(len(rows)), head, *rows]) + "\n"


SPHERES = "species:S:1:pos:R:3:radius:R:1"
FLAT = 'pbc="T T F"'
TWO = ("A 0.5 0.5 0 0.5", "A 2 2 0 0.7")
SHAPED = "species:S:1:pos:R:3:aspherical_shape:R:3:orientation:R:4:radius:R:1"


def flat(*rows, properties=SPHERES, **options):
    return xyz(*rows, properties=properties, more=FLAT, **options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "frame 0"),
        ("two\n", "number of bodies in line 1 .*two"),
        ("2", "expected 2 bodies.*truncated"),
        (xyz("1 1 1").replace("1\n", "2\n", 1), "expected 2 bodies.*truncated"),
        ("-1\n" + xyz("1 1 1"), "number of bodies in line 1 .*-1"),
        (xyz("1 1 1") + "nothing\n", "number of bodies in line 4 .*nothing"),
        ("1000000000\n" + xyz("1 1 1"), "expected 1000000000 bodies.*truncated"),
        (xyz("1 one 1"), "numbers for pos in line 3 .*one"),
        (xyz("1 1_0 1"), "numbers for pos in line 3 .*1_0"),
        (xyz("1 nan 1"), "finite numbers for pos in line 3 .*nan"),
        (xyz("1 1 1", "1 -inf 1"), "finite numbers for pos in line 4 .*-inf"),
        (xyz("1 1e999 1"), "finite numbers for pos in line 3 .*1e999"),
        (xyz("1 1 -1"), "positive numbers for radius in line 3 .*-1"),
        (xyz("1 1"), "3 columns in line 3 .*got 2"),
        (xyz("1 1 1 1"), "3 columns in line 3 .*got 4"),
        (xyz("1 1e9 1"), "within .* of 0"),
        ("1\nProperties=pos:R:2:radius:R:1\n1 1 1\n", "rectangular Lattice.*none"),
        (xyz("1 1 1", lattice="4 1 0 0 5 0 0 0 1"), "rectangular Lattice.*4 1 0"),
        (xyz("1 1 1", lattice="4 0 0 0 5 0 0 0 nan"), "rectangular Lattice.*nan"),
        (xyz("1 1 1", lattice="-4 0 0 0 5 0 0 0 1"), "positive sides.*-4"),
        (xyz("1 1 1", lattice="4 5 1"), "rectangular Lattice.*4 5 1"),
        (xyz("1 1 1", more='Lattice="4 0 0 0 4 0 0 0 4"'), "Lattice once in line 2"),
        (xyz("1 1", properties="pos:R:2"), "a column radius in .*got pos"),
        (xyz("1 1 1", more='comment="unclosed'), "closed in line 2 .*unclosed"),
        *(
            (xyz("1 1 1", more=f'pbc="{pbc}"'), f'got pbc="{pbc}"')
            for pbc in ("", "T T", "T T T T", "yes no yes", "F F F", "T F T", "F T T", "T F F")
        ),
        *(
            (xyz("1 1 1", properties=wrong), "name:type:count.*got")
            for wrong in (
                "pos:R:0:radius:R:1",
                "pos:R:-2",
                "pos:X:2:radius:R:1",
                "pos:R",
                "pos",
                "pos:R:2:radius",
                "pos:R:two:radius:R:1",
                ":R:2:radius:R:1",
                "pos:R:2:",
                "pos:R:99999999999999999999",
            )
        ),
        (xyz("1 1 1 1 1", properties="pos:R:2:pos:R:2:radius:R:1"), "column pos once"),
        (xyz("1 1 1", properties="pos:S:2:radius:R:1"), "column pos:R:2.*got pos:S:2"),
        (xyz("1 1", properties="pos:R:1:radius:R:1"), "column pos:R:2 or pos:R:3.*got pos:R:1"),
        (flat("A .5 .5 0 .5 .5 .5", properties=f"{SPHERES[:-1]}3"), "radius:R:1.*got radius:R:3"),
        (flat("A 1 1 1 .5", "A 1 1 4 .5"), "pbc.*one height.*pos with z from 1 to 4"),
        (flat("A 1 1 1 .5", "A 1 1 1.001 .5", lattice="4 0 0 0 5 0 0 0 6"), "z from 1 to 1.001"),
        (xyz("1 1 .5 2", properties="pos:R:2:radius:R:1:diameter:R:1"), "half of the diameter"),
        (xyz("1 1 2 1", properties="pos:R:2:aspect:R:1:radius:R:1"), "round.*aspect"),
        (xyz("1 1 2 1 1", properties="pos:R:2:shape:R:2:radius:R:1"), "round.*shape"),
        (xyz("1 1 0 0 0 1 1", properties="pos:R:2:Quat:R:4:radius:R:1"), "round.*Quat"),
        (xyz("1 1 0 0.5 1", properties="pos:R:2:angle:R:1:aspect:R:1:diameter:R:1"), "aspect >= 1"),
        (flat("A 1 1 0 1 .5 .5 1 0 0 0 1", properties=SHAPED), "turns about z.*orientation, 1 0 0"),
        (flat("A 1 1 0 1 .5 .5 0 0 0 0 1", properties=SHAPED), "turns about z.*orientation, 0 0 0"),
        (flat("A 1 1 0 1 0 .5 0 0 0 1 1", properties=SHAPED), "positive numbers for aspherical"),
        (xyz("A 1 1 0 1 .5 .5 0 0 0 0 1", properties=SHAPED), "not 0.*orientation, 0 0 0 0"),
    ],
)
def test_what_is_no_packing_is_refused_in_one_line(tmp_path, text, message):
    path = tmp_path / "bad.xyz"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        read_xyz(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def read_back(tmp_path, text, frame=-1):
    (tmp_path / "a.xyz").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_xyz(tmp_path / "a.xyz", frame)


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + flat(*TWO).encode(),
        flat(*TWO).replace("\n", "\r\n"),
        flat(*TWO) + "\n \n",
        "\n" + flat(*TWO).rstrip("\n"),
        flat(*TWO).replace("pbc", "comment=don't pbc"),
        flat(*TWO).replace("pbc", "'tis free text, it's so: pbc"),
        flat(*TWO).replace("pbc", 'comment="the old pbc=T F T\\" was wrong" pbc'),
        flat(*TWO, lattice="4 1e-16 0 0 5 0 -2e-17 0 1"),
        flat(*TWO, lattice="4, 0, 0, 0, 5, 0, 0, 0, 1"),
        flat("A 0.5 0.5 3 0.5", "A 2 2 3 0.7"),
        flat("A 0.5 0.5 0 1", "A 2 2 0 1.4", properties=SPHERES.replace("radius", "Diameter")),
        flat("A .5 .5 0 5E-1", "A +2 2.0 -0 .7"),
        flat("A nan 0.5 0.5 0 .5", "A inf 2 2 0 .7", properties=f"s:S:1:charge:R:1:{SPHERES[12:]}"),
        flat(*TWO).replace("Lattice=", "lattice = ").replace("pbc=", "PBC="),
        flat(*TWO).replace('"T T F"', '"True true FALSE"'),
    ],
)
def test_what_other_programs_write_is_read(tmp_path, text):
    problem, x = read_back(tmp_path, text)
    assert problem.dim == 2
    np.testing.assert_array_equal(problem.box, [4.0, 5.0])
    np.testing.assert_allclose(problem.diameters, [1.0, 1.4], rtol=1e-15)
    np.testing.assert_array_equal(x, [0.5, 0.5, 2.0, 2.0])


def test_blank_lines_stand_between_frames(tmp_path):
    text = flat(*TWO) + "\n" + flat("A 1.5 0.5 0 0.5", "A 3 2 0 0.7") + "\n\n" + flat(TWO[0])
    assert read_back(tmp_path, text, 0)[1][0] == 0.5
    np.testing.assert_array_equal(read_back(tmp_path, text, 1)[1], [1.5, 0.5, 3.0, 2.0])
    assert read_back(tmp_path, text)[0].n_bodies == 1
    with pytest.raises(ValueError, match=r"frame 3 in .*with 3"):
        read_back(tmp_path, text, 3)


@pytest.mark.parametrize(
    ("properties", "turned", "upright"),
    [
        (SHAPED, "0 0 0 1", "0 0 .7071067811865476 .7071067811865476"),
        (SHAPED, "0 0 0 3", "0 0 -2 2"),
        (SHAPED.replace("aspherical_shape", "AsphericalShape"), "0 0 -1 0", "0 0 1 1"),
    ],
)
def test_ellipsoids_of_another_program_are_ellipses(tmp_path, properties, turned, upright):
    rows = f"A 1 1 0 1 .5 .5 {turned} 1", f"A 3 3 0 1 .5 .2 {upright} 1", "A 2 4 0 .5 1 1 0 0 0 1 1"
    problem, x = read_back(tmp_path, flat(*rows, properties=properties))
    assert isinstance(problem, Ellipses)
    np.testing.assert_allclose(problem.diameters, [1.0, 1.0, 1.0])
    np.testing.assert_allclose(problem.aspect, [2.0, 2.0, 2.0])
    np.testing.assert_allclose(np.sin(x[2::3]) ** 2, [0.0, 1.0, 1.0], atol=1e-15)


def test_round_ellipsoids_in_space_are_spheres(tmp_path):
    text = xyz("A 1 1 3 .5 .5 .5 1 0 0 1 9", properties=SHAPED, lattice="4 0 0 0 4 0 0 0 4")
    problem, x = read_back(tmp_path, text)
    assert problem.dim == 3
    np.testing.assert_array_equal(problem.diameters, [1.0])
    np.testing.assert_array_equal(x, [1.0, 1.0, 3.0])


@pytest.mark.parametrize("place", [0, 1, 2])
def test_ellipsoids_of_another_program_keep_their_shapes(tmp_path, place):
    """A spheroid whose axis of revolution is the first, the second or the third, and another."""
    half, turn = np.full(3, 0.5), Rotation.from_rotvec([0.3, -0.8, 0.5])
    half[place] = 1.2
    quaternion = " ".join(map(str, 2.0 * turn.as_quat()))
    rows = (
        f"A 1 1 3 {half[0]} {half[1]} {half[2]} {quaternion} 1",
        f"A 3 3 3 .7 .6 .5 {quaternion} 1",
    )
    text = xyz(*rows, properties=SHAPED, lattice="9 0 0 0 9 0 0 0 9")
    problem, x = read_back(tmp_path, text)
    assert isinstance(problem, Ellipsoids)
    assert problem.variables.tolist() == [5, 6]
    axes = turn.as_matrix()
    for k, body in enumerate((half, np.array([0.7, 0.6, 0.5]))):
        found = np.zeros((3, 3))
        found[*np.triu_indices(3)] = problem.shapes(problem.bodies(x))[k]
        expected = np.triu(axes @ np.diag(body**2) @ axes.T)
        np.testing.assert_allclose(found, expected, atol=1e-14)


def test_a_text_too_large_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "large.xyz").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ValueError, match=r"at most .* bytes in .*large.xyz"):
        read_xyz(tmp_path / "large.xyz")


def test_text_in_another_encoding_is_refused(tmp_path):
    for text in (flat(*TWO).replace("pbc", "größe pbc").encode("latin-1"), b"\xff\xfe2\0"):
        with pytest.raises(ValueError, match=r"UTF-8 in .*a.xyz, got 0xf"):
            read_back(tmp_path, text)


FIELDS = st.sampled_from(
    ["species", "pos", "radius", "diameter", "angle", "aspect", "aspherical_shape", "orientation"]
)
TYPES, COUNTS = st.sampled_from("RISLX"), st.sampled_from(["1", "2", "3", "4", "0", "-1", ""])
WORDS = st.sampled_from(["A", "1", "0.5", "-1", "nan", "1e999", "1_0", "T", "", "\ufeff"])


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(FIELDS, TYPES, COUNTS).map(":".join), max_size=5),
    st.lists(st.lists(WORDS, max_size=8).map(" ".join), max_size=3),
    st.sampled_from(["T T T", "T T F", "F F F", "", "T"]),
)
def test_any_columns_are_read_or_refused_in_one_line_that_names_the_file(
    tmp_path, properties, rows, pbc
):
    path = tmp_path / "a.xyz"
    head = f'Lattice="4 0 0 0 5 0 0 0 6" Properties={":".join(properties)} pbc="{pbc}"'
    path.write_text("\n".join([str(len(rows)), head, *rows]), encoding="utf-8")
    try:
        problem, x = read_xyz(path)
    except ValueError as error:
        said = str(error)
        assert str(path) in said
        assert len(said.splitlines()) == 1
    else:
        assert np.isfinite(problem.gaps(x)).all()

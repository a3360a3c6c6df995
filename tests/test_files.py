"""Packings come back from files as they were, and other programs' files are read or refused."""

import numpy as np
import pytest
from gsd import hoomd
from hypothesis import given, settings
from hypothesis import strategies as st

from particles import Discs, Ellipses, plot, read_gsd, read_xyz, write_gsd, write_xyz
from particles.pictures import png
from particles.strategies import discs, ellipses

FORMATS = {"xyz": (write_xyz, read_xyz), "gsd": (write_gsd, read_gsd)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("packings")


@settings(deadline=None, max_examples=30)
@given(st.one_of(discs(), ellipses()), st.sampled_from(sorted(FORMATS)))
def test_a_packing_comes_back_bit_by_bit(folder, system, form):
    problem, x = system
    write, read = FORMATS[form]
    path = folder / f"packing.{form}"
    write(path, problem, np.stack([x, x + 7.0]))
    for frame, state in enumerate((x, x + 7.0)):
        got, y = read(path, frame)
        assert type(got) is type(problem)
        assert np.array_equal(y, state)
        assert np.array_equal(got.diameters, problem.diameters)
        assert np.array_equal(got.box, problem.box)
        assert got.energy_gradient(y)[0] == problem.energy_gradient(state)[0]


def test_gsd_carries_what_other_programs_draw(tmp_path):
    problem = Ellipses(np.array([1.0, 1.4]), 2.0, np.array([6.0, 5.0]))
    write_gsd(tmp_path / "e.gsd", problem, np.array([1.0, 1.0, np.pi / 2, 7.0, 4.0, 0.0]))
    with hoomd.open(str(tmp_path / "e.gsd"), "r") as file:
        frame = file[0]
    assert frame.configuration.dimensions == 2
    np.testing.assert_allclose(frame.particles.position, [[-2, -1.5, 0], [-2, 1.5, 0]])
    np.testing.assert_allclose(frame.particles.orientation[0], [0.5**0.5, 0, 0, 0.5**0.5])
    assert frame.particles.type_shapes[1] == {"type": "Ellipsoid", "a": 1.4, "b": 0.7, "c": 0.7}


def test_a_file_of_another_program_is_read(tmp_path):
    lines = [
        "2",
        'Lattice="4.0 0.0 0.0 0.0 5.0 0.0 0.0 0.0 1.0" Properties=species:S:1:pos:R:2:radius:R:1',
        "A 1.0 1.0 0.5",
        "B 2.0 1.0 0.7",
    ]
    (tmp_path / "a.xyz").write_text("\n".join(lines))
    problem, x = read_xyz(tmp_path / "a.xyz")
    assert isinstance(problem, Discs)
    assert problem.dim == 2
    np.testing.assert_allclose(problem.diameters, [1.0, 1.4])
    np.testing.assert_allclose(x, [1.0, 1.0, 2.0, 1.0])


def energy_of(path):
    problem, x = read_xyz(path)
    return problem.energy_gradient(x)[0]


HEAD = 'Lattice="4 0 0 0 5 0 0 0 1" Properties=pos:R:2:radius:R:1'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "frame 0"),
        ("two\n", "number of bodies in line 1"),
        (f"2\n{HEAD}\n1 1 1\n", "expected 2 bodies.*truncated"),
        (f"1\n{HEAD}\n1 one 1\n", "2 numbers for pos"),
        (f"1\n{HEAD}\n1 nan 1\n", "finite"),
        (f"1\n{HEAD}\n1 1 -1\n", "diameters to be positive"),
        ("1\nProperties=pos:R:2:radius:R:1\n1 1 1\n", "rectangular Lattice"),
        (f"1\n{HEAD.replace('4 0 0', '4 1 0')}\n1 1 1\n", "rectangular Lattice"),
        ('1\nLattice="4 0 0 0 5 0 0 0 1" Properties=pos:R:2\n1 1\n', "columns pos and radius"),
    ],
)
def test_what_is_no_packing_is_refused_in_one_line(tmp_path, text, message):
    (tmp_path / "bad.xyz").write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        energy_of(tmp_path / "bad.xyz")
    assert "\n" not in str(caught.value)


def test_gsd_of_another_program_is_refused(tmp_path):
    with hoomd.open(str(tmp_path / "other.gsd"), "w") as file:
        frame = hoomd.Frame()
        frame.particles.N = 1
        frame.particles.position = [[0.0, 0.0, 0.0]]
        frame.configuration.box = [3.0, 3.0, 3.0, 0.0, 0.0, 0.0]
        file.append(frame)
    with pytest.raises(ValueError, match="written by write_gsd"):
        read_gsd(tmp_path / "other.gsd")
    with pytest.raises(ValueError, match="frame 3"):
        read_gsd(tmp_path / "other.gsd", 3)


@settings(deadline=None, max_examples=10)
@given(st.one_of(discs(), ellipses()))
def test_every_packing_can_be_drawn(system):
    problem, x = system
    mode = np.random.default_rng(0).standard_normal(x.size)
    assert png(problem, x, mode=mode)[:8] == b"\x89PNG\r\n\x1a\n"


def test_the_picture_shows_bodies_contacts_and_arrows():
    pair = Discs(np.ones(2), np.full(2, 5.0))
    x = np.array([2.0, 2.0, 2.9, 2.0])
    ax = plot(pair, x, mode=np.array([1.0, 0.0, -1.0, 0.0]))
    shapes, bars, arrows = ax.collections
    assert len(shapes.get_offsets()) == 2
    assert len(bars.get_paths()) == 2  # one contact, drawn from either body
    np.testing.assert_allclose(arrows.U, [1.0, -1.0])
    assert len(plot(pair, x, forces=False).collections) == 1


def test_bars_are_as_wide_as_forces_and_ellipses_show_how_they_turn():
    """Three bodies in a row whose overlaps are as 1 : 3; one ellipse turns left, one right."""
    row = Discs(np.ones(3), np.full(2, 9.0))
    bars = plot(row, np.array([1.0, 2.0, 1.99, 2.0, 2.96, 2.0])).collections[1].get_paths()
    widths = [np.ptp(bar.vertices[:, 1]) for bar in bars]
    assert widths[1] / widths[0] == pytest.approx(3.0)
    pair = Ellipses(np.ones(2), 2.0, np.full(2, 9.0))
    mode = np.array([0.0, 0.0, 1.0, 0.0, 0.0, -1.0])
    left, right = (
        plot(pair, np.array([3, 3, 0, 6, 6, 1]), mode=mode).collections[0].get_facecolors()
    )
    assert left[2] > left[0]  # purple: more blue than red
    assert right[0] > right[2]


def test_a_body_on_the_wall_is_drawn_on_both_sides():
    single = Discs(np.ones(1), np.full(2, 5.0))
    shapes = plot(single, np.array([0.1, 0.1])).collections[0]
    assert len(shapes.get_offsets()) == 4

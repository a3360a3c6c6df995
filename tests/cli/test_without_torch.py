"""Packings, the perceptron and clusters need no torch; what needs it says so before any work."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "without_torch.py"


def said(folder, *arguments):
    shown = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], cwd=folder, capture_output=True, text=True
    )
    return shown.returncode, shown.stdout, shown.stderr


def python(code):
    start = f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r}); import without_torch; "
    return subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True)


WORKING = {
    "discs": ["jam", "discs", "--n", "8", "--pressure", "1e-2"],
    "perceptron": ["jam", "perceptron", "--n", "20"],
    "cluster": ["landscape", "lj", "--n", "4", "--searches", "0"],
}
NEEDING = {
    "jam network": ["jam", "network", "--width", "3"],
    "avalanche network": ["avalanche", "network", "--width", "3", "--out", "a.sqlite"],
    "transition": ["transition", "network", "--width", "3"],
    "compare": ["compare"],
    "classifier": ["landscape", "classifier", "--out", "a.sqlite"],
    "landscape of a network": ["landscape", "network", "--out", "a.sqlite"],
    "all claims": ["claims"],
    "one claim": ["claims", "learning"],
    "ensemble": ["ensemble", "grid.toml"],
}


@pytest.mark.parametrize("arguments", WORKING.values(), ids=WORKING)
def test_what_needs_no_torch_works_without_it(arguments, tmp_path):
    code, out, err = said(tmp_path, *arguments)
    assert code == 0, err
    assert out


@pytest.mark.parametrize("arguments", NEEDING.values(), ids=NEEDING)
def test_what_needs_torch_names_the_remedy_before_any_work(arguments, tmp_path):
    (tmp_path / "grid.toml").write_text(
        'seeds = 2\n[[runs]]\ncommand = "jam"\nsystem = "network"\nwidth = 3\n'
    )
    code, out, err = said(tmp_path, *arguments)
    assert (code, out) == (2, "")
    assert err == (
        "jamscape: expected torch, in which networks are computed, got none "
        "(No module named 'torch'): pip install torch\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["grid.toml"]


def test_a_store_of_packings_is_made_and_read_without_torch(tmp_path):
    (tmp_path / "grid.toml").write_text(
        'seeds = 2\n[[runs]]\ncommand = "jam"\nsystem = "discs"\nn = 8\npressure = 1e-2\n'
    )
    ensemble = ["ensemble", "grid.toml", "--out", "a.sqlite", "--workers", "1"]
    assert said(tmp_path, *ensemble)[0] == 0
    assert said(tmp_path, "collect", "a.sqlite", "-o", "a.csv")[0] == 0
    assert said(tmp_path, "report", "a.sqlite", "-o", "a.html")[0] == 0


def test_doctor_says_that_torch_is_missing(tmp_path):
    code, out, _ = said(tmp_path, "doctor")
    assert code == 0
    assert "missing torch, for networks: pip install torch" in out


def test_particles_and_the_bridge_work_without_torch():
    shown = python(
        "import numpy as np; from bridge import check_problem, observe;"
        "from particles import Discs, minimise;"
        "packing = Discs.bidisperse(8, 0.9);"
        "end = minimise(packing, packing.random_state(np.random.default_rng(0)));"
        "check_problem(packing, end.x); print(observe(packing, end.x).n_dof)"
    )
    assert (shown.stdout, shown.stderr) == ("16\n", "")


def test_importing_networks_names_the_remedy():
    last = python("import networks").stderr.splitlines()[-1]
    assert last == (
        "ImportError: expected torch, in which networks are computed, got none "
        "(No module named 'torch'): pip install torch"
    )

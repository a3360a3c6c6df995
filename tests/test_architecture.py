"""The walls of the house, from the outside: what an import brings with it."""

import subprocess
import sys

import pytest


def imported_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in shown.stdout.split()}


@pytest.mark.parametrize(
    ("statement", "without"),
    [
        ("import particles", {"torch", "networks", "bridge", "matplotlib", "hypothesis"}),
        (
            "import networks",
            {"numba", "particles", "bridge", "matplotlib", "hypothesis", "sklearn"},
        ),
        ("from bridge import observe, spectrum", {"numba", "torch", "particles", "networks"}),
        (
            "from bridge.cli.main import assemble; assemble([])",
            {"numpy", "scipy", "numba", "torch", "particles", "networks"},
        ),
    ],
)
def test_an_import_brings_no_more_than_it_needs(statement, without):
    assert not imported_by(statement) & without


def test_nothing_changes_the_default_dtype_or_threads():
    code = (
        "import torch; before = torch.get_default_dtype(), torch.get_num_threads();"
        "import networks, bridge;"
        "assert before == (torch.get_default_dtype(), torch.get_num_threads())"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

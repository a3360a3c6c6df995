"""What stands beside the packages: every script can be imported, and names what there is."""

import ast
import importlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BENCHMARKS = sorted((ROOT / "benchmarks").glob("*.py"))
EXAMPLES = sorted((ROOT / "examples").rglob("*.py"))
OURS = ("bridge", "networks", "particles")

# One process for all of them; each is loaded as it is by another script, without its main part.
IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except Exception as error:
        print(f"{name}: {error!r}")
"""


def test_every_benchmark_can_be_imported():
    """Without the peers that some compare with: these are imported where they are run."""
    command = [sys.executable, "-c", IMPORT_ALL, *(path.stem for path in BENCHMARKS)]
    folder, here = ROOT / "benchmarks", os.environ | {"PYTHONPATH": str(ROOT)}
    shown = subprocess.run(
        command, cwd=folder, env=here, capture_output=True, text=True, check=True
    )
    assert shown.stdout == ""


@pytest.mark.parametrize("path", BENCHMARKS + EXAMPLES, ids=lambda path: path.stem)
def test_a_script_names_what_there_is(path):
    """Imports inside functions too, which nothing runs until somebody calls them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in OURS:
            for alias in node.names:
                assert is_there(node.module, alias.name), f"{node.module} has no {alias.name}"


def is_there(module, name):
    if hasattr(importlib.import_module(module), name):
        return True
    return importlib.util.find_spec(f"{module}.{name}") is not None


def test_every_example_is_one_that_is_run():
    """`test_examples` runs what has a number; there is no other file."""
    assert all(path.name[0].isdigit() for path in EXAMPLES)

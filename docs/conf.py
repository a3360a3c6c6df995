"""The documentation site: `make docs` builds it with warnings as errors."""

import runpy
import shutil
from importlib import metadata
from pathlib import Path

from bridge.runs.workers import use_one_thread

use_one_thread()  # for the notebooks, which inherit it

HERE = Path(__file__).parent

project = "jamscape"
author = "The jamscape developers"
release = metadata.version("jamscape")
copyright = "the jamscape developers, MIT licence"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx-mathjax-offline",  # formulas show without a network
]
templates_path = ["_templates"]
html_theme = "furo"
html_title = "jamscape"
scripts = [path.name for path in HERE.glob("*.py")]
exclude_patterns = ["_build", "course/notebooks", *scripts]

runpy.run_path(str(HERE / "commands.py"))["write"](HERE / "commands.md")

# The course is kept with the examples, as scripts that the tests run.
COURSE = HERE / "course"
shutil.rmtree(COURSE, ignore_errors=True)
shutil.copytree(HERE.parent / "examples" / "course", COURSE)  # with the times of the files
runpy.run_path(str(HERE / "notebooks.py"))["write"](COURSE / "notebooks")  # to be downloaded
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / "notebooks")
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"  # shapes and units stand in the text
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
napoleon_use_ivar = True
default_role = "py:obj"
suppress_warnings = ["ref.python"]  # shapes such as (n_dof,) stand where types would


def _set_equations_apart(app, what, name, obj, options, lines):
    """Show the indented equations of a docstring's text as they are written."""
    text = next((i for i, line in enumerate(lines) if line.startswith("---")), len(lines))
    for i in range(text - 1, 0, -1):
        if lines[i].startswith("    ") and not lines[i - 1]:
            lines[i:i] = ["::", ""]


def setup(app):
    """Connect before the sections of a docstring are read."""
    app.connect("autodoc-process-docstring", _set_equations_apart, priority=400)

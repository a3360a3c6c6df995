"""Tests import their systems with exact answers as ``problems``.

Where ``CI`` is set, hypothesis draws the same examples each time, so that a change is judged by
what it changed; everywhere else each run draws new ones.
"""

import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from browsing import browser, visit  # noqa: F401 - fixtures
from hypothesis import settings

from bridge.runs.workers import use_one_thread

use_one_thread()  # before numpy is imported: small matrices lose more than they gain by a second
sys.path.insert(0, str(Path(__file__).parent))

collect_ignore = ["without_torch.py"]  # a script, which hides torch where it is imported

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# Jobs in the background of a script, and those under nohup, ignore these, and so would all that
# they start: tests of how a run ends ask for what a terminal does.
for name, handler in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
    number = getattr(signal, name, None)
    if number is not None and signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, handler)


@pytest.fixture
def in_memory(tmp_path):
    """Return a folder in which synchronising a file takes no time, where there is one."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def lecture_folder(tmp_path_factory):
    """Return where the files of the lecture page are."""
    return tmp_path_factory.mktemp("lecture")


@pytest.fixture(scope="session")
def lecture_store(lecture_folder):
    from lecture import make_store

    return make_store(lecture_folder / "compare.sqlite")


@pytest.fixture(scope="session")
def lecture_surface(lecture_folder):
    from lecture import make_surface

    return make_surface(lecture_folder / "surface.sqlite")


@pytest.fixture(scope="session")
def lecture(lecture_folder, lecture_store, lecture_surface):
    from lecture import make_page

    return make_page(lecture_folder / "lecture.html", lecture_store, lecture_surface)


@pytest.fixture(scope="session")
def lecture_motions(lecture_folder):
    from lecture import make_motions

    return make_motions(lecture_folder / "motions.sqlite")


@pytest.fixture(scope="session")
def played(lecture_folder, lecture_store, lecture_motions):
    from lecture import make_page

    return make_page(lecture_folder / "played.html", lecture_store, lecture_motions)


@pytest.fixture(scope="session")
def undecided(lecture_folder):
    from lecture import make_page, make_undecided

    return make_page(
        lecture_folder / "undecided.html", make_undecided(lecture_folder / "undecided.sqlite")
    )


@pytest.fixture(scope="session")
def lj7():
    """Return the complete landscape of seven Lennard-Jones atoms."""
    from explored import explore

    from particles.landscapes.clusters import LennardJones

    return explore(LennardJones(7), 20, 250)[1]

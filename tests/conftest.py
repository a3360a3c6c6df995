"""Tests import their systems with exact answers as ``problems``.

Where ``CI`` is set, hypothesis draws the same examples each time, so that a change is judged by
what it changed; everywhere else each run draws new ones.
"""

import os
import sys
from pathlib import Path

from hypothesis import settings

from bridge.workers import use_one_thread

use_one_thread()  # before numpy is imported: small matrices lose more than they gain by a second
sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

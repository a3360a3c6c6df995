"""What the record of an exact jamming point says of the gaps and bodies that hold it."""

import numpy as np
import pytest

from bridge.runs.kinds.jam import JamRun
from bridge.systems import systems


@pytest.fixture(scope="module")
def record():
    return JamRun(systems()["discs"](n=32), (1,), exact=True).compute()


def test_the_gaps_of_the_backbone_are_kept(record):
    """All pairs between held bodies: those that carry the forces are closed, the others open."""
    gaps = record.arrays["gaps"]
    forces = record.arrays["gap_forces"]
    assert record.status == "jammed"
    assert (np.abs(gaps) < 1e-12).sum() == record.data["n_constraints"] == (forces > 0).sum()
    assert gaps.max() <= 1e-12
    assert (gaps < -1e-3).any()


def test_the_bodies_that_hold_it_are_told_from_loose_ones(record):
    held = record.arrays["held"]
    pairs = record.arrays["pairs"][record.arrays["gap_forces"] > 0]
    assert set(np.flatnonzero(held)) == set(pairs.ravel())
    # Two variables each, less two translations, and one constraint more.
    assert 2 * held.sum() - 2 == record.data["n"] == record.data["n_constraints"] - 1

"""Packings in space on the page: their depths and shapes are those of the record."""

import numpy as np
import pytest

from bridge.report.frames import frames
from bridge.runs.kinds.jam import JamRun
from bridge.runs.reopen import reopened
from bridge.systems import EllipsoidSystem, SphereSystem

from lecture import unpacked


@pytest.mark.parametrize(
    "system",
    [
        SphereSystem(n=12, pressure=1e-3),
        EllipsoidSystem(n=8, axes=(1.6, 1.0, 0.7), pressure=1e-3),
    ],
)
def test_bodies_are_sorted_upwards_with_their_depths_and_shapes(system):
    record = JamRun(system, (0,)).compute()
    (frame,) = frames([record])
    problem, x = reopened(record)
    bodies = problem.bodies(x)
    inside = bodies[:, :3] % problem.box / problem.box
    order = np.argsort(inside[:, 2], kind="stable")
    assert frame["depth"] == 1.0
    assert frame["angle"] is None
    for k, name in enumerate("xyz"):
        shown = unpacked(frame[name], "<u2") / 65536
        np.testing.assert_allclose(shown, inside[order, k], atol=1e-5)
    if not problem.n_angles:
        assert "solids" not in frame
        return
    solids = unpacked(frame["solids"], "<i2").reshape(-1, 6) * frame["solid_unit"]
    expected = problem.shapes(bodies)[order] / problem.box[0] ** 2
    np.testing.assert_allclose(solids, expected, atol=1e-4 * np.abs(expected).max())

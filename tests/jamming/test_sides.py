"""The side of a kink that is at zero and holds nothing."""

import numpy as np
import pytest
from folded import Folded

from bridge.jamming.kinks import HeldKinks
from bridge.jamming.linearised import Linearised


def equal_kinks(place):
    """Return two gaps over a plane that bend on the same line ``x_0 = 0``, the second beside it."""
    return Folded(
        normals=np.array([[1.0, 1.0], [1.0, -1.0]]),
        offsets=np.array([0.1, 0.1]),
        folds=np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
        places=np.array([0.0, place, 1.0]),
        owners=np.array([0, 1, 0]),
        strengths=np.array([1.0, 1.0, 1.0]),
    )


@pytest.mark.parametrize("above", [True, False])
@pytest.mark.parametrize("rounding", [1e-15, -1e-15])
def test_rounding_does_not_tell_the_side_of_an_idle_kink_at_zero(above, rounding):
    problem = equal_kinks(1e-14 if above else -1e-14)
    held = HeldKinks(np.array([0]), np.array([0.5]), np.array([False]))
    here = Linearised.at(problem, np.zeros(2), held)
    rows, forces = np.array([0, 1, 2]), np.array([1.0, 1.0, 0.5])
    motion = np.array([rounding - problem.places[1], 0.0])
    there = here.moved(motion, 0.0, rows, forces)
    idle = there.kinks.names.tolist().index(1)
    assert there.kinks.above[idle] == above
    slope = there.branch.gap_jacobian(there.x, np.array([1]))
    np.testing.assert_array_equal(slope, [[1.0 + above, -1.0]])


def test_an_idle_kink_that_a_motion_crosses_is_on_its_other_side():
    problem = equal_kinks(1e-3)
    held = HeldKinks(np.array([0]), np.array([0.5]), np.array([False]))
    here = Linearised.at(problem, np.zeros(2), held)
    there = here.moved(np.array([-2e-3, 0.0]), 0.0, np.array([0, 1, 2]), np.array([1.0, 1.0, 0.5]))
    assert not there.kinks.above[there.kinks.names.tolist().index(1)]

"""Packings of 1 to 40 bodies, in boxes so small that images interact, against plain sums."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packing_strategies import discs, ellipses, ellipsoids
from plain_packings import plain_energy_gradient


@settings(deadline=None, max_examples=150)
@given(st.one_of(discs(), ellipses(max_aspect=10.0), ellipsoids(max_n=12)))
def test_gaps_energies_and_gradients(system):
    problem, x = system
    gaps, energy, gradient = plain_energy_gradient(problem, x)
    np.testing.assert_allclose(np.sort(problem.gaps(x)), gaps, rtol=0, atol=1e-11)
    found, slope = problem.energy_gradient(x)
    assert found == pytest.approx(energy, rel=1e-11, abs=1e-20)
    np.testing.assert_allclose(slope, gradient, rtol=0, atol=1e-10 * max(1.0, abs(gradient).max()))

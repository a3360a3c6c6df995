import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import lbfgs
from particles import Discs, Perceptron

from problems import Balls, Chain, Halfspaces

CROSS = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_a_minimum_that_was_built_is_found(seed, n):
    """Columns that sum to zero balance equal forces: ``Aᵀ 1 = 0`` makes ``Δ(x*) = 1`` a minimum."""
    rng = np.random.default_rng(seed)
    normals = rng.normal(size=(3 * n, n))
    normals -= normals.mean(axis=0)
    minimum = rng.normal(size=n)
    found = lbfgs(Halfspaces(normals, 1.0 - normals @ minimum), np.zeros(n), tolerance=1e-9)
    assert found.status == "jammed"
    assert found.energy == pytest.approx(1.5 * n)
    assert found.x == pytest.approx(minimum, abs=1e-5)


def test_an_energy_that_vanishes_is_unjammed():
    found = lbfgs(Chain(5), np.linspace(0, 2, 5))
    assert (found.status, found.energy) == ("unjammed", 0.0)


def test_a_squeezed_state_is_jammed_at_its_energy():
    found = lbfgs(Halfspaces(CROSS, np.full(4, 0.1)), np.array([0.03, -0.05]))
    assert found.status == "jammed"
    assert found.energy == pytest.approx(0.02)


def test_too_few_evaluations_say_so():
    found = lbfgs(Balls(np.eye(3) * 9, 1.0), np.zeros(3), max_evaluations=2)
    assert (found.status, found.reason) == ("stalled", "2 evaluations were not enough")


def test_the_start_is_not_changed_and_nan_is_refused():
    start = np.array([0.0, 0.2, 0.4])
    lbfgs(Chain(3), start)
    assert start.tolist() == [0.0, 0.2, 0.4]
    with pytest.raises(ValueError, match="expected a finite"):
        lbfgs(Chain(3), np.array([0.0, np.nan, 1.0]))


def test_a_balance_of_forces_in_a_saddle_is_stalled():
    """Opposite to the one pattern of a perceptron, at the top of its energy."""
    problem = Perceptron(np.array([[1.0, 0.0]]), sigma=-0.5)
    end = lbfgs(problem, np.array([-1.0, 0.0]))
    assert end.status == "stalled"
    assert "negative" in end.reason
    assert lbfgs(problem, np.array([-1.0, 0.0]), certify=False).status == "jammed"


def test_a_row_of_discs_holds_nothing():
    row = Discs(np.ones(4), np.array([3.6, 9.0]))
    end = lbfgs(row, np.array([0.0, 1.0, 0.9, 1.0, 1.8, 1.0, 2.7, 1.0]))
    assert end.status == "stalled"
    assert "holds anything" in end.reason


def test_what_is_too_large_to_be_certified_is_stalled_and_raises_nothing(monkeypatch):
    monkeypatch.setattr("bridge.measure.stability.DENSE_LIMIT", 1)
    end = lbfgs(Halfspaces(CROSS, np.full(4, 0.1)), np.array([0.03, -0.05]))
    assert end.status == "stalled"
    assert end.reason.startswith("2 variables are too many")

"""Descents of the linear hinge along edges: their ends are certified, whatever the system."""

import numpy as np
import pytest

from bridge.descent.corners import Corner, settle
from bridge.descent.linear_certificate import certify
from particles import Perceptron, descend, minimise

from linear_problems import energy, small


@pytest.mark.parametrize(("kind", "minimiser"), [("perceptron", descend), ("discs", minimise)])
def test_a_descent_ends_in_a_certified_minimum_below_its_start(kind, minimiser):
    rng = np.random.default_rng(2)
    problem = small(kind, rng)
    x = minimiser(problem, problem.random_state(rng)).x
    end = settle(Corner.at(problem, x))
    assert (end.status, end.reason) == ("jammed", "")
    assert end.pivots > 0
    assert end.energy == pytest.approx(energy(problem, end.x), abs=1e-9)
    assert end.energy < energy(problem, x)
    assert certify(problem, end.x, end.marginal, end.forces).flaw() == ""


def test_a_descent_without_violations_ends_at_once():
    problem = Perceptron(np.eye(2), sigma=-0.5)
    end = settle(Corner.at(problem, np.ones(2)))
    assert (end.status, end.pivots, end.energy) == ("unjammed", 0, 0.0)


def test_a_descent_of_too_many_edges_is_stalled():
    rng = np.random.default_rng(0)
    problem = Perceptron.random(12, 8.0, -0.5, rng)
    end = settle(Corner.at(problem, problem.random_state(rng)), most=3)
    assert (end.status, end.reason) == ("stalled", "3 edges were not enough")

"""What the certificate of a minimum of the linear hinge refuses: it is forged in each part."""

from dataclasses import replace

import numpy as np
import pytest

from bridge import linear_minimum
from bridge.descent.linear_certificate import certify
from bridge.protocols import HasCurvature
from particles import Perceptron, descend

from linear_problems import FlatHalfspaces, RoundedHalfspaces


def honest():
    rng = np.random.default_rng(0)
    problem = Perceptron.random(20, 8.0, -0.5, rng)
    return linear_minimum(descend(problem, problem.random_state(rng)))


def test_an_honest_certificate_has_no_flaw():
    end = honest()
    assert isinstance(end.problem, HasCurvature)
    assert certify(end.problem, end.x, end.marginal, end.forces).flaw() == ""


def test_a_state_beside_the_corner_is_refused():
    end = honest()
    moved = end.x + 1e-9 * np.random.default_rng(1).standard_normal(20)
    assert "marginal gaps" in certify(end.problem, moved, end.marginal, end.forces).flaw()


def test_forces_that_do_not_balance_are_refused():
    end = honest()
    forces = end.forces.copy()
    forces[0] += 1e-6
    assert "off balance" in certify(end.problem, end.x, end.marginal, forces).flaw()


def test_a_marginal_constraint_that_is_left_out_is_refused():
    end = honest()
    proof = certify(end.problem, end.x, end.marginal[1:], end.forces[1:])
    assert proof.n_free_motions == 1
    assert proof.flaw() != ""


def test_a_constraint_that_is_named_twice_is_refused():
    """Else two forces of 0.6 would be one of 1.2, which nothing marginal has."""
    problem = Perceptron(np.array([[1.0, 0.0], [-1.2, 0.0]]), sigma=0.3)
    x = np.array([0.3, np.sqrt(1.0 - 0.09)])
    with pytest.raises(ValueError, match=r"expected distinct places below 2, got \[0, 0\]"):
        certify(problem, x, np.array([0, 0]), np.array([0.6, 0.6]))


@pytest.mark.parametrize("place", [-1, 2])
def test_a_place_that_no_gap_has_is_refused(place):
    problem = Perceptron(np.eye(2), sigma=0.3)
    with pytest.raises(ValueError, match="expected distinct places below 2"):
        certify(problem, np.ones(2), np.array([place]), np.array([0.5]))


def test_a_constraint_without_a_force_is_refused():
    problem = Perceptron(np.eye(2), sigma=0.3)
    with pytest.raises(ValueError, match="expected a force for each marginal constraint, got 0"):
        certify(problem, np.ones(2), np.array([0]), np.empty(0))


def test_a_flat_motion_is_refused_although_rounding_curves_it():
    """Between two walls that pull alike the energy is constant."""
    walls = FlatHalfspaces(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -0.5]]), np.ones(4))
    bent = RoundedHalfspaces(walls.normals, np.array([1.0, 1.0, 0.0, 0.0]))
    proof = certify(bent, np.zeros(2), np.array([2]), np.array([0.5]))
    assert (proof.n_free_motions, proof.curvature) == (1, 0.0)
    assert proof.flaw() != ""


def test_a_vertex_whose_forces_are_outside_of_the_box_is_refused():
    """Every vertex of a perceptron on the circle balances: by a force that may be above 1."""
    problem = Perceptron(np.array([[1.0, 0.0], [-2.0, 0.0]]), sigma=0.3)
    x = np.array([0.3, np.sqrt(1.0 - 0.09)])
    proof = certify(problem, x, np.array([0]), np.array([2.0]))
    assert proof.dual_residual < 1e-15
    assert "inside of [0, 1]" in proof.flaw()


def test_a_balance_whose_curvature_is_negative_is_refused():
    """Opposite to a pattern its force vanishes, but the energy falls on both sides."""
    problem = Perceptron(np.array([[1.0, 0.0]]), sigma=0.5)
    proof = certify(problem, np.array([-1.0, 0.0]), np.empty(0, dtype=np.intp), np.empty(0))
    assert (proof.dual_residual, proof.n_free_motions, proof.curvature) == (0.0, 1, -1.0)
    assert "least curvature" in proof.flaw()


def test_a_state_that_nothing_holds_is_refused():
    problem = Perceptron(np.array([[1.0, 0.0]]), sigma=0.5)
    proof = certify(problem, np.array([1.0, 0.0]), np.empty(0, dtype=np.intp), np.empty(0))
    assert proof.flaw() == "no constraint holds anything"


@pytest.mark.parametrize(
    "change",
    [
        {"primal_residual": 1e-10}, {"dual_residual": 1e-9}, {"room": 0.0}, {"margin": 1e-13},
        {"n_free_motions": 1}, {"n_free_motions": 1, "curvature": -1e-9},
        {"n_marginal": 0, "n_violated": 0},
    ],
)  # fmt: skip
def test_each_part_of_a_certificate_counts(change):
    proof = honest().certificate
    assert proof.flaw() == ""
    assert replace(proof, **change).flaw() != ""

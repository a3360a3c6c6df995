"""Certificates of jamming points, forged one field at a time, and what `certify` measures."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from folded import Folded

from bridge.jamming import exact_jamming
from bridge.jamming.certificate import Candidate, Certificate, certify, settled
from bridge.jamming.hypostatic import curved_optimum
from bridge.jamming.kinks import HeldKinks
from bridge.jamming.linearised import Linearised

from problems import Halfspaces

VALID = Certificate(
    primal_residual=1e-16,
    violation=0.0,
    dual_residual=1e-15,
    min_force=0.02,
    margin=1e-3,
    n_redundant=0,
    n_constraints=11,
    n=10,
    n_self_stresses=1,
    n_free_motions=0,
    condition=1e3,
)
CURVED = replace(VALID, n_constraints=9, n_free_motions=2, curvature=0.5)


@pytest.mark.parametrize("valid", [VALID, CURVED, replace(VALID, margin=None)])
def test_a_valid_certificate_has_no_flaw(valid):
    assert valid.flaw() == ""


# What is just good enough, what just is not, and what is said of it.
EDGES = [
    ("primal_residual", 1e-12, 1.01e-12, "active gaps are off by 1.0e-12"),
    ("violation", 1e-12, 1.01e-12, "a constraint is violated by 1.0e-12"),
    ("dual_residual", 1e-10, 1.01e-10, "forces are off balance by 1.0e-10"),
    ("min_force", 1.01e-9, 1e-9, "a force is 1.0e-09 of the mean"),
    ("condition", 9.99e13, 1e14, "the condition number is 1.0e+14"),
]


@pytest.mark.parametrize(("field", "good", "bad", "said"), EDGES)
@pytest.mark.parametrize("valid", [VALID, CURVED])
def test_each_number_is_judged_at_its_threshold(valid, field, good, bad, said):
    assert replace(valid, **{field: good}).flaw() == ""
    assert replace(valid, **{field: bad}).flaw() == said
    assert replace(valid, **{field: np.nan}).flaw() == said.split("1.0e")[0] + "nan" + (
        " of the mean" if field == "min_force" else ""
    )


def test_a_pulling_force_is_a_flaw():
    assert replace(VALID, min_force=-0.3).flaw() == "a force is -3.0e-01 of the mean"


KINKED = replace(VALID, n_constraints=8, n_kinks=3, concave=0.1)
ON_SURFACE = replace(KINKED, n_surface=2, curvature=0.5)


@pytest.mark.parametrize("valid", [KINKED, ON_SURFACE, replace(KINKED, concave=1.01e-12)])
def test_a_valid_certificate_with_kinks_has_no_flaw(valid):
    assert valid.flaw() == ""


@pytest.mark.parametrize("concave", [1e-12, 0.0, np.nan])
def test_a_concave_kink_that_is_touched_is_a_flaw(concave):
    flaw = f"a concave kink is {concave} away: the load can grow across it"
    assert replace(KINKED, concave=concave).flaw() == flaw


@pytest.mark.parametrize("curvature", [None, 0.0, -1e-3, np.nan])
def test_symmetries_that_the_surface_does_not_resist_are_a_flaw(curvature):
    flaw = f"0 motions are free, the least curvature is {curvature}"
    assert replace(ON_SURFACE, curvature=curvature).flaw() == flaw
    assert replace(ON_SURFACE, curvature=curvature, n_surface=0).flaw() == ""


@pytest.mark.parametrize("count", [0, 2])
def test_other_than_one_self_stress_is_a_flaw(count):
    flaw = f"there are {count} self-stresses, not 1"
    assert replace(VALID, n_self_stresses=count).flaw() == flaw


@pytest.mark.parametrize("curvature", [None, 0.0, -0.0, -1e-3, np.nan])
def test_free_motions_that_nothing_resists_are_a_flaw(curvature):
    flaw = f"2 motions are free, the least curvature is {curvature}"
    assert replace(CURVED, curvature=curvature).flaw() == flaw
    assert replace(CURVED, n_free_motions=1, curvature=1e-9).flaw() == ""


def test_gaps_and_balance_follow_the_tolerance_asked_for():
    loose = replace(VALID, primal_residual=2e-8, violation=3e-8, dual_residual=4e-6)
    assert loose.flaw(1e-7) == ""
    assert loose.flaw(3e-8) == "forces are off balance by 4.0e-06"
    assert loose.flaw(2e-8) == "a constraint is violated by 3.0e-08"
    assert loose.flaw(1e-8) == "active gaps are off by 2.0e-08"


def test_isostatic_is_one_self_stress_and_no_free_motion():
    assert VALID.n_isostatic == 11
    assert VALID.isostatic
    assert not replace(VALID, n_self_stresses=2).isostatic
    assert not CURVED.isostatic


def test_a_residual_is_settled_at_rounding_or_where_it_no_longer_falls():
    assert settled(0.9e-14, 1.0)
    assert not settled(1e-14, 1.0)
    assert settled(5.1e-13, 1e-12)
    assert not settled(4.9e-13, 1e-12)
    assert not settled(0.5e-12, 1e-12)
    assert not settled(1e-12, 1e-12)


def test_a_candidate_has_done_nothing_until_it_says_so():
    here = Linearised.at(Halfspaces(NORMALS, np.zeros(3)), np.zeros(2))
    plain = Candidate(here, np.arange(3), np.ones(3))
    assert (plain.reason, plain.certificate) == ("", None)
    assert (plain.steps, plain.exchanges, plain.degenerate) == (0, 0, False)


# What certify measures, on paper: three walls at 120 degrees around the origin.

ANGLES = 2 * np.pi * np.arange(3) / 3
NORMALS = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])


def measured(offsets=(0.0, 0.0, 0.0), normals=NORMALS, forces=(1 / 3, 1 / 3, 1 / 3), rows=3):
    here = Linearised.at(Halfspaces(np.array(normals), np.array(offsets)), np.zeros(2))
    held = np.ones(2, dtype=bool)
    return certify(here, np.arange(rows), np.array(forces), held, n_free_motions=0, condition=2.0)


def test_three_walls_are_certified():
    found = measured()
    assert found.dual_residual < 1e-15
    counts = (found.n_constraints, found.n, found.n_self_stresses, found.n_free_motions)
    assert counts == (3, 2, 1, 0)
    assert (found.primal_residual, found.violation, found.n_redundant) == (0.0, 0.0, 0)
    assert (found.margin, found.condition, found.curvature) == (None, 2.0, None)
    assert found.min_force == pytest.approx(1.0)
    assert found.flaw() == ""


@pytest.mark.parametrize("offset", [2e-3, -2e-3])
def test_an_active_gap_that_is_off_to_either_side_is_measured(offset):
    assert measured(offsets=(0.0, offset, 1e-3)).primal_residual == pytest.approx(2e-3)


def test_gaps_beside_the_active_ones_are_violated_closed_or_open():
    normals = np.vstack([NORMALS, NORMALS, NORMALS])
    found = measured((0, 0, 0, 3e-3, 2e-3, -5e-13, 5e-13, -7e-3, -4e-3), normals)
    assert found.violation == pytest.approx(3e-3)
    assert found.n_redundant == 2
    assert found.primal_residual == 0.0
    assert "violated" in found.flaw()
    found = measured((0, 0, 0, -2e-12, 0.0, -7e-3, -4e-3, 1e-12, -1e-12), normals)
    assert found.margin == pytest.approx(2e-12)
    assert found.n_redundant == 3
    assert found.violation == pytest.approx(1e-12)
    assert found.flaw() == ""


def test_forces_out_of_balance_are_measured_in_units_of_their_mean():
    found = measured(forces=(2.0, 2.0, 5.0))
    # Σ λ n = 3 n_3, and the larger component of n_3 is sin 240 degrees.
    assert found.dual_residual == pytest.approx(3 * np.sqrt(0.75) / 3)
    assert found.min_force == pytest.approx(2 / 3)
    assert "off balance" in found.flaw()
    assert measured(forces=(-1.0, 2.0, 2.0)).min_force == pytest.approx(-1.0)


def test_a_row_too_many_is_a_second_self_stress():
    normals = np.vstack([NORMALS, -NORMALS[:1]])
    found = measured((0, 0, 0, 0), normals, forces=(0.4, 0.2, 0.2, 0.2), rows=4)
    assert found.n_self_stresses == 2
    assert "2 self-stresses" in found.flaw()


# A gable, Δ_1 = |x| + y and Δ_2 = -y: the kink at x = 0 has the bound 2 λ_1.


def on_gable(x=0.0, forces=(0.5, 0.5, 0.5), strength=2.0):
    """Return what `certify` measures of the gable with its kink held at ``x``."""
    zero = np.zeros(1)
    walls = np.array([[-0.5 * strength, 1.0], [0.0, -1.0]])
    folds = np.array([[1.0, 0.0]])
    owner, place = np.array([0]), -np.full(1, x)
    problem = Folded(walls, np.zeros(2), folds, place, owner, zero + strength)
    kept = HeldKinks(np.array([0]), np.array([0.5]), np.array([False]))
    here = Linearised.at(problem, np.zeros(2), kept)
    free = np.ones(2, dtype=bool)
    return certify(here, np.arange(3), np.array(forces), free, n_free_motions=0, condition=2.0)


def test_a_gable_is_certified():
    found = on_gable()
    assert (found.n_constraints, found.n_kinks, found.n_isostatic) == (2, 1, 3)
    assert (found.n_self_stresses, found.n_free_motions, found.n_surface) == (1, 0, 0)
    assert found.dual_residual < 1e-15
    assert found.min_force == pytest.approx(1.0)
    assert found.concave is None
    assert found.flaw() == ""


@pytest.mark.parametrize(("force", "least"), [(1.2, -0.4), (1.0, 0.0), (-0.1, -0.2), (0.9, 0.2)])
def test_a_kink_has_a_force_between_zero_and_its_bound(force, least):
    found = on_gable(forces=(0.5, 0.5, force))
    assert found.min_force == pytest.approx(least, abs=1e-12)
    assert (found.min_force > 1e-9) == (0.0 < force < 1.0)
    balanced = replace(found, dual_residual=0.0)
    assert (balanced.flaw() == "") == (0.0 < force < 1.0)
    assert "off balance" in found.flaw()  # it is another force that balances


@pytest.mark.parametrize("x", [1e-9, -1e-9])
def test_a_held_kink_off_its_place_is_measured(x):
    found = on_gable(x)
    assert found.primal_residual == pytest.approx(1e-9)
    assert found.flaw() == "active gaps are off by 1.0e-09"


def test_the_nearest_concave_kink_of_an_active_gap_is_measured():
    folds = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    places = np.array([0.0, 0.3, -0.2, 1e-3])
    owners, strengths = np.array([0, 1, 0, 2]), np.array([2.0, -1.0, -0.5, -1.0])
    walls = np.array([[-1.0, 1.0], [0.0, -1.0], [0.0, 1.0]])
    problem = Folded(walls, np.array([0.0, 0.3, -1.0]), folds, places, owners, strengths)
    kept = HeldKinks(np.array([0]), np.array([0.5]), np.array([False]))
    here = Linearised.at(problem, np.zeros(2), kept)
    active, free = np.array([0, 1, 3]), np.ones(2, dtype=bool)
    found = certify(here, active, np.full(3, 0.5), free, n_free_motions=0, condition=2.0)
    assert found.concave == pytest.approx(0.2)  # that of the open gap is nearer, and counts not


# Curvature on the motions that are left free, anisotropic.


@dataclass(frozen=True, eq=False)
class Bowls:
    """Gaps ``Δ = ½ (x - c)ᵀ A (x - c) + level``: every constraint curves alike, ``∇²Δ = A``."""

    centres: np.ndarray
    matrix: np.ndarray
    level: float

    @property
    def n_dof(self):
        return len(self.matrix)

    def gaps(self, x):
        apart = x - self.centres
        return 0.5 * np.einsum("mi,ij,mj->m", apart, self.matrix, apart) + self.level

    def gap_jacobian(self, x, rows=None):
        return (x - (self.centres if rows is None else self.centres[rows])) @ self.matrix

    def energy_gradient(self, x):
        forces = np.maximum(self.gaps(x), 0)
        return 0.5 * float(forces @ forces), self.gap_jacobian(x).T @ forces

    def hvp(self, x, v):
        forces = np.maximum(self.gaps(x), 0)
        rows = self.gap_jacobian(x)[forces > 0]
        return (v @ rows.T) @ rows + forces.sum() * (v @ self.matrix)

    def zero_modes(self, x):
        return np.zeros((0, self.n_dof))

    def tightening(self, x):
        return np.ones(len(self.centres))

    def tightened(self, t):
        return replace(self, level=self.level + t)


def between_two_bowls(*curvatures, overlap=1e-5):
    """Two constraints that meet head on along the first axis, turned in space."""
    n = 1 + len(curvatures)
    turn = np.linalg.qr(np.random.default_rng(n).standard_normal((n, n)))[0]
    axis = turn[:, 0]
    matrix = turn @ np.diag([1.0, *curvatures]) @ turn.T
    return Bowls(np.array([axis, -axis]), matrix, -0.5 + overlap)


@pytest.mark.parametrize(
    "curvatures", [(2.0, 0.5), (0.5, 2.0), (3.0, -0.25), (-0.25, 3.0), (-1.0, -2.0), (0.125,)]
)
def test_the_least_curvature_of_the_free_motions_decides(curvatures):
    here = Linearised.at(between_two_bowls(*curvatures), np.zeros(1 + len(curvatures)))
    found = curved_optimum(here, np.arange(2), max_step=0.1).certificate
    assert (found.n, found.n_constraints) == (1 + len(curvatures), 2)
    assert (found.n_self_stresses, found.n_free_motions) == (1, len(curvatures))
    assert found.curvature == pytest.approx(min(curvatures), rel=1e-5)
    assert (found.flaw() == "") == (min(curvatures) > 0)
    if min(curvatures) < 0:
        assert f"{len(curvatures)} motions are free" in found.flaw()


@pytest.mark.parametrize("curvatures", [(2.0, -0.5), (-0.5, 2.0)])
def test_a_state_that_can_slide_is_not_jammed(curvatures):
    point = exact_jamming(between_two_bowls(*curvatures), np.zeros(3))
    assert point.status != "jammed"
    assert point.reason


def test_a_state_that_curvature_holds_both_ways_is_jammed():
    problem = between_two_bowls(2.0, 0.5)
    point = exact_jamming(problem, np.full(3, 1e-3))
    assert point.status == "jammed", point.reason
    assert point.problem.level == pytest.approx(-0.5, abs=1e-12)
    np.testing.assert_allclose(point.x, 0.0, atol=1e-9)
    np.testing.assert_allclose(point.forces, 0.5, atol=1e-9)

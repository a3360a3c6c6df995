"""The certificate of a network's exact point, and of the same point forged in each of its parts."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest

from bridge.jamming import ExactJamming, exact_jamming
from bridge.jamming.certificate import Certificate, certify
from bridge.jamming.kinks import HeldKinks
from bridge.jamming.linearised import Linearised
from networks import HingeNetwork, Mlp, Patterns, settle
from networks.models.fixed_norm import SphericalNetwork


@pytest.fixture(scope="module")
def point() -> ExactJamming[SphericalNetwork]:
    """Two units of absolute value and five patterns on a line; kinks hold it, and curvature."""
    rng = np.random.default_rng(2)
    labels = np.where(np.arange(5) % 2, 1.0, -1.0)
    patterns = Patterns(rng.standard_normal((5, 1)), labels)
    free = HingeNetwork(Mlp(1, 2, 1, "abs"), patterns, margin=0.0)
    x = rng.standard_normal(free.n_dof)
    start = SphericalNetwork(free, 2.0), 2.0 * x / np.linalg.norm(x)
    found = exact_jamming(*start, minimise=partial(settle, newton_steps=200))
    assert found.status == "jammed", found.reason
    assert len(found.kinks) > 0
    return found


@dataclass(frozen=True, eq=False)
class Claim:
    """What a certificate is made of: a state, its active rows, and their forces."""

    here: Linearised
    rows: np.ndarray
    forces: np.ndarray
    held: np.ndarray
    known: Certificate

    @classmethod
    def of(cls, point):
        """Return what is claimed of a point, from what it says of itself alone."""
        above = point.masks > 0.5
        here = Linearised.at(point.problem, point.x, HeldKinks(point.kinks, point.masks, above))
        rows = np.concatenate([point.rows, here.n_gaps + np.arange(len(point.kinks))])
        kinks = here.kinks
        loads = here.loads(point.rows, point.forces)[kinks.owners[: len(point.kinks)]]
        shares = np.where(above, 1.0 - point.masks, point.masks)
        forces = np.append(point.forces, kinks.strengths[: len(point.kinks)] * loads * shares)
        return cls(here, rows, forces, point.held, point.certificate)

    def certified(self):
        known = self.known
        return certify(
            self.here,
            self.rows,
            self.forces,
            self.held,
            n_free_motions=known.n_free_motions + known.n_surface,
            condition=known.condition,
            curvature=known.curvature,
        )

    def pushed(self, change):
        return replace(self, forces=self.forces + change)


def test_the_point_is_certified_from_its_parts(point):
    claim = Claim.of(point)
    found = claim.certified()
    assert found.flaw() == ""
    for name in ("n", "n_constraints", "n_kinks", "n_free_motions", "n_self_stresses", "n_surface"):
        assert getattr(found, name) == getattr(point.certificate, name)
    assert found.min_force == pytest.approx(point.certificate.min_force, rel=1e-6)


@pytest.mark.parametrize("off", [1e-9, -1e-9])
def test_a_gap_that_is_not_closed_and_a_kink_that_is_not_met_are_refused(point, off):
    """Each of them alone, by a motion and a change of the load that leave the others closed."""
    claim = Claim.of(point)
    here, rows = claim.here, claim.rows
    matrix = np.column_stack([here.jacobian[rows], here.tightening[rows]])
    for motion in off * np.linalg.pinv(matrix).T:
        there = here.moved(motion[:-1], motion[-1], rows, claim.forces)
        found = replace(claim, here=there).certified()
        assert found.primal_residual == pytest.approx(1e-9, rel=1e-3)
        assert found.flaw() == "active gaps are off by 1.0e-09"


def test_a_margin_that_is_too_large_is_refused(point):
    claim = Claim.of(point)
    there = claim.here.moved(np.zeros(len(point.x)), 1e-9, claim.rows, claim.forces)
    found = replace(claim, here=there).certified()
    assert found.flaw().startswith("active gaps are off by")


def test_forces_that_do_not_balance_are_refused(point):
    claim = Claim.of(point)
    for k in range(len(claim.rows)):
        forced = claim.pushed(1e-7 * np.eye(len(claim.rows))[k] * claim.forces.mean())
        assert forced.certified().flaw().startswith("forces are off balance by")


def test_a_force_that_pulls_is_refused(point):
    claim = Claim.of(point)
    for k in range(len(claim.rows)):
        found = claim.pushed(-1.1 * np.eye(len(claim.rows))[k] * claim.forces[k]).certified()
        assert found.min_force < 0.0
        assert replace(found, dual_residual=0.0).flaw().startswith("a force is -")


def test_a_mask_beyond_its_bounds_is_refused(point):
    claim = Claim.of(point)
    for k in np.flatnonzero(claim.rows >= claim.here.n_gaps):
        room = claim.here.room(claim.rows, claim.forces)[k]
        found = claim.pushed(1.1 * np.eye(len(claim.rows))[k] * room).certified()
        assert replace(found, dual_residual=0.0).flaw().startswith("a force is -")


def test_a_constraint_that_is_kept_back_is_refused(point):
    """Without one of them nothing balances, and there is no self-stress."""
    claim = Claim.of(point)
    for k in range(len(point.rows)):
        kept = np.arange(len(claim.rows)) != k
        if np.isin(claim.here.kinks.owners[: len(point.kinks)], claim.rows[k]).any():
            continue  # its kinks would have no owner
        found = replace(claim, rows=claim.rows[kept], forces=claim.forces[kept]).certified()
        assert found.n_self_stresses == 0
        assert found.flaw().startswith("forces are off balance by")
        assert replace(found, dual_residual=0.0).flaw() == "there are 0 self-stresses, not 1"


def test_a_kink_that_is_kept_back_is_refused(point):
    claim = Claim.of(point)
    found = replace(claim, rows=claim.rows[:-1], forces=claim.forces[:-1]).certified()
    assert found.flaw().startswith("forces are off balance by")
    assert replace(found, dual_residual=0.0).flaw() == "there are 0 self-stresses, not 1"


def test_curvature_of_the_other_sign_is_refused(point):
    claim = Claim.of(point)
    assert point.certificate.n_free_motions + point.certificate.n_surface > 0
    for curvature in (-point.certificate.curvature, 0.0, None):
        forged = replace(claim, known=replace(claim.known, curvature=curvature))
        assert "the least curvature is" in forged.certified().flaw()

"""States on the kinks of small rectifier networks, built on paper, and the way down from each."""

import numpy as np
import pytest
import torch
from small_networks import idle_concave, network, point

from networks import HingeNetwork, Mlp
from networks.training.polish import polish

# ``f = w₂ max(w₁ x + b₁, 0) + b₂``: the kink of the pattern at x = 0 is at b₁ = 0.


def falls(problem, x, down, lengths=(1e-3, 1e-4, 1e-5)):
    """Return how much the energy falls along a direction, over the lengths of the steps."""
    energy = problem.energy_gradient(x)[0]
    down = down.numpy() / np.linalg.norm(down.numpy())
    return np.array([(energy - problem.energy_gradient(x + s * down)[0]) / s for s in lengths])


def touched_concave(here):
    """Mark the pairs at a concave kink."""
    return (here.z.abs() < 1e-10) & (here.e < 0)


def busy_concave():
    """All patterns are on the bent side, where their forces balance: the kink must be crossed.

    A second unit, active everywhere, makes the output 1/3 there.
    """
    return network([0, 1, 2], [1, -1, 1], [[[1, 5e-11], [1, 3]], [1, -1, 10 / 3]])


@pytest.mark.parametrize("build", [idle_concave, busy_concave])
def test_a_concave_kink_that_is_touched_is_left_downhill(build):
    problem, x = build()
    here = point(problem, x)
    assert here.residual < 1e-9
    down = here.way_down()
    assert down is not None
    assert (falls(problem, x, down) > 0.3).all()  # to first order, by the whole force


@pytest.mark.parametrize("build", [idle_concave, busy_concave])
def test_a_polish_leaves_a_concave_kink(build):
    problem, x = build()
    assert not polish(problem, x, steps=0).is_minimum
    found = polish(problem, x, steps=100)
    assert problem.energy_gradient(found.x)[0] < problem.energy_gradient(x)[0] - 1e-3


def test_a_kink_beyond_rounding_is_not_touched():
    problem, x = idle_concave()
    for offset, touched in ((-0.9e-10, True), (-1.1e-10, False)):
        x[1] = offset
        assert (point(problem, x).way_down() is not None) == touched
    problem, x = busy_concave()
    for offset, touched in ((0.9e-10, True), (1.1e-10, False)):
        x[1] = offset
        assert (point(problem, x).way_down() is not None) == touched


def test_a_convex_kink_without_force_is_no_way_down():
    problem, x = network([0, -1], [-1, 1], [[1, 0], [1, 0]])
    here = point(problem, x)
    assert here.residual == 0.0
    assert here.e[0, 0, 0] == 1.0
    assert here.way_down() is None


def identity(here):
    return torch.eye(len(here.w), dtype=torch.float64)


def test_a_smooth_unit_has_no_kinks(monkeypatch):
    for activation, kink in (("relu", True), ("tanh", False), ("softplus", False)):
        problem, x = idle_concave()
        problem = HingeNetwork(Mlp(1, 1, 1, activation), problem.patterns)
        here = point(problem, x)
        monkeypatch.setattr(here, "hessian", lambda here=here: identity(here))
        assert touched_concave(here).any() == kink
        assert (here.way_down() is not None) == kink


def test_a_concave_kink_whose_force_is_rounding_is_flat(monkeypatch):
    """The force at the kink is compared with the largest into any unit."""
    for weight, touched in ((2e-9, True), (0.5e-9, False)):
        problem, x = network([0, -1], [1, -1], [[[1, 0], [1, 5]], [weight, -1, 0]])
        here = point(problem, x)
        monkeypatch.setattr(here, "hessian", lambda here=here: identity(here))
        assert (here.way_down() is not None) == touched


# Two patterns at one place that want the opposite: what one gains there the other loses.


@pytest.mark.parametrize("more", [0.0, 0.5, -0.5])
def test_a_contradiction_at_a_kink_is_judged_as_a_whole(more):
    """The kinks of two equal patterns are crossed together: only the sum of their forces counts."""
    # Output 0 for both; a third pattern far on the flat side takes up the difference.
    problem, x = network([0, 0, -1], [1, -1, -1], [[1, 0], [1, 0]])
    x[3] = more
    here = point(problem, x)
    down = here.way_down()
    total = float(here.e[0, :2, 0].sum())
    assert total == pytest.approx(2 * more)
    if total >= 0:
        assert down is None
    else:
        assert (falls(problem, x, down) > 0.0).all()


# A concave kink beside one that holds: the way down must not climb the other.


def test_a_way_down_keeps_to_the_kinks_that_hold():
    # The pattern at x = 1 is at the kinks of two units, the first convex and the second concave.
    problem, x = network([1, -2], [-1, 1], [[[1, -1], [0.9, -0.9]], [1.0, -0.1, 0.0]])
    here = point(problem, x, {(0, 0, 0): 0.5})
    assert here.held[0, 0].tolist() == [True, False]
    down = here.way_down()
    assert down is not None
    assert abs(float(here.rows(here.held)[0] @ down)) < 1e-12 * float(down.norm())
    assert (here.rows(touched_concave(here))[0] @ down) > 0


def test_a_concave_kink_that_a_held_one_bars_is_not_crossed(monkeypatch):
    """Two equal patterns: one holds at the kink that the other would cross."""
    problem, x = network([0.37, 0.37, -1], [1, -1, 1], [[1, -0.37], [1, 0]])
    here = point(problem, x, {(0, 1, 0): 0.5})
    assert touched_concave(here)[0, :, 0].tolist() == [True, False, False]
    monkeypatch.setattr(here, "hessian", lambda: identity(here))
    assert here.way_down() is None


# Masks of 0 and 1 resist to one side only. The Hessian is forged.


@pytest.fixture
def convex(monkeypatch):
    """Return a point at a convex kink with a given mask, and a Hessian that falls across it."""

    def build(mask, across=-1.0, along=0.5):
        problem, x = network([0, -1], [-1, 1], [[1, 0], [1, 0]])
        here = point(problem, x, {(0, 0, 0): mask})
        row = here.rows(here.held)[0]
        assert row.tolist() == [0.0, 1.0, 0.0, 0.0]
        forged = torch.diag(torch.tensor([along, across, 2.0, 3.0], dtype=torch.float64))
        monkeypatch.setattr(here, "hessian", lambda: forged)
        return here

    return build


def test_a_fractional_mask_resists_to_both_sides(convex):
    assert convex(0.5).way_down() is None
    for mask in (1e-300, 1 - 1e-16):
        assert convex(mask).way_down() is None


@pytest.mark.parametrize(("mask", "side"), [(0.0, -1.0), (1.0, 1.0)])
def test_a_one_sided_mask_is_left_to_the_side_that_it_leaves_open(convex, mask, side):
    here = convex(mask)
    assert bool(here.held[0, 0, 0])
    down = here.way_down()
    assert down is not None
    assert float(down[1]) * side == pytest.approx(1.0)


def test_beside_a_held_kink_the_softest_motion_along_it_is_taken(convex):
    down = convex(0.5, across=-5.0, along=-0.25).way_down()
    assert torch.abs(down).tolist() == pytest.approx([1.0, 0.0, 0.0, 0.0])


def test_two_one_sided_kinks_can_close_a_direction_together(monkeypatch):
    """Two units that the same motion turns on and off: it falls, but one of them always resists."""
    problem, x = network([0, -1], [-1, 1], [[[1, 0], [1, 0]], [1, 1, 0]])
    here = point(problem, x, {(0, 0, 0): 0.0, (0, 0, 1): 0.0})
    off, on = here.rows(here.held)

    def with_curvature(value, motion):
        motion = motion / motion.norm()
        forged = identity(here) + (value - 1) * torch.outer(motion, motion)
        monkeypatch.setattr(here, "hessian", lambda: forged)
        return here.way_down()

    assert with_curvature(-0.5, off - on) is None
    # Negative enough that one of them alone may be turned off.
    down = with_curvature(-2.0, off - on)
    assert sorted([float(off @ down), float(on @ down)]) == pytest.approx([-1.0, 0.0])
    # The one that resists less is taken as a constraint: the other may be turned off.
    down = with_curvature(-0.5, 2 * off - on)
    assert [float(off @ down), float(on @ down)] == pytest.approx([-1.0, 0.0])
    down = with_curvature(-0.5, off + on)
    assert [float(off @ down), float(on @ down)] == pytest.approx([-(0.5**0.5)] * 2)


def test_equal_patterns_hold_no_more_than_one(monkeypatch):
    """Five kinks with one row leave three of four motions free, and the softest is found."""
    far = 1e6
    patterns = [far] * 5 + [-far]
    problem, x = network(patterns, [-1, -1, -1, -1, -1, 1], [[1, -far], [1, 0]])
    here = point(problem, x, {(0, k, 0): 0.5 for k in range(5)})
    forged = torch.diag(torch.tensor([-5.0, 2.0, -1.0, 3.0], dtype=torch.float64))
    monkeypatch.setattr(here, "hessian", lambda: forged)
    # The kinks hold the weight; without it the bias has its own curvature and the output's leads.
    assert torch.abs(here.way_down()).tolist() == pytest.approx([0.0, 0.0, 1.0, 0.0], abs=2e-6)


# Flatness is relative to the whole Hessian.


@pytest.mark.parametrize(("value", "flat"), [(-0.99e-9, True), (-1.01e-9, False)])
def test_a_curvature_within_rounding_of_the_largest_is_flat(convex, value, flat):
    assert (convex(0.5, along=3.0 * value).way_down() is None) == flat


def test_rounding_alone_is_no_way_down(monkeypatch):
    """Kinks may leave nothing but flat motions: rounding beside the Hessian that they hold."""
    problem, x = network([0, -1], [-1, 1], [[1, 0], [1, 0]])
    here = point(problem, x, {(0, 0, 0): 0.5})
    noise = torch.tensor([-1e-16, 1.0, -3e-17, 1e-16], dtype=torch.float64)
    monkeypatch.setattr(here, "hessian", lambda: torch.diag(noise))
    assert here.way_down() is None
    monkeypatch.setattr(here, "hessian", lambda: torch.zeros(4, 4, dtype=torch.float64))
    assert here.way_down() is None


def test_on_a_sphere_the_radial_direction_is_not_asked(monkeypatch):
    problem, x = network([0, -1], [-1, 1], [[1, 0], [1, 0]])
    here = point(problem, x, radius=float(np.linalg.norm(x)))
    w = here.w / here.w.norm()
    forged = torch.eye(4, dtype=torch.float64) - 3 * torch.outer(w, w)
    monkeypatch.setattr(here, "hessian", lambda: forged)
    assert here.way_down() is None
    here = point(problem, x)
    monkeypatch.setattr(here, "hessian", lambda: forged)
    assert abs(float(here.way_down() @ w)) == pytest.approx(1.0)

"""Iterations towards an exact jamming point, each on a problem solved on paper."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from bridge.jamming.active_set import completed
from bridge.jamming.factor import SingularError
from bridge.jamming.hypostatic import curved_optimum
from bridge.jamming.isostatic import isostatic_optimum
from bridge.jamming.linearised import Linearised

from problems import Balls, Halfspaces

CROSS = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
ANGLES = 2 * np.pi * np.arange(3) / 3
TRIANGLE = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])


@dataclass(frozen=True, eq=False)
class Inside(Balls):
    """Stay inside balls, or outside them with ``side = -1``; the load raises every gap."""

    side: float = 1.0
    level: float = 0.0

    def gaps(self, x):
        return self.side * super().gaps(x) + self.level

    def gap_jacobian(self, x, rows=None):
        return self.side * super().gap_jacobian(x, rows)

    def hvp(self, x, v):
        forces = np.maximum(self.gaps(x), 0)
        rows = self.gap_jacobian(x)[forces > 0]
        return (v @ rows.T) @ rows + self.side * forces.sum() * v

    def tightening(self, x):
        return np.ones(len(self.centres))

    def tightened(self, t):
        return replace(self, level=self.level + t)


def facing(turned=0.3):
    """Two centres that face each other, and one nearer and one farther across."""
    turn = np.array([[np.cos(turned), np.sin(turned)], [-np.sin(turned), np.cos(turned)]])
    return np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 3.0], [0.0, -5.0]]) @ turn


def test_a_missing_contact_is_met_by_sliding():
    """Held from both sides by gaps that curve away, a state slides to the nearest across."""
    here = Linearised.at(Inside(facing(), 1.0 + 1e-6, -1.0), np.zeros(2))
    assert (here.gaps > 0).tolist() == [True, True, False, False]
    assert completed(here, np.arange(2), np.arange(2)).tolist() == [0, 1, 2]
    alone = Linearised.at(Inside(facing()[:2], 1.0 + 1e-6, -1.0), np.zeros(2))
    assert completed(alone, np.arange(2), np.arange(2)) is None  # nothing is met
    here = Linearised.at(Inside(facing(), 1.0 - 1e-6), np.zeros(2))
    assert completed(here, np.arange(2), np.arange(2)) is None  # curvature holds it
    assert completed(here, np.arange(3), np.arange(2)).tolist() == [0, 1, 2]


# Iterations that end early.


def test_a_step_that_is_too_long_ends_an_iteration():
    here = Linearised.at(Halfspaces(TRIANGLE, np.array([0.1, 0.2, 0.3])), np.zeros(2))
    found = isostatic_optimum(here, np.arange(3), max_step=0.5)
    assert (found.reason, found.certificate.flaw()) == ("", "")
    longest = np.abs(found.here.x).max()
    assert isostatic_optimum(here, np.arange(3), max_step=1.01 * longest).reason == ""
    short = isostatic_optimum(here, np.arange(3), max_step=0.99 * longest)
    assert short.reason == f"a step of {longest:.1e} is too long"
    assert short.certificate is None
    none = isostatic_optimum(here, np.arange(3), max_step=0.5, max_steps=0)
    assert none.reason == "active gaps are inf after 0 steps"


def test_curvature_is_read_from_overlaps():
    here = Linearised.at(Inside(facing()[:2], 1.0), np.zeros(2))
    with pytest.raises(SingularError, match="expected a minimum whose contacts overlap"):
        curved_optimum(here, np.arange(2), max_step=0.1)


def test_a_curved_step_goes_no_further_than_it_may():
    """The load grows by an overlap of 1e-3; from beside the middle the state has 5e-4 to go."""
    beside = facing()[0] * 5e-4
    here = Linearised.at(Inside(facing()[:2], 1.0 - 1e-3), beside)
    longest = np.abs(beside).max()
    far = curved_optimum(here, np.arange(2), max_step=1.1 * longest)
    near = curved_optimum(here, np.arange(2), max_step=0.3 * longest)
    assert (far.reason, near.reason) == ("", "")
    assert near.steps - far.steps == 3
    assert near.here.x == pytest.approx(far.here.x, abs=1e-12)
    none = curved_optimum(here, np.arange(2), max_step=1.0, max_steps=0)
    assert none.reason == "gaps or forces are off by inf after 0 steps"


@pytest.mark.parametrize(
    ("height", "start", "end"),
    [(0.9995, [0, 1, 2], [0, 1]), (1.0005, [0, 1], [0, 1, 2]), (0.9995, [0, 1], [0, 1])],
)
def test_what_pulls_is_let_go_and_what_is_violated_taken_in(height, start, end):
    """The smallest circle around a triangle touches its apex only if that is acute."""
    centres = facing()[:3] * [[1.0], [1.0], [height / 3.0]]
    here = Linearised.at(Inside(centres, 0.999), np.zeros(2))
    found = curved_optimum(here, np.array(start), max_step=0.5)
    assert (found.reason, sorted(found.rows), found.certificate.flaw()) == ("", end, "")
    assert found.exchanges == (start != end)
    radius = 1.0 if height < 1.0 else (1 + height**2) / (2 * height)
    assert 0.999**2 - 2 * found.here.problem.level == pytest.approx(radius**2, abs=1e-12)

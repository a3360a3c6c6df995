"""Room for bodies that carry no force, on problems solved on paper."""

from types import SimpleNamespace

import numpy as np
import pytest

from bridge.jamming import loose_bodies as room
from bridge.jamming.linearised import Linearised
from bridge.jamming.loose_bodies import make_room

from problems import Halfspaces, LoadedChain

LOOSE = np.zeros(1, dtype=bool)


def test_a_loose_body_is_moved_no_farther_than_it_must_be():
    held = np.array([True, False, True])
    here = Linearised.at(LoadedChain(3), np.array([0.0, 0.5, 2.2]))
    there = make_room(here, held)
    assert there.x == pytest.approx([0.0, 1.0, 2.2], abs=1e-3)
    assert -1e-3 < there.gaps[0] <= -0.5e-9
    assert there.x[[0, 2]].tolist() == [0.0, 2.2]
    assert make_room(there, held) is there
    assert make_room(here, np.ones(3, dtype=bool)) is here
    squeezed = make_room(Linearised.at(LoadedChain(3), np.array([0.0, 0.2, 1.8])), held)
    assert 0.8 - 1e-3 < squeezed.x[1] < 1.0 + 1e-3
    assert squeezed.x[[0, 2]].tolist() == [0.0, 1.8]
    assert squeezed.gaps.sum() == pytest.approx(0.2)


def half(slope, offset):
    """Return ``slope x + offset <= 0`` at ``x = 0``, its variable loose."""
    return Linearised.at(Halfspaces(np.array([[slope]]), np.array([offset])), np.zeros(1))


@pytest.mark.parametrize("way", [1.0, -1.0])
@pytest.mark.parametrize(
    ("offset", "beyond"),
    [(0.5, 5e-5), (1e-3, 1e-7), (1e-7, 1e-9), (-1e-10, 1e-9), (0.2e-9, 1e-9)],
)
def test_a_ten_thousandth_of_the_worst_violation_is_left_as_room(offset, beyond, way):
    there = make_room(half(way, offset), LOOSE, 2)
    assert there.gaps == pytest.approx([-beyond], rel=1e-4)


@pytest.mark.parametrize(
    ("slope", "end"), [(1e-3, -100.0), (-1e-3, 100.0), (1.1e-4, -100.0), (0.9e-4, 0.0)]
)
def test_one_program_moves_a_hundred_violations_where_that_is_worth_it(slope, end):
    """A violation costs ten thousand times what a motion does."""
    assert make_room(half(slope, 1.0), LOOSE, 2).x == pytest.approx([end])


@pytest.mark.parametrize("wall", [1e-2, 10.0])
@pytest.mark.parametrize("size", [4.0, 1.0, 1e-3])
def test_a_constraint_within_reach_is_seen(size, wall):
    """To the left by 80 violations there is a wall, and so a violation is left."""
    normals = np.array([[1e-2], [-wall]])
    here = Linearised.at(Halfspaces(normals, size * np.array([1.0, -80 * wall])), np.zeros(1))
    there = make_room(here, LOOSE, 2)
    assert there.x == pytest.approx([-80 * size], rel=1e-3)
    assert there.gaps[0] == pytest.approx(0.2 * size, rel=1e-3)
    assert (there.gaps > -1e-3 * size).all()


def test_each_loose_variable_moves_as_far_as_it_must():
    """Two ways, a third that nothing asks for, and the worst violation as the unit of length."""
    normals = np.array([[1.0, 0.0, 0.0], [0.0, -2.0, 0.0]])
    here = Linearised.at(Halfspaces(normals, np.array([0.5, 0.25])), np.zeros(3))
    there = make_room(here, np.zeros(3, dtype=bool), 2)
    assert there.x == pytest.approx([-0.50005, 0.125025, 0.0], abs=1e-9)


def test_constraints_of_what_is_held_do_not_count():
    x = np.array([0.0, 0.5, 2.0, 2.8])
    there = make_room(Linearised.at(LoadedChain(4), x), np.array([True, True, True, False]))
    assert there.x == pytest.approx([0.0, 0.5, 2.0, 3.0], abs=1e-4)
    assert there.gaps[2] < 0.0 < there.gaps[0]
    free = Linearised.at(Halfspaces(np.array([[1.0, 0.0]]), np.array([0.1])), np.zeros(2))
    assert make_room(free, np.array([True, False])) is free


class Scripted:
    """One variable and one constraint, whose gap is read from a list whatever the state."""

    def __init__(self, gaps):
        self.gaps_left = list(gaps)
        self.states = []

    def gaps(self, x):
        self.states.append(x.copy())
        return np.array([self.gaps_left.pop(0) if self.gaps_left else 2.0])

    def gap_jacobian(self, x):
        return np.ones((1, 1))

    def tightening(self, x):
        return np.ones(1)

    def zero_modes(self, x):
        return np.zeros((0, 1))


@pytest.mark.parametrize(
    ("gaps", "asked", "moved"),
    [
        ([2.0] * 30, 21, False),  # the start, and twenty programs
        ([2.0, 3.0, 20.0, 20.1, 2.0, 2.0], 4, False),  # ten times the best is not given up yet
        ([2.0, -0.5 * 1e-9, 1.0], 3, True),  # the last time at the state that is returned
        ([2.0, -0.6e-9, 1.0], 3, True),
        ([2.0, -0.4e-9, -0.6e-9, 1.0], 4, True),
        ([-0.6e-9], 1, False),
        ([2.0, 1.0, *[1.5] * 30], 22, True),
    ],
)
def test_programs_end_where_there_is_room_or_none_to_be_had(monkeypatch, gaps, asked, moved):
    monkeypatch.setattr(room, "_shortest_move", lambda *_: np.ones(1))
    problem = Scripted(gaps)
    here = Linearised.at(problem, np.zeros(1))
    there = make_room(here, LOOSE)
    assert (len(problem.states), there is not here) == (asked, moved)


def test_a_program_that_fails_moves_nothing(monkeypatch):
    monkeypatch.setattr(room, "linprog", lambda *_, **__: SimpleNamespace(success=False, x=None))
    here = half(1.0, 0.5)
    assert make_room(here, LOOSE) is here

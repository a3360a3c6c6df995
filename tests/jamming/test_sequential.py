"""Linear programs in a trust region, on problems whose every program is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from bridge.jamming import sequential
from bridge.jamming.sequential import sequential_programs

from problems import Halfspaces


def test_programs_walk_to_the_optimum_by_the_steps_that_they_may_take():
    """Between walls at -4 and 6 the middle is 1 away from 0, and the load grows by 5."""
    walls = Halfspaces(np.array([[1.0], [-1.0]]), np.array([-6.0, -4.0]))
    found = sequential_programs(walls, np.zeros(1), max_step=0.25)
    assert (found.status, found.rows.tolist()) == ("converged", [0, 1])
    assert found.here.x == pytest.approx([1.0])
    assert found.here.problem.offsets == pytest.approx([-1.0, 1.0])
    assert found.programs == 5
    assert (
        sequential_programs(walls, np.zeros(1), max_step=0.25, max_programs=3).status == "stalled"
    )
    assert sequential_programs(walls, np.zeros(1), max_step=10.0).programs == 2


def test_the_trust_region_holds_each_variable_and_not_the_load():
    """A box around (1, -0.5): the first programs go by 0.25 in one variable, and in both."""
    normals = np.vstack([np.eye(2), -np.eye(2)])
    offsets = -normals @ [1.0, -0.5] - 7.0
    found = sequential_programs(Halfspaces(normals, offsets), np.zeros(2), max_step=0.25)
    assert found.status == "converged"
    assert found.here.problem.offsets == pytest.approx(offsets + 7.0)
    assert found.here.x == pytest.approx([1.0, -0.5], abs=1e-7)
    assert found.programs == 5


class Scripted:
    """Three constraints; the first gap is read from a list, whatever the state and the load."""

    n_dof = 1

    def __init__(self, gaps):
        self.left = list(gaps)

    def gaps(self, x):
        return np.array([self.left.pop(0) if self.left else 0.0, 1e3, -1e3])

    def gap_names(self, x):
        return np.arange(3)[:, None]

    def gap_jacobian(self, x):
        return np.zeros((3, 1))

    def tightening(self, x):
        return np.array([0.5, 0.0, 1.0])

    def zero_modes(self, x):
        return np.zeros((0, 1))

    def tightened(self, t):
        return self


def run(monkeypatch, gaps, loads, *, end=0, **options):
    """Run programs with the gaps before and after each, and the loads that they find.

    Returns what came of it and the size of the trust region in each program. A load of None is a
    program that ends with the status ``end``; so does any after the last.
    """
    steps, left = [], list(loads)

    def solve(here, step):
        steps.append(step)
        load = left.pop(0) if left else None
        marginals = np.array([-2.0, -2e-7, -2.1e-7])
        return SimpleNamespace(
            status=end if load is None else 0,
            success=load is not None,
            x=np.array([0.0, load or 0.0]),
            ineqlin=SimpleNamespace(marginals=marginals),
        )

    monkeypatch.setattr(sequential, "_solve", solve)
    return sequential_programs(Scripted(gaps), np.zeros(1), **options), steps


@pytest.mark.parametrize(
    ("after", "step", "kept"),
    [
        (10.0, 0.5, False),  # nothing is fulfilled of what was promised, 20
        (9.5, 0.5, False),
        (9.0, 1.0, True),  # a tenth
        (2.5, 1.0, True),  # three quarters
        (2.4, 2.0, True),
    ],
)
def test_the_trust_region_follows_what_is_fulfilled(monkeypatch, after, step, kept):
    """A gap of 2.5 at a rate of 0.5 is a load of 5 too much; a promise of 20 is a load of 15."""
    gaps = [2.5, 12.5, after, 0.0]
    found, steps = run(monkeypatch, gaps, [15.0, 15.0, None], max_step=2.0, end=1)
    assert found.status == "stalled"
    assert steps[:2] == [2.0, 1.0]  # the first of the programs fulfils nothing
    assert steps[2] == step
    assert (found.here.gaps[0] == after) == kept


def test_the_trust_region_grows_no_larger_than_it_may(monkeypatch):
    # promised 20 each time; those after the second fulfil all of it
    _, steps = run(monkeypatch, [0.0, 10.0, 10.0, 0.0, 0.0, 0.0], [20.0] * 5, end=1)
    assert steps == [0.3, 0.15, 0.075, 0.15, 0.3, 0.3]


@pytest.mark.parametrize(
    ("load", "status"), [(1e-9, "converged"), (0.0, "converged"), (1.1e-9, "stalled")]
)
def test_programs_that_promise_nothing_have_converged(monkeypatch, load, status):
    """Whatever is fulfilled of it."""
    found, _ = run(monkeypatch, [0.0, 1.0], [load, None], end=1)
    assert found.status == status
    assert found.here.gaps[0] == (1.0 if status == "converged" else 0.0)


def test_constraints_with_a_ten_millionth_of_the_largest_force_are_active(monkeypatch):
    found, _ = run(monkeypatch, [0.0, 0.0], [0.0])
    assert (found.status, found.programs, found.rows.tolist()) == ("converged", 1, [0, 2])


@pytest.mark.parametrize(
    ("end", "status"), [(1, "stalled"), (2, "infeasible"), (3, "stalled"), (4, "stalled")]
)
def test_a_program_that_fails_ends_them(monkeypatch, end, status):
    found, _ = run(monkeypatch, [0.0, 0.0], [1.0, None], end=end)
    assert (found.status, found.programs) == (status, 2)
    found, _ = run(monkeypatch, [0.0], [], end=end)
    assert (found.status, found.programs, len(found.rows)) == (status, 1, 0)


@pytest.mark.parametrize(
    ("end", "status"), [(0, "stalled"), (2, "stalled"), (3, "unbounded"), (4, "unbounded")]
)
def test_without_an_end_the_last_program_has_no_trust_region(monkeypatch, end, status):
    found, steps = run(monkeypatch, [], [1.0] * 200, end=end)
    assert (found.status, found.programs) == (status, 200)
    assert steps == [0.3] * 200 + [np.inf]
    found, steps = run(monkeypatch, [], [1.0] * 3, end=end, max_programs=3)
    assert (found.status, found.programs, len(steps)) == (status, 3, 4)


@pytest.mark.parametrize(("load", "status"), [(1e3, "converged"), (1e3 + 1e-6, "stalled")])
def test_the_constraint_that_gives_way_first_sets_the_load(monkeypatch, load, status):
    """The first leaves a load of 2000, and the third one of 1000."""
    found, _ = run(monkeypatch, [-1e3, -1e3], [load], end=1)
    assert found.status == status

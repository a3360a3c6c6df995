"""Down to a minimum close to jamming, on problems whose stages are known on paper."""

from itertools import islice

import numpy as np
import pytest

from bridge.descent.lbfgs import Minimum
from bridge.jamming import approach as module
from bridge.jamming.approach import approach, lbfgs_descent, stage

from problems import Halfspaces

CROSS = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])


def test_a_stage_knows_its_overlap_and_distance():
    for overlap in (0.1, 1e-4):
        here = stage(Halfspaces(CROSS, np.full(4, overlap)), np.zeros(2), "jammed")
        assert here.overlap_per_variable == pytest.approx(2 * overlap)
        assert here.distance == pytest.approx(overlap)
    assert stage(Halfspaces(CROSS, np.full(4, -0.1)), np.zeros(2), "unjammed").distance == 0.0


@pytest.mark.parametrize("ratio", [0.1, 0.5])
def test_stages_leave_a_part_of_the_distance(ratio):
    stages = approach(Halfspaces(CROSS, np.full(4, 0.1)), np.zeros(2), lbfgs_descent, ratio=ratio)
    overlaps = [here.overlap_per_variable / 2 for here in islice(stages, 4)]
    assert overlaps == pytest.approx(0.1 * ratio ** np.arange(4), rel=1e-6)
    stages = approach(Halfspaces(CROSS, np.full(4, 0.1)), np.zeros(2), lbfgs_descent, max_stages=2)
    assert len(list(stages)) == 3


def test_the_load_is_raised_by_doubled_steps_until_it_jams():
    """From 0.5 below, steps of 0.01, 0.02, ... end 0.13 above: 0.63 is the first to be enough."""
    problem = Halfspaces(CROSS, np.full(4, -0.5))
    first = next(approach(problem, np.zeros(2), lbfgs_descent))
    assert (first.status, first.overlap_per_variable) == ("jammed", pytest.approx(0.26))
    first = next(approach(problem, np.zeros(2), lbfgs_descent, first_change=0.4))
    assert first.overlap_per_variable == pytest.approx(2 * 0.7)


def test_a_load_that_forty_raises_do_not_stop_is_unbounded():
    asked = []

    def fits(problem, x):
        asked.append(problem.offsets[0])
        return Minimum(problem, x, 0.0, np.zeros(2), 1, "unjammed")

    free = list(approach(Halfspaces(CROSS, np.full(4, -0.5)), np.zeros(2), fits))
    assert [here.status for here in free] == ["unbounded"]
    assert len(asked) == 41
    assert np.diff(asked) == pytest.approx(0.01 * 2.0 ** np.arange(40))


@pytest.mark.parametrize(("stalls", "status"), [(3, "jammed"), (4, "stalled")])
def test_few_descents_that_stall_are_left_behind_as_the_load_is_raised(stalls, status):
    ends = iter(["unjammed", *["stalled"] * stalls, "jammed"])
    loads = []

    def minimise(problem, x):
        loads.append(problem.offsets[0])
        return Minimum(problem, x, 1.0, np.zeros(2), 1, next(ends))

    first = next(approach(Halfspaces(CROSS, np.full(4, -0.5)), np.zeros(2), minimise))
    assert first.status == status
    assert first.problem.offsets[0] == loads[-1]
    assert len(loads) == 5


def test_a_state_out_of_balance_is_minimised_first():
    problem = Halfspaces(CROSS, np.full(4, 0.1))
    for off, kept in ((0.9e-4, True), (1.1e-4, False)):  # 2 off <= 1e-3 · 0.2
        first = next(approach(problem, np.array([off, 0.0]), lbfgs_descent))
        assert (first.x[0] == off) == kept


def test_a_minimiser_that_stalls_ends_the_approach():
    def stalls(problem, x):
        return Minimum(problem, x, 1.0, np.zeros(2), 1, "stalled")

    problem = Halfspaces(CROSS, np.full(4, 0.1))
    assert [here.status for here in approach(problem, np.zeros(2), stalls)] == ["jammed", "stalled"]


def test_forces_balance_beside_the_overlap_however_small_it_is():
    problem = Halfspaces(CROSS * [[1.0], [1.0], [3.0], [3.0]], np.full(4, 1e-7))
    found = lbfgs_descent(problem, np.array([4e-8, 3e-8]))
    assert found.status == "jammed"
    assert found.max_residual <= 1e-6 * 2e-7


def test_satisfied_gaps_have_no_overlap():
    walls = Halfspaces(np.vstack([CROSS, [[1.0, 1.0]]]), np.array([0.1, 0.1, 0.1, 0.1, -5.0]))
    found = lbfgs_descent(walls, np.array([0.03, -0.02]))
    assert (found.status, found.max_residual < 1e-6 * 0.2) == ("jammed", True)


def test_where_a_minimum_is_lost_the_load_is_raised_by_a_part_of_the_step_back():
    """The first descent finds no violation left; 0.009 more, and there is one again."""
    asked = []

    def slips(problem, x):
        asked.append(problem.offsets[0])
        if len(asked) <= 2:
            return Minimum(problem, x, 0.0, np.zeros(2), 1, "unjammed")
        return lbfgs_descent(problem, x)

    stages = approach(Halfspaces(CROSS, np.full(4, 0.1)), np.zeros(2), slips)
    first, second, third = islice(stages, 3)
    assert [here.status for here in (first, second, third)] == ["jammed"] * 3
    assert asked[:3] == pytest.approx([0.01, 0.01, 0.019])
    assert second.overlap_per_variable == pytest.approx(2 * 0.019)
    assert third.overlap_per_variable == pytest.approx(2 * 0.0019)


def settles(status):
    """Return a minimiser that calls every state by one name, and the states that it was asked."""
    asked = []

    def minimise(problem, x):
        asked.append(problem.offsets)
        return Minimum(problem, x, 1.0, np.zeros(2), 1, status)

    return minimise, asked


def test_a_tenth_of_the_distance_is_left_unless_another_part_is_asked():
    stages = approach(Halfspaces(CROSS, np.full(4, 0.1)), np.zeros(2), lbfgs_descent)
    overlaps = [here.overlap_per_variable for here in islice(stages, 3)]
    assert overlaps == pytest.approx([0.2, 0.02, 0.002])


def test_sixty_stages_are_the_most():
    minimise, asked = settles("jammed")
    problem = Halfspaces(CROSS, np.full(4, 0.1))
    assert len(list(approach(problem, np.zeros(2), minimise, ratio=0.9))) == 61
    assert len(asked) == 60


def test_a_stage_at_jamming_is_the_last():
    """The first is at a distance of one, and the minimiser calls what is below jamming jammed."""
    minimise, _ = settles("jammed")
    stages = approach(Halfspaces(CROSS, np.full(4, 1.0)), np.zeros(2), minimise, ratio=-0.1)
    assert [here.distance for here in stages] == [1.0, 0.0]


def test_satisfied_gaps_count_in_no_stage():
    walls = Halfspaces(np.vstack([CROSS, [[1.0, 1.0]]]), np.array([0.1, 0.1, 0.1, 0.1, -0.2]))
    here = stage(walls, np.zeros(2), "jammed")
    assert (here.overlap_per_variable, here.distance) == (pytest.approx(0.2), pytest.approx(0.1))
    assert (
        stage(Halfspaces(CROSS, np.full(4, -0.1)), np.zeros(2), "unjammed").overlap_per_variable
        == 0.0
    )


@pytest.mark.parametrize(("over", "asked"), [(1.0, 0), (1.001, 1)])
def test_a_start_is_balanced_up_to_a_thousandth_of_the_overlap(over, asked):
    """Gaps of 499.75, but for one of 500.75: a force of 1 at an overlap of 1000 a variable."""
    minimise, states = settles("dead")
    start = Halfspaces(CROSS, np.array([499.75 + over, 499.75, 499.75, 499.75]))
    first = next(approach(start, np.zeros(2), minimise))
    assert first.status == ("dead" if asked else "jammed")
    assert len(states) == asked


@pytest.mark.parametrize(
    ("residual", "status", "descents"),
    [(2.5e-7, "jammed", 1), (2.6e-7, "jammed", 5), (1.0, "stalled", 1)],
)
def test_a_descent_is_repeated_until_forces_are_small_beside_the_overlap(
    monkeypatch, residual, status, descents
):
    """Gaps of 1/8 make 1/4 a variable; the second descent on is asked for 3e-7 of it."""
    asked = []

    def fake(problem, x, **options):
        asked.append(options)
        return Minimum(problem, x, 0.03125, np.array([residual, 0.0]), 1, status)

    monkeypatch.setattr(module, "lbfgs", fake)
    walls = Halfspaces(np.vstack([CROSS, [[1.0, 1.0]]]), np.array([*[0.125] * 4, -0.25]))
    found = lbfgs_descent(walls, np.zeros(2))
    assert (found.status, len(asked)) == (status, descents)
    for options, tolerance in zip(asked, [1e-5, *[7.5e-8] * 4], strict=False):
        assert options == {
            "tolerance": pytest.approx(tolerance), "max_evaluations": 10_000, "certify": False,
        }  # fmt: skip

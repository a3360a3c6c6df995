"""Each step of L-BFGS, against what it is on paper."""

import numpy as np
import pytest

from bridge import lbfgs
from bridge.descent import lbfgs as minimise

from problems import Halfspaces, Outside
from surfaces import Surface, parabola

CROSS = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])


def by_dense_matrices(matrix, start, count):
    """Return the states of BFGS from ``γ 1``, its matrix written out from all steps each time."""
    states, pairs = [start], []
    for _ in range(count):
        x = states[-1]
        inverse = np.eye(len(x))
        if pairs:
            moved, turned = pairs[-1]
            inverse *= moved @ turned / (turned @ turned)
        for moved, turned in pairs:
            left = np.eye(len(x)) - np.outer(moved, turned) / (moved @ turned)
            inverse = left @ inverse @ left.T + np.outer(moved, moved) / (moved @ turned)
        states.append(x - inverse @ matrix @ x)
        pairs.append((states[-1] - x, matrix @ (states[-1] - x)))
    return states


def test_steps_are_those_of_the_dense_matrices():
    matrix = np.diag([1.0, 0.7, 0.4]) + 0.1
    start = np.array([0.3, -0.2, 0.4])
    surface = parabola(matrix)
    lbfgs(surface, start, max_step=10.0, max_evaluations=7)
    assert np.array(surface.asked) == pytest.approx(
        np.array(by_dense_matrices(matrix, start, 6)), abs=1e-12
    )


def test_ten_steps_are_remembered():
    def asked(**options):
        surface = parabola(np.diag(np.geomspace(1.0, 50.0, 20)))
        lbfgs(surface, np.ones(20), max_evaluations=40, **options)
        return np.array(surface.asked)

    here = asked()
    assert np.array_equal(here, asked(memory=10))
    for other in (9, 11):
        assert not np.array_equal(here, asked(memory=other))


@pytest.mark.parametrize("width", [1, 4])
def test_a_step_may_be_a_tenth_in_each_variable(width):
    for over, cut in ((0.999, 1.0), (1.25, 1 / 1.25)):
        surface = parabola(np.eye(width))
        start = np.zeros(width)
        start[0] = over * 0.1 * np.sqrt(width)
        lbfgs(surface, start)
        assert surface.asked[1] == pytest.approx((1 - cut) * start, abs=1e-15)


def test_forces_below_a_ten_billionth_are_balanced():
    for size, evaluations in ((0.99e-10, 1), (1.01e-10, 2)):
        assert lbfgs(parabola(np.eye(2)), np.array([size, 0.0])).evaluations == evaluations


def test_concave_steps_are_not_remembered():
    """``U = (x² - 1)²/4``: the slope steepens from 0.2 on, so that the next step is the slope."""

    def slope(x):
        return x**3 - x

    well = Surface(lambda x: 0.25 * (x[0] ** 2 - 1) ** 2, slope, None, 1)
    lbfgs(well, np.array([0.2]), max_step=1.0, max_evaluations=3)
    first = 0.2 - slope(0.2)
    assert np.ravel(well.asked) == pytest.approx([0.2, first, first - slope(first)])


def test_a_slope_without_curvature_is_not_remembered():
    slope = Surface(lambda x: 1000 - x[0], lambda x: [-1.0], None, 1)
    lbfgs(slope, np.zeros(1), max_evaluations=5)
    assert np.ravel(slope.asked) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


def test_a_direction_uphill_is_replaced_by_the_slope(monkeypatch):
    monkeypatch.setattr(minimise, "_direction", lambda gradient, history: 0.5 * gradient)
    surface = parabola(np.eye(2))
    found = lbfgs(surface, np.array([0.06, 0.08]))
    assert (found.status, found.evaluations) == ("jammed", 2)


def test_a_direction_that_leads_nowhere_is_replaced_by_the_slope(monkeypatch):
    """Straight across the slope every step rises, as long as it is; then memory is emptied."""

    def across(gradient, history):
        return 1e9 * gradient[::-1] * [1.0, -1.0] if history else -gradient

    monkeypatch.setattr(minimise, "_direction", across)
    surface = parabola(np.diag([1.0, 1.5]), above=0.0)
    found = lbfgs(
        surface, np.array([0.1, 0.05]), tolerance=1e-3, zero_energy=-np.inf, max_step=1e3,
    )  # fmt: skip
    assert found.status == "jammed"
    assert len(surface.asked) - found.evaluations == 30 * (found.evaluations - 2)


@pytest.mark.parametrize(
    ("energy", "rise", "accepted"),
    [
        (100.0, 1e-14 * 100.0, True), (100.0, 5e-13, True), (100.0, 2e-12, False),
        (-100.0, 0.0, True), (-100.0, 5e-13, True), (-100.0, 2e-12, False),
    ],
)  # fmt: skip
def test_a_step_may_rise_by_rounding(energy, rise, accepted):
    surface = Surface(
        lambda x: energy if x[0] == 0.05 else energy + rise,
        lambda x: [0.05 if x[0] == 0.05 else 0.0],
        None,
        1,
    )
    found = lbfgs(surface, np.array([0.05]), zero_energy=-np.inf)
    assert (found.status == "jammed", len(surface.asked)) == (accepted, 2 if accepted else 31)


def test_a_step_is_halved_again_and_again():
    surface = parabola(np.eye(1))
    surface.gradient = lambda x: -np.array([0.08])
    lbfgs(surface, np.array([0.5]))
    steps = np.ravel(surface.asked)[1:] - 0.5
    assert steps == pytest.approx(0.08 * 0.5 ** np.arange(30), rel=1e-6)


@pytest.mark.parametrize(
    ("energy", "force"), [(np.nan, 1.0), (np.inf, 1.0), (1.0, np.nan), (1.0, np.inf)]
)
def test_what_is_not_finite_is_refused(energy, force):
    surface = Surface(lambda x: energy, lambda x: [force], None, 1)
    with pytest.raises(ValueError, match="expected a finite energy and gradient, got U = "):
        lbfgs(surface, np.zeros(1))


def test_the_last_evaluation_is_the_last():
    surface = parabola(np.eye(1))
    found = lbfgs(surface, np.array([9.0]), max_evaluations=5)
    assert (found.reason, found.evaluations, len(surface.asked)) == (
        "5 evaluations were not enough", 5, 5,
    )  # fmt: skip


def test_what_is_called_jammed_is_a_minimum():
    hill = Outside(np.zeros((1, 2)), 1.0)
    found = lbfgs(hill, np.zeros(2))
    assert (found.status, found.energy) == ("stalled", 0.125)
    assert "negative" in found.reason
    assert lbfgs(hill, np.zeros(2), certify=False).status == "jammed"
    assert lbfgs(hill, np.zeros(2), tolerance=0.0, max_evaluations=1).reason == (
        "1 evaluations were not enough"
    )
    held = lbfgs(Halfspaces(CROSS, np.full(4, 0.1)), np.array([0.03, -0.05]))
    assert (held.status, held.reason) == ("jammed", "")

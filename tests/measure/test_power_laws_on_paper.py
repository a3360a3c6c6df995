"""Fits of a few values whose exponents, distances and errors are known on paper."""

import numpy as np
import pytest
from scipy import sparse

from bridge.measure import bucklers
from bridge.measure import power_laws as exponents
from bridge.measure.bucklers import find_bucklers
from bridge.measure.power_laws import (
    TailSample,
    best_window,
    finite_size_floor,
    fit_at_contacts,
    fit_power_law,
    stability,
)


class Dice:
    """Gives the draws that are written down, and then zeros, and counts them."""

    def __init__(self, *draws):
        self.draws, self.asked = list(draws), []

    def integers(self, n, size):
        self.asked.append((n, size))
        return np.array(self.draws.pop(0) if self.draws else [0] * size)


def hill(*values):
    return len(values) / np.log(1.0 / np.array(values)).sum() - 1.0


def test_the_exponents_of_mean_field():
    assert (exponents.THETA, exponents.GAMMA, exponents.FEWEST) == (0.42311, 0.41269, 50)
    assert (bucklers.THETA_BUCKLERS, bucklers.THETA_EXTENDED) == (0.17462, 0.42311)


def test_values_at_the_ends_of_a_window():
    """Open below and closed above; a value of zero is in no window."""
    values = np.array([0.0, 0.2, 0.5, 0.8, 1.0, 1.1])
    fit = fit_power_law(values, 1.0, low=0.2, fewest=2, resamples=0)
    assert (fit.count, fit.low, fit.high, fit.samples, fit.reason) == (3, 0.2, 1.0, 1, "")
    fit = fit_power_law(values, 1.0, fewest=2, resamples=0)
    assert fit.count == 4
    assert fit.exponent == pytest.approx(hill(0.2, 0.5, 0.8, 1.0))


@pytest.mark.parametrize(("low", "high"), [(-0.1, 1.0), (0.5, 0.5), (0.5, 0.4), (0.0, np.inf)])
def test_what_is_no_window_is_refused(low, high):
    with pytest.raises(ValueError, match="0 <= low < high"):
        fit_power_law(np.linspace(0.1, 1.0, 9), high, low=low, fewest=2)


def test_the_fewest_values_are_enough_and_two_are_needed_in_any_case():
    values = np.linspace(0.01, 0.9, 50)
    assert fit_power_law(values, 1.0, resamples=2).status == "fitted"
    short = fit_power_law(values[1:], 1.0, resamples=2)
    assert (short.status, short.count) == ("too few", 49)
    assert np.isnan([short.exponent, short.error, short.distance]).all()
    assert fit_power_law(values[:2], 1.0, fewest=0, resamples=2).status == "fitted"
    assert fit_power_law(values[:1], 1.0, fewest=0, resamples=2).status == "too few"


@pytest.mark.parametrize("count", [0, 1, 49])
def test_too_few_values_give_no_number(count):
    fit = fit_power_law(np.linspace(0.1, 1.0, count), 1.0)
    assert fit.status == "too few"
    assert np.isnan(fit.exponent)
    assert np.isnan(fit.error)
    assert fit.reason == f"{count} values in the window, at least 50 are needed"
    assert fit_power_law(np.linspace(0.1, 1.0, count)).status == "too few"


@pytest.mark.parametrize("values", [[-0.1, 0.2], [np.nan, 0.1], [np.inf, 0.1]])
def test_bad_values_are_one_line(values):
    with pytest.raises(ValueError, match="finite and not negative") as error:
        fit_power_law(np.array(values), 1.0)
    assert "\n" not in str(error.value)


# The largest likelihood.


def test_values_that_are_all_at_the_upper_end():
    fit = fit_power_law(np.ones(2), 1.0, fewest=2, resamples=0)
    assert fit.exponent == np.inf
    assert np.isnan(fit.error)


def test_values_that_are_even_in_their_logarithms():
    """``P(v) ∝ 1/v``; two values at 1/4 and 3/4 of the window are off by 1/4."""
    fit = fit_power_law(np.array([0.5, 2.0]), 4.0, low=0.25, fewest=2, resamples=0)
    assert fit.exponent == pytest.approx(-1.0, abs=1e-12)
    assert fit.distance == pytest.approx(0.25)


@pytest.mark.parametrize("power", [-2e-6, -3e-7, 3e-7, 2e-6])
@pytest.mark.parametrize("width", [0.5, 3.0])
def test_the_slope_of_the_likelihood_near_one_over_v(power, width):
    """``⟨ln(high/v)⟩ = w/2 - q w²/12`` to third order in ``q = 1 + k``."""
    mean = 0.5 * width - power * width**2 / 12
    fit = fit_power_law(
        np.full(2, np.exp(-mean)), 1.0, low=float(np.exp(-width)), fewest=2, resamples=0
    )
    assert fit.exponent + 1 == pytest.approx(power, abs=2e-8)


@pytest.mark.parametrize("power", [-0.9, -0.1, 0.1, 0.9])
def test_a_window_whose_mean_logarithm_is_known(power):
    """``⟨ln(high/v)⟩ = 1/q - w/(exp(qw) - 1)`` for ``q = 1 + k``, here with ``w = 1``."""
    mean = 1 / power - 1 / np.expm1(power)
    low = float(np.exp(-1.0))
    fit = fit_power_law(np.full(2, np.exp(-mean)), 1.0, low=low, fewest=2, resamples=0)
    assert fit.exponent + 1 == pytest.approx(power, rel=1e-9)


@pytest.mark.parametrize(("width", "mean"), [(0.5, 0.01), (0.5, 0.49), (3.0, 0.01), (3.0, 2.999)])
def test_values_near_either_end_of_a_window(width, mean):
    """Near the upper end ``1 + k = 1/⟨ln(high/v)⟩``, near the lower ``-1/⟨ln(v/low)⟩``."""
    values = np.full(2, np.exp(-mean))
    fit = fit_power_law(values, 1.0, low=float(np.exp(-width)), fewest=2, resamples=0)
    power = 1 / mean if mean < width / 2 else -1 / (width - mean)
    assert fit.exponent + 1 == pytest.approx(power, rel=1e-8)


def test_the_distance_is_the_largest_of_those_above_and_below_each_step():
    """``P(v) ∝ v^q-1`` with ``v^q`` even on 0..1: 0.9, 0.9 and 0.9² are at most 0.81 from 0."""
    values = np.array([0.5, 0.6, 0.9])
    q = 1 + hill(*values)
    fit = fit_power_law(values, 1.0, fewest=3, resamples=0)
    assert fit.distance == pytest.approx(max(0.5**q, 2 / 3 - 0.6**q, 1 - 0.9**q, 0.9**q - 2 / 3))
    low = 0.4
    fit = fit_power_law(values, 1.0, low=low, fewest=3, resamples=0)
    q = 1 + fit.exponent
    below = (values**q - low**q) / (1 - low**q)
    sides = [1 / 3 - below[0], below[0], 2 / 3 - below[1], below[1] - 1 / 3, 1 - below[2]]
    assert fit.distance == pytest.approx(max(*sides, below[2] - 2 / 3))


# Errors.


def test_the_error_is_the_spread_over_samples_drawn_again():
    """Of two samples drawn with one value the first has no exponent: it is left out."""
    groups = [np.array([0.5]), np.array([0.1, 0.2, 2.0]), np.array([3.0])]
    dice = Dice([0, 2, 2], [1, 2, 2], [0, 1, 1], [0, 0, 2])
    fit = fit_power_law(groups, 1.0, fewest=3, resamples=4, rng=dice)
    assert dice.asked == [(3, 3)] * 4
    assert fit.exponent == pytest.approx(hill(0.5, 0.1, 0.2))
    drawn = [hill(0.1, 0.2), hill(0.5, 0.1, 0.1, 0.2, 0.2), hill(0.5, 0.5)]
    assert fit.error == pytest.approx(np.std(drawn, ddof=1))


def test_values_of_one_sample_are_drawn_one_by_one():
    dice = Dice([0, 0, 1], [2, 1, 2])
    fit = fit_power_law(np.array([0.5, 0.1, 7.0, 0.2]), 1.0, fewest=3, resamples=2, rng=dice)
    assert dice.asked == [(3, 3)] * 2
    drawn = [hill(0.5, 0.5, 0.1), hill(0.2, 0.1, 0.2)]
    assert fit.error == pytest.approx(abs(drawn[1] - drawn[0]) / np.sqrt(2))


def test_two_exponents_have_a_spread_and_one_has_none():
    values = np.array([0.5, 0.1])
    for resamples, known in ((1, False), (2, True)):
        fit = fit_power_law(values, 1.0, fewest=2, resamples=resamples, rng=Dice([0, 0], [1, 1]))
        assert np.isfinite(fit.error) == known


def test_how_often_samples_are_drawn_again_unless_told():
    values = np.linspace(0.01, 0.9, 50)
    dice = Dice()
    fit_power_law(values, 1.0, rng=dice)
    assert len(dice.asked) == 200
    dice = Dice()
    stability(values, [0.9, 1.0], rng=dice)
    assert len(dice.asked) == 2 * 100
    dice = Dice()
    fit_at_contacts([TailSample(7, values)], 7, 1.0, rng=dice)
    assert len(dice.asked) == 200


def test_errors_are_those_of_the_seed_zero_unless_told():
    values = np.linspace(0.01, 0.9, 50)
    known, other = (
        fit_power_law(values, 1.0, rng=np.random.default_rng(seed)).error for seed in (0, 1)
    )
    assert known != other
    assert fit_power_law(values, 1.0).error == known
    assert fit_at_contacts([TailSample(7, values)], 7, 1.0).error == known
    (first,) = stability(values, 1.0, resamples=200)
    assert first.error == known


# Windows.


def test_a_window_of_too_few_values_holds_them_all():
    assert best_window(np.array([0.2, 0.7, 0.1, 0.3])) == 0.7
    assert best_window(np.zeros(3)) == 1.0
    assert best_window(np.empty(0), fewest=0) == 1.0


def test_a_hundred_windows_are_compared(monkeypatch):
    tried = []

    def distance(inside, exponent, low, high):
        assert (inside.max(), low) == (high, 0.5)
        tried.append(len(inside))
        return abs(len(inside) - 700)

    monkeypatch.setattr(exponents, "_distance", distance)
    values = np.random.default_rng(0).permutation(np.linspace(0.0, 1.0, 20_001)[1:])
    high = best_window(values=values, low=0.5)
    assert (len(tried), tried[0], tried[-1]) == (100, 50, 10_000)
    nearest = min(tried, key=lambda count: abs(count - 700))
    assert high == pytest.approx(0.5 + nearest / 20_000)
    assert fit_power_law(values, low=0.5, resamples=0).high == high


def test_the_floor_of_a_few_samples():
    samples = [np.array([0.4, 0.1]), np.array([0.2, 0.5, 0.3])]
    assert finite_size_floor(samples, 0.5) == 0.1
    assert finite_size_floor(samples, 1.0) == 0.2
    assert finite_size_floor(samples, 2.5) == finite_size_floor(samples) == 0.5
    assert finite_size_floor(samples[1:]) == 0.5
    assert finite_size_floor([np.linspace(0.1, 1.0, 10)]) == pytest.approx(0.3)
    assert finite_size_floor(samples, 0.0) == 0.0
    assert finite_size_floor([np.empty(0)], 1.0) == 0.0


def test_a_tenth_more_or_fewer_contacts_are_about_as_many():
    values = np.linspace(0.1, 0.9, 9)
    samples = [TailSample(n, values) for n in (0, 89, 90, 100, 110, 111)]
    fit = fit_at_contacts(samples, 100, 1.0, fewest=2, resamples=0)
    assert (fit.samples, fit.count, fit.status) == (3, 27, "fitted")
    for high in (1.0, None):
        none = fit_at_contacts(samples, 200, high, low=0.3)
        assert (none.low, none.count, none.samples, none.status) == (0.3, 0, 0, "too few")
        assert np.isnan([none.exponent, none.error, none.distance]).all()
        assert none.high == high if high else np.isnan(none.high)


# Bucklers.


def test_a_variable_that_no_contact_acts_on_belongs_to_no_body():
    rows = np.repeat([[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]], [3, 3], axis=0)
    found = find_bucklers(rows)
    assert [body.tolist() for body in found.bodies] == [[0, 2], [3]]
    assert found.is_buckler.tolist() == [True, False]
    assert found.contacts.tolist() == [True] * 3 + [False] * 3
    nothing = find_bucklers(np.zeros((2, 3)))
    assert (nothing.bodies, nothing.is_buckler.size) == ([], 0)
    assert nothing.contacts.tolist() == [False, False]


def test_bucklers_have_one_contact_more_than_variables():
    # Three bodies in the plane: contacts a-b, b-c, a-c, and walls: a 3 in all, b 4, c 2.
    rng = np.random.default_rng(11)
    acting = [(0, 1), (1, 2), (0, 2), (0,), (1,), (1,)]
    jacobian = np.zeros((len(acting), 6))
    for row, bodies in enumerate(acting):
        for body in bodies:
            jacobian[row, 2 * body : 2 * body + 2] = rng.standard_normal(2)
    for form in (jacobian, sparse.csr_array(jacobian)):
        found = find_bucklers(form)
        order = np.argsort([body[0] for body in found.bodies])
        assert found.is_buckler[order].tolist() == [True, False, False]
        assert found.contacts.tolist() == [True, False, True, True, False, False]


def test_a_perceptron_has_no_bucklers():
    found = find_bucklers(np.random.default_rng(0).standard_normal((4, 3)))
    assert len(found.bodies) == 1
    assert not found.contacts.any()

"""Exponents against values drawn from known laws and against the powerlaw package."""

import warnings

import numpy as np
import powerlaw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import minimize_scalar

from bridge.measure.power_laws import (
    TailSample,
    best_window,
    finite_size_floor,
    fit_at_contacts,
    fit_power_law,
    stability,
)

modest = settings(deadline=None, max_examples=30)


def draw(exponent, size, rng, low=0.0, high=1.0):
    """Draw from ``P(v) ∝ v^exponent`` on a window, by inversion."""
    power = 1.0 + exponent
    return (low**power + rng.random(size) * (high**power - low**power)) ** (1.0 / power)


@modest
@given(st.floats(-0.7, 1.5), st.floats(0.01, 10.0), st.integers(0, 2**32 - 1))
def test_a_drawn_exponent_is_found_within_its_error(exponent, high, seed):
    rng = np.random.default_rng(seed)
    values = draw(exponent, 4000, rng) * high
    fit = fit_power_law(values, high, resamples=50, rng=rng)
    assert fit.status == "fitted"
    assert fit.count == 4000
    # (1 + k)/√n is the exact standard error; five of them.
    assert fit.exponent == pytest.approx(exponent, abs=5 * (1 + exponent) / np.sqrt(4000))
    assert fit.error == pytest.approx((1 + exponent) / np.sqrt(4000), rel=0.5)
    assert fit.distance < 2.5 / np.sqrt(4000)


@modest
@given(st.floats(-0.9, 1.5), st.floats(0.01, 0.5), st.integers(0, 2**32 - 1))
def test_a_window_with_a_lower_end_maximises_the_likelihood(exponent, low, seed):
    values = draw(exponent, 500, np.random.default_rng(seed), low=low)
    fit = fit_power_law(values, 1.0, low=low, resamples=2)

    def loss(q):
        norm = np.log(1 / low) if abs(q) < 1e-9 else (1.0 - low**q) / q
        return np.log(norm) - (q - 1.0) * np.log(values).mean()

    best = minimize_scalar(loss, bounds=(-6.0, 8.0), method="bounded", options={"xatol": 1e-9})
    assert fit.exponent == pytest.approx(best.x - 1.0, abs=1e-4)


@pytest.mark.parametrize("exponent", [-0.41269, 0.17462, 0.42311])
def test_the_powerlaw_package_agrees(exponent):
    # 1/v has the tail y^-(k + 2) above 1/high.
    rng = np.random.default_rng(5)
    values = np.concatenate([draw(exponent, 3000, rng), 1.0 + rng.random(2000)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = powerlaw.Fit(1.0 / values, xmin=1.0, verbose=False)
    fit = fit_power_law(values, 1.0)
    assert fit.exponent == pytest.approx(peer.power_law.alpha - 2.0, abs=1e-9)
    assert fit.distance == pytest.approx(peer.power_law.D, abs=2.0 / fit.count)


def test_the_best_window_leaves_out_what_is_not_a_power_law():
    rng = np.random.default_rng(2)
    values = np.concatenate([draw(0.4, 5000, rng, high=0.1), 0.1 + rng.random(20_000)])
    high = best_window(values)
    assert 0.03 < high < 0.13
    fit = fit_power_law(values)
    assert fit.high == high
    assert fit.exponent == pytest.approx(0.4, abs=0.1)


def test_distances_are_those_of_a_kolmogorov_smirnov_test():
    rng = np.random.default_rng(4)
    for low in (0.0, 0.2):
        values = draw(0.3, 300, rng, low=low)
        fit = fit_power_law(values, 1.0, low=low, resamples=2)
        power = 1.0 + fit.exponent

        def below(v, power=power, low=low):
            return (v**power - low**power) / (1.0 - low**power)

        expected = stats.kstest(values, below).statistic
        assert fit.distance == pytest.approx(expected, abs=1e-12)


def test_errors_come_from_whole_samples():
    # Ten identical samples of 100 values hold no more than one of them.
    values = draw(0.4, 100, np.random.default_rng(6))
    copies = fit_power_law([values] * 10, 1.0)
    assert copies.samples == 10
    assert copies.error == pytest.approx(0.0, abs=1e-12)
    independent = [draw(0.4, 100, np.random.default_rng(seed)) for seed in range(10)]
    assert fit_power_law(independent, 1.0).error == pytest.approx(1.4 / np.sqrt(1000), rel=0.6)


def test_stability_shows_the_plateau_and_its_end():
    rng = np.random.default_rng(8)
    values = np.concatenate([draw(0.4, 4000, rng, high=0.1), 0.1 + 10 * rng.random(4000)])
    fits = stability(values, [0.01, 0.05, 0.1, 5.0], resamples=20)
    assert [fit.high for fit in fits] == [0.01, 0.05, 0.1, 5.0]
    assert all(abs(fit.exponent - 0.4) < 4 * 1.4 / fit.count**0.5 for fit in fits[:3])
    assert fits[3].distance > 3 * fits[2].distance


def test_small_systems_mimic_other_exponents_and_the_floor_removes_that():
    # Gaps P(h) ∝ h^-0.41 of which each sample misses those below its cut-off n^(-1/(1-γ)).
    rng = np.random.default_rng(9)
    gamma, n = 0.41269, 100
    cutoff = n ** (-1 / (1 - gamma))
    gaps = [draw(-gamma, n, rng) for _ in range(100)]
    gaps = [g[rng.random(n) < 1.0 - np.exp(-g / (3 * cutoff))] for g in gaps]
    naive = fit_power_law(gaps, 0.05)
    careful = fit_power_law(gaps, 0.05, low=finite_size_floor(gaps, 3.0))
    assert naive.exponent > -gamma + 0.05
    assert abs(careful.exponent + gamma) < 0.5 * abs(naive.exponent + gamma)


def test_comparisons_take_equal_numbers_of_contacts():
    rng = np.random.default_rng(10)
    small = [TailSample(100, draw(0.2, 100, rng)) for _ in range(20)]
    large = [TailSample(400, draw(0.4, 400, rng)) for _ in range(20)]
    fit = fit_at_contacts(small + large, 390, 1.0)
    assert fit.samples == 20
    assert fit.exponent == pytest.approx(0.4, abs=0.1)
    none = fit_at_contacts(small + large, 200, 1.0)
    assert none.status == "too few"
    assert none.reason == "no sample has 200 contacts within 10%"


def test_bad_windows_are_one_line():
    with pytest.raises(ValueError, match="0 <= low < high"):
        fit_power_law(np.ones(100), 0.5, low=0.5)

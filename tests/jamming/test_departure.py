"""How systems leave jamming: exponents of discs and perceptrons, and sizes of avalanches."""

import numpy as np
import pytest

from bridge.avalanches.sizes import Sizes, cutoff_exponent
from bridge.descent.newton import Newton
from bridge.jamming import exact_jamming
from bridge.jamming.departure import depart, fit_exponent
from bridge.systems import DiscSystem, NetworkSystem, PerceptronSystem
from particles import Perceptron, descend

from problems import Halfspaces

DISTANCES = np.geomspace(1e-6, 1e-2, 13)
FAR = np.geomspace(3e-3, 3e-2, 7)


def departure(system, seed, distances=DISTANCES):
    rng = np.random.default_rng((seed, 1))
    state = system.under_load(rng)
    point = exact_jamming(state.problem, state.x, minimise=system.follow)
    return depart(point, distances, system.follow)


@pytest.mark.parametrize("system", [DiscSystem(n=128), PerceptronSystem(n=60)])
def test_pressure_and_energy_leave_jamming_with_their_exponents(system):
    ways = [departure(system, seed) for seed in range(3)]
    pressure = fit_exponent([(w.distance, w.pressure) for w in ways], 1e-6, 1e-4)
    energy = fit_exponent([(w.distance, w.energy) for w in ways], 1e-6, 1e-4)
    assert pressure.value == pytest.approx(1.0, abs=0.05)
    assert energy.value == pytest.approx(2.0, abs=0.05)
    # As close as this no contact has been made yet.
    assert all(abs(way.excess[0]) <= 1 for way in ways)
    assert all(way.excess[-1] > 0 for way in ways)


def test_contacts_of_the_perceptron_grow_with_a_root_of_the_distance():
    """½ for large N; the mean of eight samples of N = 60 has 0.67 where there is one to count."""
    ways = [departure(PerceptronSystem(n=60), seed, FAR) for seed in range(8)]
    found = [
        np.mean([w.excess[w.distance == d].mean() for w in ways if d in w.distance]) for d in FAR
    ]
    fit = fit_exponent([(FAR, np.array(found))], FAR[0], FAR[-1])
    assert fit.value == pytest.approx(0.67, abs=0.15)


def test_two_walls_part_linearly():
    walls = Halfspaces(np.array([[1.0], [-1.0]]), np.array([-0.3, -0.3]))
    way = depart(exact_jamming(walls, np.zeros(1)), [0.1, 0.2, 0.4], Newton())
    np.testing.assert_allclose(way.energy, [0.01, 0.04, 0.16])
    np.testing.assert_allclose(way.pressure, [0.2, 0.4, 0.8])
    assert way.excess.tolist() == [0, 0, 0]


def test_only_jamming_points_can_be_left():
    sliding = Halfspaces(np.array([[1.0, 1.0], [-1.0, -1.0]]), np.array([-1.0, -1.0]))
    point = exact_jamming(sliding, np.zeros(2))
    with pytest.raises(ValueError, match="expected a jamming point, got status hypostatic"):
        depart(point, DISTANCES, descend)


def test_a_fit_without_positive_values_is_no_number():
    x = np.geomspace(1e-3, 1.0, 5)
    assert np.isnan(fit_exponent([(x, x - 0.5)], 1e-3, 1.0).value)
    assert np.isnan(fit_exponent([(x, x)], 2.0, 3.0).value)


def test_sizes_of_avalanches_with_known_exponents():
    # P(D) ∝ D^-1.4 up to N²: drawn by inversion.
    rng = np.random.default_rng(3)

    def draw(n):
        low, high = 1e-3, float(n) ** 2
        u = rng.random(400)
        return (low**-0.4 + u * (high**-0.4 - low**-0.4)) ** (-1 / 0.4)

    sizes = [Sizes(n, [draw(n) for _ in range(40)], 1e-2) for n in (4, 8, 16)]
    tail = sizes[-1].tail(resamples=50)
    assert -tail.exponent == pytest.approx(1.4, abs=0.05)
    grown = cutoff_exponent(sizes)
    assert grown.value == pytest.approx(2.0, abs=0.1)


def test_too_few_avalanches_say_so():
    nothing = Sizes(10, [np.empty(0), np.array([1e-9])], 1e-6)
    assert nothing.count == 0
    assert np.isnan(nothing.cutoff())
    assert nothing.tail().reason == "0 avalanches are above the resolution"
    assert np.isnan(cutoff_exponent([nothing, nothing]).value)


# The exact solver on networks: at a fixed norm the largest margin is a jamming point.


def test_a_network_at_a_fixed_norm_has_a_jamming_point():
    system = NetworkSystem(depth=1, width=5, load=1.0, activation="softplus")
    state = system.under_load(np.random.default_rng(0))
    point = exact_jamming(state.problem, state.x, minimise=system.follow)
    assert point.status == "jammed", point.reason
    assert point.problem.free.margin > 0.0
    proof = point.certificate
    # Fewer contacts than degrees of freedom: curvature holds the rest, as in packings of ellipses.
    assert proof.n_constraints < proof.n_isostatic
    assert proof.curvature > 0.0
    assert np.abs(point.gaps[point.rows]).max() < 1e-12
    assert point.gaps.max() < 1e-12


def test_margins_at_load_four_are_those_of_linear_programs():
    # -0.418 ± 0.027 by linear programs from random starts, N = 100.
    margins = []
    for seed in range(8):
        rng = np.random.default_rng((seed, 100))
        problem = Perceptron.random(100, 4.0, -0.5, rng)
        point = exact_jamming(problem, problem.random_state(rng), minimise=descend)
        margins.append(point.problem.sigma)
    assert np.mean(margins) == pytest.approx(-0.418, abs=0.04)

"""Completeness, ends of descents, order parameters and measures."""

import numpy as np
import pytest
from hypothesis import strategies as st

from bridge.claims.glass import THRESHOLD_ENERGY, spins
from bridge.landscape.completeness import chao, completeness, morse_sum
from bridge.landscape.end_energies import end_energy
from bridge.landscape.explore import Explorer
from bridge.landscape.graph import Finding, Graph
from bridge.landscape.identity import PlainIdentity
from bridge.landscape.likeness import hamming, jaccard, overlap, overlaps
from bridge.landscape.network_measures import measures
from bridge.landscape.stationary_points import StationaryPoint
from particles.landscapes.clusters import LennardJones
from particles.landscapes.muller_brown import MullerBrown
from particles.landscapes.spin_glass import SphericalSpinGlass

seeds = st.integers(0, 2**32 - 1)


# Completeness.


def test_capture_and_recapture_of_known_populations():
    rng = np.random.default_rng(0)
    weights = rng.gamma(0.7, size=200)
    hits = np.bincount(rng.choice(200, 400, p=weights / weights.sum()), minlength=200)
    met = hits[hits > 0]
    assert len(met) < chao(met) <= 215  # a lower bound, up to its own scatter
    assert chao([3] * 50) == 50
    assert chao([1, 1, 1]) is None


def test_a_rearrangement_into_an_image_is_a_search_that_met_its_minimum_once():
    """Both ends of the saddle are one minimum: it was met by one search, as its saddle was."""
    graph = Graph(PlainIdentity(MullerBrown()))
    wells = [StationaryPoint(np.full(2, 9.0 * k), float(k), 0, 0.0, 2, 1.0, 0.0) for k in range(3)]
    for number, (a, b) in enumerate([(0, 0), (0, 1), (0, 1), (2, 2)]):
        place = np.array([5.0 + a + 3.0 * b, 1.0])
        saddle = StationaryPoint(place, 8.0 + a + 3.0 * b, 1, 0.0, 2, -1.0, 0.0)
        graph.absorb(Finding("climb", number, a, "found", saddle, (wells[a], wells[b])))
    assert graph.minima.hits == [3, 2, 1]
    assert graph.saddles.hits == [1, 2, 1]
    assert completeness(graph).estimated_minima == 3.0  # 3 + 1·0/(2·2): once 2, twice 1
    assert completeness(graph).estimated_saddles == 3.5  # 3 + 2·1/(2·2): once 0 and 2, twice 1


@pytest.mark.parametrize(("n", "seed"), [(3, 0), (3, 1), (4, 0), (5, 2)])
def test_the_morse_sum_of_spins_is_the_euler_characteristic(n, seed):
    glass = SphericalSpinGlass.random(n, 3, np.random.default_rng(seed))
    explorer = Explorer(glass, glass, glass.random_state)
    graph = Graph(glass)
    for finding in explorer.quenches(range(40)):
        graph.absorb(finding)
    for finding in explorer.climbs(graph, range(80)):
        graph.absorb(finding)
    for index in range(n):
        for finding in explorer.critical_points(graph, range(60), index):
            graph.absorb(finding)
    assert morse_sum(graph) == glass.euler_characteristic
    total = len(graph.minima) + len(graph.saddles) + len(graph.higher)
    assert total <= glass.most_critical_points
    # H(-w) = -H(w): maxima are as many as minima
    assert sum(p.index == n - 1 for p in graph.higher) == len(graph.minima)


def test_mean_number_of_critical_points_of_two_spins():
    """2√7 on the circle, as many maxima as minima, and six at most."""
    rng, counts = np.random.default_rng(3), []
    for _ in range(60):
        glass = SphericalSpinGlass.random(2, 3, rng)
        explorer, graph = Explorer(glass, glass, glass.random_state), Graph(glass)
        for finding in explorer.quenches(range(12)):
            graph.absorb(finding)
        counts.append(2 * len(graph.minima))
    assert set(counts) <= {2, 6}
    # Two or six with this mean scatter by 1.53 in a sample; three standard errors of 60.
    assert np.mean(counts) == pytest.approx(2 * np.sqrt(7), abs=0.6)


def test_completeness_of_lj7(lj7):
    found = completeness(lj7)
    assert found.estimated_minima == pytest.approx(4)
    assert found.estimated_saddles == pytest.approx(12, abs=0.5)
    assert found.morse_sum is None
    assert found.discovery_curve[-1][1:] == (4, 12)


# Where plain descent ends.


def test_descent_in_a_glass_stops_near_the_threshold():
    """Above the ground state, nearer to the threshold for more spins, and with less scatter."""
    assert pytest.approx(-2 * np.sqrt(2 / 3), abs=1e-6) == THRESHOLD_ENERGY
    rng = np.random.default_rng(0)
    small, large = (
        np.array([spins(rng, n=n).values["energy"] for _ in range(10)]) for n in (10, 60)
    )
    assert abs(large.mean() - THRESHOLD_ENERGY) < abs(small.mean() - THRESHOLD_ENERGY)
    assert large.mean() == pytest.approx(THRESHOLD_ENERGY, abs=0.2)
    assert large.std() < small.std()
    assert large.mean() > -1.656998  # the ground state of an infinite glass


def test_a_descent_that_does_not_end_is_no_energy():
    surface = MullerBrown()
    x = np.array([0.5, 0.5])
    assert end_energy(surface, x, max_evaluations=3) is None
    assert end_energy(surface, x) is not None


# Order parameters and the network.


def test_overlaps_of_images_are_one(lj7):
    rng = np.random.default_rng(0)
    problem = LennardJones(7)
    x = lj7.minima[0].x - np.tile(lj7.minima[0].x.reshape(-1, 3).mean(axis=0), 7)
    for name, image in problem.equivalents(x, rng):
        if name != "translation":
            assert overlap(problem, image, x) == pytest.approx(1.0)
    table = overlaps(lj7)
    assert table == pytest.approx(table.T)


def test_distances_between_sets():
    a, b = np.array([1, 1, 0, 0], bool), np.array([0, 1, 1, 0], bool)
    assert hamming(a, b) == 0.5
    assert jaccard(a, b) == pytest.approx(2 / 3)
    assert jaccard(~a & a, ~b & b) == 0.0
    with pytest.raises(ValueError, match="one length"):
        hamming(a, b[:3])


def test_measures_of_a_star():
    graph = Graph(PlainIdentity(MullerBrown()))
    wells = [
        StationaryPoint(np.array([10.0 * i, 0]), float(i), 0, 0.0, 2, 1.0, 0.0) for i in range(5)
    ]
    for k in range(1, 5):
        saddle = StationaryPoint(np.array([10.0 * k, 5]), 9.0 + k, 1, 0.0, 2, -1.0, 0.0)
        graph.absorb(Finding("climb", k, 0, "found", saddle, (wells[0], wells[k])))
    found = measures(graph)
    assert (found.minima, found.edges, found.components, found.largest_degree) == (5, 4, 1, 4)
    assert found.clustering == 0.0
    assert found.path_length == pytest.approx(1.6)
    assert found.assortativity == pytest.approx(-1.0)
    assert found.degree_energy < 0


def test_measures_need_no_edges():
    graph = Graph(PlainIdentity(MullerBrown()))
    with pytest.raises(ValueError, match="at least one minimum"):
        measures(graph)
    point = StationaryPoint(np.zeros(2), 0.0, 0, 0.0, 2, 1.0, 0.0)
    graph.absorb(Finding("quench", 0, -1, "found", minima=(point,)))
    assert measures(graph).assortativity is None

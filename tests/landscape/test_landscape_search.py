"""Minima and saddles: whole landscapes that are known, certificates, and how searches continue."""

import math

import numpy as np
import pytest
from explored import explore
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.descent.lbfgs import lbfgs
from bridge.landscape.basin_hopping import Hops, basin_hopping
from bridge.landscape.connect import connect_all
from bridge.landscape.eigenvector_following import PARABOLA, follow
from bridge.landscape.elastic_band import relax_band
from bridge.landscape.explore import Explorer
from bridge.landscape.graph import Catalogue, Finding, Graph
from bridge.landscape.hybrid_following import hybrid_follow, lowest_mode
from bridge.landscape.identity import PlainIdentity
from bridge.landscape.quench import quench
from bridge.landscape.stationary_points import StationaryPoint, certify_point, model
from bridge.runs.workers import stream_unordered
from particles.landscapes.clusters import AxilrodTeller, LennardJones
from particles.landscapes.muller_brown import MullerBrown
from particles.landscapes.spin_glass import SphericalSpinGlass

from surfaces import Surface, parabola

LJ7_MINIMA = [-16.505384, -15.935043, -15.593211, -15.533060]
LJ7_SADDLES = [
    -15.444734, -15.319864, -15.283421, -15.097846, -15.033384, -15.026438, -14.816400,
    -14.811130, -14.596946, -14.568061, -14.548573, -12.548938,
]  # fmt: skip


def energies(points):
    return sorted(point.energy for point in points)


def test_all_minima_and_saddles_of_lj7(lj7):
    assert energies(lj7.minima) == pytest.approx(LJ7_MINIMA, abs=1e-6)
    assert energies(lj7.saddles) == pytest.approx(LJ7_SADDLES, abs=1e-6)
    assert lj7.connected


def test_point_groups_and_frequencies_of_lj7(lj7):
    found = [(p.order, p.log_det, p.n_modes) for p in sorted(lj7.minima, key=lambda p: p.energy)]
    expected = [(20, 69.94764), (6, 69.22681), (6, 67.52028), (2, 67.48165)]
    assert [order for order, _, _ in found] == [order for order, _ in expected]
    assert [f[1] for f in found] == pytest.approx([f[1] for f in expected], abs=1e-5)
    assert {n for _, _, n in found} == {15}


@pytest.mark.parametrize(("n", "minima", "saddles"), [(5, 1, 2), (6, 2, 3), (8, 8, 42)])
def test_whole_landscapes_of_small_clusters(n, minima, saddles):
    _, graph = explore(LennardJones(n), 20, 60 if n < 8 else 1100, seed=1)
    assert (len(graph.minima), len(graph.saddles)) == (minima, saddles)


def test_every_saddle_is_certified_and_above_its_minima(lj7):
    problem = LennardJones(7)
    for saddle, (a, b) in zip(lj7.saddles, lj7.ends, strict=True):
        _, gradient = problem.energy_gradient(saddle.x)
        assert np.abs(gradient).max() < 1e-9
        hessian = problem.hessian(saddle.x)
        assert int((np.linalg.eigvalsh(hessian) < -1e-6).sum()) == 1
        assert int((np.abs(np.linalg.eigvalsh(hessian)) < 1e-6).sum()) == 6
        assert saddle.energy > max(lj7.minima[a].energy, lj7.minima[b].energy)


def test_symmetric_starts_find_the_saddle_that_others_rarely_meet():
    """Of LJ7 the highest, and both its ends although symmetric paths run onto ridges."""
    problem = LennardJones(7)
    explorer = Explorer(problem, problem, problem.random_state, symmetric=problem.symmetric_state)
    graph = Graph(problem)
    for finding in explorer.symmetric_saddles(graph, range(60)):
        graph.absorb(finding)
    highest = max(graph.saddles, key=lambda point: point.energy)
    assert highest.energy == pytest.approx(LJ7_SADDLES[-1], abs=1e-6)
    assert highest.order >= 6
    assert not any("below the saddle" in search.status for search in graph.searches)
    assert set(np.round(energies(graph.minima), 5)) <= set(np.round(LJ7_MINIMA, 5))


def test_only_records_are_certified_if_asked():
    problem = LennardJones(13)
    runs = {}
    for records_only in (False, True):
        rng = np.random.default_rng(0)
        hops = Hops(60, 0.8, move=problem.move, records_only=records_only)
        points = basin_hopping(problem, problem, problem.random_state(rng), hops, rng)
        runs[records_only] = [point.energy for point in points]
    assert runs[True] == sorted(runs[True], reverse=True)
    assert runs[True][-1] == pytest.approx(min(runs[False]), abs=1e-9)
    assert len(runs[True]) < len(runs[False])


def test_the_four_labelled_minima_of_ljat3():
    _, graph = explore(AxilrodTeller(), 20, 60)
    assert energies(graph.minima) == pytest.approx([-2.21909817, -2.18509884], abs=1e-8)
    labelled = sum(2 * math.factorial(3) / point.order for point in graph.minima)
    assert labelled == 4
    assert {point.n_modes for point in graph.minima} == {3, 4}  # a line has a mode more


def test_the_surface_of_muller_and_brown():
    _, graph = explore(MullerBrown(), 10, 40)
    expected = [
        (-0.558224, 1.441726, -146.699517),
        (0.623499, 0.028038, -108.166724),
        (-0.050011, 0.466694, -80.767818),
        (0.212487, 0.292988, -72.248940),
        (-0.822002, 0.624313, -40.664844),
    ]
    points = [*graph.minima, *graph.saddles]
    found = sorted((*point.x, point.energy) for point in points)
    assert np.array(found) == pytest.approx(np.array(sorted(expected)), abs=1e-6)
    assert graph.connected


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_images_of_a_minimum_are_one(seed):
    problem, rng = LennardJones(7), np.random.default_rng(seed)
    found = quench(problem, problem.random_state(rng), problem, rough=True)
    if isinstance(found, str):
        return
    catalogue = Catalogue(problem)
    catalogue.number(found)
    for _, image in problem.equivalents(found.x, rng):
        again = quench(problem, image, problem)
        assert isinstance(again, StationaryPoint)
        assert catalogue.number(again) == 0


def test_two_saddles_between_two_minima_are_both_kept(lj7):
    pairs = [ends for ends in lj7.ends if ends[0] != ends[1]]
    assert len(set(pairs)) < len(pairs)
    assert lj7.to_networkx().number_of_edges() == 12


def test_what_is_no_saddle_is_refused():
    problem = LennardJones(7)
    minimum = quench(problem, problem.random_state(np.random.default_rng(0)), problem, rough=True)
    at_minimum = model(problem, minimum.x)
    assert certify_point(at_minimum, 1) == "0 negative eigenvalues"
    assert isinstance(certify_point(at_minimum, 0), StationaryPoint)
    near = model(problem, minimum.x + 1e-6)
    moved = model(problem, minimum.x * (1 + 1e-7))
    assert isinstance(certify_point(near, 0), StationaryPoint)  # a translation is no displacement
    assert "gradient" in certify_point(moved, 0)


def test_a_plateau_is_no_minimum():
    """Two atoms a hundred diameters apart: the gradient vanishes, the minimum is far away."""
    far = np.array([0.0, 0, 0, 100.0, 0, 0])
    assert isinstance(certify_point(model(LennardJones(2), far), 0), str)


def test_following_any_index_ends_at_that_index():
    problem = LennardJones(7)
    rng = np.random.default_rng(2)
    for index in (0, 1, 2):
        starts = [problem.random_state(rng) for _ in range(4)]
        walks = [follow(problem, x, index=index, max_steps=500) for x in starts]
        ends = [w.end for w in walks if w.status == "converged"]
        assert any(isinstance(certify_point(end, index), StationaryPoint) for end in ends)


@pytest.mark.parametrize("walk", [follow, hybrid_follow])
def test_a_climb_up_a_parabola_ends_soon(walk):
    end = walk(parabola(np.diag([1.0, 2.0, 4.0])), np.array([0.1, 0.0, 0.0]), max_step=0.2)
    assert (end.status, end.reason) == ("stalled", PARABOLA)
    assert end.steps < 20


def test_a_wide_valley_is_no_parabola():
    """``U = y² - cos x``, in steps of which 78 lead from the minimum to the saddle."""
    wide = Surface(
        lambda x: x[1] ** 2 - np.cos(x[0]),
        lambda x: np.array([np.sin(x[0]), 2 * x[1]]),
        lambda x: np.diag([np.cos(x[0]), 2.0]),
        2,
    )
    end = follow(wide, np.array([0.04, 0.0]), max_step=0.04)
    assert end.status == "converged"
    assert end.end.x == pytest.approx([np.pi, 0.0])


@pytest.mark.parametrize("n", [7, 13])
def test_products_alone_find_certified_saddles(n):
    problem, rng = LennardJones(n), np.random.default_rng(0)
    minimum = quench(problem, problem.random_state(rng), problem, rough=True)
    found = []
    for _ in range(6):
        walk = hybrid_follow(problem, minimum.x + 0.1 * rng.standard_normal(3 * n))
        saddle = certify_point(walk.end, 1)
        if isinstance(saddle, StationaryPoint):
            found.append(saddle)
            again = follow(problem, saddle.x + 1e-4 * rng.standard_normal(3 * n))
            assert again.end.energy == pytest.approx(saddle.energy, abs=1e-10)
    assert len(found) >= 4


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(3, 9))
def test_the_lowest_mode_is_that_of_the_matrix(seed, n):
    problem, rng = LennardJones(n), np.random.default_rng(seed)
    x = problem.random_state(rng) * 1.3
    x = lbfgs(problem, x, zero_energy=-np.inf, max_evaluations=10).x
    value, mode = lowest_mode(problem, x, problem.zero_modes(x))
    here = model(problem, x)
    assert value == pytest.approx(here.values[0], abs=1e-4 * np.abs(here.values).max())
    assert np.abs(problem.zero_modes(x) @ mode).max() < 1e-10


def test_a_band_finds_the_pass_of_muller_and_brown():
    surface = MullerBrown()
    a, b = np.array([0.623499, 0.028038]), np.array([-0.050011, 0.466694])
    band = relax_band(surface, a, b, max_step=0.02)
    peak = band.peaks()[0]
    assert band.energies[peak] == pytest.approx(-72.249, abs=0.5)
    walk = follow(surface, band.images[peak], along=band.tangents[peak], max_step=0.05)
    assert walk.end.energy == pytest.approx(-72.248940, abs=1e-5)


def test_missing_connections_are_found():
    explorer, graph = explore(LennardJones(8), 40, 0)
    assert not graph.connected
    for finding in connect_all(explorer, graph, range(60)):
        graph.absorb(finding)
    assert graph.connected


def test_a_search_that_found_nothing_says_why():
    problem = LennardJones(4)
    explorer = Explorer(problem, problem, lambda rng: np.zeros(12))
    (finding,) = explorer.quenches(range(1))
    assert "one place" in finding.status
    assert finding.minima == ()
    with pytest.raises(ValueError, match="quench more"):
        next(explorer.climbs(Graph(problem), range(1)))


def test_parallel_searches_find_the_same_landscape():
    explorer, graph = explore(LennardJones(6), 20, 0)
    for finding in explorer.climbs_in_parallel(
        graph, range(60), 2, stream_unordered, lambda *gone: gone
    ):
        graph.absorb(finding)
    assert (len(graph.minima), len(graph.saddles)) == (2, 3)
    assert sorted(s.number for s in graph.searches if s.stage == "climb") == list(range(60))


def test_the_search_that_a_process_was_computing_when_it_ended_is_named():
    """Of climbs 0, 2, 4 and 1, 3, 5 in two processes, the second ends after climb 1."""
    explorer, graph = explore(LennardJones(6), 20, 0)

    def mapper(function, tasks, workers, *, lost):
        assert [len(task.starts) for task in tasks] == [3, 3]
        assert workers == 2
        yield from function(tasks[0])
        yield next(iter(function(tasks[1])))
        yield lost(tasks[1], "killed")

    results = list(explorer.climbs_in_parallel(graph, range(6), 2, mapper, lambda *gone: gone))
    assert [finding.number for finding in results[:-1]] == [0, 2, 4, 1]
    assert results[-1] == (3, "killed")


@pytest.mark.parametrize(("n", "energy"), [(13, -44.326801), (19, -72.659782)])
def test_basin_hopping_finds_the_global_minimum(n, energy):
    problem = LennardJones(n)
    rng = np.random.default_rng(0)
    hops = Hops(count=400, temperature=0.8, move=problem.move)
    points = basin_hopping(problem, problem, problem.random_state(rng), hops, rng)
    best = next(point for point in points if point.energy < energy + 1e-5)
    assert best.energy == pytest.approx(energy, abs=1e-6)
    assert best.order == {13: 120, 19: 20}[n]  # the icosahedron, and the double one


def test_mean_numbers_of_critical_points_of_three_spins():
    """3.11 minima; as many maxima, and by Euler two saddles fewer than both: 10.45 in all."""
    rng = np.random.default_rng(7)
    counts = []
    for _ in range(60):
        glass = SphericalSpinGlass.random(3, 3, rng)
        explorer = Explorer(glass, glass, glass.random_state)
        graph = Graph(glass)
        for finding in explorer.quenches(range(20)):
            graph.absorb(finding)
        counts.append(len(graph.minima))
    # Between 1 and 4, so that one sample scatters by 1.37 at most, and by 0.9 as a rule.
    assert np.mean(counts) == pytest.approx(3.11, abs=0.35)
    assert max(4 * m - 2 for m in counts) <= 14


def test_plain_states_are_told_apart():
    identity = PlainIdentity(MullerBrown())
    x = np.array([0.1, 0.2])
    assert identity.same(x, x + 1e-9, 1e-6)
    assert not identity.same(x, x + 1e-3, 1e-6)


def test_a_finding_without_a_saddle_adds_none():
    graph = Graph(LennardJones(7))
    search = graph.absorb(Finding("climb", 0, 0, "the Hessian is singular"))
    assert (search.saddle, len(graph.saddles), graph.connected) == (None, 0, False)

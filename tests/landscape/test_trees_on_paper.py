"""Merge trees, rates, times and paths of a few minima, each known on paper."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import cumulative_simpson, simpson

from bridge.landscape.disconnectivity import (
    barrier,
    escapes,
    lowest_part,
    merge_tree,
)
from bridge.landscape.graph import Finding, Graph
from bridge.landscape.identity import PlainIdentity
from bridge.landscape.kinetics import (
    Rates,
    energy_profile,
    fastest_path,
    mean_first_passage,
    rates,
    relaxation_spectrum,
)
from bridge.landscape.stationary_points import StationaryPoint
from particles.landscapes.muller_brown import MullerBrown

WELLS = [0.0, -3.0, -1.0, -2.0, -5.0]
PASSES = [2.0, 3.5, 1.0, 2.0, 2.5]
ENDS = [(2, 1), (3, 3), (0, 2), (3, 0), (1, 3)]


def graph_of(wells, passes):
    """A graph of wells ``(energy, log_det, n_modes)`` and passes ``(a, b, energy)``."""
    graph = Graph(PlainIdentity(MullerBrown()))
    points = [
        StationaryPoint(np.array([9.0 * k, 0.0]), energy, 0, log_det, modes, 1.0, 0.0)
        for k, (energy, log_det, modes) in enumerate(wells)
    ]
    graph.absorb(Finding("quench", 0, -1, "found", minima=tuple(points)))
    for k, (a, b, energy) in enumerate(passes):
        modes = wells[a][2]
        saddle = StationaryPoint(np.array([0.0, 9.0 * k + 5]), energy, 1, 0.0, modes, -1.0, 0.0)
        graph.absorb(Finding("climb", k, 0, "found", saddle, (points[a], points[b])))
    return graph


# Trees.


def test_a_tree_in_two_parts():
    tree = merge_tree(WELLS, PASSES, ENDS)
    assert tree.energy.tolist() == [*WELLS, 1.0, 2.0]
    assert tree.above.tolist() == [5, 6, 5, 6, -1, 6, -1]
    assert tree.leaves.tolist() == [4, 1, 2, 0, 3]
    assert tree.first.tolist() == [3, 1, 2, 4, 0, 2, 1]
    assert tree.size.tolist() == [1, 1, 1, 1, 1, 2, 4]
    assert tree.lowest.tolist() == [0, 1, 2, 3, 4, 2, 1]
    assert tree.roots.tolist() == [4, 6]
    assert tree.minima(6).tolist() == [1, 2, 0, 3]
    assert tree.minima(4).tolist() == [4]
    assert tree.children() == [[], [], [], [], [], [2, 0], [1, 5, 3]]
    assert [barrier(tree, 0, b) for b in range(5)] == [0.0, 2.0, 1.0, 2.0, None]
    assert [barrier(tree, b, 0) for b in range(5)] == [0.0, 2.0, 1.0, 2.0, None]


def test_nodes_above_a_merge_of_three_parts_are_numbered_on():
    tree = merge_tree(WELLS, [*PASSES, 4.0], [*ENDS, (4, 0)])
    assert tree.energy.tolist() == [*WELLS, 1.0, 2.0, 4.0]
    assert tree.above.tolist() == [5, 6, 5, 6, 7, 6, 7, -1]
    assert tree.first.tolist() == [3, 1, 2, 4, 0, 2, 1, 0]
    assert tree.size.tolist() == [1, 1, 1, 1, 1, 2, 4, 5]
    assert (barrier(tree, 4, 3), barrier(tree, 3, 4)) == (4.0, 4.0)


def test_a_row_of_equal_passes_is_one_node():
    tree = merge_tree([0.0, 0.0, 0.0, 0.0], [3.0] * 3, [(3, 2), (2, 1), (1, 0)])
    assert tree.energy.tolist() == [0, 0, 0, 0, 3]
    assert tree.above.tolist() == [4, 4, 4, 4, -1]
    assert sorted(tree.leaves.tolist()) == [0, 1, 2, 3]
    assert tree.lowest[4] == 0  # of equal ones the first
    alone = merge_tree([1.5], [], [])
    assert (alone.energy.tolist(), alone.above.tolist(), alone.size.tolist()) == ([1.5], [-1], [1])


def test_a_minimum_at_the_height_of_its_pass_stays_a_minimum():
    for wells in ([1.0, 0.0], [0.0, 1.0]):
        tree = merge_tree(wells, [1.0], [(0, 1)])
        assert tree.energy.tolist() == [*wells, 1.0]
        assert tree.above.tolist() == [2, 2, -1]


def test_where_each_minimum_escapes_to():
    target, height = escapes(merge_tree(WELLS, PASSES, ENDS))
    assert target.tolist() == [2, -1, 1, 1, -1]
    assert height.tolist() == [1.0, np.inf, 2.0, 2.0, np.inf]


def test_the_tree_of_the_three_lowest():
    kept, part = lowest_part(merge_tree(WELLS, PASSES, ENDS), 3)
    assert kept.tolist() == [1, 3, 4]
    assert part.n_minima == 3
    assert part.energy.tolist() == [-3.0, -2.0, -5.0, 2.0]
    assert part.above.tolist() == [3, 3, -1, -1]
    kept, part = lowest_part(merge_tree([0.0, 1.0, 1.0], [2.0, 3.0], [(0, 2), (0, 1)]), 2)
    assert (kept.tolist(), part.energy.tolist()) == ([0, 1], [0.0, 1.0, 3.0])


@pytest.mark.parametrize("modes", [1, 2])
def test_the_tree_of_a_graph_of_one_or_two_vibrations(modes):
    """``ν`` is the geometric mean frequency of the lowest well: 6, or ``36^(1/4)`` of two."""
    t = 0.3
    wells = [(0.0, np.log(16.0), modes), (-1.0, np.log(36.0), modes)]
    graph = graph_of(wells, [(0, 1, 2.0)])
    cold = graph.tree()
    assert cold.energy.tolist() == [0.0, -1.0, 2.0]
    tree = graph.tree(temperature=t)
    free = [t * np.log(4.0 / t**modes), -1.0 + t * np.log(6.0 / t**modes)]
    assert tree.energy[:2] == pytest.approx(free)
    # a real frequency of the pass, of which it has one fewer, is 1
    top = 2.0 - t * (modes - 1) * np.log(t) + t * np.log(6.0 ** (1 / modes) / t)
    assert barrier(tree, 0, 1) == pytest.approx(top)


def test_a_lowest_well_without_vibrations_has_the_frequency_one():
    """The mean of no frequencies is that of an empty product."""
    t = 0.3
    tree = graph_of([(-1.0, 0.0, 0), (0.0, np.log(16.0), 1)], [(1, 0, 2.0)]).tree(t)
    assert tree.energy[:2] == pytest.approx([-1.0, t * np.log(4.0 / t)])
    assert barrier(tree, 0, 1) == pytest.approx(2.0 - t * np.log(t))


def test_tops_of_one_energy_stay_apart():
    """Two parts, whose highest passes are level, do not communicate there."""
    tree = merge_tree([0.0, 1.0, 2.0, 3.0], [5.0, 5.0], [(0, 1), (2, 3)])
    assert tree.energy.tolist() == [0.0, 1.0, 2.0, 3.0, 5.0, 5.0]
    assert tree.above.tolist() == [4, 4, 5, 5, -1, -1]
    assert barrier(tree, 0, 3) is None


# Rates.


def test_rates_of_three_wells_without_the_way_from_one_to_itself():
    t, two_pi = 0.5, 2 * np.pi
    graph = graph_of(
        [(-1000.0, 0.0, 1), (-1000.5, np.log(4.0), 1), (-999.0, 0.0, 1)],
        [(0, 1, -998.0), (1, 1, -999.9), (2, 1, -997.0)],
    )
    found = rates(graph, t)
    up = [np.exp(-2.0 / t), 2 * np.exp(-2.5 / t), 2 * np.exp(-3.5 / t), np.exp(-2.0 / t)]
    expected = np.array([[0, up[0], 0], [up[1], 0, up[2]], [0, up[3], 0]]) / two_pi
    assert found.constants == pytest.approx(expected, rel=1e-9, abs=0)
    shares = np.array([1.0, 0.5 * np.exp(0.5 / t), np.exp(-1.0 / t)])
    assert found.equilibrium == pytest.approx(shares / shares.sum())
    assert found.escape == pytest.approx(expected.sum(axis=1))
    assert found.branching[1] == pytest.approx(np.array([up[1], 0, up[2]]) / (up[1] + up[2]))
    for cold in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="T > 0"):
            rates(graph, cold)
    assert np.isfinite(rates(graph_of([(0.0, 0.0, 1)], []), 0.5).constants).all()


def test_a_descent_with_noise_crosses_a_quartic_barrier_as_its_integral_says():
    """``V = 2(x² - 1)²``: curvature 16 in the wells and -8 on top, and a barrier of 2."""
    t, x = 2 / 40, np.linspace(-2.0, 1.0, 30_001)
    graph = graph_of([(0.0, np.log(16.0), 1)] * 2, [(0, 1, 2.0)])
    graph.saddles.points[0] = replace(graph.saddles[0], log_det=np.log(8.0), lowest=-8.0)
    weights = np.exp(-2 * (x**2 - 1) ** 2 / t)
    below = cumulative_simpson(weights, x=x, initial=0.0)
    inside = x >= -1.0
    passage = simpson((below / weights)[inside], x=x[inside]) / t
    assert rates(graph, t, overdamped=True).constants[0, 1] == pytest.approx(1 / passage, rel=0.03)


def test_the_times_to_a_target_solve_their_linear_equations():
    """A fixed matrix of five, whose last minimum nothing leads out of and the fourth not back."""
    constants = np.array([
        [0.0, 2.0, 1.0, 0.0, 0.0],
        [1.0, 0.0, 0.5, 3.0, 0.0],
        [0.25, 4.0, 0.0, 1.0, 0.0],
        [0.0, 1.5, 2.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
    ])  # fmt: skip
    found = Rates(constants, np.full(5, 0.2))
    for targets in ([0], [2], [3], [0, 3], [3, 1], [0, 1, 2]):
        rest = np.setdiff1d(np.arange(4), targets)
        matrix = np.diag(constants.sum(axis=1)) - constants
        times = mean_first_passage(found, np.array(targets))
        exact = np.linalg.solve(matrix[np.ix_(rest, rest)], np.ones(len(rest)))
        assert times[rest] == pytest.approx(exact, rel=1e-12)
        assert (times[targets] == 0.0).all()
        assert times[4] == np.inf
    assert mean_first_passage(found, 3).tolist() == mean_first_passage(found, [3]).tolist()
    assert mean_first_passage(found, np.array([4])).tolist() == [np.inf] * 4 + [0.0]
    for targets in ([5], [-1], []):
        with pytest.raises(ValueError, match=r"minima 0\.\.4, got"):
            mean_first_passage(found, np.array(targets, dtype=int))


def test_relaxation_of_two_minima_and_of_two_pairs():
    pair = np.array([[0.0, 2.0], [3.0, 0.0]])
    assert relaxation_spectrum(Rates(pair, np.array([0.6, 0.4]))) == pytest.approx([0.0, 5.0])
    both = np.zeros((4, 4))
    both[:2, :2], both[2:, 2:] = pair, 7 * pair
    values = relaxation_spectrum(Rates(both, np.full(4, 0.25)))
    assert values == pytest.approx([0.0, 0.0, 5.0, 35.0], abs=1e-13)


def test_no_rate_of_relaxation_is_negative_by_rounding():
    rng = np.random.default_rng(0)
    for _ in range(30):
        share, flow = rng.random(5) + 0.1, rng.random((5, 5))
        flow = np.triu(flow, 1) + np.triu(flow, 1).T
        found = relaxation_spectrum(Rates(flow / share[:, None], share / share.sum()))
        assert found[0] == pytest.approx(0.0, abs=1e-13)
        assert (found >= 0.0).all()


# Paths.


def test_three_likely_steps_are_faster_than_one_that_is_eight_times_rarer():
    """From 0: 8/9 · 1/2 · 1/2 over 1 and 2, against 1/9; from 4 the step to 0 is certain."""
    t = 0.3
    graph = graph_of(
        [(0.0, 0.0, 1)] * 4 + [(-9.0, 0.0, 1)],
        [(0, 3, 1.0 + t * np.log(8.0)), (0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0), (0, 4, 10.0)],
    )
    path = fastest_path(graph, t, 0, 3)
    assert (path.minima, path.saddles) == ((0, 1, 2, 3), (1, 2, 3))
    path = fastest_path(graph, t, 4, 1)
    assert (path.minima, path.saddles) == ((4, 0, 1), (4, 1))
    assert energy_profile(graph, path).tolist() == [-9.0, 10.0, 0.0, 1.0, 0.0]
    path = fastest_path(graph, t, 2, 2)
    assert (path.minima, path.saddles) == ((2,), ())


def test_of_two_parts_neither_leads_to_the_other():
    graph = graph_of([(0.0, 0.0, 1)] * 4, [(0, 1, 1.0), (2, 3, 1.0)])
    assert fastest_path(graph, 0.3, 0, 3) is None
    assert fastest_path(graph, 0.3, 0, 1).minima == (0, 1)


@pytest.mark.parametrize("heights", [(1.0, 1.3), (1.3, 1.0)])
def test_two_passes_of_one_pair_add_up_and_the_lower_is_named(heights):
    t = 0.5
    graph = graph_of([(0.0, 0.0, 1), (0.5, 0.0, 1)], [(0, 1, height) for height in heights])
    both = np.exp(-1.0 / t) + np.exp(-1.3 / t)
    assert rates(graph, t).constants[0, 1] == pytest.approx(both / (2 * np.pi))
    assert rates(graph, t).constants[1, 0] == pytest.approx(np.exp(1) * both / (2 * np.pi))
    assert fastest_path(graph, t, 0, 1).saddles == (heights.index(1.0),)
    assert barrier(graph.tree(t), 0, 1) == pytest.approx(-t * np.log(both) - t * np.log(t))


def test_where_passes_are_many_the_higher_well_is_the_barrier():
    for wells in ((0.0, 0.5), (0.5, 0.0)):
        graph = graph_of([(energy, 0.0, 1) for energy in wells], [(0, 1, 0.6)])
        graph.saddles.points *= 40
        graph.ends *= 40
        tree = graph.tree(temperature=2.0)
        assert barrier(tree, 0, 1) == tree.energy[:2].max() > tree.energy[:2].min()

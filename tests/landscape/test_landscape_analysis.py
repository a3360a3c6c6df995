"""Trees, heat capacities, rates and measures, against closed forms and independent computations."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.linalg import expm

from bridge.landscape.disconnectivity import barrier, lowest_part, merge_tree
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
from bridge.landscape.thermodynamics import occupation, superposition
from bridge.landscape.trees import strokes
from particles.landscapes.muller_brown import MullerBrown

seeds = st.integers(0, 2**32 - 1)


def random_graph(rng, n=7, m=16):
    """A connected graph of made-up stationary points in the plane."""
    graph = Graph(PlainIdentity(MullerBrown()))
    wells = [
        StationaryPoint(rng.normal(size=2) * 9, e, 0, rng.normal(), 2, 1.0, 0.0)
        for e in rng.uniform(-1, 0, n)
    ]
    pairs = [(i, int(rng.integers(i))) for i in range(1, n)]
    pairs += [tuple(rng.integers(n, size=2)) for _ in range(m - n + 1)]
    for k, (a, b) in enumerate(pairs):
        height = max(wells[a].energy, wells[b].energy) + rng.uniform(0.1, 2)
        saddle = StationaryPoint(
            rng.normal(size=2) * 9, height, 1, rng.normal(), 2, -rng.uniform(0.5, 2), 0
        )
        graph.absorb(Finding("climb", k, 0, "found", saddle, (wells[a], wells[b])))
    return graph


# The merge tree.


def lowest_pass(n, barriers, ends, a, b):
    """The smallest energy below which a and b are connected, by trying every level."""
    for level in sorted(barriers):
        reached, grown = {a}, True
        while grown:
            grown = False
            for height, (i, j) in zip(barriers, ends, strict=True):
                if height <= level and (i in reached) != (j in reached):
                    reached |= {i, j}
                    grown = True
        if b in reached:
            return level
    return None


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_the_tree_has_the_minimax_barrier_of_every_pair(seed):
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, 8)), int(rng.integers(0, 14))
    wells = rng.uniform(-1, 0, n)
    ends = [tuple(int(i) for i in rng.integers(n, size=2)) for _ in range(m)]
    barriers = np.round(rng.uniform(0, 1, m), 1)
    tree = merge_tree(wells, barriers, ends)
    assert sorted(i for root in tree.roots for i in tree.minima(root)) == list(range(n))
    for a, b in itertools.combinations(range(n), 2):
        assert barrier(tree, a, b) == lowest_pass(n, barriers, ends, a, b)
        assert barrier(tree, b, a) == barrier(tree, a, b)
    assert [barrier(tree, a, a) for a in range(n)] == wells.tolist()
    for node, children in enumerate(tree.children()):
        below = tree.minima(node)
        assert wells[below].min() == wells[below[0]] == wells[tree.lowest[node]]
        assert list(below) == ([i for c in children for i in tree.minima(c)] or [node])
        assert all(tree.energy[c] < tree.energy[node] for c in children if c >= n)


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_the_tree_of_the_lowest_minima_has_their_barriers(seed):
    """On the way from a minimum to a lower one the others may still be needed: none is lost."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 12))
    wells = np.round(rng.uniform(-1, 0, n), 1)
    ends = [tuple(int(i) for i in rng.integers(n, size=2)) for _ in range(2 * n)]
    tree = merge_tree(wells, np.round(rng.uniform(0, 1, 2 * n), 1), ends)
    count = int(rng.integers(1, n + 1))
    kept, part = lowest_part(tree, count)
    assert sorted(wells[kept]) == sorted(wells)[:count]
    assert part.energy[:count].tolist() == wells[kept].tolist()
    for a, b in itertools.combinations(range(count), 2):
        assert barrier(part, a, b) == barrier(tree, int(kept[a]), int(kept[b]))


def test_saddles_of_one_height_make_one_node():
    tree = merge_tree([0, 1, 2], [3.0, 3.0], [(0, 1), (1, 2)])
    assert tree.energy.tolist() == [0, 1, 2, 3]
    assert tree.children() == [[], [], [], [0, 1, 2]]


@pytest.mark.parametrize("shape", ["staircase", "star", "random", "level"])
def test_a_large_tree_is_no_larger_than_its_minima(shape):
    """Whatever its shape: a tuple of all minima in each branch had 2·10⁸ entries here."""
    n = 20_000
    rng = np.random.default_rng(0)
    before = {
        "staircase": np.arange(n - 1),
        "star": np.zeros(n - 1, dtype=int),
        "random": (rng.random(n - 1) * np.arange(1, n)).astype(int),
        "level": np.arange(n - 1),
    }[shape]
    heights = np.zeros(n - 1) if shape == "level" else np.arange(n - 1.0)
    ends = list(zip(before.tolist(), range(1, n), strict=True))
    tree = merge_tree(-1.0 - rng.random(n), heights, ends)
    held = (tree.energy, tree.above, tree.first, tree.size, tree.leaves)
    assert sum(array.size for array in held) <= 9 * n
    assert len(tree.energy) == (n + 1 if shape == "level" else 2 * n - 1)
    assert len(tree.minima(tree.roots[0])) == n
    assert len(strokes(tree)) == len(tree.energy)


def test_the_tree_of_lj7_ends_at_its_lowest_passes(lj7):
    tree = lj7.tree()
    (root,) = tree.roots
    assert tree.energy[4:] == pytest.approx([-15.444734, -15.319864, -15.283421], abs=1e-6)
    assert lj7.minima[tree.lowest[root]].energy == pytest.approx(-16.505384, abs=1e-6)


def test_the_free_tree_tends_to_the_tree_as_it_gets_cold(lj7):
    cold, tree = lj7.tree(temperature=1e-4), lj7.tree()
    assert cold.children() == tree.children()
    assert cold.energy == pytest.approx(tree.energy, abs=0.02)


# Thermodynamics.


def test_heat_capacity_of_lj7(lj7):
    found = superposition(lj7.minima.points, np.array([0.1, 0.15, 0.2, 0.3]))
    assert found.heat_capacity == pytest.approx([15.785, 18.385, 19.126, 16.851], abs=5e-4)
    fine = superposition(lj7.minima.points, np.linspace(0.15, 0.22, 71))
    assert fine.peak() == (pytest.approx(0.186, abs=1e-9), pytest.approx(19.226, abs=5e-4))


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_heat_capacity_is_the_slope_of_the_energy(seed):
    rng = np.random.default_rng(seed)
    points = [
        StationaryPoint(np.zeros(1), e, 0, rng.normal(), int(rng.integers(1, 9)), 1.0, 0.0, int(o))
        for e, o in zip(rng.normal(size=5), rng.integers(1, 9, 5), strict=True)
    ]
    t, step = rng.uniform(0.1, 2.0), 1e-5
    found = superposition(points, np.array([t - step, t, t + step]))
    slope = (found.energy[2] - found.energy[0]) / (2 * step)
    assert found.heat_capacity[1] == pytest.approx(slope, rel=1e-6)
    # and the energy is T² d ln Z/dT, for potential and vibrations together
    again = t**2 * (found.log_z[2] - found.log_z[0]) / (2 * step)
    assert found.energy[1] == pytest.approx(again, rel=1e-5, abs=1e-6)
    assert occupation(points, found).sum(axis=1) == pytest.approx(1.0)


def test_two_wells_against_an_integral():
    """A double parabola at a low temperature: the partition function is that of the integral."""
    t, depth = 0.02, 0.03
    wells = [
        StationaryPoint(np.zeros(1), -depth, 0, np.log(4.0), 1, 4.0, 0.0),
        StationaryPoint(np.ones(1), 0.0, 0, np.log(9.0), 1, 9.0, 0.0),
    ]
    found = superposition(wells, np.array([t]))
    left = quad(lambda x: np.exp(-(2.0 * x * x - depth) / t), -1, 1)[0]
    right = quad(lambda x: np.exp(-4.5 * x * x / t), -1, 1)[0]
    assert found.largest[0] == pytest.approx(occupation(wells[:1], found)[0, 0], rel=1e-12)
    assert found.largest[0] == pytest.approx(left / (left + right), rel=1e-6)


def test_wrong_temperatures_are_refused(lj7):
    for t in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="expected"):
            superposition(lj7.minima.points, np.array([t]))
        with pytest.raises(ValueError, match="T > 0"):
            rates(lj7, t)
    with pytest.raises(ValueError, match="at least one minimum"):
        superposition([], np.array([1.0]))


# Kinetics.


@settings(deadline=None, max_examples=30)
@given(seeds, st.floats(0.02, 1.0))
def test_detailed_balance(seed, t):
    found = rates(random_graph(np.random.default_rng(seed)), t)
    flow = found.constants * found.equilibrium[:, None]
    assert flow == pytest.approx(flow.T, rel=1e-10, abs=0)


def test_a_rate_is_that_of_transition_state_theory():
    """One dimension: k = (ω/2π) exp(-ΔV/T)."""
    graph = Graph(PlainIdentity(MullerBrown()))
    wells = [
        StationaryPoint(np.array([x, 0.0]), e, 0, np.log(4.0), 1, 4.0, 0.0)
        for x, e in ((-1, 0), (1, -1))
    ]
    saddle = StationaryPoint(np.zeros(2), 0.5, 1, np.log(7.0), 1, -7.0, 0.0)
    graph.absorb(Finding("climb", 0, 0, "found", saddle, (wells[0], wells[1])))
    found = rates(graph, 0.25)
    assert found.constants[0, 1] == pytest.approx(2.0 / (2 * np.pi) * np.exp(-0.5 / 0.25))
    assert found.constants[1, 0] == pytest.approx(2.0 / (2 * np.pi) * np.exp(-1.5 / 0.25))


@settings(deadline=None, max_examples=30)
@given(seeds, st.floats(0.05, 1.0))
def test_graph_transformation_is_the_linear_solve(seed, t):
    """Against the linear equations ``-K τ = 1`` in rational numbers: no rounding, however slow."""
    rng = np.random.default_rng(seed)
    found = rates(random_graph(rng), t)
    targets = rng.choice(7, int(rng.integers(1, 4)), replace=False)
    times = mean_first_passage(found, targets)
    rest = np.setdiff1d(np.arange(7), targets)
    assert times[rest] == pytest.approx(rational_times(found.constants, rest), rel=1e-12)
    assert (times[targets] == 0).all()


def rational_times(constants, rest):
    """Mean first-passage times out of ``rest`` by Gaussian elimination in exact fractions."""
    exact = [[Fraction(k) for k in row] for row in constants.tolist()]
    rows = [
        [sum(exact[a]) - exact[a][b] if a == b else -exact[a][b] for b in rest] + [Fraction(1)]
        for a in rest
    ]
    for i, pivot in enumerate(rows):
        pivot[:] = [value / pivot[i] for value in pivot]
        for row in rows[:i] + rows[i + 1 :]:
            row[:] = [value - row[i] * p for value, p in zip(row, pivot, strict=True)]
    return np.array([float(row[-1]) for row in rows])


def test_graph_transformation_survives_what_a_solve_does_not():
    """A chain 0-1-2 with rates 1e-40 uphill: the time is 1/k01 + 1/k12 (1 + k10/k01), exactly."""
    up, down = 1e-40, 1.0
    constants = np.array([[0, up, 0], [down, 0, up], [0, down, 0]])
    found = Rates(constants, np.ones(3) / 3)
    time = mean_first_passage(found, np.array([2]))[0]
    assert time == pytest.approx(1 / up + 1 / up * (1 + down / up), rel=1e-12)


def test_a_target_that_cannot_be_reached_takes_forever():
    constants = np.array([[0, 1.0, 0], [1.0, 0, 0], [0, 0, 0]])
    times = mean_first_passage(Rates(constants, np.ones(3) / 3), np.array([0]))
    assert times.tolist() == [0.0, 1.0, np.inf]
    with pytest.raises(ValueError, match="targets among"):
        mean_first_passage(Rates(constants, np.ones(3) / 3), np.array([5]))


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_the_spectrum_is_that_of_the_master_equation(seed):
    found = rates(random_graph(np.random.default_rng(seed)), 0.7)
    generator = found.constants.T - np.diag(found.escape)
    values = np.sort(-np.linalg.eigvals(generator).real)
    assert relaxation_spectrum(found) == pytest.approx(values, abs=1e-9 * values.max())
    late = expm(generator * 1e4 / values[1]) @ np.eye(7)[0]
    assert late == pytest.approx(found.equilibrium, abs=1e-6)


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_the_fastest_path_has_the_largest_product(seed):
    graph = random_graph(np.random.default_rng(seed), n=5, m=9)
    found = rates(graph, 0.4)
    best = fastest_path(graph, 0.4, 0, 4)
    assert best is not None
    product = np.prod([found.branching[a, b] for a, b in itertools.pairwise(best.minima)])
    for k in range(4):
        for middle in itertools.permutations(range(1, 4), k):
            path = (0, *middle, 4)
            other = np.prod([found.branching[a, b] for a, b in itertools.pairwise(path)])
            assert product >= other * (1 - 1e-9)
    profile = energy_profile(graph, best)
    assert (np.diff(profile)[::2] > 0).all()
    assert (np.diff(profile)[1::2] < 0).all()


def test_no_path_between_parts():
    graph = Graph(PlainIdentity(MullerBrown()))
    for k in range(2):
        graph.absorb(
            Finding(
                "quench", k, -1, "found", minima=(StationaryPoint(np.full(2, k), k, 0, 0, 2, 1, 0),)
            )
        )
    with np.errstate(invalid="ignore"):
        assert fastest_path(graph, 1.0, 0, 1) is None

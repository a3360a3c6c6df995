"""Avalanches: an arch on paper, convex problems that can have none, and halved steps."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import check_problem
from bridge.avalanches import Together, arrive, drive
from bridge.descent.newton import Newton
from bridge.jamming import exact_jamming
from bridge.measure.stability import least_curvature
from networks import HingeNetwork, Mlp, Patterns, SphericalNetwork, random_patterns
from particles import Discs, Perceptron, decompress, descend, minimise

from problems import Halfspaces, Truss

few = settings(deadline=None, max_examples=15)


def jammed_perceptron(n, alpha, sigma, seed):
    rng = np.random.default_rng((seed, n))
    problem = Perceptron.random(n, alpha, sigma, rng)
    return exact_jamming(problem, problem.random_state(rng), minimise=descend)


def closely(problem, x):
    return minimise(problem, x, relative=1e-9)


def line_integral(found, problem, minimise=Newton()):  # noqa: B008 - it has no state
    """Integrate ``Σ max(Δ, 0) ∂Δ/∂t`` over the loads by Simpson's rule, minimising anew."""
    x, powers = found.x, []
    for load in found.loads[::-1]:
        here = problem.tightened(load)
        x = minimise(here, x).x
        powers.append(np.maximum(here.gaps(x), 0) @ here.tightening(x))
    weights = np.tile([2.0, 4.0], len(powers) // 2 + 1)[: len(powers)]
    weights[[0, -1]] = 1.0
    return np.diff(found.loads).mean() / 3.0 * weights @ powers


# On paper.


def test_the_arch_is_a_system():
    check_problem(Truss(1.5), np.array([1.7]))
    check_problem(Truss(), np.array([-1.3]))


@pytest.mark.parametrize("steps", [10, 37, 400])
def test_an_arch_snaps_through_where_it_does_on_paper(steps):
    found = drive(Truss(), np.array([2.5]), np.linspace(0.0, 4.9, steps + 1), halvings=16)
    assert found.status == "loaded"
    (snap,) = found.avalanches
    width = 4.9 / steps / 2**16
    assert snap.load <= 4.0 <= snap.load + 1.01 * width + 1e-6
    # The error of the drop is that of the load: the pusher's force of 2 times the shortest step.
    assert snap.drop == pytest.approx(3.375, abs=2.1 * width + 1e-5)
    assert (snap.closed, snap.opened) == (1, 1)
    assert snap.displacement == pytest.approx(3.0, abs=0.05)
    assert snap.participation == pytest.approx(1.0)
    assert snap.unstable
    assert 0.0 < snap.softest < 0.2
    assert found.x == pytest.approx([-2.0])
    assert found.lost.sum() == snap.drop
    assert abs(found.unaccounted) < 20.0 / steps**2


def test_the_work_on_the_arch_is_the_line_integral_of_its_load():
    found = drive(Truss(), np.array([2.5]), np.linspace(1.0, 3.5, 101))
    assert not found.avalanches
    change = found.energy[-1] - found.energy[0]
    assert line_integral(found, Truss()) == pytest.approx(change, rel=1e-7)
    assert found.work.sum() == pytest.approx(change, rel=1e-4)  # of third order in each step


def test_what_snapped_does_not_snap_back():
    there = drive(Truss(), np.array([2.5]), np.linspace(0.0, 6.0, 31))
    back = drive(Truss(), there.x, np.linspace(6.0, 0.0, 31))
    assert not back.avalanches
    assert back.x[0] < -1.9


# Convex problems have one minimum at each load, and so nowhere to slide to.


@few
@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_linear_gaps_have_no_avalanches(n, seed):
    rng = np.random.default_rng(seed)
    normals = rng.standard_normal((5 * n, n))
    problem = Halfspaces(normals, rng.standard_normal(5 * n))
    found = drive(problem, rng.standard_normal(n), np.linspace(0.0, 3.0, 41))
    assert found.status == "loaded"
    assert not found.avalanches
    assert not found.lost.any()


@pytest.mark.parametrize("seed", range(4))
def test_convex_perceptrons_have_none_and_their_energy_is_work(seed):
    point = jammed_perceptron(60, 1.5, 0.2, seed)
    assert point.problem.sigma > -0.1
    loads = np.linspace(0.15, 0.6, 61)
    found = drive(point.problem, point.x, loads)
    assert found.status == "loaded"
    assert found.changes.sum() > 0  # contacts open and close all the same
    assert not found.avalanches
    change = found.energy[-1] - found.energy[0]
    assert line_integral(found, point.problem) == pytest.approx(change, rel=1e-5)
    assert found.work.sum() == pytest.approx(change, rel=1e-3)


# Negative margins and packings have many.


@pytest.fixture(scope="module")
def perceptron():
    return jammed_perceptron(60, 4.0, -0.4, seed=3)


def matched(coarse, fine, resolution):
    """Pair the avalanches of two runs above a resolution by load."""
    large = [a for a in coarse.avalanches if a.drop > resolution]
    others = [a for a in fine.avalanches if a.drop > resolution]
    assert len(large) == len(others) > 0
    return zip(large, others, strict=True)


def test_halved_steps_find_the_same_avalanches(perceptron):
    coarse, fine = (
        drive(perceptron.problem, perceptron.x, np.linspace(0.002, 0.152, steps + 1))
        for steps in (30, 60)
    )
    assert coarse.energy[-1] == pytest.approx(fine.energy[-1], rel=1e-10)
    for a, b in matched(coarse, fine, coarse.resolution):
        assert a.load == pytest.approx(b.load, abs=2.0 * a.width)
        assert a.drop == pytest.approx(b.drop, rel=0.02)
        assert (a.closed, a.opened) == (b.closed, b.opened)
        assert a.unstable
        assert b.unstable
        assert a.softest > 0.0


def test_energy_is_work_less_losses(perceptron):
    found = drive(perceptron.problem, perceptron.x, np.linspace(0.002, 0.152, 121))
    assert found.lost.sum() > 50 * abs(found.unaccounted)


def test_the_minimiser_does_not_decide_where_a_perceptron_is_unstable(perceptron):
    loads = np.linspace(0.002, 0.152, 31)
    newton = drive(perceptron.problem, perceptron.x, loads)
    native = drive(perceptron.problem, perceptron.x, loads, minimise=descend)
    (a, b) = newton.avalanches[0], native.avalanches[0]
    assert a.load == pytest.approx(b.load, abs=2.0 * a.width)


def test_discs_yield_alike_by_fire_by_newton_and_with_halved_steps():
    packing = Discs.bidisperse(64, 0.86)
    low = decompress(packing, packing.random_state(np.random.default_rng(1)), 1e-5)
    loads = np.linspace(0.0, 0.02, 41)
    fire = drive(low.problem, low.x, loads, minimise=closely)
    newton = drive(low.problem, low.x, loads, with_spectra=False)
    assert len(fire.avalanches) == 3
    halved = drive(low.problem, low.x, np.linspace(0.0, 0.02, 81), minimise=closely)
    assert all(a.unstable for a in fire.avalanches)
    # A rattler lies where a descent left it, and so does what it sets off later: only the largest
    # avalanche is sure to be the same.
    one, *others = (max(f.avalanches, key=lambda a: a.drop) for f in (fire, newton, halved))
    for other in others:
        assert other.load == pytest.approx(one.load, abs=2.0 * one.width)
        assert other.drop == pytest.approx(one.drop, rel=1e-3)


def test_a_descent_that_stalls_ends_the_loading_and_keeps_it(perceptron):
    found = drive(
        perceptron.problem,
        perceptron.x,
        np.linspace(0.01, 0.2, 21),
        minimise=Newton(max_steps=3),
    )
    assert found.status == "stalled"
    assert "3 Newton steps were not enough" in found.reason
    assert len(found.loads) == len(found.work) < 22


def test_fewer_than_two_loads_are_refused():
    with pytest.raises(ValueError, match="at least two loads"):
        drive(Truss(), np.array([2.5]), [1.0])


# One pattern at a time, and networks at a fixed norm.


def one_by_one(problem, first, last):
    for k in range(first, last):
        old, new = (
            Perceptron(problem.patterns[rows], problem.sigma)
            for rows in (slice(k), slice(k, k + 1))
        )
        yield Together(old, new)


def test_patterns_arrive_one_at_a_time():
    rng = np.random.default_rng(3)
    whole = Perceptron.random(30, 5.0, -0.3, rng)
    problems = list(one_by_one(whole, 120, 150))
    check_problem(problems[0].tightened(-0.1), problems[0].old.random_state(rng), rng)
    start = Newton()(problems[0].old, problems[0].old.random_state(rng))
    found = list(arrive(problems, start.x))
    assert len(found) == 30
    assert all(one.status == "loaded" for one in found)
    # It ends in a minimum of the whole problem, and each arrival begins where the last one ended.
    end = found[-1]
    assert whole.energy_gradient(end.x)[0] == pytest.approx(end.energy[-1], rel=1e-12)
    assert np.abs(whole.energy_gradient(end.x)[1]).max() < 1e-9
    assert least_curvature(whole, end.x) > 0.0
    for one, after in pairwise(found):
        assert after.energy[0] == pytest.approx(one.energy[-1], rel=1e-9)
    assert sum(len(one.avalanches) for one in found) > 0
    assert sum(one.work.sum() - one.lost.sum() for one in found) == pytest.approx(
        end.energy[-1] - found[0].energy[0], rel=0.02
    )


def test_patterns_that_arrive_in_a_convex_problem_cause_no_avalanche():
    rng = np.random.default_rng(0)
    whole = Perceptron.random(30, 3.0, 0.3, rng)
    start = Newton()(Perceptron(whole.patterns[:60], 0.3), whole.random_state(rng))
    found = list(arrive(one_by_one(whole, 60, 90), start.x))
    assert not any(one.avalanches for one in found)


def smooth_network(seed=0, patterns=60, radius=6.0):
    rng = np.random.default_rng(seed)
    mlp = Mlp(6, 6, 1, "tanh")
    problem = SphericalNetwork(HingeNetwork(mlp, random_patterns(patterns, 6, rng)), radius)
    return problem, problem.on_sphere(mlp.init(rng))


@pytest.mark.parametrize("activation", ["tanh", "softplus", "relu"])
def test_a_network_on_a_sphere_is_a_system(activation):
    rng = np.random.default_rng(5)
    mlp = Mlp(4, 5, 2, activation)
    problem = SphericalNetwork(HingeNetwork(mlp, random_patterns(30, 4, rng)), 3.0)
    check_problem(problem, mlp.init(rng) + 0.1 * rng.standard_normal(mlp.n_dof), rng)


def test_a_network_is_driven_by_its_margin_at_a_fixed_norm():
    problem, x = smooth_network()
    start = Newton()(problem, x)
    assert start.status == "jammed"
    coarse, fine = (drive(problem, start.x, np.linspace(0.0, 0.5, k + 1)) for k in (20, 40))
    assert coarse.status == fine.status == "loaded"
    assert coarse.energy[-1] == pytest.approx(fine.energy[-1], rel=1e-9)
    large = [a.drop for a in coarse.avalanches if a.drop > coarse.resolution]
    same = [a.drop for a in fine.avalanches if a.drop > coarse.resolution]
    assert large == pytest.approx(same, rel=0.02)
    assert all(a.unstable for a in fine.avalanches)


def test_a_network_learns_one_pattern_at_a_time():
    problem, x = smooth_network(patterns=70)
    network, patterns = problem.free, problem.free.patterns

    def part(rows):
        labelled = Patterns(patterns.x[rows], patterns.y[rows])
        return SphericalNetwork(HingeNetwork(network.mlp, labelled), problem.radius)

    both = [np.argmax(patterns.y > 0), np.argmax(patterns.y < 0)]
    rest = np.setdiff1d(np.arange(70), both)
    old = part(rest)
    found = list(arrive([Together(old, part(both))], Newton()(old, x).x, steps=5))
    assert found[0].status == "loaded"
    assert found[0].energy[-1] == pytest.approx(problem.energy_gradient(found[0].x)[0], rel=1e-12)

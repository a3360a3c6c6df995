"""What is counted: symmetries of networks on a sphere, frozen units, and satisfied states."""

from dataclasses import dataclass, replace
from pathlib import Path
from runpy import run_path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from scipy.optimize import brentq

from bridge import observe, spectrum
from bridge.descent.newton import Newton
from bridge.jamming.linearised import Linearised
from bridge.measure.observables import backbone_gaps, symmetries
from bridge.measure.spectra import hessian, jacobian_rank
from bridge.runs.kinds.jam import JamRun
from bridge.runs.states import measure
from bridge.systems import NetworkSystem, State
from networks import (
    HingeNetwork,
    Mlp,
    Patterns,
    SphericalNetwork,
    from_module,
    random_patterns,
    train,
)  # fmt: skip
from networks.models.symmetry import balanced, rescaling_modes
from particles import Discs, Perceptron, descend
from particles.packings.minimum import minimise

from network_strategies import spherical_networks
from problems import Halfspaces

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"
CONTRADICTION = Path(__file__).parent.parent / "cases" / "one_contradiction.csv"


def layers(mlp, x):
    return [x[s].reshape(shape) for s, shape in zip(mlp.slices, mlp.shapes, strict=True)]


def half_active(depth, activation, n_dead=0, width=6, seed=0):
    """A network whose units are active on half of very many patterns, or dead, but for tanh."""
    rng = np.random.default_rng(seed)
    mlp = Mlp(4, width, depth, activation)
    problem = HingeNetwork(mlp, random_patterns(800, 4, rng))
    x = rng.standard_normal(mlp.n_dof)
    a = problem.patterns.x
    for layer in layers(mlp, x)[:-1]:
        z = a @ layer[:, :-1].T
        layer[:, -1] = -np.median(z, axis=0)
        layer[:n_dead, -1] = -z.max(axis=0)[:n_dead] - 1.0
        a = np.maximum(z + layer[:, -1], 0) if activation == "relu" else np.tanh(z + layer[:, -1])
    return problem, x


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize(
    ("activation", "n_dead"), [("relu", 0), ("relu", 1), ("relu", 2), ("tanh", 0)]
)
def test_the_count_is_the_rank_of_the_outputs(depth, activation, n_dead):
    """At a fixed norm ``n_isostatic`` is the parameters of living units less their rescalings."""
    problem, x = half_active(depth, activation, n_dead)
    held = SphericalNetwork(problem, float(np.linalg.norm(x)))
    seen, free = observe(held, x), observe(problem, x)
    living = Mlp(4, 6 - n_dead, depth).n_dof  # the network without its dead units
    rescalings = depth * (6 - n_dead) if activation == "relu" else 0
    assert seen.n_frozen == n_dead * depth
    assert (seen.n_symmetries, free.n_symmetries) == (1 + rescalings, rescalings)
    assert seen.n_isostatic == seen.n + 1 == free.n == living - rescalings
    assert jacobian_rank(problem, x) == seen.n_isostatic


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_balanced_units_leave_one_motion_less(depth):
    """There the sphere is the edge of what the norm allows: only then it takes a motion away."""
    problem, x = half_active(depth, "relu")
    x = balanced(problem.mlp, x)
    held = SphericalNetwork(problem, float(np.linalg.norm(x)))
    assert jacobian_rank(held, x) == observe(held, x).n
    assert len(held.zero_modes(x)) == 1


def test_two_units_may_trade_their_scales_at_one_norm():
    """Off balance some rescalings keep the norm: the zero modes are tangent to where they lead."""
    problem, x = half_active(2, "relu")
    held = SphericalNetwork(problem, float(np.linalg.norm(x)))

    def scaled(first, second):
        moved = x.copy()
        into, out, _ = layers(problem.mlp, moved)
        for unit, c in enumerate((first, second)):
            into[unit] *= np.exp(c)
            out[:, unit] /= np.exp(c)
        return moved

    def traded(c):
        excess = lambda second: float(np.linalg.norm(scaled(c, second)) - held.radius)  # noqa: E731
        return scaled(c, brentq(excess, -0.2, 0.2, xtol=1e-15))

    assert held.gaps(traded(0.05)) == pytest.approx(held.gaps(x), abs=1e-11)
    way = traded(1e-6) - traded(-1e-6)
    way /= np.linalg.norm(way)
    modes = held.zero_modes(x)
    assert len(modes) == 12
    assert np.linalg.norm(modes @ way) == pytest.approx(1.0, abs=1e-6)
    assert np.abs(held.gap_jacobian(x) @ modes.T).max() < 1e-10


def test_the_norm_resists_a_rescaling_with_twice_its_multiplier():
    """``H r = 2ν r`` where units are balanced, and no constraint takes part: ``J r = 0``."""
    problem, x = half_active(2, "relu", width=3)
    x = balanced(problem.mlp, x)
    held = SphericalNetwork(problem, float(np.linalg.norm(x)))
    for rescaling in rescaling_modes(problem.mlp, x, [np.zeros(3, bool)] * 2):
        assert np.abs(held.gap_jacobian(x) @ rescaling).max() < 1e-11
    tight = minimum_at_a_norm()
    multiplier = -float(tight.x @ tight.problem.free.energy_gradient(tight.x)[1])
    multiplier /= tight.problem.radius**2
    assert multiplier > 1e-3
    modes = rescaling_modes(tight.problem.free.mlp, tight.x, [np.zeros(2, bool)])
    found = hessian(tight.problem, tight.x) @ modes.T
    assert found == pytest.approx(2 * multiplier * modes.T, abs=1e-6 * multiplier)
    assert len(tight.problem.zero_modes(tight.x)) == 1


@dataclass
class Tight:
    problem: SphericalNetwork
    x: np.ndarray


def minimum_at_a_norm():
    """Two rectifiers, one on each side of zero: no kink is met, and the norm is short."""
    inputs = np.array([[-3.0], [-2.0], [2.0], [3.0]])
    free = HingeNetwork(Mlp(1, 2, 1), Patterns(inputs, np.array([1.0, 1.0, -1.0, -1.0])))
    x = np.array([1.0, 0.1, -1.0, 0.1, -1.0, 1.0, 0.0])
    held = SphericalNetwork(free, 1.0)
    end = Newton()(held, held.on_sphere(x))
    assert end.status == "jammed"
    return Tight(held, held.on_sphere(end.x))


@settings(deadline=None, max_examples=40)
@given(spherical_networks())
def test_no_pattern_acts_on_a_dead_unit(system):
    """The projection on to the sphere gives each of them an entry in every variable."""
    problem, x = system
    seen = observe(problem, x)
    assert seen.n_constraints == (problem.gaps(x) > 0).sum()
    assert backbone_gaps(problem, x).size == len(problem.free.patterns)
    assert len(symmetries(problem, x)) >= seen.n_symmetries


def test_one_dead_unit_hides_no_violated_pattern():
    problem, x = half_active(1, "relu", n_dead=1)
    held = SphericalNetwork(problem, float(np.linalg.norm(x)))
    seen = observe(held, x)
    assert seen.n_frozen == 1
    assert seen.n_constraints == (held.gaps(x) > 0).sum() > 0
    assert spectrum(held, x).n_violated == seen.n_constraints


def test_a_unit_whose_weights_have_vanished_is_dead():
    """A held norm shrinks the weights of a dead unit to rounding, which has any sign."""
    problem, x = half_active(2, "relu", n_dead=1)
    into, out, _ = layers(problem.mlp, x)
    into[0] *= -1e-17  # was silent on all patterns: now active on all, by rounding
    out[:, 0] *= 1e-17
    held = SphericalNetwork(problem, float(np.linalg.norm(x)))
    seen = observe(held, x)
    assert seen.n_frozen == 2
    assert seen.n_isostatic == jacobian_rank(problem, x)
    assert seen.n_constraints == (held.gaps(x) > 0).sum() > 0


def test_what_an_active_pattern_acts_on_is_told_without_the_sphere():
    problem, x = half_active(1, "relu", n_dead=1)
    held = SphericalNetwork(problem, float(np.linalg.norm(x)))
    here = Linearised.at(held, x)
    reached = here.columns_of(np.arange(len(problem.patterns)))
    assert np.array_equal(np.flatnonzero(~reached), np.sort(np.concatenate(held.frozen(x))))
    assert here.rows_within(reached).all()


def test_two_patterns_that_contradict_are_counted_at_every_minimum():
    ends = []
    for seed in range(4):
        system = NetworkSystem(data=str(CONTRADICTION), width=6, steps=1500)
        found = JamRun.document([JamRun(system, (seed,)).compute()])
        ends.append((found["status"], found["n_constraints"] >= 2, found["n_frozen"]))
        assert found["n"] == found["n_isostatic"] - 1
    assert {end[:2] for end in ends} == {("jammed", True)}
    assert any(frozen for *_, frozen in ends)


@pytest.mark.parametrize("kind", [(12, 2.0), (12, 2.5), (17, 2.0), (24, 2.0)])
def test_rectifiers_of_the_benchmark_are_isostatic(kind, monkeypatch):
    """Violated patterns and kinks are as many as degrees of freedom, rescalings left out."""
    for name in ("OMP", "MKL", "OPENBLAS"):
        monkeypatch.setenv(f"{name}_NUM_THREADS", "1")  # the benchmark sets them: back afterwards
    benchmark = run_path(str(BENCHMARKS / "gap_exponents.py"))
    *_, both = benchmark["States"](*kind, "relu").counts()
    assert len(both) >= 5
    assert both.mean() == pytest.approx(1.0, abs=0.01)
    *_, smooth = benchmark["States"](kind[0], 2.0, "tanh").counts()
    assert smooth.mean() < 0.86


def fitted_network():
    rng = np.random.default_rng(0)
    problem = HingeNetwork(Mlp(4, 8, 1), random_patterns(10, 4, rng))
    end = train(problem, problem.mlp.init(rng), steps=2000)
    assert end.status == "unjammed"
    return problem, end.x


def barely(problem, x, energy):
    """Return the problem with its margin such that its worst pattern alone has the ``energy``."""
    return problem.tightened(np.sqrt(2 * energy) - problem.gaps(x).max())


def states_near_zero():
    """States a little below and above the energy at which their systems call them satisfied."""
    network, x = fitted_network()
    held = SphericalNetwork(network, float(np.linalg.norm(x)))
    module = from_module(torch.nn.Linear(3, 1), np.eye(3), [1, -1, 1])
    perceptron = Perceptron.random(20, 1.0, -0.5, np.random.default_rng(0))
    y = descend(perceptron, perceptron.random_state(np.random.default_rng(1))).x
    for problem, state, zero in (
        (network, x, 1e-14), (held, x, 1e-14), (module, module.start, 1e-14), (perceptron, y, 1e-20)
    ):  # fmt: skip
        yield barely(problem, state, 0.9 * zero), barely(problem, state, 1.1 * zero), state


@pytest.mark.parametrize(("below", "above", "x"), states_near_zero())
def test_what_a_descent_leaves_above_zero_is_no_constraint(below, above, x):
    """The threshold is the system's; the rule is that of `observe`, and of all that counts."""
    assert (below.gaps(x) > 0).any()
    seen, values = observe(below, x), spectrum(below, x)
    assert (seen.n_constraints, seen.min_force, seen.constraint_ratio) == (0, None, 0.0)
    assert backbone_gaps(below, x).max() == 0.0
    assert (values.n_violated, values.zero_modes, values.negative_modes_hp) == (0, x.size, 0)
    assert values.bound_holds
    assert observe(above, x).n_constraints == (above.gaps(x) > 0).sum()
    assert backbone_gaps(above, x).max() > 0.0
    assert spectrum(above, x).n_violated > 0


def test_a_packing_is_satisfied_where_its_pressure_vanishes():
    packing = Discs.bidisperse(16, 0.95)
    found = minimise(packing, packing.random_state(np.random.default_rng(0)))
    assert (found.status, observe(packing, found.x).n_constraints > 0) == ("jammed", True)
    gaps = packing.gaps(found.x)
    assert packing.satisfied(gaps * (1e-13 / found.pressure))
    assert not packing.satisfied(gaps * (3e-13 / found.pressure))
    loose = Discs.bidisperse(16, 0.6)
    found = minimise(loose, loose.random_state(np.random.default_rng(0)))
    assert (found.status, observe(loose, found.x).n_constraints) == ("unjammed", 0)


def test_a_network_that_fits_counts_nothing_anywhere():
    problem, x = fitted_network()
    end = train(problem, x, steps=1)
    assert (end.status, end.n_constraints, observe(problem, end.x).n_constraints) == (
        "unjammed", 0, 0,
    )  # fmt: skip


def test_a_state_in_which_nothing_is_held_is_not_jammed():
    problem = Halfspaces(np.eye(2), np.full(2, -0.3))
    state = State(problem, np.zeros(2), "jammed", "", ("load", 0.0))
    found = measure(state, with_spectrum=False, seconds=0.0)
    assert found.state.status == "stalled"
    assert "no violated constraint holds anything" in found.state.reason
    held = replace(state, problem=Halfspaces(np.eye(2), np.full(2, 0.3)))
    assert measure(held, with_spectrum=True, seconds=0.0).state.status == "jammed"

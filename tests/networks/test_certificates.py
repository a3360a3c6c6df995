"""Minima of networks that are certified: against rays, theory and a quadratic program's optimum."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import observe, spectrum
from bridge.jamming.approach import approach
from networks import HingeNetwork, Mlp, SphericalNetwork, random_patterns, settle, train
from networks.models.symmetry import balanced, rescaled
from networks.training.box_qp import minimise_in_box
from networks.training.kinks import Kinks, KinkState
from networks.training.polish import polish

from network_strategies import hinge_networks


def a_network(width, depth, load, seed, activation="relu"):
    rng = np.random.default_rng(seed)
    mlp = Mlp(width, width, depth, activation)
    problem = HingeNetwork(mlp, random_patterns(round(load * mlp.n_weights), width, rng))
    return problem, mlp.init(rng)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_a_program_in_a_box_ends_at_its_optimum(k, rank, seed):
    """The gradient vanishes inside, and points outwards at the walls."""
    rng = np.random.default_rng(seed)
    a = torch.tensor(rng.standard_normal((k, rank)))
    q, c = a @ a.T, torch.tensor(a.numpy() @ rng.standard_normal(rank))
    upper = torch.tensor(np.where(rng.random(k) < 0.3, np.inf, 1.0))
    t = minimise_in_box(q, c, torch.zeros(k, dtype=torch.float64), upper)
    slope = q @ t + c
    small = 1e-6 * float(c.abs().max())
    assert ((t >= 0) & (t <= upper)).all()
    assert (slope[t <= 0] > -small).all()
    assert (slope[t >= upper] < small).all()
    assert (slope[(t > 0) & (t < upper)].abs() < small).all()


KINDS = [("relu", 6, 2, 2), ("relu", 8, 3, 1), ("relu", 8, 3, 2), ("tanh", 6, 2, 2)]


@pytest.fixture(scope="module", params=KINDS)
def certified(request):
    """A jammed network of each kind, its weights on a sphere."""
    activation, width, depth, seed = request.param
    problem, start = a_network(width, depth, 8.0, seed, activation)
    found = train(problem, start, steps=4000)
    assert (found.status, found.reason) == ("jammed", "")
    return SphericalNetwork(problem, found.radius), found


def test_forces_balance_and_the_bound_holds(certified):
    problem, found = certified
    assert found.max_residual < 1e-8
    assert (found.n_kinks > 0) == (problem.free.mlp.activation == "relu")
    values = spectrum(problem, found.x)
    assert values.bound_holds
    if not found.n_kinks:
        assert values.negative_modes == 0
        assert np.abs(problem.energy_gradient(found.x)[1]).max() < 1e-7


def test_no_ray_lowers_the_energy(certified):
    """True of a minimum on kinks too, where neither gradient nor Hessian exists."""
    problem, found = certified
    rng = np.random.default_rng(0)
    for length in (1e-2, 1e-3, 1e-4, 1e-5):
        for v in rng.standard_normal((200, problem.n_dof)):
            there = found.x + length * v / np.linalg.norm(v)
            energy = problem.energy_gradient(there)[0]
            assert energy > found.energy * (1 - 1e-14)


def test_a_rectifier_leaves_its_kinks_uphill_to_first_order(certified):
    problem, found = certified
    if not found.n_kinks:
        pytest.skip("a smooth activation has no kinks")
    rng = np.random.default_rng(1)
    v = rng.standard_normal(problem.n_dof)
    v /= np.linalg.norm(v)
    rises = [problem.energy_gradient(found.x + s * v)[0] - found.energy for s in (1e-5, 1e-6)]
    assert rises[0] / rises[1] == pytest.approx(10, rel=0.2)


def test_a_minimum_on_the_sphere_has_its_units_balanced(certified):
    """Weights that a rescaling could save would fit better elsewhere."""
    problem, found = certified
    if found.n_kinks:
        assert balanced(problem.free.mlp, found.x) == pytest.approx(found.x, abs=1e-5)


def test_a_saddle_is_not_called_a_minimum():
    """Two tanh units that are copies of each other: forces balance, and one of them can go."""
    problem, start = a_network(5, 1, 12.0, seed=3, activation="tanh")
    found = train(problem, start, steps=3000)
    wide = HingeNetwork(Mlp(5, 6, 1, "tanh"), problem.patterns)
    hidden = found.x[problem.mlp.slices[0]].reshape(5, 6)
    out = found.x[problem.mlp.slices[1]]
    split = np.concatenate(
        [hidden.ravel(), hidden[-1], out[:4], [1.5 * out[4], -0.5 * out[4]], out[5:]]
    )
    assert wide.gaps(split) == pytest.approx(problem.gaps(found.x))
    w = torch.tensor(split)
    there = KinkState(wide, w, Kinks.none(wide))
    free = KinkState(problem, torch.tensor(found.x), Kinks.none(problem))
    assert there.residual < 2 * free.residual
    assert there.way_down() is not None


def test_weights_that_run_away_are_told_from_an_unfinished_polish():
    problem, start = a_network(6, 2, 5.0, seed=0, activation="tanh")
    found = train(problem, start, steps=2000, newton_steps=150, hold_norm=False)
    assert found.status == "stalled"
    assert "weights run away" in found.reason
    short = train(problem, start, steps=2000, newton_steps=3)
    assert "allow more Newton steps" in short.reason


@settings(deadline=None, max_examples=40)
@given(hinge_networks(), st.integers(0, 2**32 - 1))
def test_balance_keeps_the_output_and_forgets_the_scales(system, seed):
    problem, x = system
    if not problem.mlp.sigma.homogeneous:
        return
    same = balanced(problem.mlp, x)
    assert problem.gaps(same) == pytest.approx(problem.gaps(x), rel=1e-9, abs=1e-9)
    assert np.linalg.norm(same) <= np.linalg.norm(x) * (1 + 1e-12)
    other = balanced(problem.mlp, rescaled(problem.mlp, x, np.random.default_rng(seed)))
    assert np.linalg.norm(other) == pytest.approx(np.linalg.norm(same), rel=1e-6)


def test_a_polish_does_not_depend_on_the_scales_of_units():
    problem, start = a_network(6, 2, 8.0, seed=2)
    annealed = train(problem, start, steps=4000, newton_steps=0)
    other = rescaled(problem.mlp, annealed.x, np.random.default_rng(0))
    states = (balanced(problem.mlp, x) for x in (annealed.x, other))
    one, two = (polish(problem, x, steps=300, hold_norm=True) for x in states)
    assert one.is_minimum
    assert two.is_minimum
    assert one.n_kinks == two.n_kinks
    energies = [problem.energy_gradient(p.x)[0] for p in (one, two)]
    assert energies[0] == pytest.approx(energies[1], rel=1e-9)


def test_a_sphere_needs_a_radius():
    problem, _ = a_network(3, 1, 2.0, seed=0)
    with pytest.raises(
        ValueError, match=r"^expected a radius > 0, got 0\.0: pass np\.linalg\.norm"
    ):
        SphericalNetwork(problem, 0.0)


@pytest.mark.parametrize(
    ("activation", "width", "depth", "load"),
    [("relu", 6, 1, 1.2), ("relu", 6, 2, 1.0), ("tanh", 4, 2, 1.6)],
)
def test_a_network_is_unloaded_to_its_jamming_margin(activation, width, depth, load):
    """Kinks included: weak forces balance to 1e-8 of themselves."""
    problem, start = a_network(width, depth, load, seed=2, activation=activation)
    end = train(problem, start, steps=3000)
    assert end.status == "unjammed"
    x = balanced(problem.mlp, end.x) if activation == "relu" else end.x
    stages = []
    for stage in approach(SphericalNetwork(problem, float(np.linalg.norm(x))), x, settle):
        stages.append(stage)
        if stage.overlap_per_variable < 1e-4:
            break
    last = stages[-1]
    assert (last.status, last.overlap_per_variable < 1e-4) == ("jammed", True)
    found = settle(last.problem, last.x)
    assert found.max_residual < 1e-8
    # No more constraints than degrees of freedom without rescalings, and one self-stress.
    seen = observe(last.problem, last.x)
    assert found.n_constraints == seen.n_constraints
    assert 0.5 * seen.n < found.n_constraints + found.n_kinks <= seen.n_isostatic
    margins = np.array([stage.problem.free.margin for stage in stages[-3:]])
    overlaps = np.array([stage.overlap_per_variable for stage in stages[-3:]])
    slopes = np.diff(overlaps) / np.diff(margins)
    assert slopes[0] == pytest.approx(slopes[1], rel=0.05)


def test_a_norm_that_is_not_needed_is_hidden_in_the_scale_of_a_unit():
    """Beyond the norm of a free minimum the multiplier of the norm vanishes on the sphere."""
    rng = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(1,)))
    problem = HingeNetwork(Mlp(8, 8, 1), random_patterns(288, 8, rng))
    inside = train(problem, problem.mlp.init(rng), steps=6000, hold_norm=False)
    assert inside.status == "jammed"
    x = 1.02 * balanced(problem.mlp, inside.x)
    found = settle(SphericalNetwork(problem, float(np.linalg.norm(x))), x)
    assert found.status == "jammed"
    assert found.energy == pytest.approx(inside.energy, rel=1e-6)
    assert np.linalg.norm(balanced(problem.mlp, found.x)) < np.linalg.norm(x)

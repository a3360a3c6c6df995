"""Each optimiser by its own stopping rule, and what training says when one fails."""

import numpy as np
import pytest

from networks import OPTIMISERS, Fire, HingeNetwork, Lbfgs, Mlp, Momentum, random_patterns, train


def a_network(load, activation="tanh", seed=1):
    rng = np.random.default_rng(seed)
    mlp = Mlp(8, 8, 2, activation)
    problem = HingeNetwork(mlp, random_patterns(round(load * mlp.n_weights), 8, rng))
    return problem, mlp.init(rng)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_few_patterns_are_fitted_by_each(name):
    problem, start = a_network(0.5)
    found = train(
        problem, start, steps=4000, optimiser=OPTIMISERS[name], rng=np.random.default_rng(0)
    )
    assert (found.status, found.reason) == ("unjammed", "")


@pytest.mark.parametrize("optimiser", [Lbfgs(tolerance=1e-6), Fire(tolerance=1e-3)])
def test_a_descent_stops_where_forces_vanish(optimiser):
    rng = np.random.default_rng(0)
    problem = HingeNetwork(Mlp(4, 1, 1, "tanh"), random_patterns(100, 4, rng))
    found = optimiser(problem, problem.mlp.init(rng), steps=5000)
    assert found.steps < 5000
    assert np.abs(problem.energy_gradient(found.x)[1]).max() < optimiser.tolerance


def test_lbfgs_never_ends_above_its_start():
    problem, start = a_network(6.0, "softplus")
    for steps in (20, 200):
        found = Lbfgs()(problem, start, steps=steps)
        assert problem.energy_gradient(found.x)[0] < problem.energy_gradient(start)[0]


def test_minibatches_are_repeatable_and_lower_the_energy():
    problem, start = a_network(6.0, "relu")
    one, two = (
        Momentum()(problem, start, steps=500, rng=np.random.default_rng(3)) for _ in range(2)
    )
    assert np.array_equal(one.x, two.x)
    assert problem.energy_gradient(one.x)[0] < 0.8 * problem.energy_gradient(start)[0]
    assert not np.array_equal(
        one.x, Momentum()(problem, start, steps=500, rng=np.random.default_rng(4)).x
    )


def test_a_training_that_diverges_says_so_in_one_line():
    problem, start = a_network(6.0, "relu")
    with np.errstate(all="ignore"):
        found = train(
            problem, start, steps=500, optimiser=Momentum(rate=1e3), rng=np.random.default_rng(0)
        )
    assert found.status == "stalled"
    assert found.reason == "training diverged: lower the learning rate"

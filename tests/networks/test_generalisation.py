"""Errors on unseen patterns, counted again by hand from the parameters."""

import numpy as np
import pytest

from networks import HingeNetwork, Mlp, Patterns, generalise, random_patterns


def halfspace(p, rng):
    """Patterns whose label is the sign of their first component: easy to learn."""
    x = random_patterns(p, 4, rng).x
    return Patterns(x, np.where(x[:, 0] > 0, 1.0, -1.0))


def test_errors_are_those_of_the_parameters():
    rng = np.random.default_rng(0)
    taught, validation, test = (halfspace(p, rng) for p in (60, 40, 80))
    mlp = Mlp(4, 6, 1)
    rngs = [np.random.default_rng(seed) for seed in range(4)]
    found = generalise(mlp, taught, validation, test, rngs, steps=500)
    alive = [end for end in found.trained if end.status != "dead"]
    gaps = np.array([HingeNetwork(mlp, test).gaps(end.x) for end in alive])
    outputs = (1 - gaps) * test.y
    assert found.dead + len(alive) == 4
    assert found.errors == pytest.approx((np.sign(outputs) != test.y).mean(axis=1))
    assert found.averaged == pytest.approx((np.sign(outputs.mean(axis=0)) != test.y).mean())
    assert found.norms**2 == pytest.approx((outputs**2).mean(axis=1))
    assert found.spread**2 == pytest.approx(outputs.var(axis=0).mean())
    assert found.errors.max() < 0.3
    assert len(found.stopped) == len(alive)


def test_early_stopping_is_chosen_on_the_validation_patterns():
    """Where validation and test are the same patterns, stopping can only lower the error."""
    rng = np.random.default_rng(1)
    taught, unseen = random_patterns(40, 4, rng), random_patterns(60, 4, rng)
    rngs = [np.random.default_rng(seed) for seed in range(3)]
    found = generalise(Mlp(4, 8, 1), taught, unseen, unseen, rngs, steps=300)
    assert (found.stopped <= found.errors).all()


def test_no_generator_is_refused():
    patterns = random_patterns(10, 4, np.random.default_rng(0))
    with pytest.raises(ValueError, match="got none"):
        generalise(Mlp(4, 2, 1), patterns, patterns, patterns, [])

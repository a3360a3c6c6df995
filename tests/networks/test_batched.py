"""Networks trained together: each takes the steps it takes alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from networks import ACTIVATIONS, HingeNetwork, Mlp, Schedule, random_patterns, train, train_all
from networks.training.anneal import anneal
from networks.training.batched import Ensemble, groups


def a_network(width, depth, patterns, seed, activation="relu", margin=1.0):
    rng = np.random.default_rng(seed)
    mlp = Mlp(5, width, depth, activation)
    return HingeNetwork(mlp, random_patterns(patterns, 5, rng), margin=margin), mlp.init(rng)


ensembles = st.lists(
    st.tuples(st.integers(2, 60), st.integers(0, 1000), st.sampled_from([-0.5, 0.0, 1.0])),
    min_size=1,
    max_size=5,
)


@settings(max_examples=30)
@given(
    ensembles, st.integers(1, 4), st.integers(1, 3), st.sampled_from(list(ACTIVATIONS)),
    st.booleans(),
)  # fmt: skip
def test_a_pass_gives_the_gaps_and_gradients_of_each_network(
    members, width, depth, activation, gathers
):
    made = [a_network(width, depth, p, seed, activation, margin) for p, seed, margin in members]
    problems, xs = map(list, zip(*made, strict=True))
    nets = Ensemble(problems, xs, gathers=gathers)
    gaps = nets.gaps()
    energies = nets.backward(gaps)
    for row, (problem, x) in enumerate(made):
        energy, gradient = problem.energy_gradient(x)
        size = len(problem.patterns)
        assert gaps[row, :size].numpy() == pytest.approx(problem.gaps(x), abs=1e-12)
        assert (gaps[row, size:] == -np.inf).all()
        assert float(energies[row]) == pytest.approx(energy, rel=1e-12)
        assert nets.gradient[row].numpy() == pytest.approx(gradient, rel=1e-9, abs=1e-11)


@settings(max_examples=15)
@given(ensembles, st.sampled_from(["relu", "tanh", "gelu"]), st.integers(1, 25))
def test_a_network_ends_in_a_batch_where_it_ends_alone(members, activation, steps):
    """Few steps: rounding grows exponentially along the steps of Adam."""
    made = [a_network(4, 2, p, seed, activation, margin) for p, seed, margin in members]
    problems, xs = map(list, zip(*made, strict=True))
    together = dict(anneal(problems, xs, steps=steps))
    for i, (problem, x) in enumerate(made):
        ((_, alone),) = anneal([problem], [x], steps=steps)
        assert together[i].steps == alone.steps
        assert together[i].x == pytest.approx(alone.x, abs=1e-7)


def test_what_ends_early_or_diverges_leaves_the_others_alone():
    """Fitted at once, fitted on the way, not a number, and never: in one batch of four.

    A start at ``1e200`` makes the energy infinite. The others go on as if they were alone.
    """
    easy, hard = a_network(6, 1, 4, 0), a_network(6, 1, 90, 1)
    satisfied = a_network(6, 1, 20, 2, margin=-50.0)
    sick = a_network(6, 1, 30, 3)
    made = [satisfied, easy, (sick[0], sick[1] * 1e200), hard]
    problems, xs = map(list, zip(*made, strict=True))
    order, found = [], {}
    for i, end in anneal(problems, xs, steps=400):
        order.append(i)
        found[i] = end
    assert order[-1] == 3
    assert (found[0].steps, found[2].steps, found[3].steps) == (1, 1, 400)
    assert 1 < found[1].steps < 400
    assert np.array_equal(found[0].x, satisfied[1])
    for i, (problem, x) in enumerate(made):
        ((_, alone),) = anneal([problem], [x], steps=400)
        assert found[i].x == pytest.approx(alone.x, rel=1e-3, abs=1e-3)


def test_a_network_that_diverges_says_so():
    problem, x = a_network(4, 2, 20, 0)
    found = train(problem, x, steps=200, schedule=Schedule(first=1e250, last=1e250, warmup=0.0))
    assert found.status == "stalled"
    assert "diverged" in found.reason


def test_networks_of_any_shapes_are_trained_and_each_once():
    made = [a_network(w, d, p, 7) for w, d, p in ((3, 1, 10), (4, 2, 300), (3, 1, 40), (4, 2, 9))]
    problems, xs = map(list, zip(*made, strict=True))
    assert sorted(groups(problems), key=min) == [[0, 2], [3, 1]]
    found = list(train_all(problems, xs, steps=300))
    assert sorted(i for i, _ in found) == [0, 1, 2, 3]
    for i, end in found:
        assert end.x.shape == (problems[i].n_dof,)
        violated = 0 if end.status == "unjammed" else (problems[i].gaps(end.x) > 0).sum()
        assert end.n_constraints == violated


def test_different_shapes_in_one_batch_are_refused():
    (one, x), (two, y) = a_network(3, 1, 10, 0), a_network(4, 1, 10, 0)
    with pytest.raises(ValueError, match=r"^expected networks of one shape .*: group them"):
        Ensemble([one, two], [x, y])


def test_an_anneal_is_looked_at_as_often_as_is_asked_for():
    problem, x = a_network(4, 1, 60, 0)
    for looks, expected in (
        (4, [0, 25, 50, 75]),
        (100, list(range(100))),
        (1000, list(range(100))),
    ):
        seen: list[int] = []

        def look(_, step, __, seen=seen):
            seen.append(step)

        list(anneal([problem], [x], steps=100, look=look, looks=looks))
        assert seen == expected

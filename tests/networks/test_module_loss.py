"""The loss of a module as a landscape: that of the built-in classifier, and its symmetries."""

import numpy as np
import pytest
import torch
from torch import nn

from bridge import check_landscape, explore
from bridge.landscape.eigenvector_following import PARABOLA
from bridge.systems.module_landscape import ModuleLandscape
from networks.data.outcomes import Outcomes
from networks.models.classifier import Classifier
from networks.models.module_loss import ModuleLoss

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = np.arange(40) % 3


def layers(outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, outputs))


def linear():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 2, bias=False), nn.Linear(2, 3))


def normed():
    torch.manual_seed(2)
    norm = nn.LayerNorm(4, elementwise_affine=False)
    return nn.Sequential(nn.Linear(3, 4), norm, nn.Linear(4, 3))


def mean_square(outputs, labels):
    return (outputs - torch.eye(3, dtype=outputs.dtype)[labels]).square().mean()


@pytest.mark.parametrize("l2", [0.0, 0.01])
def test_it_is_the_landscape_of_the_built_in_classifier(l2):
    data = Outcomes(X, Y, 3)
    built_in = Classifier(data, 2, l2)
    x = built_in.random_state(RNG)
    inner, outer = built_in.layers(x)
    parts = inner[:, :-1], inner[:, -1], outer[:, :-1], outer[:, -1]
    w = np.concatenate([part.ravel() for part in parts])
    mine = ModuleLoss.of(layers(), X, Y, l2=l2)
    assert mine.energy_gradient(w)[0] == pytest.approx(built_in.energy_gradient(x)[0], rel=1e-12)
    values, expected = (np.linalg.eigvalsh(p.hessian(v)) for p, v in ((mine, w), (built_in, x)))
    assert values == pytest.approx(expected, abs=1e-12)
    assert mine.outputs(w, data) == pytest.approx(built_in.outputs(x, data), abs=1e-12)
    for name in ("zero_modes", "harmonic_modes"):
        assert len(getattr(mine, name)(w)) == len(getattr(built_in, name)(x))


# A module, its loss, and how many symmetries it has without decay and with it: shifts of all
# outputs, by a bias and two weights; between two linear layers 2 x 2 mixings, one a rotation. The
# four numbers that a norm puts out have the sum zero and turn, so(3), and three classes that read
# them grow by one number each, in one way all of them; five shifts of outputs, four of its inputs.
LANDSCAPES = {
    "three classes": (layers, None, 3, 0),
    "mean square": (layers, mean_square, 0, 0),
    "linear": (linear, None, 3 + 4, 1),
    "normed": (normed, None, 5 + 4 + 3 + 3 - 1, 3),
}


@pytest.mark.parametrize(("make", "loss", "free", "decayed"), LANDSCAPES.values(), ids=LANDSCAPES)
def test_every_loss_keeps_the_promises_of_a_landscape(make, loss, free, decayed):
    for l2, count in ((0.0, free), (0.05, decayed)):
        problem = ModuleLoss.of(make(), X, Y, loss=loss, l2=l2)
        x = problem.random_state(np.random.default_rng(1))
        assert len(problem.zero_modes(x)) == count
        check_landscape(problem, x)


def test_one_output_tells_two_classes():
    half = np.where(Y == 0, -1, 1)
    problem = ModuleLoss.of(layers(1), X, half, l2=0.0)
    w = problem.random_state(RNG)
    data = Outcomes(X, (half > 0).astype(int), 2)
    chances = problem.outputs(w, data)
    expected = -np.log(chances[np.arange(40), data.label]).mean()
    assert problem.energy_gradient(w)[0] == pytest.approx(expected, rel=1e-12)


def test_units_in_another_order_are_the_same_state():
    problem = ModuleLoss.of(layers(), X, Y)
    w = problem.random_state(RNG)
    order = [3, 4, 5, 0, 1, 2, 7, 6, 9, 8, 11, 10, 13, 12, 14, 15, 16]
    assert problem.same(w[order], w)
    assert problem.fingerprint(w[order]) == pytest.approx(problem.fingerprint(w))
    assert not problem.same(w + 0.1, w)


def test_no_climb_goes_round_in_circles():
    """Two tanh units on XOR: modes of negative curvature took turns, until the steps were spent."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
    inputs = np.array([[0.0, 0.0], [0, 1], [1, 0], [1, 1]])
    problem = ModuleLoss.of(module, inputs, np.array([-1, 1, 1, -1]))
    far = ModuleLandscape().lengths()
    graph = explore(problem, 0, searches=40, steps=far.steps, hops=far.hops)
    assert not [search for search in graph.searches if "steps left" in search.status]
    assert sum(PARABOLA in search.status for search in graph.searches) > 5
    assert len(graph.saddles) >= 8


def test_what_is_no_landscape_is_one_line():
    relu = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 3))
    wrong = [
        (relu, {}, "expected a smooth module, .* got one with kinks: use such as tanh"),
        (layers(), {"l2": -1.0}, "expected a finite l2 >= 0, got -1.0"),
        (layers(), {"loss": lambda f, y: f}, r"one finite number of the loss, got shape \(40, 3\)"),
        (layers(), {"loss": lambda f, y: 1.0}, "expected one finite number of the loss, got 1.0"),
        (layers(), {"loss": lambda f: 1.0}, r"expected loss\(outputs, labels\) of 40 .* TypeError"),
    ]
    for module, options, text in wrong:
        with pytest.raises(ValueError, match=text) as error:
            ModuleLoss.of(module, X, Y, **options)
        assert "\n" not in str(error.value)

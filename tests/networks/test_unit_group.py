"""Images of a module by orders and signs of its units, beside every element of the group."""

import math
from itertools import permutations, product

import numpy as np
import pytest
import torch
from torch import nn

from bridge import check_landscape
from bridge.landscape.completeness import morse_sum
from bridge.landscape.explore import Explorer
from bridge.landscape.graph import Graph
from networks.data.outcomes import Outcomes
from networks.models.classifier import Classifier
from networks.models.module_loss import ModuleLoss

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 2))
Y = np.arange(20) % 3


class Even(nn.Module):
    def forward(self, x):
        return torch.cos(x)


def chain(*functions, bias=True, outputs=3):
    """A module with two units in each of its hidden layers."""
    torch.manual_seed(0)
    layers, width = [], 2
    for function in functions:
        layers += [nn.Linear(width, 2, bias=bias), function]
        width = 2
    return nn.Sequential(*layers, nn.Linear(width, outputs, bias=bias))


def loss(module):
    return ModuleLoss.of(module, X, Y)


# Orders are those of two units in each layer, 2, and signs of odd and even functions, 2² each.
GROUPS = {
    "tanh": (chain(nn.Tanh()), 8),
    "softplus": (chain(nn.Softplus()), 2),
    "cosine": (chain(Even()), 8),
    "two layers": (chain(nn.Tanh(), nn.Softplus(), bias=False), 8 * 2),
    "odd and even": (chain(nn.Tanh(), Even()), 8 * 8),
}


@pytest.mark.parametrize(("module", "order"), GROUPS.values(), ids=GROUPS)
def test_the_order_is_that_on_paper_and_images_are_one_state(module, order):
    problem = loss(module)
    assert math.exp(problem.log_group_order) == pytest.approx(order)
    x = problem.random_state(RNG)
    assert problem.stabiliser_order(x) == 1
    for _, image in problem.equivalents(x, RNG):
        assert problem.same(image, x, 1e-10)
    check_landscape(problem, x)


def elements(group):
    """Every element as a map of states: an order and signs of the units of each layer."""
    layers = []
    for parity in group.parities:
        signs = list(product([1.0, -1.0], repeat=2)) if parity else [(1.0, 1.0)]
        layers.append([(np.array(o), np.array(s)) for o in permutations(range(2)) for s in signs])

    def moved(x, chosen):
        for layer, (action, parity) in enumerate(zip(chosen, group.parities, strict=True)):
            x = group._image(x, layer, action, parity)
        return x

    return [lambda x, chosen=chosen: moved(x, chosen) for chosen in product(*layers)]


@pytest.mark.parametrize("name", ["tanh", "two layers", "odd and even"])
def test_a_stabiliser_holds_the_elements_that_leave_a_state_as_it_is(name):
    problem = loss(GROUPS[name][0])
    group = problem.group
    everything = elements(group)
    assert len(everything) == GROUPS[name][1]
    x = problem.random_state(RNG)
    equal, silent, crossed = x.copy(), x.copy(), x.copy()
    first, second = group.weights[:2]
    for state in (equal, silent):  # one unit is the other, or none
        factor = float(state is equal)
        for places in (first, second.T, *(bias[:, None] for bias in group.biases[:1])):
            if len(places):
                state[places[1]] = factor * state[places[0]]
    if len(group.parities) == 2:  # equal on the way in, and the next layer exchanges them
        for places in (first, *group.biases[:2], group.weights[2].T):
            if len(places):
                crossed[places[1]] = crossed[places[0]]
        crossed[second] = [[0.3, -0.7], [-0.7, 0.3]]
        assert problem.stabiliser_order(crossed) == 2
    for state in (x, equal, silent, crossed, np.zeros_like(x)):
        kept = sum(np.allclose(move(state), state, atol=1e-9) for move in everything)
        assert problem.stabiliser_order(state) == kept
    assert problem.stabiliser_order(equal) > 1


def test_it_is_the_group_of_the_built_in_classifier():
    built_in = Classifier(Outcomes(X, Y, 3), 2, 0.01)
    assert loss(chain(nn.Tanh())).log_group_order == pytest.approx(built_in.log_group_order)


def test_all_images_of_all_points_add_up_to_the_euler_characteristic():
    """Of a space, 1: the loss grows without bound. Silent units have fewer images."""
    module = nn.Sequential(nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 1, bias=False))
    x, y = np.array([[-1.0], [0.2], [0.9]]), np.array([1, -1, 1])
    problem = ModuleLoss.of(module, x, y, l2=0.03)
    explorer, graph = Explorer(problem, problem, problem.random_state), Graph(problem)
    for index in range(problem.n_dof + 1):
        for finding in explorer.critical_points(graph, range(20), index):
            graph.absorb(finding)
    points = [*graph.minima, *graph.saddles, *graph.higher]
    assert len({point.order for point in points}) > 1
    assert morse_sum(graph) == 1


def test_what_is_no_chain_has_no_known_group():
    mixed = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 3))
    normed = nn.Sequential(nn.Linear(2, 4), nn.LayerNorm(4), nn.Tanh(), nn.Linear(4, 3))
    for module in (mixed, normed):
        problem = loss(module)
        assert problem.group is None
        assert math.isnan(problem.log_group_order)
        assert problem.stabiliser_order(problem.random_state(RNG)) == 1

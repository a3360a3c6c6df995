"""The bridge from torch modules, against the hand-written network."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from bridge import check_problem
from networks import HingeNetwork, from_module
from networks.strategies import hinge_networks

ACTIVATIONS = {
    "relu": torch.nn.ReLU,
    "tanh": torch.nn.Tanh,
    "softplus": torch.nn.Softplus,
    "silu": torch.nn.SiLU,
    "gelu": torch.nn.GELU,
}


def as_module(problem: HingeNetwork, w):
    """The same network in torch's own layers, and its parameters in torch's order."""
    mlp, layers = problem.mlp, []
    for i, (s, shape) in enumerate(zip(mlp.slices, mlp.shapes, strict=True)):
        linear = torch.nn.Linear(shape[1] - 1, shape[0]).double()
        block = torch.tensor(w[s].reshape(shape))
        linear.weight.data, linear.bias.data = block[:, :-1].clone(), block[:, -1].clone()
        layers.append(linear)
        if i < mlp.depth:
            layers.append(ACTIVATIONS[mlp.activation]())
    return torch.nn.Sequential(*layers)


def in_torch_order(problem: HingeNetwork, w):
    """Parameters, or rows of them, with each layer's biases behind its weights."""
    parts = []
    for s, shape in zip(problem.mlp.slices, problem.mlp.shapes, strict=True):
        block = w[..., s].reshape(*w.shape[:-1], *shape)
        parts += [block[..., :-1].reshape(*w.shape[:-1], -1), block[..., -1]]
    return np.concatenate(parts, axis=-1)


@settings(deadline=None, max_examples=25)
@given(hinge_networks())
def test_a_module_is_the_built_in_network(system):
    problem, w = system
    bridged = from_module(
        as_module(problem, w), problem.patterns.x, problem.patterns.y, margin=problem.margin
    )
    x = bridged.start
    assert np.array_equal(x, in_torch_order(problem, w))
    assert bridged.gaps(x) == pytest.approx(problem.gaps(w), rel=1e-11, abs=1e-11)
    energy, gradient = problem.energy_gradient(w)
    same, other = bridged.energy_gradient(x)
    assert same == pytest.approx(energy, rel=1e-11, abs=1e-11)
    close = {"rel": 1e-9, "abs": 1e-10 * (1 + np.abs(gradient).max())}
    assert other == pytest.approx(in_torch_order(problem, gradient), **close)
    jacobian = in_torch_order(problem, problem.gap_jacobian(w))
    assert bridged.gap_jacobian(x) == pytest.approx(jacobian, rel=1e-9, abs=1e-10)
    v = np.random.default_rng(0).standard_normal((3, w.size))
    hv = problem.hvp(w, v)
    close = {"rel": 1e-9, "abs": 1e-10 * (1 + np.abs(hv).max())}
    found = bridged.hvp(x, in_torch_order(problem, v))
    assert found == pytest.approx(in_torch_order(problem, hv), **close)


def test_a_convolution_keeps_the_promises():
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, 4, 4)),
        torch.nn.Conv2d(1, 2, 3),
        torch.nn.Tanh(),
        torch.nn.Flatten(),
        torch.nn.Linear(8, 1),
    )
    rng = np.random.default_rng(0)
    problem = from_module(module, rng.normal(size=(12, 16)), np.repeat([1, -1], 6))
    check_problem(problem, problem.start)


def test_wrong_modules_and_labels_are_refused_in_one_line():
    x = np.eye(3)
    with pytest.raises(ValueError, match="one output a pattern"):
        from_module(torch.nn.Linear(3, 2), x, [1, -1, 1])
    with pytest.raises(ValueError, match="labels of ±1"):
        from_module(torch.nn.Linear(3, 1), x, [0, 1, 2])

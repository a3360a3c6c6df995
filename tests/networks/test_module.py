"""The bridge from torch modules, against the hand-written network."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from bridge import check_problem
from networks import HingeNetwork, from_module
from networks.models.activations import LEAK

from network_strategies import hinge_networks


class Absolute(torch.nn.Module):
    def forward(self, z):
        return z.abs()


ACTIVATIONS = {
    "relu": torch.nn.ReLU,
    "tanh": torch.nn.Tanh,
    "softplus": torch.nn.Softplus,
    "silu": torch.nn.SiLU,
    "gelu": torch.nn.GELU,
    "leaky": partial(torch.nn.LeakyReLU, LEAK),
    "hardtanh": torch.nn.Hardtanh,
    "abs": Absolute,
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
    with pytest.raises(ValueError, match=r"classes 0\.\.1 for 2 outputs, got \[-1.0, 1.0\]"):
        from_module(torch.nn.Linear(3, 2), x, [1, -1, 1])
    with pytest.raises(ValueError, match="labels of ±1"):
        from_module(torch.nn.Linear(3, 1), x, [0, 1, 2])


def test_a_module_problem_shares_no_memory_with_the_users_arrays():
    x, y = np.eye(3), np.array([1.0, -1.0, 1.0])
    module = torch.nn.Linear(3, 1).double()
    for arrays in ((x, y), (torch.from_numpy(x), torch.from_numpy(y))):
        problem = from_module(module, *arrays)
        start = problem.start.copy()
        before = problem.gaps(start)
        x *= 2.0
        y *= -1.0
        module.weight.data += 1.0
        assert np.array_equal(problem.gaps(start), before)
        assert np.array_equal(problem.start, start)
        x /= 2.0
        y *= -1.0


def test_tensors_that_need_gradients_are_patterns():
    x = torch.eye(3, requires_grad=True)
    module = torch.nn.Linear(3, 1)
    problem = from_module(module, x, torch.tensor([1, -1, 1]))
    same = from_module(module, np.eye(3), [1, -1, 1])
    assert np.array_equal(problem.gaps(problem.start), same.gaps(problem.start))


WRONG_ARRAYS = {
    "nan": (np.where(np.eye(3) > 0, np.nan, 0.0), [1, -1, 1], r"finite numbers in x, got nan"),
    "inf": (np.diag([1, np.inf, 1]), [1, -1, 1], r"inf at x\[1, 1\]"),
    "complex": (np.eye(3) * 1j, [1, -1, 1], "real numbers in x"),
    "objects": (np.eye(3).astype(object), [1, -1, 1], "real numbers in x"),
    "words": ([["a"], ["b"], ["c"]], [1, -1, 1], "real numbers in x"),
    "a number": (1.0, [1, -1, 1], "labels of"),
    "complex labels": (np.eye(3), [1, -1, 1j], "real numbers in y"),
    "label nan": (np.eye(3), [1, -1, np.nan], "finite numbers in y"),
    "two labels": (np.eye(3), [1, -1], "labels of"),
    "no patterns": (np.zeros((0, 3)), [], "one or more labels"),
}


@pytest.mark.parametrize(("x", "y", "said"), WRONG_ARRAYS.values(), ids=WRONG_ARRAYS)
def test_wrong_arrays_are_refused(x, y, said):
    with pytest.raises(ValueError, match=said):
        from_module(torch.nn.Linear(3, 1), x, y)


def test_modules_without_numbers_to_train_are_refused():
    held = torch.nn.Linear(3, 1).requires_grad_(requires_grad=False)
    with pytest.raises(ValueError, match="parameters to train"):
        from_module(held, np.eye(3), [1, -1, 1])
    broken = torch.nn.Linear(3, 1)
    broken.bias.data.fill_(torch.nan)
    with pytest.raises(ValueError, match="finite numbers in bias"):
        from_module(broken, np.eye(3), [1, -1, 1])
    with pytest.raises(ValueError, match="finite margin"):
        from_module(torch.nn.Linear(3, 1), np.eye(3), [1, -1, 1], margin=np.inf)

"""Functions of torch as calls of numpy: the numbers of torch, or torch itself."""

import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import smooth_l1_loss

from networks.models.module_loss import ModuleLoss
from networks.models.traced import traced

X = np.random.default_rng(0).normal(size=(6, 4))
Y = np.arange(6) % 3


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.MultiheadAttention(2, 1, batch_first=True)
        self.out = nn.Linear(2, 3)

    def forward(self, x):
        h = x.reshape(len(x), 2, 2)
        return self.out(self.a(h, h, h, need_weights=False)[0].mean(dim=1))


def layers(activation, *more, outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 2), activation, *more, nn.Linear(2, outputs))


MODULES = {
    "one output": layers(nn.Tanh(), outputs=1),
    "gelu and layer norm": layers(nn.GELU(), nn.LayerNorm(2)),
    "attention": Attending(),
}


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_derivatives_of_a_small_module_are_those_of_torch(module):
    single = getattr(module, "out", module[-1] if isinstance(module, nn.Sequential) else None)
    labels = np.where(Y > 0, 1, -1) if single.out_features == 1 else Y
    problem = ModuleLoss.of(module, X, labels)
    assert problem._slope is not None
    assert problem._bend is not None
    x = 1.5 * np.random.default_rng(1).normal(size=problem.n_dof)
    w = torch.tensor(x).requires_grad_()
    expected = problem._energy(w)
    (slope,) = torch.autograd.grad(expected, w)
    energy, gradient = problem.energy_gradient(x)
    assert energy == pytest.approx(float(expected.detach()), rel=1e-12)
    assert gradient == pytest.approx(slope.numpy(), abs=1e-12)
    assert problem.hessian(x) == pytest.approx(problem.hvp(x, np.eye(len(x))), abs=1e-10)


def test_what_was_traced_stays_behind_when_a_landscape_is_sent_elsewhere():
    problem = ModuleLoss.of(layers(nn.Tanh()), X, Y)
    x = problem.problem.start
    assert problem._function is not None
    sent = pickle.loads(pickle.dumps(problem))
    assert "_function" not in sent.__dict__
    assert np.array_equal(sent.fingerprint(x), problem.fingerprint(x))


def with_kinks(w):
    return torch.where(w > 0.5, w, 2 * w), smooth_l1_loss(w, 0 * w), torch.maximum(w, 1 - w.abs())


@pytest.mark.parametrize("x", [[3.0, -3.0], [0.0, 0.5], [-0.4, 2.0], [1e300, -1e300]], ids=str)
def test_a_state_on_another_side_of_a_kink_than_those_tried_has_the_numbers_of_torch(x):
    found = traced(with_kinks, [np.ones(2), np.full(2, 0.2)])
    expected = with_kinks(torch.tensor(x, dtype=torch.float64))
    for one, other in zip(found(np.array(x)), expected, strict=True):
        assert np.array_equal(one, other.numpy())


def test_what_is_returned_may_be_written_to():
    found = traced(lambda w: (torch.ones_like(w), w * 1), [np.zeros(2)])
    x = np.zeros(2)
    for each in found(x):
        each += 1.0
    assert [each.tolist() for each in found(x)] == [[1.0, 1.0], [0.0, 0.0]]


def by_sign(w):
    return (w.sum() if w[0] > 0 else -w.sum(),)


def of_a_number(w):
    return (w * float(w.detach().numpy()[0]),)


def slope_by_sign(w):
    return (torch.func.grad(lambda u: u.square().sum() if u[0].item() > 0 else u.sum())(w),)


def of_some(w):
    return (w[w > 0].sum(),)


@pytest.mark.parametrize(
    "function",
    [
        by_sign,
        slope_by_sign,
        of_a_number,
        of_some,
        lambda w: (torch.linalg.eigvalsh(torch.outer(w, w)),),
        lambda w: (torch.rand(2) * w,),
        lambda w: (np.random.rand() * w,),  # noqa: NPY002
        lambda w: ((2 * w.float()).double() / 3,),
    ],
    ids=[
        "it branches on a number",
        "its derivative does",
        "it reads a number",
        "a shape that depends on numbers",
        "no such operation in numpy",
        "random",
        "random by numpy",
        "single precision",
    ],
)
def test_what_cannot_be_traced_is_left_to_torch(function):
    assert traced(function, [np.full(2, 0.1), np.ones(2)]) is None

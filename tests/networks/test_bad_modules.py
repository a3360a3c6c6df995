"""Modules that are no functions to train: each is refused in one line, or is right."""

import copy
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from bridge import check_problem
from networks import from_module

X, Y = np.random.default_rng(0).normal(size=(6, 4)), [1, -1, 1, -1, 1, -1]


class Calls(nn.Module):
    """A linear layer, and something done to what goes in or comes out."""

    def __init__(self, change, outputs=1):
        super().__init__()
        self.linear, self.change = nn.Linear(4, outputs), change

    def forward(self, x):
        return self.change(self.linear, x)


def fail(linear, x):
    raise KeyError("no such key")


def widen(linear, x):
    x *= 2.0
    return linear(x)


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 1)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        if self.training:
            self.calls += 1
        return self.linear(x)


def complex_linear():
    return nn.Linear(4, 1, dtype=torch.complex128)


def dead_weights():
    module = nn.Linear(4, 1)
    module.weight.data.fill_(torch.inf)
    return module


BAD = {
    "dropout": (lambda: nn.Sequential(nn.Dropout(0.2), nn.Linear(4, 1)), "Dropout: pass frozen"),
    "batch norm": (lambda: nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 1)), "BatchNorm1d: pass"),
    "random leak": (lambda: nn.Sequential(nn.Linear(4, 1), nn.RReLU()), "RReLU: pass frozen"),
    "counter": (Counting, "got the module: pass frozen=True"),
    "batch statistics": (
        lambda: nn.Sequential(nn.BatchNorm1d(4, track_running_stats=False), nn.Linear(4, 1)),
        "each pattern alone",
    ),
    "random output": (
        lambda: Calls(lambda m, x: m(x) + torch.randn(len(x), 1)), "the same outputs twice",
    ),
    "written input": (lambda: Calls(widen), "leaves its input as it is"),
    "inplace first layer": (
        lambda: nn.Sequential(nn.ReLU(inplace=True), nn.Linear(4, 1)), "leaves its input as it is",
    ),
    "tuple": (lambda: Calls(lambda m, x: (m(x), x)), "a tensor of outputs, got a tuple"),
    "dict": (lambda: Calls(lambda m, x: {"y": m(x)}), "a tensor of outputs, got a dict"),
    "none": (lambda: Calls(lambda m, x: None), "a tensor of outputs, got a NoneType"),
    "number": (lambda: Calls(lambda m, x: m(x).sum()), r"of 6 patterns, got shape \(\)"),
    "mean over patterns": (lambda: Calls(lambda m, x: m(x).mean(0)), "of 6 patterns, got shape"),
    "transposed": (lambda: Calls(lambda m, x: m(x).T), "of 6 patterns, got shape"),
    "nan": (lambda: Calls(lambda m, x: m(x) / 0.0 * 0.0), "finite outputs, got NaN"),
    "float32": (lambda: Calls(lambda m, x: m(x).float()), "float64, .*got torch.float32"),
    "complex output": (
        lambda: Calls(lambda m, x: m(x) * 1j), "float64, .*got torch.complex128",
    ),
    "sign": (lambda: Calls(lambda m, x: torch.argmax(m(x), 1)), "got torch.int64"),
    "raises": (lambda: Calls(fail), "takes x of shape .*KeyError: 'no such key'"),
    "other width": (lambda: nn.Linear(5, 1), "takes x of shape .*RuntimeError"),
    "branches on numbers": (
        lambda: Calls(lambda m, x: m(x) if m(x).sum() > -1e9 else x), "torch.func can",
    ),
    "leaves torch": (
        lambda: Calls(lambda m, x: torch.tensor(m(x).tolist(), dtype=x.dtype)), "torch.func can",
    ),
    "three outputs": (lambda: nn.Linear(4, 3), "classes 0..2 for 3 outputs"),
    "no parameters": (nn.Tanh, "parameters to train, got none"),
    "lazy": (lambda: nn.LazyLinear(1), "parameters with a shape, got lazy ones"),
    "complex": (complex_linear, "real parameters, got torch.complex128"),
    "infinite": (dead_weights, "finite numbers in weight"),
    "mixes patterns": (lambda: Calls(lambda m, x: m(x - x.mean(0))), "each pattern alone"),
    "embedding of floats": (lambda: nn.Sequential(nn.Embedding(4, 1)), "takes x of shape"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "said"), BAD.values(), ids=BAD)
def test_a_bad_module_is_refused_in_one_line(make, said):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about lazy layers and complex numbers
        module = make()
        with pytest.raises(ValueError, match=said) as error:
            from_module(module, X, Y)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("expected ")
    assert ", got " in str(error.value)
    assert ": " in str(error.value)


def encoder():
    layer = nn.TransformerEncoderLayer(4, 2, 6, dropout=0.1, batch_first=True)
    return nn.Sequential(nn.Unflatten(1, (1, 4)), layer, nn.Flatten(), nn.Linear(4, 1))


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 3), nn.Dropout(0.5), nn.Linear(3, 1)),
        encoder,
    ],
)
def test_state_is_frozen_on_an_explicit_word(make):
    torch.manual_seed(0)
    module = make()
    with pytest.raises(ValueError, match="Dropout"):
        from_module(module, X, Y)
    problem = from_module(module, X, Y, frozen=True)
    module.eval()
    with torch.no_grad():
        outputs = copy.deepcopy(module).double()(torch.tensor(X))[:, 0].numpy()
    assert problem.gaps(problem.start) == pytest.approx(1 - np.array(Y) * outputs, abs=1e-12)


def test_tied_weights_are_one_parameter():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
            self.two.weight = self.one.weight
            self.out = nn.Linear(4, 1)

        def forward(self, x):
            return self.out(torch.tanh(self.two(torch.tanh(self.one(x)))))

    torch.manual_seed(0)
    x = np.random.default_rng(0).normal(size=(40, 4))
    problem = from_module(Tied(), x, np.repeat([1, -1], 20))
    assert problem.n_dof == 16 + 5
    check_problem(problem, problem.start)


def test_parameters_that_need_no_gradient_stay_as_they_are():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))
    module[0].requires_grad_(requires_grad=False)
    problem = from_module(module, X, Y)
    assert problem.n_dof == 4
    check_problem(problem, problem.start)


def test_whole_numbers_are_words_to_an_embedding_and_numbers_to_a_layer():
    torch.manual_seed(0)
    words = np.random.default_rng(0).integers(0, 5, size=(40, 3))
    labels = np.repeat([1, -1], 20)
    reader = nn.Sequential(nn.Embedding(6, 4), nn.Flatten(), nn.Linear(12, 1))
    problem = from_module(reader, words, labels)
    assert problem.inputs.dtype == torch.int64
    unused = [place[0] for place in problem.frozen(problem.start)]
    assert unused == [20, 21, 22, 23]  # the embedding of the word 5, which no pattern has
    check_problem(problem, problem.start)
    assert from_module(nn.Linear(3, 1), words, labels).inputs.dtype == torch.float64


def test_single_precision_becomes_double():
    module = nn.Linear(4, 1)
    assert module.weight.dtype == torch.float32
    problem = from_module(module, X.astype(np.float32), Y)
    assert problem.gaps(problem.start).dtype == np.float64
    assert module.weight.dtype == torch.float32


def test_targets_and_epsilon_are_checked():
    with pytest.raises(ValueError, match="a value for each of 1 outputs"):
        from_module(nn.Linear(4, 1), X, np.ones((6, 2)), epsilon=0.1)
    with pytest.raises(ValueError, match="finite epsilon >= 0, got -1"):
        from_module(nn.Linear(4, 1), X, np.ones(6), epsilon=-1)
    with pytest.raises(ValueError, match="labels of ±1 for one output"):
        from_module(nn.Linear(4, 1), X, np.arange(6))
    with pytest.raises(ValueError, match=r"labels of \(P,\), got shape \(6, 2\)"):
        from_module(nn.Linear(4, 2), X, np.ones((6, 2)))

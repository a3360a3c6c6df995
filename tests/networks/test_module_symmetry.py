"""Continuous symmetries of modules, counted on paper and by the rank of the gaps."""

import numpy as np
import pytest
import torch
from torch import nn

from bridge import check_problem
from networks import from_module

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 6))
Y = np.arange(60) % 3


class Attending(nn.Module):
    """Three tokens of two numbers, one head, the mean, tanh and three classes: 33 parameters."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(2, 1, batch_first=True)
        self.classes = nn.Linear(2, 3)

    def forward(self, x):
        tokens = x.reshape(len(x), 3, 2)
        found, _ = self.attention(tokens, tokens, tokens, need_weights=False)
        return self.classes(torch.tanh(found.mean(dim=1)))


def chain():
    return nn.Sequential(nn.Linear(6, 2), nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 3))


# Attention, of width d = 2 with one head:
#   queries and keys       q -> A q, k -> A⁻ᵀ k                    d² = 4
#   the bias of keys       adds q·b to all logits of a query        d = 2, frozen: no gap has it
#   values and what reads  v -> B v, W -> W B⁻¹                    d² = 4
#   the bias of values     weights have the sum one: c -> c - W b   d = 2
# and of three classes, after two units, a shift of all by a bias or a weight: 3. Together 15.
# The chain: 2 x 2 mixings, a bias for each of 2 units that the next may carry, and again 3.
COUNTED = {"attention": (Attending, 15, 2), "chain": (chain, 4 + 2 + 3, 0)}


@pytest.mark.parametrize(("make", "count", "dead"), COUNTED.values(), ids=COUNTED)
def test_symmetries_are_all_that_the_gaps_do_not_resist(make, count, dead):
    torch.manual_seed(0)
    problem = from_module(make(), X, Y)
    x = RNG.normal(size=problem.n_dof)
    sizes = np.linalg.svd(problem.gap_jacobian(x), compute_uv=False)
    assert int((sizes > 1e-9 * sizes[0]).sum()) == problem.n_dof - count
    modes = problem.zero_modes(x)
    assert len(modes) == count - dead
    assert len(problem.frozen(x)) == dead
    flat = np.concatenate([modes, *np.eye(problem.n_dof)[problem.frozen(x)]])
    assert np.linalg.matrix_rank(flat) == count
    assert np.abs(problem.gap_jacobian(x) @ modes.T).max() < 1e-9 * sizes[0]


class Block(nn.Module):
    """Three tokens of two numbers, their places, a transformer block, the mean and the classes."""

    def __init__(self, width=4, hidden=3, classes=3):
        super().__init__()
        self.embed = nn.Linear(2, width)
        self.place = nn.Parameter(torch.randn(3, width))
        self.block = nn.TransformerEncoderLayer(
            width, 2, dim_feedforward=hidden, dropout=0.0, activation="gelu", batch_first=True
        )
        self.classes = nn.Linear(width, classes)

    def forward(self, x):
        tokens = self.embed(x.reshape(len(x), 3, 2)) + self.place
        return self.classes(self.block(tokens).mean(dim=1))


def normalised():
    return nn.Sequential(nn.Linear(6, 5), nn.LayerNorm(5), nn.Linear(5, 3))


def counted_block(width, hidden, classes):
    """Return the flat directions of the block, and how many of them are dead, on paper.

    The normalised n of a layer norm, with scale γ and shift β, have the sum zero and do not change
    if all that enters grows by one number.
    """
    mixed, dead = 2 * width * width // 2 + width, width  # in 2 heads; biases of values and keys
    shifts = 1 + width  # of all classes, by their bias or one column
    entering = (width + 1) + (hidden + 1)  # rows of the layers before each norm, and their biases
    last = 2 * width  # γ of the last norm, and β, left to the classes
    embedded = 2 * width  # its bias left to the places, or to the biases of attention
    stream = width  # x -> x + 1 (u·x), undone by what attention reads
    first = width  # β of the first norm left to the biases of the next two layers
    summed = hidden + (classes - 1)  # readers of n grow by a constant over γ; one is a shift of all
    # What enters the first norm may turn, n -> R n, and its readers turn back. The next norm lets
    # the stream turn too, by Q, so that γ may become any γ' for which γ' R = Q γ on sums of zero:
    # these keep width - 1 singular values, one fewer than there are γ'.
    turned = 1
    return (
        mixed + dead + shifts + entering + last + embedded + stream + first + summed + turned,
        dead,
    )


# Linear readers of a norm without a block: its n, of 5 numbers with the sum zero, may turn in any
# way, so(4). Then shifts of all classes, of what enters, γ and β, and n summed.
RANKS = {
    "normalised": (normalised, 6 + 6 + 7 + 2 * 5 + 2, 0),
    "block": (Block, *counted_block(4, 3, 3)),
    "another block": (lambda: Block(4, 5, 4), *counted_block(4, 5, 4)),
}


@pytest.mark.parametrize(("make", "count", "dead"), RANKS.values(), ids=RANKS)
def test_directions_that_nobody_listed_are_counted_by_rank(make, count, dead):
    torch.manual_seed(0)
    module, rng = make(), np.random.default_rng(1)
    patterns = rng.normal(size=(300, 6))
    classes = np.arange(300) % module(torch.zeros(1, 6)).shape[1]
    problem = from_module(module, patterns, classes)
    x = rng.normal(size=problem.n_dof)
    jacobian, modes = problem.gap_jacobian(x), problem.zero_modes(x)
    sizes = np.linalg.svd(jacobian, compute_uv=False)
    assert int((sizes > 1e-12 * sizes[0]).sum()) == problem.n_dof - count
    assert (len(modes), len(problem.frozen(x))) == (count - dead, dead)
    assert np.abs(jacobian @ modes.T).max() < 1e-12 * sizes[0]
    few = from_module(make(), patterns[:5], classes[:5])  # too few to tell a rank by themselves
    assert len(few.zero_modes(x)) == count - dead


def test_where_more_than_symmetries_is_flat_those_listed_are_taken():
    torch.manual_seed(0)
    problem = from_module(normalised(), X, Y)
    x = RNG.normal(size=problem.n_dof)
    check_problem(problem, x)
    blind = x.copy()
    blind[-18:] = 0.0  # classes: no slope below them
    assert problem.flat.at(blind) is None
    assert 0 < len(problem.zero_modes(blind)) < len(problem.zero_modes(x))
    assert problem.flat.at(1e300 * x) is None  # slopes that are no numbers

"""Continuous symmetries of modules, counted on paper and by the rank of the gaps."""

import numpy as np
import pytest
import torch
from torch import nn

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

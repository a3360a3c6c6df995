"""Curvatures by the outputs of linear layers, and the modules of which there are none."""

import pytest
import torch
from torch import nn

from networks.models.passes import Passes


class Twice(nn.Module):
    """One layer that is passed twice."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(torch.tanh(self.layer(x)))


class Beside(Twice):
    """A layer whose weights also act beside it, which its calls do not show."""

    def forward(self, x):
        return self.layer(x) * self.layer.weight.square().sum()


def tanh(*layers):
    return nn.Sequential(*[part for layer in layers for part in (layer, nn.Tanh())][:-1])


MODULES = {
    "layers": (tanh(nn.Linear(4, 5), nn.Linear(5, 3, bias=False), nn.Linear(3, 2)), True),
    "one": (nn.Linear(4, 2), True),
    "a norm": (tanh(nn.Linear(4, 5), nn.LayerNorm(5)), False),
    "twice": (Twice(), False),
    "beside": (Beside(), False),
    "tokens": (nn.Sequential(nn.Unflatten(1, (2, 2)), tanh(nn.Linear(2, 3)), nn.Flatten()), False),
}


@pytest.mark.parametrize(("module", "found"), MODULES.values(), ids=MODULES)
def test_a_curvature_is_that_by_products_with_unit_vectors(module, found):
    torch.manual_seed(0)
    passes = Passes(module.double(), numbers=1 << 20)  # parts of one pattern
    w = torch.cat([p.detach().reshape(-1) for p in passes.trained().values()])
    w, x = w + 0.1 * torch.randn_like(w), torch.randn(3, 4).double()
    weights = torch.randn_like(passes.outputs(w, x))
    expected = passes._by_products(w, x, weights, None)
    torch.testing.assert_close(passes.curvature(w, x, weights), expected, rtol=1e-11, atol=1e-12)
    assert (passes._found[0] is not None) == found


def test_without_patterns_there_is_no_curvature():
    passes = Passes(nn.Linear(4, 2).double())
    w = torch.ones(10).double()
    assert not passes.curvature(w, torch.zeros(0, 4).double(), torch.zeros(0, 2).double()).any()

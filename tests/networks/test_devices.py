"""Work on a device makes its tensors there: what does not is left on one without numbers."""

import numpy as np
import pytest
import torch

from networks import HingeNetwork, Mlp, Schedule, random_patterns, train_all


def a_problem(activation, load):
    rng = np.random.default_rng(1)
    mlp = Mlp(6, 6, 1, activation)
    patterns = random_patterns(2 * round(load * mlp.n_weights / 2), 6, rng)
    return HingeNetwork(mlp, patterns), mlp.init(rng)


@pytest.mark.parametrize("activation", ["hardtanh", "tanh"])
def test_training_makes_no_tensor_without_a_device(activation):
    problems, starts = zip(*(a_problem(activation, load) for load in (0.5, 6.0)), strict=True)
    rules = {"steps": 150, "newton_steps": 300, "schedule": Schedule(rounding=(0.1, 0.01))}
    there = dict(train_all(problems, starts, **rules))
    with torch.device("meta"):  # a tensor made without a device has no numbers here
        ends = dict(train_all(problems, starts, **rules))
        held, x = ends[1].problem, ends[1].x
        assert held.hessian(x).shape == 2 * held.gap_jacobian(x, np.arange(2)).shape[1:]
    for i, end in ends.items():
        assert end.status == there[i].status
        assert np.array_equal(end.x, there[i].x)
    assert ends[1].status == "jammed"


def test_a_tensor_without_a_device_is_met():
    with torch.device("meta"), pytest.raises((RuntimeError, NotImplementedError)):
        float(torch.zeros(3) @ torch.ones(3, device="cpu"))

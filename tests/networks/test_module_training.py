"""Any module is trained, settled, certified, measured and jammed as a built-in network is."""

import numpy as np
import pytest
import torch
from test_module import as_module, in_torch_order
from torch import nn

from bridge import check_problem, exact_jamming, observe, spectrum
from networks import (
    OPTIMISERS,
    HingeNetwork,
    Mlp,
    SphericalNetwork,
    from_module,
    random_patterns,
    settle,
    train,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
HALF, THREE = np.where(np.arange(60) % 2, 1, -1), np.arange(60) % 3


def two_layers(activation, outputs=1):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), activation, nn.Linear(5, outputs))


def pooled():
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Unflatten(1, (1, 6, 6)), nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(8, 1),
    )  # fmt: skip


# A module, its patterns, what is asked of them, its symmetries, and what is not resolved.
PROBLEMS = {
    "rectifiers": (two_layers(nn.ReLU()), X, HALF, {}, 5, ()),
    "two classes": (two_layers(nn.ReLU(), 2), X, (HALF + 1) // 2, {}, 5 + 6, ()),
    "three classes": (two_layers(nn.Tanh(), 3), X, THREE, {}, 6, ()),
    "in place": (two_layers(nn.LeakyReLU(inplace=True), 3), X, THREE, {}, 5 + 6, ()),
    "two values": (two_layers(nn.Softplus(), 2), X, X[:, :2] ** 2, {"epsilon": 0.1}, 0, ()),
    "a value": (two_layers(nn.Hardtanh()), X, RNG.normal(size=60), {"epsilon": 0.0}, 0, ()),
    "pooled": (pooled(), RNG.normal(size=(60, 36)), HALF, {}, 2, ("max_pool2d",)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("module", "x", "y", "asked", "symmetries", "unknown"), PROBLEMS.values(), ids=PROBLEMS
)
def test_every_kind_of_module_keeps_the_promises(module, x, y, asked, symmetries, unknown):
    problem = from_module(module, x, y, **asked)
    state = problem.start + 0.01 * np.random.default_rng(1).normal(size=problem.n_dof)
    assert len(problem.zero_modes(state)) == symmetries
    assert problem.units.not_resolved == unknown
    check_problem(problem, state)
    check_problem(SphericalNetwork(problem, 3.0), state)


def test_two_patterns_of_two_classes_on_paper():
    """Equal patterns ask for ``w_0 - w_1`` and its opposite: U = m² at equal weights."""
    same = from_module(nn.Linear(1, 2, bias=False), [[1.0], [1.0]], [0, 1], margin=0.5)
    end = train(same, np.array([1.0, 0.2]), steps=50, hold_norm=False)
    assert (end.status, end.n_constraints) == ("jammed", 2)
    assert end.energy == pytest.approx(0.25, rel=1e-12)
    # Opposite patterns both ask for w_0 - w_1, at most √2 R at the norm R.
    opposite = from_module(nn.Linear(1, 2, bias=False), [[1.0], [-1.0]], [0, 1])
    held = SphericalNetwork(opposite, 2.0)
    point = exact_jamming(held, np.array([1.0, 0.2]), minimise=settle)
    assert point.status == "jammed"
    assert point.problem.free.margin == pytest.approx(8**0.5, rel=1e-12)


def test_a_regression_of_one_parameter_on_paper():
    """One weight must be 0 and 1: the best is 1/2, and ε = 1/2 the least that can be met."""
    x, y = [[1.0], [1.0]], [0.0, 1.0]
    exact = from_module(nn.Linear(1, 1, bias=False), x, y, epsilon=0.0)
    end = train(exact, np.array([1.0]), steps=5, hold_norm=False)
    assert (end.status, end.n_constraints) == ("jammed", 2)
    assert (end.energy, end.x[0]) == pytest.approx((0.25, 0.5), rel=1e-10)
    point = exact_jamming(exact, np.array([0.2]))
    assert point.status == "jammed"
    assert (-point.problem.margin, point.x[0]) == pytest.approx((0.5, 0.5), rel=1e-12)
    assert point.forces == pytest.approx([0.5, 0.5])
    within = from_module(nn.Linear(1, 1, bias=False), x, y, epsilon=0.5001)
    assert train(within, np.array([0.7]), steps=300, hold_norm=False).status == "unjammed"


@pytest.mark.parametrize(("activation", "load"), [("relu", 3.4), ("tanh", 4.5), ("hardtanh", 3.4)])
def test_a_module_ends_in_the_minimum_of_the_built_in_network(activation, load):
    rng = np.random.default_rng(0)
    mlp = Mlp(6, 6, 2, activation)
    built_in = HingeNetwork(mlp, random_patterns(round(load * mlp.n_weights), 6, rng))
    start = mlp.init(rng)
    minimum = train(built_in, start, steps=800)
    x = minimum.x + 1e-5 * np.linalg.norm(minimum.x) * rng.normal(size=mlp.n_dof)
    patterns, radius = built_in.patterns, minimum.radius
    problem = from_module(as_module(built_in, x), patterns.x, patterns.y)
    expected = settle(SphericalNetwork(built_in, radius), x)
    end = settle(SphericalNetwork(problem, radius), problem.start)
    assert (end.status, expected.status) == ("jammed", "jammed")
    counts = [(e.n_constraints, e.n_kinks) for e in (end, expected)]
    assert counts[0] == counts[1]
    assert (counts[0][1] > 0) == bool(mlp.sigma.kinks)
    assert end.energy == pytest.approx(expected.energy, rel=1e-9)
    assert end.x == pytest.approx(in_torch_order(built_in, expected.x), abs=1e-5)
    assert end.max_residual < 1e-8
    mine, theirs = observe(end), observe(expected)
    assert (mine.n, mine.n_constraints, mine.n_symmetries) == (
        theirs.n, theirs.n_constraints, theirs.n_symmetries,
    )  # fmt: skip
    assert spectrum(end).bound_holds


def test_the_exact_point_of_a_module_has_the_kinks_of_the_built_in_network():
    rng = np.random.default_rng(3)
    mlp = Mlp(4, 8, 1, "relu")
    built_in = HingeNetwork(mlp, random_patterns(60, 4, rng))
    start = mlp.init(rng)
    end = train(built_in, start, steps=1500)
    expected = exact_jamming(end, minimise=settle)
    patterns = built_in.patterns
    problem = from_module(as_module(built_in, end.x), patterns.x, patterns.y)
    held = SphericalNetwork(problem, end.radius)
    point = exact_jamming(held, problem.start, minimise=settle)
    assert point.status == expected.status == "jammed"
    assert point.problem.free.margin == pytest.approx(expected.problem.free.margin, abs=1e-9)
    assert len(point.kinks) == len(expected.kinks) > 0
    assert len(point.rows) == len(expected.rows)


def test_many_classes_and_rectifiers_end_certified_on_kinks():
    problem = from_module(two_layers(nn.ReLU(), 3), X, THREE)
    end = train(problem, problem.start, steps=800)
    assert end.status == "jammed"
    assert end.n_kinks > 0
    assert settle(end.problem.tightened(-0.01), end.x).status == "jammed"


def test_kinks_that_are_not_resolved_are_named():
    problem = from_module(pooled(), RNG.normal(size=(60, 36)), HALF)
    end = train(problem, problem.start, steps=400, newton_steps=40)
    assert end.status == "jammed" or "max_pool2d" in end.reason

    class Hidden(torch.autograd.Function):
        """A rectifier that nobody sees."""

        generate_vmap_rule = True

        @staticmethod
        def forward(z):
            return z * (z > 0)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            return g * (ctx.saved_tensors[0] > 0)

    class Secret(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.tensor([0.3]))

        def forward(self, x):
            return x[:, 0] * Hidden.apply(self.w) - 0.5 * x[:, 0] * self.w

    # |w|/2 is asked to be -1: the minimum is the kink at w = 0, where no force vanishes.
    secret = from_module(Secret(), [[1.0]], [-1.0])
    end = train(secret, secret.start, steps=300, hold_norm=False)
    assert end.status == "stalled"


def test_each_step_is_told_to_the_user():
    problem = from_module(two_layers(nn.Tanh()), X, HALF)
    built_in = HingeNetwork(Mlp(4, 5, 1), random_patterns(60, 4, RNG))
    for learner, x in ((problem, problem.start), (built_in, built_in.mlp.init(RNG))):
        seen = []
        rules = {"steps": 7, "newton_steps": 0, "hold_norm": False}
        train(learner, x, callback=lambda *step, seen=seen: seen.append(step), **rules)
        assert [step for step, _, _ in seen] == list(range(7))
        assert [u for _, u, _ in seen] == pytest.approx(
            [learner.energy_gradient(w)[0] for _, _, w in seen]
        )


def test_another_optimiser_than_adam_is_refused_in_one_line():
    problem = from_module(two_layers(nn.Tanh()), X, HALF)
    for optimiser in OPTIMISERS.values():
        expected = f"expected Adam for a module, got {type(optimiser).__name__}: drop optimiser"
        with pytest.raises(ValueError, match=expected):
            train(problem, problem.start, optimiser=optimiser)

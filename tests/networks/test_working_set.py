"""Steps across kinks from a part of their dual, against the whole of it and against autograd."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from networks import HingeNetwork, Mlp, random_patterns
from networks.models import backprop
from networks.models.dense_hessian import add_gram, tangent
from networks.training.anneal import anneal
from networks.training.box_qp import minimise_in_box
from networks.training.kinks import Kinks, KinkState
from networks.training.piecewise import Damped, Expansion

TIMES = 1.0, 30.0  # the least damping that serves


def an_expansion(seed=0, width=7, depth=2, load=5.0, activation="relu"):
    """Return the model at a point on its sphere with some pairs held at fractional masks."""
    rng = np.random.default_rng(seed)
    mlp = Mlp(width, width, depth, activation)
    problem = HingeNetwork(mlp, random_patterns(2 * round(load * mlp.n_weights / 2), width, rng))
    ((_, annealed),) = anneal([problem], [mlp.init(rng)], steps=300)
    w = torch.tensor(annealed.x)
    free = KinkState(problem, w, Kinks.none(problem))
    kinks = Kinks.none(problem)
    if problem.mlp.sigma.kinks:
        touching = torch.zeros_like(kinks.held)
        distance = torch.where(free.e > 0, free.z.abs(), torch.inf)
        few = distance.flatten().sort().values[problem.n_dof // 5]
        touching[:, free.violated] = distance < few
        masks = torch.tensor(rng.uniform(0.1, 0.9, touching.shape))
        kinks = replace(kinks, held=touching, masks=torch.where(touching, masks, 0.0))
    return Expansion(KinkState(problem, w, kinks, float(w.norm())))


def least_damping(expansion):
    """Return the first of some factors of two that makes the Hessian positive."""
    return next(d for d in 2.0 ** np.arange(-12, 12) if Damped.of(expansion, d) is not None)


KINDS = [{}, {"depth": 3, "seed": 1}, {"depth": 1, "seed": 2}, {"activation": "tanh", "load": 2.0}]


@pytest.fixture(params=KINDS)
def expansion(request):
    return an_expansion(**request.param)


def whole_dual(expansion, damping):
    """Return ``H + λD``, all rows, and the minimum by the program of all masks and forces."""
    matrix = expansion.hessian + damping * torch.diag(expansion.scale)
    rows = expansion.rows(torch.ones_like(expansion.start, dtype=torch.bool))
    inverse = torch.linalg.inv(matrix)
    dual = rows @ inverse @ rows.T + torch.diag(expansion.softness)
    pull = expansion.linear - rows.T @ expansion.start
    linear = rows @ inverse @ pull - expansion.offsets
    found = minimise_in_box(dual, linear, expansion.start, expansion.upper)
    return matrix, rows, -inverse @ (pull + rows.T @ found)


def balance(expansion, matrix, rows, d, found, offsets):
    """Return by how much of them forces miss balance, and the largest slope out of the box."""
    change = found - expansion.start
    forces = matrix @ d + expansion.linear + rows.T @ change
    scale = matrix.abs() @ d.abs() + expansion.linear.abs() + rows.T.abs() @ change.abs()
    slope = expansion.softness * found - offsets - rows @ d
    out = torch.where(found <= 0, (-slope).clamp(min=0), slope.abs())
    out = torch.where(found >= expansion.upper, slope.clamp(min=0), out)
    return float(forces.abs().max() / scale.max()), float(out.max())


@pytest.mark.parametrize("times", TIMES)
def test_a_part_of_the_dual_gives_the_step_of_the_whole(expansion, times):
    damping = times * least_damping(expansion)
    matrix, rows, expected = whole_dual(expansion, damping)
    damped = Damped.of(expansion, damping)
    d, found = damped.minimum(expansion.offsets, expansion.start)
    assert d.numpy() == pytest.approx(expected.numpy(), abs=1e-7 * float(expected.abs().max()))
    forces, out = balance(expansion, matrix, rows, d, found, expansion.offsets)
    assert forces < 1e-12
    assert out < 1e-8 * float(expansion.offsets.abs().max())
    assert ((found >= 0) & (found <= expansion.upper)).all()


def test_what_does_not_change_is_left_out():
    expansion = an_expansion(width=14, load=3.0)
    damped = Damped.of(expansion, 30 * least_damping(expansion))
    _, found = damped.minimum(expansion.offsets, expansion.start)
    assert 0 < int((found != expansion.start).sum()) <= len(damped._order)
    assert len(damped._order) < 0.7 * len(found)
    assert len(set(damped._order.tolist())) == len(damped._order)


def test_the_step_does_not_depend_on_what_the_set_begins_with(expansion, monkeypatch):
    damping = least_damping(expansion)
    expected, _ = Damped.of(expansion, damping).minimum(expansion.offsets, expansion.start)
    monkeypatch.setattr(Expansion, "likely", lambda self: torch.zeros_like(self.start).bool())
    d, _ = Damped.of(expansion, damping).minimum(expansion.offsets, expansion.start)
    assert d.numpy() == pytest.approx(expected.numpy(), abs=1e-7 * float(expected.abs().max()))


def test_other_offsets_find_their_own_minimum_from_the_last(expansion):
    """Those of a correction: the set goes on from that of the step."""
    damping = least_damping(expansion)
    damped = Damped.of(expansion, damping)
    matrix, rows, _ = whole_dual(expansion, damping)
    _, found = damped.minimum(expansion.offsets, expansion.start)
    rng = np.random.default_rng(5)
    shift = 0.3 * float(expansion.offsets.abs().mean())
    offsets = expansion.offsets + shift * torch.tensor(rng.standard_normal(len(found)))
    d, found = damped.minimum(offsets, found)
    forces, out = balance(expansion, matrix, rows, d, found, offsets)
    assert forces < 1e-12
    assert out < 1e-8 * float(offsets.abs().max())


def test_the_fall_is_that_of_the_model_written_out(expansion):
    rng = np.random.default_rng(6)
    d = 0.1 * torch.tensor(rng.standard_normal(expansion.point.problem.n_dof))
    rows = expansion.rows(torch.ones_like(expansion.start, dtype=torch.bool))
    k = len(expansion.e)

    def model(offsets, d):
        masked = expansion.linear - rows[:k].T @ expansion.start[:k]
        smooth = masked @ d + 0.5 * d @ expansion.hessian @ d
        kinks, gaps = (offsets + rows @ d).clamp(min=0).split([k, len(offsets) - k])
        return float(smooth + kinks.sum() + 0.5 * gaps @ gaps)

    expected = model(expansion.offsets, 0 * d) - model(expansion.offsets, d)
    assert expansion.fall(d) == pytest.approx(expected, rel=1e-10)


def test_some_rows_are_those_of_all_and_what_moves_along_them(expansion):
    rng = np.random.default_rng(7)
    everything = torch.ones_like(expansion.start, dtype=torch.bool)
    rows = expansion.rows(everything)
    chosen = torch.tensor(rng.random(len(rows)) < 0.3)
    assert torch.equal(expansion.rows(chosen), rows[chosen])
    d = torch.tensor(rng.standard_normal(rows.shape[1]))
    assert expansion.along(d).numpy() == pytest.approx((rows @ d).numpy(), rel=1e-10, abs=1e-10)


def test_a_matrix_that_is_not_positive_is_refused():
    expansion = an_expansion()
    expansion.hessian.diagonal().sub_(10 * float(expansion.scale.max()))
    assert Damped.of(expansion, 0.3) is None


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_tangent_is_the_derivative_of_a_pass(depth, activation):
    rng = np.random.default_rng(depth)
    mlp = Mlp(4, 5, depth, activation)
    problem = HingeNetwork(mlp, random_patterns(30, 4, rng))
    w, d = (torch.tensor(rng.standard_normal(mlp.n_dof)) for _ in range(2))
    found = tangent(mlp, w, backprop.forward(mlp, w, problem.inputs), d)

    def pass_through(w):
        state = backprop.forward(mlp, w, problem.inputs)
        return torch.stack(state.preactivations), state.output

    _, expected = torch.autograd.functional.jvp(pass_through, w, d)
    for one, other in zip(found, expected, strict=True):
        assert one.numpy() == pytest.approx(other.numpy(), rel=1e-10, abs=1e-12)


@settings(deadline=None, max_examples=20)
@given(st.sampled_from([1, 2, 255, 256, 257, 600]), st.integers(0, 9), st.booleans())
def test_half_of_a_symmetric_product_is_all_of_it(n, count, transposed):
    rng = np.random.default_rng(n + count)
    a = torch.tensor(rng.standard_normal((n, count) if transposed else (count, n)))
    a = a.T if transposed else a
    before = torch.tensor(rng.standard_normal((n, n)))
    before += before.T.clone()
    found = before.clone()
    add_gram(found, a)
    torch.testing.assert_close(found, before + a.T @ a, rtol=0.0, atol=1e-11)
    torch.testing.assert_close(found, found.T, rtol=0.0, atol=1e-12)

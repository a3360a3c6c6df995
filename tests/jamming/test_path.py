"""The way of an optimum, against the quadratic program at its end."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from folded import Folded, balanced
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from bridge.jamming import exact_jamming
from bridge.jamming.kinks import HeldKinks
from bridge.jamming.linearised import Linearised
from bridge.jamming.path import optimal_motion
from bridge.jamming.sequential import sequential_programs

modest = settings(deadline=None, max_examples=40)


def follow(problem, forces, masks, curvature, *, max_step=np.inf, max_exchanges=200):
    """Follow the optimum from ``x = 0``, where all kinks are held and the first gaps violated."""
    held = HeldKinks(np.arange(len(masks)), masks, np.zeros(len(masks), dtype=bool))
    here = Linearised.at(problem, np.zeros(problem.n_dof), held)
    kinks = here.n_gaps + np.arange(len(masks))
    rows = np.concatenate([np.arange(len(forces)), kinks])
    bounds = problem.strengths * forces[problem.owners]
    whole = np.concatenate([forces, masks * bounds])
    free = np.ones(problem.n_dof, dtype=bool)
    motion = partial(optimal_motion, max_step=max_step, max_exchanges=max_exchanges)
    return motion(here, rows, whole, free, curvature)


def quadratic_program(problem, curvature, start):
    """Minimise ``½ uᵀ L u - t`` under the gaps, with ``s_k >= max(z_k, 0)`` for each kink."""
    n, m, count = problem.n_dof, len(problem.offsets), len(problem.owners)
    matrix = np.zeros((m + count, n + 1 + count))
    matrix[:m, :n], matrix[:m, n] = problem.normals, 1.0
    matrix[problem.owners, n + 1 + np.arange(count)] = problem.strengths
    matrix[m:, :n], matrix[m:, n + 1 :] = problem.folds, -np.eye(count)
    right = np.concatenate([problem.offsets, problem.places])

    def objective(v):
        pull = np.zeros(len(v))
        pull[:n], pull[n] = curvature @ v[:n], -1.0
        return 0.5 * v[:n] @ curvature @ v[:n] - v[n], pull

    z = np.maximum(problem.folds @ start + problem.places, 0.0)
    found = minimize(
        objective,
        np.concatenate([start, [-problem.gaps(start).max()], z]),
        jac=True,
        bounds=[(None, None)] * (n + 1) + [(0.0, None)] * count,
        constraints={
            "type": "ineq",
            "fun": lambda v: -matrix @ v - right,
            "jac": lambda v: -matrix,
        },
        method="SLSQP",
        options={"ftol": 1e-13, "maxiter": 1000},
    )
    assert found.status in (0, 8), found.message  # 8: it is down to rounding
    return found.x[:n], found.x[n]


def convex(n, rng):
    factor = rng.standard_normal((n, n))
    return factor @ factor.T + 0.1 * np.eye(n)


@modest
@given(
    st.integers(2, 6),
    st.integers(1, 4),
    st.integers(0, 6),
    st.integers(0, 4),
    st.integers(0, 2**32 - 1),
)
@example(2, 1, 4, 0, 1420)  # a gap that the load alone moves
@example(4, 1, 5, 1, 5516)  # constraints that would close all at once
@example(5, 4, 5, 0, 2843522868)  # one that was let go is redundant when it comes back
@example(3, 1, 6, 2, 487463702)  # a kink that fills up as it enters, and one from its other side
@example(3, 2, 2, 1, 3196721549)
def test_the_end_of_the_way_is_the_optimum_of_the_quadratic_program(n, m, idle, kinks, seed):
    rng = np.random.default_rng(seed)
    m = min(m, n)
    kinks = min(kinks, n - m)
    problem, forces, masks = balanced(n, m, idle, kinks, rng)
    offsets = problem.offsets.copy()
    offsets[m:] = rng.uniform(-0.3, 0.3, idle)  # some have to close
    problem, curvature = replace(problem, offsets=offsets), convex(n, rng)
    found = follow(problem, forces, masks, curvature)
    assert (found.reason, found.part) == ("", 1.0)
    end = found.u
    # Feasible for the gaps themselves, and tight: t can be no larger at this u.
    assert problem.gaps(end).max() + found.t == pytest.approx(0.0, abs=1e-9)
    # Stationary with forces, and masks of the kinks, within their bounds: enough if convex.
    residual = curvature @ end + found.here.jacobian[found.rows].T @ found.forces
    assert np.abs(residual).max() < 1e-9
    assert found.forces.min() >= 0.0
    assert found.here.room(found.rows, found.forces).min() >= -1e-9
    assert found.forces[found.rows < found.here.n_gaps].sum() == pytest.approx(1.0)
    u, t = quadratic_program(problem, curvature, np.zeros(n))
    value = 0.5 * end @ curvature @ end - found.t
    assert value == pytest.approx(0.5 * u @ curvature @ u - t, abs=1e-7)
    np.testing.assert_allclose(end, u, atol=2e-3)


def test_a_kink_that_fills_up_opens_to_its_other_side():
    """The wall ``y + max(x, 0) 2 + t``, pulled to ``x > 0`` by more than its kink can hold.

    With ``y = -t`` at the floor and the curvature 1, ``t`` grows by -x/2 of a wall that leans.
    """
    lean = -3.0
    normals = np.array([[lean, 1.0], [0.0, -1.0]])
    zero = np.zeros(1)
    problem = Folded(normals, np.array([0.1, 0.1]), np.eye(2)[:1], zero, np.array([0]), zero + 2.0)
    forces, masks = np.array([0.5, 0.5]), np.array([0.75])
    found = follow(problem, forces, masks, np.eye(2))
    u, t = quadratic_program(problem, np.eye(2), np.zeros(2))
    assert found.reason == ""
    np.testing.assert_allclose(found.u, u, atol=1e-7)
    assert found.t == pytest.approx(t, abs=1e-9)
    assert u[0] > 0.1  # the kink is open
    assert found.rows.tolist() == [0, 1]
    assert found.here.kinks.above.tolist() == [True]


@pytest.mark.parametrize(("steepness", "met"), [(0.5, False), (2.0, True), (20.0, True)])
def test_an_idle_gap_closes_on_the_other_side_of_its_kink(steepness, met):
    """A wall that bends up at ``x = 0.2``, on the way to ``x = 1/2``: it is seen where it bends."""
    normals = np.array([[-1.0, 1.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 0.0]])
    kink = np.array([2]), np.array([steepness])
    problem = Folded(normals, np.array([0.1, 0.1, -0.4]), np.eye(3)[:1], np.full(1, -0.2), *kink)
    here = Linearised.at(problem, np.zeros(3), HeldKinks.none())
    assert here.kinks.above.tolist() == [False]
    free = np.ones(3, dtype=bool)
    found = optimal_motion(
        here, np.arange(2), np.full(2, 0.5), free, np.eye(3), max_step=np.inf, max_exchanges=20
    )
    u, t = quadratic_program(problem, np.eye(3), np.zeros(3))
    assert (found.reason, found.part) == ("", 1.0)
    np.testing.assert_allclose(found.u, u, atol=1e-6)
    assert found.t == pytest.approx(t, abs=1e-7)
    assert (2 in found.rows) == met
    assert found.here.kinks.above.tolist() == [bool(u[0] > 0.2 + 1e-6)]
    assert problem.gaps(found.u).max() + found.t == pytest.approx(0.0, abs=1e-9)


def test_a_motion_ends_where_a_variable_has_moved_as_far_as_it_may():
    rng = np.random.default_rng(3)
    problem, forces, masks = balanced(4, 2, 3, 1, rng)
    curvature = convex(4, rng)
    whole = follow(problem, forces, masks, curvature)
    largest = float(np.abs(whole.u).max())
    short = follow(problem, forces, masks, curvature, max_step=0.3 * largest)
    assert 0.0 < short.part < 1.0
    assert np.abs(short.u).max() == pytest.approx(0.3 * largest)
    assert short.reason == ""


def test_negative_curvature_is_reported_as_instability():
    """A constraint whose force vanishes opens to a motion along which the curvature is negative.

    ``y + x`` and ``y - x`` balance against ``-2 y``. With ``L = -1`` across, the first opens by
    itself as soon as nothing but curvature holds ``x``.
    """
    normals = np.array([[1.0, 1.0], [-1.0, 1.0], [0.0, -1.0]])
    none, nobody = np.empty(0), np.empty(0, dtype=np.intp)
    problem = Folded(normals, np.array([0.1, 0.4, 0.1]), np.empty((0, 2)), none, nobody, none)
    curvature = np.diag([-8.0, 1.0])
    found = follow(problem, np.array([0.25, 0.25, 0.5]), none, curvature)
    assert found.reason.startswith("unstable: the curvature is negative where constraint")
    assert found.part < 1.0
    stable = follow(problem, np.array([0.25, 0.25, 0.5]), none, -curvature)
    assert (stable.reason, stable.part) == ("", 1.0)


def test_exchanges_are_counted_and_limited():
    """Of gaps that are as violated as active ones many have to close."""
    rng = np.random.default_rng(5)
    problem, forces, masks = balanced(5, 2, 12, 2, rng)
    offsets = problem.offsets.copy()
    offsets[2:] = 0.2
    near = replace(problem, offsets=offsets)
    whole = follow(near, forces, masks, convex(5, rng))
    assert (whole.reason, whole.exchanges >= 2) == ("", True)
    found = follow(near, forces, masks, convex(5, rng), max_exchanges=1)
    assert found.reason == "no optimum within 1 exchanges"


# The linear programs with kinks, on gables of known shape and on random ones.


def load_of(problem):
    """Return the largest load of a problem with kinks, by its epigraph."""
    n, m, count = problem.n_dof, len(problem.offsets), len(problem.owners)
    matrix = np.zeros((m + count, n + 1 + count))
    matrix[:m, :n], matrix[:m, n] = problem.normals, 1.0
    np.add.at(matrix, (problem.owners, n + 1 + np.arange(count)), problem.strengths)
    matrix[m:, :n], matrix[m:, n + 1 :] = problem.folds, -np.eye(count)
    return linprog(
        -np.eye(n + 1 + count)[n],
        A_ub=matrix,
        b_ub=-np.concatenate([problem.offsets, problem.places]),
        bounds=[(None, None)] * (n + 1) + [(0.0, None)] * count,
    )


def gable():
    """``Δ_1 = |x| + y``, ``Δ_2 = -y``: the example of `bridge.protocols.HasKinks`."""
    zero = np.zeros(1)
    walls = np.array([[-1.0, 1.0], [0.0, -1.0]])
    return Folded(walls, np.zeros(2), np.eye(2)[:1], zero, np.array([0]), zero + 2.0)


@pytest.mark.parametrize("start", [(0.3, 0.1), (-0.7, 0.2), (0.0, 0.0), (2.0, -1.0)])
def test_programs_find_the_top_of_the_gable(start):
    found = sequential_programs(gable(), np.array(start))
    assert found.status == "converged"
    assert found.here.x == pytest.approx([0.0, 0.0], abs=1e-9)
    assert found.here.problem.offsets == pytest.approx([0.0, 0.0], abs=1e-9)
    assert found.rows.tolist() == [0, 1, 2]


@modest
@given(st.integers(1, 4), st.integers(0, 3), st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_gables_of_any_shape_reach_the_load_of_their_program(n, more, kinks, seed):
    rng = np.random.default_rng(seed)
    m = n + 1 + more
    normals = rng.standard_normal((m, n))
    normals[-1] = -normals[:-1].sum(axis=0)  # nothing can go for ever
    folds, places = rng.standard_normal((kinks, n)), 0.5 * rng.standard_normal(kinks)
    owners, strengths = rng.integers(0, m, kinks), rng.uniform(0.2, 2.0, kinks)
    problem = Folded(normals, rng.standard_normal(m), folds, places, owners, strengths)
    program = load_of(problem)
    assert program.status == 0
    start = rng.standard_normal(n)
    assume(np.abs(program.x[:n] - start).max() < 300.0)  # half of what 200 programs can go
    found = sequential_programs(problem, start, max_step=3.0)
    assert found.status == "converged"
    grown = found.here.problem.offsets - problem.offsets
    assert grown == pytest.approx(np.full(m, -program.fun), abs=1e-7)
    point = exact_jamming(problem, start)
    assert point.status == "jammed", point.reason
    assert point.problem.offsets - problem.offsets == pytest.approx(grown, abs=1e-7)
    branch = point.problem.branch(point.x, point.kinks, point.masks)
    balance = branch.gap_jacobian(point.x, point.rows).T @ point.forces
    assert np.abs(balance).max() < 1e-10
    assert ((point.masks >= 0.0) & (point.masks <= 1.0)).all()
    assert point.problem.kinks(point.x)[point.kinks] == pytest.approx(0.0, abs=1e-12)
    assert point.certificate.n_constraints + point.certificate.n_kinks == n + 1


@modest
@example(4, 1, 5, 4)  # a kink turns while the force of one that it bends grows
@example(5, 1, 3, 372)  # a concave kink is crossed, and its owner's force no longer balances
@given(st.integers(3, 7), st.integers(1, 3), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_kinks_upon_kinks_follow_each_other(n, m, idle, seed):
    """Kinks of one gap in layers: the end is tight and balanced by what the gaps really are."""
    rng = np.random.default_rng(seed)
    m = min(m, n - 2)
    kinks = min(4, n - m)
    flat, forces, masks = balanced(n, m, idle, kinks, rng)
    couplings = np.tril(rng.uniform(-0.3, 1.0, (kinks, kinks)), -1)
    couplings *= flat.owners[:, None] == flat.owners
    problem = replace(flat, couplings=couplings, slopes=masks)
    # Of the last violated gap the normal is such that forces balance with these masks.
    pull = forces @ problem.gap_jacobian(np.zeros(n))[:m]
    normals, offsets = flat.normals.copy(), flat.offsets.copy()
    normals[m - 1] -= pull / forces[-1]
    offsets[m:] = rng.uniform(-0.3, 0.3, idle)
    problem = replace(problem, normals=normals, offsets=offsets, slopes=None)
    curvature = convex(n, rng)
    held = HeldKinks(np.arange(kinks), masks, masks > 0.5)
    here = Linearised.at(problem, np.zeros(n), held)
    rows = np.concatenate([np.arange(m), here.n_gaps + np.arange(kinks)])
    bounds = here.branch.kink_strengths(here.x) * forces[problem.owners]
    whole = np.concatenate([forces, bounds * np.where(masks > 0.5, 1.0 - masks, masks)])
    assume(here.room(rows, whole).min() > 0.0 and whole.min() > 0.0)
    assert whole @ here.jacobian[rows] == pytest.approx(0.0, abs=1e-9)
    free = np.ones(n, dtype=bool)
    found = optimal_motion(here, rows, whole, free, curvature, max_step=np.inf, max_exchanges=200)
    assume(not found.reason)  # a fold that is not convex may hold nothing
    end = found.u
    assert problem.gaps(end).max() + found.t == pytest.approx(0.0, abs=1e-8)
    active = found.rows[found.rows < here.n_gaps]
    assert problem.gaps(end)[active] + found.t == pytest.approx(0.0, abs=1e-8)
    residual = curvature @ end + found.here.jacobian[found.rows].T @ found.forces
    assert np.abs(residual).max() < 1e-8
    assert found.here.room(found.rows, found.forces).min() >= -1e-8
    assert found.here.predicted(end, found.t)[: here.n_gaps] == pytest.approx(
        problem.gaps(end) + found.t, abs=1e-8
    )

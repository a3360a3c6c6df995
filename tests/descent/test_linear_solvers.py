"""Minima of the linear hinge against other ways to find them: lists, linear programs, a simplex."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from bridge import linear_minimum
from bridge.descent.linear_certificate import certify
from bridge.measure.observables import dense
from particles import Perceptron, descend, minimise

from linear_problems import KINDS, FlatHalfspaces, energy, small

SEEDS = st.integers(0, 2**32 - 1)
TURN = 2.0 * np.pi


def minima_on_the_circle(problem):
    """Return the energies of all strict minima of a perceptron of two components.

    At the angle ``φ`` the energy is ``Σ max(σ - r cos(φ - a), 0)``: between two angles at which a
    gap vanishes it is ``m σ - R cos(φ - A)``, with a minimum where ``A`` is between them, and at
    such an angle itself there is one where the slope jumps from negative to positive.
    """
    sizes = np.hypot(*problem.patterns.T)
    angles = np.arctan2(problem.patterns[:, 1], problem.patterns[:, 0])
    inside = np.abs(problem.sigma) < sizes
    spread = np.arccos(problem.sigma / sizes[inside])
    ends = np.sort(np.mod(np.concatenate([angles[inside] + spread, angles[inside] - spread]), TURN))
    found = []
    middles = (ends + np.append(ends[1:], ends[0] + TURN)) / 2.0 if len(ends) else np.zeros(1)
    slopes = []
    for k, middle in enumerate(middles):
        violated = problem.sigma - sizes * np.cos(middle - angles) > 0.0
        pull = (sizes * np.exp(1j * angles))[violated].sum()
        slopes.append((pull, violated.sum()))
        width = (middle - ends[k]) if len(ends) else np.pi
        if abs(np.mod(np.angle(pull) - middle + np.pi, TURN) - np.pi) < width and abs(pull) > 0.0:
            found.append(violated.sum() * problem.sigma - abs(pull))
    for k, end in enumerate(ends):
        before, after = (-(slopes[i][0] * np.exp(-1j * end)).imag for i in (k - 1, k))
        if before < 0.0 < after:
            found.append(float(np.maximum(problem.sigma - sizes * np.cos(end - angles), 0.0).sum()))
    return np.array(found)


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.integers(1, 8), st.sampled_from([-0.7, -0.2, 0.0, 0.3, 1.0, 4.0]))
def test_on_the_circle_it_ends_in_one_of_all_minima(seed, m, sigma):
    rng = np.random.default_rng(seed)
    problem = Perceptron(rng.standard_normal((m, 2)), sigma)
    end = linear_minimum(problem, problem.random_state(rng))
    if end.status == "unjammed":
        assert energy(problem, end.x) <= 1e-10
        return
    assert end.status == "jammed", end.reason
    assert np.abs(minima_on_the_circle(problem) - end.energy).min() < 1e-10


@settings(deadline=None, max_examples=12)
@given(SEEDS, st.integers(3, 7), st.sampled_from([0.5, 1.0, 1.5]))
def test_of_a_positive_margin_it_is_the_lowest_state_in_the_ball(seed, n, sigma):
    """With ``σ >= 0`` the energy is convex in ``|x| <= 1``, and the end the lowest state in there,
    and even in the half space ``u·x <= 1`` that touches the ball at it: a linear program.
    """
    rng = np.random.default_rng(seed)
    m = 4 * n
    problem = Perceptron.random(n, 4.0, sigma, rng)
    end = linear_minimum(descend(problem, problem.random_state(rng)))
    assert end.status == "jammed", end.reason
    u = end.x / np.linalg.norm(end.x)
    pulls = (problem.gaps(u) > 0.0).astype(float)
    pulls[end.marginal] = end.forces
    assume(pulls @ (problem.patterns @ u) > 0.0)  # else the state is pulled inwards, off the ball
    rows = np.vstack([np.hstack([-problem.patterns, -np.eye(m)]), np.append(u, np.zeros(m))])
    sides = np.append(np.full(m, -sigma), 1.0)
    bounds = [(None, None)] * n + [(0.0, None)] * m
    best = linprog(np.append(np.zeros(n), np.ones(m)), rows, sides, bounds=bounds)
    assert end.energy == pytest.approx(best.fun, abs=1e-9)


@settings(deadline=None, max_examples=8)
@given(SEEDS, st.sampled_from(["perceptron", "discs", "spheres"]))
def test_no_step_of_a_linear_program_lowers_an_isostatic_minimum(seed, kind):
    """``min Σ s`` with ``s >= Δ + J u``, ``s >= 0`` and ``|u_i| <= 1``: its dual has our forces."""
    rng = np.random.default_rng(seed)
    problem = small(kind, rng)
    descent = descend if kind == "perceptron" else minimise
    end = linear_minimum(descent(problem, problem.random_state(rng)))
    if end.status != "jammed" or not end.certificate.isostatic:
        return
    gaps, jacobian = problem.gaps(end.x), dense(problem.gap_jacobian(end.x))
    m, n = jacobian.shape
    rows = np.hstack([jacobian, -np.eye(m)])
    bounds = [(-1.0, 1.0)] * n + [(0.0, None)] * m
    best = linprog(np.concatenate([np.zeros(n), np.ones(m)]), rows, -gaps, bounds=bounds)
    assert best.fun == pytest.approx(end.energy, abs=1e-9)
    assert -best.ineqlin.marginals[end.marginal] == pytest.approx(end.forces, abs=1e-6)


def lowest_vertex(problem):
    """Return the energies of all strict minima at vertices: every set of ``n`` marginal patterns.

    On the sphere of three components two patterns are marginal at ``±`` a direction each.
    """
    found = []
    for pair in combinations(range(len(problem.patterns)), 2):
        a = problem.patterns[list(pair)]
        base = np.linalg.lstsq(a, np.full(2, problem.sigma), rcond=None)[0]
        height = 1.0 - base @ base
        if height <= 0.0:
            continue
        normal = np.cross(a[0], a[1])
        normal *= np.sqrt(height) / np.linalg.norm(normal)
        for x in (base + normal, base - normal):
            marginal = np.array(pair)
            others = np.flatnonzero(problem.gaps(x) > 0.0)
            others = others[~np.isin(others, marginal)]
            pull = problem.gap_jacobian(x, others).sum(axis=0)
            rows = problem.gap_jacobian(x, marginal)
            forces = np.linalg.lstsq(rows.T, -pull, rcond=None)[0]
            if (forces > 1e-6).all() and (forces < 1.0 - 1e-6).all():
                found.append((energy(problem, x), x, marginal, forces))
    return found


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.integers(4, 9), st.sampled_from([-0.8, -0.5, -0.2]))
def test_on_the_sphere_it_ends_in_one_of_all_vertices_that_balance(seed, m, sigma):
    rng = np.random.default_rng(seed)
    problem = Perceptron(rng.standard_normal((m, 3)), sigma)
    end = linear_minimum(problem, problem.random_state(rng))
    vertices = lowest_vertex(problem)
    for there, x, marginal, forces in vertices:
        assert certify(problem, x, marginal, forces).flaw(1e-10) == ""
        assert there > 0.0
    if end.status == "jammed":
        near = min(vertices, key=lambda vertex: abs(vertex[0] - end.energy))
        assert end.energy == pytest.approx(near[0], abs=1e-10)
        assert end.marginal.tolist() == near[2].tolist()
        assert end.forces == pytest.approx(near[3], abs=1e-8)
    else:
        assert end.status == "unjammed", end.reason
        assert (problem.gaps(end.x) <= 0.0).all()


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.integers(1, 5))
def test_of_flat_constraints_it_is_the_linear_program(seed, n):
    """``min Σ s``, ``s >= A x + b``, ``s >= 0``: another method, and its dual has our forces."""
    rng = np.random.default_rng(seed)
    m = 6 * n
    problem = FlatHalfspaces(rng.standard_normal((m, n)), rng.uniform(0.0, 1.0, m))
    end = linear_minimum(problem, rng.standard_normal(n))
    cost = np.concatenate([np.zeros(n), np.ones(m)])
    rows = np.hstack([problem.normals, -np.eye(m)])
    bounds = [(None, None)] * n + [(0.0, None)] * m
    best = linprog(cost, rows, -problem.offsets, bounds=bounds)
    if best.fun < 1e-9:  # such as six of one side on a line
        assert end.status == "unjammed", end.reason
        return
    assert end.status == "jammed", end.reason
    assert end.energy == pytest.approx(best.fun, abs=1e-9)
    assert end.forces == pytest.approx(-best.ineqlin.marginals[end.marginal], abs=1e-9)
    assert len(end.marginal) == n


@settings(deadline=None, max_examples=6)
@given(SEEDS, st.sampled_from(KINDS))
def test_no_other_minimiser_finds_a_lower_state_nearby(seed, kind):
    rng = np.random.default_rng(seed)
    problem = small(kind, rng)
    descent = descend if kind == "perceptron" else minimise
    end = linear_minimum(descent(problem, problem.random_state(rng)))
    if end.status != "jammed":
        assert end.status == "unjammed" or kind != "perceptron", end.reason
        return
    for size in (1e-6, 1e-4, 1e-3):
        for _ in range(10):
            there = end.x + size * rng.standard_normal(problem.n_dof)
            assert energy(problem, there) >= end.energy - 1e-12
    simplex = minimize(
        lambda x: energy(problem, x), end.x, method="Nelder-Mead", options={"maxfev": 300}
    )
    assert simplex.fun >= end.energy - 1e-10

"""Minima of the linear hinge: by hand, by other minimisers, and what their certificate refuses."""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from bridge import check_landscape, linear_minimum, observe
from bridge.descent.linear_certificate import certify
from bridge.descent.newton import Newton
from bridge.descent.softened import Softened
from bridge.measure.observables import dense
from bridge.protocols import HasCurvature, HasMarginal
from bridge.runs.kinds.jam import JamRun
from bridge.systems import DiscSystem, NetworkSystem, PerceptronSystem
from networks import HingeNetwork, Mlp, SphericalNetwork, random_patterns
from particles import Discs, Ellipses, Perceptron, descend, minimise

from problems import Halfspaces

SEEDS = st.integers(0, 2**32 - 1)
TURN = 2.0 * np.pi


@dataclass(frozen=True, eq=False)
class FlatHalfspaces(Halfspaces):
    """Linear gaps, whose curvature vanishes."""

    def curvature(self, x, forces):
        return np.zeros((self.n_dof, self.n_dof))


class RoundedHalfspaces(FlatHalfspaces):
    """The same, as rounding leaves the curvature of what is flat along its first variable."""

    def curvature(self, x, forces):
        return np.diag([1e-17, 1.0])


def energy(problem, x):
    return float(np.maximum(problem.gaps(x), 0.0).sum())


def small(kind, rng):
    if kind == "perceptron":
        return Perceptron.random(12, 8.0, -0.5, rng)
    if kind == "ellipses":
        return Ellipses.bidisperse(12, 0.95)
    return Discs.bidisperse(12, {"discs": 0.9, "spheres": 0.7}[kind], dim=2 + (kind == "spheres"))


KINDS = ["perceptron", "discs", "spheres", "ellipses"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_softened_hinge_is_a_landscape_whose_curvature_is_exact(kind):
    rng = np.random.default_rng(0)
    problem = small(kind, rng)
    check_landscape(Softened(problem, 0.02), problem.random_state(rng))


@pytest.mark.parametrize("kind", KINDS)
def test_curvature_is_what_the_harmonic_hessian_has_beside_its_stiffness(kind):
    rng = np.random.default_rng(1)
    problem = small(kind, rng)
    x, v = problem.random_state(rng), rng.standard_normal(problem.n_dof)
    overlaps = np.maximum(problem.gaps(x), 0.0)
    jacobian = problem.gap_jacobian(x, np.flatnonzero(overlaps))
    expected = problem.hvp(x, v) - jacobian.T @ (jacobian @ v)
    assert problem.curvature(x, overlaps) @ v == pytest.approx(expected, abs=1e-10)


def test_the_softened_hinge_becomes_the_linear_one():
    rng = np.random.default_rng(2)
    problem = small("perceptron", rng)
    x = problem.random_state(rng)
    soft, gradient = Softened(problem, 1e-6).energy_gradient(x)
    assert soft == pytest.approx(energy(problem, x), abs=1e-6)
    assert gradient == pytest.approx(problem.gap_jacobian(x)[problem.gaps(x) > 0].sum(axis=0))


# By hand.


def test_two_patterns_on_the_circle():
    """``e_1`` pulls by ``sin φ``, ``-w e_1`` back by ``w sin φ``: marginal at ``cos φ = σ``."""
    for weight in (0.25, 0.5, 0.75):
        problem = Perceptron(np.array([[1.0, 0.0], [-weight, 0.0]]), sigma=0.3)
        end = linear_minimum(problem, np.array([0.1, 1.0]))
        assert end.status == "jammed"
        assert end.marginal.tolist() == [0]
        assert end.forces == pytest.approx([weight], abs=1e-12)
        assert end.energy == pytest.approx(0.3 * (1.0 + weight), abs=1e-14)
        assert end.x[0] / np.linalg.norm(end.x) == pytest.approx(0.3, abs=1e-14)


def test_three_patterns_on_the_circle_by_their_angles():
    """At ``φ`` the pattern at ``a`` is at ``Δ = σ - cos(φ - a)``: three at 120 degrees, σ = 0.

    Between two of them, at 60 degrees from both, the third is violated by 1, and its force
    vanishes there to first order; the energy falls from every state to where a second closes.
    """
    angles = np.radians([0.0, 120.0, 240.0])
    problem = Perceptron(np.column_stack([np.cos(angles), np.sin(angles)]), sigma=0.0)
    end = linear_minimum(problem, np.array([np.cos(0.3), np.sin(0.3)]))
    grid = np.linspace(0.0, 2.0 * np.pi, 720, endpoint=False)
    lowest = min(energy(problem, np.array([np.cos(a), np.sin(a)])) for a in grid)
    assert end.status == "jammed"
    assert end.energy == pytest.approx(np.sqrt(3.0) / 2.0, abs=1e-12)
    assert end.energy <= lowest + 1e-12
    assert end.certificate.isostatic


def test_patterns_that_all_pull_from_ahead_need_no_marginal_one():
    """At a large margin ``U = Σ (σ - ξ·x/|x|)`` is smooth: its minimum is along ``Σ ξ``."""
    problem = Perceptron(np.array([[1.0, 0.0], [0.6, 0.8]]), sigma=2.0)
    end = linear_minimum(problem, np.array([1.0, 0.0]))
    along = np.array([1.6, 0.8])
    assert (end.status, len(end.marginal), end.certificate.n_free_motions) == ("jammed", 0, 1)
    assert end.energy == pytest.approx(4.0 - np.linalg.norm(along), abs=1e-12)
    assert end.x / np.linalg.norm(end.x) == pytest.approx(along / np.linalg.norm(along))
    # Δ'' along the circle is ξ·x/|x| per radian squared, and |x| = 1 here to second order.
    length = np.linalg.norm(end.x)
    assert end.certificate.curvature == pytest.approx(np.linalg.norm(along) / length**2)


def test_three_discs_one_of_which_rattles():
    """Two discs of diameter 1 in a square box ``L = 1.3``; a tiny third one lies in the hole.

    The second, at ``r`` from the first, feels four of its images. Each distance is convex, so that
    no place between them is a minimum but one with two marginal contacts, ``n = 4 - 2``: below, at
    ``r = (L/2, y)`` with ``y = √(1 - L²/4)``. Those above are violated by ``1 - d`` with
    ``d² = L²/4 + (L - y)²``, and forces balance if ``2 λ y = 2 (L - y)/d``.
    """
    side = 1.3
    y = np.sqrt(1.0 - side**2 / 4.0)
    d = np.hypot(side / 2.0, side - y)
    problem = Discs(np.array([1.0, 1.0, 0.02]), np.full(2, side))
    x = np.array([0.0, 0.0, side / 2.0 + 0.01, y - 0.02, side / 2.0, 0.02])
    end = linear_minimum(problem, x)
    assert end.status == "jammed", end.reason
    assert end.energy == pytest.approx(2.0 * (1.0 - d), abs=1e-13)
    assert end.forces == pytest.approx(np.full(2, (side - y) / (d * y)), abs=1e-12)
    assert end.x[2:4] - end.x[:2] == pytest.approx([side / 2.0, y], abs=1e-13)
    seen = observe(end)
    assert (seen.n_frozen, seen.n, seen.n_marginal, seen.n_constraints) == (1, 2, 2, 4)
    assert (end.certificate.n, end.certificate.n_violated) == (2, 2)


@pytest.mark.parametrize(("width", "height"), [(1.2, 2.4), (1.2, 2.2), (1.5, 2.1), (1.05, 2.6)])
def test_a_column_of_three_discs(width, height):
    """Discs of diameter 1 at ``(0, 0)``, ``(w/2, h)``, ``(0, 2h)`` under the image of the first.

    Each touches two images of the one above, ``h = √(1 - w²/4)``, but for the third: it overlaps
    with the image at ``(0, H)`` by ``1 - (H - 2h)``, whose force 1 is carried by pairs of contacts
    with ``2 λ h = 1``. Four marginal contacts hold six centres less two translations.
    """
    h = np.sqrt(1.0 - width**2 / 4.0)
    problem = Discs(np.ones(3), np.array([width, height]))
    x = np.array([0.0, 0.0, width / 2.0, h, 0.0, 2.0 * h])
    end = linear_minimum(problem, x + 0.01 * np.random.default_rng(0).standard_normal(6))
    assert end.status == "jammed", end.reason
    assert end.energy == pytest.approx(1.0 - (height - 2.0 * h), abs=1e-12)
    assert end.forces == pytest.approx(np.full(4, 0.5 / h), abs=1e-11)
    assert end.x - np.tile(end.x[:2], 3) == pytest.approx(x, abs=1e-12)
    proof = end.certificate
    assert (proof.n, proof.n_violated, proof.isostatic) == (4, 1, True)


def test_a_row_that_is_too_short_shares_its_overlap_in_no_one_way():
    """Bodies at ``u`` and ``v`` of a row: gaps ``u + 0.3``, ``v - u + 0.1``, ``0.1 - v`` add up
    to 1/2 wherever all are violated, so that no state is a strict minimum.
    """
    row = np.array([[1.0, 0.0], [-1.0, 1.0], [0.0, -1.0]])
    end = linear_minimum(FlatHalfspaces(row, np.array([0.3, 0.1, 0.1])), np.array([-0.2, -0.1]))
    assert end.energy == pytest.approx(0.5)
    assert end.status == "stalled"
    assert "0.0e+00 is not positive" in end.reason


def test_a_state_without_violations_is_unjammed():
    problem = Perceptron(np.array([[1.0, 0.0]]), sigma=0.5)
    end = linear_minimum(problem, np.array([1.0, 0.0]))
    assert (end.status, end.energy, end.certificate) == ("unjammed", 0.0, None)
    assert observe(end).n_marginal == 0


# Against other minimisers.


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


@settings(deadline=None, max_examples=100)
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


@settings(deadline=None, max_examples=25)
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


@settings(deadline=None, max_examples=15)
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


@settings(deadline=None, max_examples=60)
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


@settings(deadline=None, max_examples=40)
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
    assert end.status == "jammed", end.reason
    assert end.energy == pytest.approx(best.fun, abs=1e-9)
    assert end.forces == pytest.approx(-best.ineqlin.marginals[end.marginal], abs=1e-9)
    assert len(end.marginal) == n


@settings(deadline=None, max_examples=25)
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


# Counts.


@pytest.mark.parametrize(
    ("n", "alpha", "sigma"), [(20, 8.0, -0.5), (40, 6.0, -0.5), (30, 10.0, -1.0)]
)
@pytest.mark.parametrize("seed", range(3))
def test_the_whole_unsatisfied_phase_of_a_negative_margin_is_isostatic(n, alpha, sigma, seed):
    rng = np.random.default_rng(seed)
    problem = Perceptron.random(n, alpha, sigma, rng)
    end = linear_minimum(descend(problem, problem.random_state(rng)))
    seen = observe(end)
    if end.status == "unjammed":
        assert seen.n_marginal == 0
        return
    assert (end.status, len(end.marginal), end.certificate.isostatic) == ("jammed", n - 1, True)
    assert isinstance(end, HasMarginal)
    violated = int((problem.gaps(end.x) > 1e-12).sum())
    assert violated > 0
    assert seen.n == seen.n_isostatic == seen.n_marginal == n - 1
    assert seen.n_constraints == n - 1 + violated
    assert seen.energy == pytest.approx(end.energy)
    assert seen.min_force == end.forces.min() > 0.0
    assert seen.smallest_gap > 1e-12
    assert seen.max_residual < 1e-12


@pytest.mark.parametrize(("phi", "dim"), [(0.86, 2), (0.95, 2), (0.7, 3)])
def test_overcompressed_discs_and_spheres_are_isostatic(phi, dim):
    rng = np.random.default_rng(3)
    problem = Discs.bidisperse(24, phi, dim=dim)
    end = linear_minimum(minimise(problem, problem.random_state(rng)))
    seen = observe(end)
    assert end.status == "jammed", end.reason
    proof = end.certificate
    assert proof.n_free_motions == 0
    assert len(end.marginal) == seen.n + proof.n_self_stresses
    assert seen.n == proof.n == dim * (24 - seen.n_frozen) - dim
    assert np.abs(problem.gaps(end.x)[end.marginal]).max() < 1e-12


# What a certificate refuses.


def honest():
    rng = np.random.default_rng(0)
    problem = Perceptron.random(20, 8.0, -0.5, rng)
    return linear_minimum(descend(problem, problem.random_state(rng)))


def test_an_honest_certificate_has_no_flaw():
    end = honest()
    assert isinstance(end.problem, HasCurvature)
    assert certify(end.problem, end.x, end.marginal, end.forces).flaw() == ""


def test_a_state_beside_the_corner_is_refused():
    end = honest()
    moved = end.x + 1e-9 * np.random.default_rng(1).standard_normal(20)
    assert "marginal gaps" in certify(end.problem, moved, end.marginal, end.forces).flaw()


def test_forces_that_do_not_balance_are_refused():
    end = honest()
    forces = end.forces.copy()
    forces[0] += 1e-6
    assert "off balance" in certify(end.problem, end.x, end.marginal, forces).flaw()


def test_a_marginal_constraint_that_is_left_out_is_refused():
    end = honest()
    proof = certify(end.problem, end.x, end.marginal[1:], end.forces[1:])
    assert proof.n_free_motions == 1
    assert proof.flaw() != ""


def test_a_constraint_that_is_named_twice_is_refused():
    """Else two forces of 0.6 would be one of 1.2, which nothing marginal has."""
    problem = Perceptron(np.array([[1.0, 0.0], [-1.2, 0.0]]), sigma=0.3)
    x = np.array([0.3, np.sqrt(1.0 - 0.09)])
    with pytest.raises(ValueError, match=r"expected distinct places below 2, got \[0, 0\]"):
        certify(problem, x, np.array([0, 0]), np.array([0.6, 0.6]))


@pytest.mark.parametrize("place", [-1, 2])
def test_a_place_that_no_gap_has_is_refused(place):
    problem = Perceptron(np.eye(2), sigma=0.3)
    with pytest.raises(ValueError, match="expected distinct places below 2"):
        certify(problem, np.ones(2), np.array([place]), np.array([0.5]))


def test_a_constraint_without_a_force_is_refused():
    problem = Perceptron(np.eye(2), sigma=0.3)
    with pytest.raises(ValueError, match="expected a force for each marginal constraint, got 0"):
        certify(problem, np.ones(2), np.array([0]), np.empty(0))


def test_a_flat_motion_is_refused_although_rounding_curves_it():
    """Between two walls that pull alike the energy is constant."""
    walls = FlatHalfspaces(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -0.5]]), np.ones(4))
    bent = RoundedHalfspaces(walls.normals, np.array([1.0, 1.0, 0.0, 0.0]))
    proof = certify(bent, np.zeros(2), np.array([2]), np.array([0.5]))
    assert (proof.n_free_motions, proof.curvature) == (1, 0.0)
    assert proof.flaw() != ""


def test_a_vertex_whose_forces_are_outside_of_the_box_is_refused():
    """Every vertex of a perceptron on the circle balances: by a force that may be above 1."""
    problem = Perceptron(np.array([[1.0, 0.0], [-2.0, 0.0]]), sigma=0.3)
    x = np.array([0.3, np.sqrt(1.0 - 0.09)])
    proof = certify(problem, x, np.array([0]), np.array([2.0]))
    assert proof.dual_residual < 1e-15
    assert "inside of [0, 1]" in proof.flaw()


def test_a_balance_whose_curvature_is_negative_is_refused():
    """Opposite to a pattern its force vanishes, but the energy falls on both sides."""
    problem = Perceptron(np.array([[1.0, 0.0]]), sigma=0.5)
    proof = certify(problem, np.array([-1.0, 0.0]), np.empty(0, dtype=np.intp), np.empty(0))
    assert (proof.dual_residual, proof.n_free_motions, proof.curvature) == (0.0, 1, -1.0)
    assert "least curvature" in proof.flaw()


def test_a_state_that_nothing_holds_is_refused():
    problem = Perceptron(np.array([[1.0, 0.0]]), sigma=0.5)
    proof = certify(problem, np.array([1.0, 0.0]), np.empty(0, dtype=np.intp), np.empty(0))
    assert proof.flaw() == "no constraint holds anything"


@pytest.mark.parametrize(
    "change",
    [
        {"primal_residual": 1e-10}, {"dual_residual": 1e-9}, {"room": 0.0}, {"margin": 1e-13},
        {"n_free_motions": 1}, {"n_free_motions": 1, "curvature": -1e-9},
        {"n_marginal": 0, "n_violated": 0},
    ],
)  # fmt: skip
def test_each_part_of_a_certificate_counts(change):
    proof = honest().certificate
    assert proof.flaw() == ""
    assert replace(proof, **change).flaw() != ""


# Networks.


def tanh_network(activation="tanh"):
    rng = np.random.default_rng(0)
    mlp = Mlp(3, 3, 1, activation)
    network = HingeNetwork(mlp, random_patterns(60, 3, rng))
    x = mlp.init(rng)
    return SphericalNetwork(network, float(np.linalg.norm(x))), x


def test_a_network_of_smooth_units_has_a_certified_minimum_that_curvature_holds():
    problem, x = tanh_network()
    end = linear_minimum(Newton()(problem, x))
    proof = end.certificate
    assert end.status == "jammed", end.reason
    assert proof.n == problem.n_dof - 1 == proof.n_marginal + proof.n_free_motions
    assert 0 < proof.n_free_motions < proof.n
    assert proof.curvature > 0.0
    rng = np.random.default_rng(1)
    for size in (1e-5, 1e-4, 1e-3):
        for u in size * rng.standard_normal((20, problem.n_dof)):
            assert energy(problem, end.x + u) > end.energy


def test_rectifiers_are_refused_in_one_line():
    problem, x = tanh_network("relu")
    with pytest.raises(ValueError, match="expected gaps without kinks, got SphericalNetwork with"):
        linear_minimum(problem, x)


# Errors and runs.


def test_constraints_without_curvature_are_refused_in_one_line():
    problem = Halfspaces(np.eye(2), np.ones(2))
    with pytest.raises(TypeError, match="expected constraints with curvature, got Halfspaces"):
        linear_minimum(problem, np.zeros(2))


def test_a_run_keeps_what_was_minimised_and_the_marginal_constraints():
    record = JamRun(PerceptronSystem(n=12, alpha=8.0), (0,), energy="linear").compute()
    assert (record.status, record.data["n_marginal"], record.data["n_isostatic"]) == (
        "jammed", 11, 11,
    )  # fmt: skip
    assert record.parameters["law"] == "linear"
    document = JamRun.document([record])
    assert document["n_marginal"] == 11
    assert (np.abs(record.arrays["gaps"]) < 1e-12).sum() == 11


def test_a_run_of_the_harmonic_energy_keeps_the_key_that_it_had():
    run = JamRun(PerceptronSystem(n=12), (0,))
    assert "law" not in run.parameters
    assert "energy" not in run.parameters


def test_a_packing_is_drawn_with_the_bodies_that_marginal_contacts_hold():
    record = JamRun(DiscSystem(n=24), (1,), at_load=0.87, energy="linear").compute()
    assert record.status == "jammed"
    assert int((~record.arrays["held"]).sum()) == record.data["n_frozen"]
    assert (np.abs(record.arrays["gaps"]) < 1e-12).sum() >= record.data["n"]


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (JamRun(DiscSystem(n=8), (0,), energy="cubic"), "expected an energy of harmonic or linear"),
        (JamRun(NetworkSystem(), (0,), energy="linear"), "expected a smooth activation, got relu"),
        (
            JamRun(NetworkSystem(activation="tanh", norm="free"), (0,), energy="linear"),
            "expected norm held with the linear energy, got free",
        ),
        (JamRun(DiscSystem(n=20_000), (0,), energy="linear"), "for a dense"),
        (JamRun(DiscSystem(n=8), (0,), energy="linear", exact=True), "with exact, got linear"),
        (JamRun(DiscSystem(n=8), (0,), energy="linear", spectrum=True), "with spectrum, got"),
        (JamRun(DiscSystem(n=8), (0,), energy="linear", at_transition=True), "with at_transition"),
    ],
)
def test_what_the_linear_energy_has_not_is_refused_before_the_run(run, words):
    with pytest.raises(ValueError, match=words):
        run.check_all()

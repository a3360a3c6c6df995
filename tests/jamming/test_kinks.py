"""Exact jamming points of tiny networks with kinks, against searches that know no active set."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from bridge.jamming import exact_jamming
from bridge.jamming.kinks import touching_kinks
from networks import HingeNetwork, Mlp, Patterns
from networks.models.fixed_norm import SphericalNetwork
from networks.models.symmetry import balanced

RADIUS = 2.0

# Activation, input components, width, depth, patterns, and the seed of a start.
CASES = [
    ("leaky", 1, 1, 1, 4, 0),
    ("leaky", 1, 1, 1, 4, 2),
    ("abs", 1, 1, 1, 4, 9),
    ("abs", 1, 2, 1, 5, 2),
    ("abs", 1, 2, 1, 5, 7),
    ("abs", 2, 1, 1, 5, 1),
    ("abs", 1, 1, 2, 4, 7),
    ("leaky", 1, 1, 2, 5, 117),
    ("relu", 1, 1, 1, 4, 8),
    ("hardtanh", 1, 1, 1, 4, 3),
    ("hardtanh", 1, 2, 1, 5, 7),
]
# From beside points of depth two the approach by minima may take long.
STEADY = [case for case in CASES if case[3] == 1]
KINKED = [case for case in CASES if case[-1] in (2, 117)]  # seeds whose points hold kinks


def start_of(activation, dim, width, depth, count, seed):
    rng = np.random.default_rng(seed)
    labels = np.where(np.arange(count) % 2, 1.0, -1.0)
    patterns = Patterns(rng.standard_normal((count, dim)), labels)
    free = HingeNetwork(Mlp(dim, width, depth, activation), patterns, margin=0.0)
    x = rng.standard_normal(free.n_dof)
    x = balanced(free.mlp, x) if free.mlp.sigma.homogeneous else x
    return SphericalNetwork(free, RADIUS), RADIUS * x / np.linalg.norm(x)


@cache
def jam(case):
    return exact_jamming(*start_of(*case))


# Written anew: f = W a + b, with pieces of the activation told or taken from z.

PIECES = {  # slope and offset of each straight piece, and the kinks between them
    "relu": ([(0.0, 0.0), (1.0, 0.0)], [0.0]),
    "leaky": ([(0.1, 0.0), (1.0, 0.0)], [0.0]),
    "abs": ([(-1.0, 0.0), (1.0, 0.0)], [0.0]),
    "hardtanh": ([(0.0, -1.0), (1.0, 0.0), (0.0, 1.0)], [-1.0, 1.0]),
}


class Plain:
    """The margins ``y f`` of all patterns, and preactivations, of weights on the sphere."""

    def __init__(self, problem):
        self.mlp, self.patterns = problem.free.mlp, problem.free.patterns
        pieces, self.edges = PIECES[self.mlp.activation]
        self.slopes, self.offsets = np.array(pieces).T

    def forward(self, x, pieces=None):
        """Return ``y f (P,)`` and ``z (depth, P, width)``; ``pieces`` has the shape of ``z``."""
        w = RADIUS * x / np.linalg.norm(x)
        a, found, at = self.patterns.x, [], 0
        for layer, (rows, columns) in enumerate(self.mlp.shapes):
            weights = w[at : at + rows * columns].reshape(rows, columns)
            at += rows * columns
            z = a @ weights[:, :-1].T + weights[:, -1]
            if layer == self.mlp.depth:
                return self.patterns.y * z[:, 0], np.array(found)
            found.append(z)
            chosen = np.searchsorted(self.edges, z) if pieces is None else pieces[layer]
            a = self.slopes[chosen] * z + self.offsets[chosen]
        raise AssertionError

    def pieces(self, x):
        return np.searchsorted(self.edges, self.forward(x)[1])

    def margin(self, x):
        return self.forward(x)[0].min()

    def climb(self, start, pieces, radius=np.inf):
        """Maximise the margin while all units stay on their ``pieces``, near the start."""
        low, high = np.append(-np.inf, self.edges), np.append(self.edges, np.inf)
        low, high = low[pieces].ravel(), high[pieces].ravel()
        below, above = np.isfinite(low), np.isfinite(high)

        def room(v):
            margins, z = self.forward(v[:-1], pieces)
            z = z.ravel()
            return np.concatenate(
                [margins - v[-1], (z - low)[below], (high - z)[above], [1.0 - v[:-1] @ v[:-1] / 4]]
            )

        spans = [(a - radius, a + radius) for a in start]
        found = minimize(
            lambda v: -v[-1],
            np.append(start, self.forward(start, pieces)[0].min()),
            jac=lambda v: -np.eye(len(v))[-1],
            constraints={"type": "ineq", "fun": room},
            bounds=[*spans, (None, None)],
            method="SLSQP",
            options={"ftol": 1e-13, "maxiter": 200},
        )
        return found.x[:-1]


@pytest.mark.parametrize("case", CASES)
def test_points_are_jammed_by_their_definition(case):
    point = jam(case)
    assert point.status == "jammed", point.reason
    problem, x = point.problem, point.x
    gaps = problem.gaps(x)
    assert np.abs(gaps[point.rows]).max() < 1e-12
    assert gaps.max() < 1e-12
    assert Plain(problem).margin(x) == pytest.approx(problem.free.margin, abs=1e-12)
    # Forces and masks, with J that of the branch.
    assert point.forces.min() > 0.0
    assert point.forces.sum() == pytest.approx(1.0, abs=1e-10)
    assert ((point.masks > 0.0) & (point.masks < 1.0)).all()
    assert np.abs(problem.kinks(x)[point.kinks]).max(initial=0.0) < 1e-12
    branch = problem.branch(x, point.kinks, point.masks)
    balance = branch.gap_jacobian(x, point.rows).T @ point.forces
    assert np.abs(balance).max() < 1e-10 * point.forces.mean()
    assert np.isin(problem.kink_owners()[point.kinks], point.rows).all()
    assert (branch.kink_strengths(x)[point.kinks] > 0.0).all()


@pytest.mark.parametrize("case", CASES)
def test_counts_are_those_of_the_constraints(case):
    point = jam(case)
    found = point.certificate
    assert (found.n_constraints, found.n_kinks) == (len(point.rows), len(point.kinks))
    assert found.n_self_stresses == 1
    assert found.n_free_motions == found.n + 1 - found.n_constraints - found.n_kinks
    if point.problem.free.mlp.sigma.homogeneous:  # each living unit has one rescaling
        alive = point.problem.n_dof - 1 - found.n - found.n_surface
        assert alive >= 0
        assert found.n_surface <= point.problem.free.mlp.n_hidden


@pytest.mark.parametrize("case", CASES)
def test_no_state_nearby_has_a_larger_margin(case):
    point = jam(case)
    plain, best = Plain(point.problem), point.problem.free.margin
    rng = np.random.default_rng(0)
    for length in (1e-2, 1e-4, 1e-6):
        steps = rng.standard_normal((300, len(point.x)))
        steps[:, ~point.held] = 0.0
        steps *= length / np.linalg.norm(steps, axis=1, keepdims=True)
        assert max(plain.margin(point.x + step) for step in steps) <= best + 1e-14


@pytest.mark.parametrize("case", CASES)
def test_no_piece_around_a_point_has_a_larger_margin(case):
    """Every choice of pieces at the units that are at a kink, each climbed from beside it."""
    point = jam(case)
    plain, radius = Plain(point.problem), 1e-3
    z = plain.forward(point.x)[1]
    rng = np.random.default_rng(0)
    lower = np.searchsorted(plain.edges, z - 1e-9)
    upper = np.searchsorted(plain.edges, z + 1e-9)
    near = np.argwhere(lower != upper)
    for sides in product((False, True), repeat=min(len(near), 5)):
        pieces = lower.copy()
        for place, side in zip(near, sides, strict=False):
            pieces[tuple(place)] = (upper if side else lower)[tuple(place)]
        start = point.x + 1e-5 * rng.standard_normal(len(point.x)) * point.held
        found = plain.climb(start, pieces, radius)
        assert plain.margin(found) <= point.problem.free.margin + 1e-10


@pytest.mark.parametrize("case", KINKED)
def test_only_kinks_that_hold_a_point_are_found_where_it_overlaps(case):
    """Violated alike, the active patterns do not balance, but no other kink is taken to hold."""
    point = jam(case)
    assert len(point.kinks) > 0
    tighter = point.problem.tightened(1e-3)
    held = touching_kinks(tighter, point.x)
    assert set(held.names) <= set(point.kinks)
    assert ((held.masks >= 0.0) & (held.masks <= 1.0)).all()


BEST = [("leaky", 1, 1, 1, 4, 2), ("abs", 1, 1, 1, 4, 9), ("hardtanh", 1, 1, 1, 4, 3)]


@pytest.mark.parametrize("case", BEST)
def test_the_best_of_all_pieces_is_a_certified_point(case):
    """Climbs on the pieces of many random starts; the best is where the solver ends from it."""
    problem, _ = start_of(*case)
    plain, rng = Plain(problem), np.random.default_rng(1)
    ends = []
    for _ in range(60):
        x = rng.standard_normal(problem.n_dof)
        x *= RADIUS / np.linalg.norm(x)
        for _ in range(4):  # from one piece to the next
            x = plain.climb(x, plain.pieces(x))
        ends.append(x)
    best = max(ends, key=plain.margin)
    point = exact_jamming(problem, best)
    assert point.status == "jammed", point.reason
    assert point.problem.free.margin == pytest.approx(plain.margin(best), abs=1e-6)
    assert plain.margin(jam(case).x) <= point.problem.free.margin + 1e-9


@settings(deadline=None, max_examples=3)
@given(st.sampled_from(STEADY), st.integers(0, 2**32 - 1))
def test_other_names_of_a_start_reach_the_same_margin(case, seed):
    """Permutations, rescalings and sign flips of a start beside the point, at a lower margin."""
    point = jam(case)
    problem = point.problem.free.tightened(-1e-3)
    for _, other in problem.equivalents(point.x, np.random.default_rng(seed)):
        same = balanced(problem.mlp, other) if problem.mlp.sigma.homogeneous else other
        again = exact_jamming(SphericalNetwork(problem, RADIUS), same)
        assert again.status == "jammed", again.reason
        assert again.problem.free.margin == pytest.approx(point.problem.free.margin, abs=1e-11)
        counts = again.certificate.n_constraints, again.certificate.n_kinks
        assert counts == (point.certificate.n_constraints, point.certificate.n_kinks)

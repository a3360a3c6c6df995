"""Minima of the linear hinge: by hand, counts at any load, networks, and the runs of jam."""

import numpy as np
import pytest

from bridge import check_landscape, linear_minimum, observe
from bridge.descent.newton import Newton
from bridge.descent.softened import Softened
from bridge.protocols import HasMarginal
from bridge.runs.kinds.jam import JamRun
from bridge.systems import DiscSystem, NetworkSystem, PerceptronSystem
from networks import HingeNetwork, Mlp, SphericalNetwork, random_patterns
from particles import Discs, Perceptron, descend, minimise

from linear_problems import KINDS, FlatHalfspaces, energy, small
from problems import Halfspaces


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

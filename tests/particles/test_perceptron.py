"""The spherical perceptron: the law, its symmetries, and where its descents end."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from particles import Perceptron, descend

from perceptron_strategies import perceptrons

modest = settings(deadline=None, max_examples=25)


def central(f, x, h=1e-6):
    """Return the derivative of ``f`` along every component, last axis."""
    steps = h * np.eye(len(x))
    return np.stack([(f(x + e) - f(x - e)) / (2 * h) for e in steps], axis=-1)


@modest
@given(perceptrons())
def test_energy_is_half_the_sum_of_squared_overlaps(state):
    problem, x = state
    overlaps = np.maximum(problem.gaps(x), 0.0)
    energy, gradient = problem.energy_gradient(x)
    assert energy == pytest.approx(0.5 * overlaps @ overlaps, rel=1e-12)
    np.testing.assert_allclose(gradient, problem.gap_jacobian(x).T @ overlaps, atol=1e-12)


@modest
@given(perceptrons())
def test_gaps_on_the_sphere_are_sigma_minus_the_projection(state):
    problem, x = state
    x = problem.on_sphere(x)
    expected = problem.sigma - problem.patterns @ x / np.sqrt(problem.n_dof)
    np.testing.assert_allclose(problem.gaps(x), expected, atol=1e-12)


@modest
@given(perceptrons())
def test_derivatives_agree_with_central_differences(state):
    problem, x = state
    scale = np.linalg.norm(x)
    jacobian = central(problem.gaps, x, h=1e-6 * scale)
    np.testing.assert_allclose(problem.gap_jacobian(x) * scale, jacobian * scale, atol=1e-7)
    gradient = central(lambda y: problem.energy_gradient(y)[0], x, h=1e-6 * scale)
    size = 1.0 + problem.energy_gradient(x)[0]
    np.testing.assert_allclose(
        problem.energy_gradient(x)[1] * scale, gradient * scale, atol=1e-7 * size
    )


def test_hvp_is_the_derivative_of_the_gradient(rng):
    problem = Perceptron.random(12, 3.0, -0.3, rng)
    x = 1.7 * problem.random_state(rng)
    hessian = problem.hvp(x, np.eye(12))
    difference = central(lambda y: problem.energy_gradient(y)[1], x)
    np.testing.assert_allclose(hessian, difference, atol=1e-7)
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-13)
    v = rng.standard_normal((3, 12))
    np.testing.assert_allclose(problem.hvp(x, v), v @ hessian, atol=1e-12)
    np.testing.assert_allclose(problem.hvp(x, v[0]), v[0] @ hessian, atol=1e-12)


def test_tangent_block_is_the_riemannian_hessian(rng):
    # On the sphere: (1/N) Σ_viol ξξᵀ - ζ with ζ = (1/N) Σ h(h + σ), h = -Δ, in the tangent space.
    problem = Perceptron.random(30, 3.0, -0.3, rng)
    x = problem.random_state(rng)
    gaps = problem.gaps(x)
    h = -gaps[gaps > 0]
    violated = problem.patterns[gaps > 0]
    tangent = np.linalg.qr(np.column_stack([x, np.eye(30)[:, :29]]))[0][:, 1:]
    riemannian = violated.T @ violated / 30 - np.eye(30) * (h @ (h + problem.sigma)) / 30
    hessian = problem.hvp(x, np.eye(30))
    np.testing.assert_allclose(
        tangent.T @ hessian @ tangent, tangent.T @ riemannian @ tangent, atol=1e-12
    )


@modest
@given(perceptrons(), st.floats(1e-3, 1e3))
def test_the_length_of_x_is_a_symmetry(state, c):
    problem, x = state
    np.testing.assert_allclose(problem.gaps(c * x), problem.gaps(x), atol=1e-12)
    gradient = problem.energy_gradient(x)[1]
    radial = problem.zero_modes(x)
    assert radial.shape == (1, problem.n_dof)
    assert np.linalg.norm(radial) == pytest.approx(1.0, abs=1e-14)
    assert abs(radial[0] @ gradient) <= 1e-12 * (1.0 + np.linalg.norm(gradient))


@modest
@given(perceptrons(), st.floats(-1, 1))
def test_the_load_is_added_to_the_margin(state, t):
    problem, x = state
    expected = problem.gaps(x) + t * problem.tightening(x)
    np.testing.assert_allclose(problem.tightened(t).gaps(x), expected, atol=1e-14)


def test_equivalents_have_the_same_gaps(rng):
    problem = Perceptron.random(20, 2.0, 0.1, rng)
    x = problem.random_state(rng)
    for _, y in problem.equivalents(x, rng):
        np.testing.assert_allclose(problem.gaps(y), problem.gaps(x), atol=1e-13)


def test_inputs_are_not_changed_and_seeds_repeat():
    first, second = (
        Perceptron.random(15, 2.0, 0.2, np.random.default_rng(5)).patterns for _ in range(2)
    )
    assert np.array_equal(first, second)
    problem = Perceptron(first, 0.2)
    x = np.arange(1.0, 16.0)
    problem.energy_gradient(x)
    problem.hvp(x, x)
    descend(problem, x)
    assert np.array_equal(x, np.arange(1.0, 16.0))


@pytest.mark.parametrize("sigma", [-0.5, 0.0, 0.5])
def test_a_descent_ends_where_it_says(sigma, rng):
    easy = Perceptron.random(60, 0.2, sigma, rng)
    minimum = descend(easy, easy.random_state(rng))
    assert minimum.status == "unjammed"
    assert easy.gaps(minimum.x).max() <= 0.0
    hard = Perceptron.random(60, 8.0, sigma, rng)
    minimum = descend(hard, hard.random_state(rng))
    assert minimum.status == "jammed"
    pressure = np.maximum(hard.gaps(minimum.x), 0.0).sum() / 59
    assert minimum.max_force < 1e-12 * pressure + 1e-14
    assert np.linalg.norm(minimum.x) == pytest.approx(np.sqrt(60), rel=1e-14)
    curvatures = np.linalg.eigvalsh(hard.hvp(minimum.x, np.eye(60)))
    assert curvatures[0] > -1e-12


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.floats(0.5, 8.0), st.floats(-1.5, 1.0))
def test_whatever_is_called_jammed_is_a_minimum(seed, n, alpha, sigma):
    rng = np.random.default_rng(seed)
    problem = Perceptron.random(n, alpha, sigma, rng)
    end = descend(problem, problem.random_state(rng))
    assert end.status in {"jammed", "unjammed"}
    if end.status == "jammed":
        scale = 1.0 + end.energy
        assert np.linalg.eigvalsh(problem.hvp(end.x, np.eye(n)))[0] > -1e-11 * scale


def test_the_point_opposite_to_a_pattern_is_left():
    """There the gradient vanishes, and the energy is at its maximum."""
    problem = Perceptron(np.array([[1.0, 0.0, 0.0]]), sigma=-0.5)
    start = np.array([-1.0, 0.0, 0.0])
    assert problem.energy_gradient(start)[0] == pytest.approx(0.125)
    assert np.abs(problem.energy_gradient(start)[1]).max() == 0.0
    assert descend(problem, start).status == "unjammed"


def test_a_margin_out_of_reach_is_jammed_at_the_pattern():
    problem = Perceptron(np.array([[1.0, 0.0, 0.0]]), sigma=2.0)
    end = descend(problem, np.array([-1.0, 0.0, 0.0]))
    assert (end.status, end.reason) == ("jammed", "")
    assert end.energy == pytest.approx(0.5)
    np.testing.assert_allclose(end.x, [np.sqrt(3.0), 0.0, 0.0], atol=1e-9)


def test_the_convex_minimum_does_not_depend_on_the_start(rng):
    problem = Perceptron.random(60, 3.0, 0.5, rng)
    ends = [descend(problem, problem.random_state(rng)).x for _ in range(3)]
    np.testing.assert_allclose(ends[1], ends[0], atol=1e-10)
    np.testing.assert_allclose(ends[2], ends[0], atol=1e-10)


def test_too_few_steps_are_a_stall(rng):
    problem = Perceptron.random(60, 8.0, -0.5, rng)
    minimum = descend(problem, problem.random_state(rng), max_steps=3)
    assert minimum.status == "stalled"
    assert minimum.steps == 3
    assert minimum.reason.endswith("after 3 steps")


def test_the_transition_by_descent_at_margin_minus_half():
    # Half of the descents end unjammed at α = 4.4 ± 0.3 for N = 200.
    def unjammed(alpha):
        ends = []
        for seed in range(8):
            rng = np.random.default_rng((seed, 200))
            problem = Perceptron.random(200, alpha, -0.5, rng)
            ends.append(descend(problem, problem.random_state(rng)).status)
        assert set(ends) <= {"jammed", "unjammed"}
        return ends.count("unjammed")

    assert unjammed(4.1) > 4
    assert unjammed(5.0) < 4


@pytest.mark.parametrize(
    ("patterns", "sigma", "message"),
    [
        (np.ones(3), 0.0, "shape"),
        (np.ones((0, 3)), 0.0, "shape"),
        (np.full((2, 2), np.nan), 0.0, "finite patterns"),
        (np.ones((2, 2)), np.inf, "finite margin"),
    ],
)
def test_bad_problems_are_one_line(patterns, sigma, message):
    with pytest.raises(ValueError, match=message) as error:
        Perceptron(patterns, sigma)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros(4), "finite x != 0"),
        (np.full(4, np.nan), "finite x != 0"),
        (np.array([1, 2, 3, np.inf]), "finite x != 0"),
        (np.ones(5), r"x of shape \(4,\), got \(5,\)"),
    ],
)
def test_bad_states_are_one_line(x, message):
    problem = Perceptron(np.eye(4), 0.1)
    for call in (problem.gaps, problem.energy_gradient, problem.zero_modes):
        with pytest.raises(ValueError, match=message):
            call(x)


def test_too_small_a_perceptron_is_refused():
    with pytest.raises(ValueError, match="n >= 2, got 1"):
        Perceptron.random(1, 2.0, 0.0, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"alpha \* n >= 1, got n=4, alpha=0.1"):
        Perceptron.random(4, 0.1, 0.0, np.random.default_rng(0))


@pytest.fixture
def rng():
    return np.random.default_rng(20240607)

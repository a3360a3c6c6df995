"""The classifier and the regression: derivatives, symmetries, theorems on their minima."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import check_landscape, hessian
from bridge.landscape.eigenvector_following import follow
from bridge.landscape.quench import quench
from bridge.landscape.stationary_points import StationaryPoint, certify_point, model
from bridge.systems.quench_outcomes import quench_outcomes
from networks.data.outcomes import Outcomes, digit_outcomes, read_outcomes
from networks.models.classifier import Classifier
from networks.models.regression import Regression
from networks.models.scores import accuracy, area_under_curve

seeds = st.integers(0, 2**32 - 1)


def outcomes(rng, p=60, d=3, c=4):
    """Classes that the patterns tell something about."""
    x = rng.standard_normal((p, d))
    label = (x @ rng.standard_normal((d, c)) + 0.7 * rng.standard_normal((p, c))).argmax(axis=1)
    return Outcomes(x, label.astype(np.intp), c)


@st.composite
def classifiers(draw):
    rng = np.random.default_rng(draw(seeds))
    # More patterns than inputs and a threshold: with fewer, their weights have symmetries as well.
    data = outcomes(rng, draw(st.integers(8, 40)), draw(st.integers(1, 4)), draw(st.integers(2, 4)))
    net = Classifier(data, draw(st.integers(1, 4)), draw(st.sampled_from([0.0, 1e-3, 0.1])))
    return net, net.random_state(rng), rng


@settings(deadline=None, max_examples=40)
@given(classifiers())
def test_classifiers_keep_every_promise(system):
    check_landscape(*system)


@settings(deadline=None, max_examples=30)
@given(classifiers())
def test_the_dense_hessian_is_that_of_the_products(system):
    net, x, _ = system
    rows = np.array([net.hvp(x, row) for row in np.eye(net.n_dof)])
    assert net.hessian(x) == pytest.approx(rows, abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(classifiers())
def test_the_bias_shift_has_eigenvalue_two_lambda(system):
    net, x, _ = system
    shift = np.zeros(net.n_dof)
    net.layers(shift)[1][:, -1] = 1.0
    assert net.hvp(x, shift) == pytest.approx(2 * net.l2 * shift, abs=1e-13)
    for mode in net.harmonic_modes(x):
        assert net.hvp(x, mode) == pytest.approx(2 * net.l2 * mode, abs=1e-13)


def test_the_energy_is_the_cross_entropy():
    rng = np.random.default_rng(0)
    data = outcomes(rng)
    net = Classifier(data, 3, 0.01)
    x = net.random_state(rng)
    p = net.outputs(x, data)
    assert p.sum(axis=1) == pytest.approx(1.0)
    expected = -np.log(p[np.arange(len(data)), data.label]).mean() + 0.01 * x @ x
    assert net.energy_gradient(x)[0] == pytest.approx(expected, rel=1e-13)


@settings(deadline=None, max_examples=30)
@given(classifiers())
def test_images_are_one_state_and_alignment_finds_them(system):
    net, x, rng = system
    for _, image in net.equivalents(x, rng):
        assert net.same(image, x, 1e-9)
        assert net.aligned(image, x) == pytest.approx(x)
        assert net.fingerprint(image) == pytest.approx(net.fingerprint(x))
    other = net.random_state(rng)
    assert not net.same(other, x, 1e-6)
    assert np.linalg.norm(net.aligned(other, x) - x) <= np.linalg.norm(other - x) + 1e-12


def test_stabilisers_of_silent_and_equal_units():
    net = Classifier(outcomes(np.random.default_rng(0)), 4)
    x = net.random_state(np.random.default_rng(1))
    assert net.stabiliser_order(x) == 1
    units, bias = net._units(x)
    units[1] = -units[0]
    assert net.stabiliser_order(net._assembled(units, bias)) == 2
    units[2:] = 0.0
    assert net.stabiliser_order(net._assembled(units, bias)) == 2 * (2 * 2**2)
    assert net.log_group_order == pytest.approx(math.log(2**4 * math.factorial(4)))


def a_minimum(net, rng):
    found = quench(net, net.random_state(rng), net, rough=True, max_step=0.5)
    assert isinstance(found, StationaryPoint), found
    return found


@pytest.mark.parametrize("l2", [1e-2, 1e-3])
def test_a_stationary_point_stays_one_with_a_silent_unit_more(l2):
    """And its Hessian keeps its eigenvalues: the block of the new unit is separate."""
    rng = np.random.default_rng(3)
    net = Classifier(outcomes(rng, 80), 2, l2)
    found = a_minimum(net, rng)
    wider, x = net.widened(found.x)
    energy, gradient = wider.energy_gradient(x)
    assert energy == pytest.approx(found.energy, rel=1e-13)
    assert np.abs(gradient).max() < 1e-9
    narrow = np.linalg.eigvalsh(net.hessian(found.x))
    wide = np.linalg.eigvalsh(wider.hessian(x))
    assert all(np.abs(wide - value).min() < 1e-9 for value in narrow)
    below = a_minimum_near(wider, x, rng)
    assert below.energy <= found.energy + 1e-12


@settings(deadline=None, max_examples=20)
@given(classifiers(), st.integers(0, 3))
def test_a_split_unit_sees_the_gradient_that_it_saw(system, unit):
    """Its incoming weights half of it each, its outgoing ones all of it."""
    net, x, _ = system
    bare = Classifier(net.data, net.hidden, 0.0)
    unit %= net.hidden
    wider, state = bare.split(x, unit)
    (energy, gradient), (same, after) = bare.energy_gradient(x), wider.energy_gradient(state)
    assert same == pytest.approx(energy, rel=1e-12)
    (g2, g1), (a2, a1) = bare.layers(gradient), wider.layers(after)
    for copy in (unit, net.hidden):
        assert a2[copy] == pytest.approx(0.5 * g2[unit], abs=1e-13)
        assert a1[:, copy] == pytest.approx(g1[:, unit], abs=1e-13)
    others = np.delete(np.arange(net.hidden), unit)
    assert a2[others] == pytest.approx(g2[others], abs=1e-13)
    assert a1[:, -1] == pytest.approx(g1[:, -1], abs=1e-13)


def a_minimum_near(net, x, rng):
    found = quench(net, x + 1e-3 * rng.standard_normal(x.size), net)
    assert isinstance(found, StationaryPoint), found
    return found


def test_more_decay_leaves_fewer_minima():
    """At a strong enough decay a single minimum is left, with every unit silent."""
    rng = np.random.default_rng(4)
    data = outcomes(rng, 80)
    counts = []
    for l2 in (1e-3, 0.5):
        net = Classifier(data, 3, l2)
        energies = [a_minimum(net, rng).energy for _ in range(12)]
        counts.append(len(set(np.round(energies, 9))))
    assert counts[1] == 1 <= counts[0]
    silent = a_minimum(Classifier(data, 3, 0.5), rng)
    assert np.abs(silent.x[:12]).max() < 1e-8
    assert silent.order == 2**3 * 6


def test_climbing_leaves_the_parabolas_alone():
    rng = np.random.default_rng(5)
    net = Classifier(outcomes(rng, 80), 2, 1e-3)
    found = a_minimum(net, rng)
    here = model(net, found.x)
    assert len(here.climbable) == net.n_dof - 3  # two columns of weights and the biases
    assert here.values[:3] == pytest.approx(2e-3, abs=1e-12)
    assert here.climbable.min() == 3
    ends = [follow(net, found.x + 0.5 * rng.standard_normal(net.n_dof), max_step=1.0, max_steps=400)
            for _ in range(8)]  # fmt: skip
    assert any(isinstance(certify_point(walk.end, 1), StationaryPoint) for walk in ends)


def test_the_shift_is_a_zero_mode_without_decay():
    net = Classifier(outcomes(np.random.default_rng(6)), 2, 0.0)
    x = net.random_state(np.random.default_rng(6))
    assert net.zero_modes(x).shape == (3, net.n_dof)
    assert net.harmonic_modes(x).shape == (0, net.n_dof)
    assert np.abs(hessian(net, x) @ net.zero_modes(x).T).max() < 1e-12


# Data.


def test_outcomes_of_ljat3_are_those_of_its_symmetry():
    """The three lines are one shape: their shares agree within four standard errors."""
    data = quench_outcomes(240, np.random.default_rng(0))
    counts = np.bincount(data.label, minlength=4)
    assert counts.sum() == 240
    assert (counts > 0).all()
    lines = counts[1:]
    assert np.abs(lines - lines.mean()).max() < 4 * np.sqrt(lines.mean())
    # The atom that starts between the others tends to end there.
    middle = 3 - data.x.argmax(axis=1)
    assert (middle == data.label)[data.label > 0].mean() > 0.5


def test_later_points_of_the_same_quenches_are_nearer_to_their_ends():
    """At the end of each the three distances are those of a triangle, or of a line, as it says."""
    start = quench_outcomes(40, np.random.default_rng(3))
    way = quench_outcomes(40, np.random.default_rng(3), at=(0, 5, 2000))
    assert (way.label == start.label).all()
    assert (way.x[:, :3] == start.x).all()
    first, later, end = way.x.reshape(40, 3, 3).swapaxes(0, 1)
    assert np.abs(later - end).mean() < 0.7 * np.abs(first - end).mean()
    triangle = np.ptp(end, axis=1) < 0.01
    assert (triangle == (way.label == 0)).all()
    assert (3 - end.argmax(axis=1) == way.label)[~triangle].all()


def test_areas_and_accuracies():
    data = Outcomes(np.zeros((4, 1)), np.array([0, 0, 1, 1]), 2)
    perfect = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    assert area_under_curve(perfect, data) == 1.0
    assert area_under_curve(1 - perfect, data) == 0.0
    assert area_under_curve(np.full((4, 2), 0.5), data) == 0.5
    one_wrong = perfect[[0, 3, 2, 1]]
    assert area_under_curve(one_wrong, data) == pytest.approx(0.75)
    assert accuracy(one_wrong, data) == 0.5


def test_digits_and_files(tmp_path):
    data = digit_outcomes(5)
    assert (data.dim, data.n_classes) == (5, 10)
    (tmp_path / "a.csv").write_text("x,y,class\n1,2,7\n3,4,9\n5,6,7\n0,0,9\n")
    found = read_outcomes(tmp_path / "a.csv")
    assert found.label.tolist() == [0, 1, 0, 1]
    (tmp_path / "b.csv").write_text("1,2,7\n3,4,7\n")
    with pytest.raises(ValueError, match="a few classes"):
        read_outcomes(tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("x", "label", "classes"),
    [
        (np.ones(3), np.zeros(3, int), 2),
        (np.ones((3, 1)), np.zeros(2, int), 2),
        (np.full((2, 1), np.nan), np.zeros(2, int), 2),
        (np.ones((2, 1)), np.array([0, 5]), 2),
    ],
)
def test_wrong_outcomes_are_refused(x, label, classes):
    with pytest.raises(ValueError, match="expected"):
        Outcomes(x, label, classes)


@pytest.mark.parametrize(("hidden", "l2"), [(0, 0.1), (2.5, 0.1), (2, -1.0), (2, np.nan)])
def test_wrong_classifiers_are_refused(hidden, l2):
    with pytest.raises(ValueError, match="expected"):
        Classifier(outcomes(np.random.default_rng(0)), hidden, l2)


# Regression.


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_the_regression_keeps_every_promise(seed):
    rng = np.random.default_rng(seed)
    problem = Regression.random(0.02, 100, rng)
    x = problem.random_state(rng)
    check_landscape(problem, x, rng)
    for _, image in problem.equivalents(x, rng):
        assert problem.same(image, x, 1e-9)
        assert problem.aligned(image, x) == pytest.approx(x, abs=1e-9)


def test_the_true_parameters_are_recovered():
    problem = Regression.random(0.02, 100, np.random.default_rng(0))
    found = quench(problem, np.array([0.12, 2.1, 0.05, 1.3, -0.05]), problem, max_step=0.02)
    assert isinstance(found, StationaryPoint)
    assert found.x == pytest.approx([0.1, 2.13, 0.0, 1.34, 0.0], abs=0.05)
    # n - 5 degrees of freedom of the noise
    assert found.energy == pytest.approx(0.02**2 * 95 / 100, rel=0.35)

"""Networks: data as stated, statuses that mean what they say, and what is known of the Hessian."""

import gzip

import numpy as np
import pytest

from bridge import hessian, observe, spectrum
from bridge.measure.spectra import stiffness
from networks import HingeNetwork, Mlp, Patterns, digits, mnist, random_patterns, train
from networks.data.patterns import read_idx, read_patterns


def a_network(width, depth, load, seed, activation="relu"):
    rng = np.random.default_rng(seed)
    mlp = Mlp(width, width, depth, activation)
    problem = HingeNetwork(mlp, random_patterns(round(load * mlp.n_weights), width, rng))
    return problem, mlp.init(rng)


def test_random_patterns_are_balanced_on_the_sphere():
    patterns = random_patterns(100, 7, np.random.default_rng(0))
    assert (patterns.x**2).sum(axis=1) == pytest.approx(np.full(100, 7.0))
    assert patterns.y.sum() == 0


def test_digits_are_labelled_by_parity_and_whitened():
    patterns = digits(10)
    assert len(patterns) == 1782
    assert patterns.y.sum() == 0
    assert (patterns.x**2).sum(axis=1) == pytest.approx(np.full(1782, 10.0))
    few = digits(10, 200, np.random.default_rng(1))
    assert len(few) == 200
    assert few.y.sum() == 0


def idx(array):
    head = b"\0\0\x08" + bytes([array.ndim])
    return head + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


@pytest.mark.parametrize("zipped", [False, True])
def test_mnist_is_read_from_idx_files(tmp_path, zipped):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 5, 5), dtype=np.uint8)
    labels = np.arange(40, dtype=np.uint8) % 10
    for name, array in (("images-idx3", images), ("labels-idx1", labels)):
        path = tmp_path / f"train-{name}-ubyte{'.gz' if zipped else ''}"
        path.write_bytes(gzip.compress(idx(array)) if zipped else idx(array))
        assert np.array_equal(read_idx(path), array)
    patterns = mnist(tmp_path, 4, 30, rng)
    assert patterns.x.shape == (30, 4)


def test_a_users_own_files(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)), np.repeat([5.0, 9.0], 6)
    np.savez(tmp_path / "a.npz", x=x, y=y)
    np.savetxt(tmp_path / "a.csv", np.column_stack([x, y]), delimiter=",", header="a,b,c,label")
    one, two = read_patterns(tmp_path / "a.npz"), read_patterns(tmp_path / "a.csv")
    assert one.x == pytest.approx(two.x)
    assert one.y.tolist() == [-1.0] * 6 + [1.0] * 6


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="both labels"):
        Patterns(np.ones((3, 2)), np.ones(3))


def test_the_output_is_that_of_plain_layers():
    """Two hidden layers by hand, against the hand-written passes."""
    problem, w = a_network(3, 2, 2.0, seed=4)
    w = w + 0.1 * np.random.default_rng(0).normal(size=w.size)
    first, second, last = (
        w[s].reshape(shape) for s, shape in zip(problem.mlp.slices, problem.mlp.shapes, strict=True)
    )
    a = problem.patterns.x
    for layer in (first, second):
        a = np.maximum(a @ layer[:, :-1].T + layer[:, -1], 0)
    f = a @ last[0, :-1] + last[0, -1]
    assert problem.gaps(w) == pytest.approx(1 - problem.patterns.y * f)


def test_few_patterns_are_fitted_and_many_are_not():
    easy, start = a_network(8, 2, 0.8, seed=1)
    fitted = train(easy, start, steps=4000)
    assert (fitted.status, fitted.reason) == ("unjammed", "")
    assert fitted.energy < 1e-14
    hard, start = a_network(8, 2, 6.0, seed=1)
    stuck = train(hard, start, steps=4000)
    assert stuck.status == "jammed"
    assert stuck.max_residual < 1e-8
    assert observe(hard, stuck.x).constraint_ratio > 0.4


def test_the_same_start_gives_the_same_bits():
    problem, start = a_network(6, 2, 3.0, seed=2)
    one, two = (train(problem, start, steps=500, newton_steps=5) for _ in range(2))
    assert np.array_equal(one.x, two.x)


@pytest.mark.parametrize("silent", [0, 1])
def test_a_network_with_a_dead_layer_is_not_jammed(silent):
    """Nor if the layers above it are alive: their units see zeros, and fire by their biases."""
    problem, start = a_network(6, 2, 2.0, seed=3)
    where = problem.mlp.slices[silent]
    layer = start[where].reshape(problem.mlp.shapes[silent]).copy()
    layer[:, -1] = -100.0  # no pattern reaches any unit of this layer
    start[where] = layer.ravel()
    if silent == 0:
        start[problem.mlp.slices[1]][6::7] = 1.0  # the biases of the layer above
    found = train(problem, start, steps=2000)
    assert found.status == "dead"
    assert "some layer has no active unit" in found.reason
    assert len(problem.frozen(found.x)) >= 6


def test_without_steps_the_polish_alone_ends_in_the_state_next_to_it():
    problem, start = a_network(4, 1, 12.0, seed=0, activation="tanh")
    found = train(problem, start, steps=0)
    assert (found.status, found.steps) == ("jammed", 0)
    assert found.radius == pytest.approx(np.linalg.norm(start))


def test_what_is_not_polished_is_not_called_jammed():
    problem, start = a_network(8, 2, 6.0, seed=1)
    found = train(problem, start, steps=4000, newton_steps=0)
    assert (found.status, found.radius) == ("stalled", None)
    assert found.reason.startswith("not polished")


def test_a_smooth_network_is_certified():
    """Above its transition a tanh network of one layer ends at a minimum to rounding."""
    problem, start = a_network(4, 1, 12.0, seed=0, activation="tanh")
    found = train(problem, start, steps=4000, hold_norm=False)
    assert (found.status, found.radius) == ("jammed", None)
    assert found.max_residual < 1e-8
    values = spectrum(problem, found.x)
    assert values.negative_modes == 0
    assert values.bound_holds


@pytest.mark.parametrize(("depth", "seed"), [(1, 0), (2, 1), (3, 2)])
def test_the_prestress_of_a_relu_network_is_traceless(depth, seed):
    """Each parameter enters ``f`` linearly, so that ``∂²Δ/∂w_i² = 0`` (Geiger et al. 2019)."""
    problem, start = a_network(7, depth, 4.0, seed)
    prestress = hessian(problem, start) - stiffness(problem, start)
    assert abs(np.trace(prestress)) < 1e-10 * np.abs(prestress).sum()


@pytest.mark.parametrize("depth", [2, 3])
def test_about_half_of_the_modes_of_the_prestress_are_negative(depth):
    problem, start = a_network(10, depth, 3.0, seed=depth)
    prestress = hessian(problem, start) - stiffness(problem, start)
    values = np.linalg.eigvalsh(prestress)
    negative = (values < -1e-9 * np.abs(values).max()).sum()
    assert 0.44 < negative / problem.n_dof < 0.52


def test_one_hidden_layer_has_as_many_negative_modes_as_units():
    problem, start = a_network(9, 1, 6.0, seed=5)
    found = train(problem, start, steps=2000, newton_steps=0)
    prestress = hessian(problem, found.x) - stiffness(problem, found.x)
    values = np.linalg.eigvalsh(prestress)
    alive = 9 - len(problem.frozen(found.x))
    assert (values < -1e-9 * np.abs(values).max()).sum() == alive

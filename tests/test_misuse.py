"""What a researcher passes by mistake from Python: one line, what was expected, got, and to do."""

import re

import numpy as np
import pytest

from networks import (
    HingeNetwork,
    Mlp,
    Patterns,
    SphericalNetwork,
    from_module,
    generalise,
    random_patterns,
    settle,
    train,
    train_all,
)
from networks.data.outcomes import Outcomes
from networks.data.patterns import digits
from networks.models.classifier import Classifier
from networks.models.regression import Regression
from particles import (
    Discs,
    Ellipses,
    Perceptron,
    compress,
    decompress,
    descend,
    ensemble,
    minimise,
    moduli,
    plot,
    relax,
    stress_tensor,
    write_xyz,
)
from particles.landscapes.clusters import LennardJones
from particles.landscapes.muller_brown import MullerBrown
from particles.landscapes.spin_glass import SphericalSpinGlass

RNG = np.random.default_rng(0)
DISCS = Discs.bidisperse(8, 0.9)
X = DISCS.random_state(RNG)
GLASS = Perceptron.random(6, 2.0, 0.1, RNG)
MLP = Mlp(4, 3, 1)
PATTERNS = random_patterns(10, 4, RNG)
NET = HingeNetwork(MLP, PATTERNS)
W = MLP.init(RNG)
END = minimise(DISCS, X)
WITH_NAN = np.where(np.arange(X.size) == 3, np.nan, X)
GENERATOR = "a numpy.random.Generator as rng"
PACKING = "a Packing as problem"
NETWORK = "a HingeNetwork as problem"

# What is called, what it raises, what it expected, and what it got.
SEED = {
    "discs": lambda: DISCS.random_state(7),
    "minimise": lambda: minimise(DISCS, X, rng=7),
    "decompress": lambda: decompress(DISCS, X, rng=7),
    "perceptron": lambda: GLASS.random_state(7),
    "random perceptron": lambda: Perceptron.random(6, 2.0, 0.1, 7),
    "cluster": lambda: LennardJones(4).random_state(7),
    "surface": lambda: MullerBrown().random_state(7),
    "random spin glass": lambda: SphericalSpinGlass.random(4, 3, 7),
    "spin glass": lambda: SphericalSpinGlass(np.ones((4, 4))).random_state(7),
    "weights": lambda: MLP.init(7),
    "patterns": lambda: random_patterns(10, 4, 7),
    "digits": lambda: digits(4, 10, 7),
    "train": lambda: train(NET, W, rng=7),
    "generalise": lambda: generalise(MLP, PATTERNS, PATTERNS, PATTERNS, [7]),
    "classifier": lambda: Classifier(Outcomes(np.eye(2), np.arange(2), 2), 2).random_state(7),
    "regression": lambda: Regression.random(0.1, 9, 7),
}
NO_PACKING = {
    "minimise": lambda: minimise(NET, W),
    "relax": lambda: relax(NET, W),
    "decompress": lambda: decompress(NET, W),
    "compress": lambda: compress(NET, W, [0.9]),
    "ensemble": lambda: ensemble(NET, range(2)),
    "plot": lambda: plot(NET, W),
    "stress": lambda: stress_tensor(NET, W),
    "moduli": lambda: moduli(NET, W),
    "file": lambda: write_xyz("nowhere.xyz", NET, W),
}
OTHERS = {
    "packing to train": (lambda: train(DISCS, X), TypeError, NETWORK, "a Discs"),
    "packing to train_all": (lambda: list(train_all([DISCS], [X])), TypeError, NETWORK, "a Discs"),
    "perceptron to train": (lambda: train(GLASS, np.ones(6)), TypeError, NETWORK, "a Perceptron"),
    "network to settle": (
        lambda: settle(NET, W), TypeError, "a SphericalNetwork as problem", "a HingeNetwork",
    ),
    "packing to descend": (
        lambda: descend(DISCS, X), TypeError, "a Perceptron as problem", "a Discs",
    ),
    "packing on a sphere": (
        lambda: SphericalNetwork(DISCS, 1.0), TypeError, "a HingeNetwork as free", "a Discs",
    ),
    "class of discs": (lambda: minimise(Discs, X), TypeError, PACKING, "the class Discs"),
    "class of networks": (
        lambda: train(HingeNetwork, W), TypeError, NETWORK, "the class HingeNetwork",
    ),
    "class of shapes": (
        lambda: HingeNetwork(Mlp, PATTERNS), TypeError, "a Mlp as mlp", "the class Mlp",
    ),
    "arrays as patterns": (
        lambda: HingeNetwork(MLP, np.ones((10, 4))),
        TypeError, "a Patterns as patterns", "an array of float64, (10, 4)",
    ),
    "tuple as patterns": (
        lambda: HingeNetwork(MLP, (PATTERNS.x, PATTERNS.y)),
        TypeError, "a Patterns as patterns", "a tuple",
    ),
    "arrays as outcomes": (
        lambda: Classifier(np.ones((4, 2)), 2),
        TypeError, "an Outcomes as data", "an array of float64, (4, 2)",
    ),
    "array as module": (
        lambda: from_module(np.ones(3), np.eye(2), [1, -1]),
        TypeError, "a Module as module", "an array of float64, (3,)",
    ),
    "string as pressure": (
        lambda: decompress(DISCS, X, "1e-6"), TypeError, "a number as pressure", "'1e-6'",
    ),
    "string as phi": (lambda: Discs.bidisperse(8, "0.9"), TypeError, "a number as phi", "'0.9'"),
    "string as n": (lambda: Discs.bidisperse("8", 0.9), TypeError, "a number as n", "'8'"),
    "string as aspect": (
        lambda: Ellipses.bidisperse(8, 0.9, "2"), TypeError, "a number as aspect", "'2'",
    ),
    "string as tolerance": (
        lambda: minimise(DISCS, X, relative="1e-5"), TypeError, "a number as relative", "'1e-5'",
    ),
    "string as sigma": (
        lambda: Perceptron(np.eye(3), "0"), TypeError, "a number as sigma", "'0'",
    ),
    "string as margin": (
        lambda: HingeNetwork(MLP, PATTERNS, "1"), TypeError, "a number as margin", "'1'",
    ),
    "string as width": (lambda: Mlp(4, "3", 1), TypeError, "a number as width", "'3'"),
    "function as activation": (
        lambda: Mlp(4, 3, 1, np.tanh), ValueError, "an activation among .*", "a ufunc",
    ),
    "one number as phis": (lambda: compress(DISCS, X, 0.9), TypeError, "several phis", "0.9"),
    "one number as seeds": (lambda: ensemble(DISCS, 3), TypeError, "several seeds", "3"),
    "None as x of a packing": (lambda: minimise(DISCS, None), TypeError, "real .* as x", "None"),
    "None as x of a network": (lambda: train(NET, None), TypeError, "real .* as x", "None"),
    "None as x of gaps": (lambda: NET.gaps(None), TypeError, "real .* as x", "None"),
    "None as x of a perceptron": (lambda: descend(GLASS, None), TypeError, "real .* as x", "None"),
    "None as x of atoms": (
        lambda: LennardJones(4).energy_gradient(None), TypeError, "real .* as x", "None",
    ),
    "None as diameters": (
        lambda: Discs(None, np.ones(2)), TypeError, "real numbers as diameters", "None",
    ),
    "result as x": (lambda: minimise(DISCS, END), TypeError, "real .* as x", "a Minimum"),
    "complex x": (
        lambda: minimise(DISCS, X + 0j), TypeError, "real .* as x", "an array of complex128, (16,)",
    ),
    "text in x": (
        lambda: NET.gaps(["a"] * W.size), TypeError, "real numbers as x", "a list",
    ),
    "ragged x": (lambda: minimise(DISCS, [[1.0], [1.0, 2.0]]), TypeError, "real .*", "a list"),
    "length of x": (lambda: minimise(DISCS, X[:-1]), ValueError, "x of shape (16,)", "(15,)"),
    "shape of x": (lambda: plot(DISCS, X.reshape(8, 2)), ValueError, "x of shape (16,)", "(8, 2)"),
    "length of weights": (lambda: train(NET, W[:-1]), ValueError, "x of shape (19,)", "(18,)"),
    "length in gaps": (lambda: NET.gaps(W[:-1]), ValueError, "x of shape (19,)", "(18,)"),
    "length of directions": (
        lambda: plot(DISCS, X, mode=X[:-1]), ValueError, "mode of shape (16,)", "(15,)",
    ),
    "NaN in x": (lambda: decompress(DISCS, WITH_NAN), ValueError, "finite .*", "nan at index 3"),
    "NaN in weights": (lambda: train(NET, W * np.nan), ValueError, "finite .*", "NaN or infinity"),
    "negative N": (lambda: Discs.bidisperse(-8, 0.9), ValueError, "a whole number n >= 1", "-8"),
    "half a body": (lambda: Discs.bidisperse(8.5, 0.9), ValueError, "a whole number n >= 1", "8.5"),
    "negative width": (lambda: Mlp(4, -3, 1), ValueError, "a whole number width >= 1", "-3"),
    "negative steps": (
        lambda: train(NET, W, steps=-1), ValueError, "a whole number steps >= 0", "-1",
    ),
    "dim": (lambda: Discs.bidisperse(8, 0.9, dim=4), ValueError, "dim = 2 .* or 3 .*", "4"),
    "sides of the box": (
        lambda: Discs(np.ones(2), np.ones(4)), ValueError, "a box with 2 or 3 sides", "4",
    ),
    "pressure in percent": (lambda: decompress(DISCS, X, 5), ValueError, "1e-12 <= .* < 1", "5"),
    "phi in percent": (lambda: Discs.bidisperse(8, 84), ValueError, "a packing fraction .*", "84"),
    "negative radius": (lambda: SphericalNetwork(NET, -1.0), ValueError, "a radius > 0", "-1.0"),
    "labels 0 and 1": (
        lambda: Patterns(np.eye(2), [0, 1]), ValueError, "both labels -1 and [+]1", "0, 1",
    ),
    "dimension of patterns": (
        lambda: HingeNetwork(Mlp(5, 3, 1), PATTERNS), ValueError, "patterns of dimension 5", "4",
    ),
}  # fmt: skip
KINDS = {
    **{f"seed: {name}": (call, TypeError, GENERATOR, "7") for name, call in SEED.items()},
    **{
        f"network: {name}": (call, TypeError, PACKING, "a HingeNetwork")
        for name, call in NO_PACKING.items()
    },
    **OTHERS,
}


@pytest.mark.parametrize(("call", "kind", "expected", "got"), KINDS.values(), ids=KINDS)
def test_misuse_is_one_line(call, kind, expected, got, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind) as error:
        call()
    wanted = expected if ".*" in expected or "[" in expected else re.escape(expected)
    assert re.fullmatch(rf"expected {wanted}, got {re.escape(got)}.*: .+", str(error.value))
    assert not list(tmp_path.iterdir())


def test_a_seed_is_handed_back_as_a_generator():
    with pytest.raises(TypeError, match=r"pass numpy.random.default_rng\(7\)$"):
        MLP.init(7)


HARMLESS = {
    "list": X.tolist(),
    "float32": X.astype(np.float32),
    "strided": np.repeat(X, 2)[::2],
}


@pytest.mark.parametrize("x", HARMLESS.values(), ids=HARMLESS)
def test_what_can_be_converted_is_accepted(x):
    same = np.asarray(x, dtype=np.float64)
    assert minimise(DISCS, x).status == minimise(DISCS, same).status
    w = x[: W.size] if len(x) >= W.size else [*x, *x][: W.size]
    np.testing.assert_array_equal(NET.gaps(w), NET.gaps(np.array(w, dtype=np.float64)))
    v = x[:6]
    np.testing.assert_array_equal(GLASS.gaps(v), GLASS.gaps(np.array(v, dtype=np.float64)))


def test_numbers_of_numpy_are_numbers():
    assert Discs.bidisperse(np.int64(8), np.float32(0.5), np.array(1.4)).n_bodies == 8
    assert Mlp(np.int64(4), 3.0, np.int32(1)) == Mlp(4, 3, 1)
    assert Mlp(4, 3.0, 1).init(RNG).shape == (19,)
    assert LennardJones(4.0).random_state(RNG).shape == (12,)

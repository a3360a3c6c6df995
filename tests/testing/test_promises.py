"""Every promise of `bridge/protocols.py`, broken one at a time: the suite must name each."""

import numpy as np
import pytest

from bridge import check_landscape, check_problem
from particles import Discs, Perceptron
from particles.landscapes.clusters import LennardJones
from particles.landscapes.spin_glass import SphericalSpinGlass

from problems import Chain, Halfspaces

X = np.array([0.0, 0.4, 1.1, 1.7])
WALLS = Halfspaces(np.array([[1.0, 0.2], [-1.0, 0.1], [0.3, -1.0]]), np.array([0.3, 0.4, 0.5]))
Y = np.array([0.1, 0.2])


class Whole(Chain):
    """A chain that makes every promise there is; no method needs one that a mutant breaks."""

    def energy_gradient(self, x):
        return Chain(self.n_dof).energy_gradient(x)

    def hvp(self, x, v):
        return Chain(self.n_dof).hvp(x, v)

    def frozen(self, x):
        return Chain(self.n_dof).frozen(x)

    def hessian(self, x):
        return self.hvp(x, np.eye(self.n_dof))

    def equivalents(self, x, rng):
        yield "translation", x + 1.0
        yield "reflection", -x[::-1]

    def gap_names(self, x):
        return np.stack([np.arange(self.n_dof - 1), np.arange(1, self.n_dof)], axis=1)

    def tightening(self, x):
        return np.ones(self.n_dof - 1)

    def tightened(self, t):
        return HasTightening(self.n_dof, t)

    @property
    def n_bodies(self):
        return self.n_dof

    def scene(self, x):
        n = self.n_dof
        return {
            "box": np.ones(1), "shapes": np.ones((n, 2)), "held": np.ones(n, bool),
            "pairs": self.gap_names(x), "pair_gaps": self.gaps(x), "images": np.zeros((n - 1, 1)),
        }  # fmt: skip


class HasTightening(Whole):
    def __init__(self, n_dof, t):
        super().__init__(n_dof)
        object.__setattr__(self, "t", t)

    def gaps(self, x):
        return super().gaps(x) + self.t


def test_nothing_is_broken_in_what_the_mutants_are_made_of():
    check_problem(Whole(4), X)
    check_problem(WALLS, Y)


def changed(method, change):
    """Return a chain one method of which gives what ``change(result, self, *arguments)`` says."""

    def broken(self, *arguments):
        return change(getattr(Whole, method)(self, *arguments), self, *arguments)

    return type("Broken", (Whole,), {method: broken})(4)


def raising(*_):
    raise ZeroDivisionError("division by zero")


def writes(found, self, x, *_):
    x[0] += 0.0
    return found


def keeps_one_array(found, self, x):
    """Write each gradient into the same memory."""
    if not hasattr(self, "kept"):
        object.__setattr__(self, "kept", np.zeros(4))
    self.kept[:] = found[1]
    return found[0], self.kept


def counts_calls(found, self, *_):
    object.__setattr__(self, "calls", getattr(self, "calls", 0) + 1)
    return found[0] * (1 + 1e-12 * self.calls), found[1]


def with_a_hole(found, *_):
    found = np.array(found)
    found.flat[0] = np.nan
    return found


def single(found, *_):
    return found.astype(np.float32)


ENERGY, PRODUCT, MODES = "energy_gradient returns", "hvp returns", "zero_modes returns"
GAPS, ROWS, LOAD = "gaps returns", "gap_jacobian returns", "tightening and tightened"
NAMES, FROZEN, IMAGES = "gap_names are", "frozen names", "equivalents keep"
FORM, SCENE = "the Hessian is that", "scene holds"

MUTANTS = [
    ("energy_gradient", lambda f, *_: f[0], ENERGY),
    ("energy_gradient", lambda f, *_: (np.array([f[0]]), f[1]), ENERGY),
    ("energy_gradient", lambda f, *_: (np.nan, f[1]), ENERGY),
    ("energy_gradient", lambda f, *_: (f[0], f[1][:-1]), ENERGY),
    ("energy_gradient", lambda f, *_: (f[0], f[1][None]), ENERGY),
    ("energy_gradient", lambda f, *_: (f[0], single(f[1])), ENERGY),
    ("energy_gradient", lambda f, *_: (f[0], with_a_hole(f[1])), ENERGY),
    ("energy_gradient", lambda f, *_: (f[0], list(f[1])), ENERGY),
    ("energy_gradient", lambda f, *_: (f[0], -f[1]), "gradient against differences"),
    ("energy_gradient", lambda f, *_: (f[0], 1.001 * f[1]), "gradient against differences"),
    ("energy_gradient", lambda f, s, x: (f[0], f[1] + 0 * x[0] + 1e-3), "gradient against"),
    ("energy_gradient", lambda f, s, x: (f[0] + 1.0, f[1]), "U = ½"),
    ("energy_gradient", counts_calls, "two energies"),
    ("energy_gradient", keeps_one_array, "changes when the next"),
    ("energy_gradient", writes, ENERGY),
    ("energy_gradient", raising, ENERGY),
    ("hvp", lambda f, *_: f[..., :-1], PRODUCT),
    ("hvp", lambda f, *_: np.atleast_2d(f), PRODUCT),
    ("hvp", lambda f, s, x, v: f if v.ndim == 1 else f[:1], "a batch of products"),
    ("hvp", lambda f, s, x, v: f if v.ndim == 1 else f[::-1], "a batch of products"),
    ("hvp", single, PRODUCT),
    ("hvp", with_a_hole, PRODUCT),
    ("hvp", lambda f, *_: 2.0 * f, "products against differences"),
    ("hvp", lambda f, *_: f + 1.0, "products are"),
    ("hvp", lambda f, s, x, v: f * np.abs(v).max(), "products are"),
    ("hvp", lambda f, s, x, v: f * np.arange(1, 5), "symmetric"),
    ("hvp", lambda f, s, x, v: writes(f, s, v), PRODUCT),
    ("hvp", raising, PRODUCT),
    ("hessian", lambda f, *_: f[:-1], FORM),
    ("hessian", single, FORM),
    ("hessian", with_a_hole, FORM),
    ("hessian", lambda f, *_: 2.0 * f, FORM),
    ("hessian", lambda f, *_: np.triu(f), "the Hessian is symmetric"),
    ("hessian", raising, FORM),
    ("zero_modes", lambda f, *_: f[:0], "holds every symmetry"),
    ("zero_modes", lambda f, *_: f[0], MODES),
    ("zero_modes", lambda f, *_: f[:, :-1], MODES),
    ("zero_modes", single, MODES),
    ("zero_modes", with_a_hole, MODES),
    ("zero_modes", lambda f, *_: 2.0 * f, "orthonormal"),
    ("zero_modes", lambda f, *_: np.concatenate([f, f]), "orthonormal"),
    ("zero_modes", lambda f, *_: np.eye(4)[:1], "flat"),
    ("zero_modes", writes, MODES),
    ("zero_modes", raising, MODES),
    ("gaps", lambda f, *_: f[:, None], GAPS),
    ("gaps", single, GAPS),
    ("gaps", lambda f, *_: f + 1e-6, "U = ½"),
    ("gaps", lambda f, *_: -f, "differences of the gaps"),
    ("gaps", raising, GAPS),
    ("gap_jacobian", lambda f, *_: f[:, :-1], ROWS),
    ("gap_jacobian", single, ROWS),
    ("gap_jacobian", with_a_hole, ROWS),
    ("gap_jacobian", lambda f, *_: -f, "the Jacobian against differences of the gaps"),
    ("gap_jacobian", lambda f, *_: f + 0.1, "the Jacobian against differences of the gaps"),
    ("gap_jacobian", lambda f, s, x, rows=None: f if rows is None else f[::-1], "rows"),
    ("gap_jacobian", lambda f, s, x, rows=None: Chain.gap_jacobian(s, x), "rows"),
    ("gap_jacobian", raising, ROWS),
    ("tightening", lambda f, *_: 0.0 * f, "tightening against"),
    ("tightening", lambda f, *_: -f, "tightening against"),
    ("tightening", lambda f, *_: f[:-1], LOAD),
    ("tightening", lambda f, *_: f.astype(int), LOAD),
    ("tightening", with_a_hole, LOAD),
    ("tightening", raising, LOAD),
    ("tightened", lambda f, s, t: HasTightening(4, t + 0.1), "load of 0"),
    ("tightened", lambda f, s, t: HasTightening(4, 2 * t), "tightening against"),
    ("tightened", lambda f, s, t: s, "tightening against"),
    ("tightened", lambda f, s, t: None, LOAD),
    ("tightened", raising, LOAD),
    ("gap_names", lambda f, *_: f[:-1], NAMES),
    ("gap_names", lambda f, *_: f[:, 0], NAMES),
    ("gap_names", lambda f, *_: f.astype(float), NAMES),
    ("gap_names", lambda f, *_: 0 * f, "the same name"),
    ("gap_names", lambda f, s, x: f if x[0] == 0.0 else f[::-1], "jumps"),
    ("gap_names", raising, NAMES),
    ("frozen", lambda f, *_: [np.array([0, 1]), np.array([1, 2])], "share a variable"),
    ("frozen", lambda f, *_: [np.array([4])], "not in x"),
    ("frozen", lambda f, *_: [np.array([-1])], "not in x"),
    ("frozen", lambda f, *_: [np.array([0.5])], FROZEN),
    ("frozen", lambda f, *_: None, FROZEN),
    ("frozen", raising, FROZEN),
    ("equivalents", lambda f, s, x, rng: [("stretching", 1.1 * x)], "stretching keeps the energy"),
    ("equivalents", lambda f, s, x, rng: [("cutting", x[:-1])], IMAGES),
    ("equivalents", lambda f, s, x, rng: [(1, x)], IMAGES),
    ("equivalents", lambda f, s, x, rng: [("hole", with_a_hole(x))], IMAGES),
    ("equivalents", lambda f, s, x, rng: [x], IMAGES),
    ("equivalents", raising, IMAGES),
    ("scene", lambda f, *_: {k: v for k, v in f.items() if k != "held"}, SCENE),
    ("scene", lambda f, *_: f | {"pair_gaps": f["pair_gaps"][1:]}, SCENE),
    ("scene", lambda f, *_: f | {"held": f["held"][1:]}, SCENE),
    ("scene", lambda f, *_: f | {"shapes": f["shapes"][1:]}, SCENE),
    ("scene", lambda f, *_: f | {"pairs": f["pairs"] + 1}, SCENE),
    ("scene", raising, SCENE),
]


@pytest.mark.parametrize(
    ("method", "change", "named"),
    MUTANTS,
    ids=[f"{k}-{method}" for k, (method, _, _) in enumerate(MUTANTS)],
)
def test_a_mutant_is_caught_and_its_promise_named(method, change, named):
    with pytest.raises(AssertionError, match=named):
        check_problem(changed(method, change), X)


def test_a_wrong_number_of_variables_is_named():
    with pytest.raises(AssertionError, match="n_dof is the number"):
        check_problem(Whole(5), X)


def test_a_nan_that_is_taken_is_named():
    class Tolerant(Whole):
        def energy_gradient(self, x):
            return super().energy_gradient(np.nan_to_num(x))

    class Wrong(Whole):
        def energy_gradient(self, x):
            return super().energy_gradient(x) if np.isfinite(x).all() else raising()

    with pytest.raises(AssertionError, match="NaN must raise ValueError"):
        check_problem(Tolerant(4), X)
    with pytest.raises(AssertionError, match="NaN must raise ValueError"):
        check_problem(Wrong(4), X)


def test_a_gap_with_another_energy_is_named():
    class Heavy(Whole):
        def energy_gradient(self, x):
            energy, gradient = super().energy_gradient(x)
            return 2.0 * energy, 2.0 * gradient

        def hvp(self, x, v):
            return 2.0 * super().hvp(x, v)

    with pytest.raises(AssertionError, match="U = ½ Σ max"):
        check_problem(Heavy(4), X)


def test_a_vector_that_is_merely_orthogonal_to_the_gradient_is_no_symmetry():
    """At one state, or computed anew at each: the gaps change along it."""

    def orthogonal(walls, x):
        _, gradient = walls.energy_gradient(x)
        return np.array([[-gradient[1], gradient[0]]]) / np.linalg.norm(gradient)

    fixed = orthogonal(WALLS, Y)
    for modes in (lambda self, x: fixed, orthogonal):
        broken = type("Broken", (Halfspaces,), {"zero_modes": modes})(WALLS.normals, WALLS.offsets)
        with pytest.raises(AssertionError, match=r"zero modes (are flat|leave every gap)"):
            check_problem(broken, Y)


def test_a_held_body_is_not_frozen():
    """Between two walls the one body is held; so is any disc of a crystal."""
    walls = type("Broken", (Halfspaces,), {"frozen": lambda self, x: [np.array([0])]})
    with pytest.raises(AssertionError, match=r"frozen body of variables \[0\] is held"):
        check_problem(walls(WALLS.normals, WALLS.offsets), Y)

    class Crystal(Discs):
        def frozen(self, x):
            return [np.array([2, 3])]

    a = 0.95
    cell = np.array([[0.0, 0.0], [0.5, np.sqrt(3) / 2]])
    shifts = [np.array([i, j * np.sqrt(3)]) for i in range(4) for j in range(2)]
    x = a * np.concatenate([cell + shift for shift in shifts])
    x += 0.01 * np.random.default_rng(0).standard_normal(x.shape)
    box = a * np.array([4.0, 2.0 * np.sqrt(3)])
    check_problem(Discs(np.ones(16), box), x.ravel())
    with pytest.raises(AssertionError, match=r"variables \[2, 3\] is held"):
        check_problem(Crystal(np.ones(16), box), x.ravel())


def test_each_missing_symmetry_is_noticed():
    """Translation, rotation, norm: one row fewer than there are."""
    rng = np.random.default_rng(0)
    perceptron = Perceptron.random(6, 3.0, 0.0, rng)
    cases = [
        (check_problem, perceptron, perceptron.random_state(rng)),
        (check_landscape, LennardJones(3), 1.2 * rng.standard_normal(9)),
        (check_landscape, glass := SphericalSpinGlass.random(5, 3, rng), glass.random_state(rng)),
    ]
    for check, problem, x in cases:
        check(problem, x)
        found = type(problem).zero_modes

        class Broken(type(problem)):
            def zero_modes(self, x, found=found):
                return found(self, x)[:-1]

        broken = object.__new__(Broken)
        for name, value in vars(problem).items():
            object.__setattr__(broken, name, value)
        with pytest.raises(AssertionError, match="holds every symmetry"):
            check(broken, x)


def test_a_pattern_that_cannot_be_violated_leaves_a_freedom_and_breaks_no_promise():
    """Of three patterns only the longest can be misclassified: turns about it are a symmetry."""
    patterns = np.array([[0.1, -0.1, 0.6], [0.1, -0.5, 0.4], [1.3, 0.9, -0.7]])
    problem = Perceptron(patterns, sigma=-1.0)
    for seed in range(5):
        check_problem(problem, np.array([-1.6, -0.8, 0.05]), np.random.default_rng(seed))

"""What is counted in made-up states, and the spectra of matrices that are known on paper."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy import sparse

from bridge import observe, spectrum
from bridge.measure.observables import (
    backbone_gaps,
    counted_constraints,
    gap_names,
    plain_jacobian,
    satisfied,
    symmetries,
)
from bridge.measure.spectra import (
    Spectrum,
    check_dense,
    hessian,
    jacobian_rank,
    participation_ratio,
    rounding,
    stiffness,
)

from problems import Chain, Halfspaces

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Recorded(Chain):
    """A chain that records which rows of its Jacobian it was asked for."""

    asked: list = field(default_factory=list)

    def gap_jacobian(self, x, rows=None):
        self.asked.append(rows)
        return super().gap_jacobian(x, rows)


@dataclass(frozen=True, eq=False)
class Settled(Chain):
    """A chain whose descents leave up to 0.1 of its gaps."""

    def satisfied(self, gaps):
        return gaps.max() < 0.1


@dataclass(frozen=True, eq=False)
class OnSurface(Chain):
    """A chain held on a surface: every row of its Jacobian is projected, and no motion is left."""

    def unrestricted(self, x):
        return Chain(self.n_dof), x

    def gap_jacobian(self, x, rows=None):
        return super().gap_jacobian(x, rows) + 0.25

    def zero_modes(self, x):
        return np.zeros((0, self.n_dof))

    def frozen(self, x):
        return Chain(self.n_dof).frozen(x)


# Counts.


def test_without_frozen_bodies_no_jacobian_is_needed():
    problem = Recorded(3)
    x, everything = np.array([0.0, 0.5, 1.0]), np.ones(3, dtype=bool)
    gaps = np.array([0.5, 0.5])
    assert counted_constraints(problem, x, gaps, everything).tolist() == [0, 1]
    some = np.array([True, True, False])
    assert counted_constraints(problem, x, -gaps, some).size == 0
    assert problem.asked == []
    assert counted_constraints(problem, x, gaps, some).tolist() == [0]
    assert [rows.tolist() for rows in problem.asked] == [[0, 1]]


def test_a_gap_of_zero_violates_nothing():
    assert satisfied(Chain(3), np.array([0.0, -1.0]))
    assert not satisfied(Chain(3), np.array([1e-300, -1.0]))


def test_a_system_says_itself_what_satisfies_it():
    settled = Settled(3)
    near, far = np.array([0.0, 0.95, 2.0]), np.array([0.0, 0.85, 2.0])
    assert satisfied(settled, settled.gaps(near))
    assert not satisfied(settled, settled.gaps(far))
    assert (observe(settled, near).n_constraints, observe(settled, far).n_constraints) == (0, 1)
    # the last two bodies touch nobody: what acts on them is not listed
    settled = Settled(4)
    assert backbone_gaps(settled, np.array([0.0, 0.95, 3.0, 5.0])).tolist() == [0.0]
    gap = backbone_gaps(settled, np.array([0.0, 0.85, 3.0, 5.0]))
    assert gap == pytest.approx([0.15])


def test_what_acts_is_told_without_the_surface_and_so_is_what_moves():
    held, x = OnSurface(3), np.array([0.0, 0.5, 9.0])
    assert plain_jacobian(held, x, np.array([1])).tolist() == [[0.0, 1.0, -1.0]]
    assert plain_jacobian(held, x).tolist() == [[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]
    assert symmetries(held, x) == pytest.approx(np.full((1, 3), 3**-0.5))
    seen = observe(held, x)
    assert (seen.n_constraints, seen.n_symmetries, seen.n_frozen, seen.n) == (1, 1, 1, 1)
    assert seen.max_residual == pytest.approx(0.5 * 1.25)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_a_row_whose_entries_add_up_to_zero_touches_all_the_same(form):
    class Opposed(Halfspaces):
        def gap_jacobian(self, x, rows=None):
            return form(super().gap_jacobian(x, rows))

    problem = Opposed(np.array([[1.0, 0.0, 0.0], [1.0, 1.0, -1.0]]), np.full(2, 0.5))
    free = np.array([True, False, False])
    assert counted_constraints(problem, np.zeros(3), problem.offsets, free).tolist() == [0]


def test_a_gap_is_named_by_its_place_unless_the_system_names_it():
    class Named(Chain):
        def gap_names(self, x):
            return np.array([[7, 8], [8, 9]])

    x = np.arange(3.0)
    assert gap_names(Chain(3), x).tolist() == [[0], [1]]
    assert gap_names(Named(3), x).tolist() == [[7, 8], [8, 9]]


# Spectra.


@dataclass(frozen=True, eq=False)
class Products:
    """Products with a matrix of ``n`` by ``n``, and how many directions each call had."""

    matrix: np.ndarray
    sizes: list = field(default_factory=list)

    @property
    def n_dof(self):
        return len(self.matrix)

    def hvp(self, x, v):
        self.sizes.append(len(v))
        return v @ self.matrix


def test_a_dense_hessian_is_made_of_blocks_of_products_and_is_symmetric():
    rough = np.random.default_rng(0).standard_normal((300, 300))
    problem = Products(rough)
    found = hessian(problem, np.zeros(300))
    assert problem.sizes == [256, 44]
    assert np.array_equal(found, (rough + rough.T) / 2)


def test_a_hessian_of_the_system_is_taken_as_it_is():
    class Own(Halfspaces):
        def hessian(self, x):
            return sparse.csr_array(np.diag([3.0, 4.0]))

    problem = Own(np.eye(2), np.ones(2))
    assert hessian(problem, np.zeros(2)).tolist() == [[3.0, 0.0], [0.0, 4.0]]


def test_twelve_thousand_variables_are_dense_and_no_more():
    check_dense(12_000)
    with pytest.raises(ValueError, match=r"at most 12000 variables .* got 12001"):
        check_dense(12_001)


def test_the_stiffness_is_that_of_violated_constraints_or_of_those_named():
    problem = Halfspaces(np.diag([1.0, 2.0, 3.0]), np.array([0.0, 0.5, -0.5]))
    assert np.diag(stiffness(problem, np.zeros(3))).tolist() == [0.0, 4.0, 0.0]
    assert np.diag(stiffness(problem, np.zeros(3), np.array([0, 2]))).tolist() == [1.0, 0.0, 9.0]


def test_nothing_acts_in_a_satisfied_state():
    found = spectrum(Halfspaces(np.eye(2), np.array([-1.0, -2.0])), np.zeros(2), n_kinks=3)
    counts = (found.zero_modes, found.negative_modes, found.negative_modes_hp)
    assert (counts, found.n_violated, found.n_kinks) == ((2, 0, 0), 0, 0)
    assert found.eigenvalues.tolist() == found.eigenvalues_h0.tolist() == [0.0, 0.0]
    assert found.eigenvalues_hp.tolist() == [0.0, 0.0]


def test_a_force_without_any_stiffness_leaves_zeros_and_nothing_negative():
    """``H = 0`` to the bit: its rounding is zero too."""
    found = spectrum(Halfspaces(np.zeros((1, 2)), np.ones(1)), np.zeros(2))
    assert (found.zero_modes, found.negative_modes, found.negative_modes_hp) == (2, 0, 0)
    assert (found.n_violated, found.n_kinks) == (1, 0)


@pytest.mark.parametrize("gap", [0.0, -0.5])
def test_what_is_not_violated_has_no_stiffness(gap):
    found = spectrum(Halfspaces(np.eye(2), np.array([0.5, gap])), np.zeros(2))
    assert found.eigenvalues.tolist() == found.eigenvalues_h0.tolist() == [0.0, 1.0]


@pytest.mark.parametrize(("negative", "holds"), [(2, True), (3, True), (4, False)])
def test_a_kink_may_hold_one_negative_mode_more(negative, holds):
    flat = np.zeros(5)
    assert Spectrum(flat, flat, flat, 0, 0, negative, 2, 1).bound_holds == holds
    assert Spectrum(flat, flat, flat, 0, 0, negative, 3).bound_holds == holds
    problem = Halfspaces(np.eye(2), np.ones(2))
    assert spectrum(problem=problem, x=np.zeros(2), n_kinks=2).n_kinks == 2


@pytest.mark.parametrize("mode", [[2.0, 0.0, 0.0], [3e4, 0.0, 1e4]])
def test_symmetries_are_projected_out_whatever_their_lengths(mode):
    """A second mode that is parallel up to 1e-11 spans nothing, and one of 1e-9 does."""

    @dataclass(frozen=True, eq=False)
    class Moving(Halfspaces):
        bent: float

        def zero_modes(self, x):
            first, length = np.array(mode), np.linalg.norm(mode)
            return np.stack([first, 0.5 * first + self.bent * np.array([0.0, length, 0.0])])

    normals = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 4.0], [2.0, 0.0, 1.0]])
    for bent, rank in ((1e-11, 1), (1e-9, 2)):
        problem = Moving(normals, np.ones(3), bent)
        span = np.array([np.array(mode) / np.linalg.norm(mode), [0.0, 1.0, 0.0]])[:rank]
        left = np.eye(3) - span.T @ span
        found = spectrum(problem, np.zeros(3))
        exact = np.linalg.eigvalsh(left @ normals.T @ normals @ left)
        assert found.eigenvalues == pytest.approx(exact, abs=1e-7)
        assert found.zero_modes == rank


def test_a_frozen_variable_is_one_zero_in_its_place():
    class Leaning(Chain):
        def frozen(self, x):
            return [np.array([0]), np.array([4])]

    found = spectrum(Leaning(5), np.array([0.0, 0.5, 1.0, 1.5, 2.0]))
    assert found.eigenvalues == pytest.approx([0, 0, 0, 1, 3], abs=1e-14)
    assert (found.zero_modes, found.n_violated) == (3, 2)


@pytest.mark.parametrize("turned", [False, True])
def test_the_rank_counts_what_is_above_rounding_in_the_smaller_of_two_products(turned):
    """9 is the largest eigenvalue of three: rounding is 27 ε, and 45 ε in the larger product."""
    for square, rank in ((26.0 * EPS, 2), (28.0 * EPS, 3)):
        jacobian = np.zeros((5, 3))
        jacobian[0, 0], jacobian[1, 1], jacobian[2, 2] = 1.0, np.sqrt(square), 3.0
        jacobian = jacobian.T if turned else jacobian
        problem = Halfspaces(jacobian, np.zeros(len(jacobian)))
        assert jacobian_rank(problem, np.zeros(problem.n_dof)) == rank


def test_no_gap_changes_so_the_rank_is_zero():
    assert jacobian_rank(Halfspaces(np.zeros((2, 3)), np.zeros(2)), np.zeros(3)) == 0


def test_participation_of_uneven_modes():
    modes = np.array([[1.0, 2.0, 0.0, 0.0], [1.0, 0.0, 0.0, 3.0]])
    assert participation_ratio(modes) == pytest.approx([25 / (4 * 17), 100 / (4 * 82)])
    assert participation_ratio(modes, body_size=2) == pytest.approx([1 / 2, 100 / (2 * 82)])


def test_rounding_is_that_of_the_largest_row():
    assert rounding(np.array([[1.0, -2.0], [0.5, 0.0]])) == 4 * 2 * EPS * 3.0

import numpy as np
import pytest
from scipy import sparse

from bridge import hessian, spectrum
from bridge.measure.spectra import eigenmodes, participation_ratio

from problems import Balls, Chain, Halfspaces, Outside


def test_linear_gaps_have_no_prestress():
    found = spectrum(Halfspaces(np.eye(3), np.ones(3)), np.zeros(3))
    assert found.eigenvalues == pytest.approx([1, 1, 1])
    assert found.eigenvalues_hp == pytest.approx([0, 0, 0])
    assert (found.negative_modes_hp, found.n_violated, found.bound_holds) == (0, 3, True)


def test_the_prestress_of_balls_is_a_multiple_of_the_identity():
    problem, x = Balls(np.array([[3.0, 0.0], [0.0, 4.0]]), 1.0), np.zeros(2)
    found = spectrum(problem, x)
    total = (9 - 1) / 2 + (16 - 1) / 2
    assert found.eigenvalues_h0 == pytest.approx([9, 16])
    assert found.eigenvalues_hp == pytest.approx([total, total])
    assert found.eigenvalues == pytest.approx([9 + total, 16 + total])


def test_the_bound_fails_where_there_are_too_few_constraints():
    """One violated ball in two dimensions cannot outweigh two negative modes."""
    found = spectrum(Outside(np.array([[0.5, 0.0]]), 1.0), np.zeros(2))
    assert (found.negative_modes_hp, found.n_violated) == (2, 1)
    assert not found.bound_holds
    assert found.negative_modes > 0


def test_the_symmetry_is_an_exact_zero_also_away_from_a_minimum():
    found = spectrum(Chain(4), np.array([0.0, 0.5, 0.9, 1.7]))
    assert found.zero_modes == 1
    assert found.eigenvalues == pytest.approx([0, 2 - 2**0.5, 2, 2 + 2**0.5], abs=1e-14)


def test_a_sparse_jacobian_gives_the_same_spectrum():
    class Sparse(Balls):
        def gap_jacobian(self, x, rows=None):
            return sparse.csr_array(super().gap_jacobian(x, rows))

    centres, x = np.random.default_rng(0).normal(size=(5, 3)) * 3, np.zeros(3)
    dense, thin = spectrum(Balls(centres, 1.0), x), spectrum(Sparse(centres, 1.0), x)
    assert thin.eigenvalues_hp == pytest.approx(dense.eigenvalues_hp)


def test_too_many_variables_are_refused_in_one_line():
    with pytest.raises(ValueError, match=r"expected at most .* got 20000: use") as caught:
        hessian(Chain(20_000), np.arange(20_000.0))
    assert "\n" not in str(caught.value)


def test_modes_are_rows_that_diagonalise():
    problem, x = Balls(np.random.default_rng(1).normal(size=(6, 4)) * 3, 1.0), np.zeros(4)
    values, modes = eigenmodes(problem, x)
    assert modes @ hessian(problem, x) @ modes.T == pytest.approx(np.diag(values), abs=1e-12)


def test_participation_of_one_body_and_of_all():
    alone, together = np.eye(6)[:1], np.ones((1, 6))
    assert participation_ratio(alone, body_size=2) == pytest.approx([1 / 3])
    assert participation_ratio(together, body_size=2) == pytest.approx([1.0])


def test_what_touches_a_frozen_body_does_not_stiffen_the_others():
    class Leaning(Chain):
        def frozen(self, x):
            return [np.array([2])]

    found = spectrum(Leaning(3), np.array([0.0, 0.5, 1.5 - 1e-12]))
    assert (found.zero_modes, found.n_violated) == (2, 1)
    assert found.eigenvalues == pytest.approx([0, 0, 2], abs=1e-14)
    assert found.eigenvalues_hp == pytest.approx([0, 0, 0], abs=1e-14)

"""Contacts in excess, left out until one state of self-stress is left."""

import numpy as np
import pytest
from folded import Folded, balanced
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.jamming.factor import SingularError
from bridge.jamming.kinks import HeldKinks
from bridge.jamming.linearised import Linearised
from bridge.jamming.self_stress import balanced_forces, independent_contacts

modest = settings(deadline=None, max_examples=60)


def linearised(n, m, kinks, seed):
    """Return gaps and kinks that balance at 0, all active rows, and their forces."""
    problem, forces, masks = balanced(n, m, 3, kinks, np.random.default_rng(seed))
    held = HeldKinks(np.arange(kinks), masks, np.zeros(kinks, dtype=bool))
    here = Linearised.at(problem, np.zeros(n), held)
    rows = np.concatenate([np.arange(m), here.n_gaps + np.arange(kinks)])
    whole = np.concatenate([forces, masks * problem.strengths * forces[problem.owners]])
    return here, rows, whole


@modest
@given(st.integers(1, 6), st.integers(2, 10), st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_what_is_left_balances_and_has_one_self_stress(n, m, kinks, seed):
    here, rows, forces = linearised(n, m, kinks, seed)
    free = np.ones(n, dtype=bool)
    before = here.jacobian[rows].T @ forces
    there, kept, left = independent_contacts(here, rows, forces, free)
    assert np.abs(before).max() < 1e-12
    assert there.jacobian[kept].T @ left == pytest.approx(0.0, abs=1e-8)
    assert left @ there.tightening[kept] == pytest.approx(1.0)
    # ℓ and J together have full rank: the number of rows is that of J, and one.
    matrix = np.column_stack([there.jacobian[kept], there.tightening[kept]])
    rank = np.linalg.matrix_rank(there.jacobian[kept], tol=1e-8)
    assert np.linalg.matrix_rank(matrix, tol=1e-8) == len(kept) == rank + 1
    assert set(kept) <= set(rows)
    assert left.min() >= 0.0
    assert there.room(kept, left).min() >= -1e-9
    # A kink is kept only with its owner.
    held = kept[kept >= there.n_gaps] - there.n_gaps
    assert np.isin(there.kinks.owners[held], kept).all()


@modest
@given(st.integers(1, 6), st.integers(2, 10), st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_the_bound_on_the_load_does_not_rise(n, m, kinks, seed):
    """Leaving out contacts takes ``-Σ λ Δ`` down: it is where the load has its limit."""
    here, rows, forces = linearised(n, m, kinks, seed)
    there, kept, left = independent_contacts(here, rows, forces, np.ones(n, dtype=bool))
    assert -left @ there.gaps[kept] <= -forces @ here.gaps[rows] + 1e-9


@modest
@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_contacts_without_excess_are_left_as_they_are(n, m, seed):
    m = min(m, n) + 1
    here, rows, forces = linearised(n, m, 0, seed)
    _, kept, left = independent_contacts(here, rows, forces, np.ones(n, dtype=bool))
    np.testing.assert_array_equal(kept, rows)
    np.testing.assert_array_equal(left, forces)


@modest
@given(st.integers(1, 6), st.integers(0, 2), st.integers(0, 2**32 - 1))
def test_forces_that_balance_are_found(n, kinks, seed):
    m = max(1, n + 1 - kinks)
    kinks = n + 1 - m
    here, rows, forces = linearised(n, m, kinks, seed)
    found = balanced_forces(here, rows, np.ones(n, dtype=bool))
    np.testing.assert_allclose(found, forces, atol=1e-8)


def test_a_self_stress_that_unloads_nothing_is_an_error():
    """Forces cannot change: along a line that pulls as it pushes nothing vanishes."""
    none, nobody = np.empty(0), np.empty(0, dtype=np.intp)
    walls = Folded(np.zeros((3, 1)), np.ones(3), np.empty((0, 1)), none, nobody, none)
    here = Linearised.at(walls, np.zeros(1), HeldKinks.none())
    with pytest.raises(SingularError, match="no self-stress unloads"):
        independent_contacts(here, np.arange(3), np.full(3, np.inf), np.ones(1, dtype=bool))


@modest
@given(st.integers(2, 5), st.integers(3, 9), st.integers(1, 5), st.integers(0, 2**32 - 1))
@example(3, 6, 3, 0)
def test_a_gap_without_force_takes_its_kinks_with_it(n, m, kinks, seed):
    """Its kinks cannot have any either: all would leave at once, and the owner comes first."""
    here, rows, forces = linearised(n, m, kinks, seed)
    owner = here.kinks.owners[0]
    forces[owner] = 0.0
    forces[len(rows) - kinks :][here.kinks.owners[:kinks] == owner] = 0.0
    there, kept, _ = independent_contacts(here, rows, forces, np.ones(n, dtype=bool))
    held = kept[kept >= there.n_gaps] - there.n_gaps
    assert np.isin(there.kinks.owners[held], kept).all()

"""Contacts that are missing: which wall a motion along which the energy falls meets first."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import sparse

from bridge.jamming.active_set import completed
from bridge.jamming.linearised import Linearised


@dataclass(frozen=True, eq=False)
class Ridge:
    """Two walls ``±x`` that bend away, ``Δ = ±x - ½ Σ c y² + level``, and further linear ones."""

    falls: np.ndarray
    normals: np.ndarray
    offsets: np.ndarray
    form: type = np.asarray

    @property
    def n_dof(self):
        return 1 + len(self.falls)

    def gaps(self, x):
        across = np.array([x[0], -x[0]]) + 0.01 - 0.5 * self.falls @ x[1:] ** 2
        return np.append(across, self.normals @ x + self.offsets)

    def gap_jacobian(self, x, rows=None):
        bent = np.append(0.0, -self.falls * x[1:])
        return self.form(np.vstack([np.eye(1, self.n_dof) + bent, -np.eye(1, self.n_dof) + bent,
                                    self.normals]))  # fmt: skip

    def hvp(self, x, v):
        forces = np.maximum(self.gaps(x), 0)
        rows = replace(self, form=np.asarray).gap_jacobian(x)[forces > 0]
        return v @ rows.T @ rows - v * np.append(0.0, forces[:2].sum() * self.falls)

    def zero_modes(self, x):
        return np.zeros((0, self.n_dof))

    def tightening(self, x):
        return np.ones(2 + len(self.offsets))


def slid(falls, normals, offsets, form=np.asarray, columns=None):
    falls, normals = np.array(falls), np.array(normals, dtype=float)
    problem = Ridge(falls, normals, np.array(offsets), form)
    here = Linearised.at(problem, np.append(0.0, np.where(falls == 0, 0.0, 1e-7)))
    found = completed(here, np.arange(2), np.arange(problem.n_dof if columns is None else columns))
    return None if found is None else found.tolist()


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_sliding_ends_at_the_wall_that_is_met_first(form):
    """To either side; one that runs along is never met, however near it is."""
    assert slid([1.0], [[0, 1], [0, -0.1]], [-0.3, -0.1], form) == [0, 1, 2]
    assert slid([1.0], [[0, 1], [0, -0.5]], [-0.3, -0.1], form) == [0, 1, 3]
    assert slid([1.0], [[0, -1], [0, 1]], [-0.3, -0.4], form) == [0, 1, 2]
    along = [[0.0, 1.0], [5.0, 0.0]]
    assert slid([1.0], along, [-0.3, 0.02], form) == [0, 1, 2]
    # A rate of 1e-8 counts beside one of 1, but not beside one of 1000.
    slow = [[0, 1], [0, 1e-8]]
    assert slid([1.0], slow, [-0.3, -1e-12], form) == [0, 1, 3]
    assert slid([1.0], [*slow, [0, 1e3]], [-0.3, -1e-12, -1e6], form) == [0, 1, 2]


def test_a_wall_of_another_body_is_not_met():
    assert slid([1.0, 0.0], [[0, 1, 1], [0, 1, 0]], [-0.1, -0.3], columns=2) == [0, 1, 3]


def test_where_the_energy_falls_most_it_slides_first():
    """Along the third variable to its wall, though that of the second is nearer; then there."""
    normals = [[0, 1, 0], [0, 0, 1], [0, 0, 1]]
    assert slid([1.0, 2.0], normals, [-0.1, -0.5, -0.4]) == [0, 1, 4, 2]
    assert slid([2.0, 1.0], normals, [-0.1, -0.5, -0.4]) == [0, 1, 2, 4]
    assert slid([-1.0, 2.0], normals, [-0.1, -0.5, -0.4]) is None  # then curvature holds it
    assert slid([-1.0, -2.0], normals, [-0.1, -0.5, -0.4]) is None
    # Along a wall across both, the energy falls still: (-2 · 4 + 1)/5.
    assert slid([2.0, -1.0], [[0, 1, 2], [0, 1, 0]], [-0.1, -0.5]) == [0, 1, 2, 3]


def test_the_stiffness_of_a_wall_is_not_curvature():
    """One in violation along the slide is what is met; one at a gap of zero has none at all."""
    assert slid([1.0], [[0, 1], [0, -1]], [1e-4, -0.3]) == [0, 1, 2]
    assert slid([-1.0], [[0, 1]], [-1e-7]) is None

"""Newton's method on curved constraints: where and when curvature is read, and what is counted."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import linalg, sparse

from bridge.jamming import hypostatic
from bridge.jamming.hypostatic import (
    _curvature,
    _followed,
    _least_of_many,
    _Place,
    _residual,
    curved_optimum,
)
from bridge.jamming.linearised import Linearised
from bridge.jamming.trust import Trust, _errors

from problems import Balls, Halfspaces


@dataclass(frozen=True, eq=False)
class Channel:
    """Two walls across ``x`` that bulge along ``y``, ``Δ = ±x + w (½ y² + ¼ q y⁴) + level``.

    Forces are one half each, so that ``L = w (1 + 3 q y²)`` along ``y`` and zero otherwise; at the
    jamming point ``x = y = level = 0``. Further walls are ``Δ = y + offset + level``. Every state
    at which the Hessian is asked for is written to ``asked``.
    """

    quartic: float = 0.0
    bulges: tuple = (1.0, 1.0)
    level: float = 1e-3
    walls: tuple = ()
    form: type = np.asarray
    asked: list = None

    n_dof = 2

    def gaps(self, x):
        bulge = 0.5 * x[1] ** 2 + 0.25 * self.quartic * x[1] ** 4
        across = np.array([x[0], -x[0]]) + np.array(self.bulges) * bulge
        return np.append(across, x[1] + np.array(self.walls)) + self.level

    def gap_jacobian(self, x, rows=None):
        slope = x[1] + self.quartic * x[1] ** 3
        along = np.append(np.array(self.bulges) * slope, np.ones(len(self.walls)))
        across = np.append([1.0, -1.0], np.zeros(len(self.walls)))
        jacobian = np.column_stack([across, along])
        return self.form(jacobian if rows is None else jacobian[rows])

    def hvp(self, x, v):
        if self.asked is not None:
            self.asked.append(self.gaps(x))
        forces = np.maximum(self.gaps(x), 0)
        rows = replace(self, form=np.asarray).gap_jacobian(x)[forces > 0]
        bent = np.diag([0.0, forces[:2] @ self.bulges * (1 + 3 * self.quartic * x[1] ** 2)])
        return v @ rows.T @ rows + v @ bent

    def zero_modes(self, x):
        return np.zeros((0, 2))

    def tightening(self, x):
        return np.ones(2 + len(self.walls))

    def tightened(self, t):
        return replace(self, level=self.level + t)


def solved(problem, x=(0.0, 1e-7), **options):  # where the walls act on y at all
    return curved_optimum(Linearised.at(problem, np.array(x)), np.arange(2), 1.0, **options)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_a_curvature_that_changes_is_read_again(form):
    """At ``y = 0.1`` it is four times that of the end: with it, steps are too short by three."""
    found = solved(Channel(quartic=100.0, level=0.02, form=form), (0.0, 0.1))
    assert (found.reason, found.certificate.flaw()) == ("", "")
    assert found.certificate.curvature == pytest.approx(1.0, rel=1e-6)
    assert found.here.x == pytest.approx([0.0, 0.0], abs=1e-12)
    assert found.here.problem.level == pytest.approx(0.0, abs=1e-12)
    assert found.steps <= 10


def test_a_curvature_that_does_not_is_read_at_the_start_and_for_the_certificate():
    asked = []
    found = solved(Channel(asked=asked), (0.0, 0.01))
    assert found.certificate.flaw() == ""
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("walls", "overlap"),
    [((), 1e-7), ((-1.0,), 1e-7), ((-1e-8,), 0.5e-9), ((0.0, -1.0), 0.5e-12), ((0.0,), 0.5e-12)],
)
def test_curvature_is_read_where_nothing_else_overlaps(walls, overlap):
    """Forces are one half: their overlaps are 1e-7, or half of a tenth of the next gap."""
    asked = []
    found = solved(Channel(walls=walls, asked=asked))
    assert found.certificate.curvature == pytest.approx(1.0, rel=1e-2)
    assert asked[-1][:2] == pytest.approx(np.full(2, overlap), rel=1e-2, abs=0)


def test_overlaps_at_which_curvature_is_read_are_as_the_forces():
    """Walls that push with 1 and 2 balance at forces of 2/3 and 1/3."""

    class Uneven(Channel):
        def gaps(self, x):
            return super().gaps(x) + np.array([0.0, -x[0]])

        def gap_jacobian(self, x, rows=None):
            return super().gap_jacobian(x) * np.array([[1.0, 1.0], [2.0, 1.0]])

    asked = []
    found = solved(Uneven(asked=asked))
    assert found.forces == pytest.approx([2 / 3, 1 / 3])
    assert asked[-1] == pytest.approx([1e-7, 0.5e-7], rel=1e-3, abs=0)


def test_steps_are_counted_and_bounded():
    start = (0.0, 0.01)
    found = solved(Channel(), start)
    # It goes to y = 0, where the load is off by ½ y² of the start, and is corrected for that.
    assert (found.reason, found.steps) == ("", 1)
    again = solved(Channel(), start, max_steps=1)
    assert (again.reason, again.steps) == ("", 1)
    short = solved(Channel(), start, max_steps=0)
    assert short.reason.endswith(" after 0 steps")
    assert (short.steps, short.certificate) == (0, None)


def test_without_a_step_forces_are_the_overlaps():
    found = solved(Channel(bulges=(6.0, 2.0), level=0.5), (0.0, 1.0), max_steps=0)
    assert found.forces == pytest.approx([0.7, 0.3])  # of 3.5 and 1.5


def test_a_gap_of_zero_has_no_stiffness():
    problem = Channel(level=0.0, bulges=(2.0, 4.0), walls=(-0.1, -0.3))
    here = Linearised.at(problem, np.array([0.0, 0.1]))
    assert here.gaps[2] == 0.0
    # Overlaps 0.01 and 0.02 of bulges 2 and 4.
    assert _curvature(here, np.arange(2), here.gaps[:2]) == pytest.approx(
        np.diag([0.0, 0.1 / 0.03]), abs=1e-12
    )


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_curvature_of_more_variables_than_one_block(form):
    """A ball has ``∇²Δ = 1`` in 300 directions."""

    class Sparse(Balls):
        def gap_jacobian(self, x, rows=None):
            return form(super().gap_jacobian(x, rows))

        def hvp(self, x, v):
            return Balls(self.centres, self.radius).hvp(x, v)

        tightening = Halfspaces.tightening
        offsets = np.zeros(1)

    problem = Sparse(np.eye(1, 300), 0.5)
    here = Linearised.at(problem, np.zeros(300))
    found = _curvature(here, np.arange(1), 0.75 * np.ones(1))
    assert sparse.issparse(found) == (form is sparse.csr_array)
    found = found.toarray() if sparse.issparse(found) else found
    np.testing.assert_allclose(found, 0.5 * np.eye(300), atol=1e-15)


def test_what_is_left_is_a_gap_or_a_hundredth_of_a_force_out_of_balance():
    """Three walls ``x``, ``-x`` and ``y``; forces 3, 1, 2 leave ``(2, 2)`` of a mean of 2."""
    for gap, left in ((0.005, 0.01), (0.02, 0.02), (-0.02, 0.02)):
        problem = Halfspaces(np.array([[1.0, 0], [-1, 0], [0, 1]]), np.array([0.0, gap, 0.0]))
        here = Linearised.at(problem, np.zeros(2))
        place = _Place(here, np.arange(3), np.array([3.0, 1.0, 2.0]), np.zeros((2, 2)))
        assert _residual(place) == pytest.approx(left)
        assert _residual(replace(place, forces=2.0 * place.forces)) == pytest.approx(left)


@pytest.mark.parametrize("lowest", [0.3, -0.01, -2.0])
def test_the_least_curvature_of_many_free_motions_is_that_of_a_dense_matrix(lowest):
    """A negative eigenvalue counts however small it is beside the positive ones."""
    rng = np.random.default_rng(3)
    fixed = rng.standard_normal((10, 60)) * (rng.random((10, 60)) < 0.2)
    free = linalg.null_space(fixed)
    spread = np.concatenate([[lowest], rng.uniform(0.5, 3.0, free.shape[1] - 1)])
    directions = free @ np.linalg.qr(rng.standard_normal((free.shape[1],) * 2))[0]
    others = linalg.null_space(free.T)
    curvature = directions @ np.diag(spread) @ directions.T - 5.0 * others @ others.T
    found = _least_of_many(sparse.csr_array(curvature), sparse.csr_array(fixed))
    assert found == pytest.approx(lowest, rel=1e-4)


def test_a_least_curvature_that_is_not_found_is_none(monkeypatch):
    def lost(*_, **__):
        raise hypostatic.ArpackNoConvergence("lost", [], [])

    monkeypatch.setattr(hypostatic, "eigsh", lost)
    found = _least_of_many(sparse.eye_array(4, format="csr"), sparse.csr_array([[1.0, 0, 0, 0]]))
    assert found is None


def test_constraints_that_have_become_equal_are_left_out_but_for_one():
    """Of two walls in one place one bears all; without them there is nothing to leave out."""
    normals = np.array([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    here = Linearised.at(Halfspaces(normals, np.array([0.1, 0.1, 0.1, -0.5])), np.zeros(2))
    curvature, held = np.eye(2), np.ones(2, dtype=bool)
    place = _Place(here, np.arange(3), np.array([0.3, 0.2, 0.5]), curvature)
    kept, best = _followed(place, held, Trust(1.0))
    assert len(kept.rows) == 2
    assert 2 in kept.rows
    assert (best.reason, best.part) == ("", 1.0)
    assert best.forces == pytest.approx([0.5, 0.5])
    assert best.t == pytest.approx(-0.1)
    same, again = _followed(kept, held, Trust(1.0))
    assert same is kept
    assert again.t == pytest.approx(-0.1)


@pytest.mark.parametrize("kinks", [None, "some"])
def test_a_gap_that_falls_short_counts_for_no_more_than_the_other_errors(kinks):
    """Three gaps and a kink, and errors that only a problem with kinks limits."""
    here = SimpleNamespace(kinks=kinks, n_gaps=3, follow=lambda rows, there: rows)
    best = SimpleNamespace(here=here, rows=np.arange(4))
    for kink, limit in ((0.3, 0.3), (-0.3, 0.3), (0.1, 0.2)):
        there = SimpleNamespace(gaps=np.array([1.2, 0.4, 0.9, kink]))
        found = _errors(best, there, np.array([1.0, 1.0, 1.0, 0.0]))
        short = [-0.6, -0.1] if kinks is None else [-limit, -0.1]
        assert found == pytest.approx([0.2, *short, kink])

"""The interior point method: against the exact solver from outside, and its parts on paper."""

from dataclasses import replace

import numpy as np
import pytest
from exact_points import check_point
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.jamming import exact, exact_jamming
from bridge.jamming.hypostatic import curved_optimum
from bridge.jamming.interior import _carried, _part_left, interior_point
from bridge.jamming.linearised import Linearised
from bridge.measure.observables import places_of
from particles import Discs, Ellipses, Ellipsoids, Perceptron, decompress

modest = settings(deadline=None, max_examples=15)

SYSTEMS = {
    "discs": lambda: Discs.bidisperse(48, 0.86),
    "spheres": lambda: Discs.bidisperse(32, 0.7, dim=3),
    "ellipses": lambda: Ellipses.bidisperse(32, 0.95, aspect=1.5),
    "all but round": lambda: Ellipses.bidisperse(32, 0.9, aspect=1.03),
    "ellipsoids": lambda: Ellipsoids.bidisperse(16, 0.8, axes=0.6),
}


def low(system, seed, pressure=1e-6):
    packing = SYSTEMS[system]()
    end = decompress(packing, packing.random_state(np.random.default_rng(seed)), pressure)
    assert end.status == "jammed"
    return end


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("seed", range(2))
def test_it_ends_inside_with_balanced_forces(system, seed):
    end = low(system, seed)
    inside = interior_point(end.problem, end.x)
    here, rows, forces = inside.here, inside.rows, inside.forces
    assert inside.converged
    assert here.gaps.max() < 0.0
    assert forces @ here.tightening[rows] == pytest.approx(1.0, abs=1e-6)
    assert np.abs(here.jacobian[rows].T @ forces).max() < 1e-3 * forces.mean()
    # Forces times room is what the load can still grow by, and no more than it is at the end.
    point = check_point(exact_jamming(end))
    grown = point.problem.phi / here.problem.phi - 1.0
    assert 0.0 < grown < 1e-9


@pytest.mark.parametrize("system", SYSTEMS)
def test_its_end_is_that_of_the_solver_from_outside(system, monkeypatch):
    end = low(system, 5)
    inside = check_point(exact_jamming(end))
    monkeypatch.setattr(exact, "_INSIDE_OVERLAP", 0.0)
    outside = check_point(exact_jamming(end))
    assert inside.problem.phi == pytest.approx(outside.problem.phi, abs=1e-12)
    assert inside.certificate.n_constraints == outside.certificate.n_constraints
    np.testing.assert_allclose(
        np.sort(inside.relative_forces), np.sort(outside.relative_forces), atol=1e-5
    )


def test_it_serves_dense_problems_as_well():
    """Two patterns at an angle ``θ`` have the largest margin ``cos(θ/2)``, here ``2/√5``."""
    problem = Perceptron(np.array([[1.0, 0.0], [0.6, 0.8]]), sigma=2.0 / 5**0.5 + 1e-6)
    x = np.array([2.0, 1.0]) * (2.0 / 5.0) ** 0.5
    inside = interior_point(problem, x)
    assert inside.converged
    assert inside.rows.tolist() == [0, 1]
    assert inside.forces == pytest.approx([0.5, 0.5], abs=1e-6)
    assert inside.here.problem.sigma == pytest.approx(2.0 / 5**0.5, abs=1e-9)


def test_without_overlap_there_is_nothing_to_enter_from():
    packing = Discs.bidisperse(16, 0.3)
    apart = decompress(Discs.bidisperse(16, 0.86), packing.random_state(np.random.default_rng(1)))
    assert interior_point(apart.problem.with_phi(0.5), apart.x) is None


def test_a_state_that_slides_is_entered_once_more_from_a_minimum_closer_to_jamming(monkeypatch):
    end, entered, plain = low("discs", 3, 1e-5), [], exact.interior_point

    def slides_at_first(problem, x):
        entered.append(problem.pressure(x))
        return replace(plain(problem, x), converged=len(entered) > 1)

    monkeypatch.setattr(exact, "interior_point", slides_at_first)
    point = check_point(exact_jamming(end))
    assert point.stages == 1
    assert entered == [pytest.approx(1e-5, rel=0.02), pytest.approx(5e-6, rel=0.1)]


def test_where_factors_fill_it_is_entered_once(monkeypatch):
    end, entered, plain = low("discs", 3, 1e-5), [], exact.interior_point

    def slides(problem, x):
        entered.append(plain(problem, x))
        return replace(entered[-1], converged=False)

    monkeypatch.setattr(exact, "interior_point", slides)
    monkeypatch.setattr(exact, "_LARGEST_FILL", 10.0)
    check_point(exact_jamming(end))
    assert 10.0 < entered[0].fill < end.problem.n_dof
    assert len(entered) == 1


def test_it_gives_up_after_its_steps():
    end = low("discs", 0)
    inside = interior_point(end.problem, end.x, max_steps=1)
    assert not inside.converged
    assert inside.steps == 1


@modest
@given(st.integers(0, 2**32 - 1))
def test_values_are_carried_by_name(seed):
    rng = np.random.default_rng(seed)
    names = np.unique(rng.integers(-2, 5, (12, 3)), axis=0)
    values = rng.random(len(names))
    others = rng.permutation(
        np.unique(np.vstack([names[::2], rng.integers(-9, 9, (6, 3))]), axis=0)
    )
    known = {tuple(name): value for name, value in zip(names, values, strict=True)}
    expected = [known.get(tuple(name), -1.0) for name in others]
    assert _carried(names, values, others, -1.0).tolist() == expected
    assert not len(_carried(names, values, others[:0]))
    assert places_of(others, names[:0]).tolist() == [-1] * len(others)


def test_a_step_ends_just_before_the_first_value_that_vanishes():
    values = np.array([1.0, 2.0, 3.0])
    assert _part_left(values, np.array([-4.0, -4.0, 1.0])) == pytest.approx(0.25, rel=0.01)
    assert _part_left(values, np.array([-4.0, -4.0, 1.0])) < 0.25
    assert _part_left(values, np.array([1.0, 0.0, -0.1])) == 1.0


def test_contacts_that_are_open_start_with_the_forces_that_balance():
    """A problem that forms its curvature needs no overlap to read it from."""
    end = low("ellipses", 1)
    point = check_point(exact_jamming(end))
    there = Linearised.at(point.problem.tightened(-1e-9), point.x)
    assert there.gaps.max() < 0.0
    rows = Linearised.at(point.problem, point.x).follow(point.rows, there)
    found = curved_optimum(there, rows, 0.1)
    assert not found.certificate.flaw()
    assert found.here.problem.phi == pytest.approx(point.problem.phi, abs=1e-12)

"""Packings in deformed boxes: the conformance suite, a lattice that is its own image, moduli."""

import numpy as np
import pytest

from bridge import check_problem
from bridge.avalanches import drive
from particles import Discs, Ellipses, Ellipsoids, Sheared, minimise, moduli, plot, stress_tensor

PACKINGS = {
    "discs": Discs.bidisperse(14, 0.95),
    "spheres": Discs.bidisperse(12, 0.75, dim=3),
    "ellipses": Ellipses.bidisperse(10, 0.95, aspect=1.8),
    "ellipsoids": Ellipsoids.bidisperse(6, 0.8, axes=0.6),
}


@pytest.fixture(scope="module", params=PACKINGS.values(), ids=PACKINGS)
def packing(request):
    return request.param


def deformed(packing, rng):
    """Any deformation that keeps the volume, turns included."""
    matrix = np.eye(packing.dim) + 0.2 * rng.normal(size=(packing.dim, packing.dim))
    return Sheared(packing, matrix / np.linalg.det(matrix) ** (1.0 / packing.dim))


def test_it_is_a_system(packing):
    rng = np.random.default_rng(0)
    check_problem(deformed(packing, rng), packing.random_state(rng))


def test_curvature_is_the_derivative_of_the_jacobian(packing):
    rng = np.random.default_rng(1)
    problem, x, h = Sheared.by(packing, 0.3), packing.random_state(rng), 1e-6
    forces, v = rng.random(len(problem.gaps(x))), rng.normal(size=problem.n_dof)
    ahead, behind = (problem.gap_jacobian(x + s * v).T @ forces for s in (h, -h))
    error = (ahead - behind) / (2.0 * h) - problem.curvature(x, forces) @ v
    assert np.abs(error).max() < 1e-5 * np.abs(ahead).max()


def test_the_native_descent_ends_in_a_minimum_of_the_sheared_box(packing):
    problem = Sheared.by(packing, -0.4)
    end = minimise(problem, packing.random_state(np.random.default_rng(2)))
    energy, gradient = problem.energy_gradient(end.x)
    assert end.status == "jammed"
    assert end.energy == pytest.approx(energy, rel=1e-12)
    assert np.abs(gradient).max() < 1e-5 * np.sqrt(2.0 * energy / packing.n_dof)


def test_a_box_sheared_by_its_own_side_is_the_same_lattice(packing):
    strain = packing.box[0] / packing.box[1]
    x = packing.random_state(np.random.default_rng(3))
    bodies = packing.bodies(x).copy()
    bodies[:, 0] -= strain * bodies[:, 1]
    there = Sheared.by(packing, strain)
    assert there.strain == strain
    assert there.energy_gradient(bodies.ravel())[0] == pytest.approx(packing.energy_gradient(x)[0])
    np.testing.assert_allclose(stress_tensor(there, bodies.ravel()), stress_tensor(packing, x))
    same = np.sort(packing.normal_gaps(x)[packing.gaps(x) > 0])
    there_gaps = there.gaps(bodies.ravel())
    np.testing.assert_allclose(
        np.sort(there.normal_gaps(bodies.ravel())[there_gaps > 0]), same, atol=1e-12
    )


def test_two_discs_that_are_sheared_apart():
    """At ``r = (γ, 1) y``: ``Δ = 1 - y √(1 + γ²)``, and ``∂Δ/∂γ = -y γ/√(1 + γ²)``."""
    pair, y, strain = Discs(np.ones(2), np.full(2, 5.0)), 0.8, 0.5
    x = np.array([1.0, 1.0, 1.0, 1.0 + y])
    problem = Sheared.by(pair, 0.2).tightened(strain - 0.2)
    root = np.sqrt(1.0 + strain**2)
    np.testing.assert_allclose(problem.gaps(x), 1.0 - y * root)
    np.testing.assert_allclose(problem.tightening(x), -y * strain / root)
    overlap = 1.0 - y * root
    shear_stress = stress_tensor(problem, x)[0, 1] * 25.0
    assert shear_stress == pytest.approx(-overlap * y * strain / root)


@pytest.mark.parametrize("strain", [0.0, 0.15])
@pytest.mark.parametrize(
    "packing", [Discs.bidisperse(40, 0.95), Ellipses.bidisperse(30, 0.98, aspect=1.8)]
)
def test_the_modulus_is_the_slope_of_stress_in_boxes_that_are_sheared(packing, strain):
    base, h = Sheared.by(packing, strain), 1e-5
    x = minimise(base, packing.random_state(np.random.default_rng(4)), relative=1e-9).x
    ends = [minimise(base.tightened(s), x, relative=1e-9) for s in (h, -h)]
    stress = [stress_tensor(end.problem, end.x)[0, 1] for end in ends]
    energies = [end.energy / base.box.prod() for end in ends]
    here = base.energy_gradient(x)[0] / base.box.prod()
    slope = (stress[0] - stress[1]) / (2.0 * h)
    assert slope == pytest.approx((sum(energies) - 2.0 * here) / h**2, rel=1e-3)
    # Of exp(γe), symmetric, not of 1 + γ e_x e_yᵀ: they differ by a turn, and by e², each by γ²/2.
    found = moduli(base, x)
    tilt = np.diff(stress_tensor(base, x).diagonal())[0] / 2.0
    assert found.shears[0] == pytest.approx(slope, abs=abs(tilt) + 3e-2 * slope)


def test_the_work_of_a_slow_shear_is_its_stress():
    packing = Discs.bidisperse(8, 0.98)
    start = packing.random_state(np.random.default_rng(5))
    found = drive(Sheared.by(packing, 0.0), start, np.linspace(0.0, 0.004, 5), with_spectra=False)
    end = Sheared.by(packing, 0.004)
    stress = found.work[1:] / (np.diff(found.loads) * packing.box.prod())
    assert found.status == "loaded"
    assert not found.avalanches
    # At the middles of the steps: half a step before the end, on a line.
    last = stress_tensor(end, found.x)[0, 1]
    assert last == pytest.approx(1.5 * stress[-1] - 0.5 * stress[-2], rel=1e-3)


def test_a_picture_of_bodies_sheared_back():
    pair = Discs(np.ones(2), np.full(2, 5.0))
    long, short, _ = Sheared.by(pair, 0.5).outlines(np.zeros(4))[0]
    assert long * short == pytest.approx(1.0)
    assert long / short == pytest.approx(((1.0 + 17.0**0.5) / 4.0) ** 2)
    from matplotlib.figure import Figure

    plot(Sheared.by(pair, 0.5), np.array([1.0, 1.0, 1.0, 1.8]), Figure().add_subplot())


def test_what_is_no_deformation_is_refused():
    pair = Discs(np.ones(2), np.full(2, 5.0))
    with pytest.raises(ValueError, match="keeps the volume"):
        Sheared(pair, 1.1 * np.eye(2))
    with pytest.raises(ValueError, match="matrix"):
        Sheared(pair, np.eye(3))
    with pytest.raises(TypeError, match="Packing"):
        Sheared.by(0.1, pair)

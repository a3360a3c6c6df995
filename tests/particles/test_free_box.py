"""Boxes whose shape is a variable: the conformance suite, and contacts of discs at no shear."""

import numpy as np
import pytest

from bridge import check_problem, exact_jamming
from bridge.descent.newton import Newton
from particles import (
    Discs,
    Ellipses,
    Ellipsoids,
    FreeBox,
    decompress,
    minimise,
    moduli,
    stress_tensor,
)

PACKINGS = {
    "discs": Discs.bidisperse(4, 0.95),
    "ellipses": Ellipses.bidisperse(3, 0.95, aspect=1.8),
    "ellipsoids": Ellipsoids.bidisperse(4, 0.9, axes=(1.25, 1.0, 0.8)),
}


@pytest.fixture(params=PACKINGS)
def boxed(request):
    rng = np.random.default_rng(0)
    box = FreeBox(PACKINGS[request.param])
    return box, np.append(box.packing.random_state(rng), rng.normal(size=box.shapes)), rng


@pytest.mark.parametrize("boxed", ["discs", "ellipses"], indirect=True)
def test_it_is_a_system(boxed):
    check_problem(*boxed[:2])


def test_derivatives_by_the_shape(boxed):
    box, x, rng = boxed
    forces, v, h = rng.random(len(box.gaps(x))), rng.normal(size=box.n_dof), 1e-6
    ahead, behind = (box.gap_jacobian(x + s * v).T @ forces for s in (h, -h))
    error = (ahead - behind) / (2.0 * h) - box.curvature(x, forces) @ v
    assert np.abs(error).max() < 1e-5 * np.abs(ahead).max()
    (up, ahead), (down, behind) = (box.energy_gradient(x + s * v) for s in (h, -h))
    assert box.energy_gradient(x)[1] @ v == pytest.approx((up - down) / (2.0 * h), rel=1e-6)
    error = (ahead - behind) / (2.0 * h) - box.hvp(x, v)
    assert np.abs(error).max() < 1e-5 * np.abs(box.hvp(x, v)).max()


def test_a_pair_that_leans_on_its_image_stretches_the_box():
    """One disc in a box ``h < 1`` high, alone: ``Δ = 1 - h e^-s``, ``dU/dw = Δ h e^-s ds/dw``."""
    height = 0.9
    box = FreeBox(Discs(np.ones(1), np.array([3.0, height])))
    w = 0.1
    shape, length = np.tanh(w / box.length), box.length
    x = np.array([0.0, 0.0, w, 0.0])
    height_there = height * np.exp(-shape)
    (gap,) = box.gaps(x)[box.gaps(x) > 0]
    assert gap == pytest.approx(1.0 - height_there)
    slope = gap * height_there * (1.0 - shape**2) / length
    np.testing.assert_allclose(box.energy_gradient(x)[1], [0.0, 0.0, slope, 0.0], atol=1e-15)


@pytest.fixture(scope="module")
def packed():
    packing = Discs.bidisperse(24, 0.86)
    return decompress(packing, packing.random_state(np.random.default_rng(1)), 1e-4)


def test_newton_ends_in_a_box_without_shear_stress(packed):
    packing = packed.problem.with_phi(0.95)
    before = minimise(packing, packed.x, relative=1e-9)
    box = FreeBox(packing)
    problem, x = box.inside(Newton()(box, box.state(before.x)).x)
    pressure = problem.virial_pressure(x)
    assert pressure > 0.01
    assert np.linalg.det(problem.matrix) == pytest.approx(1.0)
    stress = stress_tensor(problem, x)
    np.testing.assert_allclose(stress, -pressure * np.eye(2), atol=1e-8 * pressure)
    assert abs(stress_tensor(packing, before.x)[0, 1]) > 1e-3 * pressure
    np.testing.assert_allclose(moduli(problem, x).floors, 0.0, atol=1e-12)


def test_discs_that_nothing_shears_jam_with_two_contacts_more(packed):
    """As many contacts as variables and one: ``2N' - 2`` of places, two shapes, one load."""
    box = FreeBox(packed.problem)
    point = exact_jamming(box, box.state(packed.x))
    held = int(point.held[:-2].sum()) // 2
    assert point.status == "jammed"
    assert len(point.rows) == 2 * held + 1

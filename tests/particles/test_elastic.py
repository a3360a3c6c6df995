"""Moduli against a crystal that is solved on paper and against deformed boxes."""

from dataclasses import replace

import numpy as np
import pytest

from particles import Discs, Ellipses, decompress, minimise
from particles.packings.elastic import moduli, shear_directions, stress_anisotropy, stress_tensor


def crystal(overlap, rows=4):
    """Triangular lattice of discs of diameter 1 at distance 1 - overlap."""
    a = 1.0 - overlap
    cell = np.array([[0.0, 0.0], [0.5, np.sqrt(3) / 2]])
    shifts = [np.array([i, j * np.sqrt(3)]) for i in range(rows) for j in range(rows)]
    x = a * np.concatenate([cell + shift for shift in shifts])
    box = a * rows * np.array([1.0, np.sqrt(3)])
    return Discs(np.ones(len(x)), box), x.ravel()


def test_moduli_of_the_triangular_crystal():
    """B = (√3/2) k and G = (√3/4) k of springs k at rest, here k = 1/σ² = 1."""
    packing, x = crystal(1e-7)
    found = moduli(packing, x)
    assert found.bulk == pytest.approx(np.sqrt(3) / 2, rel=1e-5)
    np.testing.assert_allclose(found.shears, np.sqrt(3) / 4, rtol=1e-5)
    assert found.affine_shear == pytest.approx(found.shear, rel=1e-10)


def test_stress_of_the_triangular_crystal():
    """Three bonds a body of force Δ and length a, in an area √3 a²/2: P = √3 Δ/a."""
    packing, x = crystal(0.1)
    stress = stress_tensor(packing, x)
    np.testing.assert_allclose(stress, -np.eye(2) * np.sqrt(3) * 0.1 / 0.9, atol=1e-12)
    assert packing.virial_pressure(x) == pytest.approx(np.sqrt(3) * 0.1 / 0.9)
    assert stress_anisotropy(packing, x) == pytest.approx(0.0, abs=1e-12)


def test_at_jamming_a_packing_resists_shear_by_its_own_stress_alone():
    """One self-stress ``f`` is left, and it is the force: ``G = (f·∂Δ/∂γ)²/(V f²)`` less some p."""
    packing = Discs.bidisperse(24, 0.86)
    x = packing.random_state(np.random.default_rng(3))
    end = decompress(packing, x, 1e-6, relative=1e-9)
    found = moduli(end.problem, end.x)
    assert end.status == "jammed"
    assert found.floors.max() > 5e-3
    np.testing.assert_allclose(found.shears, found.floors, atol=20e-6)


def test_a_crystal_has_no_shear_stress_and_no_floor():
    packing, x = crystal(0.01)
    np.testing.assert_allclose(moduli(packing, x).floors, 0.0, atol=1e-20)


def strained(problem, x, stretch):
    bodies = problem.bodies(x).copy()
    bodies[:, : problem.dim] *= stretch
    return replace(problem, box=problem.box * stretch), bodies.ravel()


@pytest.mark.parametrize(
    "problem",
    [
        Discs.bidisperse(64, 0.95),
        Discs.bidisperse(40, 0.75, dim=3),
        Ellipses.bidisperse(48, 0.98, aspect=1.8),
    ],
    ids=["discs", "spheres", "ellipses"],
)
def test_moduli_against_deformed_boxes(problem):
    start = problem.random_state(np.random.default_rng(1))
    x = minimise(problem, start, relative=1e-10).x
    found, d, h = moduli(problem, x), problem.dim, 1e-5

    def relaxed(e, gamma):
        box, y = strained(problem, x, np.exp(gamma * e))
        end = minimise(box, y, relative=1e-10)
        return end.energy, box.virial_pressure(end.x)

    e = shear_directions(d)[d * (d - 1) // 2].diagonal()
    energies = [relaxed(e, gamma)[0] for gamma in (h, 0.0, -h)]
    shear = (energies[0] - 2 * energies[1] + energies[2]) / (h * h * problem.box.prod())
    assert found.shears[d * (d - 1) // 2] == pytest.approx(shear, rel=1e-3, abs=1e-5)
    pressures = [relaxed(np.ones(d), gamma)[1] for gamma in (h, -h)]
    bulk = -(pressures[0] - pressures[1]) / (2 * h * d)
    assert found.bulk == pytest.approx(bulk, rel=1e-4)
    assert found.affine_bulk >= found.bulk
    assert found.affine_shear >= found.shear


def test_the_stress_is_the_derivative_of_the_energy():
    problem = Ellipses.bidisperse(30, 1.0, aspect=2.0)
    x = problem.random_state(np.random.default_rng(0))
    stress = stress_tensor(problem, x) * problem.box.prod()
    for a in range(2):
        e = np.eye(2)[a]
        ahead, behind = (
            q.energy_gradient(y)[0]
            for q, y in (strained(problem, x, np.exp(s * e)) for s in (1e-6, -1e-6))
        )
        assert stress[a, a] == pytest.approx((ahead - behind) / 2e-6, rel=1e-6)
    assert problem.virial_pressure(x) == pytest.approx(
        -np.trace(stress) / 2 / problem.box.prod(), rel=1e-12
    )


def test_one_contact_is_as_anisotropic_as_can_be():
    pair = Discs(np.ones(2), np.full(2, 5.0))
    x = np.array([1.0, 1.0, 1.9, 1.0])
    assert stress_anisotropy(pair, x) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="holds no body"):
        moduli(pair, x)
    with pytest.raises(ValueError, match="got none"):
        stress_anisotropy(pair, np.array([1.0, 1.0, 3.0, 1.0]))

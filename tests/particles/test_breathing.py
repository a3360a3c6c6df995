"""Discs and spheres whose radii give way: derivatives, rigid limit, and contacts beyond spheres."""

import numpy as np
import pytest
from hypothesis import given, settings

from bridge import check_problem, exact_jamming, observe, spectrum
from bridge.systems import systems
from particles import Breathing, Discs, FreeBox, decompress, minimise, moduli, relax, write_xyz

from packing_strategies import breathing


@settings(deadline=None, max_examples=6)
@given(breathing(max_n=4))
def test_it_is_a_system(system):
    check_problem(*system)


@settings(deadline=None, max_examples=15)
@given(breathing(max_n=12))
def test_second_derivatives_of_gaps_and_energy(system):
    problem, x = system
    rng, h = np.random.default_rng(0), 1e-6
    forces, v = rng.random(len(problem.gaps(x))), rng.normal(size=problem.n_dof)
    names = [tuple(name) for name in problem.gap_names(x)]

    def pull(s):  # which pairs are near may change within the step
        there = x + s * v
        force = dict(zip(names, forces, strict=True))
        kept = np.array([force.get(tuple(name), 0.0) for name in problem.gap_names(there)])
        return problem.gap_jacobian(there).T @ kept

    slope = (pull(h) - pull(-h)) / (2.0 * h)
    error = slope - problem.curvature(x, forces) @ v
    assert np.abs(error).max() < 1e-5 * (1.0 + np.abs(slope).max())
    products = problem.hvp(x, np.eye(problem.n_dof))
    np.testing.assert_allclose(problem.hessian(x).toarray(), products, atol=1e-12)


def test_two_discs_between_their_images_share_the_overlap_with_their_radii():
    """A row of two in a box ``L``: four equal forces, ``K e = -Δ (1 - Δ)/(1 + e)``, all alike."""
    length, hard = 1.9, 0.5
    row = Breathing(np.ones(2), np.array([length, 9.0]), radius_stiffness=hard)
    end = relax(row, row.state(np.array([0.1, 1.0, 0.2 + 0.5 * length, 1.0])), relative=1e-10)
    e = row.strains(end.x)
    gap = 1.0 - 0.5 * length / (1.0 + e)
    np.testing.assert_allclose(hard * e, -gap * (1.0 - gap) / (1.0 + e), rtol=1e-7)
    assert end.energy == pytest.approx(gap[0] ** 2 + hard * e[0] ** 2, rel=1e-9)


@pytest.fixture(scope="module")
def rigid():
    discs = Discs.bidisperse(32, 0.9)
    return minimise(discs, discs.random_state(np.random.default_rng(3)), relative=1e-11)


def test_hard_radii_make_discs(rigid):
    """Strains and all that follows from them vanish as ``1/K``."""
    discs, energies, strains = rigid.problem, [], []
    for hard in (1e6, 1e8, 1e10):
        problem = Breathing.of(discs, hard)
        end = minimise(problem, problem.state(rigid.x), relative=1e-11)
        centres = problem.centres(end.x).ravel()
        assert np.abs(centres - rigid.x).max() < 10.0 / hard + 1e-9
        assert problem.pressure(end.x) == pytest.approx(rigid.pressure, rel=1e2 / hard + 1e-9)
        energies.append(1.0 - end.energy / rigid.energy)
        strains.append(np.abs(problem.strains(end.x)).max())
        hessian = problem.hessian(problem.state(rigid.x)).toarray()
        places = np.arange(problem.n_dof) % 3 < 2
        expected = discs.hessian(rigid.x).toarray()
        np.testing.assert_allclose(hessian[np.ix_(places, places)], expected, atol=1e-12)
    assert strains[1] / strains[0] == pytest.approx(1e-2, rel=1e-3)
    assert strains[2] / strains[1] == pytest.approx(1e-2, rel=1e-3)
    assert energies[0] > energies[1] > energies[2] > -1e-12


@pytest.fixture(scope="module")
def soft(rigid):
    problem = Breathing.of(rigid.problem, 0.01)
    return decompress(problem, problem.state(rigid.x), 1e-4, relative=1e-8)


def test_soft_radii_give_contacts_beyond_those_of_discs(soft):
    seen = observe(soft)
    assert soft.status == "jammed"
    assert soft.pressure == pytest.approx(1e-4, rel=0.01)
    excess = seen.n_constraints - seen.n_isostatic
    held = soft.problem.n_bodies - seen.n_frozen
    assert excess >= 3
    assert seen.coordination == pytest.approx(2.0 * (excess + 2 * held - 1) / held)
    assert seen.max_residual < 1e-3 * seen.min_force
    # Every body that is held is smaller than at rest, and rattlers are as they were.
    strains, loose = soft.problem.strains(soft.x), soft.problem.rattlers(soft.x)
    assert (strains[~loose] < 0.0).all()
    assert not strains[loose].any()


def test_a_gap_parts_the_modes_that_no_contact_resists(soft):
    """As many as there are variables more than contacts: only springs of radii resist them."""
    seen, values = observe(soft), spectrum(soft).eigenvalues
    held = soft.problem.n_bodies - seen.n_frozen
    contacts = round(0.5 * seen.coordination * held)
    values = values[-seen.n :]
    missing = seen.n - contacts
    assert values[0] > 0.0
    assert values[missing - 1] < 2.0 * 0.01 / 1.01  # of springs in the units of `x`
    assert values[missing] > 5.0 * values[missing - 1]


def test_its_bulk_modulus_is_the_slope_of_the_pressure(soft):
    """Against differences of relaxed states; radii soften it."""
    problem, x = soft.problem, soft.x
    found = moduli(problem, x)
    pressures = []
    for t in (-1e-7, 1e-7):
        grown = problem.grown(t)
        pressures.append(grown.virial_pressure(minimise(grown, x, relative=1e-10).x))
    # Growing bodies by t is compressing the box by t each way, but for the pressure's own unit.
    slope = (pressures[1] - pressures[0]) / 2e-7
    assert found.bulk == pytest.approx(0.5 * slope + problem.virial_pressure(x), rel=1e-3)
    assert found.bulk < 0.5 * found.affine_bulk


def test_without_pressure_it_jams_as_discs_do(soft):
    """The exact point of bodies that breathe: the same load, and a force for each spring."""
    point = exact_jamming(soft.problem, soft.x, minimise=minimise)
    at_rest = soft.problem.at_rest
    discs = exact_jamming(at_rest, soft.problem.centres(soft.x).ravel(), minimise=minimise)
    assert point.status == discs.status == "jammed"
    assert point.problem.phi == pytest.approx(discs.problem.phi, rel=1e-9)
    assert len(point.rows) == len(discs.rows) + discs.held.reshape(-1, 2).any(axis=1).sum()


def test_the_command_line_goes_on_to_rigid_bodies():
    system = systems()["breathing"](n=16, stiffness=0.1, pressure=1e-4, dim=3)
    state = system.jam(np.random.default_rng(0))
    assert state.status == "jammed"
    assert isinstance(system.limited(state).problem, Discs)
    with pytest.raises(ValueError, match="harmonic"):
        system.check_linear()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p, x: Breathing.of(p.at_rest, 0.0), "radius_stiffness"),
        (lambda p, x: Breathing.of(p.at_rest, np.inf), "radius_stiffness"),
        (lambda p, x: Breathing.of(p, 1.0), "expected a Discs as discs"),
        (lambda p, x: p.gaps(np.tile([0.0, 0.0, -2.0], 32)), "radii above 0"),
        (lambda p, x: FreeBox(p).energy_gradient(np.append(x, [0.0, 0.0])), "rigid bodies"),
        (lambda p, x: write_xyz("never.xyz", p, x), "rigid bodies"),
    ],
)
def test_wrong_input_gets_one_line(soft, make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make(soft.problem, soft.x)

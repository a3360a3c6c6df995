"""Jamming of discs and spheres: contact counts, packing fractions, loads up and down."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from particles import Discs, Ellipses, compress, decompress, minimise
from particles.packings.compression import distance_to_jamming

from packing_strategies import discs, ellipses


def jam(problem, seed, pressure, **options):
    return decompress(
        problem, problem.random_state(np.random.default_rng(seed)), pressure, **options
    )


def counts(end):
    """Contacts and bodies, rattlers left out."""
    held = end.problem.n_bodies - int(end.problem.rattlers(end.x).sum())
    return int((end.problem.gaps(end.x) > 0).sum()), held


@pytest.fixture(scope="module")
def jammed_discs():
    return [jam(Discs.bidisperse(256, phi=0.86), seed, 1e-7) for seed in range(10)]


def test_discs_jam_with_one_self_stress(jammed_discs):
    assert all(end.status == "jammed" for end in jammed_discs)
    excess = [contacts - (2 * held - 1) for contacts, held in map(counts, jammed_discs)]
    assert sum(abs(e) <= 1 for e in excess) >= 9


def test_the_pressure_is_the_one_asked_for(jammed_discs):
    for end in jammed_discs:
        _, held = counts(end)
        overlap = np.maximum(end.problem.gaps(end.x), 0.0).sum()
        assert end.pressure == pytest.approx(overlap / (2 * held - 2), rel=1e-12)
        assert end.pressure == pytest.approx(1e-7, rel=0.01)
        _, gradient = end.problem.energy_gradient(end.x)
        assert np.abs(gradient).max() < 1e-4 * end.pressure


def test_discs_jam_at_the_known_packing_fraction(jammed_discs):
    phis = [end.phi for end in jammed_discs]
    assert 0.838 < np.mean(phis) < 0.845
    assert np.std(phis) < 0.005
    loose = [end.problem.rattlers(end.x).mean() for end in jammed_discs]
    assert np.mean(loose) == pytest.approx(0.052, abs=0.02)


def test_zero_modes_are_translations_and_rattlers(jammed_discs):
    for end in jammed_discs[:2]:
        modes = np.linalg.eigvalsh(end.problem.hessian(end.x).toarray())
        zeros = 2 + 2 * int(end.problem.rattlers(end.x).sum())
        assert np.abs(modes[:zeros]).max() < 1e-13
        assert modes[zeros] > 1e-7


def test_spheres_jam_with_one_self_stress():
    for seed in range(3):
        end = jam(Discs.bidisperse(128, phi=0.7, dim=3), seed, 1e-8)
        contacts, held = counts(end)
        assert end.status == "jammed"
        assert abs(contacts - (3 * held - 2)) <= 1
        assert 0.62 < end.phi < 0.66


def test_pressure_grows_in_proportion_to_the_distance_from_jamming(jammed_discs):
    slopes = []
    for end in jammed_discs:
        denser = compress(end.problem, end.x, [end.phi + 1e-3])
        slopes.append(denser.problem.virial_pressure(denser.x) / 1e-3)
    assert np.mean(slopes) == pytest.approx(0.273, abs=0.03)


def test_the_virial_extrapolates_to_jamming(jammed_discs):
    end = jammed_discs[0]
    denser = compress(end.problem, end.x, [end.phi + 1e-5])
    distance = distance_to_jamming(denser.problem, denser.x)
    assert distance == pytest.approx(1e-5, rel=0.05)


@settings(deadline=None, max_examples=40)
@given(st.one_of(discs(), ellipses()), st.sampled_from([1e-2, 1e-4, 1e-6]))
def test_no_run_ends_at_the_wrong_pressure_without_saying_so(system, pressure):
    problem, x = system
    end = decompress(problem, x, pressure)
    right = abs(end.pressure / pressure - 1.0) <= 0.011
    assert end.status in {"jammed", "unjammed", "stalled"}
    if end.status == "jammed":
        assert right
        assert not end.problem.rattlers(end.x).all()
    elif right:  # such as one body that only touches its own image, on one axis
        assert end.reason
    assert end.stages[0].phi == pytest.approx(problem.phi)


def test_a_packing_that_rearranges_on_the_way_still_arrives():
    """From 2e-3 the pressure of this one falls to nothing at once, however small the step."""
    end = jam(Ellipses.bidisperse(64, phi=0.93, aspect=1.5), 0, 1e-6)
    assert end.status == "jammed"
    assert end.pressure == pytest.approx(1e-6, rel=0.01)


@pytest.mark.parametrize("unit", [1e-3, 64.0])
def test_the_unit_of_length_changes_nothing_else(unit):
    ours = Ellipses.bidisperse(32, phi=0.95, aspect=2.0)
    theirs = Ellipses(unit * ours.diameters, ours.aspect, unit * ours.box)
    scale = np.tile([unit, unit, 1.0], 32)
    start = ours.random_state(np.random.default_rng(0))
    end, same = decompress(ours, start, 1e-4), decompress(theirs, scale * start, 1e-4)
    assert same.status == "jammed"
    assert same.phi == pytest.approx(end.phi, rel=1e-6)
    np.testing.assert_allclose(same.x, scale * end.x, atol=1e-4 * unit)


def test_from_below_it_grows_until_it_jams():
    end = jam(Discs.bidisperse(64, phi=0.6), 0, 1e-4)
    assert end.status == "jammed"
    assert end.stages[0].status == "unjammed"
    assert end.phi > 0.8


def test_too_few_stages_or_steps_are_stalled():
    packing = Discs.bidisperse(64, phi=0.9)
    assert jam(packing, 0, 1e-6, max_stages=3).status == "stalled"
    assert jam(packing, 0, 1e-6, max_steps=50).status == "stalled"


def test_compression_and_decompression_do_not_retrace_their_path():
    packing = Discs.bidisperse(128, phi=0.8)
    start = packing.random_state(np.random.default_rng(3))
    loads = [*np.linspace(0.82, 0.95, 27), *np.linspace(0.95, 0.82, 27)]
    path = compress(packing, start, loads)
    up, down = path.stages[:27], path.stages[27:][::-1]
    jam_up = min(s.phi for s in up if s.status == "jammed")
    jam_down = min(s.phi for s in down if s.status == "jammed")
    assert jam_down >= jam_up
    assert any(abs(a.pressure - b.pressure) > 1e-5 for a, b in zip(up, down, strict=True))
    assert path.problem.phi == pytest.approx(0.82)


def test_wrong_pressures_are_refused():
    packing = Discs.bidisperse(8, phi=0.9)
    for pressure in (0.0, -1.0, float("nan"), 2.0):
        with pytest.raises(ValueError, match="1e-12 <= pressure < 1"):
            decompress(packing, np.zeros(16), pressure)


@pytest.mark.parametrize(
    ("name", "value"),
    [("tolerance", float("nan")), ("tolerance", 0.0), ("shrink", 1.0), ("shrink", -1.0)],
)
def test_wrong_options_are_refused(name, value):
    packing = Discs.bidisperse(8, phi=0.9)
    with pytest.raises(ValueError, match=f"expected .*{name}.*, got {value}"):
        decompress(packing, np.zeros(16), 1e-3, **{name: value})


def test_no_two_sizes_alike_leave_no_contact_to_spare():
    """Of equal discs seven close a hexagon, in which one contact of twelve is redundant."""
    rng = np.random.default_rng(0)
    packing = Discs(rng.uniform(1.0, 1.4, 128), np.full(2, 12.0)).with_phi(0.87)
    end = decompress(packing, packing.random_state(rng), 1e-9)
    contacts, held = counts(end)
    assert end.status == "jammed"
    assert contacts == 2 * held - 1


def test_a_jammed_state_is_a_minimum_of_its_own_load(jammed_discs):
    end = jammed_discs[0]
    again = minimise(end.problem, end.x, floor=1e-10)
    assert again.status == "jammed"
    assert np.abs(again.x - end.x).max() < 1e-3

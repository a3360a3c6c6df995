"""Orientations by three variables: no singular one, and isotropic where they are random."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from particles.packings.orientations import (
    HALF_TURNS,
    axes_of,
    axes_of_quaternions,
    quaternions_of,
    random_turns,
    rates_of,
    skew,
    turned_by,
    turns_of,
)

from plain_packings import turned

SEEDS = st.integers(0, 2**32 - 1)


def any_turns(seed, n=20):
    """Tilts up to almost half a turn, and any spins."""
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.normal(0.0, 3.0, (n, 2)), rng.uniform(-20.0, 20.0, n)])


@settings(deadline=None, max_examples=50)
@given(SEEDS)
def test_they_are_a_tilt_after_a_spin(seed):
    turns = any_turns(seed)
    turns[0, :2] = 0.0
    axes = axes_of(turns)
    np.testing.assert_allclose(axes, turned(turns), atol=1e-13)
    quaternions = quaternions_of(turns)
    np.testing.assert_allclose(Rotation.from_quat(quaternions).as_matrix(), axes, atol=1e-13)
    np.testing.assert_allclose(axes_of_quaternions(3.0 * quaternions), axes, atol=1e-13)


@settings(deadline=None, max_examples=50)
@given(SEEDS)
def test_an_ellipsoid_has_small_variables_for_every_orientation(seed):
    axes = Rotation.random(20, rng=np.random.default_rng(seed)).as_matrix()
    turns = turns_of(axes)
    assert (np.linalg.norm(turns[:, :2], axis=1) <= 2.0 + 1e-12).all()
    assert (np.abs(turns[:, 2]) <= np.pi / 2 + 1e-12).all()
    # The same axes but for the signs of two of them.
    signs = np.einsum("nab,nab->nb", axes_of(turns), axes)
    np.testing.assert_allclose(np.abs(signs), 1.0, atol=1e-12)
    np.testing.assert_allclose(signs.prod(axis=1), 1.0, atol=1e-12)


def test_every_half_turn_and_the_edge_of_the_hemisphere():
    for half in HALF_TURNS:
        assert np.linalg.det(np.diag(half)) == pytest.approx(1.0)
        turns = turns_of(np.diag(half)[None])
        np.testing.assert_allclose(np.abs(axes_of(turns)[0]), np.eye(3), atol=1e-15)
    level = Rotation.from_rotvec([0.0, np.pi / 2, 0.0]).as_matrix()[None]
    np.testing.assert_allclose(np.linalg.norm(turns_of(level)[0, :2]), 2.0)


@settings(deadline=None, max_examples=50)
@given(SEEDS)
def test_rates_and_bends_against_differences(seed):
    turns, step = any_turns(seed), 1e-5
    rates, bends = rates_of(turns)
    for k, e in enumerate(step * np.eye(3)):
        slope = (axes_of(turns + e) - axes_of(turns - e)) / (2 * step)
        spin = slope @ axes_of(turns).transpose(0, 2, 1)
        np.testing.assert_allclose(skew(rates)[..., k], spin, atol=1e-9)
        change = (rates_of(turns + e)[0] - rates_of(turns - e)[0]) / (2 * step)
        np.testing.assert_allclose(bends[..., k], change, atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_no_orientation_is_singular_and_all_tilts_are_alike(seed):
    """The third axis moves by the same length for a step of p in any direction, and never by 0."""
    turns = any_turns(seed)
    rates, _ = rates_of(turns)
    tilt = np.cross(rates[:, :, :2], axes_of(turns)[:, :, 2:], axis=1)
    metric = np.einsum("nak,nam->nkm", tilt, tilt)
    scale = 1.0 / (1.0 + 0.25 * (turns[:, :2] ** 2).sum(axis=1))
    np.testing.assert_allclose(metric, scale[:, None, None] ** 2 * np.eye(2), atol=1e-13)
    np.testing.assert_allclose(rates[:, :, 2], axes_of(turns)[:, :, 2], atol=1e-13)


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_turns_of_the_minimiser_are_in_axes_of_the_body(seed):
    rng = np.random.default_rng(seed)
    axes, turn = axes_of(any_turns(seed)), rng.normal(0.0, 1.0, (20, 3))
    angle = 4.0 * np.arctan(np.linalg.norm(turn, axis=1, keepdims=True) / 4.0)
    there = Rotation.from_rotvec(angle * turn / np.linalg.norm(turn, axis=1, keepdims=True))
    np.testing.assert_allclose(turned_by(axes, turn), axes @ there.as_matrix(), atol=1e-13)


def test_random_orientations_are_isotropic():
    """Of an isotropic axis, ⟨n_a²⟩ = 1/3 and ⟨n_a⁴⟩ = 1/5: all three axes are."""
    axes = axes_of(random_turns(np.random.default_rng(0).random((40000, 3))))
    np.testing.assert_allclose((axes**2).mean(axis=0), 1 / 3, atol=0.01)
    np.testing.assert_allclose((axes**4).mean(axis=0), 1 / 5, atol=0.01)

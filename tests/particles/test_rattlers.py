"""Which bodies are held, against a linear program and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from particles import Discs, minimise
from particles.kernels.rattlers import surrounded_2d, surrounded_3d
from particles.packings.rattler_release import released
from particles.packings.rattlers import rattlers


def is_inside(normals):
    """Whether the origin is inside the hull, by a linear program and a rank.

    Inside: the normals span space, and ``Σ λ n = 0`` has a solution with every ``λ`` positive.
    """
    count, dim = normals.shape
    if np.linalg.matrix_rank(normals) < dim:
        return False
    answer = linprog(
        np.append(np.zeros(count), -1.0),
        A_ub=np.hstack([-np.eye(count), np.ones((count, 1))]),
        b_ub=np.zeros(count),
        A_eq=np.vstack([np.hstack([normals.T, np.zeros((dim, 1))]), [1.0] * count + [0.0]]),
        b_eq=np.append(np.zeros(dim), 1.0),
        bounds=[(0, 1)] * count + [(None, 1)],
    )
    return answer.status == 0 and -answer.fun > 1e-9


def surrounded(normals):
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    return (surrounded_2d if normals.shape[1] == 2 else surrounded_3d)(normals)


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3]), st.integers(1, 9))
def test_a_body_is_held_when_the_origin_is_inside_the_hull(seed, dim, count):
    normals = np.random.default_rng(seed).standard_normal((count, dim))
    assert surrounded(normals) == is_inside(normals)


def test_a_thousand_degenerate_sets_of_normals():
    """Directions of small integers are often parallel, antiparallel, coplanar, and the same."""
    rng = np.random.default_rng(2)
    answers = {2: [], 3: []}
    for _ in range(1000):
        dim = int(rng.integers(2, 4))
        normals = rng.integers(-1, 2, (rng.integers(1, 9), dim)).astype(float)
        normals = normals[normals.any(axis=1)]
        if len(normals):
            answers[dim].append(surrounded(normals))
            assert answers[dim][-1] == is_inside(normals), normals
    for held in answers.values():
        assert 50 < sum(held) < len(held) - 50  # both answers are common


def test_the_octahedron_holds_and_each_of_its_corners_is_needed():
    corners = np.concatenate([np.eye(3), -np.eye(3)])
    assert surrounded(corners)
    assert surrounded(np.concatenate([corners, corners]))
    for k in range(6):
        assert not surrounded(np.delete(corners, k, axis=0))
    square = np.concatenate([np.eye(2), -np.eye(2)])
    assert surrounded(square)
    assert not surrounded(square[:3])


def test_d_contacts_never_hold():
    assert not surrounded_2d(np.array([[1.0, 0.0], [-1.0, 0.0]]))
    assert not surrounded_3d(np.array([[1.0, 0.0, 0.0], [-0.5, 1.0, 0.0], [-0.5, -1.0, 0.0]]))


def test_contacts_in_a_half_plane_do_not_hold():
    assert not surrounded_2d(np.array([[1.0, 0.1], [-1.0, 0.1], [0.0, 1.0]]))
    assert not surrounded_2d(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]))
    assert surrounded_2d(np.array([[1.0, -0.1], [-1.0, -0.1], [0.0, 1.0]]))


def test_two_contacts_on_one_side_count_once():
    assert not surrounded_2d(np.array([[1.0, 0.0], [1.0, 0.0], [-1.0, -0.2], [0.5, -1.0]]))


def test_a_body_that_only_rattlers_hold_is_one_of_them():
    """0 is caged by 1, 2 and 3, and nothing holds those."""
    angles = 2 * np.pi * np.arange(3) / 3
    normals = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    loose = rattlers(np.zeros(3, int), np.arange(1, 4), normals, 4)
    assert loose.all()


def test_a_body_between_its_own_images_is_held():
    single = Discs(np.array([1.0]), np.array([0.9, 0.9]))
    assert not single.rattlers(np.zeros(2)).any()
    assert single.frozen(np.zeros(2)) == []


def test_frozen_lists_the_variables_of_each_rattler():
    packing = Discs(np.ones(3), np.full(2, 9.0))
    x = np.array([1.0, 1.0, 1.9, 1.0, 5.0, 5.0])
    assert [list(v) for v in packing.frozen(x)] == [[0, 1], [2, 3], [4, 5]]


def test_released_rattlers_touch_nothing_and_move_nobody():
    packing = Discs.bidisperse(200, phi=0.87)
    x = minimise(packing, packing.random_state(np.random.default_rng(0))).x
    loose = packing.rattlers(x)
    assert loose.any()
    # Push one rattler into a neighbour, as a minimisation may leave it.
    near, slopes = packing.near(x)
    row = np.flatnonzero(loose[near.i] & ~loose[near.j])[0]
    pushed = x.reshape(-1, 2).copy()
    pushed[near.i[row]] += (
        near.vector[row] * (-slopes.gap[row] + 1e-9) / np.linalg.norm(near.vector[row])
    )
    assert packing.gaps(pushed.ravel())[row] > 0 or packing.energy_gradient(pushed.ravel())[0] > 0
    free = released(packing, pushed.ravel())
    near, slopes = packing.near(free)
    touch = slopes.gap > 0
    assert not (touch & (loose[near.i] | loose[near.j])).any()
    assert np.array_equal(free.reshape(-1, 2)[~loose], pushed[~loose])


@pytest.mark.parametrize("dim", [2, 3])
def test_every_body_that_is_held_balances_its_forces(dim):
    packing = Discs.bidisperse(80, phi=0.9 if dim == 2 else 0.7, dim=dim)
    x = minimise(packing, packing.random_state(np.random.default_rng(5)), relative=1e-10).x
    near, slopes = packing.near(x)
    loose = packing.rattlers(x)
    push = np.maximum(slopes.gap, 0)[:, None] * slopes.vector
    for body in np.flatnonzero(~loose):
        mine = (near.i == body) | (near.j == body)
        assert (slopes.gap[mine] > 0).sum() >= dim + 1
    total = np.zeros((80, dim))
    np.add.at(total, near.i, push)
    np.add.at(total, near.j, -push)
    assert np.abs(total).max() < 1e-9

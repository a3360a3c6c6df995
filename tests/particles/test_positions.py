"""A state far from its box is the same one, or it is refused: no contact is lost in silence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from particles import Discs, Ellipses, write_gsd, write_xyz
from particles.packings.pictures import png

from packing_strategies import discs, ellipses

ASKED = {
    "gaps": lambda problem, x: problem.gaps(x),
    "energy": lambda problem, x: problem.energy_gradient(x),
    "curvature": lambda problem, x: problem.hvp(x, np.ones_like(x)),
    "hessian": lambda problem, x: problem.hessian(x),
    "pairs": lambda problem, x: problem.pairs(x),
    "names": lambda problem, x: problem.gap_names(x),
    "jacobian": lambda problem, x: problem.gap_jacobian(x),
    "rattlers": lambda problem, x: problem.rattlers(x),
    "scene": lambda problem, x: problem.scene(x),
    "centres": lambda problem, x: problem.centres(x),
    "picture": png,
}


def moved(problem, x, boxes):
    """Return a state by whole boxes away."""
    bodies = problem.bodies(x).copy()
    bodies[:, : problem.dim] += boxes * problem.box
    return bodies.ravel()


@pytest.mark.parametrize("boxes", [1e10, -1e10, 1e6, 1e300])
@pytest.mark.parametrize("ask", sorted(ASKED))
@pytest.mark.parametrize("one_of_them", [True, False])
def test_what_lies_too_far_away_is_refused_by_all(boxes, ask, one_of_them):
    for problem in (Discs.bidisperse(6, 0.9), Ellipses.bidisperse(6, 0.9)):
        x = problem.random_state(np.random.default_rng(0))
        far = moved(problem, x, boxes)
        if one_of_them:
            far = np.append(x[:-2], far[-2:])
        with pytest.raises(ValueError, match=r"expected variables within \d+ of 0.*move") as said:
            ASKED[ask](problem, far)
        assert "\n" not in str(said.value)


@pytest.mark.parametrize("write", [write_xyz, write_gsd])
def test_no_file_holds_such_a_state(tmp_path, write):
    problem = Discs.bidisperse(6, 0.9)
    far = moved(problem, problem.random_state(np.random.default_rng(0)), 1e10)
    with pytest.raises(ValueError, match="expected variables within"):
        write(tmp_path / "far", problem, far)
    assert not list(tmp_path.iterdir())


@settings(max_examples=40)
@given(st.one_of(discs(), ellipses()), st.integers(-15, 14))
def test_what_lies_nearer_has_the_same_contacts(system, boxes):
    """Up to a thousand diameters the rounding of a gap is 1e-13."""
    problem, x = system
    far = moved(problem, x, boxes)
    near, there = problem.near(x)[1].gap, problem.near(far)[1].gap
    np.testing.assert_allclose(np.sort(there), np.sort(near), rtol=0, atol=1e-11)
    clear = np.abs(near).min(initial=1.0) > 1e-11
    assert not clear or (there > 0).sum() == (near > 0).sum()
    energy = problem.energy_gradient(x)[0]
    assert problem.energy_gradient(far)[0] == pytest.approx(energy, rel=1e-10, abs=1e-12)


def test_a_slightly_compressed_contact_is_kept_as_far_as_a_state_may_be():
    """An overlap of 1e-9 survives at 4000 diameters, and an angle of 4000 turns too much."""
    pair = Discs(np.ones(2), np.full(2, 5.0))
    x = np.array([1.0, 1.0, 2.0 - 1e-9, 1.0])
    assert pair.gaps(moved(pair, x, 800.0)) == pytest.approx([1e-9], abs=1e-12)
    ellipse = Ellipses(np.ones(1), 2.0, np.full(2, 5.0))
    with pytest.raises(ValueError, match=r"at index 2: .*turns"):
        ellipse.energy_gradient(np.array([1.0, 1.0, 8000.0 * np.pi]))


def test_a_state_in_its_box_is_taken_however_large_the_box():
    problem = Discs(np.array([1e-3, 1.0]), np.full(2, 1e6))
    x = np.array([9e5, 9e5, 1.0, 1.0])
    assert problem.gaps(x).size == 0
    assert problem.gaps(x + 1e7).size == 0

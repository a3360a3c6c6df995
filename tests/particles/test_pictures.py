"""Pictures show the bodies, their contacts, and how a mode moves them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from particles import Discs, Ellipses, plot
from particles.packings.pictures import png

from packing_strategies import discs, ellipses, ellipsoids


@settings(deadline=None, max_examples=10)
@given(st.one_of(discs(), ellipses(), ellipsoids()))
def test_every_packing_can_be_drawn(system):
    problem, x = system
    mode = np.random.default_rng(0).standard_normal(x.size)
    assert png(problem, x, mode=mode)[:8] == b"\x89PNG\r\n\x1a\n"


def test_the_picture_shows_bodies_contacts_and_arrows():
    pair = Discs(np.ones(2), np.full(2, 5.0))
    x = np.array([2.0, 2.0, 2.9, 2.0])
    ax = plot(pair, x, mode=np.array([1.0, 0.0, -1.0, 0.0]))
    shapes, bars, arrows = ax.collections
    assert len(shapes.get_offsets()) == 2
    assert len(bars.get_paths()) == 2  # one contact, drawn from either body
    np.testing.assert_allclose(arrows.U, [1.0, -1.0])
    assert len(plot(pair, x, forces=False).collections) == 1


def test_bars_are_as_wide_as_forces_and_ellipses_show_how_they_turn():
    """Three bodies in a row whose overlaps are as 1 : 3; one ellipse turns left, one right."""
    row = Discs(np.ones(3), np.full(2, 9.0))
    bars = plot(row, np.array([1.0, 2.0, 1.99, 2.0, 2.96, 2.0])).collections[1].get_paths()
    widths = [np.ptp(bar.vertices[:, 1]) for bar in bars]
    assert widths[1] / widths[0] == pytest.approx(3.0)
    pair = Ellipses(np.ones(2), 2.0, np.full(2, 9.0))
    mode = np.array([0.0, 0.0, 1.0, 0.0, 0.0, -1.0])
    left, right = (
        plot(pair, np.array([3, 3, 0, 6, 6, 1]), mode=mode).collections[0].get_facecolors()
    )
    assert left[2] > left[0]  # purple: more blue than red
    assert right[0] > right[2]


def test_a_body_on_the_wall_is_drawn_on_both_sides():
    single = Discs(np.ones(1), np.full(2, 5.0))
    shapes = plot(single, np.array([0.1, 0.1])).collections[0]
    assert len(shapes.get_offsets()) == 4

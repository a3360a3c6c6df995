"""The study of curvature: spectra of minima whose eigenvalues are known."""

from pathlib import Path

import numpy as np
import pytest

from particles import Perceptron

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(autouse=True)
def _beside_the_scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def test_symmetries_are_left_out_and_the_mean_stiffness_is_one():
    """Two patterns ``±e_1`` violated by 1/2: ``H`` is 1 across the radius, all of it ``H0``."""
    from curvature import spectra

    problem = Perceptron(np.array([[1.0, 0.0], [-1.0, 0.0]]), sigma=0.5)
    found = spectra(problem, np.array([0.0, 2**0.5]))
    assert found["h0"] == pytest.approx([1.0])
    assert found["h"] == pytest.approx(found["h0"] + found["hp"])
    n, violated, held, pressure, scale = found["counts"]
    assert (n, violated, held) == (1, 2, 0)
    assert pressure == pytest.approx(1.0)
    assert found["h"][0] * scale == pytest.approx(1.0)


def test_a_figure_is_drawn_of_what_was_kept():
    from curvature import spectra
    from curvature_figure import drawn

    problem = Perceptron(np.array([[1.0, 0.0], [-1.0, 0.0]]), sigma=0.5)
    found = spectra(problem, np.array([0.0, 2**0.5]))
    states = {f"discs 0 {k} {name}": value for k in (0, 5) for name, value in found.items()}
    figure = drawn(states)
    assert len(figure.axes) == 6
    assert any(len(line.get_xdata()) == 2 for line in figure.axes[3].lines)

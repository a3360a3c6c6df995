"""What the figures of studies say in words: zeros, lines, and what is too little to draw."""

import numpy as np
from matplotlib.legend import Legend

from bridge.avalanches.sizes import Sizes
from bridge.figures.comparison import ENERGY_FLOOR, comparison, transitions
from bridge.figures.critical import JammingSample, avalanche_figure, exponents_figure
from bridge.records.columns import Column
from bridge.records.store import Record


def runs(*ratios):
    """States of one load: jammed with a share of violated patterns, or satisfied."""
    return [
        Record(
            "jam", {}, (0, k), "jammed" if ratio else "unjammed", 0.0,
            {"load": 1.0, "constraints_per_dof": ratio, "energy": ratio, "n": 4}, {},
        )
        for k, ratio in enumerate(ratios)
    ]  # fmt: skip


def texts(axes):
    legends = axes.findobj(Legend)
    return [text.get_text() for legend in legends for text in legend.get_texts()]


def test_satisfied_states_stand_at_an_edge_that_is_named_zero():
    figure = comparison([Column("discs", "phi", runs(0.0, 1.0), ())])
    energy = figure.axes[1]
    formatter = energy.yaxis.get_major_formatter()
    assert formatter(ENERGY_FLOOR, 0) == "0"
    assert formatter(1e-4, 0) != "0"
    heights = np.concatenate([line.get_ydata() for line in energy.get_lines()])
    assert {ENERGY_FLOOR, 0.25} <= set(heights)


def test_the_slide_has_the_mean_of_a_load_with_its_error():
    figure = transitions([Column("discs", "phi", runs(0.0, 1.0, 2.0), ())])
    (panel,) = figure.axes
    (bar,) = panel.containers
    assert bar.lines[0].get_ydata().tolist() == [1.5]
    (segment,) = bar.lines[2][0].get_segments()
    assert np.allclose(segment[:, 1], [1.0, 2.0])
    assert [0.0] in [list(line.get_ydata()) for line in panel.get_lines()]


def test_too_few_avalanches_have_a_number_and_no_distribution():
    many = Sizes(10, [np.geomspace(1e-4, 1.0, 30)], 1e-6)
    few = Sizes(20, [np.geomspace(1e-4, 1.0, 9)], 1e-6)
    figure = avalanche_figure({"discs": {"N = 10": many, "N = 20": few}})
    assert {"N = 10: 30", "N = 20: 9, too few", "slope -1", "slope -1.41"} == set(
        texts(figure.axes[0])
    )
    assert len(figure.axes[1].containers) == 1


def test_one_window_is_no_curve():
    """Of forty forces there is no fit, and the panel says so."""
    rng = np.random.default_rng(0)
    few = [JammingSample(20, rng.random(20), rng.random(80)) for _ in range(2)]
    panel = exponents_figure({"few": few}).axes[2]
    assert not panel.containers
    assert len(panel.texts) == 2

"""A figure is the same whatever the user's settings of matplotlib are."""

import matplotlib as mpl
import numpy as np
import pytest

from bridge.avalanches.sizes import Sizes
from bridge.claims import render
from bridge.claims.table import THEMES
from bridge.figures import comparison as figures
from bridge.figures import critical as critical_figures
from bridge.figures import landscape as landscape_figures
from bridge.figures.style import save
from bridge.jamming.departure import Departure
from bridge.landscape.completeness import Completeness
from bridge.landscape.disconnectivity import merge_tree
from bridge.records.columns import Column
from particles import Discs
from particles.packings.pictures import png

SETTINGS = {
    "usetex": {"text.usetex": True},
    "look": {
        "font.family": "monospace",
        "font.size": 31.0,
        "lines.linewidth": 9.0,
        "axes.grid": True,
        "axes.facecolor": "black",
        "axes.linewidth": 5.0,
        "axes.formatter.use_locale": True,
        "axes.unicode_minus": False,
        "figure.facecolor": "green",
        "image.cmap": "hot",
        "legend.frameon": True,
        "mathtext.fontset": "stix",
        "patch.antialiased": False,
        "path.simplify": False,
        "xtick.direction": "in",
        "ytick.right": True,
        "savefig.dpi": 37.0,
        "savefig.bbox": "tight",
        "savefig.transparent": True,
        "savefig.facecolor": "red",
        "savefig.format": "svg",
    },
}


def saved(figure, folder):
    save(figure, folder / "figure", suffixes=(".png",))
    return (folder / "figure.png").read_bytes()


def picture(_):
    return png(
        Discs(np.ones(2), np.full(2, 4.0)), np.array([1.0, 1.0, 1.9, 1.0]), mode=np.eye(4)[0]
    )


def comparison(folder):
    return saved(figures.comparison([Column("discs", "phi", (), ())]), folder)


def slide(folder):
    return saved(figures.transitions([Column("discs", "phi", (), ())]), folder)


def departure(folder):
    ramp = np.geomspace(1e-6, 1e-2, 5)
    one = Departure(10, 11, ramp, ramp**2, ramp, 11 + ramp, np.full(5, 10.0))
    return saved(critical_figures.departure_figure({"discs": {"N = 10": [one]}}), folder)


def exponents(folder):
    rng = np.random.default_rng(0)
    points = [critical_figures.JammingSample(99, rng.random(99), rng.random(99)) for _ in range(3)]
    return saved(critical_figures.exponents_figure({"discs": points}), folder)


def avalanches(folder):
    sizes = Sizes(10, [np.geomspace(1e-4, 1.0, 30)], 1e-6)
    return saved(critical_figures.avalanche_figure({"discs": {"N = 10": sizes}}), folder)


def path(folder):
    energies = np.array([1.0, 3.0, 2.0, 2.5, 0.0])
    return saved(landscape_figures.path_profile(energies, [2, 1, 0]), folder)


def discovery(folder):
    found = Completeness([(0, 0, 0), (5, 3, 2), (9, 4, 4)], 4.5, None, None, None)
    return saved(landscape_figures.discovery(found), folder)


def tree(folder):
    branches = merge_tree([0.0, 1.0, 0.5], [2.0, 3.0], [(0, 1), (1, 2)])
    return saved(landscape_figures.disconnectivity(branches), folder)


def claims(folder):
    theme = THEMES[0]
    nothing = {claim.experiment.name: [] for claim in theme.claims}
    drawn = render.figures({claim.name for claim in theme.claims}, nothing)
    return saved(drawn[theme.name], folder)


FIGURES = [
    picture,
    comparison,
    slide,
    departure,
    exponents,
    avalanches,
    path,
    discovery,
    tree,
    claims,
]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    return {draw: draw(folder) for draw in FIGURES}


@pytest.mark.parametrize("draw", FIGURES)
@pytest.mark.parametrize("settings", sorted(SETTINGS))
def test_settings_change_no_figure(tmp_path, plain, settings, draw):
    with mpl.rc_context(SETTINGS[settings]):
        before = dict(mpl.rcParams)
        assert draw(tmp_path) == plain[draw]
        assert dict(mpl.rcParams) == before

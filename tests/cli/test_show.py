"""`jamscape show` and the figures beside every output: what they draw, and what they refuse."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.collections import EllipseCollection, PolyCollection

import bridge
from bridge import exact_jamming, plot
from bridge.cli.main import run
from bridge.records.store import Store
from bridge.report.show import figure_of, show
from bridge.runs.kinds.jam import JamRun
from bridge.runs.registry import kinds
from bridge.systems import systems
from particles import Discs, LennardJones, decompress, minimise

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def no_open_figures():
    yield
    pyplot.close("all")


def drawn(axes, kind):
    return [found for found in axes.collections if isinstance(found, kind)]


def spoken(kind):
    """Return the options of a small system as they are given on the command line."""
    words = []
    for item in fields(kind):
        if item.name in kind.small:
            name = () if item.metadata.get("argument") else (f"--{item.name.replace('_', '-')}",)
            words += [*name, str(kind.small[item.name])]
    return words


@pytest.mark.parametrize("kind", systems())
def test_every_system_is_shown_with_its_picture_and_its_gaps(kind, tmp_path, capsys):
    system = systems()[kind]
    words = spoken(system)
    out = tmp_path / "out"
    assert run(["jam", kind, *words, "--out", str(out)]) in (0, 3)
    assert (out / "figure.png").read_bytes()[:8] == PNG
    assert run(["show", str(out)]) == 0
    assert (out / "jam.png").read_bytes()[:8] == PNG
    assert f"figure: {out / 'jam.png'}" in capsys.readouterr().out
    figure, beside = show(out)
    assert beside == out / "jam.png"
    assert any("gap Δ" in axes.get_xlabel() for axes in figure.axes)
    # A picture and its gaps; the gaps alone of what needs a file that is not at hand.
    named = getattr(system(**system.small), "file_names", dict)()
    assert len(figure.axes) >= (1 if named else 2)


def test_forces_of_a_jamming_point_are_drawn_though_nothing_overlaps(tmp_path):
    packing = Discs.bidisperse(32, phi=0.88)
    start = decompress(packing, packing.random_state(np.random.default_rng(1)), pressure=1e-5)
    point = exact_jamming(start)
    assert point.status == "jammed"
    bars = drawn(plot(point), PolyCollection)[0].get_paths()
    assert len(bars) == 2 * len(point.rows)  # once from either body
    record = JamRun(systems()["discs"](n=32), (1,), exact=True).compute()
    axes = figure_of([record]).axes[0]
    assert len(drawn(axes, PolyCollection)[0].get_paths()) == 2 * record.data["n_constraints"]
    widths = sorted(np.linalg.norm(b.vertices[0] - b.vertices[1]) for b in bars)
    forces = np.sort(np.repeat(point.relative_forces, 2))
    thin = forces < 6
    np.testing.assert_allclose(
        np.array(widths)[thin] / widths[0], forces[thin] / forces[0], rtol=1e-6
    )


def test_what_is_left_above_zero_is_no_force():
    loose = Discs.bidisperse(24, phi=0.7)
    end = minimise(loose, loose.random_state(np.random.default_rng(0)))
    assert end.status == "unjammed"
    axes = plot(end)
    assert len(drawn(axes, EllipseCollection)) == 1
    assert not drawn(axes, PolyCollection)
    assert "no contact" in axes.get_xlabel()


def test_a_plot_is_one_of_pyplot(tmp_path):
    packing = Discs.bidisperse(8, phi=0.95)
    plot(minimise(packing, packing.random_state(np.random.default_rng(0))))
    pyplot.savefig(tmp_path / "packing.png")
    assert (tmp_path / "packing.png").stat().st_size > 5000


def test_a_system_without_a_picture_shows_its_gaps_in_order():
    class Posts:
        n_dof = 1

        def gaps(self, x):
            return np.array([x[0] - 1.0, -x[0], 0.5 - x[0]])

        gap_jacobian = energy_gradient = hvp = zero_modes = gaps  # not called

    axes = plot(Posts(), np.array([2.0]))
    assert [line.get_ydata().tolist() for line in axes.get_lines()[1:]] == [[1.0], [-1.5, -2.0]]
    atoms = LennardJones(3)
    with pytest.raises(TypeError, match="expected a system with a picture or gaps, got Lennard"):
        plot(atoms, np.zeros(9))


def test_a_network_shows_kinks_and_dead_units():
    """Of two units the second never fires, and two of three patterns sit at the first's kink."""
    from networks import HingeNetwork, Mlp, Patterns
    from networks.models.picture import held_kinks

    mlp = Mlp(1, 2, 1)
    patterns = Patterns(np.array([[0.0], [0.0], [1.0]]), np.array([1.0, -1.0, 1.0]))
    problem = HingeNetwork(mlp, patterns)
    x = np.array([1.0, 0.0, 0.0, -1.0, 1.0, 1.0, 0.2])  # z = x and z = -1; f = max(z, 0) + 0.2
    assert held_kinks(problem, x).tolist() == [[2, 0]]
    axes = plot(problem, x)
    units = axes.collections[2]  # after the weights and the inputs
    first, second = units.get_facecolors()
    assert second.tolist() == [1.0, 1.0, 1.0, 1.0]
    assert first.min() < 1.0
    assert "2 kinks held; white: 1 dead" in axes.get_xlabel()


def test_a_mode_moves_the_bodies_of_one_packing(tmp_path, capsys):
    out = tmp_path / "out"
    assert run(["jam", "ellipses", "--n", "6", "--pressure", "1e-3", "--out", str(out)]) == 0
    assert run(["show", str(out), "--mode", "2", "-o", str(tmp_path / "mode.pdf")]) == 0
    assert (tmp_path / "mode.pdf").read_bytes()[:4] == b"%PDF"
    figure, beside = show(out, mode=2)
    assert beside == out / "jam-mode-2.png"
    end = bridge.load(out)
    values, modes = bridge.eigenmodes(end.problem, end.x)
    expected = modes[np.abs(values) > 1e-11 * np.abs(values).max()][1].reshape(-1, 3)
    arrows = figure.axes[0].collections[-1]
    shown = np.stack([arrows.U, arrows.V], axis=1)
    across = shown[:, 0] * expected[:, 1] - shown[:, 1] * expected[:, 0]
    np.testing.assert_allclose(across, 0.0, atol=1e-9)
    assert run(["show", str(out), "--mode", "99"]) == 2
    assert "expected a mode from 1 to" in capsys.readouterr().err


def test_stores_of_many_runs_are_drawn_whole_and_one_by_one(tmp_path, capsys):
    grid, out = tmp_path / "grid.toml", tmp_path / "all.sqlite"
    grid.write_text(
        '[[runs]]\ncommand = "jam"\nsystem = "discs"\nn = 8\nat_load = [0.7, 0.95]\n',
        encoding="utf-8",
    )
    assert run(["ensemble", str(grid), "--out", str(out)]) == 0
    assert (tmp_path / "all.png").read_bytes()[:8] == PNG
    figure, _ = show(out)
    assert figure.axes[0].get_title() == "discs"
    assert run(["show", str(out), "1"]) == 0
    assert (tmp_path / "all-1.png").exists()
    with Store(out, read_only=True) as store:
        key = store.keys()[0]
    assert show(out, key[:8])[1] == tmp_path / f"all-{key[:8]}.png"


# A small one of each kind of run that keeps a file; a comparison is drawn from its states, above.
SMALL = {
    "jam": ["jam", "discs", "--n", "6"],
    "landscape": ["landscape", "lj", "--n", "4", "--searches", "3"],
    "avalanche": ["avalanche", "perceptron", "--n", "12", "--load-steps", "3"],
    "transition": [
        "transition", "network", "--depth", "1", "--width", "2", "--steps", "30", "--low", "1",
        "--high", "8", "--step", "7", "--samples", "1", "--workers", "1",
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", [kind for kind in kinds() if kind != "compare"])
def test_every_kind_of_run_has_its_figure_beside_it(kind, tmp_path, capsys):
    path = tmp_path / "kept.sqlite"
    assert run([*SMALL[kind], "--out", str(path)]) in (0, 3)
    said, picture = capsys.readouterr().err, path.with_suffix(".png")
    assert f"figure: {picture}" in said
    assert picture.read_bytes()[:8] == PNG
    picture.unlink()
    assert run(["show", str(path)]) == 0
    assert picture.read_bytes()[:8] == PNG


def test_a_figure_is_opened_where_that_is_asked_for(tmp_path, capsys, monkeypatch):
    """With a folder, with a store, and without either; its place is said as well."""
    opened = []
    monkeypatch.setattr("typer.launch", lambda name: opened.append(Path(name)))
    words = ["jam", "discs", "--n", "8", "--plot"]
    store = tmp_path / "a.sqlite"
    for out in (["--out", str(tmp_path / "out")], ["--out", str(store)], []):
        assert run([*words, *out]) == 0
    assert run(["landscape", "lj", "--n", "4", "--searches", "2", "--plot"]) == 0
    assert opened[:2] == [tmp_path / "out" / "figure.png", tmp_path / "a.png"]
    assert [path.name for path in opened[2:]] == ["jam.png", "landscape.png"]
    assert all(path.read_bytes()[:8] == PNG for path in opened)
    said = capsys.readouterr().err
    assert all(str(path) in said for path in opened[1:])


def test_what_cannot_be_shown_is_one_line(tmp_path, capsys):
    store = tmp_path / "a.sqlite"
    run(["jam", "discs", "--n", "8", "--out", str(store)])
    for words, expected in (
        ([str(tmp_path / "nowhere")], "expected"),
        ([str(store), "5"], "expected a run from 0 to 0"),
        ([str(store), "zz"], "expected the key of one run"),
        ([str(store), "-o", "figure.txt"], "expected a name in .png, .pdf, .svg"),
    ):
        capsys.readouterr()
        assert run(["show", *words]) == 2
        shown = capsys.readouterr()
        assert expected in shown.err
        assert shown.err.count("\n") == 1
        assert not shown.out

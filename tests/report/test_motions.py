"""Motions: what is kept of them, and what the page is given."""

import numpy as np
import pytest

from bridge.cli.main import run
from bridge.records.seeds import generator
from bridge.records.store import Store
from bridge.report.dataset import read
from bridge.report.motions import motions
from bridge.runs.kinds.compare import ComparisonPlan
from bridge.systems import DiscSystem, EllipseSystem, NetworkSystem

from lecture import content_of, unpacked


@pytest.fixture(scope="module")
def records(lecture_motions):
    with Store(lecture_motions, read_only=True) as kept:
        return {record.data["name"]: record for record in kept.records()}


@pytest.fixture(scope="module")
def shown(played):
    return {motion["name"]: motion for motion in content_of(played)["motions"]}


def test_every_motion_goes_through_its_transition(shown):
    assert list(shown) == ["discs", "ellipses", "perceptron", "network", "digits"]
    for motion in shown.values():
        assert motion["loads"] == sorted(motion["loads"])
        assert (motion["status"][0], motion["status"][-1]) == ("unjammed", "jammed")
        assert motion["loads"][0] < motion["transition"] <= motion["loads"][-1]


def test_motions_stand_in_the_order_of_a_lecture_however_they_were_kept(records, shown):
    found = motions([records[name] for name in ("digits", "perceptron", "discs", "ellipses")])
    assert [motion["name"] for motion in found] == ["discs", "ellipses", "perceptron", "digits"]


def test_every_number_of_a_motion_is_that_of_its_record(records, shown):
    for name, motion in shown.items():
        arrays = records[name].arrays
        assert motion["violated"] == arrays["frame_n_constraints"].tolist()
        assert motion["ratios"] == pytest.approx(arrays["frame_ratio"].tolist(), rel=1e-3)
        codes = unpacked(motion["gaps"], "<i2").astype(float)
        gaps = np.sign(codes) * 10 ** ((np.abs(codes) - 1) / 1500 - 12)
        np.testing.assert_allclose(gaps, arrays["gaps"], rtol=2e-3, atol=1e-9)


def test_patterns_that_were_there_stay_and_are_as_many_as_the_load(shown):
    counts = shown["perceptron"]["counts"]
    assert counts == [10 * round(load) for load in shown["perceptron"]["loads"]]
    gaps = unpacked(shown["perceptron"]["gaps"], "<i2")
    ends = np.cumsum(counts)
    for frame, violated in enumerate(shown["perceptron"]["violated"]):
        own = gaps[ends[frame] - counts[frame] : ends[frame]]
        assert (own > 0).sum() == violated


def test_a_packing_starts_each_frame_from_the_one_before(records):
    """With the same random start, only the way tells where it ends."""
    record, system = records["discs"], DiscSystem(n=10)
    first = next(system.along([0.7], np.random.default_rng(0)))
    states = list(system.along([0.7, 0.7], np.random.default_rng(0)))
    np.testing.assert_array_equal(states[1].x, first.x)  # at rest already
    n_frames = len(record.arrays["frame_load"])
    assert record.arrays["bodies"].shape == (n_frames, 10, 2)
    assert (record.arrays["shapes"][-1] > record.arrays["shapes"][0]).all()


def test_forces_of_a_frame_are_between_bodies_that_overlap(shown):
    discs = shown["discs"]
    n, frame = len(discs["sizes"]), len(discs["loads"]) - 1
    x, y = (unpacked(discs[name], "<u2").reshape(-1, n)[frame] / 65536 for name in "xy")
    count = discs["counts"][frame]
    i, j = (unpacked(discs[name], "u1")[-count:] for name in "ij")
    sizes = np.array(discs["sizes"]) * discs["growth"][frame]
    dx, dy = x[j] - x[i], y[j] - y[i]
    away = np.hypot(dx - np.rint(dx), dy - np.rint(dy))
    codes = unpacked(discs["gaps"], "<i2")[-count:].astype(float)
    gaps = 10 ** ((codes - 1) / 1500 - 12)
    np.testing.assert_allclose(1 - 2 * away / (sizes[i] + sizes[j]), gaps, atol=1e-3)


def test_soft_modes_are_those_of_the_frames(records, shown):
    """An eigenvector of the Hessian at a jammed frame, in parts of its largest step."""
    for name, parts in (("discs", 2), ("ellipses", 3)):
        motion, arrays = shown[name], records[name].arrays
        jammed = np.flatnonzero(arrays["frame_jammed"])
        modes = unpacked(motion["modes"], "i1").reshape(len(jammed), 3, -1, parts)
        assert (np.abs(modes).max(axis=(2, 3)) == 127).all()
        last = jammed[-1]
        system = DiscSystem(n=10) if name == "discs" else EllipseSystem(n=8)
        state = list(system.along(records[name].parameters["loads"], generator((1, 0))))[last]
        scene = state.problem.scene(state.x)
        for mode, value in zip(modes[-1], motion["curvatures"][last], strict=True):
            step = mode.astype(float)
            step[:, :2] *= scene["shapes"].min()
            image = state.problem.hvp(state.x, step.ravel())
            assert image @ step.ravel() / (step**2).sum() == pytest.approx(value, rel=1e-2)
            assert np.linalg.norm(image - value * step.ravel()) < 0.2 * np.linalg.norm(step)


def test_the_pixels_of_a_pattern_are_those_of_the_digit_that_was_learned(records, shown):
    """Told from the images by the projection that `digits` does of all of them."""
    from sklearn.datasets import load_digits

    motion = shown["digits"]
    pairs = unpacked(motion["pixels"], "u1").reshape(-1, 32)
    found = np.stack([pairs >> 4, pairs & 15], axis=-1).reshape(len(pairs), 64)
    count = motion["counts"][-1]
    assert motion["image_size"] == [8, 8]
    assert len(found) == count
    system = NetworkSystem(depth=1, width=3, input_dim=2, activation="tanh", data="digits")
    learned = system.problem(6.0, generator((1, 0))).patterns
    images, labels = load_digits(return_X_y=True)
    shades = np.rint(images * 15 / 16)
    for pixels, y in zip(found, learned.y, strict=True):
        same = np.flatnonzero((np.abs(shades - pixels) <= 1).all(axis=1))
        assert y in np.where(labels[same] % 2 == 1, 1.0, -1.0)
    assert (records["digits"].arrays["frame_count"][-1], len(learned)) == (count, count)


def test_motions_are_no_rows_of_tables(lecture_motions, played):
    assert read([lecture_motions]) == []
    assert content_of(played)["tables"] == []


def test_a_comparison_plays_each_kind_of_its_systems_once():
    named = [task.name for task in ComparisonPlan(None, (0,), systems="discs,network").motions()]
    assert named == ["discs", "network", "digits"]
    plan = ComparisonPlan(None, (3,))
    names = ["discs", "ellipses", "perceptron", "network", "digits"]
    assert [task.name for task in plan.motions()] == names
    assert all(task.seed == (3, 0) for task in plan.motions())


def test_compare_ends_with_the_path_of_its_page(tmp_path, capsys, monkeypatch, lecture_motions):
    from bridge.runs.motion import MotionRun
    from bridge.systems.system import Sweep

    sweep = Sweep("discs", DiscSystem(n=16), (0.7, 0.95), False)
    monkeypatch.setattr(ComparisonPlan, "sweeps", lambda self: [sweep])
    motion = MotionRun(DiscSystem(n=10), (0, 0), loads=(0.7, 0.9, 1.0), name="discs")
    monkeypatch.setattr(ComparisonPlan, "motions", lambda self: iter([motion]))
    out = tmp_path / "out"
    assert run(["compare", "--samples", "1", "--workers", "1", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines()[-1].endswith(f"to be opened in a browser: {out / 'lecture.html'}")
    assert "motion" not in said.out
    content = content_of(out / "lecture.html")
    assert [motion["name"] for motion in content["motions"]] == ["discs"]
    assert len(content["systems"][0]["runs"]) == 2

"""Claims: how they are judged, what is stored of them, and the cheap ones for real."""

import inspect
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridge.claims
from bridge.claims import cost, glass, packings, render
from bridge.claims.claim import Claim, Estimate, Expected, judge, said_of_all
from bridge.claims.estimates import column, mean_of, ratio_of
from bridge.claims.experiment import Experiment, GridPoint, Sample
from bridge.claims.molecules import LJAT3
from bridge.claims.perceptron import CONVEX, JAMMING
from bridge.claims.table import CLAIMS, THEMES, chosen, experiments
from bridge.claims.threshold import network, threshold
from bridge.claims.trials import (
    Conclusion,
    Trial,
    conclude,
    conclusion,
    gather,
    largest,
    stored,
    trials,
)
from bridge.cli.main import run
from bridge.measure.power_laws import GAMMA, THETA
from bridge.records.store import Record, Store
from bridge.runs.task import run_all

from readers import strict

ROOM = Path(bridge.claims.__file__).parent


def records_of(experiment, *parameters):
    """Run an experiment here, at small parameters."""
    found = []
    for number, point in enumerate(parameters):
        sample = experiment.sample(np.random.default_rng(number), **point)
        found.append(
            Record(
                experiment.name, point, (0, number), sample.status, 0.0, sample.values, {},
                sample.arrays,
            )
        )  # fmt: skip
    return found


def named(name):
    return next(claim for claim in CLAIMS if claim.name == name)


# The judge.


def test_a_value_that_is_off_is_not_confirmed():
    expected = Expected(0.5, 0.1, "theory")
    assert judge(expected, Estimate(0.52, 0.01, 5)) == "confirmed"
    assert judge(expected, Estimate(0.75, 0.01, 5)) == "not confirmed"
    assert judge(expected, Estimate(0.25, 0.01, 5)) == "not confirmed"
    assert judge(Expected(0, 0, "counting"), Estimate(1, 0, 3)) == "not confirmed"


def test_what_cannot_be_known_is_undecided():
    expected = Expected(0.5, 0.1, "theory")
    assert judge(expected, Estimate(0.5, 0.2, 5)) == "undecided"
    assert judge(expected, Estimate(0.5, math.nan, 2)) == "undecided"
    assert judge(expected, Estimate(math.nan, 0.0, 0)) == "undecided"
    assert judge(expected, Estimate(0.5, 0.01, 8, stalled=3)) == "undecided"
    assert judge(expected, Estimate(0.5, 0.01, 8, stalled=2)) == "confirmed"
    assert judge(expected, Estimate(0.5, 0.01, 8, stalled=2), fewest=7) == "undecided"
    assert judge(expected, Estimate(0.5, 0.0, 2)) == "undecided"


@given(
    st.floats(-10, 10), st.floats(0, 3), st.sampled_from(["=", ">=", "<="]),
    st.floats(-10, 10), st.floats(0, 3),
)  # fmt: skip
def test_the_verdict_follows_from_the_interval(value, tolerance, sense, measured, error):
    expected = Expected(value, tolerance, "", sense)
    ends = [measured - 2 * error, measured + 2 * error]
    inside = [expected.low <= end <= expected.high for end in ends]
    verdict = judge(expected, Estimate(measured, error, 3))
    if verdict == "confirmed":
        assert all(inside)
    elif verdict == "not confirmed":
        assert not any(inside)
        assert not expected.low <= measured <= expected.high
    else:
        assert not all(inside)


def test_errors_are_standard_errors():
    values = np.array([1.0, 2.0, 4.0, 5.0])
    found = mean_of(values, stalled=1)
    assert found.value == 3.0
    assert found.error == pytest.approx(values.std(ddof=1) / 2)
    assert (found.samples, found.stalled) == (5, 1)
    assert math.isnan(mean_of([1.0, 2.0]).error)
    half = ratio_of(Estimate(1.0, 0.03, 5), Estimate(2.0, 0.08, 5))
    assert half.value == 0.5
    assert half.error == pytest.approx(0.5 * math.hypot(0.03, 0.04))


def test_stalled_records_are_not_values():
    made = [
        Record("made", {"n": n}, (0, n), status, 0.0, {"v": n}, {})
        for n, status in ((1, "done"), (2, "stalled"), (3, "done"))
    ]
    assert column(made, "v").tolist() == [1.0, 3.0]
    assert column(made, "v", n=3).tolist() == [3.0]


# The table.


def test_every_claim_says_what_it_claims():
    assert len({claim.name for claim in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        assert claim.sentence.endswith(".")
        made_by, where = claim.source.split(", ", 1)
        assert made_by
        assert where
        assert claim.quantity
        assert claim.expected.basis
        assert claim.refuted_by
        assert claim.fewest >= 3
        assert math.isfinite(claim.expected.value)
        assert 0 <= claim.expected.tolerance < math.inf
        assert claim.experiment.default
        assert claim.experiment.full


def test_the_tables_hold_what_is_measured_and_no_more():
    assert set(said_of_all()) == {claim.name for claim in CLAIMS}
    for theme in THEMES:
        for claim in theme.claims:
            table = "checks.toml" if claim.check else "claims.toml"
            text = (ROOM / table).read_text(encoding="utf-8")
            assert f"[{theme.name}.{claim.name}]" in text


def test_the_numbers_of_the_table_are_those_of_the_program():
    known = {
        "theta-perceptron": THETA, "gamma-perceptron": GAMMA, "gamma-discs": GAMMA,
        "capacity": CONVEX["sigma"], "pspin-limit": glass.THRESHOLD_ENERGY,
    }  # fmt: skip
    for name, value in known.items():
        assert named(name).expected.value == value
    assert f"α = {CONVEX['alpha']}" in named("capacity").quantity
    assert ", ".join(map(str, packings.NEARLY_ROUND)) in named("nearly-round-ellipses").quantity


def test_every_point_fits_its_experiment():
    for experiment in experiments().values():
        for point in (*experiment.default, *experiment.full):
            assert point.samples >= 1
            inspect.signature(experiment.sample).bind(None, **point.parameters)
            json.dumps(point.parameters)


def test_claims_are_chosen_by_name_or_theme():
    assert chosen([]) == list(CLAIMS)
    assert [claim.name for claim in chosen(["capacity"])] == ["capacity"]
    assert chosen(["glass", "pspin-limit"]) == list(glass.THEME.claims)
    with pytest.raises(ValueError, match="expected claims or themes, got 'nonsense'"):
        chosen(["nonsense"])


def test_experiments_that_are_shared_run_once():
    isostatic, capacity = named("isostaticity"), named("capacity")
    assert trials([isostatic, capacity], 0, full=False) == trials([capacity], 0, full=False)


# The cheap ones, for real and small.


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("isostaticity", [{"n": 40, "alpha": 4.0, "sigma": -0.5}] * 3),
        ("quartic-modes", [{"n": 32, "aspect": 1.5, "pressure": 1e-9}] * 3),
        ("ljat3-minima", [{"searches": 30}] * 3),
        ("ljat3-energies", [{"searches": 30}] * 3),
        ("hessian-density", [{"n": 300, "alpha": 8.0, "sigma": -0.5}] * 3),
    ],
)
def test_cheap_claims_hold(name, points):
    claim = named(name)
    found = conclusion(claim, records_of(claim.experiment, *points))
    assert found.verdict == "confirmed", found


def test_the_same_runs_do_not_confirm_another_number():
    claim = named("isostaticity")
    records = records_of(JAMMING, *[{"n": 30, "alpha": 4.0, "sigma": -0.5}] * 3)
    off = replace(claim, expected=replace(claim.expected, value=1.0))
    assert conclusion(claim, records).verdict == "confirmed"
    assert conclusion(off, records).verdict == "not confirmed"


# The run.


def fake(rng, *, shift):
    return Sample({"v": shift + rng.normal()})


MADE = Claim(
    "made", "A made-up claim.", "v", Expected(3.0, 1.0, "made up"), "another number",
    Experiment("made", fake, (GridPoint(9, {"shift": 3.0}),), (GridPoint(99, {"shift": 3.0}),),
        lambda shift: shift),
    lambda records: mean_of(column(records, "v")), "Nobody, 1 (2019)",
)  # fmt: skip


def here(function, todo):
    """A mapper that computes the made-up experiment in this process."""
    for task in todo:
        rng = np.random.default_rng(task.seed)
        value = MADE.experiment.sample(rng, **task.parameters)
        yield Record(task.label, task.parameters, task.seed, "done", 0.5, value.values, {})


def test_an_interrupted_run_keeps_its_samples_and_goes_on(tmp_path):
    def interrupted(function, todo):
        yield from list(here(function, todo))[:4]
        raise KeyboardInterrupt

    def resumed(function, todo):
        assert len(todo) == 5
        yield from here(function, todo)

    def quiet(done, total):
        assert 0 <= done <= total == 9

    with Store(tmp_path / "a.sqlite") as store:
        todo = trials([MADE], 0, full=False)
        with pytest.raises(KeyboardInterrupt):
            run_all(todo, store, progress=quiet, mapper=interrupted)
        run_all(todo, store, progress=quiet, mapper=resumed)
        (found,) = conclude([MADE], stored([MADE], store, 0, full=False))
    assert found.found.samples == 9
    assert found.seconds == 4.5
    assert found.verdict == "confirmed"


def test_costs_grow_with_the_work_and_are_those_of_the_same_runs_where_there_are_any():
    small, large = GridPoint(2, {"shift": 3.0}), GridPoint(5, {"shift": 30.0})
    made = replace(MADE, experiment=replace(MADE.experiment, default=(small,), full=(small, large)))
    runs = [Record("made", {"shift": 3.0}, (0, k), "done", 4.0, {}, {}) for k in range(2)]
    other = Record("made", {"shift": 1.0}, (0, 0), "done", 3.0, {}, {})
    found = cost.costs([made], {"made": [*runs, other]}, full=True)
    assert [c.seconds for c in found["made"]] == [4.0, 11.0 / 7.0 * 30.0]
    assert "about 4 s each: shift = 3.0" in cost.text([made], found)
    assert cost.text([made], found).splitlines()[0].startswith("made (made): 4")
    assert [c.seconds for c in cost.costs([made], {}, full=True)["made"]] == [None, None]


@pytest.mark.parametrize("experiment", experiments().values(), ids=lambda found: found.name)
def test_every_experiment_tells_the_work_of_its_runs(experiment):
    works = [experiment.work(**point.parameters) for point in experiment.default]
    most = max(experiment.work(**point.parameters) for point in experiment.full)
    assert min(works) > 0
    assert most >= max(works)


def test_runs_that_decide_bring_two_errors_within_the_nearest_bar():
    expected = Expected(1.0, 0.1, "equality")
    assert cost.runs_to_decide(expected, Estimate(0.8, 0.2, 3)) == 48
    assert cost.runs_to_decide(Expected(1.1, 0, "", ">="), Estimate(1.4, 0.3, 6)) == 24
    assert cost.runs_to_decide(expected, Estimate(math.nan, 0.1, 3)) is None
    entry = render.entry(Conclusion(named("real-data"), Estimate(1.4, 0.3, 6), 60.0, 6))
    assert entry["to_decide"] == "about 24 runs of this size, 4 min, if the value stays"


def test_what_shards_have_found_is_taken_over(tmp_path):
    todo = trials([MADE], 0, full=False)
    paths = [tmp_path / f"{shard}.sqlite" for shard in range(2)]
    for shard, path in enumerate(paths):
        with Store(path) as store:
            run_all(todo[shard::2], store, progress=lambda *_: None, mapper=here)
    with Store(tmp_path / "claims.sqlite") as store:
        assert gather(todo, store, paths) == 9
        assert gather(todo, store, paths) == 0
        assert len(stored([MADE], store, 0, full=False)["made"]) == 9


def test_the_large_runs_are_judged_where_all_of_them_are_stored(tmp_path):
    larger = replace(MADE.experiment, full=(GridPoint(12, {"shift": 7.0}),))
    made = replace(MADE, experiment=larger)
    small, large = (trials([made], 0, full=full) for full in (False, True))
    with Store(tmp_path / "claims.sqlite") as store:
        run_all([*small, *large[:11]], store, progress=lambda *_: None, mapper=here)
        records, names = largest([made], store, 0)
        assert (len(records["made"]), names) == (9, set())
        run_all(large, store, progress=lambda *_: None, mapper=here)
        records, names = largest([made], store, 0)
        assert (len(records["made"]), names) == (12, {"made"})


def test_a_trial_gives_the_record_of_its_key():
    trial = Trial(LJAT3.name, {"searches": 10}, (0, 0))
    record = trial.compute()
    assert record.key == trial.key
    assert record.data == trial.compute().data


# The command.


def test_the_command_writes_its_page_and_resumes(tmp_path, capsys):
    out = tmp_path / "claims"
    arguments = ["claims", "ljat3-minima", "ljat3-energies", "--workers", "1", "--out", str(out)]
    assert run([*arguments, "--json"]) == 0
    document = strict(capsys.readouterr().out)
    assert strict(out / "claims.json") == document
    assert [entry["verdict"] for entry in document["claims"]] == ["confirmed", "confirmed"]
    assert (out / "claims.md").read_text(encoding="utf-8") == render.markdown(document)
    assert run(arguments) == 0  # at once: everything is there
    shown = capsys.readouterr()
    assert "2 confirmed, 0 not confirmed, 0 undecided" in shown.out
    assert "ljat3-minima" in shown.out
    assert run([*arguments[:2], "--full", "--dry-run", "--out", str(out)]) == 0
    assert "20 runs, about " in capsys.readouterr().out


def test_a_dry_run_of_what_has_never_run_writes_nothing(tmp_path, capsys):
    out = tmp_path / "claims"
    assert run(["claims", "ljat3-minima", "--full", "--dry-run", "--out", str(out)]) == 0
    assert "20 runs, cost not known: searches = 200" in capsys.readouterr().out
    assert not out.exists()


def test_wrong_names_write_nothing(tmp_path, capsys):
    assert run(["claims", "nonsense", "--out", str(tmp_path / "none")]) == 2
    assert "expected claims or themes" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_figures_can_be_drawn_of_nothing(theme):
    nothing = {claim.experiment.name: [] for claim in theme.claims}
    assert list(render.figures({claim.name for claim in theme.claims}, nothing)) == [theme.name]


def test_a_rectifier_held_by_kinks_counts_at_its_threshold():
    """Without its kinks each minimum there has negative curvature, and none would be jammed."""
    found = threshold(
        np.random.default_rng(0), **network(1, 4, 4), loads=(1.0, 5.0, 1.0), steps=2000, polish=200
    )
    assert found.status == "done"
    assert found.values["without_end"] == 0
    assert 0 < found.values["constraint_ratio"] < 2

"""The comparison at the smallest sizes: what it keeps, how it continues, what it never claims."""

import signal
import subprocess
import sys

import numpy as np
import pandas
import pytest

from bridge.figures import comparison as figures
from bridge.figures.style import save
from bridge.records import columns as results
from bridge.records.documents import dumps
from bridge.records.store import Record, Store
from bridge.runs.kinds.compare import ComparisonPlan, states
from bridge.runs.task import compute, run_all
from bridge.systems import DiscSystem, NetworkSystem, PerceptronSystem
from bridge.systems.system import Sweep

from readers import strict

TINY = [
    Sweep("discs", DiscSystem(n=24, pressure=1e-4), (0.7, 0.95), at_transition=True),
    Sweep("perceptron", PerceptronSystem(n=20), (2.0, 8.0), at_transition=True),
    Sweep("network", NetworkSystem(depth=1, width=5, steps=500), (0.5, 9.0), at_transition=False),
]
NAMES = [sweep.name for sweep in TINY]


def records_of(todo, folder, progress=lambda done, total: None):
    with Store(folder / "c.sqlite") as store:
        run_all(todo, store, progress=progress)
        return [store.get(run.key) for run in todo]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("compare")


@pytest.fixture(scope="module")
def todo():
    return states(TINY, samples=2, seed=5)


@pytest.fixture(scope="module")
def found(folder, todo):
    return results.columns(records_of(todo, folder), NAMES)


def test_systems_may_be_chosen():
    def names(systems):
        return [sweep.name for sweep in ComparisonPlan(None, (0,), systems=systems).sweeps()]

    assert names("ellipsoids, discs,spheres") == ["discs", "spheres", "ellipsoids"]
    assert names(None) == ["discs", "ellipses", "perceptron", "network", "digits"]
    for wrong in ("sand", "", "discs,"):
        with pytest.raises(ValueError, match="systems among discs, spheres, ellipses, ellipsoids"):
            names(wrong)


def test_every_state_is_kept_once(found, todo):
    assert len(todo) == 3 * 2 * 2 + 4
    assert sum(len(system.sweep) for system in found) == 12
    assert [system.name for system in found] == NAMES


def test_both_sides_of_the_transition_are_seen(found):
    discs, perceptron, _ = found
    for system in (discs, perceptron):
        low, high = system.loads[0], system.loads[-1]
        assert system.jammed_shares()[low] == 0.0
        assert system.jammed_shares()[high] == 1.0
        assert low < system.transition() < high


def test_a_satisfied_state_counts_no_constraint(found):
    for system in found:
        for record in system.sweep:
            assert (record.data["n_constraints"] == 0) == (record.status == "unjammed")


def test_jammed_states_have_gaps_and_spectra_that_meet_the_bound(found):
    for system in found:
        for record in (*system.sweep, *system.at_transition):
            if record.status == "jammed":
                assert record.data["bound_holds"]
                assert (record.arrays["gaps"] > 0).sum() == record.data["n_constraints"]
                assert len(record.arrays["eigenvalues"]) == record.data["n_dof"]


def test_a_second_run_computes_nothing(folder, todo, found):
    said = []
    again = records_of(todo, folder, lambda done, total: said.append((done, total)))
    assert said == [(len(todo), len(todo))]
    before = {r.key: r.seconds for system in found for r in (*system.sweep, *system.at_transition)}
    assert all(before.get(r.key, r.seconds) == r.seconds for r in again)


def test_the_same_seed_gives_the_same_bits(todo, found):
    task = next(run for run in todo if run.label == "discs" and run.at_load == 0.95)
    again = compute(task)
    (kept,) = [r for system in found for r in system.sweep if r.key == task.key]
    assert dict(again.data) == dict(kept.data)
    assert (again.arrays["gaps"] == kept.arrays["gaps"]).all()


def test_a_slide_has_a_panel_for_each_system_and_the_mean_of_what_jams(found):
    panels = figures.transitions(found).axes
    assert [panel.get_title() for panel in panels] == NAMES
    for panel, system in zip(panels, found, strict=True):
        jammed = [
            [run.data["constraints_per_dof"] for run in system.at(load) if run.status == "jammed"]
            for load in system.loads
        ]
        means = sorted(np.mean(ratios) for ratios in jammed if ratios)
        drawn = sorted(bars.lines[0].get_ydata()[0] for bars in panel.containers)
        assert drawn == pytest.approx(means)
    assert means


def test_table_figure_and_document(found, tmp_path):
    results.write_table(found, tmp_path / "table.csv")
    table = pandas.read_csv(tmp_path / "table.csv")
    assert list(table) == list(results.COLUMNS)
    records = list({r.key: r for s in found for r in (*s.sweep, *s.at_transition)}.values())
    assert table.energy.tolist() == [record.data["energy"] for record in records]
    assert table.status.tolist() == [record.status for record in records]
    document = strict(dumps(results.comparison_document(found)))
    assert [system["system"] for system in document["systems"]] == NAMES
    assert "discs" in results.comparison_text(found)
    save(figures.comparison(found), tmp_path / "figure")
    assert (tmp_path / "figure.png").stat().st_size > 20_000
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")


def a_state(load, status, sample=0, **data):
    """Return a record of a sweep, as far as the table needs it."""
    known = dict.fromkeys(results.COLUMNS) | {"energy": 1.0, "pressure": 0.1, "bound_holds": True}
    known |= {"system": "made", "load_name": "P/N", "at_transition": False, "status": status}
    known |= {"load": load, "sample": sample, "constraints_per_dof": load / 4, **data}
    parameters = {"at_load": None if data.get("at_transition") else load}
    return Record("made", parameters, (0, sample), status, 1.0, known, {})


def a_column(*states):
    (column,) = results.columns(states, ["made"])
    return column


def test_the_jump_is_measured_where_the_transition_is_and_says_where():
    """Half have jammed at 3.5, and all only at 5.5: the value is that of 3.5."""
    loads = {2.5: 0, 3.5: 1, 4.5: 1, 5.5: 2}
    column = a_column(
        *(
            a_state(load, "jammed" if sample < jammed else "unjammed", sample)
            for load, jammed in loads.items()
            for sample in range(2)
        )
    )
    assert column.transition() == 3.5
    assert column.jump() == (3.5 / 4, "P/N", 3.5)
    last = results.comparison_text([column]).splitlines()[-1]
    assert "P/N = 3.500   0.875    P/N = 3.500" in last
    (entry,) = strict(dumps(results.comparison_document([column])))["systems"]
    assert entry["constraints_per_dof_at_transition"] == 0.875
    assert entry["measured_at"] == {"name": "P/N", "value": 3.5}


def test_between_two_loads_the_jump_is_measured_at_the_upper_one():
    column = a_column(a_state(2.0, "unjammed"), a_state(3.0, "stalled"), a_state(4.0, "jammed"))
    assert column.transition() == 3.0
    assert column.jump() == (1.0, "P/N", 4.0)


def test_states_brought_to_the_transition_say_by_which_load():
    there = {"at_transition": True, "load_name": "sigma", "constraints_per_dof": 1.0}
    column = a_column(
        a_state(4.0, "unjammed"), a_state(5.0, "jammed"),
        a_state(-0.6, "jammed", **there), a_state(-0.4, "jammed", 1, **there),
    )  # fmt: skip
    assert column.jump() == (1.0, "sigma", pytest.approx(-0.5))
    assert "sigma = -0.500" in results.comparison_text([column]).splitlines()[-1]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["unjammed", "unjammed"], None),  # the transition is above the sweep
        (["stalled", "dead"], None),
        (["jammed", "jammed"], (0.25, "P/N", 1.0)),  # or below it
    ],
)
def test_outside_of_the_sweep_the_jump_is_that_of_its_lowest_jammed_load(statuses, expected):
    column = a_column(*(a_state(1.0 + k, status) for k, status in enumerate(statuses)))
    assert column.transition() is None
    assert column.jump() == expected


SCRIPT = """
import os, sys
from bridge.runs.kinds.compare import ComparisonPlan, states
from bridge.systems.system import Sweep
from bridge.cli.main import run
from bridge.runs.progress import Progress
from bridge.systems import DiscSystem

loads = tuple(round(0.90 + 0.0001 * i, 4) for i in range(16))
ComparisonPlan.sweeps = lambda self: [Sweep("discs", DiscSystem(n=16), loads, False)]

def interrupted(self, done, total):
    if done == 5:
        os.kill(os.getpid(), int(sys.argv[2]))

if __name__ == "__main__":
    Progress.__call__ = interrupted
    sys.exit(run(["compare", "--samples", "1", "--workers", "2", "--out", sys.argv[1]]))
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGHUP])
def test_an_interrupt_keeps_what_is_finished(tmp_path, sent):
    script, out = tmp_path / "run.py", tmp_path / "out"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(out)]
    shown = subprocess.run([*command, str(int(sent))], capture_output=True, text=True, check=False)
    assert (shown.returncode, shown.stdout) == (130, ""), shown.stderr
    assert shown.stderr == (
        f"jamscape: interrupted: what was finished is kept in {out}, and the same command goes on "
        "from there\n"
    )
    with Store(out / "compare.sqlite") as store:
        kept = {record.key: record.seconds for record in store.records()}
    assert len(kept) == 5
    subprocess.run([*command, "0"], check=True, capture_output=True)
    with Store(out / "compare.sqlite") as store:
        after = {record.key: record.seconds for record in store.records()}
    assert len(after) == 16 + 1  # and a motion of discs for the page
    assert all(after[key] == seconds for key, seconds in kept.items())

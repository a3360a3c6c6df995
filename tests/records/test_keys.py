"""The key of a run: all that determines its result is in it, and where its data lie is not."""

import hashlib
import os
import shutil
from dataclasses import fields, replace

import numpy as np
import pytest

from bridge.claims.molecules import LJAT3
from bridge.claims.table import CLAIMS
from bridge.claims.trials import Trial, trials
from bridge.cli.main import run
from bridge.records import store
from bridge.records.content import content
from bridge.records.store import Record, Store
from bridge.report.landscape_folder import record_of_file
from bridge.runs.batch import Batch
from bridge.runs.kinds import avalanche, jam
from bridge.runs.kinds.avalanche import AvalancheRun
from bridge.runs.kinds.jam import JamRun
from bridge.runs.kinds.landscape import LandscapeRun
from bridge.runs.task import Failed, compute
from bridge.systems import DiscSystem, NetworkSystem, landscapes, systems
from bridge.systems.classifier import ClassifierLandscape
from bridge.systems.muller_brown import MullerBrownLandscape

from readers import strict

SEED = (3, 1)
ALONE = [
    *(JamRun(kind(), SEED, at_load=0.9, at_transition=True) for kind in systems().values()),
    *(AvalancheRun(kind(), SEED, 0.1, 10) for kind in systems().values()),
    *(LandscapeRun(kind(), SEED, 10) for kind in landscapes().values()),
    Batch(NetworkSystem(), "quench", (SEED,)),
]
WORDS = {
    "activation": "softplus", "optimiser": "sgd", "norm": "free", "device": "meta",
    "data": "digits", "protocol": "loading", "label": "another", "model": f"{__file__}:key",
    "loss": "mean_square", "energy": "linear",
}  # fmt: skip


def key(task):
    return task.keys[0] if isinstance(task, Batch) else task.key


def another(name, value):
    """Return a value of an option that is not this one."""
    if name == "dim":
        return 5 - value
    if isinstance(value, bool):
        return not value
    if name == "data" and value == "digits":
        return __file__
    if name == "axes":
        return (1.5, 1.0, 0.5)
    if name in WORDS:
        return WORDS[name]
    if isinstance(value, tuple):
        return tuple(np.add(value, 1).tolist())
    return 7 if value is None else value + 1


def others(task):
    """Yield the same run with one field of its own, or of its system, changed."""
    for item in fields(task):
        if item.name == "seeds":
            yield item.name, replace(task, seeds=((3, 2),))
        elif item.name != "system":
            yield (
                item.name,
                replace(task, **{item.name: another(item.name, getattr(task, item.name))}),
            )
    for item in fields(task.system):
        if item.name == "label":  # of data in a file alone
            continue
        value = another(item.name, getattr(task.system, item.name))
        yield item.name, replace(task, system=replace(task.system, **{item.name: value}))


@pytest.mark.parametrize(
    "task", ALONE, ids=lambda task: f"{type(task).__name__}-{task.system.kind}"
)
def test_every_field_of_a_run_is_in_its_key(task):
    assert key(replace(task)) == key(task)
    for name, other in others(task):
        assert key(other) != key(task), name


@pytest.mark.parametrize("kind", [NetworkSystem, ClassifierLandscape])
def test_the_column_of_the_labels_is_in_the_key(kind, tmp_path):
    path = tmp_path / "two.csv"
    path.write_text("x,first,second\n" + "0.5,1,-1\n-0.5,-1,1\n" * 4, encoding="utf-8")
    run = JamRun if kind is NetworkSystem else LandscapeRun
    keys = {run(kind(data=str(path), label=name), SEED).key for name in ("first", "second")}
    assert len(keys) == 2


def test_a_claim_has_every_keyword_and_the_schedule_in_its_key():
    task = Trial(LJAT3.name, {"searches": 10}, SEED)
    changed = [
        replace(task, label="other"), replace(task, given={"searches": 11}),
        replace(task, seed=(3, 2)), replace(task, settings={"rate": 1.0}),
    ]  # fmt: skip
    assert len({task.key, *(other.key for other in changed)}) == 5
    trained = {t.label: t.settings for t in trials(CLAIMS, 0, full=False) if t.settings}
    assert {name: set(given) for name, given in trained.items()} == {
        "network threshold": {"optimiser"}, "network beyond N*": {"optimiser"},
        "network spectra": {"optimiser"}, "slow loading": {"start_overlap"},
    }  # fmt: skip


def test_a_key_changes_with_the_schema(monkeypatch):
    before = [key(task) for task in ALONE]
    monkeypatch.setattr(store, "SCHEMA", store.SCHEMA + 1)
    assert not set(before) & {key(task) for task in ALONE}


def test_what_the_program_sets_is_in_the_key_as_what_the_user_sets(monkeypatch):
    import networks.training.anneal

    loaded = next(task for task in ALONE if isinstance(task, AvalancheRun))
    network = next(t for t in ALONE if isinstance(t, JamRun) and t.system.kind == "network")
    trained = [network, ALONE[-1]]
    before = [key(task) for task in (*trained, *ALONE[:1], loaded)]
    monkeypatch.setattr(networks.training.anneal, "Schedule", lambda: SLOWER)
    monkeypatch.setattr(DiscSystem, "_start", 0.9)
    monkeypatch.setattr(avalanche, "START_OVERLAP", 1e-3)
    after = [key(task) for task in (*trained, *ALONE[:1], loaded)]
    assert not set(before) & set(after)
    monkeypatch.setattr(jam, "LOW_OVERLAP", 1e-5)
    assert ALONE[0].key != after[2]


# Names of the numbers and arrays of each kind of record, by the schema that keeps them.
LAYOUT = {5: "fc0ce72e4faf131a"}


def test_records_of_other_numbers_have_another_schema():
    """A store that was begun by another version must not be continued with other records.

    If this fails, raise `bridge.records.store.SCHEMA`, and write the new pair into ``LAYOUT``.
    """
    small = NetworkSystem(depth=1, width=2, load=6.0, steps=5, activation="tanh")
    tasks = [
        JamRun(DiscSystem(n=8), (0,), spectrum=True), JamRun(small, (0,)),
        AvalancheRun(DiscSystem(n=8), (0,), 1e-3, 2), LandscapeRun(MullerBrownLandscape(), (0,), 1),
    ]  # fmt: skip
    records = [*(task.compute() for task in tasks), *Batch(small, "quench", ((0, 0),)).train()]
    names = [[r.kind, *sorted(r.parameters), *sorted(r.data), *sorted(r.arrays)] for r in records]
    digest = hashlib.sha256(repr(names).encode()).hexdigest()[:16]
    assert {store.SCHEMA: digest} == LAYOUT, names


def slower():
    from networks.training.anneal import Schedule

    return Schedule(first=2e-2)


SLOWER = slower()


@pytest.mark.parametrize("name", ["sgd", "lbfgs", "fire"])
def test_the_rates_of_each_optimiser_are_parameters(name):
    from networks import OPTIMISERS

    given = NetworkSystem(optimiser=name).settings()["optimiser"]
    assert given == {
        item.name: getattr(OPTIMISERS[name], item.name) for item in fields(OPTIMISERS[name])
    }


def test_runs_of_several_seeds_draw_their_own_minibatches(monkeypatch):
    """Of one network and one start: what differs is the generator of the run."""
    from networks import HingeNetwork, Mlp, random_patterns

    rng = np.random.default_rng(0)
    problem = HingeNetwork(Mlp(4, 4, 1), random_patterns(120, 4, rng))
    x = problem.mlp.init(rng)
    system = NetworkSystem(optimiser="sgd", steps=50, polish=0)
    ends = [system.minimise(problem, x, np.random.default_rng(seed)).x for seed in (0, 0, 1)]
    assert np.array_equal(ends[0], ends[1])
    assert not np.array_equal(ends[0], ends[2])
    with pytest.raises(ValueError, match=r"^expected a generator for the minibatches, got none: "):
        system.minimise(problem, x)


# Data in files.


def a_table(path, seed=0, n=40):
    rng = np.random.default_rng(seed)
    path.parent.mkdir(exist_ok=True)
    x = rng.standard_normal((n, 3))
    np.savetxt(path, np.column_stack([x, x[:, 0] + x[:, 1] ** 2 > 0.5]), "%+.6f", delimiter=",")
    return path


def with_data(path):
    return [
        JamRun(NetworkSystem(data=str(path)), SEED),
        AvalancheRun(NetworkSystem(data=str(path)), SEED, 0.1, 10),
        LandscapeRun(ClassifierLandscape(data=str(path)), SEED),
        Batch(NetworkSystem(data=str(path)), "quench", (SEED,)),
    ]


def test_the_key_is_that_of_the_content_and_not_of_the_path(tmp_path):
    first, second = a_table(tmp_path / "a" / "train.csv"), a_table(tmp_path / "b" / "train.csv", 1)
    moved = tmp_path / "c.csv"
    shutil.copy(first, moved)
    keys = [[key(task) for task in with_data(path)] for path in (first, second, moved)]
    assert not set(keys[0]) & set(keys[1])
    assert keys[0] == keys[2]


def test_a_file_replaced_by_one_of_the_same_size_and_time_is_another(tmp_path):
    path = a_table(tmp_path / "train.csv")
    before, then = [key(task) for task in with_data(path)], path.stat()
    a_table(path, seed=1)
    os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))
    assert path.stat().st_size == then.st_size
    assert not set(before) & {key(task) for task in with_data(path)}


def test_a_folder_is_what_its_files_are_and_hold(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train-images-idx3-ubyte").write_bytes(b"images")
        (tmp_path / name / "train-labels-idx1-ubyte").write_bytes(b"labels")
    (tmp_path / "b" / "notes.txt").write_text("not read")
    (tmp_path / "c" / "train-labels-idx1-ubyte").write_bytes(b"others")
    first, second, third = (content(tmp_path / name) for name in ("a", "b", "c"))
    assert first == second != third


def test_data_that_are_not_there_are_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"^expected a file or folder with data at .*: No such"):
        content(tmp_path / "nowhere.csv")


def test_data_replaced_during_a_run_leave_no_record(tmp_path):
    path = a_table(tmp_path / "train.csv")

    class Replaced(JamRun):
        def compute(self):
            found = super().compute()
            a_table(path, seed=1)
            return found

    system = NetworkSystem(depth=1, width=2, data=str(path), steps=5)
    found = compute(Replaced(system, (0,)))
    assert isinstance(found, Failed)
    assert "expected data that stay as they are" in found.reason


GRID = """
[[runs]]
system = "network"
data = "{path}"
depth = 1
width = 2
steps = 20
activation = "tanh"
"""


def records_of(path):
    with Store(path, read_only=True) as kept:
        return list(kept.records())


def test_an_ensemble_of_a_replaced_file_is_run_again(tmp_path, capsys):
    data, grid, out = tmp_path / "train.csv", tmp_path / "grid.toml", tmp_path / "e.sqlite"
    grid.write_text(GRID.format(path=data))
    for seed in (0, 1, 1):
        a_table(data, seed)
        assert run(["ensemble", str(grid), "--out", str(out), "--workers", "1"]) in (0, 3)
    first, second = records_of(out)
    assert first.data["energy"] != second.data["energy"]
    assert first.data["data_file"] == second.data["data_file"] == "train.csv"
    assert first.parameters["data"] != second.parameters["data"] == content(data)


def test_a_landscape_of_a_replaced_file_is_another_landscape(tmp_path, capsys):
    data, out = a_table(tmp_path / "train.csv"), tmp_path / "l.sqlite"
    command = ["landscape", "classifier", "--data", str(data), "--hidden", "1", "--searches", "1"]
    assert run([*command, "--out", str(out)]) == 0
    assert run([*command, "--out", str(out)]) == 0
    a_table(data, 1)
    assert run([*command, "--out", str(out)]) == 2
    assert "name another file" in capsys.readouterr().err
    assert record_of_file(out).parameters["data"] != content(data)


def test_no_record_page_or_table_tells_where_the_data_were(tmp_path, monkeypatch, capsys):
    """Each command is told by its absolute path; what it leaves is searched for the folder."""
    home = tmp_path / "home_of_a_user"
    data = a_table(home / "train.csv")
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.chdir(out)
    (tmp_path / "grid.toml").write_text(GRID.format(path=data))
    small = ["--data", str(data), "--depth", "1", "--width", "2", "--activation", "tanh"]
    small += ["--steps", "20"]
    commands = [
        ["jam", "network", *small, "--json", "--out", "jam"],
        ["ensemble", str(tmp_path / "grid.toml"), "--workers", "1"],
        ["transition", "network", *small, "--low", "1", "--high", "2", "--samples", "1",
         "--step", "1", "--workers", "1", "--json"],
        ["avalanche", "network", *small, "--load-steps", "2", "--by", "1e-3", "--workers", "1",
         "--out", "a.sqlite", "--json"],
        ["landscape", "classifier", "--data", str(data), "--hidden", "1", "--searches", "1",
         "--out", "l.sqlite", "--json"],
        ["landscape", "show", "l.sqlite", "--out", "shown"],
    ]  # fmt: skip
    for command in commands:
        assert run(command) in (0, 3), command
    told = capsys.readouterr().out
    files = [path for path in out.rglob("*") if path.is_file()]
    assert len(files) > 15
    assert "home_of_a_user" not in told
    assert [path for path in files if b"home_of_a_user" in path.read_bytes()] == []


def test_pairs_are_compared_where_the_data_of_a_landscape_are_found_again(tmp_path, monkeypatch):
    data, out = a_table(tmp_path / "train.csv"), tmp_path / "l.sqlite"
    command = ["landscape", "classifier", "--data", str(data), "--hidden", "1", "--searches", "5"]
    assert run([*command, "--out", str(out)]) == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run(["landscape", "show", str(out), "--out", "shown"]) == 0
    found = strict(tmp_path / "elsewhere" / "shown" / "summary.json")["order"]
    assert "pairs of the lowest minima" in found or found == "not compared: a single minimum"
    a_table(data, 1)
    assert run(["landscape", "show", str(out), "--out", "shown"]) == 0
    assert "put it beside" in strict(tmp_path / "elsewhere" / "shown" / "summary.json")["order"]


def test_the_record_is_found_under_the_key_it_was_asked_for(tmp_path):
    path = a_table(tmp_path / "train.csv")
    task = JamRun(NetworkSystem(depth=1, width=2, data=str(path), steps=5), (0,))
    found = compute(task)
    assert isinstance(found, Record)
    with Store(tmp_path / "a.sqlite") as kept:
        kept.put(found)
        assert kept.get(task.key).key == task.key

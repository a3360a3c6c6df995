"""An ensemble from the outside: resumed, killed, refused, on a cluster."""

import json
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge.cli import run
from bridge.console import Progress
from bridge.store import Store

CONFIG = """
seeds = {seeds}
[[runs]]
system = "discs"
n = [16, 20]
at_load = [0.7, 0.95]
"""


def an_ensemble(folder, seeds):
    path = folder / "e.toml"
    path.write_text(CONFIG.format(seeds=seeds))
    return path


def records_in(path):
    with Store(path, read_only=True) as store:
        return list(store.records())


def test_shards_together_hold_every_run_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    config = str(an_ensemble(tmp_path, seeds=1))
    assert run(["ensemble", config, "--shard", "1/2", "--workers", "1"]) == 0
    monkeypatch.setattr("bridge.commands.ensemble.map_unordered", lambda f, t, workers: map(f, t))
    assert run(["ensemble", config, "--shard", "2/2"]) == 0
    kept = [r for path in tmp_path.glob("ensemble-*-of-2.sqlite") for r in records_in(path)]
    assert len(kept) == len({record.key for record in kept}) == 4
    assert {record.status for record in kept} == {"jammed", "unjammed"}
    assert "2 runs in ensemble-2-of-2.sqlite" in capsys.readouterr().out


def test_a_dry_run_says_what_would_run_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    config = an_ensemble(tmp_path, seeds=3)
    assert run(["ensemble", str(config), "--dry-run", "--workers", "2"]) == 0
    said = capsys.readouterr().out
    assert "n 20  at_load 0.95" in said
    assert "12 runs: " in said
    assert "on 2 processes" in said
    assert list(tmp_path.iterdir()) == [config]


def test_a_second_writer_is_refused_in_one_line(tmp_path, capsys):
    config, out = an_ensemble(tmp_path, seeds=1), tmp_path / "e.sqlite"
    with Store(out):
        assert run(["ensemble", str(config), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "expected to be the only user" in error


def test_a_run_that_raises_does_not_end_the_others(tmp_path, monkeypatch, capsys):
    from functools import partial

    from bridge.systems import DiscSystem

    def at(self, load, rng):
        if load < 0.9:
            raise ArithmeticError("no such\npacking")
        return normal(self, load, rng)

    normal = DiscSystem.at
    monkeypatch.setattr(DiscSystem, "at", at)
    monkeypatch.setattr("bridge.commands.ensemble.map_unordered", lambda f, t, workers: map(f, t))
    out = tmp_path / "e.sqlite"
    command = partial(run, ["ensemble", str(an_ensemble(tmp_path, seeds=1)), "--out", str(out)])
    assert command() == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "2 of 4 runs, discs with seed 0 by ArithmeticError: no such packing" in error
    assert len(records_in(out)) == 2
    monkeypatch.setattr(DiscSystem, "at", normal)
    assert command() == 0
    assert len(records_in(out)) == 4


# A run of ten thousand tasks that take a moment; it says when each was handed to the store.
CHEAP = """
import sys, time
from dataclasses import dataclass
from bridge.options import INTERRUPTED
from bridge.runs import run_all
from bridge.store import Record, Store, record_key
from bridge.workers import ending_on_signals

@dataclass(frozen=True)
class Cheap:
    seed: tuple
    label = "cheap"
    parameters = {}
    key = property(lambda self: record_key(self.label, self.parameters, self.seed))

    def compute(self):
        time.sleep(0.005)
        return Record(self.label, {}, self.seed, "jammed", 0.0, {}, {})

last = [None]

def mapper(function, tasks):
    for task in tasks:
        yield function(task)
        last[0] = task.key

def say(done, total):
    if last[0]:
        print(last[0], time.monotonic(), flush=True)

with ending_on_signals(), Store(sys.argv[1]) as store:
    try:
        run_all([Cheap((k,)) for k in range(10_000)], store, progress=say, mapper=mapper)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
"""


def stopped(script, out, seconds, sent):
    """Start the run, signal it ``seconds`` after its first record; return what it said, when."""
    with subprocess.Popen(
        [sys.executable, str(script), str(out)], stdout=subprocess.PIPE, text=True
    ) as started:
        lines = [started.stdout.readline()]
        time.sleep(seconds)
        moment = time.monotonic()
        started.send_signal(sent)
        lines += started.stdout.read().splitlines()
    said = {line.split()[0]: float(line.split()[1]) for line in lines if len(line.split()) == 2}
    return said, moment, started.returncode


def test_a_killed_run_loses_nothing_that_is_a_second_old(tmp_path):
    script = tmp_path / "cheap.py"
    script.write_text(CHEAP)

    def four_times(number):
        out, chance = tmp_path / f"{number}.sqlite", random.Random(number)
        lost, due = set(), set()
        for _ in range(4):
            said, moment, code = stopped(script, out, chance.uniform(1.2, 2.2), signal.SIGKILL)
            assert code == -signal.SIGKILL
            due |= {key for key, when in said.items() if when < moment - 1.3}  # late by 0.3 s
            lost |= due - {record.key for record in records_in(out)}
        return len(due), lost

    with ThreadPoolExecutor(5) as pool:  # they sleep most of the time
        found = list(pool.map(four_times, range(5)))
    assert [lost for _, lost in found] == [set()] * 5
    assert sum(count for count, _ in found) > 100


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGUSR1])
def test_a_scheduler_that_ends_the_job_loses_nothing(sent, tmp_path):
    script, out = tmp_path / "cheap.py", tmp_path / "e.sqlite"
    script.write_text(CHEAP)
    said, _, code = stopped(script, out, 0.3, sent)
    assert code == 130
    kept = {record.key for record in records_in(out)}
    assert len(kept) > 10
    assert set(said) - set(list(said)[-1:]) <= kept


def test_workers_end_with_the_run_that_was_killed(tmp_path):
    psutil = pytest.importorskip("psutil")
    script = tmp_path / "pool.py"
    script.write_text(
        "import time\n"
        "from bridge.workers import map_unordered\n"
        "if __name__ == '__main__':\n"
        "    for _ in map_unordered(time.sleep, [0, 1000, 1000], workers=2):\n"
        "        print('one', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as started:
        assert started.stdout.readline() == "one\n"
        workers = psutil.Process(started.pid).children(recursive=True)
        started.kill()
        assert len(workers) >= 2
        _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers of Dask, each a process of its own, on loopback."""
    pytest.importorskip("distributed")
    contact = tmp_path / "scheduler.json"
    here = ["--scheduler-file", str(contact), "--no-dashboard"]
    scheduler = ["scheduler", "--host", "127.0.0.1", "--port", "0"]
    worker = ["worker", "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny"]
    worker += ["--local-directory", str(tmp_path), "--death-timeout", "60"]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments, *here], stderr=subprocess.DEVNULL
        )
        for arguments in (scheduler, worker, worker)
    ]
    try:
        for _ in range(300):
            if contact.exists():
                break
            time.sleep(0.1)
        yield json.loads(contact.read_text())["address"], started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_a_cluster_that_loses_a_worker_finds_every_record(cluster, tmp_path, monkeypatch, capsys):
    address, workers = cluster
    seen = []

    def kill_one(self, done, total):
        seen.append(done)
        if done == 10:
            workers[0].kill()

    monkeypatch.setattr(Progress, "__call__", kill_one)
    config, out = an_ensemble(tmp_path, seeds=20), tmp_path / "e.sqlite"
    code = run(["ensemble", str(config), "--out", str(out), "--scheduler", address])
    assert (code, capsys.readouterr().err) == (0, "")
    assert seen == list(range(81))
    assert workers[0].wait() == -signal.SIGKILL
    assert workers[1].poll() is None
    kept = records_in(out)
    assert len(kept) == len({record.key for record in kept}) == 80
    assert {record.status for record in kept} <= {"jammed", "unjammed"}


def test_a_scheduler_that_is_not_there_is_one_line(tmp_path, monkeypatch, capsys):
    pytest.importorskip("distributed")
    monkeypatch.setattr("bridge.cluster.PATIENCE", "1s")
    config, out = an_ensemble(tmp_path, seeds=1), tmp_path / "e.sqlite"
    for address in ("nonsense://", "tcp://127.0.0.1:1"):
        code = run(["ensemble", str(config), "--out", str(out), "--scheduler", address])
        error = capsys.readouterr().err
        assert (code, error.count("\n")) == (2, 1), error
    assert list(tmp_path.iterdir()) == [config]

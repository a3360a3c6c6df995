"""An ensemble from the outside: resumed, killed, refused, on a cluster."""

import signal
import subprocess
import sys

import pytest

from bridge.cli.main import run
from bridge.records import database
from bridge.records.store import Store
from bridge.runs.progress import Progress

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
    monkeypatch.setattr("bridge.runs.task.local", lambda workers: map)
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
    monkeypatch.setattr("bridge.runs.task.local", lambda workers: map)
    out = tmp_path / "e.sqlite"
    command = partial(run, ["ensemble", str(an_ensemble(tmp_path, seeds=1)), "--out", str(out)])
    assert command() == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "2 of 4 runs, discs with seed 0 by ArithmeticError: no such packing" in error
    assert len(records_in(out)) == 2
    monkeypatch.setattr(DiscSystem, "at", normal)
    assert command() == 0
    assert len(records_in(out)) == 4


# A run of forty tasks that is sent a signal, by itself, when the tenth is in the store.
CHEAP = """
import os, sys
from dataclasses import dataclass
from bridge.cli.options import INTERRUPTED
from bridge.runs.task import run_all
from bridge.records.store import Record, Store, record_key
from bridge.runs.workers import ending_on_signals

@dataclass(frozen=True)
class Cheap:
    seed: tuple
    label = "cheap"
    parameters = {}
    key = property(lambda self: record_key(self.label, self.parameters, self.seed))

    def compute(self):
        return Record(self.label, {}, self.seed, "jammed", 0.0, {}, {})

def say(done, total):
    if done % 10 == 0 and done > before:
        os.kill(os.getpid(), int(sys.argv[2]))

with ending_on_signals(), Store(sys.argv[1]) as store:
    before = len(store.statuses())
    try:
        run_all([Cheap((k,)) for k in range(40)], store, progress=say, mapper=map)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP])
def test_a_run_that_is_ended_keeps_every_record(sent, tmp_path):
    script, out = tmp_path / "cheap.py", tmp_path / "e.sqlite"
    script.write_text(CHEAP)
    for part in range(1, 5):
        shown = subprocess.run(
            [sys.executable, script, out, str(int(sent))],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert shown.returncode == (-sent if sent == signal.SIGKILL else 130), shown.stderr
        assert shown.stderr == ""
        assert [record.seed for record in records_in(out)] == [(k,) for k in range(10 * part)]


# Packings below the transition end the process that computes them.
FATAL = """
import os, signal, sys
from bridge.records import database
from bridge.cli.main import run
from bridge.systems import DiscSystem

def at(self, load, rng):
    if load < 0.9:
        os.kill(os.getpid(), signal.SIGKILL)
    return normal(self, load, rng)

normal, DiscSystem.at = DiscSystem.at, at
if __name__ == "__main__":
    sys.exit(run(["ensemble", *sys.argv[1:]]))
"""


def test_a_run_that_ends_its_process_does_not_block_the_others(tmp_path):
    script, out = tmp_path / "fatal.py", tmp_path / "e.sqlite"
    script.write_text(FATAL)
    command = [sys.executable, script, an_ensemble(tmp_path, seeds=2), "--out", out]
    for _ in range(2):
        shown = subprocess.run(
            [*command, "--workers", "2"], capture_output=True, text=True, check=False
        )
        assert shown.returncode == 1
        *progress, error = shown.stderr.splitlines()
        assert all(line.startswith(("ensemble: ", "figure: ")) for line in progress)
        assert "4 of 8 runs, discs with seed" in error
        assert "its process was ended by SIGKILL: the others are kept in" in error
        assert "the same command tries these again" in error
        assert shown.stdout.startswith("4 runs in ")
        assert len(records_in(out)) == 4


def test_a_full_disk_is_one_line_that_names_the_run(tmp_path, monkeypatch, capsys):
    def small(path, mode):
        connection = connect(path, mode)
        connection.execute("PRAGMA max_page_count = 16")
        return connection

    connect = database._connect
    config, out = an_ensemble(tmp_path, seeds=5), tmp_path / "e.sqlite"
    monkeypatch.setattr("bridge.runs.task.local", lambda workers: map)
    monkeypatch.setattr(database, "_connect", small)
    assert run(["ensemble", str(config), "--out", str(out)]) == 1
    monkeypatch.setattr(database, "_connect", connect)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "expected to keep discs with seed" in said.err
    assert "full': make room for it, and the same command goes on" in said.err
    kept = records_in(out)
    assert 0 < len(kept) < 20
    assert run(["ensemble", str(config), "--out", str(out)]) == 0
    assert capsys.readouterr().out.startswith("20 runs in ")
    assert [record.key for record in records_in(out)[: len(kept)]] == [r.key for r in kept]


def test_a_file_that_is_removed_during_a_run_is_noticed(tmp_path, monkeypatch, capsys):
    def remove(self, done, total):
        if done == 3:
            out.unlink()

    monkeypatch.setattr(Progress, "__call__", remove)
    monkeypatch.setattr("bridge.runs.task.local", lambda workers: map)
    config, out = an_ensemble(tmp_path, seeds=1), tmp_path / "e.sqlite"
    assert run(["ensemble", str(config), "--out", str(out)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "got a file that was removed or replaced" in said.err


def test_workers_end_with_the_run_that_was_killed(tmp_path):
    psutil = pytest.importorskip("psutil")
    script = tmp_path / "pool.py"
    script.write_text(
        "import time\n"
        "from bridge.runs.workers import map_unordered\n"
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
        psutil.wait_procs(workers)  # without end, if they do not end

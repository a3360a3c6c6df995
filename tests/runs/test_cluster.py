"""An ensemble on a cluster that loses a worker or its scheduler, or that is not there."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from bridge.cli.main import run
from bridge.runs.progress import Progress

from test_ensemble import an_ensemble, records_in


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
        yield address_in(contact, started[0]), started
    finally:
        for process in started:
            process.kill()
            process.wait()


def address_in(contact, scheduler):
    """Return where a scheduler listens, however long it takes to say so."""
    while scheduler.poll() is None:
        try:
            return json.loads(contact.read_text())["address"]
        except (OSError, ValueError):
            time.sleep(0.05)
    raise AssertionError("the scheduler has ended")


def test_a_cluster_that_loses_a_worker_finds_every_record(cluster, tmp_path, monkeypatch, capsys):
    address, (_, *workers) = cluster
    seen = []

    def kill_one(self, done, total):
        seen.append(done)
        if done == 10:
            workers[0].kill()

    monkeypatch.setattr(Progress, "__call__", kill_one)
    config, out = an_ensemble(tmp_path, seeds=20), tmp_path / "e.sqlite"
    code = run(["ensemble", str(config), "--out", str(out), "--scheduler", address])
    assert (code, capsys.readouterr().err) == (0, f"figure: {out.with_suffix('.png')}\n")
    assert seen == list(range(81))
    assert workers[0].wait() == -signal.SIGKILL
    assert workers[1].poll() is None
    kept = records_in(out)
    assert len(kept) == len({record.key for record in kept}) == 80
    assert {record.status for record in kept} <= {"jammed", "unjammed"}


def test_a_scheduler_that_is_killed_is_one_line_that_names_a_run(
    cluster, tmp_path, monkeypatch, capfd
):
    address, (scheduler, *_) = cluster

    def kill_it(self, done, total):
        if done == 5:
            scheduler.kill()
            scheduler.wait()

    monkeypatch.setattr(Progress, "__call__", kill_it)
    config, out = an_ensemble(tmp_path, seeds=20), tmp_path / "e.sqlite"
    assert run(["ensemble", str(config), "--out", str(out), "--scheduler", address]) == 1
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert re.search(r"discs with seed \d+ and \d+ others: the connection to the", shown.err)
    assert "the same command goes on" in shown.err
    assert 5 <= len(records_in(out)) < 80


class Answering:
    """A service of another kind: it listens, says something or nothing, and hangs up or waits."""

    def __init__(self, answer):
        self.socket, self.answer, self.open = socket.create_server(("127.0.0.1", 0)), answer, []
        self.address = f"tcp://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                other, _ = self.socket.accept()
            except OSError:
                return
            if self.answer:
                other.sendall(self.answer)
                other.close()
            else:
                self.open.append(other)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        for each in [self.socket, *self.open]:
            each.close()


def test_a_scheduler_that_is_not_there_is_one_line(tmp_path, monkeypatch, capfd):
    pytest.importorskip("distributed")
    monkeypatch.setattr("bridge.runs.cluster.ANSWER_WITHIN", 0.5)
    config, out = an_ensemble(tmp_path, seeds=1), tmp_path / "e.sqlite"
    others = [Answering(b"SSH-2.0-x\r\n"), Answering(b"HTTP/1.1 400 Bad\r\n\r\n"), Answering(b"")]
    wrong = [
        "nonsense://",
        "",
        "127.0.0.1",
        "127.0.0.1:1",
        "tcp://127.0.0.1:1",
        "tcp://127.0.0.1:99999",
    ]
    for address in [*wrong, *(other.address for other in others)]:
        code = run(["ensemble", str(config), "--out", str(out), "--scheduler", address])
        error = capfd.readouterr().err
        assert (code, error.count("\n")) == (2, 1), error
        assert "expected a Dask scheduler at" in error
    for other in others:
        other.close()
    assert list(tmp_path.iterdir()) == [config]

"""Every command that runs something can stand in a grid."""

import pytest

from bridge.claims.plan import ClaimsPlan
from bridge.cli.main import run
from bridge.records.store import Store
from bridge.runs.registry import kinds

SMALL = {
    "jam": 'system = "discs"\nn = [8, 10]\nspectrum = true',
    "avalanche": 'system = "perceptron"\nn = 12\nload_steps = 3',
    "landscape": 'system = "lj"\nn = 5\nsearches = 5',
    "transition": """
system = "network"
width = 3
steps = 200
polish = 50
samples = 2
low = 0.5
high = 8.5
step = 2.0
""",
    "compare": 'size = "small"\nsamples = 1',
    "claims": 'claim = "ljat3-minima"',
}


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setattr("bridge.runs.task.local", lambda workers: map)


def test_every_command_has_a_grid_here():
    assert set(SMALL) == {*kinds(), ClaimsPlan.command}


@pytest.mark.parametrize("command", [name for name in SMALL if name != "compare"])
def test_a_grid_of_a_command_leaves_records_that_go_on(command, tmp_path, capsys):
    grid, out = tmp_path / "grid.toml", tmp_path / "all.sqlite"
    grid.write_text(f'[[runs]]\ncommand = "{command}"\n{SMALL[command]}\n', encoding="utf-8")
    assert run(["ensemble", str(grid), "--out", str(out)]) in (0, 3)
    with Store(out, read_only=True) as store:
        kept = {record.key: record.seconds for record in store.records()}
    assert kept
    assert run(["ensemble", str(grid), "--out", str(out)]) in (0, 3)
    with Store(out, read_only=True) as store:
        assert {record.key: record.seconds for record in store.records()} == kept
    assert run(["collect", str(out), "-o", str(tmp_path / "all.nc")]) == 0
    assert f"{len(kept)} records" in capsys.readouterr().out


def test_a_grid_of_the_comparison_is_its_states(tmp_path, capsys):
    """They cost minutes, and each is a state of `jam`: which they are is told without running."""
    from bridge.runs.grid import read_runs

    grid = tmp_path / "grid.toml"
    grid.write_text(f'[[runs]]\ncommand = "compare"\n{SMALL["compare"]}\n', encoding="utf-8")
    labels = [task.label for task in read_runs(grid)]
    assert set(labels) == {"discs", "ellipses", "perceptron", "network", "digits"}
    assert len(labels) == 11 * 3 + 3 + 8 + 6

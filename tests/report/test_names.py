"""What a data set calls its variables: every number of every command has words and units."""

import pytest

from bridge.records.store import Record
from bridge.report.dataset import dataset, write
from bridge.runs.kinds.avalanche import AvalancheRun
from bridge.runs.kinds.jam import JamRun
from bridge.runs.kinds.landscape import LandscapeRun
from bridge.runs.kinds.transition import TransitionRun
from bridge.systems import DiscSystem, NetworkSystem, PerceptronSystem, landscapes

xarray = pytest.importorskip("xarray")

SMALL = NetworkSystem(depth=1, width=3, steps=50, polish=20)
RUNS = {
    "jam": JamRun(DiscSystem(n=12), (0,), spectrum=True),
    "avalanche": AvalancheRun(PerceptronSystem(n=12, alpha=6.0), (0,), by=0.01, load_steps=2),
    "landscape": LandscapeRun(landscapes()["lj"](4), (0,), searches=5),
    "landscape of a network": LandscapeRun(landscapes()["network"](width=2), (0,), searches=0),
    "transition": TransitionRun(SMALL, (0,), low=1.0, high=3.0, step=1.0, samples=1),
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_every_variable_has_words_and_every_number_units(run, tmp_path):
    record = run.compute()
    write([record], tmp_path / "all.nc")
    with xarray.open_dataset(tmp_path / "all.nc") as found:
        found.load()
    for name, variable in found.variables.items():
        words = variable.attrs["long_name"]
        assert words, name
        if variable.dtype.kind in "if":
            assert variable.attrs["units"] == ("s" if name == "seconds" else "1"), name
        else:
            assert "units" not in variable.attrs, name


def test_what_was_asked_for_and_what_was_measured_have_words_of_their_own():
    found = dataset([RUNS["jam"].compute()])
    assert found.n.long_name == "number of discs"
    assert found.measured_n.long_name.startswith("degrees of freedom N")
    assert found.energy.long_name == "energy U"
    assert found.gaps.long_name == "gaps Δ"


def test_a_number_of_ones_own_claims_no_units():
    record = Record("sand", {}, (0,), "done", 1.0, {"angle_of_repose": 0.6}, {})
    assert dataset([record]).angle_of_repose.attrs == {"long_name": "angle of repose"}

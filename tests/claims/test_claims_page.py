"""The page of claims: what is stored follows from what is claimed, in two tables."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.claims import render
from bridge.claims.claim import Estimate
from bridge.claims.molecules import LJAT3
from bridge.claims.table import CLAIMS, THEMES
from bridge.claims.trials import Conclusion, conclusion
from bridge.records.store import Record

DOCS = Path(__file__).parent.parent.parent / "docs"


def stored_run():
    return json.loads((DOCS / "claims.json").read_text(encoding="utf-8"))


def test_the_page_is_what_the_stored_run_renders_to():
    assert (DOCS / "claims.md").read_text(encoding="utf-8") == render.markdown(stored_run())
    for theme in THEMES:
        assert (DOCS / "claims" / f"{theme.name}.png").stat().st_size > 5000


def test_stored_verdicts_follow_from_stored_numbers():
    found = stored_run()
    assert [entry["name"] for entry in found["claims"]] == [claim.name for claim in CLAIMS]
    for entry, claim in zip(found["claims"], CLAIMS, strict=True):
        value, error = (
            math.nan if entry[key] is None else entry[key] for key in ("value", "error")
        )
        estimate = Estimate(value, error, entry["samples"], entry["stalled"], entry["note"])
        judged = render.entry(Conclusion(claim, estimate, entry["seconds"], entry["runs"]))
        assert judged == {k: v for k, v in entry.items() if k != "at_default_size"}
    assert sum(found["verdicts"].values()) == len(CLAIMS)


def test_claims_and_checks_are_two_tables():
    page = render.markdown(stored_run())
    claims, checks = page.split("## Claims of papers")[1].split("## Checks of our methods")
    checks = checks.split("## ")[0]
    for claim in CLAIMS:
        row = f"| [{claim.name}](#{claim.name}) | {claim.source.split(',')[0]} |"
        assert (row in checks) is claim.check
        assert (row in claims) is not claim.check


@pytest.mark.parametrize(("run_too", "said"), [(True, "undecided"), (False, "not run")])
def test_the_page_of_the_full_run_shows_the_default_verdict_beside_it(run_too, said):
    claim = next(claim for claim in CLAIMS if claim.name == "ljat3-minima")
    few = [
        Record("LJAT3", {"searches": 60}, (0, k), "done", 1.5, {"labelled": k}, {})
        for k in (3, 4, 4)
    ]
    all_four = [replace(record, data={"labelled": 4}) for record in few]
    document = render.document(
        [conclusion(claim, all_four)], {LJAT3.name: all_four}, large={LJAT3.name},
        beside=[conclusion(claim, few if run_too else [])],
    )  # fmt: skip
    assert document["claims"][0]["verdict"] == "confirmed"
    assert f"| confirmed; at the default size {said} |" in render.markdown(document)
    assert "- 20 runs, about 5 s each: searches = 200" in render.markdown(document)

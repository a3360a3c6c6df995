"""The page of claims: what is stored follows from what is claimed, in two tables."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.claims import render
from bridge.claims.claim import Expected
from bridge.claims.molecules import LJ13, LJAT3
from bridge.claims.page import kept, lacking, merged
from bridge.claims.table import CLAIMS, THEMES, chosen
from bridge.claims.trials import conclusion, trials
from bridge.cli.main import run
from bridge.records.store import Record, Store

from readers import strict

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
        assert kept(claim, entry) == entry
    assert sum(found["verdicts"].values()) == len(CLAIMS)


def test_claims_and_checks_are_two_tables():
    page = render.markdown(stored_run())
    claims, checks = page.split("## Claims of papers")[1].split("## Checks of our methods")
    checks = checks.split("## ")[0]
    for claim in CLAIMS:
        row = f"| [{claim.name}](#{claim.name}) | {claim.source.split(',')[0]} |"
        assert (row in checks) is claim.check
        assert (row in claims) is not claim.check


def test_the_readme_counts_them():
    text = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    checks = sum(claim.check for claim in CLAIMS)
    assert f"tests {len(CLAIMS) - checks} claims of the two papers" in text
    assert f"our methods by {checks} checks" in text


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


# What is kept of a page.


def lj13(energy, count=3):
    parameters = {"n": 13, "moves": 600, "runs": 1}
    return [
        Record("LJ13", parameters, (0, k), "done", 2.0, {"lowest": energy},
               {"jamscape": "0.1.0", "commit": "abc"})
        for k in range(count)
    ]  # fmt: skip


def ljat3(labelled):
    return [
        Record("LJAT3", {"searches": 60}, (0, k), "done", 1.5, {"labelled": labelled},
               {"jamscape": "0.0.9", "commit": "old"}, {"energies": [0.0]})
        for k in range(3)
    ]  # fmt: skip


TWO = chosen(["lj13-global", "ljat3-minima"])


def page_of(records, large=()):
    found = [conclusion(claim, records[claim.experiment.name]) for claim in TWO]
    beside = found if large else ()
    return render.document(found, records, large=large, beside=beside)


def test_an_experiment_is_taken_whole_from_the_store_or_from_the_page():
    before = page_of({LJ13.name: lj13(-40.0), LJAT3.name: ljat3(4)}, large={LJAT3.name})
    store = {LJ13.name: lj13(-44.326801), LJAT3.name: []}
    names = lacking(before, TWO, store, set())
    assert names == {LJAT3.name}
    found = merged(page_of(store), before, TWO, names)
    assert [entry["verdict"] for entry in found["claims"]] == ["confirmed", "confirmed"]
    assert found["claims"][1] == before["claims"][1]
    assert found["large"] == [LJAT3.name]
    assert found["seconds"] == 6.0 + 4.5
    assert found["verdicts"]["confirmed"] == 2
    assert found["versions"] == {
        LJ13.name: "jamscape 0.1.0 (abc)",
        LJAT3.name: "jamscape 0.0.9 (old)",
    }
    page = render.markdown(found)
    assert "**LJ13**; the default size; jamscape 0.1.0 (abc); with `--full` about " in page
    assert "**LJAT3**; the large size; jamscape 0.0.9 (old)" in page


def test_a_part_of_an_experiment_or_a_smaller_size_does_not_replace_what_a_page_has():
    before = page_of({LJ13.name: lj13(-40.0), LJAT3.name: ljat3(4)}, large={LJAT3.name})
    part = {LJ13.name: lj13(-44.326801, 2), LJAT3.name: ljat3(3)}
    assert lacking(before, TWO, part, set()) == {LJ13.name, LJAT3.name}
    assert lacking(before, TWO, part, {LJ13.name, LJAT3.name}) == set()


def test_what_is_kept_is_judged_by_the_bar_of_today():
    claim = TWO[1]
    (_, old) = page_of({LJ13.name: lj13(-40.0), LJAT3.name: ljat3(4)})["claims"]
    moved = replace(claim, expected=Expected(5.0, 0.0, "another bar"))
    assert (old["verdict"], kept(moved, old)["verdict"]) == ("confirmed", "not confirmed")


def test_the_command_keeps_a_page(tmp_path):
    out, page = tmp_path / "claims", tmp_path / "page.json"
    page.write_text(json.dumps(page_of({LJ13.name: lj13(-40.0), LJAT3.name: ljat3(4)})))
    out.mkdir()
    todo = trials(TWO[:1], 0, full=False)
    with Store(out / "claims.sqlite") as store:
        for trial, record in zip(todo, lj13(-44.326801), strict=True):
            store.put(replace(record, parameters=trial.parameters))
    names = ["lj13-global", "ljat3-minima"]
    assert run(["claims", *names, "--judge", "--page", str(page), "--out", str(out)]) == 0
    found = strict((out / "claims.json").read_text(encoding="utf-8"))
    assert [entry["value"] for entry in found["claims"]] == pytest.approx([-44.326801, 4.0])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--judge"], "expected runs of these claims in"),
        (["--page", "p.json"], "expected --page with --judge, got it alone"),
    ],
)
def test_a_judge_without_runs_says_so_in_one_line(tmp_path, capsys, options, said):
    out = tmp_path / "none"
    assert run(["claims", "lj13-global", *options, "--out", str(out)]) == 2
    shown = capsys.readouterr().err.strip()
    assert said in shown
    assert len(shown.splitlines()) == 1
    assert not out.exists()


def test_what_is_no_page_is_refused(tmp_path, capsys):
    out, page = tmp_path / "claims", tmp_path / "page.json"
    out.mkdir()
    with Store(out / "claims.sqlite") as store:
        (trial, *_) = trials(TWO[:1], 0, full=False)
        store.put(replace(lj13(-44.0)[0], parameters=trial.parameters))
    for text in ("[]", "{}", "no"):
        page.write_text(text)
        arguments = ["claims", "lj13-global", "--judge", "--page", str(page), "--out", str(out)]
        assert run(arguments) == 2
        assert "expected a claims.json, got" in capsys.readouterr().err
